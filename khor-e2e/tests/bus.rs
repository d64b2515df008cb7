//! Tests the collector on a real message bus that is started, stopped and restarted. Sampling must
//! never stop.

use std::{
    io::{BufRead, BufReader},
    process::{Child, Command, Stdio},
    sync::{Arc, mpsc},
    thread,
    time::Duration,
};

use khor_e2e::{
    Bus, Collector, Crashes, Subscriber, Wait, crash,
    engine::program,
    skip::{root_or_skip, skip},
    wait_until,
};
use khor_proto::{Counter, Scope};
use nix::unistd::User;
use tempfile::TempDir;

/// Longest wait for a line before the loop checks whether the test hangs.
const POLL: Duration = Duration::from_millis(500);

/// Starts a collector that uses this bus as the system bus.
fn collector_on(bus: &Bus) -> Collector {
    let dir = Arc::new(TempDir::new().expect("creating a temporary directory"));
    let address = bus.address();
    Collector::start_with(
        &dir,
        &program("khor-collector"),
        &[],
        &[("DBUS_SYSTEM_BUS_ADDRESS", address.as_str())],
    )
}

/// Name of the installed policy file.
const POLICY_FILE: &str = "org.khor.Collector.conf";
const POLICY: &str = include_str!("../../packaging/dbus/org.khor.Collector.conf");

/// The installed policy, adapted to this test. It names `user` instead of the user `khor`, and the
/// ID `group` instead of the group `khor`.
fn policy(user: &str, group: u32) -> String {
    POLICY
        .replace("user=\"khor\"", &format!("user=\"{user}\""))
        .replace("group=\"khor\"", &format!("group=\"{group}\""))
}

/// The user ID of the collector.
fn user_of(collector: &Collector) -> String {
    let uids = khor_e2e::procfs::status(collector.pid(), "Uid");
    uids.split_whitespace().next().expect("a user ID in the status").to_owned()
}

/// A property of the collector on the bus; `None` if it cannot be read.
fn property(bus: &Bus, name: &str) -> Option<String> {
    bus.busctl(&["get-property", "org.khor.Collector", "/org/khor/Collector", "org.khor.Collector1", name])
}

#[test]
fn collector_uses_bus_and_works_without() {
    if !root_or_skip() {
        return;
    }
    let Some(mut bus) = Bus::start(false) else { return skip("needs dbus-daemon") };
    if Command::new("busctl").arg("--version").output().is_err() {
        return skip("needs busctl");
    }
    let collector = collector_on(&bus);
    wait_until("the collector's bus name", || property(&bus, "Version").is_some());
    let socket = property(&bus, "SocketPath").expect("a property of the collector");
    assert_eq!(socket.trim(), format!("s \"{}\"", collector.socket().display()));
    let probes = property(&bus, "Probes").expect("a property of the collector");
    assert!(probes.starts_with("a(sbs) ") && probes.contains("\"sched_switch\" true"), "{probes}");
    let introspected = bus
        .busctl(&["introspect", "org.khor.Collector", "/org/khor/Collector", "org.khor.Collector1"])
        .expect("introspecting the collector");
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
    assert!(
        collector.sample().get(Counter::Switches).is_some(),
        "the collector stopped counting without a bus"
    );
    assert!(bus.restart());
    wait_until("the collector's name on the new bus", || property(&bus, "Version").is_some());
}

#[test]
fn bus_reports_crashes_and_subscribers() {
    if !root_or_skip() {
        return;
    }
    let Some(bus) = Bus::start(false) else { return skip("needs dbus-daemon") };
    let crashes = Crashes::alone();
    let collector = collector_on(&bus);
    wait_until("the collector's bus name", || property(&bus, "Version").is_some());
    let monitor = bus.monitor("org.khor.Collector");
    let mut subscriber =
        Subscriber::new(collector.socket(), Scope::Machine, &[]).expect("an accepted subscription");
    let changed =
        monitor.wait_for("the change of Subscribers", |message| message["member"] == "PropertiesChanged");
    assert!(changed["payload"]["data"][1]["Subscribers"]["data"] == 1, "{changed}");
    subscriber.sample();
    let pid = crashes.crash();
    let cue = monitor.wait_for("the cue of the crash", |message| message["member"] == "Cue");
    let data = &cue["payload"]["data"];
    assert_eq!(
        (data[0].as_str(), data[1].as_str(), data[2].as_u64()),
        (Some("crash"), Some("sh"), Some(pid.into()))
    );
    assert!(data[3].as_u64().is_some_and(|time_ns| time_ns > 0), "{cue}");
}

#[test]
fn denied_bus_name_is_retried() {
    if !root_or_skip() {
        return;
    }
    let Some(bus) = Bus::start(true) else { return skip("needs dbus-daemon") };
    let collector = collector_on(&bus);
    wait_until("a log line that names the policy file", || {
        collector.log().contains("org.khor.Collector.conf")
    });
    assert!(
        collector.sample().get(Counter::Switches).is_some(),
        "the collector does not count without its bus name"
    );
    bus.install(POLICY_FILE, &policy(&user_of(&collector), 0));
    wait_until("the collector's bus name", || property(&bus, "Version").is_some());
    let written = ["set-property", "org.khor.Collector", "/org/khor/Collector", "org.khor.Collector1"];
    assert!(
        bus.busctl(&[&written[..], &["Subscribers", "u", "9"]].concat()).is_none(),
        "a client could write the property Subscribers"
    );
}

#[test]
fn only_root_and_group_receive_names() {
    if !root_or_skip() {
        return;
    }
    let Some(bus) = Bus::start(true) else { return skip("needs dbus-daemon") };
    let (Ok(Some(member)), Ok(Some(nobody))) = (User::from_uid(1.into()), User::from_name("nobody")) else {
        return skip("needs the user nobody and a user with the ID 1");
    };
    let collector = collector_on(&bus);
    bus.install(POLICY_FILE, &policy(&user_of(&collector), member.gid.as_raw()));
    wait_until("the collector's bus name", || property(&bus, "Version").is_some());
    let receivers = [&member, &nobody, &root()].map(|user| Receiver::start(&bus, user));
    let [Some(mut member), Some(mut nobody), Some(mut root)] = receivers else {
        return skip("needs gdbus");
    };
    crash();
    for receiver in [&mut member, &mut root] {
        let cue = receiver.wait_for(".Cue ");
        assert!(cue.contains("'crash', 'sh'"), "{cue}");
    }
    // All users receive the signal about the new subscriber, and signals arrive in order. So when
    // the user nobody has this signal, a cue of the crash would have arrived too.
    let _subscriber =
        Subscriber::new(collector.socket(), Scope::Machine, &[]).expect("an accepted subscription");
    nobody.wait_for("'Subscribers': <uint32 1>");
    let names = nobody.received.iter().filter(|line| line.contains("Cue") && line.contains("crash"));
    assert_eq!(names.count(), 0, "the user nobody received a process name: {:?}", nobody.received);
}

fn root() -> User {
    User::from_uid(0.into()).expect("reading the user database").expect("the user root")
}

/// A `gdbus monitor` that a user runs to receive the collector's signals; killed when dropped.
struct Receiver {
    gdbus: Child,
    lines: mpsc::Receiver<String>,
    /// All lines printed so far.
    received: Vec<String>,
}

impl Receiver {
    /// Starts the monitor and waits until it is ready. `None` if `gdbus` is not installed.
    fn start(bus: &Bus, user: &User) -> Option<Self> {
        Command::new("gdbus").arg("help").output().ok()?;
        let mut gdbus = Command::new("setpriv")
            .args([format!("--reuid={}", user.uid), format!("--regid={}", user.gid)])
            .args(["--init-groups", "--", "gdbus", "monitor", "--dest", "org.khor.Collector"])
            .args(["--address", &bus.address()])
            .stdout(Stdio::piped())
            .spawn()
            .ok()?;
        let output = BufReader::new(gdbus.stdout.take().expect("the output of gdbus"));
        let (sender, lines) = mpsc::channel();
        thread::spawn(move || output.lines().map_while(Result::ok).try_for_each(|line| sender.send(line)));
        let mut receiver = Self { gdbus, lines, received: Vec::new() };
        receiver.wait_for("is owned by");
        Some(receiver)
    }

    /// Waits for a line that contains `part`.
    fn wait_for(&mut self, part: &str) -> String {
        let mut wait = Wait::new(&format!("gdbus to print {part:?}"));
        loop {
            match self.lines.recv_timeout(POLL) {
                Ok(line) => {
                    self.received.push(line.clone());
                    if line.contains(part) {
                        return line;
                    }
                }
                Err(mpsc::RecvTimeoutError::Timeout) => wait.check(|| format!("{:?}", self.received)),
                Err(error) => panic!("gdbus ended before it printed {part:?}: {error}"),
            }
        }
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        let _ = self.gdbus.kill();
        let _ = self.gdbus.wait();
    }
}
