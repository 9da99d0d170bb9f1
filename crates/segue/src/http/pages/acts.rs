//! What forms do. Each of them is one operation of the API.

use serde::Deserialize;
use serde_json::{Value, json};
use ui::page::segment::Count;
use ui::shell::Said;

use super::visit::{Visit, done};
use crate::ambient;
use crate::http::answers::replays::Replayed;
use crate::http::problem::Problem;
use crate::http::request::Reply;
use crate::web;

/// Slots that were asked for, as the API gives them.
#[derive(Deserialize)]
struct Slots {
    items: Vec<Slot>,
}

#[derive(Deserialize)]
struct Slot {
    segment: String,
    slot: jiff::Timestamp,
}

/// Runs an activation now, and leads to the run if there is one.
pub(super) async fn run(visit: Visit) -> Result<Reply, Problem> {
    let key = visit.parameter("key").to_owned();
    ask_for(&visit, &key, json!({})).await
}

/// Tries a run again.
pub(super) async fn retry(visit: Visit) -> Result<Reply, Problem> {
    let id = visit.parameter("id");
    let missing = || Problem::not_found("run", id);
    let run_id = id.parse().map_err(|_| missing())?;
    let detail = visit.app.shared.ledger.run(run_id).await?.ok_or_else(missing)?;
    let body = json!({ "segments": [detail.run.segment], "slot": detail.run.slot.to_string() });
    ask_for(&visit, &detail.run.activation, body).await
}

/// Sends the segment of a run again, as it is now.
pub(super) async fn again(visit: Visit) -> Result<Reply, Problem> {
    let id = visit.parameter("id");
    let missing = || Problem::not_found("run", id);
    let run_id = id.parse().map_err(|_| missing())?;
    let detail = visit.app.shared.ledger.run(run_id).await?.ok_or_else(missing)?;
    let body = json!({ "segments": [detail.run.segment] });
    ask_for(&visit, &detail.run.activation, body).await
}

/// Makes the files of a run again, and puts them back if they are gone.
pub(super) async fn replay(visit: Visit) -> Result<Reply, Problem> {
    let id = visit.parameter("id");
    let replayed: Replayed = visit.ask("replay_run", &[("id", id)], None).await?;
    let said = if replayed.is_written { Said::PutBack } else { Said::StillThere };
    Ok(done(&format!("/runs/{id}"), said))
}

/// Lets a run go on that a guard stopped.
pub(super) async fn release(visit: Visit) -> Result<Reply, Problem> {
    let id = visit.parameter("id");
    visit.perform("release_run", &[("id", id)], None).await?;
    Ok(done(&format!("/runs/{id}"), Said::RunAsked))
}

/// Ends a run that a guard stopped.
pub(super) async fn reject(visit: Visit) -> Result<Reply, Problem> {
    let id = visit.parameter("id");
    let reason = Some(visit.field("reason").trim()).filter(|reason| !reason.is_empty());
    let body = json!({ "reason": reason.unwrap_or("rejected on the page of the run") });
    visit.perform("reject_run", &[("id", id)], Some(body)).await?;
    Ok(done(&format!("/runs/{id}"), Said::Rejected))
}

async fn ask_for(visit: &Visit, activation: &str, body: Value) -> Result<Reply, Problem> {
    let asked: Slots = visit.ask("run_activation", &[("key", activation)], Some(body)).await?;
    let workspace = visit.app.shared.workspace();
    let path = match asked.items.as_slice() {
        [only] => {
            let plan = workspace.project.run_plan(activation, &only.segment, only.slot);
            plan.map_or_else(|_| "/runs".to_owned(), |plan| format!("/runs/{}", plan.run_id))
        }
        _ => format!("/runs?activation={activation}"),
    };
    Ok(done(&path, Said::RunAsked))
}

pub(super) async fn pause(visit: Visit) -> Result<Reply, Problem> {
    toggle(&visit, "disable_activation", Said::Paused).await
}

pub(super) async fn enable(visit: Visit) -> Result<Reply, Problem> {
    toggle(&visit, "enable_activation", Said::Enabled).await
}

async fn toggle(visit: &Visit, operation: &str, said: Said) -> Result<Reply, Problem> {
    let key = visit.parameter("key");
    visit.perform(operation, &[("key", key)], None).await?;
    Ok(done(&format!("/activations/{key}"), said))
}

/// What a check found, as the API gives it.
#[derive(Deserialize)]
struct Checked {
    report: Value,
}

/// Checks a destination, and shows what was found on its page.
pub(super) async fn check(visit: Visit) -> Result<Reply, Problem> {
    let key = visit.parameter("key").to_owned();
    let checked: Checked = visit.ask("check_destination", &[("key", &key)], None).await?;
    let workspace = visit.app.shared.workspace();
    let look = visit.look(&workspace).await?;
    let found = workspace.project.destination(&key);
    let found = found.ok_or_else(|| Problem::not_found("destination", &key))?;
    let mut page = web::destination(&look, found).await?;
    page.check = Some(web::check(&checked.report, ambient::now()));
    let shell = visit.shell(&look).await?;
    Ok(visit.draw(page.draw(&at(shell, format!("/destinations/{key}")))))
}

/// The size of a segment, as the API gives it.
#[derive(Deserialize)]
struct Counted {
    members: u64,
    profiles: u64,
}

/// Counts a segment, and shows it on its page.
pub(super) async fn count(visit: Visit) -> Result<Reply, Problem> {
    let key = visit.parameter("key").to_owned();
    let counted: Counted = visit.ask("count_segment", &[("key", &key)], None).await?;
    let workspace = visit.app.shared.workspace();
    let look = visit.look(&workspace).await?;
    let found = workspace.project.segment(&key);
    let found = found.ok_or_else(|| Problem::not_found("segment", &key))?;
    let shell = visit.shell(&look).await?;
    let mut page = web::segment(&look, &shell.locale, found).await?;
    page.count = Some(Count {
        members: counted.members,
        profiles: counted.profiles,
        columns: Vec::new(),
        rows: Vec::new(),
    });
    Ok(visit.draw(page.draw(&at(shell, format!("/segments/{key}")))))
}

/// The frame of a page that answers a form: to come back to it is to come back to the page.
fn at(shell: ui::Shell, here: String) -> ui::Shell {
    ui::Shell { here, ..shell }
}
