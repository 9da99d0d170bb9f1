//! The list of runs: a timeline, filters, a table.

use jiff::{SignedDuration, Timestamp};
use maud::{Markup, html};

use super::{RunLine, RunStatus, entry, maybe, moment, run_url};
use crate::chart::percent;
use crate::component::{Choice, Column, Head, Table, card, empty, link_button, nothing, select};
use crate::icon::Icon;
use crate::shell::{Place, Shell};

/// What the list shows.
#[derive(Debug, Clone)]
pub struct Runs {
    /// The lanes of the timeline, in the order of the project.
    pub lanes: Vec<Lane>,
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

/// The runs of one segment of one activation in the last 7 days.
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
}

/// What the list is narrowed to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    /// The key of an activation.
    pub activation: Option<String>,
    /// The key of a segment.
    pub segment: Option<String>,
    /// The word of a state.
    pub state: Option<String>,
}

impl Filter {
    fn is_set(&self) -> bool {
        *self != Self::default()
    }
}

/// How far back the timeline goes.
pub const TIMELINE: SignedDuration = SignedDuration::from_hours(7 * 24);
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
                    @if !self.lanes.is_empty() { (card(lang.timeline(), &legend(shell), &self.timeline(shell))) }
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

    fn timeline(&self, shell: &Shell) -> Markup {
        let (lang, locale) = (shell.lang(), &shell.locale);
        let from = locale.now.saturating_sub(TIMELINE).unwrap_or(locale.now);
        let whole = TIMELINE.as_secs_f64() + AHEAD.as_secs_f64();
        let place = |at: Timestamp| at.duration_since(from).as_secs_f64() / whole * 100.0;
        let midnights: Vec<Timestamp> =
            (0..8).filter_map(|back| midnight(shell, back)).filter(|at| *at > from).collect();
        html! {
            div class="lanes" role="group" aria-label=(lang.timeline_label()) {
                @for lane in &self.lanes {
                    span class="lane-name" title=(lane.activation) { (lane.segment) }
                    svg {
                        line class="rail" x1="0" x2="100%" y1="17" y2="17" {}
                        @for at in &midnights { line class="rail" x1=(percent(place(*at))) x2=(percent(place(*at))) y1="0" y2="34" {} }
                        line class="now" x1=(percent(place(locale.now))) x2=(percent(place(locale.now))) y1="0" y2="34" {}
                        @for mark in &lane.runs {
                            a href=(run_url(&mark.run)) aria-label={ (lane.segment) ", " (locale.moment(mark.slot)) ", " (mark.status.name(lang)) } {
                                title { (locale.moment(mark.slot)) " — " (mark.status.name(lang)) }
                                rect class={ "mark " (mark.status.tone().class()) } x=(percent(place(mark.slot))) y="7" width="8" height="20" rx="3" transform="translate(-4 0)" {}
                            }
                        }
                    }
                }
                svg class="axis" aria-hidden="true" {
                    @for at in &midnights { text x=(percent(place(*at))) y="14" { (locale.short_day(locale.local(*at).date())) } }
                }
            }
        }
    }

    fn filters(&self, shell: &Shell) -> Markup {
        let (lang, filter, choices) = (shell.lang(), &self.filter, &self.choices);
        html! {
            form method="get" action=(Place::Runs.url()) class="filters" data-apply="" role="search" aria-label=(lang.filter_runs()) {
                (select("activation", lang.activation(), lang.all_activations(), &choices.activations, filter.activation.as_deref()))
                (select("segment", lang.segment(), lang.all_segments(), &choices.segments, filter.segment.as_deref()))
                (select("state", lang.status(), lang.all_states(), &states(shell), filter.state.as_deref()))
                button class="button" data-spare="" { (lang.apply()) }
                @if filter.is_set() { (link_button(Place::Runs.url(), Some(Icon::Cross), lang.clear(), "quiet")) }
            }
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

/// The beginning of the day so many days ago in the reader's zone.
fn midnight(shell: &Shell, days_ago: i64) -> Option<Timestamp> {
    let today = shell.locale.local(shell.locale.now).date();
    let day = today.checked_sub(jiff::Span::new().days(days_ago)).ok()?;
    Some(day.to_zoned(shell.locale.zone.clone()).ok()?.timestamp())
}
