//! How runs and their files are told, to people and to machines.

use ledger::{RunDetail, RunRecord, RunState};
use plan::staged::ObjectKind;
use serde_json::{Value, json};

use crate::cli::table;

/// How many digits of a run's id are shown; `segue show` takes as many.
pub(crate) const ID_DIGITS: usize = 8;
/// How many digits of a checksum are shown in tables; JSON has all.
const SHA256_DIGITS: usize = 16;

/// A table of runs, one line each.
pub(crate) fn runs_table(runs: &[RunRecord]) -> String {
    let row = |run: &RunRecord| {
        let is_delivered = run.state == RunState::Delivered;
        vec![
            short_id(run),
            run.activation.clone(),
            run.segment.clone(),
            run.slot.to_string(),
            run.state.to_string(),
            members(run).map(table::number).unwrap_or_default(),
            // What a guard stopped, or what failed, was counted and not sent.
            run.activated.filter(|_| is_delivered).map(table::number).unwrap_or_default(),
            run.files.to_string(),
            table::size(run.bytes),
        ]
    };
    let headers =
        ["run", "activation", "segment", "slot", "state", "members", "sent", "files", "size"];
    table::table(&headers, &[5, 6, 7, 8], runs.iter().map(row).collect())
}

/// A table of the objects of runs.
pub(crate) fn files_table(runs: &[RunDetail]) -> String {
    let mut rows = Vec::new();
    for detail in runs {
        for file in &detail.files {
            let is_manifest = file.kind == ObjectKind::Manifest;
            rows.push(vec![
                if is_manifest { String::new() } else { table::number(file.rows) },
                table::size(file.bytes),
                file.sha256.chars().take(SHA256_DIGITS).collect(),
                if file.published.is_some() { "yes".to_owned() } else { "no".to_owned() },
                url(&detail.run, &file.key),
            ]);
        }
    }
    table::table(&["rows", "size", "sha-256 begins", "visible", "object"], &[0, 1], rows)
}

/// Where an object is, as a person would paste it.
pub(crate) fn url(run: &RunRecord, key: &str) -> String {
    address(&run.store, &run.bucket, key)
}

/// The same for what else tells its store and bucket.
pub(crate) fn address(store: &str, bucket: &str, key: &str) -> String {
    match store.strip_prefix("file://") {
        Some(folder) => format!("{folder}/{key}"),
        None => format!("s3://{bucket}/{key}"),
    }
}

/// The beginning of a run's id.
pub(crate) fn short_id(run: &RunRecord) -> String {
    run.run_id.to_string().chars().take(ID_DIGITS).collect()
}

/// Who was left out and why, one line each; empty when nobody was.
pub(crate) fn exclusions(detail: &RunDetail) -> Vec<String> {
    let line = |excluded: &ledger::Excluded| exclusion(excluded.profiles, &excluded.reason);
    detail.excluded.iter().map(line).collect()
}

/// How many were left out for a reason: profiles, or events that belong to none.
pub(crate) fn exclusion(count: u64, code: &str) -> String {
    let what = match code.starts_with("event_") {
        true if count == 1 => "event left out",
        true => "events left out",
        false => "excluded",
    };
    format!("{} {what}: {}", table::number(count), reason(code))
}

/// The words for a reason under which profiles are excluded.
pub(crate) fn reason(code: &str) -> String {
    match code.split_once(':') {
        Some(("missing", column)) => format!("no value in mandatory column {column}"),
        Some(("no_identity", dataset)) => format!("a record of {dataset} has no identity"),
        Some(("no_profile", segment)) => {
            format!("an identity of imported segment {segment} has no profile")
        }
        _ if code == "consent" => "no consent, or opted out".to_owned(),
        Some(("event_without_identity", dataset)) => {
            format!("in {dataset}, without an identity")
        }
        Some(("event_without_time", dataset)) => format!("in {dataset}, without a time"),
        Some(("event_without_profile", dataset)) => {
            format!("in {dataset}, of nobody among the profiles")
        }
        _ if code == "too_many_identities" => "a profile has more than 50 identities".to_owned(),
        _ if code == "too_many_records" => "a profile has more than 10 000 records".to_owned(),
        _ if code == "duplicate" => {
            "another profile with the same deduplication key was sent".to_owned()
        }
        _ if code == "no_identity" => "no value that tells the person from others".to_owned(),
        _ if code == "repeated_identity" => "another record of the same person was sent".to_owned(),
        _ if code == "unchanged" => "the receiver has them already".to_owned(),
        _ if code == "formula" => "a cell looks like a formula".to_owned(),
        _ => code.to_owned(),
    }
}

/// Members of the segment; those who left and are told so are received too, but no members.
pub(crate) fn members(run: &RunRecord) -> Option<u64> {
    let removed = run.movement.map_or(0, |movement| movement.removed);
    run.received.map(|received| received.saturating_sub(removed))
}

/// How the set moved, in words.
pub(crate) fn movement(movement: &ledger::Movement) -> String {
    format!(
        "{} added, {} changed, {} removed; {} rows in a full file",
        table::number(movement.added),
        table::number(movement.changed),
        table::number(movement.removed),
        table::number(movement.members)
    )
}

/// A run for machines.
pub(crate) fn run_json(run: &RunRecord) -> Value {
    json!({
        "runId": run.run_id.to_string(),
        "activation": run.activation,
        "segment": run.segment,
        "segmentId": run.segment_id.to_string(),
        "destination": run.destination,
        "bucket": run.bucket,
        "slot": run.slot.to_string(),
        "state": run.state.as_str(),
        "attempts": run.epoch,
        "claimedAt": run.claimed.to_string(),
        "committedAt": run.committed.map(|at| at.to_string()),
        "finishedAt": run.finished.map(|at| at.to_string()),
        "received": run.received,
        "activated": run.activated,
        "export": run.export.as_str(),
        "movement": run.movement.map(|movement| json!({
            "members": movement.members,
            "added": movement.added,
            "changed": movement.changed,
            "removed": movement.removed,
            "comparedWith": movement.compared_with.map(|run| run.to_string()),
        })),
        "files": run.files,
        "rows": run.rows,
        "bytes": run.bytes,
        "stop": run.stop.as_ref().map(|stop| json!({ "code": stop.code, "message": stop.message })),
    })
}

/// A run with everything that belongs to it, for machines.
pub(crate) fn detail_json(detail: &RunDetail) -> Value {
    let mut value = run_json(&detail.run);
    value["excluded"] = detail
        .excluded
        .iter()
        .map(|one| json!({ "reason": one.reason, "profiles": one.profiles }))
        .collect();
    value["objects"] = detail.files.iter().map(|file| file_json(&detail.run, file)).collect();
    value["inputs"] = detail
        .inputs
        .iter()
        .map(|input| json!({ "location": input.location, "bytes": input.bytes, "rows": input.rows, "version": input.version }))
        .collect();
    if let Some(hold) = &detail.hold {
        value["hold"] = json!({
            "cause": hold.cause.as_str(),
            "rows": hold.rows,
            "heldAt": hold.held.to_string(),
            "decision": hold.decision.map(|it| it.as_str()),
            "decidedAt": hold.decided.map(|at| at.to_string()),
            "decidedBy": hold.actor,
            "reason": hold.reason,
        });
    }
    value
}

/// An object for machines.
pub(crate) fn file_json(run: &RunRecord, file: &ledger::FileRecord) -> Value {
    json!({
        "number": file.number,
        "key": file.key,
        "url": url(run, &file.key),
        "rows": file.rows,
        "replaced": file.replaced,
        "bytes": file.bytes,
        "sha256": file.sha256,
        "etag": file.etag,
        "versionId": file.version_id,
        "publishedAt": file.published.map(|at| at.to_string()),
    })
}
