//! `cargo xtask ear`: builds the judge of the music, optimised, and runs it.

use std::process::ExitStatus;

use anyhow::{Context, Result, ensure};
use clap::Args;

use crate::{
    packages,
    process::{command, output},
    release,
};

#[derive(Args, Default)]
#[command(disable_help_flag = true)]
pub(crate) struct EarArgs {
    /// Handed to the judge; see `cargo xtask ear --help`
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    args: Vec<String>,
}

pub(crate) fn run(args: &EarArgs) -> Result<()> {
    packages::install(&[packages::BUILD])?;
    build()?;
    // What it prints may be JSON: nothing of ours beside it.
    let status = command(&release::program("khor-ear"), &args.args).status().context("starting khor-ear")?;
    content(status)
}

/// Nothing of it goes to standard output.
pub(crate) fn build() -> Result<()> {
    eprintln!("building the judge, optimised");
    output(&mut release::build(&["--quiet", "--package", "khor-ear"])?).map(drop)
}

/// The whole judgement by the judge that was built, beside work that matters more: it gets what time the processors have
/// left (`SCHED_IDLE`; whoever is merely nicer still delays those that wake), and prints when it is done.
pub(crate) fn run_beside() -> Result<()> {
    let judge = release::program("khor-ear");
    let heard = command("chrt", ["--idle", "0", &judge]).output().context("starting khor-ear by chrt")?;
    print!("\nthe judge of the music:\n{}", String::from_utf8_lossy(&heard.stdout));
    eprint!("{}", String::from_utf8_lossy(&heard.stderr));
    content(heard.status)
}

fn content(status: ExitStatus) -> Result<()> {
    ensure!(status.success(), "the judge is not content ({status})");
    Ok(())
}
