-- The schedule's memory, for `segue serve`.

-- Up to where the slots of an export (a segment of an activation) are decided.
CREATE TABLE exports (
    activation      TEXT    NOT NULL,
    segment         TEXT    NOT NULL,
    decided_through INTEGER NOT NULL,
    PRIMARY KEY (activation, segment)
) STRICT, WITHOUT ROWID;

-- Activations whose slots are skipped until somebody enables them again.
CREATE TABLE disabled_activations (
    activation TEXT    NOT NULL PRIMARY KEY,
    since      INTEGER NOT NULL,
    -- Who did it: the name of a user or a token.
    actor      TEXT    NOT NULL
) STRICT, WITHOUT ROWID;

-- One row for each time at which an export was due, or asked for, whatever became of it. Many old
-- slots that were missed together are one row, under the last of them.
CREATE TABLE slots (
    activation  TEXT    NOT NULL,
    segment     TEXT    NOT NULL,
    slot        INTEGER NOT NULL,
    first_slot  INTEGER NOT NULL,
    slot_count  INTEGER NOT NULL CHECK (slot_count > 0),
    destination TEXT    NOT NULL,
    origin      TEXT    NOT NULL CHECK (origin IN ('schedule', 'request', 'recovery')),
    -- Who asked, for requests.
    actor       TEXT,
    state       TEXT    NOT NULL CHECK (state IN
        ('planned', 'running', 'blocked', 'delivered', 'skipped', 'failed', 'reverted')),
    -- Why it is skipped, failed or blocked, or why the last attempt did not do.
    reason      TEXT,
    message     TEXT,
    run_id      TEXT,
    planned     INTEGER NOT NULL,
    began       INTEGER,
    finished    INTEGER,
    -- It is not begun before this time.
    not_before  INTEGER NOT NULL,
    -- Attempts that ended and did not do.
    attempts    INTEGER NOT NULL DEFAULT 0,
    -- Attempts that began since one last ended: more than one when the process died under them.
    starts      INTEGER NOT NULL DEFAULT 0,
    -- Who has it, with the number that fences off whoever had it before, and until when.
    owner       TEXT,
    epoch       INTEGER NOT NULL DEFAULT 0,
    lease_until INTEGER,
    PRIMARY KEY (activation, segment, slot)
) STRICT, WITHOUT ROWID;

CREATE INDEX slots_open ON slots (state) WHERE state IN ('planned', 'running', 'blocked');
CREATE INDEX slots_by_time ON slots (slot);
