//! Events: whose they are, and how rules name them.

use super::{Resolver, quoted_list};
use crate::diagnostic::{Diagnostic, Severity};
use crate::nearest::nearest;
use crate::project::{Dataset, DatasetKind};

/// The most event datasets of a project.
const EVENT_DATASETS_MAX: usize = 64;
/// What rules call all event datasets together.
const ALL: &str = "events";

impl Resolver<'_> {
    pub(super) fn check_events(&mut self, datasets: &[Dataset]) {
        let events: Vec<&Dataset> =
            datasets.iter().filter(|dataset| dataset.kind == DatasetKind::Event).collect();
        if let Some(dataset) = events.get(EVENT_DATASETS_MAX) {
            let place = self.place_of(&["datasets", &dataset.key]);
            let message = format!("the project has more than {EVENT_DATASETS_MAX} event datasets");
            let hint = "Let one dataset read several files: `location` may be a folder or a glob.";
            self.error("too_many_datasets", place, message, hint);
        }
        let root = self.root;
        let entry = root.get("datasets").and_then(|node| node.entry(ALL));
        let is_one_of_many = events.len() > 1 && events.iter().any(|dataset| dataset.key == ALL);
        if let Some(entry) = entry.filter(|_| is_one_of_many) {
            let message = "`events` is what rules call all event datasets together";
            let hint = "Give the dataset another key.";
            self.error("reserved_key", entry.key_span, message, hint);
        }
        let profiles = datasets.iter().filter(|dataset| dataset.kind == DatasetKind::Profile);
        let identities = profiles.flat_map(|dataset| &dataset.identities);
        let known: Vec<&str> = identities.map(|identity| identity.namespace.as_str()).collect();
        // A profile dataset that could not be read may be the one that has the namespace.
        if known.is_empty() || self.out.iter().any(|found| found.severity == Severity::Error) {
            return;
        }
        for dataset in events {
            self.check_namespace(dataset, &known);
        }
    }

    fn check_namespace(&mut self, dataset: &Dataset, known: &[&str]) {
        let Some(identity) = dataset.identities.first() else { return };
        let namespace = identity.namespace.as_str();
        if known.contains(&namespace) {
            return;
        }
        let place = self.place_of(&["datasets", &dataset.key, "profile", "namespace"]);
        let message = format!("no profile dataset has identities of the namespace `{namespace}`");
        let mut unique = known.to_vec();
        unique.sort_unstable();
        unique.dedup();
        let hint = match nearest(namespace, unique.iter().copied()) {
            Some(nearest) => format!("Did you mean `{nearest}`?"),
            None => format!("Known: {}.", quoted_list(&unique)),
        };
        self.push(Diagnostic::error("unknown_namespace", place, message).with_hint(hint));
    }
}
