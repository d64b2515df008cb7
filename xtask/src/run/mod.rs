//! `cargo xtask run`: builds khor, even in a fresh clone, and runs the collector and the engine.
//!
//! The engine is in xtask's process group, so Ctrl-C in a terminal sends SIGINT to the engine too.
//! xtask then signals the engine a second time, which does no harm. The collector has its own
//! process group, so only xtask stops it. xtask stops the engine first, because the engine would
//! otherwise report that the collector is lost.

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

/// Longest wait for the engine to end after each signal.
const ENGINE_STOP_TIMEOUT: Duration = Duration::from_secs(5);

#[derive(Args)]
pub(crate) struct RunArgs {
    /// Optimise the programs as in the packages: they use less CPU, but building takes twice as
    /// long
    #[arg(long)]
    release: bool,
    /// Run without the collector: no root, no eBPF, counts from /proc only
    #[arg(long)]
    no_collector: bool,
    /// Flags for `khor engine`, after `--`
    #[arg(last = true)]
    engine: Vec<String>,
}

impl RunArgs {
    /// Whether the engine needs the collector. An engine that plays the demo or a site, or that
    /// reads only /proc, does not need the collector.
    fn needs_collector(&self) -> bool {
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
    // Signals are handled before the collector starts. Otherwise, Ctrl-C could end this process and
    // leave the collector running.
    let events = Events::watch_signals()?;
    let collector =
        if args.needs_collector() { Collector::start(&programs, &socket, &events)? } else { None };
    let outcome = engine(args, &programs, &socket, &events);
    if let Some(collector) = collector {
        collector.stop();
    }
    outcome
}

/// Builds the page if its sources have changed. Without Node.js, prints a message instead, because
/// khor also runs without its page.
fn page() -> Result<()> {
    if !ui::is_stale() {
        return Ok(());
    }
    if let Err(reason) = packages::install(&[packages::PAGE]) {
        println!("\nthe page is not built; khor's sound and API work without it:\n  {reason:#}\n");
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

/// Runs the engine until it ends or the user stops it. Fails if the engine fails.
fn engine(args: &RunArgs, programs: &Path, socket: &Path, events: &Events) -> Result<()> {
    if let Some(Event::Stop) = events.next_within(Duration::ZERO) {
        return Ok(());
    }
    // xtask does not print the page's address, because flags or the configuration may change it.
    // The engine logs the address.
    println!("\nstarting the engine, which prints its page's address; stop it with Ctrl-C\n");
    let engine = command(&programs.join("khor").to_string_lossy(), ["engine", "--socket"])
        .arg(socket)
        .args(&args.engine)
        .spawn()
        .context("cannot start khor engine")?;
    let pid = Pid::from_raw(engine.id() as i32);
    events.watch(engine);
    match events.next()? {
        Event::Stop => stop_engine(pid, events),
        Event::EngineEnded(status) => judge(status.context("cannot wait for khor engine")?, events),
    }
}

/// Stops the engine with SIGTERM. If the engine does not end in time, stops it with SIGKILL.
fn stop_engine(pid: Pid, events: &Events) -> Result<()> {
    for signal in [Signal::SIGTERM, Signal::SIGKILL] {
        // An error of `kill` is ignored: it only means that the engine has already ended.
        let _ = kill(pid, signal);
        let begun = Instant::now();
        while let Some(left) = ENGINE_STOP_TIMEOUT.checked_sub(begun.elapsed()) {
            if let Some(Event::EngineEnded(_)) = events.next_within(left) {
                return Ok(());
            }
        }
        println!("khor engine did not end after {signal}");
    }
    bail!("khor engine did not end")
}

/// Checks how the engine ended. Ctrl-C in a terminal reaches the engine too, so the engine may end
/// before this process handles its own signal.
fn judge(status: ExitStatus, events: &Events) -> Result<()> {
    const SAME_CTRL_C: Duration = Duration::from_millis(100);
    if status.success() || matches!(events.next_within(SAME_CTRL_C), Some(Event::Stop)) {
        return Ok(());
    }
    bail!("khor engine failed: {status}")
}
