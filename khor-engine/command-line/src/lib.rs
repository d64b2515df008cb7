//! The parts that the command lines of khor's programs share.
//!
//! [`print`] prints without panicking. [`progress`] redraws a line of the terminal, and
//! [`terminal`] detects whether a terminal supports this. [`interrupt`] handles Ctrl-C. [`systemd`]
//! notifies systemd. [`number`], [`address`] and [`path`] parse arguments.

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

/// The text at the end of each program's help.
pub const AFTER_HELP: &str = "Exit codes: 0 success, 1 failure (see the error message), 2 invalid arguments.
KHOR_LOG (or RUST_LOG) sets the log level, for example debug.";

/// Parses the command line, starts the log with the default filter `log`, and runs the program.
/// Prints the error if the program fails.
pub fn run<Cli: Parser>(log: &str, program: impl FnOnce(Cli) -> anyhow::Result<ExitCode>) -> ExitCode {
    parse_and_run(log, program).unwrap_or_else(|error| {
        print::print_stderr(format_args!("error: {}\n", one_line(&error)));
        ExitCode::FAILURE
    })
}

/// Formats the error and its causes on one line. Omits a cause that the text already contains.
fn one_line(error: &anyhow::Error) -> String {
    error.chain().map(ToString::to_string).fold(String::new(), |line, cause| match &*line {
        "" => cause,
        line if line.contains(&cause) => line.to_owned(),
        line => format!("{line}: {cause}"),
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

#[cfg(test)]
mod tests {
    use anyhow::anyhow;

    use super::one_line;

    #[test]
    fn error_and_causes_fit_one_line() {
        let error = anyhow!("no such file").context("a.khor: no such file").context("cannot read a.khor");
        assert_eq!(one_line(&error), "cannot read a.khor: a.khor: no such file");
        assert_eq!(one_line(&anyhow!("no such file")), "no such file");
    }
}
