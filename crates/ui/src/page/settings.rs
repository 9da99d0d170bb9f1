//! The settings: who may use this server, and how.

use jiff::Timestamp;
use maud::{Markup, html};

mod channels;
mod roles;
mod secret;

pub use channels::{Channels, Mail};
pub use roles::{Right, RoleRights};
pub use secret::Secrets;

use super::{relative, run_url};
use crate::component::{
    Choice, Column, Head, Note, Table, Tone, badge, card, copyable, dialog, facts, flush_card,
    hidden_fields, link_button, nothing, pick, text_field,
};
use crate::icon::Icon;
use crate::shell::{Place, Shell};
use crate::words::Lang;

/// What the settings show.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Who can sign in, for those who may change it.
    pub users: Option<Vec<User>>,
    /// What scripts sign in with, for those who may change it.
    pub tokens: Option<Vec<Token>>,
    /// What each role may do.
    pub rights: Vec<RoleRights>,
    /// The text of a token that was just made.
    pub made: Option<String>,
    /// By which the server tells the form of the next token from one that was sent already.
    pub form_key: String,
    /// The secrets that are kept.
    pub secrets: Secrets,
    /// How people are told what happened.
    pub alerts: Alerts,
    /// Facts of the server.
    pub server: Server,
}

/// How people are told what happened.
#[derive(Debug, Clone, Default)]
pub struct Alerts {
    /// Where they are told.
    pub channels: Channels,
    /// The newest, first.
    pub newest: Vec<Alert>,
}

/// Something that somebody was told.
#[derive(Debug, Clone)]
pub struct Alert {
    /// `failed`, `late`, ….
    pub kind: String,
    /// The segment's name.
    pub segment: String,
    /// The activation's key.
    pub activation: String,
    /// The run's id, if there was one.
    pub run: Option<String>,
    /// When.
    pub at: Timestamp,
    /// Whether it was posted; nothing where it is not going to be.
    pub is_sent: Option<bool>,
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

    /// The word for it in forms.
    pub fn word(self) -> &'static str {
        match self {
            Self::Viewer => "viewer",
            Self::Analyst => "analyst",
            Self::Operator => "operator",
            Self::DestinationAdmin => "destination-admin",
            Self::Privacy => "privacy",
            Self::Admin => "admin",
        }
    }

    /// The role of a word.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.word() == word)
    }

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
    /// When they were made.
    pub created: Timestamp,
}

/// A token for scripts.
#[derive(Debug, Clone)]
pub struct Token {
    /// The part that is no secret.
    pub id: String,
    /// What it is for.
    pub name: String,
    /// What it may do.
    pub role: Role,
    /// When it was used last.
    pub last_used: Option<Timestamp>,
    /// Until when it works.
    pub expires: Timestamp,
}

/// Facts of the server.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Server {
    /// The project file.
    pub project_file: String,
    /// The state folder.
    pub state_folder: String,
}

/// How long tokens live, in days.
const TOKEN_DAYS: [u64; 4] = [30, 90, 365, 1_095];

impl Settings {
    /// Draws the page.
    pub fn draw(&self, shell: &Shell) -> Markup {
        let lang = shell.lang();
        let head = Head {
            crumbs: &[],
            title: lang.settings_title(),
            beside: nothing(),
            lead: html! { (lang.settings_lead()) },
            actions: link_button("/api/docs", Some(Icon::File), lang.api_reference(), ""),
        };
        let content = html! {
            (head.draw(lang))
            div class="stack" {
                @if let Some(made) = &self.made { (new_token(lang, made)) }
                div class="columns wide-left" {
                    div class="stack" {
                        @if let Some(users) = &self.users { (self.users(shell, users)) }
                        @if let Some(tokens) = &self.tokens { (self.tokens(shell, tokens)) }
                        (self.alerts(shell))
                    }
                    div class="stack" { (self.secrets.draw(shell)) (self.server(shell)) }
                }
                (roles::card(shell, &self.rights, self.users.as_deref(), self.tokens.as_deref()))
            }
        };
        shell.page(Some(Place::Settings), lang.settings_title(), &content)
    }

    fn users(&self, shell: &Shell, users: &[User]) -> Markup {
        let (lang, locale) = (shell.lang(), &shell.locale);
        let row = |(number, user): (usize, &User)| {
            vec![
                html! { (user.name) },
                html! { (user.role.name(lang)) },
                relative(locale, user.created),
                html! { div class="row" { (change_user(shell, number, user)) (remove_user(shell, number, user)) } },
            ]
        };
        let table = Table {
            caption: lang.users(),
            columns: &[
                Column::words(lang.name()),
                Column::words(lang.role()),
                Column::tied(lang.created()),
                Column::tied(lang.actions_head()),
            ],
            rows: users.iter().enumerate().map(row).collect(),
            empty: lang.users_empty(),
        };
        flush_card(lang.users(), &add_user(shell), &table.draw())
    }

    fn tokens(&self, shell: &Shell, tokens: &[Token]) -> Markup {
        let (lang, locale) = (shell.lang(), &shell.locale);
        let row = |(number, token): (usize, &Token)| {
            vec![
                html! { (token.name) code class="under" { (token.id) } },
                html! { (token.role.name(lang)) },
                html! { @match token.last_used { Some(at) => (relative(locale, at)), None => span class="muted" { (lang.never()) } } },
                relative(locale, token.expires),
                revoke(shell, number, token),
            ]
        };
        let table = Table {
            caption: lang.tokens(),
            columns: &[
                Column::words(lang.name()),
                Column::words(lang.role()),
                Column::tied(lang.last_used()),
                Column::tied(lang.expires()),
                Column::tied(lang.actions_head()),
            ],
            rows: tokens.iter().enumerate().map(row).collect(),
            empty: lang.tokens_empty(),
        };
        flush_card(lang.tokens(), &add_token(shell, &self.form_key), &table.draw())
    }

    fn alerts(&self, shell: &Shell) -> Markup {
        let (lang, locale) = (shell.lang(), &shell.locale);
        let row = |alert: &Alert| {
            let (tone, name) = alert.kind_of(lang);
            vec![
                html! {
                    @match &alert.run { Some(run) => a class="main" href=(run_url(run)) { (alert.segment) }, None => b { (alert.segment) } }
                    span class="under" { (alert.activation) }
                },
                badge(tone, name),
                relative(locale, alert.at),
                html! { @match alert.is_sent { Some(true) => (lang.alert_sent()), Some(false) => (lang.alert_waiting()), None => span class="muted" { (lang.alert_kept()) } } },
            ]
        };
        let table = Table {
            caption: lang.last_alerts(),
            columns: &[
                Column::words(lang.segment()),
                Column::tied(lang.alert_kind()),
                Column::tied(lang.when()),
                Column::tied(lang.alert_posting()),
            ],
            rows: self.alerts.newest.iter().map(row).collect(),
            empty: lang.alerts_empty(),
        };
        flush_card(lang.alert_channels(), &self.alerts.channels.draw(shell), &table.draw())
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

impl Alert {
    fn kind_of(&self, lang: Lang) -> (Tone, &str) {
        match self.kind.as_str() {
            "started" => (Tone::Idle, lang.kind_started()),
            "delivered" => (Tone::Ok, lang.state_delivered()),
            "skipped" => (Tone::Idle, lang.state_skipped()),
            "failed" => (Tone::Bad, lang.state_failed()),
            "blocked" => (Tone::Warn, lang.state_blocked()),
            "late" => (Tone::Warn, lang.state_late()),
            "missing" => (Tone::Bad, lang.kind_missing()),
            "collapsed" => (Tone::Warn, lang.kind_collapsed()),
            "exploded" => (Tone::Warn, lang.kind_exploded()),
            "exclusion_rate" => (Tone::Warn, lang.kind_exclusion_rate()),
            other => (Tone::Idle, other),
        }
    }
}

fn new_token(lang: Lang, made: &str) -> Markup {
    let note = Note {
        tone: Tone::Ok,
        title: html! { (lang.token_made()) },
        detail: copyable(lang, made, made, lang.the_token()),
        next_step: None,
        actions: nothing(),
    };
    html! { div role="status" { (note.draw(lang)) } }
}

fn role_choices(lang: Lang) -> Vec<Choice> {
    let choice =
        |role: Role| Choice { value: role.word().to_owned(), text: role.name(lang).to_owned() };
    Role::ALL.map(choice).to_vec()
}

fn add_user(shell: &Shell) -> Markup {
    let lang = shell.lang();
    let opener = html! { (Icon::Plus.draw()) (lang.add_user()) };
    let body = html! {
        p { (lang.add_user_text()) }
        (text_field("name", lang.user_name()).id("new-user").required().draw())
        (pick("new-role", "role", lang.role(), &role_choices(lang), Role::Viewer.word()))
        (text_field("password", lang.password()).id("new-password").secret().autocomplete("new-password").hint(lang.password_hint()).required().draw())
    };
    let submit = html! { button class="button primary" { (lang.add_user()) } };
    let fields = hidden_fields(&[("csrf", shell.csrf())]);
    dialog(
        lang,
        "add-user",
        ("small", &opener),
        lang.add_user(),
        &body,
        ("/settings/users", &fields, &submit),
    )
}

fn change_user(shell: &Shell, number: usize, user: &User) -> Markup {
    let lang = shell.lang();
    let id = |what: &str| format!("change-{what}-{number}");
    let body = html! {
        p { (lang.change_user_text()) }
        (pick(&id("role"), "role", lang.role(), &role_choices(lang), user.role.word()))
        (text_field("password", lang.password()).id(&id("password")).secret().autocomplete("new-password").hint(lang.new_password_hint()).draw())
    };
    dialog(
        lang,
        &id("user"),
        ("small", &html! { (lang.change()) span class="hidden" { " " (user.name) } }),
        &lang.change_user_title(&user.name),
        &body,
        (
            &format!("/settings/users/{}", user.name),
            &hidden_fields(&[("csrf", shell.csrf())]),
            &html! { button class="button primary" { (lang.save()) } },
        ),
    )
}

fn remove_user(shell: &Shell, number: usize, user: &User) -> Markup {
    let lang = shell.lang();
    dialog(
        lang,
        &format!("remove-user-{number}"),
        ("small danger", &html! { (lang.remove()) span class="hidden" { " " (user.name) } }),
        &lang.remove_title(&user.name),
        &html! { p { (lang.remove_user_text()) } },
        (
            &format!("/settings/users/{}/remove", user.name),
            &hidden_fields(&[("csrf", shell.csrf())]),
            &html! { button class="button danger" { (lang.remove()) } },
        ),
    )
}

fn add_token(shell: &Shell, form_key: &str) -> Markup {
    let lang = shell.lang();
    let opener = html! { (Icon::Plus.draw()) (lang.add_token()) };
    let days = TOKEN_DAYS.map(|days| Choice { value: days.to_string(), text: lang.days(days) });
    let body = html! {
        p { (lang.add_token_text()) }
        (text_field("name", lang.token_name()).id("new-token").required().draw())
        (pick("token-role", "role", lang.role(), &role_choices(lang), Role::Viewer.word()))
        (pick("token-days", "days", lang.token_days(), &days, "90"))
    };
    let submit = html! { button class="button primary" { (lang.add_token()) } };
    let fields = hidden_fields(&[("csrf", shell.csrf()), ("form", form_key)]);
    dialog(
        lang,
        "add-token",
        ("small", &opener),
        lang.add_token(),
        &body,
        ("/settings/tokens", &fields, &submit),
    )
}

fn revoke(shell: &Shell, number: usize, token: &Token) -> Markup {
    let lang = shell.lang();
    dialog(
        lang,
        &format!("revoke-{number}"),
        ("small danger", &html! { (lang.revoke()) span class="hidden" { " " (token.name) } }),
        &lang.revoke_title(&token.name),
        &html! { p { (lang.revoke_text()) } },
        (
            &format!("/settings/tokens/{}/revoke", token.id),
            &hidden_fields(&[("csrf", shell.csrf())]),
            &html! { button class="button danger" { (lang.revoke()) } },
        ),
    )
}
