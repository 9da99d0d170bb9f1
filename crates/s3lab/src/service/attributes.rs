//! What a writer says about an object, read from the headers of PutObject, CreateMultipartUpload and CopyObject.

use std::collections::HashMap;

use http::HeaderMap;
use s3s::dto::{ServerSideEncryption, StorageClass};
use s3s::{S3ErrorCode, S3Result, s3_error};

use crate::object::{Attributes, Tags};
use crate::operation::percent_decode;

/// The most that names and values of user metadata may have, in bytes, by Amazon's user guide.
const METADATA_BYTES_MAX: usize = 2048;

/// The limits of tags, by Amazon's user guide.
const TAGS_MAX: usize = 10;
const TAG_NAME_CHARS_MAX: usize = 128;
const TAG_VALUE_CHARS_MAX: usize = 256;

const STORAGE_CLASSES: [&str; 8] = [
    "STANDARD",
    "REDUCED_REDUNDANCY",
    "STANDARD_IA",
    "ONEZONE_IA",
    "INTELLIGENT_TIERING",
    "GLACIER",
    "GLACIER_IR",
    "DEEP_ARCHIVE",
];

/// What S3 does when nothing is asked for, since January 2023.
const DEFAULT_ENCRYPTION: &str = "AES256";

/// Reads the attributes, refusing what S3 refuses.
pub(super) fn read(
    headers: &HeaderMap,
    metadata: Option<&HashMap<String, String>>,
) -> S3Result<Attributes> {
    let text =
        |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
    if text("x-amz-server-side-encryption-customer-algorithm").is_some() {
        return Err(s3_error!(
            NotImplemented,
            "This lab has no encryption with customer-provided keys."
        ));
    }
    let attributes = Attributes {
        content_type: text("content-type"),
        content_encoding: text("content-encoding").and_then(|value| without_framing(&value)),
        content_language: text("content-language"),
        content_disposition: text("content-disposition"),
        cache_control: text("cache-control"),
        metadata: metadata
            .into_iter()
            .flatten()
            .map(|(name, value)| (name.clone(), value.clone()))
            .collect(),
        storage_class: text("x-amz-storage-class"),
        encryption: text("x-amz-server-side-encryption"),
        kms_key_id: text("x-amz-server-side-encryption-aws-kms-key-id"),
    };
    check(&attributes)?;
    Ok(attributes)
}

fn check(attributes: &Attributes) -> S3Result<()> {
    let size: usize =
        attributes.metadata.iter().map(|(name, value)| name.len() + value.len()).sum();
    if size > METADATA_BYTES_MAX {
        return Err(s3_error!(
            MetadataTooLarge,
            "Your metadata headers exceed the maximum allowed metadata size"
        ));
    }
    if attributes.storage_class.as_deref().is_some_and(|class| !STORAGE_CLASSES.contains(&class)) {
        return Err(s3_error!(InvalidStorageClass, "The storage class you specified is not valid"));
    }
    match attributes.encryption.as_deref() {
        None | Some(DEFAULT_ENCRYPTION) if attributes.kms_key_id.is_some() => Err(s3_error!(
            InvalidArgument,
            "Server Side Encryption with AWS KMS managed key requires HTTP header x-amz-server-side-encryption : \
             aws:kms"
        )),
        None | Some(DEFAULT_ENCRYPTION | "aws:kms" | "aws:kms:dsse") => Ok(()),
        Some(_) => Err(s3_error!(
            InvalidEncryptionAlgorithmError,
            "The encryption request that you specified is not valid."
        )),
    }
}

/// `aws-chunked` describes the transfer and is not kept.
fn without_framing(encoding: &str) -> Option<String> {
    let kept: Vec<&str> =
        encoding.split(',').map(str::trim).filter(|name| *name != "aws-chunked").collect();
    let kept = kept.join(",");
    (!kept.is_empty()).then_some(kept)
}

/// Returns the encryption to show for an object.
pub(super) fn encryption(attributes: &Attributes) -> Option<ServerSideEncryption> {
    Some(attributes.encryption.clone().unwrap_or_else(|| DEFAULT_ENCRYPTION.to_owned()).into())
}

/// Returns the storage class for a header, which S3 leaves out for STANDARD.
pub(super) fn header_storage_class(attributes: &Attributes) -> Option<StorageClass> {
    attributes
        .storage_class
        .clone()
        .filter(|class| class != STORAGE_CLASSES[0])
        .map(StorageClass::from)
}

/// Returns the storage class for a list, which always has one.
pub(super) fn storage_class(attributes: &Attributes) -> String {
    attributes.storage_class.clone().unwrap_or_else(|| STORAGE_CLASSES[0].to_owned())
}

/// Reads `x-amz-tagging`, which is written like a query.
pub(super) fn read_tags(header: Option<&str>) -> S3Result<Tags> {
    let pairs = header.unwrap_or_default().split('&').filter(|pair| !pair.is_empty());
    let decode = |text: &str| percent_decode(text.replace('+', " ").as_bytes());
    let tags = pairs
        .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
        .map(|(n, v)| (decode(n), decode(v)));
    check_tags(tags.collect())
}

/// Checks tags against Amazon's limits.
pub(super) fn check_tags(tags: Tags) -> S3Result<Tags> {
    if tags.len() > TAGS_MAX {
        let code = S3ErrorCode::Custom("BadRequest".into());
        let mut error = s3s::S3Error::with_message(code, "Object tags cannot be greater than 10");
        error.set_status_code(http::StatusCode::BAD_REQUEST);
        return Err(error);
    }
    for (at, (name, value)) in tags.iter().enumerate() {
        let length = name.chars().count();
        if length == 0 || length > TAG_NAME_CHARS_MAX {
            return Err(s3_error!(InvalidTag, "The TagKey you have provided is invalid"));
        }
        if value.chars().count() > TAG_VALUE_CHARS_MAX {
            return Err(s3_error!(InvalidTag, "The TagValue you have provided is invalid"));
        }
        if tags[..at].iter().any(|(known, _)| known == name) {
            return Err(s3_error!(InvalidTag, "Cannot provide multiple Tags with the same key"));
        }
    }
    Ok(tags)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code<T>(result: S3Result<T>) -> String {
        result.map_or_else(|error| error.code().as_str().to_owned(), |_| "ok".into())
    }

    #[test]
    fn headers_are_checked() {
        for (name, value, expected) in [
            ("x-amz-storage-class", "STANDARD_IA", "ok"),
            ("x-amz-storage-class", "WARM", "InvalidStorageClass"),
            ("x-amz-server-side-encryption", "AES256", "ok"),
            ("x-amz-server-side-encryption", "aws:kms", "ok"),
            ("x-amz-server-side-encryption", "ROT13", "InvalidEncryptionAlgorithmError"),
            ("x-amz-server-side-encryption-aws-kms-key-id", "key", "InvalidArgument"),
            ("x-amz-server-side-encryption-customer-algorithm", "AES256", "NotImplemented"),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(name, value.parse().unwrap());
            assert_eq!(code(read(&headers, None)), expected, "{name}: {value}");
        }
        let large = HashMap::from([("name".to_owned(), "v".repeat(METADATA_BYTES_MAX))]);
        assert_eq!(code(read(&HeaderMap::new(), Some(&large))), "MetadataTooLarge");
    }

    #[test]
    fn framing_is_not_content() {
        for (given, expected) in [
            ("aws-chunked", None),
            ("aws-chunked,gzip", Some("gzip")),
            ("gzip, aws-chunked", Some("gzip")),
        ] {
            assert_eq!(without_framing(given).as_deref(), expected, "{given}");
        }
    }

    #[test]
    fn tags_are_checked() {
        let many = (0..11).map(|i| format!("k{i}=v")).collect::<Vec<_>>().join("&");
        let long = format!("{}=v", "k".repeat(129));
        for (header, expected) in [
            ("", "ok"),
            ("a=b&c=d", "ok"),
            ("a=b&a=c", "InvalidTag"),
            ("=b", "InvalidTag"),
            (&long, "InvalidTag"),
            (&many, "BadRequest"),
        ] {
            assert_eq!(code(read_tags(Some(header))), expected, "{header}");
        }
        assert_eq!(read_tags(Some("a%20b=c+d")).unwrap(), [("a b".to_owned(), "c d".to_owned())]);
    }
}
