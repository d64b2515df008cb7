//! `cargo xtask run`: from a fresh clone to sound in one command.
//!
//! The engine runs in this process's group, so Ctrl-C in a terminal reaches it too. A second signal
//! does no harm. The collector has its own group and is stopped after the engine. Otherwise the
//! engine would report it as lost.

mod collector;
mod events;

use std::{
    path::{Path, PathBuf},
    process::ExitStatus,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail};
use clap::Args;
use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};

use self::{
    collector::Collector,
    events::{Event, Events},
};
use crate::{
    packages,
    process::{command, succeed, target},
    release, ui,
};

/// Longest wait for the engine to end.
const ENGINE_PATIENCE: Duration = Duration::from_secs(5);

#[derive(Args)]
pub(crate) struct RunArgs {
    /// Optimise the programs as the packages do: they use less CPU, but take twice as long to build
    #[arg(long)]
    release: bool,
    /// Without the collector: no root, no eBPF, /proc only
    #[arg(long)]
    no_collector: bool,
    /// Flags for `khor engine`, after `--`
    #[arg(last = true)]
    engine: Vec<String>,
}

impl RunArgs {
    /// Whether the collector is of any use: a demo, a site or /proc alone need no root.
    fn hears_the_kernel(&self) -> bool {
        const WITHOUT: [&str; 4] = ["--fake", "--demo", "--no-bpf", "--site"];
        let is_without = |flag: &String| WITHOUT.iter().any(|other| flag.split('=').next() == Some(other));
        !self.no_collector && !self.engine.iter().any(is_without)
    }
}

pub(crate) fn run(args: &RunArgs) -> Result<()> {
    packages::install(&[packages::BUILD])?;
    page()?;
    let programs = build(args.release)?;
    let socket = collector::socket_path();
    // Before there is anything to stop: a collector outlives a parent that Ctrl-C ends.
    let events = Events::listen()?;
    let collector =
        if args.hears_the_kernel() { Collector::start(&programs, &socket, &events)? } else { None };
    let outcome = engine(args, &programs, &socket, &events);
    if let Some(collector) = collector {
        collector.stop();
    }
    outcome
}

/// Builds the page if it is out of date. Without Node.js khor runs without the page, so this only
/// prints a remark.
fn page() -> Result<()> {
    if !ui::is_stale() {
        return Ok(());
    }
    if let Err(reason) = packages::install(&[packages::PAGE]) {
        println!("\nkhor goes on without building its page; sound and API don't need it\n  {reason:#}\n");
        return Ok(());
    }
    ui::prepare()?;
    ui::build()
}

/// Builds the programs and returns their folder.
fn build(release: bool) -> Result<PathBuf> {
    let packages = ["--package", "khor-collector", "--package", "khor"];
    if release {
        succeed(&mut release::build(&packages)?)?;
        return Ok(release::folder());
    }
    succeed(command("cargo", ["build", "--locked"]).args(packages))?;
    Ok(target().join("debug"))
}

/// Runs the engine until it ends or must end. It is an error if the engine fails.
fn engine(args: &RunArgs, programs: &Path, socket: &Path, events: &Events) -> Result<()> {
    if let Some(Event::Stop) = events.next_within(Duration::ZERO) {
        return Ok(());
    }
    // The engine logs its address once it listens. Flags and configuration may select another
    // address than the default.
    println!("\nstarting the engine, which says where its page is (Ctrl-C stops)\n");
    let engine = command(&programs.join("khor").to_string_lossy(), ["engine", "--socket"])
        .arg(socket)
        .args(&args.engine)
        .spawn()
        .context("starting khor engine")?;
    let pid = Pid::from_raw(engine.id() as i32);
    events.watch(engine);
    match events.next()? {
        Event::Stop => stop_engine(pid, events),
        Event::EngineEnded(status) => judge(status.context("waiting for khor engine")?, events),
    }
}

/// Stops the engine with SIGTERM, then with SIGKILL.
fn stop_engine(pid: Pid, events: &Events) -> Result<()> {
    for signal in [Signal::SIGTERM, Signal::SIGKILL] {
        // An error means that it has ended already.
        let _ = kill(pid, signal);
        let begun = Instant::now();
        while let Some(left) = ENGINE_PATIENCE.checked_sub(begun.elapsed()) {
            if let Some(Event::EngineEnded(_)) = events.next_within(left) {
                return Ok(());
            }
        }
        println!("khor engine doesn't end on {signal}");
    }
    bail!("khor engine doesn't end")
}

/// A terminal sends Ctrl-C to the engine too, which may end before this process handles its own
/// signal.
fn judge(status: ExitStatus, events: &Events) -> Result<()> {
    const SAME_CTRL_C: Duration = Duration::from_millis(100);
    if status.success() || matches!(events.next_within(SAME_CTRL_C), Some(Event::Stop)) {
        return Ok(());
    }
    bail!("khor engine: {status}")
}
