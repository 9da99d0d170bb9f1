//! Rules over events: what a rule asks of them is answered for all profiles before any is read.
//!
//! ```text
//! events ──conditions──▶ states by identity ──┐
//!                                             ├─ bucket by bucket ─▶ states by profile ─▶ answers
//! profiles ──▶ identities and where they stand┘
//! ```
//!
//! One pass over each dataset serves all questions ([`scan`]): conditions are computed batch by
//! batch, and what counts is added up per identity and sorted into buckets that spill to disk. One
//! pass over the identities of the profiles says where each of them stands ([`people`]). Both meet
//! bucket by bucket ([`join`]); an event belongs to every profile that has its identity. Then the
//! states of each profile become its answers, which lie in a file in the order of the profiles
//! ([`answers`]), and the reader of profiles adds them as fields to its batches.
//!
//! Nothing here is larger in memory than a bucket and the states of the batches in hand. States are
//! joined in any order with the same outcome, so that the answers do not depend on the number of
//! threads.

mod answers;
mod fields;
mod join;
mod people;
mod question;
mod scan;
mod sequence;
mod state;
mod sum;
mod window;

use std::collections::BTreeSet;
use std::sync::Arc;

use jiff::Timestamp;
use plan::project::Identity;

use crate::engine::Settings;
use crate::error::Error;
use crate::expression::{self, Parsed, event_query};
use crate::merge::Content;
use crate::profiles::Profiles;
use crate::selection::wrong_expression;
use crate::survey::Survey;

pub(crate) use answers::{Answers, with_fields};
pub use fields::EventFields;

use question::Question;

/// The name of all event datasets together, in rules.
pub const ALL: &str = "events";

/// An expression, and where it stands.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Text<'a> {
    pub(crate) text: &'a str,
    /// `rule`, or the header of a column.
    pub(crate) place: &'a str,
}

/// Profiles with the answers to what is asked of their events.
pub(crate) struct Answered {
    pub(crate) survey: Arc<Survey>,
    /// Events that belong to nobody, by reason.
    pub(crate) left_out: Vec<(String, u64)>,
}

/// A question, and where it stands.
#[derive(Debug)]
struct Asked {
    question: Question,
    place: String,
}

/// Looks up the fields of the events of a project.
///
/// # Errors
/// A file cannot be read, or two files of a dataset disagree on the type of a field.
pub(crate) async fn fields(profiles: &Profiles, threads: usize) -> Result<EventFields, Error> {
    EventFields::of(&profiles.events, threads).await
}

/// Answers what expressions ask of events. Without questions the profiles stay as they are and no
/// event is read.
///
/// # Errors
/// An expression that does not fit the events; whatever reading them does; a value for which an
/// expression cannot be computed.
pub(crate) async fn answered(
    texts: &[Text<'_>],
    now: Timestamp,
    profiles: &Profiles,
    content: &Content,
    settings: &Settings,
) -> Result<Answered, Error> {
    let is_asking = |text: &Text<'_>| event_query::asks(text.text);
    if !texts.iter().any(is_asking) {
        return Ok(Answered { survey: Arc::clone(&content.survey), left_out: Vec::new() });
    }
    let known = EventFields::of(&profiles.events, settings.threads).await?;
    let questions = expression::with_stack(|| questions(texts, now, &known, content))?;
    if questions.is_empty() {
        return Ok(Answered { survey: Arc::clone(&content.survey), left_out: Vec::new() });
    }
    let events = scan::Events::new(&profiles.events, questions, settings.threads).await?;
    let events = Arc::new(events);
    let namespaces: BTreeSet<String> =
        events.sources.iter().map(|source| source.namespace.clone()).collect();
    let people = people::find(profiles, content, namespaces, settings).await?;
    let scanned = scan::scan(&events, settings).await?;
    let joined = join::join(&people, scanned.states, events.sources.len(), settings).await?;
    let left_out = left_out(&events, &scanned.left_out, &joined.strangers);
    let answers = answers::find(&events, people.starts, joined.states, settings).await?;
    let survey = Arc::new(content.survey.with_answers(answers));
    Ok(Answered { survey, left_out })
}

/// The questions of all expressions, each once.
fn questions(
    texts: &[Text<'_>],
    now: Timestamp,
    known: &EventFields,
    content: &Content,
) -> Result<Vec<Asked>, Error> {
    let schema = crate::fields::describe(&content.survey.schema);
    let mut questions: Vec<Asked> = Vec::new();
    for Text { text, place } in texts {
        let wrong = |error| wrong_expression(error, place);
        let parsed = Parsed::new(text, &schema).map_err(wrong)?;
        for query in &parsed.queries {
            if questions.iter().any(|asked| asked.question.answer == query.answer) {
                continue;
            }
            let question = Question::new(known, &parsed, query, now).map_err(wrong)?;
            questions.push(Asked { question, place: (*place).to_owned() });
        }
    }
    Ok(questions)
}

/// What is said about events that belong to nobody. Reasons begin with `event_`, so that they are
/// not taken for those of profiles.
fn left_out(
    events: &scan::Events,
    unplaced: &[scan::LeftOut],
    strangers: &[u64],
) -> Vec<(String, u64)> {
    let mut all = Vec::new();
    for (number, source) in events.sources.iter().enumerate() {
        let scan::LeftOut { without_identity, without_time } = unplaced[number];
        let key = &source.key;
        all.push((format!("event_without_identity:{key}"), without_identity));
        if source.time.is_some() {
            all.push((format!("event_without_time:{key}"), without_time));
        }
        all.push((format!("event_without_profile:{key}"), strangers[number]));
    }
    all
}

/// The identity that the events of a dataset have.
fn identity(identities: &[Identity]) -> Result<&Identity, Error> {
    identities.first().ok_or_else(|| Error::internal("an event dataset without an identity"))
}
