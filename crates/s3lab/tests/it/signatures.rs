//! Who signed what, when, and for where: mostly by requests that the SDK would never send.

use std::time::{Duration, SystemTime};

use aws_lc_rs::hmac;
use aws_sdk_s3::presigning::PresigningConfig;
use s3lab::{BucketSpec, Clock, Fault, Options, User};

use crate::client::{client, client_of, code, options, put, start_with, status};
use crate::raw::{Answer, Request, exchange, hex, sha256};

fn put_request() -> Request {
    Request::new("PUT", "/bucket/k", b"hello")
}

#[tokio::test]
async fn signatures_made_by_hand_are_accepted() {
    let lab = start_with(options()).await;
    let answer = put_request().header("x-amz-meta-a", "1").send(&lab).await;
    assert_eq!((answer.status, answer.body.as_str()), (200, ""));
    assert_eq!(answer.headers["x-amz-request-id"].len(), 16);
    let got = Request::new("GET", "/bucket/k", b"")
        .query("response-content-type", "text%2Fcsv")
        .send(&lab)
        .await;
    assert_eq!((got.status, got.body.as_str()), (200, "hello"));
    assert_eq!(got.headers["content-type"], "text/csv");
}

#[tokio::test]
async fn wrong_signatures_are_refused() {
    let lab = start_with(options()).await;
    let wrong_secret = User { secret_access_key: "wrong".into(), ..User::default() };
    let unknown = User { access_key_id: "LABNOBODY".into(), ..User::default() };
    let with_token = User { session_token: Some("token".into()), ..User::default() };
    for (request, expected) in [
        (Request { user: wrong_secret, ..put_request() }, "403 SignatureDoesNotMatch"),
        (Request { user: unknown, ..put_request() }, "403 InvalidAccessKeyId"),
        (Request { user: with_token, ..put_request() }, "400 InvalidToken"),
        (
            Request { region: "eu-west-1".into(), ..put_request() },
            "400 AuthorizationHeaderMalformed",
        ),
        (
            Request { payload: Some(sha256(b"other")), ..put_request() },
            "400 XAmzContentSHA256Mismatch",
        ),
    ] {
        assert_eq!(request.send(&lab).await.code(), expected);
    }
    let mut tampered = put_request().signed(&lab).text;
    let at = tampered.windows(9).position(|window| window == b"/bucket/k").unwrap();
    tampered[at + 8] = b'x';
    assert_eq!(exchange(&lab, &tampered).await.unwrap().code(), "403 SignatureDoesNotMatch");
    assert!(lab.keys("bucket").is_empty());
}

#[tokio::test]
async fn anonymous_and_old_signatures_are_refused() {
    let lab = start_with(options()).await;
    let send =
        async |request: Request| exchange(&lab, &request.anonymous(&lab)).await.unwrap().code();
    assert_eq!(send(put_request()).await, "403 AccessDenied");
    assert_eq!(send(Request::new("GET", "/", b"")).await, "403 AccessDenied");
    assert_eq!(
        send(put_request().header("authorization", "AWS KEY:c2ln")).await,
        "400 InvalidRequest"
    );
    let old = put_request()
        .query("AWSAccessKeyId", "KEY")
        .query("Signature", "c2ln")
        .query("Expires", "1");
    assert_eq!(send(old).await, "400 InvalidRequest");
}

#[tokio::test]
async fn the_lab_clock_rules() {
    let day = Duration::from_secs(86_400);
    let now = SystemTime::UNIX_EPOCH + 400 * 86_400 * Duration::from_secs(1) + 50 * 365 * day;
    let lab = start_with(Options { clock: Clock::new(move || now), ..options() }).await;
    let minutes = |count: u64| Duration::from_secs(60 * count);
    for (at, expected) in [
        (now, "200"),
        (now + minutes(14), "200"),
        (now - minutes(14), "200"),
        (now + minutes(16), "403 RequestTimeTooSkewed"),
        (now - minutes(16), "403 RequestTimeTooSkewed"),
    ] {
        let answer = Request { at, ..put_request() }.send(&lab).await;
        assert_eq!(answer.code(), expected);
        assert_eq!(answer.body.contains("<ServerTime>"), answer.status == 403);
    }
    assert_eq!(lab.object("bucket", "k").unwrap().last_modified, now);
}

#[tokio::test]
async fn buckets_elsewhere_are_redirected() {
    let far = BucketSpec { region: Some("eu-west-1".into()), ..BucketSpec::from("far") };
    let lab = start_with(Options { buckets: vec!["bucket".into(), far], ..options() }).await;
    let ask = async |region: &str| -> Answer {
        Request { region: region.into(), ..Request::new("GET", "/far", b"") }.send(&lab).await
    };
    let redirected = ask("us-east-1").await;
    assert_eq!(redirected.code(), "301 PermanentRedirect");
    assert_eq!(redirected.headers["x-amz-bucket-region"], "eu-west-1");
    assert!(redirected.body.contains("<Endpoint>s3.eu-west-1.amazonaws.com</Endpoint>"));
    let malformed = ask("ap-south-1").await;
    assert_eq!(malformed.code(), "400 AuthorizationHeaderMalformed");
    assert!(malformed.body.contains("<Region>eu-west-1</Region>"));
    assert_eq!(ask("eu-west-1").await.code(), "200");
    let head = Request { region: "us-east-1".into(), ..Request::new("HEAD", "/far", b"") }
        .send(&lab)
        .await;
    assert_eq!(
        (head.status, head.headers["x-amz-bucket-region"].as_str(), head.body.len()),
        (301, "eu-west-1", 0)
    );
}

#[tokio::test]
async fn session_tokens() {
    let temporary = User {
        access_key_id: "LABTEMPORARY".into(),
        session_token: Some("the-token".into()),
        ..User::default()
    };
    let lab =
        start_with(Options { users: vec![User::default(), temporary.clone()], ..options() }).await;
    let checksums = aws_sdk_s3::config::RequestChecksumCalculation::WhenRequired;
    put(&client_of(&lab, &temporary, checksums), "bucket", "k", "x").await;
    let without = User { session_token: None, ..temporary };
    let refused = client_of(&lab, &without, checksums).list_buckets().send().await;
    assert_eq!((status(&refused), code(&refused)), (400, "InvalidToken".into()));
    lab.faults().add(Fault::on_any(s3lab::Action::expired_token()));
    let expired = client(&lab).list_buckets().send().await;
    assert_eq!((status(&expired), code(&expired)), (400, "ExpiredToken".into()));
    assert_eq!(code(&client(&lab).list_buckets().send().await), "ok");
}

#[tokio::test]
async fn presigned_urls() {
    let lab = start_with(options()).await;
    lab.put("bucket", "k", "hello").await.unwrap();
    let config = PresigningConfig::expires_in(Duration::from_secs(60)).unwrap();
    let presigned =
        client(&lab).get_object().bucket("bucket").key("k").presigned(config).await.unwrap();
    let target = presigned.uri().split_once(&lab.address().to_string()).unwrap().1.to_owned();
    let text = |target: &str| {
        format!("GET {target} HTTP/1.1\r\nhost: {}\r\nconnection: close\r\n\r\n", lab.address())
    };
    let answer = exchange(&lab, text(&target).as_bytes()).await.unwrap();
    assert_eq!((answer.status, answer.body.as_str()), (200, "hello"));
    let bent = target.replace("/bucket/k", "/bucket/other");
    assert_eq!(
        exchange(&lab, text(&bent).as_bytes()).await.unwrap().code(),
        "403 SignatureDoesNotMatch"
    );
    assert!(!lab.log()[0].query.to_lowercase().contains("signature"), "{}", lab.log()[0].query);
}

/// A request in signed chunks, with an optional signed trailer; `bend` changes the text of the body.
async fn chunked(
    lab: &s3lab::Lab,
    trailer: Option<&str>,
    bend: impl FnOnce(String) -> String,
) -> Answer {
    let content = "0123456789".repeat(10);
    let payload = if trailer.is_some() { "-TRAILER" } else { "" };
    let request = Request {
        payload: Some(format!("STREAMING-AWS4-HMAC-SHA256-PAYLOAD{payload}")),
        ..Request::new("PUT", "/bucket/k", b"")
    };
    let mut request = request
        .header("x-amz-decoded-content-length", "100")
        .header("content-encoding", "aws-chunked");
    if trailer.is_some() {
        request = request.header("x-amz-trailer", "x-amz-checksum-crc32");
    }
    let signed = request.signed(lab);
    let mut previous = signed.signature.clone();
    let sign = |kind: &str, previous: &str, rest: &str| {
        let text = format!(
            "AWS4-HMAC-SHA256-{kind}\n{}\n{}\n{previous}\n{rest}",
            signed.date, signed.scope
        );
        hex(hmac::sign(&signed.key, text.as_bytes()).as_ref())
    };
    let mut body = String::new();
    for chunk in [&content[..70], &content[70..], ""] {
        let rest = format!("{}\n{}", sha256(b""), sha256(chunk.as_bytes()));
        previous = sign("PAYLOAD", &previous, &rest);
        body.push_str(&format!("{:x};chunk-signature={previous}\r\n{chunk}", chunk.len()));
        if !(chunk.is_empty() && trailer.is_some()) {
            body.push_str("\r\n");
        }
    }
    if let Some(value) = trailer {
        let line = format!("x-amz-checksum-crc32:{value}\n");
        let signature = sign("TRAILER", &previous, &sha256(line.as_bytes()));
        body.push_str(&format!(
            "x-amz-checksum-crc32:{value}\r\nx-amz-trailer-signature:{signature}\r\n\r\n"
        ));
    }
    let body = bend(body);
    let length = body.len().to_string();
    let head = String::from_utf8(signed.text)
        .unwrap()
        .replace("content-length: 0", &format!("content-length: {length}"));
    exchange(lab, (head + &body).as_bytes()).await.unwrap()
}

/// CRC32 of ten times the ten digits, computed elsewhere.
const CRC32: &str = "sfxLvA==";

#[tokio::test]
async fn signed_chunks() {
    let lab = start_with(options()).await;
    let good = chunked(&lab, None, |body| body).await;
    assert_eq!(good.code(), "200");
    assert_eq!(lab.object("bucket", "k").unwrap().content_encoding, None);
    lab.delete("bucket", "k").unwrap();
    let bent = chunked(&lab, None, |body| body.replacen("0123", "0124", 1)).await;
    assert_eq!(bent.code(), "400 SignatureDoesNotMatch");
    let short = chunked(&lab, None, |body| body[..body.len() - 100].to_owned()).await;
    assert_eq!(short.code(), "400 IncompleteBody");
    let garbage = chunked(&lab, None, |_| "not chunks at all, but long enough".into()).await;
    assert_eq!(garbage.status, 400, "{garbage:?}");
    // The end is missing, but every chunk that came is well signed.
    let cut = chunked(&lab, None, |body| body[..body.find("1e;").unwrap()].to_owned()).await;
    assert_eq!(cut.code(), "400 IncompleteBody");
    assert!(lab.keys("bucket").is_empty());
}

#[tokio::test]
async fn signed_trailers() {
    let lab = start_with(options()).await;
    assert_eq!(chunked(&lab, Some(CRC32), |body| body).await.code(), "200");
    lab.delete("bucket", "k").unwrap();
    assert_eq!(chunked(&lab, Some("AAAAAA=="), |body| body).await.code(), "400 BadDigest");
    let bent = chunked(&lab, Some(CRC32), |body| body.replace(CRC32, "AAAAAA==")).await;
    assert_eq!(bent.code(), "400 SignatureDoesNotMatch");
    let missing =
        chunked(&lab, Some(CRC32), |body| body[..body.find("x-amz-checksum").unwrap()].to_owned())
            .await;
    assert_eq!(missing.code(), "400 MalformedTrailerError");
    assert!(lab.keys("bucket").is_empty());
}

#[tokio::test]
async fn unsigned_chunks_with_a_trailer() {
    let lab = start_with(options()).await;
    let send = async |value: &str, length: &str| {
        let body = format!("9\r\n123456789\r\n0\r\nx-amz-checksum-crc32:{value}\r\n\r\n");
        let request = Request {
            payload: Some("STREAMING-UNSIGNED-PAYLOAD-TRAILER".into()),
            ..Request::new("PUT", "/bucket/k", body.as_bytes())
        };
        let request = request.header("x-amz-decoded-content-length", length);
        request.header("x-amz-trailer", "x-amz-checksum-crc32").send(&lab).await.code()
    };
    assert_eq!(send("y/Q5Jg==", "9").await, "200");
    assert_eq!(send("AAAAAA==", "9").await, "400 BadDigest");
    assert_eq!(send("y/Q5Jg==", "10").await, "400 IncompleteBody");
    assert_eq!(lab.history().len(), 1);
    assert_eq!(lab.object("bucket", "k").unwrap().bytes, "123456789");
}

#[tokio::test]
async fn bodies_without_a_length_are_refused() {
    let lab = start_with(options()).await;
    let request = Request { payload: Some("UNSIGNED-PAYLOAD".into()), ..put_request() };
    let text = String::from_utf8(request.signed(&lab).text).unwrap();
    let text = text
        .replace("content-length: 5", "transfer-encoding: chunked")
        .replace("hello", "5\r\nhello\r\n0\r\n\r\n");
    assert_eq!(exchange(&lab, text.as_bytes()).await.unwrap().code(), "411 MissingContentLength");
}
