//! Backups: a folder with a copy of the ledger and of what belongs to it, listed with digests; and the
//! way back.
//!
//! The master key is never in a backup: whoever finds one has no secret. Merged profiles and spilled
//! rows are not either, as they are made anew.

use std::fs;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use ledger::alert::Telling;
use ledger::{Ledger, Place, Restore, SlotState};
use plan::Project;
use plan::planner::{self, CatchUp, Decision, Known, Lateness, Reason, Skipped};
use serde::{Deserialize, Serialize};

use crate::ambient;
use crate::failure::{Failure, Kind};
use crate::private_file;
use crate::server::exports;
use crate::workspace::{LEDGER_FILE, RECORDS_FOLDER};

/// The file of a backup that lists the others.
const LIST: &str = "backup.json";
/// The version of that file's form.
const FORMAT: u32 = 1;
/// What belongs to a ledger, inside the state folder.
const FOLDERS: [&str; 7] =
    ["secrets", "baselines", "seals", "destinations", "membership", "landed", RECORDS_FOLDER];

/// What a backup holds.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Backup {
    format: u32,
    pub(crate) taken_at: Timestamp,
    /// The version of Segue that made it.
    version: String,
    pub(crate) files: Vec<Kept>,
}

/// A file of a backup.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Kept {
    /// Relative to the backup, and to the state folder.
    path: String,
    pub(crate) bytes: u64,
    /// BLAKE3, in hexadecimal digits.
    digest: String,
}

/// Makes a backup of a ledger and its state folder in `folder`, which is empty or not there. Servers
/// may go on meanwhile. The ledger is a file in the backup, wherever it is otherwise.
///
/// # Errors
/// There is no ledger, the folder is not empty, or a file cannot be read or written.
pub(crate) async fn take(
    place: &Place,
    state: &Path,
    folder: &Path,
    now: Timestamp,
) -> Result<Backup, Failure> {
    let ledger = Ledger::open_read_only(place).await?.ok_or_else(|| {
        Failure::usage(format!("there is no ledger in {}", of_ledger(place, state)))
            .hint("There is one after the first `segue run` or `segue serve`.")
    })?;
    let is_empty = fs::read_dir(folder).map_or(true, |mut entries| entries.next().is_none());
    if !is_empty {
        return Err(Failure::usage(format!("{} is not empty", folder.display()))
            .hint("Name a folder that is not there yet; each backup has its own."));
    }
    make_folder(folder)?;
    // The ledger first: what belongs to it may be newer, and never older.
    ledger.copy_to(&folder.join(LEDGER_FILE)).await?;
    ledger.close().await;
    remove_side_files(folder);
    let mut files = vec![listed(folder, LEDGER_FILE)?];
    for name in FOLDERS {
        for path in files_below(&state.join(name), name)? {
            let copied = copy(&state.join(&path), &folder.join(&path));
            match copied {
                Ok(()) => files.push(listed(folder, &path)?),
                // What was removed meanwhile is not needed.
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
                Err(error) => return Err(failed("copied", &state.join(&path), &error)),
            }
        }
    }
    let version = env!("CARGO_PKG_VERSION").to_owned();
    let backup = Backup { format: FORMAT, taken_at: now, version, files };
    let text = serde_json::to_vec_pretty(&backup)
        .map_err(|error| Failure::from_error(Kind::Internal, &error))?;
    // The list comes last: a folder without it is no backup.
    let list = folder.join(LIST);
    private_file::write(&list, &text).map_err(|error| failed("written", &list, &error))?;
    Ok(backup)
}

/// Reads a backup and compares every file with its digest, every page of the ledger, and its audit log.
///
/// # Errors
/// It is no backup, or something in it is not as it was.
pub(crate) async fn verify(folder: &Path) -> Result<Backup, Failure> {
    let list = folder.join(LIST);
    let text = fs::read(&list).map_err(|error| {
        failed("read", &list, &error).hint("A backup is a folder that `segue backup` made.")
    })?;
    let backup: Backup = serde_json::from_slice(&text).map_err(|error| {
        Failure::from_error(Kind::Run, &error).context("the list of the backup is damaged")
    })?;
    if backup.format != FORMAT {
        return Err(Failure::usage("the backup was made by a newer version of Segue")
            .hint("Restore it with that version or a later one."));
    }
    for kept in &backup.files {
        if !is_inside(&kept.path) {
            return Err(damaged(&kept.path, "its name leads out of the backup"));
        }
        let found = listed(folder, &kept.path)?;
        if (found.bytes, &found.digest) != (kept.bytes, &kept.digest) {
            return Err(damaged(&kept.path, "it is not what was written"));
        }
    }
    let ledger = copied_ledger(folder).await?;
    if let Some(problem) = ledger.check_pages().await?.first() {
        return Err(damaged(LEDGER_FILE, problem));
    }
    if let Some(number) = ledger.check_audit().await?.broken_at {
        return Err(damaged(LEDGER_FILE, &format!("entry {number} of the audit log was changed")));
    }
    ledger.close().await;
    remove_side_files(folder);
    Ok(backup)
}

/// The ledger of a backup, for reading.
async fn copied_ledger(folder: &Path) -> Result<Ledger, Failure> {
    let ledger = Ledger::open_read_only(folder.join(LEDGER_FILE)).await?;
    ledger.ok_or_else(|| damaged(LEDGER_FILE, "it is missing"))
}

/// Looking at the ledger of a backup, or making it, leaves side files, which are not of the backup.
fn remove_side_files(folder: &Path) {
    for suffix in ["-wal", "-shm", ".lock"] {
        drop(fs::remove_file(folder.join(format!("{LEDGER_FILE}{suffix}"))));
    }
}

/// Makes the ledger and the state folder of a project from a backup, after it was verified. The ledger
/// may be in a database where it was a file before, or the other way round. Nothing is run with it until
/// it is settled.
///
/// # Errors
/// The backup is not whole, there is a ledger already, or a file cannot be written.
pub(crate) async fn restore(
    place: &Place,
    folder: &Path,
    state: &Path,
    now: Timestamp,
) -> Result<Backup, Failure> {
    let backup = verify(folder).await?;
    let is_there = match place {
        Place::File(path) => path.exists(),
        Place::Postgres(_) => Ledger::open_read_only(place).await?.is_some(),
    };
    if is_there {
        let of_ledger = of_ledger(place, state);
        return Err(Failure::usage(format!("there is a ledger in {of_ledger} already"))
            .hint("Move it away first; it may know what the backup does not."));
    }
    // The ledger last: a restore that was broken off is no state to work with.
    for kept in backup.files.iter().rev() {
        if kept.path == LEDGER_FILE && place.is_shared() {
            continue;
        }
        let target = state.join(&kept.path);
        copy(&folder.join(&kept.path), &target)
            .map_err(|error| failed("written", &target, &error))?;
    }
    let ledger = Ledger::open(place).await?;
    if place.is_shared() {
        let copy = copied_ledger(folder).await?;
        ledger.fill_from(&copy).await?;
        copy.close().await;
        remove_side_files(folder);
    }
    ledger.mark_restored(backup.taken_at, now).await?;
    ledger.close().await;
    Ok(backup)
}

/// What a ledger is in, for a message: the state folder, or the database.
fn of_ledger(place: &Place, state: &Path) -> String {
    match place {
        Place::File(_) => state.display().to_string(),
        Place::Postgres(address) => address.to_string(),
    }
}

/// Refuses to run anything with a ledger that was restored and not settled.
///
/// # Errors
/// It was.
pub(crate) async fn guard(ledger: &Ledger) -> Result<(), Failure> {
    let Some(Restore { taken, restored }) = ledger.unsettled_restore().await? else {
        return Ok(());
    };
    Err(Failure::new(
        Kind::Blocked,
        format!("the ledger was restored at {restored} from a backup of {taken}, and does not know what was delivered since"),
    )
    .hint("`segue restore --settle` tells what was due in between as skipped, so that nothing is sent twice; then run what is missing by its slot."))
}

/// Decides what was due between the backup and now: it is told as skipped, and not run. Returns how
/// many slots that are.
///
/// # Errors
/// The ledger cannot be read or written.
pub(crate) async fn settle(
    ledger: &Ledger,
    project: &Project,
    now: Timestamp,
) -> Result<u64, Failure> {
    ledger.take_up(now).await?;
    let marks = ledger.export_marks().await?;
    let open = ledger.open_slots().await?;
    let mut skipped = 0;
    for (activation, export) in exports(project) {
        let mark = marks
            .iter()
            .find(|mark| mark.activation == activation.key && mark.segment == export.segment);
        let Some(mark) = mark else { continue };
        let mut waiting = Vec::new();
        for slot in &open {
            let key = &slot.key;
            let is_of_this = key.activation == mark.activation && key.segment == mark.segment;
            // What is committed goes forward as after any crash: it knows its own objects.
            if is_of_this
                && slot.state == SlotState::Planned
                && !is_committed(ledger, slot.run_id).await?
            {
                waiting.push(key.slot);
            }
        }
        let mut decision = match &export.schedule {
            None => Decision {
                planned: Vec::new(),
                skipped: Vec::new(),
                withdrawn: Vec::new(),
                decided_through: now,
            },
            Some(schedule) => {
                let lateness = Lateness { catch_up: CatchUp::None, ..schedule.lateness };
                let known = Known {
                    decided_through: mark.decided_through,
                    waiting: &[],
                    is_running: false,
                    is_paused: false,
                };
                planner::decide(schedule, &lateness, &known, now)
            }
        };
        let due = std::mem::take(&mut decision.planned);
        let one = |slot| Skipped { from: slot, to: slot, count: 1, reason: Reason::Restored };
        decision.skipped.extend(due.into_iter().map(one));
        decision.skipped.iter_mut().for_each(|it| it.reason = Reason::Restored);
        decision.withdrawn = waiting.into_iter().map(|slot| (slot, Reason::Restored)).collect();
        skipped += decision.skipped.iter().map(|it| it.count).sum::<u64>();
        skipped += decision.withdrawn.len() as u64;
        // Who settles is told how many they are.
        let telling = Telling { to: &[], id: &ambient::id };
        ledger.record_decision(mark, &activation.destination, &decision, &telling, now).await?;
    }
    ledger.settle_restores(now).await?;
    Ok(skipped)
}

async fn is_committed(ledger: &Ledger, run_id: Option<uuid::Uuid>) -> Result<bool, Failure> {
    let Some(run_id) = run_id else { return Ok(false) };
    Ok(ledger.run(run_id).await?.is_some_and(|known| known.run.is_committed()))
}

/// The files below a folder, by their paths behind `prefix`, in order.
fn files_below(folder: &Path, prefix: &str) -> Result<Vec<String>, Failure> {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(failed("read", folder, &error)),
    };
    let mut paths = Vec::new();
    for entry in entries.flatten() {
        let Ok(name) = entry.file_name().into_string() else { continue };
        let path = format!("{prefix}/{name}");
        match entry.file_type() {
            Ok(kind) if kind.is_dir() => paths.extend(files_below(&entry.path(), &path)?),
            Ok(kind) if kind.is_file() => paths.push(path),
            _ => {}
        }
    }
    paths.sort_unstable();
    Ok(paths)
}

fn listed(folder: &Path, path: &str) -> Result<Kept, Failure> {
    let full = folder.join(path);
    let digest = || -> std::io::Result<(u64, String)> {
        let mut hasher = blake3::Hasher::new();
        let bytes = std::io::copy(&mut fs::File::open(&full)?, &mut hasher)?;
        Ok((bytes, hasher.finalize().to_hex().to_string()))
    };
    let (bytes, digest) = digest().map_err(|error| failed("read", &full, &error))?;
    Ok(Kept { path: path.to_owned(), bytes, digest })
}

/// Copies a file, for its owner only, and waits until it is on disk.
fn copy(from: &Path, to: &Path) -> std::io::Result<()> {
    let mut source = fs::File::open(from)?;
    if let Some(folder) = to.parent() {
        private_file::make_folder(folder)?;
    }
    let mut target = private_file::open_fresh(to)?;
    std::io::copy(&mut source, &mut target)?;
    // Some files are kept for a time from when they were made.
    target.set_modified(source.metadata()?.modified()?)?;
    target.sync_all()
}

fn make_folder(folder: &Path) -> Result<(), Failure> {
    private_file::make_folder(folder).map_err(|error| failed("made", folder, &error))
}

/// Whether a path of a list stays below the folder that it is joined to.
fn is_inside(path: &str) -> bool {
    PathBuf::from(path).components().all(|part| matches!(part, std::path::Component::Normal(_)))
}

fn damaged(path: &str, why: &str) -> Failure {
    Failure::new(Kind::Run, format!("{path} of the backup is damaged: {why}"))
        .hint("Use another backup.")
}

fn failed(act: &str, path: &Path, error: &std::io::Error) -> Failure {
    Failure::from_error(Kind::Run, error).context(format!("{} cannot be {act}", path.display()))
}
