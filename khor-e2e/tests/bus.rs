//! The collector on a real message bus: there, gone, and there again, and sampling all the while.

use std::os::unix::fs::PermissionsExt;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use khor_e2e::engine::program;
use khor_e2e::skip::{root_or_skip, skip};
use khor_e2e::{Collector, wait_until};
use tempfile::TempDir;

const PATIENCE: Duration = Duration::from_secs(20);

/// A bus of the test's own, which lets everybody do everything.
struct Bus {
    dir: TempDir,
    daemon: Option<Child>,
}

impl Bus {
    fn start() -> Option<Self> {
        let mut bus = Self { dir: TempDir::new().expect("a directory"), daemon: None };
        // The collector is not root by the time it looks for the bus.
        std::fs::set_permissions(bus.dir.path(), PermissionsExt::from_mode(0o755)).expect("its mode");
        let config = format!(
            "<busconfig><type>system</type><listen>{}</listen><auth>EXTERNAL</auth><policy context='default'>\
             <allow user='*'/><allow own='*'/><allow send_destination='*' eavesdrop='true'/>\
             <allow eavesdrop='true'/></policy></busconfig>",
            bus.address()
        );
        std::fs::write(bus.dir.path().join("bus.conf"), config).expect("the configuration");
        bus.restart().then_some(bus)
    }

    fn address(&self) -> String {
        format!("unix:path={}", self.dir.path().join("bus").display())
    }

    fn restart(&mut self) -> bool {
        let daemon = Command::new("dbus-daemon")
            .arg(format!("--config-file={}", self.dir.path().join("bus.conf").display()))
            .args(["--nofork", "--nopidfile"])
            .spawn();
        self.daemon = daemon.ok();
        self.daemon.is_some()
    }

    fn kill(&mut self) {
        if let Some(mut daemon) = self.daemon.take() {
            let _ = daemon.kill();
            let _ = daemon.wait();
        }
    }

    fn busctl(&self, arguments: &[&str]) -> Option<String> {
        let output = Command::new("busctl")
            .arg(format!("--address={}", self.address()))
            .args(arguments)
            .stderr(Stdio::null())
            .output()
            .ok()?;
        output.status.success().then(|| String::from_utf8_lossy(&output.stdout).into_owned())
    }

    fn property(&self, name: &str) -> Option<String> {
        let object = ["org.khor.Collector", "/org/khor/Collector", "org.khor.Collector1"];
        self.busctl(&["get-property", object[0], object[1], object[2], name])
    }
}

impl Drop for Bus {
    fn drop(&mut self) {
        self.kill();
    }
}

#[test]
fn the_collector_is_on_the_bus_and_does_without() {
    if !root_or_skip() {
        return;
    }
    let Some(mut bus) = Bus::start() else { return skip("needs dbus-daemon") };
    if Command::new("busctl").arg("--version").output().is_err() {
        return skip("needs busctl");
    }
    let dir = Arc::new(TempDir::new().expect("a directory"));
    let address = bus.address();
    let environment = [("DBUS_SYSTEM_BUS_ADDRESS", address.as_str())];
    let collector = Collector::start_with(&dir, &program("khor-collector"), &[], &environment);

    wait_until("the name", PATIENCE, || bus.property("Version").is_some());
    let socket = bus.property("SocketPath").expect("a property");
    assert_eq!(socket.trim(), format!("s \"{}\"", collector.socket().display()));
    let probes = bus.property("Probes").expect("a property");
    assert!(probes.starts_with("a(sbs) ") && probes.contains("\"sched_switch\" true"), "{probes}");
    let introspected = bus
        .busctl(&["introspect", "org.khor.Collector", "/org/khor/Collector", "org.khor.Collector1"])
        .expect("introspection");
    for property in ["KernelRelease", "ProtocolVersions", "SampleIntervalMs", "Subscribers"] {
        assert!(introspected.contains(property), "{introspected}");
    }

    bus.kill();
    assert!(collector.sample().get("switches").is_some(), "without a bus it counts on");
    assert!(bus.restart());
    wait_until("the name on the new bus", PATIENCE, || bus.property("Version").is_some());
}
