//! The answers of all profiles, in a file in the order of the profiles.
//!
//! Each profile has a place of the same size. Zeros are the answers of a profile without events, so
//! that only the others are written.

use std::collections::BTreeMap;
use std::fs::File;
use std::ops::Range;
use std::os::unix::fs::FileExt as _;
use std::sync::Arc;

use arrow::array::{
    ArrayRef, BooleanArray, Date32Array, Decimal128Array, Float64Array, Int64Array, RecordBatch,
};
use arrow::compute;
use arrow::datatypes::{DECIMAL128_MAX_PRECISION, DataType, Field, FieldRef, Schema, i256};
use futures::TryStreamExt;

use super::join::{BUCKET_JOBS, buckets_of, range_hash, range_of, read_state};
use super::question::{Asks, Measure, Question};
use super::scan::{Events, unordered};
use super::state::{Person, State, next};
use crate::engine::Settings;
use crate::error::{Error, Kind};
use crate::expression::event_query::Aggregate;
use crate::ordered::{Ordered, Outlet, Stop};
use crate::spill::{BUCKETS, Buckets, Limits, Sorted};

/// The most events of one person that one question about a sequence looks at.
pub(crate) const SEQUENCE_EVENTS_MAX: usize = 1_000_000;
/// The part of the memory that the buckets of all threads take together.
const BUCKET_SHARE: usize = 8;
/// The fewest bytes of a bucket, however little memory there is.
const BUCKET_BYTES_MIN: usize = 4 << 10;
/// Bytes that are written at once.
const WRITTEN_BYTES: usize = 1 << 20;

/// The answers.
#[derive(Debug)]
pub(crate) struct Answers {
    file: File,
    /// The number of the first profile of each morsel, and behind the last.
    starts: Arc<[u64]>,
    columns: Vec<AnswerColumn>,
    /// Bytes of a profile.
    width: usize,
}

#[derive(Debug)]
struct AnswerColumn {
    field: FieldRef,
    form: Form,
    /// Where its bytes begin among those of a profile.
    offset: usize,
}

/// How an answer is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    /// One byte.
    Truth,
    /// Eight bytes.
    Count,
    /// Whether there is a value, and eight bytes.
    Number,
    /// Whether there is a value, and sixteen bytes.
    Decimal,
}

impl Form {
    fn of(question: &Question) -> Self {
        match (&question.asks, question.data_type()) {
            (_, DataType::Boolean) => Self::Truth,
            (Asks::Aggregate { function: Aggregate::Count, .. }, _) => Self::Count,
            (_, DataType::Decimal128(..)) => Self::Decimal,
            _ => Self::Number,
        }
    }

    fn width(self) -> usize {
        match self {
            Self::Truth => 1,
            Self::Count => 8,
            Self::Number => 9,
            Self::Decimal => 17,
        }
    }
}

/// Makes the answers of what is known of each profile.
pub(super) async fn find(
    events: &Arc<Events>,
    starts: Arc<[u64]>,
    states: Sorted,
    settings: &Settings,
) -> Result<Answers, Error> {
    let (mut columns, mut width) = (Vec::new(), 0);
    for asked in &events.asked {
        let form = Form::of(&asked.question);
        let field = Arc::new(asked.question.answer_field());
        columns.push(AnswerColumn { field, form, offset: width });
        width += form.width();
    }
    let limits = settings.limits();
    let profiles = starts[starts.len() - 1];
    let bytes = profiles.saturating_mul(width as u64);
    if bytes > limits.spill_bytes {
        let message = format!("the answers about events take {bytes} bytes of temporary files");
        return Err(Error::new(Kind::Resources, "spill_limit", message)
            .with_hint("Raise the limit of temporary files."));
    }
    let file = limits.temporary_file()?;
    file.set_len(bytes).map_err(|error| Error::io("", "write a temporary file", error))?;
    let each = settings.memory_bytes / BUCKET_SHARE / settings.threads.max(1);
    let answers = Answers { file, starts, columns, width };
    let maker = Arc::new(Maker {
        events: Arc::clone(events),
        answers,
        bucket_bytes_max: each.max(BUCKET_BYTES_MIN) as u64,
        limits,
    });
    let (job, states) = (Arc::clone(&maker), Arc::new(states));
    let mut jobs: Ordered<(), Error> =
        Ordered::new(BUCKET_JOBS, settings.threads, move |number, _: &Outlet<(), Error>| {
            let all = 0..profiles;
            buckets_of(number)
                .try_for_each(|bucket| job.bucket(&states, bucket, &range_of(bucket, &all)))
                .map_err(Stop::Failed)
        });
    while jobs.try_next().await?.is_some() {}
    drop(jobs);
    let maker =
        Arc::into_inner(maker).ok_or_else(|| Error::internal("a job outlived its stream"))?;
    Ok(maker.answers)
}

struct Maker {
    events: Arc<Events>,
    answers: Answers,
    bucket_bytes_max: u64,
    limits: Limits,
}

impl Maker {
    /// Answers for the profiles of a range, from a bucket; one that is too large is split first.
    fn bucket(&self, states: &Sorted, bucket: usize, range: &Range<u64>) -> Result<(), Error> {
        let bytes = states.bytes(bucket);
        if bytes == 0 {
            return Ok(());
        }
        if bytes > self.bucket_bytes_max && range.end - range.start > 1 {
            let split = self.split(states, bucket, range)?;
            return (0..BUCKETS)
                .try_for_each(|inner| self.bucket(&split, inner, &range_of(inner, range)));
        }
        let mut people: BTreeMap<u64, Person> = BTreeMap::new();
        let mut crowded = false;
        states.read(bucket, |entries| {
            let mut state = Vec::new();
            while let Some(number) = next(entries)? {
                read_state(entries, &mut state)?;
                let person = people.entry(u64::from_le_bytes(number)).or_default();
                person.merge(Person::read(&state)?);
                crowded |= person.happened.len() > SEQUENCE_EVENTS_MAX * self.events.asked.len();
                if crowded {
                    break;
                }
            }
            Ok(())
        })?;
        if crowded {
            return Err(self.too_many());
        }
        self.write(people)
    }

    fn split(&self, states: &Sorted, bucket: usize, range: &Range<u64>) -> Result<Sorted, Error> {
        let mut split = Buckets::new(self.limits.clone());
        let mut failure = Ok(());
        states.read(bucket, |entries| {
            let mut state = Vec::new();
            while let Some(number) = next(entries)? {
                read_state(entries, &mut state)?;
                let length = (state.len() as u32).to_le_bytes();
                let hash = range_hash(u64::from_le_bytes(number), range);
                failure = split.push(hash, &[&number, &length, &state]);
                if failure.is_err() {
                    break;
                }
            }
            Ok(())
        })?;
        failure.map(|()| split.finish())
    }

    /// Writes the answers of people in the order of their numbers.
    fn write(&self, people: BTreeMap<u64, Person>) -> Result<(), Error> {
        let width = self.answers.width;
        let mut pending: Vec<u8> = Vec::new();
        let mut first = 0;
        let put = |first: u64, bytes: &[u8]| {
            let written = self.answers.file.write_all_at(bytes, first * width as u64);
            written.map_err(|error| Error::io("", "write a temporary file", error))
        };
        for (number, person) in people {
            let place = (number - first) as usize * width;
            if pending.is_empty() || place + width > WRITTEN_BYTES {
                put(first, &pending)?;
                pending.clear();
                first = number;
            } else {
                pending.resize(place, 0);
            }
            self.answer(&person, &mut pending)?;
        }
        put(first, &pending)
    }

    /// Adds the answers of a person.
    fn answer(&self, person: &Person, out: &mut Vec<u8>) -> Result<(), Error> {
        let mut happened = person.happened.clone();
        happened.sort_unstable();
        for (number, (asked, column)) in
            self.events.asked.iter().zip(&self.answers.columns).enumerate()
        {
            let number = number as u16;
            let failed = || {
                Error::new(Kind::Invalid, "expression_error", "a sum of events became too large")
                    .at_field(&asked.place)
                    .with_hint("Leave such values out by a condition, or sum floating point numbers: `sum(CAST(… AS DOUBLE))`.")
            };
            let value = match &asked.question.asks {
                Asks::Sequence { pattern, .. } => {
                    let of = |bound: u16| happened.partition_point(|it| it.question < bound);
                    let events = &happened[of(number)..of(number + 1)];
                    if events.len() > SEQUENCE_EVENTS_MAX {
                        return Err(self.too_many());
                    }
                    Some(i128::from(pattern.is_in(events)))
                }
                Asks::Aggregate { function, value, .. } => {
                    let measure = value.as_ref().map(|(_, measure)| measure);
                    let state = person.state(number);
                    aggregated(*function, measure, state).map_err(|TooLarge| failed())?
                }
            };
            let bytes = value.unwrap_or(0).to_le_bytes();
            match column.form {
                Form::Truth => out.push(u8::from(value.is_some_and(|value| value != 0))),
                Form::Count => out.extend(&bytes[..8]),
                Form::Number => {
                    out.push(u8::from(value.is_some()));
                    out.extend(&bytes[..8]);
                }
                Form::Decimal => {
                    out.push(u8::from(value.is_some()));
                    out.extend(bytes);
                }
            }
        }
        Ok(())
    }

    fn too_many(&self) -> Error {
        let is_sequence = |asks: &Asks| matches!(asks, Asks::Sequence { .. });
        let asked = self.events.asked.iter().find(|asked| is_sequence(&asked.question.asks));
        let place = asked.map_or("rule", |asked| asked.place.as_str());
        let message = format!(
            "a profile has more than {SEQUENCE_EVENTS_MAX} events that a sequence looks at"
        );
        Error::new(Kind::Resources, "too_many_events", message)
            .at_field(place)
            .with_hint("Let the conditions of its steps take fewer events, for example those of the last days.")
    }
}

/// A number has no place in its type.
struct TooLarge;

/// The answer as a whole number: the number itself, or the bits of a floating point one.
fn aggregated(
    function: Aggregate,
    measure: Option<&Measure>,
    state: Option<&State>,
) -> Result<Option<i128>, TooLarge> {
    let real = |value: f64| i128::from(value.to_bits() as i64);
    Ok(Some(match (function, state) {
        (_, None) => return Ok(None),
        (_, Some(State::Count(count))) => i128::from(*count),
        (_, Some(State::Least(value) | State::Greatest(value))) => match measure {
            // Kept in their order, not as they are.
            Some(Measure::Real) => real(unordered(i64::try_from(*value).map_err(|_| TooLarge)?)),
            _ => *value,
        },
        (Aggregate::Average, Some(State::Real { sum, count })) => {
            real(sum.value().ok_or(TooLarge)? / *count as f64)
        }
        (_, Some(State::Real { sum, .. })) => real(sum.value().ok_or(TooLarge)?),
        (Aggregate::Average, Some(State::Whole { sum, count })) => {
            let scale = match measure {
                Some(Measure::Decimal(_, scale)) => 10_f64.powi(i32::from(*scale)),
                _ => 1.0,
            };
            real(approximate(*sum) / scale / *count as f64)
        }
        (_, Some(State::Whole { sum, .. })) => {
            let sum = sum.to_i128().ok_or(TooLarge)?;
            let is_decimal = matches!(measure, Some(Measure::Decimal(..)));
            let most = 10_u128.pow(u32::from(DECIMAL128_MAX_PRECISION)) - 1;
            let fits =
                if is_decimal { sum.unsigned_abs() <= most } else { i64::try_from(sum).is_ok() };
            if fits { sum } else { return Err(TooLarge) }
        }
    }))
}

fn approximate(number: i256) -> f64 {
    match number.to_i128() {
        Some(small) => small as f64,
        None => {
            let (low, high) = number.wrapping_abs().to_parts();
            let size = high as f64 * 2_f64.powi(128) + low as f64;
            if number.is_negative() { -size } else { size }
        }
    }
}

impl Answers {
    /// The fields that the answers are.
    pub(crate) fn fields(&self) -> impl Iterator<Item = &FieldRef> {
        self.columns.iter().map(|column| &column.field)
    }

    /// Whether a field holds answers.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.columns.iter().any(|column| column.field.name() == name)
    }

    /// Adds the answers to a batch of profiles that begins with a row of a morsel.
    pub(crate) fn add(
        &self,
        morsel: usize,
        first_row: u64,
        records: &RecordBatch,
    ) -> Result<RecordBatch, Error> {
        let rows = records.num_rows();
        let first = self.starts[morsel] + first_row;
        if first + rows as u64 > self.starts[morsel + 1] {
            let message = "a file has another number of records than a moment ago";
            return Err(Error::internal(message));
        }
        let mut bytes = vec![0; rows * self.width];
        self.file
            .read_exact_at(&mut bytes, first * self.width as u64)
            .map_err(|error| Error::io("", "read a temporary file", error))?;
        let mut fields: Vec<FieldRef> = records.schema().fields().iter().cloned().collect();
        let mut columns = records.columns().to_vec();
        for column in &self.columns {
            fields.push(Arc::clone(&column.field));
            columns.push(column.read(&bytes, self.width)?);
        }
        RecordBatch::try_new(Arc::new(Schema::new(fields)), columns).map_err(|_| unfit())
    }
}

impl AnswerColumn {
    fn read(&self, bytes: &[u8], width: usize) -> Result<ArrayRef, Error> {
        let rows = bytes.chunks_exact(width).map(|row| &row[self.offset..]);
        let long = |bytes: &[u8]| bytes.first_chunk().map_or(0, |it| i64::from_le_bytes(*it));
        let number = |row: &[u8]| (row[0] != 0).then(|| long(&row[1..]));
        Ok(match (self.form, self.field.data_type()) {
            (Form::Truth, _) => {
                Arc::new(rows.map(|row| Some(row[0] != 0)).collect::<BooleanArray>())
            }
            (Form::Count, _) => Arc::new(rows.map(|row| Some(long(row))).collect::<Int64Array>()),
            (Form::Decimal, DataType::Decimal128(digits, scale)) => {
                let wide = |row: &[u8]| {
                    let value = row[1..].first_chunk().map_or(0, |it| i128::from_le_bytes(*it));
                    (row[0] != 0).then_some(value)
                };
                let values = rows.map(wide).collect::<Decimal128Array>();
                Arc::new(values.with_precision_and_scale(*digits, *scale).map_err(|_| unfit())?)
            }
            (_, DataType::Float64) => {
                let real = |row: &[u8]| number(row).map(|bits| f64::from_bits(bits as u64));
                Arc::new(rows.map(real).collect::<Float64Array>())
            }
            (_, DataType::Date32) => Arc::new(
                rows.map(|row| number(row).map(|days| days as i32)).collect::<Date32Array>(),
            ),
            (_, DataType::Int64) => Arc::new(rows.map(number).collect::<Int64Array>()),
            (_, wanted) => {
                let numbers = rows.map(number).collect::<Int64Array>();
                compute::cast(&numbers, wanted).map_err(|_| unfit())?
            }
        })
    }
}

fn unfit() -> Error {
    Error::internal("answers do not fit their types")
}

/// The fields of profiles with those of answers.
pub(crate) fn with_fields(schema: &Schema, answers: &Answers) -> Schema {
    let fields = schema.fields().iter().chain(answers.fields()).cloned();
    Schema::new(fields.collect::<Vec<Arc<Field>>>())
}
