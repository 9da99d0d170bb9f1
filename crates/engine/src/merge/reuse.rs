//! What a state of the inputs can take over from the one before it.
//!
//! With the files of profiles it is kept what each input gave to each bucket, as a digest. When
//! inputs change, the ones that are the same are known without being read, and a bucket to which every
//! input gives what it gave before has the profiles that it had: its file is linked, not made again.
//! That holds only while everything else that profiles depend on is the same, which `rules` stands for.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::digest::{Digest, NOTHING};
use super::kept::Summary;
use super::write::Part;
use crate::error::Error;
use crate::kept::{Found, Kept};

/// The most digests that are kept of one state, 16 bytes each; of more nothing is remembered.
pub(super) const DIGESTS_MAX: usize = 1 << 20;
/// The file among those of a state.
const FILE: &str = "reuse.json";

/// What one state leaves for the next.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Remembered {
    /// What profiles depend on besides the records.
    pub(super) rules: String,
    /// In order.
    pub(super) inputs: Vec<Contribution>,
    /// How many profiles each bucket left out for having too many records.
    pub(super) too_many: Vec<u64>,
}

/// What an input gave.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Contribution {
    /// The input and its version.
    pub(super) input: String,
    /// Records that have no identity.
    pub(super) missing: u64,
    /// Of its records in each bucket.
    pub(super) digests: Vec<Digest>,
}

/// The state before, with the lock that keeps it there.
pub(super) struct Before {
    pub(super) remembered: Remembered,
    found: Found<Summary>,
}

impl Before {
    /// Finds the last state with the same rules; nothing if there is none.
    pub(super) fn find(kept: &Kept<Summary>, rules: &str, buckets: usize) -> Option<Self> {
        kept.others().into_iter().find_map(|found| {
            let text = fs::read(found.folder.join(FILE)).ok()?;
            let remembered: Remembered = serde_json::from_slice(&text).ok()?;
            let is_whole = remembered.too_many.len() == buckets
                && remembered.inputs.iter().all(|input| input.digests.len() == buckets);
            (is_whole && remembered.rules == rules).then_some(Self { remembered, found })
        })
    }

    /// What an input gave, if it was there in this version.
    pub(super) fn contribution(&self, input: &str) -> Option<&Contribution> {
        self.remembered.inputs.iter().find(|it| it.input == input)
    }

    /// For each bucket whether it holds what it held before.
    pub(super) fn clean(&self, inputs: &[Contribution]) -> Vec<bool> {
        let given = |inputs: &[Contribution], bucket: usize| -> Vec<Digest> {
            let digests = inputs.iter().filter_map(|it| it.digests.get(bucket).copied());
            digests.filter(|digest| *digest != NOTHING).collect()
        };
        let buckets = 0..self.remembered.too_many.len();
        buckets.map(|it| given(&self.remembered.inputs, it) == given(inputs, it)).collect()
    }

    /// Takes the files of a bucket over into `folder`: those whose names begin with its bits.
    pub(super) fn take(
        &self,
        of_bucket: impl Fn(&Part) -> bool,
        folder: &Path,
    ) -> Result<Vec<Part>, Error> {
        let parts = self.found.summary.parts.iter().filter(|part| of_bucket(part));
        parts
            .map(|part| {
                let (from, to) = (self.found.folder.join(&part.name), folder.join(&part.name));
                let taken = link(&from, &to);
                taken.map_err(|error| {
                    Error::io(&to.to_string_lossy(), "write merged profiles", error)
                })?;
                Ok(part.clone())
            })
            .collect()
    }
}

impl Remembered {
    /// Leaves this in the folder of its state.
    pub(super) fn leave(&self, folder: &Path) -> Result<(), Error> {
        let path: PathBuf = folder.join(FILE);
        let text = serde_json::to_vec(self)
            .map_err(|_| Error::internal("what is remembered of inputs cannot be written"))?;
        let written = fs::write(&path, text);
        written.map_err(|error| Error::io(&path.to_string_lossy(), "write it", error))
    }
}

/// The same file in another folder; a copy where the file system has no links.
fn link(from: &Path, to: &Path) -> io::Result<()> {
    match fs::hard_link(from, to) {
        Ok(()) => Ok(()),
        Err(_) => fs::copy(from, to).map(drop),
    }
}
