//! Trying a rule that nobody has saved: whether it is valid, who is in it, and a few of them, masked.

use engine::{Effects, Expect};
use futures::StreamExt as _;
use jiff::Timestamp;
use plan::project::{Column, ColumnSource, Rule, RuleOrigin, Segment};
use plan::{FieldPath, Query, Schema, Span, pql};

use crate::cli::Global;
use crate::cli::mask::mask;
use crate::cli::profile::cells;
use crate::failure::{Failure, Kind};
use crate::sources::Sources;
use crate::workspace::Workspace;

/// The most rows of a sample.
pub(crate) const SAMPLE_ROWS_MAX: usize = 50;
/// The most columns of a sample.
const SAMPLE_COLUMNS_MAX: usize = 7;
/// The most fields that are looked through for those that a rule names.
const FIELDS_MAX: usize = 10_000;

/// The languages of rules.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Language {
    Sql,
    Pql,
}

/// What came of a rule.
#[derive(Debug)]
pub(crate) enum Tried {
    Wrong(Fault),
    Counted(Counted),
}

/// What is wrong with a rule, at its place in what was written.
#[derive(Debug)]
pub(crate) struct Fault {
    pub(crate) code: String,
    pub(crate) message: String,
    pub(crate) hint: Option<String>,
    pub(crate) span: Option<Span>,
}

/// Who is in it.
#[derive(Debug)]
pub(crate) struct Counted {
    /// What the engine was asked.
    pub(crate) sql: String,
    pub(crate) members: u64,
    pub(crate) profiles: u64,
    pub(crate) columns: Vec<String>,
    /// Letters and digits are masked.
    pub(crate) rows: Vec<Vec<String>>,
}

/// Tries a rule over the profiles as they are now.
///
/// # Errors
/// The project's data cannot be read.
pub(crate) async fn try_rule(
    workspace: &Workspace,
    global: &Global,
    (language, text): (Language, &str),
    sample: usize,
    now: Timestamp,
) -> Result<Tried, Failure> {
    let written = RuleOrigin::Project { span: Span::of(text, 0..text.len()), spans_text: true };
    let rule = match language {
        Language::Sql => Rule { text: text.to_owned(), origin: written },
        Language::Pql => match pql::translate(text, &crate::cli::segment::segment_names(workspace))
        {
            Ok(pql::Translation { sql, map }) => {
                let origin = RuleOrigin::Translated { written: Box::new(written), map };
                Rule { text: sql, origin }
            }
            Err(error) => {
                let span = Span::of(text, error.offset..error.offset + error.length);
                return Ok(Tried::Wrong(Fault {
                    code: error.code.to_owned(),
                    message: error.message,
                    hint: error.hint,
                    span: Some(span),
                }));
            }
        },
    };
    // In boxes: reading profiles is a deep future, and this one would be deeper still.
    let sources = Box::pin(Sources::open_unchecked(workspace, global)).await?;
    let fields = sources.engine.fields(&sources.profiles).await?;
    let events = sources.engine.event_fields(&sources.profiles).await?;
    if let Err(error) = engine::check_with_events(&rule.text, &fields, &events, Expect::Boolean) {
        let (_, offset, length) = rule.origin.written(error.offset, error.length);
        return Ok(Tried::Wrong(Fault {
            code: error.code.to_owned(),
            message: error.message,
            hint: error.hint,
            span: Some(Span::of(text, offset..offset + length)),
        }));
    }
    match Box::pin(count(workspace, &sources, rule, &fields, sample, now)).await {
        Ok(counted) => Ok(Tried::Counted(counted)),
        // Names of other segments and values that cannot be computed are known no earlier.
        Err(failure) if matches!(failure.kind, Kind::Usage | Kind::Run) => {
            Ok(Tried::Wrong(Fault {
                code: failure.kind.code().to_owned(),
                hint: failure.hints.first().cloned(),
                message: failure.one_line(),
                span: None,
            }))
        }
        Err(failure) => Err(failure),
    }
}

async fn count(
    workspace: &Workspace,
    sources: &Sources,
    rule: Rule,
    fields: &Schema,
    sample: usize,
    now: Timestamp,
) -> Result<Counted, Failure> {
    let sql = rule.text.clone();
    let segment = Segment {
        key: String::new(),
        id: uuid::Uuid::nil(),
        name: String::new(),
        rule,
        import: None,
    };
    let query = workspace.project.members(&segment, now);
    let Sources { engine, profiles } = sources;
    let mut found = Box::pin(engine.evaluate(&[&query], profiles, Effects::default())).await?;
    let nothing = || Failure::new(Kind::Internal, "a rule was not evaluated");
    let found = found.pop().ok_or_else(nothing)??;
    let columns = columns(workspace, &sql, fields);
    let query = Query { columns, ..query };
    let rows = match sample {
        0 => Vec::new(),
        sample => Box::pin(first_rows(sources, &query, sample.min(SAMPLE_ROWS_MAX))).await?,
    };
    Ok(Counted {
        sql,
        members: found.members,
        profiles: found.scanned,
        columns: query.columns.iter().map(|column| column.header.clone()).collect(),
        rows,
    })
}

/// The columns of a sample: who it is, and the fields that the rule names.
fn columns(workspace: &Workspace, sql: &str, fields: &Schema) -> Vec<Column> {
    let known = fields.paths(FIELDS_MAX);
    let primary = workspace.project.profile_datasets().next();
    let primary = primary.and_then(|dataset| dataset.identities.first());
    let primary = primary.map(|identity| identity.field.to_string());
    let words = sql.split(|c: char| !(c.is_alphanumeric() || c == '_' || c == '.'));
    let named = words.filter(|word| known.iter().any(|path| path == word)).map(str::to_owned);
    let mut columns: Vec<Column> = Vec::new();
    for path in primary.into_iter().chain(named) {
        let is_new = columns.iter().all(|column| column.header != path);
        if let Ok(field) = FieldPath::parse(&path)
            && is_new
            && columns.len() < SAMPLE_COLUMNS_MAX
        {
            columns.push(Column {
                header: path,
                source: ColumnSource::Field(field),
                mandatory: false,
                deduplicate: false,
                span: Span::of("", 0..0),
            });
        }
    }
    columns
}

async fn first_rows(
    sources: &Sources,
    query: &Query,
    wanted: usize,
) -> Result<Vec<Vec<String>>, Failure> {
    let rows = sources.engine.rows(query, &sources.profiles).await?;
    let mut batches = rows.map_ordered(move |batch| -> Result<_, Failure> {
        let batch = batch.slice(0, batch.num_rows().min(wanted));
        (0..batch.num_rows()).map(|row| cells(&batch, row)).collect::<Result<Vec<_>, _>>()
    });
    let mut found: Vec<Vec<String>> = Vec::new();
    while found.len() < wanted
        && let Some(batch) = batches.next().await
    {
        found.extend(batch?.into_iter().take(wanted - found.len()));
    }
    Ok(found.into_iter().map(|row| row.iter().map(|cell| mask(cell)).collect()).collect())
}
