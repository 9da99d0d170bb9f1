//! Looking somebody up.

use serde_json::json;
use ui::page::profile::{Field, Found, Membership, Person, Profile, Sent};

use super::visit::Visit;
use crate::http::answers::people as answer;
use crate::http::problem::{Code, Problem};
use crate::http::request::Reply;

pub(super) async fn page(visit: Visit) -> Result<Reply, Problem> {
    drawn(&visit, Found::NotAsked, false).await
}

/// The identity is in the form and nowhere else: not in the address, not in a log.
pub(super) async fn look_up(visit: Visit) -> Result<Reply, Problem> {
    let is_revealed = visit.field("reveal") == "yes" && visit.may_do("reveal_person");
    let operation = if is_revealed { "reveal_person" } else { "look_up_person" };
    let cursor = Some(visit.field("files")).filter(|cursor| !cursor.is_empty());
    let body = json!({
        "namespace": visit.field("namespace"), "value": visit.field("identity"),
        "filesCursor": cursor,
    });
    let found = visit.ask::<answer::Found>(operation, &[], Some(body)).await;
    match found {
        Ok(person) => drawn(&visit, Found::Person(Box::new(of(person))), is_revealed).await,
        Err(problem) if problem.code == Code::NotFound => {
            let reply = drawn(&visit, Found::Nobody, false).await?;
            Ok(reply.with_status(problem.code.status()))
        }
        Err(problem) => {
            let failed = Found::Failed(problem.detail.clone(), problem.hint.clone());
            Ok(drawn(&visit, failed, false).await?.with_status(problem.code.status()))
        }
    }
}

async fn drawn(visit: &Visit, found: Found, is_revealed: bool) -> Result<Reply, Problem> {
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
    let sent = |it: answer::File| {
        let at = it.delivered_at.parse().ok()?;
        let of = format!("{} · {}", it.segment, it.activation);
        Some(Sent { run: it.run_id, address: it.url, of, at })
    };
    Person {
        fields: person.fields.into_iter().map(field).collect(),
        datasets: person.records.into_iter().map(|it| it.dataset).collect(),
        memberships: person.memberships.into_iter().map(membership).collect(),
        segments_left_out: u64::try_from(person.segments_left_out).unwrap_or(u64::MAX),
        files_next: person.files_next,
        files: person.files.into_iter().filter_map(sent).collect(),
    }
}
