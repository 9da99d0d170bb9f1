//! One person: what is known, and in which segments and why.

use engine::{Explained, Join, Judged, Outcome, PersonId, Profile};
use jiff::Timestamp;
use plan::project::Segment;

use crate::cli::mask::mask;
use crate::cli::profile::cells;
use crate::failure::Failure;
use crate::sources::Sources;
use crate::workspace::Workspace;

/// The most segments that are explained at once: each asks the identities of all profiles.
pub(crate) const SEGMENTS_EXPLAINED_MAX: usize = 50;
/// The most characters of a value or a condition.
const CHARS_MAX: usize = 200;

/// One person, as far as the asker may see.
#[derive(Debug)]
pub(crate) struct Person {
    pub(crate) identities: Vec<(String, Vec<String>)>,
    /// How many records of each dataset were merged.
    pub(crate) records: Vec<(String, u64)>,
    pub(crate) fields: Vec<Field>,
    pub(crate) memberships: Vec<Membership>,
    /// How many segments were not asked.
    pub(crate) segments_left_out: usize,
}

/// A field with the record that its value comes from.
#[derive(Debug)]
pub(crate) struct Field {
    pub(crate) path: String,
    pub(crate) value: String,
    pub(crate) dataset: String,
    pub(crate) record_time: Option<String>,
}

/// How the person stands in a segment.
#[derive(Debug)]
pub(crate) struct Membership {
    pub(crate) segment: String,
    pub(crate) name: String,
    pub(crate) is_member: bool,
    /// The conditions that decide, with the values that they read.
    pub(crate) decided_by: Vec<String>,
}

/// What is asked for.
pub(crate) struct Wanted<'a> {
    pub(crate) person: &'a PersonId,
    pub(crate) unmask: bool,
    pub(crate) now: Timestamp,
}

/// Finds somebody's profile. Returns nothing where none has the identity.
///
/// # Errors
/// There is no such namespace, several profiles have the identity, or the data cannot be read.
pub(crate) async fn find(sources: &Sources, person: &PersonId) -> Result<Option<Profile>, Failure> {
    let Sources { engine, profiles } = sources;
    // In a box: reading profiles is a deep future, and this one would be deeper still.
    Ok(Box::pin(engine.profile(profiles, &person.namespace, &person.value)).await?)
}

/// Tells what is known of the person with a profile.
///
/// # Errors
/// The data cannot be read, or the rule of a segment does not fit to it.
pub(crate) async fn tell(
    workspace: &Workspace,
    sources: &Sources,
    profile: &Profile,
    wanted: &Wanted<'_>,
) -> Result<Person, Failure> {
    let shown = |text: &str| short(&if wanted.unmask { text.to_owned() } else { mask(text) });
    let values = cells(&profile.values, 0)?;
    let schema = profile.values.schema();
    let fields = schema.fields().iter().zip(values).zip(&profile.origins);
    let fields = fields.map(|((field, value), origin)| Field {
        path: field.name().clone(),
        value: shown(&value),
        dataset: origin.dataset.clone(),
        record_time: origin.time.clone(),
    });
    let identities = profile.identities.iter();
    let identities = identities.map(|(namespace, values)| {
        (namespace.clone(), values.iter().map(|it| shown(it)).collect())
    });
    let (fields, identities) = (fields.collect(), identities.collect());
    let segments = &workspace.project.segments;
    let mut memberships = Vec::new();
    for segment in segments.iter().take(SEGMENTS_EXPLAINED_MAX) {
        let asked = membership(workspace, sources, segment, wanted, &shown);
        memberships.push(Box::pin(asked).await?);
    }
    Ok(Person {
        identities,
        records: profile.records.clone(),
        fields,
        memberships,
        segments_left_out: segments.len().saturating_sub(SEGMENTS_EXPLAINED_MAX),
    })
}

async fn membership(
    workspace: &Workspace,
    sources: &Sources,
    segment: &Segment,
    wanted: &Wanted<'_>,
    shown: &impl Fn(&str) -> String,
) -> Result<Membership, Failure> {
    let query = workspace.project.members(segment, wanted.now);
    let explained = sources.engine.explain(&query, &sources.profiles, wanted.person, None);
    let explained = Box::pin(explained).await?;
    let (is_member, decided_by) = match &explained {
        Explained::Profile(found) => {
            let mut decided_by = Vec::new();
            deciding(&found.rule, &segment.rule.text, shown, &mut decided_by);
            (found.rule.outcome == Outcome::True, decided_by)
        }
        Explained::Nobody | Explained::LeftOut(_) => (false, Vec::new()),
    };
    Ok(Membership {
        segment: segment.key.clone(),
        name: segment.name.clone(),
        is_member,
        decided_by,
    })
}

/// Collects the conditions that decide, each with the values that it reads.
fn deciding(part: &Judged, rule: &str, shown: &impl Fn(&str) -> String, found: &mut Vec<String>) {
    if !part.decides {
        return;
    }
    if part.join != Join::Condition {
        part.parts.iter().for_each(|inner| deciding(inner, rule, shown, found));
        return;
    }
    let text = rule.get(part.range.clone()).unwrap_or_default();
    let values = part.fields.iter().map(|field| match &field.value {
        Some(value) => format!("{} = {}", field.of, shown(value)),
        None => format!("{} = ∅", field.of),
    });
    let values: Vec<String> = values.collect();
    found.push(match values.is_empty() {
        true => short(text),
        false => format!("{}  ({})", short(text), values.join(", ")),
    });
}

/// The beginning of a text, on one line.
fn short(text: &str) -> String {
    let line: Vec<&str> = text.split_whitespace().collect();
    let line = line.join(" ");
    match line.char_indices().nth(CHARS_MAX) {
        Some((end, _)) => format!("{}…", &line[..end]),
        None => line,
    }
}
