//! Definitions: accounts, destinations, segments and activations that are kept here and not in the
//! project file. What they mean is not known here; they are texts under a section and a key.

use jiff::Timestamp;

use crate::error::Result;
use crate::history;
use crate::open::Ledger;
use crate::place::Place;
use crate::sql::{Row, Transaction, query};

/// A definition that is kept here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Definition {
    /// The section of the project file in which it would stand.
    pub section: String,
    /// Its key there.
    pub key: String,
    /// What would stand under the key, as JSON.
    pub text: String,
    /// The number of the change that touched it last; no two definitions ever share one.
    pub revision: u64,
    /// When it was made.
    pub created: Timestamp,
    /// By whom.
    pub creator: String,
    /// When it was changed last.
    pub changed: Timestamp,
    /// By whom.
    pub changer: String,
}

/// All definitions as they were at one moment.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Definitions {
    /// In the order in which they were made.
    pub items: Vec<Definition>,
    /// The number of the last change, 0 before the first.
    pub revision: u64,
}

/// One change of a definition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DefinitionChange {
    /// It is made, or says this from now on.
    Put {
        /// The section.
        section: String,
        /// The key.
        key: String,
        /// The definition, as JSON.
        text: String,
    },
    /// It is there no more.
    Remove {
        /// The section.
        section: String,
        /// The key.
        key: String,
    },
}

impl Ledger {
    /// Lists the definitions.
    pub async fn definitions(&self) -> Result<Definitions> {
        let mut read = self.read().await?;
        definitions(&mut read).await
    }

    /// Makes changes, all or none of them, and returns the revision that they led to. Nothing is
    /// changed, and nothing returned, unless the last change is still the one with number `seen`.
    pub async fn define(
        &self,
        changes: &[DefinitionChange],
        seen: u64,
        actor: &str,
        now: Timestamp,
    ) -> Result<Option<u64>> {
        let mut write = self.write().await?;
        let mut revision = last_change(write.connection()).await?;
        if revision != seen {
            return Ok(None);
        }
        for change in changes {
            revision += 1;
            apply(write.connection(), change, revision, actor, now).await?;
        }
        query("UPDATE definition_changes SET last = ?")
            .bind(crate::staging::signed(revision))
            .execute(write.connection())
            .await?;
        write.commit().await?;
        Ok(Some(revision))
    }
}

/// The version of the ledger that first has them.
const DEFINITIONS_SINCE: i64 = 6;

/// Reads the definitions of a ledger while another process may be writing it. A ledger that is not
/// there, or is older than definitions are, has none.
///
/// # Errors
/// As for [`Ledger::open_read_only`], but `OlderSchema`.
pub async fn definitions_in(place: impl Into<Place>) -> Result<Definitions> {
    let Some((ledger, version)) = Ledger::look(place.into()).await? else {
        return Ok(Definitions::default());
    };
    if version < DEFINITIONS_SINCE {
        return Ok(Definitions::default());
    }
    let found = ledger.definitions().await;
    ledger.close().await;
    found
}

async fn definitions(db: &mut Transaction) -> Result<Definitions> {
    let rows = query("SELECT * FROM definitions ORDER BY made").fetch_all(&mut *db).await?;
    let items = rows.iter().map(definition).collect::<Result<Vec<_>>>()?;
    Ok(Definitions { items, revision: last_change(db).await? })
}

async fn last_change(db: &mut Transaction) -> Result<u64> {
    query("SELECT last FROM definition_changes").fetch_value(db).await
}

async fn apply(
    db: &mut Transaction,
    change: &DefinitionChange,
    revision: u64,
    actor: &str,
    now: Timestamp,
) -> Result<()> {
    let query = match change {
        DefinitionChange::Put { section, key, text } => query(
            "INSERT INTO definitions
                 (section, key, definition, made, revision, created, creator, changed, changer)
             VALUES (?1, ?2, ?3, ?4, ?4, ?5, ?6, ?5, ?6)
             ON CONFLICT (section, key) DO UPDATE SET
                 definition = ?3, revision = ?4, changed = ?5, changer = ?6",
        )
        .bind(section)
        .bind(key)
        .bind(text)
        .bind(crate::staging::signed(revision))
        .bind(now.as_microsecond())
        .bind(actor),
        DefinitionChange::Remove { section, key } => {
            query("DELETE FROM definitions WHERE section = ? AND key = ?").bind(section).bind(key)
        }
    };
    query.execute(db).await?;
    Ok(())
}

fn definition(row: &Row) -> Result<Definition> {
    Ok(Definition {
        section: row.try_get("section")?,
        key: row.try_get("key")?,
        text: row.try_get("definition")?,
        revision: row.try_get("revision")?,
        created: history::time(row, "created")?,
        creator: row.try_get("creator")?,
        changed: history::time(row, "changed")?,
        changer: row.try_get("changer")?,
    })
}
