//! Pages that show.

use jiff::Timestamp;
use serde::Deserialize;
use ui::page::audit::{Audit, Entry, Outcome};
use ui::page::runs::Filter;

use super::visit::{Visit, html};
use crate::http::problem::Problem;
use crate::http::request::Reply;
use crate::http::routes;
use crate::web::{self, Wanted};
use crate::workspace::Workspace;

/// Most pages: what stands at the path, from the project and the ledger.
pub(super) async fn page(visit: Visit) -> Result<Reply, Problem> {
    let workspace = visit.app.shared.workspace();
    let look = visit.look(&workspace).await?;
    let shell = visit.shell(&look).await?;
    // What is in the path was decoded once; keys of the project hold no slashes.
    let path = match visit.parameters.first() {
        Some((_, value)) => {
            format!("{}/{value}", visit.path.rsplit_once('/').map_or("", |(before, _)| before))
        }
        None => visit.path.clone(),
    };
    match web::page(&look, &shell, &path).await? {
        Some(page) => Ok(visit.draw(page)),
        None => visit.missing().await,
    }
}

/// The list of runs, narrowed to what is asked for.
pub(super) async fn runs(visit: Visit) -> Result<Reply, Problem> {
    let workspace = visit.app.shared.workspace();
    let look = visit.look(&workspace).await?;
    let shell = visit.shell(&look).await?;
    let chosen = |name: &str| visit.query(name).map(str::to_owned);
    // What is no day is not asked for; browsers send days.
    let day = |name: &str| visit.query(name).and_then(|text| text.parse().ok());
    let wanted = Wanted {
        filter: Filter {
            activation: chosen("activation"),
            segment: chosen("segment").map(|text| segment_key(&workspace, &text)),
            destination: chosen("destination"),
            state: chosen("state"),
            from: day("from"),
            to: day("to"),
        },
        behind: visit.query("behind").and_then(|id| id.parse().ok()),
    };
    let runs = web::runs(&look, &wanted).await?;
    Ok(visit.draw(runs.draw(&shell)))
}

/// The key of a segment that is named by its key or its name.
fn segment_key(workspace: &Workspace, text: &str) -> String {
    let project = &workspace.project;
    let named = || project.segments.iter().find(|segment| segment.name == text);
    let found = project.segment(text).or_else(named);
    found.map_or_else(|| text.to_owned(), |segment| segment.key.clone())
}

/// The names of segments, for the list of runs.
pub(super) async fn segment_choices(visit: Visit) -> Result<Reply, Problem> {
    let workspace = visit.app.shared.workspace();
    let segments = &workspace.project.segments;
    let names: Vec<&str> = segments.iter().map(|segment| segment.name.as_str()).collect();
    Ok(html(ui::page::runs::segment_choices(&names)))
}

/// The list of entries, as the API gives it.
#[derive(Deserialize)]
struct Listed {
    items: Vec<Item>,
    next: Option<String>,
}

#[derive(Deserialize)]
struct Item {
    number: u64,
    at: Timestamp,
    actor: String,
    action: String,
    object: String,
    outcome: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Chain {
    broken_at: Option<u64>,
}

pub(super) async fn audit(visit: Visit) -> Result<Reply, Problem> {
    let query: Vec<(&str, &str)> =
        visit.query("cursor").map(|it| ("cursor", it)).into_iter().collect();
    let listed: Listed = visit.read("list_audit", &query).await?;
    // Only what is shown: the log grows, and a page should not.
    let number = |item: Option<&Item>| item.map_or(1, |item| item.number).to_string();
    let (first, last) = (number(listed.items.last()), number(listed.items.first()));
    let shown = [("first", first.as_str()), ("last", last.as_str())];
    let chain: Chain = visit.read("check_audit", &shown).await?;
    let entry = |item: Item| Entry {
        number: item.number,
        at: item.at,
        who: item.actor,
        what: item.action,
        about: routes::percent_decoded(&item.object),
        outcome: match item.outcome.as_str() {
            "allowed" => Outcome::Done,
            "unavailable" | "unknown" => Outcome::Unfinished,
            status if status.starts_with('2') => Outcome::Done,
            _ => Outcome::Refused,
        },
    };
    let audit = Audit {
        entries: listed.items.into_iter().map(entry).collect(),
        broken_at: chain.broken_at,
        older: listed.next.map(|cursor| format!("/audit?cursor={cursor}")),
    };
    let workspace = visit.app.shared.workspace();
    let look = visit.look(&workspace).await?;
    let shell = visit.shell(&look).await?;
    Ok(visit.draw(audit.draw(&shell)))
}
