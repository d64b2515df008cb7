//! Prints to stdout and stderr without panicking. They may be a full disk, a closed pipe or a
//! closed terminal, where the macros of the standard library panic.

use std::{
    fmt::Display,
    io::{self, ErrorKind, Write},
};

use anyhow::Context;

/// Prints text on stdout. A closed pipe is not an error: the reader, such as `head`, has read
/// enough.
pub(super) fn print(text: impl Display) -> anyhow::Result<()> {
    let mut stdout = io::stdout().lock();
    outcome(write!(stdout, "{text}").and_then(|()| stdout.flush()))
}

/// Prints a line on stdout.
pub(super) fn print_line(line: impl Display) -> anyhow::Result<()> {
    print(format_args!("{line}\n"))
}

/// Checks the result of printing on stdout. A closed pipe is not an error.
pub(super) fn outcome(printed: io::Result<()>) -> anyhow::Result<()> {
    match printed {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        printed => printed.context("cannot write to the standard output"),
    }
}

/// Prints text on stderr. Ignores errors, because the command's work matters more than the remark.
pub(super) fn remark(text: impl Display) {
    let mut stderr = io::stderr().lock();
    let _ = write!(stderr, "{text}").and_then(|()| stderr.flush());
}
