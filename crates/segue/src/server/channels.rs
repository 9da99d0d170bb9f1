//! Where alerts go: as the server was started, or else as somebody set it while it runs.
//!
//! What is set while it runs is in a file of the state folder. The secrets of it are with the other
//! secrets, sealed, and never in that file.

use std::path::PathBuf;

use jiff::Timestamp;
use ledger::alert::Channel;
use secrecy::SecretString;
use serde::{Deserialize, Serialize};

use super::alert_sender::Way;
use super::{Mail, Rules, Shared, Webhook};
use crate::failure::{Failure, Kind};
use crate::private_file;
use crate::workspace::Workspace;

/// The file inside the state folder.
const FILE: &str = "alerts.json";
/// The names of the secrets.
const WEBHOOK_SECRET: &str = "alerts.webhook";
const MAIL_PASSWORD: &str = "alerts.mail";

/// Where alerts go, without secrets.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Channels {
    pub(crate) webhook: Option<WebhookTo>,
    pub(crate) mail: Option<MailTo>,
}

/// Where alerts are posted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct WebhookTo {
    pub(crate) url: String,
}

impl WebhookTo {
    /// The address as those see it who may not change it: many services put their secret into the path or
    /// the query.
    pub(crate) fn masked(url: &str) -> String {
        let host = |url: url::Url| {
            let port = url.port().map(|port| format!(":{port}")).unwrap_or_default();
            Some(format!("{}://{}{port}/…", url.scheme(), url.host_str()?))
        };
        url::Url::parse(url).ok().and_then(host).unwrap_or_else(|| "…".to_owned())
    }
}

/// Who gets alerts by mail.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct MailTo {
    /// `smtps://[USER@]HOST[:PORT]`, or `smtp://` with STARTTLS.
    pub(crate) server: String,
    pub(crate) from: String,
    pub(crate) to: Vec<String>,
}

/// What a channel becomes.
#[derive(Debug, Default)]
pub(crate) struct Wanted {
    pub(crate) channels: Channels,
    /// The secrets of it; what is left out stays as it is.
    pub(crate) webhook_secret: Option<SecretString>,
    pub(crate) mail_password: Option<SecretString>,
}

fn path(workspace: &Workspace) -> PathBuf {
    workspace.state_folder().join(FILE)
}

/// What was set while the server ran.
///
/// # Errors
/// The file is damaged.
pub(crate) fn kept(workspace: &Workspace) -> Result<Channels, Failure> {
    let path = path(workspace);
    let Ok(bytes) = std::fs::read(&path) else { return Ok(Channels::default()) };
    serde_json::from_slice(&bytes).map_err(|_| {
        Failure::new(Kind::Run, format!("{} is damaged", path.display()))
            .hint("Remove it, and set where alerts go again.")
    })
}

/// Whether alerts cannot be sent where they were set to go without this secret.
///
/// # Errors
/// The file is damaged.
pub(crate) fn needs(workspace: &Workspace, secret: &str) -> Result<bool, Failure> {
    let Channels { webhook, mail } = kept(workspace)?;
    Ok(match secret {
        WEBHOOK_SECRET => webhook.is_some(),
        MAIL_PASSWORD => mail.is_some(),
        _ => false,
    })
}

/// The ways of channels.
///
/// # Errors
/// An address is none, or a secret cannot be opened.
fn ways(workspace: &Workspace, channels: &Channels) -> Result<Vec<Way>, Failure> {
    let store = workspace.secret_store();
    let secret = |name: &str| -> Result<SecretString, Failure> {
        let is_there = store.list()?.iter().any(|entry| entry.name == name);
        let text = if is_there { store.get(name)?.to_string() } else { String::new() };
        Ok(SecretString::from(text))
    };
    let mut found = Vec::new();
    if let Some(to) = &channels.webhook {
        found.push(Way::Webhook(Box::new(Webhook::new(&to.url, secret(WEBHOOK_SECRET)?)?)));
    }
    if let Some(to) = &channels.mail {
        let mail = Mail::new(&to.server, &to.from, &to.to, secret(MAIL_PASSWORD)?)?;
        found.push(Way::Mail(Box::new(mail)));
    }
    Ok(found)
}

/// The ways that were set while an earlier server ran, besides those that this one is started with, which
/// win. What cannot be used is told in the log and does not keep the server from starting.
pub(super) fn set_earlier(workspace: &Workspace, started: &[Way]) -> Vec<Way> {
    let found = kept(workspace).and_then(|kept| ways(workspace, &besides(kept, started)));
    found.unwrap_or_else(|failure| {
        tracing::error!(
            failure = failure.one_line(),
            "alerts are not sent where they were set to go"
        );
        Vec::new()
    })
}

/// The channels of ways.
pub(super) fn of(ways: &[Way]) -> &'static [Channel] {
    let has = |channel| ways.iter().any(|way| way.channel() == channel);
    list(has(Channel::Webhook), has(Channel::Mail))
}

/// The channels that were set while a server ran, as far as that can be read: for commands, which do not
/// know what servers are started with.
pub(crate) fn known(workspace: &Workspace) -> &'static [Channel] {
    let kept = kept(workspace).unwrap_or_default();
    list(kept.webhook.is_some(), kept.mail.is_some())
}

fn list(webhook: bool, mail: bool) -> &'static [Channel] {
    match (webhook, mail) {
        (false, false) => &[],
        (true, false) => &[Channel::Webhook],
        (false, true) => &[Channel::Mail],
        (true, true) => &[Channel::Webhook, Channel::Mail],
    }
}

/// What was set, without channels that the server is started with.
fn besides(kept: Channels, started: &[Way]) -> Channels {
    let has = |channel| started.iter().any(|way| way.channel() == channel);
    Channels {
        webhook: kept.webhook.filter(|_| !has(Channel::Webhook)),
        mail: kept.mail.filter(|_| !has(Channel::Mail)),
    }
}

/// Sets where alerts go from now on.
///
/// # Errors
/// An address is none, a secret is missing, or the file cannot be written; nothing is changed then.
pub(crate) fn set(shared: &Shared, wanted: Wanted, now: Timestamp) -> Result<(), Failure> {
    let workspace = shared.workspace();
    let store = workspace.secret_store();
    let before = kept(&workspace)?;
    let given = [(WEBHOOK_SECRET, &wanted.webhook_secret), (MAIL_PASSWORD, &wanted.mail_password)];
    let mut opened = Vec::new();
    for (name, secret) in given {
        let Some(secret) = secret else { continue };
        let had = store.list()?.iter().any(|entry| entry.name == name);
        let had = if had { Some(store.get(name)?) } else { None };
        opened.push((name, had));
        store.set(name, secrecy::ExposeSecret::expose_secret(secret), now)?;
    }
    let used = besides(wanted.channels.clone(), &shared.started_ways);
    let found = ways(&workspace, &used).and_then(|found| {
        let text = serde_json::to_vec(&wanted.channels).unwrap_or_default();
        let written = private_file::write(&path(&workspace), &text);
        written.map_err(|error| {
            Failure::from_error(Kind::Run, &error).context("failed to write where alerts go")
        })?;
        Ok(found)
    });
    let found = match found {
        Ok(found) => found,
        Err(failure) => {
            // The secrets become what they were.
            for (name, had) in opened {
                match had {
                    Some(secret) => drop(store.set(name, &secret, now)?),
                    None => store.remove(name)?,
                }
            }
            return Err(failure);
        }
    };
    let gone = [
        (WEBHOOK_SECRET, before.webhook.is_some() && wanted.channels.webhook.is_none()),
        (MAIL_PASSWORD, before.mail.is_some() && wanted.channels.mail.is_none()),
    ];
    for (name, _) in gone.into_iter().filter(|(_, is_gone)| *is_gone) {
        if store.list()?.iter().any(|entry| entry.name == name) {
            store.remove(name)?;
        }
    }
    shared.set_ways.send_replace(found);
    Ok(())
}

impl Shared {
    /// What is told, and to whom now.
    pub(crate) fn rules(&self) -> Rules {
        Rules { to: of(&self.ways()), ..self.options.rules }
    }

    /// The way of a channel now, if there is one.
    pub(super) fn way(&self, channel: Channel) -> Option<Way> {
        self.ways().into_iter().find(|way| way.channel() == channel)
    }

    fn ways(&self) -> Vec<Way> {
        let started = self.started_ways.iter().cloned();
        started.chain(self.set_ways.borrow().iter().cloned()).collect()
    }

    /// Whether the server is started with a way for a channel, which then cannot be set.
    pub(crate) fn is_started_with(&self, channel: Channel) -> bool {
        self.started_ways.iter().any(|way| way.channel() == channel)
    }
}

#[cfg(test)]
mod tests {
    use super::WebhookTo;

    #[test]
    fn of_an_address_that_is_masked_the_host_is_left() {
        let masked = [
            "https://hooks.example.com/services/T0/canary?key=canary#canary",
            "https://ann:canary@hooks.example.com/",
            "http://[::1]:9000/canary",
            "https://hooks.example.com/…",
            "canary",
        ]
        .map(WebhookTo::masked);
        insta::assert_snapshot!(masked.join("\n"), @r"
        https://hooks.example.com/…
        https://hooks.example.com/…
        http://[::1]:9000/…
        https://hooks.example.com/…
        …
        ");
    }
}
