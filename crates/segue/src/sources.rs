//! The project's datasets, opened: pinned snapshots, schemas, and everything checked against them.

use std::collections::BTreeMap;

use engine::{Engine, Expect, ExpressionError, Profiles, Settings, Snapshot};
use plan::project::{ColumnSource, Dataset, RuleOrigin};
use plan::{Diagnostic, Schema};

use crate::cli::Global;
use crate::failure::{Failure, Kind};
use crate::workspace::Workspace;

/// The most bytes that may be spilled to disk in one process.
const SPILL_BYTES_MAX: u64 = 200 * (1 << 30);

/// The profiles of a project, their datasets each at one pinned snapshot.
pub(crate) struct Sources {
    pub(crate) engine: Engine,
    pub(crate) profiles: Profiles,
}

impl Sources {
    /// Opens every profile dataset and checks the project against what is in them.
    ///
    /// # Errors
    /// A dataset cannot be opened, or a field or an expression of the project does not fit; all
    /// such problems are in the failure's report.
    pub(crate) async fn open(
        workspace: &Workspace,
        global: &Global,
    ) -> Result<(Self, Vec<Diagnostic>), Failure> {
        let engine = engine(workspace, global)?;
        let Pinned { snapshots, schemas, mut problems } = pin_all(&engine, workspace).await?;
        let is_whole = problems.is_empty();
        problems.extend(workspace.project.check_fields(&schemas));
        let profiles = Profiles::new(workspace.project.profiles.clone(), snapshots);
        if is_whole {
            match engine.fields(&profiles).await {
                Ok(fields) => problems.extend(check_expressions(workspace, &fields)),
                // Otherwise the project has been told of it where it stands.
                Err(error) if !has_errors(&problems) => {
                    problems.push(disagreement(workspace, error)?);
                }
                Err(_) => {}
            }
        }
        workspace.fail_on_errors(&problems)?;
        Ok((Self { engine, profiles }, problems))
    }
}

fn engine(workspace: &Workspace, global: &Global) -> Result<Engine, Failure> {
    let settings = Settings {
        memory_bytes: global.memory,
        spill_bytes_max: SPILL_BYTES_MAX,
        threads: global.thread_count(),
        ..Settings::new(workspace.state_folder())
    };
    let mut engine = Engine::new(settings);
    for account in &workspace.project.accounts {
        let session = workspace.sessions.of(account, &workspace.folder)?;
        engine.add_s3(&account.key, session.client());
    }
    Ok(engine)
}

/// What could be pinned, and why the rest could not.
#[derive(Default)]
struct Pinned {
    snapshots: Vec<Snapshot>,
    /// By the keys of datasets.
    schemas: BTreeMap<String, Schema>,
    problems: Vec<Diagnostic>,
}

/// Pins each dataset; one that cannot be read becomes a problem at its place in the file, so that it
/// is reported together with the others.
async fn pin_all(engine: &Engine, workspace: &Workspace) -> Result<Pinned, Failure> {
    let mut pinned = Pinned::default();
    for dataset in workspace.project.profile_datasets() {
        match pin(engine, workspace, dataset).await {
            Ok((snapshot, schema)) => {
                pinned.snapshots.push(snapshot);
                pinned.schemas.insert(dataset.key.clone(), schema);
            }
            Err(error) => match Failure::from(error) {
                failure if failure.kind == Kind::Usage => {
                    pinned.problems.push(unreadable(dataset, &failure))
                }
                failure => {
                    return Err(
                        failure.context(format!("failed to open dataset `{}`", dataset.key))
                    );
                }
            },
        }
    }
    Ok(pinned)
}

async fn pin(
    engine: &Engine,
    workspace: &Workspace,
    dataset: &Dataset,
) -> Result<(Snapshot, Schema), engine::Error> {
    let snapshot = engine.pin(dataset, &workspace.folder).await?;
    let schema = engine.schema(&snapshot).await?;
    Ok((snapshot, schema))
}

/// Every rule must be true or false, every expression of a mapping must be a value.
fn check_expressions(workspace: &Workspace, schema: &Schema) -> Vec<Diagnostic> {
    let mut problems = Vec::new();
    for segment in &workspace.project.segments {
        let rule = &segment.rule;
        if let Err(error) = engine::check_expression(&rule.text, schema, Expect::Boolean) {
            let what = format!("rule of segment `{}`", segment.key);
            problems.push(misplaced(&rule.origin, &what, error));
        }
    }
    let column_fields = workspace.project.column_fields(schema);
    for activation in &workspace.project.activations {
        for column in &activation.mapping {
            let ColumnSource::Expression { text, origin } = &column.source else { continue };
            if let Err(error) = engine::check_expression(text, &column_fields, Expect::Any) {
                let what = format!("expression of column `{}`", column.header);
                problems.push(misplaced(origin, &what, error));
            }
        }
    }
    problems
}

/// Fields of two datasets that are of one kind, but not of one type.
fn disagreement(workspace: &Workspace, error: engine::Error) -> Result<Diagnostic, Failure> {
    let failure = Failure::from(error);
    let place = workspace.project.profile_datasets().last().map(|dataset| dataset.span);
    let Some(place) = place.filter(|_| failure.kind == Kind::Usage) else { return Err(failure) };
    let found = Diagnostic::error("type_disagreement", place, failure.message.clone());
    Ok(match failure.hints.first() {
        Some(hint) => found.with_hint(hint.clone()),
        None => found,
    })
}

fn has_errors(problems: &[Diagnostic]) -> bool {
    problems.iter().any(|problem| problem.severity == plan::Severity::Error)
}

fn unreadable(dataset: &Dataset, failure: &Failure) -> Diagnostic {
    let mut message = format!("dataset `{}`: {}", dataset.key, failure.message);
    for cause in &failure.causes {
        message.push_str(": ");
        message.push_str(cause);
    }
    let found = Diagnostic::error("unreadable_dataset", dataset.span, message);
    match failure.hints.first() {
        Some(hint) => found.with_hint(hint.clone()),
        None => found,
    }
}

/// An error inside an expression, at its place in the project file where that can be told. In a
/// rule that was translated it is the place in what a person wrote.
fn misplaced(origin: &RuleOrigin, what: &str, error: ExpressionError) -> Diagnostic {
    let ExpressionError { offset, length, code, message, hint } = error;
    let (written, at, _) = origin.written(offset, length);
    let place = match written {
        RuleOrigin::File { path, .. } => format!(" ({path}, character {})", at + 1),
        _ => String::new(),
    };
    let mut found = Diagnostic {
        severity: plan::Severity::Error,
        code,
        message: format!("{what}{place}: {message}"),
        hint: None,
        span: origin.place(offset, length),
    };
    // The engine speaks of SQL.
    let is_translated = matches!(origin, RuleOrigin::Translated { .. });
    found.hint = match code {
        "type_error" if is_translated => hint.map(|_| {
            "Write numbers without quotes and texts between double quotes; compare values of one \
             type."
                .to_owned()
        }),
        _ => hint,
    };
    found
}
