-- The ledger's first schema. Times are microseconds since 1970-01-01T00:00:00Z. No column holds a
-- value of a profile; the test `the_schema_holds_no_row_values` names every column there is.

-- One row for each slot of one segment of one activation, whatever happens to it.
CREATE TABLE runs (
    run_id        TEXT    NOT NULL PRIMARY KEY,
    slot          INTEGER NOT NULL,
    activation    TEXT    NOT NULL,
    segment       TEXT    NOT NULL,
    segment_id    TEXT    NOT NULL,
    destination   TEXT    NOT NULL,
    store         TEXT    NOT NULL,
    bucket        TEXT    NOT NULL,
    stem          TEXT    NOT NULL,
    is_static     INTEGER NOT NULL CHECK (is_static IN (0, 1)),
    state         TEXT    NOT NULL CHECK (state IN
        ('claimed', 'staging', 'committing', 'delivered', 'skipped', 'failed', 'blocked')),
    -- Counts the claims; every write of a worker carries the one it got.
    epoch         INTEGER NOT NULL CHECK (epoch > 0),
    first_claimed INTEGER NOT NULL,
    claimed       INTEGER NOT NULL,
    updated       INTEGER NOT NULL,
    committed     INTEGER,
    finished      INTEGER,
    -- Profiles read, and profiles sent.
    received      INTEGER,
    activated     INTEGER,
    -- Why the run is failed, skipped or blocked.
    stop_code     TEXT,
    stop_message  TEXT
) STRICT;

CREATE INDEX runs_by_segment ON runs (activation, segment, slot);
CREATE INDEX runs_by_slot ON runs (slot);
CREATE INDEX runs_unfinished ON runs (state) WHERE state IN ('claimed', 'staging', 'committing', 'blocked');

-- What the run reads: the exact list of input files.
CREATE TABLE inputs (
    run_id   TEXT    NOT NULL REFERENCES runs (run_id),
    position INTEGER NOT NULL,
    location TEXT    NOT NULL,
    bytes    INTEGER NOT NULL,
    -- The ETag, or the time of the last change: what tells one content from another.
    version  TEXT    NOT NULL,
    row_count INTEGER,
    PRIMARY KEY (run_id, position)
) STRICT, WITHOUT ROWID;

-- Profiles that were left out, counted by reason.
CREATE TABLE exclusions (
    run_id   TEXT    NOT NULL REFERENCES runs (run_id),
    position INTEGER NOT NULL,
    reason   TEXT    NOT NULL,
    profiles INTEGER NOT NULL,
    PRIMARY KEY (run_id, position)
) STRICT, WITHOUT ROWID;

-- Uploads that no commit record names: written before the upload exists, gone when a commit record
-- names it or when it is confirmed dead. Whatever is here when a run ends has to be aborted.
CREATE TABLE uploads (
    intent    INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    run_id    TEXT    NOT NULL REFERENCES runs (run_id),
    epoch     INTEGER NOT NULL,
    number    INTEGER NOT NULL,
    key       TEXT    NOT NULL,
    token     TEXT    NOT NULL,
    upload_id TEXT,
    intended  INTEGER NOT NULL
) STRICT;

CREATE INDEX uploads_by_run ON uploads (run_id);

-- The commit record, and what became visible.
CREATE TABLE objects (
    run_id         TEXT    NOT NULL REFERENCES runs (run_id),
    -- Order in the commit record, from 0: the data files, then the manifest.
    position       INTEGER NOT NULL,
    kind           TEXT    NOT NULL CHECK (kind IN ('data', 'manifest')),
    number         INTEGER NOT NULL,
    key            TEXT    NOT NULL,
    upload_id      TEXT    NOT NULL,
    token          TEXT    NOT NULL,
    -- JSON; dropped on delivery, as nothing is left to complete.
    parts          TEXT,
    bytes          INTEGER NOT NULL,
    row_count      INTEGER NOT NULL,
    sha256         TEXT    NOT NULL,
    crc64nvme      TEXT,
    -- The ETag that must be at the key, or nothing must be there.
    condition_etag TEXT,
    etag           TEXT,
    version_id     TEXT,
    verification   TEXT    CHECK (verification IN ('checked', 'unseen')),
    published      INTEGER,
    PRIMARY KEY (run_id, position),
    UNIQUE (run_id, number)
) STRICT, WITHOUT ROWID;

-- Keys that a run which is not over may write to.
CREATE TABLE reserved_keys (
    store  TEXT NOT NULL,
    key    TEXT NOT NULL,
    run_id TEXT NOT NULL REFERENCES runs (run_id),
    PRIMARY KEY (store, key)
) STRICT, WITHOUT ROWID;

CREATE INDEX reserved_keys_by_run ON reserved_keys (run_id);

-- What the last delivered run left at each key.
CREATE TABLE current_objects (
    store  TEXT    NOT NULL,
    key    TEXT    NOT NULL,
    run_id TEXT    NOT NULL REFERENCES runs (run_id),
    slot   INTEGER NOT NULL,
    etag   TEXT    NOT NULL,
    PRIMARY KEY (store, key)
) STRICT, WITHOUT ROWID;

-- The newest delivered run of each segment of each activation.
CREATE TABLE baselines (
    activation TEXT    NOT NULL,
    segment    TEXT    NOT NULL,
    run_id     TEXT    NOT NULL REFERENCES runs (run_id),
    slot       INTEGER NOT NULL,
    PRIMARY KEY (activation, segment)
) STRICT, WITHOUT ROWID;
