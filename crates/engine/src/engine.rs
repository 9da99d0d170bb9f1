//! The engine: settings and S3 clients, and what can be asked of a dataset.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use futures::TryStreamExt;
use plan::Query;
use plan::project::{Column, ColumnSource, Dataset};
use plan::run_plan::Increment;

use crate::deduplicate;
use crate::error::Error;
use crate::evaluate::{self, Effects, Evaluated};
use crate::events::{self, Answered, EventFields, Text};
use crate::fields;
use crate::import;
use crate::increment::{self, Baselines};
use crate::kept::Stay;
use crate::members::Import;
use crate::membership::{self, Standing};
use crate::merge::{self, Content};
use crate::path::Steps;
use crate::people::Whose;
use crate::postgres::Sessions;
use crate::profiles::Profiles;
use crate::rows::{Counts, Pass, Rows};
use crate::selection::{Parts, Selection, Who};
use crate::snapshot::{Places, Snapshot};
use crate::spill::Limits;
use crate::state_file::Pending;
use crate::store::s3::Reader;
use crate::store::{Clients, blocking};
use crate::survey::Survey;

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
    /// Where it is kept who is in which segment since when.
    pub membership_folder: PathBuf,
    /// Where the rows of databases are kept, each as one snapshot showed them.
    pub landed_folder: PathBuf,
    /// Whether merged profiles and rows of databases are made for this once, and nothing of them is left.
    pub leaves_nothing: bool,
    /// The most bytes of temporary files.
    pub spill_bytes_max: u64,
    /// How many threads read and work at once.
    pub threads: usize,
    /// About how many records are taken as one at least, a power of two, when it is found out which
    /// people stand where they stood in files that were written anew: fewer cost memory, and of more,
    /// more have to be looked at one by one for each that comes or goes.
    pub stretch_records: usize,
}

impl Settings {
    /// Returns the defaults: 1 GiB of memory, 64 GiB of temporary files, 2 threads; everything that
    /// is written is below `folder`.
    pub fn new(folder: &Path) -> Self {
        Self {
            memory_bytes: 1 << 30,
            spill_folder: folder.join("spill"),
            profiles_folder: folder.join("profiles"),
            membership_folder: folder.join("membership"),
            landed_folder: folder.join("landed"),
            leaves_nothing: false,
            spill_bytes_max: 64 << 30,
            threads: 2,
            stretch_records: 64,
        }
    }

    pub(crate) fn stay(&self) -> Stay {
        if self.leaves_nothing { Stay::Gone } else { Stay::Kept }
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

/// What may ask for events, besides columns: the rules of a query and of what it rests on, and consent.
fn rule_texts(query: &Query) -> Vec<Text<'_>> {
    let rule = Text { text: &query.rule.text, place: "rule" };
    let segments = query.segments.iter();
    let segments = segments.map(|it| Text { text: &it.rule.text, place: &it.key });
    let purposes = query.consent.purposes.iter();
    let purposes = purposes.map(|it| Text { text: &it.rule.text, place: &it.action });
    [rule].into_iter().chain(segments).chain(purposes).collect()
}

/// What became no profile, and what of imported segments a query names has none.
fn left_out(query: &Query, content: &Content) -> Vec<(String, u64)> {
    let imports = query.segments.iter().filter_map(|it| content.survey.known.import(&it.key));
    let imports = imports.flat_map(|import| import.left_out);
    content.left_out.iter().cloned().chain(imports).collect()
}

/// The part of the memory that buffers of deduplication take before they spill. The rest is for
/// the tables that the entries are compared in, and what the allocator holds back.
const BUFFER_SHARE: usize = 16;

/// What is found out with rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum With {
    /// The rows alone.
    Nothing,
    /// Whose each of them is, see [`Rows::map_with_people`].
    People,
}

impl With {
    /// What has to be read for it besides the columns.
    pub(crate) fn hidden(self, query: &Query, survey: &Survey) -> Vec<Steps> {
        match self {
            Self::Nothing => Vec::new(),
            Self::People => Whose::hidden(query, survey),
        }
    }

    /// The rows, telling it.
    fn told(self, rows: Rows, query: &Query, survey: &Survey) -> Rows {
        let columns = query.columns.len();
        match self {
            Self::Nothing => rows,
            Self::People => rows.telling(Whose::new(query, survey, columns)),
        }
    }
}

/// Reads datasets.
#[derive(Debug, Clone)]
pub struct Engine {
    pub(crate) settings: Settings,
    clients: Clients,
    sessions: Sessions,
}

impl Engine {
    /// Returns an engine.
    pub fn new(settings: Settings) -> Self {
        Self { settings, clients: Clients::new(), sessions: Sessions::default() }
    }

    /// Makes the `s3://` datasets of an account readable.
    pub fn add_s3(&mut self, account: impl Into<String>, client: aws_sdk_s3::Client) {
        self.clients.insert(account.into(), Reader::new(client));
    }

    /// Finds the files of a dataset and pins their versions; relative locations begin at `base`.
    ///
    /// # Errors
    /// No file matches, or the place cannot be read.
    pub async fn pin(&self, dataset: &Dataset, base: &Path) -> Result<Snapshot, Error> {
        let places = Places {
            base,
            clients: &self.clients,
            sessions: &self.sessions,
            landed_folder: &self.settings.landed_folder,
            stay: self.settings.stay(),
        };
        Snapshot::pin(dataset, places).await
    }

    /// Reads the rows of databases, once for all that is asked of the profiles: from then on they are
    /// among the inputs. What needs rows does it by itself.
    ///
    /// # Errors
    /// A database refuses, or its connection is lost; nothing of its rows is kept then.
    pub async fn land(&self, profiles: &Profiles) -> Result<(), Error> {
        for snapshot in profiles.snapshots.iter().chain(profiles.events.iter()) {
            snapshot.land().await?;
        }
        Ok(())
    }

    /// The profiles as they were when `recorded` was read of them: locations and versions of inputs.
    /// Rows of databases are those that landed then, if they are still kept.
    ///
    /// # Errors
    /// The state directory cannot be read.
    pub fn recall(
        &self,
        profiles: &Profiles,
        recorded: &[(&str, &str)],
    ) -> Result<Profiles, Error> {
        let recalled = |snapshots: &[Snapshot]| {
            snapshots.iter().map(|it| it.recalled(recorded)).collect::<Result<Vec<_>, Error>>()
        };
        let snapshots = recalled(&profiles.snapshots)?;
        let events = recalled(&profiles.events)?;
        Ok(Profiles::new(profiles.policy.clone(), snapshots)
            .with_events(events)
            .with_imports(profiles.imports.to_vec()))
    }

    /// Lets pinned datasets of one kind agree on the types of fields that some of them have no value
    /// of, as an empty column of CSV: each takes the type that another one has.
    ///
    /// # Errors
    /// As [`Engine::schema`].
    pub async fn agree(&self, snapshots: &mut [Snapshot]) -> Result<(), Error> {
        match snapshots.len() {
            0 | 1 => Ok(()),
            _ => Snapshot::agree(snapshots, self.settings.threads).await,
        }
    }

    /// The same for profiles that were put together before.
    ///
    /// # Errors
    /// As [`Engine::schema`].
    pub async fn agreed(&self, profiles: Profiles) -> Result<Profiles, Error> {
        let (mut snapshots, mut events) = (profiles.snapshots.to_vec(), profiles.events.to_vec());
        self.agree(&mut snapshots).await?;
        self.agree(&mut events).await?;
        Ok(Profiles::new(profiles.policy.clone(), snapshots)
            .with_events(events)
            .with_imports(profiles.imports.to_vec()))
    }

    /// Looks up the fields of one dataset.
    ///
    /// # Errors
    /// A file cannot be read, or two files disagree on the type of a field.
    pub async fn schema(&self, snapshot: &Snapshot) -> Result<plan::Schema, Error> {
        let schema = snapshot.schema(self.settings.threads).await?;
        Ok(fields::describe(&schema))
    }

    /// Looks up the fields of profiles: those of all datasets, in the order in which they are first
    /// seen. Nothing is merged for it.
    ///
    /// # Errors
    /// As [`Engine::schema`], or two datasets disagree on the type of a field.
    pub async fn fields(&self, profiles: &Profiles) -> Result<plan::Schema, Error> {
        let fields = merge::fields(profiles, self.settings.threads).await?;
        Ok(fields::describe(&fields))
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
        self.rows_with(query, &query.columns, With::Nothing, profiles).await
    }

    /// As [`Engine::rows`], with something else that is found out.
    ///
    /// # Errors
    /// As there.
    pub async fn rows_and(
        &self,
        query: &Query,
        with: With,
        profiles: &Profiles,
    ) -> Result<Rows, Error> {
        self.rows_with(query, &query.columns, with, profiles).await
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
        self.difference_and(query, increment, baselines, With::Nothing, profiles).await
    }

    /// As [`Engine::difference`], with something else that is found out.
    ///
    /// # Errors
    /// As there.
    pub async fn difference_and(
        &self,
        query: &Query,
        increment: &Increment,
        baselines: Baselines<'_>,
        with: With,
        profiles: &Profiles,
    ) -> Result<Rows, Error> {
        let threads = self.settings.threads;
        let Answered { survey, left_out } = self.answered(query, &query.columns, profiles).await?;
        let survey = profiles.content(&self.settings).await?.rows(query, &survey)?;
        let limits = self.settings.limits();
        let found = (with, threads);
        let mut difference =
            increment::difference(query, increment, baselines, &survey, &limits, found).await?;
        difference.counts.left_out = left_out;
        Ok(with.told(Rows::of_difference(difference, threads), query, &survey))
    }

    /// Counts the rows of a query without making them.
    ///
    /// # Errors
    /// As [`Engine::rows`] and reading its stream.
    pub async fn count(&self, query: &Query, profiles: &Profiles) -> Result<Counts, Error> {
        // Only columns that exclude members have a say.
        let mandatory = query.columns.iter().filter(|column| column.mandatory);
        let mandatory: Vec<Column> = mandatory.cloned().collect();
        let rows = self.rows_with(query, &mandatory, With::Nothing, profiles).await?;
        let tally = rows.tally();
        let mut batches = rows.map_ordered(|_| Ok::<(), Error>(()));
        while batches.try_next().await?.is_some() {}
        Ok(tally.counts())
    }

    /// Evaluates segments: who is a member of each, in one scan of the profiles for up to 64 of them.
    /// Columns and consent have no say.
    ///
    /// The history of a query's segment moves as `effects` say, in one step, once every input has been
    /// found to be the pinned one still. A query whose rule fails does not stop the others.
    ///
    /// # Errors
    /// The profiles cannot be read, or an input changed; what is wrong with one query is in its place.
    pub async fn evaluate(
        &self,
        queries: &[&Query],
        profiles: &Profiles,
        effects: Effects,
    ) -> Result<Vec<Result<Evaluated, Error>>, Error> {
        let content = profiles.content(&self.settings).await?;
        for query in queries {
            self.content(query, profiles).await?;
        }
        let _lock = match effects.move_until {
            Some(_) if queries.iter().any(|query| query.history.is_some()) => {
                let folder = self.settings.membership_folder.clone();
                let lock = move || membership::lock(&folder);
                Some(blocking(lock).await?)
            }
            _ => None,
        };
        let mut found: Vec<Option<Result<Evaluated, Error>>> =
            queries.iter().map(|_| None).collect();
        for numbers in evaluate::scans(queries) {
            let asked: Vec<&Query> = numbers.iter().map(|&number| queries[number]).collect();
            match self.scan(&asked, content, profiles, effects).await {
                Ok(scanned) => {
                    for (number, evaluated) in numbers.into_iter().zip(scanned) {
                        found[number] = Some(Ok(evaluated));
                    }
                }
                Err(error) if asked.len() == 1 => found[numbers[0]] = Some(Err(error)),
                // One of them is wrong; the others shall not suffer for it.
                Err(_) => {
                    for number in numbers {
                        let alone = self.scan(&[queries[number]], content, profiles, effects).await;
                        found[number] = Some(alone.map(|mut found| found.remove(0)));
                    }
                }
            }
        }
        Ok(found.into_iter().flatten().collect())
    }

    /// Evaluates queries in one scan, and moves the histories unless an input is another one by now.
    async fn scan(
        &self,
        queries: &[&Query],
        content: &Content,
        profiles: &Profiles,
        effects: Effects,
    ) -> Result<Vec<Evaluated>, Error> {
        // Those that ask for events are all of one instant.
        let asking: Vec<&Query> =
            queries.iter().copied().filter(|query| evaluate::asks_events(query)).collect();
        let texts: Vec<Text<'_>> = asking.iter().copied().flat_map(rule_texts).collect();
        let now = asking.first().map_or(jiff::Timestamp::UNIX_EPOCH, |query| query.evaluated_at);
        let answered = events::answered(&texts, now, profiles, content, &self.settings).await?;
        let survey = &answered.survey;
        let scanned = evaluate::scan(queries, survey, &self.settings, effects).await?;
        if !scanned.next.is_empty() {
            profiles.verify().await?;
        }
        scanned.next.into_iter().try_for_each(Pending::persist)?;
        evaluate::keep(queries, scanned.members, survey, self.settings.memory_bytes);
        let with_left_out = |(query, found): (&&Query, Evaluated)| {
            let strangers = evaluate::asks_events(query).then_some(&answered.left_out);
            let strangers = strangers.into_iter().flatten().cloned();
            Evaluated {
                left_out: left_out(query, content).into_iter().chain(strangers).collect(),
                ..found
            }
        };
        Ok(queries.iter().zip(scanned.found).map(with_left_out).collect())
    }

    /// Whether it is known who the members of a query are, from an evaluation that kept them.
    ///
    /// # Errors
    /// As [`Engine::evaluate`].
    pub async fn knows_members(&self, query: &Query, profiles: &Profiles) -> Result<bool, Error> {
        let content = profiles.content(&self.settings).await?;
        Ok(content.survey.known.members(query).is_some())
    }

    /// What the history of a segment says about its last evaluation; nothing if it has none.
    ///
    /// # Errors
    /// The history is damaged.
    pub fn standing(&self, segment: uuid::Uuid) -> Result<Option<Standing>, Error> {
        membership::standing(&self.settings.membership_folder, segment)
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
        with: With,
        profiles: &Profiles,
    ) -> Result<Rows, Error> {
        let threads = self.settings.threads;
        let Answered { survey, left_out } = self.answered(query, columns, profiles).await?;
        let survey = profiles.content(&self.settings).await?.rows(query, &survey)?;
        let hidden = with.hidden(query, &survey);
        let parts = Parts { who: Who::Members, columns, hidden: &hidden, query };
        let selection = Arc::new(Selection::new(parts, &survey)?);
        let losers = deduplicate::losers(query, &survey, self.settings.limits(), threads).await?;
        let pass = Pass { survey: Arc::clone(&survey), selection };
        Ok(with.told(Rows::of_members(pass, losers, &left_out, threads), query, &survey))
    }

    /// The profiles, with answers to what a rule, consent and columns ask of their events.
    pub(crate) async fn answered(
        &self,
        query: &Query,
        columns: &[Column],
        profiles: &Profiles,
    ) -> Result<Answered, Error> {
        let content = self.content(query, profiles).await?;
        let mut texts = rule_texts(query);
        // Where a key decides who is sent, all columns have a say, even those that are not written.
        let has_key = query.columns.iter().any(|column| column.deduplicate);
        let others = if has_key { query.columns.as_slice() } else { &[] };
        for column in columns.iter().chain(others) {
            if let ColumnSource::Expression { text, .. } = &column.source {
                texts.push(Text { text, place: &column.header });
            }
        }
        let now = query.evaluated_at;
        let answered = events::answered(&texts, now, profiles, &content, &self.settings).await?;
        let left_out = left_out(query, &content).into_iter().chain(answered.left_out).collect();
        Ok(Answered { left_out, ..answered })
    }

    /// The profiles, ready to be asked a query: the files of imported segments that it names have been
    /// looked up.
    async fn content(&self, query: &Query, profiles: &Profiles) -> Result<Arc<Content>, Error> {
        let content = profiles.content(&self.settings).await?;
        for segment in query.segments.iter().filter(|segment| segment.import.is_some()) {
            let known = &content.survey.known;
            if known.import(&segment.key).is_some() {
                continue;
            }
            let file = profiles.import(&segment.key);
            let file = file.ok_or_else(|| Error::internal("an imported segment was not pinned"))?;
            let found = import::import(file, content, &profiles.snapshots, &self.settings).await?;
            let left_out =
                [("no_profile", found.without_profile), ("no_identity", found.without_identity)];
            let left_out =
                left_out.map(|(reason, count)| (format!("{reason}:{}", segment.key), count));
            let (members, left_out) = (Arc::new(found.members), left_out.to_vec());
            known.keep_import(&segment.key, Import { members, left_out });
        }
        Ok(Arc::clone(content))
    }
}
