//! The project's datasets, opened: pinned snapshots, schemas, and everything checked against them.

use std::collections::{BTreeMap, BTreeSet};

use engine::{Engine, EventFields, Expect, ExpressionError, Profiles, Settings, Snapshot};
use plan::project::{ColumnSource, Dataset, DatasetKind, RuleOrigin};
use plan::{Diagnostic, Project, Schema, Span};

use crate::cli::Global;
use crate::failure::{Failure, Kind};
use crate::workspace::{Workspace, unknown};

/// The most bytes that may be spilled to disk in one process.
const SPILL_BYTES_MAX: u64 = 200 * (1 << 30);

/// The profiles of a project, their datasets each at one pinned snapshot.
pub(crate) struct Sources {
    pub(crate) engine: Engine,
    pub(crate) profiles: Profiles,
}

impl Sources {
    /// Opens every profile dataset, and every event dataset that a rule or an expression asks, and
    /// checks the project against what is in them.
    ///
    /// # Errors
    /// A dataset cannot be opened, or a field or an expression of the project does not fit; all
    /// such problems are in the failure's report.
    pub(crate) async fn open(
        workspace: &Workspace,
        global: &Global,
    ) -> Result<(Self, Vec<Diagnostic>), Failure> {
        Self::open_with(workspace, global, Vec::new()).await
    }

    /// The same for one activation: what it does not name is not checked, which takes long where there
    /// are hundreds of rules.
    ///
    /// # Errors
    /// As [`Sources::open`].
    pub(crate) async fn open_for(
        workspace: &Workspace,
        global: &Global,
        activation: &str,
    ) -> Result<Self, Failure> {
        let asked = datasets_asked(&workspace.project);
        let is_wanted = |dataset: &Dataset| is_asked(dataset, &asked);
        let scope = Scope::Activation(activation, &[]);
        let (sources, problems) =
            Self::look(workspace, global, Vec::new(), is_wanted, scope).await?;
        workspace.fail_on_errors(&problems)?;
        Ok(sources)
    }

    /// The same, telling other problems of the project together with those of its data.
    ///
    /// # Errors
    /// As [`Sources::open`].
    pub(crate) async fn open_with(
        workspace: &Workspace,
        global: &Global,
        known: Vec<Diagnostic>,
    ) -> Result<(Self, Vec<Diagnostic>), Failure> {
        let asked = datasets_asked(&workspace.project);
        Self::open_some(workspace, global, known, |dataset| is_asked(dataset, &asked)).await
    }

    /// Opens every dataset, whether anything asks it or not, and only tells what does not fit.
    ///
    /// # Errors
    /// The service that holds a dataset cannot be reached, or refuses.
    pub(crate) async fn all_problems(
        workspace: &Workspace,
        global: &Global,
    ) -> Result<Vec<Diagnostic>, Failure> {
        let everything = |_: &Dataset| true;
        let (_, problems) =
            Self::look(workspace, global, Vec::new(), everything, Scope::All).await?;
        Ok(problems)
    }

    /// Opens every dataset and checks nothing that the project says of them: whoever asks something
    /// checks what it asks, however many rules the project has.
    ///
    /// # Errors
    /// A dataset cannot be opened.
    pub(crate) async fn open_unchecked(
        workspace: &Workspace,
        global: &Global,
    ) -> Result<Self, Failure> {
        let engine = engine(workspace, global)?;
        let pinned = pin_all(&engine, workspace, |_| true).await?;
        let Pinned { snapshots, events, mut problems, .. } = pinned;
        let imports = pin_imports(&engine, workspace, &mut problems).await?;
        workspace.fail_on_errors(&problems)?;
        let profiles = Profiles::new(workspace.project.profiles.clone(), snapshots);
        Ok(Self { engine, profiles: profiles.with_events(events).with_imports(imports) })
    }

    /// The profiles alone, each dataset pinned and none looked into.
    ///
    /// # Errors
    /// A dataset cannot be found.
    pub(crate) async fn pin_profiles(
        workspace: &Workspace,
        global: &Global,
    ) -> Result<Self, Failure> {
        let engine = engine(workspace, global)?;
        let mut snapshots = Vec::new();
        for dataset in workspace.project.profile_datasets() {
            let pinned = engine.pin(dataset, &workspace.folder).await;
            snapshots.push(pinned.map_err(|error| {
                Failure::from(error).context(format!("failed to open dataset `{}`", dataset.key))
            })?);
        }
        let profiles = Profiles::new(workspace.project.profiles.clone(), snapshots);
        Ok(Self { engine, profiles })
    }

    /// Reads the schema of one dataset.
    ///
    /// # Errors
    /// There is none, or it cannot be opened.
    pub(crate) async fn schema_of(
        workspace: &Workspace,
        global: &Global,
        key: &str,
    ) -> Result<Schema, Failure> {
        let engine = engine(workspace, global)?;
        let names = || workspace.project.datasets.iter().map(|dataset| dataset.key.as_str());
        let found = workspace.project.datasets.iter().find(|dataset| dataset.key == key);
        let dataset = found.ok_or_else(|| unknown("dataset", key, names()))?;
        let (_, schema) = pin(&engine, workspace, dataset).await?;
        Ok(schema)
    }

    /// Finds what does not fit to the data, as [`Sources::open_with`] does, and only tells it.
    ///
    /// # Errors
    /// A dataset cannot be opened.
    pub(crate) async fn problems(
        workspace: &Workspace,
        global: &Global,
        known: Vec<Diagnostic>,
    ) -> Result<Vec<Diagnostic>, Failure> {
        let asked = datasets_asked(&workspace.project);
        let (_, problems) =
            Self::look(workspace, global, known, |it| is_asked(it, &asked), Scope::All).await?;
        Ok(problems)
    }

    /// Opens the datasets for one activation, and only tells what does not fit. Where segments are named,
    /// rules of others are not checked.
    ///
    /// # Errors
    /// A dataset cannot be opened.
    pub(crate) async fn look_for(
        workspace: &Workspace,
        global: &Global,
        activation: &str,
        segments: &[String],
    ) -> Result<(Self, Vec<Diagnostic>), Failure> {
        let asked = datasets_asked(&workspace.project);
        let is_wanted = |dataset: &Dataset| is_asked(dataset, &asked);
        let scope = Scope::Activation(activation, segments);
        Self::look(workspace, global, Vec::new(), is_wanted, scope).await
    }

    async fn open_some(
        workspace: &Workspace,
        global: &Global,
        known: Vec<Diagnostic>,
        is_wanted: impl Fn(&Dataset) -> bool,
    ) -> Result<(Self, Vec<Diagnostic>), Failure> {
        let (sources, problems) =
            Self::look(workspace, global, known, is_wanted, Scope::All).await?;
        workspace.fail_on_errors(&problems)?;
        Ok((sources, problems))
    }

    async fn look(
        workspace: &Workspace,
        global: &Global,
        known: Vec<Diagnostic>,
        is_wanted: impl Fn(&Dataset) -> bool,
        scope: Scope<'_>,
    ) -> Result<(Self, Vec<Diagnostic>), Failure> {
        let engine = engine(workspace, global)?;
        let pinned = pin_all(&engine, workspace, is_wanted).await?;
        let Pinned { snapshots, events, schemas, mut problems } = pinned;
        let is_whole = problems.is_empty();
        problems.extend(known);
        problems.extend(workspace.project.check_fields(&schemas));
        let imports = pin_imports(&engine, workspace, &mut problems).await?;
        let profiles = Profiles::new(workspace.project.profiles.clone(), snapshots);
        let profiles = profiles.with_events(events).with_imports(imports);
        if !is_whole {
            problems.extend(problems_of_syntax(workspace, scope));
        } else {
            match engine.fields(&profiles).await {
                Ok(fields) => {
                    let events = engine.event_fields(&profiles).await?;
                    problems.extend(check_expressions(workspace, &fields, &events, scope));
                }
                // Otherwise the project has been told of it where it stands.
                Err(error) if !has_errors(&problems) => {
                    problems.push(disagreement(workspace, error)?);
                }
                Err(_) => {}
            }
        }
        Ok((Self { engine, profiles }, problems))
    }
}

/// Which rules and expressions are checked.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Scope<'a> {
    All,
    /// Those of one activation; of its segments those that are named, or all.
    Activation(&'a str, &'a [String]),
}

impl Scope<'_> {
    fn is(self, activation: &str) -> bool {
        matches!(self, Self::Activation(key, _) if key == activation)
    }

    fn has(self, workspace: &Workspace, segment: &str) -> bool {
        match self {
            Self::All => true,
            Self::Activation(key, []) => workspace
                .project
                .activation(key)
                .is_some_and(|it| it.segments.iter().any(|export| export.segment == segment)),
            Self::Activation(_, segments) => segments.iter().any(|key| key == segment),
        }
    }
}

fn is_asked(dataset: &Dataset, asked: &BTreeSet<String>) -> bool {
    dataset.kind == DatasetKind::Profile
        || asked.contains(&dataset.key)
        || asked.contains(engine::ALL_EVENTS)
}

fn engine(workspace: &Workspace, global: &Global) -> Result<Engine, Failure> {
    let settings = Settings {
        memory_bytes: global.memory,
        spill_bytes_max: SPILL_BYTES_MAX,
        threads: global.thread_count(),
        leaves_nothing: workspace.leaves_nothing,
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
    /// Of profiles.
    snapshots: Vec<Snapshot>,
    events: Vec<Snapshot>,
    /// By the keys of datasets.
    schemas: BTreeMap<String, Schema>,
    problems: Vec<Diagnostic>,
}

/// Pins each dataset; one that cannot be read becomes a problem at its place in the file, so that it
/// is reported together with the others.
async fn pin_all(
    engine: &Engine,
    workspace: &Workspace,
    is_wanted: impl Fn(&Dataset) -> bool,
) -> Result<Pinned, Failure> {
    let mut pinned = Pinned::default();
    for dataset in workspace.project.datasets.iter().filter(|dataset| is_wanted(dataset)) {
        match pin(engine, workspace, dataset).await {
            Ok((snapshot, _)) => match dataset.kind {
                DatasetKind::Profile => pinned.snapshots.push(snapshot),
                DatasetKind::Event => pinned.events.push(snapshot),
            },
            Err(error) => {
                let place = place_of(dataset, &error);
                let failure = Failure::from(error);
                if failure.kind != Kind::Usage {
                    let what = format!("failed to open dataset `{}`", dataset.key);
                    return Err(failure.context(what));
                }
                pinned.problems.push(unreadable(dataset, place, &failure));
            }
        }
    }
    engine.agree(&mut pinned.snapshots).await?;
    engine.agree(&mut pinned.events).await?;
    for snapshot in pinned.snapshots.iter().chain(&pinned.events) {
        let schema = engine.schema(snapshot).await?;
        pinned.schemas.insert(snapshot.dataset_key().to_owned(), schema);
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

/// Pins the files of imported segments.
async fn pin_imports(
    engine: &Engine,
    workspace: &Workspace,
    problems: &mut Vec<Diagnostic>,
) -> Result<Vec<Snapshot>, Failure> {
    let mut snapshots = Vec::new();
    for segment in &workspace.project.segments {
        let Some(import) = &segment.import else { continue };
        let pinned = pin(engine, workspace, import).await;
        match pinned.map_err(Failure::from) {
            Ok((snapshot, schema)) => {
                problems.extend(workspace.project.check_import(segment, &schema));
                snapshots.push(snapshot);
            }
            Err(failure) if failure.kind == Kind::Usage => {
                let found = unreadable(import, import.span, &failure);
                let message = found.message.replacen("dataset", "imported segment", 1);
                problems.push(Diagnostic { message, ..found });
            }
            Err(failure) => {
                return Err(
                    failure.context(format!("failed to open imported segment `{}`", segment.key))
                );
            }
        }
    }
    Ok(snapshots)
}

/// The event datasets that any rule or expression names.
fn datasets_asked(project: &Project) -> BTreeSet<String> {
    let rules = project.segments.iter().map(|segment| segment.rule.text.as_str());
    let columns = project.activations.iter().flat_map(|activation| &activation.mapping);
    let expressions = columns.filter_map(|column| match &column.source {
        ColumnSource::Expression { text, .. } => Some(text.as_str()),
        _ => None,
    });
    let purposes = project.consent.purposes.iter().map(|purpose| purpose.rule.text.as_str());
    let texts = rules.chain(expressions).chain(purposes);
    let mut asked: BTreeSet<String> = texts.flat_map(engine::event_datasets_named).collect();
    let is_known = |name: &String| project.datasets.iter().any(|dataset| dataset.key == *name);
    if !asked.iter().all(is_known) {
        // A name that nothing has is told together with the nearest that there is.
        asked.insert(engine::ALL_EVENTS.to_owned());
    }
    asked
}

/// Every rule must be true or false, every expression of a mapping must be a value.
fn check_expressions(
    workspace: &Workspace,
    schema: &Schema,
    events: &EventFields,
    scope: Scope<'_>,
) -> Vec<Diagnostic> {
    let column_fields = workspace.project.column_fields(schema);
    problems_of_expressions(workspace, scope, |text, role| match role {
        Role::Rule => engine::problems_with_events(text, schema, events, Expect::Boolean),
        Role::Column => engine::problems_with_events(text, &column_fields, events, Expect::Any),
    })
}

/// What is wrong with rules and expressions whatever fields the datasets have.
pub(crate) fn problems_of_syntax(workspace: &Workspace, scope: Scope<'_>) -> Vec<Diagnostic> {
    problems_of_expressions(workspace, scope, |text, _| engine::problems_of_syntax(text))
}

/// What an expression does.
#[derive(Debug, Clone, Copy)]
enum Role {
    Rule,
    Column,
}

/// Everything that `check` finds in the expressions of a project, each at its place.
fn problems_of_expressions(
    workspace: &Workspace,
    scope: Scope<'_>,
    check: impl Fn(&str, Role) -> Vec<ExpressionError>,
) -> Vec<Diagnostic> {
    let mut problems = Vec::new();
    let mut look = |text: &str, origin: &RuleOrigin, role: Role, what: String| {
        let found = check(text, role).into_iter();
        problems.extend(found.map(|error| misplaced(workspace, (origin, text), &what, error)));
    };
    for segment in workspace.project.segments.iter().filter(|it| scope.has(workspace, &it.key)) {
        let what = format!("rule of segment `{}`", segment.key);
        look(&segment.rule.text, &segment.rule.origin, Role::Rule, what);
    }
    for purpose in &workspace.project.consent.purposes {
        let what = format!("rule of consent to `{}`", purpose.action);
        look(&purpose.rule.text, &purpose.rule.origin, Role::Rule, what);
    }
    let meant = |key: &str| matches!(scope, Scope::All) || scope.is(key);
    for activation in workspace.project.activations.iter().filter(|it| meant(&it.key)) {
        for column in &activation.mapping {
            let ColumnSource::Expression { text, origin } = &column.source else { continue };
            let what = format!("expression of column `{}`", column.header);
            look(text, origin, Role::Column, what);
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

/// Where in the project file it stands what cannot be read: the location, or what is asked of it.
fn place_of(dataset: &Dataset, error: &engine::Error) -> Span {
    let asked = match error.code() {
        "database_table" | "database_query" | "database_denied" => {
            dataset.database.as_ref().map(|database| database.relation_span)
        }
        "no_table_version" => dataset.version_span,
        _ => None,
    };
    asked.unwrap_or(dataset.span)
}

fn unreadable(dataset: &Dataset, place: Span, failure: &Failure) -> Diagnostic {
    let mut message = format!("dataset `{}`: {}", dataset.key, failure.message);
    for cause in &failure.causes {
        message.push_str(": ");
        message.push_str(cause);
    }
    let found = Diagnostic::error("unreadable_dataset", place, message);
    match failure.hints.first() {
        Some(hint) => found.with_hint(hint.clone()),
        None => found,
    }
}

/// An error inside an expression, at its place in the project file, or in the file that holds it. In a
/// rule that was translated it is the place in what a person wrote.
fn misplaced(
    workspace: &Workspace,
    (origin, text): (&RuleOrigin, &str),
    what: &str,
    error: ExpressionError,
) -> Diagnostic {
    let ExpressionError { offset, length, code, message, hint } = error;
    let (written, at, _) = origin.written(offset, length);
    let is_translated = matches!(origin, RuleOrigin::Translated { .. });
    let place = match written {
        RuleOrigin::File { path, .. } => {
            let file = match is_translated {
                true => std::fs::read_to_string(workspace.folder.join(path)).unwrap_or_default(),
                false => text.to_owned(),
            };
            let at = Span::of(&file, at.min(file.len())..at.min(file.len()));
            format!(" ({path}, line {}, column {})", at.line, at.column)
        }
        _ => String::new(),
    };
    let mut found = Diagnostic {
        severity: plan::Severity::Error,
        code,
        message: format!("{what}{place}: {message}"),
        hint: None,
        span: origin.place(offset, length).or(Some(origin.span())),
    };
    // The engine speaks of SQL.
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
