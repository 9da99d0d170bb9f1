//! Where a dataset's files are: the text of `location:` taken apart, and which files it means.
//!
//! Nothing is opened here. A location is one file, a folder (every file below it with the format's
//! extension), or a glob; hidden files and those whose name begins with `_` are left out of folders
//! and globs, as writers of lakes put their marks there.

use std::path::{Path, PathBuf};

use plan::project::DatasetFormat;

use crate::error::{Error, Kind};
use crate::unpack;

/// Where to look, before any wildcard.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Root {
    /// A path of this machine.
    Local(PathBuf),
    /// A bucket and the beginning of keys.
    S3 { bucket: String, prefix: String },
}

/// A dataset's location.
#[derive(Debug, Clone)]
pub(crate) struct Location {
    /// As messages name it.
    pub(crate) text: String,
    /// Where to look.
    pub(crate) root: Root,
    /// What paths from the root on have to look like; absent for a file or folder.
    pub(crate) pattern: Option<glob::Pattern>,
}

const PATTERN_OPTIONS: glob::MatchOptions = glob::MatchOptions {
    case_sensitive: true,
    require_literal_separator: true,
    require_literal_leading_dot: true,
};

impl Location {
    /// Takes the text of a location apart; relative paths begin at `base`.
    ///
    /// # Errors
    /// A glob or an `s3://` address that cannot be read.
    pub(crate) fn parse(text: &str, base: &Path) -> Result<Self, Error> {
        if let Some(address) = text.strip_prefix("s3://") {
            return Self::parse_s3(text, address);
        }
        let (root, pattern) = split_pattern(text)?;
        // Without the `.` of `./data`, so that a file has one name.
        let whole = |path: &str| match base.join(path).components().collect::<PathBuf>() {
            // A pattern alone, in the folder that the process is in.
            nothing if nothing.as_os_str().is_empty() => PathBuf::from("."),
            path => path,
        };
        let text = whole(text).to_string_lossy().into_owned();
        Ok(Self { root: Root::Local(whole(root)), pattern, text })
    }

    fn parse_s3(text: &str, address: &str) -> Result<Self, Error> {
        let (bucket, key) = address.split_once('/').unwrap_or((address, ""));
        if bucket.is_empty() {
            return Err(Error::new(
                Kind::Invalid,
                "invalid_location",
                "the location has no bucket",
            )
            .in_file(text)
            .with_hint("Write it as `s3://bucket/folder/`."));
        }
        let (prefix, pattern) = split_pattern(key)?;
        let root = Root::S3 { bucket: bucket.to_owned(), prefix: prefix.to_owned() };
        Ok(Self { text: text.to_owned(), root, pattern })
    }

    /// Whether a file found below the root is part of the dataset. `below` is its path from the
    /// root on.
    pub(crate) fn takes(&self, below: &str, format: DatasetFormat) -> bool {
        let is_hidden = |part: &str| part.starts_with(['.', '_']);
        match &self.pattern {
            Some(pattern) => {
                // Who spells a hidden name out means it.
                let names_hidden = pattern.as_str().split('/').any(is_hidden);
                (names_hidden || !below.split('/').any(is_hidden))
                    && pattern.matches_with(below, PATTERN_OPTIONS)
            }
            None => !below.split('/').any(is_hidden) && has_extension(below, format),
        }
    }
}

/// Splits before the first part that has a wildcard, so that wildcards in the name of the
/// project's own folder mean nothing.
fn split_pattern(path: &str) -> Result<(&str, Option<glob::Pattern>), Error> {
    let Some(wildcard) = path.find(['*', '?', '[']) else { return Ok((path, None)) };
    let root_end = path[..wildcard].rfind('/').map_or(0, |slash| slash + 1);
    let pattern = glob::Pattern::new(&path[root_end..]).map_err(|error| {
        Error::new(Kind::Invalid, "invalid_location", format!("invalid glob: {}", error.msg))
            .in_file(path)
    })?;
    Ok((&path[..root_end], Some(pattern)))
}

fn has_extension(path: &str, format: DatasetFormat) -> bool {
    let Some((rest, extension)) = path.rsplit_once('.') else { return false };
    let is_packed = unpack::EXTENSIONS.iter().any(|known| extension.eq_ignore_ascii_case(known));
    let extension = match (is_packed && format != DatasetFormat::Parquet, rest.rsplit_once('.')) {
        (true, Some((_, extension))) => extension,
        (true, None) => return false,
        (false, _) => extension,
    };
    extensions(format).iter().any(|known| extension.eq_ignore_ascii_case(known))
}

/// The file extensions that a folder is searched for.
pub(crate) fn extensions(format: DatasetFormat) -> &'static [&'static str] {
    match format {
        DatasetFormat::Parquet | DatasetFormat::Delta { .. } => &["parquet"],
        DatasetFormat::Csv { .. } => &["csv", "tsv", "txt"],
        DatasetFormat::JsonLines => &["jsonl", "ndjson", "json"],
        DatasetFormat::Postgres => &[],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PARQUET: DatasetFormat = DatasetFormat::Parquet;

    fn takes(location: &str, path: &str) -> bool {
        let location = Location::parse(location, Path::new("/p[1]")).expect("the location parses");
        let root = match &location.root {
            Root::Local(root) => root.to_string_lossy().into_owned(),
            Root::S3 { prefix, .. } => prefix.clone(),
        };
        let below = path.strip_prefix(root.as_str()).expect("the path is below the root");
        location.takes(below.trim_start_matches('/'), PARQUET)
    }

    #[test]
    fn folders_take_files_of_the_format_and_globs_what_they_say() {
        let cases = [
            ("data", "/p[1]/data/a.parquet", true),
            ("data", "/p[1]/data/deep/er/a.PARQUET", true),
            ("data", "/p[1]/data/a.csv", false),
            ("data", "/p[1]/data/_SUCCESS", false),
            ("data", "/p[1]/data/_tmp/a.parquet", false),
            ("data", "/p[1]/data/.a.parquet", false),
            ("data/*.parquet", "/p[1]/data/a.parquet", true),
            ("data/*.parquet", "/p[1]/data/deep/a.parquet", false),
            ("data/**/*.parquet", "/p[1]/data/deep/er/a.parquet", true),
            ("data/*.parquet", "/p[1]/data/_a.parquet", false),
            ("data/_*.parquet", "/p[1]/data/_a.parquet", true),
            ("data/**/*.parquet", "/p[1]/data/_tmp/a.parquet", false),
            ("data/part-?.dat", "/p[1]/data/part-1.dat", true),
            ("data", "/p[1]/data/a.parquet.gz", false),
            ("s3://b/crm/", "crm/a.parquet", true),
            ("s3://b/crm/*/a.parquet", "crm/x/a.parquet", true),
            ("s3://b/crm/*/a.parquet", "crm/x/y/a.parquet", false),
        ];
        for (location, path, expected) in cases {
            assert_eq!(takes(location, path), expected, "{location} {path}");
        }
    }

    #[test]
    fn folders_take_text_files_that_are_compressed() {
        let location = Location::parse("data", Path::new("/p")).expect("the location parses");
        for (below, expected) in [
            ("a.jsonl", true),
            ("a.jsonl.gz", true),
            ("a.NDJSON.ZST", true),
            ("a.csv.gz", false),
            ("a.gz", false),
            (".jsonl.gz", false),
        ] {
            assert_eq!(location.takes(below, DatasetFormat::JsonLines), expected, "{below}");
        }
    }

    #[test]
    fn locations_that_cannot_be_read_are_refused() {
        for text in ["s3://", "s3:///key", "data/[a.parquet"] {
            let error = Location::parse(text, Path::new("/p")).expect_err(text);
            assert_eq!(error.kind(), Kind::Invalid, "{text}");
        }
    }
}
