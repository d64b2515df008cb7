//! How far it is, for who watches.

use std::{
    fmt::Display,
    time::{Duration, Instant},
};

use crate::{print::redraw, terminal::stderr_is_drawable};

/// Between two lines of progress.
const INTERVAL: Duration = Duration::from_millis(200);

/// One line on a terminal, redrawn.
pub struct Progress {
    wanted: bool,
    shown_at: Option<Instant>,
}

impl Progress {
    /// Shows progress only if it is `wanted` and stderr is a terminal that can redraw a line.
    pub fn new(wanted: bool) -> Self {
        Self { wanted: wanted && stderr_is_drawable(), shown_at: None }
    }

    /// Shows how many seconds are done, and `more`.
    pub fn show(&mut self, seconds: f64, more: impl Display) {
        if self.wanted && self.shown_at.is_none_or(|at| at.elapsed() >= INTERVAL) {
            self.shown_at = Some(Instant::now());
            redraw(&format!("{seconds:7.1} s{more}"));
        }
    }

    /// Takes the line away.
    pub fn clear(&self) {
        if self.shown_at.is_some() {
            redraw("");
        }
    }
}
