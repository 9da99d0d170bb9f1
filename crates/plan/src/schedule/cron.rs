//! Cron expressions of five fields, as far as a day of the calendar and times within it go.
//!
//! `croner` parses and matches; what a match means on days when clocks change is decided in
//! `schedule`, because its own search gives up on gaps of more than two hours.

use croner::parser::{CronParser, Seconds, Year};
use croner::time::CronDateTime;
use jiff::civil::{Date, Time};

use super::DAYS_SEARCHED_MAX;

/// A parsed expression.
#[derive(Debug)]
pub(crate) struct Cron {
    pattern: croner::Cron,
    is_interval: bool,
    days_are_alternatives: bool,
}

/// Why a text is no expression.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct CronError(pub String);

impl Cron {
    /// Parses minute, hour, day of month, month and day of week.
    pub(crate) fn parse(expression: &str) -> Result<Self, CronError> {
        let fields: Vec<&str> = expression.split_whitespace().collect();
        let [minute, hour, day, _, weekday] = fields.as_slice() else {
            let count = fields.len();
            let found = if count == 1 { "1 field".to_owned() } else { format!("{count} fields") };
            return Err(CronError(format!("a cron expression has five fields, this has {found}")));
        };
        let parser =
            CronParser::builder().seconds(Seconds::Disallowed).year(Year::Optional).build();
        let pattern = parser.parse(expression).map_err(|_| misfit(&parser, &fields))?;
        Ok(Self {
            pattern,
            is_interval: [minute, hour].iter().any(|field| field.contains(['*', '/'])),
            days_are_alternatives: !day.contains(['*', '?'])
                && !weekday.contains(['*', '?'])
                && !weekday.starts_with('+'),
        })
    }

    /// Whether times repeat within a day by a wildcard or a step.
    pub(crate) fn is_interval(&self) -> bool {
        self.is_interval
    }

    /// Whether day of month and day of week are both given, so that either of them is enough.
    pub(crate) fn days_are_alternatives(&self) -> bool {
        self.days_are_alternatives
    }

    /// Whether `date` matches day, month and weekday.
    pub(crate) fn is_on(&self, date: Date) -> bool {
        let (Ok(month), Ok(day)) = (u32::try_from(date.month()), u32::try_from(date.day())) else {
            return false;
        };
        let weekday = date.to_datetime(Time::midnight()).civil_weekday();
        let pattern = &self.pattern.pattern;
        pattern.month_match(month).unwrap_or(false)
            && pattern.day_match(i32::from(date.year()), month, day, weekday).unwrap_or(false)
    }

    /// The times of day, in order.
    pub(crate) fn times(&self) -> impl Iterator<Item = Time> {
        let narrow =
            |values: Vec<u16>| values.into_iter().filter_map(|value| i8::try_from(value).ok());
        let minutes: Vec<i8> = narrow(self.pattern.pattern.minutes.values()).collect();
        narrow(self.pattern.pattern.hours.values()).flat_map(move |hour| {
            let minutes = minutes.clone();
            minutes.into_iter().filter_map(move |minute| Time::new(hour, minute, 0, 0).ok())
        })
    }

    /// Whether any day of the calendar matches.
    pub(crate) fn ever_fires(&self) -> bool {
        let first = jiff::civil::date(2001, 1, 1);
        let days = std::iter::successors(Some(first), |date| date.tomorrow().ok());
        days.take(DAYS_SEARCHED_MAX).any(|date| self.is_on(date))
    }
}

/// What each field is, and what it may be.
const FIELDS: [(&str, &str); 5] = [
    ("minute", "0 to 59"),
    ("hour", "0 to 23"),
    ("day of the month", "1 to 31, or `L` for the last"),
    ("month", "1 to 12, or `jan` to `dec`"),
    ("day of the week", "0 to 7, or `sun` to `sat`"),
];

/// Names the field that is wrong: the parser's own text names none.
fn misfit(parser: &CronParser, fields: &[&str]) -> CronError {
    let is_wrong = |position: usize| {
        let alone: Vec<&str> =
            (0..FIELDS.len()).map(|at| if at == position { fields[at] } else { "*" }).collect();
        parser.parse(&alone.join(" ")).is_err()
    };
    let wrong = (0..FIELDS.len()).find(|position| is_wrong(*position));
    CronError(match wrong.map(|position| (fields[position], FIELDS[position])) {
        Some((field, (name, range))) => format!("`{field}` is no {name} ({range})"),
        None => "not a cron expression".to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn expressions_have_five_fields_and_can_fire() {
        for good in
            ["0 2 * * *", "*/15 8-18 * * mon-fri", "0 0 L * *", "0 0 29 2 *", "0 0 29 2 +mon"]
        {
            assert!(Cron::parse(good).expect(good).ever_fires(), "{good}");
        }
        for never in ["0 0 31 2 *", "0 0 30 2 *", "0 0 31 4,6,9,11 *"] {
            assert!(!Cron::parse(never).expect(never).ever_fires(), "{never}");
        }
    }

    #[test]
    fn what_is_no_expression_says_why() {
        let cases = [
            ("", "a cron expression has five fields, this has 0 fields"),
            ("@reboot", "a cron expression has five fields, this has 1 field"),
            ("* * * * * *", "a cron expression has five fields, this has 6 fields"),
            ("60 * * * *", "`60` is no minute (0 to 59)"),
            ("x * * * *", "`x` is no minute (0 to 59)"),
            ("1-0 * * * *", "`1-0` is no minute (0 to 59)"),
            ("*/0 * * * *", "`*/0` is no minute (0 to 59)"),
            ("0 24 * * *", "`24` is no hour (0 to 23)"),
            ("0 0 32 * *", "`32` is no day of the month (1 to 31, or `L` for the last)"),
            ("0 0 1 brumaire *", "`brumaire` is no month (1 to 12, or `jan` to `dec`)"),
            ("0 0 * * funday", "`funday` is no day of the week (0 to 7, or `sun` to `sat`)"),
        ];
        for (expression, reason) in cases {
            let CronError(found) = Cron::parse(expression).expect_err(expression);
            assert_eq!(found, reason, "{expression}");
        }
    }
}
