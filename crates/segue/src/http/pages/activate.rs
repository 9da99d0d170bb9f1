//! Activating segments: a draft becomes an activation, by the API's operation.

use serde_json::{Map, Value, json};
use ui::page::activate::{Activate, FIELDS, FILE_NAME, Segment, Warning};
use ui::page::wizard::{Draft, Preview};
use ui::shell::Said;

use super::visit::{Visit, done, html, see_other};
use super::wizard::{self, fresh, key_of, put};
use crate::http::problem::{Code, Problem};
use crate::http::request::Reply;
use crate::workspace::Workspace;

const WIZARD: &str = "activate";
/// How many lines are shown.
const LINES: usize = 6;
/// How many fields a new mapping begins with.
const RECOMMENDED: usize = 6;

/// Begins where the draft is, with a destination or a segment if one is named.
pub(super) async fn begin(visit: Visit) -> Result<Reply, Problem> {
    let mut draft = wizard::load(&visit, WIZARD);
    for name in ["destination", "segment"] {
        if let Some(value) = visit.query(name) {
            draft.set(name, value);
        }
    }
    wizard::keep(&visit, WIZARD, &draft)?;
    Ok(see_other("/activate/segments"))
}

pub(super) async fn page(visit: Visit) -> Result<Reply, Problem> {
    let draft = wizard::load(&visit, WIZARD);
    let step = visit.parameter("step").to_owned();
    drawn(&visit, &step, draft).await
}

/// Keeps what was filled in, and goes on.
pub(super) async fn step(visit: Visit) -> Result<Reply, Problem> {
    let Some((at, mut draft)) = wizard::filled(&visit, WIZARD, &FIELDS) else {
        return visit.missing().await;
    };
    let step = FIELDS[at].0;
    let (what, value) = visit.field("go").split_once(':').unwrap_or((visit.field("go"), ""));
    match what {
        "same" => same_for_all(&mut draft),
        "add" => add_column(&mut draft, value),
        "up" | "down" | "drop" => {
            move_column(&mut draft, what, value.parse().unwrap_or(usize::MAX))
        }
        _ => {}
    }
    wizard::keep(&visit, WIZARD, &draft)?;
    if visit.is_part() {
        return drawn(&visit, step, draft).await;
    }
    if what == "next" && step == "segments" && draft.get("segment").is_empty() {
        return Err(
            Problem::new(Code::InvalidValue, "No segment is chosen.").hint("Tick at least one.")
        );
    }
    match wizard::way(&visit, WIZARD, &FIELDS, at, what, "/activations") {
        Some(reply) => Ok(reply),
        None => finish(&visit, &draft).await,
    }
}

/// Gives every segment the schedule, the mode and the file name of the first.
fn same_for_all(draft: &mut Draft) {
    let segments: Vec<String> = draft.all("segment").map(str::to_owned).collect();
    let Some((first, others)) = segments.split_first() else { return };
    for what in ["frequency", "at", "export", "file_name"] {
        let value = draft.get(&format!("{what}.{first}")).to_owned();
        for other in others {
            draft.set(&format!("{what}.{other}"), &value);
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

async fn drawn(visit: &Visit, step: &str, mut draft: Draft) -> Result<Reply, Problem> {
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
        _ => Vec::new(),
    };
    if draft.get("column.source").is_empty() && !fields.is_empty() {
        recommend(&workspace, &fields, &mut draft);
        wizard::keep(visit, WIZARD, &draft)?;
    }
    let is_ready = !draft.get("segment").is_empty() && !draft.get("destination").is_empty();
    let preview = match step {
        "segments" => Preview::default(),
        _ if !is_ready => Preview::default(),
        _ => wizard::preview(visit, asked(&workspace, &draft, step)).await?,
    };
    let look = visit.look(&workspace).await?;
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
        segments: segments(&look).await?,
        fields,
        draft,
        preview,
    };
    let shell = visit.shell(&look).await?;
    if visit.is_part() {
        return Ok(html(page.beside(&shell)));
    }
    Ok(visit.draw(page.draw(&shell)))
}

async fn segments(look: &crate::web::Look<'_>) -> Result<Vec<Segment>, Problem> {
    let sizes = look.ledger.segment_sizes(None, 1).await?;
    let segment = |it: &plan::project::Segment| Segment {
        key: it.key.clone(),
        name: it.name.clone(),
        members: sizes.iter().find(|size| size.segment == it.key).map(|size| size.members),
    };
    Ok(look.workspace.project.segments.iter().map(segment).collect())
}

/// A mapping to begin with: who it is, then a few fields, the first of them mandatory.
fn recommend(workspace: &Workspace, fields: &[String], draft: &mut Draft) {
    let datasets = workspace.project.profile_datasets();
    let identities: Vec<String> =
        datasets.flat_map(|it| &it.identities).map(|it| it.field.to_string()).collect();
    let mut chosen: Vec<&String> = Vec::new();
    for field in identities.iter().chain(fields) {
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

/// The key of the activation: as it was written, or out of the destination's.
fn key(workspace: &Workspace, draft: &Draft) -> String {
    let wanted = match key_of(draft.get("key")) {
        wanted if wanted.is_empty() => key_of(draft.get("destination")),
        wanted => wanted,
    };
    fresh(&wanted, |key| workspace.project.activation(key).is_some())
}

/// The activation as it would stand in the project file.
fn activation_of(draft: &Draft) -> Value {
    let zone = draft.or("zone", "UTC");
    let segment = |key: &str| {
        let of = |what: &str, otherwise: &'static str| -> String {
            draft.or(&format!("{what}.{key}"), otherwise).to_owned()
        };
        let mut export = Map::new();
        put(&mut export, "segment", key);
        put(&mut export, "file_name", &of("file_name", FILE_NAME));
        put(&mut export, "export", &of("export", "full"));
        let frequency = of("frequency", "daily");
        if frequency != "none" {
            let mut schedule = Map::new();
            put(&mut schedule, "frequency", &frequency);
            put(&mut schedule, "at", &of("at", "06:00"));
            put(&mut schedule, "zone", zone);
            if frequency == "hourly" {
                schedule.insert("every".to_owned(), 1.into());
            }
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
    let mut activation = json!({
        "destination": draft.get("destination"), "segments": segments, "mapping": mapping,
    });
    if let Ok(rows) = draft.get("min_rows").trim().parse::<u64>() {
        activation["guard"] = json!({ "min_rows": rows });
    }
    activation
}

/// What is asked to see what the draft would come to.
fn asked(workspace: &Workspace, draft: &Draft, step: &str) -> Value {
    let key = key(workspace, draft);
    let mut activation = activation_of(draft);
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
    if draft.get("min_rows").trim().is_empty() {
        found.push(Warning::NoGuard);
    }
    found
}

async fn finish(visit: &Visit, draft: &Draft) -> Result<Reply, Problem> {
    let key = key(&visit.app.shared.workspace(), draft);
    let body = json!({ "key": key, "definition": activation_of(draft) });
    visit.perform("add_activation", &[], Some(body)).await?;
    wizard::forget(visit, WIZARD);
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
        insta::assert_snapshot!(activation_of(&draft), @r#"{"destination":"partner","segments":[{"segment":"luxury","file_name":"%SEGMENT_NAME%_%DATETIME(yyyyMMddHHmmss)%","export":"full","schedule":{"frequency":"weekly","at":"07:30","zone":"Europe/Paris"}},{"segment":"young","file_name":"%SEGMENT_NAME%_%DATETIME(yyyyMMddHHmmss)%","export":"full"}],"mapping":[{"source":"email"},{"source":"crm_id"},{"expression":"points / 100"}],"guard":{"min_rows":10}}"#);
        same_for_all(&mut draft);
        assert_eq!(draft.get("frequency.young"), "weekly");
    }
}
