//! How far runs are: on a terminal one line for each, on stderr, and nothing anywhere else; in a server
//! a gauge for each, which pages and the API read.

use std::collections::HashMap;
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use delivery::measured::Sent;
use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressState, ProgressStyle};
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
}

/// What a gauge says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Reading {
    pub(crate) rows: u64,
    pub(crate) bytes: u64,
    pub(crate) parts: u64,
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
        Some(Reading {
            rows: gauge.rows.load(Ordering::Relaxed),
            bytes: gauge.sent.bytes(),
            parts: gauge.sent.parts(),
        })
    }

    fn locked(&self) -> std::sync::MutexGuard<'_, HashMap<Uuid, Arc<Gauge>>> {
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
    pub(crate) fn phase(&self, phase: &'static str) {
        self.bar.set_message(phase);
    }

    /// Counts rows that were written.
    pub(crate) fn rows(&self, rows: u64) {
        self.bar.inc(rows);
        self.gauge.rows.fetch_add(rows, Ordering::Relaxed);
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
            line.rows(3);
            line.rows(4);
            assert_eq!(gauges.read(id), Some(Reading { rows: 7, bytes: 0, parts: 0 }));
        }
        assert_eq!(gauges.read(id), None, "it is over");
    }
}
