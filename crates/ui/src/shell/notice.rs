//! What came of the last thing that the viewer did, at the top of the page that follows.

use maud::{Markup, html};

use crate::component::{Note, Tone, nothing, told, told_step};
use crate::words::Lang;

/// Something that was done, by the word that a cookie carries to the next page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Said {
    /// Runs were asked for.
    RunAsked,
    /// An activation was paused.
    Paused,
    /// An activation was enabled.
    Enabled,
    /// A user was made.
    UserAdded,
    /// A user was changed.
    UserChanged,
    /// A user was removed.
    UserRemoved,
    /// A token was revoked.
    TokenRevoked,
    /// A form made its token before, and showed it then.
    TokenShown,
    /// The viewer signed out.
    SignedOut,
    /// Something was saved.
    Saved,
    /// Something was removed.
    Removed,
    /// A run that a guard stopped was ended.
    Rejected,
    /// Where alerts are told was set.
    ChannelsSet,
    /// The files of a run were made again, and put back.
    PutBack,
    /// They were made again, and are still where they were delivered.
    StillThere,
}

impl Said {
    /// All of them.
    pub const ALL: [Self; 15] = [
        Self::RunAsked,
        Self::Paused,
        Self::Enabled,
        Self::UserAdded,
        Self::UserChanged,
        Self::UserRemoved,
        Self::TokenRevoked,
        Self::TokenShown,
        Self::SignedOut,
        Self::Saved,
        Self::Removed,
        Self::Rejected,
        Self::ChannelsSet,
        Self::PutBack,
        Self::StillThere,
    ];

    /// The word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::RunAsked => "run-asked",
            Self::Paused => "paused",
            Self::Enabled => "enabled",
            Self::UserAdded => "user-added",
            Self::UserChanged => "user-changed",
            Self::UserRemoved => "user-removed",
            Self::TokenRevoked => "token-revoked",
            Self::TokenShown => "token-shown",
            Self::SignedOut => "signed-out",
            Self::Saved => "saved",
            Self::Removed => "removed",
            Self::Rejected => "rejected",
            Self::ChannelsSet => "channels-set",
            Self::PutBack => "put-back",
            Self::StillThere => "still-there",
        }
    }

    /// What a word stands for.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|said| said.as_str() == word)
    }

    fn tone(self) -> Tone {
        match self {
            Self::TokenShown => Tone::Warn,
            _ => Tone::Ok,
        }
    }

    /// Says it.
    pub fn text(self, lang: Lang) -> &'static str {
        match self {
            Self::RunAsked => lang.said_run_asked(),
            Self::Paused => lang.said_paused(),
            Self::Enabled => lang.said_enabled(),
            Self::UserAdded => lang.said_user_added(),
            Self::UserChanged => lang.said_user_changed(),
            Self::UserRemoved => lang.said_user_removed(),
            Self::TokenRevoked => lang.said_token_revoked(),
            Self::TokenShown => lang.said_token_shown(),
            Self::SignedOut => lang.said_signed_out(),
            Self::Saved => lang.said_saved(),
            Self::Removed => lang.said_removed(),
            Self::Rejected => lang.said_rejected(),
            Self::ChannelsSet => lang.said_channels_set(),
            Self::PutBack => lang.said_put_back(),
            Self::StillThere => lang.said_still_there(),
        }
    }
}

/// What came of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Notice {
    /// It was done.
    Done(Said),
    /// It was not done.
    Problem {
        /// The word of the problem in the API.
        code: String,
        /// What is wrong, in English.
        detail: String,
        /// What to do next, in English.
        hint: Option<String>,
    },
}

impl Notice {
    pub(crate) fn draw(&self, lang: Lang) -> Markup {
        match self {
            Self::Done(said) => {
                let note = Note {
                    tone: said.tone(),
                    title: html! { (said.text(lang)) },
                    detail: nothing(),
                    next_step: None,
                    actions: nothing(),
                };
                html! { div class="notice" role="status" { (note.draw(lang)) } }
            }
            Self::Problem { code, detail, hint } => {
                let step = told_step(lang, hint.as_deref());
                let note = Note {
                    tone: Tone::Bad,
                    title: html! { (title(lang, code)) },
                    detail: told(lang, detail),
                    next_step: step,
                    actions: nothing(),
                };
                html! { div class="notice" role="alert" { (note.draw(lang)) } }
            }
        }
    }
}

/// What kind of problem it is.
pub(crate) fn title(lang: Lang, code: &str) -> &'static str {
    match code {
        "forbidden" => lang.not_allowed(),
        "cross_site" => lang.problem_old_form(),
        "not_found" => lang.problem_gone(),
        "conflict" | "precondition_failed" | "idempotency_mismatch" => lang.problem_conflict(),
        "activation_disabled" => lang.problem_paused(),
        "invalid_value" | "malformed_request" | "unknown_parameter" | "too_large" => {
            lang.problem_value()
        }
        "read_only" => lang.defined_in_files(),
        "too_many_requests" => lang.problem_too_many(),
        "project_invalid" => lang.problem_project(),
        "service_refused" => lang.stop_denied(),
        "unavailable" => lang.problem_later(),
        "internal" => lang.problem_internal(),
        _ => lang.problem_other(),
    }
}
