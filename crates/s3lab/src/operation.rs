//! Which S3 operation a request asks for, read from its method, path, query and headers.
//!
//! The protocol layer decides that too, but only after the signature; faults and the log need it before.

use std::fmt;

use http::{HeaderMap, Method, Uri};

use crate::host;

macro_rules! operations {
    ($($name:ident),* $(,)?) => {
        /// An operation of the S3 API that a lab serves.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[non_exhaustive]
        pub enum Operation {
            $(#[doc = concat!("`", stringify!($name), "` of the S3 API.")] $name,)*
            /// Anything else.
            Other,
        }

        impl Operation {
            /// Returns the operation's name in Amazon's reference.
            pub fn as_str(self) -> &'static str {
                match self {
                    $(Self::$name => stringify!($name),)*
                    Self::Other => "Other",
                }
            }
        }
    };
}

operations!(
    AbortMultipartUpload,
    AssumeRole,
    CompleteMultipartUpload,
    CopyObject,
    CreateBucket,
    CreateMultipartUpload,
    DeleteBucket,
    DeleteObject,
    DeleteObjectTagging,
    DeleteObjects,
    GetBucketLocation,
    GetBucketPolicy,
    GetBucketVersioning,
    GetObject,
    GetObjectAttributes,
    GetObjectLockConfiguration,
    GetObjectTagging,
    HeadBucket,
    HeadObject,
    ListBuckets,
    ListMultipartUploads,
    ListObjectVersions,
    ListObjects,
    ListObjectsV2,
    ListParts,
    PutBucketVersioning,
    PutObject,
    PutObjectTagging,
    RestoreObject,
    UploadPart,
);

impl Operation {
    /// Tells whether the body of a request is a small XML document that is read whole before anything is done.
    pub(crate) fn has_xml_body(self) -> bool {
        matches!(
            self,
            Self::CompleteMultipartUpload
                | Self::CreateBucket
                | Self::DeleteObjects
                | Self::PutBucketVersioning
                | Self::PutObjectTagging
                | Self::RestoreObject
        )
    }
}

impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What a request is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Target {
    pub(crate) operation: Operation,
    /// Empty when the request names no bucket.
    pub(crate) bucket: String,
    /// Empty when the request names no key.
    pub(crate) key: String,
    /// Names and values, decoded, without those that carry a signature.
    pub(crate) query: Vec<(String, String)>,
}

impl Target {
    /// Reads a request, whether its bucket is in the host or in the path.
    pub(crate) fn of(method: &Method, uri: &Uri, headers: &HeaderMap) -> Self {
        // Only the first slash is the path's own: a key may begin with others.
        let path = percent_decode(uri.path().strip_prefix('/').unwrap_or(uri.path()).as_bytes());
        let (bucket, key) = match host::bucket(headers) {
            Some(bucket) => (bucket, &*path),
            None => path.split_once('/').unwrap_or((&path, "")),
        };
        let query = parse_query(uri.query().unwrap_or_default());
        let operation = classify(method, bucket, key, &query, headers);
        Self { operation, bucket: bucket.to_owned(), key: key.to_owned(), query }
    }

    /// Returns the query as text for people, without signatures.
    pub(crate) fn query_summary(&self) -> String {
        let pairs: Vec<String> = self
            .query
            .iter()
            .map(
                |(name, value)| {
                    if value.is_empty() { name.clone() } else { format!("{name}={value}") }
                },
            )
            .collect();
        pairs.join("&")
    }
}

fn classify(
    method: &Method,
    bucket: &str,
    key: &str,
    query: &[(String, String)],
    headers: &HeaderMap,
) -> Operation {
    let has = |name: &str| query.iter().any(|(n, _)| n == name);
    if bucket.is_empty() {
        return match *method {
            Method::GET => Operation::ListBuckets,
            Method::POST => Operation::AssumeRole,
            _ => Operation::Other,
        };
    }
    if key.is_empty() { of_bucket(method, &has, query) } else { of_object(method, &has, headers) }
}

/// Sub-resources of a bucket that this service does not have; they must not pass for the plain operation.
const OTHER_BUCKET_PARTS: &[&str] = &[
    "accelerate",
    "acl",
    "analytics",
    "cors",
    "encryption",
    "intelligent-tiering",
    "inventory",
    "lifecycle",
    "logging",
    "metrics",
    "notification",
    "object-lock",
    "ownershipControls",
    "policy",
    "policyStatus",
    "publicAccessBlock",
    "replication",
    "requestPayment",
    "session",
    "tagging",
    "website",
];

fn of_bucket(method: &Method, has: &dyn Fn(&str) -> bool, query: &[(String, String)]) -> Operation {
    if *method == Method::GET && has("policy") {
        return Operation::GetBucketPolicy;
    }
    if *method == Method::GET && has("object-lock") {
        return Operation::GetObjectLockConfiguration;
    }
    if OTHER_BUCKET_PARTS.iter().any(|name| has(name)) {
        return Operation::Other;
    }
    match method.as_str() {
        "HEAD" => Operation::HeadBucket,
        "DELETE" => Operation::DeleteBucket,
        "PUT" if has("versioning") => Operation::PutBucketVersioning,
        "PUT" => Operation::CreateBucket,
        "POST" if has("delete") => Operation::DeleteObjects,
        "GET" if has("location") => Operation::GetBucketLocation,
        "GET" if has("versioning") => Operation::GetBucketVersioning,
        "GET" if has("uploads") => Operation::ListMultipartUploads,
        "GET" if has("versions") => Operation::ListObjectVersions,
        "GET" if query.iter().any(|(n, v)| n == "list-type" && v == "2") => {
            Operation::ListObjectsV2
        }
        "GET" => Operation::ListObjects,
        _ => Operation::Other,
    }
}

fn of_object(method: &Method, has: &dyn Fn(&str) -> bool, headers: &HeaderMap) -> Operation {
    if ["acl", "legal-hold", "retention", "torrent", "select"].iter().any(|name| has(name)) {
        return Operation::Other;
    }
    if has("restore") && *method != Method::POST {
        return Operation::Other;
    }
    let copies = headers.contains_key("x-amz-copy-source");
    match method.as_str() {
        "HEAD" => Operation::HeadObject,
        "GET" if has("attributes") => Operation::GetObjectAttributes,
        "GET" if has("tagging") => Operation::GetObjectTagging,
        "GET" if has("uploadId") => Operation::ListParts,
        "GET" => Operation::GetObject,
        "DELETE" if has("tagging") => Operation::DeleteObjectTagging,
        "DELETE" if has("uploadId") => Operation::AbortMultipartUpload,
        "DELETE" => Operation::DeleteObject,
        "POST" if has("restore") => Operation::RestoreObject,
        "POST" if has("uploads") => Operation::CreateMultipartUpload,
        "POST" if has("uploadId") => Operation::CompleteMultipartUpload,
        "PUT" if has("tagging") => Operation::PutObjectTagging,
        "PUT" if has("uploadId") && copies => Operation::Other,
        "PUT" if has("uploadId") => Operation::UploadPart,
        "PUT" if copies => Operation::CopyObject,
        "PUT" => Operation::PutObject,
        _ => Operation::Other,
    }
}

fn parse_query(query: &str) -> Vec<(String, String)> {
    query
        .split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
        .map(|(name, value)| (percent_decode(name.as_bytes()), percent_decode(value.as_bytes())))
        .filter(|(name, _)| !name.to_ascii_lowercase().starts_with("x-amz-") && name != "x-id")
        .collect()
}

/// Decodes `%41`; anything else stays as it is, and what is no UTF-8 is replaced.
pub(crate) fn percent_decode(text: &[u8]) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text;
    while let [first, tail @ ..] = rest {
        let escaped = match rest {
            [b'%', high, low, ..] => hex_value(*high).zip(hex_value(*low)).map(|(h, l)| h * 16 + l),
            _ => None,
        };
        bytes.push(escaped.unwrap_or(*first));
        rest = if escaped.is_some() { &rest[3..] } else { tail };
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

fn hex_value(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).and_then(|value| u8::try_from(value).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_are_named() {
        for (request, expected) in [
            ("GET /", Operation::ListBuckets),
            ("POST /", Operation::AssumeRole),
            ("HEAD /b", Operation::HeadBucket),
            ("PUT /b", Operation::CreateBucket),
            ("PUT /b/", Operation::CreateBucket),
            ("DELETE /b", Operation::DeleteBucket),
            ("GET /b?location", Operation::GetBucketLocation),
            ("GET /b?list-type=2&prefix=a", Operation::ListObjectsV2),
            ("GET /b?prefix=a", Operation::ListObjects),
            ("GET /b?versions", Operation::ListObjectVersions),
            ("GET /b?uploads=", Operation::ListMultipartUploads),
            ("POST /b?delete", Operation::DeleteObjects),
            ("PUT /b?versioning", Operation::PutBucketVersioning),
            ("GET /b?policy", Operation::GetBucketPolicy),
            ("PUT /b?policy", Operation::Other),
            ("GET /b?object-lock", Operation::GetObjectLockConfiguration),
            ("GET /b?acl", Operation::Other),
            ("PUT /b/k", Operation::PutObject),
            ("PUT /b/k?x-id=PutObject", Operation::PutObject),
            ("PUT /b/k?partNumber=1&uploadId=u", Operation::UploadPart),
            ("POST /b/k?uploads", Operation::CreateMultipartUpload),
            ("POST /b/k?uploadId=u", Operation::CompleteMultipartUpload),
            ("DELETE /b/k?uploadId=u", Operation::AbortMultipartUpload),
            ("GET /b/k?uploadId=u", Operation::ListParts),
            ("GET /b/k?attributes", Operation::GetObjectAttributes),
            ("GET /b/k?versionId=v", Operation::GetObject),
            ("POST /b/k?restore", Operation::RestoreObject),
            ("GET /b/k?restore", Operation::Other),
            ("GET /b/k?acl", Operation::Other),
        ] {
            let (method, uri) = request.split_once(' ').unwrap();
            let target =
                Target::of(&method.parse().unwrap(), &uri.parse().unwrap(), &HeaderMap::new());
            assert_eq!(target.operation, expected, "{request}");
        }
    }

    #[test]
    fn a_bucket_may_be_in_the_host() {
        let host = http::HeaderValue::from_static("b.s3.localhost:9000");
        let headers = HeaderMap::from_iter([(http::header::HOST, host)]);
        for (uri, operation, key) in [
            ("/", Operation::ListObjects, ""),
            ("/?uploads", Operation::ListMultipartUploads, ""),
            ("/day/a.csv", Operation::GetObject, "day/a.csv"),
        ] {
            let target = Target::of(&Method::GET, &uri.parse().unwrap(), &headers);
            assert_eq!((target.operation, &*target.bucket, &*target.key), (operation, "b", key));
        }
    }

    #[test]
    fn keys_are_decoded_and_signatures_left_out() {
        let uri =
            "/b//lead%20a/%2e%2e/x%2Fy?uploadId=a%2Bb&X-Amz-Signature=secret".parse().unwrap();
        let target = Target::of(&Method::GET, &uri, &HeaderMap::new());
        assert_eq!((target.bucket.as_str(), target.key.as_str()), ("b", "/lead a/../x/y"));
        assert_eq!(target.query_summary(), "uploadId=a+b");
    }
}
