//! YAML text as a tree of nodes that know their place.
//!
//! The tree keeps what serde would throw away: where every key and value stands, how a scalar was
//! written, and which keys occur twice. It does not know what a project is; `structure` does.
//! JSON is YAML, so a project file may be JSON.

mod aligned;
mod build;
mod scalar;

#[cfg(test)]
mod tests;

pub(crate) use build::parse;
pub(crate) use scalar::{Origin, Resolved, Scalar, resolve_plain};

use crate::diagnostic::Span;

/// The longest project file, in bytes.
pub const TEXT_BYTES_MAX: usize = 1 << 20;
/// The deepest nesting of mappings and sequences.
pub(crate) const DEPTH_MAX: usize = 64;
/// The most nodes, those that aliases repeat included.
pub(crate) const NODES_MAX: usize = 100_000;

/// A value with its place.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Node {
    /// From the first to behind the last character, quotes included.
    pub span: Span,
    pub content: Content,
}

/// What a node holds.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Content {
    Scalar(Scalar),
    Sequence(Vec<Node>),
    Mapping(Vec<Entry>),
}

/// One key of a mapping. Keys are text as written: `null: ""` has the key `null`.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Entry {
    pub key: String,
    pub key_span: Span,
    pub value: Node,
}

impl Node {
    /// The entries of a mapping, none of anything else.
    pub(crate) fn entries(&self) -> &[Entry] {
        match &self.content {
            Content::Mapping(entries) => entries,
            Content::Scalar(_) | Content::Sequence(_) => &[],
        }
    }

    /// The items of a sequence, none of anything else.
    pub(crate) fn items(&self) -> &[Node] {
        match &self.content {
            Content::Sequence(items) => items,
            Content::Scalar(_) | Content::Mapping(_) => &[],
        }
    }

    /// The entry of a mapping under `key`.
    pub(crate) fn entry(&self, key: &str) -> Option<&Entry> {
        self.entries().iter().find(|entry| entry.key == key)
    }

    /// The value of a mapping under `key`.
    pub(crate) fn get(&self, key: &str) -> Option<&Node> {
        self.entry(key).map(|entry| &entry.value)
    }

    /// The scalar, if the node is one.
    pub(crate) fn scalar(&self) -> Option<&Scalar> {
        match &self.content {
            Content::Scalar(scalar) => Some(scalar),
            Content::Sequence(_) | Content::Mapping(_) => None,
        }
    }

    /// Whether the node is an unquoted `null`, `~` or nothing at all.
    pub(crate) fn is_null(&self) -> bool {
        self.scalar().is_some_and(|scalar| scalar.resolve() == Resolved::Null)
    }

    /// Whether nothing was written there. What could not be filled in was written.
    pub(crate) fn is_absent(&self) -> bool {
        self.is_null() && !self.scalar().is_some_and(|scalar| scalar.unfilled)
    }

    /// The place of the text itself: inside the quotes when it is written character by character.
    pub(crate) fn text_span(&self) -> Span {
        self.scalar().and_then(|scalar| scalar.verbatim).unwrap_or(self.span)
    }
}
