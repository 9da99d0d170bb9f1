ALTER TABLE runs ADD COLUMN owner text COLLATE "C";
ALTER TABLE runs ADD COLUMN lease_until bigint;
ALTER TABLE runs ADD COLUMN staged_epoch bigint;

CREATE TABLE duties (
    name text COLLATE "C" NOT NULL PRIMARY KEY,
    owner text COLLATE "C" NOT NULL,
    lease_until bigint NOT NULL
);

-- The state folder that belongs to the ledger: one for all servers.
ALTER TABLE ledger ADD COLUMN state_folder text COLLATE "C";
