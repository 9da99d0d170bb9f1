//! Labels of fields, and the policies that read them.

use super::{Item, Resolver, quoted_list};
use crate::config::{self, Ordered};
use crate::nearest::nearest;
use crate::project::DatasetKind;
use crate::usage::{Labelled, TOGETHER, Usage, UsagePolicy};

/// The most labels that a file names, and the most policies.
const USAGE_MAX: usize = 10_000;

impl<'a> Resolver<'a> {
    pub(super) fn usage(&mut self, file: &config::Project) -> Usage {
        let labels: Vec<Labelled> = self
            .section("datasets", file.datasets.as_ref(), |me, item, dataset| {
                Some(me.labelled(item, dataset))
            })
            .into_iter()
            .flatten()
            .collect();
        let policies = self.section("policies", file.policies.as_ref(), |me, item, policy| {
            me.usage_policy(item, policy, &labels)
        });
        let is_read = |label: &String| policies.iter().any(|it| it.labels.concat().contains(label));
        for labelled in &labels {
            for label in labelled.labels.iter().filter(|label| !is_read(label)) {
                let message = format!("no policy reads the label `{label}`");
                let hint = "Name it under `policies:`; until then it is only recorded.";
                self.warn("unread_label", labelled.span, message, hint);
            }
        }
        if labels.len() + policies.len() > USAGE_MAX {
            let place = self.place_of(&["policies"]);
            let message = format!("there are more than {USAGE_MAX} labelled fields and policies");
            self.error("too_many_labels", place, message, "Label the fields around them.");
        }
        Usage { labels, policies }
    }

    fn labelled(&mut self, item: Item<'a>, file: &config::Dataset) -> Vec<Labelled> {
        let kind = match file.kind {
            Some(config::DatasetKind::Event) => DatasetKind::Event,
            Some(config::DatasetKind::Profile) | None => DatasetKind::Profile,
        };
        let Some(node) = item.node.get("labels") else { return Vec::new() };
        let mut values = file.labels.iter().flat_map(Ordered::iter).peekable();
        let mut found = Vec::new();
        for entry in node.entries() {
            let Some((text, labels)) = values.next_if(|(key, _)| *key == entry.key) else {
                continue;
            };
            let span = entry.value.text_span();
            for label in labels {
                self.check_label(label, span);
            }
            let Some(field) = self.field_path_at(text, entry.key_span) else { continue };
            if !labels.is_empty() {
                let (dataset, labels) = (item.key.to_owned(), labels.clone());
                found.push(Labelled { dataset, kind, field, labels, span });
            }
        }
        found
    }

    fn usage_policy(
        &mut self,
        item: Item<'a>,
        file: &config::UsagePolicy,
        labelled: &[Labelled],
    ) -> Option<UsagePolicy> {
        let name = self.name(item, file.name.as_deref());
        let actions = file.marketing_actions.clone()?;
        let written = file.labels.as_ref()?;
        for (key, is_empty) in
            [("marketing_actions", actions.is_empty()), ("labels", written.is_empty())]
        {
            if is_empty {
                let message = format!("a policy without `{key}` forbids nothing");
                self.error("empty_policy", item.span(key), message, "Name at least one.");
            }
        }
        let known: Vec<&str> =
            labelled.iter().flat_map(|it| &it.labels).map(String::as_str).collect();
        let nodes = item.node.get("labels").map_or(&[][..], crate::tree::Node::items);
        let mut sets = Vec::new();
        for (node, text) in nodes.iter().zip(written) {
            let set: Vec<String> = text.split(TOGETHER).map(|it| it.trim().to_owned()).collect();
            for label in &set {
                self.check_label(label, node.text_span());
                if known.contains(&label.as_str()) {
                    continue;
                }
                let message = format!("no field has the label `{label}`");
                let hint = match nearest(label, known.iter().copied()) {
                    Some(nearest) => format!("Did you mean `{nearest}`?"),
                    None if known.is_empty() => {
                        "Label fields under `labels:` of their datasets.".to_owned()
                    }
                    None => format!("Known: {}.", quoted_list(&unique(&known))),
                };
                self.warn("unknown_label", node.text_span(), message, &hint);
            }
            sets.push(set);
        }
        Some(UsagePolicy { key: item.key.to_owned(), name, actions, labels: sets })
    }

    /// Labels are words, so that ` AND ` can stand between them.
    fn check_label(&mut self, label: &str, place: crate::Span) {
        let is_word = !label.is_empty() && !label.contains(char::is_whitespace);
        if !is_word || label.chars().count() > super::KEY_CHARS_MAX {
            let message = "a label is one word of at most 64 characters";
            let hint =
                "Write for example `I1`; in a policy, `I1 AND S1` where both have to be there.";
            self.error("label_form", place, message, hint);
        }
    }
}

fn unique<'a>(names: &[&'a str]) -> Vec<&'a str> {
    let mut found = names.to_vec();
    found.sort_unstable();
    found.dedup();
    found
}
