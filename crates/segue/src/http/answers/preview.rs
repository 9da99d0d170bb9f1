//! Objects that nobody has saved: what is wrong with them, and what they would come to.

use std::sync::Arc;

use plan::Section;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::profiles::{beside, while_asked};
use crate::app::objects::{self, Found, Name, Refused};
use crate::app::preview::{self, ROWS_SHOWN_MAX, Wanted};
use crate::cli::slot_now;
use crate::http::App;
use crate::http::problem::Problem;
use crate::http::request::{Ask, Reply};
use crate::http::rights::Right;
use crate::sources::Sources;

/// Objects in the shape of the project file, which are taken as if they were kept.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct PreviewObjects {
    #[serde(default)]
    segments: Map<String, Value>,
    #[serde(default)]
    accounts: Map<String, Value>,
    #[serde(default)]
    destinations: Map<String, Value>,
    #[serde(default)]
    activations: Map<String, Value>,
    /// The activation that is looked at
    activation: String,
    /// How many rows to show, masked; needs the right to analyse
    #[serde(default)]
    #[schemars(range(min = 0, max = 50))]
    rows: usize,
    /// Whether rows are counted; needs the right to analyse
    #[serde(default)]
    count: bool,
    /// The segments that are looked at; without it all of the activation. Where nothing is counted, whether the
    /// rules of the others fit to the data is not checked
    #[serde(default)]
    only: Vec<String>,
}

/// What they would come to.
#[derive(Serialize, Deserialize, JsonSchema)]
pub(crate) struct Previewed {
    pub(crate) valid: bool,
    pub(crate) problems: Vec<ObjectProblem>,
    /// What the files of the first segment begin with
    pub(crate) address: Option<String>,
    pub(crate) segments: Vec<SegmentPreviewed>,
    /// The first lines of a full file of the first segment; letters and digits are masked
    pub(crate) text: Option<String>,
    /// What to paste where, for the destination of the activation
    pub(crate) documents: Option<Documents>,
    /// Usage policies that ask for a marketing action of the destination
    pub(crate) policies: Vec<PolicyPreviewed>,
}

/// What a usage policy says.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct PolicyPreviewed {
    pub(crate) policy: String,
    pub(crate) name: String,
    /// Those of its marketing actions that the destination is used for
    pub(crate) marketing_actions: Vec<String>,
    /// The labels that must not be sent then; `I1 AND S1` where only both together must not
    pub(crate) labels: Vec<String>,
    /// Whether nothing stands against it
    pub(crate) holds: bool,
    pub(crate) uses: Vec<UsePreviewed>,
    /// What to do where it does not hold
    pub(crate) hint: Option<String>,
}

/// A labelled field that must not be sent.
#[derive(Serialize, Deserialize, JsonSchema)]
pub(crate) struct UsePreviewed {
    pub(crate) field: String,
    pub(crate) labels: Vec<String>,
    /// The column that shows it
    pub(crate) column: Option<String>,
    /// The place of the column in the mapping, counted from 0
    pub(crate) position: Option<usize>,
    /// The segment whose rule asks it
    pub(crate) segment: Option<String>,
    pub(crate) message: String,
}

/// What to paste where.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Documents {
    /// What the user or role that delivers may do
    pub(crate) iam: Value,
    /// Who may assume the role
    pub(crate) trust: Option<Value>,
    /// What the role's trust policy asks for
    pub(crate) external_id: Option<String>,
}

/// What is wrong.
#[derive(Serialize, Deserialize, JsonSchema)]
pub(crate) struct ObjectProblem {
    /// The member of the definition, or where else it is
    pub(crate) place: String,
    pub(crate) code: String,
    pub(crate) message: String,
    pub(crate) hint: Option<String>,
}

/// What a segment comes to.
#[derive(Serialize, Deserialize, JsonSchema)]
pub(crate) struct SegmentPreviewed {
    pub(crate) segment: String,
    pub(crate) name: String,
    pub(crate) file: String,
    /// What the file's address begins with
    pub(crate) address: String,
    /// Whether each file replaces the one before
    pub(crate) replaces: bool,
    pub(crate) slots: Vec<SlotPreviewed>,
    /// The days of the next five weeks on which something is due, or on which clocks change
    pub(crate) days: Vec<DayPreviewed>,
    pub(crate) members: Option<u64>,
    /// Of a full file
    pub(crate) rows: Option<u64>,
    /// Members that would be left out, by reason; consent among them
    pub(crate) excluded: Vec<ExcludedPreviewed>,
}

/// Members that would be left out.
#[derive(Serialize, Deserialize, JsonSchema)]
pub(crate) struct ExcludedPreviewed {
    /// consent, missing:COLUMN, duplicate
    pub(crate) reason: String,
    pub(crate) profiles: u64,
}

/// A day on the clocks of the schedule.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct DayPreviewed {
    pub(crate) date: String,
    /// The time of the first slot, if there is one
    pub(crate) first: Option<String>,
    pub(crate) slots: u64,
    pub(crate) clocks_changed: bool,
}

/// A slot to come.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct SlotPreviewed {
    pub(crate) slot: String,
    pub(crate) zone: Option<String>,
    pub(crate) clocks_changed: bool,
}

pub(crate) async fn preview(app: Arc<App>, ask: Ask) -> Result<Reply, Problem> {
    let wanted: PreviewObjects = ask.json()?;
    if wanted.rows > ROWS_SHOWN_MAX {
        let detail = format!("`rows` is at most {ROWS_SHOWN_MAX}.");
        return Err(Problem::at_member("/rows", detail));
    }
    let may = |right| ask.actor.role.is_some_and(|role| role.may(right));
    let may_analyse = may(Right::Analyse);
    // Whoever begins runs sees what they come to, so may know it before. A rule that nobody has saved is a
    // question about profiles.
    let may_count = may_analyse || (may(Right::Operate) && wanted.segments.is_empty());
    let PreviewObjects {
        segments,
        accounts,
        destinations,
        activations,
        activation,
        rows,
        count,
        only,
    } = wanted;
    let sections = [
        (Section::Segments, segments),
        (Section::Accounts, accounts),
        (Section::Destinations, destinations),
        (Section::Activations, activations),
    ];
    let of_section = |(section, entries): (Section, Map<String, Value>)| {
        entries.into_iter().map(move |(key, definition)| ((section, key), definition))
    };
    let more: Vec<(Name, Value)> = sections.into_iter().flat_map(of_section).collect();
    let now = slot_now();
    let (asker, reads) = (ask.asker.clone(), (may_analyse && rows > 0) || (count && may_count));
    let work = async move |app: &App| {
        let shared = &app.shared;
        let (candidate, forbidden) =
            match Box::pin(objects::with(&shared.global, &shared.ledger, &more, now)).await {
                Ok(found) => found,
                Err(Refused::Failed(failure)) => return Err(failure),
                Err(Refused::Invalid(found)) => {
                    return Ok(wrong(found.iter().map(problem).collect()));
                }
                Err(refused) => {
                    let failure = crate::failure::Failure::from(refused);
                    return Ok(wrong(vec![told(&failure)]));
                }
            };
        let wanted = Wanted {
            activation: &activation,
            rows: if may_analyse { rows } else { 0 },
            count: count && may_count,
            only: &only,
            now,
        };
        let mut sources = None;
        if wanted.rows > 0 || wanted.count {
            // First lines come while somebody fills in columns, and do not wait for the rules of segments
            // that are not looked at. Whoever counts is told of every rule.
            let checked = if wanted.count { &[] } else { wanted.only };
            let looked = Sources::look_for(&candidate, &shared.global, &activation, checked);
            let (opened, problems) = Box::pin(looked).await?;
            // What does not fit to the data is told at its place in the draft.
            let found = objects::errors_in(&candidate, &problems);
            if !found.is_empty() {
                return Ok(wrong(found.iter().map(problem).collect()));
            }
            sources = Some(opened);
        }
        match Box::pin(preview::preview(&candidate, sources.as_ref(), wanted)).await {
            Ok(preview) => {
                let found = fine(preview);
                let problems: Vec<ObjectProblem> = forbidden.iter().map(problem).collect();
                Ok(Previewed { valid: problems.is_empty(), problems, ..found })
            }
            Err(failure) if failure.kind == crate::failure::Kind::Usage => {
                Ok(wrong(vec![told(&failure)]))
            }
            Err(failure) => Err(failure),
        }
    };
    let found =
        if reads { while_asked(&app, &asker, work).await? } else { beside(&app, work).await? };
    Reply::json(&found)
}

fn wrong(problems: Vec<ObjectProblem>) -> Previewed {
    Previewed {
        valid: false,
        problems,
        address: None,
        segments: Vec::new(),
        text: None,
        documents: None,
        policies: Vec::new(),
    }
}

fn problem(found: &Found) -> ObjectProblem {
    ObjectProblem {
        place: found.pointer.trim_start_matches('/').replace('/', "."),
        code: found.code.to_owned(),
        message: found.message.clone(),
        hint: found.hint.clone(),
    }
}

fn told(failure: &crate::failure::Failure) -> ObjectProblem {
    ObjectProblem {
        place: String::new(),
        code: failure.kind.code().to_owned(),
        message: failure.one_line(),
        hint: failure.hints.first().cloned(),
    }
}

fn fine(preview: preview::Preview) -> Previewed {
    let slot = |it: &crate::app::schedule::UpcomingSlot| SlotPreviewed {
        slot: it.slot.to_string(),
        zone: it.local.time_zone().iana_name().map(str::to_owned),
        clocks_changed: it.clocks_changed,
    };
    let day = |it: &crate::app::schedule::Day| DayPreviewed {
        date: it.date.to_string(),
        first: it.first.map(|first| first.to_string()),
        slots: it.count,
        clocks_changed: it.clocks_changed,
    };
    let segment = |it: preview::Segment| SegmentPreviewed {
        slots: it.slots.iter().map(slot).collect(),
        days: it.days.iter().map(day).collect(),
        segment: it.key,
        name: it.name,
        file: it.file,
        address: it.address,
        replaces: it.is_static,
        members: it.rows.map(|(members, _)| members),
        rows: it.rows.map(|(_, rows)| rows),
        excluded: it
            .excluded
            .into_iter()
            .map(|(reason, profiles)| ExcludedPreviewed { reason, profiles })
            .collect(),
    };
    Previewed {
        valid: true,
        problems: Vec::new(),
        address: Some(preview.address),
        segments: preview.segments.into_iter().map(segment).collect(),
        text: preview.text,
        documents: preview.documents.map(|it| Documents {
            iam: it.iam,
            trust: it.trust,
            external_id: it.external_id,
        }),
        policies: preview.policies.into_iter().map(policy).collect(),
    }
}

fn policy(it: preview::Policy) -> PolicyPreviewed {
    let used = |it: preview::Use| {
        let (position, column) = it.column.unzip();
        let preview::Use { field, labels, segment, message, .. } = it;
        UsePreviewed { field, labels, column, position, segment, message }
    };
    PolicyPreviewed {
        policy: it.key,
        name: it.name,
        marketing_actions: it.actions,
        labels: it.labels,
        holds: it.uses.is_empty(),
        uses: it.uses.into_iter().map(used).collect(),
        hint: it.hint,
    }
}
