//! The order of a walk, and what the answers mean together.

use std::collections::BTreeMap;

use plan::object_settings::{Encryption, ObjectSettings};
use plan::permission::Permission;

use super::capability::{self, Capabilities};
use super::power;
use super::requests::{NO_UPLOAD, NULL_VERSION, Owner};
use super::{Answer, Checked, Finding, Left, Probe, Verdict, judge};
use crate::error::{Act, Fault};
use crate::s3::answer::Failure;
use crate::s3::request::{Target, is_encrypted_as_asked};

const HIDDEN: &str = "without s3:ListBucket, S3 does not tell a missing object from a hidden one";
const NO_REQUEST: &str = "no request needs it, and IAM's simulator, which would know, does not answer to these credentials";
const SIMULATED: &str = "IAM's simulator says so of the policies of who signs: no request shows it";
const UNREADABLE: &str = "the answer of the service is not one of S3";
const NOT_TRIED: &str = "not tried, as an earlier step was refused";

/// What was found so far.
type Found = BTreeMap<Permission, (Verdict, Option<Answer>)>;

/// What writing needs, in the way that the destination asks for. It is found out together.
const WRITING: [Permission; 5] = [
    Permission::PutObject,
    Permission::PutObjectTagging,
    Permission::PutObjectAcl,
    Permission::GenerateDataKey,
    Permission::Decrypt,
];

pub(super) async fn walk(
    probe: &Probe<'_>,
    tell: &(dyn Fn(&Finding) + Sync),
) -> Result<Checked, Failure> {
    let mut found = Found::new();
    let told = |found: &Found, permissions: &[Permission]| {
        permissions.iter().filter_map(|it| finding(probe, found, *it)).for_each(|it| tell(&it));
    };
    let listed = judge(probe.list(Owner::Expected).await)?;
    let aborted = judge(probe.abort(Owner::Expected).await)?;
    check_owner(probe, &listed, &aborted.0).await?;
    // A right to list that is tied to a prefix does not show what is absent.
    let sees_absence =
        listed.0 == Verdict::Granted && judge(probe.list_all().await)?.0 == Verdict::Granted;
    let may_abort = aborted.0 == Verdict::Granted;
    found.insert(Permission::ListBucket, listed);
    found.insert(Permission::AbortMultipartUpload, aborted);
    told(&found, &[Permission::ListBucket, Permission::AbortMultipartUpload]);
    found.insert(Permission::ListMultipartUploadParts, judge(probe.parts(NO_UPLOAD).await)?);
    told(&found, &[Permission::ListMultipartUploadParts]);
    found.insert(Permission::ListBucketMultipartUploads, judge(probe.uploads().await)?);
    told(&found, &[Permission::ListBucketMultipartUploads]);
    let hides = |found: (Verdict, Option<Answer>)| match found {
        (Verdict::Missing(_), answer) if !sees_absence => (Verdict::CannotTell(HIDDEN), answer),
        found => found,
    };
    let key = &probe.key;
    found.insert(Permission::GetObject, hides(judge(probe.head(key, None).await)?));
    told(&found, &[Permission::GetObject]);
    let swept = if may_abort { probe.sweep().await } else { 0 };
    let writing = write(probe, &mut found, may_abort).await?;
    let deletes = delete_nothing(probe).await?;
    let may_delete = deletes.0 == Verdict::Granted;
    found.insert(Permission::DeleteObject, deletes);
    let capabilities = match writing {
        Some(begun) => match capability::find(probe, &begun, &found, may_delete).await {
            Ok(capabilities) => capabilities,
            Err(failure) => {
                refused_part(probe, &mut found, failure)?;
                Capabilities::default()
            }
        },
        None => Capabilities::default(),
    };
    settle_writing(&mut found);
    told(&found, &WRITING);
    for permission in Permission::ALL.into_iter().filter(|it| it.is_extra()) {
        if probe.need(permission).is_some() {
            extra(probe, &mut found, permission, &hides).await?;
            told(&found, &[permission]);
        }
    }
    let powers = power::find(probe, sees_absence, may_delete).await;
    let findings = probe.needs.iter().filter_map(|(it, _)| finding(probe, &found, *it)).collect();
    Ok(Checked { findings, capabilities, powers, swept })
}

/// What was found of a permission, if the destination needs it and it was settled.
fn finding(probe: &Probe<'_>, found: &Found, permission: Permission) -> Option<Finding> {
    let need = probe.need(permission)?;
    let (verdict, answer) = found.get(&permission)?.clone();
    let resource = probe.scope.resource(permission);
    Some(Finding { permission, resource, need, verdict, answer })
}

/// Finds out whether it is the owner that everything is refused for.
async fn check_owner(
    probe: &Probe<'_>,
    listed: &(Verdict, Option<Answer>),
    aborted: &Verdict,
) -> Result<(), Failure> {
    let is_refused = |verdict: &Verdict| matches!(verdict, Verdict::Missing(_));
    if probe.store.expected_owner.is_none() || !is_refused(&listed.0) || !is_refused(aborted) {
        return Ok(());
    }
    let others =
        [judge(probe.list(Owner::Unnamed).await)?, judge(probe.abort(Owner::Unnamed).await)?];
    if others.iter().all(|(verdict, _)| is_refused(verdict)) {
        return Ok(());
    }
    let mut failure = probe.store.failure_of(Act::Reach, None, Fault::WrongOwner);
    if let Some(Answer { status, code, request_id }) = listed.1.clone() {
        failure.status = Some(status);
        (failure.code, failure.request_id) = (code, request_id);
    }
    Err(failure)
}

/// An upload that a walk has begun.
pub(super) struct Begun {
    pub(super) upload_id: String,
    /// How the object would be encrypted, if the service says it.
    pub(super) encryption: Option<String>,
}

/// Tries to write as a run does. Returns the upload that is open then.
async fn write(
    probe: &Probe<'_>,
    found: &mut Found,
    may_abort: bool,
) -> Result<Option<Begun>, Failure> {
    let nothing = judge(probe.complete_nothing(&probe.key).await)?;
    if !may_abort {
        // An upload that cannot be aborted is not begun.
        found.insert(Permission::PutObject, nothing);
        return Ok(None);
    }
    let objects = &probe.store.objects;
    let created = match try_create(probe, objects).await {
        Ok(begun) => {
            found.insert(Permission::PutObject, (Verdict::Granted, None));
            return Ok(Some(begun));
        }
        Err(failure) => failure,
    };
    if created.fault != Fault::Denied {
        // The settings do not fit the bucket or the key: that is no question of permission.
        return Err(blame_kms(probe, created).await);
    }
    let (_, answer) = judge::<()>(Err(created))?;
    let may_write = nothing.0 == Verdict::Granted;
    blame(probe, found, answer, may_write).await?;
    Ok(None)
}

/// Services without a KMS do not all say so: some fail at every request that names a key. One that does as
/// it is asked without a key has not failed altogether.
async fn blame_kms(probe: &Probe<'_>, mut failure: Failure) -> Failure {
    let objects = &probe.store.objects;
    let without_key = ObjectSettings { encryption: None, ..objects.clone() };
    if failure.fault == Fault::Unavailable
        && is_kms(objects)
        && try_create(probe, &without_key).await.is_ok()
    {
        failure.fault = Fault::KmsFails;
    }
    failure
}

/// Begins an upload, and remembers it until it is removed.
async fn try_create(probe: &Probe<'_>, objects: &ObjectSettings) -> Result<Begun, Failure> {
    let created = probe.create(objects).await?;
    let mut encryption = created.server_side_encryption().cloned();
    let missing = || probe.store.not_s3(Act::CreateUpload, &probe.key);
    let upload_id = created.upload_id.ok_or_else(missing)?;
    let made = Left::Upload { key: probe.key.clone(), upload_id: upload_id.clone() };
    probe.made().push(made);
    if encryption.is_none() && objects.encryption.is_some() {
        let to = Target { key: &probe.key, upload_id: &upload_id };
        encryption = probe.store.encryption_of_part(&to, probe.store.checks.current()).await?;
    }
    if !is_encrypted_as_asked(objects, encryption.as_ref()) {
        let fault = Fault::NotEncrypted;
        return Err(probe.store.failure_of(Act::CreateUpload, Some(&probe.key), fault));
    }
    let encryption = encryption.map(|kind| kind.as_str().to_owned());
    Ok(Begun { upload_id, encryption })
}

/// Writing is refused: finds out what of it, by asking for a little less or a little more each time.
async fn blame(
    probe: &Probe<'_>,
    found: &mut Found,
    answer: Option<Answer>,
    may_write: bool,
) -> Result<(), Failure> {
    let objects = &probe.store.objects;
    let without_tags = ObjectSettings { tags: Vec::new(), ..objects.clone() };
    let without_acl = ObjectSettings { acl: None, ..objects.clone() };
    let without_key = ObjectSettings { encryption: None, ..objects.clone() };
    let with_aes = ObjectSettings { encryption: Some(Encryption::Aes256), ..objects.clone() };
    let kms = Encryption::Kms { key_id: None, context: Vec::new(), bucket_key: None };
    let with_kms = ObjectSettings { encryption: Some(kms), ..objects.clone() };
    let tries = [
        (Permission::PutObjectTagging, &without_tags, !objects.tags.is_empty(), None),
        (Permission::PutObjectAcl, &without_acl, objects.acl.is_some(), None),
        (Permission::GenerateDataKey, &without_key, is_kms(objects), None),
        (
            Permission::PutObject,
            &with_aes,
            objects.encryption != Some(Encryption::Aes256),
            Some("the bucket's policy demands encryption: set encryption: { sse: AES256 }"),
        ),
        (
            Permission::PutObject,
            &with_kms,
            !is_kms(objects),
            Some("the bucket's policy demands encryption: set encryption: { sse: aws:kms }"),
        ),
    ];
    for (permission, less, applies, reason) in tries {
        if !applies || try_create(probe, less).await.is_err() {
            continue;
        }
        let verdict = Verdict::Missing(reason.map(str::to_owned));
        found.insert(permission, (verdict, answer));
        if permission != Permission::PutObject {
            found.insert(Permission::PutObject, (Verdict::Granted, None));
        }
        return Ok(());
    }
    let reason = "writing is allowed, but not in this way: look for conditions in the policies";
    let verdict = Verdict::Missing(may_write.then(|| reason.to_owned()));
    found.insert(Permission::PutObject, (verdict, answer));
    Ok(())
}

fn is_kms(objects: &ObjectSettings) -> bool {
    matches!(objects.encryption, Some(Encryption::Kms { .. }))
}

/// The upload was begun, and its part is refused: under a KMS key that is because the key may not be
/// used to decrypt, which S3 does for every part.
fn refused_part(probe: &Probe<'_>, found: &mut Found, failure: Failure) -> Result<(), Failure> {
    let (verdict, answer) = judge::<()>(Err(failure))?;
    let permission = match is_kms(&probe.store.objects) {
        true => Permission::Decrypt,
        false => Permission::PutObject,
    };
    found.insert(permission, (verdict, answer));
    Ok(())
}

/// Tries what only a complete check asks for.
async fn extra(
    probe: &Probe<'_>,
    found: &mut Found,
    permission: Permission,
    hides: &impl Fn((Verdict, Option<Answer>)) -> (Verdict, Option<Answer>),
) -> Result<(), Failure> {
    let key = &probe.key;
    let outcome = match permission {
        Permission::GetBucketLocation => judge_extra(probe.location().await)?,
        Permission::ListBuckets => judge_extra(probe.buckets().await)?,
        Permission::GetObjectVersion => {
            hides(judge_extra(probe.head(key, Some(NULL_VERSION)).await)?)
        }
        Permission::DeleteObjectVersion => {
            judge_extra(probe.delete(key, Some(NULL_VERSION.to_owned()), None).await)?
        }
        Permission::PutBucketVersioning => judge_extra(probe.set_versioning().await)?,
        Permission::RestoreObject => hides(judge_extra(probe.restore().await)?),
        Permission::ReplicateObject => simulate(probe, permission).await,
        // The others are tried on the way.
        _ => return Ok(()),
    };
    found.insert(permission, outcome);
    Ok(())
}

/// Asks IAM about what no request can show.
async fn simulate(probe: &Probe<'_>, permission: Permission) -> (Verdict, Option<Answer>) {
    let resource = format!("{}/{}", probe.scope.bucket_arn(), probe.key);
    let said = probe.store.session.simulate(permission.action(), &resource).await;
    let verdict = match said.is_allowed {
        Some(true) => Verdict::Granted,
        Some(false) => Verdict::Missing(Some(SIMULATED.to_owned())),
        None => Verdict::CannotTell(NO_REQUEST),
    };
    (verdict, said.answer)
}

/// Judges what no delivery needs: an answer that means nothing here says nothing, and ends no check.
fn judge_extra<T>(result: Result<T, Failure>) -> Result<(Verdict, Option<Answer>), Failure> {
    let failure = match judge(result) {
        Ok(found) => return Ok(found),
        Err(failure) => failure,
    };
    let Some(status) = failure.status else { return Err(failure) };
    let answer =
        Answer { status, code: failure.code.clone(), request_id: failure.request_id.clone() };
    Ok((Verdict::CannotTell(UNREADABLE), Some(answer)))
}

/// Deletes an object that is not there. A service that does not know the condition may leave a marker
/// in a bucket with versions, which is then removed by its version.
pub(super) async fn delete_nothing(
    probe: &Probe<'_>,
) -> Result<(Verdict, Option<Answer>), Failure> {
    let deleted = probe.delete(&probe.key, None, Some("*")).await;
    if let Ok(done) = &deleted
        && done.delete_marker == Some(true)
    {
        let version_id = done.version_id.clone();
        probe.made().push(Left::Object { key: probe.key.clone(), version_id });
    }
    judge_extra(deleted)
}

/// Decides about what writing needs beside what was blamed: all of it was there when an upload with all
/// of it could be written to, and otherwise nothing is known of it.
fn settle_writing(found: &mut Found) {
    let is_granted = |permission| {
        let verdict = found.get(&permission).map(|(verdict, _)| verdict);
        verdict == Some(&Verdict::Granted)
    };
    let nothing_else_blamed =
        !found.keys().any(|it| WRITING.contains(it) && *it != Permission::PutObject);
    let is_written_whole = nothing_else_blamed
        && is_granted(Permission::PutObject)
        && is_granted(Permission::AbortMultipartUpload);
    for permission in WRITING {
        let verdict = match is_written_whole {
            true => Verdict::Granted,
            false => Verdict::CannotTell(NOT_TRIED),
        };
        found.entry(permission).or_insert((verdict, None));
    }
}
