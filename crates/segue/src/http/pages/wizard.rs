//! Drafts of the wizards: kept in the state folder for each user, so that leaving and coming back, on
//! another machine or after a restart, loses nothing. A draft never holds a secret.

use std::path::PathBuf;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde_json::{Map, Value};
use ui::page::wizard::{Draft, Fault, Preview, SegmentPreview};

use super::visit::{Visit, see_other};
use crate::http::answers::preview::{Previewed, SegmentPreviewed};
use crate::http::problem::{Code, Problem};
use crate::http::request::Reply;
use crate::private_file;

/// The folder inside the state folder.
const FOLDER: &str = "drafts";
/// The longest draft, in bytes.
const DRAFT_BYTES_MAX: usize = 256 << 10;

/// The steps of a wizard in order, each by the end of its address and with its fields.
type Steps = [(&'static str, &'static [&'static str])];

/// Which step the visitor is at, and the draft with what the step's form says. Nothing where there is
/// no such step.
pub(super) fn filled(visit: &Visit, wizard: &str, steps: &Steps) -> Option<(usize, Draft)> {
    let at = steps.iter().position(|(key, _)| *key == visit.parameter("step"))?;
    let mut draft = load(visit, wizard);
    draft.put(steps[at].1, visit.fields());
    Some((at, draft))
}

/// Where the visitor goes from step `at`: to another step, or `home` without the draft. Nothing where
/// the last step is done and the draft is to become what it is of.
pub(super) fn way(
    visit: &Visit,
    wizard: &str,
    steps: &Steps,
    at: usize,
    go: &str,
    home: &str,
) -> Option<Reply> {
    let to = match go {
        "discard" => {
            forget(visit, wizard);
            return Some(see_other(home));
        }
        "back" => at.saturating_sub(1),
        "next" if at + 1 == steps.len() => return None,
        "next" => at + 1,
        _ => at,
    };
    Some(see_other(&format!("/{wizard}/{}", steps[to].0)))
}

/// Where the draft of a visitor is.
fn path(visit: &Visit, wizard: &str) -> PathBuf {
    // Names of users are no names of files.
    let of_user = blake3::hash(visit.actor.name.as_bytes()).to_hex();
    let state = visit.app.shared.workspace();
    state.state_folder().join(FOLDER).join(format!("{wizard}-{}.json", &of_user[..16]))
}

/// The draft of a visitor, empty where there is none.
pub(super) fn load(visit: &Visit, wizard: &str) -> Draft {
    let bytes = std::fs::read(path(visit, wizard)).unwrap_or_default();
    Draft(serde_json::from_slice(&bytes).unwrap_or_default())
}

/// Keeps the draft of a visitor.
pub(super) fn keep(visit: &Visit, wizard: &str, draft: &Draft) -> Result<(), Problem> {
    let failed = || {
        Problem::new(Code::Unavailable, "The draft could not be kept in the state folder.")
            .hint("Make room there, or give the server's user the right to write.")
    };
    let bytes = serde_json::to_vec(&draft.0).map_err(|_| failed())?;
    if bytes.len() > DRAFT_BYTES_MAX {
        return Err(Problem::new(Code::TooLarge, "A draft has at most 256 KiB.")
            .hint("Choose fewer segments or columns at once."));
    }
    private_file::write(&path(visit, wizard), &bytes).map_err(|_| failed())
}

/// Forgets the draft of a visitor.
pub(super) fn forget(visit: &Visit, wizard: &str) {
    // One that is not there is forgotten already.
    drop(private_file::remove(&path(visit, wizard)));
}

/// What objects of a draft would come to.
pub(super) async fn preview(visit: &Visit, body: Value) -> Result<Preview, Problem> {
    let found: Previewed = visit.ask("preview_objects", &[], Some(body)).await?;
    Ok(Preview {
        faults: found
            .problems
            .into_iter()
            .map(|it| Fault { place: it.place, message: it.message, hint: it.hint })
            .collect(),
        address: found.address,
        segments: found.segments.into_iter().map(segment).collect(),
        text: found.text,
    })
}

fn segment(it: SegmentPreviewed) -> SegmentPreview {
    let slots = it.slots.iter().filter_map(|slot| {
        let at: Timestamp = slot.slot.parse().ok()?;
        let zone = slot.zone.as_deref().and_then(|name| TimeZone::get(name).ok());
        Some((at.to_zoned(zone.unwrap_or(TimeZone::UTC)), slot.clocks_changed))
    });
    SegmentPreview {
        slots: slots.collect(),
        name: it.name,
        file: Some(it.file),
        is_static: it.replaces,
        rows: it.members.zip(it.rows),
    }
}

/// Puts a text into an object unless it is empty.
pub(super) fn put(object: &mut Map<String, Value>, name: &str, text: &str) {
    if !text.is_empty() {
        object.insert(name.to_owned(), text.into());
    }
}

/// A key out of a name: `Partner Drop` is `partner-drop`.
pub(super) fn key_of(name: &str) -> String {
    let mut key = String::new();
    for letter in name.chars().flat_map(char::to_lowercase) {
        match letter {
            letter if letter.is_ascii_alphanumeric() => key.push(letter),
            _ if !key.is_empty() && !key.ends_with('-') => key.push('-'),
            _ => {}
        }
    }
    key.trim_end_matches('-').to_owned()
}

/// A key that is not taken: `amazon`, `amazon-2`.
pub(super) fn fresh(wanted: &str, is_taken: impl Fn(&str) -> bool) -> String {
    let numbered = (2..).map(|number| format!("{wanted}-{number}"));
    let mut keys = std::iter::once(wanted.to_owned()).chain(numbered);
    keys.find(|key| !is_taken(key)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::{fresh, key_of};

    #[test]
    fn keys_are_made_of_names() {
        assert_eq!(key_of("Partner Drop"), "partner-drop");
        assert_eq!(key_of("  Été 2026 — CRM!"), "t-2026-crm");
        assert_eq!(key_of("日本"), "");
        assert_eq!(fresh("amazon", |key| key == "amazon"), "amazon-2");
        assert_eq!(fresh("amazon", |_| false), "amazon");
    }
}
