//! Numbers, sizes, times and durations, as a language writes them.

#[cfg(test)]
mod tests;

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, Zoned};

use crate::words::Lang;

/// The space that French puts between thousands: narrow, and no line breaks there.
const NARROW: &str = "\u{202f}";
/// The space between a number and its unit: no line breaks there.
const TIED: &str = "\u{a0}";

/// How a person reads: a language, a time zone, and the instant at which the page is drawn.
#[derive(Debug, Clone)]
pub struct Locale {
    /// The language of words and numbers.
    pub lang: Lang,
    /// The zone in which times are shown.
    pub zone: TimeZone,
    /// When the page is drawn; "in 3 h" counts from here.
    pub now: Timestamp,
}

/// Writes a whole number with its thousands apart.
pub fn number(lang: Lang, value: u64) -> String {
    let digits = value.to_string();
    let separator = match lang {
        Lang::En => ",",
        Lang::Fr => NARROW,
    };
    let mut written = String::with_capacity(digits.len() * 2);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            written.push_str(separator);
        }
        written.push(digit);
    }
    written
}

impl Locale {
    /// Writes a whole number with its thousands apart.
    pub fn number(&self, value: u64) -> String {
        number(self.lang, value)
    }

    /// Writes a number in three figures, for places where a glance has to do: `16.4 M`.
    pub fn short_number(&self, value: u64) -> String {
        const STEPS: [(u64, &str, &str); 3] =
            [(1_000_000_000, "B", "Md"), (1_000_000, "M", "M"), (10_000, "k", "k")];
        // 999,950 and more would round to 1,000 k.
        let found = STEPS.into_iter().find(|(from, ..)| value + from / 2_000 >= *from);
        let Some((from, english, french)) = found else { return self.number(value) };
        let unit = if from == 10_000 { 1_000 } else { from };
        let suffix = match self.lang {
            Lang::En => english,
            Lang::Fr => french,
        };
        let figures = self.figures(ratio(value, unit));
        let figures = figures.trim_end_matches(".0").trim_end_matches(",0");
        format!("{figures}{TIED}{suffix}")
    }

    /// Writes a size in bytes with decimal units: `1.2 GB`, `1,2 Go`.
    pub fn size(&self, bytes: u64) -> String {
        let letter = match self.lang {
            Lang::En => "B",
            Lang::Fr => "o",
        };
        let steps =
            [(1_000_000_000_000, "T"), (1_000_000_000, "G"), (1_000_000, "M"), (1_000, "k")];
        let found = steps.into_iter().find(|(unit, _)| bytes + unit / 2_000 >= *unit);
        match found {
            Some((unit, prefix)) => {
                format!("{}{TIED}{prefix}{letter}", self.figures(ratio(bytes, unit)))
            }
            None => format!("{bytes}{TIED}{letter}"),
        }
    }

    /// Writes a share of 1 in percent with one decimal where that says something: `99.3%`, `99,3 %`.
    pub fn percent(&self, share: f64) -> String {
        let hundredths = format!("{:.1}", share * 100.0);
        let written = self.decimal(hundredths.trim_end_matches(".0").to_owned());
        match self.lang {
            Lang::En => format!("{written}%"),
            Lang::Fr => format!("{written}{NARROW}%"),
        }
    }

    /// Writes a change in percent with its sign.
    pub fn change(&self, share: f64) -> String {
        match share {
            share if share > 0.0 => format!("+{}", self.percent(share)),
            share if share < 0.0 => format!("−{}", self.percent(-share)),
            _ => self.percent(0.0),
        }
    }

    /// Writes a duration in its two largest units: `2 min 10 s`.
    pub fn duration(&self, duration: SignedDuration) -> String {
        let milliseconds = duration.as_millis().max(0);
        if milliseconds < 1_000 {
            return format!("{milliseconds}{TIED}ms");
        }
        let seconds = duration.as_secs();
        if seconds < 10 {
            let tenths = self.decimal(format!("{:.1}", duration.as_secs_f64()));
            return format!("{tenths}{TIED}s");
        }
        let day = match self.lang {
            Lang::En => "d",
            Lang::Fr => "j",
        };
        let (minutes, hours, days) = (seconds / 60, seconds / 3_600, seconds / 86_400);
        let two = |large: i64, unit: &str, small: i64, small_unit: &str| match small {
            0 => format!("{large}{TIED}{unit}"),
            small => format!("{large}{TIED}{unit} {small}{TIED}{small_unit}"),
        };
        match (days, hours, minutes) {
            (0, 0, 0) => format!("{seconds}{TIED}s"),
            (0, 0, _) => two(minutes, "min", seconds % 60, "s"),
            (0, ..) => two(hours, "h", minutes % 60, "min"),
            _ => two(days, day, hours % 24, "h"),
        }
    }

    /// Says how far an instant is from now: `in 3 h`, `3 h ago`.
    pub fn relative(&self, at: Timestamp) -> String {
        let distance = at.duration_since(self.now);
        if distance.abs() < SignedDuration::from_secs(45) {
            return self.lang.just_now().to_owned();
        }
        let rounded = round(distance.abs());
        let said = self.duration(rounded);
        match distance.is_negative() {
            true => self.lang.time_ago(&said),
            false => self.lang.time_until(&said),
        }
    }

    /// Writes the day and the time: `Mon 23 Nov 2026, 06:00`. The year is left out where it is this one.
    pub fn date_time(&self, at: Timestamp) -> String {
        let local = self.local(at);
        format!("{}, {}", self.day(local.date()), time(&local))
    }

    /// Writes the time alone where the day is today, and the day besides otherwise.
    pub fn moment(&self, at: Timestamp) -> String {
        let (local, today) = (self.local(at), self.local(self.now).date());
        let time = time(&local);
        if local.date() == today {
            return self.lang.today_at(&time);
        }
        if Some(local.date()) == today.tomorrow().ok() {
            return self.lang.tomorrow_at(&time);
        }
        if Some(local.date()) == today.yesterday().ok() {
            return self.lang.yesterday_at(&time);
        }
        self.date_time(at)
    }

    /// Writes the time of day with seconds.
    pub fn clock(&self, at: Timestamp) -> String {
        self.local(at).strftime("%H:%M:%S").to_string()
    }

    /// Writes the day: `Mon 23 Nov`, with the year where it is another one.
    pub fn day(&self, date: Date) -> String {
        let weekday =
            self.lang.weekday(usize::from(date.weekday().to_monday_zero_offset().unsigned_abs()));
        let short = self.short_day(date);
        let year = match date.year() == self.local(self.now).year() {
            true => String::new(),
            false => format!(" {}", date.year()),
        };
        format!("{weekday} {short}{year}")
    }

    /// Writes the day without weekday and year: `23 Nov`.
    pub fn short_day(&self, date: Date) -> String {
        let month = self.lang.month(usize::from(date.month().unsigned_abs()) - 1);
        let day = match (self.lang, date.day()) {
            (Lang::Fr, 1) => "1er".to_owned(),
            (_, day) => day.to_string(),
        };
        format!("{day}{TIED}{month}")
    }

    /// Writes the day of each instant, with the time where others fall on the same day, and with seconds
    /// where others fall into the same minute: `23 Nov`, `24 Nov, 06:00`.
    pub fn days_apart(&self, all: &[Timestamp]) -> Vec<String> {
        let written = |format: &str| -> Vec<String> {
            all.iter().map(|at| self.local(*at).strftime(format).to_string()).collect()
        };
        let (days, minutes) = (written("%F"), written("%F %H:%M"));
        let is_alone = |of: &[String], at: usize| of.iter().filter(|it| **it == of[at]).count() < 2;
        let name = |(at, instant): (usize, &Timestamp)| {
            let local = self.local(*instant);
            let day = self.short_day(local.date());
            match (is_alone(&days, at), is_alone(&minutes, at)) {
                (true, _) => day,
                (false, true) => format!("{day}, {}", time(&local)),
                (false, false) => format!("{day}, {}", self.clock(*instant)),
            }
        };
        all.iter().enumerate().map(name).collect()
    }

    /// Returns the local time of an instant.
    pub fn local(&self, at: Timestamp) -> Zoned {
        at.to_zoned(self.zone.clone())
    }

    /// Returns the name of the zone, as people know it.
    pub fn zone_name(&self) -> &str {
        self.zone.iana_name().unwrap_or("UTC")
    }

    /// Three figures: one decimal below a hundred.
    fn figures(&self, value: f64) -> String {
        let decimals = usize::from(value < 99.95);
        self.decimal(format!("{value:.decimals$}"))
    }

    fn decimal(&self, written: String) -> String {
        match self.lang {
            Lang::En => written,
            Lang::Fr => written.replace('.', ","),
        }
    }
}

fn time(local: &Zoned) -> String {
    local.strftime("%H:%M").to_string()
}

/// A quotient for people, who read three figures of it.
#[expect(clippy::cast_precision_loss, reason = "three figures are shown")]
pub(crate) fn ratio(value: u64, of: u64) -> f64 {
    if of == 0 { 0.0 } else { value as f64 / of as f64 }
}

/// Rounds to what is said: minutes below a day, hours beyond.
fn round(distance: SignedDuration) -> SignedDuration {
    let unit = if distance < SignedDuration::from_hours(24) { 60 } else { 3_600 };
    let seconds = (distance.as_secs() + unit / 2) / unit * unit;
    SignedDuration::from_secs(seconds.max(60))
}
