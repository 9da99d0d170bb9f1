//! Columns over identities: `identityMap.Email` gives one row for each e-mail address of a person
//! (behaviour reference §4.8).
//!
//! A mapping is about the identities of at most one namespace: the rows of two would have to be
//! multiplied with each other, which says nothing that is true.

use crate::project::{Column, ColumnSource, Project};
use crate::run_plan::Query;
use crate::schema::{Field, FieldType, Schema};

/// The name under which mappings find the identities of a person.
pub const IDENTITY_MAP: &str = "identityMap";

impl Query {
    /// The namespace of whose identities there is one row each; nothing if a row is a person.
    pub fn identity_namespace(&self) -> Option<String> {
        self.columns.iter().flat_map(namespaces).next()
    }
}

impl Project {
    /// The namespaces of profiles, in the order of the file.
    pub fn namespaces(&self) -> Vec<&str> {
        let mut all: Vec<&str> = Vec::new();
        for identity in self.profile_datasets().flat_map(|dataset| &dataset.identities) {
            if !all.contains(&identity.namespace.as_str()) {
                all.push(&identity.namespace);
            }
        }
        all
    }

    /// The fields that columns are calculated from: those of profiles, and `identityMap`.
    pub fn column_fields(&self, schema: &Schema) -> Schema {
        with_identities(schema, self.namespaces())
    }
}

/// Adds `identityMap` to fields; it takes the place of one that a dataset calls so.
pub fn with_identities<'a>(
    schema: &Schema,
    namespaces: impl IntoIterator<Item = &'a str>,
) -> Schema {
    let mut fields = schema.fields.clone();
    fields.retain(|field| field.name != IDENTITY_MAP);
    let text = |name: &str| Field { name: name.to_owned(), field_type: FieldType::String };
    let identities = namespaces.into_iter().map(text).collect();
    let field_type = FieldType::Struct(identities);
    fields.push(Field { name: IDENTITY_MAP.to_owned(), field_type });
    Schema { fields }
}

/// The namespaces whose identities a column is about.
pub(crate) fn namespaces(column: &Column) -> Vec<String> {
    match &column.source {
        ColumnSource::Identity(namespace) => vec![namespace.clone()],
        ColumnSource::Expression { text, .. } => named_in(text),
        _ => Vec::new(),
    }
}

/// The namespaces that a SQL expression names: `identityMap.Email`, `identityMap['Web id']`.
///
/// What is no such name is left for the compiler of the expression to refuse.
pub fn named_in(sql: &str) -> Vec<String> {
    let (mut found, mut rest) = (Vec::new(), sql);
    // Whether what comes is a field of what was before.
    let mut is_inside = false;
    while let Some(first) = rest.chars().next() {
        let (token, behind) = rest.split_at(token_bytes(rest));
        let is_name = first == '"' || is_word(first);
        if is_name && !is_inside && unquoted(token) == IDENTITY_MAP {
            found.extend(name_behind(behind));
        }
        if !token.trim().is_empty() {
            is_inside = token == ".";
        }
        rest = behind;
    }
    found
}

/// The name that follows `identityMap`.
fn name_behind(rest: &str) -> Option<String> {
    let rest = rest.trim_start();
    let (name, is_bracket) = match (rest.strip_prefix('.'), rest.strip_prefix('[')) {
        (Some(name), _) => (name.trim_start(), false),
        (_, Some(name)) => (name.trim_start(), true),
        _ => return None,
    };
    let token = &name[..token_bytes(name)];
    let first = token.chars().next()?;
    let is_name = if is_bracket { first == '\'' } else { first == '"' || is_word(first) };
    is_name.then(|| unquoted(token))
}

/// The length of the first token: a word, a quoted text or name, a comment, or one sign.
fn token_bytes(text: &str) -> usize {
    let until = |end: &str, from: usize| {
        text[from..].find(end).map_or(text.len(), |at| from + at + end.len())
    };
    match text.chars().next() {
        None => 0,
        Some(quote @ ('\'' | '"')) => {
            let mut end = 1;
            // A quote inside is doubled.
            loop {
                end = until(quote.encode_utf8(&mut [0; 4]), end);
                match text[end..].chars().next() {
                    Some(next) if next == quote => end += 1,
                    _ => return end,
                }
            }
        }
        Some('-') if text.starts_with("--") => until("\n", 2),
        Some('/') if text.starts_with("/*") => until("*/", 2),
        Some(letter) if is_word(letter) => text.find(|c| !is_word(c)).unwrap_or(text.len()),
        Some(letter) => letter.len_utf8(),
    }
}

fn is_word(letter: char) -> bool {
    letter.is_alphanumeric() || matches!(letter, '_' | '@' | '$')
}

fn unquoted(token: &str) -> String {
    for quote in ['\'', '"'] {
        if let Some(inner) = token.strip_prefix(quote) {
            let twice = [quote, quote].iter().collect::<String>();
            return inner.strip_suffix(quote).unwrap_or(inner).replace(&twice, &quote.to_string());
        }
    }
    token.to_owned()
}

#[cfg(test)]
mod tests {
    use super::named_in;

    #[test]
    fn namespaces_are_found_in_expressions() {
        let cases: [(&str, &[&str]); 9] = [
            ("hash_email(identityMap.Email)", &["Email"]),
            ("identityMap['Web id'] || \"identityMap\" . \"It\"\"s\"", &["Web id", "It\"s"]),
            ("coalesce(identityMap.ECID,identityMap . CRMID)", &["ECID", "CRMID"]),
            ("'identityMap.Email'", &[]),
            ("'it''s identityMap.Email'", &[]),
            ("web.identityMap.Email", &[]),
            ("identityMapping.Email", &[]),
            ("1 -- identityMap.Email\n + /* identityMap.A */ 2", &[]),
            ("identityMap", &[]),
        ];
        for (sql, expected) in cases {
            assert_eq!(named_in(sql), expected, "{sql}");
        }
    }
}
