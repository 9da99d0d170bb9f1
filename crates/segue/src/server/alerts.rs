//! Alerts: what is worth telling somebody, and the telling.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use ledger::alert::{Channel, NewAlert};
use ledger::{Ledger, RunDetail, SlotClaim, SlotEnd, SlotFilter, SlotKey, SlotRecord, SlotState};
use plan::Project;
use plan::guard::{Cause, is_of_members};
use plan::planner::Reason;
use plan::project::Schedule;
use uuid::Uuid;

use super::planner::exports;
use crate::failure::Failure;
use crate::workspace;

/// How many slots behind the one that is expected are looked at.
const SLOTS_BEHIND_MAX: u32 = 100;

/// What is told, and to whom.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Rules {
    /// A slot that is not over so long after its time is late.
    pub(crate) late_after: SignedDuration,
    /// A run that leaves out more than this share of the members is told of.
    pub(crate) exclusion_rate_max: f64,
    /// How alerts are sent.
    pub(crate) to: &'static [Channel],
}

/// The alert of an attempt that begins.
pub(super) fn started(claim: &SlotClaim, rules: Rules, id: Uuid) -> NewAlert {
    new(&claim.key, rules, id, "started", "the run began".to_owned())
}

/// The alert of an attempt that ended, if it is worth one: what is only tried again is not. `held` says
/// on which side of its bounds a run is that a guard stopped.
pub(super) fn of_end(
    claim: &SlotClaim,
    end: &SlotEnd,
    run_id: Option<Uuid>,
    held: Option<Cause>,
    rules: Rules,
    id: Uuid,
) -> Option<NewAlert> {
    let (kind, stop) = match end {
        // Somebody disabled the activation, and knows.
        SlotEnd::Skipped(stop) if stop.code == Reason::Paused.code() => return None,
        SlotEnd::Delivered => ("delivered", None),
        SlotEnd::Skipped(stop) => ("skipped", Some(stop)),
        SlotEnd::Failed(stop) => ("failed", Some(stop)),
        SlotEnd::Blocked(stop, _) if claim.attempts == 0 => ("blocked", Some(stop)),
        SlotEnd::Held(stop) => (held.map_or("blocked", Cause::as_str), Some(stop)),
        SlotEnd::Blocked(..) | SlotEnd::Retry(..) | SlotEnd::Elsewhere(_) | SlotEnd::Released => {
            return None;
        }
    };
    let message = stop.map_or("the file set is visible".to_owned(), |stop| stop.message.clone());
    Some(NewAlert {
        run_id,
        code: stop.map(|stop| stop.code.clone()),
        ..new(&claim.key, rules, id, kind, message)
    })
}

/// The alert of a delivered run that left out too many.
pub(super) fn of_exclusions(
    claim: &SlotClaim,
    detail: &RunDetail,
    rules: Rules,
    id: Uuid,
) -> Option<NewAlert> {
    let of_members = detail.excluded.iter().filter(|one| is_of_members(&one.reason));
    let excluded: u64 = of_members.map(|one| one.profiles).sum();
    let received = detail.run.received.filter(|received| *received > 0)?;
    let rate = excluded as f64 / received as f64;
    (rate > rules.exclusion_rate_max).then(|| {
        let message =
            format!("{excluded} of {received} members were left out, {:.1} %", 100.0 * rate);
        let run_id = Some(detail.run.run_id);
        NewAlert { run_id, ..new(&claim.key, rules, id, "exclusion_rate", message) }
    })
}

/// Tells of slots that should have been over long ago: the file that was expected did not come.
pub(super) async fn tell_late(
    ledger: &Ledger,
    rules: Rules,
    now: Timestamp,
    id: impl Fn() -> Uuid,
) -> Result<(), Failure> {
    for slot in ledger.open_slots().await? {
        let late = now.duration_since(slot.key.slot);
        if late < rules.late_after {
            continue;
        }
        let what = match slot.state {
            SlotState::Running => "is running",
            SlotState::Blocked => "is blocked",
            _ => "waits",
        };
        let message = format!("no file yet, {} after it was due; the slot {what}", minutes(late));
        let alert =
            NewAlert { run_id: slot.run_id, ..new(&slot.key, rules, id(), "late", message) };
        if ledger.alert_once(&alert, now).await? {
            tracing::warn!(activation = slot.key.activation, segment = slot.key.segment, slot = %slot.key.slot, "a slot is late");
        }
    }
    Ok(())
}

/// The slots of which it was found out whether their files came, the latest of each export.
pub(super) type Judged = BTreeMap<(String, String), Timestamp>;

/// Tells of exports that delivered nothing for a whole period of their schedule and the time after
/// which a slot is late: the file that was expected did not come, whatever became of the slots.
pub(super) async fn tell_missing(
    ledger: &Ledger,
    project: &Project,
    judged: &mut Judged,
    rules: Rules,
    now: Timestamp,
    id: impl Fn() -> Uuid,
) -> Result<(), Failure> {
    let disabled = ledger.disabled().await?;
    for (activation, export) in exports(project) {
        if disabled.iter().any(|it| it.activation == activation.key) {
            continue;
        }
        let schedule = export.schedule.as_ref();
        let Some((slot, next)) = schedule.and_then(|it| period_before(it, rules, now)) else {
            continue;
        };
        let name = (activation.key.clone(), export.segment.clone());
        if judged.insert(name.clone(), slot) == Some(slot) {
            continue;
        }
        let key = SlotKey { activation: name.0, segment: name.1, slot };
        // What is no row was not due: the export was not known then.
        let Some(record) = ledger.slot(&key).await? else { continue };
        if !is_expected(&record) || has_come(ledger, &key).await? {
            continue;
        }
        let message = format!(
            "no file for a whole period: nothing was delivered for {slot} or later, {} after {next}",
            minutes(now.duration_since(next))
        );
        let alert =
            NewAlert { run_id: record.run_id, ..new(&key, rules, id(), "missing", message) };
        if ledger.alert_once(&alert, now).await? {
            tracing::warn!(activation = key.activation, segment = key.segment, %slot, "the expected file did not come");
        }
    }
    Ok(())
}

/// The newest slot whose whole period is over for long enough, and the slot that ended it.
fn period_before(
    schedule: &Schedule,
    rules: Rules,
    now: Timestamp,
) -> Option<(Timestamp, Timestamp)> {
    let next = schedule.latest_slot(now.checked_sub(rules.late_after).ok()?)?;
    let before = next.checked_sub(SignedDuration::from_nanos(1)).ok()?;
    Some((schedule.latest_slot(before)?, next))
}

/// Whether somebody waits for the file of a slot.
fn is_expected(slot: &SlotRecord) -> bool {
    let unexpected = [Reason::Paused.code(), Reason::Restored.code()];
    slot.stop.as_ref().is_none_or(|stop| !unexpected.contains(&stop.code.as_str()))
}

/// Whether the file of a slot, or one that stands for it, was delivered, or there was nothing to send.
async fn has_come(ledger: &Ledger, key: &SlotKey) -> Result<bool, Failure> {
    let last = ledger.last_delivered(&key.activation, &key.segment).await?;
    if last.is_some_and(|last| last.slot >= key.slot) {
        return Ok(true);
    }
    let filter = SlotFilter {
        activation: Some(key.activation.clone()),
        segment: Some(key.segment.clone()),
        limit: Some(SLOTS_BEHIND_MAX),
        ..SlotFilter::default()
    };
    let is_empty = |slot: &SlotRecord| {
        slot.key.slot >= key.slot && slot.stop.as_ref().is_some_and(|stop| stop.code == "empty")
    };
    Ok(ledger.slots(&filter).await?.iter().any(is_empty))
}

fn minutes(time: SignedDuration) -> String {
    workspace::counted(usize::try_from(time.as_mins()).unwrap_or_default(), "minute")
}

fn new(key: &SlotKey, rules: Rules, id: Uuid, kind: &'static str, message: String) -> NewAlert {
    NewAlert {
        id,
        kind,
        key: key.clone(),
        run_id: None,
        code: None,
        message,
        to: rules.to.to_vec(),
    }
}
