//! Prints on stdout and stderr, which may be a full disk, a closed pipe or a terminal that is gone.
//! The macros of the standard library would panic there.

use std::{
    fmt::Display,
    io::{self, ErrorKind, Write},
};

use anyhow::Context;

/// Prints text on stdout. A reader that has read enough, such as `head`, is no failure.
pub(super) fn print(text: impl Display) -> anyhow::Result<()> {
    let mut stdout = io::stdout().lock();
    outcome(write!(stdout, "{text}").and_then(|()| stdout.flush()))
}

/// Prints a line on stdout.
pub(super) fn print_line(line: impl Display) -> anyhow::Result<()> {
    print(format_args!("{line}\n"))
}

/// Whether something was printed on stdout.
pub(super) fn outcome(printed: io::Result<()>) -> anyhow::Result<()> {
    match printed {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        printed => printed.context("cannot write to the standard output"),
    }
}

/// Prints text on stderr if that is possible: the work is worth more than a remark about it.
pub(super) fn remark(text: impl Display) {
    let mut stderr = io::stderr().lock();
    let _ = write!(stderr, "{text}").and_then(|()| stderr.flush());
}
