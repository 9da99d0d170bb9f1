//! Object Lock: what the default retention of a bucket does to those who write and delete.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime};

use aws_sdk_s3::Client;
use s3lab::{BucketSpec, Clock, Lab, Options, Retention, RetentionMode};

use crate::client::{body, client, code, options, start_with};

const DAY: u64 = 24 * 60 * 60;
const MD5_OF_X: &str = "ndTkYSaMgDT1yFZOFVxnpg==";

/// A lab with a bucket that locks for two days, and the days that its clock is ahead.
async fn locked() -> (Lab, Client, Arc<AtomicU64>) {
    let ahead = Arc::new(AtomicU64::new(0));
    let days = Arc::clone(&ahead);
    let clock = Clock::new(move || {
        SystemTime::now() + Duration::from_secs(days.load(Ordering::Relaxed) * DAY)
    });
    let retention = Some(Retention { mode: RetentionMode::Governance, days: 2 });
    let bucket = BucketSpec { versioned: true, retention, ..BucketSpec::from("locked") };
    let buckets = vec![bucket, "bucket".into()];
    let clock_skew_max = Duration::from_secs(30 * DAY);
    let lab = start_with(Options { buckets, clock, clock_skew_max, ..options() }).await;
    let client = client(&lab);
    (lab, client, ahead)
}

#[tokio::test]
async fn bytes_come_with_something_to_check_them_by() {
    let (_lab, client, _) = locked().await;
    let put = || client.put_object().bucket("locked").key("k").body(body("x"));
    assert_eq!(code(&put().send().await), "InvalidRequest");
    assert_eq!(code(&put().content_md5(MD5_OF_X).send().await), "ok");
    let upload = client.create_multipart_upload().bucket("locked").key("k").send().await.unwrap();
    let id = upload.upload_id().unwrap();
    let part = || {
        let part = client.upload_part().bucket("locked").key("k").upload_id(id).part_number(1);
        part.body(body("x"))
    };
    assert_eq!(code(&part().send().await), "InvalidRequest");
    assert_eq!(code(&part().content_md5(MD5_OF_X).send().await), "ok");
    let free = client.put_object().bucket("bucket").key("k").body(body("x"));
    assert_eq!(code(&free.send().await), "ok");
}

#[tokio::test]
async fn a_version_stays_until_its_time_is_over() {
    let (lab, client, ahead) = locked().await;
    lab.put("locked", "k", "first").await.unwrap();
    lab.put("locked", "k", "second").await.unwrap();
    let head = client.head_object().bucket("locked").key("k").send().await.unwrap();
    assert_eq!(head.object_lock_mode().map(|mode| mode.as_str()), Some("GOVERNANCE"));
    assert!(head.object_lock_retain_until_date().is_some());
    let version = head.version_id().unwrap();
    let remove = || client.delete_object().bucket("locked").key("k").version_id(version).send();
    assert_eq!(code(&remove().await), "AccessDenied");
    // Hiding it is allowed.
    let hidden = client.delete_object().bucket("locked").key("k").send().await.unwrap();
    assert_eq!(hidden.delete_marker(), Some(true));
    ahead.store(3, Ordering::Relaxed);
    assert_eq!(code(&remove().await), "ok");
}

#[tokio::test]
async fn the_rule_of_a_bucket_is_told() {
    let (_lab, client, _) = locked().await;
    let told = client.get_object_lock_configuration().bucket("locked").send().await.unwrap();
    let rule = told.object_lock_configuration().and_then(|it| it.rule()).unwrap();
    assert_eq!(rule.default_retention().and_then(|it| it.days()), Some(2));
    let none = client.get_object_lock_configuration().bucket("bucket").send().await;
    assert_eq!(code(&none), "ObjectLockConfigurationNotFoundError");
    let none = client.get_bucket_policy().bucket("bucket").send().await;
    assert_eq!(code(&none), "NoSuchBucketPolicy");
}
