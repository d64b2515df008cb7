//! Records the captures in `khor-engine/captures` on the running kernel, under real loads; `cargo xtask captures` builds
//! and calls it. Needs root, for the collector, network namespaces and memory limits.

mod memory;
mod network;
mod page;
mod recording;
mod scenario;
mod work;

use std::{path::PathBuf, time::Duration};

use anyhow::{Context, Result, bail, ensure};
use clap::Parser;
use khor_e2e::{Collector, engine::program};

use self::{recording::Quiet, scenario::SCENARIOS};

#[derive(Parser)]
#[command(about = "Records real captures; see cargo xtask captures", max_term_width = 80)]
struct Options {
    /// Which to record; all if none is named
    names: Vec<String>,
    /// Where to
    #[arg(long, value_name = "DIR", default_value = "khor-engine/captures")]
    out: PathBuf,
    /// How busy the machine may be before the load begins, per cent of all CPUs
    #[arg(long, value_name = "PERCENT", default_value_t = 8.0)]
    quiet: f64,
    /// How long to wait for each until the machine is that quiet, minutes; then it is recorded as it is
    #[arg(long, value_name = "MINUTES", default_value_t = 10)]
    patience: u64,
}

fn main() -> Result<()> {
    // In this role, the program is the process that is killed, crashes, or uses memory.
    if let Some(role) = memory::role() {
        return memory::play(&role);
    }
    let options = Options::parse();
    ensure!(nix::unistd::geteuid().is_root(), "needs root");
    let known: Vec<&str> = SCENARIOS.iter().map(|scenario| scenario.name).collect();
    if let Some(unknown) = options.names.iter().find(|name| !known.contains(&name.as_str())) {
        bail!("{unknown} is none of {}", known.join(", "));
    }
    std::fs::create_dir_all(&options.out).with_context(|| format!("making {}", options.out.display()))?;
    let collector = Collector::start(&program("khor-collector"), &["--no-dbus"]);
    let quiet =
        Quiet { busy_share: options.quiet / 100.0, patience: Duration::from_secs(60 * options.patience) };
    for scenario in SCENARIOS {
        if options.names.is_empty() || options.names.iter().any(|name| name == scenario.name) {
            let facts = recording::record(&scenario, collector.socket(), &options.out, &quiet)
                .with_context(|| scenario.name.to_owned())?;
            page::note(&options.out, &scenario, &facts)?;
        }
    }
    Ok(())
}
