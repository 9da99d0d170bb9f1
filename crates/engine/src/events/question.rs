//! What is asked of events, ready to be asked of batches of them.

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch, RecordBatchOptions};
use arrow::buffer::BooleanBuffer;
use arrow::datatypes::{
    DECIMAL128_MAX_PRECISION, DataType, Field, IntervalMonthDayNanoType, Schema, TimeUnit,
};
use datafusion_common::DataFusionError;
use jiff::Timestamp;
use plan::schema::FieldType;
use sqlparser::ast::{Expr, Spanned as _};

use super::fields::EventFields;
use super::sequence::{Distance, Pattern, Step, Without};
use super::window::Window;
use crate::error::Error;
use crate::expression::compile::{Compiled, compile};
use crate::expression::event_query::{Aggregate, EventQuery, Part, Shape};
use crate::expression::{Expect, ExpressionError, Parsed};
use crate::fields;
use crate::path::Steps;
use crate::selection::{Inputs, failed_value};

/// A question to the events of each person.
#[derive(Debug)]
pub(crate) struct Question {
    /// The name of the field that holds the answer.
    pub(crate) answer: String,
    /// The positions of the datasets that it is about.
    pub(crate) sources: Vec<usize>,
    pub(crate) asks: Asks,
    /// The times outside which no event matters.
    pub(crate) window: Window,
}

#[derive(Debug)]
pub(crate) enum Asks {
    Aggregate {
        function: Aggregate,
        value: Option<(Computed, Measure)>,
        condition: Option<Computed>,
    },
    Sequence {
        conditions: Vec<Computed>,
        pattern: Pattern,
    },
}

/// An expression over events.
#[derive(Debug)]
pub(crate) struct Computed {
    inputs: Inputs,
    compiled: Compiled,
}

/// What a value is measured in.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Measure {
    /// Whole numbers of 64 bits.
    Whole,
    Real,
    Decimal(u8, i8),
    Date,
    Time(TimeUnit, Option<std::sync::Arc<str>>),
    /// Anything, of which only matters whether it is there.
    Presence,
}

impl Measure {
    fn of(data_type: &DataType) -> Option<Self> {
        Some(match data_type {
            other if other.is_integer() => Self::Whole,
            DataType::Float16 | DataType::Float32 | DataType::Float64 => Self::Real,
            DataType::Decimal32(digits, scale)
            | DataType::Decimal64(digits, scale)
            | DataType::Decimal128(digits, scale) => Self::Decimal(*digits, *scale),
            DataType::Date32 | DataType::Date64 => Self::Date,
            DataType::Timestamp(unit, zone) => Self::Time(*unit, zone.clone()),
            _ => return None,
        })
    }

    /// The type in which values are looked at.
    pub(crate) fn data_type(&self) -> Option<DataType> {
        Some(match self {
            Self::Whole => DataType::Int64,
            Self::Real => DataType::Float64,
            Self::Decimal(digits, scale) => DataType::Decimal128(*digits, *scale),
            Self::Date => DataType::Date32,
            Self::Time(unit, zone) => DataType::Timestamp(*unit, zone.clone()),
            Self::Presence => return None,
        })
    }

    fn is_number(&self) -> bool {
        matches!(self, Self::Whole | Self::Real | Self::Decimal(..))
    }
}

impl Question {
    /// Compiles what a query asks. Call on the stack of expressions.
    pub(crate) fn new(
        events: &EventFields,
        parsed: &Parsed,
        query: &EventQuery,
        now: Timestamp,
    ) -> Result<Self, ExpressionError> {
        let sources = events.asked(parsed, query)?;
        let maker = Maker { events, parsed, query, now };
        let (asks, window) = match &query.shape {
            Shape::Aggregate { function, value, condition } => {
                let condition =
                    condition.as_ref().map(|it| maker.computed(it, Expect::Boolean)).transpose()?;
                let value = value.as_ref().map(|it| maker.measured(*function, it)).transpose()?;
                let window = condition.as_ref().map_or(Window::ALWAYS, Computed::window);
                (Asks::Aggregate { function: *function, value, condition }, window)
            }
            Shape::Sequence(parts) => maker.sequence(parts)?,
        };
        Ok(Self { answer: query.answer.clone(), sources, asks, window })
    }

    /// The field of the answer.
    pub(crate) fn answer_field(&self) -> Field {
        Field::new(&self.answer, self.data_type(), true)
    }

    /// The type of the answer.
    pub(crate) fn data_type(&self) -> DataType {
        let Asks::Aggregate { function, value, .. } = &self.asks else { return DataType::Boolean };
        let measure = value.as_ref().map(|(_, measure)| measure);
        match (function, measure) {
            (Aggregate::Exists, _) => DataType::Boolean,
            (Aggregate::Count, _) => DataType::Int64,
            (Aggregate::Average, _) => DataType::Float64,
            (Aggregate::Sum, Some(Measure::Decimal(_, scale))) => {
                DataType::Decimal128(DECIMAL128_MAX_PRECISION, *scale)
            }
            (_, measure) => measure.and_then(Measure::data_type).unwrap_or(DataType::Int64),
        }
    }

    /// The fields that have to be read.
    pub(crate) fn fields(&self) -> impl Iterator<Item = &Steps> {
        let computed: Vec<&Computed> = match &self.asks {
            Asks::Aggregate { value, condition, .. } => {
                value.iter().map(|(value, _)| value).chain(condition).collect()
            }
            Asks::Sequence { conditions, .. } => conditions.iter().collect(),
        };
        computed.into_iter().flat_map(|computed| computed.inputs.paths())
    }
}

impl Computed {
    /// The values for a batch of events; `place` is where the expression stands, for errors.
    pub(crate) fn values(&self, events: &RecordBatch, place: &str) -> Result<ArrayRef, Error> {
        let failed = |error: DataFusionError| failed_value(&error, place);
        let columns = self.inputs.extract(events)?;
        let flat = self.inputs.batch(columns, events.num_rows())?;
        let result = self.compiled.expression.evaluate(&flat).map_err(failed)?;
        result.into_array(events.num_rows()).map_err(failed)
    }

    /// The events for which a condition is true.
    pub(crate) fn holds(&self, events: &RecordBatch, place: &str) -> Result<BooleanBuffer, Error> {
        let result = self.values(events, place)?;
        let result = result.as_boolean();
        Ok(match result.nulls() {
            Some(nulls) => result.values() & nulls.inner(),
            None => result.values().clone(),
        })
    }

    fn window(&self) -> Window {
        Window::of(self.compiled.expression.as_ref())
    }
}

struct Maker<'a> {
    events: &'a EventFields,
    parsed: &'a Parsed,
    query: &'a EventQuery,
    now: Timestamp,
}

impl Maker<'_> {
    fn computed(&self, tree: &Expr, expect: Expect) -> Result<Computed, ExpressionError> {
        let (part, schema) = self.events.part(self.parsed, self.query, tree)?;
        let inputs = Inputs::new(part.fields.clone(), &schema);
        let compiled = compile(&part, inputs.schema(), expect, self.now)?;
        Ok(Computed { inputs, compiled })
    }

    fn measured(
        &self,
        function: Aggregate,
        tree: &Expr,
    ) -> Result<(Computed, Measure), ExpressionError> {
        let computed = self.computed(tree, Expect::Any)?;
        if function == Aggregate::Count {
            return Ok((computed, Measure::Presence));
        }
        let found = &computed.compiled.data_type;
        let is_extreme = matches!(function, Aggregate::Min | Aggregate::Max);
        let measure = Measure::of(found).filter(|it| it.is_number() || is_extreme);
        if let Some(measure) = measure {
            return Ok((computed, measure));
        }
        let takes = if is_extreme { "numbers, timestamps and dates" } else { "numbers" };
        let kind = match fields::kind_of(found) {
            FieldType::Unsupported(name) => name,
            known => known.name().to_owned(),
        };
        let message = format!("`{}` takes {takes}, this is of type {kind}", function.name());
        let error = self.parsed.error(Some(tree.span()), "type_error", message);
        Err(error.with_hint("Convert it with `TRY_CAST(… AS DOUBLE)`, or ask with `EXISTS`."))
    }

    fn sequence(&self, parts: &[Part]) -> Result<(Asks, Window), ExpressionError> {
        self.events.check_time(self.parsed, self.query, Some(self.query.dataset_span))?;
        let mut texts: Vec<String> = Vec::new();
        let mut conditions = Vec::new();
        let mut steps: Vec<Step> = Vec::new();
        for part in parts {
            // The same condition is looked at once, however often it stands there.
            let text = part.condition.to_string();
            let number = match texts.iter().position(|known| *known == text) {
                Some(number) => number,
                None => {
                    conditions.push(self.computed(&part.condition, Expect::Boolean)?);
                    texts.push(text);
                    texts.len() - 1
                }
            };
            let number = u32::try_from(number).unwrap_or(u32::MAX);
            let within = part.within.as_ref().map(|it| self.distance(it)).transpose()?;
            let after = part.after.as_ref().map(|it| self.distance(it)).transpose()?;
            match steps.last_mut() {
                Some(last) if !part.is_step => last.without.push(Without { part: number, within }),
                _ => steps.push(Step { part: number, within, after, without: Vec::new() }),
            }
        }
        let windows = conditions.iter().map(Computed::window);
        let window = windows.reduce(Window::union).unwrap_or(Window::ALWAYS);
        Ok((Asks::Sequence { conditions, pattern: Pattern { steps } }, window))
    }

    /// The length of an interval.
    fn distance(&self, tree: &Expr) -> Result<Distance, ExpressionError> {
        let wrong = |message: &str| {
            let error = self.parsed.error(Some(tree.span()), "invalid_distance", message);
            error.with_hint("Write for example `INTERVAL '7 days'`.")
        };
        let part = self.parsed.part(tree, &plan::Schema::default(), None)?;
        let compiled = compile(&part, &Schema::empty(), Expect::Any, self.now)?;
        let options = RecordBatchOptions::new().with_row_count(Some(1));
        let empty = std::sync::Arc::new(Schema::empty());
        let value = RecordBatch::try_new_with_options(empty, Vec::new(), &options)
            .map_err(DataFusionError::from)
            .and_then(|one| compiled.expression.evaluate(&one)?.into_array(1));
        let value = value.map_err(|_| wrong("this is no distance in time"))?;
        let Some(value) = value.as_primitive_opt::<IntervalMonthDayNanoType>() else {
            return Err(wrong("this is no distance in time"));
        };
        let value = value.value(0);
        let (months, days, nanoseconds) = (value.months, value.days, value.nanoseconds);
        if months < 0 || days < 0 || nanoseconds < 0 {
            return Err(wrong("a distance in time is not negative"));
        }
        let microseconds = i64::from(days) * MICROSECONDS_PER_DAY + nanoseconds / 1_000;
        Ok(Distance { months, microseconds })
    }
}

const MICROSECONDS_PER_DAY: i64 = 86_400_000_000;
