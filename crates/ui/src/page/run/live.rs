//! How far a run is, while it goes on: drawn once, then told by the server what to change.

use jiff::SignedDuration;
use maud::{Markup, html};

use super::Run;
use crate::component::{card, nothing};
use crate::locale::{Locale, ratio};
use crate::shell::Shell;

/// What a run is doing.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Phase {
    /// No row is there yet: records are merged, rules evaluated.
    #[default]
    Preparing,
    /// Rows become files, and files are sent.
    Sending,
    /// All bytes are there, and the files are made visible.
    Publishing,
}

/// How far a run is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Live {
    /// What it is doing.
    pub phase: Phase,
    /// Rows in files so far, sent or not.
    pub rows: u64,
    /// Bytes sent.
    pub bytes: u64,
    /// About how many bytes there will be.
    pub expected: Option<u64>,
    /// Parts that the service has taken.
    pub parts: u64,
    /// Since it began.
    pub elapsed: SignedDuration,
    /// Since its first row.
    pub sending: SignedDuration,
}

/// What is written where: names of places in the page with their texts.
pub type Progress = Vec<(&'static str, String)>;

impl Live {
    /// Part of a whole in percent, as far as something is known to compare with.
    fn percent(&self) -> Option<u8> {
        if self.phase != Phase::Sending {
            return None;
        }
        let expected = self.expected.filter(|expected| *expected > 0)?;
        let percent = ratio(self.bytes, expected) * 100.0;
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "between 0 and 99"
        )]
        Some(percent.clamp(0.0, 99.0) as u8)
    }

    /// Bytes in a second, since the first row.
    fn rate(&self) -> u64 {
        let milliseconds = u64::try_from(self.sending.as_millis()).unwrap_or(0);
        self.bytes.saturating_mul(1_000).checked_div(milliseconds).unwrap_or(0)
    }

    /// How long it will go on to send, if it goes on as it did.
    fn left(&self) -> Option<SignedDuration> {
        self.percent()?;
        let bytes = self.expected?.saturating_sub(self.bytes);
        // What is left of less than a second is the last answer, of which nobody knows when it comes.
        let seconds = bytes.checked_div(self.rate())?.max(1);
        i64::try_from(seconds).ok().map(SignedDuration::from_secs)
    }

    /// What to write into a page that shows this run.
    pub fn progress(&self, locale: &Locale) -> Progress {
        let (percent, left) = (self.percent(), self.left());
        let doing = match self.phase {
            Phase::Preparing => locale.lang.preparing(),
            Phase::Sending => locale.lang.sending(),
            Phase::Publishing => locale.lang.publishing(),
        };
        let percent_text = percent.map(|percent| locale.percent(f64::from(percent) / 100.0));
        vec![
            (
                "percent",
                percent_text
                    .map_or_else(|| doing.to_owned(), |percent| format!("{percent} · {doing}")),
            ),
            ("bar", percent.map(|percent| percent.to_string()).unwrap_or_default()),
            ("rows", locale.number(self.rows)),
            ("bytes", locale.size(self.bytes)),
            ("parts", locale.number(self.parts)),
            ("rate", format!("{}/s", locale.size(self.rate()))),
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
                progress data-bind="bar" max="100" value=[self.percent()] aria-label=(lang.progress()) {}
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

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use jiff::tz::TimeZone;

    use super::*;
    use crate::words::Lang;

    fn told(live: Live) -> Vec<(&'static str, String)> {
        let locale = Locale { lang: Lang::En, zone: TimeZone::UTC, now: Timestamp::UNIX_EPOCH };
        let shown = ["percent", "bar", "rate", "left"];
        let all = live.progress(&locale);
        all.into_iter().filter(|(name, _)| shown.contains(name)).collect()
    }

    fn texts(live: Live) -> [String; 4] {
        let texts: Vec<String> = told(live).into_iter().map(|(_, text)| text).collect();
        texts.try_into().unwrap()
    }

    #[test]
    fn how_far_it_is_follows_what_was_sent_and_not_what_was_read() {
        let second = SignedDuration::from_secs(1);
        let sending = Live { phase: Phase::Sending, rows: 1_000, ..Live::default() };
        assert_eq!(texts(Live::default()), ["Preparing rows", "", "0\u{a0}B/s", "–"]);
        assert_eq!(
            texts(sending),
            ["Sending", "", "0\u{a0}B/s", "–"],
            "nothing is known of the whole"
        );
        // Every row was read in the first second.
        let slow =
            Live { bytes: 2_000_000, expected: Some(20_000_000), sending: second * 2, ..sending };
        assert_eq!(texts(slow), ["10% · Sending", "10", "1.0\u{a0}MB/s", "18\u{a0}s"]);
        let slower = Live { bytes: 15_000_000, sending: second * 30, ..slow };
        assert_eq!(texts(slower), ["75% · Sending", "75", "500\u{a0}kB/s", "10\u{a0}s"]);
        let last = Live { bytes: 20_000_000, sending: second * 40, ..slow };
        assert_eq!(texts(last), ["99% · Sending", "99", "500\u{a0}kB/s", "1.0\u{a0}s"]);
        let over = Live { phase: Phase::Publishing, ..last };
        assert_eq!(texts(over), ["Making files visible", "", "500\u{a0}kB/s", "–"]);
    }
}
