//! Segment selectors: which segments a flow sends, and when. They are the `segments` of an activation.

use jiff::civil::Date;
use jiff::{ToSpan as _, tz::TimeZone};
use plan::Project;
use plan::project::{Export, Frequency, Schedule, SegmentExport};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::{misfit, put};
use crate::http::problem::Problem;

/// Where the selectors are.
pub(super) const AT: &str = "/transformations/0/params/segmentSelectors/selectors";
/// What every selector is.
const KIND: &str = "PLATFORM_SEGMENT";
/// The settings of a schedule that only the project file has.
const OWN_SETTINGS: [&str; 3] = ["catch_up", "catch_up_window", "overlap"];

/// A selector as scripts send it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Selector {
    r#type: String,
    value: Selected,
}

/// The segment.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Selected {
    id: String,
    #[expect(dead_code, reason = "the segment has its name")]
    name: Option<String>,
    filename_template: Option<String>,
    export_mode: Option<String>,
    schedule: Option<When>,
    #[expect(dead_code, reason = "the ledger knows")]
    create_time: Option<Value>,
    #[expect(dead_code, reason = "the ledger knows")]
    update_time: Option<Value>,
}

/// When it is due.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct When {
    frequency: String,
    trigger_type: Option<String>,
    start_date: Option<String>,
    /// The first day on which it is due no more.
    end_date: Option<String>,
    start_time: Option<String>,
    /// Segue's own: the zone of all of it.
    zone: Option<String>,
    /// Segue's own: of `CRON`.
    cron: Option<String>,
}

/// The selector of a segment that an activation sends.
pub(super) fn of(project: &Project, export: &SegmentExport) -> Value {
    let segment = project.segment(&export.segment);
    let mut value = Map::new();
    put(&mut value, "id", segment.map(|it| it.id.to_string()));
    put(&mut value, "name", segment.map(|it| it.name.clone()));
    value.insert("filenameTemplate".to_owned(), export.file_name.text().into());
    let mode = match export.export {
        Export::Full => "DAILY_FULL_EXPORT",
        Export::Incremental => "FIRST_FULL_THEN_INCREMENTAL",
        Export::Changes => "FIRST_FULL_THEN_CHANGES",
    };
    value.insert("exportMode".to_owned(), mode.into());
    put(&mut value, "schedule", export.schedule.as_ref().map(when_of));
    json!({ "type": KIND, "value": value })
}

fn when_of(schedule: &Schedule) -> Value {
    let mut when = Map::new();
    let (frequency, at) = match &schedule.frequency {
        Frequency::Once { at } => ("ONCE".to_owned(), Some(at)),
        Frequency::Hourly { every, at } => (format!("EVERY_{every}_HOURS"), Some(at)),
        Frequency::Daily { at } => ("DAILY".to_owned(), Some(at)),
        Frequency::Weekly { at } => ("WEEKLY".to_owned(), Some(at)),
        Frequency::Monthly { at } => ("MONTHLY".to_owned(), Some(at)),
        Frequency::Cron { .. } => ("CRON".to_owned(), None),
        // That is how it is said there, however often it is.
        Frequency::Evaluation { .. } => ("DAILY".to_owned(), None),
    };
    when.insert("frequency".to_owned(), frequency.into());
    let is_timed = !schedule.is_after_evaluation();
    let trigger = if is_timed { "SCHEDULED" } else { "AFTER_SEGMENT_EVAL" };
    when.insert("triggerType".to_owned(), trigger.into());
    put(&mut when, "startDate", schedule.start.map(|day| day.to_string()));
    let end = schedule.end.and_then(|day| day.checked_add(1.day()).ok());
    put(&mut when, "endDate", end.map(|day| day.to_string()));
    let at = at.map(|at| at.strftime("%H:%M").to_string());
    put(&mut when, "startTime", at);
    let zone = Some(&schedule.zone).filter(|zone| is_timed && **zone != TimeZone::UTC);
    put(&mut when, "zone", zone.and_then(|zone| zone.iana_name()).filter(|it| *it != "UTC"));
    if let Frequency::Cron { expression } = &schedule.frequency {
        when.insert("cron".to_owned(), expression.clone().into());
    }
    when.into()
}

/// What the selector at `index` is in the project file. `before` is what the same segment was there,
/// whose settings that selectors do not have are kept.
pub(super) fn meaning(
    project: &Project,
    index: usize,
    selector: &Value,
    before: Option<&Value>,
) -> Result<Value, Problem> {
    let at = format!("{AT}/{index}");
    let Selector { r#type, value } = serde_json::from_value(selector.clone()).map_err(|error| {
        let hint =
            "Send `type` and `value` with `id`, `filenameTemplate`, `exportMode` and `schedule`.";
        misfit(&at, format!("The selector does not have its form: {error}."), hint)
    })?;
    if r#type != KIND {
        let detail = format!("There are no selectors of type `{}`.", r#type);
        return Err(misfit(&format!("{at}/type"), detail, format!("Write {KIND}.")));
    }
    let segment = segment(project, &value.id).ok_or_else(|| {
        let detail = format!("There is no segment `{}`.", value.id);
        let hint = "Name it by its id, its key, or its name if no other has it; GET /api/v1/segments lists them.";
        misfit(&format!("{at}/value/id"), detail, hint)
    })?;
    let mut export = before.and_then(Value::as_object).cloned().unwrap_or_default();
    export.insert("segment".to_owned(), segment.key.clone().into());
    export.insert("export".to_owned(), mode(&at, value.export_mode.as_deref())?.into());
    let template = value.filename_template.map(|template| {
        template
            .replace("%DESTINATION_INSTANCE_ID%", "%ACTIVATION_ID%")
            .replace("%DESTINATION_INSTANCE_NAME%", "%ACTIVATION_NAME%")
    });
    export.remove("file_name");
    put(&mut export, "file_name", template);
    let own = export.remove("schedule");
    if let Some(when) = value.schedule {
        export.insert("schedule".to_owned(), schedule(&at, when, own.as_ref())?);
    }
    Ok(export.into())
}

/// The segment that an id, a key or a name means.
pub(super) fn segment<'a>(project: &'a Project, text: &str) -> Option<&'a plan::project::Segment> {
    let id: Option<Uuid> = text.parse().ok();
    let by_id = project.segments.iter().find(|it| Some(it.id) == id);
    let by_name = || {
        let mut named = project.segments.iter().filter(|it| it.name == text);
        named.next().filter(|_| named.next().is_none())
    };
    by_id.or_else(|| project.segment(text)).or_else(by_name)
}

fn mode(at: &str, mode: Option<&str>) -> Result<&'static str, Problem> {
    match mode {
        None | Some("DAILY_FULL_EXPORT") => Ok("full"),
        Some("FIRST_FULL_THEN_INCREMENTAL") => Ok("incremental"),
        Some("FIRST_FULL_THEN_CHANGES") => Ok("changes"),
        Some(other) => {
            let detail = format!("There is no export mode `{other}`.");
            let hint = "Write DAILY_FULL_EXPORT or FIRST_FULL_THEN_INCREMENTAL.";
            Err(misfit(&format!("{at}/value/exportMode"), detail, hint))
        }
    }
}

/// The `schedule` of the project file.
fn schedule(at: &str, when: When, own: Option<&Value>) -> Result<Value, Problem> {
    let at = format!("{at}/value/schedule");
    let mut schedule = Map::new();
    let word = when.frequency.to_ascii_lowercase();
    let hours = word.strip_prefix("every_").and_then(|it| it.strip_suffix("_hours"));
    let hours = hours.and_then(|hours| hours.parse::<u8>().ok());
    match (hours, word.as_str()) {
        (Some(hours), _) => {
            put(&mut schedule, "frequency", Some("hourly"));
            put(&mut schedule, "every", Some(hours));
        }
        (None, "once" | "daily" | "weekly" | "monthly" | "cron") => {
            schedule.insert("frequency".to_owned(), word.into());
        }
        _ => {
            let detail = format!("There is no frequency `{}`.", when.frequency);
            let hint = "Write ONCE, DAILY, WEEKLY, MONTHLY, or EVERY_3_HOURS, EVERY_6_HOURS, EVERY_8_HOURS, EVERY_12_HOURS.";
            return Err(misfit(&format!("{at}/frequency"), detail, hint));
        }
    }
    match when.trigger_type.as_deref() {
        None | Some("SCHEDULED") => put(&mut schedule, "at", when.start_time),
        Some("AFTER_SEGMENT_EVAL") => {
            put(&mut schedule, "trigger", Some("after-evaluation"));
            put(&mut schedule, "at", when.start_time);
        }
        Some(other) => {
            let detail = format!("There is no trigger `{other}`.");
            let hint = "Write SCHEDULED or AFTER_SEGMENT_EVAL.";
            return Err(misfit(&format!("{at}/triggerType"), detail, hint));
        }
    }
    put(&mut schedule, "start", when.start_date);
    put(&mut schedule, "end", when.end_date.map(|day| last_day(&at, &day)).transpose()?);
    put(&mut schedule, "zone", when.zone);
    put(&mut schedule, "cron", when.cron);
    for key in OWN_SETTINGS {
        put(&mut schedule, key, own.and_then(|own| own.get(key)).cloned());
    }
    Ok(schedule.into())
}

/// The end of the Flow Service is the first day without a file; that of the project file the last day
/// with one.
fn last_day(at: &str, end: &str) -> Result<String, Problem> {
    let day = end.parse::<Date>().ok().and_then(|day| day.checked_sub(1.day()).ok());
    let day = day.map(|day| day.to_string());
    day.ok_or_else(|| {
        let detail = format!("`{end}` is not a date.");
        misfit(&format!("{at}/endDate"), detail, "Write year, month and day: \"2026-01-31\".")
    })
}
