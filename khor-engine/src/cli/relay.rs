//! `khor relay`: sends what this machine does to a site's listeners.

use std::path::PathBuf;

use anyhow::{Context, anyhow};
use clap::Args;
use khor_fleet::Name;
use tokio::time::Instant;

use super::{interrupt, nats::NatsArgs, progress::Progress, service};
use crate::{
    config::relay_baseline_path,
    relay::{self, RelaySettings},
};

/// Each option that a service needs can be given by its variable too.
#[derive(Args, Debug)]
pub(super) struct RelayArgs {
    /// The site this machine belongs to: a-z A-Z 0-9 - _
    #[arg(long, value_name = "NAME", env = "KHOR_SITE")]
    site: Name,
    /// What this machine is called there [default: its host name up to the first dot]
    #[arg(long, value_name = "NAME", env = "KHOR_HOST")]
    host: Option<Name>,
    /// A label: section=NAME is the group this machine belongs to
    #[arg(long, value_name = "section=NAME", env = "KHOR_LABEL", value_parser = section)]
    label: Option<Name>,
    #[command(flatten)]
    nats: NatsArgs,
    /// Leave out whom cues are about (process, name), and the boot id
    #[arg(long)]
    redact: bool,
    /// Frames a second, 1 to 20
    #[arg(long, value_name = "HZ", default_value_t = 5, value_parser = clap::value_parser!(u8).range(1..=20))]
    rate_hz: u8,
    /// The collector's socket
    #[arg(long, value_name = "PATH", env = khor_proto::client::SOCKET_ENV,
          default_value = khor_proto::client::DEFAULT_SOCKET)]
    socket: PathBuf,
    /// Don't listen to the collector, read /proc only
    #[arg(long)]
    no_bpf: bool,
    /// Where what is ordinary is kept [default: ~/.local/state/khor/relay-baseline.json]
    #[arg(long, value_name = "FILE")]
    baseline: Option<PathBuf>,
}

/// The one label there is.
fn section(text: &str) -> Result<Name, String> {
    let name = text.strip_prefix("section=").ok_or("expected section=NAME")?;
    Name::new(name).map_err(|error| error.to_string())
}

impl RelayArgs {
    fn settings(&self) -> anyhow::Result<RelaySettings> {
        let baseline = self.baseline.clone().or_else(relay_baseline_path);
        Ok(RelaySettings {
            site: self.site.clone(),
            host: self.host.clone().map_or_else(host_name, Ok)?,
            section: self.label.clone(),
            nats: self.nats.server(),
            redact: self.redact,
            rate_hz: self.rate_hz,
            socket: (!self.no_bpf).then(|| self.socket.clone()),
            baseline: baseline.context("no home directory: say where with --baseline FILE")?,
        })
    }
}

/// This machine's own name, as far as it is one word.
fn host_name() -> anyhow::Result<Name> {
    let name = nix::unistd::gethostname().context("asking for the host name")?;
    let name = name.to_string_lossy().into_owned();
    let word = name.split('.').next().unwrap_or_default();
    Name::new(word).map_err(|error| anyhow!("the host name {error}; say another with --host NAME"))
}

pub(super) fn run(args: &RelayArgs) -> anyhow::Result<()> {
    let settings = args.settings()?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let mut line = Progress::new(true);
    let begun = Instant::now();
    let done = runtime.block_on(async {
        service::ready();
        relay::run(&settings, interrupt::wait(), |now| {
            let away = if now.connected { "" } else { ", the server is away" };
            let so_far = format!(", {} frames, {} cues, {} let go{away}", now.frames, now.cues, now.dropped);
            line.show(begun.elapsed().as_secs_f64(), so_far);
        })
        .await
    })?;
    service::stopping();
    line.clear();
    println!(
        "{}.{}: {} frames and {} cues sent, {} frames let go",
        settings.site, settings.host, done.frames, done.cues, done.dropped
    );
    Ok(())
}
