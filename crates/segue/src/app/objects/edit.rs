//! One change of one object, and whether it may be made.

use std::collections::BTreeSet;

use ledger::Definition;
use plan::Section;
use serde_json::Value;

use super::{Name, Refused, position};

/// What is to become of one object.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Edit {
    /// There is none of this key yet.
    Add(Name, Value),
    /// The one of this revision says this from now on.
    Replace(Name, Value, Version),
    /// The one of this revision goes away.
    Remove(Name, Version),
}

/// Which version of an object an edit was made for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Version {
    /// The one with this revision.
    Of(u64),
    /// None was named.
    Unnamed,
    /// Whichever there is.
    Any,
    /// One that this server never had.
    Unknown,
}

/// Something that is kept beside objects and is none: half of one, or a list that one is to be made
/// of. It is never part of the project.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Note {
    /// The section of what it is about.
    pub(crate) section: Section,
    /// It begins with [`NOTES`].
    pub(crate) key: String,
    /// What it says from now on; nothing when it goes away.
    pub(crate) text: Option<String>,
    /// The revision that it has, if there is one.
    pub(crate) seen: Option<u64>,
}

/// What the keys of notes begin with. No key of an object does: it could not hold the slash.
pub(crate) const NOTES: &str = "note/";

impl Edit {
    pub(super) fn name(&self) -> &Name {
        match self {
            Self::Add(name, _) | Self::Replace(name, ..) | Self::Remove(name, _) => name,
        }
    }
}

/// Whether an edit may be made, before anything is read.
pub(super) fn admit(
    edit: &Edit,
    of_file: &BTreeSet<Name>,
    kept: &[Definition],
) -> Result<(), Refused> {
    let name = edit.name().clone();
    if name.1.starts_with(NOTES) {
        return Err(Refused::TooMuch(format!("No key begins with `{NOTES}`.")));
    }
    let at = position(kept, &name);
    let is_forced = matches!(edit, Edit::Remove(_, Version::Any));
    if of_file.contains(&name) && !(is_forced && at.is_some()) {
        return Err(match edit {
            Edit::Add(..) => Refused::Exists(name),
            _ => Refused::ReadOnly(name),
        });
    }
    let version = match edit {
        Edit::Add(..) => return if at.is_some() { Err(Refused::Exists(name)) } else { Ok(()) },
        Edit::Replace(_, _, version) | Edit::Remove(_, version) => *version,
    };
    let Some(at) = at else { return Err(Refused::Missing(name)) };
    match version {
        Version::Any => Ok(()),
        Version::Of(revision) if revision == kept[at].revision => Ok(()),
        Version::Unnamed => Err(Refused::VersionNeeded(name)),
        Version::Of(_) | Version::Unknown => Err(Refused::Changed(name)),
    }
}
