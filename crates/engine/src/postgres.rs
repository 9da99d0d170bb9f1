//! PostgreSQL: a table or a query, read once in one transaction and landed as Parquet.
//!
//! A run reads its input more than once, and may have to read it again after a crash; a transaction
//! cannot be kept open for that. So the rows are copied out of one snapshot of the database into a
//! file of the state directory, in a fixed order, and that file is what is read. Datasets of one
//! database that are pinned together share the transaction, and so the snapshot.

mod copy;
mod describe;
mod land;
mod refusal;
mod session;
mod values;

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use arrow::datatypes::{Field, Fields, SchemaRef};
use plan::project::Dataset;
use tokio::sync::OnceCell;

use crate::error::Error;
use crate::kept::Stay;
use crate::store::Input;

pub(crate) use session::Sessions;

use describe::Description;
use land::Landed;
use session::Session;

/// A pinned table or query, and its rows once they have landed.
#[derive(Debug)]
pub(crate) struct Query {
    /// As messages name it.
    place: String,
    description: Description,
    /// The transaction, until the rows have landed.
    session: Mutex<Option<Arc<Session>>>,
    folder: PathBuf,
    stay: Stay,
    landed: OnceCell<Landed>,
}

impl Query {
    /// Opens the database, or joins the transaction that is open there already, and looks at the
    /// columns. No row is read.
    pub(crate) async fn pin(
        dataset: &Dataset,
        base: &Path,
        sessions: &Sessions,
        (folder, stay): (PathBuf, Stay),
    ) -> Result<Self, Error> {
        let database = dataset.database.as_ref();
        let database = database.ok_or_else(|| Error::internal("a dataset without its database"))?;
        let session = sessions.open(database, &dataset.location, base).await?;
        let description = describe::describe(&session, database, dataset).await?;
        Ok(Self {
            place: format!("{}#{}", dataset.location, description.name),
            description,
            session: Mutex::new(Some(session)),
            folder,
            stay,
            landed: OnceCell::new(),
        })
    }

    /// The columns.
    pub(crate) fn schema(&self) -> SchemaRef {
        self.description.schema()
    }

    /// The rows as an input, once they have landed.
    pub(crate) fn input(&self) -> Option<&Input> {
        self.landed.get().map(|landed| &landed.input)
    }

    /// The file with the rows; they are copied when it is first asked for.
    pub(crate) async fn land(&self) -> Result<&Landed, Error> {
        let land = async || {
            let session = {
                let mut kept = self.session.lock().unwrap_or_else(PoisonError::into_inner);
                kept.take()
            };
            let session =
                session.ok_or_else(|| refusal::lost(&self.place, "before its rows were read"))?;
            let folder = (self.folder.as_path(), self.stay);
            land::land(session, &self.description, &self.place, folder).await
        };
        self.landed.get_or_try_init(land).await
    }

    /// The same query with rows that landed before, if they are still there.
    pub(crate) fn recalled(&self, location: &str, version: &str) -> Result<Option<Self>, Error> {
        if location != self.place {
            return Ok(None);
        }
        let Some(landed) = land::recall(&self.place, version, &self.folder)? else {
            return Ok(None);
        };
        Ok(Some(Self {
            place: self.place.clone(),
            description: self.description.clone(),
            session: Mutex::new(None),
            folder: self.folder.clone(),
            stay: self.stay,
            landed: OnceCell::new_with(Some(landed)),
        }))
    }
}

impl Description {
    fn schema(&self) -> SchemaRef {
        let fields: Fields = self
            .columns
            .iter()
            .map(|column| Field::new(&column.name, column.kind.data_type(), true))
            .collect();
        Arc::new(arrow::datatypes::Schema::new(fields))
    }
}
