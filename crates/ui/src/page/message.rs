//! A page with one message: nothing is there, it is not allowed, it failed.

use maud::{Markup, html};

use crate::component::{Note, Tone, empty, link_button, nothing, told, told_step};
use crate::icon::Icon;
use crate::shell::{Place, Shell};

/// What the page says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Message {
    /// There is nothing at the address.
    NotFound,
    /// The viewer's role does not allow it.
    NotAllowed,
    /// It failed: what and what to do, in English.
    Failed {
        /// What is wrong.
        message: String,
        /// The next steps.
        hints: Vec<String>,
    },
}

impl Message {
    /// Draws the page.
    pub fn draw(&self, shell: &Shell) -> Markup {
        let lang = shell.lang();
        let home = link_button(Place::Home.url(), None, lang.back_home(), "");
        let (title, body) = match self {
            Self::NotFound => (
                lang.page_not_found(),
                empty(Icon::Search, lang.page_not_found(), lang.page_not_found_hint(), &home),
            ),
            Self::NotAllowed => (
                lang.not_allowed(),
                empty(Icon::Shield, lang.not_allowed(), lang.not_allowed_hint(), &home),
            ),
            Self::Failed { message, hints } => {
                let step = told_step(lang, hints.first().map(String::as_str));
                let note = Note {
                    tone: Tone::Bad,
                    title: html! { (lang.something_failed()) },
                    detail: told(lang, message),
                    next_step: step,
                    actions: nothing(),
                };
                (lang.something_failed(), note.draw(lang))
            }
        };
        let content = html! { h1 class="hidden" { (title) } section class="card" { (body) } };
        shell.page(None, title, &content)
    }
}
