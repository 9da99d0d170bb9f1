//! Who may be sent: nobody who opted out, and only those who consent to what the file is for.

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, RecordBatch};
use arrow::buffer::BooleanBuffer;
use arrow::compute::cast;
use arrow::datatypes::{DataType, Schema};
use jiff::Timestamp;
use plan::schema::FieldType;

use crate::error::{Error, Kind};
use crate::fields;
use crate::path::Steps;
use crate::selection::Condition;

/// Texts by which somebody has not opted out. Any other text means that they have: a word that is
/// not understood must not make a person be sent.
const NOT_OPTED_OUT: [&str; 8] = ["", "false", "f", "no", "n", "0", "in", "not_provided"];

/// Conditions on everybody who is sent.
#[derive(Debug)]
pub(crate) struct Consent {
    opt_out: Option<OptOut>,
    purposes: Vec<Condition>,
}

#[derive(Debug)]
struct OptOut {
    path: Steps,
    data_type: DataType,
}

impl Consent {
    /// Compiles what a query asks; nothing if it asks nothing. Call it on a stack for expressions.
    ///
    /// # Errors
    /// The field or a rule does not fit the records.
    pub(crate) fn new(
        asked: &plan::Consent,
        schema: &Schema,
        now: Timestamp,
    ) -> Result<Option<Self>, Error> {
        let opt_out = match &asked.opt_out {
            None => None,
            Some(opt_out) => OptOut::new(opt_out, schema)?,
        };
        let compile = |purpose: &plan::consent::Purpose| {
            let place = format!("consent to {}", purpose.action);
            Condition::new(&purpose.rule.text, &place, schema, now)
        };
        let purposes = asked.purposes.iter().map(compile).collect::<Result<Vec<_>, _>>()?;
        let asks = opt_out.is_some() || !purposes.is_empty();
        Ok(asks.then_some(Self { opt_out, purposes }))
    }

    /// The fields that it reads.
    pub(crate) fn paths(&self) -> impl Iterator<Item = &Steps> {
        let opt_out = self.opt_out.iter().map(|opt_out| &opt_out.path);
        opt_out.chain(self.purposes.iter().flat_map(Condition::paths))
    }

    /// Which records may be sent.
    ///
    /// # Errors
    /// A rule cannot be computed for a value.
    pub(crate) fn given(&self, records: &RecordBatch) -> Result<BooleanBuffer, Error> {
        let mut given = match &self.opt_out {
            None => BooleanBuffer::new_set(records.num_rows()),
            Some(opt_out) => !&opt_out.of(records)?,
        };
        for purpose in &self.purposes {
            given = &given & &purpose.holds(records)?;
        }
        Ok(given)
    }
}

impl OptOut {
    /// Nothing for the default where no dataset has such a field.
    fn new(asked: &plan::consent::OptOut, schema: &Schema) -> Result<Option<Self>, Error> {
        let path = Steps::from(&asked.field);
        let Some(data_type) = path.data_type(schema) else {
            if asked.span.is_none() {
                return Ok(None);
            }
            let message = format!("the dataset has no field `{path}`");
            return Err(Error::new(Kind::Invalid, "unknown_field", message).at_field("consent"));
        };
        match fields::kind_of(&data_type) {
            FieldType::Boolean | FieldType::String | FieldType::Integer => {
                Ok(Some(Self { path, data_type }))
            }
            other => {
                let message =
                    format!("`{path}` is of type {} and does not tell who opted out", other.name());
                Err(Error::new(Kind::Invalid, "opt_out_type", message)
                    .at_field("consent")
                    .with_hint("Name a field under `consent: { opt_out: … }` that is a boolean, a text or a whole number."))
            }
        }
    }

    /// Who opted out.
    fn of(&self, records: &RecordBatch) -> Result<BooleanBuffer, Error> {
        let failed = |_| {
            Error::new(Kind::Invalid, "invalid_input", "the opt-out cannot be read")
                .at_field(self.path.to_string())
        };
        let values = self.path.extract(records, &self.data_type).map_err(failed)?;
        opted_out(&values).map_err(failed)
    }
}

fn opted_out(values: &ArrayRef) -> Result<BooleanBuffer, arrow::error::ArrowError> {
    let flags: BooleanArray = match fields::kind_of(values.data_type()) {
        FieldType::Boolean => values.as_boolean().clone(),
        // Everything but zero is true.
        FieldType::Integer => cast(values, &DataType::Boolean)?.as_boolean().clone(),
        _ => {
            let texts = cast(values, &DataType::Utf8View)?;
            let texts = texts.as_string_view();
            texts.iter().map(|text| text.map(says_out)).collect()
        }
    };
    Ok(match flags.nulls() {
        Some(nulls) => flags.values() & nulls.inner(),
        None => flags.values().clone(),
    })
}

fn says_out(text: &str) -> bool {
    let text = text.trim();
    !NOT_OPTED_OUT.iter().any(|word| text.eq_ignore_ascii_case(word))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{Int64Array, StringArray};

    use super::*;

    #[test]
    fn an_opt_out_is_told_by_booleans_numbers_and_texts() {
        let out = |values: ArrayRef| {
            opted_out(&values).expect("it can be read").iter().collect::<Vec<_>>()
        };
        let booleans = BooleanArray::from(vec![Some(true), Some(false), None]);
        assert_eq!(out(Arc::new(booleans)), [true, false, false]);
        assert_eq!(
            out(Arc::new(Int64Array::from(vec![Some(1), Some(0), None]))),
            [true, false, false]
        );
        let no = ["", " ", "false", "No", "n", "0", "IN", "not_provided", "F"];
        assert!(out(Arc::new(StringArray::from(no.to_vec()))).iter().all(|out| !out));
        let yes = ["out", "Yes", "true", "1", "pending", "whatever"];
        assert!(out(Arc::new(StringArray::from(yes.to_vec()))).iter().all(|out| *out));
    }
}
