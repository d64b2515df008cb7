//! The collector's life: everything privileged in order, then the server until a signal.

use std::fs;
use std::io;
use std::sync::Arc;

use tokio::net::UnixListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;

use crate::cli::Options;
use crate::dbus::{self, Facts};
use crate::failure::Failure;
use crate::probes::{self, Probes};
use crate::sampler::{CounterSource, Sampler};
use crate::serve::{self, BoundSocket, Identity, Server};
use crate::{memory, notify, privilege, table};

/// Runs the collector; returns when it was told to stop.
pub(crate) fn run(options: &Options) -> Result<(), Failure> {
    probes::require_btf()?;
    privilege::require()?;
    let user = privilege::target_user(options.user.as_deref())?;
    if options.check {
        privilege::restrict(user.as_ref())?;
        return check();
    }
    let group = privilege::client_group(options.group.as_deref())?;
    let socket = serve::bind(&options.socket, user.as_ref(), group)?;
    privilege::restrict(user.as_ref())?;
    let probes = Probes::load()?;
    privilege::drop_all()?;
    memory::give_back();
    log_state(&probes);
    // Only now: capabilities belong to threads, and a runtime may start some.
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(Failure::while_doing("starting the runtime"))?;
    runtime.block_on(serve_until_told(options, socket, Sampler::new(probes)))
}

/// `--check`.
fn check() -> Result<(), Failure> {
    let probes = Probes::load()?;
    privilege::drop_all()?;
    let sampler = Sampler::new(probes);
    println!("{}", table::render(sampler.probes().states(), &sampler.catalogue()));
    Ok(())
}

fn log_state(probes: &Probes) {
    for state in probes.states() {
        if let Err(reason) = &state.outcome {
            tracing::warn!("probe {} is absent: {reason}", state.name);
        }
    }
}

async fn serve_until_told(
    options: &Options,
    mut socket: BoundSocket,
    sampler: Sampler,
) -> Result<(), Failure> {
    let listener =
        socket.listener().and_then(UnixListener::from_std).map_err(Failure::while_doing("listening"))?;
    let mut terminate = signal(SignalKind::terminate()).map_err(Failure::while_doing("handling signals"))?;
    let mut interrupt = signal(SignalKind::interrupt()).map_err(Failure::while_doing("handling signals"))?;
    let identity =
        identity(sampler.catalogue()).map_err(Failure::while_doing("asking the kernel who it is"))?;
    let facts = facts(options, &sampler, &identity);
    let server = Arc::new(Server::new(Arc::new(sampler), identity));
    if !options.no_dbus {
        tokio::spawn(dbus::keep_offering(facts, server.load()));
    }
    let (stop, stopped) = watch::channel(false);
    let serving = tokio::spawn(Arc::clone(&server).run(listener, stopped));
    notify::tell("READY=1");
    tracing::info!("serving on {}", options.socket.display());
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    tracing::info!("stopping");
    notify::tell("STOPPING=1");
    // Unlinked first: who comes now finds nobody, rather than somebody about to leave.
    drop(socket);
    stop.send_replace(true);
    serving.await.map_err(|error| Failure::Other { doing: "stopping", source: io::Error::other(error) })
}

fn identity(counters: Vec<khor_proto::CounterInfo>) -> io::Result<Identity> {
    let line = |path: &str| fs::read_to_string(path).map(|text| text.trim().to_owned());
    Ok(Identity {
        kernel_release: line("/proc/sys/kernel/osrelease")?,
        boot_id: line("/proc/sys/kernel/random/boot_id")?,
        cpus: probes::possible_cpus().map_err(io::Error::other)? as u32,
        counters,
    })
}

fn facts(options: &Options, sampler: &Sampler, identity: &Identity) -> Facts {
    let probes = sampler.probes().states().iter().map(|state| {
        let reason = state.outcome.as_ref().err().cloned().unwrap_or_default();
        (state.name.to_owned(), state.outcome.is_ok(), reason)
    });
    Facts {
        kernel_release: identity.kernel_release.clone(),
        socket_path: options.socket.display().to_string(),
        probes: probes.collect(),
    }
}
