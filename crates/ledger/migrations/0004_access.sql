-- Who may do what, and who did. Passwords and tokens are kept as digests only.

CREATE TABLE users (
    name     TEXT    NOT NULL PRIMARY KEY,
    role     TEXT    NOT NULL,
    -- Argon2id, in its PHC form.
    password TEXT    NOT NULL,
    created  INTEGER NOT NULL,
    changed  INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE tokens (
    -- The part of the token that is no secret; it names the token in lists and in the audit log.
    id        TEXT    NOT NULL PRIMARY KEY,
    digest    TEXT    NOT NULL UNIQUE,
    name      TEXT    NOT NULL,
    role      TEXT    NOT NULL,
    created   INTEGER NOT NULL,
    creator   TEXT    NOT NULL,
    expires   INTEGER NOT NULL,
    last_used INTEGER
) STRICT, WITHOUT ROWID;

CREATE TABLE sessions (
    digest    TEXT    NOT NULL PRIMARY KEY,
    name      TEXT    NOT NULL REFERENCES users (name) ON DELETE CASCADE,
    -- What a request that changes something has to bring besides the cookie.
    guard     TEXT    NOT NULL,
    created   INTEGER NOT NULL,
    last_seen INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX sessions_by_user ON sessions (name);

-- The one-time link by which the first user is made; at most one row.
CREATE TABLE setup_links (
    digest  TEXT    NOT NULL PRIMARY KEY,
    expires INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Answers to requests that carried an idempotency key.
CREATE TABLE answered_requests (
    actor   TEXT    NOT NULL,
    request TEXT    NOT NULL,
    -- Of method, path and body: another request under the same key is refused.
    digest  TEXT    NOT NULL,
    answer  TEXT    NOT NULL,
    at      INTEGER NOT NULL,
    PRIMARY KEY (actor, request)
) STRICT, WITHOUT ROWID;

-- Only ever appended to. Each entry holds the digest of the one before.
CREATE TABLE audit (
    number   INTEGER NOT NULL PRIMARY KEY,
    at       INTEGER NOT NULL,
    actor    TEXT    NOT NULL,
    address  TEXT    NOT NULL,
    action   TEXT    NOT NULL,
    object   TEXT    NOT NULL,
    outcome  TEXT    NOT NULL,
    previous TEXT    NOT NULL,
    digest   TEXT    NOT NULL
) STRICT;

CREATE TRIGGER audit_is_not_changed BEFORE UPDATE ON audit
    BEGIN SELECT raise(ABORT, 'the audit log is only appended to'); END;
CREATE TRIGGER audit_is_not_cut BEFORE DELETE ON audit
    BEGIN SELECT raise(ABORT, 'the audit log is only appended to'); END;
