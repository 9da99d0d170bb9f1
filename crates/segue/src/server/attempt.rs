//! One try of one slot: from what the project says now to what became of it.

use std::sync::Arc;

use delivery::measured::MeasuredStore;
use jiff::{SignedDuration, Timestamp};
use ledger::{DEATHS_MAX, POISON, RunRecord, RunState, SlotClaim, SlotEnd, SlotState, Stop};
use plan::RunPlan;
use plan::planner::Reason;
use tokio::sync::watch;

use super::{Shared, planner};
use crate::ambient::{self, Interrupt};
use crate::cli::Global;
use crate::failure::{Failure, Kind};
use crate::progress::Progress;
use crate::recover::Recovery;
use crate::run::{self, Ended, Surroundings, Work};
use crate::sources::Sources;
use crate::stores::{self, Target};
use crate::workspace::Workspace;

/// The pauses before an attempt that failed for a reason that may pass is repeated: three times
/// within six hours.
const RETRY_AFTER: [SignedDuration; 3] =
    [SignedDuration::from_mins(2), SignedDuration::from_mins(30), SignedDuration::from_hours(5)];
/// The longest pause before a committed run goes on.
const BLOCKED_PAUSE_MAX: SignedDuration = SignedDuration::from_mins(15);
/// The pause of a committed run under which the process died again and again.
const POISON_PAUSE: SignedDuration = SignedDuration::from_hours(24);

/// Tries a slot and says what becomes of it. What is not committed ends when it is cancelled, because its
/// activation was disabled.
pub(super) async fn attempt(
    shared: Arc<Shared>,
    claim: SlotClaim,
    cancelled: watch::Receiver<bool>,
) -> SlotEnd {
    // What was changed a moment ago counts already: a rotated secret above all. Why a project cannot be
    // used is told by the planner, and the last one that could be is gone on with.
    let _ = planner::reload(&shared).await;
    let workspace = shared.workspace();
    let interrupt = shared.interrupt.or(cancelled.clone());
    let attempt =
        Attempt { shared: &shared, workspace: &workspace, claim: &claim, interrupt: &interrupt };
    let outcome = attempt.go().await;
    if let Some(stop) = attempt.held().await {
        return SlotEnd::Held(stop);
    }
    // While the ledger cannot be asked, nothing is said of the slot but that nobody works at it.
    let Ok(is_committed) = attempt.is_committed().await else { return SlotEnd::Released };
    let lease = shared.ledger.lease();
    match end_of(outcome, is_committed, &claim, lease, ambient::now()) {
        // What keeps a committed run is told by the run, so that both say the same.
        SlotEnd::Blocked(stop, until) if stop.code != POISON => {
            SlotEnd::Blocked(attempt.blocked().await.unwrap_or(stop), until)
        }
        SlotEnd::Released if *cancelled.borrow() && !is_committed => {
            SlotEnd::Skipped(stop(Reason::Paused.code(), Reason::Paused.text()))
        }
        end => end,
    }
}

struct Attempt<'a> {
    shared: &'a Shared,
    workspace: &'a Workspace,
    claim: &'a SlotClaim,
    interrupt: &'a Interrupt,
}

/// Why there was no run, or how it ended.
pub(super) enum Outcome {
    Ended(Box<Ended>),
    Failed(Failure),
    /// The process died under this slot too often.
    Poison,
    /// The project does not say any more what to do.
    Gone(Failure),
}

impl Outcome {
    fn ended(ended: Ended) -> Self {
        Self::Ended(Box::new(ended))
    }
}

impl Attempt<'_> {
    async fn go(&self) -> Outcome {
        match self.try_to().await {
            Ok(outcome) => outcome,
            Err(failure) => Outcome::Failed(failure),
        }
    }

    async fn try_to(&self) -> Result<Outcome, Failure> {
        let key = &self.claim.key;
        let project = &self.workspace.project;
        let plan = project.run_plan(&key.activation, &key.segment, key.slot);
        let run_id = match &plan {
            Ok(plan) => Some(plan.run_id),
            Err(_) => self.known_run().await?,
        };
        if let Some(run_id) = run_id {
            self.shared.ledger.slot_run(self.claim, run_id).await?;
        }
        if self.claim.starts > DEATHS_MAX {
            self.finish_left(None).await?;
            return Ok(Outcome::Poison);
        }
        let plan = match plan {
            Ok(plan) => plan,
            Err(error) => {
                let ended = self.finish_left(None).await?;
                return Ok(ended.map_or_else(|| Outcome::Gone(error.into()), Outcome::ended));
            }
        };
        let sources = Sources::open(self.workspace, &self.budget()).await;
        if self.is_committed().await? {
            let sources = sources.as_ref().ok().map(|(sources, _)| sources);
            if let Some(ended) = self.finish_left(sources).await? {
                return Ok(Outcome::ended(ended));
            }
            // Somebody may have ended the run meanwhile, and the slot with it.
            if !self.is_running().await? {
                let message = "somebody ended the run while it was tried";
                return Ok(Outcome::Failed(Failure::new(Kind::Interrupted, message)));
            }
        }
        let (sources, _) = match sources {
            Ok(sources) => sources,
            Err(failure) => return Err(self.unopened(&plan, failure).await?),
        };
        let opened = stores::open(self.workspace, &plan.destination, &Target::Buckets).await;
        let store = match opened {
            Ok(store) => store,
            Err(failure) => return Err(self.unopened(&plan, failure).await?),
        };
        let watched = self.shared.gauges.watch(plan.run_id);
        let store = Arc::new(MeasuredStore::new(store, Arc::clone(&watched.gauge.sent)));
        let line = Progress::hidden().line("").with_gauge(&watched.gauge);
        let around = Surroundings {
            ledger: &self.shared.ledger,
            store,
            baselines: &self.workspace.baselines_folder(),
            records: Some(&self.workspace.records_folder()),
            seals: &self.workspace.seals(),
            interrupt: self.interrupt,
            line: &line,
        };
        let Sources { engine, profiles } = &sources;
        let profiles = &profiles.asked_by(&plan.query);
        run::run(&around, Work { plan: &plan, engine, profiles }).await.map(Outcome::ended)
    }

    /// Writes down a failure before the run was begun, and gives it back.
    async fn unopened(&self, plan: &RunPlan, failure: Failure) -> Result<Failure, Failure> {
        let store = stores::identity(self.workspace, &plan.destination);
        let store = store.unwrap_or_default();
        run::fail_unopened(&self.shared.ledger, plan, &store, &failure).await?;
        Ok(failure)
    }

    /// The memory of one run: its share of what the process may take.
    fn budget(&self) -> Global {
        let global = &self.shared.global;
        let share = global.memory / self.shared.options.limits.runs.max(1);
        Global { memory: share, ..global.clone() }
    }

    /// Takes a run that an earlier attempt left to its end: forward if it is committed, back otherwise.
    async fn finish_left(&self, sources: Option<&Sources>) -> Result<Option<Ended>, Failure> {
        let Some(run_id) = self.known_run().await? else { return Ok(None) };
        let ledger = &self.shared.ledger;
        let Some(detail) = ledger.run(run_id).await? else { return Ok(None) };
        if detail.run.state.is_over() {
            return Ok(None);
        }
        let recovery = Recovery {
            workspace: self.workspace,
            sources,
            ledger,
            interrupt: self.interrupt,
            progress: &Progress::hidden(),
        };
        match recovery.one(&detail.run).await {
            // It was rolled back, as it should be.
            Err(failure) if failure.kind == Kind::Interrupted => Ok(None),
            ended => ended,
        }
    }

    async fn known_run(&self) -> Result<Option<uuid::Uuid>, Failure> {
        Ok(self.shared.ledger.slot(&self.claim.key).await?.and_then(|slot| slot.run_id))
    }

    /// Why a guard holds the run, if one does.
    async fn held(&self) -> Option<Stop> {
        let run = self.blocked_run().await?;
        run.stop.filter(|_| run.committed.is_none())
    }

    /// What keeps the committed run from going on, if it says so.
    async fn blocked(&self) -> Option<Stop> {
        let run = self.blocked_run().await?;
        run.stop.filter(|_| run.committed.is_some())
    }

    async fn blocked_run(&self) -> Option<RunRecord> {
        let run_id = self.known_run().await.ok().flatten()?;
        let detail = self.shared.ledger.run(run_id).await.ok().flatten()?;
        Some(detail.run).filter(|run| run.state == RunState::Blocked)
    }

    async fn is_running(&self) -> Result<bool, Failure> {
        let slot = self.shared.ledger.slot(&self.claim.key).await?;
        Ok(slot.is_some_and(|slot| slot.state == SlotState::Running))
    }

    async fn is_committed(&self) -> Result<bool, Failure> {
        let Some(run_id) = self.known_run().await? else { return Ok(false) };
        let run = self.shared.ledger.run(run_id).await?;
        Ok(run.is_some_and(|detail| detail.run.is_committed()))
    }
}

/// What an attempt means for its slot.
pub(super) fn end_of(
    outcome: Outcome,
    is_committed: bool,
    claim: &SlotClaim,
    lease: SignedDuration,
    now: Timestamp,
) -> SlotEnd {
    match outcome {
        Outcome::Ended(ended) => match *ended {
            Ended::Delivered(_) | Ended::DeliveredBefore(_) => SlotEnd::Delivered,
            Ended::Superseded(_) => SlotEnd::Skipped(stop("superseded", run::SUPERSEDED)),
            Ended::Skipped(run) => SlotEnd::Skipped(
                run.stop.unwrap_or_else(|| stop("empty", "there was nothing to send")),
            ),
        },
        Outcome::Poison => {
            let stop = stop(POISON, "the process died under this run three times");
            if is_committed {
                SlotEnd::Blocked(stop, later(now, POISON_PAUSE))
            } else {
                SlotEnd::Failed(stop)
            }
        }
        Outcome::Gone(failure) => SlotEnd::Failed(stop("not_in_project", &failure.one_line())),
        Outcome::Failed(failure) if failure.kind == Kind::Interrupted => SlotEnd::Released,
        // It says nothing of the slot: once the lease is over, the run is delivered or to be taken over.
        Outcome::Failed(failure) if failure.kind == Kind::Elsewhere => {
            SlotEnd::Elsewhere(later(now, lease))
        }
        Outcome::Failed(failure) if is_committed => {
            let doublings = i32::try_from(claim.attempts.min(5)).unwrap_or(5);
            let pause = SignedDuration::from_secs(30) * (1 << doublings);
            let stop = stop(run::class_of(failure.kind).code(), &failure.one_line());
            SlotEnd::Blocked(stop, later(now, pause.min(BLOCKED_PAUSE_MAX)))
        }
        Outcome::Failed(failure) => {
            let stop = stop(run::class_of(failure.kind).code(), &failure.one_line());
            let may_pass = matches!(failure.kind, Kind::Temporary | Kind::Connection);
            let tried = usize::try_from(claim.attempts).unwrap_or(usize::MAX);
            match RETRY_AFTER.get(tried).filter(|_| may_pass) {
                Some(pause) => SlotEnd::Retry(stop, later(now, *pause)),
                None => SlotEnd::Failed(stop),
            }
        }
    }
}

/// What becomes of a slot whose attempt panicked: nobody knows why, so it is not tried again; what is
/// committed has to go forward.
pub(super) fn end_of_panic(is_committed: bool, now: Timestamp) -> SlotEnd {
    let stop = stop("internal", "a fault of Segue stopped the run; the log says where");
    if is_committed {
        SlotEnd::Blocked(stop, later(now, BLOCKED_PAUSE_MAX))
    } else {
        SlotEnd::Failed(stop)
    }
}

fn stop(code: &str, message: &str) -> Stop {
    Stop { code: code.to_owned(), message: message.to_owned() }
}

fn later(now: Timestamp, pause: SignedDuration) -> Timestamp {
    now.checked_add(pause).unwrap_or(Timestamp::MAX)
}
