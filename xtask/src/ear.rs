//! `cargo xtask ear`: builds the judge of the music, optimised, and runs it.

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
    eprintln!("building, optimised");
    output(&mut release::build(&["--quiet", "--package", "khor-ear"])?)?;
    // What it prints may be JSON: nothing of ours beside it.
    let status = command(&release::program("khor-ear"), &args.args).status().context("starting khor-ear")?;
    ensure!(status.success(), "the judge is not content ({status})");
    Ok(())
}
