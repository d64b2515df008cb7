//! Prints to stdout and stderr without panicking. The macros of the standard library panic if
//! stdout is a file on a full disk, a closed pipe or a closed terminal.
//!
//! All output of the commands goes through this module. The output may contain text from an engine,
//! from another program at the engine's port, or from a file. This module therefore replaces
//! characters that control a terminal, change the direction of text, or are invisible ([`inert`]).

use std::{
    fmt::Display,
    io::{self, ErrorKind, Write},
};

use anyhow::Context;
use khor_proto::inert;
use serde::Serialize;

/// Prints text on stdout. A closed pipe is not an error, because its reader, such as `head`, has
/// read enough.
pub fn print(text: impl Display) -> anyhow::Result<()> {
    write_text(&inert::lines(&text.to_string()))
}

/// Prints a line on stdout.
pub fn print_line(line: impl Display) -> anyhow::Result<()> {
    print(format_args!("{line}\n"))
}

/// Prints a value as JSON on stdout. Escapes the characters that [`print()`] would replace, so that
/// the value does not change.
pub fn print_json(value: &impl Serialize) -> anyhow::Result<()> {
    let text = serde_json::to_string_pretty(value)?;
    write_text(&format!("{}\n", inert::json(&text)))
}

fn write_text(text: &str) -> anyhow::Result<()> {
    let mut stdout = io::stdout().lock();
    check_written(stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()))
}

/// Checks the result of printing on stdout. A closed pipe is not an error.
pub fn check_written(printed: io::Result<()>) -> anyhow::Result<()> {
    match printed {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        printed => printed.context("cannot write to the standard output"),
    }
}

/// Prints text on stderr. Ignores errors, because the command must continue even if nobody can read
/// its messages.
pub fn print_stderr(text: impl Display) {
    write_stderr(&inert::lines(&text.to_string()));
}

/// Replaces the last line on stderr with `line`. stderr must be a terminal.
pub fn redraw_line(line: &str) {
    write_stderr(&format!("\r{}\x1b[K", inert::line(line)));
}

fn write_stderr(text: &str) {
    let mut stderr = io::stderr().lock();
    let _ = stderr.write_all(text.as_bytes()).and_then(|()| stderr.flush());
}
