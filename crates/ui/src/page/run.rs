//! One run: what came of it, step by step, who was left out, and where its files are.

mod live;
mod stop;

pub use live::{Live, Phase, Progress};
pub(super) use stop::GUARD;
pub use stop::Stop;

use jiff::{SignedDuration, Timestamp};
use maud::{Markup, html};

use super::activation::Waits;
use super::{RunStatus, activation_url, destination_url, maybe, moment, run_url, segment_url};
use crate::chart::share;
use crate::component::{
    Column, Head, Note, Table, Tone, card, copyable, dialog, facts, flush_card, hidden_fields,
    link_button, nothing, text_field,
};
use crate::icon::Icon;
use crate::shell::{Place, Shell};
use crate::words::Lang;

/// What the page of a run shows.
#[derive(Debug, Clone)]
pub struct Run {
    /// Its id.
    pub id: String,
    /// The segment's key and name.
    pub segment: Named,
    /// The activation's key.
    pub activation: String,
    /// The destination's key and name.
    pub destination: Named,
    /// When it was due.
    pub slot: Timestamp,
    /// Where it stands.
    pub status: RunStatus,
    /// When it is tried again by itself, at the earliest.
    pub next_attempt: Option<Timestamp>,
    /// What it waits for, of one that has not begun.
    pub waits: Option<Waits>,
    /// The run that has to be over before it begins.
    pub behind: Option<String>,
    /// Why it did not go on.
    pub stop: Option<Stop>,
    /// How far it is, while it goes on.
    pub live: Option<Live>,
    /// What happened, in order.
    pub steps: Vec<Step>,
    /// From members to rows, once it is known.
    pub people: Option<People>,
    /// How the set moved, of an incremental run.
    pub movement: Option<Movement>,
    /// Its objects, the manifest last.
    pub files: Vec<File>,
    /// What it read.
    pub inputs: Vec<Input>,
    /// Which rows it sends.
    pub export: Export,
    /// How often it was begun.
    pub attempts: u64,
    /// What the viewer may do about it.
    pub may: May,
}

/// A thing with a key and a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Named {
    /// As it stands in addresses.
    pub key: String,
    /// As people call it.
    pub name: String,
}

/// What can be done about a run.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct May {
    /// Try a failed run again.
    pub retry: bool,
    /// Send the segment again, as it is now.
    pub again: bool,
    /// Make the files that were delivered again.
    pub replay: bool,
    /// Let a blocked run go on.
    pub release: bool,
    /// Throw a blocked run away.
    pub reject: bool,
}

/// Which rows are sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Export {
    /// All members.
    Full,
    /// Those who joined or left.
    Incremental,
    /// Those, and whose attributes changed.
    Changes,
}

impl Export {
    pub(crate) fn name(self, lang: Lang) -> &'static str {
        match self {
            Self::Full => lang.export_full(),
            Self::Incremental => lang.export_incremental(),
            Self::Changes => lang.export_changes(),
        }
    }
}

/// A step of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Step {
    /// Which one.
    pub kind: StepKind,
    /// How it went: `Idle` for what has not come yet.
    pub tone: Tone,
    /// When it was done.
    pub at: Option<Timestamp>,
    /// How long it took.
    pub took: Option<SignedDuration>,
}

/// The steps of a run, in order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StepKind {
    /// A worker has it.
    Claimed,
    /// Its input is pinned, its rows are selected and uploaded.
    Staged,
    /// Its commit record is written: it only goes forward.
    Committed,
    /// Its files are visible.
    Delivered,
}

/// How many came in and went out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct People {
    /// Members of the segment.
    pub received: u64,
    /// Those who were left out, by the code of the reason.
    pub excluded: Vec<(String, u64)>,
    /// Rows sent.
    pub activated: u64,
}

/// How the set moved since the last delivery.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Movement {
    /// Joined.
    pub added: u64,
    /// Attributes changed.
    pub changed: u64,
    /// Left.
    pub removed: u64,
}

/// An object of a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct File {
    /// Whether it is the manifest.
    pub is_manifest: bool,
    /// The name without folder.
    pub name: String,
    /// The whole address: `s3://bucket/key`, or a path.
    pub address: String,
    /// Rows in it.
    pub rows: u64,
    /// Its size in bytes.
    pub bytes: u64,
    /// In lower-case hex.
    pub sha256: String,
    /// Whether it is visible.
    pub is_visible: bool,
    /// Whether it was looked at afterwards.
    pub is_verified: bool,
}

/// Something that a run read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Input {
    /// A path or an address.
    pub location: String,
    /// Its size in bytes.
    pub bytes: u64,
    /// What tells one content from another.
    pub version: String,
}

/// How a run stands, as a word in addresses: when it differs, the page is drawn anew.
pub fn standing(status: RunStatus, next_attempt: Option<Timestamp>) -> String {
    match next_attempt.filter(|_| status == RunStatus::Retrying) {
        Some(at) => format!("{}-{}", status.word(), at.as_second()),
        None => status.word().to_owned(),
    }
}

impl Run {
    /// Draws the page.
    pub fn draw(&self, shell: &Shell) -> Markup {
        let (lang, locale) = (shell.lang(), &shell.locale);
        let head = Head {
            crumbs: &[(lang.runs_title(), Place::Runs.url())],
            title: &self.segment.name,
            beside: self.status.badge(lang),
            lead: html! { (lang.run_lead(&locale.moment(self.slot).to_lowercase(), &self.destination.name)) },
            actions: self.actions(shell),
        };
        let content = html! {
            (head.draw(lang))
            div class="stack" {
                @if self.status == RunStatus::Retrying { (self.is_retried(shell)) }
                @if let Some(stop) = &self.stop { (stop.draw(shell, self)) }
                @if self.status == RunStatus::Waiting { (self.waits(shell)) }
                @if let Some(live) = &self.live { (live.draw(shell, self)) }
                div class="columns wide-left" {
                    div class="stack" { (self.people(shell)) (self.files(shell)) (self.inputs(shell)) }
                    div class="stack" { (self.trail(shell)) (self.about(shell)) }
                }
            }
        };
        shell.page(Some(Place::Runs), &self.segment.name, &content)
    }

    /// Where the server tells how far it is, until it stands otherwise than now.
    fn live_url(&self) -> String {
        format!("/runs/{}/live?seen={}", self.id, standing(self.status, self.next_attempt))
    }

    fn waits(&self, shell: &Shell) -> Markup {
        let lang = shell.lang();
        let due = |slot: Timestamp| shell.locale.moment(slot).to_lowercase();
        let (title, text) = match self.waits {
            None | Some(Waits::Turn) => (lang.waiting_title(), lang.waiting_text().to_owned()),
            Some(Waits::Slot(slot)) => {
                (lang.waiting_behind_title(), lang.waiting_behind(&due(slot)))
            }
            Some(Waits::HeldSlot(slot)) => {
                (lang.waiting_behind_title(), lang.waiting_behind_held(&due(slot)))
            }
            Some(waits) => (lang.not_begun(), lang.waiting_for(&waits.text(shell))),
        };
        let run = self.behind.as_deref();
        let note = Note {
            tone: Tone::Live,
            title: html! { (title) },
            detail: html! { (text) " " (lang.page_follows()) },
            next_step: None,
            actions: run.map_or_else(nothing, |run| {
                link_button(&run_url(run), None, lang.waiting_behind_open(), "small")
            }),
        };
        html! { div data-live=(self.live_url()) { (note.draw(lang)) } }
    }

    fn is_retried(&self, shell: &Shell) -> Markup {
        let lang = shell.lang();
        let later = self.next_attempt.filter(|at| *at > shell.locale.now);
        let detail = later.map_or_else(
            || lang.run_retrying_now().to_owned(),
            |at| lang.run_retrying_at(&shell.locale.moment(at).to_lowercase()),
        );
        let note = Note {
            tone: Tone::Live,
            title: html! { (lang.run_retrying_title()) },
            detail: html! { (detail) },
            next_step: None,
            actions: nothing(),
        };
        html! { div data-live=(self.live_url()) { (note.draw(lang)) } }
    }

    fn actions(&self, shell: &Shell) -> Markup {
        let lang = shell.lang();
        let ask = |id: &str, icon: Icon, texts: [&str; 3], class: &str| {
            let [name, title, text] = texts;
            let fields = hidden_fields(&[("csrf", shell.csrf())]);
            let opener = html! { (icon.draw()) (name) };
            dialog(
                lang,
                id,
                (class, &opener),
                title,
                &html! {
                    p { (text) }
                    @if id == "reject" { (text_field("reason", lang.reject_reason()).hint(lang.reject_reason_hint()).draw()) }
                },
                (
                    &format!("/runs/{}/{id}", self.id),
                    &fields,
                    &html! { button class={ "button " (if class == "danger" { "danger" } else { "primary" }) } { (name) } },
                ),
            )
        };
        html! {
            @if self.may.reject { (ask("reject", Icon::Cross, [lang.reject(), lang.reject_title(), lang.reject_text()], "danger")) }
            @if self.may.release { (ask("release", Icon::Next, [lang.release(), lang.release_title(), lang.release_text()], "primary")) }
            @if self.may.replay { (ask("replay", Icon::Check, [lang.replay(), lang.replay_title(), lang.replay_text()], "")) }
            @if self.may.again { (ask("again", Icon::Retry, [lang.send_again(), lang.send_again_title(), lang.send_again_text()], "")) }
            @if self.may.retry { (ask("retry", Icon::Retry, [lang.retry(), lang.retry_title(), lang.retry_text()], "primary")) }
        }
    }

    fn people(&self, shell: &Shell) -> Markup {
        let (lang, locale) = (shell.lang(), &shell.locale);
        let Some(people) = &self.people else {
            if self.live.is_none() {
                return nothing();
            }
            return card(
                lang.people(),
                &nothing(),
                &html! { p class="muted" { (lang.counts_later()) } },
            );
        };
        let line = |class: &str, text: &str, count: u64| {
            html! {
                li class=(class) {
                    span { (text) }
                    span class="count" { (locale.number(count)) }
                    (share(count, people.received.max(people.activated)))
                }
            }
        };
        let body = html! {
            ul class="funnel" {
                (line("", lang.received(), people.received))
                @for (reason, count) in &people.excluded { (line("reason warn", &reason_text(lang, reason), *count)) }
                (line("ok", lang.activated(), people.activated))
            }
            @if people.excluded.is_empty() { p class="muted small" { (lang.nobody_left_out()) } }
        };
        let moved = html! {
            @if let Some(movement) = self.movement {
                p class="number" {
                    "+" (locale.number(movement.added)) " " (lang.added().to_lowercase())
                    " · " (locale.number(movement.changed)) " " (lang.changed().to_lowercase())
                    " · −" (locale.number(movement.removed)) " " (lang.removed().to_lowercase())
                }
            }
        };
        card(lang.people(), &moved, &body)
    }

    fn files(&self, shell: &Shell) -> Markup {
        let (lang, locale) = (shell.lang(), &shell.locale);
        let row = |file: &File| {
            vec![
                html! {
                    (copyable(lang, &file.name, &file.address, lang.address()))
                    span class="under" { @if file.is_manifest { (lang.manifest()) " · " } (state_of(lang, file)) }
                },
                maybe((!file.is_manifest).then(|| locale.number(file.rows))),
                html! { (locale.size(file.bytes)) },
                copyable(
                    lang,
                    file.sha256.get(..10).unwrap_or(&file.sha256),
                    &file.sha256,
                    lang.checksum(),
                ),
            ]
        };
        let empty = match self.status {
            RunStatus::Running | RunStatus::Waiting | RunStatus::Late => lang.files_later(),
            _ => lang.files_none(),
        };
        let table = Table {
            caption: lang.files_title(),
            columns: &[
                Column::words(lang.file()),
                Column::numbers(lang.rows_head()),
                Column::numbers(lang.size()),
                Column::tied(lang.checksum()),
            ],
            rows: self.files.iter().map(row).collect(),
            empty,
        };
        let data = self.files.iter().filter(|file| !file.is_manifest);
        let total: u64 = data.map(|file| file.bytes).sum();
        let beside = html! { @if total > 0 { p { (locale.size(total)) } } };
        flush_card(lang.files_title(), &beside, &table.draw())
    }

    fn inputs(&self, shell: &Shell) -> Markup {
        let (lang, locale) = (shell.lang(), &shell.locale);
        if self.inputs.is_empty() {
            return nothing();
        }
        let row = |input: &Input| {
            vec![
                html! { code { (input.location) } },
                html! { (locale.size(input.bytes)) },
                html! { code class="small" { (input.version) } },
            ]
        };
        let table = Table {
            caption: lang.inputs(),
            columns: &[
                Column::words(lang.input()),
                Column::numbers(lang.size()),
                Column::words(lang.input_version()),
            ],
            rows: self.inputs.iter().map(row).collect(),
            empty: lang.inputs_none(),
        };
        flush_card(lang.inputs(), &nothing(), &table.draw())
    }

    fn trail(&self, shell: &Shell) -> Markup {
        let (lang, locale) = (shell.lang(), &shell.locale);
        let body = html! {
            ol class="trail" {
                @for step in &self.steps {
                    li class=(step.tone.class()) {
                        span class="dot" { (dot(step.tone)) }
                        b { (step.kind.name(lang)) }
                        span class="took" { @if let Some(took) = step.took { (locale.duration(took)) } }
                        @if let Some(at) = step.at { p { (locale.clock(at)) } }
                    }
                }
            }
        };
        let beside = html! { @if self.attempts > 1 { p { (lang.attempts(self.attempts)) } } };
        card(lang.steps(), &beside, &body)
    }

    fn about(&self, shell: &Shell) -> Markup {
        let (lang, locale) = (shell.lang(), &shell.locale);
        let short = self.id.get(..8).unwrap_or(&self.id);
        let body = facts(&[
            (
                lang.activation(),
                html! { a href=(activation_url(&self.activation)) { (self.activation) } },
            ),
            (
                lang.segment(),
                html! { a href=(segment_url(&self.segment.key)) { (self.segment.name) } },
            ),
            (
                lang.destination(),
                html! { a href=(destination_url(&self.destination.key)) { (self.destination.name) } },
            ),
            (lang.due(), moment(locale, self.slot)),
            (lang.export_kind(), html! { (self.export.name(lang)) }),
            (lang.run_id(), copyable(lang, short, &self.id, lang.run_id())),
            (
                lang.command_line(),
                copyable(
                    lang,
                    &format!("segue show {short}"),
                    &format!("segue show {}", self.id),
                    lang.command_line(),
                ),
            ),
        ]);
        card(lang.about_run(), &nothing(), &body)
    }
}

impl StepKind {
    fn name(self, lang: Lang) -> &'static str {
        match self {
            Self::Claimed => lang.step_claimed(),
            Self::Staged => lang.step_staged(),
            Self::Committed => lang.step_committed(),
            Self::Delivered => lang.step_delivered(),
        }
    }
}

fn dot(tone: Tone) -> Markup {
    match tone {
        Tone::Ok => Icon::Check.draw(),
        Tone::Bad => Icon::Cross.draw(),
        Tone::Warn => Icon::Pause.draw(),
        Tone::Live | Tone::Idle => nothing(),
    }
}

fn state_of(lang: Lang, file: &File) -> &'static str {
    match (file.is_visible, file.is_verified) {
        (true, true) => lang.verified(),
        (true, false) => lang.visible(),
        (false, _) => lang.staged(),
    }
}

/// The words for a reason under which profiles are left out.
pub(crate) fn reason_text(lang: Lang, code: &str) -> String {
    let said = match code {
        "duplicate" => lang.reason_duplicate(),
        "no_identity" => lang.reason_unidentified(),
        "repeated_identity" => lang.reason_repeated(),
        "too_many_identities" => lang.reason_too_many_identities(),
        "too_many_records" => lang.reason_too_many_records(),
        "unchanged" => lang.reason_unchanged(),
        "formula" => lang.reason_formula(),
        "consent" => lang.reason_consent(),
        _ => match code.split_once(':') {
            Some(("missing", column)) => return lang.reason_missing(column),
            Some(("no_identity", dataset)) => return lang.reason_no_identity(dataset),
            _ => code,
        },
    };
    said.to_owned()
}
