//! Looking up one person: what is known, in which segments, where it went.

use jiff::Timestamp;
use maud::{Markup, html};

use super::{moment, run_url, segment_url};
use crate::component::{
    Choice, Column, Head, Note, Table, Tone, badge, empty, flush_card, hidden_fields, nothing,
    select, text_field, tick, told, told_step,
};
use crate::icon::Icon;
use crate::shell::{Place, Shell};

/// What the page shows.
#[derive(Debug, Clone, Default)]
pub struct Profile {
    /// The kinds of identity of the project.
    pub namespaces: Vec<String>,
    /// The kind that was asked for.
    pub namespace: Option<String>,
    /// The identity that was asked for; it stands in the form that asks for more of the same person.
    pub identity: String,
    /// Whether the viewer may see real values.
    pub may_reveal: bool,
    /// Whether they were asked for.
    pub is_revealed: bool,
    /// What came of it.
    pub found: Found,
    /// Where the data went, if it was asked.
    pub files: Option<Files>,
}

/// What came of a look-up.
#[derive(Debug, Clone, Default)]
pub enum Found {
    /// Nothing was asked.
    #[default]
    NotAsked,
    /// Nobody has the identity.
    Nobody,
    /// It could not be looked for: why, and what to do, in English.
    Failed(String, Option<String>),
    /// One person.
    Person(Box<Person>),
}

/// One person, as far as the viewer may see.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Person {
    /// Fields with their masked values and the dataset each came from.
    pub fields: Vec<Field>,
    /// The datasets that were merged.
    pub datasets: Vec<String>,
    /// The segments of the project.
    pub memberships: Vec<Membership>,
    /// Segments besides them, which were not asked.
    pub segments_left_out: u64,
}

/// Where somebody's data went.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Files {
    /// The files that the data went out in, those of the latest slot first.
    pub sent: Vec<Sent>,
    /// Delivered runs of which it is not known.
    pub not_known: Vec<NotKnown>,
    /// Since when each delivered run has a record; nothing if the last one has none.
    pub recorded_since: Option<Timestamp>,
    /// For how many days records are kept.
    pub kept_days: u64,
    /// Where the files go on, if there are more.
    pub next: Option<String>,
}

/// A delivered run of which it is not known whose data it sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotKnown {
    /// The run's id.
    pub run: String,
    /// The segment and the activation.
    pub of: String,
    /// When it was delivered.
    pub at: Option<Timestamp>,
    /// Why, in the word of the API.
    pub why: String,
    /// How many of its rows do not tell whose they are.
    pub rows: u64,
}

/// A field of a profile.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Field {
    /// The path.
    pub path: String,
    /// The value, masked.
    pub value: String,
    /// The dataset that it came from.
    pub origin: String,
}

/// How somebody stands in a segment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Membership {
    /// The segment's key.
    pub key: String,
    /// The segment's name.
    pub name: String,
    /// Whether the person is in it.
    pub is_member: bool,
    /// The conditions of the rule that decided.
    pub decided_by: Vec<String>,
}

/// A file that somebody's data went out in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sent {
    /// The run's id.
    pub run: String,
    /// The address of the file.
    pub address: String,
    /// The segment, the activation and the destination.
    pub of: String,
    /// The version of the object, where the bucket keeps versions.
    pub version: Option<String>,
    /// The headers of the file.
    pub columns: Vec<String>,
    /// When it became visible.
    pub at: Option<Timestamp>,
}

impl Profile {
    /// Draws the page. The identity is posted, so it never stands in an address, a log or a history.
    pub fn draw(&self, shell: &Shell) -> Markup {
        let lang = shell.lang();
        let head = Head {
            crumbs: &[],
            title: lang.profiles_title(),
            beside: nothing(),
            lead: html! { (lang.profile_lead()) },
            actions: nothing(),
        };
        let content = html! {
            (head.draw(lang))
            div class="stack" {
                section class="card" { div class="body" { (self.form(shell)) } }
                @match &self.found {
                    Found::NotAsked => {},
                    Found::Nobody => {
                        section class="card" {
                            (empty(Icon::Search, lang.profile_missing(), lang.profile_missing_text(), &nothing()))
                        }
                        (self.files(shell))
                    },
                    Found::Failed(why, hint) => {
                        (Note { tone: Tone::Bad, title: html! { (lang.problem_other()) }, detail: told(lang, why), next_step: told_step(lang, hint.as_deref()), actions: nothing() }.draw(lang))
                    },
                    Found::Person(person) => (person.draw(shell, self)),
                }
            }
        };
        shell.page(Some(Place::Profiles), lang.profiles_title(), &content)
    }

    /// Asks for the files behind those that are shown. The identity is posted again, as it was the first
    /// time.
    fn older_files(&self, shell: &Shell, next: &str) -> Markup {
        let namespace = self.namespace.as_deref().unwrap_or_default();
        let mut fields = vec![
            ("csrf", shell.csrf()),
            ("namespace", namespace),
            ("identity", &self.identity),
            ("files", next),
        ];
        if self.is_revealed {
            fields.push(("reveal", "yes"));
        }
        html! {
            footer class="row" {
                form method="post" action=(Place::Profiles.url()) {
                    (hidden_fields(&fields))
                    button class="button small" { (shell.lang().older_files()) (Icon::Next.draw()) }
                }
            }
        }
    }

    /// Where the data went, and of which runs that is not known.
    fn files(&self, shell: &Shell) -> Markup {
        let Some(files) = &self.files else { return nothing() };
        let (lang, locale) = (shell.lang(), &shell.locale);
        let list = html! {
            ul class="list" {
                @for sent in &files.sent {
                    li {
                        div {
                            a class="main" href=(run_url(&sent.run)) { (sent.address) }
                            span class="under" { (sent.of) }
                            @if let Some(version) = &sent.version { span class="under" { (lang.object_version()) " " code { (version) } } }
                            span class="under" { (lang.sent_columns(&sent.columns.join(", "))) }
                        }
                        @if let Some(at) = sent.at { span class="muted small" { (moment(locale, at)) } }
                    }
                }
                @if files.sent.is_empty() { li { span class="muted" { (lang.sent_to_empty()) } } }
                @for gap in &files.not_known {
                    li {
                        div {
                            a class="main" href=(run_url(&gap.run)) { (lang.sent_not_known()) }
                            span class="under" { (gap.of) }
                            span class="under" { (gap.why(shell)) }
                        }
                        @if let Some(at) = gap.at { span class="muted small" { (moment(locale, at)) } }
                    }
                }
            }
            @if let Some(next) = &files.next { (self.older_files(shell, next)) }
        };
        let since = html! {
            p {
                @match files.recorded_since {
                    Some(since) => { (lang.sent_recorded_since(&locale.date_time(since))) " " }
                    None => {}
                }
                (lang.sent_kept(files.kept_days))
            }
        };
        flush_card(lang.sent_to(), &since, &list)
    }

    fn form(&self, shell: &Shell) -> Markup {
        let lang = shell.lang();
        let choice =
            |namespace: &String| Choice { value: namespace.clone(), text: namespace.clone() };
        let choices: Vec<Choice> = self.namespaces.iter().map(choice).collect();
        html! {
            form method="post" action=(Place::Profiles.url()) class="filters lookup" autocomplete="off" {
                (hidden_fields(&[("csrf", shell.csrf())]))
                (select("namespace", lang.namespace(), lang.any_namespace(), &choices, self.namespace.as_deref()))
                (text_field("identity", lang.identity()).required().draw())
                @if self.may_reveal { (tick("reveal", lang.show_values(), lang.show_values_hint(), false)) }
                button class="button primary" { (Icon::Search.draw()) (lang.look_up()) }
            }
            p class="muted small" { (lang.identity_hint()) }
        }
    }
}

impl Person {
    fn draw(&self, shell: &Shell, page: &Profile) -> Markup {
        let lang = shell.lang();
        let (tone, title, detail) = match page.is_revealed {
            true => (Tone::Warn, lang.values_shown(), lang.values_shown_hint()),
            false => (Tone::Idle, lang.masked(), lang.masked_hint()),
        };
        let masked = Note {
            tone,
            title: html! { (title) },
            detail: html! { (detail) },
            next_step: None,
            actions: nothing(),
        };
        html! {
            (masked.draw(lang))
            div class="columns wide-left" {
                (self.fields(shell))
                (self.memberships(shell))
            }
            (page.files(shell))
        }
    }

    fn fields(&self, shell: &Shell) -> Markup {
        let lang = shell.lang();
        let row = |field: &Field| {
            vec![
                html! { code { (field.path) } },
                html! { (field.value) },
                html! { span class="muted" { (field.origin) } },
            ]
        };
        let table = Table {
            caption: lang.profile_fields(),
            columns: &[
                Column::words(lang.name()),
                Column::words(lang.value()),
                Column::tied(lang.field_origin()),
            ],
            rows: self.fields.iter().map(row).collect(),
            empty: lang.none(),
        };
        let beside = html! { p { (lang.datasets_of(&self.datasets.join(", "))) } };
        flush_card(lang.profile_fields(), &beside, &table.draw())
    }

    fn memberships(&self, shell: &Shell) -> Markup {
        let lang = shell.lang();
        let list = html! {
            ul class="list" {
                @for membership in &self.memberships {
                    li {
                        div {
                            a class="main" href=(segment_url(&membership.key)) { (membership.name) }
                            @for condition in &membership.decided_by { code class="under" { (condition) } }
                        }
                        @if membership.is_member { (badge(Tone::Ok, lang.is_member())) } @else { (badge(Tone::Idle, lang.not_a_member())) }
                    }
                }
            }
        };
        let more = html! {
            @if self.segments_left_out > 0 { p { (lang.segments_not_asked(self.segments_left_out)) } }
        };
        flush_card(lang.memberships(), &more, &list)
    }
}

impl NotKnown {
    fn why(&self, shell: &Shell) -> String {
        let lang = shell.lang();
        match self.why.as_str() {
            "expired" => lang.record_expired().to_owned(),
            "damaged" => lang.record_damaged().to_owned(),
            "nameless" => lang.record_nameless(self.rows),
            _ => lang.record_missing().to_owned(),
        }
    }
}
