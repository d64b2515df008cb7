//! What the command lines of khor's programs share.
//!
//! [`print`] prints without panicking and [`progress`] redraws a line, as far as the [`terminal`]
//! can. [`interrupt`] handles Ctrl-C, [`systemd`] talks to systemd, and [`number`], [`address`] and
//! [`path`] parse arguments.

// A full disk or a closed terminal must not end khor: `print` prints without panicking.
#![cfg_attr(not(test), warn(clippy::print_stdout, clippy::print_stderr))]

pub mod address;
pub mod interrupt;
pub mod number;
pub mod path;
pub mod print;
pub mod progress;
pub mod systemd;
pub mod terminal;

use std::{
    io::{self, Write},
    process::ExitCode,
};

use clap::Parser;

/// The end of each program's help.
pub const AFTER_HELP: &str = "Exit codes: 0 done, 1 failed (the message says why), 2 wrong usage.
KHOR_LOG or RUST_LOG selects the log records, such as debug.";

/// Parses the command line, starts the log with the filter `log`, and runs the program. Prints the
/// error if the program fails.
pub fn run<Cli: Parser>(log: &str, program: impl FnOnce(Cli) -> anyhow::Result<ExitCode>) -> ExitCode {
    parse_and_run(log, program).unwrap_or_else(|error| {
        // The standard library would print the error unchanged, and it may quote a peer or a file.
        print::print_stderr(format_args!("Error: {error:?}\n"));
        ExitCode::FAILURE
    })
}

fn parse_and_run<Cli: Parser>(
    log: &str,
    program: impl FnOnce(Cli) -> anyhow::Result<ExitCode>,
) -> anyhow::Result<ExitCode> {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(wrong) if wrong.use_stderr() => wrong.exit(),
        Err(help) => {
            print::check_written(help.print().and_then(|()| io::stdout().flush()))?;
            return Ok(ExitCode::SUCCESS);
        }
    };
    khor_log::start(log);
    program(cli)
}
