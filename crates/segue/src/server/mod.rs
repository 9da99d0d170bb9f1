//! `segue serve`: one process that plans, runs, sweeps and answers.
//!
//! Reading order: [`planner`] decides which slots there are, [`runner`] takes them, [`attempt`] is one
//! try of one slot, and [`sweeper`] removes what nobody needs. They meet in the ledger alone; [`Shared`]
//! is what they have in common.

mod alert_sender;
mod alerts;
mod attempt;
mod beacon;
pub(crate) mod channels;
mod mail;
mod planner;
mod runner;
mod smtp;
#[cfg(test)]
mod soak;
mod sweeper;
mod webhook;

use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::SignedDuration;
use ledger::Ledger;
use ledger::alert::Channel;
use plan::planner::turn::Limits;
use tokio::sync::{Mutex, Notify, watch};

pub(crate) use alert_sender::Way;
pub(crate) use alerts::Rules;
pub(crate) use beacon::{Beacon, explain};
pub(crate) use mail::Mail;
pub(crate) use planner::{PlanningStatus, exports, reload};
pub(crate) use webhook::Webhook;

use crate::ambient::{self, Interrupt};
use crate::app::backup;
use crate::cli::Global;
use crate::failure::Failure;
use crate::progress::Gauges;
use crate::workspace::Workspace;

/// How long a stop waits for committed runs. What is not over then goes on at the next start.
const GRACE: Duration = Duration::from_secs(55);

/// What a server is told at its start.
#[derive(Debug, Clone)]
pub(crate) struct Options {
    /// By which it is told from other servers on the same ledger.
    pub(crate) name: String,
    /// For how long what it takes is its own when it dies or stops.
    pub(crate) lease: SignedDuration,
    pub(crate) limits: Limits,
    pub(crate) rules: Rules,
}

/// What the parts of a server have in common.
pub(crate) struct Shared {
    pub(crate) global: Global,
    pub(crate) ledger: Ledger,
    pub(crate) interrupt: Interrupt,
    pub(crate) options: Options,
    /// Tells the runner that a slot was planned.
    pub(crate) wake: Notify,
    /// Tells the planner that something changed.
    pub(crate) replan: Notify,
    pub(crate) planning: watch::Sender<PlanningStatus>,
    /// Held while stored objects are changed.
    pub(crate) editing: Mutex<()>,
    /// Runs under way.
    pub(crate) running: watch::Sender<usize>,
    /// How far they are.
    pub(crate) gauges: Gauges,
    pub(crate) started: Instant,
    /// The ways of alerts that the server is started with, and those that are set while it runs.
    started_ways: Vec<Way>,
    set_ways: watch::Sender<Vec<Way>>,
    workspace: watch::Sender<Arc<Workspace>>,
}

impl Shared {
    /// The project as it was last read without errors.
    pub(crate) fn workspace(&self) -> Arc<Workspace> {
        Arc::clone(&self.workspace.borrow())
    }
}

/// Opens everything that a server needs, and takes up what an earlier process left.
///
/// # Errors
/// The project or the ledger cannot be used.
pub(crate) async fn open(
    global: &Global,
    options: Options,
    ways: Vec<Way>,
) -> Result<Arc<Shared>, Failure> {
    let workspace = Workspace::load(global).await?;
    let ledger = workspace.open_ledger_as(&options.name, options.lease).await?;
    backup::guard(&ledger).await?;
    let left = ledger.take_up(ambient::now()).await?;
    if left > 0 {
        tracing::info!(
            slots = left,
            server = options.name,
            "an earlier process left runs; they go on"
        );
    }
    let lost = ledger.end_lost_acts(ambient::now(), ambient::now()).await?;
    if lost > 0 {
        tracing::warn!(
            entries = lost,
            "an earlier process did not say in the audit log what came of something"
        );
    }
    let set_ways = channels::set_earlier(&workspace, &ways);
    // Exports that are new are due from here on, and what cannot be planned is told now.
    let to = channels::of(&[ways.as_slice(), &set_ways].concat());
    planner::pass(&ledger, &workspace.project, to, ambient::now()).await?;
    Ok(Arc::new(Shared {
        global: global.clone(),
        ledger,
        interrupt: Interrupt::listen(),
        options,
        wake: Notify::new(),
        replan: Notify::new(),
        planning: watch::Sender::new(PlanningStatus::default()),
        editing: Mutex::new(()),
        running: watch::Sender::new(0),
        gauges: Gauges::default(),
        started: ambient::instant(),
        started_ways: ways,
        set_ways: watch::Sender::new(set_ways),
        workspace: watch::Sender::new(Arc::new(workspace)),
    }))
}

/// Plans, runs and sweeps until the process is asked to stop, and then ends what cannot be left.
pub(crate) async fn work(shared: &Arc<Shared>) {
    let planner = tokio::spawn(planner::plan_until_stopped(Arc::clone(shared)));
    let sweeper = tokio::spawn(sweeper::sweep_until_stopped(Arc::clone(shared)));
    let send =
        |channel| tokio::spawn(alert_sender::send_until_stopped(Arc::clone(shared), channel));
    let senders = [Channel::Webhook, Channel::Mail].map(send);
    let left = runner::run_until_stopped(shared, GRACE).await;
    // The ledger is closed behind this, and whoever still asked it would tell of a fault.
    for part in [planner, sweeper].into_iter().chain(senders) {
        part.abort();
        let _ = part.await;
    }
    if left > 0 {
        tracing::warn!(
            runs = left,
            "some runs were not over in time; the next start goes on with them"
        );
    }
}
