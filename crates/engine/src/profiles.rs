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
    /// The files of imported segments, by the keys of the segments.
    pub(crate) imports: Arc<[Snapshot]>,
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
            imports: Arc::default(),
            events: Arc::default(),
            content: Arc::default(),
        }
    }

    /// Adds the pinned files of imported segments.
    #[must_use]
    pub fn with_imports(self, imports: Vec<Snapshot>) -> Self {
        Self { imports: imports.into(), ..self }
    }

    /// The file of an imported segment.
    pub(crate) fn import(&self, segment: &str) -> Option<&Snapshot> {
        self.imports.iter().find(|import| import.dataset.key == segment)
    }

    /// Adds pinned datasets of their events, in the order of the project file.
    #[must_use]
    pub fn with_events(self, events: Vec<Snapshot>) -> Self {
        Self { events: events.into(), ..self }
    }

    /// The same profiles with only those event datasets and imported segments that a query asks, so
    /// that no other is recorded as its input, or fails it when it changes.
    #[must_use]
    pub fn asked_by(&self, query: &Query) -> Self {
        let columns = query.columns.iter().filter_map(|column| match &column.source {
            ColumnSource::Expression { text, .. } => Some(text.as_str()),
            _ => None,
        });
        let segments = query.segments.iter().map(|segment| segment.rule.text.as_str());
        let purposes = query.consent.purposes.iter().map(|purpose| purpose.rule.text.as_str());
        let named: BTreeSet<String> = columns
            .chain(segments)
            .chain(purposes)
            .chain([query.rule.text.as_str()])
            .flat_map(event_query::datasets_named)
            .collect();
        let is_asked = |snapshot: &&Snapshot| {
            named.contains(&snapshot.dataset.key) || named.contains(events::ALL)
        };
        let asked: Vec<Snapshot> = self.events.iter().filter(is_asked).cloned().collect();
        let is_imported = |snapshot: &&Snapshot| {
            query.segments.iter().any(|segment| segment.key == snapshot.dataset.key)
        };
        let imports: Vec<Snapshot> = self.imports.iter().filter(is_imported).cloned().collect();
        Self { events: asked.into(), imports: imports.into(), ..self.clone() }
    }

    /// The files that the profiles and their events come from, dataset after dataset, and those of
    /// imported segments, each sorted by location.
    pub fn inputs(&self) -> impl Iterator<Item = &Input> {
        self.all().flat_map(Snapshot::inputs)
    }

    fn all(&self) -> impl Iterator<Item = &Snapshot> {
        self.snapshots.iter().chain(self.events.iter()).chain(self.imports.iter())
    }

    /// The profiles, ready to be read.
    pub(crate) async fn content(&self, settings: &Settings) -> Result<&Arc<Content>, Error> {
        let make = async || Ok(Arc::new(merge::content(self, settings).await?));
        self.content.get_or_try_init(make).await
    }

    /// Checks that every file is still the pinned one.
    pub(crate) async fn verify(&self) -> Result<(), Error> {
        for snapshot in self.all() {
            snapshot.verify().await?;
        }
        Ok(())
    }
}
