//! How far it is, for who watches.

use std::{
    fmt::Display,
    io::IsTerminal,
    time::{Duration, Instant},
};

/// Between two lines of progress.
const INTERVAL: Duration = Duration::from_millis(200);

/// One line on a terminal, redrawn.
pub(super) struct Progress {
    wanted: bool,
    shown_at: Option<Instant>,
}

impl Progress {
    /// Shows nothing unless stderr is a terminal and it is `wanted`.
    pub(super) fn new(wanted: bool) -> Self {
        Self { wanted: wanted && std::io::stderr().is_terminal(), shown_at: None }
    }

    /// Shows how many seconds are done, and `more`.
    pub(super) fn show(&mut self, seconds: f64, more: impl Display) {
        if self.wanted && self.shown_at.is_none_or(|at| at.elapsed() >= INTERVAL) {
            self.shown_at = Some(Instant::now());
            eprint!("\r{seconds:7.1} s{more}");
        }
    }

    /// Takes the line away.
    pub(super) fn clear(&self) {
        if self.shown_at.is_some() {
            eprint!("\r\x1b[K");
        }
    }
}
