//! The home page: what needs somebody, what was delivered, what is next.

use jiff::Timestamp;
use jiff::civil::Date;
use maud::{Markup, html};

use super::run::GUARD;
use super::{RunLine, RunStatus, activation_url, entry, moment, relative, run_url};
use crate::chart::{Bar, bars};
use crate::component::{
    Head, Kpi, Note, Tone, card, empty, flush_card, kpis, link_button, nothing, told_behind,
};
use crate::icon::Icon;
use crate::locale::ratio;
use crate::shell::{Place, Shell};

/// What the home page shows.
#[derive(Debug, Clone)]
pub struct Home {
    /// What somebody has to look at, the worst first.
    pub alerts: Vec<Alert>,
    /// What is due and not over.
    pub open: Open,
    /// Rows, files and bytes delivered since midnight in the reader's zone.
    pub today: Delivered,
    /// Runs of the last 30 days that ended, and those of them that were delivered or had nothing to send.
    pub month: Share,
    /// The last 30 days, oldest first.
    pub days: Vec<Day>,
    /// What is due next, soonest first.
    pub next: Vec<Next>,
    /// The newest runs.
    pub recent: Vec<RunLine>,
}

/// What was delivered in some time.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Delivered {
    /// Rows in data files.
    pub rows: u64,
    /// Data files.
    pub files: u64,
    /// Bytes of data files.
    pub bytes: u64,
}

/// What is due and not over, besides what is stopped.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Open {
    /// Runs that are under way.
    pub under_way: u64,
    /// Slots whose runs have not begun.
    pub waiting: u64,
    /// Those of both that should have been over long ago.
    pub late: u64,
    /// The first of these, those that were due first.
    pub latest: Vec<Late>,
}

/// A file that should have come long ago.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Late {
    /// The segment's name.
    pub segment: String,
    /// The activation's key.
    pub activation: String,
    /// When it was due.
    pub slot: Timestamp,
    /// The run's id, if it has begun.
    pub run: Option<String>,
    /// Whether the run ended and is tried again by itself.
    pub is_retried: bool,
}

/// A part of a whole.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Share {
    /// The part.
    pub good: u64,
    /// The whole.
    pub all: u64,
}

/// A day in the chart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Day {
    /// The day in the reader's zone.
    pub date: Date,
    /// What was delivered.
    pub delivered: Delivered,
    /// Runs that failed.
    pub failed: u64,
}

/// A run that somebody has to look at.
#[derive(Debug, Clone)]
pub struct Alert {
    /// The run's id.
    pub run: String,
    /// Failed, blocked, late or tried again.
    pub status: RunStatus,
    /// The segment's name.
    pub segment: String,
    /// The activation's key.
    pub activation: String,
    /// When it was due.
    pub slot: Timestamp,
    /// Why, as far as it is known.
    pub reason: Option<String>,
    /// When the next attempt may begin, of a run that is tried again.
    pub next_attempt: Option<Timestamp>,
}

/// A slot to come.
#[derive(Debug, Clone)]
pub struct Next {
    /// The activation's key.
    pub activation: String,
    /// The segment's name.
    pub segment: String,
    /// The destination's name.
    pub destination: String,
    /// When it is due.
    pub at: Timestamp,
}

impl Home {
    /// Draws the page.
    pub fn draw(&self, shell: &Shell) -> Markup {
        let lang = shell.lang();
        let head = Head {
            crumbs: &[],
            title: lang.home(),
            beside: nothing(),
            lead: html! { (lang.home_lead(&shell.project, shell.locale.zone_name())) },
            actions: nothing(),
        };
        let is_going_on =
            |run: &RunLine| matches!(run.status, RunStatus::Running | RunStatus::Publishing);
        let goes_on = self.recent.iter().any(is_going_on) || !self.open.is_nothing();
        let content = html! {
            (head.draw(lang))
            div class="stack" data-refresh=[goes_on.then_some("6")] {
                @if self.recent.is_empty() && self.alerts.is_empty() && self.open.is_nothing() {
                    section class="card" {
                        (empty(Icon::Bucket, lang.first_title(), lang.first_text(), &html! {
                            (link_button(Place::Destinations.url(), None, lang.to_destinations(), "primary"))
                            (link_button(Place::Activations.url(), None, lang.to_activations(), ""))
                        }))
                    }
                    @if !self.next.is_empty() { (self.next(shell)) }
                } @else {
                    (self.attention(shell))
                    (self.figures(shell))
                    (self.chart(shell))
                    div class="columns wide-left" { (self.recent(shell)) (self.next(shell)) }
                }
            }
        };
        shell.page(Some(Place::Home), lang.home(), &content)
    }

    fn attention(&self, shell: &Shell) -> Markup {
        let lang = shell.lang();
        if self.alerts.is_empty() && self.open.is_nothing() {
            let detail = match self.next.first() {
                Some(next) => lang.all_well_next(&next.segment, &shell.locale.relative(next.at)),
                None => lang.all_well_no_next().to_owned(),
            };
            let note = Note {
                tone: Tone::Ok,
                title: html! { (lang.all_well()) },
                detail: html! { (detail) },
                next_step: None,
                actions: nothing(),
            };
            return note.draw(lang);
        }
        html! {
            @for alert in &self.alerts { (alert.draw(shell)) }
            @if !self.open.is_nothing() { (self.open.draw(shell)) }
        }
    }

    fn figures(&self, shell: &Shell) -> Markup {
        let (lang, locale) = (shell.lang(), &shell.locale);
        let share =
            (self.month.all > 0).then(|| locale.percent(ratio(self.month.good, self.month.all)));
        let next = self.next.first();
        kpis(&[
            Kpi {
                label: lang.delivered_today(),
                figure: html! { (locale.short_number(self.today.rows)) },
                note: html! { (locale.size(self.today.bytes)) },
            },
            Kpi {
                label: lang.files_today(),
                figure: html! { (locale.number(self.today.files)) },
                note: html! { (lang.day_failed(self.days.last().map_or(0, |day| day.failed))) },
            },
            Kpi {
                label: lang.on_time(),
                figure: html! { @match share { Some(share) => (share), None => "–" } },
                note: html! { (lang.on_time_of(&locale.number(self.month.good), &locale.number(self.month.all))) },
            },
            Kpi {
                label: lang.next_run(),
                figure: html! { @match next { Some(next) => (locale.local(next.at).strftime("%H:%M")), None => "–" } },
                note: html! { @match next { Some(next) => { (next.segment) ", " (locale.relative(next.at)) } None => (lang.all_well_no_next()) } },
            },
        ])
    }

    fn chart(&self, shell: &Shell) -> Markup {
        let (lang, locale) = (shell.lang(), &shell.locale);
        let bar = |day: &Day| {
            let mut told =
                lang.day_told(&lang.rows(day.delivered.rows), &lang.files(day.delivered.files));
            if day.failed > 0 {
                told = format!("{told}, {}", lang.day_failed(day.failed));
            }
            let tone = if day.failed > 0 { Tone::Bad } else { Tone::Live };
            Bar { label: locale.short_day(day.date), value: day.delivered.rows, tone, told }
        };
        let all: Vec<Bar> = self.days.iter().map(bar).collect();
        let legend = html! {
            ul class="legend" { li { (lang.legend_delivered()) } li class="bad" { (lang.legend_failures()) } }
        };
        card(
            lang.rows_over_time(),
            &legend,
            &bars(locale, lang.rows_over_time(), lang.rows_head(), &all),
        )
    }

    fn recent(&self, shell: &Shell) -> Markup {
        let (lang, locale) = (shell.lang(), &shell.locale);
        let list = html! {
            ul class="list" {
                @for run in &self.recent {
                    li {
                        div { (entry(&run.url(), &run.segment, &format!("{} · {}", run.activation, run.destination))) }
                        div {
                            (run.status.badge(lang))
                            span class="under" {
                                @if let Some(rows) = run.rows { (lang.rows(rows)) " · " }
                                (relative(locale, run.slot))
                            }
                        }
                    }
                }
            }
        };
        let all = html! { a class="small" href=(Place::Runs.url()) { (lang.show_all()) } };
        flush_card(lang.recent_runs(), &all, &list)
    }

    fn next(&self, shell: &Shell) -> Markup {
        let (lang, locale) = (shell.lang(), &shell.locale);
        if self.next.is_empty() {
            return card(
                lang.next_up(),
                &nothing(),
                &html! { p class="muted" { (lang.nothing_scheduled()) } },
            );
        }
        let list = html! {
            ul class="list" {
                @for next in &self.next {
                    li {
                        div { (entry(&activation_url(&next.activation), &next.segment, &format!("{} · {}", next.activation, next.destination))) }
                        div class="number" { (moment(locale, next.at)) span class="under" { (relative(locale, next.at)) } }
                    }
                }
            }
        };
        flush_card(lang.next_up(), &nothing(), &list)
    }
}

impl Open {
    fn is_nothing(&self) -> bool {
        self.under_way == 0 && self.waiting == 0
    }

    fn draw(&self, shell: &Shell) -> Markup {
        let lang = shell.lang();
        let counts = [
            (self.under_way > 0).then(|| lang.runs_under_way(self.under_way)),
            (self.waiting > 0).then(|| lang.runs_waiting(self.waiting)),
        ];
        let counts = counts.into_iter().flatten().collect::<Vec<_>>().join(", ");
        let is_late = self.late > 0;
        let more = self.late.saturating_sub(u64::try_from(self.latest.len()).unwrap_or(u64::MAX));
        let detail = html! {
            @for late in &self.latest { (late.draw(shell)) }
            @if more > 0 { (lang.more_late(more)) br; }
            @if is_late { (counts) "." }
        };
        let note = Note {
            tone: if is_late { Tone::Warn } else { Tone::Live },
            title: html! { @if is_late { (lang.files_late(self.late)) } @else { (counts) } },
            detail,
            next_step: None,
            actions: link_button(Place::Runs.url(), None, lang.look(), "small"),
        };
        note.draw(lang)
    }
}

impl Late {
    fn draw(&self, shell: &Shell) -> Markup {
        let (lang, locale) = (shell.lang(), &shell.locale);
        let when = locale.moment(self.slot).to_lowercase();
        let url = self.run.as_deref().map_or_else(|| activation_url(&self.activation), run_url);
        let state = match self.run {
            Some(_) if self.is_retried => lang.state_retrying(),
            Some(_) => lang.state_running(),
            None => lang.state_waiting(),
        };
        html! {
            a href=(url) { (self.segment) } " — " (lang.alert_slot(&self.activation, &when))
            ", " (state.to_lowercase()) br;
        }
    }
}

impl Alert {
    fn draw(&self, shell: &Shell) -> Markup {
        let (lang, locale) = (shell.lang(), &shell.locale);
        let title = match self.status {
            RunStatus::Blocked => lang.alert_blocked(&self.segment),
            RunStatus::Late => lang.alert_late(&self.segment),
            RunStatus::Retrying => lang.alert_retrying(&self.segment),
            _ => lang.alert_failed(&self.segment),
        };
        let note = Note {
            tone: self.status.tone(),
            title: html! { (title) },
            detail: html! {
                (lang.alert_slot(&self.activation, &locale.moment(self.slot).to_lowercase()))
                @if let Some(at) = self.next_attempt { ", " (lang.alert_again(&locale.moment(at).to_lowercase())) }
                @if let Some(reason) = &self.reason { " — " (told_behind(lang, reason.strip_prefix(GUARD).unwrap_or(reason))) }
            },
            next_step: None,
            actions: link_button(&run_url(&self.run), None, lang.look(), "small"),
        };
        note.draw(lang)
    }
}
