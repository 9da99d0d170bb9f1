//! One profile, with the record that each of its values comes from.

use std::collections::BTreeSet;
use std::sync::Arc;

use arrow::array::{Array, AsArray, BooleanArray, RecordBatch};
use arrow::compute;
use arrow::datatypes::{DataType, Field, Schema};
use plan::field::Step;
use plan::project::Stitch;

use super::bucket::Bucket;
use super::bucket_file::too_wide;
use super::fragments::{self, Clock, Key, NAMESPACES};
use super::{Content, Source, Union, identity};
use crate::Engine;
use crate::error::{Error, Kind};
use crate::fields::PROFILE_FIELD;
use crate::path::Steps;
use crate::profiles::Profiles;
use crate::store::blocking;

/// One person, as merged, and where everything comes from.
#[derive(Debug)]
pub struct Profile {
    /// The namespace of the identity that the profile is known by.
    pub namespace: String,
    /// The value of that identity.
    pub value: String,
    /// The hash of that identity, in hexadecimal digits.
    pub hash: String,
    /// All identities: namespaces in their order, each with its values, sorted.
    pub identities: Vec<(String, Vec<String>)>,
    /// How many records of each dataset were merged, those without any left out.
    pub records: Vec<(String, u64)>,
    /// One row: the fields that have a value, each named by its path.
    pub values: RecordBatch,
    /// Where the values come from, in the order of the columns.
    pub origins: Vec<Origin>,
}

/// The record that a value comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    /// The key of its dataset.
    pub dataset: String,
    /// Its timestamp, if it has one: an instant, or the number that the dataset counts by.
    pub time: Option<String>,
}

impl Engine {
    /// Looks up one profile by any of its identities; reads the identities of all records for it.
    ///
    /// # Errors
    /// No dataset has the namespace, several profiles have the identity, or reading fails.
    pub async fn profile(
        &self,
        profiles: &Profiles,
        namespace: &str,
        value: &str,
    ) -> Result<Option<Profile>, Error> {
        let content = Arc::clone(profiles.content(&self.settings).await?);
        let union = Union::of(profiles, self.settings.threads).await?;
        let Some(position) = union.namespaces.iter().position(|known| known == namespace) else {
            return Err(unknown_namespace(&union, namespace));
        };
        let value = value.to_owned();
        let look = move || Search { union, content }.run(position, &value);
        blocking(look).await
    }
}

fn unknown_namespace(union: &Union, namespace: &str) -> Error {
    let message = format!("no profile dataset has the namespace `{namespace}`");
    let error = Error::new(Kind::Invalid, "unknown_namespace", message);
    let known = union.namespaces.iter().map(String::as_str);
    match plan::nearest::nearest(namespace, known) {
        Some(nearest) => error.with_hint(format!("Did you mean `{nearest}`?")),
        None => error.with_hint(format!("Known: {}.", union.namespaces.join(", "))),
    }
}

struct Search {
    union: Union,
    content: Arc<Content>,
}

/// What tells that a record is of the profile.
enum Wanted {
    /// Its primary identity has this hash.
    Primary(u128),
    /// It has one of these identities.
    Any(BTreeSet<u128>),
}

impl Search {
    fn run(&self, namespace: usize, value: &str) -> Result<Option<Profile>, Error> {
        let asked = identity::hash(&self.union.namespaces[namespace], value);
        let wanted = if self.content.is_merged {
            match self.find_merged(namespace, value, asked)? {
                None => return Ok(None),
                Some(found) => found,
            }
        } else {
            Wanted::Any(BTreeSet::from([asked]))
        };
        let mut batches = Vec::new();
        for source in &self.union.sources {
            for local in 0..source.survey.morsels.len() {
                batches.extend(self.records(source, local, &wanted)?);
            }
        }
        let bucket = Bucket::new(&self.union, &batches);
        let (groups, _) = bucket.groups();
        match groups.as_slice() {
            [] => Ok(None),
            [_] => self.profile(&bucket, &batches).map(Some),
            several => Err(ambiguous(several.len())),
        }
    }

    /// Finds the one merged profile that has the identity.
    fn find_merged(
        &self,
        namespace: usize,
        value: &str,
        asked: u128,
    ) -> Result<Option<Wanted>, Error> {
        let survey = &self.content.survey;
        let known = |name: &str| {
            Steps(vec![Step::Field(PROFILE_FIELD.to_owned()), Step::Field(name.to_owned())])
        };
        let needed = BTreeSet::from([known("hash"), known("identityMap")]);
        let mut found: Vec<Wanted> = Vec::new();
        for morsel in 0..survey.morsels.len() {
            for profiles in survey.read(morsel, &needed)? {
                let profiles = profiles?;
                let column = |name: &str| {
                    let column = profiles.column_by_name(PROFILE_FIELD);
                    let column = column.and_then(|it| it.as_struct().column_by_name(name).cloned());
                    column.ok_or_else(|| Error::internal("merged profiles lack their key"))
                };
                let (hashes, maps) = (column("hash")?, column("identityMap")?);
                for row in 0..profiles.num_rows() {
                    let hash = hashes.as_fixed_size_binary().value(row);
                    let hash = hash.try_into().map_or(0, u128::from_be_bytes);
                    let identities = identities_of(&maps.as_map().value(row));
                    let asked_name = self.union.namespaces[namespace].as_str();
                    let has = identities.iter().any(|(name, it)| name == asked_name && it == value);
                    // The key of a profile names it, whatever other profile has the identity too.
                    if hash == asked {
                        return Ok(Some(self.wanted(hash, &identities)));
                    }
                    if has {
                        found.push(self.wanted(hash, &identities));
                    }
                }
            }
        }
        if found.len() > 1 {
            return Err(ambiguous(found.len()));
        }
        Ok(found.pop())
    }

    fn wanted(&self, hash: u128, identities: &[(String, String)]) -> Wanted {
        match self.union.stitch {
            Stitch::None => Wanted::Primary(hash),
            Stitch::Graph => Wanted::Any(
                identities.iter().map(|(name, value)| identity::hash(name, value)).collect(),
            ),
        }
    }

    /// The records of a morsel that are of the profile: their identities are read first, and the
    /// rest only where there is one.
    fn records(
        &self,
        source: &Source,
        local: usize,
        wanted: &Wanted,
    ) -> Result<Vec<RecordBatch>, Error> {
        let needed: BTreeSet<Steps> =
            source.identities.iter().map(|column| column.path.clone()).collect();
        let mut masks = Vec::new();
        for records in source.survey.read(local, &needed)? {
            masks.push(self.mask(source, &records?, wanted)?);
        }
        if masks.iter().all(|mask| mask.true_count() == 0) {
            return Ok(Vec::new());
        }
        let mut found = Vec::new();
        let needed = fragments::needed(&self.union, source);
        let mut first_row = 0;
        for records in source.survey.read(local, &needed)? {
            let records = records?;
            let rows = first_row..first_row + records.num_rows();
            first_row = rows.end;
            let mask = self.mask(source, &records, wanted)?;
            if mask.true_count() == 0 {
                continue;
            }
            let columns = identity::columns(&source.identities, &records)?;
            let keys = self.keys(source, &columns, &mask, wanted);
            let fragments = fragments::fragments(&self.union, source, &records, &columns)?;
            let schema = fragments::schema(&self.union);
            let morsel = source.first_morsel + local;
            found.push(fragments::keyed(fragments, &keys, morsel, &rows, &schema)?);
        }
        Ok(found)
    }

    fn mask(
        &self,
        source: &Source,
        records: &RecordBatch,
        wanted: &Wanted,
    ) -> Result<BooleanArray, Error> {
        let columns = identity::columns(&source.identities, records)?;
        let primary = source.identities.first().map(|column| column.namespace);
        let is_wanted = |row: usize| {
            let mut identities = identity::of_record(&columns, row);
            identities.any(|(namespace, value)| {
                let hash = || identity::hash(&self.union.namespaces[namespace], value);
                match wanted {
                    Wanted::Primary(key) => Some(namespace) == primary && hash() == *key,
                    Wanted::Any(any) => any.contains(&hash()),
                }
            })
        };
        Ok((0..records.num_rows()).map(|row| Some(is_wanted(row))).collect())
    }

    /// Merged records are of one profile, known by the hash zero; otherwise each is one of its own.
    fn keys(
        &self,
        source: &Source,
        columns: &[(usize, arrow::array::StringViewArray)],
        mask: &BooleanArray,
        wanted: &Wanted,
    ) -> Vec<Key> {
        let primary = fragments::primary_keys(&self.union, source, columns, mask.len());
        let key = |(row, primary): (usize, Key)| match (mask.value(row), wanted) {
            (false, _) => Key::LeftOut,
            (true, Wanted::Primary(_)) => primary,
            (true, Wanted::Any(_)) if !self.content.is_merged => primary,
            (true, Wanted::Any(_)) => Key::Hash(0),
        };
        primary.into_iter().enumerate().map(key).collect()
    }

    fn profile(&self, bucket: &Bucket<'_>, batches: &[RecordBatch]) -> Result<Profile, Error> {
        let (groups, _) = bucket.groups();
        let group = &groups[0];
        let all = bucket.identities(group);
        let (namespace, value) = bucket.key(group, &all)?;
        let (mut fields, mut columns, mut origins) = (Vec::new(), Vec::new(), Vec::new());
        let first = NAMESPACES + self.union.namespaces.len();
        for (number, leaf) in self.union.leaves.leaves.iter().enumerate() {
            let Some((batch, row)) = bucket.winner(group, first + number) else { continue };
            fields.push(Field::new(leaf.path.to_string(), leaf.data_type.clone(), true));
            columns.push(batches[batch].column(first + number).slice(row, 1));
            let (source, time) = bucket.origin((batch, row));
            let dataset = self.union.sources[source].key.clone();
            origins.push(Origin { dataset, time: time.map(|time| self.time(time)) });
        }
        let namespace = &self.union.namespaces[namespace];
        let values = RecordBatch::try_new(Arc::new(Schema::new(fields)), columns);
        Ok(Profile {
            namespace: namespace.clone(),
            value: value.to_owned(),
            hash: format!("{:032x}", identity::hash(namespace, value)),
            identities: self.by_namespace(&all),
            records: self.counts(bucket, group),
            values: values.map_err(|_| too_wide())?,
            origins,
        })
    }

    fn by_namespace(&self, all: &BTreeSet<(usize, &str)>) -> Vec<(String, Vec<String>)> {
        let names = self.union.namespaces.iter().enumerate();
        names
            .map(|(number, name)| {
                let values = all.iter().filter(|(namespace, _)| *namespace == number);
                (name.clone(), values.map(|(_, value)| (*value).to_owned()).collect::<Vec<_>>())
            })
            .filter(|(_, values)| !values.is_empty())
            .collect()
    }

    fn counts(&self, bucket: &Bucket<'_>, group: &super::bucket::Group) -> Vec<(String, u64)> {
        let mut counts = vec![0_u64; self.union.sources.len()];
        for place in bucket.places(group) {
            counts[bucket.origin(place).0] += 1;
        }
        let counts = self.union.sources.iter().zip(counts).filter(|(_, count)| *count > 0);
        counts.map(|(source, count)| (source.key.clone(), count)).collect()
    }

    fn time(&self, time: i64) -> String {
        match self.union.clock {
            Clock::Instants => jiff::Timestamp::from_microsecond(time)
                .map_or_else(|_| time.to_string(), |time| time.to_string()),
            Clock::Numbers => time.to_string(),
        }
    }
}

/// The entries of one profile's `identityMap`.
fn identities_of(entries: &arrow::array::StructArray) -> Vec<(String, String)> {
    let text = |column: &dyn Array, row: usize| {
        let column = compute::cast(column, &DataType::Utf8).ok();
        column.map_or_else(String::new, |column| column.as_string::<i32>().value(row).to_owned())
    };
    let mut all = Vec::new();
    for row in 0..entries.len() {
        let name = text(entries.column(0), row);
        let values = entries.column(1).as_list::<i32>().value(row);
        all.extend((0..values.len()).map(|value| (name.clone(), text(&values, value))));
    }
    all
}

fn ambiguous(count: usize) -> Error {
    let message = format!("{count} profiles have this identity");
    Error::new(Kind::Invalid, "ambiguous_identity", message)
        .with_hint("Name one of them by its primary identity.")
}
