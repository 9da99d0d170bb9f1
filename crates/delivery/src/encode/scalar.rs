//! The types without parts, each with the function that writes its text.
//!
//! What is done with the text, a cell of its own or a piece of JSON, is up to the [`Sink`].

use arrow_array::cast::AsArray;
use arrow_array::types::*;
use arrow_array::{Array, ArrowPrimitiveType};
use arrow_buffer::NullBuffer;
use arrow_schema::{DataType, IntervalUnit, TimeUnit};
use plan::file_format::NonFinitePolicy;

use super::calendar;
use super::column::Unsupported;
use super::error::Problem;
use super::lane::Slot;
use super::number;
use super::rules::CellKind;
use super::text::{Bytes, FixedBytes, Texts, Views};

/// Takes the function that writes the texts of an array. `nulls` says which rows have none.
pub(super) trait Sink<'a> {
    /// What becomes of the function.
    type Output;

    /// Values whose text fits a slot. `write` puts the text of one row there and returns its
    /// length, 0 for a value that counts as missing.
    fn short<F>(self, nulls: Option<&NullBuffer>, shape: Shape, write: F) -> Self::Output
    where
        F: Fn(usize, &mut Slot) -> Result<usize, Problem> + 'a;

    /// Values whose text may be longer. `write` appends the text of one row.
    fn long<F>(self, nulls: Option<&NullBuffer>, shape: Shape, write: F) -> Self::Output
    where
        F: Fn(usize, &mut Vec<u8>) + 'a;

    /// Texts as they are.
    fn text<T: Texts + 'a>(self, nulls: Option<&NullBuffer>, texts: T) -> Self::Output;
}

/// What the text of a value looks like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shape {
    /// Digits, perhaps with a sign, a point or an exponent; or the name of what is no number.
    Number,
    /// `true` or `false`.
    Boolean,
    /// A date, a time of day or both.
    Moment,
    /// An ISO 8601 duration.
    Span,
}

impl Shape {
    /// The characters that may occur.
    pub(super) fn alphabet(self) -> &'static [u8] {
        match self {
            Self::Number => b"0123456789-.eNaInfity",
            Self::Boolean => b"truefals",
            Self::Moment => b"0123456789-:.TZ",
            Self::Span => b"0123456789-.PYMDTS",
        }
    }

    /// How the rules of cells see it. A span may begin with a minus and is no number, so that a
    /// spreadsheet could take it for a formula.
    pub(super) fn kind(self) -> CellKind {
        if self == Self::Span { CellKind::Text } else { CellKind::Value }
    }

    /// Whether JSON has this text of it without quotes: the names of what is no number are words.
    pub(super) fn is_bare_in_json(self, text: &[u8]) -> bool {
        match self {
            Self::Number => !matches!(text, [b'N' | b'I', ..] | [b'-', b'I', ..]),
            Self::Boolean => true,
            Self::Moment | Self::Span => false,
        }
    }
}

/// Hands the function for `array` to `sink`.
///
/// # Errors
/// The type of the array if it is no scalar that has a text.
pub(super) fn resolve<'a, S: Sink<'a>>(
    array: &'a dyn Array,
    non_finite: NonFinitePolicy,
    sink: S,
) -> Result<S::Output, Unsupported> {
    match array.data_type() {
        DataType::Boolean => Ok(boolean(array, sink)),
        DataType::Float16 | DataType::Float32 | DataType::Float64 => {
            Ok(float(array, non_finite, sink))
        }
        DataType::Decimal32(..)
        | DataType::Decimal64(..)
        | DataType::Decimal128(..)
        | DataType::Decimal256(..) => Ok(decimal(array, sink)),
        DataType::Interval(unit) => Ok(interval(array, *unit, sink)),
        data_type if data_type.is_integer() => Ok(integer(array, sink)),
        data_type if data_type.is_temporal() => Ok(moment(array, sink)),
        _ => words(array, sink),
    }
}

fn boolean<'a, S: Sink<'a>>(array: &'a dyn Array, sink: S) -> S::Output {
    let values = array.as_boolean().values();
    sink.short(array.nulls(), Shape::Boolean, move |row, slot| {
        let (text, length) = if values.value(row) { (b"true\0", 4) } else { (b"false", 5) };
        slot[..5].copy_from_slice(text);
        Ok(length)
    })
}

fn values<T: ArrowPrimitiveType>(array: &dyn Array) -> &[T::Native] {
    array.as_primitive::<T>().values()
}

fn integer<'a, S: Sink<'a>>(array: &'a dyn Array, sink: S) -> S::Output {
    match array.data_type() {
        DataType::Int8 => signed(array, values::<Int8Type>(array), sink),
        DataType::Int16 => signed(array, values::<Int16Type>(array), sink),
        DataType::Int32 => signed(array, values::<Int32Type>(array), sink),
        DataType::Int64 => signed(array, values::<Int64Type>(array), sink),
        DataType::UInt8 => unsigned(array, values::<UInt8Type>(array), sink),
        DataType::UInt16 => unsigned(array, values::<UInt16Type>(array), sink),
        DataType::UInt32 => unsigned(array, values::<UInt32Type>(array), sink),
        _ => unsigned(array, values::<UInt64Type>(array), sink),
    }
}

fn signed<'a, S: Sink<'a>, N>(array: &dyn Array, values: &'a [N], sink: S) -> S::Output
where
    N: Copy + Into<i64>,
{
    sink.short(array.nulls(), Shape::Number, move |row, slot| {
        Ok(number::write_signed(values[row].into(), slot))
    })
}

fn unsigned<'a, S: Sink<'a>, N>(array: &dyn Array, values: &'a [N], sink: S) -> S::Output
where
    N: Copy + Into<u64>,
{
    sink.short(array.nulls(), Shape::Number, move |row, slot| {
        Ok(number::write_unsigned(values[row].into(), slot, 0))
    })
}

fn float<'a, S: Sink<'a>>(array: &'a dyn Array, non_finite: NonFinitePolicy, sink: S) -> S::Output {
    let nulls = array.nulls();
    match array.data_type() {
        DataType::Float64 => {
            let values = values::<Float64Type>(array);
            sink.short(nulls, Shape::Number, move |row, slot| match values[row] {
                value if value.is_finite() => Ok(number::write_f64(value, slot)),
                value => write_non_finite(value, non_finite, slot),
            })
        }
        DataType::Float32 => {
            let values = values::<Float32Type>(array);
            sink.short(nulls, Shape::Number, move |row, slot| match values[row] {
                value if value.is_finite() => Ok(number::write_f32(value, slot)),
                value => write_non_finite(value.into(), non_finite, slot),
            })
        }
        _ => {
            let values = values::<Float16Type>(array);
            let round =
                |value| <Float16Type as ArrowPrimitiveType>::Native::from_f32(value).to_f32();
            sink.short(nulls, Shape::Number, move |row, slot| match values[row].to_f32() {
                value if value.is_finite() => Ok(number::write_f16(value, round, slot)),
                value => write_non_finite(value.into(), non_finite, slot),
            })
        }
    }
}

#[cold]
fn write_non_finite(
    value: f64,
    policy: NonFinitePolicy,
    slot: &mut Slot,
) -> Result<usize, Problem> {
    let text: &[u8] = match policy {
        NonFinitePolicy::Null => return Ok(0),
        NonFinitePolicy::Reject => return Err(Problem::NonFinite),
        NonFinitePolicy::Text if value.is_nan() => b"NaN",
        NonFinitePolicy::Text if value > 0.0 => b"Infinity",
        NonFinitePolicy::Text => b"-Infinity",
    };
    slot[..text.len()].copy_from_slice(text);
    Ok(text.len())
}

fn decimal<'a, S: Sink<'a>>(array: &'a dyn Array, sink: S) -> S::Output {
    match *array.data_type() {
        DataType::Decimal32(precision, scale) => {
            scaled(array, values::<Decimal32Type>(array), (precision, scale), sink)
        }
        DataType::Decimal64(precision, scale) => {
            scaled(array, values::<Decimal64Type>(array), (precision, scale), sink)
        }
        DataType::Decimal128(precision, scale) => {
            scaled(array, values::<Decimal128Type>(array), (precision, scale), sink)
        }
        _ => {
            let array = array.as_primitive::<Decimal256Type>();
            let (values, scale) = (array.values(), array.scale());
            sink.long(array.nulls(), Shape::Number, move |row, out| {
                number::append_decimal(&values[row].to_string(), scale, out);
            })
        }
    }
}

fn scaled<'a, S: Sink<'a>, N: Copy + Into<i128>>(
    array: &dyn Array,
    values: &'a [N],
    (precision, scale): (u8, i8),
    sink: S,
) -> S::Output {
    match u8::try_from(scale) {
        Ok(scale) if scale.max(precision) <= number::SLOT_DECIMAL_PRECISION_MAX => {
            sink.short(array.nulls(), Shape::Number, move |row, slot| {
                Ok(number::write_decimal(values[row].into(), scale, slot))
            })
        }
        _ => sink.long(array.nulls(), Shape::Number, move |row, out| {
            let value: i128 = values[row].into();
            number::append_decimal(itoa::Buffer::new().format(value), scale, out);
        }),
    }
}

fn moment<'a, S: Sink<'a>>(array: &'a dyn Array, sink: S) -> S::Output {
    use TimeUnit::*;
    match array.data_type() {
        DataType::Date32 => date::<Date32Type, S, 1>(array, sink),
        DataType::Date64 => date::<Date64Type, S, MILLIS_PER_DAY>(array, sink),
        DataType::Time32(Second) => time::<Time32SecondType, S, 1>(array, sink),
        DataType::Time32(_) => time::<Time32MillisecondType, S, MILLI>(array, sink),
        DataType::Time64(Microsecond) => time::<Time64MicrosecondType, S, MICRO>(array, sink),
        DataType::Time64(_) => time::<Time64NanosecondType, S, NANO>(array, sink),
        DataType::Timestamp(unit, _) => match unit {
            Second => timestamp::<TimestampSecondType, S, 1>(array, sink),
            Millisecond => timestamp::<TimestampMillisecondType, S, MILLI>(array, sink),
            Microsecond => timestamp::<TimestampMicrosecondType, S, MICRO>(array, sink),
            Nanosecond => timestamp::<TimestampNanosecondType, S, NANO>(array, sink),
        },
        DataType::Duration(Second) => duration::<DurationSecondType, S, 1>(array, sink),
        DataType::Duration(Millisecond) => {
            duration::<DurationMillisecondType, S, MILLI>(array, sink)
        }
        DataType::Duration(Microsecond) => {
            duration::<DurationMicrosecondType, S, MICRO>(array, sink)
        }
        _ => duration::<DurationNanosecondType, S, NANO>(array, sink),
    }
}

const MILLIS_PER_DAY: i64 = 86_400_000;
/// Ticks per second of the finer units.
const MILLI: i64 = 1_000;
const MICRO: i64 = 1_000_000;
const NANO: i64 = 1_000_000_000;

fn date<'a, T, S: Sink<'a>, const PER_DAY: i64>(array: &'a dyn Array, sink: S) -> S::Output
where
    T: ArrowPrimitiveType<Native: Into<i64>>,
{
    let values = values::<T>(array);
    sink.short(array.nulls(), Shape::Moment, move |row, slot| {
        calendar::write_date(values[row].into().div_euclid(PER_DAY), slot)
    })
}

fn time<'a, T, S: Sink<'a>, const PER_SECOND: i64>(array: &'a dyn Array, sink: S) -> S::Output
where
    T: ArrowPrimitiveType<Native: Into<i64>>,
{
    let values = values::<T>(array);
    sink.short(array.nulls(), Shape::Moment, move |row, slot| {
        calendar::write_time::<PER_SECOND>(values[row].into(), slot)
    })
}

fn timestamp<'a, T, S: Sink<'a>, const PER_SECOND: i64>(array: &'a dyn Array, sink: S) -> S::Output
where
    T: ArrowPrimitiveType<Native = i64>,
{
    let values = values::<T>(array);
    sink.short(array.nulls(), Shape::Moment, move |row, slot| {
        calendar::write_timestamp::<PER_SECOND>(values[row], slot)
    })
}

fn duration<'a, T, S: Sink<'a>, const PER_SECOND: i64>(array: &'a dyn Array, sink: S) -> S::Output
where
    T: ArrowPrimitiveType<Native = i64>,
{
    let values = values::<T>(array);
    sink.short(array.nulls(), Shape::Span, move |row, slot| {
        Ok(calendar::write_duration::<PER_SECOND>(values[row], slot))
    })
}

fn interval<'a, S: Sink<'a>>(array: &'a dyn Array, unit: IntervalUnit, sink: S) -> S::Output {
    let nulls = array.nulls();
    match unit {
        IntervalUnit::YearMonth => {
            let values = values::<IntervalYearMonthType>(array);
            sink.long(nulls, Shape::Span, move |row, out| {
                calendar::append_interval(values[row], 0, 0, out);
            })
        }
        IntervalUnit::DayTime => {
            let values = values::<IntervalDayTimeType>(array);
            sink.long(nulls, Shape::Span, move |row, out| {
                let nanos = i64::from(values[row].milliseconds) * 1_000_000;
                calendar::append_interval(0, values[row].days, nanos, out);
            })
        }
        IntervalUnit::MonthDayNano => {
            let values = values::<IntervalMonthDayNanoType>(array);
            sink.long(nulls, Shape::Span, move |row, out| {
                let value = values[row];
                calendar::append_interval(value.months, value.days, value.nanoseconds, out);
            })
        }
    }
}

fn words<'a, S: Sink<'a>>(array: &'a dyn Array, sink: S) -> Result<S::Output, Unsupported> {
    let nulls = array.nulls();
    Ok(match array.data_type() {
        DataType::Utf8 => sink.text(nulls, Bytes::new(array.as_string::<i32>())),
        DataType::LargeUtf8 => sink.text(nulls, Bytes::new(array.as_string::<i64>())),
        DataType::Utf8View => sink.text(nulls, Views::new(array.as_string_view())),
        DataType::Binary => sink.text(nulls, Bytes::new(array.as_binary::<i32>())),
        DataType::LargeBinary => sink.text(nulls, Bytes::new(array.as_binary::<i64>())),
        DataType::BinaryView => sink.text(nulls, Views::new(array.as_binary_view())),
        DataType::FixedSizeBinary(_) => {
            sink.text(nulls, FixedBytes::new(array.as_fixed_size_binary()))
        }
        other => return Err(Unsupported(other.clone())),
    })
}
