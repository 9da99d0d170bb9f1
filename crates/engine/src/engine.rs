//! The engine: settings and S3 clients, and what can be asked of a dataset.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use futures::TryStreamExt;
use plan::Query;
use plan::project::{Column, Dataset};
use plan::run_plan::Increment;

use crate::deduplicate;
use crate::error::Error;
use crate::fields;
use crate::increment::{self, Baselines};
use crate::rows::{Counts, Pass, Rows};
use crate::selection::{Parts, Selection};
use crate::snapshot::Snapshot;
use crate::spill::Limits;
use crate::store::Clients;

/// What the engine may use.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Memory for what grows with the data, in bytes: entries of deduplication spill to disk
    /// beyond it. Batches in flight come on top; they are bounded by `threads`.
    pub memory_bytes: usize,
    /// Where temporary files are made; the folder is made when it is needed.
    pub spill_folder: PathBuf,
    /// The most bytes of temporary files.
    pub spill_bytes_max: u64,
    /// How many threads read and work at once.
    pub threads: usize,
}

impl Settings {
    /// Returns the defaults: 1 GiB of memory, 64 GiB of temporary files, 2 threads.
    pub fn new(spill_folder: PathBuf) -> Self {
        Self { memory_bytes: 1 << 30, spill_folder, spill_bytes_max: 64 << 30, threads: 2 }
    }
}

/// The part of the memory that buffers of deduplication take before they spill. The rest is for
/// the tables that the entries are compared in, and what the allocator holds back.
const BUFFER_SHARE: usize = 16;

/// Reads datasets.
#[derive(Debug, Clone)]
pub struct Engine {
    settings: Settings,
    clients: Clients,
}

impl Engine {
    /// Returns an engine.
    pub fn new(settings: Settings) -> Self {
        Self { settings, clients: Clients::new() }
    }

    /// Makes the `s3://` datasets of an account readable.
    pub fn add_s3(&mut self, account: impl Into<String>, client: aws_sdk_s3::Client) {
        self.clients.insert(account.into(), client);
    }

    /// Finds the files of a dataset and pins their versions; relative locations begin at `base`.
    ///
    /// # Errors
    /// No file matches, or the place cannot be read.
    pub async fn pin(&self, dataset: &Dataset, base: &Path) -> Result<Snapshot, Error> {
        Snapshot::pin(dataset, base, &self.clients).await
    }

    /// Looks up the fields of a dataset.
    ///
    /// # Errors
    /// A file cannot be read, or two files disagree on the type of a field.
    pub async fn schema(
        &self,
        dataset: &Dataset,
        snapshot: &Snapshot,
    ) -> Result<plan::Schema, Error> {
        let survey = snapshot.survey(dataset, self.settings.threads).await?;
        Ok(fields::describe(&survey.schema))
    }

    /// Prepares the rows of a query: compiles its rule and mapping, and finds the losers of
    /// deduplication, which reads the key columns of the whole snapshot.
    ///
    /// # Errors
    /// A rule or mapping that does not fit the dataset; with deduplication whatever reading does.
    pub async fn rows(&self, query: &Query, snapshot: &Snapshot) -> Result<Rows, Error> {
        self.rows_with(query, &query.columns, snapshot).await
    }

    /// Prepares the rows of an incremental export: compares what a full one would send with the
    /// baseline of the last run, and leaves a new baseline, before any row is read.
    ///
    /// # Errors
    /// As [`Engine::rows`]; a baseline or temporary files that cannot be read or written.
    pub async fn difference(
        &self,
        query: &Query,
        increment: &Increment,
        baselines: Baselines<'_>,
        snapshot: &Snapshot,
    ) -> Result<Rows, Error> {
        let threads = self.settings.threads;
        let survey = snapshot.survey(&query.dataset, threads).await?;
        let limits = self.limits();
        let difference =
            increment::difference(query, increment, baselines, survey, &limits, threads).await?;
        Ok(Rows::of_difference(difference, threads))
    }

    /// Counts the rows of a query without making them.
    ///
    /// # Errors
    /// As [`Engine::rows`] and reading its stream.
    pub async fn count(&self, query: &Query, snapshot: &Snapshot) -> Result<Counts, Error> {
        // Only columns that exclude members have a say.
        let mandatory = query.columns.iter().filter(|column| column.mandatory);
        let mandatory: Vec<Column> = mandatory.cloned().collect();
        let rows = self.rows_with(query, &mandatory, snapshot).await?;
        let tally = rows.tally();
        let mut batches = rows.map_ordered(|_| Ok::<(), Error>(()));
        while batches.try_next().await?.is_some() {}
        Ok(tally.counts())
    }

    /// Checks that every input is still the pinned one; call it behind the last read and before
    /// anything becomes visible.
    ///
    /// # Errors
    /// [`Kind::Changed`](crate::Kind::Changed) naming the first file that is another one now.
    pub async fn verify(&self, snapshot: &Snapshot) -> Result<(), Error> {
        snapshot.verify().await
    }

    async fn rows_with(
        &self,
        query: &Query,
        columns: &[Column],
        snapshot: &Snapshot,
    ) -> Result<Rows, Error> {
        let threads = self.settings.threads;
        let survey = snapshot.survey(&query.dataset, threads).await?;
        let rule = query.rule.text.as_str();
        let parts = Parts { rule, columns, hidden: None, evaluated_at: query.evaluated_at };
        let selection = Arc::new(Selection::new(parts, &survey.schema)?);
        let losers = deduplicate::losers(query, survey, self.limits(), threads).await?;
        Ok(Rows::of_members(Pass { survey: Arc::clone(survey), selection }, losers, threads))
    }

    fn limits(&self) -> Limits {
        Limits {
            memory_bytes: self.settings.memory_bytes / BUFFER_SHARE,
            spill_folder: self.settings.spill_folder.clone(),
            spill_bytes: self.settings.spill_bytes_max,
        }
    }
}
