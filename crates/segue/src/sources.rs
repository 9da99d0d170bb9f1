//! The project's datasets, opened: pinned snapshots, schemas, and everything checked against them.

use std::collections::BTreeMap;

use engine::{Engine, Expect, ExpressionError, Settings, Snapshot};
use plan::project::{ColumnSource, Dataset, RuleOrigin};
use plan::{Diagnostic, Schema};

use crate::cli::Global;
use crate::failure::{Failure, Kind};
use crate::workspace::Workspace;

/// The most bytes that may be spilled to disk in one process.
const SPILL_BYTES_MAX: u64 = 200 * (1 << 30);

/// The profile datasets of a project, each at one pinned snapshot.
pub(crate) struct Sources {
    pub(crate) engine: Engine,
    snapshots: BTreeMap<String, Snapshot>,
    schemas: BTreeMap<String, Schema>,
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
        let mut sources = Self::engine(workspace, global)?;
        let mut problems = sources.pin_all(workspace).await?;
        problems.extend(workspace.project.check_fields(&sources.schemas));
        problems.extend(sources.check_expressions(workspace));
        workspace.fail_on_errors(&problems)?;
        Ok((sources, problems))
    }

    fn engine(workspace: &Workspace, global: &Global) -> Result<Self, Failure> {
        let settings = Settings {
            memory_bytes: global.memory,
            spill_bytes_max: SPILL_BYTES_MAX,
            threads: global.thread_count(),
            ..Settings::new(workspace.spill_folder())
        };
        let mut engine = Engine::new(settings);
        for account in &workspace.project.accounts {
            engine.add_s3(&account.key, delivery::s3::client(account));
        }
        Ok(Self { engine, snapshots: BTreeMap::new(), schemas: BTreeMap::new() })
    }

    /// Pins each dataset; one that cannot be read becomes a problem at its place in the file, so
    /// that it is reported together with the others.
    async fn pin_all(&mut self, workspace: &Workspace) -> Result<Vec<Diagnostic>, Failure> {
        let mut problems = Vec::new();
        for dataset in workspace.project.profile_datasets() {
            match self.pin(workspace, dataset).await {
                Ok((snapshot, schema)) => {
                    self.snapshots.insert(dataset.key.clone(), snapshot);
                    self.schemas.insert(dataset.key.clone(), schema);
                }
                Err(error) => match Failure::from(error) {
                    failure if failure.kind == Kind::Usage => {
                        problems.push(unreadable(dataset, &failure))
                    }
                    failure => {
                        return Err(
                            failure.context(format!("failed to open dataset `{}`", dataset.key))
                        );
                    }
                },
            }
        }
        Ok(problems)
    }

    async fn pin(
        &self,
        workspace: &Workspace,
        dataset: &Dataset,
    ) -> Result<(Snapshot, Schema), engine::Error> {
        let snapshot = self.engine.pin(dataset, &workspace.folder).await?;
        let schema = self.engine.schema(dataset, &snapshot).await?;
        Ok((snapshot, schema))
    }

    /// The snapshot of a dataset of the project.
    pub(crate) fn snapshot(&self, dataset: &str) -> Result<&Snapshot, Failure> {
        self.snapshots.get(dataset).ok_or_else(|| {
            Failure::new(Kind::Internal, format!("dataset `{dataset}` was not opened"))
        })
    }

    /// Every rule must be true or false, every expression of a mapping must be a value.
    fn check_expressions(&self, workspace: &Workspace) -> Vec<Diagnostic> {
        // One profile dataset per project: its schema is that of the profiles.
        let Some(schema) = self.schemas.values().next() else { return Vec::new() };
        let mut problems = Vec::new();
        for segment in &workspace.project.segments {
            let rule = &segment.rule;
            if let Err(error) = engine::check_expression(&rule.text, schema, Expect::Boolean) {
                problems.push(misplaced(
                    &rule.origin,
                    &format!("rule of segment `{}`", segment.key),
                    error,
                ));
            }
        }
        for activation in &workspace.project.activations {
            for column in &activation.mapping {
                let ColumnSource::Expression { text, origin } = &column.source else { continue };
                if let Err(error) = engine::check_expression(text, schema, Expect::Any) {
                    problems.push(misplaced(
                        origin,
                        &format!("expression of column `{}`", column.header),
                        error,
                    ));
                }
            }
        }
        problems
    }
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
    found.hint = hint;
    found
}
