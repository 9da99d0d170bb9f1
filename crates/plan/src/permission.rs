//! What a destination needs to be allowed: actions by their names in IAM, on which resources, and
//! what stops working without each.
//!
//! The names are those of "Actions, resources, and condition keys for Amazon S3" in the service
//! authorization reference. What Segue itself never does stands here too, as far as connectors of
//! this kind have asked for it (behaviour reference §2.7), so that a complete check can name it.

use std::fmt;

use crate::object_settings::{Encryption, ObjectSettings};
use crate::project::{Destination, Project};

/// What the key of a probe begins with, behind the destination's folder.
pub const PROBE_NAME: &str = ".segue-check-";

/// An action that a policy grants.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Permission {
    /// `s3:PutObject`
    PutObject,
    /// `s3:PutObjectTagging`
    PutObjectTagging,
    /// `s3:PutObjectAcl`
    PutObjectAcl,
    /// `kms:GenerateDataKey`
    GenerateDataKey,
    /// `kms:Decrypt`
    Decrypt,
    /// `s3:AbortMultipartUpload`
    AbortMultipartUpload,
    /// `s3:ListMultipartUploadParts`
    ListMultipartUploadParts,
    /// `s3:GetObject`
    GetObject,
    /// `s3:ListBucket`
    ListBucket,
    /// `s3:ListBucketMultipartUploads`
    ListBucketMultipartUploads,
    /// `s3:GetBucketLocation`
    GetBucketLocation,
    /// `s3:ListAllMyBuckets`, which some lists call `ListBuckets`, as the request is called
    ListBuckets,
    /// `s3:GetObjectVersion`
    GetObjectVersion,
    /// `s3:DeleteObject`
    DeleteObject,
    /// `s3:DeleteObjectVersion`
    DeleteObjectVersion,
    /// `s3:PutBucketVersioning`
    PutBucketVersioning,
    /// `s3:RestoreObject`
    RestoreObject,
    /// `s3:ReplicateObject`
    ReplicateObject,
}

/// How much a destination needs a permission.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Need {
    /// Nothing is delivered without it.
    Required,
    /// Files are delivered without it, and less is known about them.
    Useful,
    /// Segue never uses it.
    Unused,
}

/// What a permission is granted on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Level {
    /// The objects below the destination's folder.
    Objects,
    /// The bucket.
    Bucket,
    /// The KMS key.
    Key,
    /// Everything that the account has.
    Everything,
}

/// The part of a service that a destination writes to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scope {
    /// `aws`, `aws-cn`, `aws-us-gov`.
    pub partition: &'static str,
    /// The bucket.
    pub bucket: String,
    /// What every key begins with; empty when that is not known before a run.
    pub start: String,
    /// The KMS key, by ARN where it is given so.
    pub kms_key_id: Option<String>,
}

impl Permission {
    /// All of them, in the order in which a check walks them.
    pub const ALL: [Self; 18] = [
        Self::PutObject,
        Self::PutObjectTagging,
        Self::PutObjectAcl,
        Self::GenerateDataKey,
        Self::Decrypt,
        Self::AbortMultipartUpload,
        Self::ListMultipartUploadParts,
        Self::GetObject,
        Self::ListBucket,
        Self::ListBucketMultipartUploads,
        Self::GetBucketLocation,
        Self::ListBuckets,
        Self::GetObjectVersion,
        Self::DeleteObject,
        Self::DeleteObjectVersion,
        Self::PutBucketVersioning,
        Self::RestoreObject,
        Self::ReplicateObject,
    ];

    /// Returns its name in a policy.
    pub fn action(self) -> &'static str {
        match self {
            Self::PutObject => "s3:PutObject",
            Self::PutObjectTagging => "s3:PutObjectTagging",
            Self::PutObjectAcl => "s3:PutObjectAcl",
            Self::GenerateDataKey => "kms:GenerateDataKey",
            Self::Decrypt => "kms:Decrypt",
            Self::AbortMultipartUpload => "s3:AbortMultipartUpload",
            Self::ListMultipartUploadParts => "s3:ListMultipartUploadParts",
            Self::GetObject => "s3:GetObject",
            Self::ListBucket => "s3:ListBucket",
            Self::ListBucketMultipartUploads => "s3:ListBucketMultipartUploads",
            Self::GetBucketLocation => "s3:GetBucketLocation",
            Self::ListBuckets => "s3:ListAllMyBuckets",
            Self::GetObjectVersion => "s3:GetObjectVersion",
            Self::DeleteObject => "s3:DeleteObject",
            Self::DeleteObjectVersion => "s3:DeleteObjectVersion",
            Self::PutBucketVersioning => "s3:PutBucketVersioning",
            Self::RestoreObject => "s3:RestoreObject",
            Self::ReplicateObject => "s3:ReplicateObject",
        }
    }

    /// Whether Segue never uses it, so that only a complete check asks for it.
    pub fn is_extra(self) -> bool {
        self as usize >= Self::GetBucketLocation as usize
    }

    /// Returns what it is granted on.
    pub fn level(self) -> Level {
        match self {
            Self::GenerateDataKey | Self::Decrypt => Level::Key,
            Self::ListBucket
            | Self::ListBucketMultipartUploads
            | Self::GetBucketLocation
            | Self::PutBucketVersioning => Level::Bucket,
            Self::ListBuckets => Level::Everything,
            _ => Level::Objects,
        }
    }

    /// Returns what stops working without it.
    pub fn without(self) -> &'static str {
        match self {
            Self::PutObject => "nothing can be delivered",
            Self::PutObjectTagging => "nothing can be delivered with the tags of the destination",
            Self::PutObjectAcl => "nothing can be delivered with the ACL of the destination",
            Self::GenerateDataKey | Self::Decrypt => {
                "nothing can be delivered under the KMS key of the destination"
            }
            Self::AbortMultipartUpload => {
                "a run that fails leaves its parts behind, unseen and paid for"
            }
            Self::ListMultipartUploadParts => {
                "after a lost answer, Segue cannot see whether an upload is still open"
            }
            Self::GetObject => {
                "objects are not looked at after the upload, and static names are not replaced"
            }
            Self::ListBucket => "an object that is not there cannot be told from a hidden one",
            Self::ListBucketMultipartUploads => {
                "after a crash, an upload whose id was lost stays until a lifecycle rule ends it"
            }
            Self::GetBucketLocation => "nothing: the region is learnt from the service's answers",
            Self::ListBuckets => "nothing: Segue never lists buckets",
            Self::GetObjectVersion => {
                "nothing for deliveries: `segue files get` reads earlier versions with it"
            }
            Self::DeleteObject | Self::DeleteObjectVersion => "nothing: Segue deletes no objects",
            Self::PutBucketVersioning => "nothing: Segue leaves the bucket's settings alone",
            Self::RestoreObject => {
                "nothing for deliveries: `segue files restore` asks for archived objects with it"
            }
            Self::ReplicateObject => "nothing: replication is done by S3, under a role of its own",
        }
    }
}

impl fmt::Display for Permission {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.action())
    }
}

/// Returns what a destination needs, in the order of [`Permission::ALL`]; `replaces` tells whether it
/// has names that stay the same from run to run.
pub fn needs(objects: &ObjectSettings, replaces: bool) -> Vec<(Permission, Need)> {
    use Permission as P;
    let mut needs = vec![(P::PutObject, Need::Required)];
    if !objects.tags.is_empty() {
        needs.push((P::PutObjectTagging, Need::Required));
    }
    if objects.acl.is_some() {
        needs.push((P::PutObjectAcl, Need::Required));
    }
    if matches!(objects.encryption, Some(Encryption::Kms { .. })) {
        needs.extend([(P::GenerateDataKey, Need::Required), (P::Decrypt, Need::Required)]);
    }
    needs.extend([
        (P::AbortMultipartUpload, Need::Required),
        (P::ListMultipartUploadParts, Need::Useful),
        // Replacing an object only while it is unchanged reads it.
        (P::GetObject, if replaces { Need::Required } else { Need::Useful }),
        (P::ListBucket, Need::Useful),
        (P::ListBucketMultipartUploads, Need::Useful),
    ]);
    needs
}

/// Returns what a destination needs, and behind it everything else that connectors of this kind have
/// asked for.
pub fn all(objects: &ObjectSettings, replaces: bool) -> Vec<(Permission, Need)> {
    let mut needs = needs(objects, replaces);
    let extras = Permission::ALL.into_iter().filter(|permission| permission.is_extra());
    needs.extend(extras.map(|permission| (permission, Need::Unused)));
    needs
}

impl Scope {
    /// Returns the scope of a destination, in the region that its bucket is in as far as that is
    /// known.
    pub fn of(destination: &Destination, region: Option<&str>) -> Self {
        let folder = &destination.folder;
        let start = match folder.literal_start() {
            "" => String::new(),
            start if folder.has_macro() => start.to_owned(),
            whole => format!("{whole}/"),
        };
        let kms_key_id = match &destination.objects.encryption {
            Some(Encryption::Kms { key_id, .. }) => key_id.clone(),
            _ => None,
        };
        let partition = match region {
            Some(region) if region.starts_with("cn-") => "aws-cn",
            Some(region) if region.starts_with("us-gov-") => "aws-us-gov",
            _ => "aws",
        };
        Self { partition, bucket: destination.bucket.clone(), start, kms_key_id }
    }

    /// Returns the bucket as policies write it.
    pub fn bucket_arn(&self) -> String {
        format!("arn:{}:s3:::{}", self.partition, self.bucket)
    }

    /// Returns the objects as policies write them.
    pub fn objects_arn(&self) -> String {
        format!("{}/{}*", self.bucket_arn(), self.start)
    }

    /// Returns what a permission is granted on, as policies write it.
    pub fn resource(&self, permission: Permission) -> String {
        match permission.level() {
            Level::Objects => self.objects_arn(),
            Level::Bucket => self.bucket_arn(),
            Level::Key => self.kms_key_id.clone().unwrap_or_else(|| "aws/s3".to_owned()),
            Level::Everything => "*".to_owned(),
        }
    }

    /// Returns a key that no run writes to and that the same permissions cover.
    pub fn probe_key(&self, nonce: &str) -> String {
        format!("{}{PROBE_NAME}{nonce}", self.start)
    }
}

/// Tells whether an activation sends names to a destination that stay the same from run to run.
pub fn replaces(project: &Project, destination: &Destination) -> bool {
    project
        .activations
        .iter()
        .filter(|activation| activation.destination == destination.key)
        .flat_map(|activation| &activation.segments)
        .any(|export| export.file_name.is_static() && destination.folder.is_static())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_permission_has_its_place() {
        for (index, permission) in Permission::ALL.into_iter().enumerate() {
            assert_eq!(permission as usize, index, "{permission}");
        }
        let plain = needs(&ObjectSettings::default(), false);
        let names: Vec<&str> = plain.iter().map(|(permission, _)| permission.action()).collect();
        assert_eq!(
            names,
            [
                "s3:PutObject",
                "s3:AbortMultipartUpload",
                "s3:ListMultipartUploadParts",
                "s3:GetObject",
                "s3:ListBucket",
                "s3:ListBucketMultipartUploads"
            ]
        );
        assert_eq!(all(&ObjectSettings::default(), false).len(), plain.len() + 8);
    }

    #[test]
    fn settings_need_permissions_of_their_own() {
        let objects = ObjectSettings {
            encryption: Some(Encryption::Kms {
                key_id: None,
                context: Vec::new(),
                bucket_key: None,
            }),
            tags: vec![("a".to_owned(), "b".to_owned())],
            acl: Some("bucket-owner-full-control".to_owned()),
            ..ObjectSettings::default()
        };
        let needs = needs(&objects, true);
        for permission in [
            Permission::PutObjectTagging,
            Permission::PutObjectAcl,
            Permission::GenerateDataKey,
            Permission::Decrypt,
            Permission::GetObject,
        ] {
            assert!(needs.contains(&(permission, Need::Required)), "{permission}");
        }
    }
}
