//! Checks around the moment at which objects become visible: how what stands at a key differs from what
//! was staged, and whether what was staged again, to repair a lost upload, is the same bytes.
//!
//! The order of acts (data files, then the manifest) and every retry are the spine's.

use plan::staged::StagedObject;

use crate::error::Error;
use crate::store::Difference;

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

/// Says how an object that carries our token differs from the one that was staged.
pub fn damaged(object: &StagedObject, difference: &Difference) -> Error {
    let difference = match difference {
        Difference::Bytes { staged, found } => format!("{found} bytes instead of {staged}"),
        Difference::Checksum { staged, found } => {
            format!("CRC-64/NVME {found} instead of {staged}")
        }
    };
    Error::Damaged { key: object.key.clone(), difference }
}
