//! The manifest: the object that lists the files of a run and is published after them, so that
//! whoever sees it can rely on every file that it names.
//!
//! `flowRunId`, `scheduledTime` and `exportResults[].sinkPath|name|size` are the fields of Adobe's
//! manifest; the others are ours. The same facts give the same bytes.

use std::collections::BTreeMap;

use plan::file_format::{Encoding, FormulaGuard, LineEnd, Quoting};
use plan::staged::{ObjectKind, StagedObject};
use plan::{FileFormat, Output, RunPlan};
use serde::Serialize;

use crate::part::PART_BYTES_DEFAULT;
use crate::upload::{Identity, Intent};

/// The version of the manifest's own fields; it grows when one changes its meaning.
pub const VERSION: u32 = 1;
/// The object number of every manifest: data files count from 1.
pub const NUMBER: u32 = 0;

/// What a manifest tells beside the run's plan.
#[derive(Debug, Clone, Copy)]
pub struct Facts<'a> {
    /// The data files, staged.
    pub files: &'a [StagedObject],
    /// The inputs that the run read.
    pub snapshot: &'a [Input],
    /// What became of the members.
    pub counts: &'a Counts,
    /// Keys of an earlier, larger set of the same static name that this run does not replace.
    pub stale: &'a [String],
}

/// One input of the pinned snapshot, in the words of whoever pinned it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Input {
    /// The file or object.
    pub location: String,
    /// Its size.
    pub bytes: u64,
    /// Its ETag, or its time of modification.
    pub version: String,
}

/// What became of the members of the segment.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Counts {
    /// Members.
    pub received: u64,
    /// Members that were left out, by reason.
    pub excluded: BTreeMap<String, u64>,
    /// Rows that were written.
    pub activated: u64,
    /// How the set moved, in an incremental run.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub movement: Option<Movement>,
}

/// What an increment is made of.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Movement {
    /// Rows that a full file would have: what the receiver has after this one.
    pub members: u64,
    /// Rows for those who are new.
    pub added: u64,
    /// Rows for those whose attributes changed.
    pub changed: u64,
    /// Rows for those who left.
    pub removed: u64,
    /// The run that this increment follows; nothing for a first, full file.
    pub compared_with: Option<String>,
}

/// Returns the intent of a run's manifest, if one is asked for.
pub fn intent(output: &Output, identity: &Identity) -> Option<Intent> {
    Some(Intent {
        kind: ObjectKind::Manifest,
        number: NUMBER,
        key: output.manifest_key.clone()?,
        token: identity.token(NUMBER),
        content_type: "application/json".to_owned(),
        part_bytes: PART_BYTES_DEFAULT,
    })
}

/// Writes the manifest of a run: indented JSON with a line end behind it.
pub fn write(run: &RunPlan, facts: &Facts<'_>) -> Vec<u8> {
    let manifest = Manifest::new(run, facts);
    let mut text =
        serde_json::to_vec_pretty(&manifest).expect("strings, numbers and maps of them are JSON");
    text.push(b'\n');
    text
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Manifest<'a> {
    flow_run_id: String,
    scheduled_time: String,
    export_results: Vec<File<'a>>,
    version: u32,
    activation: &'a str,
    segment: Named<'a>,
    destination: Keyed<'a>,
    export: &'static str,
    counts: &'a Counts,
    columns: Vec<&'a str>,
    format: Format<'a>,
    snapshot: &'a [Input],
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    stale: &'a [String],
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct File<'a> {
    sink_path: String,
    name: &'a str,
    size: u64,
    rows: u64,
    #[serde(skip_serializing_if = "is_zero")]
    replaced: u64,
    sha256: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    crc64nvme: Option<&'a str>,
}

#[derive(Serialize)]
struct Named<'a> {
    key: &'a str,
    id: String,
    name: &'a str,
}

#[derive(Serialize)]
struct Keyed<'a> {
    key: &'a str,
    id: String,
}

/// The settings in the words of the project file, as far as the layout has them.
#[derive(Serialize)]
struct Format<'a> {
    format: &'static str,
    #[serde(flatten)]
    cells: Option<Cells<'a>>,
    compression: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    formula_guard: Option<&'static str>,
}

/// How text between delimiters is written.
#[derive(Serialize)]
struct Cells<'a> {
    delimiter: char,
    header: bool,
    quote: char,
    quoting: &'static str,
    escape: char,
    null: &'a str,
    empty: &'a str,
    line_end: &'static str,
    encoding: &'static str,
}

impl<'a> Manifest<'a> {
    fn new(run: &'a RunPlan, facts: &Facts<'a>) -> Self {
        Self {
            flow_run_id: run.run_id.to_string(),
            scheduled_time: run.slot.to_string(),
            export_results: facts.files.iter().map(File::new).collect(),
            version: VERSION,
            activation: &run.activation,
            segment: Named {
                key: &run.segment,
                id: run.segment_id.to_string(),
                name: &run.segment_name,
            },
            destination: Keyed { key: &run.destination, id: run.destination_id.to_string() },
            export: run.export.as_str(),
            counts: facts.counts,
            columns: run.query.columns.iter().map(|column| column.header.as_str()).collect(),
            format: Format::new(&run.output.file),
            snapshot: facts.snapshot,
            stale: facts.stale,
        }
    }
}

impl<'a> File<'a> {
    fn new(file: &'a StagedObject) -> Self {
        let name = Output::name_of(&file.key);
        let folder = file.key.strip_suffix(name).unwrap_or_default().trim_end_matches('/');
        Self {
            sink_path: format!("/{folder}"),
            name,
            size: file.bytes,
            rows: file.rows,
            replaced: file.replaced,
            sha256: &file.sha256,
            crc64nvme: file.crc64nvme.as_deref(),
        }
    }
}

impl<'a> Format<'a> {
    fn new(file: &'a FileFormat) -> Self {
        let is_delimited = file.layout.is_delimited();
        Self {
            format: file.layout.as_str(),
            cells: is_delimited.then(|| Cells::new(file)),
            compression: file.compression.as_str(),
            formula_guard: is_delimited.then_some(match file.dialect.formula_guard {
                FormulaGuard::Off => "off",
                FormulaGuard::Prefix => "prefix",
                FormulaGuard::Reject => "reject",
            }),
        }
    }
}

impl<'a> Cells<'a> {
    fn new(file: &'a FileFormat) -> Self {
        let dialect = &file.dialect;
        Self {
            delimiter: dialect.delimiter.into(),
            header: dialect.header,
            quote: dialect.quote.into(),
            quoting: match dialect.quoting {
                Quoting::Minimal => "minimal",
                Quoting::All => "all",
                Quoting::None => "none",
            },
            escape: dialect.escape.into(),
            null: &dialect.null,
            empty: &dialect.empty,
            line_end: match dialect.line_end {
                LineEnd::Lf => "lf",
                LineEnd::Crlf => "crlf",
            },
            encoding: encoding(file.encoding),
        }
    }
}

/// Nothing is said of characters where none was replaced.
fn is_zero(count: &u64) -> bool {
    *count == 0
}

fn encoding(encoding: Encoding) -> &'static str {
    match encoding {
        Encoding::Utf8 => "utf-8",
        Encoding::Utf8Bom => "utf-8-bom",
        Encoding::Utf16Le => "utf-16le",
        Encoding::Utf16Be => "utf-16be",
        Encoding::Iso8859_1 => "iso-8859-1",
        Encoding::Windows1252 => "windows-1252",
    }
}

#[cfg(test)]
mod tests;
