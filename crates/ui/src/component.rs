//! What pages are made of: small functions from typed values to HTML.

mod form;
mod note;
mod pager;
mod table;

pub use form::{Choice, dialog, hidden_fields, pick, select, text_field, tick};
pub(crate) use note::colon;
pub use note::{Note, empty};
pub use pager::{PAGE, Part};
pub use table::{Align, Cell, Column, Table, row_of};

use maud::{Markup, html};

use crate::icon::Icon;
use crate::words::Lang;

/// How something stands, as a colour; a word always says it, too.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tone {
    /// Good.
    Ok,
    /// Bad, and somebody has to act.
    Bad,
    /// Somebody should look.
    Warn,
    /// It goes on right now.
    Live,
    /// Nothing to say.
    Idle,
}

impl Tone {
    /// The class in the stylesheet.
    pub(crate) fn class(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Bad => "bad",
            Self::Warn => "warn",
            Self::Live => "live",
            Self::Idle => "idle",
        }
    }
}

/// A word with a dot of colour.
pub fn badge(tone: Tone, text: &str) -> Markup {
    html! { span class={ "badge " (tone.class()) } { (text) } }
}

/// A word in a frame, which says what kind of thing it is.
pub fn kind(text: &str) -> Markup {
    html! { span class="badge plain" { (text) } }
}

/// How a page begins: where it is, what it is called, and what can be done.
pub struct Head<'a> {
    /// Links to the pages above.
    pub crumbs: &'a [(&'a str, &'a str)],
    /// The title.
    pub title: &'a str,
    /// Beside the title: a badge.
    pub beside: Markup,
    /// Below the title.
    pub lead: Markup,
    /// Buttons.
    pub actions: Markup,
}

impl Head<'_> {
    /// Draws it.
    pub fn draw(&self, lang: Lang) -> Markup {
        html! {
            header class="head" {
                div {
                    @if !self.crumbs.is_empty() {
                        nav aria-label=(lang.you_are_here()) {
                            ol class="crumbs" {
                                @for (text, url) in self.crumbs { li { a href=(url) { (text) } } }
                            }
                        }
                    }
                    div class="title" { h1 { (self.title) } (self.beside) }
                    @if !self.lead.0.is_empty() { p class="lead" { (self.lead) } }
                }
                @if !self.actions.0.is_empty() { div class="row" { (self.actions) } }
            }
        }
    }
}

/// A card with a title.
pub fn card(title: &str, beside: &Markup, body: &Markup) -> Markup {
    html! {
        section class="card" {
            header { h2 { (title) } (beside) }
            div class="body" { (body) }
        }
    }
}

/// A card around something that reaches its edges: a table or a list.
pub fn flush_card(title: &str, beside: &Markup, body: &Markup) -> Markup {
    html! { section class="card" { header { h2 { (title) } (beside) } (body) } }
}

/// A link that looks like a button.
pub fn link_button(url: &str, icon: Option<Icon>, text: &str, class: &str) -> Markup {
    html! { a class={ "button " (class) } href=(url) { @if let Some(icon) = icon { (icon.draw()) } (text) } }
}

/// A number that stands for the state of the whole.
pub struct Kpi<'a> {
    /// What it counts.
    pub label: &'a str,
    /// The number.
    pub figure: Markup,
    /// What it is measured against.
    pub note: Markup,
}

/// A row of numbers.
pub fn kpis(all: &[Kpi<'_>]) -> Markup {
    html! {
        div class="kpis" {
            @for kpi in all {
                dl class="card kpi" {
                    dt { (kpi.label) }
                    dd class="figure" { (kpi.figure) }
                    dd class="against" { (kpi.note) }
                }
            }
        }
    }
}

/// Facts with their names.
pub fn facts(all: &[(&str, Markup)]) -> Markup {
    html! { dl class="facts" { @for (name, value) in all { dt { (name) } dd { (value) } } } }
}

/// A text in a fixed-width face with a button that copies it whole, however it is cut to fit.
pub fn copyable(lang: Lang, shown: &str, copied: &str, what: &str) -> Markup {
    html! {
        span class="copyable" {
            code title=(copied) { (shown) }
            (copy_button(lang, copied, what, ""))
        }
    }
}

/// A block of code with a button that copies it.
pub fn code_block(lang: Lang, text: &str, drawn: &Markup, what: &str) -> Markup {
    html! {
        div class="code" {
            pre class="wrap" tabindex="0" { code { (drawn) } }
            (copy_button(lang, text, what, "button small copy"))
        }
    }
}

fn copy_button(lang: Lang, text: &str, what: &str, class: &str) -> Markup {
    html! {
        button type="button" class=[(!class.is_empty()).then_some(class)] data-copy=(text)
            data-copied=(lang.copied()) aria-label=(lang.copy_of(what)) title=(lang.copy()) { (Icon::Copy.draw()) }
    }
}

/// A few words, each in a frame of its own.
pub fn tags<'a>(all: impl IntoIterator<Item = &'a str>) -> Markup {
    html! { ul class="tags" { @for tag in all { li class="tag" { (tag) } } } }
}

/// What the program told in English, in the language of the reader where that is known; what stands in
/// backticks is code.
pub(crate) fn told(lang: Lang, text: &str) -> Markup {
    match lang.told(text) {
        Some(text) => ticked(&text),
        None => html! { span lang="en" { (ticked(text)) } },
    }
}

/// The same behind words of the page: what is not known in its language is quoted there.
pub(crate) fn told_behind(lang: Lang, text: &str) -> Markup {
    match lang.told(text) {
        Some(text) => ticked(&text),
        None => html! { "«\u{a0}" (told(lang, text)) "\u{a0}»" },
    }
}

/// The same for a step to take, where there is one.
pub(crate) fn told_step(lang: Lang, text: Option<&str>) -> Option<Markup> {
    text.map(|text| told(lang, text))
}

/// A text with what stands in backticks as code.
pub(crate) fn ticked(text: &str) -> Markup {
    html! {
        @for (at, part) in text.split('`').enumerate() {
            @if at % 2 == 1 { code { (part) } } @else { (part) }
        }
    }
}

/// Nothing to draw.
pub fn nothing() -> Markup {
    html! {}
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_translated_is_marked_as_english() {
        let step = |lang, text| told_step(lang, Some(text)).expect("a step").0;
        assert_eq!(step(Lang::Fr, "See `x`."), "<span lang=\"en\">See <code>x</code>.</span>");
        assert_eq!(step(Lang::En, "See `x`."), "See <code>x</code>.");
        assert_eq!(step(Lang::Fr, "Check the name."), "Vérifiez le nom.");
    }
}
