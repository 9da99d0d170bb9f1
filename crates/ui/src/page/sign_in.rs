//! The door: signing in, and making the first user.

use maud::{Markup, html};

use crate::component::{Note, Tone, hidden_fields, nothing, text_field, ticked, told};
use crate::shell::{Said, Scheme, brand, document, document_with};
use crate::words::Lang;

/// What the door shows.
#[derive(Debug, Clone, Default)]
pub struct SignIn {
    /// The language.
    pub lang: Lang,
    /// The colours.
    pub scheme: Scheme,
    /// What stands in the field of the name already.
    pub user_name: String,
    /// Where to go behind the door.
    pub next: String,
    /// The address of this page, to return to after changing the language.
    pub here: String,
    /// What was done before, if something was.
    pub said: Option<Said>,
    /// What went wrong, if something did.
    pub problem: Option<Problem>,
}

/// What can go wrong at the door.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Problem {
    /// Name and password do not match.
    Refused,
    /// Something else, in English.
    Other(String),
}

impl SignIn {
    /// Draws the page on which people sign in.
    pub fn draw(&self) -> Markup {
        let lang = self.lang;
        let content = html! {
            h1 { (lang.sign_in_title()) }
            (self.problem())
            form method="post" action="/sign-in" {
                (hidden_fields(&[("next", &self.next)]))
                (text_field("user", lang.user_name()).value(&self.user_name).autocomplete("username").required().draw())
                (text_field("password", lang.password()).secret().autocomplete("current-password").required().draw())
                button class="button primary" { (lang.sign_in()) }
            }
        };
        self.door(lang.sign_in_title(), &content)
    }

    /// Draws the page on which the first user is made. The code may come with the address.
    pub fn draw_set_up(&self, code: &str) -> Markup {
        let lang = self.lang;
        let content = html! {
            h1 { (lang.set_up_title()) }
            p class="lead" { (lang.set_up_lead()) }
            (self.problem())
            form method="post" action="/setup" data-code="code" {
                (text_field("code", lang.set_up_code()).value(code).hint(lang.set_up_code_hint()).required().draw())
                (text_field("user", lang.user_name()).value(&self.user_name).autocomplete("username").required().draw())
                (text_field("password", lang.password()).secret().autocomplete("new-password").hint(lang.password_hint()).required().draw())
                button class="button primary" { (lang.set_up()) }
            }
        };
        self.door(lang.set_up_title(), &content)
    }

    fn problem(&self) -> Markup {
        let lang = self.lang;
        let (title, step) = match &self.problem {
            None => return nothing(),
            Some(Problem::Refused) => {
                (html! { (lang.sign_in_refused()) }, Some(ticked(lang.sign_in_refused_hint())))
            }
            Some(Problem::Other(text)) => (told(lang, text), None),
        };
        let note =
            Note { tone: Tone::Bad, title, detail: nothing(), next_step: step, actions: nothing() };
        html! { div role="alert" { (note.draw(lang)) } }
    }

    fn languages(&self) -> Markup {
        html! {
            form method="post" action="/preferences" class="languages" {
                (hidden_fields(&[("next", &self.here)]))
                @for lang in Lang::ALL {
                    button class="button quiet small" name="lang" value=(lang.tag()) lang=(lang.tag()) aria-pressed=(lang == self.lang) { (lang.own_name()) }
                }
            }
        }
    }

    fn door(&self, title: &str, content: &Markup) -> Markup {
        let body = html! {
            main class="door" {
                div {
                    div class="card" {
                        (brand(self.lang))
                        @if let Some(said) = self.said { p class="said" role="status" { (said.text(self.lang)) } }
                        (content)
                    }
                    p class="claim" { (self.lang.claim()) }
                    (self.languages())
                }
            }
        };
        document(self.lang, self.scheme, &format!("{title} · {}", self.lang.product()), &body)
    }
}

/// Draws a page that asks for another one as this site: a browser does not send the cookie of the
/// session when a link of another site is followed.
pub fn once_more(lang: Lang, scheme: Scheme, path: &str) -> Markup {
    let head = html! { meta http-equiv="refresh" content={ "0;url=" (path) }; };
    let body = html! {
        main class="door" { div { div class="card" { (brand(lang)) h1 class="hidden" { (lang.product()) } p { a href=(path) { (lang.go_on()) } } } } }
    };
    document_with(lang, scheme, lang.product(), &head, &body)
}
