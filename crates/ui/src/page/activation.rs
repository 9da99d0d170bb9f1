//! One activation: what is sent when, under which names, with which columns.

use jiff::{Timestamp, Zoned};
use maud::{Markup, html};

use super::calendar::Calendar;
use super::editing::Editing;
use super::run::{Export, Named};
use super::segment::from_files;
use super::{RunLine, destination_url, entry, runs, segment_url};
use crate::component::{
    Column, Head, Part, Table, Tone, badge, card, dialog, flush_card, hidden_fields, nothing,
};
use crate::icon::Icon;
use crate::locale::Locale;
use crate::shell::{Place, Shell};
use crate::words::Lang;

mod open;
mod schedule;

pub use open::{OpenSlot, Waits};
pub use schedule::{Frequency, Schedule};

/// What the page of an activation shows.
#[derive(Debug, Clone)]
pub struct Activation {
    /// Its key.
    pub key: String,
    /// Whether it stands in the project file, and is changed there.
    pub is_in_file: bool,
    /// The destination's key and name.
    pub destination: Named,
    /// The address that its files begin with.
    pub address: String,
    /// Whether its slots are delivered.
    pub is_enabled: bool,
    /// What is sent; those of one page.
    pub exports: Vec<SegmentExport>,
    /// Which part of everything that is sent.
    pub part: Part,
    /// What is due in the next weeks.
    pub calendar: Calendar,
    /// What is due and not over, the oldest first.
    pub open: Vec<OpenSlot>,
    /// What is due next, soonest first.
    pub slots: Vec<Slot>,
    /// What is waited for while nothing is due.
    pub waits: Option<Waits>,
    /// The columns, in order.
    pub mapping: Vec<MappedColumn>,
    /// What stops a run.
    pub guard: Guard,
    /// The newest runs.
    pub recent: Vec<RunLine>,
    /// What the viewer may do.
    pub may: May,
    /// How it is changed here; nothing where it is not.
    pub editing: Option<Editing>,
}

/// What can be done with an activation.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct May {
    /// Run it now.
    pub run: bool,
    /// Enable and pause it.
    pub pause: bool,
}

/// A segment that is sent.
#[derive(Debug, Clone)]
pub struct SegmentExport {
    /// The segment.
    pub segment: Named,
    /// Which rows.
    pub export: Export,
    /// Whether those who left are sent, too.
    pub leavers: bool,
    /// When it is due.
    pub schedule: Schedule,
    /// The pattern of the file name.
    pub file_name: String,
    /// What the next file will be called, without folder.
    pub next_file: Option<String>,
}

/// A slot to come.
#[derive(Debug, Clone)]
pub struct Slot {
    /// The segment's name.
    pub segment: String,
    /// On the clocks of the schedule's zone.
    pub local: Zoned,
    /// Whether clocks there change between the slot before and this one.
    pub clocks_change: bool,
}

/// A column of the files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MappedColumn {
    /// The header.
    pub header: String,
    /// Where its values come from.
    pub source: Source,
    /// Profiles without a value are left out.
    pub mandatory: bool,
    /// Part of the deduplication key.
    pub deduplicate: bool,
}

/// Where the values of a column come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// A field.
    Field(String),
    /// An expression.
    Expression(String),
    /// Whether somebody is a member or has left.
    MembershipStatus,
    /// What changed since the last delivery.
    MembershipOperation,
    /// Since when somebody is a member.
    MemberSince,
}

/// What stops a run before anything is visible.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Guard {
    /// The least rows.
    pub min_rows: Option<u64>,
    /// The most rows.
    pub max_rows: Option<u64>,
    /// The largest loss, as a share.
    pub max_shrink: Option<f64>,
    /// The largest gain, as a share.
    pub max_growth: Option<f64>,
}

impl Activation {
    /// Draws the page.
    pub fn draw(&self, shell: &Shell) -> Markup {
        let lang = shell.lang();
        let state = match self.is_enabled {
            true => badge(Tone::Ok, lang.enabled()),
            false => badge(Tone::Idle, lang.disabled()),
        };
        let head = Head {
            crumbs: &[(lang.activations_title(), Place::Activations.url())],
            title: &self.key,
            beside: state,
            lead: html! {
                a href=(destination_url(&self.destination.key)) { (lang.activation_lead(&self.destination.name)) }
                " · " code { (self.address) }
            },
            actions: self.actions(shell),
        };
        let content = html! {
            (head.draw(lang))
            div class="stack" {
                (self.exports(shell))
                div class="columns wide-left" {
                    div class="stack" {
                        (self.mapping(shell))
                        @if !self.recent.is_empty() { (flush_card(lang.recent_runs(), &nothing(), &runs::table(shell, lang.recent_runs(), &self.recent, runs::Under::Nothing))) }
                    }
                    div class="stack" { (open::card(shell, &self.open)) (self.calendar.draw(shell)) (self.slots(shell)) (self.guards(shell)) }
                }
            }
        };
        shell.page(Some(Place::Activations), &self.key, &content)
    }

    fn actions(&self, shell: &Shell) -> Markup {
        let lang = shell.lang();
        let fields = hidden_fields(&[("csrf", shell.csrf())]);
        let post = |verb: &str| format!("/activations/{}/{verb}", self.key);
        html! {
            @if let Some(editing) = &self.editing { (editing.draw(shell)) }
            @if self.may.pause && self.is_enabled {
                (dialog(lang, "pause", ("", &html! { (Icon::Pause.draw()) (lang.pause()) }), &lang.pause_title(&self.key),
                    &html! { p { (lang.pause_text()) } },
                    (&post("pause"), &fields, &html! { button class="button primary" { (lang.pause()) } })))
            }
            @if self.may.pause && !self.is_enabled {
                form method="post" action=(post("enable")) { (fields) button class="button" title=(lang.enable_text()) { (Icon::Play.draw()) (lang.enable()) } }
            }
            @if self.may.run {
                (dialog(lang, "run", ("primary", &html! { (Icon::Play.draw()) (lang.run_now()) }), &lang.run_now_title(&self.key),
                    &html! { p { (lang.run_now_text()) } },
                    (&post("run"), &fields, &html! { button class="button primary" { (lang.run_now()) } })))
            }
        }
    }

    fn exports(&self, shell: &Shell) -> Markup {
        let (lang, locale) = (shell.lang(), &shell.locale);
        let row = |export: &SegmentExport| {
            vec![
                entry(&segment_url(&export.segment.key), &export.segment.name, &export.segment.key),
                html! { (export.export.name(lang)) @if export.leavers { span class="under" { (lang.leavers()) } } },
                html! {
                    (export.schedule.said(locale))
                    @if let Some(zone) = export.schedule.zone() { span class="under" { (zone) } }
                },
                html! {
                    @match &export.next_file { Some(name) => code { (name) }, None => code { (export.file_name) } }
                    @if export.next_file.is_some() { code class="under" { (export.file_name) } }
                },
            ]
        };
        let table = Table {
            caption: lang.segments_sent(),
            columns: &[
                Column::words(lang.segment()),
                Column::words(lang.export_kind()),
                Column::words(lang.schedule()),
                Column::words(lang.next_file()),
            ],
            rows: self.exports.iter().map(row).collect(),
            empty: lang.none(),
        };
        let address = format!("{}?from=", super::activation_url(&self.key));
        let body = html! { (table.draw()) (self.part.draw(lang, &address)) };
        flush_card(lang.segments_sent(), &nothing(), &body)
    }

    fn mapping(&self, shell: &Shell) -> Markup {
        let lang = shell.lang();
        let row = |column: &MappedColumn| {
            vec![
                html! { (column.header) },
                column.source.draw(lang),
                html! {
                    @if column.mandatory || column.deduplicate {
                        span class="tags" {
                            @if column.mandatory { span class="tag" { (lang.mandatory()) } }
                            @if column.deduplicate { span class="tag" { (lang.deduplicated()) } }
                        }
                    }
                },
            ]
        };
        let table = Table {
            caption: lang.mapping(),
            columns: &[
                Column::words(lang.column()),
                Column::words(lang.source()),
                Column::tied(lang.marks()),
            ],
            rows: self.mapping.iter().map(row).collect(),
            empty: lang.none(),
        };
        let count = u64::try_from(self.mapping.len()).unwrap_or(u64::MAX);
        flush_card(lang.mapping(), &html! { p { (lang.columns(count)) } }, &table.draw())
    }

    fn slots(&self, shell: &Shell) -> Markup {
        let (lang, locale) = (shell.lang(), &shell.locale);
        if self.slots.is_empty() {
            let none = match self.waits {
                Some(Waits::Pause) => lang.paused_slots(),
                Some(Waits::Evaluation) => lang.evaluated_slots(),
                _ => lang.no_next_slot(),
            };
            return card(lang.next_slots(), &nothing(), &html! { p class="muted" { (none) } });
        }
        let list = html! {
            ol class="list" {
                @for slot in &self.slots {
                    li {
                        div {
                            b { (local(locale, &slot.local)) }
                            span class="under" { (slot.segment) " · " (slot.local.time_zone().iana_name().unwrap_or("UTC")) }
                        }
                        div class="number" {
                            @if slot.clocks_change { (badge(Tone::Warn, lang.clock_change())) }
                            span class="under" { (utc(slot.local.timestamp())) " " (lang.utc_time()) }
                        }
                    }
                }
            }
        };
        flush_card(lang.next_slots(), &nothing(), &list)
    }

    fn guards(&self, shell: &Shell) -> Markup {
        let (lang, locale) = (shell.lang(), &shell.locale);
        let guard = &self.guard;
        let said: Vec<String> = [
            guard.min_rows.map(|rows| lang.guard_min(&lang.rows(rows))),
            guard.max_rows.map(|rows| lang.guard_max(&lang.rows(rows))),
            guard.max_shrink.map(|share| lang.guard_shrink(&locale.percent(share))),
            guard.max_growth.map(|share| lang.guard_growth(&locale.percent(share))),
        ]
        .into_iter()
        .flatten()
        .collect();
        let body = html! {
            @if said.is_empty() { p class="muted" { (lang.guard_none()) } }
            @else { ul class="stack tight" { @for line in &said { li { (line) } } } }
            @if self.is_in_file { (from_files(shell)) }
        };
        card(lang.guards(), &nothing(), &body)
    }
}

impl Source {
    fn draw(&self, lang: Lang) -> Markup {
        match self {
            Self::Field(path) => html! { code { (path) } },
            Self::Expression(text) => {
                html! { code { (text) } span class="under" { (lang.expression()) } }
            }
            Self::MembershipStatus => html! { (lang.membership_status()) },
            Self::MembershipOperation => html! { (lang.membership_operation()) },
            Self::MemberSince => html! { (lang.membership_since()) },
        }
    }
}

/// A day and a time on somebody else's clocks.
fn local(locale: &Locale, at: &Zoned) -> String {
    format!("{}, {}", locale.day(at.date()), at.strftime("%H:%M"))
}

fn utc(at: Timestamp) -> String {
    at.strftime("%H:%M").to_string()
}
