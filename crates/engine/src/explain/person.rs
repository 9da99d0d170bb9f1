//! Finding the rows of a person by an identity, or why there are none.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use arrow::array::{Array, AsArray, RecordBatch, StringViewArray};
use arrow::compute::cast;
use arrow::datatypes::DataType;
use futures::TryStreamExt;
use plan::field::Step;
use plan::identity_rows::IDENTITY_MAP;
use plan::project::Stitch;

use super::PersonId;
use crate::error::{Error, Kind};
use crate::fields::PROFILE_FIELD;
use crate::identity_rows::IdentityPlaces;
use crate::merge::{IDENTITIES_MAX as MOST, Union, identity};
use crate::ordered::{Ordered, Outlet, Stop};
use crate::path::Steps;
use crate::profiles::Profiles;
use crate::row_set::Address;
use crate::store::blocking;
use crate::survey::Survey;

/// The most identities of one person.
const IDENTITIES_MAX: usize = MOST as usize;
/// The most rows that are collected: more than one person can have.
const ROWS_MAX: usize = 20_000;

/// Why records that have an identity are no profile.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LeftOut {
    /// None of them has a primary identity, and profiles are told apart by that.
    NoPrimaryIdentity {
        /// The datasets that the records are of.
        datasets: Vec<String>,
    },
    /// They are connected to more identities than one person can have.
    TooManyIdentities {
        /// How many a person can have.
        most: usize,
    },
    /// There are more of them than one person can have.
    TooManyRecords,
}

/// Checks that profiles can have identities of a namespace.
pub(super) fn check_namespace(profiles: &Profiles, namespace: &str) -> Result<(), Error> {
    let mut known: Vec<&str> = Vec::new();
    for identity in profiles.snapshots.iter().flat_map(|it| &it.dataset.identities) {
        if !known.contains(&identity.namespace.as_str()) {
            known.push(&identity.namespace);
        }
    }
    if known.contains(&namespace) {
        return Ok(());
    }
    let message = format!("no profile dataset has the namespace `{namespace}`");
    let error = Error::new(Kind::Invalid, "unknown_namespace", message);
    Err(match plan::nearest::nearest(namespace, known.iter().copied()) {
        Some(nearest) => error.with_hint(format!("Did you mean `{nearest}`?")),
        None => error.with_hint(format!("Known: {}.", known.join(", "))),
    })
}

/// A row that has the identity.
struct Match {
    /// The same for all rows of one person.
    person: u128,
    address: Address,
    /// Whether the person is known by the very identity.
    by_key: bool,
}

/// Finds the rows of the one person who has an identity.
pub(super) async fn find(
    survey: &Arc<Survey>,
    places: &IdentityPlaces,
    person: &PersonId,
    threads: usize,
) -> Result<Option<Vec<Address>>, Error> {
    let look = Look { survey: Arc::clone(survey), places: places.clone(), person: person.clone() };
    let morsels = survey.morsels.len();
    let mut found: Ordered<Vec<Match>, Error> =
        Ordered::new(morsels, threads, move |morsel, outlet: &Outlet<Vec<Match>, Error>| {
            let found = look.through(morsel).map_err(Stop::Failed)?;
            if !found.is_empty() {
                outlet.send(found)?;
            }
            Ok(())
        });
    let mut people: BTreeMap<u128, Vec<Address>> = BTreeMap::new();
    let (mut key, mut rows) = (None, 0);
    while let Some(matches) = found.try_next().await? {
        for found in matches {
            key = key.or(found.by_key.then_some(found.person));
            rows += 1;
            if rows < ROWS_MAX || key == Some(found.person) {
                people.entry(found.person).or_default().push(found.address);
            }
        }
    }
    // The key of a profile names it, whoever else has the identity too.
    if let Some(key) = key {
        return Ok(people.remove(&key));
    }
    match people.len() {
        0 | 1 => Ok(people.into_values().next()),
        several => Err(ambiguous(several)),
    }
}

fn ambiguous(count: usize) -> Error {
    let message = format!("{count} profiles have this identity");
    Error::new(Kind::Invalid, "ambiguous_identity", message)
        .with_hint("Name one of them by its primary identity.")
}

struct Look {
    survey: Arc<Survey>,
    places: IdentityPlaces,
    person: PersonId,
}

impl Look {
    fn through(&self, morsel: usize) -> Result<Vec<Match>, Error> {
        let known = |name: &str| Steps([PROFILE_FIELD, name].map(step).to_vec());
        let field = match &self.places {
            IdentityPlaces::Merged => None,
            IdentityPlaces::Fields(fields) => {
                let named = fields.iter().position(|(name, _)| *name == self.person.namespace);
                let Some(position) = named else { return Ok(Vec::new()) };
                Some((&fields[position].1, position == 0))
            }
        };
        let needed = match field {
            Some((field, _)) => BTreeSet::from([field.clone()]),
            None => BTreeSet::from([known("hash"), known(IDENTITY_MAP)]),
        };
        let (mut found, mut first_row) = (Vec::new(), 0);
        for records in self.survey.read(morsel, &needed)? {
            let records = records?;
            let mut add = |person: Option<u128>, row: usize, by_key: bool| {
                let address = Address::new(morsel, first_row + row as u64);
                let person = person.unwrap_or(u128::from(address.0));
                found.push(Match { person, address, by_key });
            };
            match field {
                Some((field, is_primary)) => {
                    let values = field.extract(&records, &DataType::Utf8View);
                    let values = values.map_err(|_| unreadable(field))?;
                    let values = values.as_string_view();
                    let has = |row: &usize| {
                        values.is_valid(*row) && values.value(*row) == self.person.value
                    };
                    (0..values.len()).filter(has).for_each(|row| add(None, row, is_primary));
                }
                None => self.in_merged(&records, &mut add)?,
            }
            first_row += records.num_rows() as u64;
        }
        Ok(found)
    }

    fn in_merged(
        &self,
        records: &RecordBatch,
        add: &mut impl FnMut(Option<u128>, usize, bool),
    ) -> Result<(), Error> {
        let lost = || Error::internal("merged profiles lack their identities");
        let known = records.column_by_name(PROFILE_FIELD).and_then(|it| it.as_struct_opt());
        let column = |name: &str| known.and_then(|it| it.column_by_name(name)).ok_or_else(lost);
        let asked = identity::hash(&self.person.namespace, &self.person.value);
        let (hashes, map) = (column("hash")?, column(IDENTITY_MAP)?);
        let map = map.as_map_opt().ok_or_else(lost)?;
        let lists = map.values().as_list_opt::<i32>().ok_or_else(lost)?;
        let views = |column: &dyn Array| -> Result<StringViewArray, Error> {
            let column = cast(column, &DataType::Utf8View).map_err(|_| lost())?;
            Ok(column.as_string_view().clone())
        };
        let (names, values) = (views(map.keys())?, views(lists.values())?);
        for (row, entries) in map.offsets().windows(2).enumerate() {
            let has = |entry: usize| {
                let list = lists.offsets()[entry] as usize..lists.offsets()[entry + 1] as usize;
                names.value(entry) == self.person.namespace
                    && list.clone().any(|value| values.value(value) == self.person.value)
            };
            if (entries[0] as usize..entries[1] as usize).any(has) {
                let hash = hashes.as_fixed_size_binary().value(row);
                let hash = hash.try_into().map_or(0, u128::from_be_bytes);
                add(Some(hash), row, hash == asked);
            }
        }
        Ok(())
    }
}

fn step(name: &str) -> Step {
    Step::Field(name.to_owned())
}

fn unreadable(field: &Steps) -> Error {
    Error::input("", "an identity cannot be read as text").at_field(field.to_string())
}

/// Why nobody has an identity that records have; nothing if none has.
pub(super) async fn left_out(
    profiles: &Profiles,
    person: &PersonId,
    threads: usize,
) -> Result<Option<LeftOut>, Error> {
    if profiles.snapshots.iter().all(|it| it.dataset.identities.is_empty()) {
        return Ok(None);
    }
    let union = Union::of(profiles, threads).await?;
    let asked = identity::hash(&person.namespace, &person.value);
    let look = move || reason(&union, asked);
    blocking(look).await
}

fn reason(union: &Union, asked: u128) -> Result<Option<LeftOut>, Error> {
    let mut connected = BTreeSet::from([asked]);
    loop {
        let before = connected.len();
        let found = Found::of(union, &mut connected)?;
        if found.datasets.is_empty() {
            return Ok(None);
        }
        if union.stitch == Stitch::None {
            return Ok(Some(match found.has_primary {
                true => LeftOut::TooManyRecords,
                false => LeftOut::NoPrimaryIdentity { datasets: found.datasets },
            }));
        }
        if connected.len() > IDENTITIES_MAX {
            return Ok(Some(LeftOut::TooManyIdentities { most: IDENTITIES_MAX }));
        }
        // Each round goes one step further, so there are not many.
        if connected.len() == before {
            return Ok(Some(LeftOut::TooManyRecords));
        }
    }
}

/// What one look through all records finds.
#[derive(Default)]
struct Found {
    /// Those with records that have one of the identities.
    datasets: Vec<String>,
    /// Whether any of those records has a primary identity.
    has_primary: bool,
}

impl Found {
    /// Looks for records with any of these identities, and adds those that they have besides.
    fn of(union: &Union, connected: &mut BTreeSet<u128>) -> Result<Self, Error> {
        let mut found = Self::default();
        for source in &union.sources {
            let needed: BTreeSet<Steps> =
                source.identities.iter().map(|column| column.path.clone()).collect();
            let primary = source.identities.first().map(|column| column.namespace);
            for morsel in 0..source.survey.morsels.len() {
                for records in source.survey.read(morsel, &needed)? {
                    let records = records?;
                    let columns = identity::columns(&source.identities, &records)?;
                    for row in 0..records.num_rows() {
                        let hashes: Vec<(usize, u128)> = identity::of_record(&columns, row)
                            .map(|(name, value)| {
                                (name, identity::hash(&union.namespaces[name], value))
                            })
                            .collect();
                        if !hashes.iter().any(|(_, hash)| connected.contains(hash)) {
                            continue;
                        }
                        if !found.datasets.contains(&source.key) {
                            found.datasets.push(source.key.clone());
                        }
                        found.has_primary |= hashes.iter().any(|(name, _)| Some(*name) == primary);
                        if connected.len() <= IDENTITIES_MAX {
                            connected.extend(hashes.iter().map(|(_, hash)| *hash));
                        }
                    }
                }
            }
        }
        Ok(found)
    }
}
