//! `cargo xtask ear`: builds and runs khor-ear, the program that judges the music.

mod fingerprint;

use std::{fs, path::PathBuf};

use anyhow::{Context, Result, ensure};
use clap::Args;

use crate::{
    packages,
    process::{command, output, target},
    test::Outcome,
};

#[derive(Args, Default)]
#[command(disable_help_flag = true)]
pub(crate) struct EarArgs {
    /// Arguments for khor-ear; see `cargo xtask ear --help`
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    args: Vec<String>,
}

pub(crate) fn run(args: &EarArgs) -> Result<()> {
    packages::install(&[packages::BUILD])?;
    build()?;
    run_judge(&args.args)
}

/// Judges the music of all presets. Skips this if the judge has already passed with the same
/// inputs.
pub(crate) fn judge() -> Result<Outcome> {
    build()?;
    let (now, mark) = (fingerprint::of_the_music()?, mark());
    if fs::read_to_string(&mark).is_ok_and(|before| before == now) {
        return Ok(Outcome::Unchanged);
    }
    run_judge(&[])?;
    fs::write(mark, now).context("cannot write the fingerprint of the music")?;
    Ok(Outcome::Passed)
}

fn mark() -> PathBuf {
    target().join("ear/content-with")
}

/// Builds the whole workspace. For khor-ear alone, cargo would select other features of the
/// dependencies and build them again. Prints nothing to standard output, which is for the results.
fn build() -> Result<()> {
    eprintln!("building the judge");
    output(&mut command("cargo", ["build", "--workspace", "--all-targets", "--quiet"])).map(drop)
}

/// Runs khor-ear. Prints nothing else to standard output, because khor-ear may print JSON.
fn run_judge(args: &[String]) -> Result<()> {
    let judge = target().join("debug/khor-ear").display().to_string();
    let status = command(&judge, args).status().context("cannot start khor-ear")?;
    ensure!(status.success(), "the judge rejected the music ({status}); its output above has the reason");
    Ok(())
}
