//! From records to profiles: the records of all profile datasets, merged per person.
//!
//! Records are sorted into buckets by a hash of the identity that they belong to (`bucket_file`),
//! so that all records of a person meet in one bucket of bounded size. Bucket by bucket, each field
//! of a profile takes the value of the best record that has one (`bucket`). The outcome is a set of
//! Parquet files in the order of the hashes, which are then read like any dataset (`kept`).
//!
//! What has not changed since the last state of the inputs is taken over from it (`reuse`).
//!
//! The same inputs give the same files, whatever was kept before and whatever the number of threads: every record carries its
//! place in the inputs, and nothing depends on the order in which threads come to a bucket.

mod bucket;
mod bucket_file;
mod components;
mod digest;
mod fingerprint;
mod fragments;
mod graph;
pub(crate) mod identity;
mod kept;
mod leaves;
mod reuse;
mod show;
mod unique;
mod write;

use std::sync::Arc;

use arrow::datatypes::{Fields, Schema, SchemaRef};
use plan::Query;
use plan::project::{Merge, Stitch};

use crate::engine::Settings;
use crate::error::{Error, Kind};
use crate::fields::{self, PROFILE_FIELD};
use crate::identity_rows::IdentityPlaces;
use crate::kept::{Building, Kept};
use crate::path::Steps;
use crate::profiles::Profiles;
use crate::stretches::Stretches;
use crate::survey::Survey;

pub(crate) use graph::IDENTITIES_MAX;

pub use show::{Origin, Profile};

use kept::{Summary, Verdict};
use leaves::Leaves;
use reuse::{Before, Remembered};

/// The version of what is kept: a change of the merged profiles' content or form changes it.
const VERSION: u32 = 1;
/// The file of stretches, where nothing is merged.
const STRETCHES: &str = "stretches";

/// The profiles, ready to be read.
#[derive(Debug)]
pub(crate) struct Content {
    pub(crate) survey: Arc<Survey>,
    /// What became no profile, by reason.
    pub(crate) left_out: Vec<(String, u64)>,
    /// Whether they were merged; otherwise each record of the one dataset is a profile.
    pub(crate) is_merged: bool,
    /// Where the identities of a profile are.
    pub(crate) identities: IdentityPlaces,
}

impl Content {
    /// The rows that a query is about: `profiles`, these or the same with more fields, or their
    /// identities of one namespace.
    pub(crate) fn rows(&self, query: &Query, profiles: &Arc<Survey>) -> Result<Arc<Survey>, Error> {
        let Some(namespace) = query.identity_namespace() else {
            return Ok(Arc::clone(profiles));
        };
        let rows = self.identities.rows(&namespace).ok_or_else(|| {
            let message = format!("no profile dataset has the namespace `{namespace}`");
            Error::new(Kind::Invalid, "unknown_namespace", message)
        })?;
        Ok(Arc::new(profiles.with_identity_rows(rows)))
    }
}

/// Makes profiles ready to be read: finds out whether records have to be merged, and merges them,
/// unless both is known of these inputs.
pub(crate) async fn content(profiles: &Profiles, settings: &Settings) -> Result<Content, Error> {
    let threads = settings.threads;
    if let Some(survey) = plain(profiles, threads).await? {
        let identities = IdentityPlaces::Fields(Vec::new());
        return Ok(Content { survey, left_out: Vec::new(), is_merged: false, identities });
    }
    let union = Arc::new(Union::of(profiles, threads).await?);
    let kept: Kept<Summary> =
        Kept::new(settings.profiles_folder.clone(), fingerprint::of(profiles), settings.stay());
    let found = match kept.find()? {
        Some(found) => found,
        None => {
            let mut building = kept.begin()?;
            // Apart: futures around futures are laid out as one, and the compiler gives up at some depth.
            let summary = summarize(profiles, &union, settings, &kept, &mut building);
            let summary = Box::pin(summary).await?;
            // What changed while it was read must not be kept under the name of what was pinned.
            profiles.verify().await?;
            kept.finish(building, summary)?
        }
    };
    let left_out = found.summary.left_out.clone();
    if found.summary.verdict == Verdict::Direct {
        let source = &union.sources[0];
        let stretches = Stretches::read(&found.folder.join(STRETCHES), source.survey.morsels.len());
        let survey = match stretches {
            Some(stretches) => Arc::new(source.survey.with_stretches(stretches)),
            None => Arc::clone(&source.survey),
        };
        return Ok(Content {
            survey,
            left_out,
            is_merged: false,
            identities: source.places(&union.namespaces),
        });
    }
    let survey = found.survey(&union, threads).await?;
    let (survey, identities) = (Arc::new(survey), IdentityPlaces::Merged);
    Ok(Content { survey, left_out, is_merged: true, identities })
}

/// The records of a single dataset that has no identity: nothing tells which of them are of one
/// person.
async fn plain(profiles: &Profiles, threads: usize) -> Result<Option<Arc<Survey>>, Error> {
    match profiles.snapshots.as_ref() {
        [snapshot] if snapshot.dataset.identities.is_empty() => {
            Ok(Some(Arc::clone(snapshot.survey(threads).await?)))
        }
        [] => Err(Error::new(Kind::Invalid, "no_dataset", "there is no profile dataset")),
        _ => Ok(None),
    }
}

async fn summarize(
    profiles: &Profiles,
    union: &Arc<Union>,
    settings: &Settings,
    kept: &Kept<Summary>,
    building: &mut Building,
) -> Result<Summary, Error> {
    if union.sources.len() == 1
        && let Some(stretches) = unique::if_unique(union, settings).await?
    {
        stretches.write(&building.folder().join(STRETCHES))?;
        return Ok(Summary { verdict: Verdict::Direct, left_out: Vec::new(), parts: Vec::new() });
    }
    let (keys, mut left_out) = match union.stitch {
        Stitch::None => (fragments::Keys::Primary, Vec::new()),
        Stitch::Graph => graph::stitch(union, settings).await?,
    };
    let bits = fragments::bits(union, settings);
    let rules = fingerprint::rules(profiles, union, bits);
    let before = Before::find(kept, &rules, bits.buckets());
    let names = fingerprint::inputs(profiles, union);
    let sorting = fragments::Sorting { keys, bits, names, before: before.as_ref() };
    let sorted = fragments::sort(union, sorting, settings).await?;
    left_out.splice(0..0, sorted.without_identity(union));
    let inputs = sorted.contributions.clone();
    let buckets = write::merge(union, sorted, before.as_ref(), building.folder(), settings).await?;
    let too_many: Vec<u64> = buckets.iter().map(|bucket| bucket.too_many).collect();
    left_out.push(("too_many_records".to_owned(), too_many.iter().sum()));
    if inputs.iter().all(|input| input.digests.len() == bits.buckets()) {
        Remembered { rules, inputs, too_many }.leave(building.folder())?;
    }
    let parts = buckets.into_iter().flat_map(|bucket| bucket.parts).collect();
    Ok(Summary { verdict: Verdict::Merged, left_out, parts })
}

/// The fields of profiles, found without reading the rows of databases.
pub(crate) async fn fields(profiles: &Profiles, threads: usize) -> Result<Schema, Error> {
    let mut united = United::default();
    let mut clocks = Vec::new();
    for snapshot in profiles.snapshots.iter() {
        let schema = snapshot.schema(threads).await?;
        united.add(&snapshot.dataset.key, schema.fields())?;
        let timestamp = snapshot.dataset.timestamp.as_ref().map(Steps::from);
        clocks.push((snapshot.dataset.key.clone(), schema, timestamp));
    }
    let clocks = clocks.iter().map(|(key, schema, path)| (key.as_str(), schema, path.as_ref()));
    fragments::Clock::of(clocks)?;
    Ok(Schema::new(Leaves::new(&united.fields).fields))
}

/// The datasets of profiles seen as one.
#[derive(Debug)]
pub(crate) struct Union {
    pub(crate) sources: Vec<Source>,
    pub(crate) stitch: Stitch,
    /// The fields of all datasets, in the order in which they are first seen.
    pub(crate) leaves: Leaves,
    /// All namespaces, in the order in which the datasets name them.
    pub(crate) namespaces: Vec<String>,
    /// What timestamps are compared as.
    pub(crate) clock: fragments::Clock,
}

/// One dataset of a union.
#[derive(Debug)]
pub(crate) struct Source {
    pub(crate) key: String,
    pub(crate) survey: Arc<Survey>,
    pub(crate) identities: Vec<identity::Column>,
    /// Its place in the order of precedence; the same for all where time decides.
    pub(crate) precedence: u16,
    /// The number of its first morsel among those of all datasets.
    pub(crate) first_morsel: usize,
    /// The number of its first file among those of all datasets.
    pub(crate) first_input: usize,
}

impl Source {
    /// What its records are put in order by.
    fn times(&self) -> (&str, &SchemaRef, Option<&Steps>) {
        (&self.key, &self.survey.schema, self.survey.timestamp.as_ref())
    }

    fn places(&self, namespaces: &[String]) -> IdentityPlaces {
        let identities = self.identities.iter();
        let place = |it: &identity::Column| (namespaces[it.namespace].clone(), it.path.clone());
        IdentityPlaces::Fields(identities.map(place).collect())
    }
}

impl Union {
    /// Looks at all datasets together.
    ///
    /// # Errors
    /// Two disagree on the type of a field.
    pub(crate) async fn of(profiles: &Profiles, threads: usize) -> Result<Self, Error> {
        let mut sources: Vec<Source> = Vec::new();
        let mut united = United::default();
        let mut namespaces: Vec<String> = Vec::new();
        let (mut first_morsel, mut first_input) = (0, 0);
        for snapshot in profiles.snapshots.iter() {
            let dataset = &snapshot.dataset;
            let survey = snapshot.survey(threads).await?;
            united.add(&dataset.key, survey.schema.fields())?;
            for identity in &dataset.identities {
                if !namespaces.contains(&identity.namespace) {
                    namespaces.push(identity.namespace.clone());
                }
            }
            let identities = dataset.identities.iter();
            sources.push(Source {
                key: dataset.key.clone(),
                survey: Arc::clone(survey),
                identities: identities.map(|it| identity::Column::new(it, &namespaces)).collect(),
                precedence: precedence(&profiles.policy.merge, &dataset.key),
                first_morsel,
                first_input,
            });
            first_morsel += survey.morsels.len();
            first_input += survey.inputs().len();
        }
        Ok(Self {
            clock: fragments::Clock::of(sources.iter().map(Source::times))?,
            leaves: Leaves::new(&united.fields),
            stitch: profiles.policy.stitch,
            sources,
            namespaces,
        })
    }

    /// The fields of profiles, those that no rule and no mapping can name included.
    pub(crate) fn schema(&self) -> SchemaRef {
        let mut fields: Vec<_> = self.leaves.fields.iter().cloned().collect();
        fields.push(Arc::new(write::profile_field(self.clock)));
        Arc::new(Schema::new(fields))
    }

    /// The primary namespace of the first dataset.
    pub(crate) fn primary_namespace(&self) -> &str {
        let primary = self.sources.first().and_then(|source| source.identities.first());
        primary.map_or("", |column| &self.namespaces[column.namespace])
    }

    /// How many morsels all datasets have.
    pub(crate) fn morsels(&self) -> usize {
        self.sources.last().map_or(0, |source| source.first_morsel + source.survey.morsels.len())
    }

    /// The file of a morsel, by position among those of all datasets.
    pub(crate) fn input_of(&self, morsel: usize) -> usize {
        let source = &self.sources[self.source_of(morsel)];
        source.first_input + source.survey.input_of(morsel - source.first_morsel)
    }

    /// The dataset of a morsel, by position.
    pub(crate) fn source_of(&self, morsel: usize) -> usize {
        self.sources.partition_point(|source| source.first_morsel <= morsel).saturating_sub(1)
    }
}

/// The fields of the datasets seen so far.
#[derive(Default)]
struct United {
    fields: Fields,
    /// The dataset that a field was first seen in, by position in `fields`.
    seen_in: Vec<String>,
}

impl United {
    fn add(&mut self, dataset: &str, more: &Fields) -> Result<(), Error> {
        if more.find(PROFILE_FIELD).is_some() {
            let message = format!("dataset `{dataset}` has a field of the reserved name");
            let error = Error::new(Kind::Invalid, "reserved_field", message);
            return Err(error.at_field(PROFILE_FIELD).with_hint("Rename the field."));
        }
        self.fields = fields::unite(&self.fields, more).map_err(|found| {
            let root = found.field.split('.').next().unwrap_or_default();
            let first = self.fields.find(root).map_or("", |(position, _)| &self.seen_in[position]);
            let message =
                format!("the field is {} in `{dataset}`, but {} in `{first}`", found.there, found.here);
            Error::new(Kind::Invalid, "type_disagreement", message)
                .at_field(found.field)
                .with_hint("Profile datasets have to agree on the type of a field; declare it under `types:` where it is read from text, or rename it in one of the two.")
        })?;
        self.seen_in.resize_with(self.fields.len(), || dataset.to_owned());
        Ok(())
    }
}

fn precedence(merge: &Merge, dataset: &str) -> u16 {
    let Merge::Datasets(order) = merge else { return 0 };
    let position = order.iter().position(|named| named == dataset).unwrap_or(order.len());
    u16::try_from(position).unwrap_or(u16::MAX)
}
