//! What a service does and what it only accepts, found out on an upload that is never completed.

use std::collections::BTreeMap;

use aws_sdk_s3::types::{ChecksumType, DefaultRetention};
use bytes::Bytes;
use plan::permission::Permission;
use plan::staged::PARTS_MAX;
use serde::{Deserialize, Serialize};

use super::requests::{BeginWith, Owner};
use super::walk::Begun;
use super::{Answer, Left, Probe, Verdict, judge};
use crate::error::Fault;
use crate::s3::answer::Failure;
use crate::s3::check::Check;
use crate::s3::request::Target;
use crate::store::Part;

/// What the part of a probe holds.
const BODY: &[u8] = b"segue check\n";
/// The longest key that S3 takes, in bytes.
const KEY_BYTES_MAX: usize = plan::object_key::KEY_BYTES_MAX;

/// What a bucket without Object Lock answers when it is asked for the rules of it.
const NO_LOCK: &str = "ObjectLockConfigurationNotFoundError";

/// What is known of an ability.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Known {
    /// It is there.
    Yes,
    /// It is not.
    No,
    /// It could not be seen.
    #[default]
    Unknown,
}

/// What a service does, as far as it could be seen.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Capabilities {
    /// Whether a part that arrives damaged is refused.
    pub refuses_damage: Known,
    /// How parts are checked: `crc64nvme`, `crc64nvme+md5`, `md5`.
    pub part_check: Option<String>,
    /// Whether the service compares the checksum of a whole object when it is completed.
    #[serde(default)]
    pub whole_check: Known,
    /// Whether the last of the 10,000 part numbers is taken.
    #[serde(default)]
    pub takes_all_parts: Known,
    /// Whether objects can be begun with tags. A service may still forget them.
    #[serde(default)]
    pub takes_tags: Known,
    /// Whether an object appears only while its condition holds.
    pub keeps_conditions: Known,
    /// Whether the parts of an upload can be listed.
    pub lists_parts: Known,
    /// Whether open uploads can be listed.
    pub lists_uploads: Known,
    /// Whether the bucket keeps versions.
    pub keeps_versions: Known,
    /// Whether the bucket has Object Lock.
    #[serde(default)]
    pub locks_objects: Known,
    /// How long new objects cannot be deleted.
    #[serde(default)]
    pub retention: Option<Retention>,
    /// Whether requests in the name of another owner of the bucket are refused; looked at where the
    /// destination names one.
    #[serde(default)]
    pub compares_owner: Known,
    /// Whether keys of the full length are taken.
    pub takes_long_keys: Known,
    /// How objects are encrypted at rest, as the service says it: `AES256`, `aws:kms`.
    pub encryption: Option<String>,
}

/// How long a bucket keeps new objects from being deleted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Retention {
    /// `GOVERNANCE` or `COMPLIANCE`.
    pub mode: String,
    /// `30 days`, `1 year`.
    pub period: String,
}

/// What can be promised of files in a place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Grade {
    /// Everything.
    A,
    /// Everything but what two writers of the same name, or a lost answer, can do.
    B,
    /// Damage on the way is noticed only by the size.
    C,
}

impl Capabilities {
    /// Returns what can be promised; `None` when too little is known.
    pub fn grade(&self) -> Option<Grade> {
        match (self.refuses_damage, self.keeps_conditions, self.lists_parts) {
            (Known::Unknown, ..) => None,
            (Known::No, ..) => Some(Grade::C),
            (Known::Yes, Known::Yes, Known::Yes) => Some(Grade::A),
            (Known::Yes, ..) => Some(Grade::B),
        }
    }
}

impl Grade {
    /// Returns the promise.
    pub fn promise(self) -> &'static str {
        match self {
            Self::A => {
                "file sets are whole or not visible, and never replace what somebody else wrote"
            }
            Self::B => {
                "file sets are whole or not visible; what somebody else writes under the same name at the same moment may be replaced"
            }
            Self::C => {
                "file sets are complete by count and size; the service does not notice damaged bytes"
            }
        }
    }
}

/// Tries what a service does on an open upload.
pub(super) async fn find(
    probe: &Probe<'_>,
    begun: &Begun,
    found: &BTreeMap<Permission, (Verdict, Option<Answer>)>,
    may_delete: bool,
) -> Result<Capabilities, Failure> {
    let upload_id = &*begun.upload_id;
    let part = Part::new(1, Bytes::from_static(BODY));
    let to = Target { key: &probe.key, upload_id };
    let refuses_crc64 = refuses_damage(probe, upload_id, &part).await?;
    let whole_check = whole_check(probe, probe.store.checks.current()).await?;
    if whole_check == Known::No {
        // As a run does.
        probe.store.checks.settle_for(Check::Md5);
    }
    let staged = probe.store.put_checked(&to, &part).await?;
    let check = probe.store.checks.current();
    let lists_parts = match probe.parts(upload_id).await {
        // There is one more where encryption was asked of a part.
        Ok(count) => known(count > 0),
        Err(failure) => known_of(&failure),
    };
    let keeps_versions = match probe.versioning().await {
        Ok(state) => known(state.as_deref() == Some("Enabled")),
        Err(failure) => known_of(&failure),
    };
    let (locks_objects, retention) = locks(probe, keeps_versions).await;
    let may_lock = retention.is_some() || locks_objects == Known::Unknown;
    Ok(Capabilities {
        refuses_damage: match check {
            Check::Crc64 => refuses_crc64,
            // MD5 has been compared since the first day of S3.
            Check::Crc64AndMd5 | Check::Md5 => refuses_wrong_md5(probe, upload_id, &part).await?,
        },
        part_check: Some(check.name().to_owned()),
        whole_check,
        takes_all_parts: takes_all_parts(probe, upload_id).await?,
        takes_tags: takes_tags(probe).await?,
        keeps_conditions: match (probe.is_amazon(), may_delete && !may_lock) {
            (true, _) => Known::Yes,
            (false, true) => keeps_conditions(probe, upload_id, &staged.etag).await,
            (false, false) => Known::Unknown,
        },
        lists_parts,
        lists_uploads: match found.get(&Permission::ListBucketMultipartUploads) {
            Some((Verdict::Granted, _)) => Known::Yes,
            Some((Verdict::CannotTell(_), _)) => Known::No,
            _ => Known::Unknown,
        },
        keeps_versions,
        locks_objects,
        retention,
        compares_owner: compares_owner(probe).await,
        takes_long_keys: takes_long_keys(probe).await,
        encryption: begun.encryption.clone(),
    })
}

async fn refuses_damage(probe: &Probe<'_>, upload_id: &str, part: &Part) -> Result<Known, Failure> {
    match probe.damaged_part(upload_id, part).await {
        Ok(()) => Ok(Known::No),
        Err(failure) if failure.status.is_none() => Err(failure),
        Err(failure) => Ok(known(matches!(failure.fault, Fault::Damaged | Fault::Refused))),
    }
}

/// Begins an upload as a run does, and looks at what kind of checksum it is given.
async fn whole_check(probe: &Probe<'_>, check: Check) -> Result<Known, Failure> {
    if !check.has_crc64() {
        return Ok(Known::No);
    }
    Ok(match probe.begin(BeginWith::Checksum).await? {
        Ok(begun) => match begun.checksum_type() {
            Some(kind) => known(*kind == ChecksumType::FullObject),
            None => Known::Unknown,
        },
        Err(failure) => known_of_refusal(&failure),
    })
}

/// Sends the part with the last number of all.
async fn takes_all_parts(probe: &Probe<'_>, upload_id: &str) -> Result<Known, Failure> {
    let last = u32::try_from(PARTS_MAX).unwrap_or(u32::MAX);
    let part = Part::new(last, Bytes::from_static(BODY));
    let to = Target { key: &probe.key, upload_id };
    match probe.store.put_with(&to, &part, probe.store.checks.current()).await {
        Ok(_) => Ok(Known::Yes),
        Err(failure) if failure.status.is_none() => Err(failure),
        Err(failure) => Ok(known_of_refusal(&failure)),
    }
}

async fn takes_tags(probe: &Probe<'_>) -> Result<Known, Failure> {
    Ok(match probe.begin(BeginWith::Tags).await? {
        Ok(_) => Known::Yes,
        Err(failure) => known_of_refusal(&failure),
    })
}

/// A refusal for what was asked for, and not for who asked.
fn known_of_refusal(failure: &Failure) -> Known {
    match failure.fault {
        Fault::Unsupported | Fault::Refused => Known::No,
        _ => Known::Unknown,
    }
}

async fn refuses_wrong_md5(
    probe: &Probe<'_>,
    upload_id: &str,
    part: &Part,
) -> Result<Known, Failure> {
    match probe.part_with_wrong_md5(upload_id, part).await {
        Ok(()) => Ok(Known::No),
        Err(failure) if failure.status.is_none() => Err(failure),
        Err(failure) => Ok(known(matches!(failure.fault, Fault::Damaged | Fault::Refused))),
    }
}

/// Finds out whether the bucket locks new objects, and for how long.
async fn locks(probe: &Probe<'_>, keeps_versions: Known) -> (Known, Option<Retention>) {
    match probe.lock().await {
        Ok(rule) => (Known::Yes, rule.as_ref().and_then(retention)),
        Err(failure) if failure.code.as_deref() == Some(NO_LOCK) => (Known::No, None),
        // Without versions there is no Object Lock.
        Err(_) if keeps_versions == Known::No => (Known::No, None),
        Err(failure) => (known_of(&failure), None),
    }
}

fn retention(rule: &DefaultRetention) -> Option<Retention> {
    let counted = |count: i32, unit: &str| match count {
        1 => format!("1 {unit}"),
        _ => format!("{count} {unit}s"),
    };
    let period = match (rule.days(), rule.years()) {
        (Some(days), _) => counted(days, "day"),
        (None, Some(years)) => counted(years, "year"),
        (None, None) => return None,
    };
    let mode = rule.mode().map(|mode| mode.as_str().to_owned()).unwrap_or_default();
    Some(Retention { mode, period })
}

/// Completes an upload under a condition that cannot hold. Where the condition is not kept an object
/// appears; so this is tried only where it can be deleted again, and never at Amazon, which documents
/// it.
async fn keeps_conditions(probe: &Probe<'_>, upload_id: &str, part_etag: &str) -> Known {
    match probe.complete(upload_id, part_etag).await {
        Ok(done) => {
            let version_id = done.version_id.clone();
            probe.made().push(Left::Object { key: probe.key.clone(), version_id });
            Known::No
        }
        Err(failure) => match failure.fault {
            Fault::ConditionFailed | Fault::Conflict => Known::Yes,
            Fault::Refused if failure.code.as_deref() == Some("NoSuchKey") => Known::Yes,
            _ => Known::Unknown,
        },
    }
}

/// Asks in the name of a stranger what was answered in the name of the owner.
async fn compares_owner(probe: &Probe<'_>) -> Known {
    if probe.store.expected_owner.is_none() {
        return Known::Unknown;
    }
    match judge(probe.list(Owner::Expected).await) {
        Ok((Verdict::Granted, _)) => {}
        _ => return Known::Unknown,
    }
    match judge(probe.list(Owner::Stranger).await) {
        Ok((Verdict::Granted, _)) => Known::No,
        Ok((Verdict::Missing(_), _)) => Known::Yes,
        _ => Known::Unknown,
    }
}

/// Looks at a key of the full length: a service that does not take it says so.
async fn takes_long_keys(probe: &Probe<'_>) -> Known {
    let mut key = probe.key.clone();
    while key.len() < KEY_BYTES_MAX {
        key.push('x');
    }
    match judge(probe.head(&key, None).await) {
        Ok((Verdict::Granted, Some(answer))) => known(answer.status == 404),
        _ => Known::Unknown,
    }
}

fn known(is_so: bool) -> Known {
    if is_so { Known::Yes } else { Known::No }
}

fn known_of(failure: &Failure) -> Known {
    known_of_fault(&failure.fault)
}

fn known_of_fault(fault: &Fault) -> Known {
    if *fault == Fault::Unsupported { Known::No } else { Known::Unknown }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_grade_is_what_is_known_and_no_more() {
        let best = Capabilities {
            refuses_damage: Known::Yes,
            keeps_conditions: Known::Yes,
            lists_parts: Known::Yes,
            ..Capabilities::default()
        };
        let but = |change: fn(&mut Capabilities)| {
            let mut capabilities = best.clone();
            change(&mut capabilities);
            capabilities.grade()
        };
        assert_eq!(best.grade(), Some(Grade::A));
        assert_eq!(but(|it| it.keeps_conditions = Known::Unknown), Some(Grade::B));
        assert_eq!(but(|it| it.lists_parts = Known::No), Some(Grade::B));
        assert_eq!(but(|it| it.refuses_damage = Known::No), Some(Grade::C));
        assert_eq!(but(|it| it.refuses_damage = Known::Unknown), None);
        assert_eq!(Capabilities::default().grade(), None);
    }
}
