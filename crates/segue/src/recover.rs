//! What an earlier process left: committed runs go forward, others back, unfinished uploads go away.

use std::collections::BTreeMap;
use std::sync::Arc;

use delivery::Store;
use engine::Profiles;
use ledger::{Ledger, RunRecord};
use plan::RunPlan;

use crate::ambient::{self, Interrupt};
use crate::failure::Failure;
use crate::progress::Progress;
use crate::run::{self, Ended, Surroundings, Work};
use crate::sources::Sources;
use crate::stores;
use crate::workspace::Workspace;

/// What recovery needs.
pub(crate) struct Recovery<'a> {
    pub(crate) workspace: &'a Workspace,
    /// Without them an upload that the service lost cannot be made again.
    pub(crate) sources: Option<&'a Sources>,
    pub(crate) ledger: &'a Ledger,
    pub(crate) interrupt: &'a Interrupt,
    pub(crate) progress: &'a Progress,
}

/// What became of a run that was left.
pub(crate) struct Recovered {
    pub(crate) run: RunRecord,
    pub(crate) outcome: Result<Ended, Failure>,
}

impl Recovery<'_> {
    /// Takes every run that is not over to its end, and sweeps uploads that no run needs. A run that
    /// cannot go on is reported and does not keep the others from it.
    ///
    /// # Errors
    /// The ledger cannot be read.
    pub(crate) async fn run(&self) -> Result<Vec<Recovered>, Failure> {
        let mut recovered = Vec::new();
        for run in self.ledger.left(ambient::now()).await? {
            let Some(outcome) = self.one(&run).await.transpose() else { continue };
            recovered.push(Recovered { run, outcome });
        }
        self.sweep().await?;
        for Recovered { run, .. } in &recovered {
            stores::tidy(self.ledger, &run.store).await?;
        }
        // The seals first: one that is made meanwhile belongs to a run that is not over.
        let seals = self.workspace.seals();
        let sealed = seals.all();
        let unfinished = self.ledger.unfinished().await?;
        seals.sweep(&sealed, &unfinished.iter().map(|run| run.run_id).collect());
        Ok(recovered)
    }

    /// Takes one run that is not over to its end. `None` when its destination is not in the project any
    /// more.
    ///
    /// # Errors
    /// As for [`run::run`].
    pub(crate) async fn one(&self, run: &RunRecord) -> Result<Option<Ended>, Failure> {
        let Some(store) = stores::reopen(self.workspace, run).await? else {
            tracing::warn!(run_id = %run.run_id, store = run.store, "a run is not finished, but its destination is not in the project any more");
            return Ok(None);
        };
        let line = self
            .progress
            .line(&format!("{} {} (left by an earlier process)", run.activation, run.segment));
        let around = Surroundings {
            ledger: self.ledger,
            store,
            baselines: &self.workspace.baselines_folder(),
            // Nothing is staged here that was not staged before.
            records: None,
            seals: &self.workspace.seals(),
            interrupt: self.interrupt,
            line: &line,
        };
        let found = self.plan(run).await?;
        let work = found.as_ref().and_then(|(plan, profiles)| self.work(plan, profiles));
        let claim = self.ledger.take_over(run.run_id, ambient::now()).await?;
        run::resume(&around, work, claim).await.map(Some)
    }

    /// The plan of the run and what it read, if the project still gives the same objects and the input
    /// is the same. Rows of databases are those that were kept for the run.
    async fn plan(&self, run: &RunRecord) -> Result<Option<(RunPlan, Profiles)>, Failure> {
        let project = &self.workspace.project;
        let (activation, segment) = (&run.activation, &run.segment);
        let mut plan = project.run_plan(activation, segment, run.slot);
        if plan.as_ref().is_ok_and(|plan| plan.run_id != run.run_id) {
            plan = project.run_plan_apart(activation, segment, run.slot, &run.store);
        }
        let Ok(plan) = plan else { return Ok(None) };
        if plan.run_id != run.run_id || plan.output.stem != run.stem {
            return Ok(None);
        }
        let Some(detail) = self.ledger.run(run.run_id).await? else { return Ok(None) };
        let Some(sources) = self.sources else { return Ok(None) };
        let recorded = detail.inputs.iter();
        let recorded: Vec<(&str, &str)> =
            recorded.map(|input| (input.location.as_str(), input.version.as_str())).collect();
        let profiles = sources.profiles.asked_by(&plan.query);
        let profiles = sources.engine.recall(&profiles, &recorded)?;
        let is_same =
            self.work(&plan, &profiles).is_some_and(|work| run::inputs(work) == detail.inputs);
        Ok(is_same.then_some((plan, profiles)))
    }

    fn work<'a>(&'a self, plan: &'a RunPlan, profiles: &'a Profiles) -> Option<Work<'a>> {
        Some(Work { plan, engine: &self.sources?.engine, profiles })
    }

    /// Aborts uploads of runs that are over; nobody can complete them.
    ///
    /// # Errors
    /// The ledger cannot be read.
    pub(crate) async fn sweep(&self) -> Result<(), Failure> {
        let line = self.progress.line("sweeping");
        let mut stores: BTreeMap<String, Option<Arc<dyn Store>>> = BTreeMap::new();
        for upload in self.ledger.uploads_to_sweep().await? {
            if !stores.contains_key(&upload.store) {
                stores.insert(upload.store.clone(), self.store_of(&upload).await);
            }
            if let Some(Some(store)) = stores.get(&upload.store) {
                let store = Arc::clone(store);
                let around = Surroundings {
                    ledger: self.ledger,
                    store,
                    baselines: &self.workspace.baselines_folder(),
                    records: None,
                    seals: &self.workspace.seals(),
                    interrupt: self.interrupt,
                    line: &line,
                };
                run::abort(&around, &upload).await;
            }
        }
        Ok(())
    }

    /// The store of an upload; without it the upload stays listed and is tried at the next start.
    async fn store_of(&self, upload: &ledger::OpenUpload) -> Option<Arc<dyn Store>> {
        let detail = self.ledger.run(upload.run_id).await.ok().flatten()?;
        match stores::reopen(self.workspace, &detail.run).await {
            Ok(store) => store,
            Err(failure) => {
                tracing::warn!(
                    failure = failure.one_line(),
                    "unfinished uploads could not be swept"
                );
                None
            }
        }
    }
}
