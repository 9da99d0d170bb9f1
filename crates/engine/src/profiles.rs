//! The profiles of a project: the pinned datasets that they come from, and how they are read.
//!
//! Where each record of a single dataset is a person of its own, its records are the profiles and
//! are read where they are. Otherwise the records are merged first, once for each state of the
//! inputs, and the merged profiles are read (see `merge`).

use std::collections::BTreeSet;
use std::sync::Arc;

use plan::Query;
use plan::project::{ColumnSource, MergePolicy};
use tokio::sync::OnceCell;

use crate::engine::Settings;
use crate::error::Error;
use crate::events;
use crate::expression::event_query;
use crate::merge::{self, Content};
use crate::snapshot::Snapshot;
use crate::store::Input;

/// The profile datasets of a project, each pinned, and how their records become profiles.
///
/// What was found in them, and the merged profiles, are made when they are first needed; clones
/// share them.
#[derive(Debug, Clone)]
pub struct Profiles {
    pub(crate) policy: MergePolicy,
    pub(crate) snapshots: Arc<[Snapshot]>,
    /// The datasets that hold events of them.
    pub(crate) events: Arc<[Snapshot]>,
    content: Arc<OnceCell<Arc<Content>>>,
}

impl Profiles {
    /// Puts pinned datasets together, in the order of the project file.
    pub fn new(policy: MergePolicy, snapshots: Vec<Snapshot>) -> Self {
        Self {
            policy,
            snapshots: snapshots.into(),
            events: Arc::default(),
            content: Arc::default(),
        }
    }

    /// Adds pinned datasets of their events, in the order of the project file.
    #[must_use]
    pub fn with_events(self, events: Vec<Snapshot>) -> Self {
        Self { events: events.into(), ..self }
    }

    /// The same profiles with only those event datasets that a query asks, so that no other is
    /// recorded as its input, or fails it when it changes.
    #[must_use]
    pub fn asked_by(&self, query: &Query) -> Self {
        let columns = query.columns.iter().filter_map(|column| match &column.source {
            ColumnSource::Expression { text, .. } => Some(text.as_str()),
            _ => None,
        });
        let named: BTreeSet<String> = columns
            .chain([query.rule.text.as_str()])
            .flat_map(event_query::datasets_named)
            .collect();
        let is_asked = |snapshot: &&Snapshot| {
            named.contains(&snapshot.dataset.key) || named.contains(events::ALL)
        };
        let asked: Vec<Snapshot> = self.events.iter().filter(is_asked).cloned().collect();
        Self { events: asked.into(), ..self.clone() }
    }

    /// The files that the profiles and their events come from: dataset after dataset, each sorted by
    /// location.
    pub fn inputs(&self) -> impl Iterator<Item = &Input> {
        self.snapshots.iter().chain(self.events.iter()).flat_map(Snapshot::inputs)
    }

    /// The profiles, ready to be read.
    pub(crate) async fn content(&self, settings: &Settings) -> Result<&Arc<Content>, Error> {
        let make = async || Ok(Arc::new(merge::content(self, settings).await?));
        self.content.get_or_try_init(make).await
    }

    /// Checks that every file is still the pinned one.
    pub(crate) async fn verify(&self) -> Result<(), Error> {
        for snapshot in self.snapshots.iter().chain(self.events.iter()) {
            snapshot.verify().await?;
        }
        Ok(())
    }
}
