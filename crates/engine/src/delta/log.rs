//! The log of a table, replayed: from the newest commit back to a checkpoint, or to the first commit.
//!
//! What a newer action says of a file counts; older ones about the same file are passed over. A
//! checkpoint sums up all commits before it; it is one Parquet file, several, or one that names
//! others (V2).

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::sync::Arc;

use arrow_json::LineDelimitedWriter;
use plan::field::Step;
use plan::project::TableVersion;

use super::action::{Action, Add, DeletionVector, Metadata, Protocol};
use super::schema::Mapping;
use super::unsupported;
use crate::error::{Error, Kind};
use crate::parquet_file::{self, Wanted};
use crate::path::Steps;
use crate::source::Source;
use crate::store::{INPUTS_MAX, Input, Store};

/// The most commits that are replayed; writers make a checkpoint every 10 or 100.
pub(super) const COMMITS_MAX: usize = 10_000;
/// The largest commit, in bytes.
pub(super) const COMMIT_BYTES_MAX: u64 = 512 << 20;

/// What a reader has to know, and what is known here.
const READER_VERSION_MAX: u32 = 3;
const READER_FEATURES: [&str; 7] = [
    "columnMapping",
    "deletionVectors",
    "timestampNtz",
    "typeWidening",
    "typeWidening-preview",
    "v2Checkpoint",
    "vacuumProtocolCheck",
];

/// A table at one version.
pub(super) struct State {
    pub(super) version: u64,
    pub(super) metadata: Metadata,
    pub(super) mapping: Mapping,
    pub(super) adds: Vec<Add>,
    /// How much of the log was read.
    pub(super) bytes: u64,
}

/// Finds the state of a table at the newest version, or at the one asked for.
pub(super) fn replay(
    store: &Store,
    location: &str,
    listed: Vec<Input>,
    version: TableVersion,
) -> Result<State, Error> {
    let log = Log::sort(location, listed)?;
    let version = log.version(version)?;
    let checkpoint = log.checkpoint(version);
    let first = checkpoint.as_ref().map_or(0, |(number, _)| number + 1);
    if version.saturating_sub(first) as usize > COMMITS_MAX {
        let message = format!("the log has more than {COMMITS_MAX} commits behind its checkpoint");
        return Err(damaged(location, &message).with_hint("Write a checkpoint of the table."));
    }
    let mut replayed = Replayed::default();
    for number in (first..=version).rev() {
        let Some(commit) = log.commits.get(&number) else {
            return Err(log.lacks(number, version));
        };
        replayed.commit(location, &read(store, commit)?)?;
        replayed.bytes += commit.size;
    }
    if let Some((_, parts)) = checkpoint {
        let mut sidecars = Vec::new();
        for part in parts {
            replayed.checkpoint(store, location, part, &mut sidecars)?;
        }
        for path in sidecars {
            let part = log.sidecars.get(&path).ok_or_else(|| {
                damaged(location, "the checkpoint names a file that is not in `_sidecars`")
            })?;
            replayed.checkpoint(store, location, part, &mut Vec::new())?;
        }
    }
    replayed.finish(location, version)
}

/// A log that contradicts itself.
pub(super) fn damaged(location: &str, message: &str) -> Error {
    Error::new(Kind::Invalid, "damaged_table", format!("the Delta table is damaged: {message}"))
        .in_file(location)
}

/// The files of a log by what they are.
struct Log<'a> {
    location: &'a str,
    commits: BTreeMap<u64, Arc<Input>>,
    /// By version; then by the number of parts that a checkpoint has, since two may have been written.
    checkpoints: BTreeMap<u64, BTreeMap<String, Vec<Arc<Input>>>>,
    sidecars: BTreeMap<String, Arc<Input>>,
}

impl<'a> Log<'a> {
    fn sort(location: &'a str, listed: Vec<Input>) -> Result<Self, Error> {
        let mut log = Self {
            location,
            commits: BTreeMap::new(),
            checkpoints: BTreeMap::new(),
            sidecars: BTreeMap::new(),
        };
        for input in listed {
            let Some((_, below)) = input.location.rsplit_once("_delta_log/") else { continue };
            let below = below.to_owned();
            log.add(&below, Arc::new(input));
        }
        if log.commits.is_empty() && log.checkpoints.is_empty() {
            let message = "the folder is not a Delta table: it has no `_delta_log` with commits";
            return Err(Error::new(Kind::NotFound, "no_table", message)
                .in_file(location)
                .with_hint("Name the table's own folder, or write `format: parquet` for a folder of Parquet files."));
        }
        Ok(log)
    }

    fn add(&mut self, below: &str, input: Arc<Input>) {
        if let Some(name) = below.strip_prefix("_sidecars/") {
            self.sidecars.insert(name.to_owned(), input);
            return;
        }
        let Some((number, rest)) = below.split_once('.') else { return };
        let Ok(number) = number.parse::<u64>() else { return };
        match rest.split('.').collect::<Vec<_>>().as_slice() {
            ["json"] => drop(self.commits.insert(number, input)),
            ["checkpoint", "parquet"] => self.add_checkpoint(number, "1", input),
            // `checkpoint.0000000001.0000000002.parquet`: a part, and how many there are.
            ["checkpoint", part, parts, "parquet"] if part.len() == 10 => {
                self.add_checkpoint(number, parts, input);
            }
            ["checkpoint", id, "parquet" | "json"] => self.add_checkpoint(number, id, input),
            _ => {}
        }
    }

    fn add_checkpoint(&mut self, number: u64, form: &str, input: Arc<Input>) {
        let forms = self.checkpoints.entry(number).or_default();
        forms.entry(form.to_owned()).or_default().push(input);
    }

    /// The version that is read.
    fn version(&self, asked: TableVersion) -> Result<u64, Error> {
        let commits = self.commits.last_key_value().map(|(number, _)| *number);
        let checkpoints = self.checkpoints.last_key_value().map(|(number, _)| *number);
        let newest = commits.max(checkpoints).unwrap_or_default();
        match asked {
            TableVersion::Newest => Ok(newest),
            TableVersion::Number(number) if number <= newest => Ok(number),
            TableVersion::Number(number) => {
                let message = format!("the Delta table has no version {number}");
                Err(Error::new(Kind::NotFound, "no_table_version", message)
                    .in_file(self.location)
                    .with_hint(format!("Its newest version is {newest}.")))
            }
        }
    }

    /// The newest whole checkpoint that is not newer than a version.
    fn checkpoint(&self, version: u64) -> Option<(u64, &[Arc<Input>])> {
        let is_whole = |form: &str, parts: &[Arc<Input>]| match form.len() {
            10 => form.parse() == Ok(parts.len()),
            _ => true,
        };
        self.checkpoints.range(..=version).rev().find_map(|(number, forms)| {
            let whole = forms.iter().find(|(form, parts)| is_whole(form, parts));
            whole.map(|(_, parts)| (*number, parts.as_slice()))
        })
    }

    /// A commit is not there that is needed.
    fn lacks(&self, number: u64, version: u64) -> Error {
        let gone = format!("version {version} is not in the log any more");
        let error = match (number == version, self.checkpoints.is_empty()) {
            (true, _) => {
                Error::new(Kind::NotFound, "no_table_version", gone).in_file(self.location)
            }
            (false, true) => damaged(self.location, &gone),
            (false, false) => {
                let message =
                    format!("its log lacks commit {number}, which version {version} needs");
                damaged(self.location, &message)
            }
        };
        match self.commits.last_key_value() {
            Some((newest, _)) => error.with_hint(format!(
                "Logs are cleaned up after a time: read a newer version, up to {newest}."
            )),
            None => error,
        }
    }
}

/// What has been found, from the newest action to the oldest.
#[derive(Default)]
struct Replayed {
    seen: HashSet<(String, String)>,
    adds: Vec<Add>,
    metadata: Option<Metadata>,
    protocol: Option<Protocol>,
    bytes: u64,
}

impl Replayed {
    fn commit(&mut self, location: &str, text: &[u8]) -> Result<(), Error> {
        for line in text.split(|&byte| byte == b'\n').filter(|line| !line.trim_ascii().is_empty()) {
            let action: Action = serde_json::from_slice(line)
                .map_err(|_| damaged(location, "a commit holds a line that is no action"))?;
            self.take(action, &mut Vec::new(), location)?;
        }
        Ok(())
    }

    fn checkpoint(
        &mut self,
        store: &Store,
        location: &str,
        part: &Arc<Input>,
        sidecars: &mut Vec<String>,
    ) -> Result<(), Error> {
        self.bytes += part.size;
        if part.location.ends_with(".json") {
            return self.lines(location, &read(store, part)?, sidecars);
        }
        let source = Source::open(store, part)?;
        let footer = parquet_file::open(&source)?;
        let needed = needed();
        for slice in parquet_file::slices(footer.metadata(), u64::MAX) {
            let (source, footer) = (Arc::clone(&source), footer.clone());
            let wanted = Wanted::of(&needed);
            let batches = parquet_file::Reader::new(source, footer, &slice, wanted)?;
            for batch in batches {
                let mut lines = LineDelimitedWriter::new(Vec::new());
                let written = lines.write(&batch?).and_then(|()| lines.finish());
                written.map_err(|_| damaged(location, "a checkpoint is of an unknown form"))?;
                self.lines(location, &lines.into_inner(), sidecars)?;
            }
        }
        Ok(())
    }

    fn lines(
        &mut self,
        location: &str,
        text: &[u8],
        sidecars: &mut Vec<String>,
    ) -> Result<(), Error> {
        for line in text.split(|&byte| byte == b'\n').filter(|line| !line.trim_ascii().is_empty()) {
            let action: Action = serde_json::from_slice(line)
                .map_err(|_| damaged(location, "a checkpoint holds a row that is no action"))?;
            self.take(action, sidecars, location)?;
        }
        Ok(())
    }

    fn take(
        &mut self,
        action: Action,
        sidecars: &mut Vec<String>,
        location: &str,
    ) -> Result<(), Error> {
        let Action { add, remove, meta_data, protocol, sidecar } = action;
        let id = |vector: &Option<DeletionVector>| {
            vector.as_ref().map(DeletionVector::id).unwrap_or_default()
        };
        if let Some(add) = add
            && self.seen.insert((add.path.clone(), id(&add.deletion_vector)))
        {
            self.adds.push(add);
            if self.adds.len() > INPUTS_MAX {
                let message = format!("the Delta table has more than {INPUTS_MAX} files");
                return Err(Error::new(Kind::Resources, "too_many_inputs", message)
                    .in_file(location)
                    .with_hint("Compact it (`OPTIMIZE`)."));
            }
        }
        if let Some(remove) = remove {
            self.seen.insert((remove.path, id(&remove.deletion_vector)));
        }
        sidecars.extend(sidecar.map(|sidecar| sidecar.path));
        self.metadata = self.metadata.take().or(meta_data);
        self.protocol = self.protocol.take().or(protocol);
        Ok(())
    }

    fn finish(self, location: &str, version: u64) -> Result<State, Error> {
        let (Some(protocol), Some(metadata)) = (self.protocol, self.metadata) else {
            return Err(damaged(location, "its log does not say what the table is"));
        };
        check(&protocol, location)?;
        let mode = metadata.configuration.get("delta.columnMapping.mode").cloned().flatten();
        let mapping = match mode.as_deref() {
            // A mode that the protocol does not allow yet means nothing.
            _ if protocol.min_reader_version < 2 => Mapping::None,
            None | Some("none") => Mapping::None,
            Some("name") => Mapping::Name,
            Some("id") => Mapping::Id,
            Some(_) => return Err(unsupported(location, "columnMapping")),
        };
        Ok(State { version, metadata, mapping, adds: self.adds, bytes: self.bytes })
    }
}

fn check(protocol: &Protocol, location: &str) -> Result<(), Error> {
    if protocol.min_reader_version > READER_VERSION_MAX {
        let message = format!(
            "the Delta table needs readers of version {}, Segue is one of version {READER_VERSION_MAX}",
            protocol.min_reader_version
        );
        return Err(Error::new(Kind::Invalid, "unsupported_table", message)
            .in_file(location)
            .with_hint("Read a copy that was written for older readers."));
    }
    let features = protocol.reader_features.iter().flatten();
    let unknown: BTreeSet<&String> =
        features.filter(|feature| !READER_FEATURES.contains(&feature.as_str())).collect();
    match unknown.first() {
        Some(feature) => Err(unsupported(location, feature)),
        None => Ok(()),
    }
}

/// Reads a file of the log; blocks.
fn read(store: &Store, input: &Arc<Input>) -> Result<bytes::Bytes, Error> {
    if input.size > COMMIT_BYTES_MAX {
        let message = format!("the file of the log is larger than {COMMIT_BYTES_MAX} bytes");
        return Err(Error::new(Kind::Resources, "too_large", message).in_file(&input.location));
    }
    let source = Source::open(store, input)?;
    source.read(0, usize::try_from(input.size).unwrap_or(usize::MAX))
}

/// The columns of a checkpoint that matter to a reader.
fn needed() -> BTreeSet<Steps> {
    let paths = [
        "add.path",
        "add.partitionValues",
        "add.deletionVector",
        "remove.path",
        "remove.deletionVector",
        "metaData.schemaString",
        "metaData.partitionColumns",
        "metaData.configuration",
        "protocol",
        "sidecar.path",
    ];
    let steps = |path: &str| path.split('.').map(|name| Step::Field(name.to_owned())).collect();
    paths.iter().map(|path| Steps(steps(path))).collect()
}
