//! What holds on every backend that keeps bodies: each function runs in memory and in a folder.

use aws_sdk_s3::primitives::{ByteStream, DateTime};
use aws_sdk_s3::types::{
    BucketVersioningStatus, ChecksumAlgorithm, ChecksumMode, CreateBucketConfiguration, Delete,
    MetadataDirective, ObjectAttributes, ObjectIdentifier, ServerSideEncryption, StorageClass, Tag,
    Tagging, VersioningConfiguration,
};
use s3lab::Lab;

use crate::client::{body, checking_client, client, code, get, put, status};
use crate::raw::Request;

on_both_backends! {
    buckets
    write_and_read
    what_the_writer_said_is_kept
    ranges
    conditions_of_reads
    conditions_of_writes
    checksums_of_objects
    sdk_default_checksums
    opaque_keys
    key_length
    missing_things
    deletions
    batch_deletions
    lists
    list_pages
    url_encoded_lists
    versions
    version_lists
    tags
    copies
    attributes
    bad_attributes
    bucket_owner
}

async fn buckets(lab: Lab) {
    let client = client(&lab);
    client.create_bucket().bucket("new").send().await.unwrap();
    // us-east-1 answers the owner's second request with success.
    client.create_bucket().bucket("new").send().await.unwrap();
    assert_eq!(code(&client.create_bucket().bucket("No").send().await), "InvalidBucketName");
    let elsewhere =
        CreateBucketConfiguration::builder().location_constraint("eu-west-1".into()).build();
    let refused =
        client.create_bucket().bucket("far").create_bucket_configuration(elsewhere).send().await;
    assert_eq!(code(&refused), "IllegalLocationConstraintException");

    let head = client.head_bucket().bucket("new").send().await.unwrap();
    assert_eq!(head.bucket_region(), Some("us-east-1"));
    let location = client.get_bucket_location().bucket("new").send().await.unwrap();
    assert_eq!(location.location_constraint().map(|l| l.as_str()).unwrap_or_default(), "");
    let listed = client.list_buckets().send().await.unwrap();
    let names: Vec<&str> = listed.buckets().iter().filter_map(|bucket| bucket.name()).collect();
    assert_eq!(names, ["bucket", "new", "versioned"]);

    put(&client, "new", "a/b", "1").await;
    assert_eq!(code(&client.delete_bucket().bucket("new").send().await), "BucketNotEmpty");
    client.delete_object().bucket("new").key("a/b").send().await.unwrap();
    client.delete_bucket().bucket("new").send().await.unwrap();
    assert_eq!(status(&client.head_bucket().bucket("new").send().await), 404);
    assert_eq!(code(&client.delete_bucket().bucket("new").send().await), "NoSuchBucket");
}

async fn write_and_read(lab: Lab) {
    let client = client(&lab);
    let etag = put(&client, "bucket", "a.csv", "hello").await;
    assert_eq!(etag, "5d41402abc4b2a76b9719d911017c592");
    assert_eq!(get(&client, "bucket", "a.csv").await, "hello");
    put(&client, "bucket", "a.csv", "other").await;
    assert_eq!(get(&client, "bucket", "a.csv").await, "other");
    put(&client, "bucket", "empty", "").await;
    assert_eq!(get(&client, "bucket", "empty").await, "");
    let large: Vec<u8> = (0..1_500_000_u32).map(|i| (i % 253) as u8).collect();
    client
        .put_object()
        .bucket("bucket")
        .key("large")
        .body(ByteStream::from(large.clone()))
        .send()
        .await
        .unwrap();
    let got = client.get_object().bucket("bucket").key("large").send().await.unwrap();
    assert_eq!(got.content_length(), Some(1_500_000));
    assert!(got.body.collect().await.unwrap().to_vec() == large);
    assert_eq!(lab.object("bucket", "large").unwrap().size, 1_500_000);
    assert_eq!(lab.object("bucket", "a.csv").unwrap().bytes, "other");
}

async fn what_the_writer_said_is_kept(lab: Lab) {
    let client = client(&lab);
    let request = client
        .put_object()
        .bucket("bucket")
        .key("k")
        .body(body("x"))
        .content_type("text/csv; header=present");
    let request = request
        .content_encoding("gzip")
        .cache_control("no-store")
        .content_disposition("attachment");
    let request = request.metadata("segue-token", "t 1").storage_class(StorageClass::StandardIa);
    let request = request
        .server_side_encryption(ServerSideEncryption::AwsKms)
        .ssekms_key_id("key-1")
        .tagging("a=b");
    request.send().await.unwrap();
    let head = client.head_object().bucket("bucket").key("k").send().await.unwrap();
    assert_eq!(head.content_type(), Some("text/csv; header=present"));
    assert_eq!(head.content_encoding(), Some("gzip"));
    assert_eq!(head.cache_control(), Some("no-store"));
    assert_eq!(head.content_disposition(), Some("attachment"));
    assert_eq!(head.metadata().unwrap()["segue-token"], "t 1");
    assert_eq!(head.storage_class(), Some(&StorageClass::StandardIa));
    assert_eq!(head.server_side_encryption(), Some(&ServerSideEncryption::AwsKms));
    assert_eq!(head.ssekms_key_id(), Some("key-1"));
    assert_eq!(head.content_length(), Some(1));
    let got = client.get_object().bucket("bucket").key("k").send().await.unwrap();
    assert_eq!((got.tag_count(), got.version_id()), (Some(1), None));

    // Without a word from the writer, S3 has its own.
    lab.put("bucket", "plain", "x").await.unwrap();
    let head = client.head_object().bucket("bucket").key("plain").send().await.unwrap();
    assert_eq!(head.content_type(), Some("binary/octet-stream"));
    assert_eq!(head.server_side_encryption(), Some(&ServerSideEncryption::Aes256));
    assert_eq!(head.storage_class(), None);
}

async fn ranges(lab: Lab) {
    let client = client(&lab);
    put(&client, "bucket", "k", "0123456789").await;
    for (range, expected, shown) in [
        ("bytes=0-3", "0123", "bytes 0-3/10"),
        ("bytes=4-", "456789", "bytes 4-9/10"),
        ("bytes=-2", "89", "bytes 8-9/10"),
        ("bytes=8-99", "89", "bytes 8-9/10"),
    ] {
        let got = client.get_object().bucket("bucket").key("k").range(range).send().await.unwrap();
        assert_eq!(got.content_range(), Some(shown));
        assert_eq!(got.body.collect().await.unwrap().to_vec(), expected.as_bytes(), "{range}");
    }
    let beyond = client.get_object().bucket("bucket").key("k").range("bytes=10-").send().await;
    assert_eq!((status(&beyond), code(&beyond)), (416, "InvalidRange".into()));
    let answer =
        Request::new("GET", "/bucket/k", b"").header("range", "bytes=10-11").send(&lab).await;
    assert_eq!(answer.headers["content-range"], "bytes */10");
}

async fn conditions_of_reads(lab: Lab) {
    let client = client(&lab);
    let etag = put(&client, "bucket", "k", "x").await;
    let get = || client.get_object().bucket("bucket").key("k");
    let past = DateTime::from_secs(1_000_000_000);
    assert_eq!(code(&get().if_match(&etag).send().await), "ok");
    assert_eq!(code(&get().if_match("other").send().await), "PreconditionFailed");
    assert_eq!(status(&get().if_none_match(&etag).send().await), 304);
    assert_eq!(code(&get().if_none_match("other").send().await), "ok");
    assert_eq!(code(&get().if_modified_since(past).send().await), "ok");
    assert_eq!(code(&get().if_unmodified_since(past).send().await), "PreconditionFailed");
    let head = client.head_object().bucket("bucket").key("k").if_match("other").send().await;
    assert_eq!(status(&head), 412);
}

async fn conditions_of_writes(lab: Lab) {
    let client = client(&lab);
    let put_if = |key: &str| client.put_object().bucket("bucket").key(key).body(body("new"));
    assert_eq!(code(&put_if("k").if_none_match("*").send().await), "ok");
    let refused = put_if("k").if_none_match("*").send().await;
    assert_eq!((status(&refused), code(&refused)), (412, "PreconditionFailed".into()));
    let etag = put(&client, "bucket", "k", "old").await;
    assert_eq!(code(&put_if("k").if_match("0123").send().await), "PreconditionFailed");
    assert_eq!(get(&client, "bucket", "k").await, "old");
    assert_eq!(code(&put_if("k").if_match(format!("\"{etag}\"")).send().await), "ok");
    assert_eq!(get(&client, "bucket", "k").await, "new");
    let missing = put_if("absent").if_match(&etag).send().await;
    assert_eq!((status(&missing), code(&missing)), (404, "NoSuchKey".into()));
    assert_eq!(code(&put_if("k").if_none_match("\"etag\"").send().await), "NotImplemented");
    assert_eq!(lab.keys("bucket"), ["k"]);
}

async fn checksums_of_objects(lab: Lab) {
    let client = client(&lab);
    let put = || client.put_object().bucket("bucket").key("k").body(body("123456789"));
    assert_eq!(code(&put().content_md5("JfnnlDI7RTiF9RgfG2JNCw==").send().await), "ok");
    assert_eq!(code(&put().content_md5("AAAAAAAAAAAAAAAAAAAAAA==").send().await), "BadDigest");
    assert_eq!(code(&put().content_md5("nonsense").send().await), "InvalidDigest");
    assert_eq!(code(&put().checksum_crc32("y/Q5Jg==").send().await), "ok");
    assert_eq!(code(&put().checksum_crc32_c("4waSgw==").send().await), "ok");
    assert_eq!(code(&put().checksum_crc64_nvme("rosUhgp5mIg=").send().await), "ok");
    assert_eq!(code(&put().checksum_sha1("98O8HYCOBHMq32eZZczDTKeuNEE=").send().await), "ok");
    let sha =
        put().checksum_sha256("FeKw08M4keuw8e9gnsQZQgwg4yDOlMZfvIwzEkSOsiU=").send().await.unwrap();
    assert_eq!(sha.checksum_sha256(), Some("FeKw08M4keuw8e9gnsQZQgwg4yDOlMZfvIwzEkSOsiU="));
    for wrong in [
        put().checksum_crc32("AAAAAA=="),
        put().checksum_crc32_c("AAAAAA=="),
        put().checksum_crc64_nvme("AAAAAAAAAAA="),
        put().checksum_sha1("AAAAAAAAAAAAAAAAAAAAAAAAAAA="),
        put().checksum_sha256("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="),
    ] {
        assert_eq!(code(&wrong.send().await), "BadDigest");
    }
    assert_eq!(code(&put().checksum_crc32("short").send().await), "InvalidRequest");
    let head = client.head_object().bucket("bucket").key("k").checksum_mode(ChecksumMode::Enabled);
    let head = head.send().await.unwrap();
    assert_eq!(head.checksum_sha256(), sha.checksum_sha256());
    assert_eq!(head.checksum_type().map(|kind| kind.as_str()), Some("FULL_OBJECT"));

    // S3 adds a CRC64NVME where the writer gave nothing.
    put().send().await.unwrap();
    let head = client.head_object().bucket("bucket").key("k").checksum_mode(ChecksumMode::Enabled);
    assert_eq!(head.send().await.unwrap().checksum_crc64_nvme(), Some("rosUhgp5mIg="));
    let head = client.head_object().bucket("bucket").key("k").send().await.unwrap();
    assert_eq!(head.checksum_crc64_nvme(), None);
}

async fn sdk_default_checksums(lab: Lab) {
    let client = checking_client(&lab);
    let large: Vec<u8> = (0..300_000_u32).map(|i| (i % 249) as u8).collect();
    let streamed = ByteStream::from(large.clone());
    let done = client
        .put_object()
        .bucket("bucket")
        .key("k")
        .content_encoding("gzip")
        .body(streamed)
        .send()
        .await;
    assert!(done.unwrap().checksum_crc32().is_some());
    for algorithm in [
        ChecksumAlgorithm::Crc32C,
        ChecksumAlgorithm::Crc64Nvme,
        ChecksumAlgorithm::Sha1,
        ChecksumAlgorithm::Sha256,
    ] {
        let put = client.put_object().bucket("bucket").key("k").content_encoding("gzip");
        put.checksum_algorithm(algorithm)
            .body(ByteStream::from(large.clone()))
            .send()
            .await
            .unwrap();
    }
    let got = client.get_object().bucket("bucket").key("k").send().await.unwrap();
    assert_eq!(got.content_encoding(), Some("gzip"), "the framing of the transfer is not kept");
    assert!(got.checksum_sha256().is_some());
    assert!(got.body.collect().await.unwrap().to_vec() == large);
}

async fn opaque_keys(lab: Lab) {
    let client = client(&lab);
    let mut keys = vec![
        "/lead",
        "//",
        "a/../b",
        "../x",
        ".",
        "./a",
        "a//b",
        "a/",
        "x",
        "x/y",
        "x/y/",
        "ümlaut/日本.csv",
        "sp ace+plus",
        "per%cent%2F",
        "tab\tkey",
        "quo\"te",
        "a&b<c>",
        ".escaped/x",
        "~!@#$^*()_-=[]{};:',.?|\\",
        "trailing.",
        "CASE",
        "case",
        "emoji-🦀",
    ];
    for key in &keys {
        put(&client, "bucket", key, key).await;
    }
    for key in &keys {
        assert_eq!(get(&client, "bucket", key).await, *key);
        let head = client.head_object().bucket("bucket").key(*key).send().await.unwrap();
        assert_eq!(head.content_length(), i64::try_from(key.len()).ok());
    }
    keys.sort_unstable();
    assert_eq!(lab.keys("bucket"), keys);
    let listed = client.list_objects_v2().bucket("bucket").send().await.unwrap();
    assert_eq!(
        listed.contents().iter().filter_map(|object| object.key()).collect::<Vec<_>>(),
        keys
    );
    for key in &keys {
        client.delete_object().bucket("bucket").key(*key).send().await.unwrap();
    }
    assert!(lab.keys("bucket").is_empty());
}

async fn key_length(lab: Lab) {
    let client = client(&lab);
    let long = "k".repeat(1024);
    put(&client, "bucket", &long, "x").await;
    assert_eq!(get(&client, "bucket", &long).await, "x");
    let too_long =
        client.put_object().bucket("bucket").key("k".repeat(1025)).body(body("x")).send().await;
    assert_eq!((status(&too_long), code(&too_long)), (400, "KeyTooLongError".into()));
}

async fn missing_things(lab: Lab) {
    let client = client(&lab);
    assert_eq!(code(&client.get_object().bucket("bucket").key("k").send().await), "NoSuchKey");
    assert_eq!(status(&client.head_object().bucket("bucket").key("k").send().await), 404);
    assert_eq!(code(&client.get_object().bucket("absent").key("k").send().await), "NoSuchBucket");
    let put = client.put_object().bucket("absent").key("k").body(body("x")).send().await;
    assert_eq!(code(&put), "NoSuchBucket");
    assert_eq!(code(&client.list_objects_v2().bucket("absent").send().await), "NoSuchBucket");
    assert_eq!(
        code(&client.create_multipart_upload().bucket("absent").key("k").send().await),
        "NoSuchBucket"
    );
    let version = client.get_object().bucket("versioned").key("k").version_id("no").send().await;
    assert_eq!(code(&version), "NoSuchVersion");
    let unknown = client.get_bucket_acl().bucket("bucket").send().await;
    assert_eq!(code(&unknown), "NotImplemented");
}

async fn deletions(lab: Lab) {
    let client = client(&lab);
    let etag = put(&client, "bucket", "k", "x").await;
    let delete = || client.delete_object().bucket("bucket").key("k");
    assert_eq!(code(&delete().if_match("other").send().await), "PreconditionFailed");
    assert_eq!(code(&delete().if_match(&etag).send().await), "ok");
    // Deleting what is not there is no error.
    assert_eq!(code(&delete().send().await), "ok");
    assert!(lab.object("bucket", "k").is_none());
}

async fn batch_deletions(lab: Lab) {
    for client in [client(&lab), checking_client(&lab)] {
        for key in ["a", "b/c", "b/d"] {
            put(&client, "bucket", key, "x").await;
        }
        let named = |key: &str| ObjectIdentifier::builder().key(key).build().unwrap();
        let list = ["a", "b/c", "absent"].map(named);
        let delete = Delete::builder().set_objects(Some(list.into())).build().unwrap();
        let done = client.delete_objects().bucket("bucket").delete(delete).send().await.unwrap();
        assert_eq!((done.deleted().len(), done.errors().len()), (3, 0));
        assert_eq!(lab.keys("bucket"), ["b/d"]);
    }
    let unguarded =
        Request::new("POST", "/bucket", b"<Delete><Object><Key>b/d</Key></Object></Delete>");
    let unguarded = unguarded.query("delete", "");
    assert_eq!(unguarded.send(&lab).await.code(), "400 InvalidRequest");
    let damaged = unguarded.header("content-md5", "AAAAAAAAAAAAAAAAAAAAAA==");
    assert_eq!(damaged.send(&lab).await.code(), "400 BadDigest");
    assert_eq!(lab.keys("bucket"), ["b/d"]);
}

async fn lists(lab: Lab) {
    let client = client(&lab);
    for key in ["a", "b/1", "b/2", "c/x/1", "d"] {
        put(&client, "bucket", key, "xyz").await;
    }
    let top = client.list_objects_v2().bucket("bucket").delimiter("/").send().await.unwrap();
    assert_eq!(top.contents().iter().filter_map(|o| o.key()).collect::<Vec<_>>(), ["a", "d"]);
    assert_eq!(
        top.common_prefixes().iter().filter_map(|p| p.prefix()).collect::<Vec<_>>(),
        ["b/", "c/"]
    );
    assert_eq!(top.key_count(), Some(4));
    let first = &top.contents()[0];
    assert_eq!((first.size(), first.storage_class().unwrap().as_str()), (Some(3), "STANDARD"));
    assert_eq!(first.e_tag(), Some("\"d16fb36f0911f878998c136191af705e\""));
    let below = client
        .list_objects_v2()
        .bucket("bucket")
        .prefix("b/")
        .start_after("b/1")
        .send()
        .await
        .unwrap();
    assert_eq!(below.contents().iter().filter_map(|o| o.key()).collect::<Vec<_>>(), ["b/2"]);
    let old = client.list_objects().bucket("bucket").prefix("c").send().await.unwrap();
    assert_eq!(old.contents().iter().filter_map(|o| o.key()).collect::<Vec<_>>(), ["c/x/1"]);
}

async fn list_pages(lab: Lab) {
    let client = client(&lab);
    let keys: Vec<String> = (0..25).map(|i| format!("p{}/k{i:02}", i % 3)).collect();
    for key in &keys {
        put(&client, "bucket", key, "x").await;
    }
    let mut sorted = keys.clone();
    sorted.sort();
    let mut pages = client.list_objects_v2().bucket("bucket").max_keys(7).into_paginator().send();
    let mut seen = Vec::new();
    let mut sizes = Vec::new();
    while let Some(page) = pages.next().await {
        let page = page.unwrap();
        sizes.push(page.contents().len());
        seen.extend(page.contents().iter().filter_map(|o| o.key().map(str::to_owned)));
    }
    assert_eq!((seen, sizes), (sorted.clone(), vec![7, 7, 7, 4]));

    let mut marker = None;
    let mut prefixes = Vec::new();
    loop {
        let page = client
            .list_objects()
            .bucket("bucket")
            .delimiter("/")
            .max_keys(2)
            .set_marker(marker)
            .send();
        let page = page.await.unwrap();
        prefixes
            .extend(page.common_prefixes().iter().filter_map(|p| p.prefix().map(str::to_owned)));
        marker = page.next_marker().map(str::to_owned);
        if marker.is_none() {
            break;
        }
    }
    assert_eq!(prefixes, ["p0/", "p1/", "p2/"]);

    let none = client.list_objects_v2().bucket("bucket").max_keys(0).send().await.unwrap();
    assert_eq!((none.contents().len(), none.is_truncated()), (0, Some(false)));
    let bad = client.list_objects_v2().bucket("bucket").continuation_token("!").send().await;
    assert_eq!(code(&bad), "InvalidArgument");
    assert_eq!(
        code(&client.list_objects_v2().bucket("bucket").max_keys(-1).send().await),
        "InvalidArgument"
    );
}

async fn url_encoded_lists(lab: Lab) {
    put(&client(&lab), "bucket", "a b/\u{1}+ü", "x").await;
    let list =
        Request::new("GET", "/bucket", b"").query("encoding-type", "url").query("list-type", "2");
    let answer = list.send(&lab).await;
    assert!(answer.body.contains("<Key>a%20b/%01%2B%C3%BC</Key>"), "{}", answer.body);
}

async fn versions(lab: Lab) {
    let client = client(&lab);
    let put = async |text: &str| {
        let put =
            client.put_object().bucket("versioned").key("k").body(body(text)).send().await.unwrap();
        put.version_id().unwrap().to_owned()
    };
    let (first, second) = (put("one").await, put("two").await);
    assert_ne!(first, second);
    assert_eq!(get(&client, "versioned", "k").await, "two");
    let read = async |id: &str| {
        let got = client.get_object().bucket("versioned").key("k").version_id(id).send().await?;
        Ok::<_, aws_sdk_s3::Error>(
            String::from_utf8(got.body.collect().await.unwrap().to_vec()).unwrap(),
        )
    };
    assert_eq!(read(&first).await.unwrap(), "one");

    let deleted = client.delete_object().bucket("versioned").key("k").send().await.unwrap();
    assert_eq!(deleted.delete_marker(), Some(true));
    let marker = deleted.version_id().unwrap().to_owned();
    let gone = client.get_object().bucket("versioned").key("k").send().await;
    assert_eq!(code(&gone), "NoSuchKey");
    let raw = gone.as_ref().unwrap_err().raw_response().unwrap();
    assert_eq!(raw.headers().get("x-amz-delete-marker"), Some("true"));
    let by_id = client.get_object().bucket("versioned").key("k").version_id(&marker).send().await;
    assert_eq!((status(&by_id), code(&by_id)), (405, "MethodNotAllowed".into()));
    // A delete marker counts as nothing for a writer that wants to be the first.
    let fresh = client
        .put_object()
        .bucket("versioned")
        .key("k")
        .body(body("three"))
        .if_none_match("*")
        .send()
        .await;
    let third = fresh.unwrap().version_id().unwrap().to_owned();

    for id in [&third, &marker] {
        client.delete_object().bucket("versioned").key("k").version_id(id).send().await.unwrap();
    }
    assert_eq!(get(&client, "versioned", "k").await, "two");
    client.delete_object().bucket("versioned").key("k").version_id(&second).send().await.unwrap();
    assert_eq!(get(&client, "versioned", "k").await, "one");

    let suspend =
        VersioningConfiguration::builder().status(BucketVersioningStatus::Suspended).build();
    let suspend =
        client.put_bucket_versioning().bucket("versioned").versioning_configuration(suspend);
    suspend.send().await.unwrap();
    let status = client.get_bucket_versioning().bucket("versioned").send().await.unwrap();
    assert_eq!(status.status(), Some(&BucketVersioningStatus::Suspended));
    assert_eq!(put("four").await, "null");
    assert_eq!(put("five").await, "null");
    assert_eq!(read(&first).await.unwrap(), "one");
    assert_eq!(read("null").await.unwrap(), "five");
    let never = client.get_bucket_versioning().bucket("bucket").send().await.unwrap();
    assert_eq!(never.status(), None);
}

async fn version_lists(lab: Lab) {
    let client = client(&lab);
    for (key, text) in [("a", "1"), ("a", "22"), ("b/x", "1"), ("c", "1"), ("a", "333")] {
        put(&client, "versioned", key, text).await;
    }
    client.delete_object().bucket("versioned").key("c").send().await.unwrap();
    let all = client.list_object_versions().bucket("versioned").send().await.unwrap();
    let shown: Vec<_> = all
        .versions()
        .iter()
        .map(|v| (v.key().unwrap(), v.size().unwrap(), v.is_latest().unwrap()))
        .collect();
    assert_eq!(
        shown,
        [("a", 3, true), ("a", 2, false), ("a", 1, false), ("b/x", 1, true), ("c", 1, false)]
    );
    let markers: Vec<_> =
        all.delete_markers().iter().map(|m| (m.key().unwrap(), m.is_latest().unwrap())).collect();
    assert_eq!(markers, [("c", true)]);

    let (mut key, mut id) = (None, None);
    let mut seen = Vec::new();
    loop {
        let page =
            client.list_object_versions().bucket("versioned").max_keys(2).set_key_marker(key);
        let page = page.set_version_id_marker(id).send().await.unwrap();
        seen.extend(
            page.versions().iter().map(|v| format!("{} {}", v.key().unwrap(), v.size().unwrap())),
        );
        seen.extend(page.delete_markers().iter().map(|m| format!("{} gone", m.key().unwrap())));
        if page.is_truncated() != Some(true) {
            break;
        }
        (key, id) = (
            page.next_key_marker().map(str::to_owned),
            page.next_version_id_marker().map(str::to_owned),
        );
    }
    assert_eq!(seen, ["a 3", "a 2", "a 1", "b/x 1", "c 1", "c gone"]);
    let grouped = client
        .list_object_versions()
        .bucket("versioned")
        .delimiter("/")
        .prefix("b")
        .send()
        .await
        .unwrap();
    assert_eq!(
        grouped.common_prefixes().iter().filter_map(|p| p.prefix()).collect::<Vec<_>>(),
        ["b/"]
    );
}

async fn tags(lab: Lab) {
    let client = client(&lab);
    client
        .put_object()
        .bucket("bucket")
        .key("k")
        .body(body("x"))
        .tagging("team=a%20b")
        .send()
        .await
        .unwrap();
    let read = async || {
        let got = client.get_object_tagging().bucket("bucket").key("k").send().await.unwrap();
        got.tag_set().iter().map(|tag| format!("{}={}", tag.key(), tag.value())).collect::<Vec<_>>()
    };
    assert_eq!(read().await, ["team=a b"]);
    let tag = Tag::builder().key("x").value("y").build().unwrap();
    let tagging = Tagging::builder().tag_set(tag.clone()).build().unwrap();
    client.put_object_tagging().bucket("bucket").key("k").tagging(tagging).send().await.unwrap();
    assert_eq!(read().await, ["x=y"]);
    assert_eq!(lab.object("bucket", "k").unwrap().tags, [("x".to_owned(), "y".to_owned())]);
    client.delete_object_tagging().bucket("bucket").key("k").send().await.unwrap();
    assert!(read().await.is_empty());
    let twice = Tagging::builder().tag_set(tag.clone()).tag_set(tag).build().unwrap();
    let twice = client.put_object_tagging().bucket("bucket").key("k").tagging(twice).send().await;
    assert_eq!(code(&twice), "InvalidTag");
    assert_eq!(
        code(&client.get_object_tagging().bucket("bucket").key("no").send().await),
        "NoSuchKey"
    );
}

async fn copies(lab: Lab) {
    let client = client(&lab);
    let original = client
        .put_object()
        .bucket("bucket")
        .key("a b")
        .body(body("x"))
        .metadata("m", "1")
        .tagging("t=1");
    original.send().await.unwrap();
    let copy =
        |key: &str| client.copy_object().bucket("versioned").key(key).copy_source("bucket/a%20b");
    let done = copy("c").send().await.unwrap();
    assert!(done.version_id().is_some() && done.copy_object_result().unwrap().e_tag().is_some());
    let copied = lab.object("versioned", "c").unwrap();
    assert_eq!(
        (&copied.bytes[..], copied.metadata["m"].as_str(), copied.tags.len()),
        (&b"x"[..], "1", 1)
    );
    copy("d")
        .metadata_directive(MetadataDirective::Replace)
        .metadata("m", "2")
        .send()
        .await
        .unwrap();
    assert_eq!(lab.object("versioned", "d").unwrap().metadata["m"], "2");
    let itself =
        client.copy_object().bucket("bucket").key("a b").copy_source("bucket/a%20b").send().await;
    assert_eq!(code(&itself), "InvalidRequest");
    let missing =
        client.copy_object().bucket("bucket").key("c").copy_source("bucket/no").send().await;
    assert_eq!(code(&missing), "NoSuchKey");
}

async fn attributes(lab: Lab) {
    let client = client(&lab);
    put(&client, "bucket", "k", "123456789").await;
    let get = client.get_object_attributes().bucket("bucket").key("k");
    let get = get
        .object_attributes(ObjectAttributes::ObjectSize)
        .object_attributes(ObjectAttributes::Checksum);
    let shown = get.object_attributes(ObjectAttributes::StorageClass).send().await.unwrap();
    assert_eq!(shown.object_size(), Some(9));
    assert_eq!(shown.checksum().and_then(|sum| sum.checksum_crc64_nvme()), Some("rosUhgp5mIg="));
    assert_eq!(shown.storage_class(), Some(&StorageClass::Standard));
    assert_eq!(shown.e_tag(), None);
    assert!(shown.last_modified().is_some());
}

async fn bad_attributes(lab: Lab) {
    let client = client(&lab);
    let put = || client.put_object().bucket("bucket").key("k").body(body("x"));
    for (request, expected) in [
        (put().storage_class("WARM".into()), "InvalidStorageClass"),
        (put().server_side_encryption("ROT13".into()), "InvalidEncryptionAlgorithmError"),
        (put().metadata("m", "v".repeat(2100)), "MetadataTooLarge"),
        (put().tagging("a=1&a=2"), "InvalidTag"),
        (put().sse_customer_algorithm("AES256"), "NotImplemented"),
    ] {
        assert_eq!(code(&request.send().await), expected);
    }
    assert!(lab.keys("bucket").is_empty());
}

async fn bucket_owner(lab: Lab) {
    let client = client(&lab);
    let put = || client.put_object().bucket("bucket").key("k").body(body("x"));
    assert_eq!(code(&put().expected_bucket_owner("111122223333").send().await), "ok");
    let foreign = put().expected_bucket_owner("444455556666").send().await;
    assert_eq!((status(&foreign), code(&foreign)), (403, "AccessDenied".into()));
    let head =
        client.head_bucket().bucket("bucket").expected_bucket_owner("444455556666").send().await;
    assert_eq!(status(&head), 403);
}
