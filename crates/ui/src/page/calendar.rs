//! The next five weeks as a picture: on which days something is due, when first, how often, and where
//! clocks change.

use std::collections::BTreeMap;

use jiff::Span;
use jiff::civil::{Date, Time, Weekday};
use maud::{Markup, html};

use crate::component::{colon, flush_card};
use crate::icon::Icon;
use crate::locale::Locale;
use crate::shell::Shell;

/// How many weeks it shows.
pub const WEEKS: i64 = 5;

/// What is due on a day, on the clocks of its schedule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Due {
    /// The segment's name.
    pub segment: String,
    /// The day.
    pub date: Date,
    /// The first time of the day; nothing where nothing is due and only clocks change.
    pub first: Option<Time>,
    /// How often on that day.
    pub count: u64,
    /// Whether clocks change on that day.
    pub clocks_change: bool,
}

/// The days of a calendar.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Calendar {
    /// Everything that is due, in any order.
    pub due: Vec<Due>,
    /// The zones of the schedules, each once.
    pub zones: Vec<String>,
}

/// What a day shows.
#[derive(Debug, Default)]
struct Day<'a> {
    due: Vec<&'a Due>,
}

impl Day<'_> {
    fn count(&self) -> u64 {
        self.due.iter().map(|due| due.count).sum()
    }

    fn first(&self) -> Option<Time> {
        self.due.iter().filter_map(|due| due.first).min()
    }

    fn clocks_change(&self) -> bool {
        self.due.iter().any(|due| due.clocks_change)
    }
}

impl Calendar {
    /// Draws it in a card; nothing where nothing is due.
    pub fn draw(&self, shell: &Shell) -> Markup {
        let (lang, locale) = (shell.lang(), &shell.locale);
        if self.due.iter().all(|due| due.first.is_none()) {
            return html! {};
        }
        let mut days: BTreeMap<Date, Day<'_>> = BTreeMap::new();
        for due in &self.due {
            days.entry(due.date).or_default().due.push(due);
        }
        let today = locale.local(locale.now).date();
        // Tomorrow there may be today here.
        let first = days.keys().next().copied().unwrap_or(today).min(today);
        let monday = first.saturating_sub(Span::new().days(i64::from(offset(first.weekday()))));
        let body = html! {
            table class="calendar" {
                caption class="hidden" { (lang.calendar_of(&WEEKS.to_string())) }
                thead { tr { @for day in 0..7 { th scope="col" { (lang.weekday(day)) } } } }
                tbody {
                    @for week in 0..WEEKS {
                        tr {
                            @for day in 0..7 {
                                @let date = monday.saturating_add(Span::new().days(week * 7 + day));
                                (self::day(locale, date, today, days.get(&date)))
                            }
                        }
                    }
                }
            }
        };
        let last = monday.saturating_add(Span::new().days(WEEKS * 7 - 1));
        let changes: Vec<String> = days
            .iter()
            .filter(|(date, day)| **date <= last && day.clocks_change())
            .map(|(date, _)| locale.day(*date))
            .collect();
        let beside = html! { p { (self.zones.join(", ")) } };
        let body = html! {
            (body)
            @if !changes.is_empty() {
                p class="clocks-note" { span class="clocks" { (Icon::Clock.draw()) } (lang.clock_change()) (colon(lang)) " " (changes.join(", ")) }
            }
        };
        flush_card(lang.calendar(), &beside, &body)
    }
}

fn day(locale: &Locale, date: Date, today: Date, day: Option<&Day<'_>>) -> Markup {
    let lang = locale.lang;
    let class = match (date == today, date < today) {
        (true, _) => "today",
        (_, true) => "past",
        _ => "",
    };
    let number = if date.day() == 1 || date == today {
        locale.short_day(date)
    } else {
        date.day().to_string()
    };
    let first = day.and_then(Day::first);
    let named = |due: &&Due| Some(format!("{} {}", due.first?.strftime("%H:%M"), due.segment));
    let names: Vec<String> = day.into_iter().flat_map(|day| &day.due).filter_map(named).collect();
    html! {
        td class=[class_of(class, first.is_some())] title=[(!names.is_empty()).then(|| names.join(", "))] {
            span class="date" { (number) }
            @if let (Some(day), Some(first)) = (day, first) {
                span class="slot" {
                    (first.strftime("%H:%M").to_string())
                    @if day.count() > 1 { span class="times" { " ×" (day.count()) } }
                }
            }
            // A day is narrower than the words, which stand below the weeks.
            @if day.is_some_and(Day::clocks_change) {
                span class="clocks" title=(lang.clock_change()) { (Icon::Clock.draw()) span class="hidden" { (lang.clock_change()) } }
            }
        }
    }
}

fn class_of(when: &str, has_slots: bool) -> Option<String> {
    let class = [when, if has_slots { "has" } else { "" }].join(" ");
    Some(class.trim().to_owned()).filter(|class| !class.is_empty())
}

fn offset(weekday: Weekday) -> i8 {
    weekday.to_monday_zero_offset()
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use jiff::civil::date;
    use jiff::tz::TimeZone;

    use super::*;
    use crate::words::Lang;

    #[test]
    fn a_day_on_which_clocks_change_holds_no_words_to_be_cut() {
        let due = Due {
            segment: "Loyal".to_owned(),
            date: date(2026, 10, 25),
            first: None,
            count: 0,
            clocks_change: true,
        };
        for lang in Lang::ALL {
            let locale = Locale { lang, zone: TimeZone::UTC, now: Timestamp::UNIX_EPOCH };
            let drawn =
                day(&locale, due.date, date(2026, 10, 20), Some(&Day { due: vec![&due] })).0;
            let words = lang.clock_change();
            assert!(drawn.contains(&format!("<span class=\"hidden\">{words}</span>")), "{drawn}");
            assert_eq!(drawn.matches(words).count(), 2, "hidden and as a title: {drawn}");
        }
    }
}
