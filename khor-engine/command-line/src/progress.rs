//! Shows the progress of a command in one line of the terminal.

use std::{
    fmt::Display,
    time::{Duration, Instant},
};

use crate::{print::redraw_line, terminal::stderr_is_drawable};

/// Shortest time between two updates of the line.
const INTERVAL: Duration = Duration::from_millis(200);

/// A line on the terminal that khor redraws to show progress.
pub struct ProgressLine {
    enabled: bool,
    shown_at: Option<Instant>,
}

impl ProgressLine {
    /// Creates a progress line. It shows something only if it is `enabled` and stderr is a terminal
    /// that can redraw a line.
    pub fn new(enabled: bool) -> Self {
        Self { enabled: enabled && stderr_is_drawable(), shown_at: None }
    }

    /// Shows a number of seconds (how long the command has run, or how much sound it has rendered),
    /// followed by the text `more`.
    pub fn show(&mut self, seconds: f64, more: impl Display) {
        if self.enabled && self.shown_at.is_none_or(|at| at.elapsed() >= INTERVAL) {
            self.shown_at = Some(Instant::now());
            redraw_line(&format!("{seconds:7.1} s{more}"));
        }
    }

    /// Clears the line.
    pub fn clear(&self) {
        if self.shown_at.is_some() {
            redraw_line("");
        }
    }
}
