//! The planner: a pass at least twice a minute, each export in one transaction.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use ledger::alert::{Channel, Telling};
use ledger::{ExportMark, Ledger, SlotState};
use plan::Project;
use plan::planner::clock::{Verdict, Watch};
use plan::planner::{self, Known};
use plan::project::{Activation, SegmentExport};

use super::{Shared, alerts};
use crate::ambient;
use crate::failure::Failure;
use crate::opening;
use crate::workspace::Workspace;

/// The longest pause between two passes: a clock that is set, or a machine that slept, is noticed.
const PAUSE_MAX: Duration = Duration::from_secs(30);
/// The shortest, so that a schedule of every minute does not keep the planner busy.
const PAUSE_MIN: Duration = Duration::from_millis(200);

/// The pause after a pass for which the ledger could not be used.
const PAUSE_OF_TROUBLE: Duration = Duration::from_secs(5);

/// How planning goes, for whoever watches.
#[derive(Debug, Clone, Default)]
pub(crate) struct PlanningStatus {
    /// When the last pass ended.
    pub(crate) last_pass: Option<Instant>,
    /// Why slots are not planned just now.
    pub(crate) trouble: Option<String>,
    /// Passes since the start.
    pub(crate) passes: u64,
    /// Jumps of the clock since the start.
    pub(crate) clock_jumps: u64,
    /// When the next slot is due.
    pub(crate) next_due: Option<Timestamp>,
}

/// Passes until the process is asked to stop.
pub(super) async fn plan_until_stopped(shared: Arc<Shared>) {
    let mut watch = Watch::default();
    let mut judged = alerts::Judged::new();
    loop {
        let pause = pass_and_tell(&shared, &mut watch, &mut judged).await;
        tokio::select! {
            () = tokio::time::sleep(pause) => {}
            () = shared.replan.notified() => {}
            () = shared.interrupt.requested() => return,
        }
    }
}

/// One pass, with its outcome where it can be seen. Returns how long to wait for the next.
async fn pass_and_tell(
    shared: &Shared,
    watch: &mut Watch,
    judged: &mut alerts::Judged,
) -> Duration {
    let outcome = look(shared, watch, judged).await;
    let now = ambient::now();
    let jumped = matches!(&outcome, Ok(look) if look.jump.is_some());
    let known = shared.planning.borrow().trouble.clone();
    let (next_due, trouble, pause) = match outcome {
        Ok(look) => {
            if look.pass.planned > 0 {
                shared.wake.notify_one();
            }
            let next_due = look.pass.next_due;
            (next_due, look.jump.or(look.broken), pause(next_due, now))
        }
        // Told once, and not at every look until it is over.
        Err(failure) => {
            let failure = failure.one_line();
            if known.as_ref() != Some(&failure) {
                tracing::error!(failure, "slots cannot be planned; it is tried again and again");
            }
            (None, Some(failure), PAUSE_OF_TROUBLE)
        }
    };
    if known.is_some() && trouble.is_none() {
        tracing::info!("slots are planned again");
    }
    shared.planning.send_modify(|status| {
        status.last_pass = Some(ambient::instant());
        status.trouble = trouble;
        status.passes += 1;
        status.clock_jumps += u64::from(jumped);
        status.next_due = next_due;
    });
    pause
}

/// What a look at the project, the clock and the schedule came to.
struct Look {
    pass: Pass,
    /// How the clock jumped, if it did.
    jump: Option<String>,
    /// Why the project file is not used.
    broken: Option<String>,
}

/// Reads the project and the clock, and makes a pass.
///
/// # Errors
/// The ledger cannot be used.
async fn look(
    shared: &Shared,
    watch: &mut Watch,
    judged: &mut alerts::Judged,
) -> Result<Look, Failure> {
    // Before the time is asked for: servers that share a database share its clock. And before the
    // project is read: what the ledger keeps is part of it.
    opening::go_by_its_clock(&shared.ledger).await?;
    let broken = reload(shared).await.err().map(|failure| {
        tracing::error!(
            failure = failure.one_line(),
            "the project file cannot be used; the last good one is"
        );
        failure.one_line()
    });
    let now = ambient::now();
    let verdict = watch.read(now, ambient::instant().saturating_duration_since(shared.started));
    let jump = told(verdict);
    let workspace = shared.workspace();
    let pass = match verdict {
        Verdict::Ahead(_) => Pass::default(),
        Verdict::Steady | Verdict::Behind(_) => {
            pass(&shared.ledger, &workspace.project, shared.rules().to, now).await?
        }
    };
    tell(shared, &workspace.project, judged, now).await?;
    Ok(Look { pass, jump, broken })
}

/// Tells of what should have come by now.
async fn tell(
    shared: &Shared,
    project: &Project,
    judged: &mut alerts::Judged,
    now: Timestamp,
) -> Result<(), Failure> {
    let (ledger, rules) = (&shared.ledger, shared.rules());
    alerts::tell_late(ledger, rules, now, ambient::id).await?;
    alerts::tell_missing(ledger, project, judged, rules, now, ambient::id).await
}

fn told(verdict: Verdict) -> Option<String> {
    let text = match verdict {
        Verdict::Steady => return None,
        Verdict::Ahead(by) => format!(
            "the clock jumped ahead by {} minutes; slots are planned again when it is steady",
            by.as_mins()
        ),
        Verdict::Behind(by) => format!(
            "the clock went back by {} minutes; slots that were planned before stay so",
            by.as_mins()
        ),
    };
    tracing::error!(code = "clock_jump", "{text}");
    Some(text)
}

fn pause(next_due: Option<Timestamp>, now: Timestamp) -> Duration {
    let until = next_due.map(|slot| slot.duration_since(now));
    until
        .and_then(|until| Duration::try_from(until).ok())
        .map_or(PAUSE_MAX, |until| until.clamp(PAUSE_MIN, PAUSE_MAX))
}

/// Takes a changed project file, or changed stored objects; a run that is under way keeps what it began
/// with.
pub(crate) async fn reload(shared: &Shared) -> Result<(), Failure> {
    let read = Workspace::load_from(&shared.global, &shared.ledger).await?;
    let known = shared.workspace();
    // Secrets, keys, certificates and rules may stand elsewhere, so the text alone does not tell.
    let is_same = read.source.text == known.source.text && read.outside == known.outside;
    if !is_same {
        tracing::info!(path = %read.path.display(), stored = read.stored.revision, "the project changed");
        shared.workspace.send_replace(Arc::new(read));
    }
    Ok(())
}

/// What a pass came to.
#[derive(Debug, Default)]
pub(super) struct Pass {
    pub(super) planned: usize,
    pub(super) next_due: Option<Timestamp>,
    /// The marks of exports that had no slot since.
    idle: Vec<ExportMark>,
}

/// Decides about every slot that came since the last pass. What is skipped is told in the ways of `to`.
pub(super) async fn pass(
    ledger: &Ledger,
    project: &Project,
    to: &[Channel],
    now: Timestamp,
) -> Result<Pass, Failure> {
    let marks: BTreeMap<(String, String), Timestamp> = ledger
        .export_marks()
        .await?
        .into_iter()
        .map(|mark| ((mark.activation, mark.segment), mark.decided_through))
        .collect();
    let disabled: Vec<String> =
        ledger.disabled().await?.into_iter().map(|disabled| disabled.activation).collect();
    let open = ledger.open_slots().await?;
    let mut pass = Pass::default();
    for (activation, export) in exports(project) {
        let name = (activation.key.clone(), export.segment.clone());
        let Some(decided_through) = marks.get(&name).copied() else {
            let (activation, segment) = name;
            let mark = ExportMark { activation, segment, decided_through: now };
            ledger.begin_export(&mark).await?;
            pass.see(export, now);
            continue;
        };
        let of_this = open.iter().filter(|slot| {
            slot.key.activation == activation.key && slot.key.segment == export.segment
        });
        // A slot that somebody asked for waits for its turn and is not taken back.
        let waiting: Vec<Timestamp> = of_this
            .clone()
            .filter(|slot| {
                slot.state == SlotState::Planned && slot.origin == ledger::Origin::Schedule
            })
            .map(|slot| slot.key.slot)
            .collect();
        let known = Known {
            decided_through,
            waiting: &waiting,
            is_running: of_this.clone().count() > waiting.len(),
            is_paused: disabled.contains(&activation.key),
        };
        pass.decide(ledger, (activation, export), &known, to, now).await?;
    }
    ledger.advance_marks(&std::mem::take(&mut pass.idle), now).await?;
    Ok(pass)
}

impl Pass {
    async fn decide(
        &mut self,
        ledger: &Ledger,
        (activation, export): (&Activation, &SegmentExport),
        known: &Known<'_>,
        to: &[Channel],
        now: Timestamp,
    ) -> Result<(), Failure> {
        let Some(schedule) = &export.schedule else { return Ok(()) };
        self.see(export, now.max(known.decided_through));
        let decision = planner::decide(schedule, &schedule.lateness, known, now);
        let is_idle = decision.planned.is_empty()
            && decision.skipped.is_empty()
            && decision.withdrawn.is_empty();
        let mark = ExportMark {
            activation: activation.key.clone(),
            segment: export.segment.clone(),
            decided_through: known.decided_through,
        };
        // Marks that only move are written together: each write waits for the disk.
        if is_idle {
            // Another server may have moved it to this moment.
            if decision.decided_through > known.decided_through {
                self.idle.push(mark);
            }
            return Ok(());
        }
        let telling = Telling { to, id: &ambient::id };
        let destination = &activation.destination;
        if ledger.record_decision(&mark, destination, &decision, &telling, now).await? {
            self.planned += decision.planned.len();
            for skipped in &decision.skipped {
                tracing::warn!(
                    activation = mark.activation,
                    segment = mark.segment,
                    slot = %skipped.to,
                    count = skipped.count,
                    reason = skipped.reason.code(),
                    "slots are skipped"
                );
            }
        }
        Ok(())
    }

    fn see(&mut self, export: &SegmentExport, after: Timestamp) {
        let next =
            export.schedule.as_ref().and_then(|it| it.slots_after(after, 1).first().copied());
        self.next_due = [self.next_due, next].into_iter().flatten().min();
    }
}

/// Every segment of every activation.
pub(crate) fn exports(project: &Project) -> impl Iterator<Item = (&Activation, &SegmentExport)> {
    project
        .activations
        .iter()
        .flat_map(|activation| activation.segments.iter().map(move |export| (activation, export)))
}
