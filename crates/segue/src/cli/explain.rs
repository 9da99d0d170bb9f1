//! `segue explain`: why somebody is in a segment or not, and in a file or not.

mod export;
mod gone;
mod rule;

use ::plan::RunPlan;
use ::plan::project::Segment;
use engine::{Explained, Explanation, Export, LeftOut, Outcome, PersonId};
use serde_json::json;

use crate::app::last_sent;
use crate::cli::mask::mask;
use crate::cli::{Format, Global};
use crate::failure::Failure;
use crate::run;
use crate::sources::Sources;
use crate::workspace::{self, Workspace};

/// Say why a person is in a segment or not, and what becomes of them in an export
///
/// Each part of the rule is shown with what holds of it and the values that it reads; an arrow marks
/// those that decide. Letters and digits of values are masked unless --unmask is given.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// One of the person's identities, such as `CRMID:12345`
    #[arg(value_name = "NAMESPACE:ID")]
    identity: String,
    /// The key of the segment
    segment: String,
    /// Also say whether the person would be in the file of this activation, and why not
    #[arg(long, value_name = "KEY")]
    activation: Option<String>,
    /// Show real values
    #[arg(long)]
    unmask: bool,
}

/// What is explained, and how it is shown.
struct Case<'a> {
    workspace: &'a Workspace,
    segment: &'a Segment,
    asked: &'a PersonId,
    plan: Option<&'a RunPlan>,
    unmask: bool,
}

impl Case<'_> {
    /// A value of the profile.
    fn shown(&self, value: &str) -> String {
        if self.unmask { value.to_owned() } else { mask(value) }
    }

    fn person(&self, person: &PersonId) -> String {
        format!("{} {}", person.namespace, self.shown(&person.value))
    }
}

pub(crate) async fn run(global: &Global, args: &Args) -> Result<(), Failure> {
    let asked = identity(&args.identity, &format!("segue explain CRMID:12345 {}", args.segment))?;
    let workspace = Workspace::load(global).await?;
    let project = &workspace.project;
    let segment = project.segment(&args.segment).ok_or_else(|| {
        let names = project.segments.iter().map(|segment| segment.key.as_str());
        workspace::unknown("segment", &args.segment, names)
    })?;
    let now = super::slot_now();
    let plan = match &args.activation {
        Some(activation) => Some(project.run_plan(activation, &segment.key, now)?),
        None => None,
    };
    let (sources, _) = Sources::open(&workspace, global).await?;
    let explained = explain(&workspace, &sources, segment, &asked, plan.as_ref()).await?;
    let (plan, unmask, asked) = (plan.as_ref(), args.unmask, &asked);
    let case = Case { workspace: &workspace, segment, asked, plan, unmask };
    match (explained, global.output) {
        (Explained::Nobody, format) => {
            let found = gone::find(&workspace, &sources, segment, asked, plan);
            match (Box::pin(found).await?, format) {
                (None, _) => return Err(nobody()),
                (Some(gone), Format::Text) => super::answer(&gone::text(&case, &gone)),
                (Some(gone), Format::Json) => super::answer_json(&gone::as_json(&case, &gone)),
            }
        }
        (Explained::LeftOut(reason), Format::Text) => super::answer(&no_profile(&case, &reason)),
        (Explained::LeftOut(reason), Format::Json) => {
            super::answer_json(&no_profile_json(&case, &reason));
        }
        (Explained::Profile(found), Format::Text) => super::answer(&text(&case, &found)),
        (Explained::Profile(found), Format::Json) => super::answer_json(&as_json(&case, &found)),
    }
    Ok(())
}

/// Explains for machines; nothing when no record has the identity.
///
/// # Errors
/// The activation does not send the segment, or the profiles cannot be read.
pub(crate) async fn told(
    workspace: &Workspace,
    sources: &Sources,
    segment: &Segment,
    activation: Option<&str>,
    asked: &PersonId,
    unmask: bool,
) -> Result<serde_json::Value, Failure> {
    let plan = activation
        .map(|it| workspace.project.run_plan(it, &segment.key, super::slot_now()))
        .transpose()?;
    let explained = explain(workspace, sources, segment, asked, plan.as_ref()).await?;
    let case = Case { workspace, segment, asked, plan: plan.as_ref(), unmask };
    Ok(match explained {
        Explained::Nobody => {
            let found = gone::find(workspace, sources, segment, asked, plan.as_ref());
            Box::pin(found)
                .await?
                .map_or(serde_json::Value::Null, |gone| gone::as_json(&case, &gone))
        }
        Explained::LeftOut(reason) => no_profile_json(&case, &reason),
        Explained::Profile(found) => as_json(&case, &found),
    })
}

/// Reads an identity of the command line.
pub(crate) fn identity(text: &str, example: &str) -> Result<PersonId, Failure> {
    let (namespace, value) = text.split_once(':').ok_or_else(|| {
        Failure::usage("an identity is a namespace and a value with a colon between them")
            .hint(format!("Write for example `{example}`."))
    })?;
    Ok(PersonId { namespace: namespace.to_owned(), value: value.to_owned() })
}

fn nobody() -> Failure {
    Failure::usage("no record has this identity").hint(
        "Identities are compared letter by letter; somebody who is gone is known by the primary identity that their profile had.",
    )
}

async fn explain(
    workspace: &Workspace,
    sources: &Sources,
    segment: &Segment,
    asked: &PersonId,
    plan: Option<&RunPlan>,
) -> Result<Explained, Failure> {
    let Some(plan) = plan else {
        let query = workspace.project.members(segment, super::slot_now());
        return Ok(sources.engine.explain(&query, &sources.profiles, asked, None).await?);
    };
    run::look(&plan.query, &sources.engine, &sources.profiles).await?;
    let last = last_sent::find(workspace, plan).await?;
    let baseline = last.as_ref().map(|it| it.baseline.as_path());
    let export = Export { increment: plan.increment.as_ref(), baseline };
    Ok(sources.engine.explain(&plan.query, &sources.profiles, asked, Some(export)).await?)
}

fn text(case: &Case<'_>, found: &Explanation) -> String {
    let (person, segment) = (case.person(&found.person), &case.segment.key);
    let head = match &found.rule.outcome {
        Outcome::True => format!("{person} is in segment `{segment}`"),
        Outcome::False => format!("{person} is not in segment `{segment}`"),
        Outcome::Unknown => format!(
            "{person} is not in segment `{segment}`: for lack of a value, the rule is neither true nor false"
        ),
        Outcome::Failed(_) => format!("{person} makes the runs of segment `{segment}` fail"),
    };
    let mut lines = vec![head, String::new(), rule::text(case, &found.rule)];
    if let Some(plan) = case.plan {
        lines.push(String::new());
        lines.push(export::text(case, plan, &found.rows));
    }
    lines.join("\n")
}

fn as_json(case: &Case<'_>, found: &Explanation) -> serde_json::Value {
    json!({
        "segment": case.segment.key,
        "profile": {
            "namespace": found.person.namespace,
            "value": case.shown(&found.person.value),
        },
        "masked": !case.unmask,
        "isMember": found.rule.outcome == Outcome::True,
        "rule": rule::as_json(case, &found.rule),
        "activation": case.plan.map(|plan| export::as_json(case, plan, &found.rows)),
    })
}

fn no_profile(case: &Case<'_>, reason: &LeftOut) -> String {
    format!("{} is in no segment: {}.", case.person(case.asked), why_left_out(reason))
}

/// Why records that have an identity are no profile.
pub(crate) fn why_left_out(reason: &LeftOut) -> String {
    match reason {
        LeftOut::NoPrimaryIdentity { datasets } => format!(
            "its records, of `{}`, have no primary identity, and with `stitch: none` that is what profiles are told apart by",
            datasets.join("`, `")
        ),
        LeftOut::TooManyIdentities { most } => format!(
            "it is connected to more than {most} identities; most likely one of them, such as the address of a shop, belongs to many"
        ),
        LeftOut::TooManyRecords => {
            "it has more records than one person can have; most likely it is a word for \"unknown\""
                .to_owned()
        }
    }
}

fn no_profile_json(case: &Case<'_>, reason: &LeftOut) -> serde_json::Value {
    let word = match reason {
        LeftOut::NoPrimaryIdentity { .. } => "no_primary_identity",
        LeftOut::TooManyIdentities { .. } => "too_many_identities",
        LeftOut::TooManyRecords => "too_many_records",
    };
    json!({
        "segment": case.segment.key,
        "profile": null,
        "masked": !case.unmask,
        "isMember": false,
        "leftOut": word,
    })
}
