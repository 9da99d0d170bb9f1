//! The SDK's shapes of parts, objects and uploads, and ours.

use aws_sdk_s3::operation::head_object::HeadObjectOutput;
use aws_sdk_s3::primitives::DateTime;
use aws_sdk_s3::types::{ChecksumType, CompletedPart, MultipartUpload, Part};
use jiff::Timestamp;
use plan::staged::StagedPart;

use crate::store::{Head, OpenUpload, TOKEN_FIELD};

pub(super) fn completed_part(part: &StagedPart) -> CompletedPart {
    CompletedPart::builder()
        .part_number(part.number as i32)
        .e_tag(&part.etag)
        .set_checksum_crc64_nvme(part.crc64nvme.clone())
        .build()
}

pub(super) fn listed_part(part: &Part) -> StagedPart {
    StagedPart {
        number: part
            .part_number()
            .and_then(|number| u32::try_from(number).ok())
            .unwrap_or_default(),
        bytes: part.size().and_then(|bytes| u64::try_from(bytes).ok()).unwrap_or_default(),
        etag: part.e_tag().unwrap_or_default().to_owned(),
        crc64nvme: part.checksum_crc64_nvme().map(str::to_owned),
    }
}

pub(super) fn head_of(answer: HeadObjectOutput) -> Head {
    // A checksum of checksums ("composite") says nothing about the whole object on its own.
    let is_whole = answer.checksum_type() != Some(&ChecksumType::Composite);
    Head {
        token: answer.metadata().and_then(|metadata| metadata.get(TOKEN_FIELD)).cloned(),
        bytes: answer
            .content_length()
            .and_then(|bytes| u64::try_from(bytes).ok())
            .unwrap_or_default(),
        etag: answer.e_tag().unwrap_or_default().to_owned(),
        version_id: answer.version_id().map(str::to_owned),
        crc64nvme: answer.checksum_crc64_nvme().filter(|_| is_whole).map(str::to_owned),
    }
}

pub(super) fn open_upload(upload: MultipartUpload) -> Option<OpenUpload> {
    let initiated = upload.initiated().and_then(timestamp);
    Some(OpenUpload { key: upload.key?, upload_id: upload.upload_id?, initiated })
}

fn timestamp(time: &DateTime) -> Option<Timestamp> {
    Timestamp::from_second(time.secs()).ok()
}
