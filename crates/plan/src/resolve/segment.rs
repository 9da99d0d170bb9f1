//! Segments: exactly one rule each.

use super::{Item, Resolver};
use crate::config;
use crate::project::{Rule, RuleOrigin, Segment};
use crate::tree::Node;

/// The longest text of a rule, in bytes.
pub const RULE_BYTES_MAX: usize = 64 * 1024;

impl Resolver<'_> {
    pub(super) fn segment(&mut self, item: Item<'_>, file: &config::Segment) -> Option<Segment> {
        let name = self.name(item, file.name.as_deref());
        let id = self.id(item, "segment", file.id.as_deref());
        let rule = self.rule(item, file)?;
        Some(Segment { key: item.key.to_owned(), id, name, rule })
    }

    fn rule(&mut self, item: Item<'_>, file: &config::Segment) -> Option<Rule> {
        let given: Vec<&str> = ["rule", "rule_file", "pql", "pql_file"]
            .into_iter()
            .filter(|key| item.node.get(key).is_some_and(|node| !node.is_null()))
            .collect();
        match given.as_slice() {
            [] => {
                let hint = "Add `rule:` with a SQL expression, or `rule_file:`.";
                self.error("missing_rule", item.key_span, "the segment has no rule", hint);
                return None;
            }
            [_] => {}
            [first, second, ..] => {
                let message = format!("the segment has a rule twice: `{first}` and `{second}`");
                self.error("two_rules", item.key_place(second), message, "Keep one of the two.");
                return None;
            }
        }
        if file.pql.is_some() || file.pql_file.is_some() {
            self.not_available(item.key_place(given[0]), "PQL");
            return None;
        }
        let rule = match (&file.rule, &file.rule_file) {
            (Some(text), _) => Rule { text: text.clone(), origin: origin(item.node.get("rule")?) },
            (None, Some(path)) => self.rule_file(item, path)?,
            (None, None) => return None,
        };
        self.check_rule(item, given[0], &rule.text)?;
        Some(rule)
    }

    fn rule_file(&mut self, item: Item<'_>, path: &str) -> Option<Rule> {
        let span = item.span("rule_file");
        match (self.rule_files)(path) {
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
            let hint = "Write a SQL expression that is true for members.";
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
    let verbatim = node.scalar().and_then(|scalar| scalar.verbatim);
    RuleOrigin::Project { span: verbatim.unwrap_or(node.span), spans_text: verbatim.is_some() }
}
