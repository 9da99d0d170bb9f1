//! How far runs are: on a terminal one line for each, on stderr, and nothing anywhere else; in a server
//! a gauge for each, which pages and the API read.

use std::collections::HashMap;
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use delivery::measured::Sent;
use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressState, ProgressStyle};
use jiff::Timestamp;
use uuid::Uuid;

use crate::cli::table;

/// How often the line is redrawn.
const REDRAWS_PER_SECOND: u8 = 10;

/// Where the lines of several runs are drawn.
#[derive(Debug, Clone)]
pub(crate) struct Progress {
    lines: MultiProgress,
}

/// The line of one run.
#[derive(Debug, Clone)]
pub(crate) struct Line {
    bar: ProgressBar,
    gauge: Arc<Gauge>,
}

/// How far one run is.
#[derive(Debug, Default)]
pub(crate) struct Gauge {
    rows: AtomicU64,
    pub(crate) sent: Arc<Sent>,
    course: Mutex<Course>,
}

/// What a run is doing.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Phase {
    Connecting,
    #[default]
    Reading,
    Sealing,
    Committing,
    Publishing,
    CleaningUp,
}

impl Phase {
    fn word(self) -> &'static str {
        match self {
            Self::Connecting => "connecting",
            Self::Reading => "reading",
            Self::Sealing => "sealing",
            Self::Committing => "committing",
            Self::Publishing => "publishing",
            Self::CleaningUp => "cleaning up",
        }
    }
}

/// What is known of the whole.
#[derive(Debug, Clone, Copy, Default)]
struct Course {
    phase: Phase,
    /// When the first row came.
    since: Option<Timestamp>,
    /// About how many bytes all files will have.
    expected: Option<u64>,
    /// Whether every row is in a file: what was not begun to be sent until then is soon.
    is_written: bool,
}

/// What a gauge says.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Reading {
    pub(crate) phase: Phase,
    /// When the first row came.
    pub(crate) since: Option<Timestamp>,
    /// Rows in files, sent or not.
    pub(crate) rows: u64,
    pub(crate) bytes: u64,
    pub(crate) parts: u64,
    /// How many bytes there will be: about, while rows are read.
    pub(crate) expected: Option<u64>,
}

impl Gauge {
    fn read(&self) -> Reading {
        let course = *self.course();
        let (begun, bytes) = (self.sent.begun(), self.sent.bytes());
        let expected = match course.is_written {
            true => Some(begun),
            false => course.expected,
        };
        Reading {
            phase: course.phase,
            since: course.since,
            rows: self.rows.load(Ordering::Relaxed),
            bytes,
            parts: self.sent.parts(),
            expected: expected.map(|expected| expected.max(begun)),
        }
    }

    fn course(&self) -> MutexGuard<'_, Course> {
        self.course.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The gauges of the runs that are under way in this process.
#[derive(Debug, Default)]
pub(crate) struct Gauges {
    all: Mutex<HashMap<Uuid, Arc<Gauge>>>,
}

/// A run that is watched until this is dropped.
pub(crate) struct Watched<'a> {
    gauges: &'a Gauges,
    run_id: Uuid,
    pub(crate) gauge: Arc<Gauge>,
}

impl Gauges {
    /// Begins to watch a run.
    pub(crate) fn watch(&self, run_id: Uuid) -> Watched<'_> {
        let gauge = Arc::new(Gauge::default());
        self.locked().insert(run_id, Arc::clone(&gauge));
        Watched { gauges: self, run_id, gauge }
    }

    /// How far a run is, if it is under way here.
    pub(crate) fn read(&self, run_id: Uuid) -> Option<Reading> {
        let gauge = self.locked().get(&run_id).cloned()?;
        Some(gauge.read())
    }

    fn locked(&self) -> MutexGuard<'_, HashMap<Uuid, Arc<Gauge>>> {
        self.all.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Watched<'_> {
    fn drop(&mut self) {
        self.gauges.locked().remove(&self.run_id);
    }
}

impl Progress {
    /// Draws on stderr when it is a terminal.
    pub(crate) fn on_terminal() -> Self {
        Self {
            lines: MultiProgress::with_draw_target(ProgressDrawTarget::stderr_with_hz(
                REDRAWS_PER_SECOND,
            )),
        }
    }

    /// Draws nothing.
    pub(crate) fn hidden() -> Self {
        Self { lines: MultiProgress::with_draw_target(ProgressDrawTarget::hidden()) }
    }

    /// Begins a line.
    pub(crate) fn line(&self, label: &str) -> Line {
        let style = ProgressStyle::with_template(
            "{spinner} {prefix}  {msg}  {rows} rows  {pace}  {elapsed}",
        );
        let bar = self.lines.add(ProgressBar::no_length());
        if let Ok(style) = style {
            // Figures as everywhere else, which the library's own are not.
            let rows = |state: &ProgressState, out: &mut dyn fmt::Write| {
                let _ = out.write_str(&table::number(state.pos()));
            };
            let pace = |state: &ProgressState, out: &mut dyn fmt::Write| {
                let _ = write!(out, "{}/s", table::number(state.per_sec() as u64));
            };
            bar.set_style(style.with_key("rows", rows).with_key("pace", pace));
        }
        bar.set_prefix(label.to_owned());
        bar.enable_steady_tick(Duration::from_millis(100));
        Line { bar, gauge: Arc::default() }
    }
}

impl Line {
    /// Also moves a gauge.
    pub(crate) fn with_gauge(mut self, gauge: &Arc<Gauge>) -> Self {
        self.gauge = Arc::clone(gauge);
        self
    }

    /// Says what the run is doing.
    pub(crate) fn phase(&self, phase: Phase) {
        self.bar.set_message(phase.word());
        self.gauge.course().phase = phase;
    }

    /// Says that rows begin to come.
    pub(crate) fn begin_rows(&self, now: Timestamp) {
        self.gauge.course().since.get_or_insert(now);
    }

    /// Counts rows that were written. With them the rows so far are so many bytes; `expected` is about
    /// how many rows there will be.
    pub(crate) fn rows(&self, rows: u64, bytes: u64, expected: Option<u64>) {
        self.bar.inc(rows);
        let before = self.gauge.rows.fetch_add(rows, Ordering::Relaxed);
        let all =
            |expected: u64| u128::from(bytes) * u128::from(expected) / u128::from(before.max(1));
        let expected = expected.filter(|_| bytes > 0).map(all);
        self.gauge.course().expected = expected.and_then(|all| u64::try_from(all).ok());
    }

    /// Says that every row is in a file.
    pub(crate) fn all_written(&self) {
        self.gauge.course().is_written = true;
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_is_watched_while_it_is_under_way() {
        let (gauges, id) = (Gauges::default(), Uuid::from_u128(1));
        assert_eq!(gauges.read(id), None);
        {
            let watched = gauges.watch(id);
            let line = Progress::hidden().line("").with_gauge(&watched.gauge);
            let read = || gauges.read(id).unwrap();
            assert_eq!(read(), Reading::default());
            line.begin_rows(Timestamp::UNIX_EPOCH);
            line.rows(30, 0, Some(90));
            assert_eq!((read().rows, read().expected), (30, None), "none is a byte yet");
            line.rows(10, 300, Some(90));
            assert_eq!((read().rows, read().expected), (40, Some(900)));
            line.all_written();
            line.phase(Phase::Sealing);
            let since = Some(Timestamp::UNIX_EPOCH);
            let sealing = Reading { phase: Phase::Sealing, since, rows: 40, ..Reading::default() };
            assert_eq!(read(), Reading { expected: Some(0), ..sealing }, "as much as was begun");
        }
        assert_eq!(gauges.read(id), None, "it is over");
    }
}
