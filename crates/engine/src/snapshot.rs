//! The pinned input of one dataset: exactly these versions of exactly these files.

use std::path::Path;
use std::sync::Arc;

use arrow::datatypes::{Schema, SchemaRef};
use plan::project::{Dataset, DatasetFormat};
use tokio::sync::OnceCell;

use crate::error::Error;
use crate::location::Location;
use crate::store::{Clients, Input, Store};
use crate::survey::{FileReader, Survey};
use crate::{delta, fields, postgres};

/// The files of a dataset as they were when they were pinned.
///
/// Every read is of these versions: a file that changed, or is gone, fails the read. A snapshot
/// also remembers what was found in its files, so that they are looked into once; clones share it.
#[derive(Debug, Clone)]
pub struct Snapshot {
    pub(crate) dataset: Arc<Dataset>,
    content: Content,
    survey: Arc<OnceCell<Arc<Survey>>>,
}

/// What was pinned.
#[derive(Debug, Clone)]
enum Content {
    Files { store: Store, inputs: Arc<[Arc<Input>]> },
    Table { store: Store, inputs: Arc<[Arc<Input>]>, head: Arc<Input>, table: Arc<delta::Table> },
    Query(Arc<postgres::Query>),
}

/// Where datasets are read from, and what it takes.
pub(crate) struct Places<'a> {
    /// Relative locations begin here.
    pub(crate) base: &'a Path,
    pub(crate) clients: &'a Clients,
    pub(crate) sessions: &'a postgres::Sessions,
    /// Where the rows of databases land.
    pub(crate) landed_folder: &'a Path,
}

impl Snapshot {
    /// Finds and pins the files of a dataset.
    pub(crate) async fn pin(dataset: &Dataset, places: Places<'_>) -> Result<Self, Error> {
        let Places { base, clients, sessions, landed_folder } = places;
        let content = if dataset.format == DatasetFormat::Postgres {
            let folder = landed_folder.to_owned();
            let query = postgres::Query::pin(dataset, base, sessions, folder).await?;
            Content::Query(Arc::new(query))
        } else {
            let location = Location::parse(&dataset.location, base)?;
            let store = Store::of(dataset, &location, clients)?;
            if let DatasetFormat::Delta { version } = dataset.format {
                let pinned = delta::pin(&store, &location, version).await?;
                let (head, table) = (Arc::new(pinned.head), Arc::new(pinned.table));
                Content::Table { store, inputs: pinned.inputs.into(), head, table }
            } else {
                let inputs = store.list(&location, dataset.format).await?;
                Content::Files { store, inputs: inputs.into_iter().map(Arc::new).collect() }
            }
        };
        Ok(Self { dataset: Arc::new(dataset.clone()), content, survey: Arc::default() })
    }

    /// The key of the dataset.
    pub fn dataset_key(&self) -> &str {
        &self.dataset.key
    }

    /// What is read: the table as a whole, if it is one, and the files, sorted by location. The rows
    /// of a database are among them once they have landed.
    pub fn inputs(&self) -> impl Iterator<Item = &Input> {
        let (head, inputs, table, rows) = match &self.content {
            Content::Files { inputs, .. } => (None, &inputs[..], None, None),
            Content::Table { inputs, head, table, .. } => {
                (Some(head.as_ref()), &inputs[..], Some(table), None)
            }
            Content::Query(query) => (None, &[][..], None, query.input()),
        };
        let marks = table.into_iter().flat_map(|table| table.deletion_files());
        let files = inputs.iter().chain(marks).map(Arc::as_ref);
        head.into_iter().chain(files).chain(rows)
    }

    /// The fields, found without reading rows where that is possible.
    pub(crate) async fn schema(&self, threads: usize) -> Result<SchemaRef, Error> {
        match &self.content {
            Content::Query(query) => {
                Ok(Arc::new(Schema::new(fields::as_views(query.schema().fields()))))
            }
            _ => Ok(Arc::clone(&self.survey(threads).await?.schema)),
        }
    }

    /// Lets fields without any value have the types that other datasets know them by: nothing in the
    /// snapshots says that those are others.
    pub(crate) async fn agree(snapshots: &mut [Self], threads: usize) -> Result<(), Error> {
        let mut valued = Vec::new();
        for snapshot in snapshots.iter() {
            let schema = snapshot.schema(threads).await?;
            let fields = match &snapshot.content {
                Content::Query(_) => schema.fields().clone(),
                _ => snapshot.survey(threads).await?.fields_with_values(),
            };
            valued.push(Arc::new(Schema::new(fields)));
        }
        for snapshot in snapshots {
            if matches!(snapshot.content, Content::Query(_)) {
                continue;
            }
            let agreed = snapshot.survey(threads).await?.with_types_of(&valued);
            if let Some(agreed) = agreed {
                snapshot.survey = Arc::new(OnceCell::new_with(Some(Arc::new(agreed))));
            }
        }
        Ok(())
    }

    /// Reads the rows of a database into a file of their own; does nothing for other datasets.
    pub(crate) async fn land(&self) -> Result<(), Error> {
        match &self.content {
            Content::Query(query) => query.land().await.map(drop),
            _ => Ok(()),
        }
    }

    /// The same dataset as it was when `recorded` was read of it, by location and version, where that
    /// has to be and can be had again.
    pub(crate) fn recalled(&self, recorded: &[(&str, &str)]) -> Result<Self, Error> {
        let Content::Query(query) = &self.content else { return Ok(self.clone()) };
        for (location, version) in recorded {
            if let Some(query) = query.recalled(location, version)? {
                let content = Content::Query(Arc::new(query));
                return Ok(Self { content, survey: Arc::default(), ..self.clone() });
            }
        }
        Ok(self.clone())
    }

    /// What the files hold; looked up once.
    pub(crate) async fn survey(&self, threads: usize) -> Result<&Arc<Survey>, Error> {
        let look = async || {
            let format = self.dataset.format;
            let survey = match &self.content {
                Content::Files { store, inputs } => {
                    let reader = FileReader::new(store.clone(), format, None);
                    Survey::take(reader, &self.dataset, inputs, threads).await?
                }
                Content::Table { store, inputs, table, .. } => {
                    let reader = FileReader::new(store.clone(), format, Some(Arc::clone(table)));
                    Survey::take(reader, &self.dataset, inputs, threads).await?
                }
                Content::Query(query) => {
                    let file = Arc::clone(&query.land().await?.file);
                    let format = DatasetFormat::Parquet;
                    // The types that are declared are those of the columns already.
                    let declared = Vec::new();
                    let dataset = Dataset { format, declared, ..self.dataset.as_ref().clone() };
                    let reader = FileReader::new(Store::Local, format, None);
                    Survey::take(reader, &dataset, &[file], threads).await?
                }
            };
            Ok(Arc::new(survey))
        };
        self.survey.get_or_try_init(look).await
    }

    /// Checks that every file is still the pinned one.
    ///
    /// The files of a Delta table are never written again; those that were removed from it since they
    /// were pinned may be gone, as every read of them was whole. Rows that landed are nobody else's.
    pub(crate) async fn verify(&self) -> Result<(), Error> {
        match &self.content {
            Content::Files { store, inputs } => {
                for input in inputs.iter() {
                    store.verify(input).await?;
                }
            }
            Content::Table { store, inputs, .. } => {
                for input in inputs.iter() {
                    store.verify_unless_gone(input).await?;
                }
            }
            Content::Query(_) => {}
        }
        Ok(())
    }
}
