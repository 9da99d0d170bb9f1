//! What the catalogue of destinations and the page of one destination show.

use delivery::pgp::Recipient;
use delivery::s3::probe::Grade;
use ledger::RunFilter;
use plan::file_format::Compression;
use plan::object_settings::Encryption;
use plan::project::{Account, Activation, Auth, Destination};
use plan::{Section, permission, policy};
use ui::page::destination::{self, Policy, PolicyKind, Use};
use ui::page::destinations::{self, AccountLine, Destinations, Line, Preset};

use super::{Look, count};
use crate::capabilities;
use crate::failure::Failure;

/// How many runs are shown.
const RUNS: u32 = 6;

/// Fills the catalogue.
pub(super) async fn destinations(look: &Look<'_>) -> Result<Destinations, Failure> {
    let all = &look.project().destinations;
    let keys: Vec<&str> = all.iter().map(|it| it.key.as_str()).collect();
    let newest = look.ledger.newest_to_destinations(&keys).await?;
    let line = |it: &Destination| Line {
        key: it.key.clone(),
        name: it.name.clone(),
        address: address(it),
        preset: preset(look, it),
        grade: grade(look, &it.key),
        activations: users(look, &it.key).count().try_into().unwrap_or(u64::MAX),
        last: newest
            .iter()
            .find(|run| run.destination == it.key)
            .map(|run| (look.status(run.run_id, run.state), run.slot)),
    };
    let destinations = all.iter().map(line).collect();
    let account = |it: &Account| AccountLine {
        key: it.key.clone(),
        preset: preset_of(Some(it)),
        auth: auth(Some(&it.auth)),
        destinations: count(&all.iter().filter(|one| one.account == it.key).collect::<Vec<_>>()),
    };
    let accounts = look.project().accounts.iter().map(account).collect();
    Ok(Destinations {
        destinations,
        accounts,
        may_connect: look.may.connect,
        has_outbox: !look.workspace.outboxes.is_empty(),
    })
}

fn users<'a>(look: &'a Look<'_>, key: &'a str) -> impl Iterator<Item = &'a Activation> {
    let goes = move |activation: &&Activation| activation.destination == key;
    look.workspace.project.activations.iter().filter(goes)
}

/// The address that the files of a destination begin with, macros as they are written.
pub(super) fn address(destination: &Destination) -> String {
    let folder = destination.folder.text();
    let slash = if folder.is_empty() || folder.ends_with('/') { "" } else { "/" };
    destination.address(&format!("{folder}{slash}"))
}

fn preset(look: &Look<'_>, destination: &Destination) -> Preset {
    if destination.location.is_some() {
        return Preset::Folder;
    }
    preset_of(look.project().account(&destination.account))
}

/// What kind of service an account is for: by its address where that tells, and otherwise as is said.
pub(super) fn preset_of(account: Option<&Account>) -> Preset {
    let said = account.and_then(|account| account.service);
    match Preset::of_endpoint(account.and_then(|account| account.endpoint_url.as_deref())) {
        Preset::Other => said.map_or(Preset::Other, |service| Preset::of_word(service.as_str())),
        known => known,
    }
}

fn grade(look: &Look<'_>, key: &str) -> Option<destinations::Grade> {
    Some(match capabilities::grade(look.workspace, key)? {
        Grade::A => destinations::Grade::A,
        Grade::B => destinations::Grade::B,
        Grade::C => destinations::Grade::C,
    })
}

/// Fills the page of one destination.
pub(crate) async fn destination(
    look: &Look<'_>,
    it: &Destination,
) -> Result<destination::Destination, Failure> {
    let newest =
        RunFilter { destination: Some(it.key.clone()), limit: Some(RUNS), ..RunFilter::default() };
    let recent = look.ledger.runs(&newest).await?.iter().map(|run| look.line(run)).collect();
    let account = look.project().account(&it.account);
    let file = &it.file;
    Ok(destination::Destination {
        is_in_file: look.workspace.stored(Section::Destinations, &it.key).is_none(),
        editing: look.editing(Section::Destinations, &it.key, &it.name),
        key: it.key.clone(),
        name: it.name.clone(),
        address: address(it),
        preset: preset(look, it),
        bucket: it.location.clone().unwrap_or_else(|| it.bucket.clone()),
        folder: it.folder.text().to_owned(),
        account: it.account.clone(),
        auth: auth(account.map(|account| &account.auth)),
        region: account.and_then(|account| account.region.clone()),
        file_format: format!("{} (.{})", file.layout.as_str().to_uppercase(), file.extension),
        compression: match file.compression {
            Compression::None => None,
            other => Some(other.as_str().to_owned()),
        },
        manifest: it.manifest,
        objects: objects(it, look.now),
        grade: grade(look, &it.key),
        check: None,
        may_check: look.may.check,
        may_activate: look.may.activate,
        policies: policies(look, it),
        activations: users(look, &it.key)
            .map(|activation| Use {
                key: activation.key.clone(),
                segments: count(&activation.segments),
            })
            .collect(),
        recent,
    })
}

/// What objects are written with. Public keys say whose they are.
fn objects(it: &Destination, now: jiff::Timestamp) -> destination::Objects {
    let reader = |key: &plan::project::PublicKeyText| {
        let read = Recipient::read(&key.text, now).ok();
        let name = read.as_ref().and_then(|recipient| recipient.owner());
        destination::Reader {
            name: name.unwrap_or(&key.name).to_owned(),
            fingerprint: read.map(|recipient| recipient.fingerprint().to_owned()),
        }
    };
    destination::Objects {
        sse: it.objects.encryption.as_ref().map(|encryption| {
            let key = match encryption {
                Encryption::Kms { key_id, .. } => key_id.clone(),
                Encryption::Aes256 => None,
            };
            (encryption.name().to_owned(), key)
        }),
        readers: it.pgp.iter().flat_map(|pgp| &pgp.recipients).map(reader).collect(),
        storage_class: it.objects.storage_class.clone(),
        tags: it.objects.tags.clone(),
        bucket_owner: it.expected_bucket_owner.clone(),
    }
}

/// Reads what a check found, as `segue check --output json` prints it.
pub(crate) fn check(report: &serde_json::Value, at: jiff::Timestamp) -> destination::Check {
    let text = |value: &serde_json::Value| value.as_str().unwrap_or_default().to_owned();
    let list = |value: &serde_json::Value| value.as_array().cloned().unwrap_or_default();
    let notes = list(&report["notes"]).into_iter().chain(list(&report["left"]));
    destination::Check {
        at,
        findings: list(&report["permissions"]).iter().map(finding).collect(),
        notes: notes.map(|note| text(&note)).collect(),
        failure: None,
    }
}

/// Reads what was found of a permission, as a check tells it.
pub(crate) fn finding(it: &serde_json::Value) -> destination::Finding {
    let text = |value: &serde_json::Value| value.as_str().unwrap_or_default().to_owned();
    let answer = [
        it["status"].as_u64().map(|status| status.to_string()).unwrap_or_default(),
        text(&it["code"]),
        text(&it["requestId"]),
    ];
    destination::Finding {
        action: text(&it["action"]),
        resource: text(&it["resource"]),
        is_required: it["need"] == "required",
        is_granted: match it["result"].as_str() {
            Some("ok") => Some(true),
            Some("missing") => Some(false),
            _ => None,
        },
        answer: answer.into_iter().filter(|it| !it.is_empty()).collect::<Vec<_>>().join(" · "),
        without: match text(&it["reason"]) {
            reason if reason.is_empty() => text(&it["without"]),
            reason => reason,
        },
    }
}

/// What is told of how requests are signed: never a secret.
pub(super) fn auth(auth: Option<&Auth>) -> destination::Auth {
    match auth {
        Some(Auth::AccessKey { access_key_id, .. }) => {
            destination::Auth::Keys(access_key_id.clone())
        }
        Some(Auth::AssumeRole { role_arn, external_id, .. }) => {
            destination::Auth::Role { arn: role_arn.clone(), external_id: external_id.clone() }
        }
        Some(Auth::Default { .. }) | None => destination::Auth::Chain,
    }
}

fn policies(look: &Look<'_>, it: &Destination) -> Vec<Policy> {
    let Some(account) = look.project().account(&it.account) else { return Vec::new() };
    let replaces = permission::replaces(look.project(), it);
    let uses = policy::Uses { replaces, reads_back: false };
    let all = policy::of(it, account, account.region.as_deref(), uses, None);
    let document = |kind, json: &serde_json::Value| Policy { kind, json: format!("{json:#}") };
    let mut documents = vec![document(PolicyKind::Permissions, &all.iam)];
    documents.extend(all.trust.iter().map(|trust| document(PolicyKind::Trust, trust)));
    documents
}
