//! Why a run did not go on, and what to do about it.

use maud::{Markup, html};

use super::Run;
use crate::component::{Note, Tone, link_button, nothing, told};
use crate::page::{RunStatus, destination_url, segment_url};
use crate::words::Lang;

/// Why a run did not go on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stop {
    /// The word in the ledger.
    pub code: String,
    /// What was told then, in English.
    pub message: String,
}

impl Stop {
    pub(super) fn draw(&self, lang: Lang, run: &Run) -> Markup {
        let (title, what, step) = self.words(lang, run.status);
        let note = Note {
            tone: if run.status == RunStatus::Skipped { Tone::Idle } else { run.status.tone() },
            title: html! { (title) },
            detail: html! {
                (what) "."
                @if run.status == RunStatus::Failed { " " (lang.run_failed_calm()) }
                @if self.code != "empty" { " (" (told(lang, &self.message)) ")" }
            },
            next_step: step,
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

    fn words(
        &self,
        lang: Lang,
        status: RunStatus,
    ) -> (&'static str, &'static str, Option<&'static str>) {
        let title = match status {
            RunStatus::Skipped => lang.run_skipped_title(),
            RunStatus::Blocked => lang.run_blocked_title(),
            _ => lang.run_failed_title(),
        };
        let (what, step) = match self.code.as_str() {
            "empty" => (lang.stop_empty(), None),
            "guard" => (lang.stop_guard(), Some(lang.stop_guard_do())),
            "connection" => (lang.stop_connection(), Some(lang.stop_denied_do())),
            "denied" | "refused" | "misdirected" => {
                (lang.stop_denied(), Some(lang.stop_denied_do()))
            }
            "temporary" => (lang.stop_temporary(), Some(lang.stop_temporary_do())),
            "interrupted" => (lang.stop_interrupted(), Some(lang.stop_interrupted_do())),
            "quarantined" | "target_changed" => (lang.stop_foreign(), Some(lang.stop_foreign_do())),
            "cannot_see" | "unsettled" | "upload_lost" => {
                (lang.stop_unclear(), Some(lang.stop_unclear_do()))
            }
            _ => (lang.stop_other(), Some(lang.stop_other_do())),
        };
        (title, what, step)
    }
}
