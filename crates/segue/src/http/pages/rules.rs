//! Trying a rule.

use serde::Deserialize;
use serde_json::json;
use ui::page::rule::{Counted, Fault, Found, Rule};

use super::visit::{Visit, html};
use crate::http::answers::rules::RuleTried;
use crate::http::problem::Problem;
use crate::http::request::Reply;

/// How many members are shown.
const SAMPLE: usize = 8;

/// The fields of profiles, as the API gives them.
#[derive(Deserialize)]
struct Fields {
    fields: Vec<Field>,
}

#[derive(Deserialize)]
struct Field {
    path: String,
}

/// The fields of profiles.
pub(super) async fn fields(visit: &Visit) -> Result<Vec<String>, Problem> {
    let fields = visit.read::<Fields>("get_schema", &[]).await?.fields;
    Ok(fields.into_iter().map(|field| field.path).collect())
}

/// The editor, empty or with the rule of a segment.
pub(super) async fn page(visit: Visit) -> Result<Reply, Problem> {
    let workspace = visit.app.shared.workspace();
    let segment = visit.query("segment").and_then(|key| workspace.project.segment(key));
    let text = segment.map(|segment| segment.rule.text.clone()).unwrap_or_default();
    let found = match text.is_empty() {
        true => Found::NotAsked,
        false => asked(&visit, &text, "sql").await?,
    };
    drawn(&visit, text, "sql", found).await
}

/// What came of a rule: on the page, or alone for the script that asks while somebody types.
pub(super) async fn tried(visit: Visit) -> Result<Reply, Problem> {
    let (text, language) = (visit.field("rule").to_owned(), visit.field("language").to_owned());
    let found = match text.trim().is_empty() {
        true => Found::NotAsked,
        false => asked(&visit, &text, &language).await?,
    };
    drawn(&visit, text, &language, found).await
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
    let workspace = visit.app.shared.workspace();
    let look = visit.look(&workspace).await?;
    let shell = visit.shell(&look).await?;
    let mut page = Rule { text, language: language.to_owned(), fields: Vec::new(), found };
    if visit.is_part() {
        return Ok(html(page.found(&shell)));
    }
    page.fields = fields(visit).await?;
    Ok(visit.draw(page.draw(&shell)))
}
