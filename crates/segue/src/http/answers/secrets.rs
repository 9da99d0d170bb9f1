//! Secrets: they go in and never come out.

use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::ambient;
use crate::failure::Failure;
use crate::http::App;
use crate::http::problem::{Code, Problem};
use crate::http::request::{Ask, Reply};
use crate::secrets::Entry;
use crate::server;

/// What may be told of a secret.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Secret {
    /// Definitions refer to it as `${secret:NAME}`
    name: String,
    set_at: String,
    /// The id of the master key that it is sealed under
    key_id: String,
}

/// Secrets.
#[derive(Serialize, JsonSchema)]
pub(crate) struct Secrets {
    items: Vec<Secret>,
}

/// A secret to be stored.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewSecret {
    /// The secret itself; it is sealed and not shown again
    #[schemars(length(min = 1, max = 65_536))]
    value: String,
}

impl Secret {
    fn of(entry: Entry) -> Self {
        Self { name: entry.name, set_at: entry.set.to_string(), key_id: entry.key_id }
    }
}

pub(crate) async fn list(app: Arc<App>, _: Ask) -> Result<Reply, Problem> {
    let entries = app.shared.workspace().secret_store().list()?;
    Reply::json(&Secrets { items: entries.into_iter().map(Secret::of).collect() })
}

/// Stores a secret. The master key has to be there: one that is made by a request would lie beside
/// what it seals without anybody having decided so.
pub(crate) async fn put(app: Arc<App>, ask: Ask) -> Result<Reply, Problem> {
    let NewSecret { value } = ask.json()?;
    let value = Zeroizing::new(value);
    let name = ask.parameter("name");
    check_name(name)?;
    let entry = keep(&app, name, &value).await?;
    // A project that cannot be read just now is the planner's to tell.
    drop(server::reload(&app.shared).await);
    Reply::json(&Secret::of(entry))
}

/// Stores a secret under a good name.
pub(in crate::http) async fn keep(
    app: &App,
    name: &str,
    value: &Zeroizing<String>,
) -> Result<Entry, Problem> {
    let store = app.shared.workspace().secret_store();
    if !store.can_seal() {
        return Err(no_key());
    }
    let makes_key = store.makes_key();
    let entry = store.set(name, value, ambient::now()).map_err(invalid)?;
    if makes_key {
        let place = store.key_place();
        // Whoever runs the server has to know of it: without it the secrets cannot be opened.
        tracing::warn!(place, "a master key was made; keep a copy of it away from other backups");
    }
    Ok(entry)
}

pub(crate) async fn remove(app: Arc<App>, ask: Ask) -> Result<Reply, Problem> {
    let name = ask.parameter("name");
    let workspace = app.shared.workspace();
    let store = workspace.secret_store();
    if !store.list()?.iter().any(|entry| entry.name == name) {
        return Err(Problem::not_found("secret", name));
    }
    if workspace.source.text.contains(&format!("${{secret:{name}}}")) {
        return Err(Problem::new(Code::Conflict, "The project refers to this secret.")
            .hint("Change what refers to it first."));
    }
    if server::channels::needs(&workspace, name)? {
        return Err(Problem::new(Code::Conflict, "Alerts are sent with this secret.")
            .hint("Change where alerts go first."));
    }
    store.remove(name)?;
    Ok(Reply::nothing())
}

/// Nothing can be sealed.
pub(super) fn no_key() -> Problem {
    Problem::new(Code::Conflict, "The master key that secrets are sealed under cannot be read.").hint(
        "Bring back the file that holds it, or name it with SEGUE_MASTER_KEY_FILE for the server.",
    )
}

fn check_name(name: &str) -> Result<(), Problem> {
    if plan::is_secret_name(name) {
        return Ok(());
    }
    Err(Problem::at_parameter(
        "name",
        "A name has 1 to 64 letters, digits, dots, hyphens or underscores, and begins with a letter or digit.",
    ))
}

fn invalid(failure: Failure) -> Problem {
    match failure.kind {
        crate::failure::Kind::Usage => Problem::at_member("/value", failure.one_line()),
        _ => failure.into(),
    }
}
