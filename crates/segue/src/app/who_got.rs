//! Who got what: every delivered file that a person's data is in, and of which runs that is not known.
//!
//! Each run leaves a record of whose data is in which of its files (`engine::Recorder`). A question
//! looks the person up, as far as there still is a profile, and asks the records of all delivered runs
//! for each identity that is known.

use std::collections::HashSet;
use std::ffi::OsString;
use std::path::Path;
use std::time::{Duration, SystemTime};

use engine::{FoundInRecord, PersonHash, PersonId, hash_of};
use jiff::{SignedDuration, Timestamp};
use ledger::{FileRecord, Ledger, RunBehind, RunFilter, RunRecord, RunState};
use plan::staged::ObjectKind;
use uuid::Uuid;

use crate::failure::{Failure, Kind};
use crate::run;
use crate::sources::Sources;
use crate::workspace::Workspace;

/// A page ends behind the run with which it has so many files.
pub(crate) const FILES_MAX: usize = 50;
/// A page ends behind the run with which it names so many that are not known.
const GAPS_MAX: usize = 200;
/// Runs that are read from the ledger at once.
const RUNS_AT_ONCE: u32 = 500;

/// A file that the person's data went out in.
#[derive(Debug)]
pub(crate) struct Went {
    pub(crate) run: RunRecord,
    pub(crate) file: FileRecord,
    /// The headers of the file.
    pub(crate) columns: Vec<String>,
}

/// A delivered run of which it is not known, or not of all its rows, whose data it sent.
#[derive(Debug)]
pub(crate) struct Gap {
    pub(crate) run: RunRecord,
    pub(crate) why: Why,
}

/// Why it is not known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Why {
    /// Its record was kept for as long as the project says.
    Expired,
    /// There is no record.
    NoRecord,
    /// The record is there and cannot be read.
    Damaged,
    /// So many rows do not tell whose they are.
    Nameless(u64),
}

impl Why {
    /// The word for machines.
    pub(crate) fn code(self) -> &'static str {
        match self {
            Self::Expired => "expired",
            Self::NoRecord => "no_record",
            Self::Damaged => "damaged",
            Self::Nameless(_) => "nameless",
        }
    }
}

/// A page of the answer, the latest slot first.
#[derive(Debug)]
pub(crate) struct Answer {
    /// Whether there still is a profile with the identity. Without one, files are found by the very
    /// identity that was asked for.
    pub(crate) has_profile: bool,
    pub(crate) files: Vec<Went>,
    pub(crate) gaps: Vec<Gap>,
    /// Since when each delivered run has a record.
    pub(crate) recorded_since: Option<Timestamp>,
    /// Where the answer goes on, if it does.
    pub(crate) next: Option<RunBehind>,
}

/// Whom it is asked of, and from where on.
#[derive(Debug, Clone)]
pub(crate) struct Wanted {
    pub(crate) person: PersonId,
    pub(crate) behind: Option<RunBehind>,
    pub(crate) now: Timestamp,
}

/// Answers a page.
///
/// # Errors
/// There is no such namespace, several profiles have the identity, or profiles, ledger or records cannot
/// be read.
pub(crate) async fn ask(
    workspace: &Workspace,
    sources: &Sources,
    ledger: &Ledger,
    wanted: &Wanted,
) -> Result<Answer, Failure> {
    let PersonId { namespace, value } = &wanted.person;
    // In a box: reading profiles is a deep future.
    let found = Box::pin(sources.engine.profile(&sources.profiles, namespace, value)).await?;
    let identities = found.as_ref().map(|profile| profile.identities.as_slice());
    ask_of(workspace, identities, ledger, wanted).await
}

/// The same for somebody who was looked up: all identities of the profile, if there is one.
///
/// # Errors
/// The ledger or records cannot be read.
pub(crate) async fn ask_of(
    workspace: &Workspace,
    identities: Option<&[(String, Vec<String>)]>,
    ledger: &Ledger,
    wanted: &Wanted,
) -> Result<Answer, Failure> {
    let people = hashes(identities.unwrap_or_default(), &wanted.person);
    let folder = workspace.records_folder();
    let kept = kept_days(workspace);
    let records =
        Records { people, there: names_in(&folder)?, folder: &folder, now: wanted.now, kept };
    let mut answer = Answer {
        has_profile: identities.is_some(),
        files: Vec::new(),
        gaps: Vec::new(),
        recorded_since: records.reach(ledger).await?,
        next: None,
    };
    if wanted.behind.is_none() {
        // Objects of a run that is stuck in the middle are visible as well.
        for run in ledger.unfinished().await?.into_iter().filter(RunRecord::is_committed) {
            records.look(ledger, run, &mut answer).await?;
        }
    }
    let mut behind = wanted.behind;
    loop {
        let runs = delivered(ledger, behind).await?;
        let is_last = runs.len() < RUNS_AT_ONCE as usize;
        for run in runs {
            let place = place(&run);
            if answer.files.len() >= FILES_MAX || answer.gaps.len() >= GAPS_MAX {
                answer.next = behind;
                return Ok(answer);
            }
            records.look(ledger, run, &mut answer).await?;
            behind = Some(place);
        }
        if is_last {
            return Ok(answer);
        }
    }
}

/// For how long records are kept.
pub(crate) fn kept_days(workspace: &Workspace) -> SignedDuration {
    SignedDuration::from_hours(24 * i64::from(workspace.project.who_got.kept_days))
}

/// What stands for a person in records: all identities that are known, and the one that is asked for.
fn hashes(identities: &[(String, Vec<String>)], person: &PersonId) -> Vec<PersonHash> {
    let mut people = vec![hash_of(&person.namespace, &person.value)];
    for (namespace, values) in identities {
        people.extend(values.iter().map(|value| hash_of(namespace, value)));
    }
    people.sort_unstable();
    people.dedup();
    people
}

async fn delivered(ledger: &Ledger, behind: Option<RunBehind>) -> Result<Vec<RunRecord>, Failure> {
    let filter = RunFilter {
        state: Some(RunState::Delivered),
        behind,
        limit: Some(RUNS_AT_ONCE),
        ..RunFilter::default()
    };
    Ok(ledger.runs(&filter).await?)
}

fn place(run: &RunRecord) -> RunBehind {
    RunBehind { slot: run.slot, first_claimed: run.first_claimed, run_id: run.run_id }
}

/// The names of the files in the folder of records; none if there is no folder.
fn names_in(folder: &Path) -> Result<HashSet<OsString>, Failure> {
    match std::fs::read_dir(folder) {
        Ok(entries) => Ok(entries.flatten().map(|entry| entry.file_name()).collect()),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(HashSet::new()),
        Err(error) => Err(Failure::from_error(Kind::Run, &error)
            .context(format!("{} cannot be read", folder.display()))),
    }
}

/// The records of all runs, and who is looked for in them.
struct Records<'a> {
    people: Vec<PersonHash>,
    folder: &'a Path,
    there: HashSet<OsString>,
    now: Timestamp,
    kept: SignedDuration,
}

impl Records<'_> {
    fn has(&self, run: &RunRecord) -> bool {
        let path = run::record_of(self.folder, run);
        path.file_name().is_some_and(|name| self.there.contains(name))
    }

    /// Since when each delivered run has a record, going back from now; nothing if the last one has none.
    async fn reach(&self, ledger: &Ledger) -> Result<Option<Timestamp>, Failure> {
        let (mut since, mut behind) = (None::<Timestamp>, None);
        loop {
            let runs = delivered(ledger, behind).await?;
            for run in &runs {
                if !self.has(run) {
                    return Ok(since);
                }
                let finished = run.finished.unwrap_or(run.slot);
                since = Some(since.map_or(finished, |since| since.min(finished)));
            }
            match runs.last() {
                Some(last) if runs.len() == RUNS_AT_ONCE as usize => behind = Some(place(last)),
                _ => return Ok(since),
            }
        }
    }

    /// Asks the record of one run.
    async fn look(
        &self,
        ledger: &Ledger,
        run: RunRecord,
        answer: &mut Answer,
    ) -> Result<(), Failure> {
        let path = run::record_of(self.folder, &run);
        let found = match self.has(&run) {
            false => None,
            true => match FoundInRecord::in_record(&path, &self.people) {
                Err(error) if error.code() == "damaged_record" => {
                    answer.gaps.push(Gap { run, why: Why::Damaged });
                    return Ok(());
                }
                found => found?,
            },
        };
        let Some(found) = found else {
            let is_old = run.finished.is_some_and(|at| self.now.duration_since(at) >= self.kept);
            let why = if is_old { Why::Expired } else { Why::NoRecord };
            answer.gaps.push(Gap { run, why });
            return Ok(());
        };
        if !found.files.is_empty() {
            let detail = ledger.run(run.run_id).await?;
            let files = detail.map(|detail| detail.files).unwrap_or_default();
            let is_theirs = |file: &FileRecord| {
                file.kind == ObjectKind::Data
                    && file.published.is_some()
                    && found.files.contains(&file.number)
            };
            let went = files.into_iter().filter(is_theirs);
            let went =
                went.map(|file| Went { run: run.clone(), file, columns: found.columns.clone() });
            answer.files.extend(went);
        }
        if found.nameless > 0 {
            answer.gaps.push(Gap { run, why: Why::Nameless(found.nameless) });
        }
        Ok(())
    }
}

/// Nothing younger is removed of what no delivered run has left: its run may be about to be written down.
const LEFT_AGE_MIN: Duration = Duration::from_secs(24 * 3_600);
/// What no delivered run has left is looked for among files that are not older than this; older ones were
/// looked at before.
const LEFT_AGE_MAX: Duration = Duration::from_secs(8 * 24 * 3_600);

/// Removes records that were kept for long enough, and what runs left that delivered nothing. What cannot
/// be removed is told and does no harm.
///
/// # Errors
/// The ledger cannot be read.
pub(crate) async fn sweep(
    folder: &Path,
    kept: SignedDuration,
    ledger: &Ledger,
    now: SystemTime,
) -> Result<(), Failure> {
    let Ok(entries) = std::fs::read_dir(folder) else { return Ok(()) };
    let mut removed = 0;
    for entry in entries.flatten() {
        let Ok(modified) = entry.metadata().and_then(|it| it.modified()) else { continue };
        let age = now.duration_since(modified).unwrap_or_default();
        let name = entry.file_name();
        let name = name.to_string_lossy();
        let is_over = match run::run_of_baseline(&name) {
            Some(_) if age >= kept.unsigned_abs() => true,
            Some(run_id) if (LEFT_AGE_MIN..LEFT_AGE_MAX).contains(&age) => {
                is_left(ledger, run_id, &entry.path()).await?
            }
            Some(_) => false,
            None => name.starts_with(engine::PARTIAL_PREFIX) && age >= LEFT_AGE_MIN,
        };
        if !is_over {
            continue;
        }
        match std::fs::remove_file(entry.path()) {
            Ok(()) => removed += 1,
            Err(error) => {
                let path = entry.path();
                tracing::warn!(path = %path.display(), %error, "an old record of a run could not be removed");
            }
        }
    }
    if removed > 0 {
        tracing::info!(records = removed, "old records of whose data runs have sent were removed");
    }
    Ok(())
}

/// Whether a file is not the record of a run that is delivered or may yet be.
async fn is_left(ledger: &Ledger, run_id: Uuid, path: &Path) -> Result<bool, Failure> {
    // Of a run that the ledger does not know nothing can be said.
    let Some(known) = ledger.run(run_id).await? else { return Ok(false) };
    let run = known.run;
    let folder = path.parent().unwrap_or(Path::new(""));
    Ok(match run.state {
        RunState::Delivered => run::record_of(folder, &run) != path,
        RunState::Failed | RunState::Skipped => true,
        _ => false,
    })
}

#[cfg(test)]
mod tests;
