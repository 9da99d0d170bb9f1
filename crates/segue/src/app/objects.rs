//! Accounts, destinations, segments and activations that are kept in the ledger: made, changed and
//! removed by the checks that the project file goes through, for the API, the pages and `segue apply`
//! alike.
//!
//! The project is the file and these objects together. The file wins where both have a key, and is
//! never changed from here.
//!
//! [`edit`] is one change, [`editor`] makes changes or tells why not ([`refused`]), [`private_keys`] is
//! what never gets that far, and [`wanted`] compares what is kept with what somebody wants.

mod edit;
mod editor;
mod private_keys;
mod refused;
mod wanted;

use jiff::Timestamp;
use ledger::{Definition, Definitions};
use plan::Section;
use serde_json::Value;

pub(crate) use edit::{Edit, NOTES, Note, Version};
pub(crate) use editor::{Editor, with};
pub(crate) use private_keys::{PRIVATE_KEY, PRIVATE_KEY_HINT, refuse_private_keys};
pub(crate) use refused::{Found, Refused, errors_in};
pub(crate) use wanted::{Action, Difference, Member, Wanted, differences, edits, members};

/// An object's place among all: its section and its key.
pub(crate) type Name = (Section, String);

/// The sentence for a person.
pub(crate) fn named((section, key): &Name) -> String {
    format!("{} `{key}`", section.noun())
}

/// The definition as a value; one that is damaged is nothing.
pub(crate) fn value(definition: &Definition) -> Value {
    serde_json::from_str(&definition.text).unwrap_or_default()
}

/// What is kept as one value, in the shape of the project file.
pub(crate) fn as_file(kept: &Definitions) -> Value {
    let mut file = serde_json::Map::new();
    for section in Section::ALL {
        let of_section = kept.items.iter().filter(|it| it.section == section.as_str());
        let of_section = of_section.filter(|it| !it.key.starts_with(NOTES));
        let entries: serde_json::Map<String, Value> =
            of_section.map(|it| (it.key.clone(), value(it))).collect();
        if !entries.is_empty() {
            file.insert(section.as_str().to_owned(), entries.into());
        }
    }
    file.into()
}

fn position(kept: &[Definition], (section, key): &Name) -> Option<usize> {
    kept.iter().position(|it| it.section == section.as_str() && it.key == *key)
}

fn unsaved(section: &str, key: &str, text: &str, now: Timestamp) -> Definition {
    Definition {
        section: section.to_owned(),
        key: key.to_owned(),
        text: text.to_owned(),
        revision: 0,
        created: now,
        creator: String::new(),
        changed: now,
        changer: String::new(),
    }
}
