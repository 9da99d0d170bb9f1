//! Objects that are kept in the ledger and not in the project file: accounts, destinations, segments
//! and activations that were made over the API.
//!
//! They have the shape that the project file gives them, and are read as if they stood behind it: each
//! becomes a few lines of YAML ([`yaml`]), its tree is grafted into that of the file, and every check
//! of the file holds for it. Its places are places in one text, the file with the objects behind it;
//! [`Part`] tells them apart again.

mod reference;
mod yaml;

#[cfg(test)]
mod tests;

use serde_json::Value;

use crate::diagnostic::{Diagnostic, Span};
use crate::tree::{self, Content, Entry, Node, Resolved};

pub use yaml::to_yaml;

/// The most objects that are stored.
pub const STORED_OBJECTS_MAX: usize = 5_000;
/// The longest definition of one object, in bytes of JSON.
pub const DEFINITION_BYTES_MAX: usize = 256 << 10;

/// A section of the project file whose entries can be stored as well.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Section {
    /// Rules over profiles.
    Segments,
    /// Credentials for S3 services.
    Accounts,
    /// Where files go.
    Destinations,
    /// Which segments go where, when and with which columns.
    Activations,
}

impl Section {
    /// All of them, each before those that name its entries.
    pub const ALL: [Self; 4] =
        [Self::Segments, Self::Accounts, Self::Destinations, Self::Activations];

    /// Returns the key of the section in the project file.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Segments => "segments",
            Self::Accounts => "accounts",
            Self::Destinations => "destinations",
            Self::Activations => "activations",
        }
    }

    /// Returns the word for one entry.
    pub fn noun(self) -> &'static str {
        self.as_str().trim_end_matches('s')
    }

    /// Returns the section of a key.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|section| section.as_str() == word)
    }
}

/// An object that is kept in the ledger.
#[derive(Debug, Clone, Copy)]
pub struct Stored<'a> {
    /// Where it would stand in the project file.
    pub section: Section,
    /// Its key there.
    pub key: &'a str,
    /// What would stand under the key.
    pub definition: &'a Value,
}

/// A stored object inside the text that a project was read from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// Its section.
    pub section: Section,
    /// Its key.
    pub key: String,
    /// Its first byte in the whole text, and behind its last.
    pub range: std::ops::Range<usize>,
    /// How many lines stand before it.
    pub lines_before: u32,
}

impl Part {
    /// What a person calls it.
    pub fn label(&self) -> String {
        format!("stored {} `{}`", self.section.noun(), self.key)
    }

    /// Whether a place lies in it.
    pub fn holds(&self, span: Span) -> bool {
        self.range.contains(&span.start)
    }

    /// A place of the whole text as one in this object's own lines.
    pub fn local(&self, span: Span) -> Span {
        Span {
            start: span.start.saturating_sub(self.range.start),
            end: span.end.saturating_sub(self.range.start),
            line: span.line.saturating_sub(self.lines_before),
            column: span.column,
        }
    }

    /// Returns the JSON Pointer (RFC 6901) of a place of the whole text `text` inside the definition:
    /// `/segments/0/schedule`; empty for the definition itself.
    pub fn pointer(&self, text: &str, span: Span) -> String {
        let own = text.get(self.range.clone()).unwrap_or_default();
        let (Some(root), _) = tree::parse(own) else { return String::new() };
        let Some(object) = root.entries().first().and_then(|it| it.value.entries().first()) else {
            return String::new();
        };
        let mut pointer = String::new();
        point(&object.value, self.local(span).start, &mut pointer);
        pointer
    }
}

/// Walks to the deepest value that holds `offset`, or whose key does.
fn point(node: &Node, offset: usize, pointer: &mut String) {
    // What is missing at the end of a value is in it.
    let holds = |span: Span| (span.start..=span.end).contains(&offset);
    match &node.content {
        Content::Scalar(_) => {}
        Content::Sequence(items) => {
            let found = items.iter().enumerate().find(|(_, item)| holds(item.span));
            if let Some((index, item)) = found {
                pointer.push_str(&format!("/{index}"));
                point(item, offset, pointer);
            }
        }
        Content::Mapping(entries) => {
            let found = entries.iter().find(|it| holds(it.key_span) || holds(it.value.span));
            if let Some(entry) = found {
                pointer.push('/');
                pointer.push_str(&entry.key.replace('~', "~0").replace('/', "~1"));
                point(&entry.value, offset, pointer);
            }
        }
    }
}

/// The lines of one object as they would stand in the project file.
pub fn lines_of(stored: &Stored<'_>) -> String {
    let of_key =
        Value::Object([(stored.key.to_owned(), stored.definition.clone())].into_iter().collect());
    let whole = Value::Object([(stored.section.as_str().to_owned(), of_key)].into_iter().collect());
    to_yaml(&whole)
}

/// Returns the keys of the objects that stand in the text of a project file, as far as it can be read.
pub fn keys_in(text: &str) -> Vec<(Section, String)> {
    let (root, _) = tree::parse(text);
    let Some(root) = root else { return Vec::new() };
    let keys = |section: Section| {
        let entries = root.get(section.as_str()).map_or(&[][..], Node::entries);
        entries.iter().map(move |entry| (section, entry.key.clone())).collect::<Vec<_>>()
    };
    Section::ALL.into_iter().flat_map(keys).collect()
}

/// Objects that somebody wrote down, as values.
#[derive(Debug, Default, PartialEq)]
pub struct Written {
    /// Each object with its definition.
    pub objects: Vec<((Section, String), Value)>,
    /// Keys of other sections that stand beside them.
    pub others: Vec<String>,
}

/// Reads the objects of a text in the shape of a project file, as they are written: nothing is filled
/// in, and no more than the shape is checked.
///
/// # Errors
/// The text is no YAML, or a section is no mapping.
pub fn objects_in(text: &str) -> Result<Written, Vec<Diagnostic>> {
    let (root, mut problems) = tree::parse(text);
    let mut written = Written::default();
    for entry in root.iter().flat_map(Node::entries) {
        let Some(section) = Section::parse(&entry.key) else {
            written.others.push(entry.key.clone());
            continue;
        };
        if !entry.value.is_null() && !matches!(entry.value.content, Content::Mapping(_)) {
            let message = format!("expected a mapping under `{}`", entry.key);
            problems.push(Diagnostic::error("wrong_type", entry.value.span, message));
        }
        let objects = entry.value.entries().iter();
        written
            .objects
            .extend(objects.map(|object| ((section, object.key.clone()), value_of(&object.value))));
    }
    if crate::resolve::has_error(&problems) { Err(problems) } else { Ok(written) }
}

/// A tree as a value. A number that JSON does not have is text, and is told so where it is checked.
fn value_of(node: &Node) -> Value {
    match &node.content {
        Content::Sequence(items) => items.iter().map(value_of).collect(),
        Content::Mapping(entries) => {
            entries.iter().map(|it| (it.key.clone(), value_of(&it.value))).collect()
        }
        Content::Scalar(scalar) => match scalar.resolve() {
            Resolved::Null => Value::Null,
            Resolved::Boolean(value) => value.into(),
            Resolved::Integer(value) => serde_json::Number::from_i128(value)
                .map_or_else(|| scalar.text.as_str().into(), Value::Number),
            Resolved::Float(value) => serde_json::Number::from_f64(value)
                .map_or_else(|| scalar.text.as_str().into(), Value::Number),
            Resolved::Text(text) => text.into(),
        },
    }
}

/// Grafts stored objects into the tree of the project file. Returns the whole text and where each of
/// them stands in it. One whose key is in the file is left out: the file is what holds.
pub(crate) fn graft(
    text: &str,
    root: &mut Node,
    stored: &[Stored<'_>],
    out: &mut Vec<Diagnostic>,
) -> (String, Vec<Part>) {
    let mut whole = text.to_owned();
    let mut parts = Vec::new();
    if !matches!(root.content, Content::Mapping(_)) {
        return (whole, parts);
    }
    for object in stored {
        let in_file = root.get(object.section.as_str()).and_then(|it| it.entry(object.key));
        if let Some(entry) = in_file {
            if entry.key_span.end <= text.len() {
                out.push(hidden(object, entry.key_span));
            }
            continue;
        }
        if !whole.is_empty() && !whole.ends_with('\n') {
            whole.push('\n');
        }
        let own = lines_of(object);
        let start = whole.len();
        let lines_before = u32::try_from(whole.matches('\n').count()).unwrap_or(u32::MAX);
        let part = Part {
            section: object.section,
            key: object.key.to_owned(),
            range: start..start + own.len(),
            lines_before,
        };
        let (parsed, problems) = tree::parse(&own);
        out.extend(problems.into_iter().map(|problem| Diagnostic {
            span: problem.span.map(|span| moved(span, &part)),
            ..problem
        }));
        whole.push_str(&own);
        if let Some(mut parsed) = parsed {
            move_node(&mut parsed, &part);
            reference::check(&mut parsed, out);
            insert(root, parsed);
        }
        parts.push(part);
    }
    (whole, parts)
}

/// The file says something else of the same name, and is what holds.
fn hidden(object: &Stored<'_>, place: Span) -> Diagnostic {
    let noun = object.section.noun();
    let message =
        format!("the stored {noun} `{}` is not used: the file has one of this key", object.key);
    Diagnostic::warning("hidden_object", place, message)
        .with_hint("Remove the stored one with `segue apply --prune`, or rename this one.")
}

/// Puts the one section of `parsed` into that of the file.
fn insert(root: &mut Node, parsed: Node) {
    let Content::Mapping(sections) = &mut root.content else { return };
    let Content::Mapping(mut own) = parsed.content else { return };
    let Some(own) = own.pop() else { return };
    let Some(section) = sections.iter_mut().find(|section| section.key == own.key) else {
        sections.push(own);
        return;
    };
    if section.value.is_null() {
        section.value = own.value;
        return;
    }
    // A section that is no mapping is told where the file's structure is checked.
    if let (Content::Mapping(entries), Content::Mapping(added)) =
        (&mut section.value.content, own.value.content)
    {
        entries.extend(added);
    }
}

fn moved(span: Span, part: &Part) -> Span {
    Span {
        start: span.start + part.range.start,
        end: span.end + part.range.start,
        line: span.line.saturating_add(part.lines_before),
        column: span.column,
    }
}

/// Moves the places of a tree that was read alone to where its text stands in the whole.
fn move_node(node: &mut Node, part: &Part) {
    node.span = moved(node.span, part);
    match &mut node.content {
        Content::Scalar(scalar) => {
            scalar.verbatim = scalar.verbatim.map(|span| moved(span, part));
            for line in &mut scalar.lines {
                line.start += part.range.start;
                line.line = line.line.saturating_add(part.lines_before);
            }
        }
        Content::Sequence(items) => items.iter_mut().for_each(|item| move_node(item, part)),
        Content::Mapping(entries) => entries.iter_mut().for_each(|entry: &mut Entry| {
            entry.key_span = moved(entry.key_span, part);
            move_node(&mut entry.value, part);
        }),
    }
}
