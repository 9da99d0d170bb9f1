//! Merged profiles on disk: found again by the name of what they were made of.
//!
//! Below the folder of profiles each state of the inputs has a folder of its own, with files of
//! profiles and a summary. It is written under another name and renamed when it is whole, so that
//! nobody sees half of one. Whoever reads one holds a lock in it; those that nobody holds are removed
//! but for the last two.

use std::fs::{self, File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use plan::project::{Dataset, DatasetFormat, DatasetKind};

use super::Union;
use super::write::Part;
use crate::error::Error;
use crate::store::{Store, local_input};
use crate::survey::Survey;

/// How many states of the inputs are kept when nobody reads them.
const KEPT: usize = 2;
const SUMMARY: &str = "summary";
const LOCK: &str = "lock";
/// Begins the names of folders that are being written.
const BUILDING: &str = ".building-";

/// Whether records have to be merged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    /// Each record of the one dataset is a profile.
    Direct,
    /// The profiles are in the parts.
    Merged,
}

/// What is known of the profiles of one state of the inputs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Summary {
    pub(super) verdict: Verdict,
    pub(super) left_out: Vec<(String, u64)>,
    pub(super) parts: Vec<Part>,
}

/// Where the profiles of one state of the inputs are, or will be.
#[derive(Debug)]
pub(super) struct Kept {
    folder: PathBuf,
    name: String,
}

/// Profiles being written; they are removed unless they are finished.
#[derive(Debug)]
pub(super) struct Building {
    folder: tempfile::TempDir,
    _lock: File,
}

/// Profiles that were found, with the lock that keeps them there.
#[derive(Debug)]
pub(super) struct Found {
    folder: PathBuf,
    pub(super) summary: Summary,
    lock: File,
}

impl Kept {
    pub(super) fn new(folder: PathBuf, name: String) -> Self {
        Self { folder, name }
    }

    /// Finds profiles that were made before and are whole.
    pub(super) fn find(&self) -> Result<Option<Found>, Error> {
        let folder = self.folder.join(&self.name);
        let failed = |error| unusable(&folder, "open kept profiles", error);
        let lock = match File::open(folder.join(LOCK)) {
            Ok(lock) => lock,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(failed(error)),
        };
        lock.lock_shared().map_err(failed)?;
        // They may have been removed between the opening and the lock.
        let Ok(text) = fs::read_to_string(folder.join(SUMMARY)) else { return Ok(None) };
        let Some(summary) = Summary::parse(&text).filter(|summary| summary.is_whole(&folder))
        else {
            return Ok(None);
        };
        // The lock's time of change tells when the profiles were used last.
        fs::write(folder.join(LOCK), "").map_err(failed)?;
        Ok(Some(Found { folder, summary, lock }))
    }

    /// Begins to write profiles.
    pub(super) fn begin(&self) -> Result<Building, Error> {
        let failed = |error| unusable(&self.folder, "make a folder for merged profiles", error);
        fs::create_dir_all(&self.folder).map_err(failed)?;
        self.sweep().map_err(failed)?;
        let folder = tempfile::Builder::new().prefix(BUILDING).tempdir_in(&self.folder);
        let folder = folder.map_err(failed)?;
        let lock = File::create(folder.path().join(LOCK)).map_err(failed)?;
        lock.lock().map_err(failed)?;
        Ok(Building { folder, _lock: lock })
    }

    /// Makes written profiles the ones that are found, and removes old ones.
    pub(super) fn finish(&self, building: Building, summary: Summary) -> Result<Found, Error> {
        let target = self.folder.join(&self.name);
        let failed = |error| unusable(&target, "keep merged profiles", error);
        let Building { folder, _lock } = building;
        let path = folder.path().join(SUMMARY);
        fs::write(&path, summary.text())
            .and_then(|()| File::open(&path)?.sync_all())
            .map_err(failed)?;
        // Another process may have been faster, with the same profiles; what is there but not whole
        // is in the way.
        if self.find()?.is_none() {
            if let Err(error) = fs::remove_dir_all(&target)
                && error.kind() != io::ErrorKind::NotFound
            {
                return Err(failed(error));
            }
            match fs::rename(folder.path(), &target) {
                Err(error) if error.kind() == io::ErrorKind::DirectoryNotEmpty => {}
                renamed => renamed.map_err(failed)?,
            }
        }
        drop(_lock);
        self.sweep().map_err(failed)?;
        self.find()?
            .ok_or_else(|| Error::internal("merged profiles were removed while they were made"))
    }

    /// Removes what nobody holds: folders of processes that ended early, and all but the last
    /// states of the inputs.
    fn sweep(&self) -> io::Result<()> {
        let mut old = Vec::new();
        for entry in fs::read_dir(&self.folder)? {
            let path = entry?.path();
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            if name.starts_with(BUILDING) {
                remove_unheld(&path);
            } else if name != self.name
                && let Ok(used) = fs::metadata(path.join(LOCK)).and_then(|lock| lock.modified())
            {
                old.push((used, name, path));
            }
        }
        old.sort_unstable();
        let removed = old.len().saturating_sub(KEPT - 1);
        old.iter().take(removed).for_each(|(_, _, path)| remove_unheld(path));
        Ok(())
    }
}

impl Building {
    pub(super) fn folder(&self) -> &Path {
        self.folder.path()
    }
}

/// Removes a folder unless somebody holds its lock. What cannot be removed is tried again at the
/// next time.
fn remove_unheld(folder: &Path) {
    let Ok(lock) = File::open(folder.join(LOCK)) else { return };
    match lock.try_lock() {
        Ok(()) => drop(fs::remove_dir_all(folder)),
        Err(TryLockError::WouldBlock | TryLockError::Error(_)) => {}
    }
}

fn unusable(folder: &Path, action: &str, error: io::Error) -> Error {
    Error::io(&folder.to_string_lossy(), action, error)
}

impl Found {
    /// Opens the profiles for reading; they stay there as long as the survey lives.
    pub(super) async fn survey(self, union: &Union, threads: usize) -> Result<Survey, Error> {
        let paths = self.summary.parts.iter().map(|part| self.folder.join(&part.name));
        let inputs = paths.map(|path| local_input(&path).map(Arc::new));
        let inputs = inputs.collect::<Result<Vec<_>, Error>>()?;
        let dataset = Dataset {
            key: String::new(),
            kind: DatasetKind::Profile,
            location: self.folder.to_string_lossy().into_owned(),
            account: None,
            format: DatasetFormat::Parquet,
            declared: Vec::new(),
            identities: Vec::new(),
            timestamp: None,
            span: plan::Span { start: 0, end: 0, line: 1, column: 1 },
        };
        let survey = Survey::take(Store::Local, &dataset, &inputs, threads).await?;
        Ok(survey.of_merged(union, self.lock))
    }
}

const HEAD: &str = "segue profiles 1";

impl Summary {
    fn text(&self) -> String {
        let verdict = match self.verdict {
            Verdict::Direct => "direct",
            Verdict::Merged => "merged",
        };
        let mut lines = vec![HEAD.to_owned(), verdict.to_owned()];
        let left_out = self.left_out.iter();
        lines.extend(left_out.map(|(reason, count)| format!("left-out {count} {reason}")));
        let parts = self.parts.iter();
        lines.extend(parts.map(|Part { name, bytes }| format!("part {bytes} {name}")));
        lines.push("end\n".to_owned());
        lines.join("\n")
    }

    fn parse(text: &str) -> Option<Self> {
        let mut lines = text.strip_suffix("\nend\n")?.lines();
        if lines.next()? != HEAD {
            return None;
        }
        let verdict = match lines.next()? {
            "direct" => Verdict::Direct,
            "merged" => Verdict::Merged,
            _ => return None,
        };
        let mut summary = Self { verdict, left_out: Vec::new(), parts: Vec::new() };
        for line in lines {
            let (kind, rest) = line.split_once(' ')?;
            let (number, name) = rest.split_once(' ')?;
            let (number, name) = (number.parse().ok()?, name.to_owned());
            match kind {
                "left-out" => summary.left_out.push((name, number)),
                "part" => summary.parts.push(Part { name, bytes: number }),
                _ => return None,
            }
        }
        Some(summary)
    }

    fn is_whole(&self, folder: &Path) -> bool {
        let has = |part: &Part| {
            fs::metadata(folder.join(&part.name)).is_ok_and(|file| file.len() == part.bytes)
        };
        self.parts.iter().all(has)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn summary() -> Summary {
        Summary {
            verdict: Verdict::Merged,
            left_out: vec![("no_identity:crm".to_owned(), 3)],
            parts: vec![Part { name: "part-0.parquet".to_owned(), bytes: 4 }],
        }
    }

    #[test]
    fn a_summary_is_read_back() {
        assert_eq!(Summary::parse(&summary().text()), Some(summary()));
        let text = summary().text();
        assert_eq!(Summary::parse(&text[..text.len() - 1]), None);
        assert_eq!(Summary::parse(""), None);
    }

    fn keep(folder: &Path, name: &str) -> Found {
        let kept = Kept::new(folder.to_owned(), name.to_owned());
        let building = kept.begin().expect("a folder");
        fs::write(building.folder().join("part-0.parquet"), "four").expect("a part");
        kept.finish(building, summary()).expect("profiles are kept")
    }

    fn names(folder: &Path) -> Vec<String> {
        let entries = fs::read_dir(folder).expect("a folder");
        let name = |entry: io::Result<fs::DirEntry>| entry.expect("an entry").file_name();
        let mut names: Vec<String> =
            entries.map(|entry| name(entry).to_string_lossy().into_owned()).collect();
        names.sort();
        names
    }

    #[test]
    fn the_last_two_and_those_that_are_read_stay() {
        let folder = tempfile::tempdir().expect("a folder");
        let held = keep(folder.path(), "a");
        for name in ["b", "c", "d"] {
            drop(keep(folder.path(), name));
        }
        assert_eq!(names(folder.path()), ["a", "c", "d"]);
        drop(held);
        drop(keep(folder.path(), "e"));
        assert_eq!(names(folder.path()), ["d", "e"]);
    }

    #[test]
    fn what_is_not_whole_is_not_found_and_is_made_again() {
        let folder = tempfile::tempdir().expect("a folder");
        let kept = Kept::new(folder.path().to_owned(), "a".to_owned());
        assert!(kept.find().expect("it can be looked for").is_none());
        drop(keep(folder.path(), "a"));
        assert_eq!(kept.find().expect("it can be opened").expect("it is there").summary, summary());
        fs::write(folder.path().join("a/part-0.parquet"), "fo").expect("a shorter part");
        assert!(kept.find().expect("it can be looked for").is_none());
        drop(keep(folder.path(), "a"));
        assert!(kept.find().expect("it can be opened").is_some());
    }

    #[test]
    fn what_a_process_left_is_removed() {
        let folder = tempfile::tempdir().expect("a folder");
        let left = folder.path().join(".building-x");
        fs::create_dir(&left).expect("a folder");
        fs::write(left.join(LOCK), "").expect("a lock");
        drop(keep(folder.path(), "a"));
        assert_eq!(names(folder.path()), ["a"]);
    }
}
