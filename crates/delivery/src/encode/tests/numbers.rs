//! Numbers and dates by the thousand, against the standard library and jiff.

use jiff::civil::date;
use jiff::{Timestamp, ToSpan};
use proptest::prelude::*;

use super::super::calendar;
use super::super::lane::Slot;
use super::super::number;

/// What a writing function puts into a slot.
fn written(write: impl FnOnce(&mut Slot) -> usize) -> String {
    // Whatever a slot held before must not show.
    let mut slot = [b'#'; 32];
    let length = write(&mut slot);
    String::from_utf8(slot[..length].to_vec()).unwrap()
}

/// The text of a number, which the tests here vouch for.
pub(super) fn text_of_f64(number: f64) -> String {
    written(|slot| number::write_f64(number, slot))
}

/// As [`text_of_f64`].
pub(super) fn text_of_f32(number: f32) -> String {
    written(|slot| number::write_f32(number, slot))
}

/// The text of a number by the standard library, in the notation of the contract: shortest digits,
/// though of two that are equally short and near either may be chosen.
fn plain_or_scientific(plain: String, scientific: String) -> String {
    let exponent: i32 = scientific.split_once('e').unwrap().1.parse().unwrap();
    if (-5..=16).contains(&exponent) { plain } else { scientific }
}

fn same_notation(text: &str, expected: &str) {
    let shape = |text: &str| text.replace(|character: char| character.is_ascii_digit(), "0");
    assert_eq!(shape(text), shape(expected), "{text} for {expected}");
}

#[test]
fn whole_numbers_of_every_length() {
    let mut power: u64 = 1;
    for _ in 0..20 {
        for number in [power - 1, power, power + 1, power / 8 * 9, power.wrapping_mul(7)] {
            assert_eq!(written(|slot| number::write_unsigned(number, slot, 0)), number.to_string());
            let signed = (number as i64).wrapping_neg();
            assert_eq!(written(|slot| number::write_signed(signed, slot)), signed.to_string());
        }
        power = power.saturating_mul(10);
    }
    for number in [u64::MAX, u64::MAX - 1] {
        assert_eq!(written(|slot| number::write_unsigned(number, slot, 0)), number.to_string());
    }
    for number in [i64::MIN, i64::MAX, i64::MIN + 1, -1, 0] {
        assert_eq!(written(|slot| number::write_signed(number, slot)), number.to_string());
    }
}

#[test]
fn every_group_of_four_digits() {
    for number in 0..10_000u32 {
        let digits = number::ascii8(number * 10_000 + (9_999 - number)).to_le_bytes();
        let expected = format!("{number:04}{:04}", 9_999 - number);
        assert_eq!(std::str::from_utf8(&digits).unwrap(), expected);
    }
}

#[test]
fn floating_point_by_hand() {
    for (number, expected) in [
        (0.0, "0"),
        (-0.0, "-0"),
        (1.0, "1"),
        (-1.5, "-1.5"),
        (0.1, "0.1"),
        (0.1 + 0.2, "0.30000000000000004"),
        (1234.5678, "1234.5678"),
        (1234.56789, "1234.56789"),
        (100.0, "100"),
        (1e15, "1000000000000000"),
        (9007199254740993.0, "9007199254740992"),
        (1e16, "10000000000000000"),
        (12345678901234567.0, "12345678901234568"),
        (99999999999999980.0, "99999999999999980"),
        (1e17, "1e17"),
        (-1.5e300, "-1.5e300"),
        (0.00001, "0.00001"),
        (0.000012345, "0.000012345"),
        (0.00000999, "9.99e-6"),
        (5e-324, "5e-324"),
        (f64::MAX, "1.7976931348623157e308"),
        (-f64::MIN_POSITIVE, "-2.2250738585072014e-308"),
    ] {
        assert_eq!(written(|slot| number::write_f64(number, slot)), expected);
    }
    for (number, expected) in [
        (0.1f32, "0.1"),
        (16777216.0, "16777216"),
        (1e10, "10000000000"),
        (1e17, "1e17"),
        (-0.0, "-0"),
        (f32::MAX, "3.4028235e38"),
        (1e-45, "1e-45"),
    ] {
        assert_eq!(written(|slot| number::write_f32(number, slot)), expected);
    }
}

#[test]
fn every_day_of_the_calendar() {
    let mut day = date(1, 1, 1);
    for days in -719_162..=2_932_896 {
        let mut slot = Slot::default();
        let length = calendar::write_date(days, &mut slot).unwrap();
        let digits = |from: usize, to: usize| {
            slot[from..to].iter().fold(0i16, |number, byte| number * 10 + i16::from(byte - b'0'))
        };
        let read = (digits(0, 4), digits(5, 7) as i8, digits(8, 10) as i8);
        assert_eq!(read, (day.year(), day.month(), day.day()));
        assert_eq!((length, slot[4], slot[7]), (10, b'-', b'-'));
        day = day.tomorrow().unwrap_or(day);
    }
    assert_eq!(day, date(9999, 12, 31));
}

fn expected_timestamp(timestamp: Timestamp) -> String {
    match timestamp.subsec_nanosecond() {
        0 => format!("{timestamp:.0}"),
        nanos if nanos % 1_000_000 == 0 => format!("{timestamp:.3}"),
        nanos if nanos % 1_000 == 0 => format!("{timestamp:.6}"),
        _ => format!("{timestamp:.9}"),
    }
}

/// Seconds of the years 1 to 9999.
const SECONDS: std::ops::Range<i64> = -62_135_596_800..253_402_300_800;

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1024))]

    #[test]
    fn any_whole_number(number: u64) {
        prop_assert_eq!(written(|slot| number::write_unsigned(number, slot, 0)), number.to_string());
        let short = number >> (number % 64);
        prop_assert_eq!(written(|slot| number::write_unsigned(short, slot, 0)), short.to_string());
    }

    #[test]
    fn any_f64(bits: u64, units in 0i64..10_000_000_000, places in 0u32..9) {
        let kept = units as f64 / f64::from(10u32.pow(places));
        for number in [f64::from_bits(bits), kept, -kept, kept.next_up()] {
            if number.is_finite() {
                let text = written(|slot| number::write_f64(number, slot));
                prop_assert_eq!(text.parse::<f64>().unwrap().to_bits(), number.to_bits());
                same_notation(&text, &plain_or_scientific(format!("{number}"), format!("{number:e}")));
            }
        }
    }

    #[test]
    fn any_f32(bits: u32) {
        let number = f32::from_bits(bits);
        if number.is_finite() {
            let text = written(|slot| number::write_f32(number, slot));
            prop_assert_eq!(text.parse::<f32>().unwrap().to_bits(), number.to_bits());
            same_notation(&text, &plain_or_scientific(format!("{number}"), format!("{number:e}")));
        }
    }

    #[test]
    fn any_timestamp(seconds in SECONDS, nanos in 0i64..1_000_000_000) {
        for nanos in [nanos, nanos / 1_000 * 1_000, nanos / 1_000_000 * 1_000_000, 0] {
            let expected = expected_timestamp(Timestamp::new(seconds, 0).unwrap() + nanos.nanoseconds());
            let micros = seconds * 1_000_000 + nanos / 1_000;
            if nanos % 1_000 == 0 {
                prop_assert_eq!(
                    written(|slot| calendar::write_timestamp::<1_000_000>(micros, slot).unwrap()),
                    expected.clone()
                );
            }
            if nanos % 1_000_000 == 0 {
                let millis = seconds * 1_000 + nanos / 1_000_000;
                prop_assert_eq!(
                    written(|slot| calendar::write_timestamp::<1_000>(millis, slot).unwrap()),
                    expected.clone()
                );
            }
            if let Some(ticks) = seconds.checked_mul(1_000_000_000).and_then(|ticks| ticks.checked_add(nanos)) {
                prop_assert_eq!(
                    written(|slot| calendar::write_timestamp::<1_000_000_000>(ticks, slot).unwrap()),
                    expected
                );
            }
        }
    }

    #[test]
    fn any_decimal(unscaled: i128, scale in 0u8..=27) {
        let unscaled = unscaled % 10i128.pow(27);
        let mut long = Vec::new();
        number::append_decimal(&unscaled.to_string(), scale as i8, &mut long);
        let long = String::from_utf8(long).unwrap();
        prop_assert_eq!(written(|slot| number::write_decimal(unscaled, scale, slot)), long.clone());
        // All digits are there, and the point is where the scale has it.
        let (whole, fraction) = long.split_once('.').unwrap_or((&long, ""));
        prop_assert_eq!(fraction.len(), usize::from(scale));
        prop_assert_eq!(format!("{whole}{fraction}").parse::<i128>().unwrap(), unscaled);
        prop_assert_eq!(long.starts_with('-'), unscaled < 0);
    }
}
