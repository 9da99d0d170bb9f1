//! Merged profiles on disk: each state of the inputs has a folder of its own (see `kept`), with files
//! of profiles and a summary.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use plan::project::{Dataset, DatasetFormat, DatasetKind};

use super::Union;
use super::write::Part;
use crate::error::Error;
use crate::kept;
use crate::store::{Store, local_input};
use crate::survey::{FileReader, Survey};

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

impl kept::Found<Summary> {
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
            database: None,
            declared: Vec::new(),
            identities: Vec::new(),
            timestamp: None,
            span: plan::Span { start: 0, end: 0, line: 1, column: 1 },
            version_span: None,
        };
        let reader = FileReader::new(Store::Local, DatasetFormat::Parquet, None);
        let survey = Survey::take(reader, &dataset, &inputs, threads).await?;
        Ok(survey.of_merged(union, self.held))
    }
}

const HEAD: &str = "segue profiles 1";

impl kept::Summary for Summary {
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
    use std::fs;
    use std::io;

    use super::*;
    use crate::kept::{Found, Kept, Stay, Summary as _};

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

    fn keep(folder: &Path, name: &str) -> Found<Summary> {
        let kept: Kept<Summary> = Kept::new(folder.to_owned(), name.to_owned(), Stay::Kept);
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
    fn what_is_not_to_stay_is_there_as_long_as_it_is_read() {
        let folder = tempfile::tempdir().expect("a folder");
        drop(keep(folder.path(), "a"));
        let kept: Kept<Summary> = Kept::new(folder.path().to_owned(), "b".to_owned(), Stay::Gone);
        let building = kept.begin().expect("a folder");
        fs::write(building.folder().join("part-0.parquet"), "four").expect("a part");
        let found = kept.finish(building, summary()).expect("profiles are made");
        assert!(found.folder.join("part-0.parquet").exists());
        drop(found);
        assert_eq!(names(folder.path()), ["a"]);
    }

    #[test]
    fn what_is_not_whole_is_not_found_and_is_made_again() {
        let folder = tempfile::tempdir().expect("a folder");
        let kept: Kept<Summary> = Kept::new(folder.path().to_owned(), "a".to_owned(), Stay::Kept);
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
        fs::write(left.join("lock"), "").expect("a lock");
        drop(keep(folder.path(), "a"));
        assert_eq!(names(folder.path()), ["a"]);
    }
}
