//! The known deviations of other services, one switch each.

use aws_sdk_s3::types::CompletedPart;
use s3lab::{Dialect, Lab, Listing, Options, SecondComplete};

use crate::client::{body, client, code, options, put, start_with, status};
use crate::multipart::two_parts;

async fn lab(dialect: Dialect) -> Lab {
    start_with(Options { dialect, ..options() }).await
}

#[tokio::test]
async fn second_completes() {
    for (second_complete, expected) in [
        (SecondComplete::Same, "ok"),
        (SecondComplete::NotFound, "NoSuchUpload"),
        (SecondComplete::Denied, "AccessDenied"),
    ] {
        let lab = lab(Dialect { second_complete, ..Dialect::default() }).await;
        let upload = two_parts(&client(&lab), "k").await;
        assert_eq!(code(&upload.finish().await), "ok");
        assert_eq!(code(&upload.finish().await), expected);
        assert_eq!(lab.history().len(), 1);
    }
}

#[tokio::test]
async fn conditions_ignored() {
    let lab = lab(Dialect { no_conditionals: true, ..Dialect::default() }).await;
    let client = client(&lab);
    put(&client, "bucket", "k", "old").await;
    let put = client.put_object().bucket("bucket").key("k").body(body("new"));
    assert_eq!(code(&put.if_none_match("*").send().await), "ok");
    let upload = two_parts(&client, "k").await;
    assert_eq!(code(&upload.complete().if_match("0123").send().await), "ok");
    assert_eq!(lab.history().len(), 3);
}

#[tokio::test]
async fn part_etags_unchecked() {
    let lab = lab(Dialect { part_etags_unchecked: true, ..Dialect::default() }).await;
    let mut upload = two_parts(&client(&lab), "k").await;
    for part in &mut upload.parts {
        *part =
            CompletedPart::builder().set_part_number(part.part_number).e_tag("\"0123\"").build();
    }
    assert_eq!(code(&upload.finish().await), "ok");
}

#[tokio::test]
async fn checksums_ignored() {
    let lab = lab(Dialect { no_checksums: true, ..Dialect::default() }).await;
    let client = client(&lab);
    let put = || client.put_object().bucket("bucket").key("k").body(body("x"));
    assert_eq!(code(&put().checksum_crc32("AAAAAA==").send().await), "ok");
    assert_eq!(code(&put().content_md5("AAAAAAAAAAAAAAAAAAAAAA==").send().await), "ok");
    assert_eq!(lab.object("bucket", "k").unwrap().checksum, None);
    let upload = two_parts(&client, "k").await;
    let done = upload.complete().checksum_crc64_nvme("AAAAAAAAAAA=").send().await.unwrap();
    assert_eq!(done.checksum_crc64_nvme(), None);
}

#[tokio::test]
async fn opaque_etags() {
    let lab = lab(Dialect { opaque_etags: true, ..Dialect::default() }).await;
    let client = client(&lab);
    let first = put(&client, "bucket", "k", "hello").await;
    assert_ne!(first, "5d41402abc4b2a76b9719d911017c592");
    assert_eq!(first.len(), 32);
    assert_ne!(
        put(&client, "bucket", "k", "hello").await,
        first,
        "the same bytes have another ETag"
    );
    let upload = two_parts(&client, "k").await;
    let etag = upload.finish().await.unwrap().e_tag().unwrap().to_owned();
    assert!(etag.ends_with("-2\""));
    // They are good for conditions nevertheless.
    let put =
        client.put_object().bucket("bucket").key("k").body(body("x")).if_match(etag).send().await;
    assert_eq!(code(&put), "ok");
    let wrong = client
        .put_object()
        .bucket("bucket")
        .key("k")
        .body(body("x"))
        .content_md5("AAAAAAAAAAAAAAAAAAAAAA==");
    assert_eq!(code(&wrong.send().await), "BadDigest", "MD5 is still verified");
}

#[tokio::test]
async fn lists_refused() {
    for (listing, expected) in [
        (Listing::Denied, (403, "AccessDenied")),
        (Listing::NotImplemented, (501, "NotImplemented")),
    ] {
        let lab = lab(Dialect { listing, ..Dialect::default() }).await;
        let client = client(&lab);
        let upload = two_parts(&client, "k").await;
        let objects = client.list_objects_v2().bucket("bucket").send().await;
        assert_eq!((status(&objects), code(&objects).as_str()), expected);
        assert_eq!(code(&client.list_objects().bucket("bucket").send().await), expected.1);
        assert_eq!(
            code(&client.list_multipart_uploads().bucket("bucket").send().await),
            expected.1
        );
        let parts =
            client.list_parts().bucket("bucket").key("k").upload_id(&upload.id).send().await;
        assert_eq!(code(&parts), expected.1);
        assert_eq!(code(&upload.finish().await), "ok");
    }
}
