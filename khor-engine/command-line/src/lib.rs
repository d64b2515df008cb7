//! The parts that the command lines of khor's programs share.
//!
//! [`print`] prints without panicking. [`progress`] redraws a line, if the [`terminal`] can do
//! this. [`interrupt`] handles Ctrl-C. [`systemd`] notifies systemd. [`number`], [`address`] and
//! [`path`] parse arguments.

// `println!` panics if the disk is full or the terminal is closed. `print` does not.
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
pub const AFTER_HELP: &str = "Exit codes: 0 success, 1 failure (see the error message), 2 invalid arguments.
KHOR_LOG (or RUST_LOG) sets the log level, for example debug.";

/// Parses the command line, starts the log with the default filter `log`, and runs the program.
/// Prints the error if the program fails.
pub fn run<Cli: Parser>(log: &str, program: impl FnOnce(Cli) -> anyhow::Result<ExitCode>) -> ExitCode {
    parse_and_run(log, program).unwrap_or_else(|error| {
        // The error may quote a peer or a file, so its active characters are replaced. The standard
        // library would print them.
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
