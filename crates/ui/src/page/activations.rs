//! The list of activations.

use jiff::Timestamp;
use maud::{Markup, html};

use super::{RunStatus, activation_url, entry, moment, relative};
use crate::component::{Column, Head, Table, Tone, badge, empty, link_button, nothing};
use crate::icon::Icon;
use crate::shell::{Place, Shell};

/// What the list shows.
#[derive(Debug, Clone)]
pub struct Activations {
    /// In the order of the project.
    pub activations: Vec<Line>,
    /// Whether the viewer may make one.
    pub may_activate: bool,
}

/// An activation in the list.
#[derive(Debug, Clone)]
pub struct Line {
    /// Its key.
    pub key: String,
    /// The destination's name.
    pub destination: String,
    /// How many segments it sends.
    pub segments: u64,
    /// How many columns its files have.
    pub columns: u64,
    /// Whether its slots are delivered.
    pub is_enabled: bool,
    /// When something is due next.
    pub next: Option<Timestamp>,
    /// The newest run: how it stands, and its slot.
    pub last: Option<(RunStatus, Timestamp)>,
}

impl Activations {
    /// Draws the page.
    pub fn draw(&self, shell: &Shell) -> Markup {
        let lang = shell.lang();
        let head = Head {
            crumbs: &[],
            title: lang.activations_title(),
            beside: nothing(),
            lead: html! { (lang.activations_lead()) },
            actions: html! { @if self.may_activate { (link_button("/activate", Some(Icon::Plus), lang.activate(), "primary")) } },
        };
        let content = html! {
            (head.draw(lang))
            section class="card" {
                @if self.activations.is_empty() {
                    @if self.may_activate { (empty(Icon::Activations, lang.activations_empty(), lang.activations_empty_how(), &link_button("/activate", None, lang.activate(), ""))) }
                    @else { (empty(Icon::Activations, lang.activations_empty(), lang.activations_empty_text(), &nothing())) }
                } @else { (self.table(shell)) }
            }
        };
        shell.page(Some(Place::Activations), lang.activations_title(), &content)
    }

    fn table(&self, shell: &Shell) -> Markup {
        let (lang, locale) = (shell.lang(), &shell.locale);
        let row = |line: &Line| {
            let under =
                format!("{} · {}", lang.segments(line.segments), lang.columns(line.columns));
            vec![
                entry(&activation_url(&line.key), &line.key, &under),
                html! { (line.destination) },
                match line.is_enabled {
                    true => badge(Tone::Ok, lang.enabled()),
                    false => badge(Tone::Idle, lang.disabled()),
                },
                html! {
                    @match line.next {
                        Some(at) => { (moment(locale, at)) span class="under" { (relative(locale, at)) } }
                        None => span class="muted" { (lang.by_hand()) },
                    }
                },
                html! {
                    @match line.last {
                        Some((status, at)) => { (status.badge(lang)) span class="under" { (relative(locale, at)) } }
                        None => span class="muted" { (lang.never()) },
                    }
                },
            ]
        };
        let table = Table {
            caption: lang.activations_title(),
            columns: &[
                Column::words(lang.activation()),
                Column::words(lang.destination()),
                Column::tied(lang.status()),
                Column::tied(lang.next_run()),
                Column::tied(lang.last_run()),
            ],
            rows: self.activations.iter().map(row).collect(),
            empty: lang.activations_empty(),
        };
        table.draw()
    }
}
