//! Alerts by mail: one message each, plain text, with the id of the alert in its headers.

use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use ledger::alert::Alert;
use secrecy::{ExposeSecret as _, SecretString};
use url::Url;

use super::smtp::{self, Envelope, Security, Server};
use crate::failure::Failure;
use crate::outbound;

/// The port of encrypted submission, and that of submission with `STARTTLS` (RFC 8314).
const PORT_TLS: u16 = 465;
const PORT_SUBMISSION: u16 = 587;
/// How long handing a message over may take.
const TIME_MAX: Duration = Duration::from_secs(60);
/// The longest line of an encoded body, without its end (RFC 2045).
const LINE_CHARS_MAX: usize = 76;

/// Who gets alerts by mail, and from whom.
#[derive(Clone)]
pub(crate) struct Mail {
    server: Server,
    from: String,
    to: Vec<String>,
}

impl Mail {
    /// Makes a sender. `url` is `smtps://[user@]host[:port]`, or `smtp://…` for `STARTTLS`; to this machine
    /// `smtp://` is not encrypted.
    ///
    /// # Errors
    /// The URL or an address is none, or there is a user without a password.
    pub(crate) fn new(
        url: &str,
        from: &str,
        to: &[String],
        password: SecretString,
    ) -> Result<Self, Failure> {
        for address in to.iter().map(String::as_str).chain([from]) {
            if !is_address(address) {
                return Err(Failure::usage(format!("`{address}` is no address for mail"))
                    .hint("Write it as name@example.com, in ASCII letters."));
            }
        }
        if to.is_empty() {
            return Err(Failure::usage("nobody gets the mail").hint("Name them with --mail-to."));
        }
        let server = server(url, password)?;
        Ok(Self { server, from: from.to_owned(), to: to.to_vec() })
    }

    /// Hands an alert to the mail server.
    ///
    /// # Errors
    /// Why it was not taken, for the log.
    pub(super) async fn send(&self, alert: &Alert, now: Timestamp) -> Result<(), String> {
        let message = message(alert, &self.from, &self.to, now);
        let envelope = Envelope { from: &self.from, to: &self.to, message: &message };
        let sent = tokio::time::timeout(TIME_MAX, smtp::send(&self.server, &envelope)).await;
        let refused = sent.unwrap_or_else(|_| Err("no answer in time".to_owned()))?;
        if !refused.is_empty() {
            let refused = refused.join(", ");
            tracing::warn!(alert = %alert.id, refused, "some recipients are not taken by the mail server");
        }
        Ok(())
    }
}

fn server(url: &str, password: SecretString) -> Result<Server, Failure> {
    let wrong = || {
        Failure::usage("the mail server is no smtps:// or smtp:// address")
            .hint("Write for example smtps://alerts@mail.example.com, and set SEGUE_SMTP_PASSWORD.")
    };
    let url = Url::parse(url).map_err(|_| wrong())?;
    let host = url.host_str().filter(|host| !host.is_empty()).ok_or_else(wrong)?.to_owned();
    let is_here = matches!(host.as_str(), "localhost" | "127.0.0.1" | "[::1]");
    let (security, port) = match url.scheme() {
        "smtps" => (Security::Tls, PORT_TLS),
        "smtp" if is_here => (Security::None, PORT_SUBMISSION),
        "smtp" => (Security::StartTls, PORT_SUBMISSION),
        _ => return Err(wrong()),
    };
    if url.password().is_some() {
        return Err(Failure::usage("the password of the mail server stands in its address").hint(
            "Everybody on this machine can read it there: set SEGUE_SMTP_PASSWORD instead.",
        ));
    }
    let user = decoded(url.username()).ok_or_else(wrong)?;
    let login = match (user.is_empty(), password.expose_secret().is_empty()) {
        (true, _) => None,
        (false, false) => Some((user, password)),
        (false, true) => {
            return Err(Failure::usage(format!(
                "there is no password for {user} at the mail server"
            ))
            .hint("Set SEGUE_SMTP_PASSWORD."));
        }
    };
    let host = host.trim_matches(['[', ']']).to_owned();
    let tls = Arc::new(outbound::tls()?);
    Ok(Server { host, port: url.port().unwrap_or(port), security, login, tls })
}

/// Undoes `%40` in the name of a user.
fn decoded(text: &str) -> Option<String> {
    let mut bytes = Vec::new();
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'%' => {
                let digit = |byte: Option<u8>| char::from(byte?).to_digit(16);
                u8::try_from(digit(rest.next())? * 16 + digit(rest.next())?).ok()?
            }
            byte => byte,
        });
    }
    String::from_utf8(bytes).ok().filter(|text| !text.contains(char::is_control))
}

/// Tells whether a text is an address that can stand in a command and in a header as it is.
fn is_address(text: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_graphic() && !b"<>()[],;:\\\"@".contains(&byte);
    let Some((name, domain)) = text.split_once('@') else { return false };
    !name.is_empty()
        && domain.contains('.')
        && text.len() <= 254
        && name.bytes().all(is_plain)
        && domain.bytes().all(is_plain)
}

/// Writes the message of an alert.
fn message(alert: &Alert, from: &str, to: &[String], now: Timestamp) -> String {
    let domain = from.split_once('@').map_or("segue.invalid", |(_, domain)| domain);
    let key = &alert.key;
    let subject =
        format!("[segue] {}: {}/{} of {}", alert.kind, key.activation, key.segment, key.slot);
    let mut text = String::new();
    let mut header = |name: &str, value: &str| {
        let _ = write!(text, "{name}: {value}\r\n");
    };
    header("From", from);
    header("To", &to.join(", "));
    header("Subject", &in_header(&subject));
    header("Date", &now.strftime("%a, %d %b %Y %H:%M:%S +0000").to_string());
    header("Message-ID", &format!("<{}@{domain}>", alert.id));
    header("Segue-Delivery", &alert.id.to_string());
    // Nobody's absence is announced to a server (RFC 3834).
    header("Auto-Submitted", "auto-generated");
    header("MIME-Version", "1.0");
    header("Content-Type", "text/plain; charset=utf-8");
    header("Content-Transfer-Encoding", "base64");
    text.push_str("\r\n");
    let encoded = STANDARD.encode(body(alert));
    for line in encoded.as_bytes().chunks(LINE_CHARS_MAX) {
        text.push_str(&String::from_utf8_lossy(line));
        text.push_str("\r\n");
    }
    text
}

fn body(alert: &Alert) -> String {
    let key = &alert.key;
    let mut lines = vec![
        alert.message.clone(),
        String::new(),
        format!("activation  {}", key.activation),
        format!("segment     {}", key.segment),
        format!("slot        {}", key.slot),
        format!("what        {}", alert.kind),
    ];
    lines.extend(alert.code.as_ref().map(|code| format!("code        {code}")));
    lines.push(format!("at          {}", alert.at));
    if let Some(run) = alert.run_id {
        lines.push(format!("run         {run}"));
        lines.push(String::new());
        lines.push(format!("segue show {run}"));
    }
    lines.push(String::new());
    lines.join("\r\n")
}

/// Encodes what is not ASCII for a header (RFC 2047), and lets no line end through.
fn in_header(text: &str) -> String {
    let clean: String = text.chars().filter(|c| !c.is_control()).collect();
    match clean.is_ascii() {
        true => clean,
        false => format!("=?utf-8?B?{}?=", STANDARD.encode(clean)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(url: &str, from: &str, to: &[&str], password: &str) -> String {
        let to: Vec<String> = to.iter().map(|to| (*to).to_owned()).collect();
        let made = Mail::new(url, from, &to, SecretString::from(password));
        made.err().map(|failure| failure.message).unwrap_or_default()
    }

    #[test]
    fn what_is_no_good_mail_server_is_refused() {
        let (from, to) = ("segue@example.com", &["ops@example.com"][..]);
        for (url, password, said) in [
            ("smtps://mail.example.com", "", ""),
            ("smtps://alerts%40example.com@mail.example.com:4650", "x", ""),
            ("smtp://127.0.0.1:2525", "", ""),
            ("https://mail.example.com", "", "the mail server is no smtps:// or smtp:// address"),
            ("mail.example.com", "", "the mail server is no smtps:// or smtp:// address"),
            (
                "smtps://a:canary@mail.example.com",
                "",
                "the password of the mail server stands in its address",
            ),
            ("smtps://a@mail.example.com", "", "there is no password for a at the mail server"),
        ] {
            assert_eq!(refused(url, from, to, password), said, "{url}");
        }
        let url = "smtps://mail.example.com";
        assert_eq!(refused(url, "segue", to, ""), "`segue` is no address for mail");
        assert_eq!(refused(url, from, &[], ""), "nobody gets the mail");
        for address in ["a@b.c\r\nBcc: x@y.z", "a b@c.d", "<a@b.c>", "é@b.c", "a@b@c.d", "@b.c"] {
            assert_eq!(
                refused(url, from, &[address], ""),
                format!("`{address}` is no address for mail")
            );
        }
    }

    #[test]
    fn encryption_is_a_must_beyond_this_machine() {
        let security = |url: &str| server(url, SecretString::from("")).map(|it| it.security).ok();
        assert_eq!(security("smtps://mail.example.com"), Some(Security::Tls));
        assert_eq!(security("smtp://mail.example.com"), Some(Security::StartTls));
        assert_eq!(security("smtp://localhost"), Some(Security::None));
    }

    #[test]
    fn a_subject_is_one_line_of_ascii() {
        assert_eq!(in_header("a\r\nBcc: b"), "aBcc: b");
        assert_eq!(in_header("é"), "=?utf-8?B?w6k=?=");
    }
}
