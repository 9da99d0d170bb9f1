//! Segments: exactly one rule each, or a file.

use uuid::Uuid;

use super::{Item, Resolver};
use crate::config;
use crate::diagnostic::{Diagnostic, Span};
use crate::pql;
use crate::project::{Rule, RuleOrigin, Segment};
use crate::tree::Node;

/// The longest text of a rule, in bytes.
pub const RULE_BYTES_MAX: usize = 64 * 1024;

impl Resolver<'_> {
    pub(super) fn segment(&mut self, item: Item<'_>, file: &config::Segment) -> Option<Segment> {
        let name = self.name(item, file.name.as_deref());
        let id = self.id(item, "segment", file.id.as_deref());
        let import = self.import(item, file);
        let rule = self.rule(item, file)?;
        let is_whole = file.import.is_none() || import.is_some();
        is_whole.then(|| Segment { key: item.key.to_owned(), id, name, rule, import })
    }

    fn rule(&mut self, item: Item<'_>, file: &config::Segment) -> Option<Rule> {
        let given: Vec<&str> = ["rule", "rule_file", "pql", "pql_file", "import"]
            .into_iter()
            .filter(|key| item.node.get(key).is_some_and(|node| !node.is_null()))
            .collect();
        match given.as_slice() {
            [] => {
                let hint = "Add `rule:` with a SQL expression, or `pql:`, `rule_file:`, `pql_file:` or `import:`.";
                self.error("missing_rule", item.key_span, "the segment has no rule", hint);
                return None;
            }
            ["import"] => return Self::rule_of_import(item),
            [_] => {}
            [first, second, ..] => {
                let message = format!("the segment has a rule twice: `{first}` and `{second}`");
                self.error("two_rules", item.key_place(second), message, "Keep one of the two.");
                return None;
            }
        }
        let is_file = matches!(given[0], "rule_file" | "pql_file");
        let written = [&file.rule, &file.rule_file, &file.pql, &file.pql_file];
        let written = written.into_iter().flatten().next()?;
        let rule = match is_file {
            true => self.rule_file(item, given[0], written)?,
            false => Rule { text: written.clone(), origin: origin(item.node.get(given[0])?) },
        };
        self.check_rule(item, given[0], &rule.text)?;
        if given[0].starts_with("pql") { self.translated(item, given[0], rule) } else { Some(rule) }
    }

    /// Translates a rule in PQL.
    fn translated(&mut self, item: Item<'_>, key: &str, rule: Rule) -> Option<Rule> {
        match pql::translate(&rule.text, &self.segments) {
            Ok(pql::Translation { sql, map }) => {
                let written = Box::new(rule.origin);
                Some(Rule { text: sql, origin: RuleOrigin::Translated { written, map } })
            }
            Err(error) => {
                let place = rule.origin.place(error.offset, error.length);
                let message = match &rule.origin {
                    RuleOrigin::File { path, .. } => {
                        let at = Span::of(&rule.text, error.offset..error.offset);
                        let (line, column) = (at.line, at.column);
                        format!("{} ({path}, line {line}, column {column})", error.message)
                    }
                    _ => error.message,
                };
                let place = place.unwrap_or_else(|| item.span(key));
                let problem = Diagnostic::error(error.code, place, message);
                self.push(Diagnostic { hint: error.hint, ..problem });
                None
            }
        }
    }

    /// The segments that a rule may name.
    pub(super) fn segment_names(&self, file: &config::Project) -> Vec<pql::SegmentName> {
        let segments = file.segments.iter().flat_map(config::Ordered::iter);
        let name = |(key, segment): (&str, &config::Segment)| {
            let derived = || self.derived_id("segment", key);
            let written = segment.id.as_deref().and_then(|id| Uuid::parse_str(id).ok());
            let id = written.unwrap_or_else(derived).to_string();
            let name = segment.name.clone().unwrap_or_else(|| key.to_owned());
            pql::SegmentName { key: key.to_owned(), id, name }
        };
        segments.map(name).collect()
    }

    fn rule_file(&mut self, item: Item<'_>, key: &str, path: &str) -> Option<Rule> {
        let span = item.span(key);
        match (self.files)(path) {
            Ok(text) => {
                Some(Rule { text, origin: RuleOrigin::File { path: path.to_owned(), span } })
            }
            Err(reason) => {
                let message = format!("the rule file cannot be read: {reason}");
                let hint = "The path is relative to the project file.";
                self.error("rule_file", span, message, hint);
                None
            }
        }
    }

    fn check_rule(&mut self, item: Item<'_>, key: &str, text: &str) -> Option<()> {
        let place = item.span(key);
        if text.trim().is_empty() {
            let hint = match key.starts_with("pql") {
                true => "Write a condition in PQL that is true for members.",
                false => "Write a SQL expression that is true for members.",
            };
            self.error("missing_rule", place, "the rule is empty", hint);
            return None;
        }
        if text.len() > RULE_BYTES_MAX {
            let message = format!("the rule is longer than {RULE_BYTES_MAX} bytes");
            self.error("rule_too_long", place, message, "Split the segment.");
            return None;
        }
        Some(())
    }
}

/// Where the text of a scalar stands.
pub(super) fn origin(node: &Node) -> RuleOrigin {
    if let Some(lines) = node.scalar().map(|scalar| &scalar.lines).filter(|it| !it.is_empty()) {
        return RuleOrigin::Block { span: node.span, lines: lines.clone() };
    }
    let verbatim = node.scalar().and_then(|scalar| scalar.verbatim);
    RuleOrigin::Project { span: verbatim.unwrap_or(node.span), spans_text: verbatim.is_some() }
}

/// The place of a value that is more than a text.
pub(super) fn whole(node: &Node) -> RuleOrigin {
    RuleOrigin::Project { span: node.span, spans_text: false }
}
