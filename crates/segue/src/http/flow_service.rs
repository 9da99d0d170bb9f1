//! The face that Adobe's Flow Service shows, so that scripts written for it can be pointed here: the
//! same paths and bodies, the same operations behind them as behind `/api/v1`, and no state but what is
//! half made.
//!
//! A base connection is an account, a target connection a destination, and a flow an activation; the
//! source connection is always the project's profiles. A flow that has no segment or no attribute yet
//! is no activation: it is kept as a note until it has both ([`drafts`]).
//!
//! Reading order: [`flow`] is the document of a flow, [`segments`] and [`columns`] say what its parts
//! mean in the project file, [`patch`] edits it, and the other files answer requests.

mod columns;
pub(crate) mod connections;
mod drafts;
mod flow;
pub(crate) mod flows;
mod id;
pub(crate) mod mapping_sets;
mod patch;
pub(crate) mod runs;
mod segments;
pub(crate) mod targets;
#[cfg(test)]
mod tests;

use http::{HeaderMap, HeaderValue, header};
use ledger::Definition;
use plan::Section;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use uuid::Uuid;

pub(crate) use flow::FlowBody;
use id::Id;
pub(crate) use patch::Operation;

use super::problem::{Code, Pointed, Problem};
use super::request::Reply;
use crate::app::objects::Version;
use crate::workspace::Workspace;

/// The connection specifications of Amazon S3: of 2023 and later, and of 2021.
const S3_SPECS: [&str; 2] =
    ["4fce964d-3f37-408f-9778-e597338a21ee", "4890fc95-5a1f-4983-94bb-e060c08e3f81"];
/// The flow specifications that go with them.
const FLOW_SPECS: [&str; 2] =
    ["269ba276-16fc-47db-92b0-c1049a3c131f", "71471eba-b620-49e4-90fd-23f1fa0174d8"];
/// The connection specification of the profiles.
const PROFILES_SPEC: &str = "8a9c3494-9708-43d7-ae3f-cda01e5030e1";
/// The most keys of one name that are told apart by a number.
const SAME_NAMES_MAX: u32 = 1_000;
/// The longest key that is made from a name.
const KEY_CHARS_MAX: usize = 48;

/// Names a specification.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Spec {
    id: String,
    #[serde(default = "first_version")]
    version: String,
}

fn first_version() -> String {
    "1.0".to_owned()
}

impl Spec {
    fn of(id: &str) -> Self {
        Self { id: id.to_owned(), version: first_version() }
    }

    fn is_one_of(&self, known: &[&str]) -> bool {
        known.iter().any(|known| self.id.eq_ignore_ascii_case(known))
    }

    /// Refuses a specification of something else than is meant.
    fn expect(&self, known: &[&str], pointer: &str, what: &str) -> Result<(), Problem> {
        if self.is_one_of(known) {
            return Ok(());
        }
        let detail = format!("`{}` is not the specification of {what}.", self.id);
        Err(misfit(pointer, detail, format!("Segue knows: {}.", known.join(", "))))
    }
}

/// Something that was made or changed.
#[derive(Serialize, JsonSchema)]
pub(crate) struct Made {
    id: Id,
    /// The version, quoted as `If-Match` takes it
    etag: String,
}

impl Made {
    fn reply(id: Id, revision: Option<u64>, status: http::StatusCode) -> Result<Reply, Problem> {
        let etag = etag(revision);
        let reply = Reply::json(&Self { id, etag: etag.clone() })?.with_status(status);
        Ok(tagged(reply, &etag))
    }
}

/// What is told of everything besides what it is.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct Common {
    id: Id,
    name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<String>,
    /// enabled, disabled, or draft: a flow without segment, or without attributes
    state: String,
    /// The version, quoted as `If-Match` takes it
    etag: String,
    /// The same
    version: String,
    /// Milliseconds since 1970
    #[serde(skip_serializing_if = "Option::is_none")]
    created_at: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    updated_at: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    created_by: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    updated_by: Option<String>,
}

impl Common {
    /// `stored` is nothing for what the project file says.
    fn of(id: Id, key_or_name: &str, state: &str, stored: Option<&Definition>) -> Self {
        let definition = stored.map(crate::app::objects::value).unwrap_or_default();
        let text = |key: &str| definition[key].as_str().map(str::to_owned);
        let etag = etag(stored.map(|it| it.revision));
        Self {
            id,
            name: text("name").unwrap_or_else(|| key_or_name.to_owned()),
            description: text("description"),
            state: state.to_owned(),
            version: etag.clone(),
            etag,
            created_at: stored.map(|it| it.created.as_millisecond()),
            updated_at: stored.map(|it| it.changed.as_millisecond()),
            created_by: stored.map(|it| it.creator.clone()),
            updated_by: stored.map(|it| it.changer.clone()),
        }
    }
}

/// A list; one thing is a list of one.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "{T}List")]
pub(crate) struct Items<T> {
    items: Vec<T>,
}

/// The version of something, with its quotes; of what the project file says there is one version.
fn etag(revision: Option<u64>) -> String {
    revision.map_or_else(|| "\"file\"".to_owned(), |revision| format!("\"{revision}\""))
}

fn tagged(mut reply: Reply, etag: &str) -> Reply {
    if let Ok(value) = HeaderValue::from_str(etag) {
        reply.headers.insert(header::ETAG, value);
    }
    reply
}

/// The version that a request was made for. Scripts send the ETag as the body gave it, with or without
/// its quotes.
fn version(headers: &HeaderMap) -> Version {
    let Some(value) = headers.get(header::IF_MATCH) else { return Version::Unnamed };
    let text = value.to_str().unwrap_or_default();
    match text.trim_matches(['"', '\\', ' ']) {
        "*" => Version::Any,
        number => number.parse().map_or(Version::Unknown, Version::Of),
    }
}

/// The same where none has to be named.
fn version_or_any(headers: &HeaderMap) -> Version {
    match version(headers) {
        Version::Unnamed => Version::Any,
        named => named,
    }
}

/// A member of the body that does not fit.
fn misfit(pointer: &str, detail: impl Into<String>, hint: impl Into<String>) -> Problem {
    let (detail, hint) = (detail.into(), hint.into());
    let mut problem = Problem::new(Code::InvalidValue, detail.clone()).hint(hint.clone());
    problem.errors.push(Pointed {
        pointer: Some(pointer.to_owned()),
        place: "body".to_owned(),
        code: "flow_service".to_owned(),
        detail,
        hint: Some(hint),
    });
    problem
}

/// The id of something that has none in the project: the same for the same project and key.
fn derived_id(workspace: &Workspace, what: &str) -> Id {
    let name = format!("segue/{}/{what}", workspace.project.name);
    Id(Uuid::new_v5(&Uuid::NAMESPACE_OID, name.as_bytes()))
}

/// The key of a new object: its name in small letters, with a number if that is taken.
fn free_key(workspace: &Workspace, section: Section, name: &str) -> Result<String, Problem> {
    let project = &workspace.project;
    let is_taken = |key: &str| match section {
        Section::Segments => project.segment(key).is_some(),
        Section::Accounts => project.account(key).is_some(),
        Section::Destinations => project.destination(key).is_some(),
        Section::Activations => project.activation(key).is_some(),
    };
    let plain = slug(name, section);
    let numbered = (2..=SAME_NAMES_MAX).map(|number| format!("{plain}-{number}"));
    let mut keys = std::iter::once(plain.clone()).chain(numbered);
    keys.find(|key| !is_taken(key)).ok_or_else(|| {
        let detail = format!("There are {SAME_NAMES_MAX} of the name `{name}` already.");
        Problem::new(Code::Conflict, detail).hint("Choose another name.")
    })
}

/// A name as a key: letters and digits, and a hyphen for everything between.
fn slug(name: &str, section: Section) -> String {
    let mut key = String::new();
    for c in name.chars() {
        if key.len() >= KEY_CHARS_MAX {
            break;
        }
        if c.is_ascii_alphanumeric() {
            key.push(c.to_ascii_lowercase());
        } else if !key.is_empty() && !key.ends_with('-') {
            key.push('-');
        }
    }
    let key = key.trim_end_matches('-');
    if key.is_empty() { section.noun().to_owned() } else { key.to_owned() }
}

/// Sets a member unless there is nothing to set.
fn put(object: &mut serde_json::Map<String, Value>, key: &str, value: Option<impl Into<Value>>) {
    if let Some(value) = value {
        object.insert(key.to_owned(), value.into());
    }
}
