//! Rows as the columns of a Parquet file: each column in a type that Parquet has.
//!
//! Parquet has no seconds, no half floats and no columns without a type, and a reader should not see
//! how the engine happens to hold a column. So these are exchanged for their nearest exact relatives;
//! dictionaries become their values, and all timestamps are points in time (UTC), as in text.

use std::sync::Arc;

use arrow::compute::{CastOptions, cast_with_options};
use arrow_array::cast::AsArray;
use arrow_array::{
    Array, ArrayRef, FixedSizeListArray, GenericListArray, MapArray, OffsetSizeTrait, RecordBatch,
    StructArray, make_array,
};
use arrow_schema::{ArrowError, DataType, Field, FieldRef, Schema, SchemaRef, TimeUnit};
use plan::file_format::CELL_BYTES_MAX;

use super::chunk::Chunk;
use super::column::Unsupported;
use super::error::{Error, Problem};
use super::measure::sizes;

/// The time zone of all timestamps.
const UTC: &str = "UTC";

/// Brings batches of one schema into the columns of a file.
pub(super) struct Columns {
    schema: SchemaRef,
}

impl Columns {
    /// Prepares to take batches of `schema`, whose column names are those of the file.
    ///
    /// # Errors
    /// A type that Parquet has no form for.
    pub(super) fn new(schema: &Schema) -> Result<Self, Error> {
        let mut fields = Vec::with_capacity(schema.fields().len());
        for field in schema.fields() {
            let stored = stored(field.data_type())
                .map_err(|unsupported| unsupported.in_column_of_parquet(field.name()))?;
            // Whether a value can be missing must not depend on what the engine could prove.
            fields.push(Field::new(field.name(), stored, true));
        }
        Ok(Self { schema: Arc::new(Schema::new(fields)) })
    }

    /// The columns of the file.
    pub(super) fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    /// Takes the rows of `batch` in place of those of `chunk`.
    ///
    /// # Errors
    /// The first column with a value that is too large or that its type in the file cannot hold.
    pub(super) fn encode_into(&self, batch: &RecordBatch, chunk: &mut Chunk) -> Result<(), Error> {
        let fields = self.schema.fields();
        if batch.num_columns() != fields.len() {
            return Err(Error::ColumnCount { expected: fields.len(), found: batch.num_columns() });
        }
        let mut totals = vec![0_u64; batch.num_rows()];
        let mut columns = Vec::with_capacity(fields.len());
        for (field, array) in fields.iter().zip(batch.columns()) {
            let array = convert(array, field.data_type())
                .map_err(|_| Error::Inconvertible { column: field.name().clone() })?;
            for (row, (total, size)) in totals.iter_mut().zip(sizes(array.as_ref())).enumerate() {
                if size > CELL_BYTES_MAX as u64 {
                    let (row, column) = (row as u64, field.name().clone());
                    return Err(Error::Cell { row, column, problem: Problem::CellTooLarge });
                }
                *total += size;
            }
            columns.push(array);
        }
        let rows = batch.num_rows();
        let columns = RecordBatch::try_new(self.schema(), columns).map_err(Error::Columns)?;
        chunk.text.clear();
        chunk.rejected.clear();
        chunk.row_ends.clear();
        let mut end = 0;
        for total in totals {
            end += total;
            let end = u32::try_from(end).map_err(|_| Error::BatchTooLarge { rows })?;
            chunk.row_ends.push(end);
        }
        chunk.columns = Some(columns);
        Ok(())
    }
}

/// The type in which a file keeps values of a type.
fn stored(data_type: &DataType) -> Result<DataType, Unsupported> {
    use DataType::*;
    Ok(match data_type {
        Null => Utf8,
        Float16 => Float32,
        Date64 => Date32,
        Time32(TimeUnit::Second) => Time32(TimeUnit::Millisecond),
        Timestamp(TimeUnit::Second, _) => Timestamp(TimeUnit::Millisecond, Some(UTC.into())),
        Timestamp(unit, _) => Timestamp(*unit, Some(UTC.into())),
        Dictionary(_, values) => stored(values)?,
        List(item) | ListView(item) => List(stored_field(item)?),
        LargeList(item) | LargeListView(item) => LargeList(stored_field(item)?),
        FixedSizeList(item, length) => FixedSizeList(stored_field(item)?, *length),
        Map(entries, sorted) => Map(stored_field(entries)?, *sorted),
        Struct(fields) if !fields.is_empty() => {
            Struct(fields.iter().map(stored_field).collect::<Result<_, _>>()?)
        }
        Decimal32(_, scale) | Decimal64(_, scale) | Decimal128(_, scale) | Decimal256(_, scale)
            if *scale >= 0 =>
        {
            data_type.clone()
        }
        Boolean | Date32 | Time32(_) | Time64(_) | Float32 | Float64 => data_type.clone(),
        Utf8 | LargeUtf8 | Utf8View | Binary | LargeBinary | BinaryView | FixedSizeBinary(_) => {
            data_type.clone()
        }
        integer if integer.is_integer() => data_type.clone(),
        other => return Err(Unsupported(other.clone())),
    })
}

fn stored_field(field: &FieldRef) -> Result<FieldRef, Unsupported> {
    Ok(Arc::new(Field::new(field.name(), stored(field.data_type())?, field.is_nullable())))
}

/// Brings an array into the type that [`stored`] gave for its own.
fn convert(array: &ArrayRef, target: &DataType) -> Result<ArrayRef, ArrowError> {
    use DataType::*;
    if array.data_type() == target {
        return Ok(Arc::clone(array));
    }
    Ok(match (array.data_type(), target) {
        (Timestamp(from, zone), Timestamp(unit, _)) if from != unit => {
            convert(&cast(array, &Timestamp(*unit, zone.clone()))?, target)?
        }
        // The same ticks; only the name of the zone is another.
        (Timestamp(..), Timestamp(..)) => {
            make_array(array.to_data().into_builder().data_type(target.clone()).build()?)
        }
        (List(_), List(item)) => Arc::new(list(array.as_list::<i32>(), item)?),
        (LargeList(_), LargeList(item)) => Arc::new(list(array.as_list::<i64>(), item)?),
        (ListView(from), List(_)) => convert(&cast(array, &List(Arc::clone(from)))?, target)?,
        (LargeListView(from), LargeList(_)) => {
            convert(&cast(array, &LargeList(Arc::clone(from)))?, target)?
        }
        (FixedSizeList(..), FixedSizeList(item, length)) => {
            let list = array.as_fixed_size_list();
            let values = convert(list.values(), item.data_type())?;
            let (item, nulls) = (Arc::clone(item), list.nulls().cloned());
            Arc::new(FixedSizeListArray::try_new(item, *length, values, nulls)?)
        }
        (Struct(_), Struct(_)) => Arc::new(structure(array.as_struct(), target)?),
        (Map(..), Map(entries, sorted)) => {
            let map = array.as_map();
            let (offsets, nulls) = (map.offsets().clone(), map.nulls().cloned());
            let values = structure(map.entries(), entries.data_type())?;
            Arc::new(MapArray::try_new(Arc::clone(entries), offsets, values, nulls, *sorted)?)
        }
        (Dictionary(_, values), _) => convert(&cast(array, values)?, target)?,
        _ => cast(array, target)?,
    })
}

fn cast(array: &ArrayRef, target: &DataType) -> Result<ArrayRef, ArrowError> {
    cast_with_options(array, target, &CastOptions { safe: false, ..CastOptions::default() })
}

fn list<O: OffsetSizeTrait>(
    list: &GenericListArray<O>,
    item: &FieldRef,
) -> Result<GenericListArray<O>, ArrowError> {
    let values = convert(list.values(), item.data_type())?;
    let (offsets, nulls) = (list.offsets().clone(), list.nulls().cloned());
    GenericListArray::try_new(Arc::clone(item), offsets, values, nulls)
}

fn structure(array: &StructArray, target: &DataType) -> Result<StructArray, ArrowError> {
    let DataType::Struct(fields) = target else {
        return Err(ArrowError::SchemaError("a struct has become something else".to_owned()));
    };
    let parts = fields.iter().zip(array.columns());
    let columns = parts.map(|(field, part)| convert(part, field.data_type()));
    let columns = columns.collect::<Result<Vec<_>, _>>()?;
    StructArray::try_new(fields.clone(), columns, array.nulls().cloned())
}
