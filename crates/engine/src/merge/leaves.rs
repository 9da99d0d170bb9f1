//! The fields of profiles as leaf columns: each field of a struct is one of its own, a list or a map
//! is one.
//!
//! Text and bytes are held plainly here, not as views: what is sorted into files has to be whole in
//! itself.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, StructArray};
use arrow::buffer::NullBuffer;
use arrow::datatypes::{DataType, Field, FieldRef, Fields};
use plan::field::Step;

use crate::error::Error;
use crate::path::Steps;

/// The fields of profiles, and their leaves in order.
#[derive(Debug)]
pub(crate) struct Leaves {
    /// As readers see them: with views, and nullable throughout.
    pub(crate) fields: Fields,
    pub(crate) leaves: Vec<Leaf>,
}

/// One leaf column.
#[derive(Debug, Clone)]
pub(crate) struct Leaf {
    pub(crate) path: Steps,
    pub(crate) data_type: DataType,
}

impl Leaves {
    pub(crate) fn new(fields: &Fields) -> Self {
        let fields = nullable(fields);
        let mut leaves = Vec::new();
        collect(&[], &fields, &mut leaves);
        Self { fields, leaves }
    }

    /// The fields as they are written: without views.
    pub(crate) fn written(&self) -> Fields {
        self.fields.iter().map(|field| with_type(field, plain(field.data_type()))).collect()
    }

    /// Puts leaf columns together to the columns of profiles. A struct without any value is null.
    pub(crate) fn assemble(&self, columns: Vec<ArrayRef>) -> Result<Vec<ArrayRef>, Error> {
        let mut columns = columns.into_iter();
        let fields = self.written();
        let assembled = fields.iter().map(|field| assemble(field.data_type(), &mut columns));
        assembled.collect()
    }
}

fn collect(above: &[Step], fields: &Fields, leaves: &mut Vec<Leaf>) {
    for field in fields {
        let mut steps = above.to_vec();
        steps.push(Step::Field(field.name().clone()));
        match field.data_type() {
            DataType::Struct(fields) if !fields.is_empty() => collect(&steps, fields, leaves),
            other => leaves.push(Leaf { path: Steps(steps), data_type: plain(other) }),
        }
    }
}

fn assemble(
    data_type: &DataType,
    columns: &mut impl Iterator<Item = ArrayRef>,
) -> Result<ArrayRef, Error> {
    let missing = || Error::internal("a leaf column is missing");
    let DataType::Struct(fields) = data_type else { return columns.next().ok_or_else(missing) };
    if fields.is_empty() {
        return columns.next().ok_or_else(missing);
    }
    let children: Vec<ArrayRef> = fields
        .iter()
        .map(|field| assemble(field.data_type(), columns))
        .collect::<Result<_, Error>>()?;
    let nulls = any_valid(&children);
    let whole = StructArray::try_new(fields.clone(), children, nulls);
    let whole = whole.map_err(|_| Error::internal("leaf columns do not fit their struct"))?;
    Ok(Arc::new(whole))
}

/// Valid where any of the columns is.
fn any_valid(columns: &[ArrayRef]) -> Option<NullBuffer> {
    let mut valid: Option<arrow::buffer::BooleanBuffer> = None;
    for column in columns {
        // A column without nulls makes every struct a value.
        let nulls = column.logical_nulls()?;
        valid = Some(match valid {
            None => nulls.into_inner(),
            Some(valid) => &valid | nulls.inner(),
        });
    }
    valid.map(NullBuffer::new)
}

/// The type without views.
pub(super) fn plain(data_type: &DataType) -> DataType {
    let inside = |field: &FieldRef| with_type(field, plain(field.data_type()));
    match data_type {
        DataType::Utf8View => DataType::Utf8,
        DataType::BinaryView => DataType::Binary,
        DataType::Struct(fields) => DataType::Struct(fields.iter().map(inside).collect()),
        DataType::List(field) => DataType::List(inside(field)),
        DataType::LargeList(field) => DataType::LargeList(inside(field)),
        DataType::FixedSizeList(field, size) => DataType::FixedSizeList(inside(field), *size),
        DataType::Map(entries, sorted) => DataType::Map(inside(entries), *sorted),
        other => other.clone(),
    }
}

fn with_type(field: &FieldRef, data_type: DataType) -> FieldRef {
    Arc::new(field.as_ref().clone().with_data_type(data_type))
}

/// The fields, each and all inside their structs nullable: any of them may be missing in some
/// dataset. What is inside of lists and maps stays as it is.
fn nullable(fields: &Fields) -> Fields {
    let nullable = |field: &FieldRef| {
        let data_type = match field.data_type() {
            DataType::Struct(fields) => DataType::Struct(nullable(fields)),
            other => other.clone(),
        };
        Field::new(field.name(), data_type, true)
    };
    fields.iter().map(nullable).collect()
}
