//! The audit log: only ever appended to, each entry chained to the one before.
//!
//! Whoever changes or removes an entry in the middle breaks the chain. Whoever cuts the end off does
//! not; so the newest digest is for keeping elsewhere.

use jiff::{SignedDuration, Timestamp};
use uuid::Uuid;

use crate::error::Result;
use crate::history;
use crate::open::Ledger;
use crate::sql::{Row, Transaction, query};

/// The most entries that one list holds.
pub const AUDIT_LISTED_MAX: u32 = 1_000;
/// The longest text in an entry, in characters.
const TEXT_CHARS_MAX: usize = 500;
/// The outcome of what was begun, and nobody is left to say what came of it.
pub const OUTCOME_UNKNOWN: &str = "unknown";
/// Nobody is at one thing for so long.
const ACT_TIME_MAX: SignedDuration = SignedDuration::from_hours(24);
/// What the first entry is chained to.
const BEGINNING: &str = "segue audit log";

/// Who did what.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Act {
    /// The name of a user, or of a token.
    pub actor: String,
    /// From where.
    pub address: String,
    /// What.
    pub action: String,
    /// To what.
    pub object: String,
    /// What came of it.
    pub outcome: String,
}

/// An entry of the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditEntry {
    /// Counts from 1 without a gap.
    pub number: u64,
    /// When.
    pub at: Timestamp,
    /// Who did what.
    pub act: Act,
    /// The digest of the entry before.
    pub previous: String,
    /// The digest of this one.
    pub digest: String,
}

/// What a look at the whole chain found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chain {
    /// Entries that were looked at.
    pub entries: u64,
    /// The digest of the newest.
    pub newest: Option<String>,
    /// The first entry that does not fit.
    pub broken_at: Option<u64>,
}

impl Ledger {
    /// Appends an entry.
    pub async fn audit(&self, act: &Act, now: Timestamp) -> Result<()> {
        let mut write = self.write().await?;
        append(write.connection(), act, now).await?;
        write.commit().await
    }

    /// Writes down that somebody begins to do something, before anything is changed by it: so that no
    /// change is without an entry, whatever becomes of the process or the database in between. What came
    /// of it is not known yet, and not read.
    pub async fn begin_act(&self, id: Uuid, act: &Act, now: Timestamp) -> Result<()> {
        let act = clipped(act);
        let mut write = self.write().await?;
        query(
            "INSERT INTO acts_begun (id, owner, begun, actor, address, action, object)
             VALUES (?, ?, ?, ?, ?, ?, ?)",
        )
        .bind(id.to_string())
        .bind(&*self.owner.name)
        .bind(now.as_microsecond())
        .bind(act.actor)
        .bind(act.address)
        .bind(act.action)
        .bind(act.object)
        .execute(write.connection())
        .await?;
        write.commit().await
    }

    /// Appends the entry of what was begun. It may be repeated: only what is begun still gets an entry.
    pub async fn end_act(&self, id: Uuid, act: &Act, now: Timestamp) -> Result<()> {
        let mut write = self.write().await?;
        let begun = query("DELETE FROM acts_begun WHERE id = ?")
            .bind(id.to_string())
            .execute(write.connection())
            .await?;
        if begun.rows_affected() == 1 {
            append(write.connection(), act, now).await?;
        }
        write.commit().await
    }

    /// Appends an entry for what was begun and will not be ended by anybody: what the caller began under
    /// its name before it started, and what anybody began so long ago that nobody can be at it any more.
    /// What came of these is unknown.
    ///
    /// Returns how many there were.
    pub async fn end_lost_acts(&self, started: Timestamp, now: Timestamp) -> Result<u64> {
        let mut write = self.write().await?;
        let db = write.connection();
        let long_ago = now.checked_sub(ACT_TIME_MAX).unwrap_or(Timestamp::MIN);
        let rows = query(
            "SELECT * FROM acts_begun
             WHERE begun <= ?1 OR (begun <= ?2 AND (owner = ?3 OR ?4 = 0))
             ORDER BY begun, id LIMIT ?5",
        )
        .bind(long_ago.as_microsecond())
        .bind(started.as_microsecond())
        .bind(&*self.owner.name)
        .bind(self.is_shared())
        .bind(AUDIT_LISTED_MAX)
        .fetch_all(&mut *db)
        .await?;
        for row in &rows {
            let act = Act {
                actor: row.try_get("actor")?,
                address: row.try_get("address")?,
                action: row.try_get("action")?,
                object: row.try_get("object")?,
                outcome: OUTCOME_UNKNOWN.to_owned(),
            };
            append(db, &act, now).await?;
            let id: String = row.try_get("id")?;
            query("DELETE FROM acts_begun WHERE id = ?").bind(id).execute(&mut *db).await?;
        }
        write.commit().await?;
        Ok(rows.len() as u64)
    }

    /// Lists entries, the newest first; with `before`, those with a smaller number.
    pub async fn audit_log(&self, before: Option<u64>, limit: u32) -> Result<Vec<AuditEntry>> {
        let mut read = self.read().await?;
        let rows = query("SELECT * FROM audit WHERE number < ? ORDER BY number DESC LIMIT ?")
            .bind(crate::staging::signed(before.unwrap_or(u64::MAX)))
            .bind(limit.min(AUDIT_LISTED_MAX))
            .fetch_all(&mut read)
            .await?;
        rows.iter().map(entry).collect()
    }

    /// Walks the whole log, a page at a time, and compares every digest.
    pub async fn check_audit(&self) -> Result<Chain> {
        self.check_audit_part(1, u64::MAX).await
    }

    /// Walks a part of the log, from the entry with number `first` to the one with number `last`, and
    /// compares every digest; the entry before the first is taken as it is.
    pub async fn check_audit_part(&self, first: u64, last: u64) -> Result<Chain> {
        let before = first.saturating_sub(1);
        let mut chain = Chain { entries: before, newest: None, broken_at: None };
        let mut previous = match before {
            0 => BEGINNING.to_owned(),
            _ => {
                let entry = self.audit_after(before - 1).await?.into_iter().next();
                entry.filter(|it| it.number == before).map_or_else(String::new, |it| it.digest)
            }
        };
        loop {
            let mut page = self.audit_after(chain.entries).await?;
            page.retain(|entry| entry.number <= last);
            if page.is_empty() {
                return Ok(chain);
            }
            for entry in page {
                let fits = entry.number == chain.entries + 1
                    && entry.previous == previous
                    && entry.digest == digest(&entry);
                if !fits {
                    chain.broken_at = Some(entry.number);
                    return Ok(chain);
                }
                chain.entries = entry.number;
                chain.newest = Some(entry.digest.clone());
                previous = entry.digest;
            }
        }
    }

    async fn audit_after(&self, number: u64) -> Result<Vec<AuditEntry>> {
        let mut read = self.read().await?;
        let rows = query("SELECT * FROM audit WHERE number > ? ORDER BY number LIMIT ?")
            .bind(crate::staging::signed(number))
            .bind(AUDIT_LISTED_MAX)
            .fetch_all(&mut read)
            .await?;
        rows.iter().map(entry).collect()
    }
}

/// Appends an entry behind the newest.
async fn append(db: &mut Transaction, act: &Act, now: Timestamp) -> Result<()> {
    let last = query("SELECT number, digest FROM audit ORDER BY number DESC LIMIT 1")
        .fetch_optional(&mut *db)
        .await?;
    let (number, previous) = match last {
        Some(row) => (row.try_get::<u64>("number")? + 1, row.try_get("digest")?),
        None => (1, BEGINNING.to_owned()),
    };
    let entry = AuditEntry { number, at: now, digest: String::new(), previous, act: clipped(act) };
    query(
        "INSERT INTO audit (number, at, actor, address, action, object, outcome, previous, digest)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
    )
    .bind(crate::staging::signed(number))
    .bind(now.as_microsecond())
    .bind(&entry.act.actor)
    .bind(&entry.act.address)
    .bind(&entry.act.action)
    .bind(&entry.act.object)
    .bind(&entry.act.outcome)
    .bind(&entry.previous)
    .bind(digest(&entry))
    .execute(db)
    .await?;
    Ok(())
}

fn clipped(act: &Act) -> Act {
    let clip = |text: &str| text.chars().take(TEXT_CHARS_MAX).collect::<String>();
    Act {
        actor: clip(&act.actor),
        address: clip(&act.address),
        action: clip(&act.action),
        object: clip(&act.object),
        outcome: clip(&act.outcome),
    }
}

/// BLAKE3 of every field with its length before it, so that no two entries read the same.
fn digest(entry: &AuditEntry) -> String {
    let mut hasher = blake3::Hasher::new();
    let Act { actor, address, action, object, outcome } = &entry.act;
    let (number, at) = (entry.number.to_string(), entry.at.as_microsecond().to_string());
    for text in [&number, &at, actor, address, action, object, outcome, &entry.previous] {
        hasher.update(&u64::try_from(text.len()).unwrap_or(u64::MAX).to_le_bytes());
        hasher.update(text.as_bytes());
    }
    hasher.finalize().to_hex().to_string()
}

fn entry(row: &Row) -> Result<AuditEntry> {
    Ok(AuditEntry {
        number: row.try_get("number")?,
        at: history::time(row, "at")?,
        act: Act {
            actor: row.try_get("actor")?,
            address: row.try_get("address")?,
            action: row.try_get("action")?,
            object: row.try_get("object")?,
            outcome: row.try_get("outcome")?,
        },
        previous: row.try_get("previous")?,
        digest: row.try_get("digest")?,
    })
}
