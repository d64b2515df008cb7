//! `khor engine`: the daemon that plays the machine. `khor play` uses some of this code.

use std::{net::SocketAddr, path::PathBuf, sync::Arc, time::Duration};

use anyhow::{Context, bail};
use clap::Args;
use khor_command_line::{address::listen_address, interrupt, path::setting_path, systemd};
use khor_config::{ConfigPatch, ConfigStore, NatsPatch, sessions_path};
use khor_engine::{
    control, dbus,
    engine::{EndReason, Engine, Supervisor},
    http,
};
use khor_fleet::Name;
use khor_relay::NatsArgs;
use khor_source::Playback;
use tokio::sync::watch;
use tracing::{error, info};

use super::{places::Places, scope_args::ScopeArgs};

/// How long khor keeps running after a capture has ended, so that its last notes can sound.
const LAST_NOTES_DURATION: Duration = Duration::from_secs(2);

/// Flags override settings for this run only. They do not change the configuration file.
#[derive(Args, Debug)]
pub(super) struct EngineArgs {
    #[command(flatten)]
    places: Places,
    #[command(flatten)]
    outputs: OutputArgs,
    /// Read /proc instead of the collector
    #[arg(long)]
    no_bpf: bool,
    #[command(flatten)]
    scope: ScopeArgs,
    /// Play a synthetic demo instead of this machine
    #[arg(long, visible_alias = "demo")]
    fake: bool,
    /// Play the hosts of this site instead of this machine
    #[arg(long, value_name = "NAME", conflicts_with = "fake")]
    site: Option<Name>,
    /// Play only this host of the site, as if it were this machine
    #[arg(long, value_name = "NAME", conflicts_with = "fake")]
    host: Option<Name>,
    #[command(flatten)]
    nats: NatsArgs,
}

/// The options for the outputs and the page. All commands that play live have these options.
#[derive(Args, Debug)]
pub(super) struct OutputArgs {
    /// Address of the page and the API [default: as configured]; an address beyond loopback needs a
    /// token (setting listen.token_file)
    #[arg(long, value_name = "[HOST:]PORT", value_parser = listen_address, allow_negative_numbers = true)]
    listen: Option<SocketAddr>,
    /// Serve the page from this folder instead of the page built into khor
    #[arg(long, value_name = "DIR", value_parser = setting_path())]
    ui_dir: Option<PathBuf>,
    /// Play no sound on this machine
    #[arg(long)]
    no_audio: bool,
    /// Send MIDI through the ALSA sequencer
    #[arg(long)]
    midi: bool,
    /// Send OSC, by default to 127.0.0.1:9000
    #[arg(long)]
    osc: bool,
    /// Receive OSC, by default on 127.0.0.1:9001
    #[arg(long)]
    osc_in: bool,
    /// Offer org.khor.Engine on the session bus
    #[arg(long)]
    dbus: bool,
    /// Offer a media player (MPRIS) to the desktop
    #[arg(long)]
    mpris: bool,
    /// Show desktop notifications of severe events
    #[arg(long)]
    notify: bool,
}

impl EngineArgs {
    /// Converts the options to a change of the configuration.
    fn patch(&self) -> ConfigPatch {
        let mut patch = self.outputs.patch();
        patch.features.bpf = self.no_bpf.then_some(false);
        patch.features.fake = self.fake.then_some(true);
        self.scope.add_to(&mut patch.bpf);
        let text = |name: &Option<Name>| name.as_ref().map(ToString::to_string);
        patch.site.name = text(&self.site);
        patch.site.host = text(&self.host).map(Some);
        patch.site.nats = nats_patch(&self.nats);
        patch
    }
}

/// Converts the NATS options to a change of the configuration.
fn nats_patch(args: &NatsArgs) -> NatsPatch {
    let NatsArgs { nats, creds, nkey, tls_ca, tls_cert, tls_key } = args.clone();
    NatsPatch {
        url: nats,
        creds: creds.map(Some),
        nkey: nkey.map(Some),
        tls_ca: tls_ca.map(Some),
        tls_cert: tls_cert.map(Some),
        tls_key: tls_key.map(Some),
    }
}

impl OutputArgs {
    /// Converts the options to a change of the configuration.
    pub(super) fn patch(&self) -> ConfigPatch {
        let mut patch = ConfigPatch::default();
        patch.features.audio = self.no_audio.then_some(false);
        patch.features.midi = self.midi.then_some(true);
        patch.features.osc = self.osc.then_some(true);
        patch.osc.receive.enabled = self.osc_in.then_some(true);
        patch.desktop.bus = self.dbus.then_some(true);
        patch.desktop.mpris = self.mpris.then_some(true);
        patch.desktop.notifications = self.notify.then_some(true);
        patch.listen.host = self.listen.map(|listen| listen.ip().to_string());
        patch.listen.port = self.listen.map(|listen| listen.port());
        patch.ui.serve = self.ui_dir.is_some().then_some(true);
        patch.ui.dir = self.ui_dir.clone().map(Some);
        patch
    }
}

pub(super) fn run(args: &EngineArgs) -> anyhow::Result<()> {
    let store = args.places.open_config()?.with_flags(args.patch())?;
    if let Some(host) = args.host.as_ref().filter(|_| store.config().site.name.is_empty()) {
        bail!("--host {host} needs a site: add --site NAME, or set site.name in the configuration");
    }
    play(store, args.places.socket.clone(), None, Some(&args.outputs))
}

/// Plays the machine or a capture until the user stops khor or the capture ends. Serves the page if
/// `outputs` is given. If a part of khor fails, the process ends with an error, so that a service
/// manager can restart it.
pub(super) fn play(
    store: ConfigStore,
    socket: PathBuf,
    capture: Option<Playback>,
    outputs: Option<&OutputArgs>,
) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        // One thread is enough for 50 frames a second. With two threads, each frame would be passed
        // from one to the other.
        .worker_threads(1)
        .max_blocking_threads(8)
        .thread_name("khor-io")
        .enable_all()
        .build()
        .context("cannot start the async runtime")?;
    let listener = outputs.map(|outputs| open_listener(&store, outputs)).transpose()?.flatten();
    runtime.block_on(async {
        // Install the signal handlers before the page works, because a user who sees the page may
        // stop khor immediately.
        let interrupted = interrupt::wait();
        let supervisor = Supervisor::default();
        supervisor.watch_threads();
        let engine =
            Engine::start(store, socket, capture, &supervisor).context("cannot start the engine's threads")?;
        let (stop, stopped) = watch::channel(false);
        let parts = outputs.map(|_| {
            let control = control::serve(Arc::clone(&engine), stopped.clone());
            let bus = dbus::serve(Arc::clone(&engine), stopped.clone());
            [supervisor.spawn("the OSC control", control), supervisor.spawn("the session bus", bus)]
        });
        let server =
            listener.map(|listener| supervisor.spawn("the page", http::serve(Arc::clone(&engine), listener, stopped)));
        let played = Arc::clone(&engine);
        let watchdog = tokio::spawn(systemd::feed_watchdog(move || played.heartbeat()));
        systemd::ready();
        tokio::select! {
            interrupted = interrupted => interrupted.context("cannot receive the signals SIGINT, SIGTERM and SIGHUP")?,
            ended = supervisor.wait() => if ended == EndReason::Finished { tokio::time::sleep(LAST_NOTES_DURATION).await },
        }
        info!("stopping");
        systemd::stopping();
        watchdog.abort();
        // If the user stops khor a second time, the process ends immediately.
        tokio::spawn(interrupt::exit_at_next());
        stop.send_replace(true);
        for part in parts.into_iter().flatten() {
            part.await.context("cannot stop the OSC control or the session bus")?;
        }
        tokio::task::spawn_blocking(move || engine.stop()).await.context("cannot stop the engine")?;
        if let Some(server) = server {
            server.await.context("cannot stop the page")?;
        }
        exit_result(supervisor.end_reason())
    })
}

/// Opens the listener of the page and the API. Returns `None` if the section `listen` of the
/// configuration is invalid, because this section may restrict access.
fn open_listener(store: &ConfigStore, outputs: &OutputArgs) -> anyhow::Result<Option<http::HttpListener>> {
    if let Some(problem) = store.listen_error() {
        error!(
            "khor plays, but does not serve the page and the API, because {} may restrict access: {problem}; fix it and \
             restart khor",
            store.path().display()
        );
        return Ok(None);
    }
    // Never use a free port instead of the port in --listen, because the user expects the page at
    // that port.
    let may_use_free_port = outputs.listen.is_none();
    http::HttpListener::open(&store.config().listen, may_use_free_port, sessions_path(store.path())).map(Some)
}

/// Returns the result of a run. It is an error if a part of khor failed, even if it failed while
/// khor was stopping.
fn exit_result(ended: Option<EndReason>) -> anyhow::Result<()> {
    match ended {
        Some(EndReason::Failed(why)) => bail!(why),
        Some(EndReason::Finished) | None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_failures_end_with_an_error() {
        let failed =
            exit_result(Some(EndReason::Failed("a bug in khor ended the thread khor-midi: x".into())));
        assert_eq!(failed.unwrap_err().to_string(), "a bug in khor ended the thread khor-midi: x");
        assert!(exit_result(Some(EndReason::Finished)).is_ok() && exit_result(None).is_ok());
    }
}
