//! Requests made by hand: signed with code that shares nothing with the lab or the SDK, and bent on purpose.

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use aws_lc_rs::{digest, hmac};
use s3lab::{Lab, User};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// A request on its way to be signed.
#[derive(Clone)]
pub(crate) struct Request {
    pub(crate) method: &'static str,
    /// Encoded, beginning with a slash.
    pub(crate) path: String,
    /// Names and encoded values.
    pub(crate) query: BTreeMap<String, String>,
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) body: Vec<u8>,
    pub(crate) user: User,
    pub(crate) region: String,
    pub(crate) at: SystemTime,
    /// `x-amz-content-sha256`, instead of the body's.
    pub(crate) payload: Option<String>,
}

/// An answer, read to its end.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) body: String,
}

impl Answer {
    pub(crate) fn code(&self) -> String {
        let code = self.body.split_once("<Code>").and_then(|(_, rest)| rest.split_once("</Code>"));
        format!("{} {}", self.status, code.map_or("", |(code, _)| code)).trim_end().to_owned()
    }
}

/// The signature of a request and what chunks are signed with.
pub(crate) struct Signed {
    pub(crate) text: Vec<u8>,
    pub(crate) signature: String,
    pub(crate) key: hmac::Key,
    pub(crate) scope: String,
    pub(crate) date: String,
}

impl Request {
    pub(crate) fn new(method: &'static str, path: &str, body: &[u8]) -> Self {
        Self {
            method,
            path: path.to_owned(),
            query: BTreeMap::new(),
            headers: BTreeMap::new(),
            body: body.to_vec(),
            user: User::default(),
            region: "us-east-1".into(),
            at: SystemTime::now(),
            payload: None,
        }
    }

    pub(crate) fn query(mut self, name: &str, value: &str) -> Self {
        self.query.insert(name.into(), value.into());
        self
    }

    pub(crate) fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.insert(name.into(), value.into());
        self
    }

    /// Writes the request down, signed.
    pub(crate) fn signed(&self, lab: &Lab) -> Signed {
        let date = amz_date(self.at);
        let payload = self.payload.clone().unwrap_or_else(|| sha256(&self.body));
        let mut headers = self.headers.clone();
        headers.insert("host".into(), lab.address().to_string());
        headers.insert("x-amz-date".into(), date.clone());
        headers.insert("x-amz-content-sha256".into(), payload.clone());
        if let Some(token) = &self.user.session_token {
            headers.insert("x-amz-security-token".into(), token.clone());
        }
        let query: Vec<String> =
            self.query.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let query = query.join("&");
        let names: Vec<&str> = headers.keys().map(String::as_str).collect();
        let names = names.join(";");
        let lines: String =
            headers.iter().map(|(name, value)| format!("{name}:{value}\n")).collect();
        let canonical =
            format!("{}\n{}\n{query}\n{lines}\n{names}\n{payload}", self.method, self.path);
        let scope = format!("{}/{}/s3/aws4_request", &date[..8], self.region);
        let to_sign =
            format!("AWS4-HMAC-SHA256\n{date}\n{scope}\n{}", sha256(canonical.as_bytes()));
        let key = signing_key(&self.user.secret_access_key, &date[..8], &self.region);
        let signature = hex(hmac::sign(&key, to_sign.as_bytes()).as_ref());
        headers.insert(
            "authorization".into(),
            format!(
                "AWS4-HMAC-SHA256 Credential={}/{scope}, SignedHeaders={names}, Signature={signature}",
                self.user.access_key_id
            ),
        );
        Signed { text: self.text(&query, headers), signature, key, scope, date }
    }

    /// Writes the request down without a signature.
    pub(crate) fn anonymous(&self, lab: &Lab) -> Vec<u8> {
        let query: Vec<String> =
            self.query.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let mut headers = self.headers.clone();
        headers.insert("host".into(), lab.address().to_string());
        self.text(&query.join("&"), headers)
    }

    fn text(&self, query: &str, mut headers: BTreeMap<String, String>) -> Vec<u8> {
        headers.entry("content-length".into()).or_insert_with(|| self.body.len().to_string());
        headers.insert("connection".into(), "close".into());
        let mark = if query.is_empty() { "" } else { "?" };
        let mut text = format!("{} {}{mark}{query} HTTP/1.1\r\n", self.method, self.path);
        for (name, value) in headers {
            text.push_str(&format!("{name}: {value}\r\n"));
        }
        text.push_str("\r\n");
        let mut bytes = text.into_bytes();
        bytes.extend_from_slice(&self.body);
        bytes
    }

    pub(crate) async fn send(&self, lab: &Lab) -> Answer {
        exchange(lab, &self.signed(lab).text).await.unwrap()
    }
}

/// Sends bytes and reads what comes until the end of the connection.
pub(crate) async fn exchange(lab: &Lab, request: &[u8]) -> std::io::Result<Answer> {
    let mut stream = TcpStream::connect(lab.address()).await?;
    stream.write_all(request).await?;
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes).await?;
    let text = String::from_utf8_lossy(&bytes).into_owned();
    let (head, body) = text.split_once("\r\n\r\n").ok_or(std::io::ErrorKind::UnexpectedEof)?;
    let mut lines = head.split("\r\n");
    let status = lines.next().and_then(|line| line.split(' ').nth(1)?.parse().ok()).unwrap();
    let headers = lines
        .filter_map(|line| line.split_once(": "))
        .map(|(n, v)| (n.to_lowercase(), v.to_owned()));
    Ok(Answer { status, headers: headers.collect(), body: body.to_owned() })
}

pub(crate) fn signing_key(secret: &str, day: &str, region: &str) -> hmac::Key {
    let step = |key: &[u8], text: &str| {
        hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), text.as_bytes()).as_ref().to_vec()
    };
    let key = step(format!("AWS4{secret}").as_bytes(), day);
    let key = step(&step(&step(&key, region), "s3"), "aws4_request");
    hmac::Key::new(hmac::HMAC_SHA256, &key)
}

pub(crate) fn sha256(bytes: &[u8]) -> String {
    hex(digest::digest(&digest::SHA256, bytes).as_ref())
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Writes a time as `20261122T093000Z`, by the civil calendar.
fn amz_date(at: SystemTime) -> String {
    let seconds = at.duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO).as_secs();
    let (days, rest) = (seconds / 86_400, seconds % 86_400);
    let (mut year, mut left) = (1970, days);
    let leap = |year: u64| {
        year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400))
    };
    while left >= if leap(year) { 366 } else { 365 } {
        left -= if leap(year) { 366 } else { 365 };
        year += 1;
    }
    let february = if leap(year) { 29 } else { 28 };
    let mut month = 1;
    for length in [31, february, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31] {
        if left < length {
            break;
        }
        left -= length;
        month += 1;
    }
    format!(
        "{year}{month:02}{:02}T{:02}{:02}{:02}Z",
        left + 1,
        rest / 3600,
        rest / 60 % 60,
        rest % 60
    )
}
