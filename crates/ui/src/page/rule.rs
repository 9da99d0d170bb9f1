//! Trying a rule: a text, what is wrong with it at its place, and who is in it.

use maud::{Markup, html};

use crate::component::{
    Choice, Column, Head, Kpi, Note, Table, Tone, card, english, flush_card, hidden_fields, kpis,
    nothing, pick,
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
    pub fields: Vec<String>,
    /// What came of it.
    pub found: Found,
}

/// What came of a rule.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Found {
    /// Nothing was asked.
    #[default]
    NotAsked,
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
        let head = Head {
            crumbs: &[(lang.segments_title(), Place::Segments.url())],
            title: lang.try_rule(),
            beside: nothing(),
            lead: html! { (lang.try_rule_lead()) },
            actions: nothing(),
        };
        let content = html! {
            (head.draw(lang))
            div class="columns wide-left" {
                div class="stack" { (self.editor(shell)) div id="found" class="stack" aria-live="polite" { (self.found(shell)) } }
                (self.list_of_fields(lang))
            }
        };
        shell.page(Some(Place::Segments), lang.try_rule(), &content)
    }

    fn editor(&self, shell: &Shell) -> Markup {
        let lang = shell.lang();
        let languages = [("sql", "SQL"), ("pql", "PQL")];
        let choice =
            |(value, text): (&str, &str)| Choice { value: value.into(), text: text.into() };
        let is_wrong = matches!(self.found, Found::Wrong(_));
        html! {
            section class="card" {
                form method="post" action="/rule" class="body stack editor" data-try="found" {
                    (hidden_fields(&[("csrf", shell.csrf())]))
                    div class="field" {
                        label for="rule" { (lang.rule_text()) }
                        textarea class="textarea code-text" id="rule" name="rule" rows="6" spellcheck="false" autocapitalize="off" autocomplete="off"
                            aria-describedby="rule-hint" aria-invalid=[is_wrong.then_some("true")] data-complete="fields" { (self.text) }
                        p class="hint" id="rule-hint" { (lang.rule_hint()) }
                    }
                    div class="row apart" {
                        (pick("language", "language", lang.rule_language(), &languages.map(choice), &self.language))
                        button class="button primary" { (Icon::Segments.draw()) (lang.try_now()) }
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
            Found::Wrong(fault) => fault.draw(lang, &self.text),
            Found::Counted(counted) => counted.draw(shell),
        }
    }

    fn list_of_fields(&self, lang: Lang) -> Markup {
        let list = html! {
            div class="field find" {
                label for="find-field" class="hidden" { (lang.find_field()) }
                input class="input" id="find-field" type="search" placeholder=(lang.find_field()) autocomplete="off" data-find="fields";
            }
            ul class="fields" id="fields" tabindex="0" aria-label=(lang.all_fields()) {
                @for field in &self.fields { li { button type="button" data-insert="rule" value=(field) { (field) } } }
            }
        };
        let count = html! { p { (self.fields.len()) } };
        card(lang.all_fields(), &count, &list)
    }
}

impl Fault {
    fn draw(&self, lang: Lang, text: &str) -> Markup {
        let note = Note {
            tone: Tone::Bad,
            title: html! {
                (lang.rule_wrong())
                @if let Some((line, column, _)) = self.place { " · " (lang.rule_at(&line.to_string(), &column.to_string())) }
            },
            detail: html! {
                (english(&self.message))
                (self.excerpt(text))
            },
            next_step: self.hint.as_deref(),
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
