//! Expressions over batches of records: the flat columns that they read, and what goes wrong in them.

use std::collections::BTreeSet;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch, RecordBatchOptions, new_null_array};
use arrow::buffer::BooleanBuffer;
use arrow::datatypes::{DataType, Schema, SchemaRef};
use datafusion_common::DataFusionError;
use jiff::Timestamp;

use crate::error::{Error, Kind};
use crate::expression::compile::{Compiled, compile, flat_schema};
use crate::expression::{Expect, ExpressionError, MAP_LENGTHS, Parsed, RESULT_BYTES_MAX};
use crate::fields;
use crate::path::Steps;

/// An expression that is true or false for each record.
#[derive(Debug)]
pub(crate) struct Condition {
    compiled: Compiled,
    inputs: Inputs,
    /// What it is, for messages: `rule`.
    place: String,
}

/// Flat columns taken out of the records.
#[derive(Debug)]
pub(crate) struct Inputs {
    pub(super) paths: Vec<Steps>,
    pub(super) schema: SchemaRef,
}

impl Condition {
    /// Compiles an expression that is true or false; call it on a stack for expressions.
    ///
    /// # Errors
    /// The text does not fit the records; `place` says what it is.
    pub(crate) fn new(
        text: &str,
        place: &str,
        schema: &Schema,
        now: Timestamp,
    ) -> Result<Self, Error> {
        let failed = |error| wrong_expression(error, place);
        let parsed = Parsed::new(text, &fields::describe(schema)).map_err(failed)?;
        check_answers(&parsed, schema)?;
        let inputs = Inputs::new(parsed.fields.clone(), schema);
        let compiled = compile(&parsed, &inputs.schema, Expect::Boolean, now).map_err(failed)?;
        Ok(Self { compiled, inputs, place: place.to_owned() })
    }

    /// The columns that it reads.
    pub(crate) fn paths(&self) -> std::slice::Iter<'_, Steps> {
        self.inputs.paths.iter()
    }

    /// For which records it is true: one that is neither true nor false for a record is not.
    ///
    /// # Errors
    /// It cannot be computed for a value.
    pub(crate) fn holds(&self, records: &RecordBatch) -> Result<BooleanBuffer, Error> {
        let failed = |error: DataFusionError| failed_value(&error, &self.place);
        let columns = self.inputs.extract(records)?;
        let flat = self.inputs.batch(columns, records.num_rows())?;
        let result = self.compiled.expression.evaluate(&flat).map_err(failed)?;
        let result = result.into_array(records.num_rows()).map_err(failed)?;
        let result = result.as_boolean();
        Ok(match result.nulls() {
            Some(nulls) => result.values() & nulls.inner(),
            None => result.values().clone(),
        })
    }
}

impl Inputs {
    pub(crate) fn new(paths: Vec<Steps>, schema: &Schema) -> Self {
        let flat = flat_schema(&paths, schema);
        Self { paths, schema: Arc::new(flat) }
    }

    /// What is read.
    pub(crate) fn paths(&self) -> &[Steps] {
        &self.paths
    }

    /// The flat columns.
    pub(crate) fn schema(&self) -> &Schema {
        &self.schema
    }

    pub(crate) fn extract(&self, records: &RecordBatch) -> Result<Vec<ArrayRef>, Error> {
        let columns = self.paths.iter().zip(self.schema.fields());
        columns
            .map(|(path, field)| {
                path.extract(records, field.data_type()).map_err(|_| {
                    let kind = fields::kind_of(field.data_type());
                    let message = format!("a value cannot be read as {}", kind.name());
                    Error::new(Kind::Invalid, "invalid_input", message).at_field(path.to_string())
                })
            })
            .collect()
    }

    /// The texts that may come as codes, as none of the paths that are `looked_at` has to do with them.
    pub(super) fn coded(&self, looked_at: &BTreeSet<&Steps>) -> BTreeSet<Steps> {
        let columns = self.paths.iter().zip(self.schema.fields());
        let texts = columns.filter(|(_, field)| field.data_type() == &DataType::Utf8View);
        let all: BTreeSet<&Steps> = self.paths.iter().chain(looked_at.iter().copied()).collect();
        let is_alone = |path: &&Steps| !looked_at.contains(path) && !path.overlaps_others(&all);
        texts.map(|(path, _)| path).filter(is_alone).cloned().collect()
    }

    /// The columns as a batch for expressions, which read none of those that came as codes.
    pub(crate) fn batch(
        &self,
        mut columns: Vec<ArrayRef>,
        rows: usize,
    ) -> Result<RecordBatch, Error> {
        for column in &mut columns {
            if matches!(column.data_type(), DataType::Dictionary(..)) {
                *column = new_null_array(&DataType::Utf8View, rows);
            }
        }
        let options = RecordBatchOptions::new().with_row_count(Some(rows));
        RecordBatch::try_new_with_options(Arc::clone(&self.schema), columns, &options)
            .map_err(broken)
    }
}

/// Checks that what an expression asks of events has been answered.
pub(super) fn check_answers(parsed: &Parsed, schema: &Schema) -> Result<(), Error> {
    let is_answered = |name: &str| schema.column_with_name(name).is_some();
    match parsed.queries.iter().all(|query| is_answered(&query.answer)) {
        true => Ok(()),
        false => Err(Error::internal("an expression asks for events that were not looked at")),
    }
}

pub(crate) fn wrong_expression(error: ExpressionError, place: &str) -> Error {
    let message = format!("{} at character {}", error.message, error.offset + 1);
    let failed = Error::new(Kind::Invalid, error.code, message).at_field(place);
    match error.hint {
        Some(hint) => failed.with_hint(hint),
        None => failed,
    }
}

/// What lists can be that make no map: how the engine's text about them begins, what is said instead, and
/// what to do. The text of the engine goes on with the key.
const NO_MAPS: [(&str, &str, &str); 3] = [
    (
        MAP_LENGTHS,
        "a list of keys and a list of values that are to be a map have different lengths",
        "Where lengths may differ, let such records have no map: `CASE WHEN cardinality(k) = cardinality(v) THEN map(k, v) END`.",
    ),
    (
        "map key must be unique",
        "two keys of a map are the same",
        "Where keys may repeat, let such records have no map: `CASE WHEN cardinality(array_distinct(k)) = cardinality(k) THEN map(k, v) END`.",
    ),
    (
        "map key cannot be null",
        "a key of a map is missing",
        "Where keys may be missing, let such records have no map: `CASE WHEN cardinality(array_compact(k)) = cardinality(k) THEN map(k, v) END`.",
    ),
];

/// A value for which an expression cannot be computed. The engine's text would quote the value.
pub(crate) fn failed_value(error: &DataFusionError, place: &str) -> Error {
    use arrow::error::ArrowError;
    if let DataFusionError::Execution(text) = error.find_root()
        && let Some((_, message, hint)) = NO_MAPS.iter().find(|(begin, ..)| text.starts_with(begin))
    {
        let error = Error::new(Kind::Invalid, "expression_error", *message);
        return error.at_field(place).with_hint(*hint);
    }
    let message = match error.find_root() {
        DataFusionError::ArrowError(inner, _) => match inner.as_ref() {
            ArrowError::DivideByZero => "a division by zero",
            ArrowError::ArithmeticOverflow(_) => "a number became too large",
            ArrowError::CastError(_) | ArrowError::ParseError(_) => {
                "a value could not be converted"
            }
            _ => "the expression failed for a value",
        },
        DataFusionError::ResourcesExhausted(_) => return too_large(place),
        _ => "the expression failed for a value",
    };
    Error::new(Kind::Invalid, "expression_error", message)
        .at_field(place)
        .with_hint("Use `TRY_CAST`, `nullif(divisor, 0)` or `CASE` so that such values give null.")
}

/// A result that is larger than memory allows.
fn too_large(place: &str) -> Error {
    let mebibytes = RESULT_BYTES_MAX >> 20;
    let message = format!("the expression would make more than {mebibytes} MiB of a few records");
    Error::new(Kind::Resources, "too_large", message).at_field(place).with_hint(
        "Shorten what it works on first: `left(text, 1000)`, `array_slice(list, 1, 100)`.",
    )
}

pub(super) fn broken(_: arrow::error::ArrowError) -> Error {
    Error::internal("columns do not fit their own schema")
}
