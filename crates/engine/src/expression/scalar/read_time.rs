//! Times read from texts: `date('23.10.2019 11:24', 'dd.MM.yyyy HH:mm')`.

use std::sync::Arc;

use arrow::array::{Array, AsArray, TimestampMicrosecondBuilder};
use arrow::datatypes::{DataType, TimestampMicrosecondType};
use datafusion_common::{Result, plan_err};
use datafusion_expr::{ColumnarValue, ScalarFunctionArgs, ScalarUDFImpl, Signature, Volatility};
use jiff::tz::TimeZone;

use super::text_column;
use super::times;
use super::times::{DAYS, MONTHS, Piece, instant, is_time, local_time, microseconds, pieces};

/// The letters that can be read.
const LETTERS: &str = "yMdHhmsSaE";

/// What is wrong with a pattern.
pub(super) fn wrong_pattern(pattern: &str) -> Option<String> {
    let is_unknown = |piece: &Piece| match piece {
        Piece::Letter(letter, _) if !LETTERS.contains(*letter) => Some(*letter),
        _ => None,
    };
    times::wrong_pattern(pattern).or_else(|| {
        let letter = pieces(pattern)?.iter().find_map(is_unknown)?;
        Some(format!("the letter `{letter}` cannot be read from a text"))
    })
}

/// `date(text, pattern)`, and `date(text, pattern, default)` for texts that are no such time.
#[derive(Debug, PartialEq, Eq, Hash)]
pub(super) struct ReadTime {
    signature: Signature,
}

impl ReadTime {
    pub(super) fn new() -> Self {
        Self { signature: Signature::user_defined(Volatility::Immutable) }
    }
}

impl ScalarUDFImpl for ReadTime {
    fn name(&self) -> &'static str {
        "date"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, types: &[DataType]) -> Result<Vec<DataType>> {
        let is_text = |found: &DataType| found.is_string() || found.is_null();
        match types {
            [text, pattern] if is_text(text) && is_text(pattern) => Ok(vec![DataType::Utf8View; 2]),
            [text, pattern, default] if is_text(text) && is_text(pattern) && is_time(default) => {
                Ok(vec![DataType::Utf8View, DataType::Utf8View, instant()])
            }
            _ => plan_err!("date takes a text, its pattern, and perhaps a time for other texts"),
        }
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(instant())
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let columns = ColumnarValue::values_to_arrays(&args.args)?;
        let (texts, patterns) = (text_column(&columns[0])?, text_column(&columns[1])?);
        let defaults = columns.get(2).map(|it| it.as_primitive::<TimestampMicrosecondType>());
        let mut times = TimestampMicrosecondBuilder::with_capacity(texts.len());
        let mut known: Option<(&str, Option<Vec<Piece>>)> = None;
        for row in 0..texts.len() {
            let default =
                || defaults.filter(|defaults| defaults.is_valid(row)).map(|it| it.value(row));
            if texts.is_null(row) || patterns.is_null(row) {
                times.append_option(default());
                continue;
            }
            let pattern = patterns.value(row);
            if known.as_ref().is_none_or(|(text, _)| *text != pattern) {
                known = Some((pattern, pieces(pattern)));
            }
            let pieces = known.as_ref().and_then(|(_, pieces)| pieces.as_ref());
            let time = pieces.and_then(|pieces| read(pieces, texts.value(row)));
            times.append_option(time.or_else(default));
        }
        Ok(ColumnarValue::Array(Arc::new(times.finish().with_timezone("UTC"))))
    }
}

/// Microseconds since 1970 of a text that is written by the pattern throughout.
fn read(pieces: &[Piece], text: &str) -> Option<i64> {
    // Year to second, and nanoseconds.
    let mut parts = [1_970, 1, 1, 0, 0, 0, 0];
    let (mut rest, mut afternoon, mut half_day) = (text.trim(), None, false);
    for (position, piece) in pieces.iter().enumerate() {
        let (letter, count) = match piece {
            Piece::Text(literal) => {
                rest = rest.strip_prefix(literal.as_str())?;
                continue;
            }
            Piece::Letter(letter, count) => (*letter, *count),
        };
        match letter {
            'M' if count > 2 => parts[1] = named(&MONTHS, &mut rest)?,
            'E' => drop(named(&DAYS, &mut rest)?),
            'a' => {
                let is_afternoon = rest.get(..2)?.to_ascii_lowercase();
                afternoon = Some(match is_afternoon.as_str() {
                    "am" => false,
                    "pm" => true,
                    _ => return None,
                });
                rest = &rest[2..];
            }
            _ => {
                // Numbers that stand side by side are as long as the pattern says.
                let is_fixed = matches!(pieces.get(position + 1), Some(Piece::Letter(..)));
                let most = if is_fixed { count } else { count.max(9) };
                let digits = rest.bytes().take(most).take_while(u8::is_ascii_digit).count();
                let number: i64 = rest.get(..digits)?.parse().ok()?;
                rest = &rest[digits..];
                match letter {
                    'y' if count == 2 => parts[0] = 2_000 + number,
                    'y' => parts[0] = number,
                    'M' => parts[1] = number,
                    'd' => parts[2] = number,
                    'H' => parts[3] = number,
                    'h' => (parts[3], half_day) = (number % 12, true),
                    'm' => parts[4] = number,
                    's' => parts[5] = number,
                    'S' => {
                        let missing = 9_u32.checked_sub(u32::try_from(digits).ok()?)?;
                        parts[6] = number * 10_i64.pow(missing);
                    }
                    _ => return None,
                }
            }
        }
    }
    if half_day && afternoon == Some(true) {
        parts[3] += 12;
    }
    let time = local_time(&parts).filter(|_| rest.is_empty())?;
    microseconds(time, &TimeZone::UTC)
}

/// Reads a name or its first three letters, and returns its position from 1.
fn named(names: &[&str], rest: &mut &str) -> Option<i64> {
    let lower = rest.to_lowercase();
    let found = names.iter().position(|name| lower.starts_with(&name.to_lowercase()[..3]))?;
    let whole = names[found].len();
    let length = if lower.starts_with(&names[found].to_lowercase()) { whole } else { 3 };
    *rest = rest.get(length..)?;
    i64::try_from(found + 1).ok()
}
