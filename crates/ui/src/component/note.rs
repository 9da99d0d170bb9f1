//! What needs attention, with the next step; and places where there is nothing yet.

use maud::{Markup, html};

use super::Tone;
use crate::icon::Icon;
use crate::words::Lang;

/// Something to be told: what it is, why, and what to do about it.
pub struct Note {
    /// How bad it is.
    pub tone: Tone,
    /// What happened.
    pub title: Markup,
    /// Why, in more words.
    pub detail: Markup,
    /// The next step.
    pub next_step: Option<Markup>,
    /// Buttons.
    pub actions: Markup,
}

impl Note {
    /// Draws it.
    pub fn draw(&self, lang: Lang) -> Markup {
        let icon = match self.tone {
            Tone::Ok => Icon::Check,
            Tone::Bad => Icon::Alert,
            Tone::Warn => Icon::Warning,
            Tone::Live | Tone::Idle => Icon::Info,
        };
        html! {
            div class={ "note " (self.tone.class()) } {
                (icon.draw())
                h2 { (self.title) }
                @if !self.detail.0.is_empty() { p class="detail" { (self.detail) } }
                @if let Some(step) = &self.next_step {
                    p class="do" { b { (lang.what_to_do()) (colon(lang)) } " " (step) }
                }
                @if !self.actions.0.is_empty() { div class="side-actions" { (self.actions) } }
            }
        }
    }
}

/// The colon of a language, with its space.
pub(crate) fn colon(lang: Lang) -> &'static str {
    match lang {
        Lang::En => ":",
        Lang::Fr => "\u{a0}:",
    }
}

/// A place where there is nothing yet, with what to do to change that.
pub fn empty(icon: Icon, title: &str, text: &str, actions: &Markup) -> Markup {
    html! {
        div class="empty" {
            span class="picture" { (icon.draw()) }
            h2 { (title) }
            p { (text) }
            @if !actions.0.is_empty() { div class="row" { (actions) } }
        }
    }
}
