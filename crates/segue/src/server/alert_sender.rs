//! Sends alerts: each is sent each way, in order for each segment, and again until it is taken, at
//! least once. The ways do not wait for each other.

use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use ledger::alert::{Alert, Channel};

use super::{Mail, Shared, Webhook};
use crate::ambient;

/// How often the ledger is asked for alerts to send.
const LOOK_AGAIN: Duration = Duration::from_secs(2);
/// The first pause before another attempt; each further one is twice as long.
const PAUSE_MIN: SignedDuration = SignedDuration::from_secs(5);
const PAUSE_MAX: SignedDuration = SignedDuration::from_hours(1);
/// For how long sending is the matter of one server: longer than any receiver is waited for.
const TURN: SignedDuration = SignedDuration::from_mins(3);
/// An alert that is not taken for so long is given up; it stays in the list.
const GIVE_UP_AFTER: SignedDuration = SignedDuration::from_hours(72);

/// A way in which alerts leave.
#[derive(Clone)]
pub(crate) enum Way {
    /// As posts.
    Webhook(Box<Webhook>),
    /// As mail.
    Mail(Box<Mail>),
}

impl Way {
    pub(super) fn channel(&self) -> Channel {
        match self {
            Self::Webhook(_) => Channel::Webhook,
            Self::Mail(_) => Channel::Mail,
        }
    }

    /// What one server at a time does.
    fn duty(&self) -> &'static str {
        match self {
            Self::Webhook(_) => "posting",
            Self::Mail(_) => "mailing",
        }
    }

    async fn send(&self, alert: &Alert, now: Timestamp) -> Result<(), String> {
        match self {
            Self::Webhook(webhook) => webhook.post(alert, now).await,
            Self::Mail(mail) => mail.send(alert, now).await,
        }
    }
}

/// Sends alerts until the process is asked to stop.
pub(super) async fn send_until_stopped(shared: Arc<Shared>, channel: Channel) {
    loop {
        // Where alerts go may be set anew at any time.
        if let Some(way) = shared.way(channel)
            && let Err(error) = send(&shared, &way).await
        {
            tracing::error!(%error, "alerts to send could not be read or noted");
        }
        tokio::select! {
            () = tokio::time::sleep(LOOK_AGAIN) => {}
            () = shared.interrupt.requested() => return,
        }
    }
}

async fn send(shared: &Shared, way: &Way) -> ledger::Result<()> {
    let channel = way.channel();
    for alert in shared.ledger.alerts_to_send(channel, ambient::now()).await? {
        let now = ambient::now();
        // Of servers that share a ledger, one sends.
        if !shared.ledger.take_duty(way.duty(), TURN, now).await? {
            return Ok(());
        }
        match way.send(&alert, now).await {
            Ok(()) => shared.ledger.alert_sent(alert.id, channel, now).await?,
            Err(reason) => {
                let next = next_attempt(&alert, now);
                let given_up = next.is_none();
                tracing::warn!(alert = %alert.id, ?channel, reason, given_up, "an alert was not taken");
                shared.ledger.alert_not_sent(alert.id, channel, next).await?;
            }
        }
    }
    Ok(())
}

fn next_attempt(alert: &Alert, now: Timestamp) -> Option<Timestamp> {
    if now.duration_since(alert.at) > GIVE_UP_AFTER {
        return None;
    }
    let pause = PAUSE_MIN * (1 << alert.attempts.min(10));
    now.checked_add(pause.min(PAUSE_MAX)).ok()
}
