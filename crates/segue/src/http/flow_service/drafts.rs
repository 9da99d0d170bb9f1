//! What is half made: flows without a segment or an attribute, and mapping sets that no flow has taken
//! up. They are notes beside the stored objects, and go when a flow is whole.

use ledger::{Definition, Definitions};
use plan::Section;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::Id;
use super::flow::FlowBody;
use crate::app::objects::{NOTES, Note};
use crate::http::problem::{Code, Problem};

/// All of it is about activations.
const SECTION: Section = Section::Activations;

/// Kinds of notes: what their keys begin with, before the id.
#[derive(Debug, Clone, Copy)]
pub(super) enum Kind {
    Flow,
    MappingSet,
}

impl Kind {
    fn key(self, id: Id) -> String {
        format!("{}{id}", self.begin())
    }

    fn begin(self) -> String {
        let kind = match self {
            Self::Flow => "flow",
            Self::MappingSet => "mapping-set",
        };
        format!("{NOTES}{kind}/")
    }
}

/// The note of a kind with an id.
pub(super) fn find(kept: &Definitions, kind: Kind, id: Id) -> Option<&Definition> {
    let key = kind.key(id);
    kept.items.iter().find(|it| it.section == SECTION.as_str() && it.key == key)
}

/// All notes of a kind, with their ids.
pub(super) fn all(kept: &Definitions, kind: Kind) -> impl Iterator<Item = (Id, &Definition)> {
    let begin = kind.begin();
    kept.items.iter().filter_map(move |it| {
        let id = it.key.strip_prefix(begin.as_str())?.parse().ok()?;
        Some((id, it))
    })
}

/// A change of a note.
pub(super) fn note(kind: Kind, id: Id, value: Option<&Value>, seen: Option<u64>) -> Note {
    Note { section: SECTION, key: kind.key(id), text: value.map(Value::to_string), seen }
}

/// What a note says.
pub(super) fn read<T: DeserializeOwned>(note: &Definition) -> Result<T, Problem> {
    serde_json::from_str(&note.text).map_err(|_| {
        let detail = format!("What is kept of `{}` cannot be read.", note.key);
        Problem::new(Code::Unavailable, detail).hint("DELETE it, and make it anew.")
    })
}

/// The flow that a note is.
pub(super) fn flow(note: &Definition) -> Result<FlowBody, Problem> {
    read(note)
}
