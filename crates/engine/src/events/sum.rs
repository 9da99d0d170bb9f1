//! Sums of floating point numbers that do not depend on the order of addition.
//!
//! Events are read by several threads and meet in any order, and the same input has to give the same
//! rows. So the sum is kept exactly, as numbers that do not overlap (J. R. Shewchuk, "Adaptive
//! Precision Floating-Point Arithmetic", 1997), and rounded once, at the end.

/// Numbers from here on are kept scaled down, so that no partial sum overflows.
const HUGE: f64 = f64::from_bits((1023 + 900) << 52);
/// By what they are scaled: 2^200.
const SCALE: f64 = f64::from_bits((1023 + 200) << 52);

/// An exact sum.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct ExactSum {
    /// Numbers that do not overlap, the smallest first.
    parts: Vec<f64>,
    /// The same for huge numbers, scaled down.
    huge: Vec<f64>,
    has_nan: bool,
    has_infinity: bool,
    has_negative_infinity: bool,
}

impl ExactSum {
    /// Adds a number.
    pub(crate) fn add(&mut self, number: f64) {
        if number.is_nan() {
            self.has_nan = true;
        } else if number == f64::INFINITY {
            self.has_infinity = true;
        } else if number == f64::NEG_INFINITY {
            self.has_negative_infinity = true;
        } else if number.abs() >= HUGE {
            grow(&mut self.huge, number / SCALE);
        } else {
            grow(&mut self.parts, number);
        }
    }

    /// Adds another sum.
    pub(crate) fn merge(&mut self, other: &Self) {
        self.has_nan |= other.has_nan;
        self.has_infinity |= other.has_infinity;
        self.has_negative_infinity |= other.has_negative_infinity;
        other.parts.iter().for_each(|&part| grow(&mut self.parts, part));
        other.huge.iter().for_each(|&part| grow(&mut self.huge, part));
    }

    /// The sum, rounded to the nearest number; nothing if finite numbers have a sum that is too large.
    pub(crate) fn value(&self) -> Option<f64> {
        match (self.has_nan, self.has_infinity, self.has_negative_infinity) {
            (true, ..) | (_, true, true) => return Some(f64::NAN),
            (_, true, _) => return Some(f64::INFINITY),
            (.., true) => return Some(f64::NEG_INFINITY),
            _ => {}
        }
        if self.huge.is_empty() {
            return Some(rounded(&self.parts)).filter(|sum| sum.is_finite());
        }
        // Scaled down, what is too small to be told from the huge ones is rounded away.
        let mut scaled = self.huge.clone();
        self.parts.iter().for_each(|&part| grow(&mut scaled, part / SCALE));
        let sum = rounded(&scaled) * SCALE;
        if sum.abs() < HUGE {
            // The huge ones cancelled each other: nothing is lost without the scale.
            let mut whole = self.parts.clone();
            self.huge.iter().for_each(|&part| grow(&mut whole, part * SCALE));
            return Some(rounded(&whole)).filter(|sum| sum.is_finite());
        }
        Some(sum).filter(|sum| sum.is_finite())
    }

    /// Writes the sum down.
    pub(crate) fn write(&self, out: &mut Vec<u8>) {
        let flags = u8::from(self.has_nan)
            | u8::from(self.has_infinity) << 1
            | u8::from(self.has_negative_infinity) << 2;
        out.push(flags);
        for parts in [&self.parts, &self.huge] {
            // A number has 2 100 binary places, and a part covers 53 of them.
            out.push(u8::try_from(parts.len()).unwrap_or(u8::MAX));
            out.extend(parts.iter().flat_map(|part| part.to_le_bytes()));
        }
    }

    /// Reads what [`ExactSum::write`] wrote.
    pub(crate) fn read(bytes: &mut &[u8]) -> Option<Self> {
        let flags = super::state::take::<1>(bytes)?[0];
        let mut lists = [Vec::new(), Vec::new()];
        for list in &mut lists {
            for _ in 0..super::state::take::<1>(bytes)?[0] {
                list.push(f64::from_le_bytes(super::state::take(bytes)?));
            }
        }
        let [parts, huge] = lists;
        Some(Self {
            parts,
            huge,
            has_nan: flags & 1 != 0,
            has_infinity: flags & 2 != 0,
            has_negative_infinity: flags & 4 != 0,
        })
    }
}

/// Adds a number to parts that do not overlap, so that they still do not and the sum is exact.
fn grow(parts: &mut Vec<f64>, number: f64) {
    let (mut carry, mut kept) = (number, 0);
    for position in 0..parts.len() {
        let part = parts[position];
        let (large, small) = if carry.abs() < part.abs() { (part, carry) } else { (carry, part) };
        let sum = large + small;
        let error = small - (sum - large);
        if error != 0.0 {
            parts[kept] = error;
            kept += 1;
        }
        carry = sum;
    }
    parts.truncate(kept);
    if carry != 0.0 {
        parts.push(carry);
    }
}

/// The sum of parts, to the nearest number, and to the even one of two that are equally near.
fn rounded(parts: &[f64]) -> f64 {
    let mut rest = parts.iter().rev();
    let mut sum = rest.next().copied().unwrap_or(0.0);
    let mut error = 0.0;
    for &part in rest.by_ref() {
        let before = sum;
        sum = before + part;
        error = part - (sum - before);
        if error != 0.0 {
            break;
        }
    }
    // Half way between two numbers, what comes behind decides.
    if let Some(&next) = rest.next()
        && ((error < 0.0 && next < 0.0) || (error > 0.0 && next > 0.0))
    {
        let twice = error * 2.0;
        let other = sum + twice;
        if twice == other - sum {
            sum = other;
        }
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sum(numbers: &[f64]) -> Option<f64> {
        let mut sum = ExactSum::default();
        numbers.iter().for_each(|&number| sum.add(number));
        sum.value()
    }

    #[test]
    fn nothing_is_lost_in_any_order() {
        assert_eq!(sum(&[]), Some(0.0));
        assert_eq!(sum(&[0.1; 10]), Some(1.0));
        let numbers = [1e100, 1.0, -1e100, 1e-100, 3.5, -1.0, 1e16, 1.0, -1e16];
        for turn in 0..numbers.len() {
            let mut turned = numbers;
            turned.rotate_left(turn);
            assert_eq!(sum(&turned), Some(4.5), "{turn}");
            let (left, right) = turned.split_at(turn);
            let (mut one, mut other) = (ExactSum::default(), ExactSum::default());
            left.iter().for_each(|&number| one.add(number));
            right.iter().for_each(|&number| other.add(number));
            let mut bytes = Vec::new();
            other.write(&mut bytes);
            one.merge(&ExactSum::read(&mut bytes.as_slice()).expect("as written"));
            assert_eq!(one.value(), Some(4.5));
        }
    }

    #[test]
    fn half_way_goes_to_the_even_number() {
        let half = f64::EPSILON / 2.0;
        assert_eq!(sum(&[1.0, half]), Some(1.0));
        assert_eq!(sum(&[1.0, half, 1e-300]), Some(1.0 + f64::EPSILON));
        assert_eq!(sum(&[1.0, half, -1e-300]), Some(1.0));
    }

    #[test]
    fn only_a_sum_that_is_too_large_is_none() {
        let max = f64::MAX;
        assert_eq!(sum(&[max, max, -max]), Some(max));
        assert_eq!(sum(&[max, max, -max, -max, 2.0]), Some(2.0));
        assert_eq!(sum(&[-max, 5.0, max, max, -max]), Some(5.0));
        assert_eq!(sum(&[max, max]), None);
        assert_eq!(sum(&[f64::INFINITY, 1.0]), Some(f64::INFINITY));
        assert!(sum(&[f64::INFINITY, f64::NEG_INFINITY]).is_some_and(f64::is_nan));
    }
}
