//! The SDK's shapes of parts, objects and uploads, and ours.

use aws_sdk_s3::operation::head_object::HeadObjectOutput;
use aws_sdk_s3::primitives::DateTime;
use aws_sdk_s3::types::{ChecksumType, CompletedPart, MultipartUpload, Part};
use base64::Engine as _;
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

/// Writes tags as the header wants them: a query.
pub(super) fn tagging(tags: &[(String, String)]) -> Option<String> {
    let pairs: Vec<String> =
        tags.iter().map(|(key, value)| format!("{}={}", escaped(key), escaped(value))).collect();
    (!pairs.is_empty()).then(|| pairs.join("&"))
}

/// Escapes what a query or a form cannot hold as it is.
pub(super) fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => {
                escaped.push(char::from(byte));
            }
            _ => escaped.push_str(&format!("%{byte:02X}")),
        }
    }
    escaped
}

/// Writes the context of a KMS key as the header wants it: base64 of a JSON object.
pub(super) fn kms_context(context: &[(String, String)]) -> Option<String> {
    if context.is_empty() {
        return None;
    }
    let entries = context.iter().map(|(key, value)| (key.clone(), value.clone().into()));
    let json = serde_json::Value::Object(entries.collect()).to_string();
    Some(base64::engine::general_purpose::STANDARD.encode(json))
}

pub(super) fn open_upload(upload: MultipartUpload) -> Option<OpenUpload> {
    let initiated = upload.initiated().and_then(timestamp);
    Some(OpenUpload { key: upload.key?, upload_id: upload.upload_id?, initiated })
}

fn timestamp(time: &DateTime) -> Option<Timestamp> {
    Timestamp::from_second(time.secs()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_and_contexts_are_written_as_headers() {
        let pair = |key: &str, value: &str| (key.to_owned(), value.to_owned());
        assert_eq!(tagging(&[]), None);
        assert_eq!(
            tagging(&[pair("team", "data & CRM"), pair("é", "=")]).as_deref(),
            Some("team=data%20%26%20CRM&%C3%A9=%3D")
        );
        assert_eq!(kms_context(&[]), None);
        let context = kms_context(&[pair("b", "1"), pair("a", "2")]).expect("a context");
        let json = base64::engine::general_purpose::STANDARD.decode(context).expect("base64");
        assert_eq!(json, br#"{"b":"1","a":"2"}"#);
    }
}
