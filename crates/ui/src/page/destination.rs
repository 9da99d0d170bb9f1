//! One destination: the connection, what was found by checking it, and what to paste where.

mod objects;

use jiff::Timestamp;
use maud::{Markup, html};

pub(super) use objects::encryption;
pub use objects::{Objects, Reader};

use super::destinations::{Grade, Preset};
use super::editing::Editing;
use super::segment::from_files;
use super::{RunLine, account_url, activation_url, entry, runs};
use crate::component::{
    Column, Head, Note, Table, Tone, badge, card, code_block, copyable, facts, flush_card,
    hidden_fields, kind, link_button, nothing, row_of, told,
};
use crate::icon::Icon;
use crate::shell::{Place, Shell};
use crate::words::Lang;

/// What the page of a destination shows.
#[derive(Debug, Clone)]
pub struct Destination {
    /// Its key.
    pub key: String,
    /// Whether it stands in the project file, and is changed there.
    pub is_in_file: bool,
    /// Its name.
    pub name: String,
    /// The address that its files begin with.
    pub address: String,
    /// What kind of service it is.
    pub preset: Preset,
    /// The bucket, or the folder of this machine.
    pub bucket: String,
    /// The folder, with macros.
    pub folder: String,
    /// The account's key.
    pub account: String,
    /// How requests are signed.
    pub auth: Auth,
    /// The region, if it is given.
    pub region: Option<String>,
    /// `csv`, `tsv`, `json`, `parquet`, with extension.
    pub file_format: String,
    /// `gzip`, `zstd`, `zip`, if any.
    pub compression: Option<String>,
    /// Whether a manifest is published.
    pub manifest: bool,
    /// What objects are written with.
    pub objects: Objects,
    /// What is promised there.
    pub grade: Option<Grade>,
    /// What was found when it was checked.
    pub check: Option<Check>,
    /// How it is changed here; nothing where it is not.
    pub editing: Option<Editing>,
    /// Whether the viewer may check it.
    pub may_check: bool,
    /// Whether the viewer may activate segments to it.
    pub may_activate: bool,
    /// Documents to paste, as title and JSON.
    pub policies: Vec<Policy>,
    /// The activations that go there.
    pub activations: Vec<Use>,
    /// The newest runs that went there.
    pub recent: Vec<RunLine>,
}

/// How requests are signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Auth {
    /// An access key, with its public half.
    Keys(String),
    /// A role, with its external id.
    Role {
        /// The role.
        arn: String,
        /// What its trust policy asks for, if anything.
        external_id: Option<String>,
    },
    /// What the machine offers.
    Chain,
}

/// What was found when it was checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Check {
    /// When.
    pub at: Timestamp,
    /// Permission by permission.
    pub findings: Vec<Finding>,
    /// What else is worth knowing, in English.
    pub notes: Vec<String>,
    /// Why nothing was found, if the service could not be asked.
    pub failure: Option<String>,
}

/// What was found of a permission.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// `s3:PutObject`.
    pub action: String,
    /// The resource.
    pub resource: String,
    /// Whether nothing is delivered without it.
    pub is_required: bool,
    /// Whether it is granted, if that can be told.
    pub is_granted: Option<bool>,
    /// What the service said: status, code, request id.
    pub answer: String,
    /// What does not work without it, in English.
    pub without: String,
}

/// A document to paste.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    /// Which one.
    pub kind: PolicyKind,
    /// Its text.
    pub json: String,
}

/// What a document is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PolicyKind {
    /// What the user or role may do.
    Permissions,
    /// Who may assume the role.
    Trust,
}

/// An activation that goes there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Use {
    /// Its key.
    pub key: String,
    /// How many segments it sends.
    pub segments: u64,
}

impl Destination {
    /// Draws the page.
    pub fn draw(&self, shell: &Shell) -> Markup {
        let lang = shell.lang();
        let head = Head {
            crumbs: &[(lang.destinations_title(), Place::Destinations.url())],
            title: &self.name,
            beside: kind(self.preset.name(lang)),
            lead: copyable(lang, &self.address, &self.address, lang.address()),
            actions: html! {
                @if let Some(editing) = &self.editing { (editing.draw(shell)) }
                @if self.may_activate { (link_button(&format!("/activate?destination={}", self.key), Some(Icon::Activations), lang.activate(), "")) }
                @if self.may_check {
                    form method="post" action={ "/destinations/" (self.key) "/check" } data-stream={ "/destinations/" (self.key) "/check/live" } {
                        (hidden_fields(&[("csrf", shell.csrf())]))
                        button class="button primary" { (Icon::Shield.draw()) (lang.check_now()) }
                    }
                }
            },
        };
        let content = html! {
            (head.draw(lang))
            div class="stack" {
                @if let Some(check) = &self.check { (check.verdict(lang)) }
                div class="columns wide-left" {
                    div class="stack" {
                        @if self.may_check || self.check.is_some() { (self.permissions(shell)) }
                        @if !self.recent.is_empty() { (flush_card(lang.recent_runs(), &nothing(), &runs::table(shell, lang.recent_runs(), &self.recent, runs::Under::Nothing))) }
                        @for policy in &self.policies { (policy.draw(lang)) }
                    }
                    div class="stack" { (self.promise(shell)) (self.connection(shell)) (self.uses(shell)) }
                }
            }
        };
        shell.page(Some(Place::Destinations), &self.name, &content)
    }

    fn permissions(&self, shell: &Shell) -> Markup {
        let lang = shell.lang();
        let findings =
            self.check.as_ref().map(|check| check.findings.as_slice()).unwrap_or_default();
        let table = Table {
            caption: lang.check_title(),
            columns: &columns(lang),
            rows: findings.iter().map(|finding| finding.cells(lang).to_vec()).collect(),
            empty: lang.check_empty(),
        };
        let beside = html! {
            p { @match &self.check { Some(check) => (lang.checked_when(&shell.locale.relative(check.at))), None => (lang.check_hint()) } }
        };
        let body = html! { div id="permissions" aria-live="polite" { (table.draw()) } };
        flush_card(lang.check_title(), &beside, &body)
    }

    fn promise(&self, shell: &Shell) -> Markup {
        let lang = shell.lang();
        let body = html! {
            div class="with-grade" {
                (Grade::draw(self.grade, lang))
                p {
                    @match self.grade { Some(grade) => (grade.promise(lang)), None => (lang.grade_unknown_text()) }
                }
            }
        };
        card(lang.grade(), &nothing(), &body)
    }

    fn connection(&self, shell: &Shell) -> Markup {
        let lang = shell.lang();
        let mut all = vec![(lang.service(), html! { (self.preset.name(lang)) })];
        if self.preset == Preset::Folder {
            all.push((lang.location(), html! { code class="address" { (self.bucket) } }));
        } else {
            let account = html! { a href=(account_url(&self.account)) { (self.account) } };
            all.push((lang.account(), account));
            all.extend(self.auth.facts(lang));
            all.push((lang.bucket(), html! { code { (self.bucket) } }));
        }
        if !self.folder.is_empty() {
            all.push((lang.folder(), html! { code { (self.folder) } }));
        }
        if let Some(region) = &self.region {
            all.push((lang.region(), html! { (region) }));
        }
        all.push((lang.file_format(), html! { (self.file_format) }));
        if let Some(compression) = &self.compression {
            all.push((lang.compression(), html! { (compression) }));
        }
        all.push((lang.manifest(), html! { (if self.manifest { lang.yes() } else { lang.no() }) }));
        all.extend(self.objects.facts(lang, self.preset == Preset::Folder));
        card(
            lang.facts_title(),
            &nothing(),
            &html! { (facts(&all)) @if self.is_in_file { (from_files(shell)) } },
        )
    }

    fn uses(&self, shell: &Shell) -> Markup {
        let lang = shell.lang();
        if self.activations.is_empty() {
            return card(
                lang.activated_here(),
                &nothing(),
                &html! { p class="muted" { (lang.activated_here_empty()) } },
            );
        }
        let list = html! {
            ul class="list" {
                @for each in &self.activations {
                    li {
                        div { (entry(&activation_url(&each.key), &each.key, "")) }
                        span class="muted small" { (lang.segments(each.segments)) }
                    }
                }
            }
        };
        flush_card(lang.activated_here(), &nothing(), &list)
    }
}

impl Check {
    fn verdict(&self, lang: Lang) -> Markup {
        let missing = self
            .findings
            .iter()
            .filter(|finding| finding.is_required && finding.is_granted != Some(true))
            .count();
        let missing = u64::try_from(missing).unwrap_or(u64::MAX);
        let is_ready = missing == 0 && self.failure.is_none();
        let title = match (&self.failure, is_ready) {
            (Some(_), _) => lang.stop_denied().to_owned(),
            (None, true) => lang.check_ready().to_owned(),
            (None, false) => lang.check_not_ready(missing),
        };
        let note = Note {
            tone: if is_ready { Tone::Ok } else { Tone::Bad },
            title: html! { (title) },
            detail: html! {
                @if let Some(failure) = &self.failure { (told(lang, failure)) " " }
                @for note in &self.notes { (told(lang, note)) " " }
            },
            next_step: (missing > 0).then(|| html! { (lang.check_not_ready_do()) }),
            actions: nothing(),
        };
        note.draw(lang)
    }
}

/// The columns of the table of permissions.
fn columns(lang: Lang) -> [Column<'static>; 3] {
    [
        Column::words(lang.permission()),
        Column::tied(lang.result()),
        Column::words(lang.without_it()),
    ]
}

impl Finding {
    /// Draws it as a row, as soon as it is known.
    pub fn row(&self, lang: Lang) -> Markup {
        row_of(&columns(lang), &self.cells(lang), &self.action)
    }

    /// Draws it as a row while it is being tried.
    pub fn waiting_row(&self, lang: Lang) -> Markup {
        let [action, _, _] = self.cells(lang);
        row_of(
            &columns(lang),
            &[action, badge(Tone::Live, lang.being_tried()), nothing()],
            &self.action,
        )
    }

    fn cells(&self, lang: Lang) -> [Markup; 3] {
        [
            html! { code { (self.action) } code class="under" { (self.resource) } },
            self.badge(lang),
            html! {
                @if self.is_granted != Some(true) && !self.without.is_empty() { (told(lang, &self.without)) }
                @if !self.answer.is_empty() { span class="under" { (self.answer) } }
            },
        ]
    }

    fn badge(&self, lang: Lang) -> Markup {
        match (self.is_granted, self.is_required) {
            (Some(true), _) => badge(Tone::Ok, lang.granted()),
            (Some(false), true) => badge(Tone::Bad, lang.missing()),
            (Some(false), false) => {
                html! { (badge(Tone::Warn, lang.missing())) span class="under" { (lang.optional()) } }
            }
            (None, _) => badge(Tone::Idle, lang.cannot_tell()),
        }
    }
}

impl Policy {
    fn draw(&self, lang: Lang) -> Markup {
        let (title, what) = match self.kind {
            PolicyKind::Permissions => (lang.policy(), lang.policy_what()),
            PolicyKind::Trust => (lang.trust_policy(), lang.trust_what()),
        };
        let hint =
            html! { @if self.kind == PolicyKind::Permissions { p { (lang.policy_hint()) } } };
        card(title, &hint, &code_block(lang, &self.json, &html! { (self.json) }, what))
    }
}
