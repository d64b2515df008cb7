//! Tests the collector's limits for untrusted members of its group, with processes of several
//! users.

use std::{
    os::unix::fs::{PermissionsExt, chown},
    path::Path,
    process::{Child, Command, Stdio},
};

use khor_e2e::{
    Cgroup, Collector, Engine, Subscriber, Wait, crash,
    crowd::{GROUP, connect_as},
    engine::program,
    load,
    skip::{root_or_skip, skip},
    wait_until,
};
use khor_patience::hang_timeout;
use khor_proto::{
    Availability, CueKind, Sample, Scope, Selector, Subscribe, Subscribed,
    client::{Client, ClientError, Update},
};
use parking_lot::{Mutex, MutexGuard};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::{runtime::Runtime, time::timeout};

/// User ID of an untrusted member of the group.
const MEMBER: u32 = 54_331;
/// User ID of another untrusted member of the group.
const OTHER: u32 = 54_332;

/// Only one of these tests runs at a time, because this process changes its user while a member
/// connects.
static TURN: Mutex<()> = Mutex::new(());

/// Starts a collector that admits the group and trusts the users in `trust`. Also returns the lock
/// [`TURN`]. `None` if the tests cannot run.
fn collector(trust: &str) -> Option<(Collector, MutexGuard<'static, ()>)> {
    let turn = TURN.lock();
    if !root_or_skip() {
        return None;
    }
    let dir = TempDir::new().expect("creating a temporary directory").into();
    let arguments = ["--no-dbus", "--group", &GROUP.to_string()];
    let environment = [("KHOR_TRUST", trust)];
    Some((Collector::start_with(&dir, &program("khor-collector"), &arguments, &environment), turn))
}

fn runtime() -> Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().expect("creating a tokio runtime")
}

/// A process of another user; killed when dropped.
struct Process(Child);

impl Process {
    /// Runs a shell script as the user `uid`. The script may read a line from its input.
    fn start(uid: u32, script: &str) -> Self {
        let ids = [format!("--reuid={uid}"), format!("--regid={GROUP}")];
        let child = Command::new("setpriv")
            .args(ids)
            .args(["--clear-groups", "--", "sh", "-c", script])
            .stdin(Stdio::piped())
            .spawn()
            .expect("starting setpriv");
        let process = Self(child);
        wait_until("the shell to run", || {
            std::fs::read_to_string(format!("/proc/{}/comm", process.0.id())).is_ok_and(|name| name == "sh\n")
        });
        process
    }

    fn scope(&self) -> Scope {
        Scope::only(Selector::Process(self.0.id()))
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A shell script that starts programs, and so causes context switches.
const SWITCHING: &str = "while :; do /bin/true; sleep 0.01; done";

async fn update(client: &mut Client) -> Update {
    timeout(hang_timeout(), client.update()).await.expect("an update").expect("an open connection")
}

/// Subscribes. Returns the subscription as the collector confirmed it, and its first sample.
async fn subscribe(client: &mut Client, scope: Scope) -> (Subscribed, Sample) {
    client
        .subscribe(Subscribe { interval_ms: 20, scope, cues: vec![] })
        .await
        .expect("sending the subscription");
    let mut subscribed = None;
    loop {
        match (update(client).await, &subscribed) {
            (Update::Subscribed(answer), _) => subscribed = Some(answer),
            (Update::Sample(sample), Some(answer)) => return (answer.clone(), sample),
            _ => {}
        }
    }
}

/// The reason why all counters are missing. `None` if a counter is available, or if the reasons
/// differ.
fn reason_of_all(subscribed: &Subscribed) -> Option<String> {
    let mut reasons = subscribed.availability.iter().map(|availability| match availability {
        Availability::Absent { reason } => Some(reason.clone()),
        Availability::Available => None,
    });
    let first = reasons.next()??;
    reasons.all(|reason| reason.as_ref() == Some(&first)).then_some(first)
}

#[test]
fn processes_of_other_users_are_rejected() {
    let Some((collector, _turn)) = collector("") else { return };
    let [own, others, roots] = [MEMBER, OTHER, 0].map(|uid| Process::start(uid, SWITCHING));
    let all_but_others = Scope::Selected { include: vec![], exclude: vec![Selector::Process(others.0.id())] };
    runtime().block_on(async {
        let (mut client, _) = connect_as(MEMBER, collector.socket()).await.expect("an open connection");
        for scope in [others.scope(), roots.scope(), all_but_others] {
            let (subscribed, sample) = subscribe(&mut client, scope.clone()).await;
            let reason = reason_of_all(&subscribed).unwrap_or_else(|| panic!("{scope:?}: {subscribed:?}"));
            assert!(reason.contains("another user") && reason.contains("KHOR_TRUST=54331"), "{reason}");
            assert!(sample.counters.iter().all(Option::is_none), "{scope:?}: {sample:?}");
        }
        for (scope, interval_ms) in [(own.scope(), 20), (Scope::Machine, 100)] {
            let (subscribed, sample) = subscribe(&mut client, scope.clone()).await;
            assert_eq!(subscribed.interval_ms, interval_ms, "{scope:?}");
            assert!(sample.counters.iter().any(Option::is_some), "{scope:?}: {sample:?}");
        }
    });
}

#[test]
fn process_that_becomes_root_is_rejected() {
    let Some((collector, _turn)) = collector("") else { return };
    let dir = TempDir::new().expect("creating a temporary directory");
    std::fs::set_permissions(dir.path(), PermissionsExt::from_mode(0o755)).expect("the directory's mode");
    let setuid = dir.path().join("sleep");
    std::fs::copy("/bin/sleep", &setuid).expect("copying the program");
    std::fs::set_permissions(&setuid, PermissionsExt::from_mode(0o4755)).expect("the program's mode");
    let process = Process::start(MEMBER, &format!("read go; exec {} 1000", setuid.display()));
    runtime().block_on(async {
        let (mut client, _) = connect_as(MEMBER, collector.socket()).await.expect("an open connection");
        let (subscribed, _) = subscribe(&mut client, process.scope()).await;
        assert_eq!((subscribed.interval_ms, reason_of_all(&subscribed)), (20, None));
        std::io::Write::write_all(&mut process.0.stdin.as_ref().expect("the process's input"), b"go\n")
            .expect("writing to the process");
        wait_until("the shell to become the program", || {
            khor_e2e::procfs::status(process.0.id(), "Name") == "sleep"
        });
        let uids = khor_e2e::procfs::status(process.0.id(), "Uid");
        if uids.split_whitespace().nth(1) != Some("0") {
            return skip("needs a temporary directory that allows setuid programs");
        }
        let rejected = loop {
            if let Update::Subscribed(subscribed) = update(&mut client).await {
                break subscribed;
            }
        };
        let reason = reason_of_all(&rejected).unwrap_or_else(|| panic!("{rejected:?}"));
        assert!(reason.contains("another user"), "{reason}");
        loop {
            if let Update::Sample(sample) = update(&mut client).await {
                break assert!(sample.counters.iter().all(Option::is_none), "{sample:?}");
            }
        }
    });
}

#[test]
fn program_starts_are_not_sent_to_members() {
    let Some((collector, _turn)) = collector("") else { return };
    let mut root = Subscriber::new(collector.socket(), Scope::Machine, &[CueKind::Exec, CueKind::Crash])
        .expect("a subscription with cues");
    runtime().block_on(async {
        let (mut client, welcome) = connect_as(MEMBER, collector.socket()).await.expect("an open connection");
        let exec =
            welcome.cues.iter().find(|cue| cue.kind == CueKind::Exec).expect("the cue exec in the catalogue");
        let Availability::Absent { reason } = &exec.availability else { panic!("{exec:?}") };
        assert!(reason.contains("KHOR_TRUST=54331"), "{reason}");
        let request = Subscribe { interval_ms: 5000, scope: Scope::Machine, cues: CueKind::ALL.to_vec() };
        client.subscribe(request).await.expect("sending the subscription");
        while !matches!(update(&mut client).await, Update::Sample(_)) {}
        load::execs(3);
        crash();
        // Root receives cues of both kinds, but the member only cues of crashes.
        loop {
            match update(&mut client).await {
                Update::Cue(cue) if cue.kind == CueKind::Crash => break,
                Update::Cue(cue) => assert_ne!(cue.kind, CueKind::Exec, "{cue:?}"),
                _ => {}
            }
        }
    });
    root.wait_until("a cue of a program start", |root| root.cues.iter().any(|cue| cue.kind == CueKind::Exec));
}

#[test]
fn member_gets_16_connections_and_8_scopes() {
    let Some((collector, _turn)) = collector("") else { return };
    let socket = collector.socket();
    let named = |name: String| Scope::only(Selector::Cgroup(format!("/khor-members-{name}")));
    runtime().block_on(async {
        let mut clients = Vec::new();
        for _ in 0..16 {
            clients.push(connect_as(MEMBER, socket).await.expect("an open connection").0);
        }
        let one_more = connect_as(MEMBER, socket).await;
        assert!(
            matches!(&one_more, Err(ClientError::Refused { reason }) if reason.contains("16")),
            "{one_more:?}"
        );
        for (number, client) in clients[..8].iter_mut().enumerate() {
            let (subscribed, _) = subscribe(client, named(number.to_string())).await;
            assert_eq!(subscribed.interval_ms, 100, "interval of a cgroup that does not exist");
        }
        let ninth = &mut clients[8];
        let request = Subscribe { scope: named("8".into()), ..Subscribe::default() };
        ninth.subscribe(request).await.expect("sending the subscription");
        let answer = timeout(hang_timeout(), ninth.update()).await.expect("a message from the collector");
        assert!(
            matches!(&answer, Err(ClientError::Bye { reason }) if reason.contains("8 scopes")),
            "{answer:?}"
        );
        let (mut other, _) = connect_as(OTHER, socket).await.expect("another member's connection");
        subscribe(&mut other, named("other".into())).await;
    });
    Subscriber::new(socket, named("root".into()), &[]).expect("a subscription by root");
}

/// Starts an engine of the user `uid`, with its own home.
fn engine_of(uid: u32, collector: &Collector) -> Engine {
    let script = format!(
        "chown {uid}:{GROUP} \"$HOME\" && exec env -u XDG_RUNTIME_DIR \
         setpriv --reuid={uid} --regid={GROUP} --clear-groups -- \"$@\""
    );
    Engine::start_through(&["sh", "-c", &script, "sh"], collector.socket(), &["--no-audio"], &[])
}

/// Waits until `holds` returns true for `/api/health`, and returns the health.
fn wait_for_health(engine: &Engine, what: &str, holds: impl Fn(&Value) -> bool) -> Value {
    let mut wait = Wait::new(what);
    loop {
        let health = engine.get("/api/health");
        if holds(&health) {
            return health;
        }
        wait.pause(|| format!("{}\n{}\n{}", health["source"], health["scope"], engine.log()));
    }
}

/// Changes the scope by settings of the section `bpf`. Waits until `holds` returns true for
/// `/api/health`.
fn change_scope(engine: &Engine, bpf: &Value, holds: impl Fn(&Value) -> bool) -> Value {
    let (status, answer) = engine.change(&json!({ "bpf": bpf }));
    assert_eq!(status, 200, "{answer}");
    wait_for_health(engine, &bpf.to_string(), holds)
}

fn has_interval(health: &Value, interval_ms: u16) -> bool {
    health["source"]["ok"] == true && health["source"]["interval_ms"] == interval_ms
}

#[test]
fn engine_shows_granted_interval_and_reason() {
    let Some((collector, _turn)) = collector("") else { return };
    let Some(cgroup) = Cgroup::make("/khor-members-own") else {
        return skip("needs a unified cgroup hierarchy");
    };
    let [own, others] = [MEMBER, OTHER].map(|uid| Process::start(uid, SWITCHING));
    let engine = engine_of(MEMBER, &collector);
    let limited = wait_for_health(&engine, "data from the collector", |health| has_interval(health, 100));
    let (error, fix) = (&limited["source"]["error"], &limited["source"]["fix"]);
    assert!(error.as_str().is_some_and(|text| text.contains("every 100 ms, not every 20")), "{limited:#}");
    assert!(fix.as_str().is_some_and(|text| text.contains("add 54331 to KHOR_TRUST")), "{limited:#}");
    let doctor = engine.get("/api/doctor");
    let checks = doctor["checks"].as_array().expect("a list of checks");
    let check = checks.iter().find(|check| check["name"] == "interval").expect("the check of the interval");
    assert_eq!(check["state"], "ok", "{check}");
    assert!(check["detail"].as_str().is_some_and(|text| text.contains("100 ms, not every 20")), "{check}");

    let rejected = change_scope(&engine, &json!({ "tgid_allow": [others.0.id()] }), |health| {
        health["scope"]["error"].as_str().is_some_and(|error| error.contains("another user"))
    });
    assert!(
        rejected["scope"]["error"].as_str().is_some_and(|text| text.contains("KHOR_TRUST")),
        "{rejected:#}"
    );
    assert_eq!(engine.level("csw"), None, "a level of the machine is shown for a rejected scope");

    let granted =
        change_scope(&engine, &json!({ "tgid_allow": [own.0.id()] }), |health| has_interval(health, 20));
    assert_eq!(
        (&granted["source"]["error"], &granted["scope"]["ok"]),
        (&Value::Null, &json!(true)),
        "{granted:#}"
    );
    wait_until("a level of csw", || engine.level("csw").is_some());

    let path = json!({ "tgid_allow": [], "cgroup": cgroup.path() });
    change_scope(&engine, &path, |health| has_interval(health, 100) && health["scope"]["ok"] == true);
    // Change the cgroup's owner to the member during the subscription, as systemd does when it
    // delegates a cgroup.
    chown(cgroup.directory(), Some(MEMBER), Some(GROUP)).expect("changing the owner");
    wait_for_health(&engine, "the interval of a cgroup that the member owns", |health| {
        has_interval(health, 20)
    });
    change_scope(&engine, &json!({ "cgroup": "" }), |health| has_interval(health, 100));
    drop(cgroup);
}

#[test]
fn trusted_user_has_no_limits() {
    let Some((collector, _turn)) = collector("54399, 54331") else { return };
    let others = Process::start(OTHER, SWITCHING);
    let engine = engine_of(MEMBER, &collector);
    let full = wait_for_health(&engine, "data from the collector", |health| has_interval(health, 20));
    assert_eq!(full["source"]["error"], Value::Null, "{full:#}");
    change_scope(&engine, &json!({ "tgid_allow": [others.0.id()] }), |health| {
        has_interval(health, 20) && health["scope"]["ok"] == true && health["scope"]["is_machine"] == false
    });
    runtime().block_on(async {
        let (_, welcome) = connect_as(MEMBER, collector.socket()).await.expect("an open connection");
        let exec =
            welcome.cues.iter().find(|cue| cue.kind == CueKind::Exec).expect("the cue exec in the catalogue");
        assert_eq!(exec.availability, Availability::Available);
    });
}

#[test]
fn khor_record_reports_reduced_interval_and_cues() {
    let Some((collector, _turn)) = collector("") else { return };
    let dir = TempDir::new().expect("creating a temporary directory");
    chown(dir.path(), Some(MEMBER), Some(GROUP)).expect("changing the owner");
    let record = |options: &[&str], file: &Path| {
        let output = Command::new("setpriv")
            .args([format!("--reuid={MEMBER}"), format!("--regid={GROUP}")])
            .args(["--clear-groups", "--"])
            .arg(program("khor"))
            .args(["record", "--seconds", "1", "--socket"])
            .arg(collector.socket())
            .args(options)
            .arg(file)
            .env("HOME", dir.path())
            .output()
            .expect("starting khor");
        assert!(output.status.success(), "{output:?}");
        String::from_utf8_lossy(&output.stderr).into_owned()
    };
    let limited = record(&[], &dir.path().join("a.khor"));
    assert!(limited.contains("every 100 ms, not every 20"), "{limited}");
    let without_cues = record(&["--interval", "100", "--exec-cues"], &dir.path().join("b.khor"));
    assert!(without_cues.contains("no cues of program starts"), "{without_cues}");
}
