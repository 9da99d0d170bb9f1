//! The fields of a project against the real schemas of its datasets.

use std::collections::BTreeMap;

use crate::diagnostic::{Diagnostic, Span};
use crate::field::FieldPath;
use crate::project::{Column, ColumnSource, Dataset, Project};
use crate::schema::{FieldType, Schema, Unknown};

/// The most fields that a hint lists.
const FIELDS_LISTED_MAX: usize = 12;

impl Project {
    /// Returns every problem of a field that the project names: identities, timestamps and the
    /// sources of columns. Rules and expressions are checked by whoever compiles them.
    ///
    /// `schemas` are by the keys of datasets; what is not there is not checked.
    pub fn check_fields(&self, schemas: &BTreeMap<String, Schema>) -> Vec<Diagnostic> {
        let mut out = Vec::new();
        for dataset in &self.datasets {
            if let Some(schema) = schemas.get(&dataset.key) {
                self.check_dataset(dataset, schema, &mut out);
            }
        }
        let profiles = self.profile_datasets().next();
        if let Some((dataset, schema)) = profiles.and_then(|d| Some((d, schemas.get(&d.key)?))) {
            for column in self.activations.iter().flat_map(|activation| &activation.mapping) {
                check_column(dataset, schema, column, &mut out);
            }
        }
        out.sort_by_key(|diagnostic| diagnostic.span.map(|span| span.start));
        out
    }

    fn check_dataset(&self, dataset: &Dataset, schema: &Schema, out: &mut Vec<Diagnostic>) {
        for identity in &dataset.identities {
            let Some(found) = resolve(dataset, schema, &identity.field, identity.span, out) else {
                continue;
            };
            let usable =
                matches!(found, FieldType::String | FieldType::Integer | FieldType::Decimal);
            if !usable {
                let message = format!(
                    "`{}` is {} and cannot identify a person",
                    identity.field,
                    article(found)
                );
                let hint = "Choose a field of text or of whole numbers.";
                out.push(
                    Diagnostic::error("identity_type", identity.span, message).with_hint(hint),
                );
            }
        }
        let place = self.places.timestamps.get(&dataset.key).copied().unwrap_or(dataset.span);
        let Some(field) = &dataset.timestamp else { return };
        let Some(found) = resolve(dataset, schema, field, place, out) else { return };
        if !matches!(
            found,
            FieldType::Timestamp | FieldType::Date | FieldType::Integer | FieldType::String
        ) {
            let message = format!("`{field}` is {} and does not tell a time", article(found));
            let hint = "Choose a timestamp or a date.";
            out.push(Diagnostic::error("timestamp_type", place, message).with_hint(hint));
        }
    }
}

fn check_column(dataset: &Dataset, schema: &Schema, column: &Column, out: &mut Vec<Diagnostic>) {
    let ColumnSource::Field(field) = &column.source else { return };
    let Some(found) = resolve(dataset, schema, field, column.span, out) else { return };
    if let Some(unwritable) = unwritable(found) {
        let message = format!("`{field}` holds {}, which has no form as text", unwritable.name());
        let hint = "Map an expression that turns it into text, such as `encode(…, 'hex')`.";
        out.push(Diagnostic::error("unsupported_type", column.span, message).with_hint(hint));
    } else if !found.is_scalar() && column.deduplicate {
        let message = format!("`{field}` is {} and cannot be a deduplication key", article(found));
        let hint = "Choose a single value, such as an identity.";
        out.push(Diagnostic::error("deduplicate_type", column.span, message).with_hint(hint));
    } else if !found.is_scalar() {
        let message = format!("`{field}` is {} and is written as JSON text", article(found));
        let hint = "Map one of its values if the reader expects a plain cell.";
        out.push(Diagnostic::warning("json_text", column.span, message).with_hint(hint));
    }
}

fn resolve<'a>(
    dataset: &Dataset,
    schema: &'a Schema,
    field: &FieldPath,
    place: Span,
    out: &mut Vec<Diagnostic>,
) -> Option<&'a FieldType> {
    match schema.resolve(field) {
        Ok(found) => Some(found),
        Err(unknown) => {
            out.push(unknown_field(dataset, schema, field, &unknown, place));
            None
        }
    }
}

fn unknown_field(
    dataset: &Dataset,
    schema: &Schema,
    field: &FieldPath,
    unknown: &Unknown,
    place: Span,
) -> Diagnostic {
    let inside = match unknown.known.as_str() {
        "" => String::new(),
        known => format!(": `{known}` has no `{}`", unknown.wanted),
    };
    let message = format!("the dataset `{}` has no field `{field}`{inside}", dataset.key);
    let hint = match &unknown.nearest {
        Some(nearest) => format!("Did you mean `{nearest}`?"),
        None => format!("Known: `{}`.", schema.paths(FIELDS_LISTED_MAX).join("`, `")),
    };
    Diagnostic::error("unknown_field", place, message).with_hint(hint)
}

/// The first type inside `found` that cannot be written as text.
fn unwritable(found: &FieldType) -> Option<&FieldType> {
    match found {
        FieldType::Binary | FieldType::Unsupported(_) => Some(found),
        FieldType::Struct(fields) => fields.iter().find_map(|field| unwritable(&field.field_type)),
        FieldType::List(element) | FieldType::Map(element) => unwritable(element),
        _ => None,
    }
}

fn article(found: &FieldType) -> String {
    let name = found.name();
    let article = if name.starts_with(['a', 'e', 'i', 'o', 'u']) { "an" } else { "a" };
    format!("{article} {name}")
}

#[cfg(test)]
mod tests;
