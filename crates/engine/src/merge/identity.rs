//! Identities: a namespace and a value, and the hash that stands for both.

use arrow::array::{Array, AsArray, RecordBatch, StringViewArray};
use arrow::datatypes::DataType;
use plan::project::Identity;

use crate::error::Error;
use crate::fields;
use crate::path::Steps;

/// A field of a dataset that holds identities.
#[derive(Debug, Clone)]
pub(crate) struct Column {
    pub(crate) path: Steps,
    /// The position of its namespace among those of the union.
    pub(crate) namespace: usize,
}

impl Column {
    pub(crate) fn new(identity: &Identity, namespaces: &[String]) -> Self {
        let namespace = namespaces.iter().position(|known| *known == identity.namespace);
        Self { path: Steps::from(&identity.field), namespace: namespace.unwrap_or_default() }
    }

    /// The values as text, null where a record has none; an empty text is none.
    pub(crate) fn values(&self, records: &RecordBatch) -> Result<StringViewArray, Error> {
        let found = self.path.extract(records, &DataType::Utf8View).map_err(|_| {
            Error::input("", "an identity cannot be read as text").at_field(self.path.to_string())
        })?;
        let found = found.as_string_view();
        if (0..found.len()).all(|row| found.is_null(row) || !found.value(row).is_empty()) {
            return Ok(found.clone());
        }
        Ok(found.iter().map(|value| value.filter(|value| !value.is_empty())).collect())
    }

    /// Checks that the dataset has the field.
    pub(crate) fn check(&self, schema: &arrow::datatypes::Schema) -> Result<(), Error> {
        match self.path.data_type(schema).map(|found| fields::kind_of(&found).is_scalar()) {
            Some(true) => Ok(()),
            Some(false) => Err(Error::new(
                crate::Kind::Invalid,
                "identity_type",
                "an identity has to be a single value",
            )
            .at_field(self.path.to_string())),
            None => Err(Error::new(
                crate::Kind::Invalid,
                "unknown_field",
                "the dataset has no field of that name for its identity",
            )
            .at_field(self.path.to_string())),
        }
    }
}

/// What stands for an identity: 128 bits of BLAKE3 over namespace, a zero byte, and value. No two
/// identities that anybody can find have the same, so that records are never joined by chance.
///
/// A profile is known by the hash of its key from one run to the next: this never changes.
pub(crate) fn hash(namespace: &str, value: &str) -> u128 {
    let mut hasher = blake3::Hasher::new();
    hasher.update(namespace.as_bytes()).update(&[0]).update(value.as_bytes());
    let mut half = [0; 16];
    half.copy_from_slice(&hasher.finalize().as_bytes()[..16]);
    u128::from_be_bytes(half)
}

/// The upper half of a hash, for sorting into buckets.
pub(crate) fn upper(hash: u128) -> u64 {
    (hash >> 64) as u64
}

/// The identities of one record: positions of namespaces, and values.
pub(crate) fn of_record(
    columns: &[(usize, StringViewArray)],
    row: usize,
) -> impl Iterator<Item = (usize, &str)> {
    let present = columns.iter().filter(move |(_, values)| values.is_valid(row));
    present.map(move |(namespace, values)| (*namespace, values.value(row)))
}

/// The identity columns of a batch, each with the position of its namespace.
pub(crate) fn columns(
    columns: &[Column],
    records: &RecordBatch,
) -> Result<Vec<(usize, StringViewArray)>, Error> {
    columns.iter().map(|column| Ok((column.namespace, column.values(records)?))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hash_is_for_ever() {
        let text = format!("{:032x}", hash("Email", "ann@example.com"));
        insta::assert_snapshot!(text, @r#"
        713c6342581f70586b4ec913ab7673fa
        "#);
        assert_ne!(hash("a", "b"), hash("ab", ""));
    }
}
