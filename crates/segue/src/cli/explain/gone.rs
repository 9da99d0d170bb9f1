//! What is still known of somebody whom no record of the datasets has.
//!
//! It comes from what Segue keeps anyway: the history of the segment, the set that the last delivered run
//! of each increment left, and the records of whose data runs have sent. All of them know people by the
//! identity that their profile was known by.

use ::plan::RunPlan;
use ::plan::project::Segment;
use engine::{PastMember, PersonId, SentRow, Standing};
use jiff::Timestamp;
use ledger::{Ledger, RunRecord};
use serde_json::{Value, json};

use super::Case;
use super::export::{second, time};
use crate::app::last_sent::{self, LastSent};
use crate::app::who_got::{self, Wanted};
use crate::cli::{report, table};
use crate::failure::Failure;
use crate::sources::Sources;
use crate::stores;
use crate::workspace::Workspace;

/// What is known of them.
pub(super) struct Gone {
    /// What the history of the segment says, where one is kept.
    membership: Option<(Standing, Option<PastMember>)>,
    exits_kept_days: u32,
    exports: Vec<Exported>,
}

/// What an activation has sent of them.
struct Exported {
    plan: RunPlan,
    /// The last delivered run of an increment, and the rows that its receiver has by then; no rows where
    /// its set is not there, or of other keys.
    set: Option<(LastSent, Option<Vec<SentRow>>)>,
    /// The last delivered run that sent data of them.
    last: Option<RunRecord>,
    /// Of so many later runs that is not known.
    unknown: usize,
    /// When they stopped being a member, in microseconds since 1970, where the history knows it.
    exited: Option<i64>,
}

impl Gone {
    /// Whether anything is known.
    fn is_known(&self) -> bool {
        let was_member = self.membership.as_ref().is_some_and(|(_, past)| past.is_some());
        was_member || self.exports.iter().any(|it| it.last.is_some() || it.is_in_set())
    }
}

impl Exported {
    fn rows(&self) -> &[SentRow] {
        self.set.as_ref().and_then(|(_, rows)| rows.as_deref()).unwrap_or_default()
    }

    fn is_in_set(&self) -> bool {
        !self.rows().is_empty()
    }

    fn tells_leavers(&self) -> bool {
        self.plan.increment.as_ref().is_some_and(|increment| increment.leavers)
    }

    /// Whether their last row told that they left. It did if they are not in the set that this very run
    /// left, or if they were no member any more by then: whoever is in a file and not a member is somebody
    /// who left.
    fn was_told(&self) -> bool {
        let (Some(last), Some((set, Some(rows)))) = (&self.last, &self.set) else { return false };
        let removed = last.movement.as_ref().is_some_and(|movement| movement.removed > 0);
        let is_latest = last.run_id == set.run_id;
        let had_left = self.exited.is_some_and(|at| at <= last.slot.as_microsecond());
        rows.is_empty() && removed && (is_latest || had_left)
    }
}

/// Looks for what is known; nothing if that is nothing at all.
///
/// # Errors
/// Histories, baselines, records or the ledger cannot be read.
pub(super) async fn find(
    workspace: &Workspace,
    sources: &Sources,
    segment: &Segment,
    asked: &PersonId,
    plan: Option<&RunPlan>,
) -> Result<Option<Gone>, Failure> {
    let project = &workspace.project;
    let now = crate::cli::slot_now();
    let plans = match plan {
        Some(plan) => vec![plan.clone()],
        None => {
            let exports = project.exports().filter(|(_, export)| export.segment == segment.key);
            let keys = exports.map(|(activation, _)| &activation.key);
            keys.map(|key| project.run_plan(key, &segment.key, now)).collect::<Result<_, _>>()?
        }
    };
    let membership = sources.engine.past_member(segment.id, asked)?;
    let exits_kept_days = project.history(segment).exits_kept_days;
    let past = membership.and_then(|(_, past)| past);
    let exited = past.filter(|past| !past.is_realized).map(|past| past.since);
    let mut gone = Gone { membership, exits_kept_days, exports: Vec::new() };
    if let Some(ledger) = Ledger::open_read_only(workspace.ledger_place()).await? {
        for plan in plans {
            let set = set(workspace, sources, &plan, asked).await?;
            gone.exports.push(Exported { plan, set, last: None, unknown: 0, exited });
        }
        last_runs(workspace, sources, &ledger, asked, &mut gone.exports).await?;
        ledger.close().await;
    }
    Ok(Some(gone).filter(Gone::is_known))
}

async fn set(
    workspace: &Workspace,
    sources: &Sources,
    plan: &RunPlan,
    asked: &PersonId,
) -> Result<Option<(LastSent, Option<Vec<SentRow>>)>, Failure> {
    let (Some(increment), Some(last)) = (&plan.increment, last_sent::find(workspace, plan).await?)
    else {
        return Ok(None);
    };
    let (engine, profiles) = (&sources.engine, &sources.profiles);
    let rows = engine.sent_rows(&plan.query, increment, &last.baseline, profiles, asked).await?;
    Ok(Some((last, rows)))
}

/// Finds for each export the last run that sent data of them, page by page, until all are found.
async fn last_runs(
    workspace: &Workspace,
    sources: &Sources,
    ledger: &Ledger,
    asked: &PersonId,
    exports: &mut [Exported],
) -> Result<(), Failure> {
    let mut wanted = Wanted { person: asked.clone(), behind: None, now: crate::ambient::now() };
    loop {
        let page = who_got::ask(workspace, sources, ledger, &wanted).await?;
        for export in exports.iter_mut().filter(|export| export.last.is_none()) {
            let store = stores::identity(workspace, &export.plan.destination);
            let is_theirs = |run: &RunRecord| {
                (&run.activation, &run.segment) == (&export.plan.activation, &export.plan.segment)
                    && store.as_ref() == Some(&run.store)
            };
            let mut files = page.files.iter().map(|went| &went.run);
            export.last = files.find(|run| is_theirs(run)).cloned();
            let since = export.last.as_ref().map(|run| run.slot);
            let later = page.gaps.iter().filter(|gap| is_theirs(&gap.run));
            export.unknown += later.filter(|gap| since.is_none_or(|it| gap.run.slot > it)).count();
        }
        if page.next.is_none() || exports.iter().all(|export| export.last.is_some()) {
            return Ok(());
        }
        wanted.behind = page.next;
    }
}

pub(super) fn text(case: &Case<'_>, gone: &Gone) -> String {
    let person = case.person(case.asked);
    let mut lines = vec![
        format!("{person} is in no segment: no record has this identity any more."),
        String::new(),
        format!("segment `{}`: {}", case.segment.key, membership(gone)),
    ];
    for export in &gone.exports {
        lines.push(format!("activation `{}`: {}", export.plan.activation, sentence(export)));
        let cells = export.rows().iter().flat_map(|row| &row.key).map(|(header, value)| {
            let value = value.as_ref().map_or_else(String::new, |value| case.shown(value));
            vec![header.clone(), value]
        });
        let cells: Vec<_> = cells.collect();
        if !cells.is_empty() && export.tells_leavers() {
            lines.push(table::table(&["column", "value"], &[], cells));
        }
    }
    lines.join("\n")
}

fn membership(gone: &Gone) -> String {
    match &gone.membership {
        None => "no history of its members is kept".to_owned(),
        Some((standing, None)) => format!(
            "not among its members at the last evaluation, of {:.0}, nor among those who left; of these it is remembered for {} days",
            standing.evaluated_at, gone.exits_kept_days
        ),
        Some((_, Some(PastMember { is_realized: false, since }))) => {
            format!("was a member until {}", second(*since))
        }
        Some((standing, Some(PastMember { is_realized: true, since }))) => format!(
            "a member since {} by the last evaluation, of {:.0}; the next one ends that",
            second(*since),
            standing.evaluated_at
        ),
    }
}

fn sentence(export: &Exported) -> String {
    let rows = export.rows();
    if let (Some((last, _)), Some(row)) = (&export.set, rows.first()) {
        let run = run_named(last.run_id, last.slot);
        let then = match (export.tells_leavers(), row.key.is_empty()) {
            (false, _) => "`leavers` are not sent, so that the receiver is not told that they left",
            (true, true) => "the next file tells that they left, by no column of its own",
            (true, false) => {
                "the next file tells that they left, by these columns and nothing else:"
            }
        };
        return format!(
            "sent by {run} or before it, and in the receiver's set since {}; {then}",
            second(row.since)
        );
    }
    let unknown = match export.unknown {
        0 => String::new(),
        count => {
            let runs = table::counted(count as u64, "later run");
            format!("; of {runs} it is not known, see `segue who-got`")
        }
    };
    let Some(last) = &export.last else {
        return format!("no file of it that has a record has data of them{unknown}");
    };
    let run = run_named(last.run_id, last.slot);
    match (export.was_told(), &export.plan.increment) {
        (true, _) => {
            format!("told that they left by {run}, the last to send a row of them{unknown}")
        }
        (false, Some(increment)) if !increment.leavers => format!(
            "last sent by {run}; `leavers` are not sent, so that the receiver was not told that they left{unknown}"
        ),
        _ => format!("last sent by {run}{unknown}"),
    }
}

fn run_named(run_id: uuid::Uuid, slot: Timestamp) -> String {
    let id: String = run_id.to_string().chars().take(report::ID_DIGITS).collect();
    format!("the run {id} for {slot:.0}")
}

pub(super) fn as_json(case: &Case<'_>, gone: &Gone) -> Value {
    let membership = gone.membership.as_ref().map(|(standing, past)| {
        json!({
            "status": past.map(|it| if it.is_realized { "realized" } else { "exited" }),
            "since": past.map(|it| time(it.since)),
            "evaluatedAt": standing.evaluated_at.to_string(),
        })
    });
    let run = |run_id: uuid::Uuid, slot: Timestamp| json!({ "runId": run_id.to_string(), "slot": slot.to_string() });
    let export = |export: &Exported| {
        let row = |row: &SentRow| {
            let shown = |value: &Option<String>| value.as_ref().map(|value| case.shown(value));
            let key = row.key.iter().map(|(header, value)| (header.clone(), json!(shown(value))));
            json!({ "since": time(row.since), "columns": key.collect::<serde_json::Map<_, _>>() })
        };
        let rows = export.set.as_ref().and_then(|(_, rows)| rows.as_ref());
        json!({
            "activation": export.plan.activation,
            "explanation": sentence(export),
            "comparedWith": export.set.as_ref().map(|(last, _)| run(last.run_id, last.slot)),
            "rows": rows.map(|rows| rows.iter().map(row).collect::<Vec<_>>()),
            "leaversAreSent": export.tells_leavers(),
            "lastSentBy": export.last.as_ref().map(|last| run(last.run_id, last.slot)),
            "toldThatTheyLeft": export.was_told(),
            "laterRunsNotKnown": export.unknown,
        })
    };
    json!({
        "segment": case.segment.key,
        "profile": null,
        "masked": !case.unmask,
        "isMember": false,
        "leftOut": "no_record",
        "membership": membership,
        "activations": gone.exports.iter().map(export).collect::<Vec<_>>(),
    })
}
