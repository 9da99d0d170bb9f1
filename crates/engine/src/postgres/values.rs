//! Values in PostgreSQL's binary form, as columns of Arrow.
//!
//! What has no type of its own here is cast to text by the server (see `describe`): JSON, intervals,
//! addresses, ranges, enumerations, numbers without a declared number of digits.

use std::sync::Arc;

use arrow::array::{
    ArrayBuilder, ArrayRef, BinaryBuilder, BooleanBuilder, Date32Builder, Decimal128Builder,
    Float32Builder, Float64Builder, Int16Builder, Int32Builder, Int64Builder, ListArray,
    StringBuilder, Time64MicrosecondBuilder, TimestampMicrosecondBuilder,
};
use arrow::buffer::{NullBuffer, OffsetBuffer};
use arrow::datatypes::{DataType, Field, TimeUnit};

/// The type of a column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Kind {
    Boolean,
    Int16,
    Int32,
    Int64,
    Float32,
    Float64,
    /// Digits in all, and behind the point.
    Decimal(u8, i8),
    Text,
    Binary,
    Date,
    Time,
    /// Without a zone.
    Timestamp,
    TimestampUtc,
    Uuid,
    List(Box<Kind>),
}

/// Days and microseconds from 1970, where Arrow counts from, to 2000, where PostgreSQL does.
const DAYS_TO_2000: i32 = 10_957;
const MICROSECONDS_TO_2000: i64 = 946_684_800_000_000;

impl Kind {
    /// The kind of a type by its number (`pg_type.dat`); `modifier` is what a column declares.
    pub(super) fn of(oid: u32, modifier: Option<i32>) -> Option<Self> {
        let element = match oid {
            1000 => 16,
            1001 => 17,
            1003 => 19,
            1005 => 21,
            1007 => 23,
            1009 => 25,
            1015 => 1043,
            1016 => 20,
            1021 => 700,
            1022 => 701,
            1115 => 1114,
            1182 => 1082,
            1183 => 1083,
            1185 => 1184,
            1231 => 1700,
            2951 => 2950,
            _ => return Self::scalar(oid, modifier),
        };
        Self::scalar(element, modifier).map(|kind| Self::List(Box::new(kind)))
    }

    fn scalar(oid: u32, modifier: Option<i32>) -> Option<Self> {
        Some(match oid {
            16 => Self::Boolean,
            17 => Self::Binary,
            19 | 25 | 1043 => Self::Text,
            20 => Self::Int64,
            21 => Self::Int16,
            23 => Self::Int32,
            700 => Self::Float32,
            701 => Self::Float64,
            1082 => Self::Date,
            1083 => Self::Time,
            1114 => Self::Timestamp,
            1184 => Self::TimestampUtc,
            1700 => decimal(modifier?)?,
            2950 => Self::Uuid,
            _ => return None,
        })
    }

    /// Whether values are compared by a collation.
    pub(super) fn is_text(&self) -> bool {
        match self {
            Self::Text => true,
            Self::List(element) => element.is_text(),
            _ => false,
        }
    }

    pub(super) fn data_type(&self) -> DataType {
        match self {
            Self::Boolean => DataType::Boolean,
            Self::Int16 => DataType::Int16,
            Self::Int32 => DataType::Int32,
            Self::Int64 => DataType::Int64,
            Self::Float32 => DataType::Float32,
            Self::Float64 => DataType::Float64,
            Self::Decimal(digits, scale) => DataType::Decimal128(*digits, *scale),
            Self::Text | Self::Uuid => DataType::Utf8,
            Self::Binary => DataType::Binary,
            Self::Date => DataType::Date32,
            Self::Time => DataType::Time64(TimeUnit::Microsecond),
            Self::Timestamp => DataType::Timestamp(TimeUnit::Microsecond, None),
            Self::TimestampUtc => DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())),
            Self::List(element) => {
                DataType::List(Arc::new(Field::new_list_field(element.data_type(), true)))
            }
        }
    }
}

/// `numeric(10,2)` as its modifier tells it.
fn decimal(modifier: i32) -> Option<Kind> {
    let modifier = modifier.checked_sub(4)?;
    let (digits, scale) = ((modifier >> 16) & 0xffff, modifier & 0x7ff);
    // From version 15 on the scale may be negative, in 11 bits.
    let scale = (scale ^ 1024) - 1024;
    let is_known = (1..=38).contains(&digits) && (0..=digits).contains(&scale);
    is_known.then_some(Kind::Decimal(digits as u8, scale as i8))
}

/// Why a value is not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unfit {
    /// The bytes are not those of the type.
    Broken,
    /// `infinity`, or a number that is none.
    Endless,
    /// A list of lists.
    Nested,
}

/// The values of a column, one after the other.
pub(super) struct Values {
    kind: Kind,
    builder: Builder,
}

enum Builder {
    Boolean(BooleanBuilder),
    Int16(Int16Builder),
    Int32(Int32Builder),
    Int64(Int64Builder),
    Float32(Float32Builder),
    Float64(Float64Builder),
    Decimal(Decimal128Builder, i16),
    Text(StringBuilder),
    Binary(BinaryBuilder),
    Date(Date32Builder),
    Time(Time64MicrosecondBuilder),
    Timestamp(TimestampMicrosecondBuilder),
    List { elements: Box<Values>, offsets: Vec<i32>, valid: Vec<bool> },
}

impl Values {
    pub(super) fn new(kind: &Kind) -> Self {
        let builder = match kind {
            Kind::Boolean => Builder::Boolean(BooleanBuilder::new()),
            Kind::Int16 => Builder::Int16(Int16Builder::new()),
            Kind::Int32 => Builder::Int32(Int32Builder::new()),
            Kind::Int64 => Builder::Int64(Int64Builder::new()),
            Kind::Float32 => Builder::Float32(Float32Builder::new()),
            Kind::Float64 => Builder::Float64(Float64Builder::new()),
            Kind::Decimal(_, scale) => Builder::Decimal(
                Decimal128Builder::new().with_data_type(kind.data_type()),
                i16::from(*scale),
            ),
            Kind::Text | Kind::Uuid => Builder::Text(StringBuilder::new()),
            Kind::Binary => Builder::Binary(BinaryBuilder::new()),
            Kind::Date => Builder::Date(Date32Builder::new()),
            Kind::Time => Builder::Time(Time64MicrosecondBuilder::new()),
            Kind::Timestamp | Kind::TimestampUtc => Builder::Timestamp(
                TimestampMicrosecondBuilder::new().with_data_type(kind.data_type()),
            ),
            Kind::List(element) => Builder::List {
                elements: Box::new(Self::new(element)),
                offsets: vec![0],
                valid: Vec::new(),
            },
        };
        Self { kind: kind.clone(), builder }
    }

    /// Adds a value, or a missing one.
    pub(super) fn push(&mut self, bytes: Option<&[u8]>) -> Result<(), Unfit> {
        match bytes {
            Some(bytes) => self.push_value(bytes),
            None => {
                self.push_null();
                Ok(())
            }
        }
    }

    fn push_null(&mut self) {
        match &mut self.builder {
            Builder::Boolean(it) => it.append_null(),
            Builder::Int16(it) => it.append_null(),
            Builder::Int32(it) => it.append_null(),
            Builder::Int64(it) => it.append_null(),
            Builder::Float32(it) => it.append_null(),
            Builder::Float64(it) => it.append_null(),
            Builder::Decimal(it, _) => it.append_null(),
            Builder::Text(it) => it.append_null(),
            Builder::Binary(it) => it.append_null(),
            Builder::Date(it) => it.append_null(),
            Builder::Time(it) => it.append_null(),
            Builder::Timestamp(it) => it.append_null(),
            Builder::List { elements, offsets, valid } => {
                offsets.push(elements.len() as i32);
                valid.push(false);
            }
        }
    }

    fn push_value(&mut self, bytes: &[u8]) -> Result<(), Unfit> {
        match &mut self.builder {
            Builder::Boolean(it) => it.append_value(number(bytes).map(u8::from_be_bytes)? != 0),
            Builder::Int16(it) => it.append_value(number(bytes).map(i16::from_be_bytes)?),
            Builder::Int32(it) => it.append_value(number(bytes).map(i32::from_be_bytes)?),
            Builder::Int64(it) => it.append_value(number(bytes).map(i64::from_be_bytes)?),
            Builder::Float32(it) => it.append_value(number(bytes).map(f32::from_be_bytes)?),
            Builder::Float64(it) => it.append_value(number(bytes).map(f64::from_be_bytes)?),
            Builder::Decimal(it, scale) => it.append_value(decimal_value(bytes, *scale)?),
            Builder::Text(it) if self.kind == Kind::Uuid => {
                let id = number(bytes).map(u128::from_be_bytes)?;
                let digits = format!("{id:032x}");
                let parts = [0..8, 8..12, 12..16, 16..20, 20..32].map(|range| &digits[range]);
                it.append_value(parts.join("-"));
            }
            Builder::Text(it) => {
                it.append_value(std::str::from_utf8(bytes).map_err(|_| Unfit::Broken)?);
            }
            Builder::Binary(it) => it.append_value(bytes),
            Builder::Date(it) => {
                let days = number(bytes).map(i32::from_be_bytes)?;
                if matches!(days, i32::MAX | i32::MIN) {
                    return Err(Unfit::Endless);
                }
                it.append_value(days.checked_add(DAYS_TO_2000).ok_or(Unfit::Broken)?);
            }
            Builder::Time(it) => it.append_value(number(bytes).map(i64::from_be_bytes)?),
            Builder::Timestamp(it) => {
                let time = number(bytes).map(i64::from_be_bytes)?;
                if matches!(time, i64::MAX | i64::MIN) {
                    return Err(Unfit::Endless);
                }
                it.append_value(time.checked_add(MICROSECONDS_TO_2000).ok_or(Unfit::Broken)?);
            }
            Builder::List { elements, offsets, valid } => {
                push_elements(elements, bytes)?;
                offsets.push(i32::try_from(elements.len()).map_err(|_| Unfit::Broken)?);
                valid.push(true);
            }
        }
        Ok(())
    }

    pub(super) fn len(&self) -> usize {
        match &self.builder {
            Builder::Boolean(it) => it.len(),
            Builder::Int16(it) => it.len(),
            Builder::Int32(it) => it.len(),
            Builder::Int64(it) => it.len(),
            Builder::Float32(it) => it.len(),
            Builder::Float64(it) => it.len(),
            Builder::Decimal(it, _) => it.len(),
            Builder::Text(it) => it.len(),
            Builder::Binary(it) => it.len(),
            Builder::Date(it) => it.len(),
            Builder::Time(it) => it.len(),
            Builder::Timestamp(it) => it.len(),
            Builder::List { valid, .. } => valid.len(),
        }
    }

    /// The values so far as an array; the column begins anew.
    pub(super) fn finish(&mut self) -> ArrayRef {
        match &mut self.builder {
            Builder::Boolean(it) => Arc::new(it.finish()),
            Builder::Int16(it) => Arc::new(it.finish()),
            Builder::Int32(it) => Arc::new(it.finish()),
            Builder::Int64(it) => Arc::new(it.finish()),
            Builder::Float32(it) => Arc::new(it.finish()),
            Builder::Float64(it) => Arc::new(it.finish()),
            Builder::Decimal(it, _) => Arc::new(it.finish()),
            Builder::Text(it) => Arc::new(it.finish()),
            Builder::Binary(it) => Arc::new(it.finish()),
            Builder::Date(it) => Arc::new(it.finish()),
            Builder::Time(it) => Arc::new(it.finish()),
            Builder::Timestamp(it) => Arc::new(it.finish()),
            Builder::List { elements, offsets, valid } => {
                let field = Field::new_list_field(elements.kind.data_type(), true);
                let offsets = std::mem::replace(offsets, vec![0]);
                let nulls = NullBuffer::from(std::mem::take(valid));
                let offsets = OffsetBuffer::new(offsets.into());
                Arc::new(ListArray::new(Arc::new(field), offsets, elements.finish(), Some(nulls)))
            }
        }
    }
}

fn number<const N: usize>(bytes: &[u8]) -> Result<[u8; N], Unfit> {
    bytes.try_into().map_err(|_| Unfit::Broken)
}

/// Takes fixed-width numbers off the front of bytes.
struct Bytes<'a>(&'a [u8]);

impl<'a> Bytes<'a> {
    fn take(&mut self, length: usize) -> Result<&'a [u8], Unfit> {
        let (taken, rest) = self.0.split_at_checked(length).ok_or(Unfit::Broken)?;
        self.0 = rest;
        Ok(taken)
    }

    fn i16(&mut self) -> Result<i16, Unfit> {
        number(self.take(2)?).map(i16::from_be_bytes)
    }

    fn i32(&mut self) -> Result<i32, Unfit> {
        number(self.take(4)?).map(i32::from_be_bytes)
    }
}

/// Dimensions, flags, the type of the elements; length and lower bound of each dimension; elements.
fn push_elements(elements: &mut Values, bytes: &[u8]) -> Result<(), Unfit> {
    let mut bytes = Bytes(bytes);
    let (dimensions, _flags, _oid) = (bytes.i32()?, bytes.i32()?, bytes.i32()?);
    let length = match dimensions {
        0 => 0,
        1 => {
            let length = bytes.i32()?;
            bytes.i32()?;
            length
        }
        _ => return Err(Unfit::Nested),
    };
    for _ in 0..length {
        match bytes.i32()? {
            -1 => elements.push(None)?,
            size => {
                let size = usize::try_from(size).map_err(|_| Unfit::Broken)?;
                elements.push(Some(bytes.take(size)?))?;
            }
        }
    }
    Ok(())
}

/// Groups of four decimal digits, the first of them worth 10000 to the power of `weight`.
fn decimal_value(bytes: &[u8], scale: i16) -> Result<i128, Unfit> {
    let mut bytes = Bytes(bytes);
    let (groups, weight, sign, _shown) =
        (bytes.i16()?, bytes.i16()?, bytes.i16()? as u16, bytes.i16()?);
    let is_negative = match sign {
        0x0000 => false,
        0x4000 => true,
        _ => return Err(Unfit::Endless),
    };
    let mut value = 0_i128;
    for group in 0..groups {
        let digits = i128::from(bytes.i16()?);
        // The power of ten that the group's last digit is worth, counted in units of the scale.
        let power = (i32::from(weight) - i32::from(group)) * 4 + i32::from(scale);
        let part = match u32::try_from(power) {
            Ok(power) => 10_i128.checked_pow(power).and_then(|unit| digits.checked_mul(unit)),
            // Digits behind the scale are zeros: the server has rounded the number to it.
            Err(_) => {
                Some(10_i128.checked_pow(power.unsigned_abs()).map_or(0, |unit| digits / unit))
            }
        };
        value = part.and_then(|part| value.checked_add(part)).ok_or(Unfit::Broken)?;
    }
    Ok(if is_negative { -value } else { value })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn numeric(parts: &[i16]) -> Vec<u8> {
        parts.iter().flat_map(|part| part.to_be_bytes()).collect()
    }

    #[test]
    fn numbers_are_exact() {
        // 12345.67 and -0.05 and 0, with two digits behind the point.
        let cases: [(&[i16], i128); 4] = [
            (&[3, 1, 0, 2, 1, 2345, 6700], 1_234_567),
            (&[1, -1, 0x4000, 2, 500], -5),
            (&[0, 0, 0, 2], 0),
            (&[1, 2, 0, 2, 7], 70_000_000_000),
        ];
        for (parts, expected) in cases {
            assert_eq!(decimal_value(&numeric(parts), 2), Ok(expected), "{parts:?}");
        }
        let nan = numeric(&[0, 0, 0xC000_u16 as i16, 0]);
        assert_eq!(decimal_value(&nan, 2), Err(Unfit::Endless));
        assert_eq!(decimal_value(&[0, 1], 2), Err(Unfit::Broken));
    }

    #[test]
    fn declared_digits_are_told_from_the_modifier() {
        let modifier = |digits: i32, scale: i32| ((digits << 16) | (scale & 0x7ff)) + 4;
        assert_eq!(decimal(modifier(10, 2)), Some(Kind::Decimal(10, 2)));
        assert_eq!(decimal(modifier(38, 0)), Some(Kind::Decimal(38, 0)));
        for unknown in [modifier(39, 2), modifier(3, 5), modifier(3, -2)] {
            assert_eq!(decimal(unknown), None);
        }
    }
}
