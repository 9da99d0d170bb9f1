//! The runner: takes slots whose time has come, so many at once, in fair turns.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use ledger::alert::NewAlert;
use ledger::{Ledger, SlotClaim, SlotEnd, SlotKey, SlotRecord, SlotState};
use plan::planner::turn::{Candidate, Turns};
use tokio::sync::watch;
use tokio::task::{Id, JoinError, JoinSet};
use uuid::Uuid;

use super::{Shared, alerts, attempt};
use crate::ambient;
use crate::failure::Failure;

/// How often it looks for slots whose next attempt has come; new ones wake it.
const LOOK_AGAIN: Duration = Duration::from_secs(1);

/// How long a stop tries to say that what is still under way did not die.
const PARTING_MAX: Duration = Duration::from_secs(3);

/// Attempts under way.
struct Runner {
    shared: Arc<Shared>,
    turns: Turns,
    attempts: JoinSet<SlotEnd>,
    claims: HashMap<Id, Taken>,
    /// What attempts came to and the ledger does not know yet, because it could not be written.
    unwritten: Vec<Unwritten>,
    renewed: Instant,
    /// Why the ledger could not be used at the last look.
    trouble: Option<String>,
}

/// A slot that this process has.
struct Taken {
    claim: SlotClaim,
    candidate: Candidate,
    /// Ends the attempt, as far as nothing is committed.
    cancel: watch::Sender<bool>,
    /// Whether the ledger knows that this process lives although another one has the slot.
    is_let_go: bool,
}

struct Unwritten {
    taken: Taken,
    /// The run, if it came so far.
    run_id: Option<Uuid>,
    end: SlotEnd,
    alerts: Vec<NewAlert>,
}

/// Runs slots until the process is asked to stop, and waits then for what is under way, at most for
/// `grace`. Returns how many attempts were not over.
pub(super) async fn run_until_stopped(shared: &Arc<Shared>, grace: Duration) -> usize {
    let mut runner = Runner {
        shared: Arc::clone(shared),
        turns: Turns::default(),
        attempts: JoinSet::new(),
        claims: HashMap::new(),
        unwritten: Vec::new(),
        renewed: ambient::instant(),
        trouble: None,
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
    let _ = tokio::time::timeout(PARTING_MAX, runner.part()).await;
    runner.claims.len() + runner.unwritten.len()
}

impl Runner {
    /// Writes down what is over, keeps what runs, and begins what may.
    async fn look(&mut self) {
        let outcome = async {
            self.write_down().await?;
            self.renew().await?;
            self.cancel_disabled().await?;
            self.fill().await
        };
        let outcome = outcome.await;
        self.note(outcome);
    }

    /// Tells when the ledger cannot be used, and when it can be again, and not at every look between.
    fn note(&mut self, outcome: Result<(), Failure>) {
        match outcome.map_err(|failure| failure.one_line()) {
            Ok(()) if self.trouble.take().is_some() => {
                tracing::info!("the ledger can be used again");
            }
            Ok(()) => {}
            Err(failure) if self.trouble.as_ref() == Some(&failure) => {}
            Err(failure) => {
                tracing::error!(
                    failure,
                    "the ledger cannot be used: nothing begins, and what ends is written down later"
                );
                self.trouble = Some(failure);
            }
        }
    }

    /// Ends what is under way for activations that somebody disabled, here or at another server.
    async fn cancel_disabled(&self) -> Result<(), Failure> {
        if self.claims.is_empty() {
            return Ok(());
        }
        let disabled = self.shared.ledger.disabled().await?;
        for Taken { claim, cancel, .. } in self.claims.values() {
            let is_disabled = disabled.iter().any(|it| it.activation == claim.key.activation);
            if is_disabled && !cancel.send_replace(true) {
                tracing::info!(
                    activation = claim.key.activation,
                    segment = claim.key.segment,
                    slot = %claim.key.slot,
                    "its activation was disabled: the run ends, unless it is committed"
                );
            }
        }
        Ok(())
    }

    async fn fill(&mut self) -> Result<(), Failure> {
        if self.claims.len() >= self.shared.options.limits.runs {
            return Ok(());
        }
        let open = self.shared.ledger.open_slots().await?;
        let mut waiting = in_order(&open, ambient::now());
        loop {
            let running: Vec<Candidate> =
                self.claims.values().map(|taken| taken.candidate.clone()).collect();
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
        let key = SlotKey {
            activation: next.activation.clone(),
            segment: next.segment.clone(),
            slot: next.slot,
        };
        // Another server may have been faster.
        let Some(claim) = self.shared.ledger.begin_slot(&key, now).await? else { return Ok(()) };
        let (cancel, cancelled) = watch::channel(false);
        let taken = Taken { claim: claim.clone(), candidate: next, cancel, is_let_go: false };
        tracing::info!(
            activation = key.activation,
            segment = key.segment,
            slot = %key.slot,
            attempt = claim.attempts + 1,
            "a run begins"
        );
        let begun = alerts::started(&claim, self.shared.rules(), ambient::id());
        if let Err(error) = self.shared.ledger.alert_once(&begun, now).await {
            let (end, alerts) = (SlotEnd::Released, Vec::new());
            self.unwritten.push(Unwritten { taken, run_id: None, end, alerts });
            return Err(error.into());
        }
        // On a thread of its own: what a run does on the way, or how it ends, touches no other.
        let shared = Arc::clone(&self.shared);
        let handle = tokio::runtime::Handle::current();
        let task = self
            .attempts
            .spawn_blocking(move || handle.block_on(attempt::attempt(shared, claim, cancelled)));
        self.claims.insert(task.id(), taken);
        self.shared.running.send_replace(self.claims.len());
        Ok(())
    }

    async fn end(&mut self, ended: Result<(Id, SlotEnd), JoinError>) {
        let (id, end) = match ended {
            Ok((id, end)) => (id, Some(end)),
            Err(error) => (error.id(), None),
        };
        let Some(taken) = self.claims.remove(&id) else { return };
        self.shared.running.send_replace(self.claims.len());
        let end = match end {
            Some(end) => end,
            None => {
                let is_committed = is_committed(&self.shared.ledger, &taken.claim).await;
                attempt::end_of_panic(is_committed, ambient::now())
            }
        };
        let slot = self.shared.ledger.slot(&taken.claim.key).await.ok().flatten();
        let run_id = slot.and_then(|slot| slot.run_id);
        let alerts = self.alerts(&taken.claim, run_id, &end).await;
        self.unwritten.push(Unwritten { taken, run_id, end, alerts });
        let written = self.write_down().await;
        self.note(written);
        self.shared.replan.notify_one();
    }

    /// Writes down what attempts came to. What cannot be written is kept, and with it the slot.
    async fn write_down(&mut self) -> Result<(), Failure> {
        while let Some(Unwritten { taken, run_id, end, alerts }) = self.unwritten.last() {
            let ledger = &self.shared.ledger;
            match ledger.end_slot_with(&taken.claim, end, alerts, ambient::now()).await {
                Ok(()) => tell(&taken.claim, *run_id, end),
                Err(error) if error.kind() == ledger::Kind::Fenced => {
                    tracing::warn!(%error, "an attempt is of no account");
                    if !taken.is_let_go {
                        ledger.let_go(&taken.claim, ambient::now()).await?;
                    }
                }
                Err(error) => return Err(error.into()),
            }
            self.unwritten.pop();
        }
        Ok(())
    }

    /// Says of everything that is not over that its owner was stopped, and did not die.
    async fn part(&mut self) {
        let written = self.write_down().await;
        let ledger = &self.shared.ledger;
        let outcome = async {
            written?;
            for taken in self.claims.values_mut().filter(|taken| !taken.is_let_go) {
                ledger.let_go(&taken.claim, ambient::now()).await?;
                taken.is_let_go = true;
            }
            Ok::<(), Failure>(())
        };
        if let Err(failure) = outcome.await {
            tracing::error!(
                failure = failure.one_line(),
                "the ledger could not be told of the stop"
            );
        }
    }

    /// What somebody should be told of an end.
    async fn alerts(
        &self,
        claim: &SlotClaim,
        run_id: Option<Uuid>,
        end: &SlotEnd,
    ) -> Vec<NewAlert> {
        let rules = self.shared.rules();
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

    /// Keeps the slots of this server, and takes up those of servers that died or stopped.
    async fn renew(&mut self) -> Result<(), Failure> {
        let ledger = &self.shared.ledger;
        let (now, instant) = (ambient::now(), ambient::instant());
        if instant.saturating_duration_since(self.renewed) < ledger.lease().unsigned_abs() / 3 {
            return Ok(());
        }
        for taken in self.claims.values_mut() {
            match ledger.renew_slot(&taken.claim, now).await {
                // This process was stopped for too long. Its run is told the same, and ends.
                Err(error) if error.kind() == ledger::Kind::Fenced => {
                    if !taken.is_let_go {
                        tracing::warn!(%error, "another server has taken a slot over");
                        ledger.let_go(&taken.claim, ambient::now()).await?;
                        taken.is_let_go = true;
                    }
                }
                renewed => renewed?,
            }
        }
        let taken = ledger.take_up_expired(now).await?;
        if taken > 0 {
            tracing::warn!(slots = taken, "another server left runs; they go on");
        }
        self.renewed = instant;
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
fn tell(claim: &SlotClaim, run_id: Option<Uuid>, end: &SlotEnd) {
    let (outcome, stop) = match end {
        SlotEnd::Delivered => ("delivered", None),
        SlotEnd::Skipped(stop) => ("skipped", Some(stop)),
        SlotEnd::Failed(stop) => ("failed", Some(stop)),
        SlotEnd::Blocked(stop, _) => ("blocked", Some(stop)),
        SlotEnd::Held(stop) => ("stopped by its guard", Some(stop)),
        SlotEnd::Retry(stop, _) => ("tried again later", Some(stop)),
        SlotEnd::Elsewhere(_) => ("in the hands of another process", None),
        SlotEnd::Released => ("broken off", None),
    };
    let key = &claim.key;
    let (activation, segment, slot) = (&key.activation, &key.segment, key.slot);
    let run_id = run_id.map(tracing::field::display);
    match stop {
        None => tracing::info!(activation, segment, %slot, run_id, outcome, "a run ended"),
        Some(stop) => {
            tracing::warn!(activation, segment, %slot, run_id, outcome, code = stop.code, message = stop.message, "a run ended");
        }
    }
}
