//! Slots of an activation that are not over, and what each of them waits for.

use jiff::Timestamp;
use maud::{Markup, html};

use crate::component::{flush_card, nothing};
use crate::page::run_url;
use crate::shell::Shell;

/// A slot that is not over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenSlot {
    /// The segment's name.
    pub segment: String,
    /// The time.
    pub slot: Timestamp,
    /// The run's id, once there is one.
    pub run: Option<String>,
    /// What it waits for; nothing while it runs.
    pub waits: Option<Waits>,
}

/// What something that is due waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Waits {
    /// An earlier slot of the same segment.
    Slot(Timestamp),
    /// An earlier slot of the same segment that a person has to decide about.
    HeldSlot(Timestamp),
    /// A person has to decide about its run.
    Decision,
    /// The time of its next attempt.
    Time(Timestamp),
    /// As many runs go on as may.
    Turn,
    /// Its activation is disabled.
    Pause,
    /// An evaluation of its segment.
    Evaluation,
}

impl Waits {
    /// Says it in a sentence.
    pub fn text(self, shell: &Shell) -> String {
        let (lang, locale) = (shell.lang(), &shell.locale);
        match self {
            Self::Slot(slot) => lang.waits_slot(&locale.date_time(slot)),
            Self::HeldSlot(slot) => lang.waits_held_slot(&locale.date_time(slot)),
            Self::Decision => lang.waits_decision().to_owned(),
            Self::Time(until) => lang.waits_time(&locale.date_time(until)),
            Self::Turn => lang.waits_turn().to_owned(),
            Self::Pause => lang.waits_pause().to_owned(),
            Self::Evaluation => lang.waits_evaluation().to_owned(),
        }
    }
}

/// Draws the card; nothing where every slot is over.
pub(super) fn card(shell: &Shell, slots: &[OpenSlot]) -> Markup {
    let (lang, locale) = (shell.lang(), &shell.locale);
    if slots.is_empty() {
        return html! {};
    }
    let list = html! {
        ol class="list" {
            @for slot in slots {
                li {
                    div {
                        b {
                            @match &slot.run {
                                Some(run) => a href=(run_url(run)) { (locale.moment(slot.slot)) },
                                None => (locale.moment(slot.slot)),
                            }
                        }
                        span class="under" {
                            (slot.segment) " · "
                            (slot.waits.map_or(lang.state_running().to_owned(), |waits| waits.text(shell)))
                        }
                    }
                }
            }
        }
    };
    flush_card(lang.open_slots(), &nothing(), &list)
}
