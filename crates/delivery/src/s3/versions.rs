//! Delivered objects, looked at again: by version, read back, and restored from an archive.

use aws_sdk_s3::Client;
use aws_sdk_s3::operation::head_object::HeadObjectOutput;
use aws_sdk_s3::types::{GlacierJobParameters, RestoreRequest, Tier};

use jiff::Timestamp;

use super::{S3Store, client};
use crate::error::{Act, Error, Fault};

/// How an object, or one version of it, is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kept {
    /// Its size.
    pub bytes: u64,
    /// Its ETag.
    pub etag: String,
    /// Its version, in a bucket that keeps versions.
    pub version_id: Option<String>,
    /// Its storage class; services leave out the standard one.
    pub storage_class: Option<String>,
    /// Whether it can be read.
    pub archive: Archive,
    /// Until when it cannot be deleted, under Object Lock, as far as the service tells.
    pub lock: Option<Lock>,
}

/// How an object is kept from being deleted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lock {
    /// `GOVERNANCE` or `COMPLIANCE`.
    pub mode: String,
    /// Until when.
    pub until: Timestamp,
}

/// Whether an object can be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Archive {
    /// It is not in an archive.
    Online,
    /// It is in an archive and cannot be read.
    Archived,
    /// It is being restored.
    Restoring,
    /// It can be read until this time, as the service writes it.
    Restored {
        /// When the copy goes, such as `Fri, 21 Dec 2012 00:00:00 GMT`.
        until: String,
    },
}

/// How fast an archived object is restored, and what that costs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Speed {
    /// Within minutes, at the highest price; not from a deep archive.
    Expedited,
    /// Within hours.
    Standard,
    /// Within half a day or two, at the lowest price.
    Bulk,
}

/// What came of asking for a restore.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Restoring {
    /// It has begun.
    Begun,
    /// It had begun before.
    UnderWay,
    /// A copy can be read already; it is kept for the days that were asked for.
    Extended,
}

impl S3Store {
    /// Looks at an object, or at one version of it. `None` when it is not there.
    ///
    /// # Errors
    /// The service cannot be reached, or refuses.
    pub async fn kept(&self, key: &str, version_id: Option<&str>) -> Result<Option<Kept>, Error> {
        let send = |client: Client| {
            client
                .head_object()
                .bucket(&self.bucket)
                .key(key)
                .set_version_id(version_id.map(str::to_owned))
                .set_expected_bucket_owner(self.expected_owner.clone())
                .send()
        };
        let found = match self.ask(Act::Head, Some(key), send).await {
            Ok(found) => found,
            Err(failure) if failure.status == Some(404) && failure.fault != Fault::NoBucket => {
                return Ok(None);
            }
            Err(failure) => return Err(failure.into()),
        };
        let storage_class = found.storage_class().map(|class| class.as_str().to_owned());
        Ok(Some(Kept {
            bytes: found.content_length().and_then(|it| u64::try_from(it).ok()).unwrap_or(0),
            etag: found.e_tag().unwrap_or_default().to_owned(),
            version_id: found.version_id().map(str::to_owned),
            archive: archive(storage_class.as_deref(), found.restore()),
            lock: lock(&found),
            storage_class,
        }))
    }

    /// Reads an object, or one version of it, and hands it over in pieces.
    ///
    /// # Errors
    /// The service refuses, or the connection breaks; whatever `take` fails with.
    pub async fn read(
        &self,
        key: &str,
        version_id: Option<&str>,
        take: &mut (dyn FnMut(&[u8]) -> Result<(), Error> + Send),
    ) -> Result<(), Error> {
        // Not the client of the store: its answers are cut where none is an object.
        let reader = self.session.client();
        let region = self.region().unwrap_or_else(|| client::REGION_DEFAULT.to_owned());
        let reader = client::in_region(&reader, &region);
        let got = reader
            .get_object()
            .bucket(&self.bucket)
            .key(key)
            .set_version_id(version_id.map(str::to_owned))
            .set_expected_bucket_owner(self.expected_owner.clone())
            .send()
            .await
            .map_err(|error| self.failure(Act::Read, Some(key), &error))?;
        let mut body = got.body;
        while let Some(piece) = body.next().await {
            let piece = piece.map_err(|_| self.failure_of(Act::Read, Some(key), Fault::Broken))?;
            take(&piece)?;
        }
        Ok(())
    }

    /// Asks for a copy of an archived object that can be read for some days.
    ///
    /// # Errors
    /// The service refuses, or the object is not in an archive.
    pub async fn restore(
        &self,
        key: &str,
        version_id: Option<&str>,
        days: i32,
        speed: Speed,
    ) -> Result<Restoring, Error> {
        let job = GlacierJobParameters::builder().tier(tier(speed)).build();
        let job = job.map_err(|_| self.failure_of(Act::Restore, Some(key), Fault::Construction))?;
        let wanted = RestoreRequest::builder().days(days).glacier_job_parameters(job).build();
        let send = |client: Client| {
            client
                .restore_object()
                .bucket(&self.bucket)
                .key(key)
                .set_version_id(version_id.map(str::to_owned))
                .restore_request(wanted.clone())
                .set_expected_bucket_owner(self.expected_owner.clone())
                .send()
        };
        match self.ask(Act::Restore, Some(key), send).await {
            // 202 begins it, 200 prolongs what was restored before; the path is only in the second.
            Ok(_) => match self.kept(key, version_id).await?.map(|kept| kept.archive) {
                Some(Archive::Restored { .. }) => Ok(Restoring::Extended),
                _ => Ok(Restoring::Begun),
            },
            Err(failure) if failure.code.as_deref() == Some("RestoreAlreadyInProgress") => {
                Ok(Restoring::UnderWay)
            }
            Err(failure) => Err(failure.into()),
        }
    }
}

fn tier(speed: Speed) -> Tier {
    match speed {
        Speed::Expedited => Tier::Expedited,
        Speed::Standard => Tier::Standard,
        Speed::Bulk => Tier::Bulk,
    }
}

fn lock(found: &HeadObjectOutput) -> Option<Lock> {
    let mode = found.object_lock_mode()?.as_str().to_owned();
    let until = Timestamp::from_second(found.object_lock_retain_until_date()?.secs()).ok()?;
    Some(Lock { mode, until })
}

/// Reads the storage class and the header `x-amz-restore`: `ongoing-request="true"`, or
/// `ongoing-request="false", expiry-date="…"` (Amazon S3 API reference, `HeadObject`).
fn archive(storage_class: Option<&str>, restore: Option<&str>) -> Archive {
    let Some(restore) = restore else {
        return match storage_class {
            // GLACIER_IR is read at once, and DEEP_ARCHIVE and GLACIER are not.
            Some("GLACIER" | "DEEP_ARCHIVE") => Archive::Archived,
            _ => Archive::Online,
        };
    };
    if restore.contains("ongoing-request=\"true\"") {
        return Archive::Restoring;
    }
    let until = restore.split_once("expiry-date=\"").and_then(|(_, rest)| rest.split_once('"'));
    let until =
        until.map(|(until, _)| until.chars().filter(|c| !c.is_control()).take(40).collect());
    Archive::Restored { until: until.unwrap_or_default() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_state_of_an_archive_is_read_from_class_and_header() {
        let until = || Archive::Restored { until: "Fri, 21 Dec 2012 00:00:00 GMT".to_owned() };
        for (class, restore, expected) in [
            (None, None, Archive::Online),
            (Some("STANDARD_IA"), None, Archive::Online),
            (Some("GLACIER_IR"), None, Archive::Online),
            (Some("GLACIER"), None, Archive::Archived),
            (Some("DEEP_ARCHIVE"), None, Archive::Archived),
            (Some("GLACIER"), Some("ongoing-request=\"true\""), Archive::Restoring),
            (
                Some("GLACIER"),
                Some("ongoing-request=\"false\", expiry-date=\"Fri, 21 Dec 2012 00:00:00 GMT\""),
                until(),
            ),
        ] {
            assert_eq!(archive(class, restore), expected, "{class:?} {restore:?}");
        }
    }
}
