//! The times outside which no event matters, so that whole parts of files need not be read.

use arrow::datatypes::TimeUnit;
use datafusion_common::ScalarValue;
use datafusion_expr::Operator;
use datafusion_physical_expr::PhysicalExpr;
use datafusion_physical_expr::expressions::{BinaryExpr, CastExpr, Column, Literal};
use parquet::basic::{ConvertedType, LogicalType, TimeUnit as ParquetUnit};
use parquet::file::metadata::RowGroupMetaData;
use parquet::file::statistics::Statistics;
use plan::field::Step;

use super::fields::TIME;
use crate::path::Steps;

/// Times from one to another, both included, in microseconds since 1970.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Window {
    from: i64,
    to: i64,
}

impl Window {
    /// Every time.
    pub(crate) const ALWAYS: Self = Self { from: i64::MIN, to: i64::MAX };

    /// The times that a condition leaves possible: what its parts, all of which have to hold, say of
    /// the event's time alone. What says something else leaves every time possible.
    pub(crate) fn of(condition: &dyn PhysicalExpr) -> Self {
        let Some(condition) = condition.downcast_ref::<BinaryExpr>() else { return Self::ALWAYS };
        let (left, right) = (condition.left().as_ref(), condition.right().as_ref());
        match condition.op() {
            Operator::And => Self::of(left).intersection(Self::of(right)),
            Operator::Or => Self::of(left).union(Self::of(right)),
            op => match (is_time(left), constant(right), constant(left), is_time(right)) {
                (true, Some(time), ..) => Self::compared(*op, time),
                (.., Some(time), true) => {
                    op.swap().map_or(Self::ALWAYS, |op| Self::compared(op, time))
                }
                _ => Self::ALWAYS,
            },
        }
    }

    /// Times compared with one; wider than they have to be by what rounding can take away.
    fn compared(op: Operator, time: i64) -> Self {
        let (below, above) = (time.saturating_sub(1), time.saturating_add(1));
        match op {
            Operator::Gt | Operator::GtEq => Self { from: below, ..Self::ALWAYS },
            Operator::Lt | Operator::LtEq => Self { to: above, ..Self::ALWAYS },
            Operator::Eq => Self { from: below, to: above },
            _ => Self::ALWAYS,
        }
    }

    fn intersection(self, other: Self) -> Self {
        Self { from: self.from.max(other.from), to: self.to.min(other.to) }
    }

    /// The times from the first of both to the last of both.
    pub(crate) fn union(self, other: Self) -> Self {
        if self.is_empty() {
            return other;
        }
        if other.is_empty() {
            return self;
        }
        Self { from: self.from.min(other.from), to: self.to.max(other.to) }
    }

    fn is_empty(self) -> bool {
        self.from > self.to
    }

    /// Whether any event of a row group of a Parquet file can matter, going by its statistics of the
    /// field that holds the time.
    pub(crate) fn may_touch(self, group: &RowGroupMetaData, time: &Steps) -> bool {
        if self == Self::ALWAYS {
            return true;
        }
        match span(group, time) {
            Some((first, last)) => first <= self.to && last >= self.from,
            None => true,
        }
    }
}

fn is_time(expression: &dyn PhysicalExpr) -> bool {
    if let Some(cast) = expression.downcast_ref::<CastExpr>() {
        use arrow::datatypes::DataType::Timestamp;
        return matches!(cast.cast_type(), Timestamp(..)) && is_time(cast.expr().as_ref());
    }
    expression.downcast_ref::<Column>().is_some_and(|column| column.name() == TIME)
}

/// A literal time, in microseconds, rounded towards the past.
fn constant(expression: &dyn PhysicalExpr) -> Option<i64> {
    let literal = expression.downcast_ref::<Literal>()?;
    match literal.value() {
        ScalarValue::TimestampSecond(Some(time), _) => time.checked_mul(1_000_000),
        ScalarValue::TimestampMillisecond(Some(time), _) => time.checked_mul(1_000),
        ScalarValue::TimestampMicrosecond(Some(time), _) => Some(*time),
        ScalarValue::TimestampNanosecond(Some(time), _) => Some(time.div_euclid(1_000)),
        _ => None,
    }
}

/// The first and the last time of a row group.
fn span(group: &RowGroupMetaData, time: &Steps) -> Option<(i64, i64)> {
    let names: Option<Vec<&str>> = time
        .0
        .iter()
        .map(|step| match step {
            Step::Field(name) | Step::Key(name) => Some(name.as_str()),
            Step::Index(_) => None,
        })
        .collect();
    let names = names?;
    let column = group.columns().iter().find(|column| {
        let parts = column.column_path().parts();
        parts.len() == names.len() && parts.iter().zip(&names).all(|(part, name)| part == name)
    })?;
    let described = column.column_descr();
    match column.statistics()? {
        Statistics::Int64(found) => {
            let unit = match (described.logical_type_ref(), described.converted_type()) {
                (Some(LogicalType::Timestamp(found)), _) => match found.unit {
                    ParquetUnit::MILLIS => TimeUnit::Millisecond,
                    ParquetUnit::MICROS => TimeUnit::Microsecond,
                    ParquetUnit::NANOS => TimeUnit::Nanosecond,
                },
                (None, ConvertedType::TIMESTAMP_MILLIS) => TimeUnit::Millisecond,
                (None, ConvertedType::TIMESTAMP_MICROS) => TimeUnit::Microsecond,
                _ => return None,
            };
            let microseconds = |time: i64| match unit {
                TimeUnit::Nanosecond => Some(time.div_euclid(1_000)),
                TimeUnit::Microsecond => Some(time),
                _ => time.checked_mul(1_000),
            };
            Some((microseconds(*found.min_opt()?)?, microseconds(*found.max_opt()?)?))
        }
        Statistics::Int32(found) if described.converted_type() == ConvertedType::DATE => {
            let microseconds = |days: i32| i64::from(days) * 86_400_000_000;
            Some((microseconds(*found.min_opt()?), microseconds(*found.max_opt()?)))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn windows_meet_and_join() {
        let early = Window::compared(Operator::Lt, 10);
        let late = Window::compared(Operator::GtEq, 20);
        assert!(early.intersection(late).is_empty());
        assert_eq!(early.intersection(late).union(late), late);
        assert_eq!(late.union(early.intersection(late)), late);
        assert_eq!(early.union(late), Window::ALWAYS);
        assert_eq!(Window::compared(Operator::Eq, 5), Window { from: 4, to: 6 });
        assert_eq!(Window::compared(Operator::NotEq, 5), Window::ALWAYS);
    }
}
