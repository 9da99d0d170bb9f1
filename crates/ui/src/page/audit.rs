//! The audit log: who did what, when.

use jiff::Timestamp;
use maud::{Markup, html};

use super::moment;
use crate::component::{Column, Head, Note, Table, Tone, badge, link_button, nothing};
use crate::icon::Icon;
use crate::shell::{Place, Shell};

/// What the log shows.
#[derive(Debug, Clone)]
pub struct Audit {
    /// The entries, newest first.
    pub entries: Vec<Entry>,
    /// The number of the first entry that does not follow from the one before it.
    pub broken_at: Option<u64>,
    /// The address of the next page, if there is one.
    pub older: Option<String>,
}

/// Something that was done, or refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Its number.
    pub number: u64,
    /// When.
    pub at: Timestamp,
    /// Who.
    pub who: String,
    /// What, as the name of an operation.
    pub what: String,
    /// About which thing.
    pub about: String,
    /// Whether it was done.
    pub is_done: bool,
}

impl Audit {
    /// Draws the page.
    pub fn draw(&self, shell: &Shell) -> Markup {
        let lang = shell.lang();
        let beside = match self.broken_at {
            None => badge(Tone::Ok, lang.audit_intact()),
            Some(_) => badge(Tone::Bad, lang.audit_broken()),
        };
        let head = Head {
            crumbs: &[],
            title: lang.audit_title(),
            beside,
            lead: html! { (lang.audit_lead()) },
            actions: nothing(),
        };
        let content = html! {
            (head.draw(lang))
            div class="stack" {
                @if let Some(number) = self.broken_at {
                    (Note { tone: Tone::Bad, title: html! { (lang.audit_broken()) }, detail: html! { (lang.audit_broken_text(&number.to_string())) }, next_step: None, actions: nothing() }.draw(lang))
                }
                section class="card" {
                    (self.table(shell))
                    @if let Some(older) = &self.older { footer { (link_button(older, Some(Icon::Next), lang.older(), "small")) } }
                }
            }
        };
        shell.page(Some(Place::Audit), lang.audit_title(), &content)
    }

    fn table(&self, shell: &Shell) -> Markup {
        let (lang, locale) = (shell.lang(), &shell.locale);
        let row = |entry: &Entry| {
            vec![
                html! { code { (entry.what) } },
                html! { (entry.about) },
                html! { (entry.who) },
                html! { @if entry.is_done { (badge(Tone::Ok, lang.allowed())) } @else { (badge(Tone::Bad, lang.refused())) } },
                html! { (moment(locale, entry.at)) span class="under" { "#" (entry.number) } },
            ]
        };
        let table = Table {
            caption: lang.audit_title(),
            columns: &[
                Column::words(lang.what()),
                Column::words(lang.about()),
                Column::words(lang.who()),
                Column::tied(lang.outcome()),
                Column::tied(lang.when()),
            ],
            rows: self.entries.iter().map(row).collect(),
            empty: lang.audit_empty(),
        };
        table.draw()
    }
}
