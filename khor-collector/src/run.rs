//! Runs the collector: takes all privileged steps, and then serves clients until a signal arrives.

use std::{
    io::{self, Write},
    mem::MaybeUninit,
    ptr,
    sync::Arc,
    task::Poll,
};

use khor_proto::kernel_text;
use nix::{libc, sys::utsname::uname};
use tokio::{
    signal::unix::{Signal, SignalKind, signal},
    sync::{mpsc, watch},
    task::JoinError,
};

use crate::{
    cli::Options,
    cues,
    dbus::{self, Facts},
    failure::Failure,
    memory, privilege,
    probes::{self, CueRing, Probes},
    sampler::{Kernel, RunningKernel},
    scope,
    serve::{self, BoundSocket, Identity, Server},
    service,
    table::{self, Parts},
    trust::Trusted,
};

/// Maximum number of cues that wait to be sent to the bus.
const CUES_FOR_BUS: usize = 64;

/// Runs the collector. Returns when a signal stops it.
pub(crate) fn run(options: &Options) -> Result<(), Failure> {
    probes::require_btf()?;
    privilege::require()?;
    let user = privilege::target_user(options.user.as_deref())?;
    if options.check {
        privilege::restrict(user.as_ref())?;
        return check();
    }
    let group = privilege::client_group(options.group.as_deref())?;
    let trusted = Trusted::find(&options.trust);
    let socket = serve::bind(&options.socket, user.as_ref(), group)?;
    privilege::restrict(user.as_ref())?;
    let (probes, ring) = Probes::load()?;
    privilege::drop_all()?;
    memory::give_back();
    log_state(&probes);
    // Start the runtime after `drop_all`. The runtime may start threads, and each thread has its
    // own capabilities.
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(Failure::cannot("start the runtime"))?;
    runtime.block_on(serve_until_signal(options, socket, trusted, Arc::new(probes), ring))
}

/// Runs `--check`: prints what works, and returns.
fn check() -> Result<(), Failure> {
    let (probes, _ring) = Probes::load()?;
    privilege::drop_all()?;
    let probes = Arc::new(probes);
    let kernel = RunningKernel::new(Arc::clone(&probes));
    let parts = Parts {
        probes: probes.states(),
        counters: &kernel.catalogue(),
        cues: &kernel.cues(),
        scopes: probes.scopes(),
        missed_events: kernel.missed_events(),
    };
    let table = table::render(&parts);
    let mut stdout = io::stdout().lock();
    printed(writeln!(stdout, "{table}").and_then(|()| stdout.flush()))
}

/// Checks whether printing succeeded. A closed pipe is not an error, because the reader of the
/// pipe, for example `head`, may stop early.
pub(crate) fn printed(outcome: io::Result<()>) -> Result<(), Failure> {
    match outcome {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        outcome => outcome.map_err(Failure::cannot("write to the standard output")),
    }
}

fn log_state(probes: &Probes) {
    for state in probes.states() {
        if let Err(reason) = &state.outcome {
            tracing::warn!("probe {} is absent: {reason}", state.name);
        }
    }
}

async fn serve_until_signal(
    options: &Options,
    socket: BoundSocket,
    trusted: Trusted,
    probes: Arc<Probes>,
    ring: CueRing,
) -> Result<(), Failure> {
    let signals = Signals::handle().map_err(Failure::cannot("handle signals"))?;
    let kernel = Arc::new(RunningKernel::new(Arc::clone(&probes)));
    let identity = identity(&*kernel).map_err(Failure::cannot("read the kernel's identity"))?;
    let facts = facts(options, &probes, &identity);
    let server = Arc::new(Server::new(Arc::clone(&kernel) as Arc<dyn Kernel>, identity, trusted));
    // The thread starts before `confine`, whose filter forbids new threads.
    let _sender_loop = server.start_sender().map_err(Failure::cannot("start a thread"))?;
    privilege::confine()?;

    let (for_bus, from_kernel) = mpsc::channel(CUES_FOR_BUS);
    tokio::spawn(cues::pass_on(ring, Arc::clone(&server), kernel.scopes(), for_bus));
    tokio::spawn(scope::watch(kernel.scopes()));
    tokio::spawn(service::notify_watchdog(Arc::clone(&server)));
    if !options.no_dbus {
        tokio::spawn(dbus::keep_on_bus(facts, kernel, server.load(), from_kernel));
    }
    let (stop, stopped) = watch::channel(false);
    let mut serving = tokio::spawn(Arc::clone(&server).run(socket, stopped));
    service::ready();
    tracing::info!("listening on {}", options.socket.display());
    tokio::select! {
        () = signals.received() => {}
        served = &mut serving => return finished(served),
    }
    tracing::info!("stopping");
    service::stopping();
    stop.send_replace(true);
    finished(serving.await)
}

/// Converts the result of the server's task to the collector's own result, which `run` returns.
fn finished(served: Result<io::Result<()>, JoinError>) -> Result<(), Failure> {
    served
        .unwrap_or_else(|panicked| Err(io::Error::other(panicked)))
        .map_err(Failure::cannot("serve clients"))
}

/// The signals that end the collector.
struct Signals(Vec<Signal>);

impl Signals {
    /// Handles SIGTERM, SIGINT and SIGHUP. A SIGHUP that is ignored at the start stays ignored, as
    /// `nohup` requires.
    fn handle() -> io::Result<Self> {
        let mut kinds = vec![SignalKind::terminate(), SignalKind::interrupt()];
        if !hangup_is_ignored() {
            kinds.push(SignalKind::hangup());
        }
        kinds.into_iter().map(signal).collect::<io::Result<_>>().map(Self)
    }

    async fn received(mut self) {
        std::future::poll_fn(|context| {
            let arrived = self.0.iter_mut().any(|signal| signal.poll_recv(context).is_ready());
            if arrived { Poll::Ready(()) } else { Poll::Pending }
        })
        .await;
    }
}

fn hangup_is_ignored() -> bool {
    let mut now = MaybeUninit::<libc::sigaction>::uninit();
    // SAFETY: with a null action the call only queries. On success the kernel initializes `now`.
    unsafe {
        libc::sigaction(libc::SIGHUP, ptr::null(), now.as_mut_ptr()) == 0
            && now.assume_init().sa_sigaction == libc::SIG_IGN
    }
}

fn identity(kernel: &dyn Kernel) -> io::Result<Identity> {
    // The boot id stays empty if /proc shows only processes (subset=pid). Samples do not need the
    // id.
    let boot_id = kernel_text::read("/proc/sys/kernel/random/boot_id").unwrap_or_default();
    Ok(Identity {
        kernel_release: uname()?.release().to_string_lossy().into_owned(),
        boot_id: boot_id.trim().to_owned(),
        cpus: probes::possible_cpus().map_err(io::Error::other)? as u32,
        counters: kernel.catalogue(),
        cues: kernel.cues(),
    })
}

fn facts(options: &Options, probes: &Probes, identity: &Identity) -> Facts {
    let probes = probes.states().iter().map(|state| {
        let reason = state.outcome.as_ref().err().cloned().unwrap_or_default();
        (state.name.to_owned(), state.outcome.is_ok(), reason)
    });
    Facts {
        kernel_release: identity.kernel_release.clone(),
        socket_path: options.socket.display().to_string(),
        probes: probes.collect(),
    }
}
