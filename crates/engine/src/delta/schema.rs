//! The columns of a table: their names, their types, and how they are found in its files.

use std::sync::Arc;

use arrow::datatypes::{DataType, Field, FieldRef, TimeUnit};
use serde_json::Value;

use super::action::Metadata;
use super::log::damaged;
use super::unsupported;
use crate::error::{Error, Kind};

/// How columns are found in the files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mapping {
    /// By the names that the table knows them by.
    None,
    /// By names that stay when a column is renamed.
    Name,
    /// By the numbers of the files' own columns.
    Id,
}

/// A column, or a field of a struct.
#[derive(Debug, Clone)]
pub(super) struct Column {
    pub(super) name: String,
    pub(super) physical: String,
    pub(super) id: Option<i64>,
    pub(super) shape: Shape,
}

/// What a value is made of.
#[derive(Debug, Clone)]
pub(super) enum Shape {
    Scalar(DataType),
    Struct(Vec<Column>),
    List(Box<Shape>),
    Map(Box<Shape>, Box<Shape>),
}

/// Reads the columns of a table.
pub(super) fn parse(metadata: &Metadata, location: &str) -> Result<Vec<Column>, Error> {
    let broken = || damaged(location, "its schema cannot be read");
    let schema: Value = serde_json::from_str(&metadata.schema_string).map_err(|_| broken())?;
    let parser = Parser { location };
    parser.columns(&schema, "")?.ok_or_else(broken)
}

struct Parser<'a> {
    location: &'a str,
}

impl Parser<'_> {
    fn columns(&self, schema: &Value, above: &str) -> Result<Option<Vec<Column>>, Error> {
        let Some(fields) = schema.get("fields").and_then(Value::as_array) else { return Ok(None) };
        fields.iter().map(|field| self.column(field, above)).collect::<Result<_, _>>().map(Some)
    }

    fn column(&self, field: &Value, above: &str) -> Result<Column, Error> {
        let broken = || damaged(self.location, "its schema cannot be read");
        let name = field.get("name").and_then(Value::as_str).ok_or_else(broken)?;
        let path = if above.is_empty() { name.to_owned() } else { format!("{above}.{name}") };
        let mapped = |key: &str| field.get("metadata").and_then(|found| found.get(key));
        Ok(Column {
            name: name.to_owned(),
            physical: mapped("delta.columnMapping.physicalName")
                .and_then(Value::as_str)
                .unwrap_or(name)
                .to_owned(),
            id: mapped("delta.columnMapping.id").and_then(Value::as_i64),
            shape: self.shape(field.get("type").ok_or_else(broken)?, &path)?,
        })
    }

    fn shape(&self, written: &Value, path: &str) -> Result<Shape, Error> {
        let unknown = || self.unknown(written, path);
        if let Some(name) = written.as_str() {
            return match scalar(name) {
                Some(data_type) => Ok(Shape::Scalar(data_type)),
                None if name == "variant" => Err(unsupported(self.location, "variantType")),
                None => Err(unknown()),
            };
        }
        let inside = |key: &str| {
            let shape = self.shape(written.get(key).ok_or_else(unknown)?, path)?;
            Ok(Box::new(shape))
        };
        match written.get("type").and_then(Value::as_str) {
            Some("struct") => self.columns(written, path)?.map(Shape::Struct).ok_or_else(unknown),
            Some("array") => Ok(Shape::List(inside("elementType")?)),
            Some("map") => Ok(Shape::Map(inside("keyType")?, inside("valueType")?)),
            _ => Err(unknown()),
        }
    }

    fn unknown(&self, written: &Value, path: &str) -> Error {
        let name = written.as_str().or_else(|| written.get("type").and_then(Value::as_str));
        let message = format!("columns of type `{}` cannot be read", name.unwrap_or("unknown"));
        Error::new(Kind::Invalid, "unsupported_table", message)
            .in_file(self.location)
            .at_field(path)
            .with_hint("Read a copy of the table without the column, or with it as a string.")
    }
}

fn scalar(name: &str) -> Option<DataType> {
    Some(match name {
        "string" => DataType::Utf8View,
        "long" => DataType::Int64,
        "integer" => DataType::Int32,
        "short" => DataType::Int16,
        "byte" => DataType::Int8,
        "float" => DataType::Float32,
        "double" => DataType::Float64,
        "boolean" => DataType::Boolean,
        "binary" => DataType::BinaryView,
        "date" => DataType::Date32,
        "timestamp" => DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())),
        "timestamp_ntz" => DataType::Timestamp(TimeUnit::Microsecond, None),
        // A column of nothing but null.
        "void" => DataType::Utf8View,
        _ => return decimal(name),
    })
}

/// `decimal(10,2)`
fn decimal(name: &str) -> Option<DataType> {
    let (precision, scale) = match name {
        "decimal" => (10, 0),
        _ => {
            let digits = name.strip_prefix("decimal(")?.strip_suffix(')')?;
            let (precision, scale) = digits.split_once(',')?;
            (precision.trim().parse().ok()?, scale.trim().parse().ok()?)
        }
    };
    let is_valid = (1..=38).contains(&precision) && (0..=38).contains(&scale);
    is_valid.then_some(DataType::Decimal128(precision, scale))
}

impl Column {
    pub(super) fn data_type(&self) -> DataType {
        self.shape.data_type()
    }

    /// Whether a column of a file is this one.
    pub(super) fn is(&self, field: &Field, mapping: Mapping) -> bool {
        match mapping {
            Mapping::None => field.name() == &self.name,
            Mapping::Name => field.name() == &self.physical,
            Mapping::Id => {
                let id = field.metadata().get(parquet::arrow::PARQUET_FIELD_ID_META_KEY);
                id.and_then(|id| id.parse().ok()).is_some_and(|id: i64| self.id == Some(id))
            }
        }
    }

    /// The name of a partition column in the log.
    pub(super) fn name_in_log(&self, mapping: Mapping) -> &str {
        if mapping == Mapping::None { &self.name } else { &self.physical }
    }
}

impl Shape {
    pub(super) fn data_type(&self) -> DataType {
        match self {
            Self::Scalar(data_type) => data_type.clone(),
            Self::Struct(columns) => DataType::Struct(
                columns.iter().map(|it| Field::new(&it.name, it.data_type(), true)).collect(),
            ),
            Self::List(element) => {
                DataType::List(Arc::new(Field::new_list_field(element.data_type(), true)))
            }
            Self::Map(key, value) => {
                let entries: Vec<FieldRef> = vec![
                    Arc::new(Field::new("key", key.data_type(), false)),
                    Arc::new(Field::new("value", value.data_type(), true)),
                ];
                let entries = Field::new("key_value", DataType::Struct(entries.into()), false);
                DataType::Map(Arc::new(entries), false)
            }
        }
    }

    /// Whether names inside of a value may differ between the table and its files.
    pub(super) fn has_names(&self) -> bool {
        match self {
            Self::Scalar(_) => false,
            Self::Struct(_) => true,
            Self::List(element) => element.has_names(),
            Self::Map(key, value) => key.has_names() || value.has_names(),
        }
    }
}
