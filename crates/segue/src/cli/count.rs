//! `segue count`: exact sizes of segments.

use ::plan::Query;
use ::plan::project::Segment;
use engine::{Effects, Evaluated};

use crate::cli::{Format, Global, report, table};
use crate::failure::Failure;
use crate::sources::Sources;
use crate::workspace::Workspace;

/// Count the members of segments, exactly
///
/// All of them are counted in one scan of the profiles.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Keys of segments (default: all)
    segments: Vec<String>,
}

pub(crate) async fn run(global: &Global, args: &Args) -> Result<(), Failure> {
    let workspace = Workspace::load(global).await?;
    let segments = select(&workspace, &args.segments)?;
    let (sources, _) = Sources::open(&workspace, global).await?;
    let now = super::slot_now();
    let queries: Vec<Query> =
        segments.iter().map(|segment| workspace.project.members(segment, now)).collect();
    let asked: Vec<&Query> = queries.iter().collect();
    let Sources { engine, profiles } = &sources;
    let found = engine.evaluate(&asked, profiles, Effects::default()).await?;
    let mut counted = Vec::new();
    for (segment, found) in segments.into_iter().zip(found) {
        let context = || format!("failed to count segment `{}`", segment.key);
        counted.push((segment, found.map_err(|error| Failure::from(error).context(context()))?));
    }
    match global.output {
        Format::Text => super::answer(&text(&counted)),
        Format::Json => super::answer_json(&json(&counted)),
    }
    Ok(())
}

/// The named segments, or all.
pub(crate) fn select<'a>(
    workspace: &'a Workspace,
    keys: &[String],
) -> Result<Vec<&'a Segment>, Failure> {
    let project = &workspace.project;
    if keys.is_empty() {
        return Ok(project.segments.iter().collect());
    }
    let names = || project.segments.iter().map(|segment| segment.key.as_str());
    keys.iter()
        .map(|key| {
            project.segment(key).ok_or_else(|| crate::workspace::unknown("segment", key, names()))
        })
        .collect()
}

fn text(counted: &[(&Segment, Evaluated)]) -> String {
    let row = |(segment, counts): &(&Segment, Evaluated)| {
        let share = 100.0 * counts.members as f64 / counts.scanned.max(1) as f64;
        vec![
            segment.key.clone(),
            segment.name.clone(),
            table::number(counts.members),
            table::number(counts.scanned),
            format!("{share:.1} %"),
        ]
    };
    let headers = ["segment", "name", "members", "of profiles", "share"];
    let mut text = table::table(&headers, &[2, 3, 4], counted.iter().map(row).collect());
    // What is left out before any rule is asked is the same for all segments, but for events.
    let mut said: Vec<&(String, u64)> = Vec::new();
    for left_out in counted.iter().flat_map(|(_, counts)| &counts.left_out) {
        let (reason, count) = left_out;
        if *count == 0 || said.contains(&left_out) {
            continue;
        }
        let line = match reason.starts_with("event_") {
            true => report::exclusion(*count, reason),
            false => format!("{} left out: {}", table::number(*count), report::reason(reason)),
        };
        text.push_str(&format!("\n{line}"));
        said.push(left_out);
    }
    text
}

fn json(counted: &[(&Segment, Evaluated)]) -> serde_json::Value {
    let one = |(segment, counts): &(&Segment, Evaluated)| {
        serde_json::json!({
            "segment": segment.key,
            "segmentId": segment.id.to_string(),
            "name": segment.name,
            "members": counts.members,
            "profiles": counts.scanned,
            "leftOut": counts.left_out.iter().filter(|(_, count)| *count > 0).map(|(reason, count)| serde_json::json!({ "reason": reason, "count": count })).collect::<Vec<_>>(),
        })
    };
    counted.iter().map(one).collect()
}
