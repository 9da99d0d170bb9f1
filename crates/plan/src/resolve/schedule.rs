//! Schedules: every combination that would never be due, or not as meant, is refused.

use jiff::civil::{Date, Time};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use super::{Item, Resolver};
use crate::config;
use crate::diagnostic::Diagnostic;
use crate::nearest::nearest;
use crate::planner::{CATCH_UP_WINDOW, CatchUp, Lateness, Overlap};
use crate::project::{Frequency, Schedule};
use crate::schedule::{Cron, zones};

/// The longest window of missed slots, in minutes: 366 days.
const WINDOW_MINUTES_MAX: i64 = 366 * 24 * 60;

impl Resolver<'_> {
    pub(super) fn schedule(&mut self, item: Item<'_>, file: &config::Schedule) -> Option<Schedule> {
        let is_after = file.trigger == Some(config::Trigger::AfterEvaluation);
        let start = self.date(item, "start", file.start.as_deref());
        let end = self.date(item, "end", file.end.as_deref());
        let zone = self.zone(item, file.zone.as_deref());
        let at = self.time(item, file.at.as_deref());
        let frequency = match is_after {
            true => self.after_evaluation(item, file),
            false => self.frequency(item, file, at)?,
        };
        if let (Some(start), Some(end)) = (start, end)
            && end < start
        {
            let hint = "The end day is included; it may be the start day.";
            self.error("end_before_start", item.span("end"), "the end is before the start", hint);
            return None;
        }
        let lateness = self.lateness(item, file)?;
        let zone = match (&frequency, zone?) {
            (Frequency::Evaluation { of: Some(of) }, _) => of.zone.clone(),
            (_, zone) => zone,
        };
        let schedule = Schedule { frequency, zone, start, end, lateness };
        self.check_due(item, &schedule);
        Some(schedule)
    }

    /// Of exports that follow evaluations only the days are their own.
    fn after_evaluation(&mut self, item: Item<'_>, file: &config::Schedule) -> Frequency {
        let by_clock = file.frequency.filter(|it| *it != config::Frequency::Daily);
        let misplaced = [
            ("frequency", by_clock.is_some()),
            ("every", file.every.is_some()),
            ("at", file.at.is_some()),
            ("cron", file.cron.is_some()),
            ("zone", file.zone.is_some()),
        ];
        for (key, _) in misplaced.into_iter().filter(|(_, is_there)| *is_there) {
            let message = format!("`{key}` says nothing with `trigger: after-evaluation`");
            let hint = "Remove it; `schedule` of `membership:` says when segments are evaluated.";
            self.error("misplaced_key", item.key_place(key), message, hint);
        }
        Frequency::Evaluation { of: self.evaluations.clone().map(Box::new) }
    }

    fn frequency(
        &mut self,
        item: Item<'_>,
        file: &config::Schedule,
        at: Time,
    ) -> Option<Frequency> {
        let Some(written) = file.frequency else {
            let is_there = item.node.get("frequency").is_some_and(|node| !node.is_null());
            if !is_there {
                let hint = "Add for example `frequency: daily`.";
                let message = "the schedule does not say how often";
                self.error("missing_key", item.key_span, message, hint);
            }
            return None;
        };
        let is_cron = written == config::Frequency::Cron;
        for (key, belongs) in
            [("every", written == config::Frequency::Hourly), ("cron", is_cron), ("at", !is_cron)]
        {
            if !belongs && item.node.get(key).is_some_and(|node| !node.is_null()) {
                let message = format!("`{key}` does not belong to this frequency");
                let hint = match key {
                    "every" => "Only `frequency: hourly` has it.",
                    "cron" => "Only `frequency: cron` has it.",
                    _ => "The cron expression says the time.",
                };
                self.error("misplaced_key", item.key_place(key), message, hint);
            }
        }
        match written {
            config::Frequency::Once => self.once(item, file, at),
            config::Frequency::Hourly => {
                Some(Frequency::Hourly { every: file.every.unwrap_or(1), at })
            }
            config::Frequency::Daily => Some(Frequency::Daily { at }),
            config::Frequency::Weekly => Some(Frequency::Weekly { at }),
            config::Frequency::Monthly => Some(Frequency::Monthly { at }),
            config::Frequency::Cron => self.cron(item, file.cron.as_deref()),
        }
    }

    fn lateness(&mut self, item: Item<'_>, file: &config::Schedule) -> Option<Lateness> {
        let catch_up = match file.catch_up {
            None | Some(config::CatchUp::Latest) => CatchUp::Latest,
            Some(config::CatchUp::All) => CatchUp::All,
            Some(config::CatchUp::None) => CatchUp::None,
        };
        let overlap = match file.overlap {
            None | Some(config::Overlap::Queue) => Overlap::Queue,
            Some(config::Overlap::Skip) => Overlap::Skip,
            Some(config::Overlap::QueueAll) => Overlap::QueueAll,
        };
        let window = match file.catch_up_window.as_deref() {
            None => CATCH_UP_WINDOW,
            Some(text) => match window(text) {
                Some(window) => window,
                None => {
                    let hint =
                        "Write minutes, hours or days between 1m and 366d: `90m`, `24h`, `7d`.";
                    let place = item.span("catch_up_window");
                    self.error("duration_form", place, "this is not a catch-up window", hint);
                    return None;
                }
            },
        };
        if catch_up == CatchUp::None && file.catch_up_window.is_some() {
            let message = "`catch_up_window` says nothing with `catch_up: none`";
            let hint = "Remove one of the two.";
            self.warn("unused_window", item.span("catch_up_window"), message, hint);
        }
        Some(Lateness { catch_up, window, overlap })
    }

    fn once(&mut self, item: Item<'_>, file: &config::Schedule, at: Time) -> Option<Frequency> {
        if file.end.is_some() {
            let message = "`end` does not belong to `frequency: once`";
            self.error("misplaced_key", item.key_place("end"), message, "Remove it.");
        }
        if item.node.get("start").is_none() {
            let hint = "Add `start:` with the day.";
            self.error("missing_key", item.key_span, "`frequency: once` needs a start day", hint);
            return None;
        }
        Some(Frequency::Once { at })
    }

    fn cron(&mut self, item: Item<'_>, expression: Option<&str>) -> Option<Frequency> {
        let Some(expression) = expression else {
            if item.node.get("cron").is_none_or(crate::tree::Node::is_null) {
                let hint = "Add for example `cron: \"0 2 * * mon-fri\"`.";
                let message = "`frequency: cron` needs an expression";
                self.error("missing_key", item.key_span, message, hint);
            }
            return None;
        };
        let place = item.span("cron");
        let cron = match Cron::parse(expression) {
            Ok(cron) => cron,
            Err(problem) => {
                let hint = "Write minute, hour, day of month, month and day of week: `0 2 * * *`.";
                self.error("cron_form", place, problem.0, hint);
                return None;
            }
        };
        if !cron.ever_fires() {
            let hint = "No month has such a day.";
            self.error("never_due", place, "the cron expression never fires", hint);
            return None;
        }
        if cron.days_are_alternatives() {
            let hint = "Put `+` before the day of week if both must match.";
            let message = "day of month and day of week are both given: either is enough";
            self.warn("cron_days", place, message, hint);
        }
        Some(Frequency::Cron { expression: expression.to_owned() })
    }

    fn check_due(&mut self, item: Item<'_>, schedule: &Schedule) {
        // Evaluations that somebody asks for are not known.
        let bounded = schedule.end.is_some() && !schedule.is_after_evaluation();
        if bounded && schedule.slots_after(Timestamp::MIN, 1).is_empty() {
            let hint = "Move the end, or change the frequency.";
            self.error("never_due", item.span("end"), "nothing is due until the end", hint);
        }
    }

    fn date(&mut self, item: Item<'_>, key: &str, text: Option<&str>) -> Option<Date> {
        let text = text?;
        let is_plain = text.len() == 10 && text.is_char_boundary(4);
        match text.parse::<Date>() {
            Ok(date) if is_plain && date.year() >= 1970 => Some(date),
            Ok(_) | Err(_) => {
                let hint = "Write year, month and day: `2026-01-31`.";
                self.error("date_form", item.span(key), "this is not a date", hint);
                None
            }
        }
    }

    fn time(&mut self, item: Item<'_>, text: Option<&str>) -> Time {
        let Some(text) = text else { return Time::midnight() };
        let digits = |text: &str| text.len() == 2 && text.chars().all(|c| c.is_ascii_digit());
        let parsed =
            text.split_once(':').filter(|(hour, minute)| digits(hour) && digits(minute)).and_then(
                |(hour, minute)| Time::new(hour.parse().ok()?, minute.parse().ok()?, 0, 0).ok(),
            );
        parsed.unwrap_or_else(|| {
            let hint = "Write hours and minutes: `\"02:00\"`.";
            self.error("time_form", item.span("at"), "this is not a time of day", hint);
            Time::midnight()
        })
    }

    fn zone(&mut self, item: Item<'_>, name: Option<&str>) -> Option<TimeZone> {
        let name = name.unwrap_or("UTC");
        if let Ok(zone) = zones().get(name) {
            return Some(zone);
        }
        let known: Vec<String> = zones().available().map(|zone| zone.as_str().to_owned()).collect();
        let hint = match nearest_zone(name, &known) {
            Some(nearest) => format!("Did you mean `{nearest}`?"),
            None => "Write an IANA name, such as `Europe/Paris`.".to_owned(),
        };
        let message = format!("there is no time zone `{name}`");
        self.push(Diagnostic::error("unknown_zone", item.span("zone"), message).with_hint(hint));
        None
    }
}

/// Reads `90m`, `24h` or `7d`.
fn window(text: &str) -> Option<SignedDuration> {
    let unit = text.chars().last()?;
    let number: i64 = text.strip_suffix(unit)?.parse().ok()?;
    let minutes = match unit {
        'm' => number,
        'h' => number.checked_mul(60)?,
        'd' => number.checked_mul(24 * 60)?,
        _ => return None,
    };
    (1..=WINDOW_MINUTES_MAX).contains(&minutes).then(|| SignedDuration::from_mins(minutes))
}

/// The nearest whole name, or the zone whose city is nearest: `Paris`.
fn nearest_zone<'a>(name: &str, known: &'a [String]) -> Option<&'a str> {
    let city = |zone: &'a str| zone.rsplit('/').next().unwrap_or(zone);
    nearest(name, known.iter().map(String::as_str)).or_else(|| {
        let wanted = nearest(name, known.iter().map(|zone| city(zone)))?;
        known.iter().map(String::as_str).find(|zone| city(zone) == wanted)
    })
}
