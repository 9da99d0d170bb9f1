//! How far a run is, while it goes on: drawn once, then told by the server what to change.

use jiff::SignedDuration;
use maud::{Markup, html};

use super::Run;
use crate::component::{card, nothing};
use crate::locale::{Locale, ratio};
use crate::shell::Shell;

/// How far a run is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Live {
    /// Rows written so far.
    pub rows: u64,
    /// Rows that are expected: those of the last delivered run.
    pub expected: Option<u64>,
    /// Bytes sent.
    pub bytes: u64,
    /// Parts sent.
    pub parts: u64,
    /// Since it began.
    pub elapsed: SignedDuration,
}

/// What is written where: names of places in the page with their texts.
pub type Progress = Vec<(&'static str, String)>;

impl Live {
    /// Part of a whole in percent, as far as something is known to compare with.
    fn percent(&self) -> Option<u8> {
        let expected = self.expected.filter(|expected| *expected > 0)?;
        let percent = ratio(self.rows, expected) * 100.0;
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "between 0 and 99"
        )]
        Some(percent.clamp(0.0, 99.0) as u8)
    }

    /// What to write into a page that shows this run.
    pub fn progress(&self, locale: &Locale) -> Progress {
        let seconds = self.elapsed.as_secs().max(1).unsigned_abs();
        let rate = self.rows / seconds;
        let left = self
            .expected
            .filter(|_| rate > 0)
            .map(|expected| expected.saturating_sub(self.rows) / rate);
        let left =
            left.and_then(|seconds| i64::try_from(seconds).ok()).map(SignedDuration::from_secs);
        let percent = self.percent();
        vec![
            (
                "percent",
                percent.map_or_else(
                    || locale.lang.state_running().to_owned(),
                    |percent| locale.percent(f64::from(percent) / 100.0),
                ),
            ),
            ("bar", percent.unwrap_or(0).to_string()),
            ("rows", locale.number(self.rows)),
            ("bytes", locale.size(self.bytes)),
            ("parts", locale.number(self.parts)),
            ("rate", locale.short_number(rate)),
            ("elapsed", locale.duration(self.elapsed)),
            ("left", left.map_or_else(|| "–".to_owned(), |left| locale.duration(left))),
        ]
    }

    pub(super) fn draw(&self, shell: &Shell, run: &Run) -> Markup {
        let lang = shell.lang();
        let progress = self.progress(&shell.locale);
        let value = |name: &str| {
            let found = progress.iter().find(|(place, _)| *place == name);
            found.map(|(_, text)| text.clone()).unwrap_or_default()
        };
        let fact = |label: &str, name: &str| html! { div { dt { (label) } dd data-bind=(name) { (value(name)) } } };
        let body = html! {
            div class="under-way" data-live=(run.live_url()) {
                p class="big" data-bind="percent" { (value("percent")) }
                @match self.percent() {
                    Some(percent) => progress data-bind="bar" max="100" value=(percent) aria-label=(lang.progress()) {},
                    None => progress aria-label=(lang.progress()) {},
                }
                dl {
                    (fact(lang.rows_written(), "rows"))
                    (fact(lang.bytes_sent(), "bytes"))
                    (fact(lang.parts_sent(), "parts"))
                    (fact(lang.rate(), "rate"))
                    (fact(lang.elapsed(), "elapsed"))
                    (fact(lang.time_left(), "left"))
                }
            }
        };
        card(lang.progress(), &nothing(), &body)
    }
}
