//! Copies of the ledger, and ledgers that were made from one.
//!
//! A ledger that comes from a copy does not know what was delivered since. Nothing is run with it until
//! somebody has said so, and what was due in between is told and not made up for.

use std::path::Path;

use jiff::Timestamp;

use crate::copy;
use crate::error::Result;
use crate::history;
use crate::open::Ledger;
use crate::sql::{Row, query};

/// That a ledger was made from a copy, and nobody has settled it yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Restore {
    /// When the copy was made.
    pub taken: Timestamp,
    /// When it became the ledger.
    pub restored: Timestamp,
}

impl Ledger {
    /// Writes a copy of the ledger as it is at this moment to `path`, where nothing may be yet. It may
    /// be written to meanwhile, also by another process. The copy is a file wherever the ledger is.
    pub async fn copy_to(&self, path: &Path) -> Result<()> {
        if self.is_shared() {
            let copy = Self::open(path).await?;
            copy.fill_from(self).await?;
            copy.close().await;
            return Ok(());
        }
        let mut db = self.file()?.acquire().await?;
        sqlx::query("VACUUM INTO ?")
            .bind(path.to_string_lossy().into_owned())
            .execute(&mut *db)
            .await?;
        Ok(())
    }

    /// Takes everything that another ledger holds at this moment; all of it or nothing.
    ///
    /// # Errors
    /// `NotEmpty` when something has been written to this one.
    pub async fn fill_from(&self, other: &Self) -> Result<()> {
        let mut read = other.read().await?;
        let mut write = self.write().await?;
        copy::copy_all(&mut read, write.connection(), self.place()).await?;
        write.commit().await
    }

    /// Walks every page and index, and returns what is wrong, at most 100 problems.
    ///
    /// # Errors
    /// `NotAFile` for a ledger in a database.
    pub async fn check_pages(&self) -> Result<Vec<String>> {
        let mut db = self.file()?.acquire().await?;
        let found: Vec<String> =
            sqlx::query_scalar("PRAGMA integrity_check").fetch_all(&mut *db).await?;
        Ok(found.into_iter().filter(|line| line != "ok").collect())
    }

    /// Writes down that this ledger was made from a copy.
    pub async fn mark_restored(&self, taken: Timestamp, now: Timestamp) -> Result<()> {
        let mut write = self.write().await?;
        query("INSERT INTO restores (taken, restored) VALUES (?, ?)")
            .bind(taken.as_microsecond())
            .bind(now.as_microsecond())
            .execute(write.connection())
            .await?;
        write.commit().await
    }

    /// Returns the restore that nobody has settled yet.
    pub async fn unsettled_restore(&self) -> Result<Option<Restore>> {
        let mut read = self.read().await?;
        let row =
            query("SELECT * FROM restores WHERE settled IS NULL ORDER BY restored DESC LIMIT 1")
                .fetch_optional(&mut read)
                .await?;
        let restore = |row: Row| {
            Ok(Restore {
                taken: history::time(&row, "taken")?,
                restored: history::time(&row, "restored")?,
            })
        };
        row.map(restore).transpose()
    }

    /// Writes down that what was due since the copy is decided.
    pub async fn settle_restores(&self, now: Timestamp) -> Result<()> {
        let mut write = self.write().await?;
        query("UPDATE restores SET settled = ? WHERE settled IS NULL")
            .bind(now.as_microsecond())
            .execute(write.connection())
            .await?;
        write.commit().await
    }
}
