//! The fields of a dataset: Arrow types in, the plan's words out, and one type for each field of
//! all files.

use std::collections::HashMap;
use std::sync::Arc;

use arrow::datatypes::{
    DECIMAL128_MAX_PRECISION, DataType, Field, FieldRef, Fields, Schema, TimeUnit,
};
use plan::schema::{Field as PlanField, FieldType};

use crate::expression::event_query::ANSWER;

/// What Segue itself knows about a merged profile. The field is none of the profile's: no rule and
/// no mapping can name it.
pub(crate) const PROFILE_FIELD: &str = "segue:profile";

/// The identity that a row is for, where there is one row each (see `identity_rows`).
pub(crate) const IDENTITY_FIELD: &str = "segue:identity";

/// Which record of the morsel such a row is of, where rows stand at other places than their records.
pub(crate) const RECORD_FIELD: &str = "segue:record";

/// Describes Arrow fields in the words of the plan.
pub(crate) fn describe(schema: &Schema) -> plan::Schema {
    let mut fields = describe_fields(schema.fields());
    let is_own = |name: &str| {
        name.starts_with(ANSWER) || [PROFILE_FIELD, IDENTITY_FIELD, RECORD_FIELD].contains(&name)
    };
    fields.retain(|field| !is_own(&field.name));
    plan::Schema { fields }
}

fn describe_fields(fields: &Fields) -> Vec<PlanField> {
    let describe = |field: &FieldRef| PlanField {
        name: field.name().clone(),
        field_type: kind_of(field.data_type()),
    };
    fields.iter().map(describe).collect()
}

/// The plan's word for an Arrow type.
pub(crate) fn kind_of(data_type: &DataType) -> FieldType {
    match data_type {
        DataType::Boolean => FieldType::Boolean,
        other if other.is_integer() => FieldType::Integer,
        DataType::Float16 | DataType::Float32 | DataType::Float64 => FieldType::Float,
        DataType::Decimal32(..)
        | DataType::Decimal64(..)
        | DataType::Decimal128(..)
        | DataType::Decimal256(..) => FieldType::Decimal,
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View | DataType::Null => {
            FieldType::String
        }
        DataType::Binary
        | DataType::LargeBinary
        | DataType::BinaryView
        | DataType::FixedSizeBinary(_) => FieldType::Binary,
        DataType::Date32 | DataType::Date64 => FieldType::Date,
        DataType::Time32(_) | DataType::Time64(_) => FieldType::Time,
        DataType::Timestamp(..) => FieldType::Timestamp,
        DataType::Duration(_) | DataType::Interval(_) => FieldType::Interval,
        DataType::Struct(fields) => FieldType::Struct(describe_fields(fields)),
        DataType::List(element)
        | DataType::LargeList(element)
        | DataType::FixedSizeList(element, _) => {
            FieldType::List(Box::new(kind_of(element.data_type())))
        }
        DataType::Map(entries, _) => match entries.data_type() {
            DataType::Struct(fields) if fields.len() == 2 => {
                FieldType::Map(Box::new(kind_of(fields[1].data_type())))
            }
            other => FieldType::Unsupported(other.to_string()),
        },
        DataType::Dictionary(_, values) => kind_of(values),
        other => FieldType::Unsupported(other.to_string()),
    }
}

/// An Arrow type for a declared or described one: what text files are read as, and what
/// expressions are checked against before any file has been opened.
pub(crate) fn arrow_type(field_type: &FieldType) -> DataType {
    match field_type {
        FieldType::Boolean => DataType::Boolean,
        FieldType::Integer => DataType::Int64,
        FieldType::Float => DataType::Float64,
        FieldType::Decimal => DataType::Decimal128(38, 10),
        FieldType::String | FieldType::Unsupported(_) => DataType::Utf8View,
        FieldType::Binary => DataType::BinaryView,
        FieldType::Date => DataType::Date32,
        FieldType::Time => DataType::Time64(TimeUnit::Microsecond),
        FieldType::Timestamp => DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())),
        FieldType::Interval => DataType::Interval(arrow::datatypes::IntervalUnit::MonthDayNano),
        FieldType::Struct(fields) => DataType::Struct(arrow_fields(fields)),
        FieldType::List(element) => {
            DataType::List(Arc::new(Field::new_list_field(arrow_type(element), true)))
        }
        FieldType::Map(value) => {
            let entries = vec![
                Field::new("keys", DataType::Utf8, false),
                Field::new("values", arrow_type(value), true),
            ];
            let entries = Field::new("entries", DataType::Struct(entries.into()), false);
            DataType::Map(Arc::new(entries), false)
        }
    }
}

/// Arrow fields for the plan's.
pub(crate) fn arrow_fields(fields: &[PlanField]) -> Fields {
    fields
        .iter()
        .map(|field| Field::new(&field.name, arrow_type(&field.field_type), true))
        .collect()
}

/// Text and bytes as views, which are decoded and filtered without copying. Instants are told in UTC,
/// whatever zone a file shows them in: next to them, a time without a zone is one of UTC too.
pub(crate) fn as_views(fields: &Fields) -> Fields {
    fields
        .iter()
        .map(|field| Arc::new(field.as_ref().clone().with_data_type(as_view(field.data_type()))))
        .collect()
}

fn as_view(data_type: &DataType) -> DataType {
    let element = |field: &FieldRef| {
        Arc::new(field.as_ref().clone().with_data_type(as_view(field.data_type())))
    };
    match data_type {
        DataType::Utf8 | DataType::LargeUtf8 => DataType::Utf8View,
        DataType::Binary | DataType::LargeBinary => DataType::BinaryView,
        DataType::Timestamp(unit, Some(_)) => DataType::Timestamp(*unit, Some("UTC".into())),
        DataType::Dictionary(_, values) => as_view(values),
        DataType::Struct(fields) => DataType::Struct(as_views(fields)),
        DataType::List(field) => DataType::List(element(field)),
        DataType::LargeList(field) => DataType::LargeList(element(field)),
        DataType::FixedSizeList(field, size) => DataType::FixedSizeList(element(field), *size),
        DataType::Map(entries, sorted) => DataType::Map(element(entries), *sorted),
        other => other.clone(),
    }
}

/// A field whose type differs between two files.
#[derive(Debug, PartialEq)]
pub(crate) struct Disagreement {
    pub(crate) field: String,
    pub(crate) here: String,
    pub(crate) there: String,
}

/// Joins the fields of one more file to those known so far.
pub(crate) fn unite(known: &Fields, more: &Fields) -> Result<Fields, Disagreement> {
    let mut united: Vec<FieldRef> = known.iter().cloned().collect();
    // By name: a table may have thousands of fields.
    let places = known.iter().enumerate().map(|(place, field)| (field.name().as_str(), place));
    let mut places: HashMap<&str, usize> = places.collect();
    for field in more {
        match places.get(field.name().as_str()).map(|at| &mut united[*at]) {
            None => {
                places.insert(field.name(), united.len());
                united.push(Arc::new(field.as_ref().clone().with_nullable(true)));
            }
            Some(known) => {
                let data_type = unite_types(known.data_type(), field.data_type())
                    .map_err(|inner| inner.below(field.name()))?;
                *known = Arc::new(Field::new(field.name(), data_type, true));
            }
        }
    }
    Ok(united.into())
}

impl Disagreement {
    fn below(self, name: &str) -> Self {
        let field =
            if self.field.is_empty() { name.to_owned() } else { format!("{name}.{}", self.field) };
        Self { field, ..self }
    }
}

fn unite_types(known: &DataType, more: &DataType) -> Result<DataType, Disagreement> {
    let disagree = || {
        let (here, there) = names(known, more);
        Disagreement { field: String::new(), here, there }
    };
    match (known, more) {
        (known, more) if known == more => Ok(known.clone()),
        (DataType::Null, other) | (other, DataType::Null) => Ok(other.clone()),
        (DataType::Struct(known), DataType::Struct(more)) => {
            unite(known, more).map(DataType::Struct)
        }
        (DataType::List(known), DataType::List(more)) => {
            let element = unite_types(known.data_type(), more.data_type())?;
            Ok(DataType::List(Arc::new(
                known.as_ref().clone().with_data_type(element).with_nullable(true),
            )))
        }
        (DataType::Map(known, sorted), DataType::Map(more, also_sorted)) => {
            let entries = unite_types(known.data_type(), more.data_type())?;
            let entries = Arc::new(known.as_ref().clone().with_data_type(entries));
            Ok(DataType::Map(entries, *sorted && *also_sorted))
        }
        (known, more) if known.is_floating() && more.is_floating() => Ok(DataType::Float64),
        (DataType::Timestamp(known, zone), DataType::Timestamp(more, other_zone)) => {
            // A time without a zone is not an instant: nobody knows which one is meant.
            if zone.is_some() != other_zone.is_some() {
                return Err(disagree());
            }
            let zone = if zone == other_zone { zone.clone() } else { Some("UTC".into()) };
            Ok(DataType::Timestamp(*known.max(more), zone))
        }
        (DataType::Decimal128(digits, scale), DataType::Decimal128(more_digits, more_scale)) => {
            let whole = |digits: u8, scale: i8| i16::from(digits) - i16::from(scale);
            let digits = whole(*digits, *scale).max(whole(*more_digits, *more_scale));
            let scale = *scale.max(more_scale);
            let digits = u8::try_from(digits + i16::from(scale)).map_err(|_| disagree())?;
            if digits > DECIMAL128_MAX_PRECISION {
                return Err(disagree());
            }
            Ok(DataType::Decimal128(digits, scale))
        }
        (known, more) if known.is_integer() && more.is_integer() => {
            let has_u64 = [known, more].contains(&&DataType::UInt64);
            let has_signed = known.is_signed_integer() || more.is_signed_integer();
            match (has_u64, has_signed) {
                (true, true) => Err(disagree()),
                (true, false) => Ok(DataType::UInt64),
                (false, _) => Ok(DataType::Int64),
            }
        }
        _ => Err(disagree()),
    }
}

/// What to call two types: the plan's words, or the engine's where those are the same.
fn names(known: &DataType, more: &DataType) -> (String, String) {
    let (here, there) = (kind_of(known), kind_of(more));
    if here.name() == there.name() {
        return (known.to_string(), more.to_string());
    }
    (here.name().to_owned(), there.name().to_owned())
}

/// Whole and floating point numbers are one kind where types were guessed from text.
pub(crate) fn unite_guesses(known: &DataType, more: &DataType) -> Option<DataType> {
    match (known, more) {
        (DataType::Int64, DataType::Float64) | (DataType::Float64, DataType::Int64) => {
            Some(DataType::Float64)
        }
        _ => unite_types(known, more).ok(),
    }
}

/// The fields of which no sampled record had a value.
pub(crate) fn without_values(fields: &Fields) -> Fields {
    fields.iter().filter(|field| field.data_type() == &DataType::Null).cloned().collect()
}

/// Fields of which no sampled record had a value are read as text.
pub(crate) fn nulls_as_text(fields: &Fields) -> Fields {
    let settle = |field: &FieldRef| {
        Arc::new(field.as_ref().clone().with_data_type(settled(field.data_type())))
    };
    fields.iter().map(settle).collect()
}

fn settled(data_type: &DataType) -> DataType {
    match data_type {
        DataType::Null => DataType::Utf8View,
        DataType::Struct(fields) => DataType::Struct(nulls_as_text(fields)),
        DataType::List(field) => {
            let element = field.as_ref().clone().with_data_type(settled(field.data_type()));
            DataType::List(Arc::new(element))
        }
        other => other.clone(),
    }
}
