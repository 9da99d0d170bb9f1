//! Finding the value at a path: in a schema, and in a batch of rows.
//!
//! Segue addresses fields itself, in mappings and in rules alike, and hands flat columns to the
//! expression engine. That keeps names case-sensitive, lets the readers decode only the leaves of
//! a struct that are needed, and makes a missing field an error with the nearest name.

use std::collections::BTreeSet;
use std::fmt;
use std::ops::Bound;
use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, BooleanArray, ListArray, MapArray, RecordBatch, StructArray,
    UInt64Array, new_null_array,
};
use arrow::buffer::NullBuffer;
use arrow::compute;
use arrow::datatypes::{DataType, Fields, Schema};
use arrow::error::ArrowError;
use plan::field::{FieldPath, Step};

/// The steps from a profile to one of its values: a [`FieldPath`], or what a rule spells out.
///
/// Unlike a `FieldPath` it may begin with a name that is no plain identifier, as a double-quoted
/// name in SQL can.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Steps(pub(crate) Vec<Step>);

impl From<&FieldPath> for Steps {
    fn from(path: &FieldPath) -> Self {
        Self(path.steps().to_vec())
    }
}

impl fmt::Display for Steps {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (position, step) in self.0.iter().enumerate() {
            match step {
                Step::Field(name) | Step::Key(name) if !is_plain(name) => {
                    write!(f, "['{}']", name.replace('\'', "''"))?;
                }
                Step::Field(name) if position == 0 => f.write_str(name)?,
                Step::Field(name) => write!(f, ".{name}")?,
                Step::Index(index) => write!(f, "[{index}]")?,
                Step::Key(key) => write!(f, "['{key}']")?,
            }
        }
        Ok(())
    }
}

fn is_plain(name: &str) -> bool {
    !name.is_empty()
        && name.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '-' | '@' | '$' | ':'))
}

impl Steps {
    /// The name of the top-level field.
    pub(crate) fn root(&self) -> &str {
        match &self.0[0] {
            Step::Field(name) | Step::Key(name) => name,
            Step::Index(_) => unreachable!("paths begin with a name"),
        }
    }

    /// The type of the value, or nothing if the schema has no such field.
    pub(crate) fn data_type(&self, schema: &Schema) -> Option<DataType> {
        let mut found = schema.field_with_name(self.root()).ok()?.data_type().clone();
        for step in &self.0[1..] {
            found = step_type(&found, step)?;
        }
        Some(found)
    }

    /// The names that lead through structs, before the first step into a list or map: all that a
    /// columnar reader needs to decode for this path.
    pub(crate) fn struct_names<'a>(&'a self, fields: &Fields) -> Vec<&'a str> {
        let mut names = Vec::new();
        let mut fields = Some(fields);
        for step in &self.0 {
            let (Step::Field(name) | Step::Key(name)) = step else { break };
            let Some((_, field)) = fields.and_then(|fields| fields.find(name)) else { break };
            names.push(name.as_str());
            fields = match field.data_type() {
                DataType::Struct(fields) => Some(fields),
                _ => None,
            };
        }
        names
    }

    /// Whether any other of some paths leads to a part of what this one does, or to what that is part of.
    pub(crate) fn overlaps_others(&self, all: &BTreeSet<&Self>) -> bool {
        // Those that begin with this one stand right behind it.
        let next = all.range::<Self, _>((Bound::Excluded(self), Bound::Unbounded)).next();
        let is_whole = next.is_some_and(|other| other.0.starts_with(&self.0));
        let mut above = (1..self.0.len()).map(|steps| Self(self.0[..steps].to_vec()));
        is_whole || above.any(|other| all.contains(&other))
    }

    /// Takes the values out of `batch`, as `wanted`. A column that the batch does not have is
    /// null throughout: the dataset has it, this file does not.
    pub(crate) fn extract(
        &self,
        batch: &RecordBatch,
        wanted: &DataType,
    ) -> Result<ArrayRef, ArrowError> {
        let nothing = || new_null_array(wanted, batch.num_rows());
        let Some(mut found) = batch.column_by_name(self.root()).cloned() else {
            return Ok(nothing());
        };
        for step in &self.0[1..] {
            match step_into(&found, step)? {
                Some(next) => found = next,
                None => return Ok(nothing()),
            }
        }
        match found.data_type() {
            // Texts that were asked for as codes stay so.
            DataType::Dictionary(_, values) if values.is_string() && wanted.is_string() => {
                Ok(found)
            }
            data_type if data_type == wanted => Ok(found),
            _ => convert(&found, wanted),
        }
    }
}

/// The type that a step leads to.
pub(crate) fn step_type(from: &DataType, step: &Step) -> Option<DataType> {
    match (from, step) {
        (DataType::Struct(fields), Step::Field(name) | Step::Key(name)) => {
            fields.find(name).map(|(_, field)| field.data_type().clone())
        }
        (DataType::Map(entries, _), Step::Field(_) | Step::Key(_)) => match entries.data_type() {
            DataType::Struct(fields) => fields.get(1).map(|value| value.data_type().clone()),
            _ => None,
        },
        (
            DataType::List(element)
            | DataType::LargeList(element)
            | DataType::FixedSizeList(element, _),
            Step::Index(_),
        ) => Some(element.data_type().clone()),
        _ => None,
    }
}

fn step_into(from: &ArrayRef, step: &Step) -> Result<Option<ArrayRef>, ArrowError> {
    match (from.data_type(), step) {
        (DataType::Struct(_), Step::Field(name) | Step::Key(name)) => {
            struct_field(from.as_struct(), name)
        }
        (DataType::Map(_, _), Step::Field(name) | Step::Key(name)) => {
            map_value(from.as_map(), name).map(Some)
        }
        (DataType::List(_), Step::Index(index)) => {
            let list = from.as_list::<i32>();
            let ranges = list.offsets().windows(2).map(|pair| (pair[0] as u64, pair[1] as u64));
            element(list.values(), list.nulls(), ranges, *index).map(Some)
        }
        (DataType::LargeList(_), Step::Index(index)) => {
            let list = from.as_list::<i64>();
            let ranges = list.offsets().windows(2).map(|pair| (pair[0] as u64, pair[1] as u64));
            element(list.values(), list.nulls(), ranges, *index).map(Some)
        }
        (DataType::FixedSizeList(_, size), Step::Index(index)) => {
            let (list, size) = (from.as_fixed_size_list(), *size as u64);
            let ranges = (0..list.len() as u64).map(|row| (row * size, (row + 1) * size));
            element(list.values(), list.nulls(), ranges, *index).map(Some)
        }
        _ => Ok(None),
    }
}

/// A child of a struct, null where the struct is null: a child that may not be null by itself has
/// values there that nobody wrote.
fn struct_field(from: &StructArray, name: &str) -> Result<Option<ArrayRef>, ArrowError> {
    let Some(child) = from.column_by_name(name) else { return Ok(None) };
    let Some(outer) = from.nulls().filter(|nulls| nulls.null_count() > 0) else {
        return Ok(Some(Arc::clone(child)));
    };
    if child.nulls().is_some_and(|inner| outer.contains(inner)) {
        return Ok(Some(Arc::clone(child)));
    }
    let nulls = NullBuffer::union(Some(outer), child.nulls());
    let data = child.to_data().into_builder().nulls(nulls).build()?;
    Ok(Some(arrow::array::make_array(data)))
}

fn element(
    values: &ArrayRef,
    nulls: Option<&NullBuffer>,
    ranges: impl Iterator<Item = (u64, u64)>,
    index: u32,
) -> Result<ArrayRef, ArrowError> {
    let positions: UInt64Array = ranges
        .enumerate()
        .map(|(row, (start, end))| {
            let position = start + u64::from(index);
            (position < end && nulls.is_none_or(|nulls| nulls.is_valid(row))).then_some(position)
        })
        .collect();
    compute::take(values, &positions, None)
}

/// The value under `key` in each row's map. Of equal keys the last counts, as Parquet has it.
fn map_value(map: &MapArray, key: &str) -> Result<ArrayRef, ArrowError> {
    let is_key = keys_equal(map.keys(), key)?;
    let positions: UInt64Array = map
        .offsets()
        .windows(2)
        .enumerate()
        .map(|(row, pair)| {
            let entries = pair[0] as usize..pair[1] as usize;
            let found = entries.rev().find(|&entry| is_key.value(entry));
            found.filter(|_| map.is_valid(row)).map(|entry| entry as u64)
        })
        .collect();
    compute::take(map.values(), &positions, None)
}

fn keys_equal(keys: &ArrayRef, key: &str) -> Result<BooleanArray, ArrowError> {
    let wanted = |found: Option<&str>| Some(found == Some(key));
    Ok(match keys.data_type() {
        DataType::Utf8 => keys.as_string::<i32>().iter().map(wanted).collect(),
        DataType::LargeUtf8 => keys.as_string::<i64>().iter().map(wanted).collect(),
        DataType::Utf8View => keys.as_string_view().iter().map(wanted).collect(),
        other => {
            let text = compute::cast(keys, &DataType::Utf8View)
                .map_err(|_| ArrowError::SchemaError(format!("map keys of type {other}")))?;
            text.as_string_view().iter().map(wanted).collect()
        }
    })
}

/// Brings the values of one file to the type that the dataset has.
fn convert(found: &ArrayRef, wanted: &DataType) -> Result<ArrayRef, ArrowError> {
    match (found.data_type(), wanted) {
        (found_type, wanted) if found_type == wanted => Ok(Arc::clone(found)),
        (DataType::Struct(_), DataType::Struct(fields)) => {
            convert_struct(found.as_struct(), fields)
        }
        (DataType::List(_), DataType::List(element)) => {
            let list = found.as_list::<i32>();
            let values = convert(list.values(), element.data_type())?;
            let (offsets, nulls) = (list.offsets().clone(), list.nulls().cloned());
            Ok(Arc::new(ListArray::try_new(Arc::clone(element), offsets, values, nulls)?))
        }
        _ => {
            let options = compute::CastOptions { safe: false, ..Default::default() };
            compute::cast_with_options(found, wanted, &options)
        }
    }
}

/// Orders the children as the dataset has them, with nulls for those that this file lacks.
fn convert_struct(found: &StructArray, fields: &Fields) -> Result<ArrayRef, ArrowError> {
    let children = fields
        .iter()
        .map(|field| match found.column_by_name(field.name()) {
            Some(child) => convert(child, field.data_type()),
            None => Ok(new_null_array(field.data_type(), found.len())),
        })
        .collect::<Result<Vec<_>, _>>()?;
    let nulls = found.nulls().cloned();
    Ok(Arc::new(StructArray::try_new_with_length(fields.clone(), children, nulls, found.len())?))
}

#[cfg(test)]
mod tests;
