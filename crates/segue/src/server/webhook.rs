//! The webhook: alerts are posted as JSON, signed.

use std::time::Duration;

use aws_lc_rs::hmac;
use bytes::Bytes;
use http::{Request, Uri, header};
use http_body_util::{BodyExt as _, Full, Limited};
use jiff::Timestamp;
use ledger::alert::Alert;
use secrecy::{ExposeSecret as _, SecretString};

use crate::failure::Failure;
use crate::outbound::{self, Sender};

/// The version of the signature.
const VERSION: &str = "v1";
/// How long a receiver may take.
const TIME_MAX: Duration = Duration::from_secs(15);
/// The most bytes of an answer that are read; nothing in it is used.
const ANSWER_BYTES_MAX: usize = 64 << 10;

/// Where alerts go.
#[derive(Clone)]
pub(crate) struct Webhook {
    uri: Uri,
    secret: SecretString,
    client: Sender,
}

impl Webhook {
    /// Makes a sender.
    ///
    /// # Errors
    /// The URL is none, or the secret is too short.
    pub(crate) fn new(url: &str, secret: SecretString) -> Result<Self, Failure> {
        let uri = outbound::url("webhook", url)?;
        if secret.expose_secret().len() < 16 {
            return Err(Failure::usage("the secret of the webhook is shorter than 16 characters")
                .hint(
                    "Give it at least 16 characters: what `openssl rand -hex 32` prints, for example.",
                ));
        }
        Ok(Self { uri, secret, client: outbound::sender()? })
    }

    /// Posts an alert. A redirect is not followed: it would take the alert elsewhere.
    pub(super) async fn post(&self, alert: &Alert, now: Timestamp) -> Result<(), String> {
        let body = body(alert).to_string();
        let seconds = now.as_second().to_string();
        let request = Request::post(self.uri.clone())
            .header(header::CONTENT_TYPE, "application/json")
            .header(header::USER_AGENT, concat!("segue/", env!("CARGO_PKG_VERSION")))
            .header("segue-delivery", alert.id.to_string())
            .header("segue-timestamp", &seconds)
            .header("segue-signature", signature(&self.secret, &seconds, &body))
            .body(Full::new(Bytes::from(body)))
            .map_err(|error| error.to_string())?;
        let sent = async {
            let answer = self.client.request(request).await.map_err(|error| error.to_string())?;
            let status = answer.status();
            drop(Limited::new(answer.into_body(), ANSWER_BYTES_MAX).collect().await);
            if status.is_success() { Ok(()) } else { Err(format!("answered {}", status.as_u16())) }
        };
        tokio::time::timeout(TIME_MAX, sent)
            .await
            .unwrap_or_else(|_| Err("no answer in time".to_owned()))
    }
}

/// `v1=` and HMAC-SHA256 over the timestamp, a dot and the body, in hexadecimal digits.
fn signature(secret: &SecretString, seconds: &str, body: &str) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret.expose_secret().as_bytes());
    let tag = hmac::sign(&key, format!("{seconds}.{body}").as_bytes());
    let digits: String = tag.as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
    format!("{VERSION}={digits}")
}

/// An alert as it is posted.
fn body(alert: &Alert) -> serde_json::Value {
    serde_json::json!({
        "id": alert.id.to_string(),
        "at": alert.at.to_string(),
        "kind": alert.kind,
        "activation": alert.key.activation,
        "segment": alert.key.segment,
        "slot": alert.key.slot.to_string(),
        "runId": alert.run_id.map(|id| id.to_string()),
        "code": alert.code,
        "message": alert.message,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signatures_are_those_of_rfc_4231() {
        // Test case 2 of RFC 4231: the text is split where this puts its dot.
        let secret = SecretString::from("Jefe");
        let key = hmac::Key::new(hmac::HMAC_SHA256, secret.expose_secret().as_bytes());
        let tag = hmac::sign(&key, b"what do ya want for nothing?");
        assert_eq!(tag.as_ref()[..4], [0x5b, 0xdc, 0xc1, 0x46]);
        let signed = signature(&secret, "1767508200", "{}");
        assert_eq!(signed.len(), 3 + 64);
        assert_ne!(signed, signature(&secret, "1767508201", "{}"), "the time is signed too");
        assert_ne!(signed, signature(&SecretString::from("jefe"), "1767508200", "{}"));
    }

    #[test]
    fn what_is_no_good_webhook_is_refused() {
        let refused = |url: &str, secret: &str| {
            let made = Webhook::new(url, SecretString::from(secret));
            made.err().map(|failure| failure.message).unwrap_or_default()
        };
        let good = "0123456789abcdef";
        assert_eq!(refused("ftp://example.com/x", good), "the webhook is no http or https URL");
        assert_eq!(
            refused("http://example.com/x", good),
            "the webhook is beyond this machine and not https"
        );
        assert_eq!(
            refused("https://example.com/x", "short"),
            "the secret of the webhook is shorter than 16 characters"
        );
        assert_eq!(refused("http://127.0.0.1:9/x", good), "");
    }
}
