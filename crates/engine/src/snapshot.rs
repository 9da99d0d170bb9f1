//! The pinned input of one dataset: exactly these versions of exactly these files.

use std::path::Path;
use std::sync::Arc;

use plan::project::Dataset;
use tokio::sync::OnceCell;

use crate::error::Error;
use crate::location::Location;
use crate::store::{Clients, Input, Store};
use crate::survey::Survey;

/// The files of a dataset as they were when they were pinned.
///
/// Every read is of these versions: a file that changed, or is gone, fails the read. A snapshot
/// also remembers what was found in its files, so that they are looked into once; clones share it.
#[derive(Debug, Clone)]
pub struct Snapshot {
    pub(crate) dataset: Arc<Dataset>,
    store: Store,
    inputs: Arc<[Arc<Input>]>,
    survey: Arc<OnceCell<Arc<Survey>>>,
}

impl Snapshot {
    /// Finds and pins the files of a dataset.
    pub(crate) async fn pin(
        dataset: &Dataset,
        base: &Path,
        clients: &Clients,
    ) -> Result<Self, Error> {
        let location = Location::parse(&dataset.location, base)?;
        let store = Store::of(dataset, &location, clients)?;
        let inputs = store.list(&location, dataset.format).await?;
        Ok(Self {
            dataset: Arc::new(dataset.clone()),
            store,
            inputs: inputs.into_iter().map(Arc::new).collect(),
            survey: Arc::default(),
        })
    }

    /// The files, sorted by location.
    pub fn inputs(&self) -> impl ExactSizeIterator<Item = &Input> {
        self.inputs.iter().map(Arc::as_ref)
    }

    /// What the files hold; looked up once.
    pub(crate) async fn survey(&self, threads: usize) -> Result<&Arc<Survey>, Error> {
        let look = async || {
            let store = self.store.clone();
            let survey = Survey::take(store, &self.dataset, &self.inputs, threads).await?;
            Ok(Arc::new(survey))
        };
        self.survey.get_or_try_init(look).await
    }

    /// Checks that every file is still the pinned one.
    pub(crate) async fn verify(&self) -> Result<(), Error> {
        for input in self.inputs.iter() {
            self.store.verify(input).await?;
        }
        Ok(())
    }
}
