//! The tests that run in each machine, built by cargo as always.

use std::path::PathBuf;

use anyhow::{Context, Result};

use crate::{artifacts, process::command};

/// Package and name of the tests that compare the collector's counts with the kernel's.
pub(super) const COUNTS: [(&str, &str); 2] = [("khor-collector", "kernel"), ("khor-collector", "process")];
/// Parts of test names. The machines skip each test of [`COUNTS`] whose name contains one of them.
pub(super) const LEFT_OUT: [&str; 7] = [
    // The cost of a program on an emulated processor means nothing.
    "frugal",
    // There is no systemd in these machines.
    "that_systemd_opened",
    // Exit codes and the socket do not depend on the kernel.
    "wrong_usage",
    "second_collector",
    "directory_that_everybody",
    "socket_is_for_root",
    "readiness_liveness",
];
/// Kernel modules that [`COUNTS`] need in addition to the disk's drivers. The modules lose packets,
/// make disks that fail, and make virtual network devices.
pub(super) const MODULES: [&str; 7] = ["sch_netem", "sch_tbf", "loop", "veth", "bridge", "bonding", "ipip"];

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
    let mut built = artifacts::of(&mut command("cargo", all))?;
    built.retain(|artifact| tests.iter().any(|(package, _)| artifacts::is_of(artifact, package)));
    let programs = artifacts::programs(&built);
    let tests = tests.iter().map(|(_, test)| {
        let found = built.iter().find_map(|artifact| artifacts::executable(artifact, "test", Some(test)));
        found.with_context(|| format!("cargo built no test {test}"))
    });
    let profile = programs.first().and_then(|program| program.parent()).context("cargo built no program")?;
    Ok(Built { tests: tests.collect::<Result<_>>()?, profile: profile.to_owned(), programs })
}
