//! Leases: who has a run or a slot, or does something for all servers, and until when.
//!
//! A ledger in a database is shared by servers that die, stop and wake up, and whose clocks differ. What
//! one of them works at is its own until its lease is over, by the clock of the database and by no
//! other; it renews the lease meanwhile. Whoever takes something over raises its epoch, and every write
//! of the one before is refused from then on ([`crate::Error::Fenced`]). So leases only save work, and
//! correctness rests on the epochs.
//!
//! A ledger in a file has one process and needs no leases on runs: what a claim finds is left by a
//! process that is gone.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use uuid::Uuid;

use crate::error::{Error, Result};
use crate::history;
use crate::open::{Ledger, Write};
use crate::run::{Claim, RunRecord};
use crate::sql::query;

/// Who works with a ledger, and for how long what it takes is its own.
#[derive(Debug, Clone)]
pub(crate) struct Owner {
    pub(crate) name: Arc<str>,
    pub(crate) lease: SignedDuration,
}

impl Default for Owner {
    /// Everybody who says no name is one and the same.
    fn default() -> Self {
        Self { name: Arc::from(""), lease: SignedDuration::from_secs(30) }
    }
}

impl Ledger {
    /// The same ledger in the hands of `name`, who takes everything for as long as `lease` says. No two
    /// that work at the same time have one name. One that starts again under its name takes up at once
    /// what it had.
    #[must_use]
    pub fn owned_by(mut self, name: &str, lease: SignedDuration) -> Self {
        self.owner = Owner { name: Arc::from(name), lease };
        self
    }

    /// Keeps a run for longer. Nothing is to be done for a ledger in a file.
    ///
    /// # Errors
    /// `Fenced` when somebody else has the run, and `State` when it is over: then whoever works at it
    /// stops.
    pub async fn renew_run(&self, claim: &Claim, now: Timestamp) -> Result<()> {
        if !self.is_shared() {
            return Ok(());
        }
        let run_id = claim.run_id;
        let mut write = self.write().await?;
        let until = self.lease_until(&mut write, now).await?;
        let done = query(
            "UPDATE runs SET lease_until = ? WHERE run_id = ? AND epoch = ?
                 AND state IN ('claimed', 'staging', 'committing')",
        )
        .bind(until)
        .bind(run_id.to_string())
        .bind(claim.epoch)
        .execute(write.connection())
        .await?;
        if done.rows_affected() == 1 {
            return write.commit().await;
        }
        let record = history::find(write.connection(), run_id).await?;
        let record = record.ok_or(Error::NotFound { run_id })?;
        if record.epoch != claim.epoch {
            return Err(Error::Fenced { run_id, epoch: claim.epoch });
        }
        Err(Error::State { run_id, state: record.state, step: "be kept" })
    }

    /// Lists the runs that are not over and that nobody else has, in the order of their slots; recovery
    /// takes them over. Those that a guard holds wait for a person and not for recovery.
    pub async fn left(&self, now: Timestamp) -> Result<Vec<RunRecord>> {
        let mut read = self.read().await?;
        let now = self.clock(&mut read, now).await?;
        history::unfinished(&mut read, Some((&self.owner.name, now))).await
    }

    /// For how long what is taken is the caller's.
    pub fn lease(&self) -> SignedDuration {
        self.owner.lease
    }

    /// Takes something that one server at a time does for all of them, or keeps it, for `period` from
    /// now. Returns whether the caller has it. With a ledger in a file there is nobody else.
    pub async fn take_duty(
        &self,
        name: &str,
        period: SignedDuration,
        now: Timestamp,
    ) -> Result<bool> {
        if !self.is_shared() {
            return Ok(true);
        }
        let mut write = self.write().await?;
        let clock = write.clock(now).await?;
        let until = clock.checked_add(period).unwrap_or(Timestamp::MAX).as_microsecond();
        let done = query(
            "INSERT INTO duties (name, owner, lease_until) VALUES (?1, ?2, ?3)
             ON CONFLICT (name) DO UPDATE SET owner = ?2, lease_until = ?3
                 WHERE duties.owner = ?2 OR duties.lease_until <= ?4",
        )
        .bind(name)
        .bind(&*self.owner.name)
        .bind(until)
        .bind(clock.as_microsecond())
        .execute(write.connection())
        .await?;
        write.commit().await?;
        Ok(done.rows_affected() == 1)
    }

    /// Whether `folder` is the state folder that belongs to this ledger; the first that is asked about
    /// is it from then on. A ledger in a file lies in its folder, and is always asked from there.
    pub async fn belongs_to(&self, folder: &str) -> Result<bool> {
        if !self.is_shared() {
            return Ok(true);
        }
        let mut write = self.write().await?;
        let db = write.connection();
        let known: Option<String> =
            query("SELECT state_folder FROM ledger").fetch_value(&mut *db).await?;
        let Some(known) = known else {
            query("UPDATE ledger SET state_folder = ?").bind(folder).execute(db).await?;
            write.commit().await?;
            return Ok(true);
        };
        Ok(known == folder)
    }

    /// Until when something is the caller's that it takes now, in microseconds.
    pub(crate) async fn lease_until(&self, write: &mut Write, now: Timestamp) -> Result<i64> {
        let clock = write.clock(now).await?;
        let until = clock.checked_add(self.owner.lease).unwrap_or(Timestamp::MAX);
        Ok(until.as_microsecond())
    }

    /// Marks a run that was just claimed as the caller's, if others could take it otherwise.
    pub(crate) async fn keep(&self, write: &mut Write, run_id: Uuid, now: Timestamp) -> Result<()> {
        if !self.is_shared() {
            return Ok(());
        }
        let until = self.lease_until(write, now).await?;
        query("UPDATE runs SET owner = ?, lease_until = ? WHERE run_id = ?")
            .bind(&*self.owner.name)
            .bind(until)
            .bind(run_id.to_string())
            .execute(write.connection())
            .await?;
        Ok(())
    }

    /// Whether somebody else has a run at this moment, or has the slot that it is for. Who was stopped
    /// with a slot in hand must not claim its run after the slot went to another one.
    pub(crate) async fn is_elsewhere(
        &self,
        write: &mut Write,
        run_id: Uuid,
        now: Timestamp,
    ) -> Result<bool> {
        if !self.is_shared() {
            return Ok(false);
        }
        let clock = write.clock(now).await?;
        query(
            "SELECT EXISTS (SELECT 1 FROM runs
                     WHERE run_id = ?1 AND owner <> ?2 AND lease_until > ?3)
                 OR EXISTS (SELECT 1 FROM slots
                     WHERE run_id = ?1 AND state = 'running' AND owner <> ?2 AND lease_until > ?3)",
        )
        .bind(run_id.to_string())
        .bind(&*self.owner.name)
        .bind(clock.as_microsecond())
        .fetch_value(write.connection())
        .await
    }
}
