//! The editor of rules: a text, what is wrong with it at its place, who is in it, and the segment that it
//! becomes.

use maud::{Markup, html};

use super::fields::{Fields, Press};
use super::segment_url;
use crate::component::{
    Choice, Column, Head, Kpi, Note, Table, Tone, flush_card, hidden_fields, kpis, nothing, pick,
    text_field, told, told_step,
};
use crate::icon::Icon;
use crate::locale::ratio;
use crate::shell::{Place, Shell};
use crate::words::Lang;

/// What the page shows.
#[derive(Debug, Clone, Default)]
pub struct Rule {
    /// The rule as it was written.
    pub text: String,
    /// `sql` or `pql`.
    pub language: String,
    /// The fields that a rule may name.
    pub fields: Fields,
    /// What came of it.
    pub found: Found,
    /// The segment that it becomes; nothing where the viewer may make none.
    pub saving: Option<Saving>,
}

/// The segment that a rule becomes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Saving {
    /// The segment that is changed; nothing for a new one.
    pub changes: Option<Changes>,
    /// The name that people read.
    pub name: String,
    /// The key of a new one, as far as it was written.
    pub key: String,
}

/// A segment that is changed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Changes {
    /// Its key.
    pub key: String,
    /// The version that the viewer began with.
    pub revision: String,
}

/// What came of a rule.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Found {
    /// Nothing was asked.
    #[default]
    NotAsked,
    /// It is asked when the page stands.
    ToCome,
    /// The rule is wrong.
    Wrong(Fault),
    /// The rule is right.
    Counted(Counted),
}

/// What is wrong with a rule.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Fault {
    /// What, in English.
    pub message: String,
    /// What to do, in English.
    pub hint: Option<String>,
    /// Line and column, from 1, and how many characters, where it can be told.
    pub place: Option<(u32, u32, u32)>,
}

/// Who is in it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Counted {
    /// Members.
    pub members: u64,
    /// Profiles.
    pub profiles: u64,
    /// The heads of the sample.
    pub columns: Vec<String>,
    /// Its rows, masked.
    pub rows: Vec<Vec<String>>,
}

impl Rule {
    /// Draws the page.
    pub fn draw(&self, shell: &Shell) -> Markup {
        let lang = shell.lang();
        let title = match (&self.saving, self.changes()) {
            (Some(saving), Some(_)) => lang.edit_title(&saving.name),
            (Some(_), None) => lang.new_segment().to_owned(),
            (None, _) => lang.try_rule().to_owned(),
        };
        let url = self.changes().map(|it| segment_url(&it.key)).unwrap_or_default();
        let mut crumbs = vec![(lang.segments_title(), Place::Segments.url())];
        if let (Some(changes), false) = (self.changes(), url.is_empty()) {
            crumbs.push((&changes.key, &url));
        }
        let head = Head {
            crumbs: &crumbs,
            title: &title,
            beside: nothing(),
            lead: html! { @if self.saving.is_some() { (lang.edit_segment_lead()) } @else { (lang.try_rule_lead()) } },
            actions: nothing(),
        };
        let content = html! {
            (head.draw(lang))
            div class="columns wide-left" {
                div class="stack" { (self.editor(shell)) div id="found" class="stack" aria-live="polite" { (self.found(shell)) } }
                (self.fields.card(shell, Press::Insert))
            }
        };
        shell.page(Some(Place::Segments), &title, &content)
    }

    fn changes(&self) -> Option<&Changes> {
        self.saving.as_ref().and_then(|saving| saving.changes.as_ref())
    }

    fn editor(&self, shell: &Shell) -> Markup {
        let lang = shell.lang();
        let languages = [("sql", "SQL"), ("pql", "PQL")];
        let choice =
            |(value, text): (&str, &str)| Choice { value: value.into(), text: text.into() };
        let is_wrong = matches!(self.found, Found::Wrong(_));
        html! {
            section class="card" {
                form method="post" action="/rule" class="body stack editor" data-try="found" data-live-first[self.found == Found::ToCome] {
                    (hidden_fields(&[("csrf", shell.csrf())]))
                    @if let Some(saving) = &self.saving { (saving.fields(lang)) }
                    div class="field" {
                        label for="rule" { (lang.rule_text()) }
                        textarea class="textarea code-text" id="rule" name="rule" rows="6" spellcheck="false" autocapitalize="off" autocomplete="off"
                            aria-describedby="rule-hint" aria-invalid=[is_wrong.then_some("true")] data-complete="fields" { (self.text) }
                        p class="hint" id="rule-hint" { (lang.rule_hint()) }
                    }
                    div class="row apart" {
                        (pick("language", "language", lang.rule_language(), &languages.map(choice), &self.language))
                        div class="row" {
                            button class={ "button" @if self.saving.is_none() { " primary" } } { (Icon::Segments.draw()) (lang.try_now()) }
                            @match (&self.saving, self.changes()) {
                                (Some(_), Some(changes)) => { button class="button primary" formaction={ (segment_url(&changes.key)) "/edit" } { (Icon::Check.draw()) (lang.save_changes()) } },
                                (Some(_), None) => { button class="button primary" formaction="/segments" { (Icon::Check.draw()) (lang.save_segment()) } },
                                (None, _) => {},
                            }
                        }
                    }
                }
            }
        }
    }

    /// Draws what came of it: on the page, and alone while somebody types.
    pub fn found(&self, shell: &Shell) -> Markup {
        let lang = shell.lang();
        match &self.found {
            Found::NotAsked => html! { p class="muted" { (lang.rule_empty()) } },
            Found::ToCome => html! { p class="muted waiting" { (lang.counting_members()) } },
            Found::Wrong(fault) => fault.draw(lang, &self.text),
            Found::Counted(counted) => counted.draw(shell),
        }
    }
}

impl Saving {
    fn fields(&self, lang: Lang) -> Markup {
        html! {
            div class="filters named" {
                (text_field("name", lang.name()).value(&self.name).hint(lang.segment_name_hint()).draw())
                @match &self.changes {
                    Some(changes) => (hidden_fields(&[("segment", &changes.key), ("revision", &changes.revision)])),
                    None => (text_field("key", lang.key()).value(&self.key).hint(lang.segment_key_hint()).draw()),
                }
            }
        }
    }
}

impl Fault {
    fn draw(&self, lang: Lang, text: &str) -> Markup {
        let step = told_step(lang, self.hint.as_deref());
        let note = Note {
            tone: Tone::Bad,
            title: html! {
                (lang.rule_wrong())
                @if let Some((line, column, _)) = self.place { " · " (lang.rule_at(&line.to_string(), &column.to_string())) }
            },
            detail: html! {
                (told(lang, &self.message))
                (self.excerpt(text))
            },
            next_step: step,
            actions: nothing(),
        };
        html! { div data-place=[self.place.map(|(line, column, length)| format!("{line}:{column}:{length}"))] { (note.draw(lang)) } }
    }

    /// The line with the fault marked in it.
    fn excerpt(&self, text: &str) -> Markup {
        let Some((line, column, length)) = self.place else { return nothing() };
        let at = |number: u32| usize::try_from(number).unwrap_or(usize::MAX);
        let Some(line) = text.lines().nth(at(line).saturating_sub(1)) else { return nothing() };
        let before: String = line.chars().take(at(column).saturating_sub(1)).collect();
        let marked: String =
            line.chars().skip(at(column).saturating_sub(1)).take(at(length).max(1)).collect();
        let behind: String =
            line.chars().skip(at(column).saturating_sub(1) + at(length).max(1)).collect();
        html! { code class="excerpt" { (before) mark { (if marked.is_empty() { "␣" } else { &marked }) } (behind) } }
    }
}

impl Counted {
    fn draw(&self, shell: &Shell) -> Markup {
        let (lang, locale) = (shell.lang(), &shell.locale);
        let figures = kpis(&[
            Kpi {
                label: lang.members(),
                figure: html! { (locale.number(self.members)) },
                note: html! { (lang.exact_count()) },
            },
            Kpi {
                label: lang.of_all(),
                figure: html! { (locale.percent(ratio(self.members, self.profiles))) },
                note: html! { (lang.profiles(self.profiles)) },
            },
        ]);
        let columns: Vec<Column<'_>> =
            self.columns.iter().map(|head| Column::words(head)).collect();
        let row = |row: &Vec<String>| row.iter().map(|cell| html! { (cell) }).collect();
        let table = Table {
            caption: lang.sample(),
            columns: &columns,
            rows: self.rows.iter().map(row).collect(),
            empty: lang.sample_empty(),
        };
        html! {
            (figures)
            @if !self.columns.is_empty() { (flush_card(lang.sample(), &html! { p { (lang.masked()) } }, &table.draw())) }
        }
    }
}
