//! Where a person's data went. The identity comes in the body, so that no log and no history has it.

use std::sync::Arc;

use engine::PersonId;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::profiles::with_sources;
use super::runs;
use crate::app::who_got::{self, Answer, Gap, Wanted, Went, Why};
use crate::cli::{report, slot_now};
use crate::http::App;
use crate::http::problem::Problem;
use crate::http::request::{Ask, Reply};

/// Of whom it is asked.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct AskWhoGot {
    /// The kind of identity, such as `CRMID`
    namespace: String,
    /// The identity, letter by letter
    value: String,
    /// Where the answer goes on: `next` of the page before
    #[serde(default)]
    cursor: Option<String>,
}

/// Where a person's data went.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct WhoGot {
    /// Whether a profile has the identity today. Without one, files are found that went out under this
    /// very identity
    pub(crate) has_profile: bool,
    /// Exactly the files that the person's data is in, those of the latest slot first
    pub(crate) files: Vec<WentOut>,
    /// Delivered runs of which it is not known whether they sent the person's data
    pub(crate) not_known: Vec<NotKnown>,
    /// Each run that was delivered since then has a record; nothing if the last one has none
    pub(crate) recorded_since: Option<String>,
    /// For how many days records are kept
    pub(crate) kept_days: u32,
    /// The cursor of the next page, if there is one
    pub(crate) next: Option<String>,
}

/// A file that a person's data went out in.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct WentOut {
    pub(crate) run_id: String,
    pub(crate) activation: String,
    pub(crate) segment: String,
    pub(crate) destination: String,
    pub(crate) slot: String,
    pub(crate) url: String,
    /// The version of the object, where the bucket keeps versions
    pub(crate) version_id: Option<String>,
    /// The headers of the file
    pub(crate) columns: Vec<String>,
    pub(crate) delivered_at: Option<String>,
}

/// A delivered run of which it is not known whose data it sent.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct NotKnown {
    pub(crate) run_id: String,
    pub(crate) activation: String,
    pub(crate) segment: String,
    pub(crate) slot: String,
    pub(crate) delivered_at: Option<String>,
    /// `expired`: its record was kept for `keptDays`; `no_record`: there is none; `damaged`: it cannot be
    /// read; `nameless`: some rows do not tell whose they are
    pub(crate) why: String,
    /// How many rows do not tell it
    pub(crate) rows: Option<u64>,
}

pub(crate) async fn ask(app: Arc<App>, ask: Ask) -> Result<Reply, Problem> {
    let AskWhoGot { namespace, value, cursor } = ask.json()?;
    let behind = cursor.as_deref().map(runs::behind_of).transpose()?;
    let wanted = Wanted { person: PersonId { namespace, value }, behind, now: slot_now() };
    let workspace = app.shared.workspace();
    let kept_days = workspace.project.who_got.kept_days;
    let of_task = Arc::clone(&app);
    let found = with_sources(&app, workspace, async move |workspace, sources| {
        who_got::ask(workspace, sources, &of_task.shared.ledger, &wanted).await
    });
    Reply::json(&WhoGot::of(found.await?, kept_days))
}

impl WhoGot {
    pub(super) fn of(answer: Answer, kept_days: u32) -> Self {
        Self {
            has_profile: answer.has_profile,
            files: answer.files.into_iter().map(WentOut::of).collect(),
            not_known: answer.gaps.into_iter().map(NotKnown::of).collect(),
            recorded_since: answer.recorded_since.map(|at| at.to_string()),
            kept_days,
            next: answer.next.as_ref().map(runs::cursor_of),
        }
    }
}

impl WentOut {
    fn of(went: Went) -> Self {
        let Went { run, file, columns } = went;
        Self {
            run_id: run.run_id.to_string(),
            url: report::url(&run, &file.key),
            activation: run.activation,
            segment: run.segment,
            destination: run.destination,
            slot: run.slot.to_string(),
            version_id: file.version_id,
            columns,
            delivered_at: file.published.map(|at| at.to_string()),
        }
    }
}

impl NotKnown {
    fn of(gap: Gap) -> Self {
        let Gap { run, why } = gap;
        let rows = match why {
            Why::Nameless(rows) => Some(rows),
            Why::Expired | Why::NoRecord | Why::Damaged => None,
        };
        Self {
            run_id: run.run_id.to_string(),
            activation: run.activation,
            segment: run.segment,
            slot: run.slot.to_string(),
            delivered_at: run.finished.map(|at| at.to_string()),
            why: why.code().to_owned(),
            rows,
        }
    }
}
