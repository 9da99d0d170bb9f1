//! Alerts as a mail server gets them.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::http::Server;
use crate::project::{Project, Text, lab};

const PASSWORD: &str = "canary-mail-password-0001";

/// A message: who signed in, to whom it goes, its headers, and its text.
struct Mail {
    login: String,
    to: Vec<String>,
    head: Vec<String>,
    text: String,
}

impl Mail {
    fn header(&self, name: &str) -> &str {
        let begin = format!("{name}: ");
        self.head.iter().find_map(|line| line.strip_prefix(&begin)).unwrap_or_default()
    }
}

/// A mail server on loopback that says "later" to the first messages.
fn mail_server(refused: usize) -> (String, Receiver<Mail>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let url = format!("smtp://alerts@{}", listener.local_addr().expect("an address"));
    let (sender, mails) = channel();
    std::thread::spawn(move || {
        for (count, stream) in listener.incoming().enumerate() {
            let Ok(stream) = stream else { return };
            // A connection that breaks is the client's affair.
            let _ = serve(&stream, count < refused, &sender);
        }
    });
    (url, mails)
}

fn serve(mut stream: &TcpStream, is_refused: bool, mails: &Sender<Mail>) -> std::io::Result<()> {
    let mut reader = BufReader::new(stream.try_clone()?);
    let mut mail =
        Mail { login: String::new(), to: Vec::new(), head: Vec::new(), text: String::new() };
    stream.write_all(b"220 mail.example.com\r\n")?;
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line)? == 0 {
            return Ok(());
        }
        let line = line.trim_end().to_owned();
        let answer: &[u8] = match line.split(' ').next().unwrap_or_default() {
            "EHLO" => b"250-mail.example.com\r\n250-SIZE 1000000\r\n250 AUTH LOGIN PLAIN\r\n",
            "AUTH" => {
                let plain = line.rsplit(' ').next().unwrap_or_default();
                let plain = STANDARD.decode(plain).unwrap_or_default();
                mail.login = String::from_utf8_lossy(&plain).replace('\0', "/");
                b"235 welcome\r\n"
            }
            "RCPT" if line.contains("gone@") => b"550 no such user\r\n",
            "RCPT" => {
                mail.to.push(line);
                b"250 ok\r\n"
            }
            "DATA" => {
                stream.write_all(b"354 go on\r\n")?;
                read_message(&mut reader, &mut mail)?;
                match is_refused {
                    true => b"451 later\r\n",
                    false => b"250 taken\r\n",
                }
            }
            "QUIT" => {
                stream.write_all(b"221 bye\r\n")?;
                let _ = mails.send(mail);
                return Ok(());
            }
            _ => b"250 ok\r\n",
        };
        stream.write_all(answer)?;
        if is_refused && answer.starts_with(b"451") {
            let _ = mails.send(mail);
            return Ok(());
        }
    }
}

fn read_message(reader: &mut impl std::io::BufRead, mail: &mut Mail) -> std::io::Result<()> {
    let (mut encoded, mut is_head) = (String::new(), true);
    loop {
        let mut line = String::new();
        reader.read_line(&mut line)?;
        assert!(line.ends_with("\r\n"), "{line:?}");
        match line.trim_end() {
            "." => break,
            "" => is_head = false,
            line if is_head => mail.head.push(line.to_owned()),
            line => encoded.push_str(line),
        }
    }
    let text = STANDARD.decode(encoded).expect("base64");
    mail.text = String::from_utf8(text).expect("UTF-8");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn alerts_are_mailed_in_order_and_again_until_they_are_taken() {
    let lab = lab().await;
    let project = Project::new(&Text::default().yaml(), Some(&lab));
    let (url, mails) = mail_server(1);
    let flags = [
        "--smtp",
        &url,
        "--mail-from",
        "segue@example.com",
        "--mail-to",
        "ops@example.com",
        "--mail-to",
        "gone@example.com",
    ];
    let mut server = Server::with(&project, &flags, &[("SEGUE_SMTP_PASSWORD", PASSWORD)]).await;
    let run = server.ask("POST", "/api/v1/activations/daily/run", &server.operator, &[], None);
    assert_eq!(run.status, 202, "{}", run.text);
    let mut got = Vec::new();
    while got.len() < 3 {
        let mail = mails.recv_timeout(Duration::from_secs(60)).expect("a mail");
        assert_eq!(mail.login, format!("/alerts/{PASSWORD}"));
        assert_eq!(mail.to, ["RCPT TO:<ops@example.com>"], "one recipient is not known there");
        assert_eq!(mail.header("From"), "segue@example.com");
        assert_eq!(mail.header("Auto-Submitted"), "auto-generated");
        let id = mail.header("Segue-Delivery").to_owned();
        assert_eq!(mail.header("Message-ID"), format!("<{id}@example.com>"));
        let all = format!("{:?}{}", mail.head, mail.text);
        assert!(!all.contains("ann@") && !all.contains("o'neill"), "{all}");
        got.push(mail);
    }
    let subjects: Vec<&str> = got.iter().map(|mail| mail.header("Subject")).collect();
    assert!(subjects[0].starts_with("[segue] started: daily/loyal of "), "{subjects:?}");
    assert_eq!(subjects[0], subjects[1], "the first was not taken");
    assert_eq!(
        got[0].header("Message-ID"),
        got[1].header("Message-ID"),
        "and came again as itself"
    );
    assert!(subjects[2].contains("delivered") || subjects[2].contains("exclusion_rate"));
    let filters = [("[0-9a-f]{8}-[0-9a-f-]{27}", "[id]"), (r"\d{4}-\d\d-\d\dT[\d:.]+Z", "[time]")];
    insta::with_settings!({ filters => filters.to_vec() }, {
        insta::assert_snapshot!("mail_started", got[1].text);
    });
    let listed = server.ask("GET", "/api/v1/alerts", &server.viewer, &[], None).json();
    assert!(listed["items"].as_array().is_some_and(|items| items.len() >= 2), "{listed}");
    let said = server.stop();
    assert!(!said.contains(PASSWORD), "{said}");
}

/// Over TLS from the first byte, to a server whose authority is one's own: trusted where
/// `SSL_CERT_FILE` says so, and told nothing where it does not.
#[tokio::test(flavor = "multi_thread")]
async fn a_mail_server_is_trusted_by_its_own_authority() {
    for trusts in [false, true] {
        let lab = lab().await;
        let project = Project::new(&Text::default().yaml(), Some(&lab));
        project.write("ca.pem", crate::trust::AUTHORITY);
        let authority = project.path("ca.pem").display().to_string();
        let (url, mails) = mail_server(0);
        let plain = url.rsplit_once('@').expect("a user").1.parse().expect("an address");
        let url = format!("smtps://alerts@{}", crate::trust::encrypted(plain).await);
        let flags =
            ["--smtp", &url, "--mail-from", "segue@example.com", "--mail-to", "ops@example.com"];
        let mut variables = vec![("SEGUE_SMTP_PASSWORD", PASSWORD)];
        variables.extend(trusts.then_some(("SSL_CERT_FILE", authority.as_str())));
        let mut server = Server::with(&project, &flags, &variables).await;
        let path = "/api/v1/activations/daily/run";
        let run = server.ask("POST", path, &server.operator, &[], None);
        assert_eq!(run.status, 202, "{}", run.text);
        if trusts {
            let mail = mails.recv_timeout(Duration::from_secs(60)).expect("a mail");
            assert_eq!(mail.login, format!("/alerts/{PASSWORD}"));
            assert_eq!(mail.to, ["RCPT TO:<ops@example.com>"]);
            assert!(mail.header("Subject").starts_with("[segue] "), "{:?}", mail.head);
        } else {
            crate::delivery::wait_until(|| {
                let listed = server.ask("GET", "/api/v1/alerts", &server.viewer, &[], None).json();
                let items = listed["items"].as_array().expect("alerts").clone();
                items.iter().any(|alert| alert["attempts"].as_u64() > Some(0))
            })
            .await;
            assert!(mails.try_recv().is_err(), "who is not trusted is handed nothing");
        }
        let said = server.stop();
        assert_eq!(said.contains("no trusted TLS connection"), !trusts, "{said}");
        assert!(!said.contains(PASSWORD), "{said}");
    }
}

/// A mail server that does not answer keeps no webhook waiting.
#[tokio::test(flavor = "multi_thread")]
async fn one_way_that_is_blocked_does_not_block_the_other() {
    let lab = lab().await;
    let project = Project::new(&Text::default().yaml(), Some(&lab));
    let (url, posts) = crate::webhook::receiver(0);
    let closed = TcpListener::bind("127.0.0.1:0").expect("a port");
    let smtp = format!("smtp://{}", closed.local_addr().expect("an address"));
    drop(closed);
    let flags = [
        "--webhook",
        &url,
        "--smtp",
        &smtp,
        "--mail-from",
        "a@example.com",
        "--mail-to",
        "b@example.com",
    ];
    let secret = ("SEGUE_WEBHOOK_SECRET", "0123456789abcdef");
    let server = Server::with(&project, &flags, &[secret]).await;
    let run = server.ask("POST", "/api/v1/activations/daily/run", &server.operator, &[], None);
    assert_eq!(run.status, 202, "{}", run.text);
    for _ in 0..2 {
        posts.recv_timeout(Duration::from_secs(60)).expect("a post");
    }
    let listed = server.ask("GET", "/api/v1/alerts", &server.viewer, &[], None).json();
    let first = listed["items"].as_array().and_then(|items| items.last()).expect("an alert");
    assert!(first["sentAt"].is_null() && !first["nextAttemptAt"].is_null(), "{listed}");
}

#[test]
fn what_is_no_good_way_to_mail_is_told_at_the_start() {
    let project = Project::new(&Text::default().yaml(), None);
    let mut said = Vec::new();
    for flags in [
        &["--mail-to", "ops@example.com"][..],
        &["--mail-to", "ops", "--mail-from", "a@b.c", "--smtp", "smtps://mail.example.com"],
        &["--mail-to", "a@b.c", "--mail-from", "a@b.c", "--smtp", "https://mail.example.com"],
        &["--mail-to", "a@b.c", "--mail-from", "a@b.c", "--smtp", "smtps://x@mail.example.com"],
    ] {
        let mut arguments = vec!["serve", "--listen", "127.0.0.1:0"];
        arguments.extend(flags);
        said.push(project.transcript(&project.segue(&arguments)));
    }
    insta::assert_snapshot!("mail_refused", said.join("\n"));
}
