//! The settings: who may use this server, and how.

use jiff::Timestamp;
use maud::{Markup, html};

use super::relative;
use crate::component::{Column, Head, Table, card, facts, flush_card, nothing};
use crate::shell::{Place, Shell};
use crate::words::Lang;

/// What the settings show.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Who can sign in.
    pub users: Vec<User>,
    /// What scripts sign in with.
    pub tokens: Vec<Token>,
    /// Facts of the server.
    pub server: Server,
}

/// A role.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// Sees what runs.
    Viewer,
    /// Writes segments.
    Analyst,
    /// Runs things.
    Operator,
    /// Changes destinations.
    DestinationAdmin,
    /// Looks up people.
    Privacy,
    /// Everything.
    Admin,
}

impl Role {
    /// All roles.
    pub const ALL: [Self; 6] = [
        Self::Viewer,
        Self::Analyst,
        Self::Operator,
        Self::DestinationAdmin,
        Self::Privacy,
        Self::Admin,
    ];

    /// Its name.
    pub fn name(self, lang: Lang) -> &'static str {
        match self {
            Self::Viewer => lang.role_viewer(),
            Self::Analyst => lang.role_analyst(),
            Self::Operator => lang.role_operator(),
            Self::DestinationAdmin => lang.role_destination_admin(),
            Self::Privacy => lang.role_privacy(),
            Self::Admin => lang.role_admin(),
        }
    }

    fn may(self, lang: Lang) -> &'static str {
        match self {
            Self::Viewer => lang.role_viewer_may(),
            Self::Analyst => lang.role_analyst_may(),
            Self::Operator => lang.role_operator_may(),
            Self::DestinationAdmin => lang.role_destination_admin_may(),
            Self::Privacy => lang.role_privacy_may(),
            Self::Admin => lang.role_admin_may(),
        }
    }
}

/// A user.
#[derive(Debug, Clone)]
pub struct User {
    /// The name to sign in with.
    pub name: String,
    /// What they may do.
    pub role: Role,
    /// When they signed in last.
    pub last_seen: Option<Timestamp>,
}

/// A token for scripts.
#[derive(Debug, Clone)]
pub struct Token {
    /// What it is for.
    pub name: String,
    /// What it may do.
    pub role: Role,
    /// When it was made.
    pub created: Timestamp,
    /// Until when it works.
    pub expires: Option<Timestamp>,
}

/// Facts of the server.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Server {
    /// The project file.
    pub project_file: String,
    /// The state folder.
    pub state_folder: String,
}

impl Settings {
    /// Draws the page.
    pub fn draw(&self, shell: &Shell) -> Markup {
        let lang = shell.lang();
        let head = Head {
            crumbs: &[],
            title: lang.settings_title(),
            beside: nothing(),
            lead: html! { (lang.settings_lead()) },
            actions: nothing(),
        };
        let content = html! {
            (head.draw(lang))
            div class="columns wide-left" {
                div class="stack" { (self.users(shell)) (self.tokens(shell)) }
                div class="stack" { (roles(shell)) (self.server(shell)) }
            }
        };
        shell.page(Some(Place::Settings), lang.settings_title(), &content)
    }

    fn users(&self, shell: &Shell) -> Markup {
        let (lang, locale) = (shell.lang(), &shell.locale);
        let row = |user: &User| {
            vec![
                html! { (user.name) },
                html! { (user.role.name(lang)) },
                html! { @match user.last_seen { Some(at) => (relative(locale, at)), None => span class="muted" { (lang.never()) } } },
            ]
        };
        let table = Table {
            caption: lang.users(),
            columns: &[
                Column::words(lang.name()),
                Column::words(lang.role()),
                Column::tied(lang.last_seen()),
            ],
            rows: self.users.iter().map(row).collect(),
            empty: lang.users_empty(),
        };
        flush_card(lang.users(), &nothing(), &table.draw())
    }

    fn tokens(&self, shell: &Shell) -> Markup {
        let (lang, locale) = (shell.lang(), &shell.locale);
        let row = |token: &Token| {
            vec![
                html! { (token.name) },
                html! { (token.role.name(lang)) },
                html! { (relative(locale, token.created)) },
                html! { @match token.expires { Some(at) => (relative(locale, at)), None => span class="muted" { (lang.never()) } } },
            ]
        };
        let table = Table {
            caption: lang.tokens(),
            columns: &[
                Column::words(lang.name()),
                Column::words(lang.role()),
                Column::tied(lang.created()),
                Column::tied(lang.expires()),
            ],
            rows: self.tokens.iter().map(row).collect(),
            empty: lang.tokens_empty(),
        };
        flush_card(lang.tokens(), &nothing(), &table.draw())
    }

    fn server(&self, shell: &Shell) -> Markup {
        let lang = shell.lang();
        let body = facts(&[
            (lang.project_file(), html! { code { (self.server.project_file) } }),
            (lang.state_folder(), html! { code { (self.server.state_folder) } }),
            (lang.time_zone(), html! { (shell.locale.zone_name()) }),
        ]);
        card(lang.server(), &html! { p { (lang.version(&shell.version)) } }, &body)
    }
}

fn roles(shell: &Shell) -> Markup {
    let lang = shell.lang();
    let list = html! {
        ul class="list" {
            @for role in Role::ALL { li { div { b { (role.name(lang)) } span class="under" { (role.may(lang)) } } } }
        }
    };
    flush_card(lang.roles(), &nothing(), &list)
}
