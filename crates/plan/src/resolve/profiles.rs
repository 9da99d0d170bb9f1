//! Profiles: which datasets they come from, and how their records become one profile per person.

use super::{Resolver, quoted_list};
use crate::config;
use crate::diagnostic::{Diagnostic, Span};
use crate::nearest::nearest;
use crate::project::{Dataset, DatasetKind, Merge, MergePolicy, Stitch};
use crate::tree::Node;

/// The most profile datasets of a project.
pub const PROFILE_DATASETS_MAX: usize = 64;

impl Resolver<'_> {
    pub(super) fn profiles(
        &mut self,
        datasets: &[Dataset],
        file: Option<&config::Profiles>,
    ) -> MergePolicy {
        let declared = self.declared_profile_datasets();
        self.check_number(&declared);
        let stitch = match file.and_then(|file| file.stitch) {
            Some(config::Stitch::Graph) => Stitch::Graph,
            Some(config::Stitch::None) | None => Stitch::None,
        };
        let merge = match file.and_then(|file| file.merge.as_ref()) {
            Some(config::Merge::Datasets(order)) => {
                self.check_precedence(order, &declared);
                Merge::Datasets(order.clone())
            }
            Some(config::Merge::Order(config::MergeOrder::Timestamp)) => {
                self.check_timestamps(datasets, "`merge: timestamp`");
                Merge::Timestamp
            }
            None if declared.len() > 1 => {
                self.check_timestamps(datasets, "merging several datasets");
                Merge::Timestamp
            }
            None => Merge::Timestamp,
        };
        MergePolicy { merge, stitch }
    }

    /// Going by the file, so that a dataset with problems of its own is not missed too.
    fn declared_profile_datasets(&self) -> Vec<(String, Span)> {
        let entries = self.root.get("datasets").map_or(&[][..], Node::entries);
        let is_profile = |kind: Option<&Node>| {
            kind.and_then(Node::scalar).is_none_or(|kind| kind.text != "event")
        };
        let declared = entries.iter().filter(|entry| is_profile(entry.value.get("kind")));
        declared.map(|entry| (entry.key.clone(), entry.key_span)).collect()
    }

    fn check_number(&mut self, declared: &[(String, Span)]) {
        let Some(node) = self.root.get("datasets") else { return };
        if declared.is_empty() {
            let place = self.root.entry("datasets").map_or(node.span, |entry| entry.key_span);
            let hint = "Add a dataset of `kind: profile`.";
            self.error("no_profile_dataset", place, "there is no profile dataset", hint);
        } else if let Some((_, place)) = declared.get(PROFILE_DATASETS_MAX) {
            let message =
                format!("the project has more than {PROFILE_DATASETS_MAX} profile datasets");
            let hint = "Let one dataset read several files: `location` may be a folder or a glob.";
            self.error("too_many_datasets", *place, message, hint);
        }
    }

    /// The order of precedence has to name every profile dataset, each once.
    fn check_precedence(&mut self, order: &[String], declared: &[(String, Span)]) {
        let known: Vec<&str> = declared.iter().map(|(key, _)| key.as_str()).collect();
        let place = self.place_of(&["profiles", "merge"]);
        let node = self.root.get("profiles").and_then(|node| node.get("merge"));
        let items = node.map_or(&[][..], Node::items);
        for (position, (key, item)) in order.iter().zip(items).enumerate() {
            let place = item.text_span();
            if order[..position].contains(key) {
                let message = format!("`{key}` stands twice in the order");
                self.error("duplicate_precedence", place, message, "Keep the first of the two.");
            } else if !known.contains(&key.as_str()) {
                let hint = match nearest(key, known.iter().copied()) {
                    Some(nearest) => format!("Did you mean `{nearest}`?"),
                    None => format!("Known: {}.", quoted_list(&known)),
                };
                let message = format!("there is no profile dataset `{key}`");
                self.push(Diagnostic::error("unknown_dataset", place, message).with_hint(hint));
            }
        }
        let left_out: Vec<&str> =
            known.into_iter().filter(|key| !order.iter().any(|named| named == key)).collect();
        if !left_out.is_empty() {
            let message = format!("the order of precedence leaves out {}", quoted_list(&left_out));
            let hint = "Name every profile dataset, the one that wins first.";
            self.error("incomplete_precedence", place, message, hint);
        }
    }

    fn check_timestamps(&mut self, datasets: &[Dataset], what: &str) {
        let root = self.root;
        for dataset in datasets.iter().filter(|dataset| dataset.kind == DatasetKind::Profile) {
            let entry = root.get("datasets").and_then(|node| node.entry(&dataset.key));
            // A timestamp that is no field has been reported where it stands.
            let is_written = entry.is_some_and(|entry| entry.value.get("timestamp").is_some());
            if is_written {
                continue;
            }
            let place = entry.map_or(dataset.span, |entry| entry.key_span);
            let message = format!("{what} needs a `timestamp` in `{}`", dataset.key);
            let hint = "Name the field that tells when a record was changed, or write `merge:` as a list of datasets in order of precedence.";
            self.error("missing_timestamp", place, message, hint);
        }
    }
}
