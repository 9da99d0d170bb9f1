//! A set of objects that somebody wants to be kept, and what stands between it and what is kept.

use std::collections::BTreeSet;

use ledger::Definitions;
use plan::Section;
use serde_json::Value;

use super::edit::{Edit, NOTES, Version};
use super::{Name, position, value};

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
        if definition.key.starts_with(NOTES) {
            continue;
        }
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

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use serde_json::json;

    use super::super::{as_file, unsaved};
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
