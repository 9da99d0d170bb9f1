//! Users, tokens, sessions, and the link by which the first user is made.
//!
//! Secrets come in as digests and never as themselves; roles are words whose meaning is not known here.

use jiff::Timestamp;

use crate::error::Result;
use crate::history;
use crate::open::Ledger;
use crate::sql::{Row, Transaction, query};

/// The most users, and the most tokens, that one list holds.
pub const ACCESS_LISTED_MAX: u32 = 1_000;

/// Somebody who signs in.
#[derive(Clone, PartialEq, Eq)]
pub struct User {
    /// The name, unique.
    pub name: String,
    /// The word for the role.
    pub role: String,
    /// Argon2id of the password, in its PHC form.
    pub password: String,
    /// When the user was made.
    pub created: Timestamp,
}

/// A token for programs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Token {
    /// The part that is no secret.
    pub id: String,
    /// What it is for.
    pub name: String,
    /// The word for the role.
    pub role: String,
    /// When it was made.
    pub created: Timestamp,
    /// By whom.
    pub creator: String,
    /// It is worth nothing from here on.
    pub expires: Timestamp,
    /// When it was used last, to the minute.
    pub last_used: Option<Timestamp>,
}

/// A session of a user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    /// The user.
    pub name: String,
    /// The word for the user's role.
    pub role: String,
    /// What a request that changes something has to bring besides the cookie.
    pub guard: String,
    /// When it began.
    pub created: Timestamp,
    /// When it was used last, to the minute.
    pub last_seen: Timestamp,
}

impl std::fmt::Debug for User {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("User")
            .field("name", &self.name)
            .field("role", &self.role)
            .finish_non_exhaustive()
    }
}

/// How exact the time of the last use is kept: not every request is worth a write.
const LAST_USE_MICROSECONDS: i64 = 60_000_000;

impl Ledger {
    /// Lists the users by name.
    pub async fn users(&self) -> Result<Vec<User>> {
        let mut read = self.read().await?;
        let rows = query("SELECT * FROM users ORDER BY name LIMIT ?")
            .bind(ACCESS_LISTED_MAX)
            .fetch_all(&mut read)
            .await?;
        rows.iter().map(user).collect()
    }

    /// Finds a user.
    pub async fn user(&self, name: &str) -> Result<Option<User>> {
        let mut read = self.read().await?;
        let row = query("SELECT * FROM users WHERE name = ?")
            .bind(name)
            .fetch_optional(&mut read)
            .await?;
        row.as_ref().map(user).transpose()
    }

    /// Makes a user, unless there is one of that name. Returns whether it was made.
    pub async fn add_user(&self, new: &User) -> Result<bool> {
        let mut write = self.write().await?;
        let is_new = insert_user(write.connection(), new).await?;
        write.commit().await?;
        Ok(is_new)
    }

    /// Changes role and password of a user and ends all of the user's sessions. Returns whether there is
    /// such a user.
    pub async fn change_user(
        &self,
        name: &str,
        role: &str,
        password: &str,
        now: Timestamp,
    ) -> Result<bool> {
        let mut write = self.write().await?;
        let done = query("UPDATE users SET role = ?, password = ?, changed = ? WHERE name = ?")
            .bind(role)
            .bind(password)
            .bind(now.as_microsecond())
            .bind(name)
            .execute(write.connection())
            .await?;
        end_sessions(write.connection(), name).await?;
        write.commit().await?;
        Ok(done.rows_affected() == 1)
    }

    /// Removes a user with all sessions. Returns whether there was one.
    pub async fn remove_user(&self, name: &str) -> Result<bool> {
        let mut write = self.write().await?;
        end_sessions(write.connection(), name).await?;
        let done = query("DELETE FROM users WHERE name = ?")
            .bind(name)
            .execute(write.connection())
            .await?;
        write.commit().await?;
        Ok(done.rows_affected() == 1)
    }

    /// Keeps a new link for the first user, in the place of the caller's earlier one. Of servers that
    /// share a ledger each has a link of its own, so that none of them makes another one's useless; the
    /// first that is used ends them all. A ledger in a file has one process, and one link.
    ///
    /// Returns whether there is a use for it: that there is no user yet.
    pub async fn set_setup_link(
        &self,
        digest: &str,
        now: Timestamp,
        expires: Timestamp,
    ) -> Result<bool> {
        let mut write = self.write().await?;
        let db = write.connection();
        if query("SELECT EXISTS (SELECT 1 FROM users)").fetch_value(&mut *db).await? {
            return Ok(false);
        }
        query(
            "DELETE FROM setup_links WHERE ?1 = 0 OR owner IS NULL OR owner = ?2 OR expires <= ?3",
        )
        .bind(self.is_shared())
        .bind(&*self.owner.name)
        .bind(now.as_microsecond())
        .execute(&mut *db)
        .await?;
        query("INSERT INTO setup_links (digest, expires, owner) VALUES (?, ?, ?)")
            .bind(digest)
            .bind(expires.as_microsecond())
            .bind(&*self.owner.name)
            .execute(db)
            .await?;
        write.commit().await?;
        Ok(true)
    }

    /// Uses up a link and makes the first user, in one transaction; no other link is good from then on.
    /// Returns whether the link was good and there was no user yet.
    pub async fn use_setup_link(&self, digest: &str, new: &User) -> Result<bool> {
        let mut write = self.write().await?;
        let used = query(
            "DELETE FROM setup_links WHERE digest = ? AND expires > ? AND NOT EXISTS (SELECT 1 FROM users)",
        )
        .bind(digest)
        .bind(new.created.as_microsecond())
        .execute(write.connection())
        .await?;
        if used.rows_affected() != 1 {
            return Ok(false);
        }
        query("DELETE FROM setup_links").execute(write.connection()).await?;
        let is_new = insert_user(write.connection(), new).await?;
        write.commit().await?;
        Ok(is_new)
    }

    /// Lists the tokens, the newest first.
    pub async fn tokens(&self) -> Result<Vec<Token>> {
        let mut read = self.read().await?;
        let rows = query("SELECT * FROM tokens ORDER BY created DESC, id LIMIT ?")
            .bind(ACCESS_LISTED_MAX)
            .fetch_all(&mut read)
            .await?;
        rows.iter().map(token).collect()
    }

    /// Makes a token.
    pub async fn add_token(&self, new: &Token, digest: &str) -> Result<()> {
        let mut write = self.write().await?;
        query(
            "INSERT INTO tokens (id, digest, name, role, created, creator, expires) VALUES (?, ?, ?, ?, ?, ?, ?)",
        )
        .bind(&new.id)
        .bind(digest)
        .bind(&new.name)
        .bind(&new.role)
        .bind(new.created.as_microsecond())
        .bind(&new.creator)
        .bind(new.expires.as_microsecond())
        .execute(write.connection())
        .await?;
        write.commit().await
    }

    /// Removes a token. Returns whether there was one.
    pub async fn remove_token(&self, id: &str) -> Result<bool> {
        let mut write = self.write().await?;
        let done =
            query("DELETE FROM tokens WHERE id = ?").bind(id).execute(write.connection()).await?;
        write.commit().await?;
        Ok(done.rows_affected() == 1)
    }

    /// Finds the token of a digest, if it has not expired, and notes its use.
    pub async fn use_token(&self, digest: &str, now: Timestamp) -> Result<Option<Token>> {
        let found = {
            let mut read = self.read().await?;
            let row = query("SELECT * FROM tokens WHERE digest = ? AND expires > ?")
                .bind(digest)
                .bind(now.as_microsecond())
                .fetch_optional(&mut read)
                .await?;
            row.as_ref().map(token).transpose()?
        };
        let Some(found) = found else { return Ok(None) };
        if is_worth_noting(found.last_used, now) {
            let mut write = self.write().await?;
            query("UPDATE tokens SET last_used = ? WHERE digest = ?")
                .bind(now.as_microsecond())
                .bind(digest)
                .execute(write.connection())
                .await?;
            write.commit().await?;
        }
        Ok(Some(found))
    }

    /// Begins a session.
    pub async fn add_session(
        &self,
        digest: &str,
        name: &str,
        guard: &str,
        now: Timestamp,
    ) -> Result<()> {
        let mut write = self.write().await?;
        query(
            "INSERT INTO sessions (digest, name, guard, created, last_seen) VALUES (?, ?, ?, ?, ?)",
        )
        .bind(digest)
        .bind(name)
        .bind(guard)
        .bind(now.as_microsecond())
        .bind(now.as_microsecond())
        .execute(write.connection())
        .await?;
        write.commit().await
    }

    /// Finds the session of a digest that began and was used late enough, and notes its use.
    pub async fn use_session(
        &self,
        digest: &str,
        began_after: Timestamp,
        seen_after: Timestamp,
        now: Timestamp,
    ) -> Result<Option<Session>> {
        let found = {
            let mut read = self.read().await?;
            let row = query(
                "SELECT sessions.*, users.role FROM sessions JOIN users USING (name)
                 WHERE digest = ? AND sessions.created > ? AND last_seen > ?",
            )
            .bind(digest)
            .bind(began_after.as_microsecond())
            .bind(seen_after.as_microsecond())
            .fetch_optional(&mut read)
            .await?;
            row.as_ref().map(session).transpose()?
        };
        let Some(found) = found else { return Ok(None) };
        if is_worth_noting(Some(found.last_seen), now) {
            let mut write = self.write().await?;
            query("UPDATE sessions SET last_seen = ? WHERE digest = ?")
                .bind(now.as_microsecond())
                .bind(digest)
                .execute(write.connection())
                .await?;
            write.commit().await?;
        }
        Ok(Some(found))
    }

    /// Ends a session, and forgets those that began before `began_after`.
    pub async fn end_session(&self, digest: &str, began_after: Timestamp) -> Result<()> {
        let mut write = self.write().await?;
        query("DELETE FROM sessions WHERE digest = ? OR created <= ?")
            .bind(digest)
            .bind(began_after.as_microsecond())
            .execute(write.connection())
            .await?;
        write.commit().await
    }

    /// Returns the digest and the answer that are kept under an idempotency key.
    pub async fn answered(&self, actor: &str, request: &str) -> Result<Option<(String, String)>> {
        let mut read = self.read().await?;
        let row =
            query("SELECT digest, answer FROM answered_requests WHERE actor = ? AND request = ?")
                .bind(actor)
                .bind(request)
                .fetch_optional(&mut read)
                .await?;
        row.map(|row| Ok((row.try_get("digest")?, row.try_get("answer")?))).transpose()
    }

    /// Keeps an answer under an idempotency key; the first one stays. Those from before `forget_before`
    /// are forgotten.
    pub async fn keep_answer(
        &self,
        actor: &str,
        request: &str,
        (digest, answer): (&str, &str),
        forget_before: Timestamp,
        now: Timestamp,
    ) -> Result<()> {
        let mut write = self.write().await?;
        query("DELETE FROM answered_requests WHERE at < ?")
            .bind(forget_before.as_microsecond())
            .execute(write.connection())
            .await?;
        query(
            "INSERT INTO answered_requests (actor, request, digest, answer, at) VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
        )
        .bind(actor)
        .bind(request)
        .bind(digest)
        .bind(answer)
        .bind(now.as_microsecond())
        .execute(write.connection())
        .await?;
        write.commit().await
    }
}

/// Makes a user, unless there is one of that name. Returns whether it was made.
async fn insert_user(db: &mut Transaction, new: &User) -> Result<bool> {
    let done = query(
        "INSERT INTO users (name, role, password, created, changed) VALUES (?1, ?2, ?3, ?4, ?4) ON CONFLICT DO NOTHING",
    )
    .bind(&new.name)
    .bind(&new.role)
    .bind(&new.password)
    .bind(new.created.as_microsecond())
    .execute(db)
    .await?;
    Ok(done.rows_affected() == 1)
}

async fn end_sessions(db: &mut Transaction, name: &str) -> Result<()> {
    query("DELETE FROM sessions WHERE name = ?").bind(name).execute(db).await?;
    Ok(())
}

fn is_worth_noting(last: Option<Timestamp>, now: Timestamp) -> bool {
    last.is_none_or(|last| {
        now.as_microsecond().abs_diff(last.as_microsecond()) >= LAST_USE_MICROSECONDS.unsigned_abs()
    })
}

fn user(row: &Row) -> Result<User> {
    Ok(User {
        name: row.try_get("name")?,
        role: row.try_get("role")?,
        password: row.try_get("password")?,
        created: history::time(row, "created")?,
    })
}

fn token(row: &Row) -> Result<Token> {
    Ok(Token {
        id: row.try_get("id")?,
        name: row.try_get("name")?,
        role: row.try_get("role")?,
        created: history::time(row, "created")?,
        creator: row.try_get("creator")?,
        expires: history::time(row, "expires")?,
        last_used: history::optional_time(row, "last_used")?,
    })
}

fn session(row: &Row) -> Result<Session> {
    Ok(Session {
        name: row.try_get("name")?,
        role: row.try_get("role")?,
        guard: row.try_get("guard")?,
        created: history::time(row, "created")?,
        last_seen: history::time(row, "last_seen")?,
    })
}
