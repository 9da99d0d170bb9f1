//! Looking somebody up. The identity comes in the body, so that no log and no history has it.

use std::sync::Arc;

use engine::PersonId;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::profiles::on_a_thread;
use super::runs;
use super::who_got::WhoGot;
use crate::app::people::{self, Wanted};
use crate::app::who_got;
use crate::cli::slot_now;
use crate::http::App;
use crate::http::problem::{Code, Problem};
use crate::http::request::{Ask, Reply};
use crate::sources::Sources;

/// Whom to look up.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(crate) struct LookUp {
    /// The kind of identity, such as `CRMID`
    namespace: String,
    /// The identity, letter by letter
    value: String,
    /// Also every file that the person's data went out in
    #[serde(default)]
    who_got: bool,
    /// Where the files go on: `next` of the page before
    #[serde(default)]
    cursor: Option<String>,
}

/// What is known of a person.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Found {
    /// Whether letters and digits are hidden
    pub(crate) masked: bool,
    pub(crate) identities: Vec<Identities>,
    pub(crate) records: Vec<Records>,
    pub(crate) fields: Vec<Field>,
    /// The first 50 segments of the project
    pub(crate) memberships: Vec<Membership>,
    /// Segments beyond them, which were not asked
    pub(crate) segments_left_out: usize,
    /// The files, where they were asked for
    pub(crate) who_got: Option<WhoGot>,
}

/// Identities of one kind.
#[derive(Serialize, Deserialize, JsonSchema)]
pub(crate) struct Identities {
    pub(crate) namespace: String,
    pub(crate) values: Vec<String>,
}

/// Records of a dataset that were merged.
#[derive(Serialize, Deserialize, JsonSchema)]
pub(crate) struct Records {
    pub(crate) dataset: String,
    pub(crate) count: u64,
}

/// A field with a value.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Field {
    pub(crate) field: String,
    pub(crate) value: String,
    pub(crate) dataset: String,
    pub(crate) record_time: Option<String>,
}

/// How the person stands in a segment.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Membership {
    pub(crate) segment: String,
    pub(crate) name: String,
    pub(crate) is_member: bool,
    /// The conditions of the rule that decide, with what they read
    pub(crate) decided_by: Vec<String>,
}

/// Letters and digits of values are masked.
pub(crate) async fn look_up(app: Arc<App>, ask: Ask) -> Result<Reply, Problem> {
    found(&app, ask.json()?, false).await
}

/// Real values. That somebody saw them is in the audit log as an operation of its own.
pub(crate) async fn reveal(app: Arc<App>, ask: Ask) -> Result<Reply, Problem> {
    found(&app, ask.json()?, true).await
}

async fn found(app: &Arc<App>, wanted: LookUp, unmask: bool) -> Result<Reply, Problem> {
    let LookUp { namespace, value, who_got: with_files, cursor } = wanted;
    let behind = cursor.as_deref().map(runs::behind_of).transpose()?;
    let person = PersonId { namespace, value };
    let now = slot_now();
    let found = on_a_thread(app, async move |app| {
        let workspace = app.shared.workspace();
        // Rules that are asked are checked when they are: hundreds of others are not.
        let opened = Sources::open_unchecked(&workspace, &app.shared.global);
        let sources = Box::pin(opened).await?;
        let Some(profile) = people::find(&sources, &person).await? else { return Ok(None) };
        let wanted = Wanted { person: &person, unmask, now };
        let told = Box::pin(people::tell(&workspace, &sources, &profile, &wanted)).await?;
        if !with_files {
            return Ok(Some((told, None)));
        }
        let wanted = who_got::Wanted { person, behind, now };
        let identities = Some(profile.identities.as_slice());
        let files = who_got::ask_of(&workspace, identities, &app.shared.ledger, &wanted).await?;
        Ok(Some((told, Some(WhoGot::of(files, workspace.project.who_got.kept_days)))))
    });
    let Some((person, files)) = found.await? else {
        return Err(Problem::new(Code::NotFound, "No profile has this identity.")
            .hint("Identities are compared letter by letter."));
    };
    Reply::json(&Found {
        masked: !unmask,
        identities: person
            .identities
            .into_iter()
            .map(|(namespace, values)| Identities { namespace, values })
            .collect(),
        records: person
            .records
            .into_iter()
            .map(|(dataset, count)| Records { dataset, count })
            .collect(),
        fields: person
            .fields
            .into_iter()
            .map(|it| Field {
                field: it.path,
                value: it.value,
                dataset: it.dataset,
                record_time: it.record_time,
            })
            .collect(),
        memberships: person
            .memberships
            .into_iter()
            .map(|it| Membership {
                segment: it.segment,
                name: it.name,
                is_member: it.is_member,
                decided_by: it.decided_by,
            })
            .collect(),
        segments_left_out: person.segments_left_out,
        who_got: files,
    })
}
