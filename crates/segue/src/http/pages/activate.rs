//! Activating segments: a draft becomes an activation, by the API's operation.

mod columns;
mod definition;
mod schedule;

use std::collections::{BTreeMap, HashMap};

use plan::Section;
use serde_json::{Value, json};
use ui::page::activate::{Activate, FIELDS, GUARDS, Segment, Shown, Warning};
use ui::page::fields::Fields;
use ui::page::wizard::{Draft, Preview};

use self::columns::{add_column, columns, move_column, recommend};
use self::definition::{activation_of, draft_of};
use super::edits::{self, Wanted};
use super::visit::{Visit, html, see_other};
use super::wizard::{self, Wizard, fresh, key_of};
use crate::app::objects;
use crate::http::problem::{Code, Problem};
use crate::http::request::Reply;
use crate::workspace::Workspace;

/// How many segments the list of them begins with.
const SEGMENTS_FIRST: usize = 50;
/// How many lines are shown.
const LINES: usize = 6;

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
    let step = visit.parameter("step").to_owned();
    if let Some(reply) = wizard.astray(&draft, &step, &FIELDS) {
        return Ok(reply);
    }
    drawn(&visit, &wizard, &step, draft).await
}

/// Keeps what was filled in, and goes on.
pub(super) async fn step(visit: Visit) -> Result<Reply, Problem> {
    let wizard = wizard(&visit);
    let turn = wizard.turn(&visit).await;
    if turn.is_some()
        && let Some(reply) = wizard.led(&visit).await?
    {
        return Ok(reply);
    }
    let Some((at, mut draft)) = wizard.filled(&visit, &FIELDS) else {
        return visit.missing().await;
    };
    let step = FIELDS[at].0;
    if step == "schedule" {
        schedule::put(&mut draft, visit.fields());
    }
    let shown = shown(&visit);
    let (what, value) = visit.field("go").split_once(':').unwrap_or((visit.field("go"), ""));
    let mut refused = None;
    match what {
        "same" => schedule::same_for_all(&mut draft),
        "bulk" => {
            let (found, _) = looked_at(&visit, &draft, &shown);
            refused = schedule::same_for_some(&mut draft, &found).err();
        }
        "add" => add_column(&mut draft, value),
        "up" | "down" | "drop" => {
            move_column(&mut draft, what, value.parse().unwrap_or(usize::MAX))
        }
        _ => {}
    }
    if matches!(what, "bulk" | "next" | "back") && refused.is_none() {
        schedule::forget_bulk(&mut draft);
    }
    // Whatever is refused, what was filled in is kept.
    wizard.keep(&visit, &draft)?;
    if let Some(problem) = refused {
        return Err(problem);
    }
    if visit.is_part() {
        return drawn(&visit, &wizard, step, draft).await;
    }
    if what == "next" && step == "segments" && draft.get("segment").is_empty() {
        return Err(
            Problem::new(Code::InvalidValue, "No segment is chosen.").hint("Tick at least one.")
        );
    }
    if matches!((step, what), ("schedule" | "review", "from" | "find" | "bulk" | "same" | "")) {
        let from = match what {
            "from" => value.parse().unwrap_or_default(),
            "find" => 0,
            _ => shown.from,
        };
        return Ok(see_other(&address(&wizard.step(step), &Shown { from, ..shown })));
    }
    match wizard.way(&visit, &FIELDS, at, what) {
        Some(reply) => Ok(reply),
        None => finish(&visit, &wizard, &draft).await,
    }
}

/// Which of the chosen segments the visitor looks at.
fn shown(visit: &Visit) -> Shown {
    let of = |name| visit.query(name).unwrap_or_else(|| visit.field(name)).to_owned();
    Shown { find: of("find"), from: of("from").parse().unwrap_or_default() }
}

/// The address of a step with those segments.
fn address(step: &str, shown: &Shown) -> String {
    let query = url::form_urlencoded::Serializer::new(String::new())
        .append_pair("from", &shown.from.to_string())
        .append_pair("find", &shown.find)
        .finish();
    format!("{step}?{query}")
}

/// The chosen segments that are looked for, and those of them that are shown.
fn looked_at(visit: &Visit, draft: &Draft, shown: &Shown) -> (Vec<String>, Vec<String>) {
    let workspace = visit.app.shared.workspace();
    let segments = &workspace.project.segments;
    let names: HashMap<&str, &str> =
        segments.iter().map(|it| (it.key.as_str(), it.name.as_str())).collect();
    let named = draft.all("segment").map(|key| (key, names.get(key).copied().unwrap_or(key)));
    let (found, part) = shown.of(named);
    let found: Vec<String> = found.into_iter().map(str::to_owned).collect();
    let seen = found[part.range()].to_vec();
    (found, seen)
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
    wizard.mark(visit, step, &mut draft)?;
    let workspace = visit.app.shared.workspace();
    if draft.get("destination").is_empty()
        && let Some(first) = workspace.project.destinations.first()
    {
        draft.set("destination", &first.key);
    }
    let has_columns = !draft.get("column.source").is_empty();
    let fields = match step {
        "attributes" => super::rules::fields(visit).await?,
        "review" if !has_columns => super::rules::fields(visit).await?,
        _ => Fields::default(),
    };
    if !has_columns && !fields.shown.is_empty() {
        recommend(&workspace, &fields, &mut draft);
        wizard.keep(visit, &draft)?;
    }
    let is_ready = !draft.get("segment").is_empty() && !draft.get("destination").is_empty();
    let place = shown(visit);
    let only = match step {
        // What the form shows, if somebody types in it.
        "schedule" if visit.is_part() => {
            let fields = visit.fields().iter().filter(|(name, _)| name == "shown");
            fields.map(|(_, key)| key.clone()).collect()
        }
        "schedule" | "review" => looked_at(visit, &draft, &place).1,
        _ => draft.all("segment").take(1).map(str::to_owned).collect(),
    };
    let is_counted = step == "review" && visit.query("counted").is_some();
    let preview = match step {
        "segments" => Preview::default(),
        _ if !is_ready => Preview::default(),
        _ => {
            // The page does not wait for the first lines, which are read when it stands.
            let is_read = visit.is_part() || visit.query("lines").is_some();
            let rows = if (step == "attributes" && is_read) || is_counted { LINES } else { 0 };
            let asked = asked(visit, wizard, &draft, step);
            let wanted = json!({ "rows": rows, "count": is_counted, "only": only });
            wizard::preview(visit, joined(asked, wanted)).await?
        }
    };
    let look = visit.look(&workspace).await?;
    let is_all = visit.query("all").is_some();
    let all = &workspace.project.segments;
    let first = if is_all || step != "segments" { all.len() } else { SEGMENTS_FIRST };
    let shown: Vec<_> = all.iter().take(first).collect();
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
        shown: place,
        may_sample: visit.may_do("try_rule"),
    };
    let shell = visit.shell(&look).await?;
    if visit.is_part() {
        return Ok(html(match (is_all, is_counted) {
            (true, _) => page.segment_list(shell.lang()),
            (_, true) => page.counted(&shell),
            _ => page.beside(&shell),
        }));
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
    })
}

fn joined(mut one: Value, other: Value) -> Value {
    if let (Some(members), Value::Object(more)) = (one.as_object_mut(), other) {
        members.extend(more);
    }
    one
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
    if !columns.iter().any(|[.., rule]| matches!(rule.as_str(), "deduplicate" | "both")) {
        found.push(Warning::NoUnique);
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
        let send = |go: &str| wizard.send(draft, go);
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
    wizard.end(visit, draft, &format!("/activations/{key}")).await
}
