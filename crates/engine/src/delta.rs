//! Delta tables: the log says which files are the table at one version, and what is in them.
//!
//! Nothing but the log is read here (protocol: `PROTOCOL.md` of the Delta Lake project). The data
//! files are Parquet and are read like any others; `read` gives their columns the table's names,
//! adds the columns that the log holds the values of, and leaves out the rows that are marked as
//! deleted. A feature that a reader has to know and that is not known here is refused by its name.

mod action;
mod deletion;
mod log;
mod partition;
mod read;
mod schema;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use arrow::datatypes::{Field, Fields};
use plan::project::TableVersion;

use crate::error::{Error, Kind};
use crate::location::Location;
use crate::store::{Input, Store, Version, blocking};

pub(crate) use read::Reader;

use action::{Add, DeletionVector};
use schema::{Column, Mapping};

/// One version of a table.
#[derive(Debug)]
pub(crate) struct Table {
    /// The columns, as they are known to whoever queries the table.
    columns: Vec<Column>,
    /// How columns are found in the files.
    mapping: Mapping,
    /// The columns whose values the log holds, for each file, instead of the files.
    partitioned_by: Vec<String>,
    /// The data files, in the order of their inputs.
    files: Vec<DataFile>,
    /// The files that say which rows are deleted, by path in the table.
    deletion_files: BTreeMap<String, Arc<Input>>,
}

/// What the log says of one data file.
#[derive(Debug)]
struct DataFile {
    /// By physical name; a missing value is null.
    partition_values: BTreeMap<String, Option<String>>,
    deleted: Option<DeletionVector>,
}

/// A pinned table: what is read of it.
#[derive(Debug)]
pub(crate) struct Pinned {
    pub(crate) table: Table,
    /// The table itself, with its version.
    pub(crate) head: Input,
    /// The data files.
    pub(crate) inputs: Vec<Arc<Input>>,
}

/// Finds a version of a table and the files that make it up.
///
/// # Errors
/// There is no table, no such version, or the table cannot be read rightly.
pub(crate) async fn pin(
    store: &Store,
    location: &Location,
    version: TableVersion,
) -> Result<Pinned, Error> {
    if location.pattern.is_some() {
        let message = "a Delta table is one folder, not a pattern";
        let error = Error::new(Kind::Invalid, "invalid_location", message);
        return Err(error.in_file(&location.text).with_hint("Name the table's folder."));
    }
    let listed = store.list_log(location).await?;
    let (reader, place) = (store.clone(), location.text.clone());
    let replay = move || log::replay(&reader, &place, listed, version);
    let state = blocking(replay).await?;
    let location_text = location.text.trim_end_matches('/').to_owned();
    let columns = schema::parse(&state.metadata, &location_text)?;
    let mut adds = state.adds;
    adds.sort_by(|a, b| a.path.cmp(&b.path));
    let mut files = Vec::with_capacity(adds.len());
    let mut paths = Vec::with_capacity(adds.len());
    let mut wanted = BTreeSet::new();
    for add in adds {
        let Add { path, partition_values, deletion_vector, .. } = add;
        let path = file_path(&path, &location_text)?;
        if let Some(vector) = &deletion_vector {
            wanted.extend(vector.file(&location_text)?);
        }
        wanted.insert(path.clone());
        paths.push(path);
        files.push(DataFile { partition_values, deleted: deletion_vector });
    }
    let mut found = store.pin_below(location, &wanted).await?;
    if let Some(gone) = wanted.iter().find(|path| !found.contains_key(*path)) {
        return Err(vacuumed(&location_text, gone, state.version));
    }
    let inputs: Vec<Arc<Input>> = paths.iter().filter_map(|path| found.remove(path)).collect();
    let head = Input {
        location: location_text,
        size: state.bytes,
        version: Version::Table { number: state.version },
        rows: None,
    };
    let table = Table {
        columns,
        mapping: state.mapping,
        partitioned_by: state.metadata.partition_columns,
        files,
        deletion_files: found,
    };
    Ok(Pinned { table, head, inputs })
}

impl Table {
    /// The fields of the table.
    pub(crate) fn fields(&self) -> Fields {
        self.columns
            .iter()
            .map(|column| Field::new(&column.name, column.data_type(), true))
            .collect()
    }

    /// What says which rows of a data file there are, and how its columns are read.
    pub(crate) fn rows_of(&self, file: usize) -> impl std::fmt::Debug {
        (&self.columns, self.files.get(file).map(|file| &file.deleted))
    }

    /// The files that say which rows are deleted.
    pub(crate) fn deletion_files(&self) -> impl Iterator<Item = &Arc<Input>> {
        self.deletion_files.values()
    }
}

/// The path of a file in the table's folder; in the log it is written like a URL.
fn file_path(written: &str, location: &str) -> Result<String, Error> {
    if written.starts_with('/') || written.contains(":/") {
        let message = "the Delta table refers to files outside of its folder (a shallow clone)";
        let hint =
            "Read a copy of the table that holds its own files (`CREATE TABLE … DEEP CLONE …`).";
        return Err(Error::new(Kind::Invalid, "unsupported_table", message)
            .in_file(location)
            .with_hint(hint));
    }
    let damaged = || log::damaged(location, "the log holds a path that cannot be read");
    let path = percent_decoded(written).ok_or_else(damaged)?;
    let climbs = path.split('/').any(|part| part == "..");
    if climbs { Err(damaged()) } else { Ok(path) }
}

fn percent_decoded(written: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(written.len());
    let mut rest = written.as_bytes();
    while let Some((&byte, more)) = rest.split_first() {
        if byte == b'%' {
            let digits = std::str::from_utf8(more.get(..2)?).ok()?;
            bytes.push(u8::from_str_radix(digits, 16).ok()?);
            rest = &more[2..];
        } else {
            bytes.push(byte);
            rest = more;
        }
    }
    String::from_utf8(bytes).ok()
}

fn vacuumed(location: &str, path: &str, version: u64) -> Error {
    let message = format!("version {version} of the Delta table lacks one of its files, `{path}`");
    Error::new(Kind::NotFound, "table_vacuumed", message)
        .in_file(location)
        .with_hint("`VACUUM` removes files that newer versions do not use: read a newer version, or restore the file.")
}

/// A feature of the table that is not known here.
fn unsupported(location: &str, feature: &str) -> Error {
    let message = format!("the Delta table uses the feature `{feature}`, which cannot be read");
    Error::new(Kind::Invalid, "unsupported_table", message).in_file(location).with_hint(format!(
        "Drop it from the table (`ALTER TABLE … DROP FEATURE {feature}`), or read a copy that was written without it."
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_decoded_and_stay_in_the_folder() {
        let path = |written: &str| file_path(written, "/t").map_err(|error| error.to_string());
        assert_eq!(path("a/part%201.parquet"), Ok("a/part 1.parquet".to_owned()));
        assert_eq!(path("day=2026-01-01 10%3A00/x"), Ok("day=2026-01-01 10:00/x".to_owned()));
        for bad in ["../x", "a/%2e%2e/x", "%zz", "%4", "%ff"] {
            assert!(path(bad).is_err_and(|message| message.contains("path")), "{bad}");
        }
        for far in ["/x", "s3://b/x", "file:/x"] {
            assert!(path(far).is_err_and(|message| message.contains("shallow clone")), "{far}");
        }
    }
}
