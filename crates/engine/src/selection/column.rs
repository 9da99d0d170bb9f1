//! Columns: where each comes from, found in the records, computed, or told of the membership.

use arrow::array::ArrayRef;
use arrow::datatypes::{DataType, TimeUnit};
use jiff::Timestamp;
use plan::field::FieldPath;
use plan::project::{Column, ColumnSource};
use plan::schema::FieldType;

use super::condition::{Inputs, wrong_expression};
use super::told;
use crate::error::{Error, Kind};
use crate::expression::compile::{Compiled, compile};
use crate::expression::{Expect, Parsed};
use crate::path::Steps;
use crate::{fields, identity_rows};

/// Where a column comes from, parsed.
pub(super) enum Source {
    Path(Steps),
    Parsed(Box<Parsed>),
    Status,
    Operation,
    Time,
}

impl Source {
    /// # Errors
    /// The dataset has no such field, or the expression is wrong.
    pub(super) fn of(
        column: &Column,
        of_dataset: &plan::Schema,
        parse: impl FnOnce(&str) -> Result<Parsed, Error>,
    ) -> Result<Self, Error> {
        Ok(match &column.source {
            ColumnSource::Field(path) => Self::Path(known(path, of_dataset, &column.header)?),
            ColumnSource::Expression { text, .. } => Self::Parsed(Box::new(parse(text)?)),
            ColumnSource::Identity(namespace) => Self::Path(identity_rows::path(namespace)),
            ColumnSource::MembershipStatus => Self::Status,
            ColumnSource::MembershipOperation => Self::Operation,
            ColumnSource::LastQualificationTime => Self::Time,
        })
    }

    pub(super) fn paths(&self) -> &[Steps] {
        match self {
            Self::Path(path) => std::slice::from_ref(path),
            Self::Parsed(parsed) => &parsed.fields,
            Self::Status | Self::Operation | Self::Time => &[],
        }
    }

    pub(super) fn output(
        self,
        inputs: &Inputs,
        now: Timestamp,
        header: &str,
    ) -> Result<Output, Error> {
        match self {
            Self::Path(path) => {
                let input = inputs.paths.binary_search(&path);
                let input = input.map_err(|_| Error::internal("a column without its field"))?;
                let found = fields::kind_of(inputs.schema.field(input).data_type());
                match found {
                    FieldType::Unsupported(name) => {
                        let message = format!("a value of type {name} cannot be written");
                        Err(Error::new(Kind::Invalid, "unsupported_type", message).at_field(header))
                    }
                    _ => Ok(Output::Input(input)),
                }
            }
            Self::Parsed(parsed) => compile(&parsed, &inputs.schema, Expect::Any, now)
                .map(Output::Compiled)
                .map_err(|error| wrong_expression(error, header)),
            Self::Status => Ok(Output::Status),
            Self::Operation => Ok(Output::Operation),
            Self::Time => Ok(Output::Time(now.as_microsecond())),
        }
    }
}

/// What a column is made of, ready to be applied.
#[derive(Debug)]
pub(super) enum Output {
    Input(usize),
    Compiled(Compiled),
    Status,
    Operation,
    Time(i64),
}

impl Output {
    pub(super) fn data_type(&self, inputs: &Inputs) -> DataType {
        match self {
            Self::Input(input) => inputs.schema.field(*input).data_type().clone(),
            Self::Compiled(compiled) => compiled.data_type.clone(),
            Self::Status | Self::Operation => DataType::Utf8View,
            Self::Time(_) => DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())),
        }
    }

    /// What it says of those who left and have no record any more, if it tells of the membership.
    pub(super) fn of_the_gone(&self, rows: usize) -> Option<ArrayRef> {
        match self {
            Self::Status => Some(told::status_of_the_gone(rows)),
            Self::Operation => Some(told::operation_of_the_gone(rows)),
            Self::Time(time) => Some(told::time_of_the_gone(*time, rows)),
            Self::Input(_) | Self::Compiled(_) => None,
        }
    }
}

/// Checks that the dataset has a mapped field.
fn known(path: &FieldPath, schema: &plan::Schema, header: &str) -> Result<Steps, Error> {
    match schema.resolve(path) {
        Ok(_) => Ok(Steps::from(path)),
        Err(unknown) => {
            let message = format!("the dataset has no field `{path}`");
            let error = Error::new(Kind::Invalid, "unknown_field", message).at_field(header);
            Err(match unknown.nearest {
                Some(nearest) => error.with_hint(format!("Did you mean `{nearest}`?")),
                None => error,
            })
        }
    }
}
