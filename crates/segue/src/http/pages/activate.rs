//! Activating segments: a draft becomes an activation, by the API's operation.

use std::collections::BTreeMap;

use plan::Section;
use serde_json::{Map, Value, json};
use ui::page::activate::{Activate, BULK, FIELDS, FILE_NAME, GUARDS, Segment, Warning};
use ui::page::editing::Send;
use ui::page::fields::Fields;
use ui::page::wizard::{Draft, Preview};
use ui::shell::Said;

use super::edits::{self, Wanted};
use super::visit::{Visit, done, html, see_other};
use super::wizard::{self, Wizard, fresh, key_of, put};
use crate::app::objects;
use crate::http::problem::{Code, Problem};
use crate::http::request::Reply;
use crate::workspace::Workspace;

/// How many segments the list of them begins with.
const SEGMENTS_FIRST: usize = 50;
/// How many lines are shown.
const LINES: usize = 6;
/// How many fields a new mapping begins with.
const RECOMMENDED: usize = 6;

fn wizard(visit: &Visit) -> Wizard {
    Wizard::of(visit, "activate", "activations")
}

/// Begins where the draft is, with a destination or a segment if one is named.
pub(super) async fn begin(visit: Visit) -> Result<Reply, Problem> {
    let wizard = wizard(&visit);
    let mut draft = wizard.load(&visit);
    for name in ["destination", "segment"] {
        if let Some(value) = visit.query(name) {
            draft.set(name, value);
        }
    }
    wizard.keep(&visit, &draft)?;
    Ok(see_other("/activate/segments"))
}

/// Begins to change an activation that is kept here.
pub(super) async fn begin_change(visit: Visit) -> Result<Reply, Problem> {
    let workspace = visit.app.shared.workspace();
    let key = visit.parameter("key").to_owned();
    if workspace.project.activation(&key).is_none() {
        return visit.missing().await;
    }
    let Some(stored) = workspace.stored(Section::Activations, &key) else {
        return Err(super::rules::in_file("activation", &key));
    };
    let wizard = wizard(&visit);
    wizard.begin(&visit, stored, draft_of)?;
    Ok(see_other(&wizard.step("segments")))
}

pub(super) async fn page(visit: Visit) -> Result<Reply, Problem> {
    let wizard = wizard(&visit);
    let draft = wizard.load(&visit);
    if wizard.key.is_some() && draft.0.is_empty() {
        // It was saved or discarded elsewhere.
        return Ok(see_other(&wizard.base));
    }
    let step = visit.parameter("step").to_owned();
    drawn(&visit, &wizard, &step, draft).await
}

/// Keeps what was filled in, and goes on.
pub(super) async fn step(visit: Visit) -> Result<Reply, Problem> {
    let wizard = wizard(&visit);
    let Some((at, mut draft)) = wizard.filled(&visit, &FIELDS) else {
        return visit.missing().await;
    };
    let step = FIELDS[at].0;
    let (what, value) = visit.field("go").split_once(':').unwrap_or((visit.field("go"), ""));
    match what {
        "same" => same_for_all(&mut draft),
        "bulk" => same_for_some(&mut draft),
        "add" => add_column(&mut draft, value),
        "up" | "down" | "drop" => {
            move_column(&mut draft, what, value.parse().unwrap_or(usize::MAX))
        }
        _ => {}
    }
    // What is for several is applied at once, or not meant.
    draft.0.retain(|(name, _)| !name.starts_with("bulk."));
    wizard.keep(&visit, &draft)?;
    if visit.is_part() {
        return drawn(&visit, &wizard, step, draft).await;
    }
    if what == "next" && step == "segments" && draft.get("segment").is_empty() {
        return Err(
            Problem::new(Code::InvalidValue, "No segment is chosen.").hint("Tick at least one.")
        );
    }
    match wizard.way(&visit, &FIELDS, at, what) {
        Some(reply) => Ok(reply),
        None => finish(&visit, &wizard, &draft).await,
    }
}

/// Gives every segment the schedule, the mode and the file name of the first.
fn same_for_all(draft: &mut Draft) {
    let segments: Vec<String> = draft.all("segment").map(str::to_owned).collect();
    let Some((first, others)) = segments.split_first() else { return };
    for what in BULK {
        let value = draft.get(&format!("{what}.{first}")).to_owned();
        for other in others {
            draft.set(&format!("{what}.{other}"), &value);
        }
    }
}

/// Gives the segments that were ticked what was filled in for them together; what was left empty stays.
fn same_for_some(draft: &mut Draft) {
    let chosen: Vec<String> = draft.all("bulk.segment").map(str::to_owned).collect();
    for what in BULK {
        let value = draft.get(&format!("bulk.{what}")).trim().to_owned();
        if value.is_empty() {
            continue;
        }
        for segment in &chosen {
            draft.set(&format!("{what}.{segment}"), &value);
        }
    }
}

/// A column of a draft: source, header and rule.
type Column = [String; 3];

fn columns(draft: &Draft) -> Vec<Column> {
    let of = |name: &'static str| -> Vec<String> { draft.all(name).map(str::to_owned).collect() };
    let (targets, rules) = (of("column.target"), of("column.rule"));
    let at = |all: &[String], number: usize| all.get(number).cloned().unwrap_or_default();
    let sources = of("column.source").into_iter().enumerate();
    sources.map(|(number, source)| [source, at(&targets, number), at(&rules, number)]).collect()
}

fn set_columns(draft: &mut Draft, columns: Vec<Column>) {
    let fields: Vec<(String, String)> = columns
        .into_iter()
        .flat_map(|[source, target, rule]| {
            [("column.source", source), ("column.target", target), ("column.rule", rule)]
        })
        .map(|(name, value)| (name.to_owned(), value))
        .collect();
    draft.put(&["column.source", "column.target", "column.rule"], &fields);
}

fn add_column(draft: &mut Draft, source: &str) {
    let mut all = columns(draft);
    if all.iter().all(|[known, ..]| known != source) {
        all.push([source.to_owned(), String::new(), String::new()]);
    }
    set_columns(draft, all);
}

fn move_column(draft: &mut Draft, what: &str, number: usize) {
    let mut all = columns(draft);
    if number >= all.len() {
        return;
    }
    match what {
        "up" if number > 0 => all.swap(number, number - 1),
        "down" if number + 1 < all.len() => all.swap(number, number + 1),
        "drop" => drop(all.remove(number)),
        _ => {}
    }
    set_columns(draft, all);
}

async fn drawn(
    visit: &Visit,
    wizard: &Wizard,
    step: &str,
    mut draft: Draft,
) -> Result<Reply, Problem> {
    if FIELDS.iter().all(|(key, _)| *key != step) {
        return visit.missing().await;
    }
    let workspace = visit.app.shared.workspace();
    if draft.get("destination").is_empty()
        && let Some(first) = workspace.project.destinations.first()
    {
        draft.set("destination", &first.key);
    }
    let fields = match step {
        "attributes" | "review" => super::rules::fields(visit).await?,
        _ => Fields::default(),
    };
    if draft.get("column.source").is_empty() && !fields.shown.is_empty() {
        recommend(&workspace, &fields, &mut draft);
        wizard.keep(visit, &draft)?;
    }
    let is_ready = !draft.get("segment").is_empty() && !draft.get("destination").is_empty();
    let preview = match step {
        "segments" => Preview::default(),
        _ if !is_ready => Preview::default(),
        _ => wizard::preview(visit, asked(visit, wizard, &draft, step)).await?,
    };
    let look = visit.look(&workspace).await?;
    let is_all = visit.query("all").is_some();
    let all = &workspace.project.segments;
    let is_shown = |(at, it): &(usize, &plan::project::Segment)| {
        is_all
            || step != "segments"
            || *at < SEGMENTS_FIRST
            || draft.all("segment").any(|key| key == it.key)
    };
    let shown: Vec<_> = all.iter().enumerate().filter(is_shown).map(|(_, it)| it).collect();
    let beyond = all.len() - shown.len();
    let shown = segments(&look, &shown, step == "segments").await?;
    let page = Activate {
        at: step.to_owned(),
        warnings: if step == "review" {
            warnings(&workspace, &draft, &preview)
        } else {
            Vec::new()
        },
        destinations: workspace
            .project
            .destinations
            .iter()
            .map(|it| (it.key.clone(), it.name.clone()))
            .collect(),
        segments: shown,
        segments_beyond: u64::try_from(beyond).unwrap_or(u64::MAX),
        fields: Fields { has_shares: visit.may_do("count_values"), ..fields.first() },
        changes: wizard.key.clone(),
        draft,
        preview,
    };
    let shell = visit.shell(&look).await?;
    if visit.is_part() {
        let part = if is_all { page.segment_list(shell.lang()) } else { page.beside(&shell) };
        return Ok(html(part));
    }
    Ok(visit.draw(page.draw(&shell)))
}

/// Segments of the project; with how many were in each where that is shown.
async fn segments(
    look: &crate::web::Look<'_>,
    shown: &[&plan::project::Segment],
    is_sized: bool,
) -> Result<Vec<Segment>, Problem> {
    let sized = if is_sized { shown } else { &[] };
    let keys: Vec<&str> = sized.iter().map(|segment| segment.key.as_str()).collect();
    let sizes = look.ledger.segment_sizes(&keys, 1).await?;
    let sizes: BTreeMap<&str, u64> =
        sizes.iter().map(|size| (size.segment.as_str(), size.members)).collect();
    let segment = |it: &&plan::project::Segment| Segment {
        key: it.key.clone(),
        name: it.name.clone(),
        members: sizes.get(it.key.as_str()).copied(),
    };
    Ok(shown.iter().map(segment).collect())
}

/// A mapping to begin with: who it is, then a few fields, the first of them mandatory.
fn recommend(workspace: &Workspace, fields: &Fields, draft: &mut Draft) {
    let fields: Vec<String> = fields.shown.iter().map(|field| field.path.clone()).collect();
    let datasets = workspace.project.profile_datasets();
    let identities: Vec<String> =
        datasets.flat_map(|it| &it.identities).map(|it| it.field.to_string()).collect();
    let mut chosen: Vec<&String> = Vec::new();
    for field in identities.iter().chain(&fields) {
        if chosen.len() < RECOMMENDED && fields.contains(field) && !chosen.contains(&field) {
            chosen.push(field);
        }
    }
    let column = |(number, source): (usize, &&String)| {
        let rule = if number == 0 { "mandatory" } else { "" };
        [(*source).clone(), String::new(), rule.to_owned()]
    };
    let columns = chosen.iter().enumerate().map(column).collect();
    set_columns(draft, columns);
}

/// The key of the activation: of what is changed, as it was written, or out of the destination's.
fn key(workspace: &Workspace, wizard: &Wizard, draft: &Draft) -> String {
    if let Some(key) = &wizard.key {
        return key.clone();
    }
    let wanted = match key_of(draft.get("key")) {
        wanted if wanted.is_empty() => key_of(draft.get("destination")),
        wanted => wanted,
    };
    fresh(&wanted, |key| workspace.project.activation(key).is_some())
}

/// The activation as it would stand in the project file. What it says already, `before`, and the wizard
/// does not ask for, stays.
fn activation_of(draft: &Draft, before: &Value) -> Value {
    let exports = before["segments"].as_array().cloned().unwrap_or_default();
    let segment = |key: &str| {
        let of = |what: &str, otherwise: &'static str| -> String {
            draft.or(&format!("{what}.{key}"), otherwise).trim().to_owned()
        };
        let known = exports.iter().find(|it| it["segment"] == key).and_then(Value::as_object);
        let mut export = known.cloned().unwrap_or_default();
        put(&mut export, "segment", key);
        put(&mut export, "file_name", &of("file_name", FILE_NAME));
        put(&mut export, "export", &of("export", "full"));
        let zone = of("zone", "");
        let zone = if zone.is_empty() { draft.or("zone", "UTC") } else { &zone };
        let schedule = export.remove("schedule");
        let frequency = of("frequency", "daily");
        if frequency != "none" {
            let mut schedule =
                schedule.as_ref().and_then(Value::as_object).cloned().unwrap_or_default();
            for name in ["at", "every", "cron", "start", "end"] {
                schedule.remove(name);
            }
            put(&mut schedule, "frequency", &frequency);
            match frequency.as_str() {
                "cron" => put(&mut schedule, "cron", &of("cron", "0 6 * * *")),
                _ => put(&mut schedule, "at", &of("at", "06:00")),
            }
            if frequency == "hourly" {
                let every = of("every", "1");
                let hours = every.parse::<u8>().map_or(Value::from(every), Value::from);
                schedule.insert("every".to_owned(), hours);
            }
            put(&mut schedule, "start", &of("start", ""));
            put(&mut schedule, "end", &of("end", ""));
            put(&mut schedule, "zone", zone);
            export.insert("schedule".to_owned(), schedule.into());
        }
        Value::from(export)
    };
    let segments: Vec<Value> = draft.all("segment").map(segment).collect();
    let column = |[source, target, rule]: Column| {
        let mut column = Map::new();
        match source.trim().strip_prefix('=') {
            Some(expression) => put(&mut column, "expression", expression.trim()),
            None => put(&mut column, "source", source.trim()),
        }
        put(&mut column, "target", target.trim());
        if matches!(rule.as_str(), "mandatory" | "both") {
            column.insert("mandatory".to_owned(), true.into());
        }
        if matches!(rule.as_str(), "deduplicate" | "both") {
            column.insert("deduplicate".to_owned(), true.into());
        }
        Value::from(column)
    };
    let mapping: Vec<Value> = columns(draft).into_iter().map(column).collect();
    let mut activation = before.as_object().cloned().unwrap_or_default();
    put(&mut activation, "destination", draft.get("destination"));
    activation.insert("segments".to_owned(), segments.into());
    activation.insert("mapping".to_owned(), mapping.into());
    let guard = activation.remove("guard");
    let mut guard = guard.as_ref().and_then(Value::as_object).cloned().unwrap_or_default();
    for name in GUARDS {
        guard.remove(name);
        let text = draft.get(name).trim();
        if text.is_empty() {
            continue;
        }
        let value = match (name, text.parse::<u64>()) {
            ("min_rows" | "max_rows", Ok(rows)) => Value::from(rows),
            // A bare number is a share as well.
            (_, Ok(percent)) => Value::from(format!("{percent}%")),
            _ => Value::from(text),
        };
        guard.insert(name.to_owned(), value);
    }
    if !guard.is_empty() {
        activation.insert("guard".to_owned(), guard.into());
    }
    activation.into()
}

/// The draft that an activation would have come from.
fn draft_of(activation: &Value) -> Draft {
    let mut draft = Draft::default();
    let mut add = |name: String, value: &Value| {
        let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        if !value.is_null() {
            draft.0.push((name, text));
        }
    };
    let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
    add("destination".to_owned(), &activation["destination"]);
    let segments = list(&activation["segments"]);
    let zones = segments.iter().map(|it| &it["schedule"]["zone"]);
    let zone = zones.clone().find(|zone| !zone.is_null()).cloned().unwrap_or_default();
    add("zone".to_owned(), &zone);
    for it in &segments {
        let Some(key) = it["segment"].as_str() else { continue };
        add("segment".to_owned(), &it["segment"]);
        let schedule = &it["schedule"];
        let frequency = match schedule.is_null() {
            true => &Value::from("none"),
            false => &schedule["frequency"],
        };
        add(format!("frequency.{key}"), frequency);
        for name in ["at", "every", "cron", "start", "end"] {
            add(format!("{name}.{key}"), &schedule[name]);
        }
        if !schedule["zone"].is_null() && schedule["zone"] != zone {
            add(format!("zone.{key}"), &schedule["zone"]);
        }
        add(format!("export.{key}"), &it["export"]);
        add(format!("file_name.{key}"), &it["file_name"]);
    }
    for name in GUARDS {
        add(name.to_owned(), &activation["guard"][name]);
    }
    for column in list(&activation["mapping"]) {
        let source = match (&column, column["expression"].as_str()) {
            (Value::String(_), _) => column.clone(),
            (_, Some(expression)) => Value::from(format!("= {expression}")),
            _ => column["source"].clone(),
        };
        let rule = match (column["mandatory"] == true, column["deduplicate"] == true) {
            (true, true) => "both",
            (true, false) => "mandatory",
            (false, true) => "deduplicate",
            (false, false) => "",
        };
        add("column.source".to_owned(), &source);
        add("column.target".to_owned(), &column["target"].as_str().unwrap_or_default().into());
        add("column.rule".to_owned(), &rule.into());
    }
    draft
}

/// What the activation says as it is kept now, if one is changed.
fn before(visit: &Visit, wizard: &Wizard) -> Value {
    let workspace = visit.app.shared.workspace();
    let key = wizard.key.as_deref().unwrap_or_default();
    workspace.stored(Section::Activations, key).map(objects::value).unwrap_or_default()
}

/// What is asked to see what the draft would come to.
fn asked(visit: &Visit, wizard: &Wizard, draft: &Draft, step: &str) -> Value {
    let workspace = visit.app.shared.workspace();
    let key = key(&workspace, wizard, draft);
    let mut activation = activation_of(draft, &before(visit, wizard));
    if step == "schedule" && columns(draft).is_empty() {
        // The columns come next; until then whoever it is will do.
        let primary = workspace.project.profile_datasets().next();
        let primary = primary.and_then(|it| it.identities.first());
        let primary = primary.map(|it| it.field.to_string()).unwrap_or_default();
        activation["mapping"] = json!([{ "source": primary, "mandatory": true }]);
    }
    json!({
        "activations": { key.as_str(): activation },
        "activation": key,
        "rows": if step == "schedule" { 0 } else { LINES },
        "count": step == "review",
    })
}

fn warnings(workspace: &Workspace, draft: &Draft, preview: &Preview) -> Vec<Warning> {
    let mut found = Vec::new();
    if preview.segments.iter().any(|segment| segment.is_static) {
        found.push(Warning::StaticName);
    }
    let mut identities = workspace.project.profile_datasets().flat_map(|it| &it.identities);
    let columns = columns(draft);
    let is_mapped = |field: String| {
        columns.iter().any(|[source, ..]| *source == field || source.starts_with("identityMap"))
    };
    if !identities.any(|identity| is_mapped(identity.field.to_string())) {
        found.push(Warning::NoIdentity);
    }
    if GUARDS.iter().all(|name| draft.get(name).trim().is_empty()) {
        found.push(Warning::NoGuard);
    }
    found
}

async fn finish(visit: &Visit, wizard: &Wizard, draft: &Draft) -> Result<Reply, Problem> {
    let key = key(&visit.app.shared.workspace(), wizard, draft);
    let definition = activation_of(draft, &before(visit, wizard));
    if wizard.key.is_none() {
        let body = json!({ "key": key, "definition": definition });
        visit.perform("add_activation", &[], Some(body)).await?;
    } else {
        let send = |go: &str| Send {
            action: wizard.step("review"),
            fields: vec![("go".to_owned(), go.to_owned())],
        };
        let wanted = Wanted {
            section: Section::Activations,
            key: &key,
            revision: Wizard::revision(draft),
            definition,
            save: send("next"),
            go_on: send("stay"),
        };
        if let Some(conflict) = edits::save(visit, wanted).await? {
            return Ok(conflict);
        }
    }
    wizard.forget(visit);
    Ok(done(&format!("/activations/{key}"), Said::Saved))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn draft(fields: &[(&str, &str)]) -> Draft {
        Draft(
            fields.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect(),
        )
    }

    #[test]
    fn a_draft_becomes_what_would_stand_in_the_file() {
        let mut draft = draft(&[
            ("destination", "partner"),
            ("segment", "luxury"),
            ("segment", "young"),
            ("frequency.luxury", "weekly"),
            ("at.luxury", "07:30"),
            ("zone", "Europe/Paris"),
            ("frequency.young", "none"),
            ("min_rows", "10"),
        ]);
        add_column(&mut draft, "crm_id");
        add_column(&mut draft, "email");
        add_column(&mut draft, "email");
        add_column(&mut draft, "= points / 100");
        move_column(&mut draft, "up", 1);
        move_column(&mut draft, "up", 0);
        move_column(&mut draft, "drop", 7);
        insta::assert_snapshot!(activation_of(&draft, &Value::Null), @r#"{"destination":"partner","segments":[{"segment":"luxury","file_name":"%SEGMENT_NAME%_%DATETIME(yyyyMMddHHmmss)%","export":"full","schedule":{"frequency":"weekly","at":"07:30","zone":"Europe/Paris"}},{"segment":"young","file_name":"%SEGMENT_NAME%_%DATETIME(yyyyMMddHHmmss)%","export":"full"}],"mapping":[{"source":"email"},{"source":"crm_id"},{"expression":"points / 100"}],"guard":{"min_rows":10}}"#);
        same_for_all(&mut draft);
        assert_eq!(draft.get("frequency.young"), "weekly");
    }

    #[test]
    fn several_segments_get_what_was_filled_in_for_them() {
        let mut draft = draft(&[
            ("segment", "a"),
            ("segment", "b"),
            ("segment", "c"),
            ("at.a", "05:00"),
            ("frequency.b", "weekly"),
            ("bulk.segment", "a"),
            ("bulk.segment", "c"),
            ("bulk.frequency", "monthly"),
            ("bulk.at", ""),
            ("bulk.file_name", " %SEGMENT_NAME% "),
        ]);
        same_for_some(&mut draft);
        let of = |what: &str| ["a", "b", "c"].map(|key| draft.get(&format!("{what}.{key}")));
        assert_eq!(of("frequency"), ["monthly", "weekly", "monthly"]);
        assert_eq!(of("at"), ["05:00", "", ""], "what is left empty stays");
        assert_eq!(of("file_name"), ["%SEGMENT_NAME%", "", "%SEGMENT_NAME%"]);
    }

    #[test]
    fn what_is_changed_comes_back_as_it_was() {
        let before = json!({
            "id": "7b0a5f1e-8a35-5c1d-b8f1-0e7f4f3a9c21",
            "destination": "partner",
            "segments": [
                { "segment": "luxury", "file_name": "%SEGMENT_NAME%", "export": "changes", "leavers": "never",
                  "schedule": { "frequency": "hourly", "every": 3, "at": "00:30", "zone": "Europe/Paris", "catch_up": "all", "start": "2026-01-01" } },
                { "segment": "young", "file_name": "young", "export": "full",
                  "schedule": { "frequency": "cron", "cron": "0 6 * * 1", "zone": "UTC" } },
                { "segment": "all", "file_name": "all", "export": "full" },
            ],
            "mapping": [
                { "source": "crm_id", "mandatory": true, "deduplicate": true },
                { "expression": "points / 100", "target": "tier" },
            ],
            "guard": { "min_rows": 10, "max_shrink": "50%", "max_excluded": "5%" },
        });
        let draft = draft_of(&before);
        assert_eq!(activation_of(&draft, &before), before);
        // Nothing of what the wizard does not ask for is lost when something else changes.
        let mut changed = draft;
        changed.set("at.luxury", "01:00");
        changed.set("min_rows", "");
        let after = activation_of(&changed, &before);
        let members: Vec<String> =
            objects::members(&before, &after).into_iter().map(|it| it.pointer).collect();
        assert_eq!(members, ["/segments/0/schedule/at", "/guard/min_rows"]);
    }
}
