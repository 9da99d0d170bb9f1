//! One account: how requests are signed, where it is used, and the form that changes it.

use maud::{Markup, html};

use super::destination::Auth;
use super::destinations::Preset;
use super::editing::Editing;
use super::run::Named;
use super::wizard::choices;
use super::{destination_url, entry};
use crate::component::{
    Head, card, copyable, facts, flush_card, hidden_fields, link_button, nothing, pick, text_field,
};
use crate::icon::Icon;
use crate::shell::{Place, Shell};

/// What the page of an account shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// Its key.
    pub key: String,
    /// What kind of service it is for.
    pub preset: Preset,
    /// How requests are signed, without secrets.
    pub auth: Auth,
    /// The region, if it is given.
    pub region: Option<String>,
    /// The address of the service; Amazon's own without it.
    pub endpoint: Option<String>,
    /// The destinations that go by it.
    pub destinations: Vec<Named>,
    /// How the viewer may change it, if they may and the project file does not have it.
    pub editing: Option<Editing>,
    /// Whether the project file has it.
    pub is_in_file: bool,
}

impl Account {
    /// Draws the page.
    pub fn draw(&self, shell: &Shell) -> Markup {
        let lang = shell.lang();
        let head = Head {
            crumbs: &[(lang.destinations_title(), Place::Destinations.url())],
            title: &self.key,
            beside: nothing(),
            lead: html! { (lang.account_lead()) },
            actions: html! { @if let Some(editing) = &self.editing { (editing.draw(shell)) } },
        };
        let content = html! {
            (head.draw(lang))
            div class="columns even" { (self.facts(shell)) (self.uses(shell)) }
        };
        shell.page(Some(Place::Destinations), &self.key, &content)
    }

    fn facts(&self, shell: &Shell) -> Markup {
        let lang = shell.lang();
        let mut all = vec![(lang.service(), html! { (self.preset.name(lang)) })];
        all.extend(self.auth.facts(lang));
        if let Some(endpoint) = &self.endpoint {
            all.push((lang.endpoint(), html! { code class="address" { (endpoint) } }));
        }
        if let Some(region) = &self.region {
            all.push((lang.region(), html! { (region) }));
        }
        let body =
            html! { (facts(&all)) @if self.is_in_file { (super::segment::from_files(shell)) } };
        card(lang.facts_title(), &nothing(), &body)
    }

    fn uses(&self, shell: &Shell) -> Markup {
        let lang = shell.lang();
        if self.destinations.is_empty() {
            let body = html! { p class="muted" { (lang.account_unused()) } };
            return card(lang.account_used(), &nothing(), &body);
        }
        let list = html! {
            ul class="list" {
                @for each in &self.destinations { li { div { (entry(&destination_url(&each.key), &each.name, "")) } } }
            }
        };
        flush_card(lang.account_used(), &nothing(), &list)
    }
}

impl Auth {
    /// How requests are signed, as facts. There is never a secret among them.
    pub(crate) fn facts(&self, lang: crate::words::Lang) -> Vec<(&'static str, Markup)> {
        match self {
            Self::Keys(id) => {
                vec![(lang.signed_with(), html! { (lang.auth_keys()) " " code { (id) } })]
            }
            Self::Role { arn, external_id } => {
                let role = html! { (lang.auth_role()) span class="under" { code { (arn) } } };
                let mut facts = vec![(lang.signed_with(), role)];
                if let Some(id) = external_id {
                    facts.push((lang.external_id(), copyable(lang, id, id, lang.external_id())));
                }
                facts
            }
            Self::Chain => vec![(lang.signed_with(), html! { (lang.auth_chain()) })],
        }
    }
}

/// The form that changes an account.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EditAccount {
    /// Its key.
    pub key: String,
    /// The version that is changed.
    pub revision: String,
    /// `access-key`, `assume-role` or `default`.
    pub auth: String,
    /// The public half of the key.
    pub access_key_id: String,
    /// The role.
    pub role_arn: String,
    /// The region.
    pub region: String,
    /// The address of the service.
    pub endpoint: String,
    /// Whether secrets can be kept on this server.
    pub keeps_secrets: bool,
}

impl EditAccount {
    /// Draws the page. What one way to sign in needs is hidden, by style alone, while another is chosen.
    pub fn draw(&self, shell: &Shell) -> Markup {
        let lang = shell.lang();
        let url = super::account_url(&self.key);
        let title = lang.edit_title(&self.key);
        let head = Head {
            crumbs: &[(lang.destinations_title(), Place::Destinations.url()), (&self.key, &url)],
            title: &title,
            beside: nothing(),
            lead: html! { (lang.account_lead()) },
            actions: nothing(),
        };
        let ways = choices(&[
            ("access-key", lang.auth_keys()),
            ("assume-role", lang.auth_role()),
            ("default", lang.auth_chain()),
        ]);
        let secret_hint =
            if self.keeps_secrets { lang.secret_kept() } else { lang.secret_no_key() };
        let body = html! {
            div class="stack" {
                (pick("auth", "auth", lang.signed_with(), &ways, &self.auth))
                div class="stack" data-for="access-key" {
                    (text_field("access_key_id", lang.access_key_id()).value(&self.access_key_id).draw())
                    (text_field("secret", lang.secret_key()).secret().autocomplete("new-password").hint(secret_hint).draw())
                }
                div class="stack" data-for="assume-role" {
                    (text_field("role_arn", lang.role_arn()).value(&self.role_arn).hint(lang.role_hint()).draw())
                }
                p class="muted small" data-for="default" { (lang.chain_hint()) }
                (text_field("endpoint", lang.endpoint()).value(&self.endpoint).hint(lang.endpoint_amazon()).draw())
                (text_field("region", lang.region()).value(&self.region).hint(lang.region_hint()).draw())
            }
        };
        let content = html! {
            (head.draw(lang))
            form method="post" action={ (url) "/edit" } class="stack ways narrow" autocomplete="off" {
                (hidden_fields(&[("csrf", shell.csrf()), ("revision", &self.revision)]))
                (card(lang.facts_title(), &nothing(), &body))
                div class="row" {
                    button class="button primary" { (lang.save_changes()) }
                    (link_button(&url, Some(Icon::Cross), lang.cancel(), "quiet"))
                }
            }
        };
        shell.page(Some(Place::Destinations), &title, &content)
    }
}
