//! What is half made: flows without a segment or an attribute, and mapping sets that no flow has taken
//! up. They are notes beside the stored objects, and go when a flow is whole.

use ledger::{Definition, Definitions};
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::Id;
use super::flow::FlowBody;
use crate::app::objects::{NOTES, Note};
use crate::http::problem::{Code, Problem};

/// The section of notes that are flows.
pub(super) const FLOWS: &str = "note/flow";
/// The section of notes that are mapping sets.
pub(super) const MAPPING_SETS: &str = "note/mapping-set";

/// The note of a kind with an id.
pub(super) fn find<'a>(kept: &'a Definitions, section: &str, id: Id) -> Option<&'a Definition> {
    debug_assert!(section.starts_with(NOTES), "notes are told apart by their section");
    all(kept, section).find(|it| it.key == id.to_string())
}

/// All notes of a kind.
pub(super) fn all<'a>(
    kept: &'a Definitions,
    section: &str,
) -> impl Iterator<Item = &'a Definition> {
    kept.items.iter().filter(move |it| it.section == section)
}

/// A change of a note.
pub(super) fn note(
    section: &'static str,
    id: Id,
    value: Option<&Value>,
    seen: Option<u64>,
) -> Note {
    Note { section, key: id.to_string(), text: value.map(Value::to_string), seen }
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
