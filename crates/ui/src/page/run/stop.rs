//! Why a run did not go on, and what to do about it.

use maud::{Markup, html};

use super::Run;
use crate::component::{Note, Tone, link_button, nothing, ticked, told, told_behind, told_step};
use crate::page::{RunStatus, destination_url, segment_url};
use crate::shell::Shell;
use crate::words::Lang;

/// Why a run did not go on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stop {
    /// The word in the ledger.
    pub code: String,
    /// What was told then, in English.
    pub message: String,
    /// What to do about just that, in English, if it is known.
    pub hint: Option<String>,
}

/// What stands before the numbers that stopped a run, which the page says in its own words.
pub(in crate::page) const GUARD: &str = "the guard stopped the run: ";

impl Stop {
    pub(super) fn draw(&self, shell: &Shell, run: &Run) -> Markup {
        let lang = shell.lang();
        if let Some((who, reason)) = self.rejection() {
            return rejected(lang, who, reason);
        }
        let (title, what, step) = self.words(lang, run.status);
        let hint = told_step(lang, self.hint.as_deref());
        let message = self.message.strip_prefix(GUARD).unwrap_or(&self.message);
        let note = Note {
            tone: match run.status {
                RunStatus::Skipped => Tone::Idle,
                status => status.tone(),
            },
            title: html! { (title) },
            detail: html! {
                (what) "."
                @if run.status == RunStatus::Failed { " " (lang.run_failed_calm()) }
                @if self.code != "empty" { " (" (told_behind(lang, message)) ")" }
                @if let Some(at) = run.next_attempt.filter(|_| run.status == RunStatus::Blocked) {
                    " " (lang.run_blocked_again(&shell.locale.moment(at).to_lowercase()))
                }
            },
            next_step: hint.or_else(|| step.map(ticked)),
            actions: match self.code.as_str() {
                "connection" | "denied" | "refused" | "misdirected" | "cannot_see" => link_button(
                    &destination_url(&run.destination.key),
                    None,
                    &run.destination.name,
                    "small",
                ),
                "guard" => {
                    link_button(&segment_url(&run.segment.key), None, &run.segment.name, "small")
                }
                _ => nothing(),
            },
        };
        note.draw(lang)
    }

    /// Who rejected the run, and why.
    fn rejection(&self) -> Option<(&str, &str)> {
        let said = self.message.strip_prefix("rejected by ")?;
        said.split_once(": ").filter(|_| self.code == "rejected")
    }

    fn words(
        &self,
        lang: Lang,
        status: RunStatus,
    ) -> (&'static str, &'static str, Option<&'static str>) {
        let title = match status {
            RunStatus::Skipped => lang.run_skipped_title(),
            RunStatus::Blocked => lang.run_blocked_title(),
            RunStatus::Retrying => lang.attempt_failed_title(),
            _ => lang.run_failed_title(),
        };
        let (what, step) = match self.code.as_str() {
            "empty" => (lang.stop_empty(), None),
            "guard" => (lang.stop_guard(), Some(lang.stop_guard_do())),
            "connection" => (lang.stop_connection(), Some(lang.stop_denied_do())),
            "denied" | "refused" | "misdirected" => {
                (lang.stop_denied(), Some(lang.stop_denied_do()))
            }
            // It waits for its next attempt, or that is all there is to do.
            "temporary" if status == RunStatus::Retrying => (lang.stop_temporary(), None),
            "temporary" => (lang.stop_temporary(), Some(lang.stop_temporary_do())),
            "interrupted" => (lang.stop_interrupted(), Some(lang.stop_interrupted_do())),
            "quarantined" | "target_changed" => (lang.stop_foreign(), Some(lang.stop_foreign_do())),
            "cannot_see" | "unsettled" | "upload_lost" => {
                (lang.stop_unclear(), Some(lang.stop_unclear_do()))
            }
            "internal" => (lang.stop_internal(), Some(lang.stop_other_do())),
            "in_the_way" => (lang.stop_in_way(), Some(lang.stop_other_do())),
            _ => (lang.stop_other(), Some(lang.stop_other_do())),
        };
        (title, what, step)
    }
}

fn rejected(lang: Lang, who: &str, reason: &str) -> Markup {
    let note = Note {
        tone: Tone::Bad,
        title: html! { (lang.run_rejected_title()) },
        detail: html! { (lang.rejected_by(who)) " " (lang.run_failed_calm()) " (" (told(lang, reason)) ")" },
        next_step: Some(ticked(lang.stop_rejected_do())),
        actions: nothing(),
    };
    note.draw(lang)
}
