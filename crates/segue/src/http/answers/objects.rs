//! Objects that are kept in the ledger: made, changed, removed, and brought to what somebody wants.
//!
//! They are read where all objects are read; what is here changes them.

use std::sync::Arc;

use http::{HeaderMap, HeaderValue, StatusCode, header};
use plan::Section;
use plan::stored::to_yaml;
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::ambient;
use crate::app::objects::{self, Edit, Editor, Found, Name, Note, Refused, Version, Wanted};
use crate::http::App;
use crate::http::openapi::definition_of;
use crate::http::problem::{Code, Pointed, Problem};
use crate::http::request::{Ask, Reply};
use crate::server;
use crate::workspace::Workspace;

/// What is told of an object besides what it says.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Kept {
    /// Whether the project file has it, so that it is changed there and not here
    read_only: bool,
    /// Of one that is kept here: the number of its last change, which is its ETag as well
    revision: Option<u64>,
    /// Of one that is kept here: what would stand in the project file
    definition: Option<Value>,
    changed_at: Option<String>,
    changed_by: Option<String>,
}

impl Kept {
    pub(super) fn of(workspace: &Workspace, section: Section, key: &str) -> Self {
        let stored = workspace.stored(section, key);
        Self {
            read_only: stored.is_none(),
            revision: stored.map(|it| it.revision),
            definition: stored.map(objects::value),
            changed_at: stored.map(|it| it.changed.to_string()),
            changed_by: stored.map(|it| it.changer.clone()),
        }
    }
}

/// The ETag of an object: the revision of one that is kept here, a digest of the project for one of
/// the file.
pub(super) fn tagged(reply: Reply, workspace: &Workspace, section: Section, key: &str) -> Reply {
    let tag = match workspace.stored(section, key) {
        Some(stored) => revision_tag(stored.revision),
        None => {
            let digest = blake3::hash(workspace.source.text.as_bytes()).to_hex();
            format!("\"file-{}\"", &digest[..16])
        }
    };
    with_tag(reply, &tag)
}

fn revision_tag(revision: u64) -> String {
    format!("\"{revision}\"")
}

fn with_tag(mut reply: Reply, tag: &str) -> Reply {
    if let Ok(value) = HeaderValue::from_str(tag) {
        reply.headers.insert(header::ETAG, value);
    }
    reply
}

/// An object to be made.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct New {
    key: String,
    definition: Value,
}

/// What an object becomes.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Changed {
    definition: Value,
}

/// The schemas of bodies, with the definition as the project file describes it.
macro_rules! bodies {
    ($($new:ident $changed:ident $definition:literal $noun:literal),*) => {$(
        #[doc = concat!("The schema of a new ", $noun, ".")]
        pub(crate) fn $new(_: &mut SchemaGenerator) -> Schema {
            body($definition, true)
        }
        #[doc = concat!("The schema of a changed ", $noun, ".")]
        pub(crate) fn $changed(_: &mut SchemaGenerator) -> Schema {
            body($definition, false)
        }
    )*};
}

bodies! {
    new_segment changed_segment "Segment" "segment",
    new_account changed_account "Account" "account",
    new_destination changed_destination "Destination" "destination",
    new_activation changed_activation "Activation" "activation"
}

fn body(definition: &str, has_key: bool) -> Schema {
    let mut properties = serde_json::Map::new();
    let mut required = vec!["definition"];
    if has_key {
        properties.insert(
            "key".to_owned(),
            serde_json::json!({ "type": "string", "description": "Its key in the project", "minLength": 1, "maxLength": 64 }),
        );
        required.insert(0, "key");
    }
    properties.insert("definition".to_owned(), definition_of(definition));
    schemars::json_schema!({
        "type": "object", "properties": properties, "required": required, "additionalProperties": false,
    })
}

/// What should be kept, in the shape of the project file.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(crate) struct Apply {
    #[serde(default)]
    segments: serde_json::Map<String, Value>,
    #[serde(default)]
    accounts: serde_json::Map<String, Value>,
    #[serde(default)]
    destinations: serde_json::Map<String, Value>,
    #[serde(default)]
    activations: serde_json::Map<String, Value>,
    /// Whether what is kept and not named here goes away
    #[serde(default)]
    prune: bool,
    /// Whether the differences are only told
    #[serde(default)]
    dry_run: bool,
}

/// What stands between what is kept and what should be.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Applied {
    /// Whether anything was changed
    applied: bool,
    /// The number of the last change
    revision: u64,
    differences: Vec<Difference>,
}

/// An object of both, or of one of them.
#[derive(Serialize, JsonSchema)]
pub(crate) struct Difference {
    /// segments, accounts, destinations or activations
    section: String,
    key: String,
    /// add, change, remove, keep, leave (not pruned) or in-file (the project file has it)
    action: String,
    /// What differs
    members: Vec<Member>,
}

/// A member of a definition that differs.
#[derive(Serialize, JsonSchema)]
pub(crate) struct Member {
    /// Where, as a JSON Pointer
    pointer: String,
    before: Option<Value>,
    after: Option<Value>,
}

impl Difference {
    fn of(difference: &objects::Difference) -> Self {
        let member = |it: &objects::Member| Member {
            pointer: it.pointer.clone(),
            before: it.before.clone(),
            after: it.after.clone(),
        };
        Self {
            section: difference.name.0.as_str().to_owned(),
            key: difference.name.1.clone(),
            action: difference.action.as_str().to_owned(),
            members: difference.members.iter().map(member).collect(),
        }
    }
}

/// Everything that is kept, as it would stand in the project file.
#[derive(Serialize, JsonSchema)]
pub(crate) struct Objects {
    /// The number of the last change, which is the ETag as well
    revision: u64,
    /// By section and key
    objects: Value,
    /// The same as YAML, for the project file
    yaml: String,
}

pub(crate) async fn export(app: Arc<App>, _: Ask) -> Result<Reply, Problem> {
    let kept = app.shared.ledger.definitions().await?;
    let objects = objects::as_file(&kept);
    let is_empty = objects.as_object().is_none_or(serde_json::Map::is_empty);
    let yaml = if is_empty { String::new() } else { to_yaml(&objects) };
    let reply = Reply::json(&Objects { revision: kept.revision, objects, yaml })?;
    Ok(with_tag(reply, &revision_tag(kept.revision)))
}

pub(crate) async fn apply(app: Arc<App>, ask: Ask) -> Result<Reply, Problem> {
    let Apply { segments, accounts, destinations, activations, prune, dry_run } = ask.json()?;
    let sections = [
        (Section::Segments, segments),
        (Section::Accounts, accounts),
        (Section::Destinations, destinations),
        (Section::Activations, activations),
    ];
    let of_section = |(section, entries): (Section, serde_json::Map<String, Value>)| {
        entries.into_iter().map(move |(key, definition)| ((section, key), definition))
    };
    let wanted = Wanted { objects: sections.into_iter().flat_map(of_section).collect(), prune };
    // Differences tell what changes.
    objects::refuse_private_keys(wanted.objects.iter().map(|(name, it)| (name, it)))
        .map_err(|it| problem(it, "", None))?;
    let kept = app.shared.ledger.definitions().await?;
    if let Some(seen) = ask.headers.get(header::IF_MATCH)
        && seen.as_bytes() != b"*"
        && seen.as_bytes() != revision_tag(kept.revision).as_bytes()
    {
        return Err(Problem::new(Code::PreconditionFailed, "Objects were changed since.")
            .hint("Look at the differences again."));
    }
    let of_file = crate::workspace::File::read(&app.shared.global)?.keys().into_iter().collect();
    let found = objects::differences(&wanted, &kept, &of_file);
    let mut revision = kept.revision;
    let applied = !dry_run && found.iter().any(|it| it.action.changes());
    if applied {
        let edits = objects::edits(&wanted, &found);
        revision = edit(&app, &ask, &edits).await.map_err(|it| problem(it, "", None))?;
    }
    let differences = found.iter().map(Difference::of).collect();
    let reply = Reply::json(&Applied { applied, revision, differences })?;
    Ok(with_tag(reply, &revision_tag(revision)))
}

/// Makes edits, and has the server use what came of them at once.
async fn edit(app: &App, ask: &Ask, edits: &[Edit]) -> Result<u64, Refused> {
    edit_with(app, ask, edits, &[]).await
}

/// The same, with notes that are changed together with the objects.
pub(in crate::http) async fn edit_with(
    app: &App,
    ask: &Ask,
    edits: &[Edit],
    notes: &[Note],
) -> Result<u64, Refused> {
    let shared = &app.shared;
    let editor = Editor { global: &shared.global, ledger: &shared.ledger, turn: &shared.editing };
    let kept = editor.edit_with(edits, notes, &ask.actor.name, ambient::now()).await?;
    server::reload(shared).await?;
    shared.replan.notify_one();
    Ok(kept.revision)
}

/// Makes an object and answers as reading it would.
pub(super) async fn add(app: &Arc<App>, ask: &Ask, section: Section) -> Result<String, Problem> {
    let New { key, definition } = ask.json()?;
    let name = (section, key.clone());
    let edits = [Edit::Add(name.clone(), definition)];
    edit(app, ask, &edits).await.map_err(|it| problem(it, "/definition", Some(&name)))?;
    Ok(key)
}

/// Changes the object that the path names.
pub(super) async fn change(app: &Arc<App>, ask: &Ask, section: Section) -> Result<(), Problem> {
    let Changed { definition } = ask.json()?;
    let name = (section, ask.parameter("key").to_owned());
    let edits = [Edit::Replace(name.clone(), definition, version(&ask.headers))];
    edit(app, ask, &edits).await.map_err(|it| problem(it, "/definition", Some(&name)))?;
    Ok(())
}

/// Removes the object that the path names.
pub(super) async fn remove(app: &Arc<App>, ask: &Ask, section: Section) -> Result<Reply, Problem> {
    let name = (section, ask.parameter("key").to_owned());
    let edits = [Edit::Remove(name.clone(), version(&ask.headers))];
    edit(app, ask, &edits).await.map_err(|it| problem(it, "", Some(&name)))?;
    Ok(Reply::nothing())
}

/// The answer to an object that was made.
pub(super) fn created(mut reply: Reply, section: Section, key: &str) -> Reply {
    let key: String = url::form_urlencoded::byte_serialize(key.as_bytes()).collect();
    let path = format!("/api/v1/{}/{key}", section.as_str());
    if let Ok(value) = HeaderValue::from_str(&path) {
        reply.headers.insert(header::LOCATION, value);
    }
    reply.with_status(StatusCode::CREATED)
}

fn version(headers: &HeaderMap) -> Version {
    let Some(value) = headers.get(header::IF_MATCH) else { return Version::Unnamed };
    let text = value.to_str().unwrap_or_default().trim();
    if text == "*" {
        return Version::Any;
    }
    let number = text.strip_prefix('"').and_then(|it| it.strip_suffix('"'));
    number.and_then(|it| it.parse().ok()).map_or(Version::Unknown, Version::Of)
}

/// The problem of a refused edit. Pointers into the definition of `own` begin with `prefix`.
pub(in crate::http) fn problem(refused: Refused, prefix: &str, own: Option<&Name>) -> Problem {
    match refused {
        Refused::ReadOnly(name) => {
            let detail = format!(
                "The {} is in the project file, and is read-only here.",
                objects::named(&name)
            );
            Problem::new(Code::ReadOnly, detail)
                .hint("Change the file; the server reads it again within half a minute.")
        }
        Refused::Exists(name) => {
            let detail = format!("There is a {} already.", objects::named(&name));
            Problem::new(Code::Conflict, detail).hint("Choose another key, or change that one.")
        }
        Refused::Missing((section, key)) => Problem::not_found(section.noun(), &key),
        Refused::VersionNeeded(name) => {
            let detail = format!(
                "Say which version of the {} the edit was made for.",
                objects::named(&name)
            );
            Problem::new(Code::PreconditionRequired, detail)
                .hint("Send its ETag as `If-Match`, or `*` for whichever there is.")
        }
        Refused::Changed(name) => {
            let detail = format!("The {} was changed since.", objects::named(&name));
            Problem::new(Code::PreconditionFailed, detail)
                .hint("Read it again, and make the edit for the version that there is.")
        }
        Refused::NoteChanged => Problem::new(Code::PreconditionFailed, "It was changed since.")
            .hint("Read it again, and make the edit for the version that there is."),
        Refused::InUse(name, by) => {
            let detail = format!("The {} is used by {}.", objects::named(&name), by.join(", "));
            Problem::new(Code::Conflict, detail).hint("Change or remove first what uses it.")
        }
        Refused::TooMuch(message) => Problem::new(Code::InvalidValue, message),
        Refused::Invalid(found) => {
            let detail = match found.as_slice() {
                [one] => format!("{}: {}.", one.place, one.message),
                several => format!("The project would have {} problems.", several.len()),
            };
            let mut problem = Problem::new(Code::InvalidValue, detail);
            problem.hint = match found.as_slice() {
                [one] => one.hint.clone(),
                _ => None,
            };
            problem.errors = found.iter().map(|it| pointed(it, prefix, own)).collect();
            problem
        }
        Refused::Failed(failure) => failure.into(),
    }
}

fn pointed(found: &Found, prefix: &str, own: Option<&Name>) -> Pointed {
    let is_own = own.is_some() && found.object.as_ref() == own;
    let of_apply = own.is_none().then_some(found.object.as_ref()).flatten();
    let pointer = match of_apply {
        _ if is_own => Some(format!("{prefix}{}", found.pointer)),
        Some((section, key)) => {
            let key = key.replace('~', "~0").replace('/', "~1");
            Some(format!("/{}/{key}{}", section.as_str(), found.pointer))
        }
        None => None,
    };
    Pointed {
        pointer,
        place: found.place.clone(),
        code: found.code.to_owned(),
        detail: found.message.clone(),
        hint: found.hint.clone(),
    }
}
