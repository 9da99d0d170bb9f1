//! Where profiles stand, by their identities.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch};
use arrow::compute;
use arrow::datatypes::DataType;
use futures::TryStreamExt;
use plan::field::Step;

use crate::engine::Settings;
use crate::error::Error;
use crate::fields::PROFILE_FIELD;
use crate::merge::Content;
use crate::merge::identity::{self, Column};
use crate::ordered::{Ordered, Outlet, Stop};
use crate::path::Steps;
use crate::profiles::Profiles;
use crate::row_set::Address;
use crate::spill::{Buckets, Sorted};
use crate::survey::Survey;

/// What a merged profile's identities are called.
const IDENTITIES: &str = "identityMap";

/// Where profiles stand.
pub(super) struct People {
    /// By the hash of an identity: the hash, and the address of a profile that has it.
    pub(super) identities: Arc<Sorted>,
    /// The number of the first profile of each morsel, and behind the last.
    pub(super) starts: Arc<[u64]>,
}

/// Where identities are read from.
enum Form {
    /// Fields of the records, each with its namespace.
    Fields(Vec<(Column, String)>),
    /// What is known of merged profiles.
    Merged(Steps),
}

/// Reads the identities of all profiles in some namespaces.
pub(super) async fn find(
    profiles: &Profiles,
    content: &Content,
    namespaces: BTreeSet<String>,
    settings: &Settings,
) -> Result<People, Error> {
    let survey = &content.survey;
    let form = match content.is_merged {
        true => {
            let names = [PROFILE_FIELD, IDENTITIES];
            Form::Merged(Steps(names.map(|it| Step::Field(it.to_owned())).to_vec()))
        }
        false => {
            let identities = profiles.snapshots.iter().flat_map(|it| &it.dataset.identities);
            let asked = identities.filter(|it| namespaces.contains(&it.namespace));
            let column = |it: &plan::project::Identity| {
                let namespace = it.namespace.clone();
                (Column::new(it, std::slice::from_ref(&namespace)), namespace)
            };
            Form::Fields(asked.map(column).collect())
        }
    };
    let needed: BTreeSet<Steps> = match &form {
        Form::Merged(path) => std::iter::once(path.clone()).collect(),
        Form::Fields(columns) => columns.iter().map(|(column, _)| column.path.clone()).collect(),
    };
    let shared = Arc::new(Shared {
        survey: Arc::clone(survey),
        form,
        namespaces,
        needed,
        buckets: Mutex::new(Buckets::new(settings.limits())),
        rows: Mutex::new(vec![0; survey.morsels.len()]),
    });
    let job = Arc::clone(&shared);
    let count = survey.morsels.len();
    let mut jobs: Ordered<(), Error> =
        Ordered::new(count, settings.threads, move |morsel, _: &Outlet<(), Error>| {
            job.morsel(morsel).map_err(Stop::Failed)
        });
    while jobs.try_next().await?.is_some() {}
    drop(jobs);
    let shared =
        Arc::into_inner(shared).ok_or_else(|| Error::internal("a job outlived its stream"))?;
    let rows = shared.rows.into_inner().unwrap_or_else(PoisonError::into_inner);
    let mut starts = vec![0];
    for rows in rows {
        starts.push(starts[starts.len() - 1] + rows);
    }
    let identities = shared.buckets.into_inner().unwrap_or_else(PoisonError::into_inner);
    Ok(People { identities: Arc::new(identities.finish()), starts: starts.into() })
}

struct Shared {
    survey: Arc<Survey>,
    form: Form,
    namespaces: BTreeSet<String>,
    needed: BTreeSet<Steps>,
    buckets: Mutex<Buckets>,
    rows: Mutex<Vec<u64>>,
}

impl Shared {
    fn morsel(&self, morsel: usize) -> Result<(), Error> {
        let placed = |error: Error| error.in_file(self.survey.location(morsel));
        let mut first_row = 0;
        for records in self.survey.read(morsel, &self.needed).map_err(placed)? {
            let records = records.map_err(placed)?;
            let found = self.identities(&records).map_err(placed)?;
            let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
            for (hash, row) in found {
                let address = Address::new(morsel, first_row + row as u64);
                let parts: [&[u8]; 2] = [&hash.to_be_bytes(), &address.0.to_le_bytes()];
                buckets.push(identity::upper(hash), &parts)?;
            }
            first_row += records.num_rows() as u64;
        }
        self.rows.lock().unwrap_or_else(PoisonError::into_inner)[morsel] = first_row;
        Ok(())
    }

    /// The hashes of the identities of a batch, with the rows that have them.
    fn identities(&self, records: &RecordBatch) -> Result<Vec<(u128, usize)>, Error> {
        let mut found = Vec::with_capacity(records.num_rows());
        match &self.form {
            Form::Fields(columns) => {
                for (column, namespace) in columns {
                    for (row, value) in column.values(records)?.iter().enumerate() {
                        found.extend(value.map(|value| (identity::hash(namespace, value), row)));
                    }
                }
            }
            Form::Merged(_) => self.merged(records, &mut found)?,
        }
        Ok(found)
    }

    fn merged(&self, records: &RecordBatch, found: &mut Vec<(u128, usize)>) -> Result<(), Error> {
        let wrong = || Error::internal("merged profiles have no identities");
        let known = records.column_by_name(PROFILE_FIELD).ok_or_else(wrong)?;
        let map = known.as_struct_opt().and_then(|known| known.column_by_name(IDENTITIES));
        let map = map.and_then(|map| map.as_map_opt()).ok_or_else(wrong)?;
        let keys = text(map.keys())?;
        let keys = keys.as_string::<i32>();
        let lists = map.values().as_list_opt::<i32>().ok_or_else(wrong)?;
        let values = text(lists.values())?;
        let values = values.as_string::<i32>();
        for row in 0..map.len() {
            let entries = map.offsets()[row] as usize..map.offsets()[row + 1] as usize;
            for entry in entries.filter(|&entry| self.namespaces.contains(keys.value(entry))) {
                let of = lists.offsets()[entry] as usize..lists.offsets()[entry + 1] as usize;
                found.extend(
                    of.map(|at| (identity::hash(keys.value(entry), values.value(at)), row)),
                );
            }
        }
        Ok(())
    }
}

fn text(array: &ArrayRef) -> Result<ArrayRef, Error> {
    compute::cast(array, &DataType::Utf8).map_err(|_| Error::internal("identities are no texts"))
}
