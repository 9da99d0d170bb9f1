//! Timestamps in the old form of 96 bits, which Spark and Impala write by default.
//!
//! The form reaches further than nanoseconds in 64 bits do (to the year 2262), and writers use that:
//! `9999-12-31` is a common word for "no end". Read as microseconds, such times keep their value.

use std::slice::Iter;
use std::sync::Arc;

use arrow::datatypes::{DataType, FieldRef, Fields, TimeUnit};
use parquet::basic::Type as PhysicalType;
use parquet::schema::types::{ColumnDescPtr, SchemaDescriptor};

/// The fields, with timestamps of 96 bits in microseconds.
pub(crate) fn in_microseconds(fields: Fields, schema: &SchemaDescriptor) -> Fields {
    let is_old = |column: &ColumnDescPtr| column.physical_type() == PhysicalType::INT96;
    if !schema.columns().iter().any(is_old) {
        return fields;
    }
    settle_all(&fields, &mut schema.columns().iter())
}

fn settle_all(fields: &Fields, leaves: &mut Iter<'_, ColumnDescPtr>) -> Fields {
    fields.iter().map(|field| settle_field(field, leaves)).collect()
}

fn settle_field(field: &FieldRef, leaves: &mut Iter<'_, ColumnDescPtr>) -> FieldRef {
    let data_type = settle(field.data_type(), leaves);
    Arc::new(field.as_ref().clone().with_data_type(data_type))
}

/// Leaves stand in the order of a descent.
fn settle(data_type: &DataType, leaves: &mut Iter<'_, ColumnDescPtr>) -> DataType {
    match data_type {
        DataType::Struct(fields) => DataType::Struct(settle_all(fields, leaves)),
        DataType::List(field) => DataType::List(settle_field(field, leaves)),
        DataType::LargeList(field) => DataType::LargeList(settle_field(field, leaves)),
        DataType::FixedSizeList(field, size) => {
            DataType::FixedSizeList(settle_field(field, leaves), *size)
        }
        DataType::Map(field, sorted) => DataType::Map(settle_field(field, leaves), *sorted),
        leaf => {
            let column = leaves.next();
            match (leaf, column.map(|column| column.physical_type())) {
                (DataType::Timestamp(TimeUnit::Nanosecond, zone), Some(PhysicalType::INT96)) => {
                    DataType::Timestamp(TimeUnit::Microsecond, zone.clone())
                }
                _ => leaf.clone(),
            }
        }
    }
}
