//! The progress of long work, on standard error when that is a terminal.

use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// How often it is drawn, times a second.
const DRAWS_PER_SECOND: u8 = 5;

/// How often a spinner moves.
const TICK: Duration = Duration::from_millis(200);

/// What is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unit {
    /// Bytes.
    Bytes,
    /// Records.
    Records,
}

/// A bar when the total is known, else a spinner.
#[derive(Debug)]
pub(crate) struct Progress(ProgressBar);

impl Progress {
    /// Shows nothing.
    pub(crate) fn hidden() -> Self {
        Self(ProgressBar::hidden())
    }

    /// Begins, with the total if it is known.
    pub(crate) fn begin(unit: Unit, total: Option<u64>) -> Self {
        let target = ProgressDrawTarget::stderr_with_hz(DRAWS_PER_SECOND);
        let bar = ProgressBar::with_draw_target(total, target);
        let template = match (unit, total) {
            (Unit::Bytes, Some(_)) => {
                "{bar:40} {bytes}/{total_bytes} {binary_bytes_per_sec}, {eta} left {msg}"
            }
            (Unit::Bytes, None) => "{spinner} {bytes} {binary_bytes_per_sec} {msg}",
            (Unit::Records, Some(_)) => "{bar:40} {pos}/{len} records, {per_sec}, {eta} left",
            (Unit::Records, None) => "{spinner} {pos} records, {per_sec}",
        };
        // A template that is wrong leaves the default one.
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style.progress_chars("=> "));
        }
        if total.is_none() && !bar.is_hidden() {
            bar.enable_steady_tick(TICK);
        }
        Self(bar)
    }

    /// So much more is done.
    pub(crate) fn add(&self, count: u64) {
        self.0.inc(count);
    }

    /// Writes a line for people, above the bar.
    pub(crate) fn tell(&self, line: &str) {
        self.0.suspend(|| eprintln!("ottla: {line}"));
    }

    /// Takes the bar away.
    pub(crate) fn end(&self) {
        self.0.finish_and_clear();
    }
}
