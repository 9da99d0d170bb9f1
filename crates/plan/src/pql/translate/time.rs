//! `occurs`: a time compared with another, or with a stretch of time.
//!
//! Days, weeks and longer are those of UTC; a week begins on Monday.

use std::ops::Range;

use super::scope::Scope;
use super::{Translated, Translator, both, compared};
use crate::pql::Error;
use crate::pql::fragment::{Fragment, Level, Type, Writer};
use crate::pql::tree::{Comparison, Moment, Node, Occurs, Side, Span, Time, Unit};

/// The longest distance, in years: what the engine's times can bear on both sides of today.
const YEARS_MAX: i64 = 200;

/// Where a time begins and ends. Moments have no length.
struct Stretch {
    start: Fragment,
    /// Behind its last instant.
    end: Option<Fragment>,
}

impl Translator<'_> {
    pub(super) fn occurs(&self, value: &Fragment, occurs: &Occurs, scope: &Scope) -> Translated {
        match occurs {
            Occurs::Distance(comparison, span, side, time) => {
                let from = self.reference(time, span.unit, scope)?;
                distance(value, *comparison, span, *side, &from)
            }
            Occurs::Side(side, time) => {
                if let Some((unit, offset)) = long_unit(time) {
                    let comparison = match side {
                        Side::Before => Comparison::Less,
                        Side::After => Comparison::Greater,
                        Side::From => Comparison::GreaterOrEqual,
                    };
                    return Ok(in_years(value, comparison, unit, offset));
                }
                let Stretch { start, end } = self.stretch(time, scope)?;
                Ok(match (side, &end) {
                    (Side::Before, _) => compared(value, Comparison::Less, &start),
                    (Side::After, Some(end)) => compared(value, Comparison::GreaterOrEqual, end),
                    (Side::After, None) => compared(value, Comparison::Greater, &start),
                    (Side::From, _) => compared(value, Comparison::GreaterOrEqual, &start),
                })
            }
            Occurs::On(time) => {
                if let Some((unit, offset)) = long_unit(time) {
                    return Ok(in_years(value, Comparison::Equal, unit, offset));
                }
                let Stretch { start, end } = self.stretch(time, scope)?;
                Ok(match &end {
                    Some(end) => both(
                        &compared(value, Comparison::GreaterOrEqual, &start),
                        &compared(value, Comparison::Less, end),
                    ),
                    None => compared(value, Comparison::Equal, &start),
                })
            }
            Occurs::Between(low, high) => {
                let low = self.stretch(low, scope)?.start;
                let Stretch { start, end } = self.stretch(high, scope)?;
                let below = match &end {
                    Some(end) => compared(value, Comparison::Less, end),
                    None => compared(value, Comparison::LessOrEqual, &start),
                };
                Ok(both(&compared(value, Comparison::GreaterOrEqual, &low), &below))
            }
        }
    }

    /// What a distance is counted from. SQL adds no hours to a day, so a value that may be one
    /// becomes an instant where the unit is shorter.
    fn reference(&self, time: &Time, unit: Unit, scope: &Scope) -> Translated {
        let from = self.stretch(time, scope)?.start;
        let is_short = matches!(unit, Unit::Millisecond | Unit::Second | Unit::Minute | Unit::Hour);
        if !is_short || !matches!(time, Time::Value(_)) {
            return Ok(from);
        }
        let instant = Writer::new("CAST(").plain(&from).text(" AS TIMESTAMP)");
        Ok(instant.finish(Level::Value, Type::Time).with_nulls(from.nullable))
    }

    fn stretch(&self, time: &Time, scope: &Scope) -> Translated<Stretch> {
        match time {
            Time::Moment(moment, place) => {
                let start = start(*moment, place)?;
                Ok(Stretch { start, end: end(*moment, place)? })
            }
            Time::Shifted(span, side, time) => {
                let from = self.reference(time, span.unit, scope)?;
                Ok(Stretch { start: shifted(&from, span, *side)?, end: None })
            }
            Time::Value(expr) => match &expr.node {
                Node::Date(date) => {
                    let start = self.plain(expr, scope)?;
                    let end = date.tomorrow().map_err(|_| {
                        let message = "the calendar ends on this day";
                        Error::new(expr.place.clone(), "invalid_date", message)
                    })?;
                    let end = Fragment::value(format!("DATE '{end}'"), Type::Time).always();
                    Ok(Stretch { start, end: Some(end.from(&expr.place)) })
                }
                _ => Ok(Stretch { start: self.plain(expr, scope)?, end: None }),
            },
        }
    }
}

/// Where a moment or a stretch begins.
pub(super) fn start(moment: Moment, place: &Range<usize>) -> Translated {
    boundary(moment, 0, place)
}

fn end(moment: Moment, place: &Range<usize>) -> Translated<Option<Fragment>> {
    match moment {
        Moment::Now => Ok(None),
        _ => boundary(moment, 1, place).map(Some),
    }
}

/// The beginning of the stretch that is `further` behind the one that is meant.
fn boundary(moment: Moment, further: i64, place: &Range<usize>) -> Translated {
    let (unit, offset) = match moment {
        Moment::Now => return Ok(Fragment::value("now()", Type::Time).always().from(place)),
        Moment::Day(offset) => (Unit::Day, offset),
        Moment::Relative(offset, unit) => (unit, offset),
    };
    let Some(name) = short_name(unit) else {
        let message = "a stretch of this length cannot be used here";
        let error = Error::new(place.clone(), "unsupported", message);
        return Err(error.with_hint(
            "Decades and longer work with `occurs this decade`, `occurs before this century`; \
             write years otherwise.",
        ));
    };
    let this = Fragment::value(format!("date_trunc('{name}', now())"), Type::Time).always();
    let (sign, count) = match offset + further {
        0 => return Ok(this.from(place)),
        count if count < 0 => ("-", -count),
        count => ("+", count),
    };
    let plural = if count == 1 { "" } else { "s" };
    let interval = format!(" {sign} INTERVAL '{count} {name}{plural}'");
    let boundary = Writer::default().plain(&this).text(&interval);
    Ok(boundary.finish(Level::Sum, Type::Time).always().from(place))
}

/// `this decade` and longer, which are told apart by the year.
fn long_unit(time: &Time) -> Option<(Unit, i64)> {
    match time {
        Time::Moment(Moment::Relative(offset, unit), _) if short_name(*unit).is_none() => {
            Some((*unit, *offset))
        }
        _ => None,
    }
}

/// `date_part('year', x) / 10 = date_part('year', now()) / 10 - 1`
fn in_years(value: &Fragment, comparison: Comparison, unit: Unit, offset: i64) -> Fragment {
    let years = years(unit).unwrap_or(1);
    let now = match offset {
        0 => String::new(),
        offset if offset < 0 => format!(" - {}", -offset),
        offset => format!(" + {offset}"),
    };
    let now = format!("date_part('year', now()) / {years}{now}");
    let now = Fragment::value(now, Type::Number).level(Level::Sum).always();
    compared(&bucket(value, years), comparison, &now)
}

/// Which decade, century, … a time is in.
fn bucket(value: &Fragment, years: i64) -> Fragment {
    let year = Writer::new("date_part('year', ").plain(value);
    let bucket = year.text(&format!(") / {years}")).finish(Level::Product, Type::Number);
    bucket.with_nulls(value.nullable)
}

/// `value occurs <= 3 days before from`
fn distance(
    value: &Fragment,
    comparison: Comparison,
    span: &Span,
    side: Side,
    from: &Fragment,
) -> Translated {
    let before = shifted(from, span, Side::Before)?;
    let after = shifted(from, span, Side::After)?;
    use Comparison::{Equal, Greater, GreaterOrEqual, Less, LessOrEqual, NotEqual};
    let far = |comparison: Comparison, bound: &Fragment| compared(value, comparison, bound);
    // Before, a larger distance is an earlier time.
    let mirrored = match comparison {
        Less => Greater,
        LessOrEqual => GreaterOrEqual,
        Greater => Less,
        GreaterOrEqual => LessOrEqual,
        same => same,
    };
    Ok(match (comparison, side) {
        (Equal | NotEqual, Side::From) => {
            let early = same_unit(value, comparison, &before, span.unit);
            let late = same_unit(value, comparison, &after, span.unit);
            if comparison == Equal { either(&early, &late) } else { both(&early, &late) }
        }
        (Equal | NotEqual, Side::Before) => same_unit(value, comparison, &before, span.unit),
        (Equal | NotEqual, Side::After) => same_unit(value, comparison, &after, span.unit),
        (Less | LessOrEqual, Side::Before) => {
            both(&far(mirrored, &before), &far(LessOrEqual, from))
        }
        (Less | LessOrEqual, Side::After) => {
            both(&far(GreaterOrEqual, from), &far(comparison, &after))
        }
        (Less | LessOrEqual, Side::From) => both(&far(mirrored, &before), &far(comparison, &after)),
        (_, Side::Before) => far(mirrored, &before),
        (_, Side::After) => far(comparison, &after),
        (_, Side::From) => either(&far(mirrored, &before), &far(comparison, &after)),
    })
}

fn either(left: &Fragment, right: &Fragment) -> Fragment {
    let either = Writer::default().list(" OR ", Level::Or, [left, right]);
    either.finish(Level::Or, Type::Boolean)
}

/// Whether two times lie in the same unit: the same hour, the same day.
fn same_unit(value: &Fragment, comparison: Comparison, other: &Fragment, unit: Unit) -> Fragment {
    let truncated = |time: &Fragment| match (short_name(unit), years(unit)) {
        (Some(name), _) => {
            let call = Writer::new("date_trunc('").text(name).text("', ").plain(time).text(")");
            call.finish(Level::Value, Type::Time)
        }
        (None, years) => bucket(time, years.unwrap_or(1)),
    };
    compared(&truncated(value), comparison, &truncated(other))
}

fn shifted(from: &Fragment, span: &Span, side: Side) -> Translated {
    if span.count == 0 {
        return Ok(from.clone());
    }
    let sign = if side == Side::Before { " - " } else { " + " };
    let shifted = Writer::default().at(Level::Sum, from).text(sign).text(&interval(span)?);
    let shifted = shifted.finish(Level::Sum, Type::Time).from(&span.place);
    Ok(shifted.with_nulls(from.nullable))
}

/// `INTERVAL '3 days'`
pub(super) fn interval(span: &Span) -> Translated<String> {
    let (count, name) = match (short_name(span.unit), years(span.unit)) {
        (Some(name), _) => (Some(span.count), name),
        (None, years) => (span.count.checked_mul(years.unwrap_or(1)), "year"),
    };
    let is_short = |count: &i64| *count <= count_max(name);
    let Some(count) = count.filter(is_short) else {
        let message = format!("a distance of more than {YEARS_MAX} years");
        return Err(Error::new(span.place.clone(), "interval_too_long", message));
    };
    let plural = if count == 1 { "" } else { "s" };
    Ok(format!("INTERVAL '{count} {name}{plural}'"))
}

/// How many of a unit make the longest distance.
fn count_max(unit: &str) -> i64 {
    let days = YEARS_MAX * 365;
    match unit {
        "millisecond" => days * 86_400_000,
        "second" => days * 86_400,
        "minute" => days * 1_440,
        "hour" => days * 24,
        "day" => days,
        "week" => days / 7,
        "month" => YEARS_MAX * 12,
        _ => YEARS_MAX,
    }
}

/// The name in SQL of a unit that SQL knows.
fn short_name(unit: Unit) -> Option<&'static str> {
    Some(match unit {
        Unit::Millisecond => "millisecond",
        Unit::Second => "second",
        Unit::Minute => "minute",
        Unit::Hour => "hour",
        Unit::Day => "day",
        Unit::Week => "week",
        Unit::Month => "month",
        Unit::Year => "year",
        Unit::Decade | Unit::Century | Unit::Millennium => return None,
    })
}

/// The years of a unit that SQL does not know.
fn years(unit: Unit) -> Option<i64> {
    match unit {
        Unit::Decade => Some(10),
        Unit::Century => Some(100),
        Unit::Millennium => Some(1_000),
        _ => None,
    }
}
