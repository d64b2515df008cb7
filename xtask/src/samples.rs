//! `cargo xtask samples`: renders the sound samples of the documents into docs/sounds.

use anyhow::Result;

use crate::{
    packages,
    process::{command, succeed},
    release,
};

pub(crate) fn run() -> Result<()> {
    packages::install(&[packages::BUILD, packages::SAMPLES])?;
    succeed(&mut release::build(&["-p", "khor-engine", "--example", "samples"])?)?;
    succeed(&mut command::<&str>(&release::program("examples/samples"), []))
}
