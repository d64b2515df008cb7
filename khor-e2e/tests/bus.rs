//! The collector on a real message bus: there, gone, and there again, and sampling all the while.

use std::process::Command;
use std::sync::Arc;

use khor_e2e::engine::program;
use khor_e2e::skip::{root_or_skip, skip};
use khor_e2e::{Bus, Collector, Listener, wait_until};
use khor_proto::Scope;
use tempfile::TempDir;

/// A collector on that bus, which is found by the environment variable that all of D-Bus heeds.
fn collector_on(bus: &Bus) -> Collector {
    let dir = Arc::new(TempDir::new().expect("a directory"));
    let address = bus.address();
    Collector::start_with(
        &dir,
        &program("khor-collector"),
        &[],
        &[("DBUS_SYSTEM_BUS_ADDRESS", address.as_str())],
    )
}

/// Where policies are that go beyond the bus's own.
const POLICY: &str = include_str!("../../packaging/dbus/org.khor.Collector.conf");

/// A property of the collector's.
fn property(bus: &Bus, name: &str) -> Option<String> {
    bus.busctl(&["get-property", "org.khor.Collector", "/org/khor/Collector", "org.khor.Collector1", name])
}

#[test]
fn the_collector_is_on_the_bus_and_does_without() {
    if !root_or_skip() {
        return;
    }
    let Some(mut bus) = Bus::start(false) else { return skip("needs dbus-daemon") };
    if Command::new("busctl").arg("--version").output().is_err() {
        return skip("needs busctl");
    }
    let collector = collector_on(&bus);
    wait_until("the name", || property(&bus, "Version").is_some());
    let socket = property(&bus, "SocketPath").expect("a property");
    assert_eq!(socket.trim(), format!("s \"{}\"", collector.socket().display()));
    let probes = property(&bus, "Probes").expect("a property");
    assert!(probes.starts_with("a(sbs) ") && probes.contains("\"sched_switch\" true"), "{probes}");
    let introspected = bus
        .busctl(&["introspect", "org.khor.Collector", "/org/khor/Collector", "org.khor.Collector1"])
        .expect("introspection");
    for (name, signature) in [
        (".KernelRelease", "s"),
        (".ProtocolVersions", "as"),
        (".Probes", "a(sbs)"),
        (".SampleIntervalMs", "u"),
        (".Subscribers", "u"),
        (".DroppedCues", "t"),
        (".Cue", "ssut"),
    ] {
        let line = introspected.lines().find(|line| line.split_whitespace().next() == Some(name));
        assert_eq!(
            line.and_then(|line| line.split_whitespace().nth(2)),
            Some(signature),
            "{name} {introspected}"
        );
    }

    bus.kill();
    assert!(collector.sample().get("switches").is_some(), "without a bus it counts on");
    assert!(bus.restart());
    wait_until("the name on the new bus", || property(&bus, "Version").is_some());
}

#[test]
fn crashes_and_subscribers_are_told_of_as_they_come() {
    if !root_or_skip() {
        return;
    }
    let Some(bus) = Bus::start(false) else { return skip("needs dbus-daemon") };
    let collector = collector_on(&bus);
    wait_until("the name", || property(&bus, "Version").is_some());
    let monitor = bus.monitor("org.khor.Collector");
    let mut listener = Listener::new(collector.socket(), Scope::Machine, &[]).expect("a subscription");
    let changed = monitor.wait_for("the subscriber", |message| message["member"] == "PropertiesChanged");
    assert!(changed["payload"]["data"][1]["Subscribers"]["data"] == 1, "{changed}");
    listener.sample();
    // Dies of a signal that nobody handles.
    let crashed = Command::new("sh").args(["-c", "kill -SEGV $$"]).spawn().expect("a shell");
    let pid = crashed.id();
    let _ = crashed.wait_with_output();
    let cue = monitor.wait_for("the crash", |message| message["member"] == "Cue");
    let data = &cue["payload"]["data"];
    assert_eq!(
        (data[0].as_str(), data[1].as_str(), data[2].as_u64()),
        (Some("crash"), Some("sh"), Some(pid.into()))
    );
    assert!(data[3].as_u64().is_some_and(|time_ns| time_ns > 0), "{cue}");
}

#[test]
fn a_bus_that_denies_the_name_costs_the_name_only_until_its_policy_is_there() {
    if !root_or_skip() {
        return;
    }
    let Some(bus) = Bus::start(true) else { return skip("needs dbus-daemon") };
    let collector = collector_on(&bus);
    wait_until("the complaint", || collector.log().contains("org.khor.Collector.conf"));
    assert!(collector.sample().get("switches").is_some(), "it counts");
    // For the user that the collector runs as here.
    let uid = khor_e2e::procfs::status(collector.pid(), "Uid");
    let uid = uid.split_whitespace().next().expect("a user");
    bus.install("org.khor.Collector.conf", &POLICY.replace("user=\"khor\"", &format!("user=\"{uid}\"")));
    wait_until("the name", || property(&bus, "Version").is_some());
    let written = ["set-property", "org.khor.Collector", "/org/khor/Collector", "org.khor.Collector1"];
    assert!(bus.busctl(&[&written[..], &["Subscribers", "u", "9"]].concat()).is_none(), "nobody may write");
}
