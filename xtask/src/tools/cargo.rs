//! Installs tools with cargo.

use std::path::PathBuf;

use anyhow::{Context, Result};

use super::home;
use crate::process::{command, find_program, succeed};

/// Folder of LLVM 22's programs, which is added to `PATH` for every build. The build of bpf-linker
/// needs it to find LLVM's libraries. Other builds ignore it.
const LLVM: &str = "/usr/lib/llvm-22/bin";

/// A tool from crates.io.
pub(super) struct Tool {
    pub(super) name: &'static str,
    pub(super) version: &'static str,
    /// Options of `cargo install` for this tool.
    pub(super) options: &'static [&'static str],
}

pub(super) fn folder() -> PathBuf {
    home().join("cargo/bin")
}

impl Tool {
    /// The path of the tool. If the tool is missing, builds it without optimisation. The shorter
    /// build saves more time than optimised tools would.
    pub(super) fn get(&self) -> Result<String> {
        let ours = folder().join(self.name);
        if let Some(found) = find_program(self.name).or_else(|| ours.is_file().then(|| ours.clone())) {
            return Ok(found.display().to_string());
        }
        let root = home().join("cargo").display().to_string();
        let mut install = command("cargo", ["install", "--debug", "--locked", "--root", &root]);
        install.args(["--version", self.version]).args(self.options).arg(self.name);
        let path = std::env::var("PATH").unwrap_or_default();
        install.env("PATH", format!("{LLVM}:{path}")).env("CARGO_PROFILE_DEV_DEBUG", "false");
        succeed(&mut install).with_context(|| format!("cannot install {}", self.name))?;
        Ok(ours.display().to_string())
    }
}
