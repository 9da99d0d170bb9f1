//! Columns: sources, headers, marks.

use super::{Item, Resolver, segment};
use crate::config;
use crate::diagnostic::{Diagnostic, Span};
use crate::field::{FieldPath, Step};
use crate::identity_rows::IDENTITY_MAP;
use crate::nearest::nearest;
use crate::project::{Column, ColumnSource};
use crate::tree::Node;

const STATUS: &str = "segmentMembership.status";
const OPERATION: &str = "segmentMembership.operation";
const LAST_QUALIFICATION_TIME: &str = "segmentMembership.lastQualificationTime";

impl Resolver<'_> {
    pub(super) fn column(&mut self, node: &Node, file: &config::Column) -> Option<Column> {
        match file {
            config::Column::Field(text) => {
                let source = self.source(text, node)?;
                let header = default_header(&source);
                let span = node.text_span();
                Some(Column { header, source, mandatory: false, deduplicate: false, span })
            }
            config::Column::Mapping(mapping) => self.mapped_column(node, mapping),
        }
    }

    fn mapped_column(&mut self, node: &Node, file: &config::ColumnMapping) -> Option<Column> {
        let start = Span { end: node.span.start, ..node.span };
        let item = Item { key: "mapping", key_span: start, node };
        let (source, span) = match (&file.source, &file.expression) {
            (Some(text), None) => (self.source(text, node.get("source")?)?, item.span("source")),
            (None, Some(text)) => (self.expression(item, text)?, item.span("expression")),
            (Some(_), Some(_)) => {
                let message = "a column has both `source` and `expression`";
                let place = item.key_place("expression");
                self.error("two_sources", place, message, "Keep one of the two.");
                return None;
            }
            (None, None) => {
                let given = |key: &str| node.get(key).is_some_and(|value| !value.is_null());
                if !given("source") && !given("expression") {
                    let hint = "Add `source:` with a field, or `expression:`.";
                    self.error("missing_source", start, "a column has no source", hint);
                }
                return None;
            }
        };
        let deduplicate = file.deduplicate.unwrap_or(false);
        let of_membership = matches!(
            source,
            ColumnSource::MembershipStatus
                | ColumnSource::MembershipOperation
                | ColumnSource::LastQualificationTime
        );
        if deduplicate && of_membership {
            let message = "membership cannot be a deduplication key";
            let hint = "Every member has the same status; deduplicate by an identity.";
            self.error("deduplicate_membership", item.key_place("deduplicate"), message, hint);
        }
        let header = match (&file.target, &source) {
            (Some(target), _) => target.clone(),
            (None, ColumnSource::Expression { .. }) => {
                if node.get("target").is_none_or(Node::is_null) {
                    let hint = "Add `target:` with the header.";
                    self.error("missing_target", span, "an expression needs a target", hint);
                }
                return None;
            }
            (None, source) => default_header(source),
        };
        let mandatory = file.mandatory.unwrap_or(false);
        Some(Column { header, source, mandatory, deduplicate, span })
    }

    fn expression(&mut self, item: Item<'_>, text: &str) -> Option<ColumnSource> {
        let place = item.span("expression");
        if text.trim().is_empty() {
            let hint = "Write a SQL expression over the fields of the profile.";
            self.error("missing_source", place, "the expression is empty", hint);
            return None;
        }
        if text.len() > segment::RULE_BYTES_MAX {
            let message =
                format!("the expression is longer than {} bytes", segment::RULE_BYTES_MAX);
            self.error("rule_too_long", place, message, "Shorten it.");
            return None;
        }
        let origin = segment::origin(item.node.get("expression")?);
        Some(ColumnSource::Expression { text: text.to_owned(), origin })
    }

    fn source(&mut self, text: &str, node: &Node) -> Option<ColumnSource> {
        let place = node.text_span();
        match text {
            STATUS => return Some(ColumnSource::MembershipStatus),
            OPERATION => return Some(ColumnSource::MembershipOperation),
            LAST_QUALIFICATION_TIME => return Some(ColumnSource::LastQualificationTime),
            _ => {}
        }
        let path = self.field_path(text, node)?;
        match path.root() {
            "segmentMembership" => {
                self.push(membership_problem(text, place));
                None
            }
            IDENTITY_MAP => match path.steps() {
                [_, Step::Field(namespace) | Step::Key(namespace)] => {
                    Some(ColumnSource::Identity(namespace.clone()))
                }
                _ => {
                    let message = format!("`{IDENTITY_MAP}` is followed by a namespace");
                    let hint = "Write `identityMap.Email` or `identityMap['Web id']`.";
                    self.error("identity_form", place, message, hint);
                    None
                }
            },
            _ => Some(ColumnSource::Field(path)),
        }
    }

    /// Checks the headers of a whole mapping together.
    pub(super) fn check_headers(&mut self, columns: &[Column], places: &[Span]) {
        for (position, (column, place)) in columns.iter().zip(places).enumerate() {
            let header = &column.header;
            if header.trim().is_empty() {
                let hint = "Name the column.";
                self.error("header_form", *place, "the header is empty", hint);
            } else if header.chars().any(char::is_control) {
                let hint = "Remove line breaks and other control characters.";
                self.error("header_form", *place, "the header holds a control character", hint);
            } else if header.starts_with(['=', '+', '-', '@']) {
                let hint = "Begin it with a letter.";
                let message = "a spreadsheet would take the header for a formula";
                self.warn("header_formula", *place, message, hint);
            }
            let before = &columns[..position];
            if before.iter().any(|other| other.header == *header) {
                let message = format!("two columns have the header `{header}`");
                self.error("duplicate_header", *place, message, "Give one of them a `target:`.");
            } else if let Some(other) =
                before.iter().find(|other| other.header.to_lowercase() == header.to_lowercase())
            {
                let message =
                    format!("the headers `{}` and `{header}` differ in case only", other.header);
                let hint = "Many readers take them for the same column, Parquet's among them: give one of them another `target:`.";
                self.error("header_case", *place, message, hint);
            }
        }
    }
}

fn default_header(source: &ColumnSource) -> String {
    let text = match source {
        ColumnSource::MembershipStatus => STATUS,
        ColumnSource::MembershipOperation => OPERATION,
        ColumnSource::LastQualificationTime => LAST_QUALIFICATION_TIME,
        ColumnSource::Field(path) => return path.header(),
        ColumnSource::Identity(namespace) => return format!("{IDENTITY_MAP}_{namespace}"),
        ColumnSource::Expression { .. } => return String::new(),
    };
    FieldPath::parse(text).map_or_else(|_| text.replace('.', "_"), |path| path.header())
}

fn membership_problem(text: &str, place: Span) -> Diagnostic {
    let known = [STATUS, OPERATION, LAST_QUALIFICATION_TIME];
    let meant = if text.ends_with(".status") {
        Some(STATUS)
    } else if text.ends_with(".lastQualificationTime") {
        Some(LAST_QUALIFICATION_TIME)
    } else {
        nearest(text, known)
    };
    let hint = match meant {
        Some(meant) => format!("Did you mean `{meant}`? It is that of the segment being sent."),
        None => format!("Known: `{STATUS}`, `{OPERATION}`, `{LAST_QUALIFICATION_TIME}`."),
    };
    let message = format!("there is no field `{text}`");
    Diagnostic::error("unknown_field", place, message).with_hint(hint)
}
