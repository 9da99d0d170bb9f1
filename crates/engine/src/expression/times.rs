//! What is written of times and zones in an expression: literals, and the names of zones.

use jiff::Timestamp;
use jiff::fmt::temporal::DateTimeParser;
use jiff::tz::TimeZone;
use sqlparser::ast::{DataType, Expr, Spanned, TimezoneInfo, TypedString, Value};

use super::{ExpressionError, Positions};

/// A literal that says its zone, `TIMESTAMP '2019-10-17 11:55:12+02:00'`, is an instant. The engine
/// would move it to UTC and forget that it did.
pub(super) fn settle_zone(literal: &mut TypedString) {
    let DataType::Timestamp(precision, zone) = &literal.data_type else { return };
    let says_zone = match &literal.value.value {
        Value::SingleQuotedString(text) => text.trim().parse::<Timestamp>().is_ok(),
        _ => false,
    };
    if says_zone && *zone == TimezoneInfo::None {
        literal.data_type = DataType::Timestamp(*precision, TimezoneInfo::WithTimeZone);
    }
}

/// The zone of `AT TIME ZONE` stands in the expression, so that times have one type.
pub(super) fn check_zone(zone: &Expr, positions: &Positions) -> Result<(), ExpressionError> {
    let hint = "Write a name such as `'Europe/Paris'`, or an offset such as `'+02:00'`.";
    let wrong =
        |code, message: String| Err(positions.error(zone.span(), code, message).with_hint(hint));
    let written = match zone {
        Expr::Value(value) => match &value.value {
            Value::SingleQuotedString(text) => Some(text),
            _ => None,
        },
        _ => None,
    };
    match written {
        None => wrong("not_allowed", "a time zone is a text in single quotes".to_owned()),
        Some(text) if zone_named(text).is_none() => {
            wrong("wrong_argument", format!("there is no time zone `{text}`"))
        }
        Some(_) => Ok(()),
    }
}

/// The zone of a name or of an offset, `+02:00`.
pub(super) fn zone_named(text: &str) -> Option<TimeZone> {
    TimeZone::get(text).ok().or_else(|| match text.starts_with(['+', '-']) {
        true => DateTimeParser::new().parse_time_zone(text).ok(),
        false => None,
    })
}
