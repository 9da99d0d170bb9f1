//! `segue show`: one run, with its files, its inputs and who was left out.

use ledger::{Ledger, RunDetail, RunState};

use crate::capabilities;
use crate::cli::{Format, Global, decide, report, table};
use crate::failure::Failure;
use crate::workspace::Workspace;

/// The most runs that are named when an id is not unique.
const CANDIDATES_MAX: u32 = 10;

/// Show one run: its files with checksums, what it read, who was left out and why
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The run's id, or the beginning of it
    run: String,
}

pub(crate) async fn run(global: &Global, args: &Args) -> Result<(), Failure> {
    let workspace = Workspace::load(global).await?;
    let detail = find(&workspace, &args.run).await?;
    match global.output {
        Format::Text => super::answer(&text(&workspace, &detail)),
        Format::Json => super::answer_json(&report::detail_json(&detail)),
    }
    Ok(())
}

/// Finds a run by the beginning of its id.
pub(super) async fn find(workspace: &Workspace, prefix: &str) -> Result<RunDetail, Failure> {
    let missing = || {
        Failure::usage(format!("there is no run whose id begins with `{prefix}`"))
            .hint("`segue runs` lists the runs.")
    };
    let ledger = Ledger::open_read_only(workspace.ledger_place()).await?.ok_or_else(missing)?;
    let found = ledger.find_runs(prefix, CANDIDATES_MAX).await?;
    match found.as_slice() {
        [] => Err(missing()),
        [run] => ledger.run(run.run_id).await?.ok_or_else(missing),
        several => {
            let ids: Vec<String> = several.iter().map(|run| run.run_id.to_string()).collect();
            Err(Failure::usage(format!("several runs begin with `{prefix}`"))
                .hint(format!("Give more of the id: {}.", ids.join(", "))))
        }
    }
}

fn text(workspace: &Workspace, detail: &RunDetail) -> String {
    let run = &detail.run;
    let mut lines = vec![
        format!("run          {}", run.run_id),
        format!("activation   {}", run.activation),
        format!("segment      {} ({})", run.segment, run.segment_id),
        format!("destination  {}{}", run.destination, grade(workspace, run)),
        format!("slot         {}", run.slot),
        format!("state        {}{}", run.state, attempts(run.epoch)),
    ];
    for (label, at) in
        [("begun", Some(run.claimed)), ("committed", run.committed), ("finished", run.finished)]
    {
        if let Some(at) = at {
            lines.push(format!("{label:<12} {at:.0}"));
        }
    }
    if let Some(stop) = &run.stop {
        lines.push(format!("reason       {} ({})", stop.message, stop.code));
    }
    if let Some(hold) = &detail.hold {
        lines.push(format!("guard        {}", decide::said(hold)));
    }
    if let (Some(members), Some(activated)) = (report::members(run), run.activated) {
        let rows = table::counted(activated, "row");
        let sent = if run.state == RunState::Delivered { "sent" } else { "to send" };
        lines.push(format!("members      {}, {rows} {sent}", table::number(members)));
    }
    if let Some(movement) = &run.movement {
        let since = match movement.compared_with {
            Some(run) => format!("compared with run {run}"),
            None => "a first, full file".to_owned(),
        };
        lines.push(format!("{:<12} {}", run.export.as_str(), report::movement(movement)));
        lines.push(format!("             {since}"));
    }
    lines.extend(report::exclusions(detail).into_iter().map(|line| format!("             {line}")));
    let replaced: u64 = detail.files.iter().map(|file| file.replaced).sum();
    if replaced > 0 {
        lines.push(format!(
            "             {} characters that the encoding lacks became `?`",
            table::number(replaced)
        ));
    }
    if !detail.files.is_empty() {
        lines.push(format!("\n{}", report::files_table(std::slice::from_ref(detail))));
    }
    if !detail.inputs.is_empty() {
        lines.push(format!("\n{}", inputs(detail)));
    }
    lines.join("\n")
}

/// What the service of the destination is known to do, for runs that went there.
fn grade(workspace: &Workspace, run: &ledger::RunRecord) -> String {
    match capabilities::grade(workspace, &run.destination) {
        Some(grade) if !run.store.starts_with("file://") => format!(" (grade {grade:?})"),
        _ => String::new(),
    }
}

fn attempts(epoch: u32) -> String {
    if epoch > 1 { format!(" ({epoch} attempts)") } else { String::new() }
}

fn inputs(detail: &RunDetail) -> String {
    // Only of some inputs it is known without reading them.
    let has_rows = detail.inputs.iter().any(|input| input.rows.is_some());
    let row = |input: &ledger::SnapshotInput| {
        let mut cells = vec![input.location.clone(), table::size(input.bytes)];
        if has_rows {
            cells.push(input.rows.map(table::number).unwrap_or_default());
        }
        cells.push(input.version.clone());
        cells
    };
    let rows = detail.inputs.iter().map(row).collect();
    match has_rows {
        true => table::table(&["read from", "size", "rows", "version"], &[1, 2], rows),
        false => table::table(&["read from", "size", "version"], &[1], rows),
    }
}
