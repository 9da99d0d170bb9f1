//! Rows for identities: each profile once for every value that it has in a namespace.
//!
//! A mapping with `identityMap.Email` is about identities, not about people. Records are repeated
//! where they are read, each with one of its identities in a column of its own, so that whatever
//! comes after (rules, keys, increments) has rows as always. A profile without an identity of the
//! namespace stays one row without a value, for the count of those who are left out.
//!
//! What is known of profiles is known by the places of their records. Where a record may become
//! several rows, each of them says which record it is of.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use arrow::array::{
    ArrayRef, AsArray, RecordBatch, StringViewArray, StructArray, UInt32Array, UInt64Array,
};
use arrow::compute::{cast, take, take_record_batch};
use arrow::datatypes::{DataType, Field, Fields, Schema, SchemaRef, UInt64Type};
use plan::field::Step;
use plan::identity_rows::IDENTITY_MAP;

use crate::error::Error;
use crate::fields::{IDENTITY_FIELD, PROFILE_FIELD, RECORD_FIELD};
use crate::parquet_file::BATCH_ROWS_MAX;
use crate::path::Steps;

/// Under which name the column knows its namespace.
const NAMESPACE: &str = "namespace";

/// Where the identities of profiles are.
#[derive(Debug, Clone)]
pub(crate) enum IdentityPlaces {
    /// Records are profiles: in these fields, by namespace.
    Fields(Vec<(String, Steps)>),
    /// Profiles were merged: all together, in what is known of each.
    Merged,
}

/// Repeats records for the identities of one namespace.
#[derive(Debug, Clone)]
pub(crate) struct IdentityRows {
    namespace: String,
    /// The field of the one identity that each record has; none where they are together.
    field: Option<Steps>,
}

impl IdentityPlaces {
    /// How the records are repeated; nothing if no profile can have such an identity.
    pub(crate) fn rows(&self, namespace: &str) -> Option<IdentityRows> {
        let namespace = namespace.to_owned();
        match self {
            Self::Merged => Some(IdentityRows { namespace, field: None }),
            Self::Fields(fields) => {
                let (_, field) = fields.iter().find(|(known, _)| *known == namespace)?;
                Some(IdentityRows { namespace, field: Some(field.clone()) })
            }
        }
    }
}

impl IdentityRows {
    /// The fields of the rows: those of the records, and the identity.
    pub(crate) fn schema(&self, records: &Schema) -> SchemaRef {
        let metadata = HashMap::from([(NAMESPACE.to_owned(), self.namespace.clone())]);
        let field = Field::new(IDENTITY_FIELD, DataType::Utf8View, true).with_metadata(metadata);
        let mut fields: Vec<_> = records.fields().iter().cloned().collect();
        fields.push(Arc::new(field));
        if self.moves() {
            fields.push(record_field());
        }
        Arc::new(Schema::new(fields))
    }

    /// Whether rows stand at other places than their records.
    fn moves(&self) -> bool {
        self.field.is_none()
    }

    /// What has to be read of the records for `needed` fields of the rows.
    pub(crate) fn needed(&self, needed: &BTreeSet<Steps>) -> BTreeSet<Steps> {
        let is_own = |path: &&Steps| ![IDENTITY_FIELD, RECORD_FIELD].contains(&path.root());
        let own = needed.iter().filter(is_own).cloned();
        let map = || Steps([PROFILE_FIELD, IDENTITY_MAP].map(step).to_vec());
        own.chain([self.field.clone().unwrap_or_else(map)]).collect()
    }

    /// The rows of a batch of records, in batches that are not larger than any; `first` is the position
    /// of its first record in the morsel.
    pub(crate) fn of(&self, records: &RecordBatch, first: u64) -> Result<Vec<RecordBatch>, Error> {
        let Some(field) = &self.field else { return self.of_merged(records, first) };
        let values = field.extract(records, &DataType::Utf8View).map_err(|_| {
            Error::input("", "an identity cannot be read as text").at_field(field.to_string())
        })?;
        let values = values.as_string_view().iter().map(|it| it.filter(|it| !it.is_empty()));
        Ok(vec![with_identity(records, Arc::new(values.collect::<StringViewArray>()))?])
    }

    fn of_merged(&self, records: &RecordBatch, first: u64) -> Result<Vec<RecordBatch>, Error> {
        let known = records.column_by_name(PROFILE_FIELD).and_then(|it| it.as_struct_opt());
        let map = known.and_then(|it| it.column_by_name(IDENTITY_MAP)).ok_or_else(lost)?;
        let map = map.as_map_opt().ok_or_else(lost)?;
        let names = cast(map.keys(), &DataType::Utf8View).map_err(|_| lost())?;
        let is_asked = |entry: usize| names.as_string_view().value(entry) == self.namespace;
        let lists = map.values().as_list_opt::<i32>().ok_or_else(lost)?;
        let values = cast(lists.values(), &DataType::Utf8View).map_err(|_| lost())?;
        // The records that rows are of, and the places of their values.
        let (mut rows, mut places): (Vec<u32>, Vec<Option<u32>>) = (Vec::new(), Vec::new());
        for (row, entries) in map.offsets().windows(2).enumerate() {
            let mut entries = entries[0] as usize..entries[1] as usize;
            let entry = entries.find(|&entry| is_asked(entry));
            let range = entry.map(|entry| &lists.offsets()[entry..=entry + 1]);
            let range = range.map_or(0..0, |range| range[0] as u32..range[1] as u32);
            if range.is_empty() {
                rows.push(row as u32);
                places.push(None);
            }
            rows.extend(range.clone().map(|_| row as u32));
            places.extend(range.map(Some));
        }
        let is_one_each = rows.len() == records.num_rows();
        let chunks = rows.chunks(BATCH_ROWS_MAX).zip(places.chunks(BATCH_ROWS_MAX));
        let chunk = |(rows, places): (&[u32], &[Option<u32>])| {
            let values = take(&values, &UInt32Array::from(places.to_vec()), None);
            let values = values.map_err(|_| lost())?;
            let of: UInt64Array = rows.iter().map(|&row| first + u64::from(row)).collect();
            let repeated = match is_one_each && rows.len() == records.num_rows() {
                true => records.clone(),
                false => take_record_batch(records, &UInt32Array::from(rows.to_vec()))
                    .map_err(|_| lost())?,
            };
            with_column(&with_identity(&repeated, values)?, record_field(), Arc::new(of))
        };
        chunks.map(chunk).collect()
    }
}

fn record_field() -> Arc<Field> {
    Arc::new(Field::new(RECORD_FIELD, DataType::UInt64, false))
}

/// Which records of the morsel rows are of, where they stand at other places.
pub(crate) fn records_of(rows: &RecordBatch) -> Option<&[u64]> {
    let column = rows.column_by_name(RECORD_FIELD)?;
    Some(column.as_primitive_opt::<UInt64Type>()?.values())
}

fn step(name: &str) -> Step {
    Step::Field(name.to_owned())
}

fn lost() -> Error {
    Error::internal("merged profiles lack their identities")
}

fn with_identity(records: &RecordBatch, values: ArrayRef) -> Result<RecordBatch, Error> {
    let field = Arc::new(Field::new(IDENTITY_FIELD, DataType::Utf8View, true));
    with_column(records, field, values)
}

fn with_column(
    records: &RecordBatch,
    field: Arc<Field>,
    values: ArrayRef,
) -> Result<RecordBatch, Error> {
    let known = records.schema();
    let kept = known.fields().iter().zip(records.columns());
    let kept = kept.filter(|(known, _)| known.name() != field.name());
    let (mut fields, mut columns): (Vec<_>, Vec<_>) =
        kept.map(|(field, column)| (Arc::clone(field), Arc::clone(column))).unzip();
    fields.push(field);
    columns.push(values);
    RecordBatch::try_new(Arc::new(Schema::new(fields)), columns)
        .map_err(|_| Error::internal("rows for identities do not fit their schema"))
}

/// How columns see the identity of a row: as `identityMap.<namespace>`, whatever a dataset has under
/// that name. Rules see the dataset's fields only.
#[derive(Debug)]
pub(crate) struct IdentityView {
    field: Arc<Field>,
}

impl IdentityView {
    /// The view of rows that have an identity.
    pub(crate) fn of(schema: &Schema) -> Option<Self> {
        let field = schema.field_with_name(IDENTITY_FIELD).ok()?;
        let namespace = field.metadata().get(NAMESPACE)?;
        let inner = Fields::from(vec![Field::new(namespace, DataType::Utf8View, true)]);
        let field = Field::new(IDENTITY_MAP, DataType::Struct(inner), true);
        Some(Self { field: Arc::new(field) })
    }

    /// The fields that columns are made from.
    pub(crate) fn schema(&self, rows: &Schema) -> Schema {
        let own = rows.fields().iter().filter(|field| field.name() != IDENTITY_MAP);
        Schema::new(own.chain([&self.field]).cloned().collect::<Fields>())
    }

    /// The field of the rows that `path` leads to.
    pub(crate) fn source(&self, path: &Steps) -> Steps {
        match path.root() == IDENTITY_MAP {
            true => Steps(vec![step(IDENTITY_FIELD)]),
            false => path.clone(),
        }
    }

    /// The rows as columns see them.
    pub(crate) fn batch(&self, rows: &RecordBatch) -> Result<RecordBatch, Error> {
        let Some(values) = rows.column_by_name(IDENTITY_FIELD) else { return Ok(rows.clone()) };
        let DataType::Struct(inner) = self.field.data_type() else { return Ok(rows.clone()) };
        let values = StructArray::try_new(inner.clone(), vec![Arc::clone(values)], None);
        let values = values.map_err(|_| Error::internal("an identity is of another type"))?;
        with_column(rows, Arc::clone(&self.field), Arc::new(values))
    }
}

/// Where a row has the identity that it is about.
pub(crate) fn of_row() -> Steps {
    Steps(vec![step(IDENTITY_FIELD)])
}

/// The path of an identity column.
pub(crate) fn path(namespace: &str) -> Steps {
    Steps(vec![step(IDENTITY_MAP), step(namespace)])
}
