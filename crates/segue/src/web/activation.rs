//! What the list of activations and the page of one activation show.

use jiff::Timestamp;
use jiff::civil::Weekday;
use ledger::RunFilter;
use plan::project::{Activation, Column, ColumnSource, Frequency, Guard, SegmentExport};
use plan::run_plan::Output;
use ui::page::activation::{self, MappedColumn, Schedule, Slot, Source};
use ui::page::activations::{Activations, Line};

use super::run::export;
use super::{Look, count, status};
use crate::failure::Failure;

/// How many slots to come are shown.
const SLOTS: usize = 6;
/// How many runs are shown.
const RUNS: u32 = 8;

/// Fills the list.
pub(super) async fn activations(look: &Look<'_>) -> Result<Activations, Failure> {
    let mut lines = Vec::new();
    for activation in &look.project().activations {
        let last = newest(look, &activation.key, 1).await?;
        lines.push(Line {
            key: activation.key.clone(),
            destination: look.destination(&activation.destination).name,
            segments: count(&activation.segments),
            columns: count(&activation.mapping),
            is_enabled: look.is_enabled(&activation.key),
            next: look.next_slots(Some(&activation.key), 1).first().map(|next| next.at),
            last: last.first().map(|run| (status(run.state), run.slot)),
        });
    }
    Ok(Activations { activations: lines, may_activate: look.may.activate })
}

async fn newest(
    look: &Look<'_>,
    activation: &str,
    limit: u32,
) -> Result<Vec<ledger::RunRecord>, Failure> {
    let filter = RunFilter {
        activation: Some(activation.to_owned()),
        limit: Some(limit),
        ..RunFilter::default()
    };
    Ok(look.ledger.runs(&filter).await?)
}

/// Fills the page of one activation.
pub(super) async fn activation(
    look: &Look<'_>,
    activation: &Activation,
) -> Result<activation::Activation, Failure> {
    let recent = newest(look, &activation.key, RUNS).await?;
    let destination = look.project().destination(&activation.destination);
    Ok(activation::Activation {
        is_in_file: look.workspace.stored(plan::Section::Activations, &activation.key).is_none(),
        key: activation.key.clone(),
        destination: look.destination(&activation.destination),
        address: destination.map(super::destination::address).unwrap_or_default(),
        is_enabled: look.is_enabled(&activation.key),
        exports: activation
            .segments
            .iter()
            .map(|it| segment_export(look, activation, it))
            .collect(),
        slots: slots(look, activation),
        mapping: activation.mapping.iter().map(column).collect(),
        guard: guard(&activation.guard),
        recent: recent.iter().map(|run| look.line(run)).collect(),
        may: activation::May { run: look.may.run, pause: look.may.run },
    })
}

fn segment_export(
    look: &Look<'_>,
    activation: &Activation,
    it: &SegmentExport,
) -> activation::SegmentExport {
    let next = it.schedule.as_ref().and_then(|schedule| schedule.slots_after(look.now, 1).pop());
    let named = look.project().run_plan(&activation.key, &it.segment, next.unwrap_or(look.now));
    activation::SegmentExport {
        segment: look.segment(&it.segment),
        export: export(it.export),
        leavers: it.leavers,
        schedule: schedule(it),
        file_name: it.file_name.text().to_owned(),
        next_file: named.ok().map(|plan| Output::name_of(&plan.output.key(1)).to_owned()),
    }
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
