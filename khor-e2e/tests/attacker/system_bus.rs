//! Attack: a user outside the group `khor` monitors the system bus while a process crashes.

use std::{
    io::{BufRead, BufReader},
    path::Path,
    process::{Child, Stdio},
    sync::{Arc, mpsc},
    thread,
    time::Duration,
};

use khor_e2e::{
    Bus, Collector, SecondUser, Wait,
    crash::crash_named,
    engine::program,
    procfs,
    second_user::NOBODY,
    skip::{root_or_skip, skip},
    wait_until,
};
use tempfile::TempDir;

const POLICY: &str = include_str!("../../../packaging/dbus/org.khor.Collector.conf");
/// The names of two processes that crash.
const NAMES: [&str; 2] = ["secret-first", "secret-second"];

/// A `dbus-monitor` that a user runs; killed when dropped.
struct Eavesdropper {
    child: Child,
    lines: mpsc::Receiver<String>,
    received: String,
}

impl Eavesdropper {
    fn start(user: &SecondUser, bus: &Bus) -> Option<Self> {
        let monitor = Path::new("/usr/bin/dbus-monitor");
        let mut child = user
            .command(monitor)
            .args(["--address", &bus.address(), "type='signal',interface='org.khor.Collector1'"])
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .ok()?;
        let output = BufReader::new(child.stdout.take()?);
        let (sender, lines) = mpsc::channel();
        thread::spawn(move || output.lines().map_while(Result::ok).try_for_each(|line| sender.send(line)));
        Some(Self { child, lines, received: String::new() })
    }

    /// All lines that the monitor has printed so far.
    fn received(&mut self) -> &str {
        self.received.extend(self.lines.try_iter().map(|line| line + "\n"));
        &self.received
    }

    fn wait_for(&mut self, word: &str) {
        let mut wait = Wait::new(&format!("{word} on the bus"));
        while !self.received().contains(word) {
            wait.pause(|| self.received.clone());
        }
    }
}

impl Drop for Eavesdropper {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn is_on(bus: &Bus) -> bool {
    let version =
        ["get-property", "org.khor.Collector", "/org/khor/Collector", "org.khor.Collector1", "Version"];
    bus.busctl(&version).is_some()
}

#[test]
fn system_bus_hides_names_from_others() {
    if !root_or_skip() {
        return;
    }
    let Some(bus) = Bus::start(true) else { return skip("needs dbus-daemon") };
    let dir = Arc::new(TempDir::new().expect("creating a temporary directory"));
    let address = bus.address();
    let environment = [("DBUS_SYSTEM_BUS_ADDRESS", address.as_str())];
    let collector = Collector::start_with(&dir, &program("khor-collector"), &[], &environment);
    // Adapt the policy to the collector's user in this test, and to a group that exists on every
    // system.
    let uid = procfs::status(collector.pid(), "Uid");
    let uid = uid.split_whitespace().next().expect("a user ID in the status");
    let policy = POLICY.replace("user=\"khor\"", &format!("user=\"{uid}\""));
    bus.install("org.khor.Collector.conf", &policy.replace("group=\"khor\"", "group=\"games\""));
    wait_until("the collector's bus name", || is_on(&bus));

    let (root, nobody) = (SecondUser::new(0), SecondUser::new(NOBODY));
    let start = |user| Eavesdropper::start(user, &bus);
    let (Some(mut root_monitor), Some(mut nobody_monitor)) = (start(&root), start(&nobody)) else {
        return skip("needs dbus-monitor");
    };
    // The bus sends this signal to each client after it has connected.
    for monitor in [&mut root_monitor, &mut nobody_monitor] {
        monitor.wait_for("NameAcquired");
    }
    let crashed = TempDir::new().expect("creating a temporary directory");
    for name in NAMES {
        // The first crash may be missed, if the monitor's match rule is not active yet.
        crash_named(crashed.path(), name, "");
        root_monitor.wait_for(name);
    }
    thread::sleep(Duration::from_millis(300));
    let received = nobody_monitor.received();
    assert!(
        !NAMES.iter().any(|name| received.contains(name)),
        "the user nobody received a process name: {received}"
    );
}
