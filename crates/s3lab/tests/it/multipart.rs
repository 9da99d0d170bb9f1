//! Uploads in parts, on both backends that keep bodies.

use aws_sdk_s3::Client;
use aws_sdk_s3::error::SdkError;
use aws_sdk_s3::operation::complete_multipart_upload::builders::CompleteMultipartUploadFluentBuilder;
use aws_sdk_s3::operation::complete_multipart_upload::{
    CompleteMultipartUploadError, CompleteMultipartUploadOutput,
};
use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::{
    ChecksumAlgorithm, ChecksumMode, ChecksumType, CompletedMultipartUpload, CompletedPart,
    ObjectAttributes, StorageClass,
};
use s3lab::Lab;

use crate::client::{PART, checking_client, client, code, get, put, status};

on_both_backends! {
    whole_upload
    part_rules
    part_numbers
    conditions
    whole_object_declarations
    composite_checksums
    full_object_checksums
    checksum_types_must_fit
    sdk_defaults
    second_complete
    abort
    part_lists
    upload_lists
    replaced_parts
    dropped_uploads
}

/// An upload under way, through one client.
pub(crate) struct Upload {
    pub(crate) client: Client,
    pub(crate) key: String,
    pub(crate) id: String,
    pub(crate) parts: Vec<CompletedPart>,
}

impl Upload {
    pub(crate) async fn begin(client: &Client, key: &str) -> Self {
        let begun =
            client.create_multipart_upload().bucket("bucket").key(key).send().await.unwrap();
        Self::of(client, key, begun.upload_id().unwrap())
    }

    /// Begins an upload for a client that sends a CRC32 with each part, which S3 must be told in advance.
    pub(crate) async fn begin_with_crc32(client: &Client, key: &str) -> Self {
        let begin = client.create_multipart_upload().bucket("bucket").key(key);
        let begun = begin.checksum_algorithm(ChecksumAlgorithm::Crc32).send().await.unwrap();
        Self::of(client, key, begun.upload_id().unwrap())
    }

    pub(crate) fn of(client: &Client, key: &str, id: &str) -> Self {
        Self { client: client.clone(), key: key.into(), id: id.into(), parts: Vec::new() }
    }

    pub(crate) async fn part(&mut self, number: i32, bytes: &[u8]) {
        let part = self
            .client
            .upload_part()
            .bucket("bucket")
            .key(&self.key)
            .upload_id(&self.id)
            .part_number(number);
        let sent = part.body(ByteStream::from(bytes.to_vec())).send().await.unwrap();
        let part = CompletedPart::builder()
            .part_number(number)
            .set_e_tag(sent.e_tag)
            .set_checksum_crc32(sent.checksum_crc32);
        let part = part
            .set_checksum_crc32_c(sent.checksum_crc32_c)
            .set_checksum_sha256(sent.checksum_sha256);
        self.parts.push(part.set_checksum_crc64_nvme(sent.checksum_crc64_nvme).build());
    }

    pub(crate) fn complete(&self) -> CompleteMultipartUploadFluentBuilder {
        let list = CompletedMultipartUpload::builder().set_parts(Some(self.parts.clone())).build();
        let request = self
            .client
            .complete_multipart_upload()
            .bucket("bucket")
            .key(&self.key)
            .upload_id(&self.id);
        request.multipart_upload(list)
    }

    pub(crate) async fn finish(
        &self,
    ) -> Result<CompleteMultipartUploadOutput, SdkError<CompleteMultipartUploadError>> {
        self.complete().send().await
    }
}

/// An upload with two parts of known content.
pub(crate) async fn two_parts(client: &Client, key: &str) -> Upload {
    fill(Upload::begin(client, key).await).await
}

pub(crate) async fn fill(mut upload: Upload) -> Upload {
    upload.part(1, &[b'a'; PART]).await;
    upload.part(2, b"tail").await;
    upload
}

fn text() -> String {
    "a".repeat(PART) + "tail"
}

async fn whole_upload(lab: Lab) {
    let client = client(&lab);
    let begin = client
        .create_multipart_upload()
        .bucket("bucket")
        .key("k")
        .content_type("text/csv")
        .metadata("t", "1");
    let begun = begin.storage_class(StorageClass::StandardIa).tagging("a=b").send().await.unwrap();
    let mut upload = Upload::of(&client, "k", begun.upload_id().unwrap());
    // Part numbers may have gaps and come in any order.
    upload.part(7, b"tail").await;
    upload.part(3, &[b'a'; PART]).await;
    upload.parts.reverse();
    assert!(lab.keys("bucket").is_empty(), "parts are not visible");
    assert_eq!(lab.open_uploads("bucket")[0].parts, [(3, PART as u64), (7, 4)]);
    let done = upload.finish().await.unwrap();
    assert_eq!(done.e_tag(), Some("\"24e5ee9cc1efcf190202dc497497a5ac-2\""));
    assert_eq!(get(&client, "bucket", "k").await, text());
    assert!(lab.open_uploads("bucket").is_empty());
    let object = lab.object("bucket", "k").unwrap();
    assert_eq!(object.content_type.as_deref(), Some("text/csv"));
    assert_eq!((object.metadata["t"].as_str(), object.tags.len()), ("1", 1));
    assert_eq!(object.storage_class.as_deref(), Some("STANDARD_IA"));

    let second = client.get_object().bucket("bucket").key("k").part_number(2).send().await.unwrap();
    assert_eq!(
        (second.parts_count(), second.content_range()),
        (Some(2), Some("bytes 1000-1003/1004"))
    );
    assert_eq!(second.body.collect().await.unwrap().to_vec(), b"tail");
    let across =
        client.get_object().bucket("bucket").key("k").range("bytes=998-1001").send().await.unwrap();
    assert_eq!(across.body.collect().await.unwrap().to_vec(), b"aata");
    let shown = client
        .get_object_attributes()
        .bucket("bucket")
        .key("k")
        .object_attributes(ObjectAttributes::ObjectParts);
    let shown = shown.max_parts(1).send().await.unwrap();
    let parts = shown.object_parts().unwrap();
    assert_eq!(
        (parts.total_parts_count(), parts.is_truncated(), parts.parts().len()),
        (Some(2), Some(true), 1)
    );
}

async fn part_rules(lab: Lab) {
    let client = client(&lab);
    let mut upload = Upload::begin(&client, "k").await;
    assert_eq!(code(&upload.finish().await), "MalformedXML");
    upload.part(1, &[b'a'; PART - 1]).await;
    upload.part(2, b"tail").await;
    assert_eq!(code(&upload.finish().await), "EntityTooSmall");
    upload.parts.swap(0, 1);
    assert_eq!(code(&upload.finish().await), "InvalidPartOrder");
    upload.parts = vec![CompletedPart::builder().part_number(2).e_tag("\"0123\"").build()];
    assert_eq!(code(&upload.finish().await), "InvalidPart");
    upload.parts = vec![CompletedPart::builder().part_number(9).e_tag("\"0123\"").build()];
    assert_eq!(code(&upload.finish().await), "InvalidPart");
    assert!(lab.keys("bucket").is_empty());
    assert_eq!(lab.open_uploads("bucket").len(), 1, "a refused Complete leaves the upload");
}

async fn part_numbers(lab: Lab) {
    let client = client(&lab);
    let upload = Upload::begin(&client, "k").await;
    let send = |number| {
        let part = client
            .upload_part()
            .bucket("bucket")
            .key("k")
            .upload_id(&upload.id)
            .part_number(number);
        part.body(ByteStream::from_static(b"x")).send()
    };
    for (number, expected) in
        [(0, "InvalidArgument"), (1, "ok"), (10_000, "ok"), (10_001, "InvalidArgument")]
    {
        assert_eq!(code(&send(number).await), expected, "{number}");
    }
    let foreign =
        client.upload_part().bucket("bucket").key("other").upload_id(&upload.id).part_number(1);
    assert_eq!(code(&foreign.body(ByteStream::from_static(b"x")).send().await), "NoSuchUpload");
    let md5 = client.upload_part().bucket("bucket").key("k").upload_id(&upload.id).part_number(2);
    let md5 = md5
        .content_md5("AAAAAAAAAAAAAAAAAAAAAA==")
        .body(ByteStream::from_static(b"x"))
        .send()
        .await;
    assert_eq!(code(&md5), "BadDigest");
    assert_eq!(lab.open_uploads("bucket")[0].parts, [(1, 1), (10_000, 1)]);
}

async fn conditions(lab: Lab) {
    let client = client(&lab);
    let etag = put(&client, "bucket", "k", "old").await;
    let upload = two_parts(&client, "k").await;
    let refused = upload.complete().if_none_match("*").send().await;
    assert_eq!((status(&refused), code(&refused)), (412, "PreconditionFailed".into()));
    assert_eq!(code(&upload.complete().if_match("0123").send().await), "PreconditionFailed");
    assert_eq!(get(&client, "bucket", "k").await, "old");
    assert_eq!(lab.open_uploads("bucket").len(), 1, "the upload survives");
    assert_eq!(code(&upload.complete().if_match(&etag).send().await), "ok");
    assert_eq!(get(&client, "bucket", "k").await, text());

    let upload = two_parts(&client, "fresh").await;
    let missing = upload.complete().if_match(&etag).send().await;
    assert_eq!((status(&missing), code(&missing)), (404, "NoSuchKey".into()));
    assert_eq!(code(&upload.complete().if_none_match("*").send().await), "ok");
}

async fn whole_object_declarations(lab: Lab) {
    let client = client(&lab);
    let upload = two_parts(&client, "k").await;
    assert_eq!(code(&upload.complete().mpu_object_size(5).send().await), "InvalidRequest");
    assert_eq!(
        code(&upload.complete().checksum_crc64_nvme("AAAAAAAAAAA=").send().await),
        "BadDigest"
    );
    assert_eq!(
        code(&upload.complete().checksum_type(ChecksumType::Composite).send().await),
        "InvalidRequest"
    );
    let size = i64::try_from(PART + 4).unwrap();
    let done = upload
        .complete()
        .mpu_object_size(size)
        .checksum_type(ChecksumType::FullObject)
        .send()
        .await
        .unwrap();
    // Without a word from the writer S3 keeps a CRC64NVME of the whole, as for an object put at once.
    let sum = done.checksum_crc64_nvme().unwrap().to_owned();
    lab.put("bucket", "same", text()).await.unwrap();
    assert_eq!(lab.object("bucket", "same").unwrap().checksum.unwrap().2, sum);
    let upload = two_parts(&client, "k2").await;
    assert_eq!(code(&upload.complete().checksum_crc64_nvme(sum).send().await), "ok");
}

async fn declaring(
    client: &Client,
    algorithm: ChecksumAlgorithm,
    kind: Option<ChecksumType>,
) -> Upload {
    let begin =
        client.create_multipart_upload().bucket("bucket").key("k").checksum_algorithm(algorithm);
    let begun = begin.set_checksum_type(kind).send().await.unwrap();
    Upload::of(client, "k", begun.upload_id().unwrap())
}

async fn composite_checksums(lab: Lab) {
    let client = checking_client(&lab);
    let mut upload = declaring(&client, ChecksumAlgorithm::Sha256, None).await;
    let part = |number: i32, bytes: Vec<u8>| {
        let part = client
            .upload_part()
            .bucket("bucket")
            .key("k")
            .upload_id(&upload.id)
            .part_number(number);
        part.checksum_algorithm(ChecksumAlgorithm::Sha256).body(ByteStream::from(bytes)).send()
    };
    for (number, bytes) in [(1, vec![b'a'; PART]), (2, b"tail".to_vec())] {
        let sent = part(number, bytes).await.unwrap();
        let named = CompletedPart::builder().part_number(number).set_e_tag(sent.e_tag);
        upload.parts.push(named.set_checksum_sha256(sent.checksum_sha256).build());
    }
    let with_sums = upload.parts.clone();
    for part in &mut upload.parts {
        *part = CompletedPart::builder()
            .set_part_number(part.part_number)
            .set_e_tag(part.e_tag.clone())
            .build();
    }
    assert_eq!(
        code(&upload.finish().await),
        "InvalidRequest",
        "composites repeat the sums of their parts"
    );
    upload.parts = with_sums;
    let listed =
        client.list_parts().bucket("bucket").key("k").upload_id(&upload.id).send().await.unwrap();
    assert_eq!(listed.checksum_type(), Some(&ChecksumType::Composite));
    assert_eq!(listed.parts()[0].checksum_sha256(), upload.parts[0].checksum_sha256());
    let done = upload.finish().await.unwrap();
    assert!(done.checksum_sha256().unwrap().ends_with("=-2"), "{:?}", done.checksum_sha256());
    assert_eq!(done.checksum_type(), Some(&ChecksumType::Composite));
}

async fn full_object_checksums(lab: Lab) {
    let client = checking_client(&lab);
    for algorithm in
        [ChecksumAlgorithm::Crc32, ChecksumAlgorithm::Crc32C, ChecksumAlgorithm::Crc64Nvme]
    {
        let mut upload =
            declaring(&client, algorithm.clone(), Some(ChecksumType::FullObject)).await;
        for (number, bytes) in [(1, vec![b'a'; PART]), (2, b"tail".to_vec())] {
            let part = client
                .upload_part()
                .bucket("bucket")
                .key("k")
                .upload_id(&upload.id)
                .part_number(number);
            let sent = part
                .checksum_algorithm(algorithm.clone())
                .body(ByteStream::from(bytes))
                .send()
                .await
                .unwrap();
            upload
                .parts
                .push(CompletedPart::builder().part_number(number).set_e_tag(sent.e_tag).build());
        }
        let done = upload.finish().await.unwrap();
        assert_eq!(done.checksum_type(), Some(&ChecksumType::FullObject));
        let whole =
            client.put_object().bucket("bucket").key("w").checksum_algorithm(algorithm.clone());
        let whole = whole.body(ByteStream::from(text().into_bytes())).send().await.unwrap();
        assert_eq!(done.checksum_crc32(), whole.checksum_crc32());
        assert_eq!(done.checksum_crc32_c(), whole.checksum_crc32_c());
        assert_eq!(done.checksum_crc64_nvme(), whole.checksum_crc64_nvme());
        // The client compares what it reads with the checksum of the whole.
        let got = client
            .get_object()
            .bucket("bucket")
            .key("k")
            .checksum_mode(ChecksumMode::Enabled)
            .send()
            .await;
        assert_eq!(got.unwrap().body.collect().await.unwrap().to_vec(), text().into_bytes());
    }
}

async fn checksum_types_must_fit(lab: Lab) {
    let client = client(&lab);
    let begin = |algorithm: ChecksumAlgorithm, kind: ChecksumType| {
        let begin = client.create_multipart_upload().bucket("bucket").key("k");
        begin.checksum_algorithm(algorithm).checksum_type(kind).send()
    };
    assert_eq!(
        code(&begin(ChecksumAlgorithm::Sha256, ChecksumType::FullObject).await),
        "InvalidRequest"
    );
    assert_eq!(
        code(&begin(ChecksumAlgorithm::Crc64Nvme, ChecksumType::Composite).await),
        "InvalidRequest"
    );
    assert_eq!(code(&begin(ChecksumAlgorithm::Crc32, ChecksumType::FullObject).await), "ok");
    assert_eq!(code(&begin("CRC7".into(), ChecksumType::FullObject).await), "InvalidRequest");

    let upload = declaring(&client, ChecksumAlgorithm::Crc32, None).await;
    let part = || {
        let part =
            client.upload_part().bucket("bucket").key("k").upload_id(&upload.id).part_number(1);
        part.body(ByteStream::from_static(b"123456789"))
    };
    assert_eq!(
        code(&part().send().await),
        "InvalidRequest",
        "a composite needs the sum of each part"
    );
    assert_eq!(code(&part().checksum_crc32_c("4waSgw==").send().await), "InvalidRequest");
    assert_eq!(code(&part().checksum_crc32("AAAAAA==").send().await), "BadDigest");
    assert_eq!(code(&part().checksum_crc32("y/Q5Jg==").send().await), "ok");

    let plain = Upload::begin(&client, "k").await;
    let part = client.upload_part().bucket("bucket").key("k").upload_id(&plain.id).part_number(1);
    let part =
        part.checksum_crc32("y/Q5Jg==").body(ByteStream::from_static(b"123456789")).send().await;
    assert_eq!(code(&part), "InvalidRequest", "an upload that declared nothing takes no CRC32");
}

async fn sdk_defaults(lab: Lab) {
    let client = checking_client(&lab);
    let upload = fill(Upload::begin_with_crc32(&client, "k").await).await;
    let done = upload.finish().await.unwrap();
    assert!(done.checksum_crc32().unwrap().ends_with("-2"));
    assert_eq!(get(&client, "bucket", "k").await, text());

    let mut gaps = Upload::begin_with_crc32(&client, "k").await;
    gaps.part(2, b"x").await;
    assert_eq!(
        code(&gaps.finish().await),
        "InvalidPartOrder",
        "with such sums numbers run from 1 without a gap"
    );
}

async fn second_complete(lab: Lab) {
    let client = client(&lab);
    let upload = two_parts(&client, "k").await;
    let first = upload.complete().if_none_match("*").send().await.unwrap();
    let again = upload.complete().if_none_match("*").send().await.unwrap();
    assert_eq!(first.e_tag(), again.e_tag());
    // It stays a repeat when somebody has replaced or removed the object since, and changes nothing.
    put(&client, "bucket", "k", "newer").await;
    assert_eq!(upload.finish().await.unwrap().e_tag(), first.e_tag());
    assert_eq!(get(&client, "bucket", "k").await, "newer");
    assert_eq!(lab.history().len(), 2);
    let mut other = Upload::of(&client, "k", &upload.id);
    other.parts = vec![upload.parts[0].clone()];
    assert_eq!(code(&other.finish().await), "NoSuchUpload", "another list is no repeat");
}

async fn abort(lab: Lab) {
    let client = client(&lab);
    let upload = two_parts(&client, "k").await;
    let abort =
        || client.abort_multipart_upload().bucket("bucket").key("k").upload_id(&upload.id).send();
    assert_eq!(code(&abort().await), "ok");
    assert_eq!(code(&abort().await), "NoSuchUpload");
    let after = upload.finish().await;
    assert_eq!((status(&after), code(&after)), (404, "NoSuchUpload".into()));
    let listed = client.list_parts().bucket("bucket").key("k").upload_id(&upload.id).send().await;
    assert_eq!(code(&listed), "NoSuchUpload");
    let part = client.upload_part().bucket("bucket").key("k").upload_id(&upload.id).part_number(1);
    assert_eq!(code(&part.body(ByteStream::from_static(b"x")).send().await), "NoSuchUpload");
    let unknown =
        client.abort_multipart_upload().bucket("bucket").key("k").upload_id("no").send().await;
    assert_eq!(code(&unknown), "NoSuchUpload");
    let done = two_parts(&client, "done").await;
    done.finish().await.unwrap();
    let late = client
        .abort_multipart_upload()
        .bucket("bucket")
        .key("done")
        .upload_id(&done.id)
        .send()
        .await;
    assert_eq!(code(&late), "NoSuchUpload");
    assert_eq!(lab.keys("bucket"), ["done"]);
}

async fn part_lists(lab: Lab) {
    let client = client(&lab);
    let mut upload = Upload::begin(&client, "k").await;
    for number in [1, 2, 4, 7, 8] {
        upload.part(number, b"xy").await;
    }
    let mut pages =
        client.list_parts().bucket("bucket").key("k").upload_id(&upload.id).max_parts(2);
    let mut seen = Vec::new();
    let mut requests = 0;
    loop {
        let page = pages.clone().send().await.unwrap();
        requests += 1;
        seen.extend(
            page.parts().iter().map(|part| (part.part_number().unwrap(), part.size().unwrap())),
        );
        if page.is_truncated() != Some(true) {
            break;
        }
        pages = pages.part_number_marker(page.next_part_number_marker().unwrap());
    }
    assert_eq!((seen, requests), (vec![(1, 2), (2, 2), (4, 2), (7, 2), (8, 2)], 3));
}

async fn upload_lists(lab: Lab) {
    let client = client(&lab);
    let mut ids = Vec::new();
    for key in ["a", "b/1", "b/1", "b/2", "c"] {
        ids.push((key, Upload::begin(&client, key).await.id));
    }
    let list = || client.list_multipart_uploads().bucket("bucket");
    let (mut key, mut id) = (None, None);
    let mut seen = Vec::new();
    loop {
        let page = list()
            .max_uploads(2)
            .set_key_marker(key)
            .set_upload_id_marker(id)
            .send()
            .await
            .unwrap();
        seen.extend(
            page.uploads()
                .iter()
                .map(|u| (u.key().unwrap().to_owned(), u.upload_id().unwrap().to_owned())),
        );
        if page.is_truncated() != Some(true) {
            break;
        }
        (key, id) = (
            page.next_key_marker().map(str::to_owned),
            page.next_upload_id_marker().map(str::to_owned),
        );
    }
    let expected: Vec<_> = ids.iter().map(|(key, id)| ((*key).to_owned(), id.clone())).collect();
    assert_eq!(seen, expected, "by key, then by age");
    let below = list().prefix("b/").send().await.unwrap();
    assert_eq!(below.uploads().len(), 3);
    assert!(below.uploads().iter().all(|upload| upload.initiated().is_some()));
    let grouped = list().delimiter("/").send().await.unwrap();
    assert_eq!((grouped.uploads().len(), grouped.common_prefixes().len()), (2, 1));
}

async fn replaced_parts(lab: Lab) {
    let client = client(&lab);
    let mut upload = two_parts(&client, "k").await;
    let old = upload.parts.clone();
    upload.part(2, b"TAIL").await;
    upload.parts.remove(1);
    let mut stale = Upload::of(&client, "k", &upload.id);
    stale.parts = old;
    assert_eq!(code(&stale.finish().await), "InvalidPart", "the ETag of a part that was replaced");
    upload.finish().await.unwrap();
    assert!(get(&client, "bucket", "k").await.ends_with("aTAIL"));
}

async fn dropped_uploads(lab: Lab) {
    let client = client(&lab);
    let upload = two_parts(&client, "k").await;
    assert!(lab.drop_upload(&upload.id));
    assert!(!lab.drop_upload(&upload.id));
    assert_eq!(code(&upload.finish().await), "NoSuchUpload");
}
