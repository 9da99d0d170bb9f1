//! `segue run`: what is due, or what is named.

use std::path::PathBuf;

use ::plan::RunPlan;
use ::plan::project::Schedule;
use jiff::Timestamp;
use ledger::{Ledger, RunDetail, RunRecord, RunState, SlotKey, SlotState};

use crate::ambient::{self, Interrupt};
use crate::app::{backup, who_got};
use crate::cli::{Format, Global, Runs, report};
use crate::failure::{Failure, Kind};
use crate::progress::{Phase, Progress};
use crate::recover::Recovery;
use crate::run::{self, Ended, Surroundings, Work};
use crate::select::{self, Request};
use crate::sources::Sources;
use crate::stores::{self, Target};
use crate::workspace::Workspace;

/// Run what is due, or what is named
///
/// Without names, every segment with a schedule runs for its latest slot, unless that slot is
/// delivered already. Runs that an earlier process left are finished first. A run that fails does
/// not stop the others. The exit code is that of what was named, or else of what was due and left.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    runs: Runs,
    /// Deliver to a folder instead of S3, by the same protocol
    ///
    /// What is due stays due: nothing of it has reached its bucket.
    #[arg(long, value_name = "DIR")]
    to: Option<PathBuf>,
    /// Exit with code 9 when nothing was due
    #[arg(long)]
    error_on_nothing: bool,
}

pub(crate) async fn run(global: &Global, args: &Args) -> Result<(), Failure> {
    let workspace = Workspace::load(global).await?;
    let request = args.runs.request();
    let target = args.to.clone().map_or(Target::Buckets, Target::Folder);
    let outcome = perform(global, &workspace, &request, &target, Progress::on_terminal()).await?;
    if outcome.runs.is_empty() && outcome.failures.is_empty() {
        return nothing_due(global, &workspace, args.error_on_nothing);
    }
    match global.output {
        Format::Text if outcome.runs.is_empty() => {}
        Format::Text => super::answer(&text(&outcome)),
        Format::Json => super::answer_json(&json(&outcome)),
    }
    outcome.verdict()
}

/// What a command's runs came to.
pub(crate) struct Outcome {
    /// Runs that ended well, in order.
    pub(crate) runs: Vec<RunDetail>,
    /// Runs that did not, with what they are.
    pub(crate) failures: Vec<(String, Failure)>,
}

/// Finishes what was left, then does what is asked for.
///
/// # Errors
/// Nothing could be begun. Runs that fail are in the outcome.
pub(crate) async fn perform(
    global: &Global,
    workspace: &Workspace,
    request: &Request,
    target: &Target,
    progress: Progress,
) -> Result<Outcome, Failure> {
    let now = super::slot_now();
    let plans = select::runs(&workspace.project, request, now)?;
    let ledger = workspace.open_ledger().await?;
    backup::guard(&ledger).await?;
    let apart = match target {
        Target::Buckets => None,
        Target::Folder(_) => Some(stores::open(workspace, "", target).await?.identity()),
    };
    let here = |plan: RunPlan| {
        plan_of(
            workspace,
            apart.as_deref(),
            (plan.activation.as_str(), plan.segment.as_str()),
            plan.slot,
        )
    };
    let plans = plans.into_iter().map(here).collect::<Result<Vec<_>, _>>()?;
    let opened = Sources::open(workspace, global).await;
    let interrupt = Interrupt::listen();
    let command = Command {
        workspace,
        ledger: &ledger,
        interrupt: &interrupt,
        progress: &progress,
        target,
        apart: apart.as_deref(),
        plans: &plans,
        is_named: request.is_named(),
    };
    let mut outcome = Outcome { runs: Vec::new(), failures: Vec::new() };
    command.recover(opened.as_ref().ok().map(|(sources, _)| sources), &mut outcome).await?;
    let wanted = command.wanted().await?;
    let done = match opened {
        Ok((sources, _)) => command.all(wanted, &sources, &mut outcome).await,
        Err(failure) => command.none(&wanted, failure).await,
    };
    if let Some(store) = command.apart {
        stores::tidy(&ledger, store).await?;
    }
    done?;
    let (records, kept) = (workspace.records_folder(), who_got::kept_days(workspace));
    who_got::sweep(&records, kept, &ledger, ambient::now().into()).await?;
    run::sweep_baselines(&workspace.baselines_folder(), &ledger).await?;
    ledger.close().await;
    Ok(outcome)
}

/// The plan of a run; `apart`, in a folder that stands in for all buckets.
fn plan_of(
    workspace: &Workspace,
    apart: Option<&str>,
    (activation, segment): (&str, &str),
    slot: Timestamp,
) -> Result<RunPlan, Failure> {
    let project = &workspace.project;
    Ok(match apart {
        None => project.run_plan(activation, segment, slot)?,
        Some(place) => project.run_plan_apart(activation, segment, slot, place)?,
    })
}

/// What the runs of one command share.
struct Command<'a> {
    workspace: &'a Workspace,
    ledger: &'a Ledger,
    interrupt: &'a Interrupt,
    progress: &'a Progress,
    target: &'a Target,
    /// What the ledger calls the folder that stands in for all buckets.
    apart: Option<&'a str>,
    /// What is asked for, as it is where the command delivers: what is named, or what is due.
    plans: &'a [RunPlan],
    is_named: bool,
}

impl Command<'_> {
    /// Does all runs, one after the other.
    async fn all(
        &self,
        plans: Vec<RunPlan>,
        sources: &Sources,
        outcome: &mut Outcome,
    ) -> Result<(), Failure> {
        self.evaluate(&plans, sources).await?;
        for plan in plans {
            if self.interrupt.is_requested() {
                outcome.failures.push((
                    name(&plan),
                    Failure::new(Kind::Interrupted, "not begun, as the command was interrupted"),
                ));
                continue;
            }
            let ended = self.one(&plan, sources).await;
            self.note(outcome, name(&plan), ended).await?;
        }
        Ok(())
    }

    /// Does none of the runs, since their input could not be opened.
    async fn none(&self, plans: &[RunPlan], failure: Failure) -> Result<(), Failure> {
        for plan in plans {
            self.unopened(plan, &failure).await?;
        }
        Err(failure)
    }

    async fn unopened(&self, plan: &RunPlan, failure: &Failure) -> Result<(), Failure> {
        let bucket = || stores::identity(self.workspace, &plan.destination);
        let store = self.apart.map(str::to_owned).or_else(bucket).unwrap_or_default();
        run::fail_unopened(self.ledger, plan, &store, failure).await
    }

    /// The plan of a run, where the command delivers.
    fn plan(&self, activation: &str, segment: &str, slot: Timestamp) -> Result<RunPlan, Failure> {
        plan_of(self.workspace, self.apart, (activation, segment), slot)
    }

    async fn recover(
        &self,
        sources: Option<&Sources>,
        outcome: &mut Outcome,
    ) -> Result<(), Failure> {
        let Self { workspace, ledger, interrupt, progress, .. } = *self;
        for left in (Recovery { workspace, sources, ledger, interrupt, progress }).run().await? {
            let name =
                format!("{}/{} for {}", left.run.activation, left.run.segment, left.run.slot);
            match left.outcome {
                // It was rolled back: that is recovery at work, and no failure of this command.
                Err(failure) if failure.kind == Kind::Interrupted => {
                    super::say(&format!("note: {name}: {}", failure.message));
                }
                // Nobody asked for this slot.
                Err(failure) if self.is_named && !self.is_asked(&left.run) => {
                    super::say(&format!("note: {name}: {}", failure.one_line()));
                }
                ended => self.note(outcome, name, ended).await?,
            }
        }
        Ok(())
    }

    fn is_asked(&self, run: &RunRecord) -> bool {
        self.plans.iter().any(|plan| plan.run_id == run.run_id)
    }

    /// Of runs that are due, those whose slot is not over yet; of named ones, all.
    async fn wanted(&self) -> Result<Vec<RunPlan>, Failure> {
        if self.is_named {
            return Ok(self.plans.to_vec());
        }
        let mut due = Vec::new();
        let followers = self.followers(self.plans).await?;
        for plan in self.plans.iter().cloned().chain(followers) {
            if !self.is_over(&plan).await? {
                due.push(plan);
            }
        }
        Ok(due)
    }

    /// What is to follow an evaluation that somebody asked for.
    async fn followers(&self, known: &[RunPlan]) -> Result<Vec<RunPlan>, Failure> {
        let project = &self.workspace.project;
        let mut followers = Vec::new();
        for slot in self.ledger.open_slots().await? {
            let SlotKey { activation, segment, slot: at } = &slot.key;
            let export = project.activation(activation).and_then(|activation| {
                activation.segments.iter().find(|export| export.segment == *segment)
            });
            let schedule = export.and_then(|export| export.schedule.as_ref());
            let follows = schedule.is_some_and(Schedule::is_after_evaluation);
            if follows && slot.state == SlotState::Planned {
                let plan = self.plan(activation, segment, *at)?;
                if known.iter().all(|it| it.run_id != plan.run_id) {
                    followers.push(plan);
                }
            }
        }
        Ok(followers)
    }

    /// Evaluates the segments of all runs that still have something to do in one scan.
    async fn evaluate(&self, plans: &[RunPlan], sources: &Sources) -> Result<(), Failure> {
        let mut open = Vec::new();
        for plan in plans {
            if !self.is_over(plan).await? {
                open.push(plan.clone());
            }
        }
        run::evaluate_all(&open, &sources.engine, &sources.profiles).await;
        Ok(())
    }

    /// Whether a run has ended well before.
    async fn is_over(&self, plan: &RunPlan) -> Result<bool, Failure> {
        let known = self.ledger.run(plan.run_id).await?;
        Ok(known.is_some_and(|known| {
            matches!(known.run.state, RunState::Delivered | RunState::Skipped)
        }))
    }

    async fn one(&self, plan: &RunPlan, sources: &Sources) -> Result<Ended, Failure> {
        let line = self.progress.line(&format!("{} {}", plan.activation, plan.segment));
        line.phase(Phase::Connecting);
        let store = match stores::open(self.workspace, &plan.destination, self.target).await {
            Ok(store) => store,
            Err(failure) => {
                self.unopened(plan, &failure).await?;
                return Err(failure);
            }
        };
        let Sources { engine, profiles } = sources;
        let around = Surroundings {
            ledger: self.ledger,
            store,
            baselines: &self.workspace.baselines_folder(),
            records: Some(&self.workspace.records_folder()),
            seals: &self.workspace.seals(),
            interrupt: self.interrupt,
            line: &line,
        };
        let profiles = &profiles.asked_by(&plan.query);
        run::run(&around, Work { plan, engine, profiles }).await
    }

    async fn note(
        &self,
        outcome: &mut Outcome,
        name: String,
        ended: Result<Ended, Failure>,
    ) -> Result<(), Failure> {
        let record = match ended {
            Ok(Ended::Delivered(record) | Ended::Skipped(record)) => record,
            Ok(Ended::DeliveredBefore(record)) => {
                super::say(&format!(
                    "note: {name}: the slot was delivered before; nothing was done"
                ));
                record
            }
            Ok(Ended::Superseded(failure)) if self.is_named => {
                outcome.failures.push((name, *failure));
                return Ok(());
            }
            Ok(Ended::Superseded(_)) => {
                super::say(&format!("note: {name}: nothing was done, as {}", run::SUPERSEDED));
                return Ok(());
            }
            Err(failure) => {
                outcome.failures.push((name, failure));
                return Ok(());
            }
        };
        outcome.runs.extend(self.ledger.run(record.run_id).await?);
        Ok(())
    }
}

impl Outcome {
    /// Nothing when all went well; otherwise the failures as one.
    pub(crate) fn verdict(mut self) -> Result<(), Failure> {
        for (name, failure) in &self.failures[..self.failures.len().saturating_sub(1)] {
            super::say(&failure.clone().context(name.clone()).text());
        }
        let kinds: Vec<Kind> = self.failures.iter().map(|(_, failure)| failure.kind).collect();
        let Some((name, last)) = self.failures.pop() else { return Ok(()) };
        let mut failure = last.context(name);
        failure.is_answered = true;
        if kinds.iter().any(|kind| *kind != failure.kind) {
            failure.kind = Kind::Run;
        }
        Err(failure)
    }
}

fn name(plan: &RunPlan) -> String {
    format!("{}/{} for {}", plan.activation, plan.segment, plan.slot)
}

fn nothing_due(global: &Global, workspace: &Workspace, is_error: bool) -> Result<(), Failure> {
    let names: Vec<&str> =
        workspace.project.activations.iter().map(|activation| activation.key.as_str()).collect();
    if is_error {
        return Err(Failure::new(Kind::Nothing, "nothing is due"));
    }
    match global.output {
        Format::Text => {
            super::say(&format!("Nothing is due. To run one anyway, name it: {}", names.join(", ")))
        }
        Format::Json => super::answer_json(&serde_json::json!({ "runs": [], "failures": [] })),
    }
    Ok(())
}

pub(crate) fn text(outcome: &Outcome) -> String {
    let runs: Vec<ledger::RunRecord> =
        outcome.runs.iter().map(|detail| detail.run.clone()).collect();
    let mut text =
        format!("{}\n\n{}", report::runs_table(&runs), report::files_table(&outcome.runs));
    for detail in &outcome.runs {
        for line in report::exclusions(detail) {
            text.push_str(&format!(
                "\n{} {}: {line}",
                report::short_id(&detail.run),
                detail.run.segment
            ));
        }
    }
    text
}

pub(crate) fn json(outcome: &Outcome) -> serde_json::Value {
    let failures: Vec<serde_json::Value> = outcome
        .failures
        .iter()
        .map(|(name, failure)| {
            let mut value = failure.json();
            value["run"] = name.clone().into();
            value
        })
        .collect();
    serde_json::json!({
        "runs": outcome.runs.iter().map(report::detail_json).collect::<Vec<_>>(),
        "failures": failures,
        "at": ambient::now().to_string(),
    })
}
