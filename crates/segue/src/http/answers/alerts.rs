//! Alerts: what happened that somebody should know, and where it is told.

use std::sync::Arc;

use ledger::alert::Channel;
use schemars::JsonSchema;
use secrecy::SecretString;
use serde::{Deserialize, Serialize};

use super::{LIMIT_DEFAULT, cursor_behind, number_behind};
use crate::ambient;
use crate::failure::Kind;
use crate::http::App;
use crate::http::problem::{Code, Problem};
use crate::http::request::{Ask, Reply};
use crate::http::rights::Right;
use crate::server::channels::{self, Channels, MailTo, Wanted, WebhookTo};

/// An alert.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct Alert {
    /// By which a receiver tells a repeated one
    id: String,
    at: String,
    /// started, delivered, skipped, failed, blocked, collapsed, exploded, late, missing or exclusion_rate
    kind: String,
    activation: String,
    segment: String,
    slot: String,
    run_id: Option<String>,
    code: Option<String>,
    message: String,
    /// Attempts to send it
    attempts: u32,
    next_attempt_at: Option<String>,
    sent_at: Option<String>,
}

/// Alerts.
#[derive(Serialize, JsonSchema)]
pub(crate) struct Alerts {
    items: Vec<Alert>,
    /// The cursor of the next page, if there is one
    next: Option<String>,
}

pub(crate) async fn list(app: Arc<App>, ask: Ask) -> Result<Reply, Problem> {
    let limit = ask.number("limit", 1, 1_000)?.unwrap_or(LIMIT_DEFAULT);
    let before = number_behind(&ask)?;
    let found = app.shared.ledger.alerts(before, limit).await?;
    let next = cursor_behind(found.last().map(|alert| alert.number), found.len(), limit);
    let items = found.into_iter().map(|alert| Alert {
        id: alert.id.to_string(),
        at: alert.at.to_string(),
        kind: alert.kind,
        activation: alert.key.activation,
        segment: alert.key.segment,
        slot: alert.key.slot.to_string(),
        run_id: alert.run_id.map(|id| id.to_string()),
        code: alert.code,
        message: alert.message,
        attempts: alert.attempts,
        next_attempt_at: alert.next_attempt.map(|at| at.to_string()),
        sent_at: alert.sent.map(|at| at.to_string()),
    });
    Reply::json(&Alerts { items: items.collect(), next })
}

/// Where alerts are told. Secrets go in and never come out.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct AlertChannels {
    pub(crate) webhook: Option<WebhookChannel>,
    /// Whether the server was started with a webhook, which is then not changed here
    pub(crate) webhook_of_start: bool,
    pub(crate) mail: Option<MailChannel>,
    /// Whether the server was started with a mail server, which is then not changed here
    pub(crate) mail_of_start: bool,
}

/// A webhook.
#[derive(Serialize, Deserialize, JsonSchema)]
pub(crate) struct WebhookChannel {
    /// Whole for those who may change it; others get its host, as many services put a secret into the rest
    pub(crate) url: String,
}

/// Mail.
#[derive(Serialize, Deserialize, JsonSchema)]
pub(crate) struct MailChannel {
    /// `smtps://[USER@]HOST[:PORT]`, or `smtp://…` with STARTTLS
    pub(crate) server: String,
    pub(crate) from: String,
    pub(crate) to: Vec<String>,
}

/// Where alerts are to be told. A channel that is left out is no more.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewAlertChannels {
    #[serde(default)]
    webhook: Option<NewWebhook>,
    #[serde(default)]
    mail: Option<NewMail>,
}

/// A webhook to be posted to.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct NewWebhook {
    /// https, or http on this machine
    url: String,
    /// What posts are signed with, at least 16 characters; left out, it stays as it is
    #[serde(default)]
    secret: Option<String>,
}

/// Mail to be sent.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct NewMail {
    /// `smtps://[USER@]HOST[:PORT]`, or `smtp://…` with STARTTLS
    server: String,
    from: String,
    #[schemars(length(min = 1, max = 50))]
    to: Vec<String>,
    /// The password for the mail server; left out, it stays as it is
    #[serde(default)]
    password: Option<String>,
}

pub(crate) async fn channels(app: Arc<App>, ask: Ask) -> Result<Reply, Problem> {
    let mut told = told(&app)?;
    let may_change = ask.actor.role.is_some_and(|role| role.may(Right::Administer));
    if let Some(webhook) = told.webhook.as_mut().filter(|_| !may_change) {
        webhook.url = WebhookTo::masked(&webhook.url);
    }
    Reply::json(&told)
}

fn told(app: &App) -> Result<AlertChannels, Problem> {
    let kept = channels::kept(&app.shared.workspace())?;
    Ok(AlertChannels {
        webhook: kept.webhook.map(|it| WebhookChannel { url: it.url }),
        webhook_of_start: app.shared.is_started_with(Channel::Webhook),
        mail: kept.mail.map(|it| MailChannel { server: it.server, from: it.from, to: it.to }),
        mail_of_start: app.shared.is_started_with(Channel::Mail),
    })
}

pub(crate) async fn set_channels(app: Arc<App>, ask: Ask) -> Result<Reply, Problem> {
    let NewAlertChannels { webhook, mail } = ask.json()?;
    let of_start = [
        (webhook.is_some(), Channel::Webhook, "webhook"),
        (mail.is_some(), Channel::Mail, "mail server"),
    ];
    for (is_wanted, channel, name) in of_start {
        if is_wanted && app.shared.is_started_with(channel) {
            let detail = format!("The server was started with a {name}.");
            return Err(
                Problem::new(Code::ReadOnly, detail).hint("Start it without one to set it here.")
            );
        }
    }
    let has_secret = webhook.as_ref().is_some_and(|it| it.secret.is_some())
        || mail.as_ref().is_some_and(|it| it.password.is_some());
    if has_secret && !app.shared.workspace().secret_store().can_seal() {
        return Err(super::secrets::no_key());
    }
    let (webhook, webhook_secret) = match webhook {
        Some(NewWebhook { url, secret }) => (Some(WebhookTo { url }), secret),
        None => (None, None),
    };
    let (mail, mail_password) = match mail {
        Some(NewMail { server, from, to, password }) => {
            (Some(MailTo { server, from, to }), password)
        }
        None => (None, None),
    };
    let wanted = Wanted {
        channels: Channels { webhook, mail },
        webhook_secret: webhook_secret.map(SecretString::from),
        mail_password: mail_password.map(SecretString::from),
    };
    channels::set(&app.shared, wanted, ambient::now()).map_err(|failure| match failure.kind {
        Kind::Usage => {
            let told = failure.one_line();
            let channel = if told.contains("webhook") { "/webhook" } else { "/mail" };
            Problem::at_member(channel, told).first_of(failure.hints)
        }
        _ => failure.into(),
    })?;
    Reply::json(&told(&app)?)
}
