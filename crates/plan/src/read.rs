//! Reading a project file: text in, project and problems out.

use std::collections::HashMap;

use crate::config;
use crate::diagnostic::{Diagnostic, Severity, Span};
use crate::interpolate::{Outside, SecretProblem, interpolate};
use crate::nearest::nearest;
use crate::pql::SegmentName;
use crate::project::{Project, Segment};
use crate::resolve::{self, SECRET_KEYS};
use crate::stored::{self, Part, Stored};
use crate::structure;
use crate::tree::{self, Content, Node};

pub use crate::resolve::{PROFILE_DATASETS_MAX, RULE_BYTES_MAX};
pub use crate::tree::TEXT_BYTES_MAX;

/// The most problems that are reported of one file.
pub const DIAGNOSTICS_MAX: usize = 1_000;

/// What came of reading a project file.
#[derive(Debug)]
pub struct Reading {
    /// The project, if there is no error among the problems.
    pub project: Option<Project>,
    /// What could be understood otherwise.
    pub draft: Option<Draft>,
    /// The segments whose own rules are sound, whatever else is wrong.
    pub segments: Vec<Segment>,
    /// All segments by the names that rules may use.
    pub segment_names: Vec<SegmentName>,
    /// All problems, in the order of the file.
    pub diagnostics: Vec<Diagnostic>,
    /// Where the text holds secrets in the clear; see [`Reading::masked`].
    pub secrets: Vec<Span>,
    /// What was read: the file, and the stored objects behind it.
    pub text: String,
    /// Where each stored object stands in it.
    pub parts: Vec<Part>,
}

/// What can be understood of a project file with errors: enough to tell what else is wrong with it.
/// Nothing may run from it.
#[derive(Debug)]
pub struct Draft {
    /// Without what could not be resolved; an activation may lack its destination and its segments.
    pub project: Project,
    /// Whether the datasets are as they are meant, so that fields can be looked up in them.
    pub has_its_data: bool,
}

/// Reads the text of a project file.
///
/// `variables` gives the values for `${NAME}`; `files` gives the text of a file that the project
/// names (a rule, a key) by its path as written, or why it cannot be read (a lower-case fragment).
/// Never panics, whatever the text is.
pub fn read(
    text: &str,
    variables: &dyn Fn(&str) -> Option<String>,
    files: &dyn Fn(&str) -> Result<String, String>,
) -> Reading {
    let secrets = |_: &str| {
        let message = "cannot be had here: no store of secrets is open".to_owned();
        Err(SecretProblem { message, hint: "Use a variable.".to_owned() })
    };
    read_with(text, Outside { variables, files, secrets: &secrets })
}

/// The same, with a store of secrets.
pub fn read_with(text: &str, outside: Outside<'_>) -> Reading {
    read_with_stored(text, &[], outside)
}

/// The same, with objects that are kept elsewhere and belong to the project as those of the file do.
pub fn read_with_stored(text: &str, stored: &[Stored<'_>], outside: Outside<'_>) -> Reading {
    let (root, mut diagnostics) = tree::parse(text);
    let Some(mut root) = root else {
        let secrets = secrets_by_line(text);
        let (text, parts) = (text.to_owned(), Vec::new());
        let (segments, segment_names) = (Vec::new(), Vec::new());
        let (project, draft) = (None, None);
        return Reading {
            project,
            draft,
            segments,
            segment_names,
            diagnostics,
            secrets,
            text,
            parts,
        };
    };
    let (text, parts) = stored::graft(text, &mut root, stored, &mut diagnostics);
    interpolate(&mut root, outside, &mut diagnostics);
    let mut secrets = Vec::new();
    find_secrets(&root, &mut HashMap::new(), &mut secrets);
    let value = structure::check(&root, config::json_schema(), &mut diagnostics);
    let resolved = match serde_json::from_value::<config::Project>(value) {
        Ok(file) => Some(resolve::resolve(&file, &root, outside.files, &mut diagnostics)),
        Err(error) => {
            diagnostics.extend(undecoded(&diagnostics, &error));
            None
        }
    };
    let (segments, segment_names) = match &resolved {
        Some(it) => (it.project.segments.clone(), it.segment_names.clone()),
        None => (Vec::new(), Vec::new()),
    };
    let (project, draft) = match resolved {
        Some(resolved) if resolve::has_error(&diagnostics) => {
            let has_its_data = has_its_data(&root, &resolved.project, &diagnostics);
            let mut project = resolved.project;
            project.activations.extend(resolved.incomplete);
            (None, Some(Draft { project, has_its_data }))
        }
        Some(resolved) => (Some(resolved.project), None),
        None => (None, None),
    };
    arrange(&mut diagnostics);
    Reading { project, draft, segments, segment_names, diagnostics, secrets, text, parts }
}

/// Whether nothing is wrong with the datasets and with what makes profiles of them.
fn has_its_data(root: &Node, project: &Project, diagnostics: &[Diagnostic]) -> bool {
    let sections = ["datasets", "profiles"].into_iter().filter_map(|key| root.entry(key));
    let is_inside = |span: Span| {
        sections.clone().any(|it| (it.key_span.start..=it.value.span.end).contains(&span.start))
    };
    let mut errors = diagnostics.iter().filter(|it| it.severity == Severity::Error);
    !project.datasets.is_empty() && !errors.any(|error| error.span.is_some_and(is_inside))
}

impl Reading {
    /// Returns the text with secrets as asterisks, for excerpts in messages. All bytes keep their
    /// places.
    pub fn masked(&self) -> String {
        if self.secrets.is_empty() {
            return self.text.clone();
        }
        let is_secret = |offset: usize| {
            self.secrets.iter().any(|span| (span.start..span.end).contains(&offset))
        };
        let mask = |(offset, c): (usize, char)| match c {
            '\n' | '\r' => c.to_string(),
            _ if is_secret(offset) => "*".repeat(c.len_utf8()),
            _ => c.to_string(),
        };
        self.text.char_indices().map(mask).collect()
    }
}

/// The structure check lets nothing through that cannot be decoded, unless it found the root
/// itself wrong; then it has said so.
fn undecoded(found: &[Diagnostic], error: &serde_json::Error) -> Option<Diagnostic> {
    if resolve::has_error(found) {
        return None;
    }
    let start = Span { start: 0, end: 0, line: 1, column: 1 };
    Some(Diagnostic::error("wrong_type", start, format!("the file cannot be decoded: {error}")))
}

/// In the order of the file, each problem once: an alias repeats the problems of its anchor.
fn arrange(diagnostics: &mut Vec<Diagnostic>) {
    diagnostics.sort_by_key(|diagnostic| diagnostic.span.map(|span| span.start));
    diagnostics.dedup();
    if diagnostics.len() > DIAGNOSTICS_MAX {
        let more = diagnostics.len() - DIAGNOSTICS_MAX;
        diagnostics.truncate(DIAGNOSTICS_MAX);
        let place = diagnostics.last().and_then(|last| last.span);
        let message = format!("there are {more} problems more");
        diagnostics
            .extend(place.map(|place| Diagnostic::error("too_many_problems", place, message)));
    }
}

/// Finds the values of secret keys, misspelt ones too, that are not just a variable, addresses with
/// a user, and private keys.
/// The same few keys stand in every object of a section: `known` says of each whether it is one.
fn find_secrets<'a>(node: &'a Node, known: &mut HashMap<&'a str, bool>, secrets: &mut Vec<Span>) {
    node.items().iter().for_each(|item| find_secrets(item, known, secrets));
    for entry in node.entries() {
        let text = entry.value.scalar().map_or("", |scalar| &scalar.text);
        let is_key = || nearest(&entry.key, SECRET_KEYS).is_some();
        let is_secret = *known.entry(&entry.key).or_insert_with(is_key)
            || (text.contains("://") && text.contains('@'))
            || text.contains("PRIVATE KEY BLOCK");
        let from_variable = entry.value.scalar().is_some_and(|scalar| scalar.origin.is_elsewhere());
        if is_secret && !from_variable && !entry.value.is_null() {
            secrets.push(entry.value.span);
        }
        if !matches!(entry.value.content, Content::Scalar(_)) {
            find_secrets(&entry.value, known, secrets);
        }
    }
}

/// What a text that is no YAML may hold of secrets: the rest of each line that names one.
fn secrets_by_line(text: &str) -> Vec<Span> {
    let mut secrets = Vec::new();
    let mut start = 0;
    for line in text.split_inclusive('\n') {
        let lower = line.to_ascii_lowercase();
        let named = SECRET_KEYS.iter().filter_map(|key| Some(lower.find(key)? + key.len())).min();
        let value = named.and_then(|behind| Some(behind + line[behind..].find(':')? + 1));
        if let Some(value) = value
            && !line[value..].trim_start_matches([' ', '"', '\'']).starts_with("${")
        {
            secrets.push(Span::of(text, start + value..start + line.len()));
        }
        start += line.len();
    }
    secrets
}

#[cfg(test)]
mod tests;
