//! The spine: one run, from claim to its end.
//!
//! The protocol's state machine (`plan::protocol`) decides what is done next; this module does it,
//! with the engine, the store and the ledger, and feeds the outcome back. Staging (rows → bytes →
//! parts, nothing visible) is in `stage`, making objects visible is in `publish`.

mod increment;
mod membership;
mod publish;
mod sealing;
mod stage;
mod unopened;

pub(crate) use increment::{baseline_of, check_order, record_of, run_of_baseline, sweep_baselines};
pub(crate) use membership::{evaluate_all, look};
pub(crate) use publish::abort;
pub(crate) use stage::{class_of, inputs, why_in_the_way};
pub(crate) use unopened::fail_unopened;

use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use delivery::Store;
use delivery::upload::Identity;
use engine::{Engine, Profiles};
use futures::StreamExt as _;
use futures::stream::FuturesUnordered;
use ledger::{
    Claim, Claimed, Ledger, NewRun, Refusal, RunDetail, RunRecord, RunState, SlotKey, Stop,
};
use plan::RunPlan;
use plan::guard::{Cause, Violation};
use plan::protocol::{self, Blocked, Close, Effect, End, Event, Limits};
use plan::staged::{PublishedObject, StagedObject};
use tokio::sync::RwLock;
use tracing::Instrument as _;

use crate::ambient::{self, Interrupt};
use crate::failure::{Failure, Kind};
use crate::progress::{Line, Phase};
use crate::seals::Seals;
use crate::traces;

/// How long a run that was taken over waits for an upload that is being opened.
const OPENING_MAX: Duration = Duration::from_secs(30);

/// What a run needs of its surroundings.
#[derive(Clone)]
pub(crate) struct Surroundings<'a> {
    /// Remembers.
    pub(crate) ledger: &'a Ledger,
    /// Where the objects go.
    pub(crate) store: Arc<dyn Store>,
    /// The folder in which incremental runs leave what they have sent.
    pub(crate) baselines: &'a Path,
    /// The folder in which runs leave whose data is in which of their files; nothing is left without one.
    pub(crate) records: Option<&'a Path>,
    /// What the encryption of runs is drawn from.
    pub(crate) seals: &'a Seals,
    /// Whether the user wants to stop.
    pub(crate) interrupt: &'a Interrupt,
    /// Where progress is shown.
    pub(crate) line: &'a Line,
}

/// What makes a run's rows.
#[derive(Clone, Copy)]
pub(crate) struct Work<'a> {
    pub(crate) plan: &'a RunPlan,
    pub(crate) engine: &'a Engine,
    pub(crate) profiles: &'a Profiles,
}

/// How a run ended that did not fail.
#[derive(Debug, Clone)]
pub(crate) enum Ended {
    /// The file set is visible.
    Delivered(RunRecord),
    /// It was visible before: nothing was done.
    DeliveredBefore(RunRecord),
    /// There was nothing to send, now or before.
    Skipped(RunRecord),
    /// A run for a later slot was delivered, behind which this one may not come. Nothing was done, and
    /// nothing ever will be; the failure is what whoever asked for this very slot is told.
    Superseded(Box<Failure>),
}

/// Runs a plan: claims its slot and takes it to its end.
///
/// # Errors
/// The run failed or is blocked. Everything that can be told is in the ledger as well.
pub(crate) async fn run(around: &Surroundings<'_>, work: Work<'_>) -> Result<Ended, Failure> {
    let new = NewRun::of(work.plan, &around.store.identity());
    if let Some(failure) = overtaken(around, work.plan).await? {
        return superseded(around, work.plan, failure).await;
    }
    match around.ledger.claim(&new, ambient::now()).await? {
        Claimed::Run(claim) => Attempt::new(around.clone(), Some(work), claim).drive().await,
        Claimed::Delivered(record) => Ok(Ended::DeliveredBefore(record)),
        Claimed::Skipped(record) => Ok(Ended::Skipped(record)),
        Claimed::Held(record) => Err(held_before(&record)),
        Claimed::Elsewhere(run_id) => Err(ledger::Error::Elsewhere { run_id }.into()),
        Claimed::Refused(refusal @ Refusal::Superseded { .. }) => {
            superseded(around, work.plan, ledger::Error::from(refusal).into()).await
        }
        Claimed::Refused(refusal) => {
            let failure = ledger::Error::from(refusal).into();
            fail_unopened(around.ledger, work.plan, &around.store.identity(), &failure).await?;
            Err(failure)
        }
    }
}

/// Why an increment may not be made, if a later one was delivered before it was begun: that one holds
/// what this one would have sent.
async fn overtaken(around: &Surroundings<'_>, plan: &RunPlan) -> Result<Option<Failure>, Failure> {
    if plan.increment.is_none() {
        return Ok(None);
    }
    let known = around.ledger.run(plan.run_id).await?;
    let is_settled = |known: &RunDetail| {
        known.run.is_committed()
            || matches!(known.run.state, RunState::Delivered | RunState::Skipped)
    };
    if known.as_ref().is_some_and(is_settled) {
        return Ok(None);
    }
    let store = around.store.identity();
    let (delivered, _) = around.ledger.newest_to(&plan.activation, &plan.segment, &store).await?;
    Ok(increment::check_order(plan, delivered.as_ref(), None).err())
}

/// Closes the slot of a run that a later one has overtaken.
async fn superseded(
    around: &Surroundings<'_>,
    plan: &RunPlan,
    failure: Failure,
) -> Result<Ended, Failure> {
    let (activation, segment) = (plan.activation.clone(), plan.segment.clone());
    let key = SlotKey { activation, segment, slot: plan.slot };
    // Where a server has the slot, it tells of the end itself.
    let telling = ledger::alert::Telling { to: &[], id: &ambient::id };
    around.ledger.supersede(&key, plan.run_id, SUPERSEDED, &telling, ambient::now()).await?;
    Ok(Ended::Superseded(Box::new(failure)))
}

/// What is said of a slot that a later one has overtaken.
pub(crate) const SUPERSEDED: &str =
    "a later slot was delivered meanwhile, and what it sent takes the place of this one";

fn held_before(record: &RunRecord) -> Failure {
    let why = record.stop.as_ref().map(|stop| stop.message.clone()).unwrap_or_default();
    let run_id = record.run_id;
    Failure::new(Kind::Blocked, format!("run {run_id} waits for somebody to decide: {why}")).hint(
        format!(
            "`segue release {run_id}` lets it go on, `segue reject {run_id} --reason …` ends it."
        ),
    )
}

/// Goes on with a run that an earlier process left: forward when it is committed, back otherwise.
/// With `work`, an upload that the service lost can be made again.
///
/// # Errors
/// As for [`run`].
pub(crate) async fn resume(
    around: &Surroundings<'_>,
    work: Option<Work<'_>>,
    claim: Claim,
) -> Result<Ended, Failure> {
    let mut attempt = Attempt::new(around.clone(), work, claim);
    attempt.may_stage = false;
    attempt.drive().await
}

/// One run in the hands of this process.
struct Attempt<'a> {
    around: Surroundings<'a>,
    work: Option<Work<'a>>,
    claim: Claim,
    identity: Identity,
    /// Recovery does not begin what was not committed.
    may_stage: bool,
    held: Mutex<Held>,
    /// Read while an upload is being opened.
    opening: RwLock<()>,
}

/// What the attempt holds between two steps; the state machine itself holds no names.
#[derive(Default)]
struct Held {
    /// The commit record: data files, then the manifest.
    objects: Vec<StagedObject>,
    counts: ledger::Counts,
    /// What the guard says of them, if it stops the run.
    violation: Option<Violation>,
    /// What was seen last of each object that is visible.
    published: Vec<Option<PublishedObject>>,
    /// A new upload on its way into the commit record, by object.
    replacements: Vec<Option<StagedObject>>,
    /// Why the run will not be delivered, as it was first known.
    failure: Option<Failure>,
    delivered: Option<RunRecord>,
}

impl<'a> Attempt<'a> {
    fn new(around: Surroundings<'a>, work: Option<Work<'a>>, claim: Claim) -> Self {
        let identity = Identity { run_id: claim.run_id.to_string(), nonce: ambient::nonce() };
        let mut held = Held::default();
        held.set_objects(claim.commit.iter().map(|object| object.staged.clone()).collect());
        Self {
            around,
            work,
            claim,
            identity,
            may_stage: true,
            held: Mutex::new(held),
            opening: RwLock::default(),
        }
    }

    /// Performs effects until the state machine stops. Effects on different objects run at once.
    /// Everything that is logged meanwhile names the run.
    async fn drive(&self) -> Result<Ended, Failure> {
        let plan = self.work.map(|work| work.plan);
        let span = tracing::error_span!(
            "run",
            run_id = %self.claim.run_id,
            activation = plan.map(|plan| plan.activation.as_str()),
            segment = plan.map(|plan| plan.segment.as_str()),
            slot = plan.map(|plan| tracing::field::display(plan.slot)),
        );
        let working = async {
            tokio::select! {
                ended = self.perform_all() => ended,
                lost = self.keep() => Err(lost),
            }
        };
        working.instrument(span).await
    }

    /// Keeps the run for this process while it works at it, where others could take it. Ends when
    /// another one has taken it: this process was stopped for too long, and whatever it had in hand is
    /// not its own any more.
    async fn keep(&self) -> Failure {
        let ledger = self.around.ledger;
        if !ledger.is_shared() {
            std::future::pending::<()>().await;
        }
        loop {
            tokio::time::sleep(ledger.lease().unsigned_abs() / 3).await;
            match ledger.renew_run(&self.claim, ambient::now()).await {
                Ok(()) => {}
                Err(error) if error.kind() == ledger::Kind::Fenced => {
                    // An upload that is being opened is aborted by whoever opens it: the one who has the
                    // run now has looked for it already.
                    let _ = tokio::time::timeout(OPENING_MAX, self.opening.write()).await;
                    return error.into();
                }
                // It is over, or the database is away; the steps of the run tell the same.
                Err(error) => tracing::debug!(%error, "the run could not be kept"),
            }
        }
    }

    async fn perform_all(&self) -> Result<Ended, Failure> {
        let mut doing = FuturesUnordered::new();
        let (mut state, mut effects) = protocol::begin(self.claim.entry(), Limits::default());
        loop {
            for effect in effects {
                if let Effect::Stop(end) = effect {
                    drop(doing);
                    return self.ended(end).await;
                }
                let step = effect.name();
                let span = tracing::info_span!(target: traces::TARGET, "step", otel.name = step);
                // In a box: what goes on in a step is large, and would be part of everything that waits for it.
                doing.push(Box::pin(self.perform(effect)).instrument(span));
            }
            let event = doing.next().await.unwrap_or(Event::LedgerFailed);
            (state, effects) = protocol::step(state, event);
        }
    }

    async fn perform(&self, effect: Effect) -> Event {
        let now = ambient::now();
        let ledger = self.around.ledger;
        match effect {
            Effect::Stage => self.stage().await,
            Effect::RecordCommit => {
                self.around.line.phase(Phase::Committing);
                let (objects, counts) = {
                    let held = self.held();
                    (held.objects.clone(), held.counts.clone())
                };
                let recorded = ledger.commit(&self.claim, &objects, &counts, now).await;
                self.after(recorded, Event::CommitRecorded)
            }
            Effect::Complete { object, attempt, .. } => self.complete(object, attempt).await,
            Effect::Inspect { object, attempt } => self.inspect(object, attempt).await,
            Effect::Repair { object, attempt } => self.repair(object, attempt).await,
            Effect::RecordReplacement { object } => self.record_replacement(object, now).await,
            Effect::RecordPublished { object, verification } => {
                self.record_published(object, verification, now).await
            }
            Effect::RecordDelivery => {
                let recorded = ledger.deliver(&self.claim, now).await;
                let recorded = recorded.map(|record| self.held().delivered = Some(record));
                self.after(recorded, Event::DeliveryRecorded)
            }
            Effect::AbortUploads => self.abort_uploads(now).await,
            Effect::RecordClose(close) => self.record_close(close, now).await,
            Effect::Stop(_) => Event::LedgerFailed,
        }
    }

    /// The event that answers a write to the ledger.
    fn after(&self, recorded: ledger::Result<()>, done: Event) -> Event {
        match recorded {
            Ok(()) => done,
            Err(error) => self.ledger_event(error),
        }
    }

    fn ledger_event(&self, error: ledger::Error) -> Event {
        let event = match error.kind() {
            ledger::Kind::Fenced => Event::Fenced,
            _ => Event::LedgerFailed,
        };
        self.held().fail(error.into());
        event
    }

    async fn record_close(&self, close: Close, now: jiff::Timestamp) -> Event {
        let (ledger, claim) = (self.around.ledger, &self.claim);
        let message = self.held().failure.as_ref().map(Failure::one_line);
        let stop = |code: &str, otherwise: String| Stop {
            code: code.to_owned(),
            message: message.clone().unwrap_or(otherwise),
        };
        let recorded = match close {
            Close::Skipped => {
                ledger.skip(claim, &stop("empty", "no profile to send".to_owned()), now).await
            }
            Close::Failed(failure) => {
                ledger.fail(claim, &stop(failure.code(), "the run failed".to_owned()), now).await
            }
            Close::Held => {
                let (counts, violation) = {
                    let held = self.held();
                    (held.counts.clone(), held.violation)
                };
                let (cause, rows) = violation
                    .map_or((Cause::Collapsed, counts.activated), |it| (it.cause(), it.rows()));
                let stop = stop("guard", "the guard stopped the run".to_owned());
                ledger.hold(claim, &stop, (cause, rows), &counts, now).await
            }
            Close::Blocked(blocked) => {
                let reason = blocked.reason;
                ledger.block(claim, &stop(reason.code(), self.blocked_text(blocked)), now).await
            }
        };
        self.after(recorded, Event::CloseRecorded)
    }

    /// Turns the machine's end into an answer, or into the failure that led to it.
    async fn ended(&self, end: End) -> Result<Ended, Failure> {
        let (delivered, failure) = {
            let mut held = self.held();
            (held.delivered.take(), held.failure.take())
        };
        match end {
            End::Delivered => {
                let run = delivered
                    .ok_or_else(|| Failure::new(Kind::Internal, "a delivered run has no record"))?;
                self.forget_baseline(&run).await;
                self.around.seals.remove(run.run_id);
                Ok(Ended::Delivered(run))
            }
            End::Skipped => {
                self.around.seals.remove(self.claim.run_id);
                self.skipped().await
            }
            End::Blocked(blocked) => Err(self.blocked(blocked, failure)),
            End::Failed(_) | End::Held | End::Fenced | End::LedgerFailed | End::OutOfOrder => {
                Err(failure.unwrap_or_else(|| {
                    Failure::new(Kind::Internal, format!("the run stopped unexpectedly ({end:?})"))
                }))
            }
        }
    }

    async fn skipped(&self) -> Result<Ended, Failure> {
        let detail = self.around.ledger.run(self.claim.run_id).await?;
        detail
            .map(|detail| Ended::Skipped(detail.run))
            .ok_or_else(|| Failure::new(Kind::Internal, "a skipped run has no record"))
    }

    fn blocked(&self, blocked: Blocked, failure: Option<Failure>) -> Failure {
        let kind = failure.as_ref().map_or(Kind::Temporary, |failure| match failure.kind {
            Kind::Connection => Kind::Connection,
            Kind::Temporary => Kind::Temporary,
            _ => Kind::Run,
        });
        let mut told = Failure::new(kind, self.blocked_text(blocked));
        if let Some(failure) = failure {
            told.causes.push(failure.message);
            told.causes.extend(failure.causes);
            told.hints.extend(failure.hints);
        }
        told.hint("The run is committed and loses nothing: the next `segue run` goes on with it where it stopped.")
    }

    fn blocked_text(&self, blocked: Blocked) -> String {
        let key = self.held().objects.get(blocked.object).map(|object| object.key.clone());
        format!(
            "run {} is blocked at {}: {}",
            self.claim.run_id,
            key.unwrap_or_default(),
            blocked.reason
        )
    }

    fn held(&self) -> MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Held {
    fn set_objects(&mut self, objects: Vec<StagedObject>) {
        self.published = vec![None; objects.len()];
        self.replacements = vec![None; objects.len()];
        self.objects = objects;
    }

    /// Keeps the first failure: later ones follow from it.
    fn fail(&mut self, failure: Failure) {
        self.failure.get_or_insert(failure);
    }
}
