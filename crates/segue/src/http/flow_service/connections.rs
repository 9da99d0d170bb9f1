//! Base connections: accounts; and source connections, which are all the profiles of the project.

use std::sync::Arc;

use http::StatusCode;
use plan::Section;
use plan::project::Auth;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use zeroize::Zeroizing;

use super::{
    Common, Id, Items, Made, PROFILES_SPEC, S3_SPECS, Spec, derived_id, free_key, misfit, put,
    tagged, version_or_any,
};
use crate::app::objects::Edit;
use crate::http::App;
use crate::http::answers::{objects, secrets};
use crate::http::problem::Problem;
use crate::http::request::{Ask, Reply};
use crate::workspace::Workspace;

/// What the secrets of connections are called, before the key of the account.
const SECRET_PREFIX: &str = "flow-service.";

/// A base connection.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(crate) struct NewConnection {
    #[schemars(length(min = 1, max = 200))]
    name: String,
    description: Option<String>,
    connection_spec: Spec,
    /// How requests are signed; the profiles need nothing
    auth: Option<NewAuth>,
}

/// How requests are signed.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct NewAuth {
    /// Access Key or Assumed Role
    spec_name: String,
    params: AuthParams,
}

/// The fields of either way.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct AuthParams {
    s3_access_key: Option<String>,
    s3_secret_key: Option<String>,
    /// The ARN of the role
    s3_role: Option<String>,
    /// Segue's own: the address of an S3-compatible service
    service_url: Option<String>,
    /// Segue's own: the region, which is found out otherwise
    region: Option<String>,
}

/// A base connection as it is.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Connection {
    #[serde(flatten)]
    common: Common,
    connection_spec: Spec,
    /// Without secrets
    auth: Value,
}

/// A source connection.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(crate) struct NewSource {
    #[schemars(length(min = 1, max = 200))]
    name: String,
    #[expect(dead_code, reason = "all source connections are the profiles of the project")]
    description: Option<String>,
    connection_spec: Spec,
    base_connection_id: Option<Id>,
    #[expect(dead_code, reason = "the datasets say what profiles are")]
    data: Option<Value>,
    #[expect(dead_code, reason = "the datasets say what profiles are")]
    params: Option<Value>,
}

/// A source connection as it is.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Source {
    #[serde(flatten)]
    common: Common,
    connection_spec: Spec,
    base_connection_id: Id,
}

/// The id of an account's connection.
pub(super) fn id_of(workspace: &Workspace, account: &str) -> Id {
    derived_id(workspace, &format!("account/{account}"))
}

/// The connection to the profiles.
pub(super) fn profiles_id(workspace: &Workspace) -> Id {
    derived_id(workspace, "profiles")
}

/// The source that the profiles are.
pub(super) fn source_id(workspace: &Workspace) -> Id {
    derived_id(workspace, "source")
}

/// The account of a connection.
pub(super) fn account_of(workspace: &Workspace, id: Id) -> Option<&plan::project::Account> {
    workspace.project.accounts.iter().find(|account| id_of(workspace, &account.key) == id)
}

pub(crate) async fn add(app: Arc<App>, ask: Ask) -> Result<Reply, Problem> {
    let NewConnection { name, description, connection_spec, auth } = ask.json_of_any_type()?;
    let workspace = app.shared.workspace();
    if connection_spec.is_one_of(&[PROFILES_SPEC]) {
        return Made::reply(profiles_id(&workspace), None, StatusCode::CREATED);
    }
    connection_spec.expect(&S3_SPECS, "/connectionSpec/id", "Amazon S3")?;
    let Some(auth) = auth else {
        return Err(misfit("/auth", "A connection to Amazon S3 needs `auth`.", AUTH_HINT));
    };
    let key = free_key(&workspace, Section::Accounts, &name)?;
    let secret_name = format!("{SECRET_PREFIX}{key}");
    let (signing, secret) = signing(&auth, &secret_name)?;
    let mut definition = Map::new();
    definition.insert("name".to_owned(), name.trim().into());
    put(&mut definition, "description", description);
    definition.insert("auth".to_owned(), signing);
    put(&mut definition, "region", auth.params.region);
    put(&mut definition, "endpoint_url", auth.params.service_url);
    let has_secret = secret.is_some();
    if let Some(secret) = secret {
        secrets::keep(&app, &secret_name, &secret).await?;
    }
    let account = (Section::Accounts, key.clone());
    let edits = [Edit::Add(account.clone(), definition.into())];
    if let Err(refused) = objects::edit_with(&app, &ask, &edits, &[]).await {
        if has_secret {
            workspace.secret_store().remove(&secret_name)?;
        }
        return Err(objects::problem(refused, "", Some(&account)));
    }
    let workspace = app.shared.workspace();
    let revision = workspace.stored(Section::Accounts, &key).map(|it| it.revision);
    Made::reply(id_of(&workspace, &key), revision, StatusCode::CREATED)
}

const AUTH_HINT: &str = "Send `specName` \"Access Key\" with `s3AccessKey` and `s3SecretKey`, or \"Assumed Role\" with `s3Role`.";

/// The `auth` of an account, and the secret that it names.
fn signing(
    auth: &NewAuth,
    secret_name: &str,
) -> Result<(Value, Option<Zeroizing<String>>), Problem> {
    let params = &auth.params;
    let needed = |value: &Option<String>, name: &str| {
        value.clone().filter(|it| !it.is_empty()).ok_or_else(|| {
            let pointer = format!("/auth/params/{name}");
            misfit(&pointer, format!("`{name}` is missing."), AUTH_HINT)
        })
    };
    let surplus = |value: &Option<String>, name: &str| match value {
        None => Ok(()),
        Some(_) => {
            let detail = format!("`{name}` does not belong to \"{}\".", auth.spec_name);
            Err(misfit(&format!("/auth/params/{name}"), detail, AUTH_HINT))
        }
    };
    match auth.spec_name.to_ascii_lowercase().as_str() {
        "access key" => {
            surplus(&params.s3_role, "s3Role")?;
            let access_key_id = needed(&params.s3_access_key, "s3AccessKey")?;
            let secret = Zeroizing::new(needed(&params.s3_secret_key, "s3SecretKey")?);
            let auth = json!({
                "kind": "access-key",
                "access_key_id": access_key_id,
                "secret_access_key": format!("${{secret:{secret_name}}}"),
            });
            Ok((auth, Some(secret)))
        }
        "assumed role" => {
            surplus(&params.s3_access_key, "s3AccessKey")?;
            surplus(&params.s3_secret_key, "s3SecretKey")?;
            let role = needed(&params.s3_role, "s3Role")?;
            Ok((json!({ "kind": "assume-role", "role_arn": role }), None))
        }
        _ => {
            let detail = format!("There is no way to sign in called \"{}\".", auth.spec_name);
            Err(misfit("/auth/specName", detail, AUTH_HINT))
        }
    }
}

impl Connection {
    fn of(workspace: &Workspace, account: &plan::project::Account) -> Self {
        let auth = match &account.auth {
            Auth::AccessKey { access_key_id, .. } => {
                json!({ "specName": "Access Key", "params": { "s3AccessKey": access_key_id } })
            }
            Auth::AssumeRole { role_arn, .. } => {
                json!({ "specName": "Assumed Role", "params": { "s3Role": role_arn } })
            }
            Auth::Default { .. } => json!({ "specName": "Default", "params": {} }),
        };
        let stored = workspace.stored(Section::Accounts, &account.key);
        let id = id_of(workspace, &account.key);
        Self {
            common: Common::of(id, &account.key, "enabled", stored),
            connection_spec: Spec::of(S3_SPECS[0]),
            auth,
        }
    }
}

pub(crate) async fn list(app: Arc<App>, _: Ask) -> Result<Reply, Problem> {
    let workspace = app.shared.workspace();
    let accounts = workspace.project.accounts.iter();
    Reply::json(&Items { items: accounts.map(|it| Connection::of(&workspace, it)).collect() })
}

pub(crate) async fn get(app: Arc<App>, ask: Ask) -> Result<Reply, Problem> {
    let workspace = app.shared.workspace();
    let connection = Connection::of(&workspace, find(&workspace, &ask)?);
    let etag = connection.common.etag.clone();
    Ok(tagged(Reply::json(&Items { items: vec![connection] })?, &etag))
}

/// Removes an account that no destination uses, and its secret with it.
pub(crate) async fn remove(app: Arc<App>, ask: Ask) -> Result<Reply, Problem> {
    let workspace = app.shared.workspace();
    let key = find(&workspace, &ask)?.key.clone();
    let account = (Section::Accounts, key.clone());
    let edits = [Edit::Remove(account.clone(), version_or_any(&ask.headers))];
    let edited = objects::edit_with(&app, &ask, &edits, &[]).await;
    edited.map_err(|refused| objects::problem(refused, "", Some(&account)))?;
    let (store, name) = (workspace.secret_store(), format!("{SECRET_PREFIX}{key}"));
    if store.list()?.iter().any(|entry| entry.name == name) {
        store.remove(&name)?;
    }
    Ok(Reply::nothing())
}

fn find<'a>(workspace: &'a Workspace, ask: &Ask) -> Result<&'a plan::project::Account, Problem> {
    let text = ask.parameter("id");
    let id = text.parse().ok();
    let found = id.and_then(|id| account_of(workspace, id));
    found.ok_or_else(|| Problem::not_found("connection", text))
}

pub(crate) async fn add_source(app: Arc<App>, ask: Ask) -> Result<Reply, Problem> {
    let source: NewSource = ask.json_of_any_type()?;
    source.connection_spec.expect(&[PROFILES_SPEC], "/connectionSpec/id", "the profiles")?;
    let workspace = app.shared.workspace();
    if source.base_connection_id.is_some_and(|id| id != profiles_id(&workspace)) {
        let detail = "`baseConnectionId` is not the connection to the profiles.";
        let hint = "Leave it out, or POST /connections with the specification of the profiles.";
        return Err(misfit("/baseConnectionId", detail, hint));
    }
    if source.name.trim().is_empty() {
        return Err(misfit("/name", "The name is empty.", "Choose a short, plain name."));
    }
    Made::reply(source_id(&workspace), None, StatusCode::CREATED)
}

pub(crate) async fn list_sources(app: Arc<App>, _: Ask) -> Result<Reply, Problem> {
    let workspace = app.shared.workspace();
    Reply::json(&Items { items: vec![Source::profiles(&workspace)] })
}

impl Source {
    fn profiles(workspace: &Workspace) -> Self {
        Self {
            common: Common::of(source_id(workspace), "Profiles", "enabled", None),
            connection_spec: Spec::of(PROFILES_SPEC),
            base_connection_id: profiles_id(workspace),
        }
    }
}
