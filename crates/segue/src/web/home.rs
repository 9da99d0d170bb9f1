//! What the home page shows.

use std::collections::BTreeSet;

use jiff::civil::Date;
use jiff::{Span, Timestamp};
use ledger::{Ended, RunFilter, RunState, SlotState};
use ui::page::RunStatus;
use ui::page::home::{Alert, Day, Delivered, Home, Late, Next, Open, Share};

use uuid::Uuid;

use super::Look;
use crate::failure::Failure;

/// How many days the chart shows.
const DAYS: i64 = 30;
/// How many alerts are shown; the list of runs has them all.
const ALERTS_MAX: u32 = 5;
/// How many late files are named.
const LATE_SHOWN_MAX: usize = 3;
/// How many runs and slots are shown.
const LISTED_MAX: usize = 6;

/// Fills the page.
pub(super) async fn home(look: &Look<'_>) -> Result<Home, Failure> {
    let today = look.now.to_zoned(look.zone.clone()).date();
    let first = today.saturating_sub(Span::new().days(DAYS - 1));
    let since = midnight(look, first);
    let ended = look.ledger.ended_since(since).await?;
    let limit = u32::try_from(LISTED_MAX).ok();
    let recent = look.ledger.runs(&RunFilter { limit, ..RunFilter::default() }).await?;
    let days = days(look, first, &ended);
    Ok(Home {
        alerts: alerts(look).await?,
        open: open(look).await?,
        today: days.last().map(|day| day.delivered).unwrap_or_default(),
        month: month(&ended),
        days,
        next: next(look),
        recent: recent.iter().map(|run| look.line(run)).collect(),
    })
}

fn midnight(look: &Look<'_>, date: Date) -> Timestamp {
    date.to_zoned(look.zone.clone()).map_or(Timestamp::MIN, |zoned| zoned.timestamp())
}

async fn alerts(look: &Look<'_>) -> Result<Vec<Alert>, Failure> {
    let mut alerts = Vec::new();
    for run in look.ledger.need_attention(ALERTS_MAX).await? {
        let status = look.status(run.run_id, run.state);
        let next = look.next_attempts.get(&run.run_id).map(|next| next.not_before);
        alerts.push(Alert {
            run: run.run_id.to_string(),
            status,
            next_attempt: next.filter(|_| status == RunStatus::Retrying),
            segment: look.segment(&run.segment).name,
            activation: run.activation,
            slot: run.slot,
            reason: run.stop.map(|stop| stop.message),
        });
    }
    Ok(alerts)
}

/// What is due and not over. What is blocked or failed is an alert.
async fn open(look: &Look<'_>) -> Result<Open, Failure> {
    let mut open = Open::default();
    let slots = look.ledger.open_slots().await?;
    if slots.is_empty() {
        return Ok(open);
    }
    let unfinished = look.ledger.unfinished().await?;
    let begun: BTreeSet<Uuid> = unfinished.iter().map(|run| run.run_id).collect();
    for slot in &slots {
        let key = &slot.key;
        let planned = look.project().run_id(&key.activation, &key.segment, key.slot);
        let run = planned.filter(|id| begun.contains(id));
        // A run that is over closes its slot in the next moment.
        let is_over = slot.state == SlotState::Running && slot.run_id.is_some() && run.is_none();
        let is_due = slot.state != SlotState::Blocked && key.slot <= look.now;
        if !is_due || is_over {
            continue;
        }
        match run {
            Some(_) => open.under_way += 1,
            None => open.waiting += 1,
        }
        if look.now.duration_since(key.slot) < look.late_after {
            continue;
        }
        open.late += 1;
        if open.latest.len() < LATE_SHOWN_MAX {
            let retried = slot.run_id.filter(|id| look.next_attempts.contains_key(id));
            open.latest.push(Late {
                segment: look.segment(&key.segment).name,
                activation: key.activation.clone(),
                slot: key.slot,
                run: run.or(retried).map(|id| id.to_string()),
                is_retried: run.is_none() && retried.is_some(),
            });
        }
    }
    Ok(open)
}

fn days(look: &Look<'_>, first: Date, ended: &[Ended]) -> Vec<Day> {
    let mut days: Vec<Day> = first
        .series(Span::new().days(1))
        .take(usize::try_from(DAYS).unwrap_or_default())
        .map(|date| Day { date, delivered: Delivered::default(), failed: 0 })
        .collect();
    for some in ended {
        let date = some.from.to_zoned(look.zone.clone()).date();
        let Some(day) = days.iter_mut().find(|day| day.date == date) else { continue };
        match some.state {
            RunState::Failed => day.failed += some.runs,
            _ => {
                day.delivered.rows += some.rows;
                day.delivered.files += some.files;
                day.delivered.bytes += some.bytes;
            }
        }
    }
    days
}

fn month(ended: &[Ended]) -> Share {
    let runs = |is_meant: fn(RunState) -> bool| -> u64 {
        ended.iter().filter(|some| is_meant(some.state)).map(|some| some.runs).sum()
    };
    Share { good: runs(|state| state != RunState::Failed), all: runs(|_| true) }
}

fn next(look: &Look<'_>) -> Vec<Next> {
    let next = |next: super::Next<'_>| Next {
        activation: next.activation.key.clone(),
        segment: look.segment(&next.export.segment).name,
        destination: look.destination(&next.activation.destination).name,
        at: next.at,
    };
    look.next_slots(None, LISTED_MAX).into_iter().map(next).collect()
}
