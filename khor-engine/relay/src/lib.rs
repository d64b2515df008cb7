//! Publishes this machine's frames to a site: the command `khor relay` and the program
//! `khor-relay`.

// `println!` panics if the disk is full or the terminal is closed. `print` does not.
#![cfg_attr(not(test), warn(clippy::print_stdout, clippy::print_stderr))]

mod nats;

use std::{
    net::SocketAddr,
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use anyhow::{Context, anyhow};
use clap::{Args, error::ErrorKind};
use etcetera::BaseStrategy;
use khor_command_line::{
    address::listen_address, interrupt, number, print::print_line, progress::ProgressLine, systemd,
};
use khor_fleet::Name;
use khor_own_traffic::OwnTraffic;
use khor_site::relay::{self, AggregateSettings, RelayError, RelayMetrics, RelaySettings};
use khor_system::words::counted;
use tokio::{sync::watch, time::Instant};

pub use self::nats::NatsArgs;

/// The options of a relay. Each option that a service needs also has an environment variable.
#[derive(Args, Debug)]
pub struct RelayArgs {
    /// The site to publish to: 1 to 63 of the characters a-z A-Z 0-9 - _
    #[arg(long, value_name = "NAME", env = "KHOR_SITE")]
    site: Name,
    /// Publish the sums over all hosts of this other site, instead of this machine's activity;
    /// several relays may share the work
    #[arg(long, value_name = "NAME", env = "KHOR_AGGREGATE", conflicts_with_all = ["host", "label", "redact", "no_bpf", "baseline"])]
    aggregate: Option<Name>,
    /// Name of this machine in the site [default: its host name up to the first dot]
    #[arg(long, value_name = "NAME", env = "KHOR_HOST")]
    host: Option<Name>,
    /// Label of this machine: section=NAME puts the machine into the section NAME
    #[arg(long, value_name = "section=NAME", env = "KHOR_LABEL", value_parser = section)]
    label: Option<Name>,
    #[command(flatten)]
    nats: NatsArgs,
    /// Do not publish the boot id, and omit process ids and names from cues
    #[arg(long)]
    redact: bool,
    /// Frames per second, 1 to 20; with --aggregate 2 to 20
    #[arg(long, value_name = "HZ", default_value_t = 5, value_parser = number::within(1, 20_u8), allow_negative_numbers = true)]
    rate_hz: u8,
    /// Serve metrics for Prometheus (GET /metrics) at this address; without HOST, on 127.0.0.1
    #[arg(long, value_name = "[HOST:]PORT", env = "KHOR_METRICS", value_parser = listen_address, allow_negative_numbers = true)]
    metrics: Option<SocketAddr>,
    /// The collector's socket
    #[arg(long, value_name = "PATH", env = khor_proto::client::SOCKET_ENV,
          default_value = khor_proto::client::DEFAULT_SOCKET)]
    socket: PathBuf,
    /// Do not use the collector; read only /proc
    #[arg(long)]
    no_bpf: bool,
    /// File for the learned baseline [default: ~/.local/state/khor/relay-baseline.json]
    #[arg(long, value_name = "FILE")]
    baseline: Option<PathBuf>,
}

/// Parses a label. The only supported label is `section=NAME`.
fn section(text: &str) -> Result<Name, String> {
    let name = text.strip_prefix("section=").ok_or("expected section=NAME")?;
    Name::new(name).map_err(|error| error.to_string())
}

impl RelayArgs {
    fn settings(&self) -> anyhow::Result<RelaySettings> {
        let baseline = self.baseline.clone().or_else(baseline_path);
        Ok(RelaySettings {
            site: self.site.clone(),
            host: self.host.clone().map_or_else(host_name, Ok)?,
            section: self.label.clone(),
            nats: self.nats.server()?,
            redact: self.redact,
            rate_hz: self.rate_hz,
            socket: (!self.no_bpf).then(|| self.socket.clone()),
            baseline: baseline.context("there is no home directory for the baseline: add --baseline FILE")?,
            own: Arc::default(),
        })
    }
}

/// The path of a relay's baseline file: in systemd's `StateDirectory=` if there is one, else in
/// `$XDG_STATE_HOME/khor`.
fn baseline_path() -> Option<PathBuf> {
    let state = std::env::var_os("STATE_DIRECTORY").map(PathBuf::from).or_else(|| {
        let base = etcetera::choose_base_strategy().ok()?;
        Some(base.state_dir()?.join("khor"))
    });
    state.map(|state| state.join("relay-baseline.json"))
}

/// This machine's host name up to the first dot.
fn host_name() -> anyhow::Result<Name> {
    let name = nix::unistd::gethostname().context("cannot read the host name")?;
    let name = name.to_string_lossy().into_owned();
    let word = name.split('.').next().unwrap_or_default();
    Name::new(word).map_err(|error| anyhow!("the host name {error}; set another one with --host NAME"))
}

impl RelayArgs {
    /// Creates the settings of a relay that aggregates the site `aggregated`. Ends the program if
    /// the options are invalid.
    fn aggregate(&self, aggregated: &Name) -> anyhow::Result<AggregateSettings> {
        let wrong = |what: String| {
            RelayArgs::augment_args(clap::Command::new("relay"))
                .error(ErrorKind::ValueValidation, what)
                .exit()
        };
        if *aggregated == self.site {
            wrong(format!(
                "--aggregate {aggregated}: expected a site other than --site {aggregated}, which receives the sums"
            ));
        }
        if self.rate_hz < 2 {
            wrong(format!("--rate-hz {}: expected 2 to 20 with --aggregate", self.rate_hz));
        }
        let (aggregated, site) = (aggregated.clone(), self.site.clone());
        Ok(AggregateSettings { aggregated, site, nats: self.nats.server()?, rate_hz: self.rate_hz })
    }
}

/// Runs the relay until a signal ends it.
pub fn run(args: &RelayArgs) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    if let Some(aggregated) = &args.aggregate {
        let settings = args.aggregate(aggregated)?;
        let done = runtime.block_on(go(args, Arc::default(), async |show| {
            relay::aggregate(&settings, interrupt::wait(), show).await
        }))?;
        let frames = counted(done.frames, "frame");
        let line = format_args!("{}.{aggregated}: {frames} sent, {} dropped", settings.site, done.dropped);
        return print_line(line);
    }
    let settings = args.settings()?;
    let own = Arc::clone(&settings.own);
    let done = runtime
        .block_on(go(args, own, async |show| relay::publish(&settings, interrupt::wait(), show).await))?;
    let (frames, cues) = (counted(done.frames, "frame"), counted(done.cues, "cue"));
    let dropped = counted(done.dropped, "frame");
    let (site, host) = (&settings.site, &settings.host);
    print_line(format_args!("{site}.{host}: {frames} and {cues} sent, {dropped} dropped"))
}

/// Runs `relay`. Reports its progress to the terminal, to Prometheus and to systemd's watchdog.
async fn go(
    args: &RelayArgs,
    own: Arc<OwnTraffic>,
    relay: impl AsyncFnOnce(&mut dyn FnMut(&relay::Progress)) -> Result<relay::Progress, RelayError>,
) -> anyhow::Result<relay::Progress> {
    let metrics = RelayMetrics::new(args.aggregate.is_some());
    let (stop, stopped) = watch::channel(false);
    if let Some(place) = args.metrics {
        metrics.serve(place, own, stopped).await?;
    }
    let (mut line, begun) = (ProgressLine::new(true), Instant::now());
    let heartbeat = Arc::new(AtomicU64::new(0));
    let beats = Arc::clone(&heartbeat);
    let watchdog = tokio::spawn(systemd::feed_watchdog(move || beats.load(Ordering::Relaxed)));
    systemd::ready();
    let done = relay(&mut |now| {
        // Dropped frames also count as a heartbeat, because a relay that drops frames is still
        // alive.
        heartbeat.store(now.frames + now.dropped, Ordering::Relaxed);
        metrics.update(now);
        let away = match (now.connected, &now.trouble) {
            (false, _) => ", the server is unavailable",
            (true, Some(_)) => ", the server rejects long frames: see the log",
            (true, None) => "",
        };
        let (frames, cues) = (counted(now.frames, "frame"), counted(now.cues, "cue"));
        let so_far = format!(", {frames}, {cues}, {} dropped{away}", now.dropped);
        line.show(begun.elapsed().as_secs_f64(), so_far);
    })
    .await?;
    systemd::stopping();
    watchdog.abort();
    stop.send_replace(true);
    line.clear();
    Ok(done)
}
