//! Makes edits: each is looked at as the project would be with it, and then made or not.

use std::collections::BTreeSet;

use jiff::Timestamp;
use ledger::{DefinitionChange, Definitions, Ledger};
use plan::Section;
use plan::project::Destination;
use plan::stored::{DEFINITION_BYTES_MAX, STORED_OBJECTS_MAX};
use plan::usage;
use serde_json::Value;
use tokio::sync::Mutex;

use super::edit::{Edit, Note, admit};
use super::refused::{Found, Refused, Texts};
use super::{Name, named, position, refuse_private_keys, unsaved};
use crate::ambient;
use crate::cli::Global;
use crate::encryption;
use crate::failure::{Failure, Kind};
use crate::outbox;
use crate::sources::Sources;
use crate::workspace::{File, Read, Workspace};

/// Makes edits, one after the other.
pub(crate) struct Editor<'a> {
    pub(crate) global: &'a Global,
    pub(crate) ledger: &'a Ledger,
    /// Held while an edit is looked at and made.
    pub(crate) turn: &'a Mutex<()>,
}

impl Editor<'_> {
    /// Makes edits, all of them or none, and returns what is kept then.
    ///
    /// # Errors
    /// Why nothing was changed.
    pub(crate) async fn edit(
        &self,
        edits: &[Edit],
        actor: &str,
        now: Timestamp,
    ) -> Result<Definitions, Refused> {
        self.edit_with(edits, &[], actor, now).await
    }

    /// The same, with notes that are changed together with the objects.
    ///
    /// # Errors
    /// Why nothing was changed.
    pub(crate) async fn edit_with(
        &self,
        edits: &[Edit],
        notes: &[Note],
        actor: &str,
        now: Timestamp,
    ) -> Result<Definitions, Refused> {
        refuse_private_keys(edits.iter().filter_map(|edit| match edit {
            Edit::Add(name, definition) | Edit::Replace(name, definition, _) => {
                Some((name, definition))
            }
            Edit::Remove(..) => None,
        }))?;
        let _turn = self.turn.lock().await;
        let file = File::read(self.global)?;
        let of_file: BTreeSet<Name> = file.keys().into_iter().collect();
        let kept = self.ledger.definitions().await?;
        let mut next = kept.clone();
        let mut changes = Vec::new();
        for edit in edits {
            admit(edit, &of_file, &next.items)?;
            let (section, key) = edit.name();
            let at = position(&next.items, edit.name());
            let (section, key) = (section.as_str().to_owned(), key.clone());
            match edit {
                Edit::Add(_, definition) | Edit::Replace(_, definition, _) => {
                    let text = definition.to_string();
                    if text.len() > DEFINITION_BYTES_MAX {
                        return Err(too_long());
                    }
                    match at {
                        Some(at) => next.items[at].text.clone_from(&text),
                        None => next.items.push(unsaved(&section, &key, &text, now)),
                    }
                    changes.push(DefinitionChange::Put { section, key, text });
                }
                Edit::Remove(..) => {
                    next.items.remove(at.unwrap_or_default());
                    changes.push(DefinitionChange::Remove { section, key });
                }
            }
        }
        for note in notes {
            changes.push(noted(note, &mut next, now)?);
        }
        if next.items.len() > STORED_OBJECTS_MAX {
            let message = format!("At most {STORED_OBJECTS_MAX} objects are stored.");
            return Err(Refused::TooMuch(message));
        }
        if changes.is_empty() {
            return Ok(kept);
        }
        let names: Vec<&Name> = edits.iter().map(Edit::name).collect();
        if !edits.is_empty() {
            self.check(file, &next, &names).await.map_err(|refused| in_use(refused, edits))?;
        }
        let defined = self.ledger.define(&changes, kept.revision, actor, now).await?;
        if defined.is_none() {
            let name = edits.first().map(|edit| edit.name().clone());
            return Err(name.map_or_else(
                || Failure::new(Kind::Internal, "definitions changed in between").into(),
                Refused::Changed,
            ));
        }
        Ok(self.ledger.definitions().await?)
    }

    /// Reads the project as it would be with some objects, which are kept nowhere.
    ///
    /// # Errors
    /// The project file has one of them, or they do not fit.
    pub(crate) async fn trial(&self, objects: &[(Name, Value)]) -> Result<Workspace, Refused> {
        refuse_private_keys(objects.iter().map(|(name, definition)| (name, definition)))?;
        let file = File::read(self.global)?;
        let of_file = file.keys();
        let mut next = self.ledger.definitions().await?;
        for (name, definition) in objects {
            if of_file.contains(name) {
                return Err(Refused::Exists(name.clone()));
            }
            let text = definition.to_string();
            if text.len() > DEFINITION_BYTES_MAX {
                return Err(too_long());
            }
            match position(&next.items, name) {
                Some(at) => next.items[at].text = text,
                None => {
                    let (section, key) = (name.0.as_str(), name.1.as_str());
                    next.items.push(unsaved(section, key, &text, ambient::now()));
                }
            }
        }
        let names: Vec<&Name> = objects.iter().map(|(name, _)| name).collect();
        self.check(file, &next, &names).await
    }

    /// Checks the project as it would be: first as a text, then against its data, as `segue validate`
    /// does. What is wrong with the data alone does not stand in the way of an edit.
    async fn check(
        &self,
        file: File,
        next: &Definitions,
        edited: &[&Name],
    ) -> Result<Workspace, Refused> {
        let read = file.understand(&next.items, &ambient::variable)?;
        let Read { reading, source, .. } = &read;
        let texts = Texts { shown: source.clone(), whole: reading.text.clone() };
        let errors = texts.errors(&reading.diagnostics);
        if !errors.is_empty() {
            return Err(Refused::Invalid(errors));
        }
        let candidate = file.workspace(read, next.clone())?;
        refuse_outside(&texts, &candidate, edited)?;
        let keys = encryption::check(&candidate.project, ambient::now());
        let of_keys = keys.clone();
        let global = self.global.clone();
        let handle = tokio::runtime::Handle::current();
        let looked = tokio::task::spawn_blocking(move || {
            handle.block_on(async {
                let found = Box::pin(Sources::problems(&candidate, &global, keys)).await;
                (candidate, found)
            })
        });
        let (candidate, found) = looked.await.map_err(|_| {
            Failure::new(Kind::Internal, "the project could not be checked against its data")
        })?;
        let found = found.unwrap_or_else(|failure| {
            tracing::warn!(
                failure = failure.one_line(),
                "an edit could not be checked against the data"
            );
            of_keys
        });
        let errors = texts.errors(&found).into_iter();
        let errors: Vec<Found> = errors.filter(|it| is_edited(it, edited)).collect();
        if errors.is_empty() { Ok(candidate) } else { Err(Refused::Invalid(errors)) }
    }
}

/// What is wrong with a project without an object is that others name it.
fn in_use(refused: Refused, edits: &[Edit]) -> Refused {
    let [Edit::Remove(name, _)] = edits else { return refused };
    let Refused::Invalid(found) = refused else { return refused };
    let missing = format!("unknown_{}", name.0.noun());
    let mut users: Vec<String> = found
        .iter()
        .filter(|it| it.code == missing && it.message.contains(&format!("`{}`", name.1)))
        .map(|it| match &it.object {
            Some(object) => format!("the {}", named(object)),
            None => it.place.clone(),
        })
        .collect();
    if users.len() < found.len() {
        return Refused::Invalid(found);
    }
    users.dedup();
    Refused::InUse(name.clone(), users)
}

/// What is to become of a note, with the same done to `next`.
fn noted(note: &Note, next: &mut Definitions, now: Timestamp) -> Result<DefinitionChange, Refused> {
    let (section, key) = (note.section.as_str().to_owned(), note.key.clone());
    let at = next.items.iter().position(|it| it.section == section && it.key == key);
    if at.map(|at| next.items[at].revision) != note.seen {
        return Err(Refused::NoteChanged);
    }
    let Some(text) = note.text.clone() else {
        next.items.remove(at.unwrap_or_default());
        return Ok(DefinitionChange::Remove { section, key });
    };
    if text.len() > DEFINITION_BYTES_MAX {
        return Err(too_long());
    }
    if at.is_none() {
        next.items.push(unsaved(&section, &key, &text, now));
    }
    Ok(DefinitionChange::Put { section, key, text })
}

/// The project as it would be with more objects, in the place of those of the same names, and what usage
/// policies forbid of it. With that it is only looked at: nothing may run from it.
///
/// # Errors
/// What else is wrong with it then.
pub(crate) async fn with(
    global: &Global,
    ledger: &Ledger,
    more: &[(Name, Value)],
    now: Timestamp,
) -> Result<(Workspace, Vec<Found>), Refused> {
    refuse_private_keys(more.iter().map(|(name, definition)| (name, definition)))?;
    let file = File::read(global)?;
    let mut kept = ledger.definitions().await?;
    for (name, definition) in more {
        let text = definition.to_string();
        match position(&kept.items, name) {
            Some(at) => kept.items[at].text = text,
            None => kept.items.push(unsaved(name.0.as_str(), &name.1, &text, now)),
        }
    }
    let mut read = file.understand(&kept.items, &ambient::variable)?;
    let texts = Texts { shown: read.source.clone(), whole: read.reading.text.clone() };
    let mut errors = texts.errors(&read.reading.diagnostics);
    let draft = read.reading.draft.as_ref().map(|draft| &draft.project);
    let named = |it: &&Destination| {
        more.iter().any(|((section, key), _)| *section == Section::Destinations && *key == it.key)
    };
    let destinations =
        read.reading.project.as_ref().or(draft).map_or(&[][..], |it| &it.destinations);
    for destination in destinations.iter().filter(named) {
        errors.extend(texts.errors(&encryption::check_one(destination, now)));
    }
    if errors.iter().any(|it| it.code != usage::FORBIDDEN) {
        return Err(Refused::Invalid(errors));
    }
    if let Some(draft) = read.reading.draft.take() {
        read.reading.project = Some(draft.project);
    }
    let workspace = file.workspace(read, kept)?;
    let names: Vec<&Name> = more.iter().map(|(name, _)| name).collect();
    refuse_outside(&texts, &workspace, &names)?;
    Ok((workspace, errors))
}

/// Refuses destinations in folders of the server in which none may be.
fn refuse_outside(texts: &Texts, candidate: &Workspace, edited: &[&Name]) -> Result<(), Refused> {
    let found = texts.errors(&outbox::check(candidate)).into_iter();
    let found: Vec<Found> = found.filter(|it| is_edited(it, edited)).collect();
    if found.is_empty() { Ok(()) } else { Err(Refused::Invalid(found)) }
}

/// Whether a problem is one of the objects that are edited.
fn is_edited(found: &Found, edited: &[&Name]) -> bool {
    found.object.as_ref().is_some_and(|object| edited.contains(&object))
}

fn too_long() -> Refused {
    let most = DEFINITION_BYTES_MAX >> 10;
    Refused::TooMuch(format!("A definition has at most {most} KiB."))
}
