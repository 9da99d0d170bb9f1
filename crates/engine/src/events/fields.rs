//! The fields of events: those of each dataset, and those of all datasets together.

use std::sync::Arc;

use arrow::datatypes::{DataType, Field, FieldRef, Fields, Schema, SchemaRef, TimeUnit};
use sqlparser::tokenizer::Span;

use super::ALL;
use super::question::Question;
use crate::error::Error;
use crate::expression::event_query::EventQuery;
use crate::expression::{ExpressionError, Parsed};
use crate::fields;
use crate::path::Steps;
use crate::snapshot::Snapshot;

/// The name under which the time of every event is known, whatever its field is called.
pub(crate) const TIME: &str = "timestamp";

/// What rules can ask of events: the datasets of a project that hold events, with their fields.
#[derive(Debug, Clone, Default)]
pub struct EventFields {
    sources: Vec<Source>,
    /// All datasets together.
    all: Table,
}

#[derive(Debug, Clone)]
struct Source {
    key: String,
    table: Table,
    tells_time: bool,
}

/// Fields, and where datasets disagree about them.
#[derive(Debug, Clone)]
struct Table {
    arrow: SchemaRef,
    schema: plan::Schema,
    /// Top-level fields of which two datasets have different types, and what to say about it.
    disagreements: Vec<(String, String)>,
}

impl Default for Table {
    fn default() -> Self {
        Self {
            arrow: Arc::new(Schema::empty()),
            schema: plan::Schema::default(),
            disagreements: Vec::new(),
        }
    }
}

impl Table {
    fn new(fields: Fields, disagreements: Vec<(String, String)>) -> Self {
        let arrow = Schema::new(fields);
        Self { schema: fields::describe(&arrow), arrow: Arc::new(arrow), disagreements }
    }
}

/// The type of the time of events.
pub(crate) fn time_type() -> DataType {
    DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into()))
}

/// Whether values of a type tell when something happened.
fn is_time(data_type: &DataType) -> bool {
    matches!(
        data_type,
        DataType::Timestamp(..)
            | DataType::Date32
            | DataType::Date64
            | DataType::Utf8
            | DataType::LargeUtf8
            | DataType::Utf8View
    )
}

impl EventFields {
    pub(super) async fn of(snapshots: &[Snapshot], threads: usize) -> Result<Self, Error> {
        let mut sources: Vec<Source> = Vec::new();
        for snapshot in snapshots {
            let schema = snapshot.schema(threads).await?;
            let time = snapshot.dataset.timestamp.as_ref().map(Steps::from);
            let time = time.and_then(|path| path.data_type(&schema));
            let tells_time = time.as_ref().is_some_and(is_time);
            let key = snapshot.dataset.key.clone();
            let fields = with_time(schema.fields(), tells_time);
            sources.push(Source { key, table: Table::new(fields, Vec::new()), tells_time });
        }
        let all = united(&sources);
        Ok(Self { sources, all })
    }

    /// The keys of the datasets, in the order of the project file.
    pub fn datasets(&self) -> impl Iterator<Item = &str> + Clone {
        self.sources.iter().map(|source| source.key.as_str())
    }

    /// The fields that hold the answers to what an expression asks of events.
    pub(crate) fn answer_fields(&self, parsed: &Parsed) -> Result<Vec<FieldRef>, ExpressionError> {
        let field = |query: &EventQuery| {
            let now = jiff::Timestamp::UNIX_EPOCH;
            let question = Question::new(self, parsed, query, now)?;
            Ok(Arc::new(question.answer_field()))
        };
        parsed.queries.iter().map(field).collect()
    }

    /// The positions of the datasets that a query is about.
    pub(super) fn asked(
        &self,
        parsed: &Parsed,
        query: &EventQuery,
    ) -> Result<Vec<usize>, ExpressionError> {
        let name = query.dataset.as_str();
        let named = self.sources.iter().position(|source| source.key == name);
        match named {
            Some(position) => return Ok(vec![position]),
            None if name == ALL && !self.sources.is_empty() => {
                return Ok((0..self.sources.len()).collect());
            }
            None => {}
        }
        let message = format!("the project has no event dataset `{name}`");
        let error = parsed.error(Some(query.dataset_span), "unknown_dataset", message);
        let nearest = plan::nearest::nearest(name, self.datasets().chain(Some(ALL)));
        Err(match nearest.filter(|_| !self.sources.is_empty()) {
            Some(nearest) => error.with_hint(format!("Did you mean `{nearest}`?")),
            None if self.sources.is_empty() => {
                error.with_hint("It has none: add a dataset with `kind: event`.")
            }
            None => {
                let known = self.datasets().collect::<Vec<_>>().join("`, `");
                error.with_hint(format!("It has `{known}`, and `{ALL}` for all."))
            }
        })
    }

    /// A part of a query, with the fields that it names.
    pub(super) fn part(
        &self,
        parsed: &Parsed,
        query: &EventQuery,
        tree: &sqlparser::ast::Expr,
    ) -> Result<(Parsed, SchemaRef), ExpressionError> {
        let table = self.table(query);
        let dataset = Some(query.dataset.as_str()).filter(|_| self.is_one(query));
        let part = parsed.part(tree, &table.schema, dataset)?;
        for steps in &part.fields {
            let found = table.disagreements.iter().find(|(field, _)| field == steps.root());
            if let Some((_, message)) = found {
                let error = part.error(None, "type_disagreement", message.clone());
                return Err(error.with_hint(
                    "Ask one of the datasets, or give the field one type in all of them.",
                ));
            }
            if steps.root() == TIME {
                self.check_time(&part, query, None)?;
            }
        }
        Ok((part, Arc::clone(&table.arrow)))
    }

    /// Checks that all events of a query have a time.
    pub(super) fn check_time(
        &self,
        parsed: &Parsed,
        query: &EventQuery,
        span: Option<Span>,
    ) -> Result<(), ExpressionError> {
        let is_asked = |source: &&Source| source.key == query.dataset || !self.is_one(query);
        let silent = self.sources.iter().filter(is_asked).find(|source| !source.tells_time);
        // A field of that name is a field like others.
        let own = |source: &Source| source.table.arrow.column_with_name(TIME).is_some();
        match silent.filter(|source| span.is_some() || !self.is_one(query) || !own(source)) {
            None => Ok(()),
            Some(source) => {
                let message = format!("`{}` does not say when its events happened", source.key);
                let error = parsed.error(span, "no_timestamp", message);
                Err(error.with_hint(
                    "Give the dataset `timestamp:` with a field that holds a timestamp, a date, or \
                     a text such as `2026-01-31T02:00:00Z`.",
                ))
            }
        }
    }

    fn is_one(&self, query: &EventQuery) -> bool {
        self.sources.iter().any(|source| source.key == query.dataset)
    }

    fn table(&self, query: &EventQuery) -> &Table {
        let named = self.sources.iter().find(|source| source.key == query.dataset);
        named.map_or(&self.all, |source| &source.table)
    }
}

/// The fields of a dataset, its time under the name that all have.
fn with_time(fields: &Fields, tells_time: bool) -> Fields {
    let mut all: Vec<FieldRef> = fields.iter().cloned().collect();
    if tells_time {
        all.retain(|field| field.name() != TIME);
        all.push(Arc::new(Field::new(TIME, time_type(), true)));
    }
    all.into()
}

/// The fields of all datasets. Where two have different types for one, it is told to whoever names it.
fn united(sources: &[Source]) -> Table {
    let mut united = Fields::empty();
    let mut seen_in: Vec<&str> = Vec::new();
    let mut disagreements = Vec::new();
    for source in sources {
        for field in source.table.arrow.fields() {
            match fields::unite(&united, &Fields::from(vec![Arc::clone(field)])) {
                Ok(more) => united = more,
                Err(found) => {
                    let first = united.find(field.name()).map_or("", |(at, _)| seen_in[at]);
                    let message = format!(
                        "`{}` is {} in `{}`, but {} in `{first}`",
                        found.field, found.there, source.key, found.here
                    );
                    disagreements.push((field.name().clone(), message));
                }
            }
            seen_in.resize(united.len(), &source.key);
        }
    }
    Table::new(united, disagreements)
}

/// Where the time of events is read from.
pub(super) fn time_path() -> Steps {
    Steps(vec![plan::field::Step::Field(TIME.to_owned())])
}
