-- What somebody should be told: written in the transaction of what happened, sent afterwards, at least
-- once. No text in it holds a value of a profile.
CREATE TABLE alerts (
    number       INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    -- By which a receiver tells a repeated one.
    id           TEXT    NOT NULL UNIQUE,
    at           INTEGER NOT NULL,
    kind         TEXT    NOT NULL,
    activation   TEXT    NOT NULL,
    segment      TEXT    NOT NULL,
    slot         INTEGER NOT NULL,
    run_id       TEXT,
    code         TEXT,
    message      TEXT    NOT NULL,
    -- Attempts to send it, when the next one is due (nothing: none is), and when it was taken.
    attempts     INTEGER NOT NULL DEFAULT 0,
    next_attempt INTEGER,
    sent         INTEGER
) STRICT;

CREATE INDEX alerts_unsent ON alerts (next_attempt) WHERE next_attempt IS NOT NULL;
CREATE INDEX alerts_by_slot ON alerts (activation, segment, slot, kind);
