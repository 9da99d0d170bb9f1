//! A delivered file set, made again: to prove that it can be, to have it in a folder, or to put it back
//! where it was delivered.
//!
//! It is made of the same inputs, if they are still what the run read, with a ledger of its own, so that
//! the record of the delivery stays as it is. First everything is made out of sight and compared; what is
//! the same, byte by byte, is then delivered by the protocol that every run has.

use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use delivery::Store;
use delivery::folder::FolderStore;
use engine::Profiles;
use ledger::{FileRecord, Ledger, RunDetail, RunState, SnapshotInput};
use plan::RunPlan;
use plan::project::{Export, Guard};
use plan::staged::ObjectKind;
use uuid::Uuid;

use crate::ambient::Interrupt;
use crate::cli::Global;
use crate::failure::{Failure, Kind};
use crate::progress::Progress;
use crate::recover::Recovery;
use crate::run::{self, Ended, Surroundings, Work};
use crate::sources::Sources;
use crate::stores;
use crate::workspace::Workspace;

/// Where replays are made, inside the state folder.
const FOLDER: &str = "replays";
/// The ledger of a delivery that is repeated; it stays until the delivery is over.
const LEDGER: &str = "delivery.sqlite";
/// How many inputs or files are named in a refusal.
const NAMED_MAX: usize = 3;

/// Where the files go.
#[derive(Debug, Clone)]
pub(crate) enum Target {
    /// To where they were delivered, unless they are there.
    Back,
    /// Into a folder.
    Folder(PathBuf),
}

/// What a replay came to. The files are the same in any case: anything else is a failure.
#[derive(Debug)]
pub(crate) struct Replayed {
    /// The run as it was delivered.
    pub(crate) detail: RunDetail,
    /// Whether files were written; otherwise all of them were still there.
    pub(crate) is_written: bool,
}

/// What a replay needs.
pub(crate) struct Replay<'a> {
    pub(crate) workspace: &'a Workspace,
    pub(crate) global: &'a Global,
    pub(crate) ledger: &'a Ledger,
    pub(crate) interrupt: &'a Interrupt,
    pub(crate) progress: &'a Progress,
}

impl Replay<'_> {
    /// Makes the files of a delivered run again.
    ///
    /// # Errors
    /// They cannot be made again, and why: the run, its inputs or the project are no longer as they were.
    /// Then nothing is written.
    pub(crate) async fn run(&self, run_id: Uuid, target: &Target) -> Result<Replayed, Failure> {
        let known = self.ledger.run(run_id).await?;
        let detail = known.ok_or_else(|| Failure::usage(format!("there is no run {run_id}")))?;
        let plan = self.plan(&detail, target)?;
        let store: Arc<dyn Store> = match target {
            Target::Folder(folder) => Arc::new(FolderStore::open(folder).await?),
            Target::Back => self.reopen(&detail).await?,
        };
        let activation = &detail.run.activation;
        let sources = Sources::open_for(self.workspace, self.global, activation).await?;
        let profiles = same_inputs(&sources, &plan, &detail)?;
        let work = Work { plan: &plan, engine: &sources.engine, profiles: &profiles };
        let place = self.workspace.state_folder().join(FOLDER).join(run_id.to_string());
        let _lock = lock(&place)?.ok_or_else(|| {
            Failure::new(Kind::Temporary, format!("run {run_id} is being replayed at this moment"))
                .hint("Wait until that is done.")
        })?;
        self.deliver_left(&place, Some(&sources)).await?;
        let made = self.prove(work, &place).await?;
        same_files(&detail, &made)?;
        if let Target::Back = target
            && !is_missing(store.as_ref(), &detail).await?
        {
            self.finish(&place, None).await?;
            return Ok(Replayed { detail, is_written: false });
        }
        self.make(work, store, &place.join(LEDGER)).await?;
        self.finish(&place, None).await?;
        Ok(Replayed { detail, is_written: true })
    }

    /// Takes deliveries to their end that a process left in the middle, and removes what was made for
    /// them. Those that go on are left alone.
    ///
    /// # Errors
    /// One of them cannot be finished.
    pub(crate) async fn finish_left(&self) -> Result<(), Failure> {
        let folder = self.workspace.state_folder().join(FOLDER);
        let Ok(entries) = std::fs::read_dir(folder) else { return Ok(()) };
        for entry in entries.flatten() {
            if let Some(_lock) = lock(&entry.path())? {
                self.finish(&entry.path(), None).await?;
            }
        }
        Ok(())
    }

    /// The plan of a run that can be made again.
    fn plan(&self, detail: &RunDetail, target: &Target) -> Result<RunPlan, Failure> {
        let run = &detail.run;
        if run.state != RunState::Delivered {
            let message = format!(
                "run {} is {}: only what was delivered can be made again",
                run.run_id, run.state
            );
            return Err(cannot(message).hint("`segue runs --state delivered` lists such runs."));
        }
        if run.export != Export::Full {
            return Err(cannot(format!(
                "run {} sent what had changed since the run before: what it was compared with is gone",
                run.run_id
            ))
            .hint("`segue files get` reads the file back as it was delivered."));
        }
        if run.is_static && matches!(target, Target::Back) {
            return Err(cannot(format!(
                "the file of run {} has a fixed name, under which a later one may stand",
                run.run_id
            ))
            .hint("Make it again in a folder: `segue replay RUN --to DIR`."));
        }
        let planned = self.workspace.project.run_plan(&run.activation, &run.segment, run.slot);
        let Ok(mut plan) = planned else {
            return Err(cannot(format!(
                "activation `{}` does not send segment `{}` any more",
                run.activation, run.segment
            ))
            .hint("Put it back into the project as it was, and replay again."));
        };
        if plan.run_id != run.run_id || plan.output.stem != run.stem {
            return Err(cannot(format!(
                "the files of activation `{}` have other names now than at run {}",
                run.activation, run.run_id
            ))
            .hint("Put folder and file name back as they were, and replay again."));
        }
        if plan.pgp.is_some() {
            return Err(cannot(
                "the files are encrypted, each time with keys that are drawn anew".to_owned(),
            )
            .hint("`segue files get` reads the file back as it was delivered."));
        }
        // It was delivered, whatever a guard said of it then.
        plan.guard = Guard::default();
        Ok(plan)
    }

    async fn reopen(&self, detail: &RunDetail) -> Result<Arc<dyn Store>, Failure> {
        let run = &detail.run;
        stores::reopen(self.workspace, run).await?.ok_or_else(|| {
            cannot(format!(
                "destination `{}` does not lead any more to where run {} was delivered",
                run.destination, run.run_id
            ))
            .hint("Put it back as it was, or make the files in a folder: `segue replay RUN --to DIR`.")
        })
    }

    /// Makes everything out of sight, and tells what it came to.
    async fn prove(&self, work: Work<'_>, place: &Path) -> Result<RunDetail, Failure> {
        let files = FolderStore::open(place.join("files")).await?;
        let made = self.make(work, Arc::new(files), &place.join("proof.sqlite")).await;
        remove(&place.join("files"));
        remove_ledger(&place.join("proof.sqlite"));
        made
    }

    async fn make(
        &self,
        work: Work<'_>,
        store: Arc<dyn Store>,
        ledger: &Path,
    ) -> Result<RunDetail, Failure> {
        let ledger = Ledger::open(ledger).await?;
        let line = self.progress.line(&format!("{} {}", work.plan.activation, work.plan.segment));
        let around = Surroundings {
            ledger: &ledger,
            store,
            baselines: &self.workspace.baselines_folder(),
            // The files are those of the run, and so is the record of whose they are.
            records: None,
            seals: &self.workspace.seals(),
            interrupt: self.interrupt,
            line: &line,
        };
        let run = match Box::pin(run::run(&around, work)).await? {
            Ended::Delivered(run) | Ended::DeliveredBefore(run) | Ended::Skipped(run) => run,
            // A ledger of its own knows of no later slot.
            Ended::Superseded(failure) => return Err(*failure),
        };
        let made = ledger.run(run.run_id).await?;
        ledger.close().await;
        made.ok_or_else(|| Failure::new(Kind::Internal, "what was made again has no record"))
    }

    /// Ends what stands in the folder of a replay, and removes it.
    async fn finish(&self, place: &Path, sources: Option<&Sources>) -> Result<(), Failure> {
        self.deliver_left(place, sources).await?;
        remove(place);
        Ok(())
    }

    /// Takes a delivery to its end that an earlier process left in the middle.
    async fn deliver_left(&self, place: &Path, sources: Option<&Sources>) -> Result<(), Failure> {
        let path = place.join(LEDGER);
        if !path.exists() {
            return Ok(());
        }
        let ledger = Ledger::open(&path).await?;
        let Self { workspace, interrupt, progress, .. } = *self;
        let recovery = Recovery { workspace, sources, ledger: &ledger, interrupt, progress };
        for left in Box::pin(recovery.run()).await? {
            match left.outcome {
                // It was rolled back.
                Err(failure) if failure.kind == Kind::Interrupted => {}
                ended => drop(ended?),
            }
        }
        ledger.close().await;
        remove_ledger(&path);
        Ok(())
    }
}

/// The profiles of a run, if its inputs are what it read.
fn same_inputs(sources: &Sources, plan: &RunPlan, detail: &RunDetail) -> Result<Profiles, Failure> {
    let recorded = detail.inputs.iter();
    let recorded: Vec<(&str, &str)> =
        recorded.map(|input| (input.location.as_str(), input.version.as_str())).collect();
    let profiles = sources.profiles.asked_by(&plan.query);
    let profiles = sources.engine.recall(&profiles, &recorded)?;
    let now = run::inputs(Work { plan, engine: &sources.engine, profiles: &profiles });
    let told = changes(&detail.inputs, &now);
    if told.is_empty() {
        return Ok(profiles);
    }
    Err(cannot(format!("what run {} read is not as it was: {}", detail.run.run_id, named(&told)))
        .hint("Bring the inputs back as they were, or read the file back with `segue files get`."))
}

/// What became of inputs.
fn changes(before: &[SnapshotInput], now: &[SnapshotInput]) -> Vec<String> {
    let find = |all: &'_ [SnapshotInput], location: &str| -> Option<SnapshotInput> {
        all.iter().find(|input| input.location == location).cloned()
    };
    let mut told = Vec::new();
    for input in before {
        let what = match find(now, &input.location) {
            None => "is not read any more",
            Some(found) if found.version != input.version || found.bytes != input.bytes => {
                "was changed"
            }
            Some(_) => continue,
        };
        told.push(format!("{} {what}", input.location));
    }
    let is_new = |input: &&SnapshotInput| find(before, &input.location).is_none();
    told.extend(now.iter().filter(is_new).map(|input| format!("{} is new", input.location)));
    told
}

/// Fails unless the data files that were made are those that were delivered.
fn same_files(detail: &RunDetail, made: &RunDetail) -> Result<(), Failure> {
    let data = |detail: &RunDetail| -> Vec<FileRecord> {
        let files = detail.files.iter().filter(|file| file.kind == ObjectKind::Data);
        files.cloned().collect()
    };
    let (before, now) = (data(detail), data(made));
    let differs = |file: &&FileRecord| {
        now.iter().all(|other| other.key != file.key || other.sha256 != file.sha256)
    };
    let mut told: Vec<String> = before.iter().filter(differs).map(|it| it.key.clone()).collect();
    let is_more = |file: &&FileRecord| before.iter().all(|other| other.key != file.key);
    told.extend(now.iter().filter(is_more).map(|it| it.key.clone()));
    if told.is_empty() {
        return Ok(());
    }
    Err(cannot(format!(
        "the inputs are the same and the files are not, so the rule, the columns or the format were changed: {}",
        named(&told)
    ))
    .hint("Nothing was written. Put the project back as it was at the run, and replay again."))
}

/// Whether none of the files is where it was delivered. Where some are, nobody can say which of them
/// readers have.
async fn is_missing(store: &dyn Store, detail: &RunDetail) -> Result<bool, Failure> {
    let (mut there, mut gone) = (0_usize, Vec::new());
    for file in &detail.files {
        match store.head(&file.key).await? {
            None => gone.push(file.key.clone()),
            Some(found) if is_of_run(&found, detail, file) => there += 1,
            Some(_) => {
                return Err(cannot(format!("another object stands at {}", file.key)).hint(
                    "Put it away, or make the files in a folder: `segue replay RUN --to DIR`.",
                ));
            }
        }
    }
    if there > 0 && !gone.is_empty() {
        return Err(cannot(format!("a part of the files is still there, and not {}", named(&gone)))
            .hint("A set is put back whole: remove the rest, or make the files in a folder: `segue replay RUN --to DIR`."));
    }
    Ok(there == 0)
}

/// Whether an object was delivered by the run, then or by a replay. A manifest tells when it was made, so
/// another one of the same files has another text.
fn is_of_run(found: &delivery::store::Head, detail: &RunDetail, file: &FileRecord) -> bool {
    let begins = format!("{}.", detail.run.run_id);
    let is_marked = found.token.as_ref().is_some_and(|token| token.starts_with(&begins));
    is_marked && (file.kind == ObjectKind::Manifest || found.bytes == file.bytes)
}

fn named(all: &[String]) -> String {
    let mut text = all.iter().take(NAMED_MAX).cloned().collect::<Vec<_>>().join(", ");
    if all.len() > NAMED_MAX {
        text.push_str(&format!(", and {} more", all.len() - NAMED_MAX));
    }
    text
}

fn cannot(message: String) -> Failure {
    Failure::new(Kind::Run, message)
}

/// Takes the folder of a replay for this process; nothing if another replay of the run has it.
fn lock(place: &Path) -> Result<Option<File>, Failure> {
    let failed = |error: std::io::Error| {
        Failure::from_error(Kind::Temporary, &error)
            .context(format!("failed to write {}", place.display()))
            .hint("Give this user the right to write there, or name another --state-dir.")
    };
    std::fs::create_dir_all(place).map_err(failed)?;
    let file = File::create(place.join("lock")).map_err(failed)?;
    match file.try_lock() {
        Ok(()) => Ok(Some(file)),
        Err(TryLockError::WouldBlock) => Ok(None),
        Err(TryLockError::Error(error)) => Err(failed(error)),
    }
}

/// Removes a ledger that was made for a replay, with what SQLite left beside it.
fn remove_ledger(path: &Path) {
    for more in ["", "-wal", "-shm"] {
        let mut name = path.as_os_str().to_owned();
        name.push(more);
        remove(Path::new(&name));
    }
}

/// Removes what was made for a replay; what cannot be removed is removed by the next one.
fn remove(path: &Path) {
    let removed =
        if path.is_dir() { std::fs::remove_dir_all(path) } else { std::fs::remove_file(path) };
    if let Err(error) = removed
        && error.kind() != std::io::ErrorKind::NotFound
    {
        tracing::warn!(path = %path.display(), %error, "what a replay made cannot be removed");
    }
}
