//! `cargo xtask test`: every check and test there is, on the running kernel.

use std::{thread, time::Instant};

use anyhow::{Context, Result, bail};
use clap::Args;

use crate::{
    ear, ebpf, packages,
    process::{command, is_root, is_there, output, succeed},
    schemathesis, ui, vm,
};

/// Set (to 1) where nothing may be skipped: a test that can't run then fails.
const REQUIRE_ALL: &str = "KHOR_REQUIRE_ALL";
/// The linker of the in-kernel programs, as it was when they were committed.
const BPF_LINKER: [&str; 8] = [
    "install",
    "bpf-linker",
    "--version",
    "0.13.0",
    "--locked",
    "--no-default-features",
    "--features",
    "llvm-22",
];
/// Checks licences, sources and duplicate crates.
const CARGO_DENY: [&str; 5] = ["install", "cargo-deny", "--version", "0.20.2", "--locked"];

#[derive(Args)]
pub(crate) struct TestArgs {
    /// Only the quick part: no eBPF rebuild, no other machines, no judge of the music, no browser, no
    /// licence check
    #[arg(long)]
    quick: bool,
}

pub(crate) fn run(args: &TestArgs) -> Result<()> {
    let begun = Instant::now();
    if !is_root() {
        println!(
            "not root: tests that load eBPF or make network namespaces will be skipped, each with its reason"
        );
    }
    packages::install(&[packages::BUILD, packages::PAGE, packages::TEST])?;
    schemathesis::prepare()?;
    rust_lints()?;
    page(args.quick)?;
    succeed(&mut command("cargo", ["build", "--workspace", "--all-targets"]))?;
    succeed(command("cargo", ["test", "--workspace", "--no-fail-fast"]).env("RUST_BACKTRACE", "1"))?;
    if !args.quick {
        licences()?;
        object()?;
        music_and_machines()?;
    }
    println!("\nall of it passed in {} s", begun.elapsed().as_secs());
    Ok(())
}

fn rust_lints() -> Result<()> {
    succeed(&mut command("cargo", ["fmt", "--all", "--check"]))?;
    let clippy = ["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"];
    succeed(&mut command("cargo", clippy))
}

fn page(quick: bool) -> Result<()> {
    ui::prepare()?;
    for script in ["lint", "typecheck", "test"].iter().skip(if quick { 2 } else { 0 }) {
        ui::npm(&["run", script])?;
    }
    ui::build()
}

fn licences() -> Result<()> {
    if output(&mut command("cargo", ["deny", "--version"])).is_err() {
        succeed(&mut command("cargo", CARGO_DENY)).context("installing cargo-deny")?;
    }
    succeed(&mut command("cargo", ["deny", "--all-features", "check", "licenses", "bans", "sources"]))
}

/// The committed object must be what its source builds to.
fn object() -> Result<()> {
    if !all_required()
        && let Some(reason) = not_debian(packages::EBPF)?
    {
        println!("SKIPPED: {reason}; `cargo xtask ebpf --check` tries your eBPF toolchain");
        return Ok(());
    }
    packages::install(&[packages::EBPF])?;
    if !is_there("bpf-linker") {
        let path = std::env::var("PATH").unwrap_or_default();
        let with_llvm = format!("/usr/lib/llvm-22/bin:{path}");
        succeed(command("cargo", BPF_LINKER).env("PATH", with_llvm)).context("installing bpf-linker")?;
    }
    ebpf::build(true)
}

/// The judge of the music listens while the machines are made and boot: they leave processors idle.
fn music_and_machines() -> Result<()> {
    ear::build()?;
    thread::scope(|scope| {
        let judge = scope.spawn(ear::run_beside);
        let machines = other_machines();
        let judged = judge.join().unwrap_or_else(|_| bail!("the thread that waits for the judge panicked"));
        machines.and(judged)
    })
}

/// The counts must agree with those of the oldest kernel, and of the one that most people have; the package must do what it
/// promises in a whole Debian.
fn other_machines() -> Result<()> {
    if !all_required()
        && let Some(reason) = not_debian(packages::VM)?
    {
        println!("SKIPPED: {reason}; `cargo xtask vm all --mirror URL` takes them from a mirror of Debian's");
        return Ok(());
    }
    vm::all()
}

fn all_required() -> bool {
    std::env::var_os(REQUIRE_ALL).is_some_and(|value| value == "1")
}

/// Why what a part needs can't be had here, if so.
fn not_debian(needs: &'static [packages::Need]) -> Result<Option<String>> {
    if !is_there("apt-get") {
        return Ok(Some("what it needs is Debian's".into()));
    }
    let lacking = packages::out_of_reach(&[needs])?;
    Ok(lacking.map(|what| format!("apt-get has no package of {what}")))
}
