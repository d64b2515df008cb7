//! Attack: a member of the group `khor` attacks the collector through its socket.

use std::{
    fs,
    path::Path,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use khor_e2e::{
    Cgroup, Collector, SecondUser, Subscriber,
    engine::program,
    skip::{root_or_skip, skip},
};
use khor_patience::progress;
use khor_proto::{Availability, CueKind, Scope, Selector, Subscribe, client::Client};
use serde_json::json;

use crate::attempt::{Outcome, Row, Service, Target, assert_granted, assert_rejected, report};

const GROUP: u32 = 61_100;
const MEMBER: u32 = 61_101;
const OTHER_MEMBER: u32 = 61_102;
/// A number of scopes that is above the collector's limit.
const SCOPES: usize = 70;
/// A number of connections that is above the collector's limit.
const CONNECTIONS: usize = 300;
/// The shortest mean interval at which a member may receive samples about other users. The
/// collector sends such samples every 100 ms or less often. This value is shorter, because samples
/// can arrive unevenly on a busy machine.
const SHORTEST: Duration = Duration::from_millis(80);
const SAMPLES: u32 = 10;

fn socket(target: &Target) -> &Path {
    Path::new(target.text("socket"))
}

/// Subscribes. Succeeds if at least one counter is available.
fn subscribe(target: &Target, scope: Scope, cues: &[CueKind]) -> Result<Subscriber, String> {
    let subscriber = Subscriber::new(socket(target), scope, cues).map_err(|error| error.to_string())?;
    let counts = subscriber.subscribed.availability.contains(&Availability::Available);
    if counts { Ok(subscriber) } else { Err("no counter is available".into()) }
}

fn process(pid: u32) -> Selector {
    Selector::Process(pid)
}

/// A member's attempts to get data about other users.
pub(crate) fn about_others() -> Vec<Row> {
    let pid = |target: &Target| target.number("pid") as u32;
    vec![
        Row::new("a process of root as the scope", "its counts", move |target| {
            subscribe(target, Scope::only(process(pid(target))), &[]).map(|_| "subscribed".into())
        }),
        Row::new("a process of root and an own process", "its counts", move |target| {
            let include = vec![process(std::process::id()), process(pid(target))];
            subscribe(target, Scope::Selected { include, exclude: vec![] }, &[]).map(|_| "subscribed".into())
        }),
        // An attacker could subtract these counts from the counts of the whole machine. The
        // difference would be the counts of root's process.
        Row::new("the machine without a process of root", "its counts by subtraction", move |target| {
            let exclude = vec![process(pid(target))];
            subscribe(target, Scope::Selected { include: vec![], exclude }, &[]).map(|_| "subscribed".into())
        }),
        Row::new("program starts of others", "a cue of each", program_starts),
        Row::new("a cgroup of root every 5 ms", "times of single keystrokes", intervals),
    ]
}

/// Subscriptions that the collector must grant to a member of the group.
pub(crate) fn about_itself() -> Vec<Row> {
    vec![
        Row::new("an own process as the scope", "its counts", |target| {
            subscribe(target, Scope::only(process(std::process::id())), &[]).map(|_| "subscribed".into())
        }),
        Row::new("the machine with crashes", "its counts", |target| {
            let mut subscriber = subscribe(target, Scope::Machine, &[CueKind::Crash, CueKind::Oom])?;
            subscriber.sample();
            Ok("subscribed".into())
        }),
    ]
}

fn program_starts(target: &Target) -> Outcome {
    let mut subscriber =
        Subscriber::new(socket(target), Scope::Machine, &[CueKind::Exec]).map_err(|e| e.to_string())?;
    // A process of root starts programs during this loop.
    let begun = Instant::now();
    while begun.elapsed() < Duration::from_secs(2) {
        subscriber.sample();
        if let Some(cue) = subscriber.cues.iter().find(|cue| cue.kind == CueKind::Exec) {
            return Ok(format!("{cue:?}"));
        }
    }
    Err("no cue arrived".into())
}

/// Succeeds if the mean interval between samples is below [`SHORTEST`].
fn intervals(target: &Target) -> Outcome {
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().build().expect("creating a tokio runtime");
    runtime.block_on(async {
        let text = |error: khor_proto::client::ClientError| error.to_string();
        let (mut client, _) = Client::connect(socket(target), "attacker").await.map_err(text)?;
        let scope = Scope::only(Selector::Cgroup(target.text("cgroup").into()));
        client.subscribe(Subscribe { interval_ms: 5, scope, cues: vec![] }).await.map_err(text)?;
        client.sample().await.map_err(text)?;
        let begun = Instant::now();
        for _ in 0..SAMPLES {
            client.sample().await.map_err(text)?;
        }
        let interval = begun.elapsed() / SAMPLES;
        let text = format!("a sample every {interval:?}");
        if interval < SHORTEST { Ok(text) } else { Err(text) }
    })
}

/// Takes as many scopes as possible, then opens as many connections as possible, and holds all of
/// them.
pub(crate) fn hoard() -> Row {
    Row::new("hoard", "every scope and connection", |target| {
        let scope = |i: usize| Scope::only(Selector::Cgroup(format!("{}/{i}", target.text("cgroup"))));
        let scopes: Vec<_> = (0..SCOPES).map_while(|i| subscribe(target, scope(i), &[]).ok()).collect();
        report(&format!("scopes {}", scopes.len()));
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .expect("creating a tokio runtime");
        runtime.block_on(async {
            let mut clients = Vec::new();
            while clients.len() < CONNECTIONS
                && let Ok((mut client, _)) = Client::connect(socket(target), "hoarder").await
            {
                let _ = client.subscribe(Subscribe { interval_ms: 5000, ..Subscribe::default() }).await;
                progress("hoarding");
                clients.push(client);
            }
            report(&format!("connections {}", clients.len()));
            // These clients never read, so the collector will disconnect them. The test must make
            // its checks before that.
            loop {
                progress("holding");
                tokio::time::sleep(Duration::from_millis(500)).await;
            }
        })
    })
}

/// Subscribes to a scope that no other client uses.
pub(crate) fn one_scope() -> Row {
    Row::new("one scope", "its counts", |target| {
        let scope = Scope::only(Selector::Cgroup(format!("{}/mine", target.text("cgroup"))));
        let mut subscriber = subscribe(target, scope, &[])?;
        subscriber.sample();
        Ok("subscribed".into())
    })
}

fn collector() -> Collector {
    Collector::start(&program("khor-collector"), &["--no-dbus", "--group", &GROUP.to_string()])
}

/// A process that runs as root and starts programs; killed when dropped.
struct Busy(Child);

impl Busy {
    fn start() -> Self {
        let script = "while :; do /bin/true; sleep 0.02; done";
        Self(Command::new("sh").args(["-c", script]).stdin(Stdio::null()).spawn().expect("starting sh"))
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A cgroup that belongs to root, and its child cgroups. Dropping this value removes them.
struct Family {
    cgroup: Cgroup,
    children: Vec<std::path::PathBuf>,
}

impl Family {
    fn make(path: &str, names: impl Iterator<Item = String>) -> Option<Self> {
        let cgroup = Cgroup::make(path)?;
        let children: Vec<_> = names.map(|name| cgroup.directory().join(name)).collect();
        for child in &children {
            fs::create_dir_all(child).expect("creating a cgroup");
        }
        Some(Self { cgroup, children })
    }
}

impl Drop for Family {
    fn drop(&mut self) {
        for child in &self.children {
            let _ = fs::remove_dir(child);
        }
    }
}

#[test]
fn group_member_cannot_spy_on_other_users() {
    if !root_or_skip() {
        return;
    }
    let Some(family) = Family::make("/khor-attacker-others", std::iter::empty()) else {
        return skip("needs a unified cgroup hierarchy");
    };
    let (collector, busy) = (collector(), Busy::start());
    family.cgroup.take(busy.0.id());
    let target = json!({ "socket": collector.socket(), "pid": busy.0.id(), "cgroup": family.cgroup.path() });
    let member = SecondUser::in_group(MEMBER, GROUP);
    assert_rejected(&member, "group", &target);
    assert_granted(&member, "own process", &target);
    let root = SecondUser::new(0);
    assert_granted(&root, "group", &target);
    // A user outside the group cannot connect.
    for table in ["group", "own process"] {
        assert_rejected(&SecondUser::new(MEMBER), table, &target);
    }
}

#[test]
fn group_member_cannot_exhaust_collector() {
    if !root_or_skip() {
        return;
    }
    let names = (0..SCOPES).map(|i| i.to_string()).chain(["mine".to_owned()]);
    let Some(family) = Family::make("/khor-attacker-hoard", names) else {
        return skip("needs a unified cgroup hierarchy");
    };
    let collector = collector();
    let target = json!({ "socket": collector.socket(), "cgroup": family.cgroup.path() });
    let hoarder = Service::start(&SecondUser::in_group(MEMBER, GROUP), "hoard", &target);
    let scopes: usize = hoarder.wait_for("scopes").parse().expect("a number of scopes");
    let connections: usize = hoarder.wait_for("connections").parse().expect("a number of connections");
    println!("one member got {scopes} scopes and {connections} more connections");
    assert!(scopes >= 4, "one member got only {scopes} scopes; honest use needs at least 4");
    let other = SecondUser::in_group(OTHER_MEMBER, GROUP);
    assert_granted(&other, "one scope", &target);
    assert_granted(&SecondUser::new(0), "one scope", &target);
}
