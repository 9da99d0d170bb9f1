//! Looking somebody up. The identity comes in the body, so that no log and no history has it.

use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::profiles::on_a_thread;
use crate::app::people::{self, Wanted};
use crate::cli::slot_now;
use crate::http::App;
use crate::http::problem::{Code, Problem};
use crate::http::request::{Ask, Reply};

/// Whom to look up.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(crate) struct LookUp {
    /// The kind of identity, such as `CRMID`
    namespace: String,
    /// The identity, letter by letter
    value: String,
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
    let LookUp { namespace, value } = wanted;
    let now = slot_now();
    let found = on_a_thread(app, async move |app| {
        let workspace = app.shared.workspace();
        let wanted = Wanted { namespace: &namespace, value: &value, unmask, now };
        Box::pin(people::look_up(&workspace, &app.shared.global, &wanted)).await
    });
    let Some(person) = found.await? else {
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
    })
}
