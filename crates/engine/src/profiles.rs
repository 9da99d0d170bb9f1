//! The profiles of a project: the pinned datasets that they come from, and how they are read.
//!
//! Where each record of a single dataset is a person of its own, its records are the profiles and
//! are read where they are. Otherwise the records are merged first, once for each state of the
//! inputs, and the merged profiles are read (see `merge`).

use std::sync::Arc;

use plan::project::MergePolicy;
use tokio::sync::OnceCell;

use crate::engine::Settings;
use crate::error::Error;
use crate::merge::{self, Content};
use crate::snapshot::Snapshot;
use crate::store::Input;

/// The profile datasets of a project, each pinned, and how their records become profiles.
///
/// What was found in them, and the merged profiles, are made when they are first needed; clones
/// share them.
#[derive(Debug, Clone)]
pub struct Profiles {
    pub(crate) policy: MergePolicy,
    pub(crate) snapshots: Arc<[Snapshot]>,
    content: Arc<OnceCell<Arc<Content>>>,
}

impl Profiles {
    /// Puts pinned datasets together, in the order of the project file.
    pub fn new(policy: MergePolicy, snapshots: Vec<Snapshot>) -> Self {
        Self { policy, snapshots: snapshots.into(), content: Arc::default() }
    }

    /// The files that the profiles come from: dataset after dataset, each sorted by location.
    pub fn inputs(&self) -> impl Iterator<Item = &Input> {
        self.snapshots.iter().flat_map(Snapshot::inputs)
    }

    /// The profiles, ready to be read.
    pub(crate) async fn content(&self, settings: &Settings) -> Result<&Arc<Content>, Error> {
        let make = async || Ok(Arc::new(merge::content(self, settings).await?));
        self.content.get_or_try_init(make).await
    }

    /// Checks that every file is still the pinned one.
    pub(crate) async fn verify(&self) -> Result<(), Error> {
        for snapshot in self.snapshots.iter() {
            snapshot.verify().await?;
        }
        Ok(())
    }
}
