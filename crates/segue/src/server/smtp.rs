//! Handing a message to a mail server: the client's side of SMTP (RFC 5321), with TLS from the start or
//! by `STARTTLS` (RFC 3207), and `AUTH PLAIN` (RFC 4954). One message a connection.

use std::net::IpAddr;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rustls::pki_types::ServerName;
use secrecy::{ExposeSecret as _, SecretString};
use tokio::io::{AsyncBufReadExt as _, AsyncRead, AsyncWrite, AsyncWriteExt as _, BufReader};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use zeroize::Zeroizing;

/// The most bytes of one reply that are read.
const REPLY_BYTES_MAX: usize = 16 << 10;
/// How much of what a server says is repeated, in characters.
const SAID_CHARS_MAX: usize = 120;

/// A mail server, and how it is spoken to.
#[derive(Clone)]
pub(super) struct Server {
    pub(super) host: String,
    pub(super) port: u16,
    pub(super) security: Security,
    /// Who signs in, and with what.
    pub(super) login: Option<(String, SecretString)>,
    pub(super) tls: Arc<rustls::ClientConfig>,
}

/// When a connection is encrypted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Security {
    /// From the first byte.
    Tls,
    /// Before anything is said that matters; a server that does not offer it is not spoken to.
    StartTls,
    /// Not at all: to this machine alone.
    None,
}

/// A message as it travels.
pub(super) struct Envelope<'a> {
    pub(super) from: &'a str,
    pub(super) to: &'a [String],
    /// Headers and body, its lines ended by CRLF.
    pub(super) message: &'a str,
}

trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}
impl<T: AsyncRead + AsyncWrite + Unpin + Send> Stream for T {}

/// Hands a message over. Returns the recipients that the server refused, of several.
///
/// # Errors
/// What went wrong, for the log: the server cannot be reached, or does not take the message.
pub(super) async fn send(server: &Server, envelope: &Envelope<'_>) -> Result<Vec<String>, String> {
    let tcp = TcpStream::connect((server.host.as_str(), server.port)).await;
    let tcp = tcp.map_err(|error| format!("no connection to {}: {error}", server.host))?;
    let hello = hello(&tcp)?;
    let encrypted: Box<dyn Stream> = match server.security {
        Security::Tls => encrypt(server, tcp).await?,
        Security::None => Box::new(tcp),
        Security::StartTls => {
            let mut plain = Talk::new(tcp);
            plain.expect(220).await?;
            let offers = plain.say(&hello, 250).await?;
            if !has(&offers, "STARTTLS") {
                return Err("the mail server offers no encryption (STARTTLS)".to_owned());
            }
            plain.say("STARTTLS", 220).await?;
            // What was sent in the clear behind the answer is not part of the encrypted talk.
            let tcp = plain.into_inner()?;
            let talk = Talk::new(encrypt(server, tcp).await?);
            return hand_over(server, talk, &hello, envelope).await;
        }
    };
    let mut talk = Talk::new(encrypted);
    talk.expect(220).await?;
    hand_over(server, talk, &hello, envelope).await
}

/// How this machine introduces itself: by its address, as it need not have a name.
fn hello(tcp: &TcpStream) -> Result<String, String> {
    let address = tcp.local_addr().map_err(|error| format!("the connection broke: {error}"))?;
    Ok(match address.ip() {
        IpAddr::V4(address) => format!("EHLO [{address}]"),
        IpAddr::V6(address) => format!("EHLO [IPv6:{address}]"),
    })
}

async fn encrypt(server: &Server, tcp: TcpStream) -> Result<Box<dyn Stream>, String> {
    let name = ServerName::try_from(server.host.clone())
        .map_err(|_| format!("{} is no name of a server", server.host))?;
    let connector = TlsConnector::from(Arc::clone(&server.tls));
    let stream = connector.connect(name, tcp).await;
    let stream = stream.map_err(|error| format!("no trusted TLS connection: {error}"))?;
    Ok(Box::new(stream))
}

/// Says everything behind the greeting.
async fn hand_over(
    server: &Server,
    mut talk: Talk<Box<dyn Stream>>,
    hello: &str,
    envelope: &Envelope<'_>,
) -> Result<Vec<String>, String> {
    let offers = talk.say(hello, 250).await?;
    if let Some((user, password)) = &server.login {
        if !offers.iter().any(|offer| offer.starts_with("AUTH ") && offer.contains("PLAIN")) {
            return Err("the mail server does not offer AUTH PLAIN".to_owned());
        }
        talk.sign_in(user, password).await?;
    }
    talk.say(&format!("MAIL FROM:<{}>", envelope.from), 250).await?;
    let mut refused = Vec::new();
    let mut last = String::new();
    for to in envelope.to {
        if let Err(error) = talk.say(&format!("RCPT TO:<{to}>"), 250).await {
            refused.push(to.clone());
            last = error;
        }
    }
    if refused.len() == envelope.to.len() {
        return Err(last);
    }
    talk.say("DATA", 354).await?;
    talk.say(&format!("{}.", stuffed(envelope.message)), 250).await?;
    // The message is theirs now, whatever becomes of the farewell.
    let _ = talk.say("QUIT", 221).await;
    Ok(refused)
}

/// A line that is a dot alone ends a message, so a dot at the beginning of a line is doubled.
fn stuffed(message: &str) -> String {
    let mut stuffed = String::with_capacity(message.len() + 8);
    for line in message.split_inclusive("\r\n") {
        if line.starts_with('.') {
            stuffed.push('.');
        }
        stuffed.push_str(line);
    }
    if !stuffed.ends_with("\r\n") {
        stuffed.push_str("\r\n");
    }
    stuffed
}

fn has(offers: &[String], wanted: &str) -> bool {
    offers.iter().any(|offer| offer.eq_ignore_ascii_case(wanted))
}

/// Commands and replies.
struct Talk<S> {
    stream: BufReader<S>,
}

impl<S: Stream> Talk<S> {
    fn new(stream: S) -> Self {
        Self { stream: BufReader::new(stream) }
    }

    /// Gives the stream back, with nothing unread.
    fn into_inner(self) -> Result<S, String> {
        match self.stream.buffer().is_empty() {
            true => Ok(self.stream.into_inner()),
            false => Err("the mail server spoke before it was encrypted".to_owned()),
        }
    }

    /// Sends a command and returns the lines of the reply, which must have this code.
    async fn say(&mut self, command: &str, code: u16) -> Result<Vec<String>, String> {
        self.send(command.as_bytes()).await?;
        self.expect(code).await
    }

    async fn sign_in(&mut self, user: &str, password: &SecretString) -> Result<(), String> {
        let plain = Zeroizing::new(format!("\0{user}\0{}", password.expose_secret()));
        // Of its full length from the beginning, so that nothing is left behind where it grew.
        let mut line = Zeroizing::new(String::with_capacity(32 + 2 * plain.len()));
        line.push_str("AUTH PLAIN ");
        STANDARD.encode_string(plain.as_bytes(), &mut line);
        self.send(line.as_bytes()).await?;
        self.expect(235).await.map(|_| ())
    }

    async fn send(&mut self, line: &[u8]) -> Result<(), String> {
        let sent = async {
            let stream = self.stream.get_mut();
            stream.write_all(line).await?;
            stream.write_all(b"\r\n").await?;
            stream.flush().await
        };
        sent.await.map_err(|error| format!("the connection broke: {error}"))
    }

    /// Reads a reply: lines `250-…`, the last one `250 …`.
    async fn expect(&mut self, code: u16) -> Result<Vec<String>, String> {
        let (mut lines, mut bytes) = (Vec::new(), 0);
        loop {
            let line = self.line(REPLY_BYTES_MAX - bytes).await?;
            bytes += line.len();
            let (found, rest) = line.split_at_checked(3).unwrap_or(("", &line));
            let text = rest.get(1..).unwrap_or_default();
            // 251: the recipient is elsewhere, and the server passes the message on.
            if found != code.to_string() && !(code == 250 && found == "251") {
                return Err(format!("the mail server said {found} {}", clipped(text)));
            }
            lines.push(text.to_owned());
            if !rest.starts_with('-') {
                return Ok(lines);
            }
        }
    }

    async fn line(&mut self, bytes_max: usize) -> Result<String, String> {
        let mut line = Vec::new();
        loop {
            let read = self.stream.fill_buf().await;
            let read = read.map_err(|error| format!("the connection broke: {error}"))?;
            if read.is_empty() {
                return Err("the mail server ended the connection".to_owned());
            }
            let end = read.iter().position(|byte| *byte == b'\n');
            let taken = end.map_or(read.len(), |end| end + 1);
            line.extend_from_slice(&read[..taken]);
            self.stream.consume(taken);
            if line.len() > bytes_max {
                return Err("the mail server says too much".to_owned());
            }
            if end.is_some() {
                return Ok(String::from_utf8_lossy(&line).trim_end().to_owned());
            }
        }
    }
}

fn clipped(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(SAID_CHARS_MAX).collect()
}

#[cfg(test)]
mod tests {
    use rustls::pki_types::pem::PemObject as _;
    use rustls::pki_types::{CertificateDer, PrivateKeyDer};
    use tokio::net::TcpListener;
    use tokio_rustls::TlsAcceptor;

    use super::*;

    const AUTHORITY: &[u8] = include_bytes!("../../tests/it/tls/ca.pem");
    const CERTIFICATE: &[u8] = include_bytes!("../../tests/it/tls/server.pem");
    const KEY: &[u8] = include_bytes!("../../tests/it/tls/server.key");

    /// What a client trusts, and what a server shows.
    fn tls() -> (Arc<rustls::ClientConfig>, TlsAcceptor) {
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let mut roots = rustls::RootCertStore::empty();
        roots.add(CertificateDer::from_pem_slice(AUTHORITY).unwrap()).unwrap();
        let client = rustls::ClientConfig::builder_with_provider(Arc::clone(&provider))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        let certificate = CertificateDer::from_pem_slice(CERTIFICATE).unwrap();
        let server = rustls::ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![certificate], PrivateKeyDer::from_pem_slice(KEY).unwrap())
            .unwrap();
        (Arc::new(client), TlsAcceptor::from(Arc::new(server)))
    }

    /// Plays the server: says each line, and returns what was heard after each.
    async fn play<S: Stream>(stream: &mut BufReader<S>, lines: &[&str]) -> Vec<String> {
        let mut heard = Vec::new();
        for line in lines {
            stream.get_mut().write_all(format!("{line}\r\n").as_bytes()).await.unwrap();
            stream.get_mut().flush().await.unwrap();
            let mut answer = String::new();
            stream.read_line(&mut answer).await.unwrap();
            heard.push(answer.trim_end().to_owned());
        }
        heard
    }

    /// Sends a message to a server that is played. Returns what came of it.
    async fn sent(
        security: Security,
        serve: impl AsyncFnOnce(TcpListener, TlsAcceptor) -> Vec<String>,
    ) -> (Result<Vec<String>, String>, Vec<String>) {
        let (config, acceptor) = tls();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let login = Some(("alerts".to_owned(), SecretString::from("canary-password")));
        let server = Server { host: "127.0.0.1".to_owned(), port, security, login, tls: config };
        let to = ["ops@example.com".to_owned()];
        let envelope = Envelope { from: "segue@example.com", to: &to, message: "a\r\n" };
        tokio::join!(send(&server, &envelope), serve(listener, acceptor))
    }

    #[tokio::test]
    async fn nothing_is_said_in_the_clear_but_that_encryption_is_wanted() {
        let serve = async |listener: TcpListener, acceptor: TlsAcceptor| {
            let (tcp, _) = listener.accept().await.unwrap();
            let mut plain = BufReader::new(tcp);
            let lines = ["220 mail", "250-mail\r\n250 STARTTLS"];
            let mut heard = play(&mut plain, &lines).await;
            plain.get_mut().write_all(b"220 go\r\n").await.unwrap();
            let mut secret = BufReader::new(acceptor.accept(plain.into_inner()).await.unwrap());
            let mut line = String::new();
            secret.read_line(&mut line).await.unwrap();
            heard.push(line.trim_end().to_owned());
            let lines =
                ["250-mail\r\n250 AUTH PLAIN LOGIN", "235 in", "250 ok", "250 ok", "354 go"];
            heard.extend(play(&mut secret, &lines).await);
            heard.extend(play(&mut secret, &[]).await);
            secret.read_line(&mut String::new()).await.unwrap();
            secret.get_mut().write_all(b"250 taken\r\n").await.unwrap();
            heard
        };
        let (result, heard) = sent(Security::StartTls, serve).await;
        assert_eq!(result, Ok(Vec::new()));
        assert_eq!(
            heard,
            [
                "EHLO [127.0.0.1]",
                "STARTTLS",
                "EHLO [127.0.0.1]",
                "AUTH PLAIN AGFsZXJ0cwBjYW5hcnktcGFzc3dvcmQ=",
                "MAIL FROM:<segue@example.com>",
                "RCPT TO:<ops@example.com>",
                "DATA",
                "a",
            ]
        );
    }

    #[tokio::test]
    async fn a_server_without_encryption_hears_nothing() {
        let serve = async |listener: TcpListener, _: TlsAcceptor| {
            let (tcp, _) = listener.accept().await.unwrap();
            play(&mut BufReader::new(tcp), &["220 mail", "250-mail\r\n250 AUTH PLAIN"]).await
        };
        let (result, heard) = sent(Security::StartTls, serve).await;
        assert_eq!(result, Err("the mail server offers no encryption (STARTTLS)".to_owned()));
        assert_eq!(heard, ["EHLO [127.0.0.1]", ""]);
    }

    #[tokio::test]
    async fn a_server_that_speaks_ahead_of_encryption_is_left() {
        let serve = async |listener: TcpListener, _: TlsAcceptor| {
            let (tcp, _) = listener.accept().await.unwrap();
            let lines = ["220 mail", "250 STARTTLS", "220 go\r\n250 injected"];
            play(&mut BufReader::new(tcp), &lines).await
        };
        let (result, _) = sent(Security::StartTls, serve).await;
        assert_eq!(result, Err("the mail server spoke before it was encrypted".to_owned()));
    }

    #[test]
    fn a_dot_does_not_end_a_message() {
        assert_eq!(stuffed("a\r\n.\r\n..b\r\nc"), "a\r\n..\r\n...b\r\nc\r\n");
        assert_eq!(stuffed(""), "\r\n");
    }
}
