//! Activations that somebody disabled.

use jiff::Timestamp;

use crate::error::Result;
use crate::history;
use crate::open::Ledger;
use crate::slot::Disabled;
use crate::sql::{Row, query};

impl Ledger {
    /// Disables an activation; one that is disabled stays as it is.
    pub async fn disable(&self, activation: &str, actor: &str, now: Timestamp) -> Result<()> {
        let mut write = self.write().await?;
        query(
            "INSERT INTO disabled_activations (activation, since, actor) VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
        )
        .bind(activation)
        .bind(now.as_microsecond())
        .bind(actor)
        .execute(write.connection())
        .await?;
        write.commit().await
    }

    /// Enables an activation. Slots that were skipped stay skipped.
    pub async fn enable(&self, activation: &str) -> Result<()> {
        let mut write = self.write().await?;
        query("DELETE FROM disabled_activations WHERE activation = ?")
            .bind(activation)
            .execute(write.connection())
            .await?;
        write.commit().await
    }

    /// Lists the activations that are disabled.
    pub async fn disabled(&self) -> Result<Vec<Disabled>> {
        let mut read = self.read().await?;
        let rows = query("SELECT * FROM disabled_activations ORDER BY activation")
            .fetch_all(&mut read)
            .await?;
        let disabled = |row: &Row| {
            Ok(Disabled {
                activation: row.try_get("activation")?,
                since: history::time(row, "since")?,
                actor: row.try_get("actor")?,
            })
        };
        rows.iter().map(disabled).collect()
    }
}
