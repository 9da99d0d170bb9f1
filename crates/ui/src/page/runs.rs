//! The list of runs: a timeline, filters, a table.

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use maud::{Markup, html};

use super::{RunLine, RunStatus, entry, maybe, moment, run_url};
use crate::chart::percent;
use crate::component::{
    Choice, Column, Head, Table, card, empty, link_button, nothing, select, text_field,
};
use crate::icon::Icon;
use crate::shell::{Place, Shell};

/// What the list shows.
#[derive(Debug, Clone)]
pub struct Runs {
    /// The lanes of the timeline, in the order of the project.
    pub lanes: Vec<Lane>,
    /// Lanes that the timeline has no room for.
    pub lanes_beyond: u64,
    /// The time that the timeline shows.
    pub period: Period,
    /// What can be chosen.
    pub choices: Choices,
    /// What is chosen.
    pub filter: Filter,
    /// The runs, newest first.
    pub runs: Vec<RunLine>,
    /// Runs that wait for their turn besides those in the list.
    pub waiting_beyond: u64,
    /// The address of the next page, if there is one.
    pub older: Option<String>,
    /// Whether this is not the first page.
    pub is_later_page: bool,
    /// Whether a run of the list is under way, so that the page is drawn again soon.
    pub goes_on: bool,
}

/// The time that a timeline shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Period {
    /// Where it begins.
    pub from: Timestamp,
    /// Where it ends.
    pub to: Timestamp,
}

impl Period {
    /// The last days up to now, with room for the mark of now.
    pub fn up_to(now: Timestamp) -> Self {
        Self {
            from: now.saturating_sub(TIMELINE).unwrap_or(now),
            to: now.saturating_add(AHEAD).unwrap_or(now),
        }
    }

    /// The days from one to another in the reader's zone; of very many the last ones, and of very few
    /// what lies before.
    pub fn of_days(from: Option<Date>, to: Option<Date>, zone: &TimeZone, now: Timestamp) -> Self {
        let usual = Self::up_to(now);
        let midnight = |date: Date| Some(date.to_zoned(zone.clone()).ok()?.timestamp());
        let to = to.and_then(|to| midnight(to.tomorrow().ok()?)).unwrap_or(usual.to).min(usual.to);
        let back = |length: SignedDuration| to.saturating_sub(length).unwrap_or(to);
        let from = from.and_then(midnight).filter(|from| *from < to).unwrap_or(back(TIMELINE));
        Self { from: from.max(back(TIMELINE_MAX)), to }
    }
}

/// The runs of one segment of one activation.
#[derive(Debug, Clone)]
pub struct Lane {
    /// The segment's name.
    pub segment: String,
    /// The activation's key.
    pub activation: String,
    /// Its runs.
    pub runs: Vec<Mark>,
}

/// A run in a lane.
#[derive(Debug, Clone)]
pub struct Mark {
    /// Its id.
    pub run: String,
    /// When it was due.
    pub slot: Timestamp,
    /// Where it stands.
    pub status: RunStatus,
}

/// What the list can be narrowed to.
#[derive(Debug, Clone, Default)]
pub struct Choices {
    /// Activations.
    pub activations: Vec<Choice>,
    /// Segments.
    pub segments: Vec<Choice>,
    /// Destinations.
    pub destinations: Vec<Choice>,
}

/// What the list is narrowed to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    /// The key of an activation.
    pub activation: Option<String>,
    /// The key of a segment.
    pub segment: Option<String>,
    /// The key of a destination.
    pub destination: Option<String>,
    /// The word of a state.
    pub state: Option<String>,
    /// The first day of slots, in the reader's zone.
    pub from: Option<Date>,
    /// The last day of slots.
    pub to: Option<Date>,
}

impl Filter {
    fn is_set(&self) -> bool {
        *self != Self::default()
    }
}

/// How far back the timeline goes if nobody says otherwise, and at most.
const TIMELINE: SignedDuration = SignedDuration::from_hours(7 * 24);
const TIMELINE_MAX: SignedDuration = SignedDuration::from_hours(31 * 24);
/// Up to how many segments are in the page.
const CHOICES_FIRST: usize = 50;
/// How many days have a name below the timeline.
const DAYS_NAMED: usize = 8;
/// How far it goes beyond now, so that the mark for now has room.
const AHEAD: SignedDuration = SignedDuration::from_hours(4);

impl Runs {
    /// Draws the page.
    pub fn draw(&self, shell: &Shell) -> Markup {
        let lang = shell.lang();
        let head = Head {
            crumbs: &[],
            title: lang.runs_title(),
            beside: nothing(),
            lead: html! { (lang.runs_lead()) },
            actions: nothing(),
        };
        let nothing_at_all = self.runs.is_empty() && !self.filter.is_set() && !self.is_later_page;
        let content = html! {
            (head.draw(lang))
            div class="stack" data-refresh=[self.goes_on.then_some("4")] {
                @if nothing_at_all {
                    section class="card" {
                        (empty(Icon::Runs, lang.runs_empty(), lang.runs_empty_text(),
                            &link_button(Place::Activations.url(), None, lang.to_activations(), "primary")))
                    }
                } @else {
                    @if !self.lanes.is_empty() { (card(&self.timeline_title(shell), &legend(shell), &self.timeline(shell))) }
                    @if shell.viewer.is_some() { (self.filters(shell)) }
                    section class="card" {
                        @if self.runs.is_empty() {
                            (empty(Icon::Search, lang.runs_no_match(), lang.runs_no_match_text(),
                                &link_button(Place::Runs.url(), None, lang.clear(), "")))
                        } @else { (table(shell, lang.runs_title(), &self.runs, Under::Place)) }
                        @if self.waiting_beyond > 0 { footer { p { (lang.more_waiting(self.waiting_beyond)) } } }
                        @if self.older.is_some() || self.is_later_page { (self.pages(shell)) }
                    }
                }
            }
        };
        shell.page(Some(Place::Runs), lang.runs_title(), &content)
    }

    fn timeline_title(&self, shell: &Shell) -> String {
        let (lang, locale) = (shell.lang(), &shell.locale);
        if self.filter.from.is_none() && self.filter.to.is_none() {
            return lang.timeline().to_owned();
        }
        let day = |at: Timestamp| locale.short_day(locale.local(at).date());
        // The end of a day is the beginning of the next.
        let last = self.period.to.saturating_sub(SignedDuration::from_secs(1));
        lang.timeline_of(&day(self.period.from), &day(last.unwrap_or(self.period.to)))
    }

    fn timeline(&self, shell: &Shell) -> Markup {
        let (lang, locale) = (shell.lang(), &shell.locale);
        let Period { from, to } = self.period;
        let whole = to.duration_since(from).as_secs_f64();
        let place = |at: Timestamp| at.duration_since(from).as_secs_f64() / whole * 100.0;
        let midnights = midnights(shell, self.period);
        let named = midnights.len().div_ceil(DAYS_NAMED).max(1);
        let is_now_shown = locale.now <= to;
        html! {
            div class="lanes" role="group" aria-label=(lang.timeline_label()) {
                @for lane in &self.lanes {
                    span class="lane-name" title=(lane.activation) { (lane.segment) }
                    svg {
                        line class="rail" x1="0" x2="100%" y1="17" y2="17" {}
                        @for at in &midnights { line class="rail" x1=(percent(place(*at))) x2=(percent(place(*at))) y1="0" y2="34" {} }
                        @if is_now_shown { line class="now" x1=(percent(place(locale.now))) x2=(percent(place(locale.now))) y1="0" y2="34" {} }
                        @for mark in &lane.runs {
                            a href=(run_url(&mark.run)) aria-label={ (lane.segment) ", " (locale.moment(mark.slot)) ", " (mark.status.name(lang)) } {
                                title { (locale.moment(mark.slot)) " — " (mark.status.name(lang)) }
                                rect class={ "mark " (mark.status.tone().class()) } x=(percent(place(mark.slot))) y="7" width="8" height="20" rx="3" transform="translate(-4 0)" {}
                            }
                        }
                    }
                }
                svg class="axis" aria-hidden="true" {
                    @for at in midnights.iter().step_by(named) { text x=(percent(place(*at))) y="14" { (locale.short_day(locale.local(*at).date())) } }
                }
            }
            @if self.lanes_beyond > 0 { p class="muted small" { (lang.more_lanes(self.lanes_beyond)) } }
        }
    }

    fn filters(&self, shell: &Shell) -> Markup {
        let (lang, filter, choices) = (shell.lang(), &self.filter, &self.choices);
        html! {
            form method="get" action=(Place::Runs.url()) class="filters" data-apply="" role="search" aria-label=(lang.filter_runs()) {
                (select("activation", lang.activation(), lang.all_activations(), &choices.activations, filter.activation.as_deref()))
                (self.segment_field(shell))
                (select("destination", lang.destination(), lang.all_destinations(), &choices.destinations, filter.destination.as_deref()))
                (select("state", lang.status(), lang.all_states(), &states(shell), filter.state.as_deref()))
                (day("from", lang.day_from(), filter.from))
                (day("to", lang.to_day(), filter.to))
                button class="button" data-spare="" { (lang.apply()) }
                @if filter.is_set() { (link_button(Place::Runs.url(), Some(Icon::Cross), lang.clear(), "quiet")) }
            }
        }
    }

    /// One of a few segments is chosen, and of many looked for; the page asks for their names when it stands.
    fn segment_field(&self, shell: &Shell) -> Markup {
        let (lang, all, chosen) = (shell.lang(), &self.choices.segments, &self.filter.segment);
        if all.len() <= CHOICES_FIRST {
            return select("segment", lang.segment(), lang.all_segments(), all, chosen.as_deref());
        }
        let named = all.iter().find(|choice| Some(&choice.value) == chosen.as_ref());
        let value = named.map(|choice| choice.text.as_str()).unwrap_or_default();
        html! {
            (text_field("segment", lang.segment()).value(value).list("segment-choices").draw())
            datalist id="segment-choices" data-more="/choices/segments" {}
        }
    }

    fn pages(&self, shell: &Shell) -> Markup {
        let lang = shell.lang();
        html! {
            footer {
                div class="row" {
                    @if self.is_later_page { (link_button(Place::Runs.url(), None, lang.newest(), "small")) }
                    @if let Some(older) = &self.older { (link_button(older, Some(Icon::Next), lang.older(), "small")) }
                }
            }
        }
    }
}

/// The names of segments, for a page that stands already.
pub fn segment_choices(names: &[&str]) -> Markup {
    html! { @for name in names { option value=(name) {} } }
}

/// The states of runs, by their words in the ledger.
fn states(shell: &Shell) -> Vec<Choice> {
    let all = [
        ("delivered", RunStatus::Delivered),
        ("failed", RunStatus::Failed),
        ("blocked", RunStatus::Blocked),
        ("skipped", RunStatus::Skipped),
        ("staging", RunStatus::Running),
        ("committing", RunStatus::Publishing),
    ];
    let choice = |(word, status): (&str, RunStatus)| Choice {
        value: word.to_owned(),
        text: status.name(shell.lang()).to_owned(),
    };
    all.map(choice).to_vec()
}

/// What stands below the segment of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Under {
    /// Activation and destination.
    Place,
    /// Nothing, where the page is about one of them.
    Nothing,
}

/// A table of runs.
pub(crate) fn table(shell: &Shell, caption: &str, runs: &[RunLine], under: Under) -> Markup {
    let (lang, locale) = (shell.lang(), &shell.locale);
    let place = |run: &RunLine| match under {
        Under::Place => format!("{} · {}", run.activation, run.destination),
        Under::Nothing => String::new(),
    };
    let row = |run: &RunLine| {
        vec![
            entry(&run.url(), &run.segment, &place(run)),
            run.status.badge(lang),
            moment(locale, run.slot),
            maybe(run.rows.map(|rows| locale.number(rows))),
            maybe((run.bytes > 0).then(|| locale.size(run.bytes))),
            maybe(run.duration.map(|duration| locale.duration(duration))),
        ]
    };
    let table = Table {
        caption,
        columns: &[
            Column::words(lang.segment()),
            Column::tied(lang.status()),
            Column::tied(lang.due()),
            Column::numbers(lang.rows_head()),
            Column::numbers(lang.size()),
            Column::numbers(lang.duration()),
        ],
        rows: runs.iter().map(row).collect(),
        empty: lang.runs_empty(),
    };
    table.draw()
}

fn legend(shell: &Shell) -> Markup {
    let lang = shell.lang();
    html! {
        ul class="legend" {
            li class="ok" { (lang.state_delivered()) }
            li class="warn" { (lang.state_blocked()) }
            li class="bad" { (lang.state_failed()) }
            li class="idle" { (lang.state_skipped()) }
        }
    }
}

/// The beginnings of the days of a period in the reader's zone.
fn midnights(shell: &Shell, period: Period) -> Vec<Timestamp> {
    let first = shell.locale.local(period.from).date();
    let days = first.series(jiff::Span::new().days(1));
    days.map_while(|day| Some(day.to_zoned(shell.locale.zone.clone()).ok()?.timestamp()))
        .skip_while(|at| *at <= period.from)
        .take_while(|at| *at < period.to)
        .collect()
}

/// A field for a day.
fn day(name: &str, label: &str, chosen: Option<Date>) -> Markup {
    let value = chosen.map(|day| day.to_string()).unwrap_or_default();
    text_field(name, label).of_kind("date").value(&value).draw()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_timeline_shows_the_days_that_are_asked_for() {
        let zone = TimeZone::UTC;
        let now: Timestamp = "2026-03-31T10:00:00Z".parse().expect("a time");
        let day = |text: &str| Some(text.parse::<Date>().expect("a day"));
        let told = |from, to| {
            let period = Period::of_days(from, to, &zone, now);
            format!("{} {}", period.from, period.to)
        };
        assert_eq!(told(None, None), "2026-03-24T14:00:00Z 2026-03-31T14:00:00Z");
        let both = told(day("2026-03-01"), day("2026-03-02"));
        assert_eq!(both, "2026-03-01T00:00:00Z 2026-03-03T00:00:00Z");
        assert_eq!(told(None, day("2026-03-10")), "2026-03-04T00:00:00Z 2026-03-11T00:00:00Z");
        assert_eq!(told(day("2026-03-30"), None), "2026-03-30T00:00:00Z 2026-03-31T14:00:00Z");
        let long = told(day("2020-01-01"), day("2026-02-28"));
        assert_eq!(long, "2026-01-29T00:00:00Z 2026-03-01T00:00:00Z", "the last of many");
        let turned = told(day("2026-03-20"), day("2026-03-10"));
        assert_eq!(turned, "2026-03-04T00:00:00Z 2026-03-11T00:00:00Z");
    }
}
