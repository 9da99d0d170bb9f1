//! Accounts, destinations, segments and activations that are kept in the ledger: made, changed and
//! removed by the checks that the project file goes through, for the API, the pages and `segue apply`
//! alike.
//!
//! The project is the file and these objects together. The file wins where both have a key, and is
//! never changed from here.

use std::collections::BTreeSet;

use jiff::Timestamp;
use ledger::{Definition, DefinitionChange, Definitions, Ledger};
use plan::stored::{DEFINITION_BYTES_MAX, STORED_OBJECTS_MAX};
use plan::{Diagnostic, Section, Severity};
use serde_json::Value;
use tokio::sync::Mutex;

use crate::ambient;
use crate::cli::Global;
use crate::draw::Source;
use crate::encryption;
use crate::failure::{Failure, Kind};
use crate::sources::Sources;
use crate::workspace::{self, File, Read, Workspace};

/// An object's place among all: its section and its key.
pub(crate) type Name = (Section, String);

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

impl Edit {
    fn name(&self) -> &Name {
        match self {
            Self::Add(name, _) | Self::Replace(name, ..) | Self::Remove(name, _) => name,
        }
    }
}

/// Why nothing was changed.
#[derive(Debug)]
pub(crate) enum Refused {
    /// The project file has it, and is what is changed.
    ReadOnly(Name),
    /// There is one already.
    Exists(Name),
    /// There is none.
    Missing(Name),
    /// The edit does not say which version it was made for.
    VersionNeeded(Name),
    /// It was changed since.
    Changed(Name),
    /// Some definition is too long, or there are too many.
    TooMuch(String),
    /// The project would not be valid.
    Invalid(Vec<Found>),
    /// It could not be looked at.
    Failed(Failure),
}

impl From<Failure> for Refused {
    fn from(failure: Failure) -> Self {
        Self::Failed(failure)
    }
}

impl From<ledger::Error> for Refused {
    fn from(error: ledger::Error) -> Self {
        Self::Failed(error.into())
    }
}

/// A problem of the project as it would be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Found {
    /// The stored object that has it; nothing for the project file.
    pub(crate) object: Option<Name>,
    /// The member of the definition, as a JSON Pointer.
    pub(crate) pointer: String,
    /// Where a person finds it.
    pub(crate) place: String,
    pub(crate) code: &'static str,
    pub(crate) message: String,
    pub(crate) hint: Option<String>,
}

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
        if next.items.len() > STORED_OBJECTS_MAX {
            let message = format!("At most {STORED_OBJECTS_MAX} objects are stored.");
            return Err(Refused::TooMuch(message));
        }
        if changes.is_empty() {
            return Ok(kept);
        }
        let names: Vec<&Name> = edits.iter().map(Edit::name).collect();
        self.check(file, &next, &names).await?;
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
        let keys = encryption::check(&candidate.project, ambient::now());
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
            Vec::new()
        });
        let is_edited =
            |found: &Found| found.object.as_ref().is_some_and(|object| edited.contains(&object));
        let errors: Vec<Found> = texts.errors(&found).into_iter().filter(is_edited).collect();
        if errors.is_empty() { Ok(candidate) } else { Err(Refused::Invalid(errors)) }
    }
}

/// The project as it would be with more objects, in the place of those of the same names.
///
/// # Errors
/// What is wrong with it then.
pub(crate) async fn with(
    global: &Global,
    ledger: &Ledger,
    more: &[(Name, Value)],
    now: Timestamp,
) -> Result<Workspace, Refused> {
    let file = File::read(global)?;
    let mut kept = ledger.definitions().await?;
    for (name, definition) in more {
        let text = definition.to_string();
        match position(&kept.items, name) {
            Some(at) => kept.items[at].text = text,
            None => kept.items.push(unsaved(name.0.as_str(), &name.1, &text, now)),
        }
    }
    let read = file.understand(&kept.items, &ambient::variable)?;
    let texts = Texts { shown: read.source.clone(), whole: read.reading.text.clone() };
    let errors = texts.errors(&read.reading.diagnostics);
    if !errors.is_empty() {
        return Err(Refused::Invalid(errors));
    }
    Ok(file.workspace(read, kept)?)
}

fn too_long() -> Refused {
    let most = DEFINITION_BYTES_MAX >> 10;
    Refused::TooMuch(format!("A definition has at most {most} KiB."))
}

/// Whether an edit may be made, before anything is read.
fn admit(edit: &Edit, of_file: &BTreeSet<Name>, kept: &[Definition]) -> Result<(), Refused> {
    let name = edit.name().clone();
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

/// The text that was read, as it may be shown and as it is.
struct Texts {
    shown: Source,
    whole: String,
}

impl Texts {
    fn errors(&self, diagnostics: &[Diagnostic]) -> Vec<Found> {
        let errors = diagnostics.iter().filter(|it| it.severity == Severity::Error);
        errors.map(|error| self.found(error)).collect()
    }

    fn found(&self, diagnostic: &Diagnostic) -> Found {
        let part = diagnostic.span.and_then(|span| Some((self.shown.part(span)?, span)));
        let place = match (part, diagnostic.span) {
            (Some((part, _)), _) => part.label(),
            (None, Some(span)) => format!("{}:{}:{}", self.shown.path, span.line, span.column),
            (None, None) => self.shown.path.clone(),
        };
        Found {
            object: part.map(|(part, _)| (part.section, part.key.clone())),
            pointer: part.map_or_else(String::new, |(part, span)| part.pointer(&self.whole, span)),
            place,
            code: diagnostic.code,
            message: diagnostic.message.clone(),
            hint: diagnostic.hint.clone(),
        }
    }
}

/// A set of objects that somebody wants to be kept.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Wanted {
    pub(crate) objects: Vec<(Name, Value)>,
    /// Whether what is kept and not among them goes away.
    pub(crate) prune: bool,
}

/// How one object of a wanted set stands to what is kept.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Difference {
    pub(crate) name: Name,
    pub(crate) action: Action,
    /// The members that differ, by JSON Pointer.
    pub(crate) members: Vec<Member>,
}

/// What applying would do to an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Action {
    Add,
    Change,
    Remove,
    /// It is as it should be.
    Keep,
    /// It is kept, not wanted, and stays because nothing is pruned.
    Leave,
    /// The project file has it, so that a stored one would not be used.
    InFile,
}

impl Action {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Add => "add",
            Self::Change => "change",
            Self::Remove => "remove",
            Self::Keep => "keep",
            Self::Leave => "leave",
            Self::InFile => "in-file",
        }
    }

    /// Whether anything would happen.
    pub(crate) fn changes(self) -> bool {
        matches!(self, Self::Add | Self::Change | Self::Remove)
    }
}

/// A member of a definition that differs.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Member {
    pub(crate) pointer: String,
    pub(crate) before: Option<Value>,
    pub(crate) after: Option<Value>,
}

/// Compares a wanted set with what is kept. Segments come before what names them, and go after it.
pub(crate) fn differences(
    wanted: &Wanted,
    kept: &Definitions,
    of_file: &BTreeSet<Name>,
) -> Vec<Difference> {
    let mut found = Vec::new();
    for (name, definition) in &wanted.objects {
        let before = position(&kept.items, name).map(|at| value(&kept.items[at]));
        let mut members = Vec::new();
        let action = match &before {
            _ if of_file.contains(name) => Action::InFile,
            None => Action::Add,
            Some(before) if before == definition => Action::Keep,
            Some(before) => {
                compare(before, definition, "", &mut members);
                Action::Change
            }
        };
        found.push(Difference { name: name.clone(), action, members });
    }
    for definition in kept.items.iter().rev() {
        let Some(section) = Section::parse(&definition.section) else { continue };
        let name = (section, definition.key.clone());
        if wanted.objects.iter().any(|(wanted, _)| *wanted == name) {
            continue;
        }
        let action = if wanted.prune { Action::Remove } else { Action::Leave };
        found.push(Difference { name, action, members: Vec::new() });
    }
    found
}

/// The edits that a wanted set comes to.
pub(crate) fn edits(wanted: &Wanted, differences: &[Difference]) -> Vec<Edit> {
    let edit = |difference: &Difference| {
        let definition = || {
            let found = wanted.objects.iter().find(|(name, _)| *name == difference.name);
            found.map(|(_, definition)| definition.clone())
        };
        let name = difference.name.clone();
        match difference.action {
            Action::Add => Some(Edit::Add(name, definition()?)),
            Action::Change => Some(Edit::Replace(name, definition()?, Version::Any)),
            Action::Remove => Some(Edit::Remove(name, Version::Any)),
            Action::Keep | Action::Leave | Action::InFile => None,
        }
    };
    differences.iter().filter_map(edit).collect()
}

/// The definition as a value; one that is damaged is nothing.
pub(crate) fn value(definition: &Definition) -> Value {
    serde_json::from_str(&definition.text).unwrap_or_default()
}

/// The members of two definitions that differ.
pub(crate) fn members(before: &Value, after: &Value) -> Vec<Member> {
    let mut found = Vec::new();
    compare(before, after, "", &mut found);
    found
}

fn compare(before: &Value, after: &Value, pointer: &str, out: &mut Vec<Member>) {
    let at = |key: &str| format!("{pointer}/{}", key.replace('~', "~0").replace('/', "~1"));
    match (before, after) {
        (Value::Object(before), Value::Object(after)) => {
            for (key, value) in before {
                match after.get(key) {
                    Some(other) => compare(value, other, &at(key), out),
                    None => out.push(Member {
                        pointer: at(key),
                        before: Some(value.clone()),
                        after: None,
                    }),
                }
            }
            for (key, value) in after.iter().filter(|(key, _)| !before.contains_key(*key)) {
                out.push(Member { pointer: at(key), before: None, after: Some(value.clone()) });
            }
        }
        (Value::Array(before), Value::Array(after)) if before.len() == after.len() => {
            for (index, (before, after)) in before.iter().zip(after).enumerate() {
                compare(before, after, &at(&index.to_string()), out);
            }
        }
        (before, after) if before != after => out.push(Member {
            pointer: pointer.to_owned(),
            before: Some(before.clone()),
            after: Some(after.clone()),
        }),
        _ => {}
    }
}

/// What is kept as one value, in the shape of the project file.
pub(crate) fn as_file(kept: &Definitions) -> Value {
    let mut file = serde_json::Map::new();
    for section in Section::ALL {
        let of_section = kept.items.iter().filter(|it| it.section == section.as_str());
        let entries: serde_json::Map<String, Value> =
            of_section.map(|it| (it.key.clone(), value(it))).collect();
        if !entries.is_empty() {
            file.insert(section.as_str().to_owned(), entries.into());
        }
    }
    file.into()
}

/// The sentence for a person.
pub(crate) fn named((section, key): &Name) -> String {
    format!("{} `{key}`", section.noun())
}

impl From<Refused> for Failure {
    fn from(refused: Refused) -> Self {
        match refused {
            Refused::ReadOnly(name) => {
                Self::usage(format!("the {} is in the project file", named(&name)))
                    .hint("Change it there.")
            }
            Refused::Exists(name) => Self::usage(format!("there is a {} already", named(&name)))
                .hint("Choose another key."),
            Refused::Missing(name) => Self::usage(format!("there is no stored {}", named(&name))),
            Refused::VersionNeeded(name) | Refused::Changed(name) => {
                Self::new(Kind::Temporary, format!("the {} was changed meanwhile", named(&name)))
                    .hint("Look at the differences again.")
            }
            Refused::TooMuch(message) => Self::usage(message.trim_end_matches('.').to_owned()),
            Refused::Invalid(found) => {
                let mut failure = Self::usage(format!(
                    "the project would have {}",
                    workspace::counted(found.len(), "problem")
                ));
                failure.causes = found.iter().map(Found::line).collect();
                failure
            }
            Refused::Failed(failure) => failure,
        }
    }
}

impl Found {
    /// Place, problem and next step in one line.
    pub(crate) fn line(&self) -> String {
        let at =
            if self.pointer.is_empty() { String::new() } else { format!(" at {}", self.pointer) };
        let hint = self.hint.as_ref().map_or_else(String::new, |hint| format!(" ({hint})"));
        format!("{}{at}: {}{hint}", self.place, self.message)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn kept(items: &[(&str, &str, Value)]) -> Definitions {
        let one = |(section, key, value): &(&str, &str, Value)| {
            unsaved(section, key, &value.to_string(), Timestamp::UNIX_EPOCH)
        };
        Definitions { items: items.iter().map(one).collect(), revision: 7 }
    }

    #[test]
    fn a_wanted_set_is_compared_member_by_member() {
        let kept = kept(&[
            ("segments", "a", json!({ "rule": "x", "name": "A" })),
            ("segments", "b", json!({ "rule": "x" })),
            ("destinations", "d", json!({ "bucket": "b", "objects": { "tags": { "a/b": "1" } } })),
            ("activations", "old", json!({})),
        ]);
        let name = |section, key: &str| (section, key.to_owned());
        let wanted = Wanted {
            objects: vec![
                (name(Section::Segments, "a"), json!({ "name": "A", "rule": "x" })),
                (name(Section::Segments, "b"), json!({ "rule": "y", "name": "B" })),
                (name(Section::Segments, "c"), json!({ "rule": "z" })),
                (name(Section::Segments, "file"), json!({ "rule": "z" })),
                (
                    name(Section::Destinations, "d"),
                    json!({ "bucket": "b", "objects": { "tags": { "a/b": "2" } } }),
                ),
            ],
            prune: true,
        };
        let of_file = BTreeSet::from([name(Section::Segments, "file")]);
        let found = differences(&wanted, &kept, &of_file);
        let told: Vec<String> = found
            .iter()
            .map(|it| {
                let members: Vec<String> = it
                    .members
                    .iter()
                    .map(|it| format!("{} {:?} {:?}", it.pointer, it.before, it.after))
                    .collect();
                format!("{} {} {}", it.action.as_str(), it.name.1, members.join("; "))
            })
            .collect();
        insta::assert_snapshot!(told.join("\n"), @r#"
        keep a 
        change b /rule Some(String("x")) Some(String("y")); /name None Some(String("B"))
        add c 
        in-file file 
        change d /objects/tags/a~1b Some(String("1")) Some(String("2"))
        remove old 
        "#);
        assert_eq!(edits(&wanted, &found).len(), 4);
        let lenient = Wanted { prune: false, ..wanted };
        let last = differences(&lenient, &kept, &of_file).pop().expect("the old one");
        assert_eq!(last.action, Action::Leave);
    }

    #[test]
    fn what_is_kept_has_the_shape_of_the_file() {
        let kept = kept(&[
            ("activations", "x", json!({ "destination": "d" })),
            ("segments", "b", json!({ "rule": "x" })),
        ]);
        insta::assert_snapshot!(plan::stored::to_yaml(&as_file(&kept)), @r"
        segments:
          b:
            rule: x
        activations:
          x:
            destination: d
        ");
    }
}
