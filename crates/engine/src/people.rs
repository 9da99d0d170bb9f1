//! Whose data is in which file of a run: taken down while its rows are written, and asked afterwards.
//!
//! ```text
//! rows ──▶ whose they are (64 bits each) ──▶ ranges, file by file ──▶ the record of the run
//! ```
//!
//! What stands for a person is a hash of the identity that the profile is known by; of a row that is
//! about an identity, that one's too ([`hash_of`]). There are no values in a record, and neither can they
//! be had from it but by trying.
//!
//! A record is complete: whoever is not in it is in no file of the run. Two people with the same 64
//! bits would be taken for one, which among a hundred million of them happens to one question in a
//! hundred thousand million.

mod read;
#[cfg(test)]
mod tests;
mod write;

use std::ops::Range;

use arrow::array::{RecordBatch, StringViewArray, UInt64Array};
use plan::Query;
use twox_hash::XxHash3_128;

pub use self::read::{Found, everybody_in};
pub use self::write::{Pending, Recorder};
use crate::error::Error;
use crate::identity_rows;
use crate::increment::texts;
use crate::path::Steps;
use crate::survey::Survey;

/// What stands for nobody.
pub(crate) const NOBODY: u64 = 0;

/// Begins what is hashed of a profile's identity. No text is so long that a deduplication key would
/// begin like this.
const PROFILE_MARK: u8 = 0xff;

/// Begins the bytes that stand for an identity.
pub(crate) fn begin_identity(bytes: &mut Vec<u8>) {
    bytes.clear();
    bytes.push(PROFILE_MARK);
}

/// Appends a text so that no two lists of texts give the same bytes.
pub(crate) fn append(bytes: &mut Vec<u8>, text: &str) {
    bytes.extend_from_slice(&(text.len() as u64).to_le_bytes());
    bytes.extend_from_slice(text.as_bytes());
}

/// The part of the hash of an identity that a record keeps.
pub(crate) fn shortened(hash: u128) -> u64 {
    // Nobody has the number of nobody.
    ((hash >> 64) as u64).max(NOBODY + 1)
}

/// What stands for somebody in records.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PersonHash {
    /// A hash of an identity that costs as little as can be: of each row one is made.
    row: u64,
    /// A part of the hash that baselines have: of those who are gone it is all that is known.
    entity: u64,
}

impl PersonHash {
    /// Whether a number of a record stands for the person.
    pub fn is(self, number: u64) -> bool {
        self.row == number || self.entity == number
    }

    /// The numbers of records that stand for the person.
    pub(crate) fn numbers(self) -> [u64; 2] {
        [self.row, self.entity]
    }
}

/// What stands for whoever has an identity.
pub fn hash_of(namespace: &str, value: &str) -> PersonHash {
    let mut bytes = Vec::new();
    begin_identity(&mut bytes);
    append(&mut bytes, namespace);
    append(&mut bytes, value);
    let entity = shortened(XxHash3_128::oneshot(&bytes));
    PersonHash { row: row_hash(seed_of(namespace), value), entity }
}

/// What the hashes of identities of a namespace begin with.
fn seed_of(namespace: &str) -> u64 {
    (XxHash3_128::oneshot(namespace.as_bytes()) >> 64) as u64
}

fn row_hash(seed: u64, value: &str) -> u64 {
    shortened(XxHash3_128::oneshot_with_seed(seed, value.as_bytes()))
}

/// Whose the rows of a batch are.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct People {
    /// By the identity that the profile is known by; [`NOBODY`] where it has none.
    profiles: Vec<u64>,
    /// By the identity that the row is about; nothing where rows are about profiles.
    identities: Vec<u64>,
}

impl People {
    pub(crate) fn of_profiles(profiles: Vec<u64>) -> Self {
        Self { profiles, identities: Vec::new() }
    }

    /// By the identities of profiles, as a column.
    pub(crate) fn column(self) -> UInt64Array {
        self.profiles.into()
    }

    /// The same without the rows at some positions, which are rising.
    #[must_use]
    pub fn without(mut self, rows: &[u32]) -> Self {
        for people in [&mut self.profiles, &mut self.identities] {
            if rows.is_empty() || people.is_empty() {
                continue;
            }
            let (mut row, mut left_out) = (0, rows.iter().peekable());
            people.retain(|_| {
                let is_left_out = left_out.next_if(|&&position| position as usize == row).is_some();
                row += 1;
                !is_left_out
            });
        }
        self
    }

    /// The most numbers that rows have.
    fn most(&self, rows: &Range<usize>) -> usize {
        if self.identities.is_empty() { rows.len() } else { 2 * rows.len() }
    }

    /// Appends what stands for the people of some rows, and returns how many rows are of nobody.
    fn put(&self, rows: Range<usize>, all: &mut Vec<u64>) -> u64 {
        let before = all.len();
        let profiles = &self.profiles[rows.clone()];
        match profiles.contains(&NOBODY) {
            // The usual case is a copy.
            false => all.extend_from_slice(profiles),
            true => all.extend(profiles.iter().filter(|person| **person != NOBODY)),
        }
        let Some(identities) = self.identities.get(rows).filter(|it| !it.is_empty()) else {
            return (profiles.len() - (all.len() - before)) as u64;
        };
        all.extend(identities.iter().filter(|person| **person != NOBODY));
        let both = profiles.iter().zip(identities);
        both.filter(|both| *both == (&NOBODY, &NOBODY)).count() as u64
    }
}

/// Tells whose the rows of a selection are.
#[derive(Debug, Clone)]
pub(crate) struct Whose {
    columns: usize,
    /// Positions in the batch of what tells profiles apart.
    profile: Vec<usize>,
    /// The namespace of profiles, where it is not among the columns.
    namespace: Option<String>,
    /// Position and namespace of the identity that a row is about.
    identity: Option<(usize, String)>,
}

impl Whose {
    /// What has to be read besides the columns of a selection.
    pub(crate) fn hidden(query: &Query, survey: &Survey) -> Vec<Steps> {
        let identity = query.identity_namespace().map(|_| identity_rows::of_row());
        survey.key.columns.iter().cloned().chain(identity).collect()
    }

    /// For batches with so many columns, behind which stands what is [hidden](Whose::hidden).
    pub(crate) fn new(query: &Query, survey: &Survey, columns: usize) -> Self {
        let behind = columns + survey.key.columns.len();
        let identity = query.identity_namespace().map(|namespace| (behind, namespace));
        Self { identity, ..Self::of_profiles(survey, columns) }
    }

    /// For batches with so many columns, behind which stands what tells profiles apart.
    pub(crate) fn of_profiles(survey: &Survey, columns: usize) -> Self {
        let profile = (columns..columns + survey.key.columns.len()).collect();
        Self { columns, profile, namespace: survey.key.namespace.clone(), identity: None }
    }

    /// How many columns are not hidden.
    pub(crate) fn columns(&self) -> usize {
        self.columns
    }

    /// Tells it of each row.
    pub(crate) fn tell(&self, batch: &RecordBatch) -> Result<People, Error> {
        let profile = self.profile.iter().map(|&column| texts(batch.column(column)));
        let profile = profile.collect::<Result<Vec<_>, _>>()?;
        let profiles = match (profile.as_slice(), &self.namespace) {
            ([value], Some(namespace)) => hashes(namespace, value),
            ([namespace, value], _) => hashes_of_named(namespace, value),
            _ => vec![NOBODY; batch.num_rows()],
        };
        let identities = match &self.identity {
            None => Vec::new(),
            Some((column, namespace)) => hashes(namespace, &texts(batch.column(*column))?),
        };
        Ok(People { profiles, identities })
    }
}

/// Hashes identities of one namespace; a row without one is nobody's.
fn hashes(namespace: &str, values: &StringViewArray) -> Vec<u64> {
    let seed = seed_of(namespace);
    let hash = |value: Option<&str>| match value {
        Some(value) if !value.is_empty() => row_hash(seed, value),
        _ => NOBODY,
    };
    values.iter().map(hash).collect()
}

/// The same of identities that say their namespace.
fn hashes_of_named(namespaces: &StringViewArray, values: &StringViewArray) -> Vec<u64> {
    let mut last = (String::new(), seed_of(""));
    let hash = |(namespace, value): (Option<&str>, Option<&str>)| match (namespace, value) {
        (Some(namespace), Some(value)) if !value.is_empty() => {
            if last.0 != namespace {
                last = (namespace.to_owned(), seed_of(namespace));
            }
            row_hash(last.1, value)
        }
        _ => NOBODY,
    };
    namespaces.iter().zip(values).map(hash).collect()
}
