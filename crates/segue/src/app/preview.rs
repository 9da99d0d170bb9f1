//! What an activation would come to, before it is saved: file names, slots, the first lines as they would
//! be written, and exactly how many rows.

use futures::StreamExt as _;
use jiff::Timestamp;
use plan::project::Auth;
use plan::usage::{UsedBy, Verdict};
use plan::{Project, permission, policy};
use serde_json::Value;

use crate::app::questions::{self, Shown, Values};
use crate::app::schedule::{self, Day, UpcomingSlot};
use crate::failure::Failure;
use crate::sources::Sources;
use crate::workspace::Workspace;

/// The most rows that are shown.
pub(crate) const ROWS_SHOWN_MAX: usize = 50;
/// How many slots are shown of each segment.
const SLOTS: usize = 5;

/// What is asked for.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Wanted<'a> {
    /// The key of the activation.
    pub(crate) activation: &'a str,
    /// How many rows to show.
    pub(crate) rows: usize,
    /// Whether rows are counted.
    pub(crate) count: bool,
    /// The segments that are looked at; all of the activation where it is empty.
    pub(crate) only: &'a [String],
    pub(crate) now: Timestamp,
}

/// What the activation comes to.
pub(crate) struct Preview {
    /// What its files begin with.
    pub(crate) address: String,
    pub(crate) segments: Vec<Segment>,
    /// The first lines of a full file of the first segment, masked.
    pub(crate) text: Option<String>,
    pub(crate) documents: Option<Documents>,
    /// What usage policies say, those that are asked.
    pub(crate) policies: Vec<Policy>,
}

/// What a usage policy says to the activation.
pub(crate) struct Policy {
    pub(crate) key: String,
    pub(crate) name: String,
    /// Those of its marketing actions that the destination is used for.
    pub(crate) actions: Vec<String>,
    /// The labels that it forbids then.
    pub(crate) labels: Vec<String>,
    /// What it has against the activation; nothing where it holds.
    pub(crate) uses: Vec<Use>,
    /// What to do about that.
    pub(crate) hint: Option<String>,
}

/// A labelled field that a policy keeps from being sent.
pub(crate) struct Use {
    pub(crate) field: String,
    pub(crate) labels: Vec<String>,
    /// The column that shows it, by its place in the mapping and its header.
    pub(crate) column: Option<(usize, String)>,
    /// The segment whose rule asks it.
    pub(crate) segment: Option<String>,
    /// All of it in a sentence.
    pub(crate) message: String,
}

fn policies(project: &Project, activation: &str) -> Vec<Policy> {
    let Some(activation) = project.activation(activation) else { return Vec::new() };
    let owned = |all: &[&str]| all.iter().map(|it| (*it).to_owned()).collect();
    let policy = |verdict: Verdict<'_>| Policy {
        key: verdict.policy.key.clone(),
        name: verdict.policy.name.clone(),
        actions: owned(&verdict.actions),
        labels: verdict.policy.sets().collect(),
        uses: verdict
            .uses
            .iter()
            .map(|it| Use {
                field: it.field.to_string(),
                labels: owned(&it.labels),
                column: match it.by {
                    UsedBy::Column { position, header } => Some((position, header.to_owned())),
                    UsedBy::Rule { .. } => None,
                },
                segment: match it.by {
                    UsedBy::Rule { segment } => Some(segment.to_owned()),
                    UsedBy::Column { .. } => None,
                },
                message: verdict.told(it),
            })
            .collect(),
        hint: (!verdict.uses.is_empty()).then(|| verdict.way_out(&activation.destination)),
    };
    project.verdicts(activation).into_iter().map(policy).collect()
}

/// What to paste where, so that the destination of the activation works.
pub(crate) struct Documents {
    /// What the user or role that delivers may do.
    pub(crate) iam: Value,
    /// Who may assume the role, for accounts with a role.
    pub(crate) trust: Option<Value>,
    pub(crate) external_id: Option<String>,
}

fn documents(project: &Project, activation: &str) -> Option<Documents> {
    let destination = project.destination(&project.activation(activation)?.destination)?;
    let account = project.account(&destination.account)?;
    let replaces = permission::replaces(project, destination);
    let uses = policy::Uses { replaces, reads_back: false };
    let all = policy::of(destination, account, account.region.as_deref(), uses, None);
    let external_id = match &account.auth {
        Auth::AssumeRole { external_id, .. } => external_id.clone(),
        _ => None,
    };
    Some(Documents { iam: all.iam, trust: all.trust, external_id })
}

/// What one of its segments comes to.
pub(crate) struct Segment {
    pub(crate) key: String,
    pub(crate) name: String,
    /// The name of the next file.
    pub(crate) file: String,
    /// The address that the name stands behind.
    pub(crate) address: String,
    /// Whether each file replaces the one before.
    pub(crate) is_static: bool,
    pub(crate) slots: Vec<UpcomingSlot>,
    /// What is due on the days of the next weeks.
    pub(crate) days: Vec<Day>,
    /// Members, and the rows of a full file.
    pub(crate) rows: Option<(u64, u64)>,
    /// Members that are left out, by reason, where they were counted.
    pub(crate) excluded: Vec<(String, u64)>,
}

/// Finds out. Rows are read and counted where the datasets are open.
///
/// # Errors
/// There is no such activation, or the data does not fit or cannot be read.
pub(crate) async fn preview(
    workspace: &Workspace,
    sources: Option<&Sources>,
    wanted: Wanted<'_>,
) -> Result<Preview, Failure> {
    let project = &workspace.project;
    let upcoming = schedule::upcoming(project, Some(wanted.activation), SLOTS, wanted.now)?;
    let mut segments = Vec::new();
    let mut address = String::new();
    let is_wanted = |key: &String| wanted.only.is_empty() || wanted.only.contains(key);
    let upcoming: Vec<_> =
        upcoming.into_iter().filter(|it| is_wanted(&it.export.segment)).collect();
    let named = upcoming.iter().map(|it| {
        let at = it.slots.first().map_or(wanted.now, |slot| slot.slot);
        (it.export.segment.as_str(), at)
    });
    let plans = project.run_plans(wanted.activation, named)?;
    for (it, plan) in upcoming.into_iter().zip(&plans) {
        let key = plan.output.key(1);
        let (folder, file) = key.rsplit_once('/').unwrap_or(("", &key));
        let folder = format!("{folder}{}", if folder.is_empty() { "" } else { "/" });
        let destination = project.destination(&plan.destination);
        let of_segment = destination.map(|it| it.address(&folder)).unwrap_or_default();
        if address.is_empty() {
            address.clone_from(&of_segment);
        }
        let found = project.segment(&it.export.segment);
        segments.push(Segment {
            key: it.export.segment.clone(),
            name: found.map_or_else(|| it.export.segment.clone(), |found| found.name.clone()),
            file: file.to_owned(),
            address: of_segment,
            is_static: plan.output.is_static,
            slots: it.slots,
            days: it
                .export
                .schedule
                .as_ref()
                .map(|schedule| schedule::calendar(schedule, wanted.now))
                .unwrap_or_default(),
            rows: None,
            excluded: Vec::new(),
        });
    }
    let mut text = None;
    if let Some(sources) = sources {
        if let Some(plan) = plans.first().filter(|_| wanted.rows > 0) {
            let rows = wanted.rows.min(ROWS_SHOWN_MAX);
            let of = (workspace, sources);
            // In boxes: reading profiles is a deep future, and this one would be deeper still.
            let found = questions::first_rows(of, plan, Shown::Full, rows, Values::Masked);
            let found = Box::pin(found).await?;
            text = Some(format!("{}{}", found.header, found.text));
        }
        if wanted.count {
            for (segment, plan) in segments.iter_mut().zip(&plans) {
                let (engine, profiles) = (&sources.engine, &sources.profiles);
                Box::pin(crate::run::look(&plan.query, engine, profiles)).await?;
                let rows = Box::pin(engine.rows(&plan.query, profiles)).await?;
                let tally = rows.tally();
                let mut batches =
                    rows.map_ordered(|batch| Ok::<_, engine::Error>(batch.num_rows()));
                while let Some(batch) = batches.next().await {
                    batch?;
                }
                let counts = tally.counts();
                segment.rows = Some((counts.received, counts.activated));
                segment.excluded = counts.excluded;
            }
        }
    }
    let documents = documents(project, wanted.activation);
    let policies = policies(project, wanted.activation);
    Ok(Preview { address, segments, text, documents, policies })
}
