//! Trying a rule, and making it a segment.

use plan::Section;
use plan::project::Segment;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use ui::page::editing::Send;
use ui::page::fields::{Field, Fields, Press, share};
use ui::page::rule::{Changes, Counted, Fault, Found, Rule, Saving};
use ui::shell::Said;

use super::edits::{self, Wanted};
use super::visit::{Visit, done, html};
use super::wizard::{fresh, key_of};
use crate::app::objects;
use crate::http::answers::fields::Values;
use crate::http::answers::rules::RuleTried;
use crate::http::problem::{Code, Problem};
use crate::http::request::Reply;
use crate::workspace::Workspace;

/// How many members are shown.
const SAMPLE: usize = 8;

/// The fields of profiles, as the API gives them.
#[derive(Deserialize)]
struct Given {
    fields: Vec<GivenField>,
}

#[derive(Deserialize)]
struct GivenField {
    path: String,
    r#type: String,
}

/// The fields of profiles.
pub(super) async fn fields(visit: &Visit) -> Result<Fields, Problem> {
    let given = visit.read::<Given>("get_schema", &[]).await?.fields;
    let field = |it: GivenField| Field { path: it.path, kind: it.r#type };
    Ok(Fields::all(given.into_iter().map(field).collect()))
}

/// All fields, for a page that began with the first of them.
pub(super) async fn all_fields(visit: Visit) -> Result<Reply, Problem> {
    let press = visit.query("for").and_then(Press::parse).unwrap_or(Press::Insert);
    let tree = fields(&visit).await?.tree(visit.lang(), press);
    Ok(html(tree))
}

/// How many profiles have a value in the fields that are seen, for a page that stands already.
pub(super) async fn shares(visit: Visit) -> Result<Reply, Problem> {
    let fields: Vec<&str> = visit
        .fields()
        .iter()
        .filter(|(name, _)| name == "field")
        .map(|(_, it)| it.as_str())
        .collect();
    let counted: Values = visit.ask("count_values", &[], Some(json!({ "fields": fields }))).await?;
    let locale = visit.locale();
    let told: Map<String, Value> = counted
        .fields
        .into_iter()
        .map(|it| {
            let [said, title] = share(&locale, it.present, counted.profiles);
            (it.path, json!({ "text": said, "title": title }))
        })
        .collect();
    Reply::json(&told)
}

/// The editor, empty or with the rule of a segment, or as it was when it could not be saved.
pub(super) async fn page(visit: Visit) -> Result<Reply, Problem> {
    if !visit.fields().is_empty() {
        return tried(visit).await;
    }
    let workspace = visit.app.shared.workspace();
    let segment = visit.query("segment").and_then(|key| workspace.project.segment(key));
    let (language, text) = match segment {
        Some(segment) => written(&workspace, segment),
        None => ("sql", String::new()),
    };
    let found = to_come(&text);
    drawn(&visit, text, language, found).await
}

/// Exactly how many are in a segment and a few of them, masked, for a page that stands already.
pub(super) async fn sample(visit: Visit) -> Result<Reply, Problem> {
    let workspace = visit.app.shared.workspace();
    let Some(segment) = workspace.project.segment(visit.parameter("key")) else {
        return visit.missing().await;
    };
    let (language, text) = written(&workspace, segment);
    let found = of(&visit, &text, language).await?;
    let look = visit.look(&workspace).await?;
    let shell = visit.shell(&look).await?;
    let (language, fields) = (language.to_owned(), Fields::default());
    Ok(html(Rule { text, language, fields, found, saving: None }.found(&shell)))
}

/// A rule as somebody wrote it.
fn written(workspace: &Workspace, segment: &Segment) -> (&'static str, String) {
    let stored = workspace.stored(Section::Segments, &segment.key).map(objects::value);
    match stored.as_ref().and_then(|it| it["pql"].as_str()) {
        Some(pql) => ("pql", pql.to_owned()),
        None => ("sql", segment.rule.text.clone()),
    }
}

/// What came of a rule: on the page, or alone for the script that asks while somebody types.
pub(super) async fn tried(visit: Visit) -> Result<Reply, Problem> {
    let (text, language) = (visit.field("rule").to_owned(), language(&visit));
    let found = of(&visit, &text, language).await?;
    drawn(&visit, text, language, found).await
}

fn language(visit: &Visit) -> &'static str {
    if visit.field("language") == "pql" { "pql" } else { "sql" }
}

/// What the page of a rule begins with: it does not wait for everybody to be counted.
fn to_come(text: &str) -> Found {
    if text.trim().is_empty() { Found::NotAsked } else { Found::ToCome }
}

async fn of(visit: &Visit, text: &str, language: &str) -> Result<Found, Problem> {
    match text.trim().is_empty() {
        true => Ok(Found::NotAsked),
        false => asked(visit, text, language).await,
    }
}

/// Makes a segment of a rule.
pub(super) async fn add(visit: Visit) -> Result<Reply, Problem> {
    let workspace = visit.app.shared.workspace();
    let is_taken = |key: &str| workspace.project.segment(key).is_some();
    let name = visit.field("name").trim();
    if name.is_empty() && visit.field("key").trim().is_empty() {
        return Err(Problem::new(Code::InvalidValue, "The segment needs a name.")
            .hint("Write one above the rule."));
    }
    let key = match key_of(visit.field("key")) {
        // One that was written is meant; one that is made of the name evades those that there are.
        key if key.is_empty() => {
            let wanted = Some(key_of(name)).filter(|key| !key.is_empty());
            fresh(&wanted.unwrap_or_else(|| "segment".to_owned()), is_taken)
        }
        key => key,
    };
    let body = json!({ "key": key, "definition": definition(&visit, &Value::Null) });
    visit.perform("add_segment", &[], Some(body)).await?;
    Ok(done(&format!("/segments/{key}"), Said::Saved))
}

/// The editor with a segment that is kept here.
pub(super) async fn edit(visit: Visit) -> Result<Reply, Problem> {
    if !visit.fields().is_empty() {
        return tried(visit).await;
    }
    let workspace = visit.app.shared.workspace();
    let key = visit.parameter("key").to_owned();
    let Some(segment) = workspace.project.segment(&key) else { return visit.missing().await };
    let Some(stored) = workspace.stored(Section::Segments, &key) else {
        return Err(in_file("segment", &key));
    };
    let (language, text) = written(&workspace, segment);
    let found = to_come(&text);
    let saving = Saving {
        changes: Some(Changes { key, revision: stored.revision.to_string() }),
        name: segment.name.clone(),
        key: String::new(),
    };
    drawn_with(&visit, text, language, found, Some(saving)).await
}

/// What the project file has is changed there.
pub(super) fn in_file(what: &str, key: &str) -> Problem {
    let detail = format!("The {what} `{key}` is in the project file, and is read-only here.");
    Problem::new(Code::ReadOnly, detail)
        .hint("Change the file; the server reads it again within half a minute.")
}

/// Saves a segment that was changed.
pub(super) async fn change(visit: Visit) -> Result<Reply, Problem> {
    let key = visit.parameter("key").to_owned();
    let workspace = visit.app.shared.workspace();
    let before = workspace.stored(Section::Segments, &key).map(objects::value);
    let kept = ["name", "rule", "language", "segment", "revision"]
        .map(|name| (name.to_owned(), visit.field(name).to_owned()));
    let send = |action: String| Send { action, fields: kept.to_vec() };
    let wanted = Wanted {
        section: Section::Segments,
        key: &key,
        revision: visit.field("revision"),
        definition: definition(&visit, &before.unwrap_or_default()),
        save: send(format!("/segments/{key}/edit")),
        go_on: send("/rule".to_owned()),
    };
    match edits::save(&visit, wanted).await? {
        Some(conflict) => Ok(conflict),
        None => Ok(done(&format!("/segments/{key}"), Said::Saved)),
    }
}

/// The segment as it would stand in the project file: what it says already, with the name and the rule of
/// the form.
fn definition(visit: &Visit, before: &Value) -> Value {
    let mut definition = before.as_object().cloned().unwrap_or_default();
    for name in ["rule", "rule_file", "pql", "pql_file"] {
        definition.remove(name);
    }
    let rule = if language(visit) == "pql" { "pql" } else { "rule" };
    definition.insert(rule.to_owned(), visit.field("rule").into());
    match visit.field("name").trim() {
        "" => drop(definition.remove("name")),
        name => drop(definition.insert("name".to_owned(), name.into())),
    }
    definition.into()
}

async fn asked(visit: &Visit, text: &str, language: &str) -> Result<Found, Problem> {
    let key = if language == "pql" { "pql" } else { "rule" };
    let body = json!({ "definition": { key: text }, "sample": SAMPLE });
    let tried: RuleTried = visit.ask("try_rule", &[], Some(body)).await?;
    Ok(match tried.problem {
        Some(problem) => Found::Wrong(Fault {
            message: problem.message,
            hint: problem.hint,
            place: match (problem.line, problem.column, problem.length) {
                (Some(line), Some(column), Some(length)) => Some((line, column, length)),
                _ => None,
            },
        }),
        None => Found::Counted(Counted {
            members: tried.members.unwrap_or_default(),
            profiles: tried.profiles.unwrap_or_default(),
            columns: tried.columns,
            rows: tried.rows,
        }),
    })
}

async fn drawn(
    visit: &Visit,
    text: String,
    language: &str,
    found: Found,
) -> Result<Reply, Problem> {
    let saving = visit.may_do("add_segment").then(|| Saving {
        changes: Some(visit.field("segment")).filter(|key| !key.is_empty()).map(|key| Changes {
            key: key.to_owned(),
            revision: visit.field("revision").to_owned(),
        }),
        name: visit.field("name").to_owned(),
        key: visit.field("key").to_owned(),
    });
    drawn_with(visit, text, language, found, saving).await
}

async fn drawn_with(
    visit: &Visit,
    text: String,
    language: &str,
    found: Found,
    saving: Option<Saving>,
) -> Result<Reply, Problem> {
    let workspace = visit.app.shared.workspace();
    let look = visit.look(&workspace).await?;
    let shell = visit.shell(&look).await?;
    let mut page =
        Rule { text, language: language.to_owned(), fields: Fields::default(), found, saving };
    if visit.is_part() {
        return Ok(html(page.found(&shell)));
    }
    page.fields = fields(visit).await?.first();
    Ok(visit.draw(page.draw(&shell)))
}
