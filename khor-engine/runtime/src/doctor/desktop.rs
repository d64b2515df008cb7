//! Checks khor's interfaces on the session bus, if they are enabled.

use khor_api::{Check, Trouble};
use zbus::Connection;

use super::{
    check::DoctorInput,
    system_bus::{can_be_started, has_owner, within},
};
use crate::dbus;

pub(super) async fn examine(input: &DoctorInput) -> Check {
    let name = "desktop";
    let bus_names = dbus::names(input.config.desktop);
    if bus_names.is_empty() {
        return Check::off(name, "all settings of the section desktop are off");
    }
    let Some(bus) = within(Connection::session()).await else {
        return Check::problem(name, "there is no session bus, or it does not answer", dbus::NO_BUS_FIX);
    };
    // Prefer the engine's own report. It has more detail than the bus, for example that another
    // program owns the name.
    let reported = input.own_health().and_then(|health| health.desktop.health.trouble.as_ref());
    if let Some(Trouble { error, fix }) = reported {
        return Check::problem(name, error, fix.as_deref().unwrap_or(dbus::NO_BUS_FIX));
    }
    for bus_name in &bus_names {
        let is_available = has_owner(&bus, bus_name).await == Some(true)
            || can_be_started(&bus, bus_name).await == Some(true);
        if !is_available {
            let start = "start the engine in this session: systemctl --user start khor-engine";
            return Check::problem(name, format!("no program owns {bus_name} on the session bus"), start);
        }
    }
    Check::ok(name, format!("available on the session bus: {}", bus_names.join(", ")))
}
