//! Numbers as text.
//!
//! Whole numbers and decimals keep every digit. Binary floating point is written with the fewest
//! digits that read back as the same number: in plain notation while 1e-5 <= |x| < 1e17, and as
//! `1.5e-7` or `1e17` beyond. Numbers without a fraction have no point, and negative zero is `-0`.

use super::lane::Slot;

/// From here on floating point needs an exponent.
const PLAIN_EXPONENT_MAX: i32 = 16;
/// Below this decimal exponent too.
const PLAIN_EXPONENT_MIN: i32 = -5;
/// The most zeros behind the point that the quick way for floating point tries: four digits.
const QUICK_SCALE: f64 = 10_000.0;
/// Any two decimals of up to 15 digits are different `f64`; this bounds the quick way.
const QUICK_MAX: f64 = 1e15;
/// Below this the text of a number may have an exponent.
const QUICK_FRACTION_MIN: f64 = 1e-4;
const E8: u64 = 100_000_000;
const E16: u64 = E8 * E8;
const ZEROS: u64 = 0x3030_3030_3030_3030;

/// The eight digits of a number below 10^8, as the bytes 0 to 9, the first digit lowest.
///
/// All lanes are divided at once: by 10,000, then by 100, then by 10, each time with a
/// multiplication that is exact in its range.
#[inline(always)]
pub(super) fn digits8(number: u32) -> u64 {
    let number = u64::from(number);
    let high = number / 10_000;
    let fours = high | (number - high * 10_000) << 32;
    let hundreds = ((fours * 10_486) >> 20) & 0x0000_007f_0000_007f;
    let twos = hundreds | (fours - hundreds * 100) << 16;
    let tens = ((twos * 103) >> 10) & 0x000f_000f_000f_000f;
    tens | (twos - tens * 10) << 8
}

/// As [`digits8`], as ASCII.
#[inline(always)]
pub(super) fn ascii8(number: u32) -> u64 {
    digits8(number) | ZEROS
}

/// The two digits of a number below 100 as ASCII, the first digit lowest.
#[inline(always)]
pub(super) fn two_digits(number: u32) -> u64 {
    // The table is longer than it needs to be, so that no index can be beyond it.
    u64::from(TWO_DIGITS[number as usize % TWO_DIGITS.len()])
}

const TWO_DIGITS: [u16; 128] = {
    let mut table = [0; 128];
    let mut number = 0;
    while number < 100 {
        table[number] = u16::from_le_bytes([b'0' + number as u8 / 10, b'0' + number as u8 % 10]);
        number += 1;
    }
    table
};

/// Writes a number at `at` and returns where it ends. Up to seven bytes behind it are overwritten.
#[inline(always)]
pub(super) fn write_unsigned(number: u64, slot: &mut Slot, at: usize) -> usize {
    if number < E8 {
        let digits = digits8(number as u32);
        // The last digit counts even if it is 0.
        let skipped = (digits | 1 << 56).trailing_zeros() / 8;
        let text = (digits | ZEROS) >> (skipped * 8);
        slot[at..at + 8].copy_from_slice(&text.to_le_bytes());
        return at + 8 - skipped as usize;
    }
    write_large(number, slot, at)
}

fn write_large(number: u64, slot: &mut Slot, at: usize) -> usize {
    let at = write_unsigned_head(number / E16, slot, at);
    let (high, low) = (number / E8 % E8, number % E8);
    let end = match at {
        At::Empty(at) => write_unsigned(high, slot, at),
        At::After(at) => write_ascii8(high, slot, at),
    };
    write_ascii8(low, slot, end)
}

enum At {
    Empty(usize),
    After(usize),
}

fn write_unsigned_head(head: u64, slot: &mut Slot, at: usize) -> At {
    match head {
        0 => At::Empty(at),
        head => At::After(write_unsigned(head, slot, at)),
    }
}

fn write_ascii8(number: u64, slot: &mut Slot, at: usize) -> usize {
    slot[at..at + 8].copy_from_slice(&ascii8(number as u32).to_le_bytes());
    at + 8
}

/// Writes a signed number and returns its length.
#[inline(always)]
pub(super) fn write_signed(number: i64, slot: &mut Slot) -> usize {
    slot[0] = b'-';
    write_unsigned(number.unsigned_abs(), slot, usize::from(number < 0))
}

/// Writes a finite number and returns its length.
#[inline(always)]
pub(super) fn write_f64(number: f64, slot: &mut Slot) -> usize {
    slot[0] = b'-';
    let at = usize::from(number.is_sign_negative());
    let magnitude = number.abs();
    // Most numbers that people keep have few digits. One of up to 15 digits, four of them behind
    // the point, that divides back into the very same `f64` is its shortest text, since no other
    // decimal of up to 15 digits reads as that `f64`.
    let scaled = magnitude * QUICK_SCALE + 0.5;
    if scaled < QUICK_MAX {
        // Signed, since that is one instruction each way.
        let units = scaled as i64;
        if units as f64 / QUICK_SCALE == magnitude {
            return write_units(units as u64, slot, at);
        }
    }
    let mut buffer = zmij::Buffer::new();
    let text = buffer.format_finite(number);
    // In this range the text is plain, and has a fraction, since whole numbers went the quick way.
    if (QUICK_FRACTION_MIN..QUICK_MAX / QUICK_SCALE).contains(&magnitude) {
        return copy_short(text.as_bytes(), slot);
    }
    write_shortest(text, slot)
}

/// Copies a text, by two pieces of fixed size that may overlap unless it is shorter than one.
#[inline(always)]
fn copy_short(text: &[u8], slot: &mut Slot) -> usize {
    let length = text.len();
    match (text.first_chunk::<16>(), text.last_chunk::<16>()) {
        (Some(first), Some(last)) if length <= slot.len() => {
            slot[..16].copy_from_slice(first);
            slot[length - 16..length].copy_from_slice(last);
        }
        _ => slot[..length].copy_from_slice(text),
    }
    length
}

/// Writes ten-thousandths without the zeros at the end.
#[inline(always)]
fn write_units(units: u64, slot: &mut Slot, at: usize) -> usize {
    let (whole, fraction) = (units / 10_000, units % 10_000);
    let end = write_unsigned(whole, slot, at);
    let fraction = two_digits(fraction as u32 / 100) | two_digits(fraction as u32 % 100) << 16;
    let text = fraction << 8 | u64::from(b'.');
    slot[end..end + 8].copy_from_slice(&text.to_le_bytes());
    // Digits without their ASCII part are 0 where they can be left out.
    let digits = fraction as u32 ^ ZEROS as u32;
    let kept = 4 - digits.leading_zeros() as usize / 8;
    end + kept + usize::from(kept > 0)
}

/// Writes a finite number and returns its length.
#[inline]
pub(super) fn write_f32(number: f32, slot: &mut Slot) -> usize {
    if number != 0.0 && number.abs() < 1e-5 {
        // Here the formatter below would still write zeros.
        return write_shortest(&format!("{number:e}"), slot);
    }
    write_shortest(zmij::Buffer::new().format_finite(number), slot)
}

/// Writes a finite number of 16 bits, given as the 32-bit number of the same value, and returns its
/// length. `round` tells what a 32-bit number becomes in 16 bits.
pub(super) fn write_f16(number: f32, round: impl Fn(f32) -> f32, slot: &mut Slot) -> usize {
    for digits in 0..5 {
        let text = format!("{number:.digits$e}");
        if text.parse().is_ok_and(|parsed| round(parsed) == number) {
            return write_shortest(&text, slot);
        }
    }
    write_f32(number, slot)
}

/// Brings `1.5`, `15.0`, `1.5e-7` or `1.5e+7` into the notation of this module.
fn write_shortest(text: &str, slot: &mut Slot) -> usize {
    if let Some((digits, exponent)) = text.split_once('e') {
        let exponent = exponent.parse().expect("an exponent is a whole number");
        return write_scientific(digits, exponent, slot);
    }
    let text = text.strip_suffix(".0").unwrap_or(text).as_bytes();
    slot[..text.len()].copy_from_slice(text);
    text.len()
}

/// Writes `digits` times 10^`exponent`; `digits` has one digit before its point, if it has one.
fn write_scientific(digits: &str, exponent: i32, slot: &mut Slot) -> usize {
    let unsigned = digits.trim_start_matches('-');
    let (first, rest) = unsigned.split_once('.').unwrap_or((unsigned, ""));
    let rest = rest.trim_end_matches('0');
    let mut out = Writer { slot, length: 0 };
    if digits.starts_with('-') {
        out.push("-");
    }
    match exponent {
        0..=PLAIN_EXPONENT_MAX => {
            let places = exponent as usize;
            let whole = rest.len().min(places);
            out.push(first);
            out.push(&rest[..whole]);
            out.zeros(places - whole);
            out.push(if rest.len() > whole { "." } else { "" });
            out.push(&rest[whole..]);
        }
        PLAIN_EXPONENT_MIN..0 => {
            out.push("0.");
            out.zeros(exponent.unsigned_abs() as usize - 1);
            out.push(first);
            out.push(rest);
        }
        _ => {
            out.push(first);
            out.push(if rest.is_empty() { "" } else { "." });
            out.push(rest);
            out.push("e");
            out.push(itoa::Buffer::new().format(exponent));
        }
    }
    out.length
}

struct Writer<'s> {
    slot: &'s mut Slot,
    length: usize,
}

impl Writer<'_> {
    fn push(&mut self, text: &str) {
        let end = self.length + text.len();
        self.slot[self.length..end].copy_from_slice(text.as_bytes());
        self.length = end;
    }

    fn zeros(&mut self, count: usize) {
        self.slot[self.length..self.length + count].fill(b'0');
        self.length += count;
    }
}

/// The most digits before and behind the point of a decimal that surely fits a slot.
pub(super) const SLOT_DECIMAL_PRECISION_MAX: u8 = 27;

/// Writes a decimal of at most [`SLOT_DECIMAL_PRECISION_MAX`] digits and returns its length.
#[inline]
pub(super) fn write_decimal(unscaled: i128, scale: u8, slot: &mut Slot) -> usize {
    slot[0] = b'-';
    let at = usize::from(unscaled < 0);
    match u64::try_from(unscaled.unsigned_abs()) {
        Ok(magnitude) if (1..=16).contains(&scale) => write_scaled(magnitude, scale, slot, at),
        Ok(magnitude) if scale == 0 => write_unsigned(magnitude, slot, at),
        _ => {
            let mut text = Vec::with_capacity(slot.len());
            append_decimal(itoa::Buffer::new().format(unscaled), scale as i8, &mut text);
            slot[..text.len()].copy_from_slice(&text);
            text.len()
        }
    }
}

/// Writes `magnitude` divided by 10^`scale`, for a scale of 1 to 16.
fn write_scaled(magnitude: u64, scale: u8, slot: &mut Slot, at: usize) -> usize {
    let power = 10u64.pow(u32::from(scale));
    let end = write_unsigned(magnitude / power, slot, at);
    let fraction = magnitude % power;
    let digits = u128::from(ascii8((fraction / E8) as u32))
        | u128::from(ascii8((fraction % E8) as u32)) << 64;
    slot[end] = b'.';
    if end + 17 <= slot.len() {
        let text = digits >> (8 * (16 - u32::from(scale)));
        slot[end + 1..end + 17].copy_from_slice(&text.to_le_bytes());
    } else {
        let text = digits.to_le_bytes();
        let kept = usize::from(scale);
        slot[end + 1..end + 1 + kept].copy_from_slice(&text[16 - kept..]);
    }
    end + 1 + usize::from(scale)
}

/// Appends a decimal given by the digits of its unscaled number. Zeros behind the point are kept,
/// since the scale is part of the value's type.
pub(super) fn append_decimal(unscaled: &str, scale: i8, out: &mut Vec<u8>) {
    let digits = unscaled.trim_start_matches('-').as_bytes();
    if unscaled.starts_with('-') {
        out.push(b'-');
    }
    let places = usize::from(scale.unsigned_abs());
    if scale <= 0 {
        out.extend_from_slice(digits);
        let zeros = if digits == b"0" { 0 } else { places };
        out.resize(out.len() + zeros, b'0');
        return;
    }
    let whole = digits.len().saturating_sub(places);
    out.extend_from_slice(if whole == 0 { b"0" } else { &digits[..whole] });
    out.push(b'.');
    out.resize(out.len() + places - (digits.len() - whole), b'0');
    out.extend_from_slice(&digits[whole..]);
}
