//! From the file as written to the project: names resolved, defaults filled in, meaning checked.
//!
//! Each step takes the decoded value together with its node of the tree, so that every problem
//! has its place. Nothing stops at the first problem: what cannot be resolved is left out, and
//! the rest is still checked.

mod account;
mod activation;
mod column;
mod consent;
mod database;
mod dataset;
mod destination;
mod endpoint;
mod events;
mod file;
mod identity_column;
mod import;
mod increment;
mod kms_key;
mod names;
mod object_settings;
mod pgp;
mod profiles;
mod schedule;
mod segment;
mod segment_references;
mod usage;

pub(crate) use account::SECRET_KEYS;
pub use profiles::PROFILE_DATASETS_MAX;
pub use segment::RULE_BYTES_MAX;

use std::collections::{BTreeMap, HashMap, HashSet};

use uuid::Uuid;

use crate::config::{self, Ordered};
use crate::diagnostic::{Diagnostic, Severity, Span};
use crate::nearest::nearest;
use crate::pql::SegmentName;
use crate::project::{Activation, Places, Project, Schedule};
use crate::tree::Node;

/// The longest name, in characters.
const NAME_CHARS_MAX: usize = 200;
/// The longest key of a dataset, segment, account, destination or activation, in characters.
const KEY_CHARS_MAX: usize = 64;

/// The namespace of all derived ids (a random UUID, fixed for ever).
const ID_NAMESPACE: Uuid = Uuid::from_u128(0x6f0b_5f3e_2d61_4b8e_9a57_31c4_7de0_a912);

/// Reads the text of a file that the project names, by its path as written.
pub(crate) type Files<'a> = &'a dyn Fn(&str) -> Result<String, String>;

/// What came of resolving a file.
pub(crate) struct Resolved {
    /// Whole only if there was no error.
    pub(crate) project: Project,
    /// Activations whose mappings can be told, while their destinations or segments cannot.
    pub(crate) incomplete: Vec<Activation>,
    /// The segments that rules may name.
    pub(crate) segment_names: Vec<SegmentName>,
}

/// Resolves the decoded file. The project is whole only if no error was added to `out`.
pub(crate) fn resolve(
    file: &config::Project,
    root: &Node,
    files: Files<'_>,
    out: &mut Vec<Diagnostic>,
) -> Resolved {
    let name = file.name.clone().unwrap_or_default();
    let namespace = Uuid::new_v5(&ID_NAMESPACE, name.as_bytes());
    let (places, segments) = (Places::default(), Vec::new());
    let (evaluations, incomplete) = (None, Vec::new());
    let keys = HashMap::new();
    let mut resolver =
        Resolver { root, namespace, files, out, places, keys, segments, evaluations, incomplete };
    resolver.check_head(file);
    let project = resolver.project(file, name);
    names::check(&project, resolver.out);
    let Resolver { incomplete, segments: segment_names, .. } = resolver;
    Resolved { project, incomplete, segment_names }
}

/// What all steps share.
struct Resolver<'a> {
    root: &'a Node,
    namespace: Uuid,
    files: Files<'a>,
    out: &'a mut Vec<Diagnostic>,
    places: Places,
    /// The keys of sections, as the file has them, where they were asked for.
    keys: HashMap<&'static str, HashSet<&'a str>>,
    /// The segments that rules may name.
    segments: Vec<SegmentName>,
    /// When segments are evaluated that are sent after their evaluation.
    evaluations: Option<Schedule>,
    /// Activations that could not be resolved, with their mappings.
    incomplete: Vec<Activation>,
}

/// A mapping of the file with its key, for places.
#[derive(Clone, Copy)]
struct Item<'a> {
    key: &'a str,
    key_span: Span,
    node: &'a Node,
}

impl<'a> Item<'a> {
    /// The place of the value under `key`, or of the mapping itself when it is not there.
    fn span(&self, key: &str) -> Span {
        self.node.get(key).map_or(self.key_span, Node::text_span)
    }

    /// The place of `key` itself.
    fn key_place(&self, key: &str) -> Span {
        self.node.entry(key).map_or(self.key_span, |entry| entry.key_span)
    }

    /// The mapping under `key`, if it is there.
    fn child(&self, key: &str) -> Option<Item<'a>> {
        let entry = self.node.entry(key)?;
        Some(Item { key: &entry.key, key_span: entry.key_span, node: &entry.value })
    }
}

impl<'a> Resolver<'a> {
    fn check_head(&mut self, file: &config::Project) {
        let Some(entry) = self.root.entry("name") else { return };
        if let Some(name) = &file.name {
            self.check_name(name, entry.value.text_span());
        }
    }

    fn project(&mut self, file: &config::Project, name: String) -> Project {
        let datasets = self.section("datasets", file.datasets.as_ref(), Self::dataset);
        let profiles = self.profiles(&datasets, file.profiles.as_ref());
        self.check_events(&datasets);
        self.segments = self.segment_names(file);
        let segments = self.section("segments", file.segments.as_ref(), Self::segment);
        let accounts = self.section("accounts", file.accounts.as_ref(), Self::account);
        let destinations =
            self.section("destinations", file.destinations.as_ref(), Self::destination);
        let consent = self.consent(file.consent.as_ref());
        let usage = self.usage(file);
        let membership = self.membership(file.membership.as_ref());
        self.evaluations = self.evaluations(file.membership.as_ref());
        let who_got = consent::who_got(file.who_got.as_ref());
        let mut project = Project {
            name,
            datasets,
            profiles,
            consent,
            usage,
            membership,
            who_got,
            evaluations: self.evaluations.clone(),
            segments,
            accounts,
            destinations,
            activations: Vec::new(),
            places: Places::default(),
        };
        let activations =
            self.section("activations", file.activations.as_ref(), |me, item, activation| {
                me.activation(&project, item, activation)
            });
        project.activations = activations;
        self.check_segment_references(&project);
        self.check_purposes(&project);
        self.out.extend(project.forbidden_uses());
        project.places = std::mem::take(&mut self.places);
        self.check_ids(&project);
        project
    }

    /// Resolves the entries of one section, in the order of the file.
    fn section<T, U>(
        &mut self,
        section: &str,
        entries: Option<&Ordered<T>>,
        mut resolve: impl FnMut(&mut Self, Item<'a>, &T) -> Option<U>,
    ) -> Vec<U> {
        let mut resolved = Vec::new();
        let root: &'a Node = self.root;
        let Some(node) = root.get(section) else { return resolved };
        // What the structure check let through is in the order of the file.
        let mut values = entries.into_iter().flat_map(Ordered::iter).peekable();
        for entry in node.entries() {
            let Some((_, value)) = values.next_if(|(key, _)| *key == entry.key) else { continue };
            let item = Item { key: &entry.key, key_span: entry.key_span, node: &entry.value };
            self.check_key(item);
            resolved.extend(resolve(self, item, value));
        }
        resolved
    }

    fn push(&mut self, diagnostic: Diagnostic) {
        self.out.push(diagnostic);
    }

    fn error(&mut self, code: &'static str, place: Span, message: impl Into<String>, hint: &str) {
        self.push(Diagnostic::error(code, place, message).with_hint(hint));
    }

    fn warn(&mut self, code: &'static str, place: Span, message: impl Into<String>, hint: &str) {
        self.push(Diagnostic::warning(code, place, message).with_hint(hint));
    }

    /// The place of a value by its keys from the root, or of the deepest one that is there.
    fn place_of(&self, keys: &[&str]) -> Span {
        let mut place = Span { start: 0, end: 0, line: 1, column: 1 };
        let mut node = self.root;
        for key in keys {
            let Some(entry) = node.entry(key) else { break };
            node = &entry.value;
            place = node.text_span();
        }
        place
    }

    /// Checks that `key` is one of `section`, going by the file, so that an entry with problems
    /// of its own is not reported as unknown too.
    fn check_reference(
        &mut self,
        code: &'static str,
        section: &'static str,
        key: &str,
        place: Span,
    ) -> bool {
        let root: &'a Node = self.root;
        let entries = root.get(section).map_or(&[][..], Node::entries);
        let keys = || entries.iter().map(|entry| entry.key.as_str());
        if self.keys.entry(section).or_insert_with(|| keys().collect()).contains(key) {
            return true;
        }
        let known: Vec<&str> = keys().collect();
        let noun = section.trim_end_matches('s');
        let hint = match nearest(key, known.iter().copied()) {
            Some(nearest) => format!("Did you mean `{nearest}`?"),
            None if known.is_empty() => format!("Add it under `{section}:`."),
            None => format!("Known: {}.", quoted_list(&known)),
        };
        let message = format!("there is no {noun} `{key}`");
        self.push(Diagnostic::error(code, place, message).with_hint(hint));
        false
    }

    /// Keys are typed on command lines and shown in tables.
    fn check_key(&mut self, item: Item<'_>) {
        let key = item.key;
        let plain = key.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '-' | '.'));
        let begins = key.starts_with(char::is_alphanumeric);
        if plain && begins && key.chars().count() <= KEY_CHARS_MAX {
            return;
        }
        let message = "a key is made of letters, digits, `-`, `_` and `.`, begins with a letter or a digit, and has at most 64 characters";
        self.error(
            "key_form",
            item.key_span,
            message,
            "Shorten the key; `name:` may hold any text.",
        );
    }

    fn check_name(&mut self, name: &str, place: Span) {
        let problem = if name.trim().is_empty() {
            "the name is empty"
        } else if name != name.trim() {
            "the name begins or ends with a space"
        } else if name.chars().any(char::is_control) {
            "the name holds a control character"
        } else if name.chars().count() > NAME_CHARS_MAX {
            "the name is longer than 200 characters"
        } else {
            return;
        };
        self.error("name_form", place, problem, "Choose a short, plain name.");
    }

    /// The name as written, or the key.
    fn name(&mut self, item: Item<'_>, written: Option<&str>) -> String {
        if let Some(name) = written {
            self.check_name(name, item.span("name"));
        }
        written.unwrap_or(item.key).to_owned()
    }

    /// The id as written, or derived from the project's name, what the thing is, and its key.
    fn id(&mut self, item: Item<'_>, kind: &str, written: Option<&str>) -> Uuid {
        let derived = self.derived_id(kind, item.key);
        let Some(written) = written else { return derived };
        Uuid::parse_str(written).unwrap_or_else(|_| {
            let hint = format!("Leave the key out, or write for example `{derived}`.");
            self.error("invalid_id", item.span("id"), "the id is not a UUID", &hint);
            derived
        })
    }

    fn derived_id(&self, kind: &str, key: &str) -> Uuid {
        Uuid::new_v5(&self.namespace, format!("{kind}/{key}").as_bytes())
    }

    fn check_ids(&mut self, project: &Project) {
        let segments = project.segments.iter().map(|it| ("segments", it.key.as_str(), it.id));
        let destinations =
            project.destinations.iter().map(|it| ("destinations", it.key.as_str(), it.id));
        let activations =
            project.activations.iter().map(|it| ("activations", it.key.as_str(), it.id));
        let mut seen: BTreeMap<(&str, Uuid), &str> = BTreeMap::new();
        for (section, key, id) in segments.chain(destinations).chain(activations) {
            let Some(first) = seen.insert((section, id), key) else { continue };
            let place = self.place_of(&[section, key, "id"]);
            let message = format!("`{first}` and `{key}` have the same id");
            self.error(
                "duplicate_id",
                place,
                message,
                "Give each an id of its own, or leave it out.",
            );
        }
        let names =
            project.segments.iter().map(|it| ("segments", it.key.as_str(), it.name.as_str()));
        let names = names.chain(
            project
                .destinations
                .iter()
                .map(|it| ("destinations", it.key.as_str(), it.name.as_str())),
        );
        let mut seen: BTreeMap<(&str, &str), &str> = BTreeMap::new();
        for (section, key, name) in names {
            let Some(first) = seen.insert((section, name), key) else { continue };
            let place = self.place_of(&[section, key, "name"]);
            let message = format!("`{first}` and `{key}` have the same name");
            self.warn("duplicate_name", place, message, "People cannot tell them apart.");
        }
    }
}

/// Whether any of the problems is an error.
pub(crate) fn has_error(diagnostics: &[Diagnostic]) -> bool {
    diagnostics.iter().any(|diagnostic| diagnostic.severity == Severity::Error)
}

/// `a`, `b`, `c`
fn quoted_list(names: &[&str]) -> String {
    names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}

/// One ASCII character, or why a text is not one.
fn one_ascii(text: &str) -> Result<u8, &'static str> {
    match text.as_bytes() {
        [byte] if byte.is_ascii() => Ok(*byte),
        b"\\t" => Err("Write a tab as \"\\t\", in double quotes."),
        _ => Err("Write exactly one ASCII character."),
    }
}
