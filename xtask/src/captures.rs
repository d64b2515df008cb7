//! `cargo xtask captures [NAME…]`: records the captures that khor ships, on this kernel and under
//! real loads.

use anyhow::Result;
use clap::Args;

use crate::{
    process::{as_root, succeed},
    release,
};

#[derive(Args)]
pub(crate) struct CapturesArgs {
    /// Names of captures, such as download [default: all]
    names: Vec<String>,
    /// Before each load, wait until the machine's CPU use is at most this many percent of all CPUs
    #[arg(long, value_name = "PERCENT")]
    quiet: Option<f64>,
    /// Before each load, wait for the CPU use of --quiet for at most this many minutes
    #[arg(long, value_name = "MINUTES")]
    patience: Option<u64>,
}

pub(crate) fn run(args: &CapturesArgs) -> Result<()> {
    let programs = ["-p", "khor", "-p", "khor-collector", "-p", "khor-e2e", "--bins"];
    succeed(&mut release::build(&programs)?)?;
    let mut recorder = as_root(&release::program("khor-captures"));
    recorder.args(&args.names);
    if let Some(quiet) = args.quiet {
        recorder.arg(format!("--quiet={quiet}"));
    }
    if let Some(patience) = args.patience {
        recorder.arg(format!("--patience={patience}"));
    }
    succeed(&mut recorder)
}
