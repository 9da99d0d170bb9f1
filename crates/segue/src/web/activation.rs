//! What the list of activations and the page of one activation show.

use jiff::Timestamp;
use jiff::civil::Weekday;
use ledger::{RunFilter, SlotRecord};
use plan::Section;
use plan::project::{Activation, Column, ColumnSource, Frequency, Guard, SegmentExport};
use plan::run_plan::Output;
use ui::page::activation::{self, MappedColumn, OpenSlot, Schedule, Slot, Source};
use ui::page::activations::{Activations, Line};
use ui::page::calendar;

use super::run::export;
use super::{Calendar, Look, count};
use crate::app::schedule::{Waiting, Waits, waits_without_slot};
use crate::failure::Failure;

/// How many slots to come are shown.
const SLOTS: usize = 6;
/// How many slots that are not over are shown.
const OPEN_SLOTS_MAX: usize = 20;
/// How many different schedules a calendar shows.
const SCHEDULES_MAX: usize = 20;
/// How many runs are shown.
const RUNS: u32 = 8;

/// Fills the list.
pub(super) async fn activations(look: &Look<'_>) -> Result<Activations, Failure> {
    let mut lines = Vec::new();
    let all = &look.project().activations;
    let keys: Vec<&str> = all.iter().map(|it| it.key.as_str()).collect();
    let newest = look.ledger.newest_of_activations(&keys).await?;
    for activation in all {
        let last = newest.iter().find(|run| run.activation == activation.key);
        lines.push(Line {
            key: activation.key.clone(),
            destination: look.destination(&activation.destination).name,
            segments: count(&activation.segments),
            columns: count(&activation.mapping),
            is_enabled: look.is_enabled(&activation.key),
            next: look.next_slots(Some(&activation.key), 1).first().map(|next| next.at),
            last: last.map(|run| (look.status(run.run_id, run.state), run.slot)),
        });
    }
    Ok(Activations { activations: lines, may_activate: look.may.activate })
}

/// Fills the page of one activation.
pub(super) async fn activation(
    look: &Look<'_>,
    activation: &Activation,
) -> Result<activation::Activation, Failure> {
    let newest = RunFilter {
        activation: Some(activation.key.clone()),
        limit: Some(RUNS),
        ..RunFilter::default()
    };
    let recent = look.ledger.runs(&newest).await?;
    let part = look.part(activation.segments.len());
    let mut calendar = Calendar::default();
    let destination = look.project().destination(&activation.destination);
    Ok(activation::Activation {
        is_in_file: look.workspace.stored(Section::Activations, &activation.key).is_none(),
        key: activation.key.clone(),
        destination: look.destination(&activation.destination),
        address: destination.map(super::destination::address).unwrap_or_default(),
        is_enabled: look.is_enabled(&activation.key),
        exports: activation.segments[part.range()]
            .iter()
            .map(|it| segment_export(look, activation, it, &mut calendar))
            .collect(),
        part,
        editing: look.editing(Section::Activations, &activation.key, &activation.key),
        calendar: ahead(look, activation),
        open: open(look, activation).await?,
        slots: slots(look, activation),
        waits: without_slot(look, activation),
        mapping: activation.mapping.iter().map(column).collect(),
        guard: guard(&activation.guard),
        recent: recent.iter().map(|run| look.line(run)).collect(),
        may: activation::May { run: look.may.run, pause: look.may.run },
    })
}

fn segment_export<'a>(
    look: &'a Look<'_>,
    activation: &'a Activation,
    it: &'a SegmentExport,
    calendar: &mut Calendar<'a>,
) -> activation::SegmentExport {
    let next = it.schedule.as_ref();
    let next = next.and_then(|it| calendar.slots(it, look.now, 1).first().copied());
    let key = look.project().first_key(activation, it, next.unwrap_or(look.now));
    activation::SegmentExport {
        segment: look.segment(&it.segment),
        export: export(it.export),
        leavers: it.leavers,
        schedule: schedule(it),
        file_name: it.file_name.text().to_owned(),
        next_file: Some(Output::name_of(&key).to_owned()),
    }
}

/// What is due in the next weeks. Segments with one schedule are one line of it.
fn ahead(look: &Look<'_>, activation: &Activation) -> calendar::Calendar {
    let mut known: Vec<(&plan::project::Schedule, &SegmentExport, u64)> = Vec::new();
    let exports =
        if look.is_enabled(&activation.key) { activation.segments.as_slice() } else { &[] };
    for export in exports {
        let Some(schedule) = &export.schedule else { continue };
        match known.iter_mut().find(|(it, ..)| it.has_slots_of(schedule)) {
            Some((_, _, count)) => *count += 1,
            None => known.push((schedule, export, 1)),
        }
    }
    let mut zones: Vec<String> = Vec::new();
    let mut due = Vec::new();
    for (schedule, export, segments) in known.into_iter().take(SCHEDULES_MAX) {
        let zone = schedule.zone.iana_name().unwrap_or("UTC").to_owned();
        if !zones.contains(&zone) {
            zones.push(zone);
        }
        due.extend(crate::app::schedule::calendar(schedule, look.now).into_iter().map(|day| {
            calendar::Due {
                segment: look.segment(&export.segment).name,
                date: day.date,
                first: day.first,
                count: day.count * segments,
                clocks_change: day.clocks_changed,
            }
        }));
    }
    calendar::Calendar { due, zones }
}

fn slots(look: &Look<'_>, activation: &Activation) -> Vec<Slot> {
    let slot = |next: super::Next<'_>| {
        let zone = next.export.schedule.as_ref().map(|schedule| schedule.zone.clone());
        let zone = zone.unwrap_or(jiff::tz::TimeZone::UTC);
        let day_before =
            next.at.saturating_sub(jiff::SignedDuration::from_hours(24)).unwrap_or(next.at);
        let offset = |at: Timestamp| zone.to_offset(at);
        Slot {
            segment: look.segment(&next.export.segment).name,
            clocks_change: offset(day_before) != offset(next.at),
            local: next.at.to_zoned(zone.clone()),
        }
    };
    look.next_slots(Some(&activation.key), SLOTS).into_iter().map(slot).collect()
}

/// The slots that are not over, the oldest first.
async fn open(look: &Look<'_>, activation: &Activation) -> Result<Vec<OpenSlot>, Failure> {
    let waiting = Waiting::of(look.ledger).await?;
    let slot = |slot: &SlotRecord| OpenSlot {
        segment: look.segment(&slot.key.segment).name,
        slot: slot.key.slot,
        run: slot.run_id.map(|id| id.to_string()),
        waits: waiting.waits_for(slot).map(waits),
    };
    let of_this = waiting.open.iter().filter(|slot| slot.key.activation == activation.key);
    Ok(of_this.take(OPEN_SLOTS_MAX).map(slot).collect())
}

/// What is waited for while nothing is due.
fn without_slot(look: &Look<'_>, activation: &Activation) -> Option<activation::Waits> {
    let is_enabled = look.is_enabled(&activation.key);
    let mut schedules = activation.segments.iter().map(|export| export.schedule.as_ref());
    let found = schedules.find_map(|it| waits_without_slot(it, is_enabled, look.now));
    found.map(waits)
}

pub(super) fn waits(waits: Waits) -> activation::Waits {
    match waits {
        Waits::Slot(slot) => activation::Waits::Slot(slot),
        Waits::HeldSlot(slot) => activation::Waits::HeldSlot(slot),
        Waits::Decision => activation::Waits::Decision,
        Waits::Time(until) => activation::Waits::Time(until),
        Waits::Turn => activation::Waits::Turn,
        Waits::Pause => activation::Waits::Pause,
        Waits::Evaluation => activation::Waits::Evaluation,
    }
}

fn column(column: &Column) -> MappedColumn {
    let source = match &column.source {
        ColumnSource::Field(path) => Source::Field(path.to_string()),
        ColumnSource::Identity(namespace) => Source::Field(format!("identityMap.{namespace}")),
        ColumnSource::Expression { text, .. } => Source::Expression(text.clone()),
        ColumnSource::MembershipStatus => Source::MembershipStatus,
        ColumnSource::MembershipOperation => Source::MembershipOperation,
        ColumnSource::LastQualificationTime => Source::MemberSince,
    };
    MappedColumn {
        header: column.header.clone(),
        source,
        mandatory: column.mandatory,
        deduplicate: column.deduplicate,
    }
}

fn guard(guard: &Guard) -> activation::Guard {
    activation::Guard {
        min_rows: guard.min_rows,
        max_rows: guard.max_rows,
        max_shrink: guard.max_shrink_percent.map(|percent| percent / 100.0),
        max_growth: guard.max_growth_percent.map(|percent| percent / 100.0),
    }
}

/// When an export is due, for a sentence.
pub(super) fn schedule(export: &SegmentExport) -> Schedule {
    let Some(schedule) = &export.schedule else { return Schedule::ByHand };
    let weekday = schedule.start.map_or(Weekday::Monday, |start| start.weekday());
    let day = schedule.start.map_or(1, |start| start.day());
    let frequency = match &schedule.frequency {
        Frequency::Once { at } => activation::Frequency::Once(schedule.start, *at),
        Frequency::Hourly { every, at } => activation::Frequency::Hourly(*every, *at),
        Frequency::Daily { at } => activation::Frequency::Daily(*at),
        Frequency::Weekly { at } => activation::Frequency::Weekly(weekday, *at),
        Frequency::Monthly { at } => activation::Frequency::Monthly(day, *at),
        Frequency::Cron { expression } => activation::Frequency::Cron(expression.clone()),
        Frequency::Evaluation { .. } => activation::Frequency::Evaluation,
    };
    Schedule::At(frequency, schedule.zone.iana_name().unwrap_or("UTC").to_owned())
}
