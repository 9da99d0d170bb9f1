//! Reading a project file: text in, project and problems out.

use crate::config;
use crate::diagnostic::{Diagnostic, Span};
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
        let project = None;
        return Reading { project, segments, segment_names, diagnostics, secrets, text, parts };
    };
    let (text, parts) = stored::graft(text, &mut root, stored, &mut diagnostics);
    interpolate(&mut root, outside, &mut diagnostics);
    let mut secrets = Vec::new();
    find_secrets(&root, &mut secrets);
    let value = structure::check(&root, &config::json_schema(), &mut diagnostics);
    let mut segment_names = Vec::new();
    let project = match serde_json::from_value::<config::Project>(value) {
        Ok(file) => {
            let (project, names) = resolve::resolve(&file, &root, outside.files, &mut diagnostics);
            segment_names = names;
            Some(project)
        }
        Err(error) => {
            diagnostics.extend(undecoded(&diagnostics, &error));
            None
        }
    };
    let segments = project.as_ref().map(|it| it.segments.clone()).unwrap_or_default();
    let project = project.filter(|_| !resolve::has_error(&diagnostics));
    arrange(&mut diagnostics);
    Reading { project, segments, segment_names, diagnostics, secrets, text, parts }
}

impl Reading {
    /// Returns the text with secrets as asterisks, for excerpts in messages. All bytes keep their
    /// places.
    pub fn masked(&self) -> String {
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
fn find_secrets(node: &Node, secrets: &mut Vec<Span>) {
    node.items().iter().for_each(|item| find_secrets(item, secrets));
    for entry in node.entries() {
        let text = entry.value.scalar().map_or("", |scalar| &scalar.text);
        let is_secret = nearest(&entry.key, SECRET_KEYS).is_some()
            || (text.contains("://") && text.contains('@'))
            || text.contains("PRIVATE KEY BLOCK");
        let from_variable = entry.value.scalar().is_some_and(|scalar| scalar.origin.is_elsewhere());
        if is_secret && !from_variable && !entry.value.is_null() {
            secrets.push(entry.value.span);
        }
        if !matches!(entry.value.content, Content::Scalar(_)) {
            find_secrets(&entry.value, secrets);
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
