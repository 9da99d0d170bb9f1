//! One pass over each dataset of events: what counts for the questions, per identity.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, PoisonError};

use arrow::array::{
    Array, ArrayRef, AsArray, BooleanArray, Int64Array, RecordBatch, StringViewArray,
    TimestampMicrosecondArray,
};
use arrow::buffer::{BooleanBuffer, NullBuffer};
use arrow::compute::{self, CastOptions, filter_record_batch};
use arrow::datatypes::{
    DataType, Date32Type, Decimal128Type, Field, Float64Type, Int64Type, Schema, i256,
};
use futures::TryStreamExt;

use super::fields::{TIME, time_path, time_type};
use super::question::{Asks, Measure};
use super::state::{Happened, Person, State};
use super::sum::ExactSum;
use super::window::Window;
use super::{Asked, identity};
use crate::engine::Settings;
use crate::error::{Error, Kind};
use crate::expression::event_query::Aggregate;
use crate::merge::identity::{self as identities, Column};
use crate::ordered::{Ordered, Outlet, Stop};
use crate::path::Steps;
use crate::snapshot::Snapshot;
use crate::spill::{Buckets, Sorted};
use crate::survey::Survey;

/// The most bytes of states that one thread holds before it hands them to the buckets.
const STATES_BYTES_MAX: usize = 4 << 20;

/// The datasets that are asked, and the questions.
#[derive(Debug)]
pub(super) struct Events {
    pub(super) sources: Vec<Source>,
    pub(super) asked: Vec<Asked>,
}

/// One dataset of events.
#[derive(Debug)]
pub(super) struct Source {
    pub(super) key: String,
    pub(super) survey: Arc<Survey>,
    pub(super) identity: Column,
    pub(super) namespace: String,
    /// The field that holds the time.
    pub(super) time: Option<Steps>,
    /// The numbers of the questions that it is asked.
    questions: Vec<u16>,
    /// Whether one of them names the time.
    needs_time: bool,
    /// The times outside which no event matters.
    window: Window,
    needed: BTreeSet<Steps>,
    /// The number of its first morsel among those of all datasets.
    first_morsel: usize,
}

/// Events of a dataset that belong to nobody.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct LeftOut {
    pub(super) without_identity: u64,
    pub(super) without_time: u64,
}

/// What a pass over all datasets found.
pub(super) struct Scanned {
    /// By the hash of an identity: the hash, the dataset, how many events, and their states.
    pub(super) states: Sorted,
    /// By dataset.
    pub(super) left_out: Vec<LeftOut>,
}

impl Events {
    pub(super) async fn new(
        snapshots: &[Snapshot],
        asked: Vec<Asked>,
        threads: usize,
    ) -> Result<Self, Error> {
        let mut sources: Vec<Source> = Vec::new();
        let mut first_morsel = 0;
        for (position, snapshot) in snapshots.iter().enumerate() {
            let asks = |asked: &&Asked| asked.question.sources.contains(&position);
            if !asked.iter().any(|it| asks(&it)) {
                continue;
            }
            let survey = Arc::clone(snapshot.survey(threads).await?);
            let questions = asked.iter().filter(asks).map(|asked| &asked.question);
            let window = questions.clone().map(|question| question.window).reduce(Window::union);
            let fields: BTreeSet<&Steps> = questions.flat_map(|it| it.fields()).collect();
            let named = identity(&snapshot.dataset.identities)?;
            let namespace = named.namespace.clone();
            let column = Column::new(named, std::slice::from_ref(&namespace));
            let dataset = |error: Error| error.in_file(&snapshot.dataset.location);
            column.check(&survey.schema).map_err(dataset)?;
            let time = survey.timestamp.clone();
            if let Some(time) = time.as_ref().filter(|it| it.data_type(&survey.schema).is_none()) {
                let message =
                    format!("the dataset `{}` has no field `{time}`", snapshot.dataset.key);
                let error = Error::new(Kind::Invalid, "unknown_field", message);
                return Err(error.at_field("timestamp"));
            }
            let all = fields.iter().copied().chain([&column.path]).chain(&time);
            let needed = all.filter(|it| it.data_type(&survey.schema).is_some()).cloned().collect();
            let numbers = asked.iter().enumerate().filter(|(_, asked)| asks(asked));
            sources.push(Source {
                key: snapshot.dataset.key.clone(),
                needs_time: time.is_some() && fields.iter().any(|it| it.root() == TIME),
                identity: column,
                namespace,
                time,
                questions: numbers.map(|(number, _)| number as u16).collect(),
                window: window.unwrap_or(Window::ALWAYS),
                needed,
                first_morsel,
                survey: Arc::clone(&survey),
            });
            first_morsel += survey.morsels.len();
        }
        Ok(Self { sources, asked })
    }

    fn morsels(&self) -> usize {
        self.sources.last().map_or(0, |source| source.first_morsel + source.survey.morsels.len())
    }
}

/// Reads all events that can matter.
pub(super) async fn scan(events: &Arc<Events>, settings: &Settings) -> Result<Scanned, Error> {
    let shared = Arc::new(Shared {
        events: Arc::clone(events),
        buckets: Mutex::new(Buckets::new(settings.limits())),
        left_out: Mutex::new(vec![LeftOut::default(); events.sources.len()]),
    });
    let job = Arc::clone(&shared);
    let mut jobs: Ordered<(), Error> =
        Ordered::new(events.morsels(), settings.threads, move |morsel, _: &Outlet<(), Error>| {
            job.morsel(morsel).map_err(Stop::Failed)
        });
    while jobs.try_next().await?.is_some() {}
    drop(jobs);
    let shared =
        Arc::into_inner(shared).ok_or_else(|| Error::internal("a job outlived its stream"))?;
    let states = shared.buckets.into_inner().unwrap_or_else(PoisonError::into_inner).finish();
    let left_out = shared.left_out.into_inner().unwrap_or_else(PoisonError::into_inner);
    Ok(Scanned { states, left_out })
}

struct Shared {
    events: Arc<Events>,
    buckets: Mutex<Buckets>,
    left_out: Mutex<Vec<LeftOut>>,
}

impl Shared {
    fn morsel(&self, morsel: usize) -> Result<(), Error> {
        let sources = &self.events.sources;
        let number = sources.partition_point(|source| source.first_morsel <= morsel) - 1;
        let source = &sources[number];
        let local = morsel - source.first_morsel;
        if let (Some(time), Some((footer, group))) = (&source.time, source.survey.row_group(local)?)
            && !source.window.may_touch(footer.metadata().row_group(group), time)
        {
            return Ok(());
        }
        let placed = |error: Error| match error.place() {
            Some(place) if !place.location.is_empty() => error,
            _ => error.in_file(source.survey.location(local)),
        };
        let mut states = States::default();
        let mut left_out = LeftOut::default();
        for records in source.survey.read(local, &source.needed).map_err(placed)? {
            let records = records.map_err(placed)?;
            self.batch(source, &records, &mut states, &mut left_out).map_err(placed)?;
            if states.bytes > STATES_BYTES_MAX {
                self.hand_over(number, &mut states)?;
            }
        }
        let mut all = self.left_out.lock().unwrap_or_else(PoisonError::into_inner);
        all[number].without_identity += left_out.without_identity;
        all[number].without_time += left_out.without_time;
        drop(all);
        self.hand_over(number, &mut states)
    }

    fn batch(
        &self,
        source: &Source,
        records: &RecordBatch,
        states: &mut States,
        left_out: &mut LeftOut,
    ) -> Result<(), Error> {
        let identities = source.identity.values(records)?;
        let times = source.time.as_ref().map(|path| times(path, records)).transpose()?;
        let (mut identities, mut times) = (identities, times);
        let mut events = match (&times, source.needs_time) {
            (Some(times), true) => with_time(records, times)?,
            _ => records.clone(),
        };
        let has_time = times.as_ref().and_then(|times| times.nulls());
        left_out.without_identity += identities.null_count() as u64;
        if let Some(mask) = NullBuffer::union(identities.nulls(), has_time) {
            let without_any = mask.null_count() as u64;
            left_out.without_time += without_any - identities.null_count() as u64;
            let mask = BooleanArray::new(mask.into_inner(), None);
            events = filter_record_batch(&events, &mask).map_err(broken)?;
            identities = filtered(&identities, &mask)?.as_string_view().clone();
            if let Some(all) = &mut times {
                *all = filtered(all, &mask)?.as_primitive::<Int64Type>().clone();
            }
        }
        let people = states.people(&source.namespace, &identities);
        for &number in &source.questions {
            let asked = &self.events.asked[number as usize];
            let place = asked.place.as_str();
            match &asked.question.asks {
                Asks::Aggregate { function, value, condition } => {
                    let rows = match condition {
                        Some(condition) => condition.holds(&events, place)?,
                        None => BooleanBuffer::new_set(events.num_rows()),
                    };
                    let counted = match value {
                        None => Counted::Events,
                        Some((value, measure)) => {
                            let mask = BooleanArray::new(rows.clone(), None);
                            let matching = if rows.count_set_bits() == events.num_rows() {
                                events.clone()
                            } else {
                                filter_record_batch(&events, &mask).map_err(broken)?
                            };
                            let values = value.values(&matching, place)?;
                            Counted::of(&values, measure, place)?
                        }
                    };
                    for (position, row) in rows.set_indices().enumerate() {
                        if let Some(state) = counted.state(position, *function) {
                            states.add(people[row], number, state);
                        }
                    }
                }
                Asks::Sequence { conditions, .. } => {
                    let Some(times) = &times else {
                        return Err(Error::internal("a sequence of events without times"));
                    };
                    let mut parts = vec![0_u64; events.num_rows()];
                    for (bit, condition) in conditions.iter().enumerate() {
                        for row in condition.holds(&events, place)?.set_indices() {
                            parts[row] |= 1 << bit;
                        }
                    }
                    for (row, parts) in parts.into_iter().enumerate().filter(|(_, it)| *it != 0) {
                        let time = times.value(row);
                        states.happened(people[row], Happened { question: number, time, parts });
                    }
                }
            }
        }
        Ok(())
    }

    fn hand_over(&self, source: usize, states: &mut States) -> Result<(), Error> {
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        let mut bytes = Vec::new();
        for (hash, position) in states.positions.drain() {
            let person = &states.people[position];
            bytes.clear();
            bytes.extend(hash.to_be_bytes());
            bytes.extend((source as u16).to_le_bytes());
            bytes.extend(person.events.to_le_bytes());
            let head = bytes.len();
            bytes.extend([0; 4]);
            person.write(&mut bytes);
            let length = (bytes.len() - head - 4) as u32;
            bytes[head..head + 4].copy_from_slice(&length.to_le_bytes());
            buckets.push(identities::upper(hash), &[&bytes])?;
        }
        states.people.clear();
        states.bytes = 0;
        Ok(())
    }
}

/// The states of some events, by the hash of their identity.
#[derive(Default)]
struct States {
    positions: HashMap<u128, usize>,
    people: Vec<Person>,
    bytes: usize,
}

impl States {
    /// The position of the person of each event.
    fn people(&mut self, namespace: &str, values: &StringViewArray) -> Vec<usize> {
        let mut found = Vec::with_capacity(values.len());
        let mut last: Option<(&str, usize)> = None;
        for row in 0..values.len() {
            let value = values.value(row);
            let position = match last {
                Some((same, position)) if same == value => position,
                _ => {
                    let hash = identities::hash(namespace, value);
                    *self.positions.entry(hash).or_insert_with(|| {
                        self.people.push(Person::default());
                        self.bytes += self.people[self.people.len() - 1].size() + 24;
                        self.people.len() - 1
                    })
                }
            };
            last = Some((value, position));
            self.people[position].events += 1;
            found.push(position);
        }
        found
    }

    fn add(&mut self, person: usize, question: u16, state: State) {
        let before = self.people[person].size();
        self.people[person].add(question, state);
        self.bytes += self.people[person].size() - before;
    }

    fn happened(&mut self, person: usize, event: Happened) {
        self.people[person].happened.push(event);
        self.bytes += size_of::<Happened>();
    }
}

/// The values of one batch that a question counts.
enum Counted {
    Events,
    Present(Option<NullBuffer>),
    Whole(Int64Array),
    Decimal(arrow::array::Decimal128Array),
    Real(arrow::array::Float64Array),
    Date(arrow::array::Date32Array),
}

impl Counted {
    fn of(values: &ArrayRef, measure: &Measure, place: &str) -> Result<Self, Error> {
        let Some(wanted) = measure.data_type() else {
            return Ok(Self::Present(values.logical_nulls()));
        };
        let options = CastOptions { safe: false, ..Default::default() };
        let failed = |_| {
            Error::new(Kind::Invalid, "expression_error", "a number became too large")
                .at_field(place)
        };
        let values = compute::cast_with_options(values, &wanted, &options).map_err(failed)?;
        Ok(match measure {
            Measure::Real => Self::Real(values.as_primitive::<Float64Type>().clone()),
            Measure::Decimal(..) => Self::Decimal(values.as_primitive::<Decimal128Type>().clone()),
            Measure::Date => Self::Date(values.as_primitive::<Date32Type>().clone()),
            Measure::Whole | Measure::Time(..) | Measure::Presence => {
                let numbers = compute::cast(&values, &DataType::Int64).map_err(broken)?;
                Self::Whole(numbers.as_primitive::<Int64Type>().clone())
            }
        })
    }

    /// What an event adds; nothing if it has no value.
    fn state(&self, position: usize, function: Aggregate) -> Option<State> {
        let number = match self {
            Self::Events => return Some(State::Count(1)),
            Self::Present(nulls) => {
                let is_there = nulls.as_ref().is_none_or(|nulls| nulls.is_valid(position));
                return is_there.then_some(State::Count(1));
            }
            Self::Real(values) => {
                let value = values.is_valid(position).then(|| values.value(position))?;
                match function {
                    Aggregate::Min | Aggregate::Max => i128::from(ordered(value)),
                    _ => {
                        let mut sum = ExactSum::default();
                        sum.add(value);
                        return Some(State::Real { sum, count: 1 });
                    }
                }
            }
            Self::Whole(values) => {
                i128::from(values.is_valid(position).then(|| values.value(position))?)
            }
            Self::Decimal(values) => values.is_valid(position).then(|| values.value(position))?,
            Self::Date(values) => {
                i128::from(values.is_valid(position).then(|| values.value(position))?)
            }
        };
        Some(match function {
            Aggregate::Min => State::Least(number),
            Aggregate::Max => State::Greatest(number),
            _ => State::Whole { sum: i256::from_i128(number), count: 1 },
        })
    }
}

/// A whole number that compares as the number does; what is no number is the largest.
pub(super) fn ordered(number: f64) -> i64 {
    let number = if number.is_nan() { f64::NAN } else { number };
    // No difference is made between the two zeros.
    let bits = (number + 0.0).to_bits() as i64;
    bits ^ (((bits >> 63) as u64) >> 1) as i64
}

/// The number that [`ordered`] made.
pub(super) fn unordered(number: i64) -> f64 {
    f64::from_bits((number ^ (((number >> 63) as u64) >> 1) as i64) as u64)
}

/// The times of events, in microseconds.
fn times(path: &Steps, records: &RecordBatch) -> Result<Int64Array, Error> {
    let failed = |_: arrow::error::ArrowError| {
        Error::input("", "a value cannot be read as a timestamp").at_field(path.to_string())
    };
    let found = path.extract(records, &time_type()).map_err(failed)?;
    let numbers = compute::cast(&found, &DataType::Int64).map_err(failed)?;
    Ok(numbers.as_primitive::<Int64Type>().clone())
}

/// The events with their time under the name that all have.
fn with_time(records: &RecordBatch, times: &Int64Array) -> Result<RecordBatch, Error> {
    let time = TimestampMicrosecondArray::new(times.values().clone(), times.nulls().cloned());
    let name = time_path();
    let schema = records.schema();
    let kept = schema.fields().iter().enumerate().filter(|(_, it)| it.name() != name.root());
    let (mut fields, mut columns): (Vec<_>, Vec<ArrayRef>) =
        kept.map(|(at, field)| (Arc::clone(field), Arc::clone(records.column(at)))).unzip();
    fields.push(Arc::new(Field::new(TIME, time_type(), true)));
    columns.push(Arc::new(time.with_timezone("UTC")));
    RecordBatch::try_new(Arc::new(Schema::new(fields)), columns).map_err(broken)
}

fn filtered(column: &dyn Array, mask: &BooleanArray) -> Result<ArrayRef, Error> {
    compute::filter(column, mask).map_err(broken)
}

fn broken(_: arrow::error::ArrowError) -> Error {
    Error::internal("columns of events do not fit together")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_keep_their_order() {
        let numbers =
            [f64::NEG_INFINITY, -2.5, -f64::MIN_POSITIVE, 0.0, 1e-300, 7.0, f64::INFINITY];
        assert!(numbers.map(ordered).is_sorted_by(|left, right| left < right));
        assert_eq!(numbers.map(|number| unordered(ordered(number))), numbers);
        assert_eq!(ordered(-0.0), ordered(0.0));
        assert!(ordered(-f64::NAN) > ordered(f64::INFINITY));
    }
}
