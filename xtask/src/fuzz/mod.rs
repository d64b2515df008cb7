//! `cargo xtask fuzz`: tests the protocol's decoders with hostile bytes. Uses libFuzzer.
//!
//! The fuzz targets in `khor-proto/fuzz` check the decoders' properties. The limits that this
//! module sets let libFuzzer detect hangs and growing memory. libFuzzer keeps useful inputs in
//! `khor-proto/fuzz/corpus`, and the next run starts with them.

mod report;

use std::{
    fs::{self, File},
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result, bail};
use clap::{Args, ValueEnum};

use self::report::Report;
use crate::{
    packages,
    process::{command, is_there, output, root, succeed, target},
};

/// Arguments with which cargo installs cargo-fuzz, the tool that builds and runs the targets.
const CARGO_FUZZ: [&str; 5] = ["install", "cargo-fuzz", "--version", "0.13.2", "--locked"];
/// The crate that contains the `fuzz` folder.
const CRATE: &str = "khor-proto";
/// Default time for each target, seconds.
const DEFAULT_SECONDS: u64 = 60;
/// Time for each target in [`smoke`], seconds.
const SMOKE_SECONDS: u64 = 10;
/// libFuzzer's limits for each target: 2 MiB for one allocation, 256 MiB for the process, and 5 s
/// for one input. serde reserves at most 1 MiB for a list, even if the input claims a longer list.
/// The sanitizer and the corpus use 60 MiB.
const LIMITS: [&str; 3] = ["-malloc_limit_mb=2", "-rss_limit_mb=256", "-timeout=5"];
/// Options of the address sanitizer. They switch off two defaults. Keeping freed memory would hide
/// growth, and recording the callers of each allocation takes time.
const SANITIZER: &str = "quarantine_size_mb=1:malloc_context_size=6";

#[derive(Args)]
pub(crate) struct FuzzArgs {
    /// Decoders to test [default: both]
    #[arg(value_enum)]
    targets: Vec<Target>,
    /// Time for each target, seconds [default: 60]
    #[arg(long, value_name = "N", conflicts_with = "runs")]
    seconds: Option<u64>,
    /// Stop each target after this many inputs instead of after a time
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    runs: Option<u64>,
    /// Test both targets for 10 s each, for a quick check
    #[arg(long, conflicts_with_all = ["targets", "seconds", "runs"])]
    smoke: bool,
}

#[derive(Clone, Copy, PartialEq, ValueEnum)]
#[value(rename_all = "snake_case")]
enum Target {
    /// Messages from clients, which the collector decodes
    ClientMessage,
    /// Messages from the collector, which clients decode
    ServerMessage,
}

impl Target {
    const ALL: [Self; 2] = [Self::ClientMessage, Self::ServerMessage];

    const fn name(self) -> &'static str {
        match self {
            Self::ClientMessage => "client_message",
            Self::ServerMessage => "server_message",
        }
    }

    /// Longest input, in bytes. For messages from clients, this is the longest frame that a client
    /// may send, plus 1 KiB. For messages from the collector, it is several frames of the usual
    /// size. Longer inputs would take most of the time and find nothing new, and the property tests
    /// cover the size limit.
    const fn max_input_bytes(self) -> usize {
        match self {
            Self::ClientMessage => 5 * 1024,
            Self::ServerMessage => 2 * 1024,
        }
    }
}

/// When the run of a target ends: after a time, or after a number of inputs.
#[derive(Clone, Copy)]
enum Budget {
    Seconds(u64),
    Runs(u64),
}

pub(crate) fn run(args: &FuzzArgs) -> Result<()> {
    if args.smoke {
        return smoke();
    }
    let seconds = Budget::Seconds(args.seconds.unwrap_or(DEFAULT_SECONDS));
    let wanted = |target: &Target| args.targets.is_empty() || args.targets.contains(target);
    let targets: Vec<Target> = Target::ALL.into_iter().filter(wanted).collect();
    fuzz(&targets, args.runs.map_or(seconds, Budget::Runs))
}

/// Runs both targets for [`SMOKE_SECONDS`] each. In this time, libFuzzer can find obvious bugs of a
/// recent change, but not rare bugs. Fails without a nightly toolchain.
pub(crate) fn smoke() -> Result<()> {
    fuzz(&Target::ALL, Budget::Seconds(SMOKE_SECONDS))
}

fn fuzz(targets: &[Target], budget: Budget) -> Result<()> {
    prepare()?;
    succeed(&mut cargo_fuzz("build"))?;
    let mut findings = Vec::new();
    for &target in targets {
        if let Some(finding) = run_target(target, budget)? {
            println!("{}: FOUND {finding}", target.name());
            findings.push(finding);
        }
    }
    if !findings.is_empty() {
        bail!("these inputs make a decoder fail: {}", findings.join(", "));
    }
    Ok(())
}

fn prepare() -> Result<()> {
    let nightly = is_there("rustup") && output(&mut nightly_cargo(&["--version"])).is_ok();
    if !nightly {
        bail!("fuzzing needs a nightly toolchain: install rustup and run `rustup toolchain install nightly`");
    }
    packages::install(&[packages::FUZZ])?;
    if output(&mut command("cargo", ["fuzz", "--version"])).is_err() {
        succeed(&mut command("cargo", CARGO_FUZZ)).context("cannot install cargo-fuzz")?;
    }
    Ok(())
}

fn nightly_cargo(args: &[&str]) -> Command {
    let mut command = command("rustup", ["run", "nightly", "cargo"]);
    command.args(args);
    command
}

fn cargo_fuzz(verb: &str) -> Command {
    let mut command = nightly_cargo(&["fuzz", verb, "--target-dir"]);
    command.arg(builds()).current_dir(root().join(CRATE));
    command
}

fn builds() -> PathBuf {
    target().join("fuzz")
}

/// Runs libFuzzer. Returns the file with the failing input, if it found one.
fn run_target(target: Target, budget: Budget) -> Result<Option<String>> {
    let name = target.name();
    let folder = root().join(CRATE).join("fuzz");
    let (corpus, seeds) = (folder.join("corpus").join(name), folder.join("seeds").join(name));
    fs::create_dir_all(&corpus).with_context(|| format!("cannot create {}", corpus.display()))?;
    let log = builds().join(format!("{name}.log"));
    let file = File::create(&log).with_context(|| format!("cannot create {}", log.display()))?;

    let mut fuzzer = cargo_fuzz("run");
    fuzzer.arg(name).args([&corpus, &seeds]).args(["--", "-print_final_stats=1"]).args(LIMITS);
    fuzzer.arg(format!("-max_len={}", target.max_input_bytes()));
    fuzzer.arg(match budget {
        Budget::Seconds(seconds) => format!("-max_total_time={seconds}"),
        Budget::Runs(runs) => format!("-runs={runs}"),
    });
    // Rust's backtrace reads debug information, which would need more memory than the limit allows.
    // libFuzzer prints its own backtrace.
    fuzzer.env("ASAN_OPTIONS", SANITIZER).env("RUST_BACKTRACE", "0").stdout(file.try_clone()?).stderr(file);
    let status = fuzzer.status().context("cannot start cargo-fuzz")?;

    let text = fs::read(&log).with_context(|| format!("cannot read {}", log.display()))?;
    let report = Report::parse(&String::from_utf8_lossy(&text));
    match report.artifact {
        Some(artifact) => Ok(Some(below_root(&artifact))),
        None if status.success() => {
            println!("{name}: {report}");
            Ok(None)
        }
        None => bail!("fuzzing {name} failed: {status}; see {}", below_root(&log)),
    }
}

/// The path relative to the checkout's root. It is shorter, so messages are easier to read.
fn below_root(path: &Path) -> String {
    path.strip_prefix(root()).unwrap_or(path).display().to_string()
}
