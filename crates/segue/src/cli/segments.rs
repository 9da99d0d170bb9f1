//! `segue segments`: the segments of a project and what their last evaluation found.

use ::plan::project::Segment;
use engine::{Engine, Settings, Standing};
use serde_json::json;

use crate::cli::{Format, Global, table};
use crate::failure::Failure;
use crate::workspace::Workspace;

/// List segments: how many members their last evaluation found, who joined, who left, and when
///
/// Nothing is evaluated; `segue evaluate` does that, and so do the runs of segments whose mapping asks
/// since when somebody is a member.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {}

/// What is known of one segment.
pub(crate) struct Row<'a> {
    pub(crate) segment: &'a Segment,
    /// Members that were counted just now.
    pub(crate) members: Option<u64>,
    /// What its history says.
    pub(crate) standing: Option<Standing>,
}

pub(crate) async fn run(global: &Global, _: &Args) -> Result<(), Failure> {
    let workspace = Workspace::load(global).await?;
    let engine = Engine::new(Settings::new(workspace.state_folder()));
    let mut rows = Vec::new();
    for segment in &workspace.project.segments {
        let standing = engine.standing(segment.id)?;
        rows.push(Row { segment, members: None, standing });
    }
    match global.output {
        Format::Text => super::answer(&text(&rows)),
        Format::Json => super::answer_json(&json(&rows)),
    }
    Ok(())
}

pub(crate) fn text(rows: &[Row<'_>]) -> String {
    let row = |row: &Row<'_>| {
        let of = |count: fn(&Standing) -> u64| {
            row.standing.as_ref().map_or_else(|| "–".to_owned(), |it| table::number(count(it)))
        };
        let members = row.members.map(table::number);
        vec![
            row.segment.key.clone(),
            row.segment.name.clone(),
            members.unwrap_or_else(|| of(|standing| standing.realized)),
            of(|standing| standing.joined),
            of(|standing| standing.left),
            row.standing.map_or_else(|| "–".to_owned(), |it| it.evaluated_at.to_string()),
        ]
    };
    let headers = ["segment", "name", "members", "joined", "left", "evaluated"];
    table::table(&headers, &[2, 3, 4], rows.iter().map(row).collect())
}

pub(crate) fn json(rows: &[Row<'_>]) -> serde_json::Value {
    let one = |row: &Row<'_>| {
        let standing = row.standing;
        json!({
            "segment": row.segment.key,
            "segmentId": row.segment.id.to_string(),
            "name": row.segment.name,
            "members": row.members.or(standing.map(|it| it.realized)),
            "joined": standing.map(|it| it.joined),
            "left": standing.map(|it| it.left),
            "exitedKept": standing.map(|it| it.exited),
            "evaluatedAt": standing.map(|it| it.evaluated_at.to_string()),
        })
    };
    rows.iter().map(one).collect()
}
