//! Publishes `org.khor.Collector` on the system bus: read-only properties and signals for `busctl`
//! and desktop tools.
//!
//! The bus is optional. If the bus is missing, restarts, or denies the collector its name, the
//! collector logs once how to fix the problem and keeps trying to connect. The connection has its
//! own task, so it never delays the samples.

use std::{sync::Arc, time::Duration};

use khor_proto::{Cue, CueKind, ProtocolVersion};
use tokio::{
    sync::{mpsc, watch},
    time::{Instant, sleep, sleep_until},
};
use zbus::{
    Connection, connection, fdo, interface,
    object_server::{InterfaceRef, SignalEmitter},
};

use crate::{sampler::Kernel, serve::Load};

const NAME: &str = "org.khor.Collector";
const PATH: &str = "/org/khor/Collector";
const FIRST_RETRY: Duration = Duration::from_secs(1);
const LAST_RETRY: Duration = Duration::from_secs(30);
/// Shortest time between two signals for changed properties.
const PUBLISH_INTERVAL: Duration = Duration::from_secs(1);

/// The properties that stay the same while the collector runs.
#[derive(Clone, Debug)]
pub(crate) struct Facts {
    pub(crate) kernel_release: String,
    pub(crate) socket_path: String,
    /// For each probe: its name, whether it works, and the reason if it does not.
    pub(crate) probes: Vec<(String, bool, String)>,
}

#[derive(Clone)]
struct Collector {
    facts: Facts,
    kernel: Arc<dyn Kernel>,
    load: watch::Receiver<Load>,
}

#[expect(clippy::unused_self, reason = "zbus needs a method for each property, even for a constant")]
#[interface(name = "org.khor.Collector1")]
impl Collector {
    #[zbus(property(emits_changed_signal = "const"))]
    fn version(&self) -> &'static str {
        env!("CARGO_PKG_VERSION")
    }

    #[zbus(property(emits_changed_signal = "const"))]
    fn kernel_release(&self) -> String {
        self.facts.kernel_release.clone()
    }

    #[zbus(property(emits_changed_signal = "const"))]
    fn socket_path(&self) -> String {
        self.facts.socket_path.clone()
    }

    /// Versions of the protocol that clients of the socket can use.
    #[zbus(property(emits_changed_signal = "const"))]
    fn protocol_versions(&self) -> Vec<String> {
        vec![ProtocolVersion::CURRENT.to_string()]
    }

    /// For each probe: its name, whether it works, and the reason if it does not.
    #[zbus(property(emits_changed_signal = "const"))]
    fn probes(&self) -> Vec<(String, bool, String)> {
        self.facts.probes.clone()
    }

    /// Number of clients that receive samples.
    #[zbus(property)]
    fn subscribers(&self) -> u32 {
        self.load.borrow().subscribers
    }

    /// The shortest interval of all subscribers, in milliseconds; 0 if there is no subscriber.
    #[zbus(property)]
    fn sample_interval_ms(&self) -> u32 {
        self.load.borrow().shortest_interval_ms
    }

    /// Number of cues that the kernel dropped because there were too many.
    #[zbus(property)]
    fn dropped_cues(&self) -> u64 {
        CueKind::ALL.into_iter().map(|kind| self.kernel.lost(kind)).sum()
    }

    /// The kernel reported an event: `oom`, `crash`, `blkerr` or `retx`. `comm` is empty and `pid`
    /// is 0 if they are unknown. The policy in packaging/dbus/org.khor.Collector.conf lets the bus
    /// deliver this signal only to root and the group `khor`.
    #[zbus(signal)]
    async fn cue(
        emitter: &SignalEmitter<'_>,
        kind: &str,
        comm: &str,
        pid: u32,
        time_ns: u64,
    ) -> zbus::Result<()>;
}

/// Keeps the collector on the bus until the process ends. Reconnects after each failure.
pub(crate) async fn keep_on_bus(
    facts: Facts,
    kernel: Arc<dyn Kernel>,
    load: watch::Receiver<Load>,
    mut cues: mpsc::Receiver<Cue>,
) {
    let collector = Collector { facts, kernel, load };
    let mut retry_in = FIRST_RETRY;
    let mut warned = false;
    loop {
        match connect(collector.clone()).await {
            Ok(connection) => {
                tracing::info!("{NAME} is on the system bus");
                (retry_in, warned) = (FIRST_RETRY, false);
                if let Err(error) = publish_until_closed(&connection, collector.clone(), &mut cues).await {
                    tracing::debug!("cannot publish on the system bus: {error}");
                    connection.closed().await;
                }
                tracing::info!("the connection to the system bus was lost; sampling continues");
            }
            Err(error) if !warned => {
                warned = true;
                tracing::warn!(
                    "{} (sampling continues; the collector keeps trying without more warnings)",
                    explain(&error)
                );
            }
            Err(error) => tracing::debug!("{}", explain(&error)),
        }
        sleep(retry_in).await;
        retry_in = (retry_in * 2).min(LAST_RETRY);
    }
}

async fn connect(collector: Collector) -> zbus::Result<Connection> {
    connection::Builder::system()
        .serve_at(PATH, collector)
        .name(NAME)
        // With zbus's default flags, two collectors would keep taking the name from each other.
        .allow_name_replacements(false)
        .replace_existing_names(false)
        .method_timeout(Duration::from_secs(5))
        .build()
        .await
}

/// Publishes changed properties and cues. Returns an error when the connection fails.
async fn publish_until_closed(
    connection: &Connection,
    Collector { mut load, .. }: Collector,
    cues: &mut mpsc::Receiver<Cue>,
) -> zbus::Result<()> {
    let interface = connection.object_server().interface::<_, Collector>(PATH).await?;
    while cues.try_recv().is_ok() {} // drop cues from before the connection
    load.mark_unchanged();
    let (mut stale, mut next_publication) = (false, Instant::now());
    loop {
        tokio::select! {
            changed = load.changed(), if !stale => match changed {
                Ok(()) => stale = true,
                Err(_) => return Ok(()), // the server has ended
            },
            () = sleep_until(next_publication), if stale => {
                publish_changes(&interface).await?;
                (stale, next_publication) = (false, Instant::now() + PUBLISH_INTERVAL);
            }
            Some(cue) = cues.recv() => {
                let (comm, pid) = (cue.comm.as_deref().unwrap_or_default(), cue.pid.unwrap_or(0));
                interface.cue(cue.kind.name(), comm, pid, cue.t_ns).await?;
                stale = true; // the kernel may have dropped other cues
            }
            () = connection.closed() => return Ok(()),
        }
    }
}

async fn publish_changes(interface: &InterfaceRef<Collector>) -> zbus::Result<()> {
    let (collector, emitter) = (interface.get().await, interface.signal_emitter());
    collector.subscribers_changed(emitter).await?;
    collector.sample_interval_ms_changed(emitter).await?;
    collector.dropped_cues_changed(emitter).await
}

fn explain(error: &zbus::Error) -> String {
    match error {
        zbus::Error::FDO(error) if matches!(**error, fdo::Error::AccessDenied(_)) => format!(
            "the system bus denies the name {NAME}: install org.khor.Collector.conf in \
             /usr/share/dbus-1/system.d, reload the bus, and run as the user khor"
        ),
        zbus::Error::NameTaken => {
            format!("another process owns the name {NAME} on the system bus: stop it, or use --no-dbus")
        }
        _ => format!("cannot connect to the system bus ({error}): start dbus, or use --no-dbus"),
    }
}
