//! Alerts: what is worth telling somebody, and the telling.

use jiff::{SignedDuration, Timestamp};
use ledger::alert::{Channel, NewAlert};
use ledger::{Ledger, RunDetail, SlotClaim, SlotEnd, SlotKey, SlotState};
use plan::guard::Cause;
use uuid::Uuid;

use crate::failure::Failure;

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
        SlotEnd::Delivered => ("delivered", None),
        SlotEnd::Skipped(stop) => ("skipped", Some(stop)),
        SlotEnd::Failed(stop) => ("failed", Some(stop)),
        SlotEnd::Blocked(stop, _) if claim.attempts == 0 => ("blocked", Some(stop)),
        SlotEnd::Held(stop) => (held.map_or("blocked", Cause::as_str), Some(stop)),
        SlotEnd::Blocked(..) | SlotEnd::Retry(..) | SlotEnd::Released => return None,
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
    let excluded: u64 = detail.excluded.iter().map(|one| one.profiles).sum();
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
        let message =
            format!("no file yet, {} minutes after it was due; the slot {what}", late.as_mins());
        let alert =
            NewAlert { run_id: slot.run_id, ..new(&slot.key, rules, id(), "late", message) };
        if ledger.alert_once(&alert, now).await? {
            tracing::warn!(activation = slot.key.activation, segment = slot.key.segment, slot = %slot.key.slot, "a slot is late");
        }
    }
    Ok(())
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
