//! Progress on a terminal: one line for each run, on stderr; nothing anywhere else.

use std::time::Duration;

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};

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
            "{spinner} {prefix}  {msg}  {human_pos} rows  {per_sec}  {elapsed}",
        );
        let bar = self.lines.add(ProgressBar::no_length());
        if let Ok(style) = style {
            bar.set_style(style);
        }
        bar.set_prefix(label.to_owned());
        bar.enable_steady_tick(Duration::from_millis(100));
        Line { bar }
    }
}

impl Line {
    /// Says what the run is doing.
    pub(crate) fn phase(&self, phase: &'static str) {
        self.bar.set_message(phase);
    }

    /// Counts rows that were written.
    pub(crate) fn rows(&self, rows: u64) {
        self.bar.inc(rows);
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}
