//! Receives the body of a PutObject or UploadPart: stored and digested in one pass, then compared with what the
//! request declared about it. A body that differs leaves nothing behind.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use futures::StreamExt as _;
use http::HeaderMap;
use s3s::dto::StreamingBlob;
use s3s::{S3Error, S3ErrorCode, S3Result, TrailingHeaders, s3_error};

use crate::checksum::{Algorithm, Digest, Digester};
use crate::store::{Blob, Store};

/// What a request says about its body.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Declared {
    pub(crate) length: Option<u64>,
    md5: Option<[u8; 16]>,
    sum: Option<(Algorithm, String)>,
    /// The value comes after the body.
    trailer: Option<Algorithm>,
}

/// How bodies are digested here.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Care {
    /// Compute at all.
    pub(crate) hash: bool,
    /// Verify and keep what is declared.
    pub(crate) verify: bool,
    /// MD5 is needed for the ETag.
    pub(crate) md5_etag: bool,
}

/// A body that arrived whole.
#[derive(Debug)]
pub(crate) struct Received {
    pub(crate) blob: Blob,
    pub(crate) digest: Digest,
    /// The checksum that the request gave, if it gave one.
    pub(crate) declared: Option<(Algorithm, String)>,
}

impl Declared {
    /// Reads the headers.
    pub(crate) fn of(headers: &HeaderMap) -> S3Result<Self> {
        let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
        let given: Vec<(Algorithm, String)> = Algorithm::ALL
            .into_iter()
            .filter_map(|algorithm| Some((algorithm, text(algorithm.header())?.to_owned())))
            .collect();
        let trailer = text("x-amz-trailer").and_then(Algorithm::from_header);
        if given.len() + usize::from(trailer.is_some()) > 1 {
            return Err(s3_error!(
                InvalidRequest,
                "Expecting a single x-amz-checksum- header. Multiple checksum Types are not allowed."
            ));
        }
        if let Some((algorithm, _)) =
            given.iter().find(|(algorithm, value)| !algorithm.accepts(value))
        {
            return Err(s3_error!(
                InvalidRequest,
                "Value for {} header is invalid.",
                algorithm.header()
            ));
        }
        if text("x-amz-sdk-checksum-algorithm").is_some() && given.is_empty() && trailer.is_none() {
            return Err(s3_error!(
                InvalidRequest,
                "x-amz-sdk-checksum-algorithm specified, but no corresponding x-amz-checksum-* or x-amz-trailer \
                 headers were found."
            ));
        }
        let length = text("content-length").and_then(|value| value.parse().ok());
        let md5 = text("content-md5").map(parse_md5).transpose()?;
        Ok(Self { length, md5, sum: given.into_iter().next(), trailer })
    }

    /// Returns the algorithm of the declared checksum, wherever its value is.
    pub(crate) fn algorithm(&self) -> Option<Algorithm> {
        self.trailer.or(self.sum.as_ref().map(|(algorithm, _)| *algorithm))
    }

    fn verify(&self, digest: &Digest, sum: Option<&(Algorithm, String)>) -> S3Result<()> {
        if self.md5.is_some() && digest.md5.is_some() && self.md5 != digest.md5 {
            return Err(s3_error!(
                BadDigest,
                "The Content-MD5 you specified did not match what we received."
            ));
        }
        let Some((algorithm, expected)) = sum else { return Ok(()) };
        match digest.value(*algorithm) {
            Some(computed) if computed != expected => Err(s3_error!(
                BadDigest,
                "The {} you specified did not match the calculated checksum.",
                algorithm.name()
            )),
            _ => Ok(()),
        }
    }
}

fn parse_md5(value: &str) -> S3Result<[u8; 16]> {
    let bytes = BASE64.decode(value).ok().and_then(|bytes| bytes.try_into().ok());
    bytes.ok_or_else(|| s3_error!(InvalidDigest, "The Content-MD5 you specified is not valid."))
}

/// Receives a body whole, or fails as S3 would.
///
/// `also` are algorithms that are needed besides the declared one.
pub(crate) async fn receive(
    store: &Store,
    mut body: StreamingBlob,
    declared: &Declared,
    trailers: Option<&TrailingHeaders>,
    care: Care,
    also: &[Algorithm],
) -> S3Result<Received> {
    let wanted: Vec<Algorithm> = if care.hash {
        also.iter().copied().chain(declared.algorithm().filter(|_| care.verify)).collect()
    } else {
        Vec::new()
    };
    let with_md5 = care.hash && (care.md5_etag || (care.verify && declared.md5.is_some()));
    let mut digester = Digester::new(&wanted, with_md5);
    let mut writer = store.writer().await.map_err(S3Error::internal_error)?;
    while let Some(chunk) = body.next().await {
        let chunk = chunk.map_err(|error| broken(&*error))?;
        digester.update(&chunk);
        writer.write(chunk).await.map_err(S3Error::internal_error)?;
    }
    let blob = writer.finish().await.map_err(S3Error::internal_error)?;
    let digest = digester.finish();
    if declared.length.is_some_and(|length| length != digest.size) {
        return Err(incomplete());
    }
    if !care.verify {
        return Ok(Received { blob, digest, declared: None });
    }
    let sum = match declared.trailer {
        Some(algorithm) => Some((algorithm, trailing_value(algorithm, trailers)?)),
        None => declared.sum.clone(),
    };
    declared.verify(&digest, sum.as_ref())?;
    Ok(Received { blob, digest, declared: sum })
}

fn trailing_value(algorithm: Algorithm, trailers: Option<&TrailingHeaders>) -> S3Result<String> {
    let value = trailers.and_then(|handle| {
        handle.read(|headers| {
            headers.get(algorithm.header()).and_then(|v| v.to_str().ok()).map(str::to_owned)
        })
    });
    let value = value.flatten().filter(|value| algorithm.accepts(value));
    value.ok_or_else(|| {
        let code = S3ErrorCode::Custom("MalformedTrailerError".into());
        let message = "The request contained trailing data that was not well-formed or did not conform to our \
                       published schema.";
        with_status(S3Error::with_message(code, message), 400)
    })
}

fn incomplete() -> S3Error {
    s3_error!(
        IncompleteBody,
        "You did not provide the number of bytes specified by the Content-Length HTTP header"
    )
}

fn with_status(mut error: S3Error, status: u16) -> S3Error {
    error.set_status_code(http::StatusCode::from_u16(status).expect("a constant that is a status"));
    error
}

/// Names what is wrong with a body that the protocol layer could not read.
///
/// Its error types are private, so their names are read from the text.
pub(crate) fn broken(error: &(dyn std::error::Error + Send + Sync)) -> S3Error {
    let text = error.to_string();
    let has = |name: &str| text.contains(name);
    if has("Sha256Mismatch") {
        let code = S3ErrorCode::Custom("XAmzContentSHA256Mismatch".into());
        let message =
            "The provided 'x-amz-content-sha256' header does not match what was computed.";
        with_status(S3Error::with_message(code, message), 400)
    } else if has("SignatureMismatch") {
        let message =
            "The chunk signature we calculated does not match the signature you provided.";
        with_status(S3Error::with_message(S3ErrorCode::SignatureDoesNotMatch, message), 400)
    } else if has("Incomplete") || has("LengthMismatch") {
        incomplete()
    } else if has("AwsChunkedStreamError") && !has("Underlying") {
        s3_error!(InvalidRequest, "The chunks of the body are not well-formed.")
    } else {
        s3_error!(
            RequestTimeout,
            "Your socket connection to the server was not read from or written to in time."
        )
    }
}

#[cfg(test)]
mod tests {
    use futures::stream;

    use super::*;

    const CARE: Care = Care { hash: true, verify: true, md5_etag: true };

    fn headers(list: &[(&'static str, &'static str)]) -> HeaderMap {
        list.iter()
            .map(|(n, v)| (http::HeaderName::from_static(n), http::HeaderValue::from_static(v)))
            .collect()
    }

    async fn put(list: &[(&'static str, &'static str)], care: Care) -> String {
        let body = stream::iter(
            ["1234", "56789"].map(|chunk| Ok::<_, std::io::Error>(bytes::Bytes::from(chunk))),
        );
        let received = match Declared::of(&headers(list)) {
            Ok(declared) => {
                receive(
                    &Store::Memory,
                    StreamingBlob::wrap(body),
                    &declared,
                    None,
                    care,
                    &[Algorithm::Crc64nvme],
                )
                .await
            }
            Err(error) => Err(error),
        };
        match received {
            Ok(received) => {
                assert_eq!(received.blob.bytes().unwrap(), b"123456789");
                received
                    .digest
                    .sums
                    .iter()
                    .map(|(algorithm, _)| algorithm.name())
                    .collect::<Vec<_>>()
                    .join(" ")
            }
            Err(error) => error.code().as_str().to_owned(),
        }
    }

    #[tokio::test]
    async fn declarations_are_verified() {
        for (list, expected) in [
            (&[][..], "CRC64NVME"),
            (&[("content-length", "9")], "CRC64NVME"),
            (&[("content-length", "10")], "IncompleteBody"),
            (&[("content-md5", "JfnnlDI7RTiF9RgfG2JNCw==")], "CRC64NVME"),
            (&[("content-md5", "AAAAAAAAAAAAAAAAAAAAAA==")], "BadDigest"),
            (&[("content-md5", "AAAA")], "InvalidDigest"),
            (&[("x-amz-checksum-crc32", "y/Q5Jg==")], "CRC64NVME CRC32"),
            (&[("x-amz-checksum-crc32", "AAAAAA==")], "BadDigest"),
            (&[("x-amz-checksum-crc32", "AAAA")], "InvalidRequest"),
            (
                &[("x-amz-checksum-crc32", "y/Q5Jg=="), ("x-amz-checksum-sha1", "AAAA")],
                "InvalidRequest",
            ),
            (&[("x-amz-sdk-checksum-algorithm", "CRC32")], "InvalidRequest"),
            (&[("x-amz-trailer", "x-amz-checksum-crc32")], "MalformedTrailerError"),
        ] {
            assert_eq!(put(list, CARE).await, expected, "{list:?}");
        }
    }

    #[tokio::test]
    async fn lenient_and_fast_labs() {
        let wrong =
            [("x-amz-checksum-crc32", "AAAAAA=="), ("content-md5", "AAAAAAAAAAAAAAAAAAAAAA==")];
        assert_eq!(put(&wrong, Care { verify: false, ..CARE }).await, "CRC64NVME");
        assert_eq!(put(&wrong, Care { hash: false, ..CARE }).await, "");
    }
}
