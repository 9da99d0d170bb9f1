//! Drafts of the wizards: kept in the state folder for each user, so that leaving and coming back, on
//! another machine or after a restart, loses nothing. A draft never holds a secret.

use std::path::PathBuf;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use ledger::Definition;
use serde_json::{Map, Value};
use tokio::sync::MutexGuard;
use ui::page::calendar::Due;
use ui::page::editing::Send;
use ui::page::wizard::{Documents, Draft, FORM, Fault, Policy, Preview, SegmentPreview};
use ui::shell::Said;

use super::visit::{Visit, done, filled, see_other};
use crate::ambient;
use crate::app::objects;
use crate::http::answers::once;
use crate::http::answers::preview::{DayPreviewed, Previewed, SegmentPreviewed};
use crate::http::problem::{Code, Problem};
use crate::http::request::Reply;
use crate::private_file;

/// The folder inside the state folder.
const FOLDER: &str = "drafts";
/// The field of a draft that says which version it began with.
const REVISION: &str = "edit.revision";
/// The step that finishes a wizard.
const LAST: &str = "review";
/// The longest draft, in bytes.
const DRAFT_BYTES_MAX: usize = 1 << 20;

/// The steps of a wizard in order, each by the end of its address and with its fields.
type Steps = [(&'static str, &'static [&'static str])];

/// A wizard as a visitor is at it: for something new, or to change what there is.
pub(super) struct Wizard {
    /// `connect` or `activate`.
    kind: &'static str,
    /// What is changed; nothing for something new.
    pub(super) key: Option<String>,
    /// The address that the steps stand below.
    pub(super) base: String,
    /// Where one is after leaving it.
    home: String,
}

impl Wizard {
    /// The wizard of a kind at the visitor's address: `/{kind}/{step}`, or `/{objects}/{key}/edit/{step}`.
    pub(super) fn of(visit: &Visit, kind: &'static str, objects: &str) -> Self {
        match visit.parameter("key") {
            "" => Self { kind, key: None, base: format!("/{kind}"), home: format!("/{objects}") },
            key => {
                let home = filled(
                    "/{objects}/{key}",
                    &vec![
                        ("objects".to_owned(), objects.to_owned()),
                        ("key".to_owned(), key.to_owned()),
                    ],
                );
                Self { kind, key: Some(key.to_owned()), base: format!("{home}/edit"), home }
            }
        }
    }

    /// The address of a step.
    pub(super) fn step(&self, step: &str) -> String {
        format!("{}/{step}", self.base)
    }

    /// The version of what is changed that the visitor saw last.
    pub(super) fn revision(draft: &Draft) -> &str {
        draft.get(REVISION)
    }

    /// Which step the visitor is at, and the draft with what the step's form says. Nothing where there
    /// is no such step.
    pub(super) fn filled(&self, visit: &Visit, steps: &Steps) -> Option<(usize, Draft)> {
        let at = steps.iter().position(|(key, _)| *key == visit.parameter("step"))?;
        let mut draft = self.load(visit);
        draft.put(steps[at].1, visit.fields());
        if !visit.field("revision").is_empty() {
            // Somebody saw what others changed, and goes on with that in mind.
            draft.set(REVISION, visit.field("revision"));
        }
        Some((at, draft))
    }

    /// Where the visitor goes from step `at`: to another step, or away without the draft. Nothing where
    /// the last step is done and the draft is to become what it is of.
    pub(super) fn way(&self, visit: &Visit, steps: &Steps, at: usize, go: &str) -> Option<Reply> {
        let to = match go {
            "discard" => {
                self.forget(visit);
                return Some(see_other(&self.home));
            }
            "back" => at.saturating_sub(1),
            "next" if at + 1 == steps.len() => return None,
            "next" => at + 1,
            _ => at,
        };
        Some(see_other(&self.step(steps[to].0)))
    }

    /// Where the visitor is led who asks for a step of a draft that was saved or discarded, perhaps
    /// elsewhere: for the last step, too, there has to be something to look over.
    pub(super) fn astray(&self, draft: &Draft, step: &str, steps: &Steps) -> Option<Reply> {
        match &self.key {
            _ if !draft.0.is_empty() => None,
            Some(_) => Some(see_other(&self.base)),
            None => (step == LAST).then(|| see_other(&self.step(steps[0].0))),
        }
    }

    /// Where the draft of a visitor is.
    fn path(&self, visit: &Visit) -> PathBuf {
        // Names of users and keys are no names of files.
        let whose = [visit.actor.name.as_str(), self.key.as_deref().unwrap_or_default()];
        let whose = match &self.key {
            None => blake3::hash(whose[0].as_bytes()),
            Some(_) => blake3::hash(whose.join("\0").as_bytes()),
        };
        let state = visit.app.shared.workspace();
        let name = format!("{}-{}.json", self.kind, &whose.to_hex()[..16]);
        state.state_folder().join(FOLDER).join(name)
    }

    /// The draft of a visitor, empty where there is none.
    pub(super) fn load(&self, visit: &Visit) -> Draft {
        let bytes = std::fs::read(self.path(visit)).unwrap_or_default();
        Draft(serde_json::from_slice(&bytes).unwrap_or_default())
    }

    /// Keeps the draft of a visitor.
    pub(super) fn keep(&self, visit: &Visit, draft: &Draft) -> Result<(), Problem> {
        let failed = || {
            Problem::new(Code::Unavailable, "The draft could not be kept in the state folder.")
                .hint("Make room there, or give the server's user the right to write.")
        };
        let bytes = serde_json::to_vec(&draft.0).map_err(|_| failed())?;
        if bytes.len() > DRAFT_BYTES_MAX {
            return Err(Problem::new(Code::TooLarge, "A draft has at most 1 MiB.")
                .hint("Choose fewer segments or columns at once."));
        }
        private_file::write(&self.path(visit), &bytes).map_err(|_| failed())
    }

    /// Forgets the draft of a visitor.
    pub(super) fn forget(&self, visit: &Visit) {
        // One that is not there is forgotten already.
        drop(private_file::remove(&self.path(visit)));
    }

    /// Gives a draft that can be finished at a step what tells its form from all others.
    pub(super) fn mark(&self, visit: &Visit, step: &str, draft: &mut Draft) -> Result<(), Problem> {
        if step != LAST || draft.0.is_empty() || !draft.get(FORM).is_empty() {
            return Ok(());
        }
        draft.set(FORM, &ambient::id().to_string());
        self.keep(visit, draft)
    }

    /// Waits until no other form is finished, where the visitor finishes one: a button that is pressed
    /// twice sends its form twice, the second time before the first is answered.
    pub(super) async fn turn<'v>(&self, visit: &'v Visit) -> Option<MutexGuard<'v, ()>> {
        let is_last = visit.parameter("step") == LAST && visit.field("go") == "next";
        if is_last { Some(visit.app.keyed.lock().await) } else { None }
    }

    /// Where the visitor's form led when it was sent before; nothing when it is new.
    pub(super) async fn led(&self, visit: &Visit) -> Result<Option<Reply>, Problem> {
        let ledger = &visit.app.shared.ledger;
        let path = once::led(ledger, &visit.actor.name, visit.field(FORM)).await?;
        Ok(path.map(|path| done(&path, Said::Saved)))
    }

    /// Ends a wizard whose draft has become what stands at `path`.
    pub(super) async fn end(
        &self,
        visit: &Visit,
        draft: &Draft,
        path: &str,
    ) -> Result<Reply, Problem> {
        self.forget(visit);
        let (ledger, now) = (&visit.app.shared.ledger, ambient::now());
        once::keep_led(ledger, &visit.actor.name, draft.get(FORM), path, now).await?;
        Ok(done(path, Said::Saved))
    }

    /// The last form once more, for whoever saw what others changed meanwhile.
    pub(super) fn send(&self, draft: &Draft, go: &str) -> Send {
        let fields = [("go", go), (FORM, draft.get(FORM))];
        Send {
            action: self.step(LAST),
            fields: fields.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec(),
        }
    }

    /// Begins to change what there is, where the visitor has not begun already.
    pub(super) fn begin(
        &self,
        visit: &Visit,
        stored: &Definition,
        draft_of: impl Fn(&Value) -> Draft,
    ) -> Result<(), Problem> {
        if !self.load(visit).get(REVISION).is_empty() {
            return Ok(());
        }
        let mut draft = draft_of(&objects::value(stored));
        draft.set(REVISION, &stored.revision.to_string());
        self.keep(visit, &draft)
    }
}

/// What objects of a draft would come to.
pub(super) async fn preview(visit: &Visit, body: Value) -> Result<Preview, Problem> {
    let found: Previewed = visit.ask("preview_objects", &[], Some(body)).await?;
    Ok(Preview {
        faults: found
            .problems
            .into_iter()
            .map(|it| Fault { place: it.place, about: None, message: it.message, hint: it.hint })
            .collect(),
        address: found.address,
        segments: found.segments.into_iter().map(segment).collect(),
        text: found.text,
        documents: found.documents.map(|it| Documents {
            policy: format!("{:#}", it.iam),
            trust: it.trust.map(|trust| format!("{trust:#}")),
            external_id: it.external_id,
        }),
        policies: found
            .policies
            .into_iter()
            .map(|it| Policy {
                key: it.policy,
                name: it.name,
                actions: it.marketing_actions,
                labels: it.labels,
                against: it.uses.into_iter().map(|it| it.message).collect(),
                hint: it.hint,
            })
            .collect(),
    })
}

fn segment(it: SegmentPreviewed) -> SegmentPreview {
    let slots = it.slots.iter().filter_map(|slot| {
        let at: Timestamp = slot.slot.parse().ok()?;
        let zone = slot.zone.as_deref().and_then(|name| TimeZone::get(name).ok());
        Some((at.to_zoned(zone.unwrap_or(TimeZone::UTC)), slot.clocks_changed))
    });
    let day = |day: &DayPreviewed| {
        Some(Due {
            segment: it.name.clone(),
            date: day.date.parse().ok()?,
            first: day.first.as_deref().and_then(|first| first.parse().ok()),
            count: day.slots,
            clocks_change: day.clocks_changed,
        })
    };
    SegmentPreview {
        slots: slots.collect(),
        days: it.days.iter().filter_map(day).collect(),
        name: it.name,
        file: Some(it.file),
        address: Some(it.address),
        is_static: it.replaces,
        rows: it.members.zip(it.rows),
        excluded: it.excluded.into_iter().map(|it| (it.reason, it.profiles)).collect(),
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
