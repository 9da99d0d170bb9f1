//! What pages show: the project and the ledger, as the structs that the crate `ui` draws.
//!
//! Reading order: [`Look`] is what a page is made from; then there is one file for each kind of thing.

mod account;
mod activation;
mod destination;
mod home;
mod run;
mod segment;

pub(crate) use destination::{check, destination, finding};
pub(crate) use run::{Wanted, live, run, runs};
pub(crate) use segment::segment;

use std::collections::{BTreeMap, BTreeSet};

use futures::future::BoxFuture;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use ledger::{Ledger, NextAttempt, RunRecord, RunState};
use plan::Section;
use plan::project::{Project, Schedule};
use ui::component::Part;
use ui::page::editing::Editing;
use ui::page::run::Named;
use ui::page::{RunLine, RunStatus};
use ui::{Markup, Shell};
use uuid::Uuid;

use crate::failure::Failure;
use crate::progress::Gauges;
use crate::workspace::Workspace;

/// What a page is made from.
pub(crate) struct Look<'a> {
    pub(crate) workspace: &'a Workspace,
    pub(crate) ledger: &'a Ledger,
    pub(crate) now: Timestamp,
    /// The zone of the reader, for what is counted by day.
    pub(crate) zone: TimeZone,
    /// How many runs a list holds.
    pub(crate) limit: u32,
    /// The activations that are paused.
    pub(crate) disabled: BTreeSet<String>,
    /// The runs that are tried again, and when.
    pub(crate) next_attempts: BTreeMap<Uuid, NextAttempt>,
    /// A slot that is not over so long after its time is late.
    pub(crate) late_after: SignedDuration,
    /// What the reader may do; nothing where pages are files.
    pub(crate) may: May,
    /// How far runs are, where they are under way.
    pub(crate) gauges: Option<&'a Gauges>,
    /// Which part of a long list is wanted; all of it where pages are files.
    pub(crate) asked: Option<Asked>,
}

/// Which part of a long list is wanted.
#[derive(Debug, Clone, Default)]
pub(crate) struct Asked {
    /// The first line, from 0.
    pub(crate) from: usize,
    /// What is looked for.
    pub(crate) find: String,
}

/// What a reader may do.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct May {
    /// Run, retry, pause and enable.
    pub(crate) run: bool,
    /// Check destinations.
    pub(crate) check: bool,
    /// Count segments.
    pub(crate) count: bool,
    /// Connect destinations.
    pub(crate) connect: bool,
    /// Activate segments.
    pub(crate) activate: bool,
    /// Make and change segments.
    pub(crate) define: bool,
}

/// Draws the page at an address, if there is one.
///
/// # Errors
/// The ledger cannot be read.
pub(crate) fn page<'a>(
    look: &'a Look<'a>,
    shell: &'a Shell,
    path: &'a str,
) -> BoxFuture<'a, Result<Option<Markup>, Failure>> {
    Box::pin(page_at(look, shell, path))
}

async fn page_at(look: &Look<'_>, shell: &Shell, path: &str) -> Result<Option<Markup>, Failure> {
    let project = look.project();
    let parts: Vec<&str> = path.trim_matches('/').split('/').collect();
    let drawn = match *parts.as_slice() {
        [""] => home::home(look).await?.draw(shell),
        ["runs"] => runs(look, &Wanted::default()).await?.draw(shell),
        ["runs", id] => match run(look, id).await? {
            Some(run) => run.draw(shell),
            None => return Ok(None),
        },
        ["segments"] => segment::segments(look).await?.draw(shell),
        ["segments", key] => match project.segment(key) {
            Some(found) => segment(look, &shell.locale, found).await?.draw(shell),
            None => return Ok(None),
        },
        ["destinations"] => destination::destinations(look).await?.draw(shell),
        ["destinations", key] => match project.destination(key) {
            Some(found) => destination(look, found).await?.draw(shell),
            None => return Ok(None),
        },
        ["accounts", key] => match project.account(key) {
            Some(found) => account::account(look, found).draw(shell),
            None => return Ok(None),
        },
        ["activations"] => activation::activations(look).await?.draw(shell),
        ["activations", key] => match project.activation(key) {
            Some(found) => activation::activation(look, found).await?.draw(shell),
            None => return Ok(None),
        },
        _ => return Ok(None),
    };
    Ok(Some(drawn))
}

/// Returns how many runs somebody has to look at.
///
/// # Errors
/// The ledger cannot be read.
pub(crate) async fn attention(look: &Look<'_>) -> Result<u64, Failure> {
    Ok(look.ledger.need_attention_count().await?)
}

impl Look<'_> {
    fn project(&self) -> &Project {
        &self.workspace.project
    }

    /// Which part of a list of so many lines is shown.
    fn part(&self, all: usize) -> Part {
        self.asked.as_ref().map_or_else(|| Part::whole(all), |asked| Part::of(all, asked.from))
    }

    /// How an object is changed on its page, if the reader may and the project file does not have it.
    fn editing(&self, section: Section, key: &str, name: &str) -> Option<Editing> {
        let may = match section {
            Section::Segments => self.may.define,
            Section::Accounts | Section::Destinations => self.may.connect,
            Section::Activations => self.may.activate,
        };
        let stored = self.workspace.stored(section, key).filter(|_| may)?;
        Some(Editing {
            url: format!("/{}/{key}", section.as_str()),
            name: name.to_owned(),
            revision: stored.revision.to_string(),
        })
    }

    /// Whether the slots of an activation are delivered.
    fn is_enabled(&self, activation: &str) -> bool {
        !self.disabled.contains(activation)
    }

    /// A segment by its key; one that is not in the project any more goes by its key.
    pub(crate) fn segment(&self, key: &str) -> Named {
        let name = self.project().segment(key).map_or(key, |segment| segment.name.as_str());
        Named { key: key.to_owned(), name: name.to_owned() }
    }

    /// A destination by its key, in the same way.
    fn destination(&self, key: &str) -> Named {
        let found = self.project().destination(key);
        let name = found.map_or(key, |destination| destination.name.as_str());
        Named { key: key.to_owned(), name: name.to_owned() }
    }

    /// How a run stands, for people.
    pub(crate) fn status(&self, run_id: Uuid, state: RunState) -> RunStatus {
        let is_stopped = matches!(state, RunState::Failed | RunState::Blocked | RunState::Skipped);
        match self.next_attempts.get(&run_id) {
            Some(next) if is_stopped && !next.is_blocked => RunStatus::Retrying,
            _ => status(state),
        }
    }

    /// A run as it stands in a list.
    fn line(&self, run: &RunRecord) -> RunLine {
        let until = run.finished.unwrap_or(self.now);
        RunLine {
            id: run.run_id.to_string(),
            segment: self.segment(&run.segment).name,
            activation: run.activation.clone(),
            destination: self.destination(&run.destination).name,
            status: self.status(run.run_id, run.state),
            slot: run.slot,
            rows: run.activated,
            files: u64::from(run.files),
            bytes: run.bytes,
            duration: Some(until.duration_since(run.claimed)),
        }
    }

    /// The next slots of everything that is scheduled, soonest first.
    fn next_slots(&self, activation: Option<&str>, limit: usize) -> Vec<Next<'_>> {
        let meant = |key: &str| activation.is_none_or(|wanted| wanted == key);
        let is_next = |key: &str| meant(key) && self.is_enabled(key);
        let active =
            self.project().activations.iter().filter(|activation| is_next(&activation.key));
        let mut calendar = Calendar::default();
        let mut all: Vec<Next<'_>> = Vec::new();
        for activation in active {
            for export in &activation.segments {
                let Some(schedule) = &export.schedule else { continue };
                let slots = calendar.slots(schedule, self.now, limit);
                all.extend(slots.iter().map(|at| Next { activation, export, at: *at }));
            }
        }
        all.sort_by_key(|next| next.at);
        all.truncate(limit);
        all
    }
}

/// The slots of schedules. Hundreds of segments are often due by the same one, which is asked once.
#[derive(Default)]
struct Calendar<'a> {
    known: Vec<(&'a Schedule, Vec<Timestamp>)>,
}

impl<'a> Calendar<'a> {
    fn slots(&mut self, schedule: &'a Schedule, now: Timestamp, limit: usize) -> &[Timestamp] {
        let at = self.known.iter().position(|(known, _)| known.has_slots_of(schedule));
        let at = at.unwrap_or_else(|| {
            self.known.push((schedule, schedule.slots_after(now, limit)));
            self.known.len() - 1
        });
        &self.known[at].1
    }
}

/// A slot to come.
struct Next<'a> {
    activation: &'a plan::project::Activation,
    export: &'a plan::project::SegmentExport,
    at: Timestamp,
}

/// How a run stands, for people.
pub(crate) fn status(state: RunState) -> RunStatus {
    match state {
        RunState::Claimed | RunState::Staging => RunStatus::Running,
        RunState::Committing => RunStatus::Publishing,
        RunState::Delivered => RunStatus::Delivered,
        RunState::Skipped => RunStatus::Skipped,
        RunState::Failed => RunStatus::Failed,
        RunState::Blocked => RunStatus::Blocked,
    }
}

/// The number of things in a list.
fn count<T>(things: &[T]) -> u64 {
    u64::try_from(things.len()).unwrap_or(u64::MAX)
}
