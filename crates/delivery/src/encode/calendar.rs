//! Dates, times and spans of time as text.
//!
//! Dates are `2024-02-29`, timestamps RFC 3339 in UTC with `Z`, both of the years 1 to 9999. A
//! fraction of a second has no digits when it is 0 and else 3, 6 or 9, as few as keep it whole.
//! Durations and intervals are ISO 8601; each part of an interval has a sign of its own.

use super::error::Problem;
use super::lane::Slot;
use super::number::{ascii8, two_digits, write_unsigned};

const SECONDS_PER_DAY: u64 = 86_400;
const NANOS_PER_SECOND: u64 = 1_000_000_000;
/// 0001-01-01, in days before 1970-01-01.
const DAYS_BEFORE_1970: i64 = 719_162;
/// 10000-01-01, in days from 0001-01-01.
const DAYS_MAX: u64 = 3_652_059;

/// Writes a date, given in days from 1970-01-01, and returns its length.
#[inline(always)]
pub(super) fn write_date(days: i64, slot: &mut Slot) -> Result<usize, Problem> {
    // What is before the year 1 becomes a huge number.
    let days = days.wrapping_add(DAYS_BEFORE_1970) as u64;
    if days >= DAYS_MAX {
        return Err(Problem::OutOfRange);
    }
    Ok(write_day(days as u32, slot))
}

/// Writes a date, given in days from 0001-01-01, and returns its length.
///
/// The year is taken to begin in March, so that the leap day is its last. Counted so, a century has
/// 36,524.25 days, a year of it 365.25, and the months from March follow 153 days to five of them.
/// Divisions that are not by a power of two are multiplications by a rounded inverse, with the
/// remainder read off the lower half; the tests go through every day.
#[inline(always)]
fn write_day(days: u32, slot: &mut Slot) -> usize {
    let quarters = 4 * (days + 306) + 3;
    let century = quarters / 146_097;
    let quarters = quarters % 146_097 / 4 * 4 + 3;
    let product = 2_939_745 * u64::from(quarters);
    let year_of_century = (product >> 32) as u32;
    let day_of_year = product as u32 / 2_939_745 / 4;
    let month_and_day = 2_141 * day_of_year + 197_913;
    let next_year = day_of_year >= 306;
    let month = (month_and_day >> 16) - if next_year { 12 } else { 0 };
    let day = (month_and_day & 0xffff) / 2_141 + 1;
    let year = 100 * century + year_of_century + u32::from(next_year);
    let text = two_digits(year / 100)
        | two_digits(year % 100) << 16
        | u64::from(b'-') << 32
        | two_digits(month) << 40
        | u64::from(b'-') << 56;
    slot[..8].copy_from_slice(&text.to_le_bytes());
    slot[8..16].copy_from_slice(&two_digits(day).to_le_bytes());
    10
}

/// Writes a time of day at `at` and returns where it ends. `ticks` is the part of a second, in
/// units of which `PER_SECOND` make one; a constant, because division by one is far quicker.
#[inline(always)]
fn write_clock<const PER_SECOND: i64>(
    second_of_day: u32,
    ticks: u32,
    slot: &mut Slot,
    at: usize,
) -> usize {
    let minutes = second_of_day / 60;
    let text = two_digits(minutes / 60)
        | u64::from(b':') << 16
        | two_digits(minutes % 60) << 24
        | u64::from(b':') << 40
        | two_digits(second_of_day % 60) << 48;
    slot[at..at + 8].copy_from_slice(&text.to_le_bytes());
    if ticks == 0 { at + 8 } else { write_fraction::<PER_SECOND>(ticks, slot, at + 8) }
}

/// Writes `.` and 3, 6 or 9 digits.
#[inline(always)]
fn write_fraction<const PER_SECOND: i64>(ticks: u32, slot: &mut Slot, at: usize) -> usize {
    slot[at] = b'.';
    let mut write = |digits: u64| slot[at + 1..at + 9].copy_from_slice(&digits.to_le_bytes());
    if PER_SECOND == 1_000 {
        write(ascii8(ticks) >> 40);
        return at + 4;
    }
    if PER_SECOND == 1_000_000 {
        write(ascii8(ticks) >> 16);
        return if ticks.is_multiple_of(1_000) { at + 4 } else { at + 7 };
    }
    write(ascii8(ticks / 10));
    slot[at + 9] = b'0' + (ticks % 10) as u8;
    if ticks.is_multiple_of(1_000_000) {
        at + 4
    } else if ticks.is_multiple_of(1_000) {
        at + 7
    } else {
        at + 10
    }
}

/// Writes a point in time, counted from 1970 in ticks of which `PER_SECOND` make a second, and
/// returns its length.
#[inline(always)]
pub(super) fn write_timestamp<const PER_SECOND: i64>(
    ticks: i64,
    slot: &mut Slot,
) -> Result<usize, Problem> {
    // From the year 1 on nothing is negative, which makes for quicker divisions. Nanoseconds, of
    // which 64 bits hold 584 years only, cannot be counted from there.
    let seconds_before_1970 = DAYS_BEFORE_1970 * SECONDS_PER_DAY as i64;
    let (seconds, rest) = match seconds_before_1970.checked_mul(PER_SECOND) {
        Some(offset) => {
            let ticks = ticks.wrapping_add(offset) as u64;
            (ticks / PER_SECOND as u64, ticks % PER_SECOND as u64)
        }
        None => {
            let seconds = ticks.div_euclid(PER_SECOND) + seconds_before_1970;
            (seconds as u64, ticks.rem_euclid(PER_SECOND) as u64)
        }
    };
    if seconds >= DAYS_MAX * SECONDS_PER_DAY {
        return Err(Problem::OutOfRange);
    }
    write_day((seconds / SECONDS_PER_DAY) as u32, slot);
    slot[10] = b'T';
    let second_of_day = (seconds % SECONDS_PER_DAY) as u32;
    let end = write_clock::<PER_SECOND>(second_of_day, rest as u32, slot, 11);
    slot[end] = b'Z';
    Ok(end + 1)
}

/// Writes a time of day and returns its length.
#[inline(always)]
pub(super) fn write_time<const PER_SECOND: i64>(
    ticks: i64,
    slot: &mut Slot,
) -> Result<usize, Problem> {
    let (seconds, rest) = (ticks.div_euclid(PER_SECOND), ticks.rem_euclid(PER_SECOND));
    if !(0..SECONDS_PER_DAY as i64).contains(&seconds) {
        return Err(Problem::OutOfRange);
    }
    Ok(write_clock::<PER_SECOND>(seconds as u32, rest as u32, slot, 0))
}

/// Writes a duration as `PT1.5S` or `-PT90S` and returns its length.
pub(super) fn write_duration<const PER_SECOND: i64>(ticks: i64, slot: &mut Slot) -> usize {
    let magnitude = ticks.unsigned_abs();
    let (seconds, rest) = (magnitude / PER_SECOND as u64, magnitude % PER_SECOND as u64);
    slot[..3].copy_from_slice(if ticks < 0 { b"-PT" } else { b"PT " });
    let at = if ticks < 0 { 3 } else { 2 };
    write_seconds::<PER_SECOND>(seconds, rest as u32, slot, at)
}

/// Writes seconds with their unit and returns where they end.
fn write_seconds<const PER_SECOND: i64>(
    seconds: u64,
    ticks: u32,
    slot: &mut Slot,
    at: usize,
) -> usize {
    let mut end = write_unsigned(seconds, slot, at);
    if ticks != 0 {
        end = write_fraction::<PER_SECOND>(ticks, slot, end);
    }
    slot[end] = b'S';
    end + 1
}

/// Appends an interval as `P1Y2M3DT4.5S`; parts that are 0 are left out.
pub(super) fn append_interval(months: i32, days: i32, nanos: i64, out: &mut Vec<u8>) {
    let mut number = itoa::Buffer::new();
    out.push(b'P');
    for (count, unit) in [(months / 12, b'Y'), (months % 12, b'M'), (days, b'D')] {
        if count != 0 {
            out.extend_from_slice(number.format(count).as_bytes());
            out.push(unit);
        }
    }
    if nanos == 0 && (months != 0 || days != 0) {
        return;
    }
    out.extend_from_slice(if nanos < 0 { b"T-" } else { b"T" });
    let (seconds, rest) =
        (nanos.unsigned_abs() / NANOS_PER_SECOND, nanos.unsigned_abs() % NANOS_PER_SECOND);
    let mut slot = Slot::default();
    let end = write_seconds::<{ NANOS_PER_SECOND as i64 }>(seconds, rest as u32, &mut slot, 0);
    out.extend_from_slice(&slot[..end]);
}
