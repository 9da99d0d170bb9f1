//! The fields of a profile, as far as a project file needs to know them.
//!
//! `engine` reads the real schemas of the datasets and describes them in these words, so that
//! mappings can be checked, and the nearest valid name offered, without naming an engine here.

use std::collections::HashMap;

use crate::field::{FieldPath, Step};

/// The type of a field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FieldType {
    /// True or false.
    Boolean,
    /// A whole number of any width.
    Integer,
    /// A floating point number.
    Float,
    /// An exact decimal number.
    Decimal,
    /// Text.
    String,
    /// Bytes without a text encoding.
    Binary,
    /// A day of the calendar.
    Date,
    /// A time of day.
    Time,
    /// An instant.
    Timestamp,
    /// A length of time.
    Interval,
    /// Named fields.
    Struct(Vec<Field>),
    /// Elements of one type.
    List(Box<FieldType>),
    /// Values of one type under text keys.
    Map(Box<FieldType>),
    /// A type that Segue cannot write, with its engine's name for it.
    Unsupported(String),
}

/// One named field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Field {
    /// The name as the dataset spells it.
    pub name: String,
    /// What its values are.
    pub field_type: FieldType,
}

/// The fields of one dataset, in its order.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Schema {
    /// Top-level fields.
    pub fields: Vec<Field>,
}

/// A field of which two schemas have different types.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Disagreement {
    /// The dotted path of the field.
    pub field: String,
    /// Its type in the schema that was there first.
    pub first: FieldType,
    /// Its type in the other.
    pub second: FieldType,
}

/// Why a path names no field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unknown {
    /// The part of the path that exists, empty when the first step is already unknown.
    pub known: String,
    /// The step that was looked for.
    pub wanted: String,
    /// The nearest whole path that exists, if one is near.
    pub nearest: Option<String>,
}

impl FieldType {
    /// The word for the type in messages and listings.
    pub fn name(&self) -> &str {
        match self {
            Self::Boolean => "boolean",
            Self::Integer => "integer",
            Self::Float => "float",
            Self::Decimal => "decimal",
            Self::String => "string",
            Self::Binary => "binary",
            Self::Date => "date",
            Self::Time => "time",
            Self::Timestamp => "timestamp",
            Self::Interval => "interval",
            Self::Struct(_) => "struct",
            Self::List(_) => "list",
            Self::Map(_) => "map",
            Self::Unsupported(name) => name,
        }
    }

    /// Whether values are single cells: neither struct, list nor map.
    pub fn is_scalar(&self) -> bool {
        !matches!(self, Self::Struct(_) | Self::List(_) | Self::Map(_))
    }
}

impl Schema {
    /// Adds the fields of another schema behind those that are there, structs field by field.
    /// A field on whose type the two disagree keeps its own.
    pub fn unite(&mut self, more: &Self) -> Vec<Disagreement> {
        let mut found = Vec::new();
        unite_fields("", &mut self.fields, &more.fields, &mut found);
        found
    }

    /// Finds the type at `path`. A bracketed name addresses a map key or a struct field alike.
    ///
    /// # Errors
    /// [`Unknown`], with the nearest path that exists.
    pub fn resolve(&self, path: &FieldPath) -> Result<&FieldType, Unknown> {
        let mut fields: Option<&[Field]> = Some(&self.fields);
        let mut found: Option<&FieldType> = None;
        for (position, step) in path.steps().iter().enumerate() {
            let next = match (step, found) {
                (Step::Field(name) | Step::Key(name), _) if fields.is_some() => fields
                    .and_then(|fields| fields.iter().find(|field| field.name == *name))
                    .map(|field| &field.field_type),
                (Step::Key(_) | Step::Field(_), Some(FieldType::Map(value))) => Some(&**value),
                (Step::Index(_), Some(FieldType::List(element))) => Some(&**element),
                _ => None,
            };
            let Some(next) = next else { return Err(self.unknown(path, position)) };
            fields = match next {
                FieldType::Struct(fields) => Some(fields),
                _ => None,
            };
            found = Some(next);
        }
        Ok(found.expect("a path has at least one step"))
    }

    /// All dotted paths to scalars and lists, in order, at most `limit` of them.
    pub fn paths(&self, limit: usize) -> Vec<String> {
        self.leaves(limit).into_iter().map(|(path, _)| path).collect()
    }

    /// The same with the type of each.
    pub fn leaves(&self, limit: usize) -> Vec<(String, &FieldType)> {
        let mut leaves = Vec::new();
        collect_leaves("", &self.fields, limit, &mut leaves);
        leaves
    }

    fn unknown(&self, path: &FieldPath, position: usize) -> Unknown {
        let text = |steps: &[Step]| {
            let mut text = String::new();
            for step in steps {
                match step {
                    Step::Field(name) if text.is_empty() => text.push_str(name),
                    Step::Field(name) => text.extend([".", name]),
                    Step::Index(index) => text.push_str(&format!("[{index}]")),
                    Step::Key(key) => text.push_str(&format!("['{key}']")),
                }
            }
            text
        };
        let wanted = text(&path.steps()[position..=position]);
        let paths = self.paths(PATHS_SEARCHED_MAX);
        let candidates = paths.iter().map(String::as_str);
        let nearest = crate::nearest::nearest(&path.to_string(), candidates);
        Unknown {
            known: text(&path.steps()[..position]),
            wanted,
            nearest: nearest.map(str::to_owned),
        }
    }
}

fn unite_fields(
    prefix: &str,
    known: &mut Vec<Field>,
    more: &[Field],
    found: &mut Vec<Disagreement>,
) {
    // By name: a table may have thousands of fields.
    let places = known.iter().enumerate().map(|(place, field)| (field.name.clone(), place));
    let mut places: HashMap<String, usize> = places.collect();
    for field in more {
        let path =
            if prefix.is_empty() { field.name.clone() } else { format!("{prefix}.{}", field.name) };
        match places.get(&field.name) {
            None => {
                places.insert(field.name.clone(), known.len());
                known.push(field.clone());
            }
            Some(at) => unite_types(path, &mut known[*at].field_type, &field.field_type, found),
        }
    }
}

fn unite_types(
    path: String,
    known: &mut FieldType,
    more: &FieldType,
    found: &mut Vec<Disagreement>,
) {
    match (known, more) {
        (FieldType::Struct(known), FieldType::Struct(more)) => {
            unite_fields(&path, known, more, found);
        }
        (FieldType::List(known), FieldType::List(more))
        | (FieldType::Map(known), FieldType::Map(more)) => unite_types(path, known, more, found),
        (known, more) if known != more => {
            found.push(Disagreement { field: path, first: known.clone(), second: more.clone() });
        }
        _ => {}
    }
}

/// The most paths that are compared when the nearest name is looked for.
pub const PATHS_SEARCHED_MAX: usize = 10_000;

fn collect_leaves<'a>(
    prefix: &str,
    fields: &'a [Field],
    limit: usize,
    leaves: &mut Vec<(String, &'a FieldType)>,
) {
    for field in fields {
        if leaves.len() >= limit {
            return;
        }
        let path =
            if prefix.is_empty() { field.name.clone() } else { format!("{prefix}.{}", field.name) };
        match &field.field_type {
            FieldType::Struct(fields) => collect_leaves(&path, fields, limit, leaves),
            field_type => leaves.push((path, field_type)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn field(name: &str, field_type: FieldType) -> Field {
        Field { name: name.to_owned(), field_type }
    }

    fn schema() -> Schema {
        let name =
            vec![field("firstName", FieldType::String), field("lastName", FieldType::String)];
        let email = FieldType::Struct(vec![field("address", FieldType::String)]);
        Schema {
            fields: vec![
                field("crmId", FieldType::String),
                field("person", FieldType::Struct(vec![field("name", FieldType::Struct(name))])),
                field("emails", FieldType::List(Box::new(email))),
                field("attributes", FieldType::Map(Box::new(FieldType::Integer))),
            ],
        }
    }

    fn resolve(path: &str) -> Result<String, Unknown> {
        let path = FieldPath::parse(path).expect("the path parses");
        schema().resolve(&path).map(|found| found.name().to_owned())
    }

    #[test]
    fn paths_reach_through_structs_lists_and_maps() {
        assert_eq!(resolve("crmId"), Ok("string".to_owned()));
        assert_eq!(resolve("person.name.firstName"), Ok("string".to_owned()));
        assert_eq!(resolve("person['name'].firstName"), Ok("string".to_owned()));
        assert_eq!(resolve("emails"), Ok("list".to_owned()));
        assert_eq!(resolve("emails[0].address"), Ok("string".to_owned()));
        assert_eq!(resolve("attributes['lang']"), Ok("integer".to_owned()));
    }

    #[test]
    fn unknown_fields_name_the_nearest() {
        let unknown = resolve("person.name.fristName").expect_err("no such field");
        assert_eq!(unknown.known, "person.name");
        assert_eq!(unknown.wanted, "fristName");
        assert_eq!(unknown.nearest.as_deref(), Some("person.name.firstName"));
        assert_eq!(resolve("crmid").expect_err("case matters").nearest.as_deref(), Some("crmId"));
        assert_eq!(resolve("zzz").expect_err("nothing is near").nearest, None);
        assert!(resolve("crmId[0]").is_err());
        assert!(resolve("emails.address").is_err());
    }
}
