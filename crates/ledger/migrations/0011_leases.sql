-- Ledgers that several servers share: who has a run, and until when. A ledger in a file has one process,
-- and leaves this empty.
ALTER TABLE runs ADD COLUMN owner TEXT;
ALTER TABLE runs ADD COLUMN lease_until INTEGER;
-- The claim by which the committed objects were staged; what it left in the state folder is named after
-- it.
ALTER TABLE runs ADD COLUMN staged_epoch INTEGER;

-- What one server at a time does for all of them.
CREATE TABLE duties (
    name        TEXT    NOT NULL PRIMARY KEY,
    owner       TEXT    NOT NULL,
    lease_until INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
