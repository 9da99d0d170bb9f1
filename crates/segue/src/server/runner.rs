//! The runner: takes slots whose time has come, so many at once, in fair turns.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use ledger::alert::NewAlert;
use ledger::{Ledger, SlotClaim, SlotEnd, SlotRecord, SlotState};
use plan::planner::turn::{Candidate, Turns};
use tokio::task::{Id, JoinError, JoinSet};

use super::{Shared, alerts, attempt};
use crate::ambient;
use crate::failure::Failure;

/// How often it looks for slots whose next attempt has come; new ones wake it.
const LOOK_AGAIN: Duration = Duration::from_secs(1);
/// For how long a slot is taken; it is renewed three times within it.
const LEASE: SignedDuration = SignedDuration::from_secs(60);

/// Attempts under way.
struct Runner {
    shared: Arc<Shared>,
    owner: String,
    turns: Turns,
    attempts: JoinSet<SlotEnd>,
    claims: HashMap<Id, (SlotClaim, Candidate)>,
    renewed: Timestamp,
}

/// Runs slots until the process is asked to stop, and waits then for what is under way, at most for
/// `grace`. Returns how many attempts were not over.
pub(super) async fn run_until_stopped(shared: &Arc<Shared>, grace: Duration) -> usize {
    let mut runner = Runner {
        shared: Arc::clone(shared),
        owner: format!("{}-{}", std::process::id(), ambient::nonce()),
        turns: Turns::default(),
        attempts: JoinSet::new(),
        claims: HashMap::new(),
        renewed: ambient::now(),
    };
    loop {
        runner.look().await;
        tokio::select! {
            Some(ended) = runner.attempts.join_next_with_id() => runner.end(ended).await,
            () = shared.wake.notified() => {}
            () = tokio::time::sleep(LOOK_AGAIN) => {}
            () = shared.interrupt.requested() => break,
        }
    }
    let drained = async {
        while let Some(ended) = runner.attempts.join_next_with_id().await {
            runner.end(ended).await;
        }
    };
    // Whether all of it was over in time is told by what is left.
    let _ = tokio::time::timeout(grace, drained).await;
    runner.claims.len()
}

impl Runner {
    /// Keeps what runs, and begins what may.
    async fn look(&mut self) {
        let outcome = async {
            self.renew().await?;
            self.fill().await
        };
        if let Err(failure) = outcome.await {
            tracing::error!(failure = failure.one_line(), "slots could not be taken");
        }
    }

    async fn fill(&mut self) -> Result<(), Failure> {
        if self.claims.len() >= self.shared.options.limits.runs {
            return Ok(());
        }
        let open = self.shared.ledger.open_slots().await?;
        let mut waiting = in_order(&open, ambient::now());
        loop {
            let running: Vec<Candidate> =
                self.claims.values().map(|(_, running)| running.clone()).collect();
            let limits = self.shared.options.limits;
            let Some(next) = self.turns.next(&waiting, &running, limits).cloned() else {
                return Ok(());
            };
            waiting.retain(|it| *it != next);
            self.begin(next).await?;
        }
    }

    async fn begin(&mut self, next: Candidate) -> Result<(), Failure> {
        let now = ambient::now();
        let key = ledger::SlotKey {
            activation: next.activation.clone(),
            segment: next.segment.clone(),
            slot: next.slot,
        };
        let until = now.checked_add(LEASE).unwrap_or(Timestamp::MAX);
        let Some(claim) = self.shared.ledger.begin_slot(&key, &self.owner, until, now).await?
        else {
            return Ok(());
        };
        tracing::info!(
            activation = key.activation,
            segment = key.segment,
            slot = %key.slot,
            attempt = claim.attempts + 1,
            "a run begins"
        );
        let begun = alerts::started(&claim, self.shared.rules(), ambient::id());
        self.shared.ledger.alert_once(&begun, now).await?;
        // On a thread of its own: what a run does on the way, or how it ends, touches no other.
        let (shared, of_attempt) = (Arc::clone(&self.shared), claim.clone());
        let handle = tokio::runtime::Handle::current();
        let task = self
            .attempts
            .spawn_blocking(move || handle.block_on(attempt::attempt(shared, of_attempt)));
        self.claims.insert(task.id(), (claim, next));
        self.shared.running.send_replace(self.claims.len());
        Ok(())
    }

    async fn end(&mut self, ended: Result<(Id, SlotEnd), JoinError>) {
        let (id, end) = match ended {
            Ok((id, end)) => (id, Some(end)),
            Err(error) => (error.id(), None),
        };
        let Some((claim, _)) = self.claims.remove(&id) else { return };
        self.shared.running.send_replace(self.claims.len());
        let end = match end {
            Some(end) => end,
            None => {
                let is_committed = is_committed(&self.shared.ledger, &claim).await;
                attempt::end_of_panic(is_committed, ambient::now())
            }
        };
        tell(&claim, &end);
        let alerts = self.alerts(&claim, &end).await;
        let ledger = &self.shared.ledger;
        if let Err(error) = ledger.end_slot_with(&claim, &end, &alerts, ambient::now()).await {
            tracing::error!(%error, "what became of a slot could not be written down; the next start finds it");
        }
        self.shared.replan.notify_one();
    }

    /// What somebody should be told of an end.
    async fn alerts(&self, claim: &SlotClaim, end: &SlotEnd) -> Vec<NewAlert> {
        let rules = self.shared.rules();
        let slot = self.shared.ledger.slot(&claim.key).await.ok().flatten();
        let run_id = slot.and_then(|slot| slot.run_id);
        let held = match (end, run_id) {
            (SlotEnd::Held(_), Some(run_id)) => {
                self.shared.ledger.hold_of(run_id).await.ok().flatten().map(|hold| hold.cause)
            }
            _ => None,
        };
        let mut found: Vec<NewAlert> =
            alerts::of_end(claim, end, run_id, held, rules, ambient::id()).into_iter().collect();
        if let (SlotEnd::Delivered, Some(run_id)) = (end, run_id)
            && let Ok(Some(detail)) = self.shared.ledger.run(run_id).await
        {
            found.extend(alerts::of_exclusions(claim, &detail, rules, ambient::id()));
        }
        found
    }

    async fn renew(&mut self) -> Result<(), Failure> {
        let now = ambient::now();
        if now.duration_since(self.renewed).abs() < LEASE / 3 {
            return Ok(());
        }
        self.renewed = now;
        let until = now.checked_add(LEASE).unwrap_or(Timestamp::MAX);
        for (claim, _) in self.claims.values() {
            self.shared.ledger.renew_slot(claim, until).await?;
        }
        Ok(())
    }
}

/// The slots that may begin now: those that wait, whose time has come, and before which no other slot
/// of the same export is open. Each increment builds on the one before.
pub(super) fn in_order(open: &[SlotRecord], now: Timestamp) -> Vec<Candidate> {
    let mut first: BTreeMap<(&str, &str), &SlotRecord> = BTreeMap::new();
    for slot in open {
        let export = (slot.key.activation.as_str(), slot.key.segment.as_str());
        let before = first.entry(export).or_insert(slot);
        if slot.key.slot < before.key.slot {
            *before = slot;
        }
    }
    let waits = |slot: &&SlotRecord| slot.state != SlotState::Running && slot.not_before <= now;
    first.into_values().filter(waits).map(candidate).collect()
}

fn candidate(slot: &SlotRecord) -> Candidate {
    Candidate {
        activation: slot.key.activation.clone(),
        segment: slot.key.segment.clone(),
        destination: slot.destination.clone(),
        slot: slot.key.slot,
    }
}

async fn is_committed(ledger: &Ledger, claim: &SlotClaim) -> bool {
    let Ok(Some(slot)) = ledger.slot(&claim.key).await else { return false };
    let Some(run_id) = slot.run_id else { return false };
    let Ok(Some(detail)) = ledger.run(run_id).await else { return false };
    detail.run.is_committed()
}

/// One line in the log for each end.
fn tell(claim: &SlotClaim, end: &SlotEnd) {
    let (outcome, stop) = match end {
        SlotEnd::Delivered => ("delivered", None),
        SlotEnd::Skipped(stop) => ("skipped", Some(stop)),
        SlotEnd::Failed(stop) => ("failed", Some(stop)),
        SlotEnd::Blocked(stop, _) => ("blocked", Some(stop)),
        SlotEnd::Held(stop) => ("stopped by its guard", Some(stop)),
        SlotEnd::Retry(stop, _) => ("tried again later", Some(stop)),
        SlotEnd::Released => ("broken off", None),
    };
    let key = &claim.key;
    let (activation, segment, slot) = (&key.activation, &key.segment, key.slot);
    match stop {
        None => tracing::info!(activation, segment, %slot, outcome, "a run ended"),
        Some(stop) => {
            tracing::warn!(activation, segment, %slot, outcome, code = stop.code, message = stop.message, "a run ended");
        }
    }
}
