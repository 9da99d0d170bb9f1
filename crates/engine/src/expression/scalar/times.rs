//! Times: written under a pattern, put together, changed in one part. All in UTC, but for those that
//! were moved to another zone.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, Int64Array, StringViewBuilder, TimestampMicrosecondArray,
    TimestampMicrosecondBuilder,
};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Int64Type, TimeUnit, TimestampMicrosecondType};
use datafusion_common::{Result, plan_err};
use datafusion_expr::{ColumnarValue, ScalarFunctionArgs, ScalarUDFImpl, Signature, Volatility};
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use jiff::{Timestamp, Zoned};

use super::text_column;
use crate::expression::times::zone_named;

/// The longest pattern, in characters.
const PATTERN_CHARS_MAX: usize = 200;

pub(super) fn instant() -> DataType {
    DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into()))
}

/// An instant in the zone that a time was moved to.
fn instant_like(time: &DataType) -> DataType {
    match time {
        DataType::Timestamp(_, Some(zone)) => {
            DataType::Timestamp(TimeUnit::Microsecond, Some(Arc::clone(zone)))
        }
        _ => instant(),
    }
}

/// The zone of a column of times.
fn zone_of(column: &ArrayRef) -> TimeZone {
    match column.data_type() {
        DataType::Timestamp(_, Some(zone)) => zone_named(zone).unwrap_or(TimeZone::UTC),
        _ => TimeZone::UTC,
    }
}

/// `format(time, 'yyyy-MM-dd')`, and `dformat` of milliseconds since 1970.
#[derive(Debug, PartialEq, Eq, Hash)]
pub(super) struct Format {
    name: &'static str,
    signature: Signature,
}

impl Format {
    pub(super) fn new(name: &'static str) -> Self {
        Self { name, signature: Signature::user_defined(Volatility::Immutable) }
    }
}

impl ScalarUDFImpl for Format {
    fn name(&self) -> &str {
        self.name
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, types: &[DataType]) -> Result<Vec<DataType>> {
        let [time, pattern] = types else {
            return plan_err!("{} takes a time and a pattern", self.name);
        };
        let is_time = match self.name {
            "dformat" => time.is_integer() || time.is_null(),
            _ => is_time(time),
        };
        if !is_time || !(pattern.is_string() || pattern.is_null()) {
            return plan_err!("{} takes a time and a pattern", self.name);
        }
        let time = if self.name == "dformat" { DataType::Int64 } else { instant_like(time) };
        Ok(vec![time, DataType::Utf8View])
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(DataType::Utf8View)
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let columns = ColumnarValue::values_to_arrays(&args.args)?;
        let patterns = text_column(&columns[1])?;
        let (times, zone) = (instants(&columns[0])?, zone_of(&columns[0]));
        let per_unit = if self.name == "dformat" { 1_000 } else { 1 };
        let mut texts = StringViewBuilder::with_capacity(patterns.len());
        // Nearly always one pattern for all rows.
        let mut known: Option<(&str, Option<Vec<Piece>>)> = None;
        for row in 0..patterns.len() {
            if patterns.is_null(row) || times.is_null(row) {
                texts.append_null();
                continue;
            }
            let pattern = patterns.value(row);
            if known.as_ref().is_none_or(|(text, _)| *text != pattern) {
                known = Some((pattern, pieces(pattern)));
            }
            let pieces = known.as_ref().and_then(|(_, pieces)| pieces.as_ref());
            let time = times.value(row).checked_mul(per_unit).and_then(|it| zoned(it, &zone));
            texts.append_option(pieces.zip(time).map(|(pieces, time)| written(pieces, &time)));
        }
        Ok(ColumnarValue::Array(Arc::new(texts.finish())))
    }
}

pub(super) fn is_time(data_type: &DataType) -> bool {
    matches!(
        data_type,
        DataType::Timestamp(..) | DataType::Date32 | DataType::Date64 | DataType::Null
    )
}

/// Microseconds since 1970, or whole numbers as they are.
fn instants(column: &ArrayRef) -> Result<Int64Array> {
    let column = match column.data_type() {
        DataType::Int64 => Arc::clone(column),
        other => cast(&cast(column, &instant_like(other))?, &DataType::Int64)?,
    };
    Ok(column.as_primitive::<Int64Type>().clone())
}

fn zoned(microseconds: i64, zone: &TimeZone) -> Option<Zoned> {
    Some(Timestamp::from_microsecond(microseconds).ok()?.to_zoned(zone.clone()))
}

/// A part of a pattern of Java's `SimpleDateFormat`: a letter and how often it stands there, or a
/// text.
#[derive(Debug)]
pub(super) enum Piece {
    Letter(char, usize),
    Text(String),
}

/// The letters that have a meaning.
const LETTERS: &str = "yMdHhmsSEaDZXz";

/// What is wrong with a pattern.
pub(super) fn wrong_pattern(pattern: &str) -> Option<String> {
    if pieces(pattern).is_some() {
        return None;
    }
    if pattern.chars().count() > PATTERN_CHARS_MAX {
        return Some(format!("the pattern is longer than {PATTERN_CHARS_MAX} characters"));
    }
    let outside = pattern.split('\'').step_by(2).flat_map(str::chars);
    let mut unknown = outside.filter(|c| c.is_ascii_alphabetic() && !LETTERS.contains(*c));
    Some(match unknown.next() {
        Some(letter) => format!("the letter `{letter}` has no meaning in the pattern of a time"),
        None => "a quote in the pattern is not closed".to_owned(),
    })
}

/// Splits a pattern; nothing if a letter has no meaning here.
pub(super) fn pieces(pattern: &str) -> Option<Vec<Piece>> {
    if pattern.chars().count() > PATTERN_CHARS_MAX {
        return None;
    }
    let mut pieces = Vec::new();
    let mut chars = pattern.chars().peekable();
    while let Some(c) = chars.next() {
        if c == '\'' {
            let mut text = String::new();
            loop {
                match chars.next()? {
                    '\'' if chars.next_if_eq(&'\'').is_some() => text.push('\''),
                    '\'' => break,
                    other => text.push(other),
                }
            }
            pieces.push(Piece::Text(if text.is_empty() { "'".to_owned() } else { text }));
        } else if c.is_ascii_alphabetic() {
            let mut count = 1;
            while chars.next_if_eq(&c).is_some() {
                count += 1;
            }
            let is_known = LETTERS.contains(c);
            pieces.push(is_known.then_some(Piece::Letter(c, count))?);
        } else {
            pieces.push(Piece::Text(c.to_string()));
        }
    }
    Some(pieces)
}

pub(super) const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];
pub(super) const DAYS: [&str; 7] =
    ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];

fn written(pieces: &[Piece], time: &Zoned) -> String {
    let mut text = String::new();
    for piece in pieces {
        match piece {
            Piece::Text(literal) => text.push_str(literal),
            Piece::Letter(letter, count) => text.push_str(&part(*letter, *count, time)),
        }
    }
    text
}

fn part(letter: char, count: usize, time: &Zoned) -> String {
    let padded = |number: i32| format!("{number:0count$}");
    let named = |names: &[&str], position: i8, long: bool| {
        let position = usize::try_from(position - 1).unwrap_or(0);
        let name = names.get(position).copied().unwrap_or_default();
        if long { name.to_owned() } else { name.chars().take(3).collect() }
    };
    let half_hour = (time.hour() + 11) % 12 + 1;
    match (letter, count) {
        ('y', 2) => format!("{:02}", time.year().rem_euclid(100)),
        ('y', _) => padded(time.year().into()),
        ('M', 1..=2) => padded(time.month().into()),
        ('M', _) => named(&MONTHS, time.month(), count > 3),
        ('d', _) => padded(time.day().into()),
        ('D', _) => padded(time.day_of_year().into()),
        ('H', _) => padded(time.hour().into()),
        ('h', _) => padded(half_hour.into()),
        ('m', _) => padded(time.minute().into()),
        ('s', _) => padded(time.second().into()),
        ('S', _) => format!("{:09}", time.subsec_nanosecond()).chars().take(count).collect(),
        ('E', _) => named(&DAYS, time.weekday().to_monday_one_offset(), count > 3),
        ('a', _) => if time.hour() < 12 { "AM" } else { "PM" }.to_owned(),
        ('Z', _) => offset(time, "", true),
        ('X', _) if time.offset().is_zero() => "Z".to_owned(),
        ('X', 1) => offset(time, "", false),
        ('X', 2) => offset(time, "", true),
        ('X', _) => offset(time, ":", true),
        _ => time.time_zone().to_offset_info(time.timestamp()).abbreviation().to_owned(),
    }
}

/// How far the clocks of the zone are from UTC: `+0200`, `+02:00`, or in hours, `+02`.
fn offset(time: &Zoned, between: &str, with_minutes: bool) -> String {
    let seconds = time.offset().seconds();
    let sign = if seconds < 0 { '-' } else { '+' };
    let minutes = seconds.abs() / 60;
    let hours = minutes / 60;
    match with_minutes {
        true => format!("{sign}{hours:02}{between}{:02}", minutes % 60),
        false => format!("{sign}{hours:02}"),
    }
}

/// `set_date_part('month', time, 4)`: the same time with another month, day, …, on the clocks of its
/// zone; nothing when there is no such day.
#[derive(Debug, PartialEq, Eq, Hash)]
pub(super) struct SetPart {
    signature: Signature,
}

impl SetPart {
    pub(super) fn new() -> Self {
        Self { signature: Signature::user_defined(Volatility::Immutable) }
    }
}

impl ScalarUDFImpl for SetPart {
    fn name(&self) -> &'static str {
        "set_date_part"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, types: &[DataType]) -> Result<Vec<DataType>> {
        match types {
            [part, time, value]
                if part.is_string() && is_time(time) && (value.is_integer() || value.is_null()) =>
            {
                Ok(vec![DataType::Utf8View, instant_like(time), DataType::Int64])
            }
            _ => plan_err!("set_date_part takes the name of a part, a time and a whole number"),
        }
    }

    fn return_type(&self, types: &[DataType]) -> Result<DataType> {
        Ok(types.get(1).map_or_else(instant, instant_like))
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let columns = ColumnarValue::values_to_arrays(&args.args)?;
        let parts = text_column(&columns[0])?;
        let times: &TimestampMicrosecondArray =
            columns[1].as_primitive::<TimestampMicrosecondType>();
        let values: &Int64Array = columns[2].as_primitive::<Int64Type>();
        let zone = zone_of(&columns[1]);
        let mut changed = TimestampMicrosecondBuilder::with_capacity(times.len());
        for row in 0..times.len() {
            let is_there = parts.is_valid(row) && times.is_valid(row) && values.is_valid(row);
            let time = if is_there { zoned(times.value(row), &zone) } else { None };
            let with = time
                .and_then(|time| with_part(time.datetime(), parts.value(row), values.value(row)));
            changed.append_option(with.and_then(|time| microseconds(time, &zone)));
        }
        let changed = changed.finish().with_data_type(columns[1].data_type().clone());
        Ok(ColumnarValue::Array(Arc::new(changed)))
    }
}

/// The parts of a time that can be set, in small letters.
pub(super) const PARTS: [&str; 17] = [
    "year", "yyyy", "yy", "month", "mm", "m", "day", "dd", "d", "hour", "hh", "hh24", "minute",
    "mi", "n", "second", "ss",
];

fn with_part(time: DateTime, part: &str, value: i64) -> Option<DateTime> {
    let small = i8::try_from(value).ok();
    let with = match part.to_lowercase().as_str() {
        "year" | "yyyy" | "yy" => time.with().year(i16::try_from(value).ok()?),
        "month" | "mm" | "m" => time.with().month(small?),
        "day" | "dd" | "d" => time.with().day(small?),
        "hour" | "hh" | "hh24" => time.with().hour(small?),
        "minute" | "mi" | "n" => time.with().minute(small?),
        "second" | "ss" => time.with().second(small?),
        _ => return None,
    };
    with.build().ok()
}

/// The instant of a local time; of one that comes twice the first, of one that a change of clocks
/// leaves out the one as long behind the change.
pub(super) fn microseconds(time: DateTime, zone: &TimeZone) -> Option<i64> {
    Some(zone.to_ambiguous_zoned(time).compatible().ok()?.timestamp().as_microsecond())
}

/// `make_date_time(2019, 10, 17, 11, 55, 12, 999, 'America/Los_Angeles')`: year to second,
/// nanoseconds, and an IANA zone.
#[derive(Debug, PartialEq, Eq, Hash)]
pub(super) struct MakeTime {
    signature: Signature,
}

impl MakeTime {
    pub(super) fn new() -> Self {
        Self { signature: Signature::user_defined(Volatility::Immutable) }
    }
}

impl ScalarUDFImpl for MakeTime {
    fn name(&self) -> &'static str {
        "make_date_time"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, types: &[DataType]) -> Result<Vec<DataType>> {
        let message = "make_date_time takes seven whole numbers, year to nanosecond, and a zone";
        let Some((zone, numbers)) = types.split_last().filter(|_| types.len() == 8) else {
            return plan_err!("{message}");
        };
        if !zone.is_string() || !numbers.iter().all(|it| it.is_integer() || it.is_null()) {
            return plan_err!("{message}");
        }
        let mut coerced = vec![DataType::Int64; 7];
        coerced.push(DataType::Utf8View);
        Ok(coerced)
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(instant())
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let columns = ColumnarValue::values_to_arrays(&args.args)?;
        let zones = text_column(&columns[7])?;
        let numbers: Vec<&Int64Array> =
            columns[..7].iter().map(|column| column.as_primitive::<Int64Type>()).collect();
        let mut times = TimestampMicrosecondBuilder::with_capacity(zones.len());
        for row in 0..zones.len() {
            let is_there = zones.is_valid(row) && numbers.iter().all(|column| column.is_valid(row));
            let parts: Vec<i64> = match is_there {
                true => numbers.iter().map(|column| column.value(row)).collect(),
                false => Vec::new(),
            };
            let zone = is_there.then(|| TimeZone::get(zones.value(row)).ok()).flatten();
            times.append_option(zone.and_then(|zone| microseconds(local_time(&parts)?, &zone)));
        }
        Ok(ColumnarValue::Array(Arc::new(times.finish().with_timezone("UTC"))))
    }
}

pub(super) fn local_time(parts: &[i64]) -> Option<DateTime> {
    let &[year, month, day, hour, minute, second, nanosecond] = parts else { return None };
    let small = |value: i64| i8::try_from(value).ok();
    DateTime::new(
        i16::try_from(year).ok()?,
        small(month)?,
        small(day)?,
        small(hour)?,
        small(minute)?,
        small(second)?,
        i32::try_from(nanosecond).ok()?,
    )
    .ok()
}
