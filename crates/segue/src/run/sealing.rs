//! Encryption of a run's files: its seal is made before its first upload, found again for a repair,
//! and removed when the run is over.

use std::sync::Arc;

use delivery::pgp::Seal;
use plan::staged::StagedObject;

use super::{Attempt, Work};
use crate::ambient;
use crate::encryption;
use crate::failure::{Failure, Kind};

impl Attempt<'_> {
    /// What encrypts the files that are about to be made, if they are to be encrypted.
    pub(super) fn seal(&self, work: Work<'_>) -> Result<Option<Arc<Seal>>, Failure> {
        let Some(pgp) = &work.plan.pgp else { return Ok(None) };
        let seal = self.around.seals.make(self.claim.run_id, ambient::now())?;
        encryption::seal(pgp, seal, work.plan.slot).map(Some)
    }

    /// What encrypted a file that is lost. Without it the same bytes cannot be made.
    pub(super) fn seal_again(
        &self,
        work: Work<'_>,
        lost: &StagedObject,
    ) -> Result<Option<Arc<Seal>>, Failure> {
        let Some(pgp) = &work.plan.pgp else { return Ok(None) };
        let seal = self.around.seals.find(self.claim.run_id)?.ok_or_else(|| seal_lost(lost))?;
        encryption::seal(pgp, seal, work.plan.slot).map(Some)
    }
}

fn seal_lost(lost: &StagedObject) -> Failure {
    let key = &lost.key;
    Failure::new(
        Kind::Run,
        format!("the upload of {key} is lost, and so is the seal that it was encrypted with"),
    )
    .hint("Restore the folder `seals` of the state directory, and run again.")
}
