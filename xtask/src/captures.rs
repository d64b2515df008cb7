//! `cargo xtask captures [NAME…]`: records the captures of the release, on this kernel, under real
//! loads.

use anyhow::Result;
use clap::Args;

use crate::{
    process::{as_root, succeed},
    release,
};

#[derive(Args)]
pub(crate) struct CapturesArgs {
    /// Which, such as download; all if none is named
    names: Vec<String>,
    /// How busy the machine may be before each load, per cent of all CPUs
    #[arg(long, value_name = "PERCENT")]
    quiet: Option<f64>,
    /// Minutes to wait for that, for each
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
