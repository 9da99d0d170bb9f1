//! Whether a number, as it is written in a text file, keeps all of its digits in a type.
//!
//! Parsers round what does not fit: `9007199254740993` becomes `9007199254740992` as a 64-bit float,
//! and `0.12345678901` loses its last digit as a decimal of ten. Nobody asked for another value, so
//! such numbers are texts where types are guessed, and errors where the type is settled.

use arrow::datatypes::DataType;

/// Every number of so many digits is the shortest form of some 64-bit float.
const FLOAT_DIGITS_CERTAIN: usize = 15;

/// Whether parsers round to the type.
pub(crate) fn may_be_lost(data_type: &DataType) -> bool {
    matches!(data_type, DataType::Float64 | DataType::Decimal128(..))
}

/// Whether reading `text` as `data_type` keeps its value. True of what is no number in decimal
/// digits, and for types that hold no fractions: their parsers refuse what they cannot hold.
pub(crate) fn survive(text: &str, data_type: &DataType) -> bool {
    match data_type {
        DataType::Float64 => survive_as_float(text),
        DataType::Decimal128(digits, scale) => {
            let (whole, scale) = (i64::from(*digits) - i64::from(*scale), i64::from(*scale));
            Number::of(text).is_none_or(|number| {
                number.exponent <= whole && number.digits.len() as i64 - number.exponent <= scale
            })
        }
        _ => true,
    }
}

/// Whether the nearest 64-bit float is written as the same number again.
pub(crate) fn survive_as_float(text: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_digit() || matches!(byte, b'.' | b'-');
    if text.len() <= FLOAT_DIGITS_CERTAIN && text.bytes().all(is_plain) {
        return true;
    }
    let Some(number) = Number::of(text) else { return true };
    let Ok(float) = text.parse::<f64>() else { return true };
    float.is_finite() && Number::of(&format!("{float:e}")) == Some(number)
}

/// Whether a 64-bit integer or float holds the number at all, however roughly.
pub(crate) fn is_finite(text: &str) -> bool {
    text.parse::<f64>().is_ok_and(f64::is_finite)
}

/// A number as `0.DIGITS × 10^exponent`, without zeros at either end of the digits. The sign always
/// survives.
#[derive(Debug, PartialEq)]
struct Number {
    digits: Vec<u8>,
    exponent: i64,
}

impl Number {
    /// The number that a text is, or nothing if it is none.
    fn of(text: &str) -> Option<Self> {
        let text = text.strip_prefix(['-', '+']).unwrap_or(text);
        let (mantissa, exponent) = match text.split_once(['e', 'E']) {
            Some((mantissa, exponent)) => (mantissa, exponent.parse::<i64>().ok()?),
            None => (text, 0),
        };
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let mut digits: Vec<u8> = whole.bytes().chain(fraction.bytes()).collect();
        if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
            return None;
        }
        let leading = digits.iter().take_while(|digit| **digit == b'0').count();
        digits.drain(..leading);
        while digits.last() == Some(&b'0') {
            digits.pop();
        }
        let exponent = exponent.checked_add(whole.len() as i64 - leading as i64)?;
        Some(Self { exponent: if digits.is_empty() { 0 } else { exponent }, digits })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_that_a_float_loses_are_seen() {
        let kept = [
            "0",
            "-0.0",
            "1.50",
            "0.1",
            "1e3",
            "1000000000000000",
            "9007199254740992",
            "0.30000000000000004",
            "-1.7976931348623157e308",
            "12345678901234567000",
            "5e-324",
            "123456789.00000000000000000",
            "NaN",
            "text",
            "",
        ];
        for text in kept {
            assert!(survive_as_float(text), "{text}");
        }
        let lost = [
            "9007199254740993",
            "12345678901234567890",
            "0.1234567890123456789",
            "1e400",
            "1e-400",
            "1.00000000000000000001",
            "0.10000000000000000001",
        ];
        for text in lost {
            assert!(!survive_as_float(text), "{text}");
        }
    }

    #[test]
    fn digits_that_a_decimal_loses_are_seen() {
        let decimal = DataType::Decimal128(38, 10);
        let whole = "9".repeat(28);
        for text in ["0", "1.5000000000000", "0.1234567890", "-12e-9", "1e27", &whole, "x"] {
            assert!(survive(text, &decimal), "{text}");
        }
        let whole = "9".repeat(29);
        for text in ["0.12345678901", "1e-11", "1e28", &whole] {
            assert!(!survive(text, &decimal), "{text}");
        }
        assert!(survive("1.5", &DataType::Int64), "its parser refuses it");
    }
}
