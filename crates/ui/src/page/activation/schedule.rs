//! A schedule as a sentence.

use jiff::civil::{Date, Time, Weekday};

use crate::locale::Locale;
use crate::words::Lang;

/// When something is due, for a sentence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Schedule {
    /// Only when somebody asks.
    ByHand,
    /// At stated times in a zone.
    At(Frequency, String),
}

/// How often something is due.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Frequency {
    /// Once.
    Once(Option<Date>, Time),
    /// Every so many hours.
    Hourly(u8, Time),
    /// Every day.
    Daily(Time),
    /// Every week.
    Weekly(Weekday, Time),
    /// Every month on a day.
    Monthly(i8, Time),
    /// By a cron expression.
    Cron(String),
    /// Whenever the segment is evaluated.
    Evaluation,
}

impl Schedule {
    /// The zone in which it is read.
    pub(super) fn zone(&self) -> Option<&str> {
        match self {
            Self::ByHand => None,
            Self::At(_, zone) => Some(zone),
        }
    }

    /// Says it in a sentence.
    pub fn said(&self, locale: &Locale) -> String {
        let lang = locale.lang;
        let Self::At(frequency, _) = self else { return lang.by_hand().to_owned() };
        match frequency {
            Frequency::Once(day, at) => {
                let day = day.map(|day| locale.day(day)).unwrap_or_default();
                lang.once_on(&day, &time(*at))
            }
            Frequency::Hourly(1, at) => lang.every_hour(&time(*at)),
            Frequency::Hourly(hours, at) => lang.every_hours(&hours.to_string(), &time(*at)),
            Frequency::Daily(at) => lang.every_day(&time(*at)),
            Frequency::Weekly(day, at) => lang.every_week(weekday(lang, *day), &time(*at)),
            Frequency::Monthly(day, at) => lang.every_month(&day.to_string(), &time(*at)),
            Frequency::Cron(expression) => lang.by_cron(expression),
            Frequency::Evaluation => lang.after_evaluation().to_owned(),
        }
    }
}

fn time(at: Time) -> String {
    at.strftime("%H:%M").to_string()
}

fn weekday(lang: Lang, day: Weekday) -> &'static str {
    let number = usize::from(day.to_monday_zero_offset().unsigned_abs());
    lang.weekdays_long().split(' ').nth(number).unwrap_or_default()
}
