//! What a lab remembers: the log, the history, and what is there now.

use s3lab::{Backend, Event, Options};

use crate::client::{body, client, options, put, start, start_with};
use crate::multipart::two_parts;

#[tokio::test]
async fn the_log_says_what_was_asked_and_answered() {
    let lab = start(Backend::Memory).await;
    let client = client(&lab);
    let done =
        client.put_object().bucket("bucket").key("a b").body(body("hello")).send().await.unwrap();
    let _ = client.get_object().bucket("bucket").key("absent").send().await;
    let _ = client.head_object().bucket("bucket").key("absent").send().await;
    client
        .get_object()
        .bucket("bucket")
        .key("a b")
        .send()
        .await
        .unwrap()
        .body
        .collect()
        .await
        .unwrap();
    client.list_objects_v2().bucket("bucket").prefix("a b").send().await.unwrap();
    let log = lab.log();
    let short: Vec<String> = log
        .iter()
        .map(|e| {
            let code = e.code.as_deref().unwrap_or("-");
            format!(
                "{} {}/{} {} {code} {} {}",
                e.operation, e.bucket, e.key, e.status, e.bytes_in, e.query
            )
        })
        .collect();
    assert_eq!(
        short,
        [
            "PutObject bucket/a b 200 - 5 ",
            "GetObject bucket/absent 404 NoSuchKey 0 ",
            "HeadObject bucket/absent 404 NoSuchKey 0 ",
            "GetObject bucket/a b 200 - 0 ",
            "ListObjectsV2 bucket/ 200 - 0 list-type=2&prefix=a b",
        ]
    );
    assert_eq!(log[3].bytes_out, 5);
    assert_eq!(
        log[0].access_key_id.as_deref(),
        Some(s3lab::User::default().access_key_id.as_str())
    );
    let id = aws_sdk_s3::operation::RequestId::request_id(&done).unwrap();
    assert_eq!(log[0].request_id, id);
    lab.clear_log();
    assert!(lab.log().is_empty());
}

#[tokio::test]
async fn the_log_and_the_history_are_bounded() {
    let lab = start_with(Options { log_entries_max: 3, history_changes_max: 2, ..options() }).await;
    let client = client(&lab);
    for key in ["a", "b", "c", "d"] {
        put(&client, "bucket", key, "x").await;
    }
    assert_eq!(
        lab.log().iter().map(|entry| entry.key.as_str()).collect::<Vec<_>>(),
        ["b", "c", "d"]
    );
    assert_eq!(lab.history().iter().map(|change| change.sequence).collect::<Vec<_>>(), [3, 4]);
}

#[tokio::test]
async fn the_history_says_what_became_visible() {
    let lab = start(Backend::Memory).await;
    let client = client(&lab);
    let upload = two_parts(&client, "k").await;
    assert!(lab.history().is_empty(), "parts are not visible");
    upload.finish().await.unwrap();
    client
        .put_object()
        .bucket("bucket")
        .key("k")
        .body(body("x"))
        .metadata("token", "1")
        .send()
        .await
        .unwrap();
    client.put_object().bucket("versioned").key("v").body(body("x")).send().await.unwrap();
    client.delete_object().bucket("versioned").key("v").send().await.unwrap();
    lab.put("bucket", "by-hand", "y").await.unwrap();
    lab.delete("bucket", "by-hand").unwrap();
    let history = lab.history();
    let short: Vec<_> = history
        .iter()
        .map(|c| (c.sequence, c.event, c.bucket.as_str(), c.key.as_str(), c.size))
        .collect();
    assert_eq!(
        short,
        [
            (1, Event::Created, "bucket", "k", 1004),
            (2, Event::Replaced, "bucket", "k", 1),
            (3, Event::Created, "versioned", "v", 1),
            (4, Event::Deleted, "versioned", "v", 1),
            (5, Event::Created, "bucket", "by-hand", 1),
            (6, Event::Deleted, "bucket", "by-hand", 1),
        ]
    );
    assert_eq!(history[1].metadata["token"], "1");
    assert_eq!((history[0].version_id.is_some(), history[2].version_id.is_some()), (false, true));
    assert_eq!(history[1].etag, "9dd4e461268c8034f5c8564e155c67a6");
}

#[tokio::test]
async fn direct_changes_know_the_rules() {
    let lab = start(Backend::Memory).await;
    let error = lab.put("absent", "k", "x").await.unwrap_err();
    assert_eq!(error.to_string(), "NoSuchBucket: The specified bucket does not exist");
    assert!(lab.object("absent", "k").is_none() && lab.keys("absent").is_empty());
    assert!(lab.open_uploads("absent").is_empty());
    let debug = format!("{:?} {lab:?}", Options::default());
    assert!(debug.contains("[redacted]") && !debug.contains("lab-admin-secret"), "{debug}");
}
