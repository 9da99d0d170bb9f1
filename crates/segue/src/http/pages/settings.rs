//! The settings: users and tokens are changed here, the rest is shown.

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::json;
use ui::page::settings::{self as page, Role, RoleRights, Server, Settings};
use ui::shell::Said;

use super::visit::{Visit, done};
use crate::ambient;
use crate::http::answers::alerts::{AlertChannels, MailChannel};
use crate::http::problem::{Code, Problem};
use crate::http::request::Reply;
use crate::http::rights;
use crate::server::channels::WebhookTo;

/// How many alerts are shown.
const ALERTS: &str = "12";

/// A list, as the API gives it.
#[derive(Deserialize)]
struct List<T> {
    items: Vec<T>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct User {
    name: String,
    role: String,
    created_at: Timestamp,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Token {
    id: String,
    name: String,
    role: String,
    expires_at: Timestamp,
    last_used_at: Option<Timestamp>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Alert {
    kind: String,
    activation: String,
    segment: String,
    run_id: Option<String>,
    at: Timestamp,
    sent_at: Option<Timestamp>,
    next_attempt_at: Option<Timestamp>,
}

#[derive(Deserialize)]
struct MadeToken {
    secret: String,
}

pub(super) async fn page(visit: Visit) -> Result<Reply, Problem> {
    drawn(&visit, None).await
}

async fn drawn(visit: &Visit, made: Option<String>) -> Result<Reply, Problem> {
    let workspace = visit.app.shared.workspace();
    let look = visit.look(&workspace).await?;
    let mut shell = visit.shell(&look).await?;
    shell.here = "/settings".to_owned();
    let (mut users, mut tokens) = (None, None);
    if visit.may_do("list_users") {
        let list: List<User> = visit.read("list_users", &[]).await?;
        users = Some(list.items.into_iter().map(user).collect());
        let list: List<Token> = visit.read("list_tokens", &[]).await?;
        tokens = Some(list.items.into_iter().map(token).collect());
    }
    let alerts: List<Alert> = visit.read("list_alerts", &[("limit", ALERTS)]).await?;
    let alert = |it: Alert| page::Alert {
        segment: look.segment(&it.segment).name,
        is_sent: match (it.sent_at, it.next_attempt_at) {
            (Some(_), _) => Some(true),
            (None, Some(_)) => Some(false),
            (None, None) => None,
        },
        kind: it.kind,
        activation: it.activation,
        run: it.run_id,
        at: it.at,
    };
    let store = workspace.secret_store();
    let secrets = store.list().unwrap_or_default().into_iter();
    let settings = Settings {
        users,
        tokens,
        rights: rights(),
        made,
        form_key: ambient::id().to_string(),
        secrets: page::Secrets {
            all: secrets.map(|entry| (entry.name, entry.set)).collect(),
            may_change: visit.may_do("put_secret"),
            keeps_secrets: store.can_seal(),
        },
        alerts: page::Alerts {
            channels: channels(visit).await?,
            newest: alerts.items.into_iter().map(alert).collect(),
        },
        server: Server {
            project_file: workspace.path.display().to_string(),
            state_folder: workspace.state_folder().display().to_string(),
        },
    };
    Ok(visit.draw(settings.draw(&shell)))
}

async fn channels(visit: &Visit) -> Result<page::Channels, Problem> {
    let given: AlertChannels = visit.read("get_alert_channels", &[]).await?;
    let mail = |it: MailChannel| page::Mail { server: it.server, from: it.from, to: it.to };
    let may_change = visit.may_do("set_alert_channels");
    Ok(page::Channels {
        webhook: given.webhook.as_ref().map(|it| WebhookTo::masked(&it.url)),
        webhook_url: given.webhook.map(|it| it.url).filter(|_| may_change),
        webhook_of_start: given.webhook_of_start,
        mail: given.mail.map(mail),
        mail_of_start: given.mail_of_start,
        may_change,
    })
}

/// Sets where alerts are told. A channel whose address is empty is no more.
pub(super) async fn set_channels(visit: Visit) -> Result<Reply, Problem> {
    let said = |name: &str| Some(visit.field(name).trim()).filter(|it| !it.is_empty());
    let webhook =
        said("webhook").map(|url| json!({ "url": url, "secret": said("webhook_secret") }));
    let to: Vec<&str> = visit.field("mail_to").split(',').map(str::trim).collect();
    let mail = said("mail_to").map(|_| {
        json!({
            "server": visit.field("mail_server").trim(),
            "from": visit.field("mail_from").trim(),
            "to": to,
            "password": said("mail_password"),
        })
    });
    let body = json!({ "webhook": webhook, "mail": mail });
    visit.perform("set_alert_channels", &[], Some(body)).await?;
    Ok(done("/settings", Said::ChannelsSet))
}

/// Keeps a secret.
pub(super) async fn put_secret(visit: Visit) -> Result<Reply, Problem> {
    let body = json!({ "value": visit.field("value") });
    visit.perform("put_secret", &[("name", visit.field("name").trim())], Some(body)).await?;
    Ok(done("/settings", Said::Saved))
}

pub(super) async fn remove_secret(visit: Visit) -> Result<Reply, Problem> {
    visit.perform("remove_secret", &[("name", visit.field("name"))], None).await?;
    Ok(done("/settings", Said::Removed))
}

/// The table of rights, as it is asked.
fn rights() -> Vec<RoleRights> {
    let may = |role: rights::Role| {
        let is_given = |(right, _): &(rights::Right, page::Right)| role.may(*right);
        SHOWN.into_iter().filter(is_given).map(|(_, shown)| shown).collect()
    };
    rights::Role::ALL
        .map(|role| RoleRights { role: super::visit::role_name(role), may: may(role) })
        .to_vec()
}

/// The rights that roles differ in.
const SHOWN: [(rights::Right, page::Right); 8] = [
    (rights::Right::Read, page::Right::Read),
    (rights::Right::Analyse, page::Right::Analyse),
    (rights::Right::Unmask, page::Right::Unmask),
    (rights::Right::Define, page::Right::Define),
    (rights::Right::Operate, page::Right::Operate),
    (rights::Right::Connect, page::Right::Connect),
    (rights::Right::Audit, page::Right::Audit),
    (rights::Right::Administer, page::Right::Administer),
];

fn user(user: User) -> page::User {
    page::User { name: user.name, role: role(&user.role), created: user.created_at }
}

fn token(token: Token) -> page::Token {
    page::Token {
        id: token.id,
        name: token.name,
        role: role(&token.role),
        last_used: token.last_used_at,
        expires: token.expires_at,
    }
}

fn role(word: &str) -> Role {
    Role::parse(word).unwrap_or(Role::Viewer)
}

pub(super) async fn add_user(visit: Visit) -> Result<Reply, Problem> {
    let body = json!({
        "name": visit.field("name"), "password": visit.field("password"), "role": visit.field("role"),
    });
    visit.perform("add_user", &[], Some(body)).await?;
    Ok(done("/settings", Said::UserAdded))
}

/// Gives a user another role, and another password if one was written.
pub(super) async fn change_user(visit: Visit) -> Result<Reply, Problem> {
    let password = Some(visit.field("password")).filter(|password| !password.is_empty());
    let body = json!({ "password": password, "role": visit.field("role") });
    let name = visit.parameter("name");
    visit.perform("change_user", &[("name", name)], Some(body)).await?;
    Ok(done("/settings", Said::UserChanged))
}

/// Gives a user that the form names another role.
pub(super) async fn change_role(visit: Visit) -> Result<Reply, Problem> {
    let body = json!({ "role": visit.field("role") });
    visit.perform("change_user", &[("name", visit.field("name"))], Some(body)).await?;
    Ok(done("/settings", Said::UserChanged))
}

pub(super) async fn remove_user(visit: Visit) -> Result<Reply, Problem> {
    let name = visit.parameter("name");
    visit.perform("remove_user", &[("name", name)], None).await?;
    Ok(done("/settings", Said::UserRemoved))
}

/// Makes a token and shows its text, this once: the same form makes no second one.
pub(super) async fn add_token(visit: Visit) -> Result<Reply, Problem> {
    let days: u32 = visit.field("days").parse().map_err(|_| {
        Problem::new(Code::InvalidValue, "A token lives for a whole number of days.")
    })?;
    let body = json!({ "name": visit.field("name"), "role": visit.field("role"), "days": days });
    match visit.ask_once::<MadeToken>("add_token", body).await {
        Ok(made) => drawn(&visit, Some(made.secret)).await,
        // The page that showed it was loaded again.
        Err(it) if matches!(it.code, Code::Conflict | Code::IdempotencyMismatch) => {
            Ok(done("/settings", Said::TokenShown))
        }
        Err(problem) => Err(problem),
    }
}

pub(super) async fn revoke(visit: Visit) -> Result<Reply, Problem> {
    let id = visit.parameter("id");
    visit.perform("remove_token", &[("id", id)], None).await?;
    Ok(done("/settings", Said::TokenRevoked))
}
