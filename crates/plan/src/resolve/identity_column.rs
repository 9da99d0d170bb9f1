//! Identity columns: one namespace for each mapping, always mandatory and the key.

use super::Resolver;
use crate::config;
use crate::diagnostic::Diagnostic;
use crate::identity_rows::{IDENTITY_MAP, namespaces};
use crate::nearest::nearest;
use crate::project::{Column, ColumnSource, Project};

impl Resolver<'_> {
    /// Checks the identity columns of a mapping and marks them: a row of such a mapping is an
    /// identity, so it has a value, and no two rows have the same.
    ///
    /// Where only calculated columns are made from the identities, those are marked.
    pub(super) fn identity_columns(
        &mut self,
        project: &Project,
        columns: &mut [Column],
        written: &[&config::Column],
    ) {
        let mut first: Option<String> = None;
        let is_plain = |column: &Column| matches!(column.source, ColumnSource::Identity(_));
        let has_plain = columns.iter().any(is_plain);
        for (column, written) in columns.iter_mut().zip(written) {
            let named = namespaces(column);
            if named.is_empty() {
                continue;
            }
            self.check_namespaces(project, column, &named, &mut first);
            if has_plain && !is_plain(column) {
                continue;
            }
            if let config::Column::Mapping(written) = written
                && (written.mandatory == Some(false) || written.deduplicate == Some(false))
            {
                let message = "a column of identities is always mandatory and part of the key";
                let hint = "Remove `mandatory` and `deduplicate`.";
                self.error("identity_column", column.span, message, hint);
            }
            (column.mandatory, column.deduplicate) = (true, true);
        }
    }

    fn check_namespaces(
        &mut self,
        project: &Project,
        column: &Column,
        named: &[String],
        first: &mut Option<String>,
    ) {
        let known = project.namespaces();
        for namespace in named {
            // A calculated column is checked with all its fields by whoever compiles it.
            let is_plain = matches!(column.source, ColumnSource::Identity(_));
            if is_plain && !known.contains(&namespace.as_str()) {
                let message = format!("no profile dataset has the namespace `{namespace}`");
                let hint = match nearest(namespace, known.iter().copied()) {
                    Some(nearest) => format!("Did you mean `{IDENTITY_MAP}.{nearest}`?"),
                    None => format!("Known: `{}`.", known.join("`, `")),
                };
                let found = Diagnostic::error("unknown_namespace", column.span, message);
                self.push(found.with_hint(hint));
                continue;
            }
            match first {
                None => *first = Some(namespace.clone()),
                Some(first) if first == namespace => {}
                Some(first) => {
                    let message = format!(
                        "a mapping has a row for each identity of one namespace, here `{first}`; \
                         this is another"
                    );
                    let hint = "Map the field that holds the identity, or make another activation.";
                    self.error("several_namespaces", column.span, message, hint);
                }
            }
        }
    }
}
