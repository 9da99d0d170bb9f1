//! Requests that are done once, however often they are sent: what was answered is kept under the key that
//! the sender gave.

use jiff::{SignedDuration, Timestamp};

use crate::http::problem::{Code, Problem};
use crate::http::request::Ask;

/// The header under which a request is answered once.
pub(crate) const HEADER: &str = "idempotency-key";
/// The longest key, in bytes.
const KEY_BYTES_MAX: usize = 200;
/// For how many hours an answer is kept: 400 days.
const ANSWER_HOURS: i64 = 400 * 24;

/// The key of a request, if it has one.
pub(super) fn key(ask: &Ask) -> Result<Option<String>, Problem> {
    let Some(value) = ask.headers.get(HEADER) else { return Ok(None) };
    match value.to_str() {
        Ok(key) if (1..=KEY_BYTES_MAX).contains(&key.len()) => Ok(Some(key.to_owned())),
        _ => Err(Problem::at_parameter(
            "Idempotency-Key",
            format!("`Idempotency-Key` has 1 to {KEY_BYTES_MAX} printable characters."),
        )),
    }
}

/// What was answered under the key before; nothing when it is new.
pub(super) async fn answered(
    ledger: &ledger::Ledger,
    ask: &Ask,
    key: &str,
) -> Result<Option<String>, Problem> {
    match ledger.answered(&ask.actor.name, key).await? {
        Some((known, _)) if known != digest(ask) => {
            let detail = "This idempotency key was used for another request.";
            Err(Problem::new(Code::IdempotencyMismatch, detail))
        }
        found => Ok(found.map(|(_, answer)| answer)),
    }
}

/// Keeps what is answered under a key. No secret may be in it.
pub(super) async fn keep(
    ledger: &ledger::Ledger,
    ask: &Ask,
    key: &str,
    answer: &str,
    now: Timestamp,
) -> Result<(), Problem> {
    let forget = forgotten_before(now);
    Ok(ledger.keep_answer(&ask.actor.name, key, (&digest(ask), answer), forget, now).await?)
}

/// What stands for a form where a request has its digest: whatever is in it, it was sent before.
const FORM: &str = "form";

/// Where a form of a page led that was sent before; nothing when it is new, or has no key.
pub(crate) async fn led(
    ledger: &ledger::Ledger,
    actor: &str,
    form: &str,
) -> Result<Option<String>, Problem> {
    if !(1..=KEY_BYTES_MAX).contains(&form.len()) {
        return Ok(None);
    }
    let found = ledger.answered(actor, form).await?;
    Ok(found.filter(|(digest, _)| digest == FORM).map(|(_, path)| path))
}

/// Keeps where a form of a page led.
pub(crate) async fn keep_led(
    ledger: &ledger::Ledger,
    actor: &str,
    form: &str,
    path: &str,
    now: Timestamp,
) -> Result<(), Problem> {
    if form.is_empty() {
        return Ok(());
    }
    Ok(ledger.keep_answer(actor, form, (FORM, path), forgotten_before(now), now).await?)
}

fn forgotten_before(now: Timestamp) -> Timestamp {
    now.checked_sub(SignedDuration::from_hours(ANSWER_HOURS)).unwrap_or(now)
}

/// What tells one request from another under the same key.
fn digest(ask: &Ask) -> String {
    let mut hasher = blake3::Hasher::new();
    hasher.update(ask.path.as_bytes());
    hasher.update(b"\n");
    hasher.update(&ask.body);
    hasher.finalize().to_hex().to_string()
}
