//! Alerts. What happened and that somebody should be told are written in one transaction, so that
//! neither is without the other; sending comes afterwards, and again until it is taken.

use jiff::Timestamp;
use plan::planner::Reason;
use uuid::Uuid;

use crate::close::MESSAGE_CHARS_MAX;
use crate::error::Result;
use crate::history;
use crate::open::Ledger;
use crate::slot::SlotKey;
use crate::sql::{Row, Transaction, query};

/// The most alerts that one list holds.
pub const ALERTS_LISTED_MAX: u32 = 1_000;

/// A way in which alerts are sent, with attempts of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Channel {
    /// Posted to a URL.
    Webhook,
    /// By mail.
    Mail,
}

impl Channel {
    /// Returns the word for it in the ledger.
    fn name(self) -> &'static str {
        match self {
            Self::Webhook => "webhook",
            Self::Mail => "mail",
        }
    }
}

/// What somebody should be told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewAlert {
    /// By which a receiver tells a repeated one.
    pub id: Uuid,
    /// The word for what happened.
    pub kind: &'static str,
    /// Which slot.
    pub key: SlotKey,
    /// Its run, if one began.
    pub run_id: Option<Uuid>,
    /// Why, as a word for machines.
    pub code: Option<String>,
    /// What happened, for people.
    pub message: String,
    /// How it is to be sent; it is listed in any case.
    pub to: Vec<Channel>,
}

/// An alert, with how its sending goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Alert {
    /// Counts up.
    pub number: u64,
    /// By which a receiver tells a repeated one.
    pub id: Uuid,
    /// When it happened.
    pub at: Timestamp,
    /// The word for what happened.
    pub kind: String,
    /// Which slot.
    pub key: SlotKey,
    /// Its run, if one began.
    pub run_id: Option<Uuid>,
    /// Why, as a word for machines.
    pub code: Option<String>,
    /// What happened, for people.
    pub message: String,
    /// Attempts to send it: in a list all of them, and else those of one way.
    pub attempts: u32,
    /// When the next attempt is due; nothing when it was sent, given up, or is for nobody.
    pub next_attempt: Option<Timestamp>,
    /// When it was taken: in a list, by the last of all who are to get it.
    pub sent: Option<Timestamp>,
}

/// How what the ledger itself ends is told.
pub struct Telling<'a> {
    /// How alerts are to be sent; they are listed in any case.
    pub to: &'a [Channel],
    /// Gives each alert its id.
    pub id: &'a (dyn Fn() -> Uuid + Sync),
}

impl Telling<'_> {
    /// The alert of a slot that ended without a file.
    pub(crate) fn of_end(
        &self,
        kind: &'static str,
        key: &SlotKey,
        code: &str,
        message: String,
    ) -> NewAlert {
        NewAlert {
            id: (self.id)(),
            kind,
            key: key.clone(),
            run_id: None,
            code: Some(code.to_owned()),
            message,
            to: self.to.to_vec(),
        }
    }

    /// The alert of slots that are skipped, unless somebody wanted that: who disables an activation or
    /// settles a restored ledger knows what it means.
    pub(crate) fn of_skipped(
        &self,
        key: &SlotKey,
        reason: Reason,
        message: String,
    ) -> Option<NewAlert> {
        let is_wanted = matches!(reason, Reason::Paused | Reason::Restored);
        (!is_wanted).then(|| self.of_end("skipped", key, reason.code(), message))
    }
}

impl Ledger {
    /// Writes down an alert, unless there is one of this kind for the slot. Returns whether it is new.
    pub async fn alert_once(&self, alert: &NewAlert, now: Timestamp) -> Result<bool> {
        let mut write = self.write().await?;
        let db = write.connection();
        let known: bool = query(
            "SELECT EXISTS (SELECT 1 FROM alerts
                 WHERE activation = ? AND segment = ? AND slot = ? AND kind = ?)",
        )
        .bind(&alert.key.activation)
        .bind(&alert.key.segment)
        .bind(alert.key.slot.as_microsecond())
        .bind(alert.kind)
        .fetch_value(&mut *db)
        .await?;
        if known {
            return Ok(false);
        }
        insert(db, alert, now).await?;
        write.commit().await?;
        Ok(true)
    }

    /// Lists alerts, the newest first; with `before`, those with a smaller number.
    pub async fn alerts(&self, before: Option<u64>, limit: u32) -> Result<Vec<Alert>> {
        let mut read = self.read().await?;
        let rows = query(
            "SELECT alerts.*, CAST(coalesce(sum(sending.attempts), 0) AS BIGINT) AS attempts,
                     min(sending.next_attempt) AS next_attempt,
                     CASE WHEN count(sending.sent) = count(sending.number)
                         THEN max(sending.sent) END AS sent
                 FROM alerts LEFT JOIN alert_sendings AS sending ON sending.number = alerts.number
                 WHERE alerts.number < ? GROUP BY alerts.number
                 ORDER BY alerts.number DESC LIMIT ?",
        )
        .bind(crate::staging::signed(before.unwrap_or(u64::MAX)))
        .bind(limit.min(ALERTS_LISTED_MAX))
        .fetch_all(&mut read)
        .await?;
        rows.iter().map(alert).collect()
    }

    /// Lists the alerts that are to be sent a way now: of each export the oldest one that is not sent, so
    /// that a receiver gets them in order.
    pub async fn alerts_to_send(&self, channel: Channel, now: Timestamp) -> Result<Vec<Alert>> {
        let mut read = self.read().await?;
        let rows = query(
            "SELECT alerts.*, due.attempts, due.next_attempt, due.sent
             FROM alert_sendings AS due JOIN alerts ON alerts.number = due.number
             WHERE due.channel = ?1 AND due.next_attempt <= ?2 AND due.number IN (
                 SELECT min(waiting.number)
                 FROM alert_sendings AS waiting JOIN alerts AS sent ON sent.number = waiting.number
                 WHERE waiting.channel = ?1 AND waiting.next_attempt IS NOT NULL
                 GROUP BY sent.activation, sent.segment)
             ORDER BY due.number LIMIT ?3",
        )
        .bind(channel.name())
        .bind(now.as_microsecond())
        .bind(ALERTS_LISTED_MAX)
        .fetch_all(&mut read)
        .await?;
        rows.iter().map(alert).collect()
    }

    /// Writes down that an alert was taken.
    pub async fn alert_sent(&self, id: Uuid, channel: Channel, now: Timestamp) -> Result<()> {
        let mut write = self.write().await?;
        query(
            "UPDATE alert_sendings SET sent = ?, next_attempt = NULL, attempts = attempts + 1
             WHERE channel = ? AND number = (SELECT number FROM alerts WHERE id = ?)",
        )
        .bind(now.as_microsecond())
        .bind(channel.name())
        .bind(id.to_string())
        .execute(write.connection())
        .await?;
        write.commit().await
    }

    /// Writes down that an alert was not taken; without a next time it is given up.
    pub async fn alert_not_sent(
        &self,
        id: Uuid,
        channel: Channel,
        next_attempt: Option<Timestamp>,
    ) -> Result<()> {
        let mut write = self.write().await?;
        query(
            "UPDATE alert_sendings SET next_attempt = ?, attempts = attempts + 1
             WHERE channel = ? AND number = (SELECT number FROM alerts WHERE id = ?)",
        )
        .bind(next_attempt.map(Timestamp::as_microsecond))
        .bind(channel.name())
        .bind(id.to_string())
        .execute(write.connection())
        .await?;
        write.commit().await
    }
}

/// Adds an alert to a transaction.
pub(crate) async fn insert(db: &mut Transaction, new: &NewAlert, now: Timestamp) -> Result<()> {
    query(
        "INSERT INTO alerts (id, at, kind, activation, segment, slot, run_id, code, message)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
    )
    .bind(new.id.to_string())
    .bind(now.as_microsecond())
    .bind(new.kind)
    .bind(&new.key.activation)
    .bind(&new.key.segment)
    .bind(new.key.slot.as_microsecond())
    .bind(new.run_id.map(|id| id.to_string()))
    .bind(&new.code)
    .bind(new.message.chars().take(MESSAGE_CHARS_MAX).collect::<String>())
    .execute(&mut *db)
    .await?;
    for channel in &new.to {
        query(
            "INSERT INTO alert_sendings (number, channel, next_attempt)
             SELECT number, ?, ? FROM alerts WHERE id = ?",
        )
        .bind(channel.name())
        .bind(now.as_microsecond())
        .bind(new.id.to_string())
        .execute(&mut *db)
        .await?;
    }
    Ok(())
}

fn alert(row: &Row) -> Result<Alert> {
    let run_id: Option<String> = row.try_get("run_id")?;
    Ok(Alert {
        number: row.try_get("number")?,
        id: history::uuid(row, "id")?,
        at: history::time(row, "at")?,
        kind: row.try_get("kind")?,
        key: SlotKey {
            activation: row.try_get("activation")?,
            segment: row.try_get("segment")?,
            slot: history::time(row, "slot")?,
        },
        run_id: run_id.map(|_| history::uuid(row, "run_id")).transpose()?,
        code: row.try_get("code")?,
        message: row.try_get("message")?,
        attempts: row.try_get("attempts")?,
        next_attempt: history::optional_time(row, "next_attempt")?,
        sent: history::optional_time(row, "sent")?,
    })
}
