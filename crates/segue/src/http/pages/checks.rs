//! A check of a destination, told in the words of the reader, permission by permission as each is tried.

use bytes::Bytes;
use futures::StreamExt as _;
use serde_json::{Value, json};
use ui::shell::Notice;

use super::visit::Visit;
use crate::ambient;
use crate::http::problem::Problem;
use crate::http::request::{Content, Reply};
use crate::web;

/// Checks a destination and tells what is found while it is found. At last comes the page as it is then.
pub(super) async fn live(visit: Visit) -> Result<Reply, Problem> {
    let key = visit.parameter("key").to_owned();
    let reply = visit.perform("check_destination_events", &[("key", &key)], None).await?;
    let Content::Events(events) = reply.content else { return Ok(reply) };
    let told = events.then(move |event| {
        let (visit, key) = (visit.clone(), key.clone());
        async move { told(&visit, &key, event).await }
    });
    Ok(Reply::of(Content::Events(Box::pin(told))))
}

/// An event of the API as one for the page: what to draw, and where.
async fn told(visit: &Visit, key: &str, event: Bytes) -> Bytes {
    let text = String::from_utf8_lossy(&event);
    let parts = text.strip_prefix("event: ").and_then(|rest| rest.split_once("\ndata: "));
    // Comments keep the connection open.
    let Some((name, data)) = parts else { return event };
    let data: Value = serde_json::from_str(data.trim_end()).unwrap_or_default();
    let lang = visit.lang();
    let (name, key, html) = match name {
        "begun" => {
            let all = data["permissions"].as_array().cloned().unwrap_or_default();
            let rows = all.iter().map(|it| web::finding(it).waiting_row(lang).0);
            ("rows", String::new(), rows.collect::<String>())
        }
        "permission" => {
            let finding = web::finding(&data);
            ("row", finding.action.clone(), finding.row(lang).0)
        }
        _ => match page(visit, key, name, &data).await {
            Ok(page) => ("page", String::new(), page),
            // The page asks again, and is told.
            Err(_) => ("failed", String::new(), String::new()),
        },
    };
    Bytes::from(format!("event: {name}\ndata: {}\n\n", json!({ "key": key, "html": html })))
}

/// The page as it is after the check.
async fn page(visit: &Visit, key: &str, name: &str, data: &Value) -> Result<String, Problem> {
    let workspace = visit.app.shared.workspace();
    let look = visit.look(&workspace).await?;
    let found = workspace.project.destination(key);
    let found = found.ok_or_else(|| Problem::not_found("destination", key))?;
    let mut page = web::destination(&look, found).await?;
    let mut shell = visit.shell(&look).await?;
    shell.here = format!("/destinations/{key}");
    if name == "checked" {
        page.check = Some(web::check(&data["report"], ambient::now()));
    } else {
        let text = |name: &str| data[name].as_str().map(str::to_owned);
        shell.notice = Some(Notice::Problem {
            code: text("code").unwrap_or_default(),
            detail: text("detail").unwrap_or_default(),
            hint: text("hint"),
        });
    }
    Ok(page.draw(&shell).0)
}
