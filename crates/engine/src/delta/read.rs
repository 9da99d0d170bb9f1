//! Rows of a data file as rows of the table.

use std::collections::BTreeSet;
use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, BooleanArray, ListArray, MapArray, RecordBatch, RecordBatchOptions,
    StructArray,
};
use arrow::compute;
use arrow::datatypes::{DataType, Field, FieldRef, Fields, Schema};
use parquet::arrow::arrow_reader::ArrowReaderMetadata;
use plan::field::Step;
use roaring::RoaringTreemap;

use super::log::damaged;
use super::schema::{Column, Mapping, Shape};
use super::{Table, partition};
use crate::error::Error;
use crate::parquet_file::{self, Slice, Wanted};
use crate::path::Steps;
use crate::source::Source;
use crate::store::Store;

/// The rows of a slice of a data file.
pub(crate) struct Reader {
    table: Arc<Table>,
    file: usize,
    rows: parquet_file::Reader,
    /// The columns that are asked for.
    roots: BTreeSet<String>,
    deleted: Option<RoaringTreemap>,
    /// Where the next batch begins in the file.
    position: u64,
    location: String,
}

impl Reader {
    /// Begins to read; `file` is the number of the data file.
    pub(crate) fn new(
        table: &Arc<Table>,
        file: usize,
        (store, source, footer): (&Store, Arc<Source>, ArrowReaderMetadata),
        slice: &Slice,
        needed: &BTreeSet<Steps>,
    ) -> Result<Self, Error> {
        let location = source.location().to_owned();
        let vector = table.files[file].deleted.as_ref();
        let deleted = vector.map(|it| table.deleted(store, &location, it)).transpose()?;
        let groups = footer.metadata().row_groups();
        let before = groups[..slice.row_group].iter().map(|group| group.num_rows().unsigned_abs());
        let position = before.sum::<u64>() + slice.rows.start;
        let inside = table.physical(needed, footer.schema().fields());
        Ok(Self {
            table: Arc::clone(table),
            file,
            rows: parquet_file::Reader::new(source, footer, slice, Wanted::of(&inside))?,
            roots: needed.iter().map(|path| path.root().to_owned()).collect(),
            deleted,
            position,
            location,
        })
    }

    fn conform(&mut self, batch: &RecordBatch) -> Result<RecordBatch, Error> {
        let rows = batch.num_rows();
        let mut fields: Vec<FieldRef> = Vec::new();
        let mut arrays: Vec<ArrayRef> = Vec::new();
        let Table { columns, mapping, partitioned_by, files, .. } = &*self.table;
        for column in columns.iter().filter(|column| self.roots.contains(&column.name)) {
            let array = if partitioned_by.contains(&column.name) {
                let values = &files[self.file].partition_values;
                let text = values.get(column.name_in_log(*mapping)).cloned().flatten();
                let array = partition::repeated(text.as_deref(), &column.data_type(), rows);
                array.ok_or_else(|| {
                    damaged(&self.location, "a partition value is not of its column's type")
                        .at_field(&column.name)
                })?
            } else {
                let mut of_file = batch.schema_ref().fields().iter().zip(batch.columns());
                let Some((_, array)) = of_file.find(|(it, _)| column.is(it, *mapping)) else {
                    continue;
                };
                renamed(array, &column.shape, *mapping)
            };
            fields.push(Arc::new(Field::new(&column.name, array.data_type().clone(), true)));
            arrays.push(array);
        }
        let options = RecordBatchOptions::new().with_row_count(Some(rows));
        let conformed =
            RecordBatch::try_new_with_options(Arc::new(Schema::new(fields)), arrays, &options)
                .map_err(|_| Error::internal("columns of a table do not fit together"))?;
        let first = self.position;
        self.position += rows as u64;
        let Some(deleted) = &self.deleted else { return Ok(conformed) };
        let kept: BooleanArray =
            (first..self.position).map(|row| Some(!deleted.contains(row))).collect();
        compute::filter_record_batch(&conformed, &kept)
            .map_err(|_| Error::internal("deleted rows cannot be left out"))
    }
}

impl Iterator for Reader {
    type Item = Result<RecordBatch, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        let batch = self.rows.next()?;
        Some(batch.and_then(|batch| self.conform(&batch)))
    }
}

impl Table {
    /// The paths, in a file, to what is needed. What the file does not have is left out.
    fn physical(&self, needed: &BTreeSet<Steps>, fields: &Fields) -> BTreeSet<Steps> {
        let path = |steps: &Steps| {
            let (mut columns, mut fields) = (&self.columns, fields);
            let mut inside = Vec::new();
            for step in &steps.0 {
                let (Step::Field(name) | Step::Key(name)) = step else { break };
                let column = columns.iter().find(|column| column.name == *name)?;
                let field = fields.iter().find(|field| column.is(field, self.mapping))?;
                inside.push(Step::Field(field.name().clone()));
                match (&column.shape, field.data_type()) {
                    (Shape::Struct(below), DataType::Struct(below_in_file)) => {
                        (columns, fields) = (below, below_in_file);
                    }
                    _ => break,
                }
            }
            Some(Steps(inside))
        };
        let is_partition = |steps: &&Steps| self.partitioned_by.iter().any(|it| it == steps.root());
        needed.iter().filter(|steps| !is_partition(steps)).filter_map(path).collect()
    }
}

/// An array with the table's names inside. What the table does not know is left out.
fn renamed(array: &ArrayRef, shape: &Shape, mapping: Mapping) -> ArrayRef {
    if mapping == Mapping::None || !shape.has_names() {
        return Arc::clone(array);
    }
    match (shape, array.data_type()) {
        (Shape::Struct(columns), DataType::Struct(_)) => {
            Arc::new(renamed_struct(array.as_struct(), columns, mapping))
        }
        (Shape::List(element), DataType::List(field)) => {
            let list: &ListArray = array.as_list();
            let values = renamed(list.values(), element, mapping);
            let field = field.as_ref().clone().with_data_type(values.data_type().clone());
            let (offsets, nulls) = (list.offsets().clone(), list.nulls().cloned());
            Arc::new(ListArray::new(Arc::new(field), offsets, values, nulls))
        }
        (Shape::Map(key, value), DataType::Map(entries, sorted)) => {
            let map: &MapArray = array.as_map();
            let columns = [(map.keys(), key), (map.values(), value)];
            let columns = columns.map(|(array, shape)| renamed(array, shape, mapping));
            let DataType::Struct(fields) = entries.data_type() else { return Arc::clone(array) };
            let fields: Fields = fields
                .iter()
                .zip(&columns)
                .map(|(field, it)| field.as_ref().clone().with_data_type(it.data_type().clone()))
                .collect();
            let inside = StructArray::new(fields, columns.to_vec(), None);
            let entries = entries.as_ref().clone().with_data_type(inside.data_type().clone());
            let (offsets, nulls) = (map.offsets().clone(), map.nulls().cloned());
            Arc::new(MapArray::new(Arc::new(entries), offsets, inside, nulls, *sorted))
        }
        _ => Arc::clone(array),
    }
}

fn renamed_struct(array: &StructArray, columns: &[Column], mapping: Mapping) -> StructArray {
    let mut fields: Vec<FieldRef> = Vec::new();
    let mut arrays: Vec<ArrayRef> = Vec::new();
    for (field, child) in array.fields().iter().zip(array.columns()) {
        let Some(column) = columns.iter().find(|column| column.is(field, mapping)) else {
            continue;
        };
        let child = renamed(child, &column.shape, mapping);
        let data_type = child.data_type().clone();
        fields.push(Arc::new(Field::new(&column.name, data_type, field.is_nullable())));
        arrays.push(child);
    }
    if arrays.is_empty() {
        return StructArray::new_empty_fields(array.len(), array.nulls().cloned());
    }
    StructArray::new(fields.into(), arrays, array.nulls().cloned())
}
