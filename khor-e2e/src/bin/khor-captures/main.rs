//! Records the captures in `khor-engine/captures` on the running kernel, under real loads. `cargo
//! xtask captures` builds and runs this program. It needs root for the collector, network
//! namespaces and memory limits.

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
    /// Names of the captures to record; all by default
    names: Vec<String>,
    /// Folder for the captures
    #[arg(long, value_name = "DIR", default_value = "khor-engine/captures")]
    out: PathBuf,
    /// Largest share of all CPUs that may be busy before the load begins, per cent
    #[arg(long, value_name = "PERCENT", default_value_t = 8.0)]
    quiet: f64,
    /// Longest wait for a quiet machine before each capture, minutes; then khor records anyway
    #[arg(long, value_name = "MINUTES", default_value_t = 10)]
    patience: u64,
}

fn main() -> Result<()> {
    // If the environment contains a role, this process only runs a load that uses memory.
    if let Some(role) = memory::role() {
        return memory::play(&role);
    }
    let options = Options::parse();
    ensure!(nix::unistd::geteuid().is_root(), "recording captures needs root; run this as root");
    let known: Vec<&str> = SCENARIOS.iter().map(|scenario| scenario.name).collect();
    if let Some(unknown) = options.names.iter().find(|name| !known.contains(&name.as_str())) {
        bail!("unknown capture {unknown}; choose from {}", known.join(", "));
    }
    std::fs::create_dir_all(&options.out).with_context(|| format!("creating {}", options.out.display()))?;
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
