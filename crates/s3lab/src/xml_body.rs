//! Small XML bodies: read whole, and compared with what the request declares about them.

use bytes::Bytes;
use http::HeaderMap;
use http_body_util::{BodyExt as _, Limited};
use s3s::crypto::{Checksum as _, Sha256};

use crate::answer::Refusal;
use crate::checksum::{Algorithm, Digest, hex};
use crate::operation::Operation;
use crate::request_body::RequestBody;

/// The largest document that is read: a Complete of 10,000 parts with two checksums each stays below it.
const XML_BYTES_MAX: usize = 8 * 1024 * 1024;

/// Reads the body of an operation whose body is XML.
pub(crate) async fn read(body: &RequestBody) -> Result<Bytes, Refusal> {
    let limited = Limited::new(body.reader(None), XML_BYTES_MAX);
    match limited.collect().await {
        Ok(collected) => Ok(collected.to_bytes()),
        Err(error) if error.is::<http_body_util::LengthLimitError>() => {
            Err(Refusal::new(400, "MaxMessageLengthExceeded", "Your request was too large."))
        }
        Err(_) => Err(Refusal::new(
            400,
            "IncompleteBody",
            "You did not provide the number of bytes specified by the Content-Length HTTP header",
        )),
    }
}

/// Compares a document with the request's digests of it.
///
/// S3 wants one for DeleteObjects, so that a damaged list deletes nothing.
pub(crate) fn verify(
    operation: Operation,
    headers: &HeaderMap,
    document: &[u8],
) -> Result<(), Refusal> {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let declared = Algorithm::ALL.into_iter().find_map(|a| Some((a, text(a.header())?)));
    if let Some(expected) = text("x-amz-content-sha256").filter(|value| value.len() == 64)
        && hex(&Sha256::checksum(document)) != expected.to_ascii_lowercase()
    {
        let message =
            "The provided 'x-amz-content-sha256' header does not match what was computed.";
        return Err(Refusal::new(400, "XAmzContentSHA256Mismatch", message));
    }
    if let Some(md5) = text("content-md5") {
        let computed = Digest::of(document, &[], true).md5.unwrap_or_default();
        compare("Content-MD5", md5, &base64_of(&computed))?;
    }
    // On a Complete these headers declare the object and not the document.
    if let Some((algorithm, value)) = declared
        && operation != Operation::CompleteMultipartUpload
    {
        let digest = Digest::of(document, &[algorithm], false);
        compare(algorithm.name(), value, digest.value(algorithm).unwrap_or_default())?;
    }
    if operation == Operation::DeleteObjects && text("content-md5").is_none() && declared.is_none()
    {
        let message = "Missing required header for this request: Content-MD5 OR x-amz-checksum-*";
        return Err(Refusal::new(400, "InvalidRequest", message));
    }
    Ok(())
}

fn compare(name: &str, expected: &str, computed: &str) -> Result<(), Refusal> {
    if expected == computed {
        return Ok(());
    }
    Err(Refusal::new(
        400,
        "BadDigest",
        format!("The {name} you specified did not match the calculated checksum."),
    ))
}

fn base64_of(bytes: &[u8]) -> String {
    use base64::Engine as _;
    base64::engine::general_purpose::STANDARD.encode(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn documents_are_verified() {
        let zeros = "0".repeat(64);
        for (operation, name, value, expected) in [
            (Operation::DeleteObjects, "x-none", "", "InvalidRequest"),
            (Operation::DeleteObjects, "content-md5", "JfnnlDI7RTiF9RgfG2JNCw==", "ok"),
            (Operation::DeleteObjects, "content-md5", "AAAAAAAAAAAAAAAAAAAAAA==", "BadDigest"),
            (Operation::DeleteObjects, "x-amz-checksum-crc32", "y/Q5Jg==", "ok"),
            (Operation::DeleteObjects, "x-amz-checksum-crc32", "AAAAAA==", "BadDigest"),
            (Operation::CompleteMultipartUpload, "x-amz-checksum-crc32", "AAAAAA==", "ok"),
            (
                Operation::CompleteMultipartUpload,
                "x-amz-content-sha256",
                &zeros,
                "XAmzContentSHA256Mismatch",
            ),
            (Operation::CompleteMultipartUpload, "x-amz-content-sha256", "UNSIGNED-PAYLOAD", "ok"),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(
                http::HeaderName::from_bytes(name.as_bytes()).unwrap(),
                value.parse().unwrap(),
            );
            let seen = verify(operation, &headers, b"123456789")
                .map_or_else(|refusal| refusal.code, |()| "ok".into());
            assert_eq!(seen, expected, "{operation} {name}: {value}");
        }
    }
}
