//! Queries programs on the system bus or the session bus. A query returns `None` if the bus is
//! missing, hangs or returns an error.

use std::time::Duration;

use zbus::{Connection, fdo::DBusProxy, names::BusName, proxy::CacheProperties};

/// Maximum time to wait for an answer on a bus.
const TIMEOUT: Duration = Duration::from_secs(2);

/// Connects to the system bus.
pub(super) async fn connect() -> Option<Connection> {
    within(Connection::system()).await
}

/// Returns whether a program owns the bus name `name`.
pub(super) async fn has_owner(bus: &Connection, name: &str) -> Option<bool> {
    let name = BusName::try_from(name).ok()?;
    within(async { DBusProxy::new(bus).await?.name_has_owner(name).await.map_err(Into::into) }).await
}

/// Returns whether the bus can start a program that owns the bus name `name`.
pub(super) async fn can_be_started(bus: &Connection, name: &str) -> Option<bool> {
    let names =
        within(async { DBusProxy::new(bus).await?.list_activatable_names().await.map_err(Into::into) });
    Some(names.await?.iter().any(|known| known.as_str() == name))
}

/// Returns the state of a systemd unit: `active`, `inactive` or `failed`. Returns `None` if systemd
/// or the unit is missing.
pub(super) async fn unit_state(bus: &Connection, unit: &str) -> Option<String> {
    const SYSTEMD: &str = "org.freedesktop.systemd1";
    let manager =
        within(proxy(bus, SYSTEMD, "/org/freedesktop/systemd1", "org.freedesktop.systemd1.Manager"));
    let manager = manager.await?;
    let path: zbus::OwnedObjectPath = within(manager.call("LoadUnit", &unit)).await?;
    let unit = within(proxy(bus, SYSTEMD, path.as_str(), "org.freedesktop.systemd1.Unit")).await?;
    let loaded: String = within(unit.get_property("LoadState")).await?;
    if loaded != "loaded" {
        return None;
    }
    within(unit.get_property("ActiveState")).await
}

/// Creates a D-Bus proxy. It does not cache properties, because the checks read each property once.
async fn proxy<'a>(
    bus: &Connection,
    service: &'a str,
    path: &'a str,
    interface: &'a str,
) -> zbus::Result<zbus::Proxy<'a>> {
    zbus::proxy::Builder::new(bus)
        .destination(service)
        .path(path)
        .interface(interface)
        .cache_properties(CacheProperties::No)
        .build()
        .await
}

/// Waits for a query. Returns `None` if it fails or takes longer than [`TIMEOUT`].
pub(super) async fn within<T>(query: impl Future<Output = zbus::Result<T>>) -> Option<T> {
    tokio::time::timeout(TIMEOUT, query).await.ok()?.ok()
}

/// Returns whether systemd's timedated reports that the clock is synchronised.
pub(super) async fn clock_is_synchronised(bus: &Connection) -> Option<bool> {
    const TIME: &str = "org.freedesktop.timedate1";
    let time = within(proxy(bus, TIME, "/org/freedesktop/timedate1", TIME)).await?;
    within(time.get_property("NTPSynchronized")).await
}
