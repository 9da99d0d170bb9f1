//! The audit log: who did what, when.

mod acts;

use jiff::Timestamp;
use maud::{Markup, html};

use super::{account_url, activation_url, destination_url, moment, run_url, segment_url};
use crate::component::{Column, Head, Note, Table, Tone, badge, kind, link_button, nothing};
use crate::icon::Icon;
use crate::shell::{Place, Shell};
use crate::words::Lang;

pub use acts::act;

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
    /// What came of it.
    pub outcome: Outcome,
}

/// What came of something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// It was done.
    Done,
    /// It was refused.
    Refused,
    /// It came to no end: whoever asked left, or the server could not.
    Unfinished,
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
        let alike = self.entries.chunk_by(Entry::is_like);
        let row = |all: &[Entry]| {
            let (Some(newest), Some(oldest)) = (all.first(), all.last()) else { return Vec::new() };
            vec![
                newest.name(lang, all.len()),
                newest.thing(),
                html! { (newest.who) },
                newest.outcome.badge(lang),
                html! {
                    (moment(locale, newest.at))
                    span class="under" { @if all.len() > 1 { "#" (oldest.number) "–" } "#" (newest.number) }
                },
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
            rows: alike.map(row).collect(),
            empty: lang.audit_empty(),
        };
        table.draw()
    }
}

impl Entry {
    /// Whether somebody did the same just before, so that both are one line.
    fn is_like(&self, other: &Self) -> bool {
        let what = |it: &Self| (it.who.clone(), it.what.clone(), it.about.clone(), it.outcome);
        what(self) == what(other)
    }

    /// What was done, in words and as the API calls it, and how many times.
    fn name(&self, lang: Lang, times: usize) -> Markup {
        let times = html! { @if times > 1 { " " (kind(&format!("×{times}"))) } };
        match act(lang, &self.what) {
            Some(name) => html! { b { (name) } (times) code class="under" { (self.what) } },
            None => html! { code { (self.what) } (times) },
        }
    }

    /// Which thing it was done to: a link to its page where it has one.
    fn thing(&self) -> Markup {
        let Some(path) = self.about.strip_prefix("/api/v1/") else { return html! { (self.about) } };
        // The path, and behind it what the thing is called or which ones it was done to.
        let (path, name) = path.split_once(' ').unwrap_or((path, ""));
        let mut parts = path.split('/');
        let (of, key) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
        let link = |url: String, text: &str| html! { a href=(url) { (text) } };
        match of {
            "tokens" if !name.is_empty() => html! { (name) code class="under" { (key) } },
            _ if key.is_empty() && !name.is_empty() => html! { (name) },
            _ if key.is_empty() => html! { "–" },
            "runs" => link(run_url(key), key.split('-').next().unwrap_or(key)),
            "activations" => link(activation_url(key), key),
            "destinations" => link(destination_url(key), key),
            "segments" => link(segment_url(key), key),
            "accounts" => link(account_url(key), key),
            "users" | "tokens" | "secrets" | "setup" => html! { (key) },
            _ if !name.is_empty() => html! { (name) },
            _ => html! { "–" },
        }
    }
}

impl Outcome {
    fn badge(self, lang: Lang) -> Markup {
        match self {
            Self::Done => badge(Tone::Ok, lang.allowed()),
            Self::Refused => badge(Tone::Bad, lang.refused()),
            Self::Unfinished => badge(Tone::Idle, lang.unfinished()),
        }
    }
}
