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
        return Check::off(name, "nothing is wanted on the session bus (desktop)");
    }
    let Some(bus) = within(Connection::session()).await else {
        return Check::problem(name, "no session bus answers", dbus::NO_BUS_FIX);
    };
    // The engine knows more than the bus, such as which program owns the name instead.
    let reported = input.own_health().and_then(|health| health.desktop.health.trouble.as_ref());
    if let Some(Trouble { error, fix }) = reported {
        return Check::problem(name, error, fix.as_deref().unwrap_or(dbus::NO_BUS_FIX));
    }
    for bus_name in &bus_names {
        let is_there = has_owner(&bus, bus_name).await == Some(true)
            || can_be_started(&bus, bus_name).await == Some(true);
        if !is_there {
            let start = "start the engine in this session: systemctl --user start khor-engine";
            return Check::problem(name, format!("nobody is {bus_name} on the session bus"), start);
        }
    }
    Check::ok(name, format!("{} on the session bus", bus_names.join(", ")))
}
