//! The tests that run in each machine, built by cargo as always.

use std::{
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use anyhow::{Context, Result};
use serde_json::Value;

use crate::process::{command, output};

/// Tests that run in the same machine, and what they need there.
#[derive(Debug)]
pub(super) struct Suite {
    /// Package and name of each.
    pub(super) tests: &'static [(&'static str, &'static str)],
    /// Tests whose names contain one of these are left out.
    pub(super) left_out: &'static [&'static str],
    /// The kernel's modules, beside those for the disk.
    pub(super) modules: &'static [&'static str],
    /// Files and folders of this machine, at the same place there.
    pub(super) files: &'static [&'static str],
}

/// Those that hold the collector's counts against the kernel's. What a program costs on an emulated processor means
/// nothing, and there is no systemd in these machines. The modules lose packets, and make disks that fail.
pub(super) const COUNTS: Suite = Suite {
    tests: &[("khor-collector", "kernel"), ("khor-collector", "process")],
    left_out: &["frugal", "that_systemd_opened"],
    modules: &["sch_netem", "sch_tbf", "loop"],
    files: &[],
};
/// Those that need the kernel's sequencer and a sound card: one that plays into its own other side. The first module is
/// what that kernel's ext4 needs without saying so.
pub(super) const SOUND: Suite = Suite {
    tests: &[("khor-engine", "alsa")],
    left_out: &[],
    modules: &["crc32c_generic", "snd_seq", "snd_hrtimer", "snd_aloop"],
    files: &[
        "/usr/share/alsa/alsa.conf",
        "/usr/share/alsa/cards",
        "/usr/share/alsa/ctl",
        "/usr/share/alsa/pcm",
    ],
};

/// What cargo built.
pub(super) struct Built {
    /// The tests, in the order in which they were asked for.
    pub(super) tests: Vec<PathBuf>,
    /// The programs that they start.
    pub(super) programs: Vec<PathBuf>,
    /// Where all of it lies, the place that the tests were told of when they were compiled.
    pub(super) profile: PathBuf,
}

/// Builds tests, if they are not built yet, each given by package and name, and the programs of their packages.
pub(super) fn build(tests: &[(&str, &str)]) -> Result<Built> {
    // The whole workspace, as `cargo xtask test` has built it: of packages alone, dependencies would have other features,
    // and be built once more.
    let all = ["test", "--workspace", "--no-run", "--message-format=json-render-diagnostics"];
    let mut artifacts = artifacts(&mut command("cargo", all))?;
    artifacts.retain(|artifact| tests.iter().any(|(package, _)| is_of(artifact, package)));
    let programs = programs(&artifacts);
    let tests = tests.iter().map(|(_, test)| {
        let found = artifacts.iter().find_map(|artifact| executable(artifact, "test", Some(test)));
        found.with_context(|| format!("cargo built no test {test}"))
    });
    let profile = programs.first().and_then(|program| program.parent()).context("cargo built no program")?;
    Ok(Built { tests: tests.collect::<Result<_>>()?, profile: profile.to_owned(), programs })
}

/// What cargo says that it made.
pub(super) fn artifacts(cargo: &mut Command) -> Result<Vec<Value>> {
    let messages = output(cargo.stderr(Stdio::inherit()))?;
    Ok(messages.lines().filter_map(|line| serde_json::from_str(line).ok()).collect())
}

/// The programs among it.
pub(super) fn programs(artifacts: &[Value]) -> Vec<PathBuf> {
    artifacts.iter().filter_map(|artifact| executable(artifact, "bin", None)).collect()
}

fn is_of(artifact: &Value, package: &str) -> bool {
    let manifest = artifact["manifest_path"].as_str().map(Path::new);
    manifest.is_some_and(|manifest| manifest.parent().is_some_and(|folder| folder.ends_with(package)))
}

/// The path of an executable of that kind and name, if the artifact is one.
fn executable(artifact: &Value, kind: &str, name: Option<&str>) -> Option<PathBuf> {
    let target = &artifact["target"];
    // A program's own tests are an executable of the same kind.
    let tests_itself = kind == "bin" && artifact["profile"]["test"] == true;
    let is_it = target["kind"][0] == kind && !tests_itself && name.is_none_or(|name| target["name"] == name);
    let path = artifact["executable"].as_str().filter(|_| is_it)?;
    Some(Path::new(path).to_owned())
}
