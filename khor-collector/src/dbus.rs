//! `org.khor.Collector` on the system bus: read-only properties and signals for `busctl` and
//! desktop tools.
//!
//! The bus is optional. If it is missing, refuses the name or restarts, the collector logs that
//! once with the fix and tries again for ever. All of this is a task of its own, so sampling is
//! never affected.

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
/// Shortest time between two announcements of changed numbers on the bus.
const ANNOUNCE_INTERVAL: Duration = Duration::from_secs(1);

/// The properties that stay the same while the collector runs.
#[derive(Clone, Debug)]
pub(crate) struct Facts {
    pub(crate) kernel_release: String,
    pub(crate) socket_path: String,
    /// Name, whether it counts, and the reason if not.
    pub(crate) probes: Vec<(String, bool, String)>,
}

#[derive(Clone)]
struct Collector {
    facts: Facts,
    kernel: Arc<dyn Kernel>,
    load: watch::Receiver<Load>,
}

#[expect(clippy::unused_self, reason = "a property is a method even where its value is a constant")]
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

    /// Versions of the socket's protocol.
    #[zbus(property(emits_changed_signal = "const"))]
    fn protocol_versions(&self) -> Vec<String> {
        vec![ProtocolVersion::CURRENT.to_string()]
    }

    /// Name, whether it counts, and the reason if not.
    #[zbus(property(emits_changed_signal = "const"))]
    fn probes(&self) -> Vec<(String, bool, String)> {
        self.facts.probes.clone()
    }

    /// Clients that receive samples.
    #[zbus(property)]
    fn subscribers(&self) -> u32 {
        self.load.borrow().subscribers
    }

    /// Shortest interval that a subscriber gets; 0 without subscribers.
    #[zbus(property)]
    fn sample_interval_ms(&self) -> u32 {
        self.load.borrow().shortest_interval_ms
    }

    /// Cues that came faster than the kernel passes them on.
    #[zbus(property)]
    fn dropped_cues(&self) -> u64 {
        CueKind::ALL.into_iter().map(|kind| self.kernel.lost(kind)).sum()
    }

    /// Something happened: `oom`, `crash`, `blkerr` or `retx`. Name and process are empty and 0
    /// where not known. The bus delivers it to root and the group `khor` only, by the policy in
    /// packaging/dbus/org.khor.Collector.conf.
    #[zbus(signal)]
    async fn cue(
        emitter: &SignalEmitter<'_>,
        kind: &str,
        comm: &str,
        pid: u32,
        time_ns: u64,
    ) -> zbus::Result<()>;
}

/// Keeps the name on the bus for as long as the process lives.
pub(crate) async fn keep_offering(
    facts: Facts,
    kernel: Arc<dyn Kernel>,
    load: watch::Receiver<Load>,
    mut cues: mpsc::Receiver<Cue>,
) {
    let collector = Collector { facts, kernel, load };
    let mut retry_in = FIRST_RETRY;
    let mut complained = false;
    loop {
        match offer(collector.clone()).await {
            Ok(connection) => {
                tracing::info!("{NAME} is on the system bus");
                (retry_in, complained) = (FIRST_RETRY, false);
                if let Err(error) = announce_until_closed(&connection, collector.clone(), &mut cues).await {
                    tracing::debug!("announcing: {error}");
                    connection.closed().await;
                }
                tracing::info!("the system bus is gone; sampling goes on");
            }
            Err(error) if !complained => {
                complained = true;
                tracing::warn!("{} (sampling goes on; trying again quietly)", explain(&error));
            }
            Err(error) => tracing::debug!("{}", explain(&error)),
        }
        sleep(retry_in).await;
        retry_in = (retry_in * 2).min(LAST_RETRY);
    }
}

async fn offer(collector: Collector) -> zbus::Result<Connection> {
    connection::Builder::system()
        .serve_at(PATH, collector)
        .name(NAME)
        // By default two collectors would take the name from each other for ever.
        .allow_name_replacements(false)
        .replace_existing_names(false)
        .method_timeout(Duration::from_secs(5))
        .build()
        .await
}

/// Announces changes. Returns an error when the connection fails.
async fn announce_until_closed(
    connection: &Connection,
    Collector { mut load, .. }: Collector,
    cues: &mut mpsc::Receiver<Cue>,
) -> zbus::Result<()> {
    let interface = connection.object_server().interface::<_, Collector>(PATH).await?;
    while cues.try_recv().is_ok() {} // drop cues from before the connection
    load.mark_unchanged();
    let (mut stale, mut next_announcement) = (false, Instant::now());
    loop {
        tokio::select! {
            changed = load.changed(), if !stale => match changed {
                Ok(()) => stale = true,
                Err(_) => return Ok(()), // the server has ended
            },
            () = sleep_until(next_announcement), if stale => {
                announce(&interface).await?;
                (stale, next_announcement) = (false, Instant::now() + ANNOUNCE_INTERVAL);
            }
            Some(cue) = cues.recv() => {
                let (comm, pid) = (cue.comm.as_deref().unwrap_or_default(), cue.pid.unwrap_or(0));
                interface.cue(cue.kind.name(), comm, pid, cue.t_ns).await?;
                stale = true; // some may have been dropped as well
            }
            () = connection.closed() => return Ok(()),
        }
    }
}

async fn announce(interface: &InterfaceRef<Collector>) -> zbus::Result<()> {
    let (collector, emitter) = (interface.get().await, interface.signal_emitter());
    collector.subscribers_changed(emitter).await?;
    collector.sample_interval_ms_changed(emitter).await?;
    collector.dropped_cues_changed(emitter).await
}

fn explain(error: &zbus::Error) -> String {
    match error {
        zbus::Error::FDO(error) if matches!(**error, fdo::Error::AccessDenied(_)) => format!(
            "the system bus does not let us be {NAME}: install org.khor.Collector.conf in \
             /usr/share/dbus-1/system.d, reload the bus, and run as the user khor"
        ),
        zbus::Error::NameTaken => format!("another collector is {NAME} on the system bus"),
        _ => format!("no system bus ({error}): start dbus, or use --no-dbus"),
    }
}
