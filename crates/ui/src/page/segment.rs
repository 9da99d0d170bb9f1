//! One segment: its rule, how many are in it, where it goes.

use jiff::Timestamp;
use maud::{Markup, html};

use super::editing::Editing;
use super::segments::change;
use super::{activation_url, entry};
use crate::chart::{Bar, bars};
use crate::component::{
    Column, Head, Kpi, Table, Tone, card, code_block, facts, flush_card, hidden_fields, kind, kpis,
    link_button, nothing,
};
use crate::icon::Icon;
use crate::locale::ratio;
use crate::shell::{Place, Shell};

mod rule;

/// What the page of a segment shows.
#[derive(Debug, Clone)]
pub struct Segment {
    /// Its key.
    pub key: String,
    /// Whether it stands in the project file, and is changed there.
    pub is_in_file: bool,
    /// Its name.
    pub name: String,
    /// Its id.
    pub id: String,
    /// The rule as it was written.
    pub rule: String,
    /// `SQL` or `PQL`.
    pub language: String,
    /// Members at the last deliveries, oldest first.
    pub history: Vec<Size>,
    /// The exact count and a sample, when they were asked for.
    pub count: Option<Count>,
    /// Whether the viewer may ask for them.
    pub may_count: bool,
    /// How it is changed here; nothing where it is not.
    pub editing: Option<Editing>,
    /// Whether the viewer may send it somewhere.
    pub may_activate: bool,
    /// Where it goes.
    pub used_in: Vec<Use>,
}

/// Members at a delivery.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Size {
    /// The slot.
    pub at: Timestamp,
    /// Members.
    pub members: u64,
}

/// How many are in it right now, and a few of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Count {
    /// Members.
    pub members: u64,
    /// Profiles in all.
    pub profiles: u64,
    /// The heads of the sample.
    pub columns: Vec<String>,
    /// Its rows, masked.
    pub rows: Vec<Vec<String>>,
}

/// An activation that sends it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Use {
    /// The activation's key.
    pub activation: String,
    /// The destination's name.
    pub destination: String,
    /// When it is due, in words.
    pub schedule: String,
}

impl Segment {
    /// Draws the page.
    pub fn draw(&self, shell: &Shell) -> Markup {
        let lang = shell.lang();
        let head = Head {
            crumbs: &[(lang.segments_title(), Place::Segments.url())],
            title: &self.name,
            beside: kind(&self.language),
            lead: html! { code { (self.key) } },
            actions: self.count_form(shell),
        };
        let content = html! {
            (head.draw(lang))
            div class="stack" {
                (self.figures(shell))
                div class="columns wide-left" {
                    div class="stack" { (self.rule(shell)) (self.sample(shell)) (self.chart(shell)) }
                    div class="stack" { (self.uses(shell)) (self.about(shell)) }
                }
            }
        };
        shell.page(Some(Place::Segments), &self.name, &content)
    }

    fn count_form(&self, shell: &Shell) -> Markup {
        let lang = shell.lang();
        html! {
            @if let Some(editing) = &self.editing { (editing.draw(shell)) }
            @if self.may_activate { (link_button(&format!("/activate?segment={}", self.key), Some(Icon::Activations), lang.activate(), "")) }
            @if self.may_count {
                @if self.editing.is_none() { (link_button(&format!("/rule?segment={}", self.key), Some(Icon::Edit), lang.try_this_rule(), "")) }
                form method="post" action={ "/segments/" (self.key) "/count" } {
                    (hidden_fields(&[("csrf", shell.csrf())]))
                    button class="button primary" { (Icon::Segments.draw()) (lang.count_now()) }
                }
            }
        }
    }

    fn figures(&self, shell: &Shell) -> Markup {
        let (lang, locale) = (shell.lang(), &shell.locale);
        let sizes: Vec<u64> = self.history.iter().map(|size| size.members).collect();
        let change = change(&sizes);
        let class = match change {
            Some(change) if change > 0.0 => Some("up"),
            Some(change) if change < 0.0 => Some("down"),
            _ => None,
        };
        let mut all = vec![
            Kpi {
                label: lang.members_last(),
                figure: html! { @match self.history.last() { Some(last) => (locale.number(last.members)), None => "–" } },
                note: html! { @match self.history.last() { Some(last) => (locale.moment(last.at)), None => (lang.no_history()) } },
            },
            Kpi {
                label: lang.change_head(),
                figure: html! { span class=[class] { @match change { Some(change) => (locale.change(change)), None => "–" } } },
                note: html! { (lang.since_before()) },
            },
        ];
        if let Some(count) = &self.count {
            let share = locale.percent(ratio(count.members, count.profiles));
            all.push(Kpi {
                label: lang.exact_count(),
                figure: html! { (locale.number(count.members)) },
                note: html! { (lang.of_profiles(&share, &lang.profiles(count.profiles))) },
            });
        }
        kpis(&all)
    }

    fn rule(&self, shell: &Shell) -> Markup {
        let lang = shell.lang();
        let beside = html! { p { (lang.written_in()) " " (self.language) } };
        card(
            lang.rule(),
            &beside,
            &code_block(lang, &self.rule, &rule::highlight(&self.rule), lang.rule()),
        )
    }

    fn sample(&self, shell: &Shell) -> Markup {
        let lang = shell.lang();
        let Some(count) = self.count.as_ref().filter(|count| !count.columns.is_empty()) else {
            return nothing();
        };
        let columns: Vec<Column<'_>> =
            count.columns.iter().map(|head| Column::words(head)).collect();
        let row = |row: &Vec<String>| row.iter().map(|cell| html! { (cell) }).collect();
        let table = Table {
            caption: lang.sample(),
            columns: &columns,
            rows: count.rows.iter().map(row).collect(),
            empty: lang.sample_empty(),
        };
        flush_card(lang.sample(), &html! { p { (lang.sample_hint()) } }, &table.draw())
    }

    fn chart(&self, shell: &Shell) -> Markup {
        let (lang, locale) = (shell.lang(), &shell.locale);
        if self.history.is_empty() {
            return card(
                lang.members_chart(),
                &nothing(),
                &html! { p class="muted" { (lang.no_history()) } },
            );
        }
        let slots: Vec<Timestamp> = self.history.iter().map(|size| size.at).collect();
        let bar = |(size, label): (&Size, String)| Bar {
            label,
            value: size.members,
            tone: Tone::Live,
            told: lang.profiles(size.members),
        };
        let all: Vec<Bar> = self.history.iter().zip(locale.days_apart(&slots)).map(bar).collect();
        card(
            lang.members_chart(),
            &nothing(),
            &bars(locale, &lang.trend_of(&self.name), lang.members(), &all),
        )
    }

    fn uses(&self, shell: &Shell) -> Markup {
        let lang = shell.lang();
        if self.used_in.is_empty() {
            return card(
                lang.used_in(),
                &nothing(),
                &html! { p class="muted" { (lang.not_used()) } },
            );
        }
        let list = html! {
            ul class="list" {
                @for each in &self.used_in {
                    li {
                        div { (entry(&activation_url(&each.activation), &each.activation, &each.schedule)) }
                        span class="muted small" { (each.destination) }
                    }
                }
            }
        };
        flush_card(lang.used_in(), &nothing(), &list)
    }

    fn about(&self, shell: &Shell) -> Markup {
        let lang = shell.lang();
        let body = html! {
            (facts(&[
                (lang.key(), html! { code { (self.key) } }),
                (lang.segment_id(), html! { code class="small" { (self.id) } }),
            ]))
            @if self.is_in_file { (from_files(shell)) }
        };
        card(lang.details(), &nothing(), &body)
    }
}

/// Says that something is written in the project file and changed there.
pub(crate) fn from_files(shell: &Shell) -> Markup {
    let lang = shell.lang();
    html! { p class="muted small from-files" { b { (lang.defined_in_files()) "." } " " (lang.defined_in_files_hint()) } }
}
