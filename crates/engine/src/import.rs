//! Imported segments: the profiles that a file of identities names.
//!
//! The identities of the file are hashed and sorted into buckets, each once. Few of them make a table
//! that the profiles are looked up in; of many, the identities of the profiles are sorted into the same
//! buckets, and one bucket of both sides is in memory at a time. What comes out is one bit for each
//! profile.

use std::collections::{BTreeSet, HashSet};
use std::io::{self, Read};
use std::sync::{Arc, Mutex, PoisonError};

use arrow::array::{Array, AsArray, RecordBatch};
use arrow::datatypes::DataType;
use futures::TryStreamExt;
use plan::field::Step;
use plan::project::{Dataset, Identity};

use crate::engine::Settings;
use crate::error::{Error, Kind};
use crate::fields::PROFILE_FIELD;
use crate::members::Members;
use crate::merge::{Content, identity};
use crate::ordered::{Ordered, Outlet, Stop};
use crate::path::Steps;
use crate::row_set::{Address, RowSet};
use crate::snapshot::Snapshot;
use crate::spill::{BUCKETS, Buckets, Sorted, read_part};
use crate::store::blocking;
use crate::survey::Survey;

/// Bytes that an identity takes in a table.
const TABLE_ENTRY_BYTES: u64 = 40;
/// The part of the memory that a table of identities may take; more are compared bucket by bucket.
const TABLE_SHARE: usize = 8;

/// What an imported segment came to.
#[derive(Debug)]
pub(crate) struct Imported {
    pub(crate) members: Members,
    /// Identities of the file without a profile.
    pub(crate) without_profile: u64,
    /// Records of the file without an identity.
    pub(crate) without_identity: u64,
}

/// Finds the profiles that the file of an imported segment names.
///
/// # Errors
/// The file or the profiles cannot be read; the file has no such field; nothing tells the profiles
/// apart.
pub(crate) async fn import(
    file: &Snapshot,
    profiles: &Content,
    datasets: &[Snapshot],
    settings: &Settings,
) -> Result<Imported, Error> {
    let wanted = wanted(file)?;
    let column = identity::Column::new(wanted, &[]);
    let survey = file.survey(settings.threads).await?;
    column.check(&survey.schema).map_err(|error| in_import(error, file))?;
    let namespace = Arc::<str>::from(wanted.namespace.as_str());
    let source = Identities::Column(vec![column]);
    let listed = Pass { survey: Arc::clone(survey), source, namespace: Arc::clone(&namespace) };
    let (listed, without_identity) = sort(listed, None, settings).await?;
    let table_max = (settings.memory_bytes / TABLE_SHARE) as u64 / TABLE_ENTRY_BYTES;
    let look = move || -> Result<_, Error> {
        let count = count_distinct(&listed)?;
        let table = (count <= table_max).then(|| table(&listed)).transpose()?;
        Ok((listed, table.map(Arc::new), count))
    };
    let (listed, table, count) = blocking(look).await?;
    let source = Identities::of_profiles(profiles, datasets, &namespace);
    let pass = Pass { survey: Arc::clone(&profiles.survey), source, namespace };
    let (found, _) = sort(pass, table, settings).await?;
    let join = move || join(&listed, &found);
    let (set, matched) = blocking(join).await?;
    let members = Members { set, since: None };
    Ok(Imported { members, without_profile: count - matched, without_identity })
}

fn wanted(file: &Snapshot) -> Result<&Identity, Error> {
    let dataset: &Dataset = &file.dataset;
    dataset.identities.first().ok_or_else(|| Error::internal("an import without an identity"))
}

fn in_import(error: Error, file: &Snapshot) -> Error {
    match error.place().and_then(|place| place.field.clone()) {
        Some(field) if error.code() == "unknown_field" => {
            let message =
                format!("the file of imported segment `{}` has no such field", file.dataset.key);
            Error::new(Kind::Invalid, "unknown_field", message).at_field(field)
        }
        _ => error,
    }
}

/// Where the identities of a namespace are.
enum Identities {
    /// In columns.
    Column(Vec<identity::Column>),
    /// In what is known of merged profiles.
    Merged(Steps),
}

impl Identities {
    fn of_profiles(profiles: &Content, datasets: &[Snapshot], namespace: &str) -> Self {
        if profiles.is_merged {
            let path = [PROFILE_FIELD, "identityMap"].map(|name| Step::Field(name.to_owned()));
            let mut path = path.to_vec();
            path.push(Step::Key(namespace.to_owned()));
            return Self::Merged(Steps(path));
        }
        let identities = datasets.iter().flat_map(|dataset| &dataset.dataset.identities);
        let of_namespace = identities.filter(|identity| identity.namespace == namespace);
        Self::Column(of_namespace.map(|identity| identity::Column::new(identity, &[])).collect())
    }

    fn needed(&self) -> BTreeSet<Steps> {
        match self {
            Self::Column(columns) => columns.iter().map(|column| column.path.clone()).collect(),
            Self::Merged(path) => BTreeSet::from([path.clone()]),
        }
    }

    /// Hands over the identities of each record, with its position; returns how many have none.
    fn each(&self, records: &RecordBatch, mut each: impl FnMut(usize, &str)) -> Result<u64, Error> {
        let mut with_identity = 0;
        match self {
            Self::Column(columns) => {
                for column in columns {
                    let values = column.values(records)?;
                    for (row, value) in values.iter().enumerate() {
                        let Some(value) = value else { continue };
                        with_identity += 1;
                        each(row, value);
                    }
                }
            }
            Self::Merged(path) => {
                let list = DataType::List(Arc::new(arrow::datatypes::Field::new_list_field(
                    DataType::Utf8,
                    false,
                )));
                let lists = path
                    .extract(records, &list)
                    .map_err(|_| Error::internal("identities of profiles cannot be read"))?;
                let lists = lists.as_list::<i32>();
                for row in (0..lists.len()).filter(|&row| lists.is_valid(row)) {
                    let values = lists.value(row);
                    for value in values.as_string::<i32>().iter().flatten() {
                        with_identity += 1;
                        each(row, value);
                    }
                }
            }
        }
        Ok((records.num_rows() as u64).saturating_sub(with_identity))
    }
}

/// A pass over the identities of one namespace.
struct Pass {
    survey: Arc<Survey>,
    source: Identities,
    namespace: Arc<str>,
}

/// Sorts identities into buckets, hash and address; with a table only those that are in it. Returns
/// how many records have none.
async fn sort(
    pass: Pass,
    table: Option<Arc<HashSet<u128>>>,
    settings: &Settings,
) -> Result<(Sorted, u64), Error> {
    let buckets = Arc::new(Mutex::new(Buckets::new(settings.limits())));
    let (shared, count) = (Arc::clone(&buckets), pass.survey.morsels.len());
    let needed = pass.source.needed();
    let mut jobs: Ordered<u64, Error> =
        Ordered::new(count, settings.threads, move |morsel, outlet: &Outlet<u64, Error>| {
            let location = pass.survey.location(morsel);
            let failed = |error: Error| Stop::Failed(error.in_file_if_untold(location));
            let (mut first_row, mut without) = (0, 0);
            for records in pass.survey.read(morsel, &needed).map_err(failed)? {
                let records = records.map_err(failed)?;
                let mut found = Vec::new();
                without += pass
                    .source
                    .each(&records, |row, value| {
                        let hash = identity::hash(&pass.namespace, value);
                        if table.as_ref().is_none_or(|table| table.contains(&hash)) {
                            found.push((hash, Address::new(morsel, first_row + row as u64)));
                        }
                    })
                    .map_err(failed)?;
                let mut buckets = shared.lock().unwrap_or_else(PoisonError::into_inner);
                let push = |(hash, address): (u128, Address)| {
                    let parts: [&[u8]; 2] = [&hash.to_le_bytes(), &address.0.to_le_bytes()];
                    buckets.push(identity::upper(hash), &parts)
                };
                found.into_iter().try_for_each(push).map_err(failed)?;
                first_row += records.num_rows() as u64;
            }
            Ok(outlet.send(without)?)
        });
    let mut without = 0;
    while let Some(more) = jobs.try_next().await? {
        without += more;
    }
    drop(jobs);
    let buckets =
        Arc::into_inner(buckets).ok_or_else(|| Error::internal("a job outlived its stream"))?;
    Ok((buckets.into_inner().unwrap_or_else(PoisonError::into_inner).finish(), without))
}

/// The entries of one bucket, sorted by hash.
fn entries(bytes: &mut dyn Read) -> io::Result<Vec<(u128, Address)>> {
    let (mut found, mut part) = (Vec::new(), Vec::new());
    while read_part(bytes, &mut part, 24)? {
        let hash = part[..16].try_into().map_or(0, u128::from_le_bytes);
        let address = part[16..].try_into().map_or(0, u64::from_le_bytes);
        found.push((hash, Address(address)));
    }
    found.sort_unstable();
    Ok(found)
}

/// How many identities a file lists, each counted once.
fn count_distinct(listed: &Sorted) -> Result<u64, Error> {
    let mut count = 0;
    for bucket in 0..BUCKETS {
        let mut entries = listed.read(bucket, entries)?;
        entries.dedup_by_key(|(hash, _)| *hash);
        count += entries.len() as u64;
    }
    Ok(count)
}

fn table(listed: &Sorted) -> Result<HashSet<u128>, Error> {
    let mut table = HashSet::new();
    for bucket in 0..BUCKETS {
        table.extend(listed.read(bucket, entries)?.into_iter().map(|(hash, _)| hash));
    }
    Ok(table)
}

/// The records among `found` with an identity that is listed, and how many identities have one.
fn join(listed: &Sorted, found: &Sorted) -> Result<(RowSet, u64), Error> {
    let (mut set, mut matched) = (RowSet::default(), 0);
    for bucket in 0..BUCKETS {
        let mut listed = listed.read(bucket, entries)?;
        listed.dedup_by_key(|(hash, _)| *hash);
        let mut found = found.read(bucket, entries)?.into_iter().peekable();
        for (hash, _) in listed {
            while found.next_if(|(other, _)| *other < hash).is_some() {}
            let mut has_profile = false;
            while let Some((_, address)) = found.next_if(|(other, _)| *other == hash) {
                set.insert(address);
                has_profile = true;
            }
            matched += u64::from(has_profile);
        }
    }
    Ok((set, matched))
}
