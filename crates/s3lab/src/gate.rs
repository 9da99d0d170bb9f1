//! Who is asking, and whether they may: the protocol layer's hooks, and the table of IAM actions.
//!
//! The table follows "Actions, resources, and condition keys for Amazon S3" and the permissions section of each
//! operation in Amazon's reference.

use std::sync::Arc;

use s3s::access::{S3Access, S3AccessContext};
use s3s::auth::{S3Auth, SecretKey};
use s3s::{S3Result, s3_error};

use crate::operation::{Operation, Target};
use crate::options::Listing;
use crate::shared::Shared;
use crate::signature::unknown_key;
use crate::state::Place;

/// The kind of encryption that needs permissions of its own.
const KMS: &str = "aws:kms";
/// The key of [`KMS`] when none is named.
const DEFAULT_KEY: &str = "aws/s3";

/// The gate in front of every operation.
#[derive(Clone)]
pub(crate) struct Gate(pub(crate) Arc<Shared>);

#[async_trait::async_trait]
impl S3Auth for Gate {
    async fn get_secret_key(&self, access_key: &str) -> S3Result<SecretKey> {
        match self.0.user(access_key) {
            Some(user) => Ok(SecretKey::from(user.secret_access_key)),
            None => Err(unknown_key(access_key).into()),
        }
    }
}

#[async_trait::async_trait]
impl S3Access for Gate {
    async fn check(&self, cx: &mut S3AccessContext<'_>) -> S3Result<()> {
        let target = Target::of(cx.method(), cx.uri(), cx.headers());
        let Some(access_key) = cx.credentials().map(|credentials| credentials.access_key.clone())
        else {
            return Err(denied());
        };
        let known = self.0.state().buckets.contains_key(&target.bucket);
        if !target.bucket.is_empty() && !known && target.operation != Operation::CreateBucket {
            // The operation says that there is no such bucket, whoever asks.
            return Ok(());
        }
        let header = |name: &str| cx.headers().get(name).and_then(|value| value.to_str().ok());
        let compares_owner = !self.0.options.dialect.ignores_owner;
        if header("x-amz-expected-bucket-owner")
            .is_some_and(|owner| compares_owner && owner != self.0.options.account_id)
        {
            return Err(denied());
        }
        self.check_dialect(target.operation)?;
        let mut needed = needed(&target, &|name| header(name).map(str::to_owned));
        needed.extend(self.key_of_upload(&target));
        let makes_object = matches!(
            target.operation,
            Operation::PutObject | Operation::CreateMultipartUpload | Operation::CopyObject
        );
        if makes_object && !self.0.meets_demands(&access_key, &header) {
            return Err(denied());
        }
        if needed.iter().all(|(action, resource)| self.0.permits(&access_key, action, resource)) {
            return Ok(());
        }
        Err(denied())
    }
}

impl Gate {
    /// Sending parts to an upload under a KMS key, and completing it, decrypts the upload's data key.
    fn key_of_upload(&self, target: &Target) -> Option<(&'static str, String)> {
        let uses =
            matches!(target.operation, Operation::UploadPart | Operation::CompleteMultipartUpload);
        let id = &target.query.iter().find(|(name, _)| uses && name == "uploadId")?.1;
        let place = Place { bucket: target.bucket.clone(), key: target.key.clone() };
        let state = self.0.state();
        let attributes = &state.uploads.get(id, &place).ok()?.attributes;
        let is_kms = attributes.encryption.as_deref() == Some(KMS);
        is_kms.then(|| ("kms:Decrypt", attributes.kms_key_id.clone().unwrap_or(DEFAULT_KEY.into())))
    }

    fn check_dialect(&self, operation: Operation) -> S3Result<()> {
        let listing = matches!(
            operation,
            Operation::ListObjects
                | Operation::ListObjectsV2
                | Operation::ListObjectVersions
                | Operation::ListParts
                | Operation::ListMultipartUploads
        );
        match self.0.options.dialect.listing {
            Listing::Denied if listing => Err(denied()),
            Listing::NotImplemented if listing => Err(s3_error!(
                NotImplemented,
                "A header you provided implies functionality that is not implemented"
            )),
            _ => Ok(()),
        }
    }
}

pub(crate) fn denied() -> s3s::S3Error {
    s3_error!(AccessDenied, "Access Denied")
}

/// Returns the actions that a request needs, each with its resource.
fn needed(target: &Target, header: &dyn Fn(&str) -> Option<String>) -> Vec<(&'static str, String)> {
    let versioned = target.query.iter().any(|(name, _)| name == "versionId");
    let on = |action: &'static str| (action, format!("{}/{}", target.bucket, target.key));
    let of =
        |plain: &'static str, version: &'static str| on(if versioned { version } else { plain });
    let bucket = |action: &'static str| vec![(action, target.bucket.clone())];
    match target.operation {
        Operation::ListBuckets => vec![("s3:ListAllMyBuckets", "*".into())],
        Operation::CreateBucket => bucket("s3:CreateBucket"),
        Operation::DeleteBucket => bucket("s3:DeleteBucket"),
        Operation::GetBucketLocation => bucket("s3:GetBucketLocation"),
        Operation::GetBucketPolicy => bucket("s3:GetBucketPolicy"),
        Operation::GetBucketVersioning => bucket("s3:GetBucketVersioning"),
        Operation::GetObjectLockConfiguration => bucket("s3:GetBucketObjectLockConfiguration"),
        Operation::PutBucketVersioning => bucket("s3:PutBucketVersioning"),
        Operation::HeadBucket | Operation::ListObjects | Operation::ListObjectsV2 => {
            bucket("s3:ListBucket")
        }
        Operation::ListObjectVersions => bucket("s3:ListBucketVersions"),
        Operation::ListMultipartUploads => bucket("s3:ListBucketMultipartUploads"),
        Operation::GetObject | Operation::HeadObject => {
            vec![of("s3:GetObject", "s3:GetObjectVersion")]
        }
        Operation::GetObjectAttributes => vec![
            of("s3:GetObject", "s3:GetObjectVersion"),
            of("s3:GetObjectAttributes", "s3:GetObjectVersionAttributes"),
        ],
        Operation::GetObjectTagging => {
            vec![of("s3:GetObjectTagging", "s3:GetObjectVersionTagging")]
        }
        Operation::PutObjectTagging => {
            vec![of("s3:PutObjectTagging", "s3:PutObjectVersionTagging")]
        }
        Operation::DeleteObjectTagging => {
            vec![of("s3:DeleteObjectTagging", "s3:DeleteObjectVersionTagging")]
        }
        Operation::DeleteObject => vec![of("s3:DeleteObject", "s3:DeleteObjectVersion")],
        Operation::RestoreObject => vec![on("s3:RestoreObject")],
        Operation::ListParts => vec![on("s3:ListMultipartUploadParts")],
        Operation::AbortMultipartUpload => vec![on("s3:AbortMultipartUpload")],
        Operation::UploadPart => vec![on("s3:PutObject")],
        Operation::PutObject
        | Operation::CreateMultipartUpload
        | Operation::CompleteMultipartUpload => writing(&on, header),
        Operation::CopyObject => {
            let mut needed = writing(&on, header);
            needed.extend(copied(header));
            needed
        }
        // Each key of DeleteObjects is judged on its own, where the keys are known.
        // Roles are judged where they are assumed.
        Operation::AssumeRole | Operation::DeleteObjects | Operation::Other => Vec::new(),
    }
}

fn writing(
    on: &dyn Fn(&'static str) -> (&'static str, String),
    header: &dyn Fn(&str) -> Option<String>,
) -> Vec<(&'static str, String)> {
    let mut needed = vec![on("s3:PutObject")];
    for (name, action) in [
        ("x-amz-tagging", "s3:PutObjectTagging"),
        ("x-amz-acl", "s3:PutObjectAcl"),
        // Comparing with what is there reads it.
        ("if-match", "s3:GetObject"),
    ] {
        if header(name).is_some() {
            needed.push(on(action));
        }
    }
    if header("x-amz-server-side-encryption").as_deref() == Some(KMS) {
        let key = header("x-amz-server-side-encryption-aws-kms-key-id");
        needed.push(("kms:GenerateDataKey", key.unwrap_or(DEFAULT_KEY.into())));
    }
    needed
}

fn copied(header: &dyn Fn(&str) -> Option<String>) -> Option<(&'static str, String)> {
    let source = header("x-amz-copy-source")?;
    let (path, version) =
        source.split_once("?versionId=").map_or((source.as_str(), None), |(p, v)| (p, Some(v)));
    let action = if version.is_some() { "s3:GetObjectVersion" } else { "s3:GetObject" };
    let path = crate::operation::percent_decode(path.as_bytes());
    Some((action, path.trim_start_matches('/').to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn actions_of_requests() {
        for (request, headers, expected) in [
            ("GET /", &[][..], "s3:ListAllMyBuckets on *"),
            ("HEAD /b", &[], "s3:ListBucket on b"),
            ("GET /b?uploads", &[], "s3:ListBucketMultipartUploads on b"),
            ("PUT /b/a/k", &[], "s3:PutObject on b/a/k"),
            (
                "PUT /b/k",
                &[("x-amz-tagging", "a=b")],
                "s3:PutObject on b/k, s3:PutObjectTagging on b/k",
            ),
            (
                "POST /b/k?uploads",
                &[("x-amz-acl", "private")],
                "s3:PutObject on b/k, s3:PutObjectAcl on b/k",
            ),
            (
                "POST /b/k?uploadId=u",
                &[("if-match", "e")],
                "s3:PutObject on b/k, s3:GetObject on b/k",
            ),
            ("POST /b/k?uploadId=u", &[("if-none-match", "*")], "s3:PutObject on b/k"),
            ("GET /b/k?versionId=v", &[], "s3:GetObjectVersion on b/k"),
            ("DELETE /b/k?versionId=v", &[], "s3:DeleteObjectVersion on b/k"),
            ("GET /b/k?uploadId=u", &[], "s3:ListMultipartUploadParts on b/k"),
            ("DELETE /b/k?uploadId=u", &[], "s3:AbortMultipartUpload on b/k"),
            ("GET /b/k?attributes", &[], "s3:GetObject on b/k, s3:GetObjectAttributes on b/k"),
            (
                "PUT /b/k",
                &[("x-amz-copy-source", "/c/a%20b")],
                "s3:PutObject on b/k, s3:GetObject on c/a b",
            ),
            (
                "POST /b/k?uploads",
                &[("x-amz-server-side-encryption", "aws:kms")],
                "s3:PutObject on b/k, kms:GenerateDataKey on aws/s3",
            ),
            ("POST /b/k?restore", &[], "s3:RestoreObject on b/k"),
            ("POST /b?delete", &[], ""),
        ] {
            let mut map = http::HeaderMap::new();
            for (name, value) in headers {
                map.insert(*name, value.parse().unwrap());
            }
            let (method, uri) = request.split_once(' ').unwrap();
            let target = Target::of(&method.parse().unwrap(), &uri.parse().unwrap(), &map);
            let needed =
                needed(&target, &|name| map.get(name).map(|v| v.to_str().unwrap().to_owned()));
            let seen: Vec<String> =
                needed.iter().map(|(action, on)| format!("{action} on {on}")).collect();
            assert_eq!(seen.join(", "), expected, "{request}");
        }
    }
}
