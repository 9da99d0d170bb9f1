-- Accounts, destinations, segments and activations that were made over the API. A definition is JSON as
-- it would stand in the project file; secrets are in it by reference only.
CREATE TABLE definitions (
    section    TEXT    NOT NULL CHECK (section IN ('segments', 'accounts', 'destinations', 'activations')),
    key        TEXT    NOT NULL,
    definition TEXT    NOT NULL,
    -- The number of the change that made it, and of the last one that touched it.
    made       INTEGER NOT NULL,
    revision   INTEGER NOT NULL,
    created    INTEGER NOT NULL,
    creator    TEXT    NOT NULL,
    changed    INTEGER NOT NULL,
    changer    TEXT    NOT NULL,
    PRIMARY KEY (section, key)
) STRICT, WITHOUT ROWID;

-- The number of the last change; it never goes back, so that no two definitions share a revision.
CREATE TABLE definition_changes (last INTEGER NOT NULL) STRICT;
INSERT INTO definition_changes (last) VALUES (0);
