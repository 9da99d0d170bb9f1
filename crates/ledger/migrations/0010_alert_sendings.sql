-- Alerts go several ways, each with its attempts: a receiver that is down keeps no other one waiting.
-- The attempts leave the table of alerts for one of their own.
CREATE TABLE attempts_of_before AS
    SELECT number, attempts, next_attempt, sent FROM alerts
    WHERE attempts > 0 OR next_attempt IS NOT NULL OR sent IS NOT NULL;

CREATE TABLE alerts_kept (
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
    message      TEXT    NOT NULL
) STRICT;

INSERT INTO alerts_kept
    SELECT number, id, at, kind, activation, segment, slot, run_id, code, message FROM alerts;
DROP TABLE alerts;
ALTER TABLE alerts_kept RENAME TO alerts;
CREATE INDEX alerts_by_slot ON alerts (activation, segment, slot, kind);

CREATE TABLE alert_sendings (
    number       INTEGER NOT NULL REFERENCES alerts (number),
    channel      TEXT    NOT NULL,
    -- Attempts to send it, when the next one is due (nothing: none is), and when it was taken.
    attempts     INTEGER NOT NULL DEFAULT 0,
    next_attempt INTEGER,
    sent         INTEGER,
    PRIMARY KEY (number, channel)
) STRICT, WITHOUT ROWID;

INSERT INTO alert_sendings (number, channel, attempts, next_attempt, sent)
    SELECT number, 'webhook', attempts, next_attempt, sent FROM attempts_of_before;
DROP TABLE attempts_of_before;
CREATE INDEX alert_sendings_due ON alert_sendings (channel, next_attempt)
    WHERE next_attempt IS NOT NULL;
