//! The pages, one module each: what it shows as a struct, and how it is drawn.

pub mod account;
pub mod activate;
pub mod activation;
pub mod activations;
pub mod audit;
pub mod calendar;
pub mod connect;
pub mod destination;
pub mod destinations;
pub mod editing;
pub mod fields;
pub mod home;
pub mod message;
pub mod profile;
pub mod rule;
pub mod run;
pub mod runs;
pub mod segment;
pub mod segments;
pub mod settings;
pub mod sign_in;
pub mod wizard;

use jiff::{SignedDuration, Timestamp};
use maud::{Markup, html};

use crate::component::{Tone, badge};
use crate::locale::Locale;
use crate::words::Lang;

/// Where a run stands, as a person sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RunStatus {
    /// It is due and has not begun.
    Waiting,
    /// It reads and stages; nothing is visible.
    Running,
    /// Its files become visible.
    Publishing,
    /// Its files are visible, whole.
    Delivered,
    /// Nothing was sent, for a reason.
    Skipped,
    /// Nothing is visible.
    Failed,
    /// Nothing is visible, and it is tried again.
    Retrying,
    /// It waits for a person.
    Blocked,
    /// It is due for longer than expected.
    Late,
}

impl RunStatus {
    /// Its colour.
    pub fn tone(self) -> Tone {
        match self {
            Self::Waiting | Self::Skipped => Tone::Idle,
            Self::Running | Self::Publishing => Tone::Live,
            Self::Delivered => Tone::Ok,
            Self::Failed => Tone::Bad,
            Self::Retrying | Self::Blocked | Self::Late => Tone::Warn,
        }
    }

    /// Its name.
    pub fn name(self, lang: Lang) -> &'static str {
        match self {
            Self::Waiting => lang.state_waiting(),
            Self::Running => lang.state_running(),
            Self::Publishing => lang.state_publishing(),
            Self::Delivered => lang.state_delivered(),
            Self::Skipped => lang.state_skipped(),
            Self::Failed => lang.state_failed(),
            Self::Retrying => lang.state_retrying(),
            Self::Blocked => lang.state_blocked(),
            Self::Late => lang.state_late(),
        }
    }

    /// The word for it in addresses.
    pub fn word(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Running => "running",
            Self::Publishing => "publishing",
            Self::Delivered => "delivered",
            Self::Skipped => "skipped",
            Self::Failed => "failed",
            Self::Retrying => "retrying",
            Self::Blocked => "blocked",
            Self::Late => "late",
        }
    }

    /// Its name with its colour.
    pub fn badge(self, lang: Lang) -> Markup {
        badge(self.tone(), self.name(lang))
    }
}

/// A run in a list.
#[derive(Debug, Clone)]
pub struct RunLine {
    /// Its id, as it stands in addresses.
    pub id: String,
    /// The segment's name.
    pub segment: String,
    /// The activation's key.
    pub activation: String,
    /// The destination's name.
    pub destination: String,
    /// Where it stands.
    pub status: RunStatus,
    /// When it was due.
    pub slot: Timestamp,
    /// Rows sent, once they are known.
    pub rows: Option<u64>,
    /// Data files, and their size in bytes.
    pub files: u64,
    /// Bytes of the data files.
    pub bytes: u64,
    /// How long it took, or takes.
    pub duration: Option<SignedDuration>,
}

impl RunLine {
    /// The address of its page.
    pub fn url(&self) -> String {
        run_url(&self.id)
    }
}

/// The address of a run's page.
pub fn run_url(id: &str) -> String {
    format!("/runs/{id}")
}

/// The address of a segment's page.
pub fn segment_url(key: &str) -> String {
    format!("/segments/{key}")
}

/// The address of a destination's page.
pub fn destination_url(key: &str) -> String {
    format!("/destinations/{key}")
}

/// The address of an account's page.
pub fn account_url(key: &str) -> String {
    format!("/accounts/{key}")
}

/// The address of an activation's page.
pub fn activation_url(key: &str) -> String {
    format!("/activations/{key}")
}

/// A link to the thing that a row or an entry is about, with something below it.
fn entry(url: &str, text: &str, under: &str) -> Markup {
    html! {
        a class="main" href=(url) { (text) }
        @if !under.is_empty() { span class="under" { (under) } }
    }
}

/// An instant as the distance from now, with the exact time where it is pointed at.
fn relative(locale: &Locale, at: Timestamp) -> Markup {
    html! { time datetime=(at) title=(locale.date_time(at)) { (locale.relative(at)) } }
}

/// An instant as day and time.
fn moment(locale: &Locale, at: Timestamp) -> Markup {
    html! { time datetime=(at) { (locale.moment(at)) } }
}

/// A number, or nothing.
fn maybe(value: Option<String>) -> Markup {
    html! { @if let Some(value) = value { (value) } }
}
