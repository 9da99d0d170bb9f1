-- How the set of rows that a full export would send moved since the run before: for incremental runs.
ALTER TABLE runs ADD COLUMN export TEXT NOT NULL DEFAULT 'full'
    CHECK (export IN ('full', 'incremental', 'changes'));
-- Rows that a full export would have sent.
ALTER TABLE runs ADD COLUMN members INTEGER;
ALTER TABLE runs ADD COLUMN added INTEGER;
ALTER TABLE runs ADD COLUMN changed INTEGER;
ALTER TABLE runs ADD COLUMN removed INTEGER;
-- The run that the receiver's set was taken from; nothing for a first, full file.
ALTER TABLE runs ADD COLUMN compared_with TEXT REFERENCES runs (run_id);
