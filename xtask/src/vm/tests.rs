//! Builds the tests that run in the virtual machines. The build is the same as for tests on this
//! machine.

use std::path::PathBuf;

use anyhow::{Context, Result};

use crate::{artifacts, process::command};

/// Package and name of the test programs that run on other kernels. Most of these tests compare
/// khor's counts with the kernel's own.
pub(super) const COUNTS: [(&str, &str); 3] =
    [("khor-collector", "kernel"), ("khor-collector", "process"), ("khor-e2e", "devices")];
/// Programs that the tests start.
const PROGRAMS: [&str; 2] = ["khor-collector", "khor"];
/// A program that is only tested in the complete Debian system, where it is part of a package.
const PACKAGED: &str = "khor-relay";
/// The virtual machines skip every test in [`COUNTS`] whose name contains one of these texts.
pub(super) const SKIPPED: [&str; 7] = [
    // This test measures CPU time, which has no meaning on an emulated processor.
    "little_memory_and_cpu",
    // This test needs systemd, which these virtual machines lack.
    "systemd_socket_is_used",
    // These tests check exit codes and the collector's socket, which are the same on every kernel.
    "wrong_usage",
    "second_collector",
    "world_writable_directory",
    "socket_is_for_group",
    "readiness_liveness",
];
/// The kernel modules that the tests in [`COUNTS`] need, apart from the drivers of the disk.
pub(super) const MODULES: [&str; 19] = [
    // The tests need these modules to simulate packet loss and failing disks.
    "sch_netem",
    "sch_tbf",
    "loop",
    // The tests `devices` and `network` need these modules.
    "ipip",
    "virtio_net",
    "veth",
    "bridge",
    "bonding",
    "wireguard",
    "dm_mod",
    "dm_multipath",
    "dm_round_robin",
    "dm_crypt",
    "raid1",
    "nvme",
    "zram",
    // dm_crypt and zram start modprobe to load these modules, but these virtual machines lack
    // modprobe.
    "xts",
    "ecb",
    "lzo_rle",
];

/// The files that cargo built.
pub(super) struct Built {
    /// The paths of the test programs, in the order of `tests` in the call of [`build`].
    pub(super) tests: Vec<PathBuf>,
    /// The programs that the tests start.
    pub(super) programs: Vec<PathBuf>,
    /// The folder into which cargo built the programs and tests. The tests contain this path, and
    /// expect the programs there.
    pub(super) profile: PathBuf,
}

/// Builds [`PROGRAMS`], [`PACKAGED`] and `tests`, each given by package and name.
pub(super) fn build(tests: &[(&str, &str)]) -> Result<Built> {
    // Builds with the features of the whole workspace, as `cargo xtask test` does. For selected
    // packages, cargo would build the dependencies again, with other features.
    let mut cargo = command("cargo", ["build", "--workspace", "--message-format=json-render-diagnostics"]);
    cargo.args(PROGRAMS.iter().chain(&[PACKAGED]).flat_map(|program| ["--bin", program]));
    cargo.args(tests.iter().flat_map(|(_, test)| ["--test", test]));
    let built = artifacts::of(&mut cargo)?;
    let programs = PROGRAMS.map(|name| {
        let found = built.iter().find_map(|artifact| artifacts::executable(artifact, "bin", name));
        found.with_context(|| format!("cargo built no program {name}"))
    });
    let programs = programs.into_iter().collect::<Result<Vec<_>>>()?;
    let tests = tests.iter().map(|(package, test)| {
        let mut of_package = built.iter().filter(|artifact| artifacts::is_of(artifact, package));
        let found = of_package.find_map(|artifact| artifacts::executable(artifact, "test", test));
        found.with_context(|| format!("cargo built no test {test} of {package}"))
    });
    let profile =
        programs.first().and_then(|program| program.parent()).context("the programs have no folder")?;
    Ok(Built { tests: tests.collect::<Result<_>>()?, profile: profile.to_owned(), programs })
}
