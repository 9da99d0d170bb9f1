//! The merge itself: records of one bucket become profiles.
//!
//! Records of one person are ranked: by the precedence of their datasets, then the newest first (one
//! without a time is older than any), then by their place in the inputs. Each field takes the value
//! of the first record that has one.

use std::cmp::Reverse;
use std::collections::BTreeSet;
use std::ops::Range;
use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, FixedSizeBinaryArray, Int64Array, ListBuilder, MapBuilder,
    MapFieldNames, RecordBatch, StringArray, StringBuilder, StructArray, new_null_array,
};
use arrow::compute::{self, interleave};
use arrow::datatypes::{DataType, Field, Fields, Int64Type, UInt64Type};
use plan::project::Stitch;

use super::Union;
use super::bucket_file::{hashes, too_wide};
use super::fragments::{ADDRESS, Clock, NAMESPACES, TIME};
use crate::error::Error;
use crate::fields::PROFILE_FIELD;
use crate::row_set::Address;

/// The most records of one person. A value that stands for nobody, such as `unknown`, has more.
pub(crate) const RECORDS_MAX: usize = 10_000;

/// Where a record stands among the batches of a bucket.
pub(super) type Place = (usize, usize);

/// Records of one bucket, those of a person together and ranked.
pub(super) struct Bucket<'a> {
    union: &'a Union,
    batches: &'a [RecordBatch],
    records: Vec<Record>,
}

/// The order of its fields is the rank.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Record {
    hash: u128,
    precedence: u16,
    newest_first: Reverse<Option<i64>>,
    address: u64,
    place: Place,
}

/// A profile whose records stand in a range of those of its bucket.
pub(super) type Group = Range<usize>;

impl<'a> Bucket<'a> {
    pub(super) fn new(union: &'a Union, batches: &'a [RecordBatch]) -> Self {
        let mut records = Vec::with_capacity(batches.iter().map(RecordBatch::num_rows).sum());
        for (number, batch) in batches.iter().enumerate() {
            let addresses = batch.column(ADDRESS).as_primitive::<UInt64Type>();
            let times = batch.column(TIME).as_primitive::<Int64Type>();
            for (row, hash) in hashes(batch).enumerate() {
                let address = addresses.value(row);
                let source = union.source_of(Address(address).morsel());
                records.push(Record {
                    hash,
                    precedence: union.sources[source].precedence,
                    newest_first: Reverse(times.is_valid(row).then(|| times.value(row))),
                    address,
                    place: (number, row),
                });
            }
        }
        records.sort_unstable();
        Self { union, batches, records }
    }

    /// The profiles in the order of their hashes, and how many were left out for having too many
    /// records.
    pub(super) fn groups(&self) -> (Vec<Group>, u64) {
        let (mut groups, mut too_many, mut start) = (Vec::new(), 0, 0);
        for group in self.records.chunk_by(|left, right| left.hash == right.hash) {
            if group.len() > RECORDS_MAX {
                too_many += 1;
            } else {
                groups.push(start..start + group.len());
            }
            start += group.len();
        }
        (groups, too_many)
    }

    /// Where the records of a profile stand, best first.
    pub(super) fn places(&self, group: &Group) -> impl Iterator<Item = Place> {
        self.records[group.clone()].iter().map(|record| record.place)
    }

    /// Where the value of a column of a profile comes from, if any record has one.
    pub(super) fn winner(&self, group: &Group, column: usize) -> Option<Place> {
        self.places(group).find(|&(batch, row)| self.batches[batch].column(column).is_valid(row))
    }

    /// The dataset and the time of a record.
    pub(super) fn origin(&self, place: Place) -> (usize, Option<i64>) {
        let batch = &self.batches[place.0];
        let address = batch.column(ADDRESS).as_primitive::<UInt64Type>().value(place.1);
        let times = batch.column(TIME).as_primitive::<Int64Type>();
        let time = times.is_valid(place.1).then(|| times.value(place.1));
        (self.union.source_of(Address(address).morsel()), time)
    }

    /// The leaf columns of profiles.
    pub(super) fn leaves(&self, groups: &[Group]) -> Result<Vec<ArrayRef>, Error> {
        let first = NAMESPACES + self.union.namespaces.len();
        let leaves = self.union.leaves.leaves.iter().enumerate();
        leaves
            .map(|(number, leaf)| {
                let column = first + number;
                // What no record has is taken from one more array, of one null.
                let nothing = new_null_array(&leaf.data_type, 1);
                let mut arrays: Vec<&dyn Array> =
                    self.batches.iter().map(|batch| batch.column(column).as_ref()).collect();
                arrays.push(&nothing);
                let nowhere = (self.batches.len(), 0);
                let places: Vec<Place> = groups
                    .iter()
                    .map(|group| self.winner(group, column).unwrap_or(nowhere))
                    .collect();
                interleave(&arrays, &places).map_err(|_| too_wide())
            })
            .collect()
    }

    /// What Segue itself knows of profiles; its type is that of [`profile_field`].
    pub(super) fn known(&self, groups: &[Group]) -> Result<ArrayRef, Error> {
        let broken = |_| Error::internal("what is known of profiles does not fit its type");
        let mut namespaces = StringBuilder::new();
        let mut values = StringBuilder::new();
        let mut identities = identity_builder();
        let mut latest = Vec::with_capacity(groups.len());
        for group in groups {
            let all = self.identities(group);
            let (namespace, value) = self.key(group, &all)?;
            namespaces.append_value(&self.union.namespaces[namespace]);
            values.append_value(value);
            append_identities(&mut identities, self.union, &all).map_err(broken)?;
            let times = self.records[group.clone()].iter().map(|record| record.newest_first.0);
            latest.push(times.max().flatten());
        }
        let hashes: Vec<u8> =
            groups.iter().flat_map(|group| self.records[group.start].hash.to_be_bytes()).collect();
        let latest: Int64Array = latest.into_iter().collect();
        let latest = compute::cast(&latest, &self.union.clock.data_type()).map_err(broken)?;
        let columns: Vec<ArrayRef> = vec![
            Arc::new(FixedSizeBinaryArray::try_new(16, hashes.into(), None).map_err(broken)?),
            Arc::new(namespaces.finish()),
            Arc::new(values.finish()),
            latest,
            Arc::new(identities.finish()),
        ];
        let fields = known_fields(self.union.clock);
        Ok(Arc::new(StructArray::try_new(fields, columns, None).map_err(broken)?))
    }

    /// All identities of a profile: positions of namespaces, and values, sorted.
    pub(super) fn identities(&self, group: &Group) -> BTreeSet<(usize, &'a str)> {
        let mut all = BTreeSet::new();
        for record in &self.records[group.clone()] {
            let (batch, row) = record.place;
            for namespace in 0..self.union.namespaces.len() {
                let values = self.batches[batch].column(NAMESPACES + namespace);
                let values: &StringArray = values.as_string::<i32>();
                if values.is_valid(row) {
                    all.insert((namespace, values.value(row)));
                }
            }
        }
        all
    }

    /// The identity that a profile is known by: the primary one, which all of its records share, or
    /// the first of all in the order of namespaces and then of texts.
    pub(super) fn key(
        &self,
        group: &Group,
        all: &BTreeSet<(usize, &'a str)>,
    ) -> Result<(usize, &'a str), Error> {
        let missing = || Error::internal("a profile has no identity");
        match self.union.stitch {
            Stitch::Graph => all.first().copied().ok_or_else(missing),
            Stitch::None => {
                let (batch, row) = self.records[group.start].place;
                let (source, _) = self.origin((batch, row));
                let primary = self.union.sources[source].identities.first().ok_or_else(missing)?;
                let values = self.batches[batch].column(NAMESPACES + primary.namespace);
                let value = values.as_string::<i32>().value(row);
                all.get(&(primary.namespace, value)).copied().ok_or_else(missing)
            }
        }
    }
}

/// The columns of [`PROFILE_FIELD`].
fn known_fields(clock: Clock) -> Fields {
    let list = DataType::List(Arc::new(Field::new_list_field(DataType::Utf8, false)));
    let entries = vec![Field::new("key", DataType::Utf8, false), Field::new("value", list, false)];
    let entries = Field::new("entries", DataType::Struct(entries.into()), false);
    Fields::from(vec![
        Field::new("hash", DataType::FixedSizeBinary(16), false),
        Field::new("namespace", DataType::Utf8, false),
        Field::new("value", DataType::Utf8, false),
        Field::new("latest", clock.data_type(), true),
        Field::new("identityMap", DataType::Map(Arc::new(entries), false), false),
    ])
}

/// What Segue itself knows of a profile: the hash of its key, the key's namespace and value, its
/// latest timestamp, and all of its identities by namespace.
pub(super) fn profile_field(clock: Clock) -> Field {
    Field::new(PROFILE_FIELD, DataType::Struct(known_fields(clock)), false)
}

type IdentityBuilder = MapBuilder<StringBuilder, ListBuilder<StringBuilder>>;

fn identity_builder() -> IdentityBuilder {
    let names = MapFieldNames {
        entry: "entries".to_owned(),
        key: "key".to_owned(),
        value: "value".to_owned(),
    };
    let item = Field::new_list_field(DataType::Utf8, false);
    let lists = ListBuilder::new(StringBuilder::new()).with_field(item.clone());
    let list = Field::new("value", DataType::List(Arc::new(item)), false);
    MapBuilder::new(Some(names), StringBuilder::new(), lists).with_values_field(list)
}

/// Adds the identities of one profile, by the name of their namespace.
fn append_identities(
    identities: &mut IdentityBuilder,
    union: &Union,
    all: &BTreeSet<(usize, &str)>,
) -> Result<(), arrow::error::ArrowError> {
    let mut named: Vec<(&str, &str)> = all
        .iter()
        .map(|&(namespace, value)| (union.namespaces[namespace].as_str(), value))
        .collect();
    named.sort_unstable();
    for namespace in named.chunk_by(|left, right| left.0 == right.0) {
        identities.keys().append_value(namespace[0].0);
        for (_, value) in namespace {
            identities.values().values().append_value(value);
        }
        identities.values().append(true);
    }
    identities.append(true)
}
