//! `segue segment`: what can be done with the rule of a segment alone.

use ::plan::project::RuleOrigin;
use ::plan::{Diagnostic, Span, pql};
use clap::Subcommand;
use serde_json::json;

use crate::ambient;
use crate::cli::{Format, Global};
use crate::draw::{self, Source};
use crate::failure::{Failure, Kind};
use crate::workspace::{self, File, Workspace};

/// Work with the rule of a segment
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Translate(TranslateArgs),
}

/// Print the SQL that a rule in PQL becomes
///
/// The SQL is what `segue` evaluates; it can stand in the project file as `rule:` instead of the
/// PQL. Nothing is read but the project file.
#[derive(Debug, clap::Args)]
struct TranslateArgs {
    /// The key of a segment with `pql:` or `pql_file:`
    #[arg(required_unless_present = "pql")]
    segment: Option<String>,
    /// A rule in PQL that is in no project
    #[arg(long, value_name = "TEXT", conflicts_with = "segment")]
    pql: Option<String>,
}

pub(crate) async fn run(global: &Global, args: &Args) -> Result<(), Failure> {
    let Command::Translate(args) = &args.command;
    let sql = match (&args.pql, &args.segment) {
        (Some(text), _) => of_text(global, text).await?,
        (None, Some(key)) => of_segment(global, key).await?,
        (None, None) => return Err(Failure::usage("name a segment, or give a rule with --pql")),
    };
    match global.output {
        Format::Text => super::answer(&sql),
        Format::Json => super::answer_json(&json!({ "segment": args.segment, "sql": sql })),
    }
    Ok(())
}

async fn of_segment(global: &Global, key: &str) -> Result<String, Failure> {
    let (file, stored) = project_file(global).await?;
    let read = file.understand(&stored.items, &ambient::variable)?;
    let segments = &read.reading.segments;
    let Some(segment) = segments.iter().find(|segment| segment.key == key) else {
        let names = || read.reading.segment_names.iter().map(|it| it.key.as_str());
        return Err(match names().any(|name| name == key) {
            // It has a problem of its own, or the file has one as a whole.
            true => match file.workspace(read, stored) {
                Err(failure) => failure,
                Ok(_) => Failure::new(Kind::Internal, "a sound segment was not read"),
            },
            false if names().next().is_none() => match file.workspace(read, stored) {
                Err(failure) => failure,
                Ok(_) => workspace::unknown("segment", key, [].into_iter()),
            },
            false => workspace::unknown("segment", key, names()),
        });
    };
    match &segment.rule.origin {
        RuleOrigin::Translated { .. } => Ok(segment.rule.text.clone()),
        _ => Err(Failure::usage(format!("the rule of segment `{key}` is written in SQL"))
            .hint("Only rules in PQL are translated; see `pql:` in the project file.")),
    }
}

/// The project file and the objects that its ledger keeps, whatever may be wrong with them.
async fn project_file(global: &Global) -> Result<(File, ledger::Definitions), Failure> {
    let file = File::read(global)?;
    let stored = ledger::definitions_in(file.ledger_place()).await?;
    Ok((file, stored))
}

/// A text of its own may name the segments of the project, if there is one.
async fn of_text(global: &Global, text: &str) -> Result<String, Failure> {
    let segments = match workspace::locate(global.project.as_deref()) {
        Ok(_) => {
            let (file, stored) = project_file(global).await?;
            file.understand(&stored.items, &ambient::variable)?.reading.segment_names
        }
        Err(missing) if global.project.is_some() => return Err(missing),
        Err(_) => Vec::new(),
    };
    match pql::translate(text, &segments) {
        Ok(translation) => Ok(translation.sql),
        Err(error) => {
            let span = Span::of(text, error.offset..error.offset + error.length);
            let problem = Diagnostic::error(error.code, span, error.message);
            let problem = Diagnostic { hint: error.hint, ..problem };
            let mut failure = Failure::usage("the rule cannot be translated");
            failure.report = Some(draw::diagnostics(&Source::of_text("--pql", text), &[problem]));
            Err(failure)
        }
    }
}

/// The segments that a rule in PQL may name.
pub(crate) fn segment_names(workspace: &Workspace) -> Vec<pql::SegmentName> {
    let segments = workspace.project.segments.iter();
    let name = |segment: &::plan::project::Segment| pql::SegmentName {
        key: segment.key.clone(),
        id: segment.id.to_string(),
        name: segment.name.clone(),
    };
    segments.map(name).collect()
}
