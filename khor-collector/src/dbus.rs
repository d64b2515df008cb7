//! `org.khor.Collector` on the system bus: facts and figures for `busctl` and desktop tools, read-only.
//!
//! The bus is a convenience. Its absence, refusal or restart is logged once with the fix, tried again for ever,
//! and never touches the sampling: all of this is one task of its own.

use std::time::Duration;

use khor_proto::ProtocolVersion;
use tokio::sync::watch;
use tokio::time::sleep;
use zbus::{Connection, connection, fdo, interface};

use crate::serve::Load;

const NAME: &str = "org.khor.Collector";
const PATH: &str = "/org/khor/Collector";
const FIRST_RETRY: Duration = Duration::from_secs(1);
const LAST_RETRY: Duration = Duration::from_secs(30);
/// At most this often do changing figures go out to the whole bus.
const ANNOUNCE_INTERVAL: Duration = Duration::from_secs(1);

/// What stays as it is while the collector runs.
#[derive(Clone, Debug)]
pub(crate) struct Facts {
    pub(crate) kernel_release: String,
    pub(crate) socket_path: String,
    /// Name, whether it counts, and if not, why.
    pub(crate) probes: Vec<(String, bool, String)>,
}

struct Collector {
    facts: Facts,
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

    /// Name, whether it counts, and if not, why.
    #[zbus(property(emits_changed_signal = "const"))]
    fn probes(&self) -> Vec<(String, bool, String)> {
        self.facts.probes.clone()
    }

    /// Clients that receive samples.
    #[zbus(property)]
    fn subscribers(&self) -> u32 {
        self.load.borrow().subscribers
    }

    /// Shortest interval any of them asked for; 0 without subscribers.
    #[zbus(property)]
    fn sample_interval_ms(&self) -> u32 {
        self.load.borrow().shortest_interval_ms
    }
}

/// Keeps the name on the bus for as long as the process lives.
pub(crate) async fn keep_offering(facts: Facts, load: watch::Receiver<Load>) {
    let mut retry_in = FIRST_RETRY;
    let mut complained = false;
    loop {
        match offer(facts.clone(), load.clone()).await {
            Ok(connection) => {
                tracing::info!("{NAME} is on the system bus");
                (retry_in, complained) = (FIRST_RETRY, false);
                announce_until_closed(&connection, load.clone()).await;
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

async fn offer(facts: Facts, load: watch::Receiver<Load>) -> zbus::Result<Connection> {
    connection::Builder::system()
        .serve_at(PATH, Collector { facts, load })
        .name(NAME)
        // By default two collectors would take the name from each other for ever.
        .allow_name_replacements(false)
        .replace_existing_names(false)
        .method_timeout(Duration::from_secs(5))
        .build()
        .await
}

async fn announce_until_closed(connection: &Connection, mut load: watch::Receiver<Load>) {
    load.mark_unchanged();
    loop {
        let changed = tokio::select! {
            changed = load.changed() => changed,
            () = connection.closed() => return,
        };
        // An error here means the connection is going; `closed` says so next.
        if changed.is_err() || announce(connection).await.is_err() {
            return connection.closed().await;
        }
        sleep(ANNOUNCE_INTERVAL).await;
    }
}

async fn announce(connection: &Connection) -> zbus::Result<()> {
    let interface = connection.object_server().interface::<_, Collector>(PATH).await?;
    let collector = interface.get().await;
    collector.subscribers_changed(interface.signal_emitter()).await?;
    collector.sample_interval_ms_changed(interface.signal_emitter()).await
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
