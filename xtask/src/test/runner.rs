//! Runs the Rust tests with cargo-nextest. If it is not installed, runs one test program after the
//! other.
//!
//! With and without nextest, the tests are the programs that `cargo build --workspace
//! --all-targets` has built. For selected packages, cargo would select other features of the
//! dependencies and build them again.

use anyhow::{Result, bail};
use serde_json::Value;

use super::{
    failures,
    part::{Depth, Outcome},
    skipped,
};
use crate::{
    artifacts,
    process::{command, output, succeed},
    ui,
};

/// A set of tests that run together.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Suite {
    /// All tests that are in no other suite.
    Unit,
    /// The tests in `khor-collector/tests`. Only one may run at a time, because they count events
    /// of the whole machine.
    Kernel,
    /// The tests in `khor-e2e/tests`. They mostly wait, so many can run at once.
    Programs,
}

/// Names of the test files in [`Suite::Programs`] that `--quick` skips.
const SLOW_PROGRAMS: [&str; 7] =
    ["page", "conformance", "crowd", "sound", "sound_server", "fleet", "pipeline"];

impl Suite {
    /// The nextest filter that selects the suite's tests. The filters in `.config/nextest.toml`
    /// must select the same tests.
    fn filter(self, depth: Depth) -> String {
        let (kernel, programs) = (in_tests_of("khor-collector"), in_tests_of("khor-e2e"));
        match self {
            Self::Unit => format!("not ({kernel}) and not ({programs})"),
            Self::Kernel => kernel,
            Self::Programs if depth == Depth::Quick => {
                let slow = SLOW_PROGRAMS.map(|name| format!("binary(={name})")).join(" or ");
                format!("{programs} and not ({slow})")
            }
            Self::Programs => programs,
        }
    }

    /// Number of tests that run at the same time.
    fn threads(self) -> usize {
        let processors = std::thread::available_parallelism().map_or(1, usize::from);
        match self {
            Self::Unit => processors,
            Self::Kernel => 1,
            Self::Programs => processors + 1,
        }
    }

    fn has(self, artifact: &Value, depth: Depth) -> bool {
        let is_test = artifact["target"]["kind"][0] == "test";
        let of = |package: &str| is_test && artifacts::is_of(artifact, package);
        let is_slow = || SLOW_PROGRAMS.iter().any(|name| artifact["target"]["name"] == *name);
        match self {
            Self::Unit => !of("khor-collector") && !of("khor-e2e"),
            Self::Kernel => of("khor-collector"),
            Self::Programs => of("khor-e2e") && (depth == Depth::Full || !is_slow()),
        }
    }
}

fn in_tests_of(package: &str) -> String {
    format!("package(={package}) and kind(test)")
}

/// Runs all tests of the suite, even if one fails.
pub(super) fn run(suite: Suite, depth: Depth) -> Result<Outcome> {
    ui::build_if_stale()?;
    if output(&mut command("cargo", ["nextest", "--version"])).is_ok() {
        with_nextest(suite, depth)?;
    } else {
        one_by_one(suite, depth)?;
    }
    if suite == Suite::Unit {
        succeed(&mut command("cargo", ["test", "--workspace", "--doc"]))?;
    }
    Ok(Outcome::Passed)
}

fn with_nextest(suite: Suite, depth: Depth) -> Result<()> {
    let threads = suite.threads().to_string();
    let options = ["nextest", "run", "--workspace", "--no-fail-fast", "--test-threads", &threads];
    let mut nextest = command("cargo", options);
    nextest.args(["--status-level", "pass", "--final-status-level", "slow"]);
    nextest.args(["--filterset", &suite.filter(depth)]);
    failures::remove_report();
    succeed(with_environment(&mut nextest)).map_err(|error| {
        let failed = failures::take();
        if failed.is_empty() { error } else { error.context(format!("\n  {}\n", failed.join("\n  "))) }
    })
}

fn one_by_one(suite: Suite, depth: Depth) -> Result<()> {
    let build = ["test", "--workspace", "--no-run", "--message-format=json-render-diagnostics"];
    let built = artifacts::of(&mut command("cargo", build))?;
    let threads = format!("--test-threads={}", suite.threads());
    let mut failed = Vec::new();
    for artifact in built.iter().filter(|artifact| suite.has(artifact, depth)) {
        let Some((test, folder)) = artifacts::test_program(artifact) else { continue };
        let mut test_program = command(&test.to_string_lossy(), [&threads]);
        test_program.current_dir(&folder).env("CARGO_MANIFEST_DIR", &folder);
        if let Err(error) = succeed(with_environment(&mut test_program)) {
            failed.push(format!("{error:#}"));
        }
    }
    if !failed.is_empty() {
        bail!("{}", failed.join("; "));
    }
    Ok(())
}

fn with_environment(command: &mut std::process::Command) -> &mut std::process::Command {
    command.env("RUST_BACKTRACE", "1").env(skipped::VARIABLE, skipped::file())
}
