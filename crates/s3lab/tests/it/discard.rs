//! The backend for speed runs, which keeps no bodies.

use aws_sdk_s3::primitives::ByteStream;
use s3lab::{Backend, Options};

use crate::client::{checking_client, client, code, options, put, start_with};
use crate::multipart::{Upload, fill};

#[tokio::test]
async fn everything_but_the_bodies() {
    let lab = start_with(Options { backend: Backend::Discard, ..options() }).await;
    for client in [client(&lab), checking_client(&lab)] {
        assert_eq!(put(&client, "bucket", "k", "hello").await, "5d41402abc4b2a76b9719d911017c592");
        let head = client.head_object().bucket("bucket").key("k").send().await.unwrap();
        assert_eq!(head.content_length(), Some(5));
        assert_eq!(
            code(&client.get_object().bucket("bucket").key("k").send().await),
            "NotImplemented"
        );
        let upload = fill(Upload::begin_with_crc32(&checking_client(&lab), "m").await).await;
        assert_eq!(
            upload.complete().mpu_object_size(1004).send().await.unwrap().e_tag().unwrap().len(),
            36
        );
        assert_eq!(lab.object("bucket", "m").unwrap().size, 1004);
    }
    let wrong = client(&lab).put_object().bucket("bucket").key("k").checksum_crc32("AAAAAA==");
    assert_eq!(code(&wrong.body(ByteStream::from_static(b"x")).send().await), "BadDigest");
}

#[tokio::test]
async fn without_hashes_declarations_are_believed() {
    let options = Options { backend: Backend::Discard, hash_bodies: false, ..options() };
    let lab = start_with(options).await;
    for client in [client(&lab), checking_client(&lab)] {
        let etag = put(&client, "bucket", "k", "hello").await;
        assert_eq!((etag.len(), etag == "5d41402abc4b2a76b9719d911017c592"), (32, false));
        let put = client.put_object().bucket("bucket").key("k").checksum_crc32("AAAAAA==");
        let done = put.body(ByteStream::from_static(b"x")).send().await.unwrap();
        assert_eq!(done.checksum_crc32(), Some("AAAAAA=="));
        let upload = fill(Upload::begin_with_crc32(&checking_client(&lab), "m").await).await;
        assert!(upload.finish().await.unwrap().e_tag().unwrap().ends_with("-2\""));
        assert_eq!(lab.object("bucket", "m").unwrap().size, 1004);
    }
}
