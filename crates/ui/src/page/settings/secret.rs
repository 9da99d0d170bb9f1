//! The secrets that are kept: set, replaced and removed, and never shown.

use jiff::Timestamp;
use maud::{Markup, html};

use crate::component::{card, dialog, flush_card, hidden_fields, text_field};
use crate::icon::Icon;
use crate::page::relative;
use crate::shell::Shell;

/// The secrets that are kept.
#[derive(Debug, Clone, Default)]
pub struct Secrets {
    /// Their names, with when each was set.
    pub all: Vec<(String, Timestamp)>,
    /// Whether the viewer may set and remove them.
    pub may_change: bool,
    /// Whether the server can seal one.
    pub keeps_secrets: bool,
}

impl Secrets {
    pub(super) fn draw(&self, shell: &Shell) -> Markup {
        let (lang, locale) = (shell.lang(), &shell.locale);
        let may_set = self.may_change && self.keeps_secrets;
        let beside = html! { @if may_set { (add(shell)) } @else if !self.all.is_empty() { p { (lang.secrets_hint()) } } };
        if self.all.is_empty() {
            let text = match (self.may_change, self.keeps_secrets) {
                (true, false) => lang.secret_no_key(),
                _ => lang.secrets_empty(),
            };
            return card(lang.secrets(), &beside, &html! { p class="muted" { (text) } });
        }
        let list = html! {
            ul class="list" {
                @for (number, (name, set)) in self.all.iter().enumerate() {
                    li {
                        div { code { (name) } span class="under" { (lang.set_when()) " " (relative(locale, *set)) } }
                        @if self.may_change { div class="row" { @if may_set { (replace(shell, number, name)) } (remove(shell, number, name)) } }
                    }
                }
            }
        };
        flush_card(lang.secrets(), &beside, &list)
    }
}

fn add(shell: &Shell) -> Markup {
    let lang = shell.lang();
    let body = html! {
        p { (lang.add_secret_text()) }
        (text_field("name", lang.name()).id("new-secret").required().draw())
        (text_field("value", lang.value()).id("new-secret-value").secret().autocomplete("off").hint(lang.secret_hint()).required().draw())
    };
    dialog(
        lang,
        "add-secret",
        ("small", &html! { (Icon::Plus.draw()) (lang.add_secret()) }),
        lang.add_secret(),
        &body,
        (
            "/settings/secrets",
            &hidden_fields(&[("csrf", shell.csrf())]),
            &html! { button class="button primary" { (lang.save()) } },
        ),
    )
}

fn replace(shell: &Shell, number: usize, name: &str) -> Markup {
    let lang = shell.lang();
    let body = html! {
        p { (lang.replace_secret_text()) }
        (text_field("value", lang.value()).id(&format!("secret-{number}")).secret().autocomplete("off").hint(lang.secret_hint()).required().draw())
    };
    dialog(
        lang,
        &format!("replace-secret-{number}"),
        ("small", &html! { (lang.change()) span class="hidden" { " " (name) } }),
        &lang.change_user_title(name),
        &body,
        (
            "/settings/secrets",
            &hidden_fields(&[("csrf", shell.csrf()), ("name", name)]),
            &html! { button class="button primary" { (lang.save()) } },
        ),
    )
}

fn remove(shell: &Shell, number: usize, name: &str) -> Markup {
    let lang = shell.lang();
    dialog(
        lang,
        &format!("remove-secret-{number}"),
        ("small danger", &html! { (lang.remove()) span class="hidden" { " " (name) } }),
        &lang.remove_title(name),
        &html! { p { (lang.remove_secret_text()) } },
        (
            "/settings/secrets/remove",
            &hidden_fields(&[("csrf", shell.csrf()), ("name", name)]),
            &html! { button class="button danger" { (lang.remove()) } },
        ),
    )
}
