//! Changing what the server keeps: the buttons on the page of an object, and what is shown when
//! somebody else changed it meanwhile.

use jiff::Timestamp;
use maud::{Markup, html};

use super::relative;
use crate::component::{
    Column, Head, Note, Table, Tone, card, code_block, dialog, flush_card, hidden_fields,
    link_button, nothing,
};
use crate::icon::Icon;
use crate::shell::{Place, Shell};

/// An object that the viewer may change on its page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Editing {
    /// The address of its page; editing is below it.
    pub url: String,
    /// Its name.
    pub name: String,
    /// The version that the page shows.
    pub revision: String,
}

impl Editing {
    /// Draws the buttons: edit, and remove behind a question.
    pub fn draw(&self, shell: &Shell) -> Markup {
        let lang = shell.lang();
        let fields = hidden_fields(&[("csrf", shell.csrf()), ("revision", &self.revision)]);
        html! {
            (link_button(&format!("{}/edit", self.url), Some(Icon::Edit), lang.edit(), ""))
            (dialog(lang, "remove", ("danger icon-only", &html! { (Icon::Trash.draw()) span class="hidden" { (lang.remove()) } }),
                &lang.remove_title(&self.name),
                &html! { p { (lang.remove_object_text()) } },
                (&format!("{}/remove", self.url), &fields, &html! { button class="button danger" { (lang.remove()) } })))
        }
    }
}

/// Somebody changed an object while the viewer edited it.
#[derive(Debug, Clone)]
pub struct Conflict {
    /// Where the object belongs.
    pub place: Place,
    /// Its name.
    pub name: String,
    /// The address of its page.
    pub url: String,
    /// Who changed it.
    pub changed_by: String,
    /// When.
    pub changed_at: Timestamp,
    /// What differs between the two.
    pub members: Vec<Member>,
    /// What it says now, as YAML.
    pub theirs: String,
    /// What the viewer wants it to say, as YAML.
    pub yours: String,
    /// Where the viewer's version is sent to be saved over the other.
    pub save: Send,
    /// Where the viewer goes on editing.
    pub go_on: Send,
}

/// A form without anything to fill in.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Send {
    /// Where it goes.
    pub action: String,
    /// What it holds.
    pub fields: Vec<(String, String)>,
}

/// A member of the definition that differs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// Where it is: `mapping.1.target`.
    pub place: String,
    /// What it says now.
    pub theirs: Option<String>,
    /// What the viewer wants.
    pub yours: Option<String>,
}

impl Conflict {
    /// Draws the page.
    pub fn draw(&self, shell: &Shell) -> Markup {
        let (lang, locale) = (shell.lang(), &shell.locale);
        let title = lang.changed_meanwhile(&self.name);
        let head = Head {
            crumbs: &[(&self.name, &self.url)],
            title: &title,
            beside: nothing(),
            lead: html! { (lang.changed_by(&self.changed_by)) ", " (relative(locale, self.changed_at)) },
            actions: nothing(),
        };
        let note = Note {
            tone: Tone::Warn,
            title: html! { (lang.nothing_is_lost()) },
            detail: html! { (lang.nothing_is_lost_text()) },
            next_step: None,
            actions: nothing(),
        };
        let content = html! {
            (head.draw(lang))
            div class="stack" {
                (note.draw(lang))
                (self.differences(shell))
                div class="columns even" {
                    (card(lang.as_it_is_now(), &nothing(), &code_block(lang, &self.theirs, &html! { (self.theirs) }, lang.as_it_is_now())))
                    (card(lang.your_version(), &nothing(), &code_block(lang, &self.yours, &html! { (self.yours) }, lang.your_version())))
                }
                div class="row" {
                    (self.save.draw(shell, "primary", lang.save_mine()))
                    (self.go_on.draw(shell, "", lang.go_on_editing()))
                    (link_button(&self.url, None, lang.keep_theirs(), "quiet"))
                }
            }
        };
        shell.page(Some(self.place), &title, &content)
    }

    fn differences(&self, shell: &Shell) -> Markup {
        let lang = shell.lang();
        let said = |value: &Option<String>| html! { @match value { Some(value) => code { (value) }, None => span class="muted" { (lang.not_there()) } } };
        let row = |member: &Member| {
            vec![html! { code { (member.place) } }, said(&member.theirs), said(&member.yours)]
        };
        let table = Table {
            caption: lang.what_differs(),
            columns: &[
                Column::words(lang.member()),
                Column::words(lang.as_it_is_now()),
                Column::words(lang.your_version()),
            ],
            rows: self.members.iter().map(row).collect(),
            empty: lang.nothing_differs(),
        };
        flush_card(lang.what_differs(), &nothing(), &table.draw())
    }
}

impl Send {
    fn draw(&self, shell: &Shell, class: &str, text: &str) -> Markup {
        html! {
            form method="post" action=(self.action) {
                (hidden_fields(&[("csrf", shell.csrf())]))
                @for (name, value) in &self.fields { input type="hidden" name=(name) value=(value); }
                button class={ "button " (class) } { (text) }
            }
        }
    }
}
