//! The engine: settings and S3 clients, and what can be asked of a dataset.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use futures::TryStreamExt;
use plan::Query;
use plan::project::{Column, ColumnSource, Dataset};
use plan::run_plan::Increment;

use crate::deduplicate;
use crate::error::Error;
use crate::events::{self, Answered, EventFields, Text};
use crate::fields;
use crate::increment::{self, Baselines};
use crate::merge::Union;
use crate::profiles::Profiles;
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
    /// Where merged profiles are kept from one command to the next.
    pub profiles_folder: PathBuf,
    /// The most bytes of temporary files.
    pub spill_bytes_max: u64,
    /// How many threads read and work at once.
    pub threads: usize,
}

impl Settings {
    /// Returns the defaults: 1 GiB of memory, 64 GiB of temporary files, 2 threads; everything that
    /// is written is below `folder`.
    pub fn new(folder: &Path) -> Self {
        Self {
            memory_bytes: 1 << 30,
            spill_folder: folder.join("spill"),
            profiles_folder: folder.join("profiles"),
            spill_bytes_max: 64 << 30,
            threads: 2,
        }
    }

    /// What sorting into buckets may take.
    pub(crate) fn limits(&self) -> Limits {
        Limits {
            memory_bytes: self.memory_bytes / BUFFER_SHARE,
            spill_folder: self.spill_folder.clone(),
            spill_bytes: self.spill_bytes_max,
        }
    }
}

/// The part of the memory that buffers of deduplication take before they spill. The rest is for
/// the tables that the entries are compared in, and what the allocator holds back.
const BUFFER_SHARE: usize = 16;

/// Reads datasets.
#[derive(Debug, Clone)]
pub struct Engine {
    pub(crate) settings: Settings,
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

    /// Looks up the fields of one dataset.
    ///
    /// # Errors
    /// A file cannot be read, or two files disagree on the type of a field.
    pub async fn schema(&self, snapshot: &Snapshot) -> Result<plan::Schema, Error> {
        let survey = snapshot.survey(self.settings.threads).await?;
        Ok(fields::describe(&survey.schema))
    }

    /// Looks up the fields of profiles: those of all datasets, in the order in which they are first
    /// seen. Nothing is merged for it.
    ///
    /// # Errors
    /// As [`Engine::schema`], or two datasets disagree on the type of a field.
    pub async fn fields(&self, profiles: &Profiles) -> Result<plan::Schema, Error> {
        let union = Union::of(profiles, self.settings.threads).await?;
        Ok(fields::describe(&union.schema()))
    }

    /// Looks up the fields of the events of profiles.
    ///
    /// # Errors
    /// As [`Engine::schema`].
    pub async fn event_fields(&self, profiles: &Profiles) -> Result<EventFields, Error> {
        events::fields(profiles, self.settings.threads).await
    }

    /// Prepares the rows of a query: merges the profiles if that was not done for these inputs yet,
    /// compiles the rule and the mapping, and finds the losers of deduplication, which reads the key
    /// columns of all profiles.
    ///
    /// # Errors
    /// A rule or mapping that does not fit the profiles; with merging or deduplication whatever
    /// reading does.
    pub async fn rows(&self, query: &Query, profiles: &Profiles) -> Result<Rows, Error> {
        self.rows_with(query, &query.columns, profiles).await
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
        profiles: &Profiles,
    ) -> Result<Rows, Error> {
        let threads = self.settings.threads;
        let Answered { survey, left_out } = self.answered(query, &query.columns, profiles).await?;
        let limits = self.settings.limits();
        let mut difference =
            increment::difference(query, increment, baselines, &survey, &limits, threads).await?;
        difference.counts.left_out = left_out;
        Ok(Rows::of_difference(difference, threads))
    }

    /// Counts the rows of a query without making them.
    ///
    /// # Errors
    /// As [`Engine::rows`] and reading its stream.
    pub async fn count(&self, query: &Query, profiles: &Profiles) -> Result<Counts, Error> {
        // Only columns that exclude members have a say.
        let mandatory = query.columns.iter().filter(|column| column.mandatory);
        let mandatory: Vec<Column> = mandatory.cloned().collect();
        let rows = self.rows_with(query, &mandatory, profiles).await?;
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
    pub async fn verify(&self, profiles: &Profiles) -> Result<(), Error> {
        profiles.verify().await
    }

    async fn rows_with(
        &self,
        query: &Query,
        columns: &[Column],
        profiles: &Profiles,
    ) -> Result<Rows, Error> {
        let threads = self.settings.threads;
        let Answered { survey, left_out } = self.answered(query, columns, profiles).await?;
        let rule = query.rule.text.as_str();
        let parts = Parts { rule, columns, hidden: &[], evaluated_at: query.evaluated_at };
        let selection = Arc::new(Selection::new(parts, &survey.schema)?);
        let losers = deduplicate::losers(query, &survey, self.settings.limits(), threads).await?;
        let pass = Pass { survey, selection };
        Ok(Rows::of_members(pass, losers, &left_out, threads))
    }

    /// The profiles, with answers to what a rule and columns ask of their events.
    async fn answered(
        &self,
        query: &Query,
        columns: &[Column],
        profiles: &Profiles,
    ) -> Result<Answered, Error> {
        let content = profiles.content(&self.settings).await?;
        let rule = Text { text: &query.rule.text, place: "rule" };
        let mut texts = vec![rule];
        // Where a key decides who is sent, all columns have a say, even those that are not written.
        let has_key = query.columns.iter().any(|column| column.deduplicate);
        let others = if has_key { query.columns.as_slice() } else { &[] };
        for column in columns.iter().chain(others) {
            if let ColumnSource::Expression { text, .. } = &column.source {
                texts.push(Text { text, place: &column.header });
            }
        }
        let now = query.evaluated_at;
        let answered = events::answered(&texts, now, profiles, content, &self.settings).await?;
        let left_out = content.left_out.iter().cloned().chain(answered.left_out).collect();
        Ok(Answered { left_out, ..answered })
    }
}
