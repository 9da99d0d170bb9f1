//! Consent, and what is kept about people: the field of the general opt-out, and a rule for each marketing action that asks for one.

use super::{Item, Resolver, quoted_list, segment};
use crate::config;
use crate::consent::{Consent, OptOut, Purpose};
use crate::project::{Membership, Project, Rule, Schedule, WhoGot};
use crate::tree::Node;
use crate::usage::UsagePolicy;

/// How long exits are remembered unless the project says otherwise, in days (behaviour reference
/// §3.4).
const EXITS_KEPT_DAYS: u32 = 30;
/// The longest that exits are remembered, in days.
const EXITS_KEPT_DAYS_MAX: u32 = 3_650;
/// How long it is kept of a run whose data it sent, unless the project says otherwise, in days: a year,
/// and the time to ask about its beginning.
const WHO_GOT_KEPT_DAYS: u32 = 400;

pub(super) fn who_got(file: Option<&config::WhoGot>) -> WhoGot {
    WhoGot { kept_days: file.and_then(|file| file.kept_days).unwrap_or(WHO_GOT_KEPT_DAYS) }
}

impl Resolver<'_> {
    pub(super) fn consent(&mut self, file: Option<&config::Consent>) -> Consent {
        let written = file.and_then(|file| file.opt_out.as_deref());
        let node = self.root.get("consent").and_then(|node| node.get("opt_out"));
        let opt_out = match written.zip(node) {
            None => Some(OptOut::default()),
            Some((text, node)) => {
                let field = self.field_path(text, node);
                field.map(|field| OptOut { field, span: Some(node.text_span()) })
            }
        };
        let purposes = file.and_then(|file| file.purposes.as_ref());
        let purposes = purposes.into_iter().flat_map(config::Ordered::iter);
        let purposes = purposes.filter_map(|(action, text)| self.purpose(action, text)).collect();
        Consent { opt_out, purposes }
    }

    fn purpose(&mut self, action: &str, text: &str) -> Option<Purpose> {
        let purposes = self.root.get("consent")?.get("purposes")?;
        let node = purposes.get(action)?;
        self.check_name(action, purposes.entry(action)?.key_span);
        if text.trim().is_empty() {
            let hint = "Write a SQL expression that is true for those who consent.";
            self.error("missing_rule", node.text_span(), "the rule is empty", hint);
            return None;
        }
        if text.len() > segment::RULE_BYTES_MAX {
            let message = format!("the rule is longer than {} bytes", segment::RULE_BYTES_MAX);
            self.error("rule_too_long", node.text_span(), message, "Shorten it.");
            return None;
        }
        let rule = Rule { text: text.to_owned(), origin: segment::origin(node) };
        Some(Purpose { action: action.to_owned(), rule })
    }

    pub(super) fn membership(&mut self, file: Option<&config::Membership>) -> Membership {
        let days = file.and_then(|file| file.exits_kept_days).unwrap_or(EXITS_KEPT_DAYS);
        if days > EXITS_KEPT_DAYS_MAX {
            let place = self.place_of(&["membership", "exits_kept_days"]);
            let message = format!("exits are kept for at most {EXITS_KEPT_DAYS_MAX} days");
            self.error("out_of_range", place, message, "Write a smaller number.");
        }
        Membership { exits_kept_days: days.min(EXITS_KEPT_DAYS_MAX) }
    }

    /// When segments are evaluated that are sent after their evaluation.
    pub(super) fn evaluations(&mut self, file: Option<&config::Membership>) -> Option<Schedule> {
        let written = file?.schedule.as_ref()?;
        let node = self.root.get("membership")?;
        let entry = node.entry("schedule")?;
        let item = Item { key: &entry.key, key_span: entry.key_span, node: &entry.value };
        if written.trigger == Some(config::Trigger::AfterEvaluation) {
            let message = "an evaluation cannot begin after itself";
            self.error("misplaced_key", item.key_place("trigger"), message, "Remove it.");
            return None;
        }
        self.schedule(item, written)
    }

    /// A destination that is held to a marketing action without a rule or a policy looks safer than it is.
    pub(super) fn check_purposes(&mut self, project: &Project) {
        let known: Vec<&str> =
            project.consent.purposes.iter().map(|purpose| purpose.action.as_str()).collect();
        let root = self.root;
        for destination in &project.destinations {
            let node = root.get("destinations").and_then(|node| node.get(&destination.key));
            let node = node.and_then(|node| node.get("marketing_actions"));
            for item in node.map_or(&[][..], Node::items) {
                let Some(action) = item.scalar().map(|scalar| scalar.text.as_str()) else {
                    continue;
                };
                let is_in_policy = |it: &UsagePolicy| it.actions.iter().any(|it| it == action);
                if known.contains(&action) || project.usage.policies.iter().any(is_in_policy) {
                    continue;
                }
                let message = format!("no consent is asked for `{action}`");
                let hint = match known.as_slice() {
                    [] => "Add a rule under `consent: { purposes: … }`; without one the action is only recorded.".to_owned(),
                    known => format!("Add a rule under `consent: {{ purposes: … }}`, or name one of them: {}.", quoted_list(known)),
                };
                self.warn("no_consent_rule", item.text_span(), message, &hint);
            }
        }
    }
}
