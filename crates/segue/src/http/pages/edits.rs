//! Changing and removing what the server keeps, and what is shown when somebody else did so meanwhile.

use plan::Section;
use plan::stored::to_yaml;
use serde_json::{Value, json};
use ui::page::editing::{Conflict, Member, Send};
use ui::shell::{Place, Said};

use super::visit::{Visit, done};
use crate::app::objects;
use crate::http::problem::{Code, Problem};
use crate::http::request::Reply;

/// A change as the visitor wants it.
pub(super) struct Wanted<'a> {
    pub(super) section: Section,
    pub(super) key: &'a str,
    /// The version that it was made for.
    pub(super) revision: &'a str,
    /// What the object is to say.
    pub(super) definition: Value,
    /// The form that saves it, and the one that leads back to editing it.
    pub(super) save: Send,
    pub(super) go_on: Send,
}

/// Saves a change, and returns nothing if that was done. If somebody else changed the object meanwhile
/// the answer is a page with both versions.
pub(super) async fn save(visit: &Visit, wanted: Wanted<'_>) -> Result<Option<Reply>, Problem> {
    let operation = match wanted.section {
        Section::Segments => "change_segment",
        Section::Accounts => "change_account",
        Section::Destinations => "change_destination",
        Section::Activations => "change_activation",
    };
    let body = json!({ "definition": wanted.definition });
    match visit.edit(operation, wanted.key, wanted.revision, Some(body)).await {
        Ok(_) => Ok(None),
        Err(problem) if problem.code == Code::PreconditionFailed => {
            let kept = visit.app.shared.ledger.definitions().await?;
            let is_it = |it: &&ledger::Definition| {
                it.section == wanted.section.as_str() && it.key == wanted.key
            };
            let Some(stored) = kept.items.iter().find(is_it) else { return Err(problem) };
            conflict(visit, wanted, stored).await.map(Some)
        }
        Err(problem) => Err(problem),
    }
}

async fn conflict(
    visit: &Visit,
    wanted: Wanted<'_>,
    stored: &ledger::Definition,
) -> Result<Reply, Problem> {
    let Wanted { section, key, definition, save, go_on, .. } = wanted;
    let theirs = objects::value(stored);
    let said = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let member = |it: objects::Member| Member {
        place: it.pointer.trim_start_matches('/').replace('/', "."),
        theirs: it.before.as_ref().map(said),
        yours: it.after.as_ref().map(said),
    };
    let members = objects::members(&theirs, &definition).into_iter().map(member).collect();
    let place = match section {
        Section::Segments => Place::Segments,
        Section::Activations => Place::Activations,
        Section::Accounts | Section::Destinations => Place::Destinations,
    };
    // Whoever saves now has seen the version that there is.
    let seen = |mut send: Send| {
        send.fields.retain(|(name, _)| name != "revision");
        send.fields.push(("revision".to_owned(), stored.revision.to_string()));
        send
    };
    let page = Conflict {
        place,
        name: definition["name"].as_str().unwrap_or(key).to_owned(),
        url: format!("/{}/{key}", section.as_str()),
        changed_by: stored.changer.clone(),
        changed_at: stored.changed,
        members,
        theirs: to_yaml(&theirs),
        yours: to_yaml(&definition),
        save: seen(save),
        go_on: seen(go_on),
    };
    let workspace = visit.app.shared.workspace();
    let look = visit.look(&workspace).await?;
    let shell = visit.shell(&look).await?;
    let shell = ui::Shell { here: page.url.clone(), ..shell };
    Ok(visit.draw(page.draw(&shell)).with_status(Code::PreconditionFailed.status()))
}

pub(super) async fn remove_segment(visit: Visit) -> Result<Reply, Problem> {
    remove(&visit, "remove_segment", "/segments").await
}

pub(super) async fn remove_destination(visit: Visit) -> Result<Reply, Problem> {
    remove(&visit, "remove_destination", "/destinations").await
}

pub(super) async fn remove_account(visit: Visit) -> Result<Reply, Problem> {
    remove(&visit, "remove_account", "/destinations").await
}

pub(super) async fn remove_activation(visit: Visit) -> Result<Reply, Problem> {
    remove(&visit, "remove_activation", "/activations").await
}

async fn remove(visit: &Visit, operation: &str, list: &str) -> Result<Reply, Problem> {
    visit.edit(operation, visit.parameter("key"), visit.field("revision"), None).await?;
    Ok(done(list, Said::Removed))
}
