//! Tests playing one part of the machine: a unit or a process, selected while the engine runs.

use std::{
    ffi::OsStr,
    os::unix::ffi::OsStrExt,
    process::{Child, Command},
    time::Duration,
};

use khor_e2e::{
    Cgroup, Collector, Engine, Wait, crash,
    engine::program,
    skip::{root_or_skip, skip},
    wait_until,
};
use khor_patience::progress;
use serde_json::{Value, json};

/// Nothing on this machine happens so often. A higher rate is the difference between the counters
/// of two scopes.
const SPIKE_PER_S: f64 = 1e6;

/// Starts a program some hundred times a second at most; killed when dropped.
struct Load(Child);

impl Load {
    fn start() -> Self {
        let script = "while :; do /bin/true; sleep 0.01; done";
        Self(Command::new("sh").args(["-c", script]).spawn().expect("sh"))
    }

    fn within(cgroup: &Cgroup) -> Self {
        let load = Self::start();
        cgroup.take(load.0.id());
        load
    }
}

impl Drop for Load {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn choose(engine: &Engine, bpf: &Value) {
    let (status, answer) = engine.change(&json!({ "bpf": bpf }));
    assert_eq!((status, &answer["restart_required"]), (200, &json!(false)), "{answer}");
}

fn scope(engine: &Engine) -> Value {
    engine.get("/api/health")["scope"].clone()
}

fn execs_per_s(engine: &Engine) -> Option<f64> {
    let signals = engine.get("/api/metrics")["signals"].clone();
    for (name, signal) in signals.as_object().expect("signals") {
        let is_count = signal["unit"] == "1/s";
        let rate = signal["rate"].as_f64().filter(|_| is_count).unwrap_or(0.0);
        assert!(rate < SPIKE_PER_S, "a spike in {name}: {signal}");
    }
    signals["exec"]["rate"].as_f64()
}

fn wait_for_scope(engine: &Engine, what: &str, holds: impl Fn(&Value) -> bool) -> Value {
    let mut wait = Wait::new(what);
    loop {
        let (scope, _) = (scope(engine), execs_per_s(engine));
        if holds(&scope) {
            return scope;
        }
        wait.pause(|| format!("{scope:#}\n{}", engine.log()));
    }
}

fn is_loud(engine: &Engine) -> bool {
    execs_per_s(engine).is_some_and(|rate| rate > 5.0)
}

/// A command of the program to that engine.
fn command(engine: &Engine, command: &str) -> Command {
    progress(format!("running khor {command}"));
    let address = engine.url().replace("http://", "");
    let mut khor = Command::new(program("khor"));
    khor.arg(command).args(["--listen", &address, "--config"]).arg(engine.config_path());
    khor
}

/// The program's output about that engine.
fn khor(engine: &Engine, said: &str) -> String {
    let output = command(engine, said).output().expect("khor");
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// The doctor's check of the scope, with a collector.
fn doctor(engine: &Engine, collector: &Collector) -> Value {
    let mut doctor = command(engine, "doctor");
    let said = doctor.arg("--json").env("KHOR_SOCKET", collector.socket()).output().expect("khor").stdout;
    let diagnosis: Value = serde_json::from_slice(&said).expect("JSON");
    let checks = diagnosis["checks"].as_array().expect("checks");
    checks.iter().find(|check| check["name"] == "scope").unwrap_or_else(|| panic!("{diagnosis:#}")).clone()
}

/// The output of `khor record` for one second.
fn record(collector: &Collector, whom: &[&str]) -> String {
    let dir = tempfile::tempdir().expect("a directory");
    let output = Command::new(program("khor"))
        .args(["record", "--seconds", "1", "--socket"])
        .arg(collector.socket())
        .args(whom)
        .arg(dir.path().join("recorded.khor"))
        .output()
        .expect("khor");
    [output.stdout, output.stderr].map(|said| String::from_utf8_lossy(&said).into_owned()).concat()
}

#[test]
fn unit_scope_follows_unit() {
    if !root_or_skip() {
        return;
    }
    let unit = format!("khor-e2e-{}.service", std::process::id());
    let path = format!("/khor-e2e.slice/{unit}");
    let Some(slice) = Cgroup::make("/khor-e2e.slice") else { return skip("needs a unified hierarchy") };
    let collector = Collector::start(&program("khor-collector"), &["--no-dbus"]);
    let engine = Engine::start(collector.socket(), &["--no-audio"], &[]);
    engine.wait_for_source("collector");
    assert_eq!(scope(&engine)["whose"], "the whole machine");
    let outside = Load::start();
    wait_until("the machine to be heard", || is_loud(&engine));

    let cues = || engine.metrics().cues.len();
    crash();
    wait_until("its cue", || cues() > 0);

    // The unit does not run yet. That is a state with a reason, and no other scope plays instead.
    choose(&engine, &json!({ "cgroup": unit }));
    let absent = wait_for_scope(&engine, "the unit to be missed", |scope| scope["error"].is_string());
    assert_eq!(cues(), 0, "a crash outside of the unit has no cue");
    assert!(
        absent["error"].as_str().is_some_and(|it| it.contains(&unit) && it.contains("no cgroup")),
        "{absent}"
    );
    assert!(absent["fix"].as_str().is_some_and(|fix| fix.contains("bpf.cgroup")), "{absent}");
    assert_eq!(engine.get("/api/health")["source"]["kind"], "collector");
    assert_eq!(engine.level("exec"), None, "what is not known is absent");
    let doctor = engine.get("/api/doctor");
    let check = doctor["checks"].as_array().and_then(|all| all.iter().find(|it| it["name"] == "scope"));
    assert_eq!(check.map(|check| &check["state"]), Some(&json!("problem")), "{doctor:#}");
    let (status, explained) = (khor(&engine, "status"), khor(&engine, "explain"));
    assert!(status.lines().any(|line| line.starts_with("PROBLEM") && line.contains("scope")), "{status}");
    assert!(explained.contains(&unit) && !explained.contains("as usual"), "{explained}");

    // The unit starts, not where systemd would usually put it. Activity of other units does not
    // play.
    let cgroup = Cgroup::make(&path).expect("a cgroup");
    let found =
        wait_for_scope(&engine, "the unit", |scope| scope["ok"] == true && scope["cgroups"] == json!([path]));
    assert_eq!(found["whose"], json!(unit));
    wait_until("it to be counted", || execs_per_s(&engine).is_some());
    for _ in 0..20 {
        std::thread::sleep(Duration::from_millis(50));
        assert_eq!(execs_per_s(&engine), Some(0.0), "the load outside is heard");
    }
    let irq = engine.get("/api/metrics")["signals"]["irq"].clone();
    assert!(irq["reason"].as_str().is_some_and(|reason| reason.contains("nobody")), "{irq}");

    let inside = Load::within(&cgroup);
    wait_until("the load inside", || is_loud(&engine));
    assert!(engine.level("exec").is_some_and(|level| level > 0.0));
    assert!(khor(&engine, "explain").contains(&format!("Scope: only {unit}")));
    let exposed = engine.read("/metrics", usize::MAX);
    let exposed = String::from_utf8_lossy(&exposed);
    let mark = format!("khor_execs_total{{scope=\"{unit}\"}} ");
    assert!(exposed.contains(&mark), "its counters are no other's: {exposed}");
    assert!(engine.get("/api/units")["units"].as_array().is_some_and(|all| all.contains(&json!(unit))));

    // The unit stops and starts again, which is a gap and no spike.
    drop((inside, cgroup));
    wait_for_scope(&engine, "its end", |scope| scope["error"].is_string());
    assert_eq!(engine.level("exec"), None);
    let cgroup = Cgroup::make(&path).expect("a cgroup");
    let inside = Load::within(&cgroup);
    wait_for_scope(&engine, "its return", |scope| scope["ok"] == true);
    wait_until("the load inside again", || is_loud(&engine));

    // And the whole machine again; each has a baseline of its own.
    drop(inside);
    choose(&engine, &json!({ "cgroup": "" }));
    wait_for_scope(&engine, "the whole machine", |scope| scope["is_machine"] == true && scope["ok"] == true);
    wait_until("the load outside", || is_loud(&engine));
    drop(outside);
    let (_, dir) = engine.stop();
    let kept = std::fs::read_to_string(dir.path().join("baseline.json")).expect("what was learnt");
    let kept: Value = serde_json::from_str(&kept).expect("JSON");
    assert!(
        kept["scopes"][&path]["signals"]["exec"].is_object() && kept["signals"]["exec"].is_object(),
        "{kept:#}"
    );
    drop((cgroup, slice));
}

/// A process name may contain any bytes, and the kernel shows it in a line with the numbers.
#[test]
fn process_with_non_utf8_name_has_signals() {
    if !root_or_skip() {
        return;
    }
    let dir = tempfile::tempdir().expect("a directory");
    let shell = dir.path().join(OsStr::from_bytes(b"\xff) R \xfe"));
    std::fs::copy("/bin/sh", &shell).expect("a program of that name");
    let script = "while :; do /bin/true; sleep 0.01; done";
    let load = Load(Command::new(&shell).args(["-c", script]).spawn().expect("a shell"));
    let pid = load.0.id();
    wait_until("its name", || {
        std::fs::read(format!("/proc/{pid}/comm")).is_ok_and(|name| name == b"\xff) R \xfe\n")
    });
    let collector = Collector::start(&program("khor-collector"), &["--no-dbus"]);
    let engine = Engine::start(collector.socket(), &["--no-audio", "--pid", &pid.to_string()], &[]);
    wait_for_scope(&engine, "the process", |scope| scope["ok"] == true && scope["is_machine"] == false);
    for signal in ["csw", "fork", "fault"] {
        wait_until(signal, || engine.level(signal).is_some());
    }

    // The name of a cgroup below the scope may contain any bytes too.
    let Some(slice) = Cgroup::make("/khor-e2e-bytes") else { return skip("needs a unified hierarchy") };
    let below = slice.directory().join(OsStr::from_bytes(b"\xff.slice"));
    std::fs::create_dir(&below).expect("a cgroup of that name");
    std::fs::write(below.join("cgroup.procs"), pid.to_string()).expect("moving a process");
    choose(&engine, &json!({ "cgroup": slice.path(), "tgid_allow": [] }));
    wait_for_scope(&engine, "the slice", |scope| {
        scope["ok"] == true && scope["cgroups"] == json!([slice.path()])
    });
    wait_until("the load below it", || is_loud(&engine));
    assert!(engine.get("/api/units")["units"].is_array());
    drop(load);
    wait_until("the cgroup to be empty", || std::fs::remove_dir(&below).is_ok());
}

#[test]
fn process_scope_counts_or_reports_missing_process() {
    if !root_or_skip() {
        return;
    }
    let collector = Collector::start(&program("khor-collector"), &["--no-dbus"]);
    let load = Load::start();
    let pid = load.0.id();
    let engine = Engine::start(collector.socket(), &["--no-audio", "--pid", &pid.to_string()], &[]);
    let heard =
        wait_for_scope(&engine, "the process", |scope| scope["ok"] == true && scope["is_machine"] == false);
    assert_eq!(heard["whose"], json!(format!("process {pid}")));
    wait_until("its switches", || engine.level("csw").is_some());
    let rx = engine.get("/api/metrics")["signals"]["rx"].clone();
    assert!(rx["reason"].as_str().is_some_and(|reason| reason.contains("not its process")), "{rx}");
    let check = doctor(&engine, &collector);
    let told = format!("khor counts only process {pid}");
    let detail = check["detail"].as_str().unwrap_or_default();
    assert!(detail.contains(&told), "a flag of the engine is not in its file: {check:#}");
    let recorded = record(&collector, &["--pid", &pid.to_string()]);
    let whose = format!("process {pid}");
    assert!(recorded.contains(&whose) && recorded.contains(" samples, "), "{recorded}");
    let refused = record(&collector, &["--cgroup", "nginx"]);
    assert!(refused.contains("bpf.cgroup") && refused.contains("nginx.service"), "{refused}");
    drop(load);
    let ended = wait_for_scope(&engine, "its end", |scope| scope["error"].is_string());
    assert!(ended["error"].as_str().is_some_and(|error| error.contains("has ended")), "{ended}");

    // The collector refuses this scope. The error is reported with the fix, and /proc does not
    // replace it.
    choose(&engine, &json!({ "tgid_allow": [4_194_303] }));
    let refused = wait_for_scope(&engine, "the refusal", |scope| {
        scope["error"].as_str().is_some_and(|error| error.contains("no process 4194303"))
    });
    assert!(refused["fix"].as_str().is_some_and(|fix| fix.contains("bpf.tgid_allow")), "{refused}");
    std::thread::sleep(Duration::from_secs(2));
    assert_eq!(engine.get("/api/health")["source"]["kind"], Value::Null);
    choose(&engine, &json!({ "tgid_allow": [] }));
    engine.wait_for_source("collector");
    assert_eq!(scope(&engine)["is_machine"], true);
}
