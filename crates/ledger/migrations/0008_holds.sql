-- Runs that a guard stopped before anything was visible, and what somebody decided. Such a run is
-- blocked without a commit record.
CREATE TABLE holds (
    run_id    TEXT    NOT NULL PRIMARY KEY REFERENCES runs (run_id),
    -- The rows that a full file would have had.
    row_count INTEGER NOT NULL,
    cause     TEXT    NOT NULL CHECK (cause IN ('collapsed', 'exploded', 'exclusion_rate')),
    held      INTEGER NOT NULL,
    decision  TEXT    CHECK (decision IN ('released', 'rejected')),
    decided   INTEGER,
    actor     TEXT,
    reason    TEXT
) STRICT, WITHOUT ROWID;
