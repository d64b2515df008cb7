//! Tests a scope: the engine plays only a unit or a process, which is selected while the engine
//! runs.

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

/// A rate that no real event reaches on this machine. A higher rate means that the engine mixed the
/// counters of two scopes.
const SPIKE_PER_S: f64 = 1e6;

/// A process that starts at most about a hundred programs per second; killed when dropped.
struct Load(Child);

impl Load {
    fn start() -> Self {
        let script = "while :; do /bin/true; sleep 0.01; done";
        Self(Command::new("sh").args(["-c", script]).spawn().expect("starting sh"))
    }

    /// Starts the load in a cgroup.
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

fn change_scope(engine: &Engine, bpf: &Value) {
    let (status, answer) = engine.change(&json!({ "bpf": bpf }));
    assert_eq!((status, &answer["restart_required"]), (200, &json!(false)), "{answer}");
}

fn scope(engine: &Engine) -> Value {
    engine.get("/api/health")["scope"].clone()
}

/// The rate of program starts, per second. Panics if the rate of any signal is implausibly high.
fn execs_per_s(engine: &Engine) -> Option<f64> {
    let signals = engine.get("/api/metrics")["signals"].clone();
    for (name, signal) in signals.as_object().expect("the signals of the metrics") {
        let is_count = signal["unit"] == "1/s";
        let rate = signal["rate"].as_f64().filter(|_| is_count).unwrap_or(0.0);
        assert!(rate < SPIKE_PER_S, "the rate of {name} jumped: {signal}");
    }
    signals["exec"]["rate"].as_f64()
}

/// Waits until `holds` returns true for the scope in `/api/health`, and returns the scope.
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

/// Whether the engine reports the program starts that [`Load`] causes.
fn has_load(engine: &Engine) -> bool {
    execs_per_s(engine).is_some_and(|rate| rate > 5.0)
}

/// A khor command that connects to this engine.
fn command(engine: &Engine, command: &str) -> Command {
    progress(format!("running khor {command}"));
    let address = engine.url().replace("http://", "");
    let mut khor = Command::new(program("khor"));
    khor.arg(command).args(["--listen", &address, "--config"]).arg(engine.config_path());
    khor
}

/// The output of a khor command that connects to this engine.
fn khor(engine: &Engine, name: &str) -> String {
    let output = command(engine, name).output().expect("starting khor");
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// The doctor's check of the scope.
fn doctor(engine: &Engine, collector: &Collector) -> Value {
    let mut doctor = command(engine, "doctor");
    let output =
        doctor.arg("--json").env("KHOR_SOCKET", collector.socket()).output().expect("starting khor doctor");
    let diagnosis: Value = serde_json::from_slice(&output.stdout).expect("JSON of khor doctor");
    let checks = diagnosis["checks"].as_array().expect("a list of checks");
    checks.iter().find(|check| check["name"] == "scope").unwrap_or_else(|| panic!("{diagnosis:#}")).clone()
}

/// Runs `khor record` for one second with these options. Returns everything that it printed.
fn record(collector: &Collector, scope: &[&str]) -> String {
    let dir = tempfile::tempdir().expect("creating a temporary directory");
    let output = Command::new(program("khor"))
        .args(["record", "--seconds", "1", "--socket"])
        .arg(collector.socket())
        .args(scope)
        .arg(dir.path().join("recorded.khor"))
        .output()
        .expect("starting khor record");
    [output.stdout, output.stderr].map(|printed| String::from_utf8_lossy(&printed).into_owned()).concat()
}

#[test]
fn unit_scope_follows_unit() {
    if !root_or_skip() {
        return;
    }
    let unit = format!("khor-e2e-{}.service", std::process::id());
    let path = format!("/khor-e2e.slice/{unit}");
    let Some(slice) = Cgroup::make("/khor-e2e.slice") else {
        return skip("needs a unified cgroup hierarchy");
    };
    let collector = Collector::start(&program("khor-collector"), &["--no-dbus"]);
    let engine = Engine::start(collector.socket(), &["--no-audio"], &[]);
    engine.wait_for_source("collector");
    assert_eq!(scope(&engine)["whose"], "the whole machine");
    let outside = Load::start();
    wait_until("the load on the machine", || has_load(&engine));

    let cues = || engine.metrics().cues.len();
    crash();
    wait_until("a cue of the crash", || cues() > 0);

    // The unit does not run yet. The engine reports that it has no cgroup, and plays no other scope
    // instead.
    change_scope(&engine, &json!({ "cgroup": unit }));
    let missing =
        wait_for_scope(&engine, "the missing unit to be reported", |scope| scope["error"].is_string());
    assert_eq!(cues(), 0, "a crash outside the unit has a cue");
    assert!(
        missing["error"].as_str().is_some_and(|error| error.contains(&unit) && error.contains("no cgroup")),
        "{missing}"
    );
    assert!(missing["fix"].as_str().is_some_and(|fix| fix.contains("bpf.cgroup")), "{missing}");
    assert_eq!(engine.get("/api/health")["source"]["kind"], "collector");
    assert_eq!(engine.level("exec"), None, "a level without a unit");
    let doctor = engine.get("/api/doctor");
    let check = doctor["checks"].as_array().and_then(|all| all.iter().find(|check| check["name"] == "scope"));
    assert_eq!(check.map(|check| &check["state"]), Some(&json!("problem")), "{doctor:#}");
    let (status, explained) = (khor(&engine, "status"), khor(&engine, "explain"));
    assert!(status.lines().any(|line| line.starts_with("PROBLEM") && line.contains("scope")), "{status}");
    assert!(explained.contains(&unit) && !explained.contains("as usual"), "{explained}");

    // The unit starts, but its cgroup is not where systemd usually puts it. The activity of other
    // units must not play.
    let cgroup = Cgroup::make(&path).expect("creating a cgroup");
    let found = wait_for_scope(&engine, "the unit's cgroup as the scope", |scope| {
        scope["ok"] == true && scope["cgroups"] == json!([path])
    });
    assert_eq!(found["whose"], json!(unit));
    wait_until("a rate of the unit", || execs_per_s(&engine).is_some());
    for _ in 0..20 {
        std::thread::sleep(Duration::from_millis(50));
        assert_eq!(execs_per_s(&engine), Some(0.0), "the load outside the unit counts");
    }
    let irq = engine.get("/api/metrics")["signals"]["irq"].clone();
    assert!(irq["reason"].as_str().is_some_and(|reason| reason.contains("no owner")), "{irq}");

    let inside = Load::within(&cgroup);
    wait_until("the load in the unit", || has_load(&engine));
    assert!(engine.level("exec").is_some_and(|level| level > 0.0));
    assert!(khor(&engine, "explain").contains(&format!("Scope: only {unit}")));
    let exposed = engine.read("/metrics", usize::MAX);
    let exposed = String::from_utf8_lossy(&exposed);
    let mark = format!("khor_execs_total{{scope=\"{unit}\"}} ");
    assert!(exposed.contains(&mark), "/metrics has no counter of the unit: {exposed}");
    assert!(engine.get("/api/units")["units"].as_array().is_some_and(|all| all.contains(&json!(unit))));

    // Stop and restart the unit. Its rates are missing meanwhile, but no rate jumps.
    drop((inside, cgroup));
    wait_for_scope(&engine, "the end of the scope to be reported", |scope| scope["error"].is_string());
    assert_eq!(engine.level("exec"), None);
    let cgroup = Cgroup::make(&path).expect("creating a cgroup");
    let inside = Load::within(&cgroup);
    wait_for_scope(&engine, "the restart of the unit", |scope| scope["ok"] == true);
    wait_until("the load in the restarted unit", || has_load(&engine));

    // Select the whole machine again. Each scope has a baseline of its own.
    drop(inside);
    change_scope(&engine, &json!({ "cgroup": "" }));
    wait_for_scope(&engine, "the whole machine as the scope", |scope| {
        scope["is_machine"] == true && scope["ok"] == true
    });
    wait_until("the load outside the unit", || has_load(&engine));
    drop(outside);
    let (_, dir) = engine.stop();
    let kept = std::fs::read_to_string(dir.path().join("baseline.json")).expect("reading the saved baseline");
    let kept: Value = serde_json::from_str(&kept).expect("a baseline in JSON");
    assert!(
        kept["scopes"][&path]["signals"]["exec"].is_object() && kept["signals"]["exec"].is_object(),
        "{kept:#}"
    );
    drop((cgroup, slice));
}

/// A process name may contain any bytes. The kernel prints the name in the same line as the
/// process's numbers.
#[test]
fn process_with_non_utf8_name_has_signals() {
    if !root_or_skip() {
        return;
    }
    let dir = tempfile::tempdir().expect("creating a temporary directory");
    let shell = dir.path().join(OsStr::from_bytes(b"\xff) R \xfe"));
    std::fs::copy("/bin/sh", &shell).expect("copying the shell");
    let script = "while :; do /bin/true; sleep 0.01; done";
    let load = Load(Command::new(&shell).args(["-c", script]).spawn().expect("starting the shell"));
    let pid = load.0.id();
    wait_until("the process to have its name", || {
        std::fs::read(format!("/proc/{pid}/comm")).is_ok_and(|name| name == b"\xff) R \xfe\n")
    });
    let collector = Collector::start(&program("khor-collector"), &["--no-dbus"]);
    let engine = Engine::start(collector.socket(), &["--no-audio", "--pid", &pid.to_string()], &[]);
    wait_for_scope(&engine, "the process as the scope", |scope| {
        scope["ok"] == true && scope["is_machine"] == false
    });
    for signal in ["csw", "fork", "fault"] {
        wait_until(&format!("a level of {signal}"), || engine.level(signal).is_some());
    }

    // Like the name of a process, the name of a cgroup may contain any bytes.
    let Some(slice) = Cgroup::make("/khor-e2e-bytes") else {
        return skip("needs a unified cgroup hierarchy");
    };
    let below = slice.directory().join(OsStr::from_bytes(b"\xff.slice"));
    std::fs::create_dir(&below).expect("creating the cgroup");
    std::fs::write(below.join("cgroup.procs"), pid.to_string()).expect("moving the process into the cgroup");
    change_scope(&engine, &json!({ "cgroup": slice.path(), "tgid_allow": [] }));
    wait_for_scope(&engine, "the slice as the scope", |scope| {
        scope["ok"] == true && scope["cgroups"] == json!([slice.path()])
    });
    wait_until("the load in the child cgroup", || has_load(&engine));
    assert!(engine.get("/api/units")["units"].is_array());
    drop(load);
    wait_until("the child cgroup to be empty", || std::fs::remove_dir(&below).is_ok());
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
    let found = wait_for_scope(&engine, "the process as the scope", |scope| {
        scope["ok"] == true && scope["is_machine"] == false
    });
    assert_eq!(found["whose"], json!(format!("process {pid}")));
    wait_until("a level of csw", || engine.level("csw").is_some());
    let rx = engine.get("/api/metrics")["signals"]["rx"].clone();
    assert!(rx["reason"].as_str().is_some_and(|reason| reason.contains("not its process")), "{rx}");
    let check = doctor(&engine, &collector);
    let expected = format!("khor counts only process {pid}");
    let detail = check["detail"].as_str().unwrap_or_default();
    assert!(
        detail.contains(&expected),
        "the doctor does not know the scope of the running engine: {check:#}"
    );
    let recorded = record(&collector, &["--pid", &pid.to_string()]);
    let whose = format!("process {pid}");
    assert!(recorded.contains(&whose) && recorded.contains(" samples, "), "{recorded}");
    let rejected = record(&collector, &["--cgroup", "nginx"]);
    assert!(rejected.contains("bpf.cgroup") && rejected.contains("nginx.service"), "{rejected}");
    drop(load);
    let ended =
        wait_for_scope(&engine, "the end of the scope to be reported", |scope| scope["error"].is_string());
    assert!(ended["error"].as_str().is_some_and(|error| error.contains("has ended")), "{ended}");

    // The collector rejects this scope. The engine reports the error with a fix, and does not read
    // /proc instead.
    change_scope(&engine, &json!({ "tgid_allow": [4_194_303] }));
    let rejected = wait_for_scope(&engine, "the rejected scope to be reported", |scope| {
        scope["error"].as_str().is_some_and(|error| error.contains("no process 4194303"))
    });
    assert!(rejected["fix"].as_str().is_some_and(|fix| fix.contains("bpf.tgid_allow")), "{rejected}");
    std::thread::sleep(Duration::from_secs(2));
    assert_eq!(engine.get("/api/health")["source"]["kind"], Value::Null);
    change_scope(&engine, &json!({ "tgid_allow": [] }));
    engine.wait_for_source("collector");
    assert_eq!(scope(&engine)["is_machine"], true);
}
