//! Types guessed from text.
//!
//! A guess must not change what is written out again: `007` and `+1` are texts, since they would
//! come back as `7` and `1`.

use arrow::compute::kernels::cast_utils::{Parser, string_to_timestamp_nanos};
use arrow::datatypes::{DataType, Date32Type, TimeUnit};

use crate::{digits, fields};

/// Digits that certainly fit 64 bits.
const INTEGER_DIGITS_MAX: usize = 18;

/// The narrowest type that holds the text.
pub(crate) fn from_text(text: &str) -> DataType {
    if text.eq_ignore_ascii_case("true") || text.eq_ignore_ascii_case("false") {
        return DataType::Boolean;
    }
    let digits = text.strip_prefix('-').unwrap_or(text);
    if is_whole(digits) {
        return DataType::Int64;
    }
    if is_fraction(digits) {
        return DataType::Float64;
    }
    if !text.starts_with(|c: char| c.is_ascii_digit()) {
        return DataType::Utf8View;
    }
    if text.len() == "2026-01-31".len() && Date32Type::parse(text).is_some() {
        return DataType::Date32;
    }
    if text.len() >= "2026-01-31T00:00".len() && string_to_timestamp_nanos(text).is_ok() {
        return DataType::Timestamp(TimeUnit::Microsecond, has_zone(text).then(|| "UTC".into()));
    }
    DataType::Utf8View
}

/// The type that holds what both hold.
pub(crate) fn join(known: &DataType, more: &DataType) -> DataType {
    fields::unite_guesses(known, more).unwrap_or(DataType::Utf8View)
}

fn is_whole(digits: &str) -> bool {
    let is_canonical = digits == "0" || !digits.starts_with('0');
    !digits.is_empty()
        && digits.len() <= INTEGER_DIGITS_MAX
        && is_canonical
        && digits.bytes().all(|byte| byte.is_ascii_digit())
}

fn is_fraction(number: &str) -> bool {
    let Some((whole, rest)) = number.split_once('.') else { return false };
    is_whole(whole)
        && rest.starts_with(|c: char| c.is_ascii_digit())
        && rest.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'e' | b'E' | b'+' | b'-'))
        && digits::is_finite(number)
        && digits::survive_as_float(number)
}

fn has_zone(text: &str) -> bool {
    let time = text.get("2026-01-31T".len()..).unwrap_or_default();
    time.ends_with(['Z', 'z']) || time.contains(['+', '-'])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_guessed_only_where_nothing_is_lost() {
        let utc = || DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into()));
        let local = || DataType::Timestamp(TimeUnit::Microsecond, None);
        let cases = [
            ("true", DataType::Boolean),
            ("FALSE", DataType::Boolean),
            ("0", DataType::Int64),
            ("-12", DataType::Int64),
            ("007", DataType::Utf8View),
            ("+1", DataType::Utf8View),
            ("1234567890123456789", DataType::Utf8View),
            ("1.5", DataType::Float64),
            ("0.30000000000000004", DataType::Float64),
            ("0.3000000000000000444", DataType::Utf8View),
            ("1.5e999", DataType::Utf8View),
            ("-0.25e3", DataType::Float64),
            ("1.", DataType::Utf8View),
            (".5", DataType::Utf8View),
            ("00.5", DataType::Utf8View),
            ("1.2.3", DataType::Utf8View),
            ("NaN", DataType::Utf8View),
            ("2026-01-31", DataType::Date32),
            ("2026-02-31", DataType::Utf8View),
            ("2026-01-31T12:00:00Z", utc()),
            ("2026-01-31 12:00:00+02:00", utc()),
            ("2026-01-31 12:00:00", local()),
            ("0612345678", DataType::Utf8View),
            ("Zürich", DataType::Utf8View),
        ];
        for (text, expected) in cases {
            assert_eq!(from_text(text), expected, "{text}");
        }
    }

    #[test]
    fn guesses_join_to_what_holds_both() {
        let cases = [
            (DataType::Null, DataType::Int64, DataType::Int64),
            (DataType::Int64, DataType::Float64, DataType::Float64),
            (DataType::Int64, DataType::Boolean, DataType::Utf8View),
            (DataType::Date32, DataType::Utf8View, DataType::Utf8View),
        ];
        for (known, more, expected) in cases {
            assert_eq!(join(&known, &more), expected, "{known} {more}");
        }
    }
}
