//! Checks around the moment at which objects become visible: is what stands at a key what was staged,
//! and is what was staged again, to repair a lost upload, the same bytes.
//!
//! The order of acts (data files, then the manifest) and every retry are the spine's.

use plan::staged::{PublishedObject, StagedObject};

use crate::error::{Error, Kind};
use crate::store::{AtKey, Difference, Evidence, Store};

/// A visible object that was looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verified {
    /// What became visible.
    pub object: PublishedObject,
    /// What shows that the bytes are those that were staged.
    pub evidence: Evidence,
}

/// Looks at a completed object and compares token, size and checksum with what was staged. Returns
/// `None` when the store does not let us look: the run then counts as not verified.
///
/// # Errors
/// When something else is there, or nothing, or the store cannot be asked.
pub async fn verify(store: &dyn Store, object: &StagedObject) -> Result<Option<Verified>, Error> {
    let at_key = match store.head(&object.key).await {
        Ok(head) => AtKey::of(object, head),
        Err(error) if error.kind() == Kind::Denied => return Ok(None),
        Err(error) => return Err(error),
    };
    match at_key {
        AtKey::Ours { etag, version_id, evidence } => {
            let object = PublishedObject { number: object.number, etag, version_id };
            Ok(Some(Verified { object, evidence }))
        }
        AtKey::OursButDifferent { difference } => Err(damaged(object, &difference)),
        AtKey::Foreign { .. } => Err(Error::Condition {
            key: object.key.clone(),
            problem: "holds an object of another writer",
        }),
        AtKey::Absent => Err(Error::Condition {
            key: object.key.clone(),
            problem: "has been removed by another writer",
        }),
        AtKey::CannotSee => Ok(None),
    }
}

/// Puts a freshly staged object in the place of one whose upload was lost after the commit record: the
/// bytes must be the same, and the condition stays the one of the commit record.
///
/// # Errors
/// [`Error::Nondeterministic`] when the bytes differ; such an object must not be published.
pub fn replacement(lost: &StagedObject, fresh: StagedObject) -> Result<StagedObject, Error> {
    let same_place =
        lost.key == fresh.key && lost.number == fresh.number && lost.kind == fresh.kind;
    if !same_place
        || lost.sha256 != fresh.sha256
        || lost.bytes != fresh.bytes
        || lost.rows != fresh.rows
    {
        return Err(Error::Nondeterministic {
            key: lost.key.clone(),
            staged: lost.sha256.clone(),
            found: fresh.sha256,
        });
    }
    Ok(StagedObject { condition: lost.condition.clone(), ..fresh })
}

fn damaged(object: &StagedObject, difference: &Difference) -> Error {
    let difference = match difference {
        Difference::Bytes { staged, found } => format!("{found} bytes instead of {staged}"),
        Difference::Checksum { staged, found } => {
            format!("CRC-64/NVME {found} instead of {staged}")
        }
    };
    Error::Damaged { key: object.key.clone(), difference }
}
