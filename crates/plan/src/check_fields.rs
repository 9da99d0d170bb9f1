//! The fields of a project against the real schemas of its datasets.

use std::collections::BTreeMap;

use crate::consent::OptOut;
use crate::diagnostic::{Diagnostic, Span};
use crate::field::FieldPath;
use crate::project::{Column, ColumnSource, Dataset, DatasetKind, Identity, Project, Segment};
use crate::schema::{Disagreement, FieldType, Schema, Unknown};

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
        // With a dataset missing, a field that it has would be reported as unknown.
        let is_whole = self.profile_datasets().all(|dataset| schemas.contains_key(&dataset.key));
        let united = self.unite(schemas, &mut out);
        if is_whole {
            let owner = self.owner();
            for column in self.activations.iter().flat_map(|activation| &activation.mapping) {
                check_column(&owner, &united, column, &mut out);
            }
            self.check_opt_out(&owner, &united, &mut out);
        }
        self.check_timestamps(schemas, &mut out);
        out.sort_by_key(|diagnostic| diagnostic.span.map(|span| span.start));
        out
    }

    /// The field of the general opt-out, which need not be there unless it is written down.
    fn check_opt_out(&self, owner: &str, united: &Schema, out: &mut Vec<Diagnostic>) {
        let Some(OptOut { field, span }) = &self.consent.opt_out else { return };
        let found = match (united.resolve(field), span) {
            (Err(_), None) => return,
            (_, Some(place)) => resolve(owner, united, field, *place, out),
            (found, None) => found.ok(),
        };
        let is_usable = |found: &FieldType| {
            matches!(found, FieldType::Boolean | FieldType::String | FieldType::Integer)
        };
        let Some(found) = found.filter(|found| !is_usable(found)) else { return };
        let message = format!("`{field}` is {} and does not tell who opted out", article(found));
        let hint = "Name a field under `consent: { opt_out: … }` that is a boolean, a text or a whole number.";
        let problem = Diagnostic {
            span: *span,
            ..Diagnostic::error(
                "opt_out_type",
                Span { start: 0, end: 0, line: 1, column: 1 },
                message,
            )
        };
        out.push(problem.with_hint(hint));
    }

    /// Who has the fields of profiles, for messages.
    fn owner(&self) -> String {
        let mut datasets = self.profile_datasets();
        match (datasets.next(), datasets.next()) {
            (Some(dataset), None) => owner(dataset),
            _ => "no profile dataset".to_owned(),
        }
    }

    /// The fields of all profile datasets, in the order in which they are first seen.
    fn unite(&self, schemas: &BTreeMap<String, Schema>, out: &mut Vec<Diagnostic>) -> Schema {
        let mut united = Schema::default();
        let mut before: Vec<(&Dataset, &Schema)> = Vec::new();
        for dataset in self.profile_datasets() {
            let Some(schema) = schemas.get(&dataset.key) else { continue };
            for found in united.unite(schema) {
                let first = before.iter().find(|(_, schema)| has(schema, &found.field));
                let first = first.map_or("", |(dataset, _)| dataset.key.as_str());
                out.push(disagreement(dataset, first, &found));
            }
            before.push((dataset, schema));
        }
        united
    }

    /// Times of several datasets have to be comparable with each other.
    fn check_timestamps(&self, schemas: &BTreeMap<String, Schema>, out: &mut Vec<Diagnostic>) {
        let mut first: Option<(&Dataset, &FieldPath, &FieldType)> = None;
        for dataset in self.profile_datasets() {
            let Some(field) = &dataset.timestamp else { continue };
            let found = schemas.get(&dataset.key).and_then(|schema| schema.resolve(field).ok());
            let Some(found) = found else { continue };
            let Some((other, other_field, other_type)) = first else {
                first = Some((dataset, field, found));
                continue;
            };
            let is_number = |found: &FieldType| matches!(found, FieldType::Integer);
            if is_number(found) == is_number(other_type) {
                continue;
            }
            let message = format!(
                "`{field}` of `{}` is {} and `{other_field}` of `{}` is {}: they cannot be compared",
                dataset.key,
                article(found),
                other.key,
                article(other_type),
            );
            let place = self.places.timestamps.get(&dataset.key).copied().unwrap_or(dataset.span);
            let hint =
                "Let all profile datasets tell time by timestamps or dates, or all by numbers.";
            out.push(Diagnostic::error("timestamp_kinds", place, message).with_hint(hint));
        }
    }

    /// Returns what is wrong with the field of an imported segment, given the fields of its file.
    pub fn check_import(&self, segment: &Segment, schema: &Schema) -> Vec<Diagnostic> {
        let mut out = Vec::new();
        let Some(import) = &segment.import else { return out };
        let owner = format!("the file of imported segment `{}`", segment.key);
        for identity in &import.identities {
            check_identity(&owner, schema, identity, &mut out);
        }
        out
    }

    fn check_dataset(&self, dataset: &Dataset, schema: &Schema, out: &mut Vec<Diagnostic>) {
        for identity in &dataset.identities {
            check_identity(&owner(dataset), schema, identity, out);
        }
        let place = self.places.timestamps.get(&dataset.key).copied().unwrap_or(dataset.span);
        let Some(field) = &dataset.timestamp else { return };
        let Some(found) = resolve(&owner(dataset), schema, field, place, out) else { return };
        // Which record is newer, numbers can tell; when something happened, they cannot.
        let is_number = matches!(found, FieldType::Integer);
        let is_time = matches!(found, FieldType::Timestamp | FieldType::Date | FieldType::String);
        let is_enough = is_time || (is_number && dataset.kind == DatasetKind::Profile);
        if !is_enough {
            let message = format!("`{field}` is {} and does not tell a time", article(found));
            let hint = "Choose a timestamp or a date.";
            out.push(Diagnostic::error("timestamp_type", place, message).with_hint(hint));
        }
    }
}

fn owner(dataset: &Dataset) -> String {
    format!("the dataset `{}`", dataset.key)
}

/// Whether a schema has a field, given by the dotted path that [`Schema::unite`] reports.
fn has(schema: &Schema, path: &str) -> bool {
    let mut fields = schema.fields.as_slice();
    for name in path.split('.') {
        let Some(field) = fields.iter().find(|field| field.name == name) else { return false };
        fields = match &field.field_type {
            FieldType::Struct(fields) => fields,
            _ => return true,
        };
    }
    true
}

fn disagreement(dataset: &Dataset, first: &str, found: &Disagreement) -> Diagnostic {
    let message = format!(
        "`{}` is {} in `{}`, but {} in `{first}`",
        found.field,
        article(&found.second),
        dataset.key,
        article(&found.first),
    );
    let hint = "Profile datasets have to agree on the type of a field; declare it under `types:` where it is read from text, or rename it in one of the two.";
    Diagnostic::error("type_disagreement", dataset.span, message).with_hint(hint)
}

fn check_identity(owner: &str, schema: &Schema, identity: &Identity, out: &mut Vec<Diagnostic>) {
    let Some(found) = resolve(owner, schema, &identity.field, identity.span, out) else { return };
    if matches!(found, FieldType::String | FieldType::Integer | FieldType::Decimal) {
        return;
    }
    let message =
        format!("`{}` is {} and cannot identify a person", identity.field, article(found));
    let hint = "Choose a field of text or of whole numbers.";
    out.push(Diagnostic::error("identity_type", identity.span, message).with_hint(hint));
}

fn check_column(owner: &str, schema: &Schema, column: &Column, out: &mut Vec<Diagnostic>) {
    let ColumnSource::Field(field) = &column.source else { return };
    let Some(found) = resolve(owner, schema, field, column.span, out) else { return };
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
    owner: &str,
    schema: &'a Schema,
    field: &FieldPath,
    place: Span,
    out: &mut Vec<Diagnostic>,
) -> Option<&'a FieldType> {
    match schema.resolve(field) {
        Ok(found) => Some(found),
        Err(unknown) => {
            out.push(unknown_field(owner, schema, field, &unknown, place));
            None
        }
    }
}

fn unknown_field(
    owner: &str,
    schema: &Schema,
    field: &FieldPath,
    unknown: &Unknown,
    place: Span,
) -> Diagnostic {
    let inside = match unknown.known.as_str() {
        "" => String::new(),
        known => format!(": `{known}` has no `{}`", unknown.wanted),
    };
    let verb = if owner.starts_with("no ") { "has a" } else { "has no" };
    let message = format!("{owner} {verb} field `{field}`{inside}");
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
