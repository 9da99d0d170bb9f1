//! Changing accounts. A new one is made where a destination is connected.

use plan::Section;
use serde_json::{Map, Value, json};
use ui::page::account::EditAccount;
use ui::page::editing::Send;
use ui::shell::Said;

use super::edits::{self, Wanted};
use super::visit::{Visit, done};
use super::wizard::put;
use crate::app::objects;
use crate::http::problem::Problem;
use crate::http::request::Reply;

/// What the form has besides the secret.
const FIELDS: [&str; 5] = ["auth", "access_key_id", "role_arn", "region", "endpoint"];

/// The form with what the account says, or with what was filled in when it could not be saved.
pub(super) async fn edit(visit: Visit) -> Result<Reply, Problem> {
    let workspace = visit.app.shared.workspace();
    let key = visit.parameter("key").to_owned();
    if workspace.project.account(&key).is_none() {
        return visit.missing().await;
    }
    let Some(stored) = workspace.stored(Section::Accounts, &key) else {
        return Err(super::rules::in_file("account", &key));
    };
    let before = objects::value(stored);
    let said = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let is_back = !visit.fields().is_empty();
    let field = |name: &str, value: &Value| match is_back {
        true => visit.field(name).to_owned(),
        false => said(value),
    };
    let auth = &before["auth"];
    let page = EditAccount {
        revision: stored.revision.to_string(),
        auth: field("auth", &auth["kind"]),
        access_key_id: field("access_key_id", &auth["access_key_id"]),
        role_arn: field("role_arn", &auth["role_arn"]),
        region: field("region", &before["region"]),
        endpoint: field("endpoint", &before["endpoint_url"]),
        keeps_secrets: workspace.secret_store().can_seal(),
        key,
    };
    let look = visit.look(&workspace).await?;
    let shell = visit.shell(&look).await?;
    Ok(visit.draw(page.draw(&shell)))
}

/// Saves an account that was changed. A secret that is written takes the place of the one that is kept;
/// without one that stays.
pub(super) async fn change(visit: Visit) -> Result<Reply, Problem> {
    if visit.field("go") == "stay" {
        // Somebody saw what others changed, and goes on.
        return edit(visit).await;
    }
    let key = visit.parameter("key").to_owned();
    let workspace = visit.app.shared.workspace();
    let before = workspace.stored(Section::Accounts, &key).map(objects::value).unwrap_or_default();
    let mut definition = definition(&visit, &before);
    let secret = visit.field("secret");
    if !secret.is_empty() && visit.field("auth") == "access-key" {
        let name = secret_name(&before).unwrap_or_else(|| format!("{key}-secret"));
        let body = json!({ "value": secret });
        visit.perform("put_secret", &[("name", &name)], Some(body)).await?;
        definition["auth"]["secret_access_key"] = format!("${{secret:{name}}}").into();
    }
    let mut kept: Vec<(String, String)> = Vec::new();
    for name in FIELDS.iter().chain(&["revision"]) {
        kept.push(((*name).to_owned(), visit.field(name).to_owned()));
    }
    let mut stay = kept.clone();
    stay.push(("go".to_owned(), "stay".to_owned()));
    let wanted = Wanted {
        section: Section::Accounts,
        key: &key,
        revision: visit.field("revision"),
        definition,
        save: Send { action: format!("/accounts/{key}/edit"), fields: kept },
        go_on: Send { action: format!("/accounts/{key}/edit"), fields: stay },
    };
    match edits::save(&visit, wanted).await? {
        Some(conflict) => Ok(conflict),
        None => Ok(done(&format!("/accounts/{key}"), Said::Saved)),
    }
}

/// The name of the secret that the account goes by, if the server keeps it.
fn secret_name(before: &Value) -> Option<String> {
    let text = before["auth"]["secret_access_key"].as_str()?;
    Some(text.strip_prefix("${secret:")?.strip_suffix('}')?.to_owned())
}

/// The account as it would stand in the project file. What it says already and the form does not ask for
/// stays.
fn definition(visit: &Visit, before: &Value) -> Value {
    let mut account = before.as_object().cloned().unwrap_or_default();
    let kind = visit.field("auth");
    let is_same = before["auth"]["kind"] == kind;
    let mut auth = match before["auth"].as_object().filter(|_| is_same) {
        Some(auth) => auth.clone(),
        None => Map::new(),
    };
    auth.insert("kind".to_owned(), kind.into());
    match kind {
        "access-key" => put(&mut auth, "access_key_id", visit.field("access_key_id").trim()),
        "assume-role" => put(&mut auth, "role_arn", visit.field("role_arn").trim()),
        _ => {}
    }
    account.insert("auth".to_owned(), auth.into());
    for (member, field) in [("region", "region"), ("endpoint_url", "endpoint")] {
        account.remove(member);
        put(&mut account, member, visit.field(field).trim());
    }
    account.into()
}
