//! Looking somebody up.

use serde_json::json;
use ui::page::profile::{Field, Files, Found, Membership, NotKnown, Person, Profile, Sent};

use super::visit::Visit;
use crate::http::answers::people as answer;
use crate::http::answers::who_got::{NotKnown as Gap, WentOut, WhoGot};
use crate::http::problem::{Code, Problem};
use crate::http::request::Reply;

pub(super) async fn page(visit: Visit) -> Result<Reply, Problem> {
    drawn(&visit, Found::NotAsked, None, false).await
}

/// The identity is in the form and nowhere else: not in the address, not in a log.
pub(super) async fn look_up(visit: Visit) -> Result<Reply, Problem> {
    let is_revealed = visit.field("reveal") == "yes" && visit.may_do("reveal_person");
    let operation = if is_revealed { "reveal_person" } else { "look_up_person" };
    let cursor = Some(visit.field("files")).filter(|cursor| !cursor.is_empty());
    let asked = json!({
        "namespace": visit.field("namespace"), "value": visit.field("identity"), "cursor": cursor,
    });
    let mut with_files = asked.clone();
    with_files["whoGot"] = true.into();
    let problem = match visit.ask::<answer::Found>(operation, &[], Some(with_files)).await {
        Ok(mut person) => {
            let files = person.who_got.take().map(files_of);
            return drawn(&visit, Found::Person(Box::new(of(person))), files, is_revealed).await;
        }
        // Files may hold data of somebody who has no profile any more.
        Err(problem) if problem.code == Code::NotFound => {
            match visit.ask::<WhoGot>("who_got", &[], Some(asked)).await {
                Ok(files) => {
                    let reply = drawn(&visit, Found::Nobody, Some(files_of(files)), false).await?;
                    return Ok(reply.with_status(problem.code.status()));
                }
                Err(problem) => problem,
            }
        }
        Err(problem) => problem,
    };
    let failed = Found::Failed(problem.detail.clone(), problem.hint.clone());
    Ok(drawn(&visit, failed, None, false).await?.with_status(problem.code.status()))
}

async fn drawn(
    visit: &Visit,
    found: Found,
    files: Option<Files>,
    is_revealed: bool,
) -> Result<Reply, Problem> {
    let workspace = visit.app.shared.workspace();
    let mut namespaces: Vec<String> = Vec::new();
    for dataset in workspace.project.profile_datasets() {
        for identity in &dataset.identities {
            if !namespaces.contains(&identity.namespace) {
                namespaces.push(identity.namespace.clone());
            }
        }
    }
    let asked = visit.field("namespace");
    let chosen =
        if asked.is_empty() { namespaces.first().cloned() } else { Some(asked.to_owned()) };
    let page = Profile {
        namespace: chosen,
        namespaces,
        identity: visit.field("identity").to_owned(),
        may_reveal: visit.may_do("reveal_person"),
        is_revealed,
        found,
        files,
    };
    let look = visit.look(&workspace).await?;
    let shell = visit.shell(&look).await?;
    Ok(visit.draw(page.draw(&shell)))
}

fn of(person: answer::Found) -> Person {
    let field = |it: answer::Field| Field { path: it.field, value: it.value, origin: it.dataset };
    let membership = |it: answer::Membership| Membership {
        key: it.segment,
        name: it.name,
        is_member: it.is_member,
        decided_by: it.decided_by,
    };
    Person {
        fields: person.fields.into_iter().map(field).collect(),
        datasets: person.records.into_iter().map(|it| it.dataset).collect(),
        memberships: person.memberships.into_iter().map(membership).collect(),
        segments_left_out: u64::try_from(person.segments_left_out).unwrap_or(u64::MAX),
    }
}

fn files_of(answer: WhoGot) -> Files {
    let time = |text: Option<String>| text.and_then(|text| text.parse().ok());
    let sent = |it: WentOut| Sent {
        of: format!("{} · {} → {}", it.segment, it.activation, it.destination),
        run: it.run_id,
        address: it.url,
        version: it.version_id,
        columns: it.columns,
        at: time(it.delivered_at),
    };
    let gap = |it: Gap| NotKnown {
        of: format!("{} · {}", it.segment, it.activation),
        run: it.run_id,
        at: time(it.delivered_at),
        why: it.why,
        rows: it.rows.unwrap_or_default(),
    };
    Files {
        sent: answer.files.into_iter().map(sent).collect(),
        not_known: answer.not_known.into_iter().map(gap).collect(),
        recorded_since: time(answer.recorded_since),
        kept_days: answer.kept_days.into(),
        next: answer.next,
    }
}
