-- What the data files of a run hold together, from its commit record on, so that a list of runs reads
-- runs alone.
ALTER TABLE runs ADD COLUMN file_count bigint NOT NULL DEFAULT 0;
ALTER TABLE runs ADD COLUMN file_rows bigint NOT NULL DEFAULT 0;
ALTER TABLE runs ADD COLUMN file_bytes bigint NOT NULL DEFAULT 0;
UPDATE runs SET
    file_count = (SELECT count(*) FROM objects WHERE objects.run_id = runs.run_id AND kind = 'data'),
    file_rows = (SELECT CAST(coalesce(sum(row_count), 0) AS BIGINT) FROM objects
        WHERE objects.run_id = runs.run_id AND kind = 'data'),
    file_bytes = (SELECT CAST(coalesce(sum(bytes), 0) AS BIGINT) FROM objects
        WHERE objects.run_id = runs.run_id AND kind = 'data');

-- Lists are read in their own order.
DROP INDEX runs_by_slot;
CREATE INDEX runs_by_slot ON runs (slot DESC, first_claimed DESC, run_id);
DROP INDEX slots_by_time;
CREATE INDEX slots_by_time ON slots (slot DESC, activation, segment);
CREATE INDEX runs_by_state ON runs (state, slot DESC, first_claimed DESC, run_id);
CREATE INDEX slots_by_state ON slots (state, slot DESC, activation, segment);
CREATE INDEX slots_by_activation ON slots (activation, slot DESC, segment);
-- How many ended how is counted without reading the slots themselves.
CREATE INDEX slots_over ON slots (state, reason, slot_count)
    WHERE state IN ('delivered', 'skipped', 'failed');

-- What somebody began to do and what is not in the audit log yet. It is written before anything is
-- changed, and goes when the entry is written.
CREATE TABLE acts_begun (
    id      text COLLATE "C" NOT NULL PRIMARY KEY,
    -- The server that does it.
    owner   text COLLATE "C" NOT NULL,
    begun   bigint NOT NULL,
    actor   text COLLATE "C" NOT NULL,
    address text COLLATE "C" NOT NULL,
    action  text COLLATE "C" NOT NULL,
    object  text COLLATE "C" NOT NULL
);
