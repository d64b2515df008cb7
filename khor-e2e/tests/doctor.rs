//! Tests `khor doctor` on machines with various problems, and on a machine without problems.

use std::{
    net::TcpListener,
    os::unix::fs::{PermissionsExt, chown},
    path::Path,
    process::{Command, Output},
};

use khor_e2e::{
    Collector, Engine, Pulse,
    engine::program,
    skip::{root_or_skip, skip},
};
use khor_patience::progress;
use serde_json::Value;
use tempfile::TempDir;

/// ID of the user `nobody` and of its group, which own no files.
const NOBODY: u32 = 65534;

fn doctor(mut khor: Command, socket: &Path, config: &Path) -> (bool, Value) {
    progress("running khor doctor");
    khor.args(["doctor", "--json"]).arg("--socket").arg(socket).arg("--config").arg(config);
    let Output { status, stdout, stderr } = khor.output().expect("starting khor doctor");
    let errors = String::from_utf8_lossy(&stderr);
    let diagnosis: Value =
        serde_json::from_slice(&stdout).unwrap_or_else(|error| panic!("{error}: {errors}"));
    assert_eq!(diagnosis["ok"], status.success(), "the exit code contradicts the JSON output");
    (status.success(), diagnosis)
}

fn check(diagnosis: &Value, name: &str) -> (String, String) {
    let checks = diagnosis["checks"].as_array().expect("a list of checks");
    let check = checks
        .iter()
        .find(|check| check["name"] == name)
        .unwrap_or_else(|| panic!("the doctor has no check {name}"));
    let fix = check["fix"].as_str().unwrap_or_default();
    assert_eq!(
        check["state"] == "problem",
        !fix.is_empty(),
        "a problem lacks a fix, or another check has one: {check}"
    );
    (check["state"].as_str().expect("the check's state").to_owned(), fix.to_owned())
}

fn config(dir: &TempDir, text: &str) -> std::path::PathBuf {
    let path = dir.path().join("config.json");
    std::fs::write(&path, text).expect("writing the configuration");
    path
}

#[test]
fn complete_machine_has_no_problem() {
    if !root_or_skip() {
        return;
    }
    let Some(pulse) = Pulse::start() else { return skip("needs pulseaudio") };
    let collector = Collector::start(&program("khor-collector"), &["--no-dbus"]);
    let engine = Engine::start(collector.socket(), &[], &pulse.environment());
    let dir = TempDir::new().expect("creating a temporary directory");
    let port = engine.url().rsplit(':').next().expect("a URL with a port").to_owned();
    let config = config(&dir, &format!("{{\"listen\": {{\"port\": {port}}}}}"));
    let khor = || {
        let mut khor = Command::new(program("khor"));
        khor.envs(pulse.environment());
        khor
    };
    let (ok, diagnosis) = doctor(khor(), collector.socket(), &config);
    assert!(ok, "{diagnosis:#}");
    for name in ["kernel", "type information", "collector", "probes", "sound", "real-time", "config", "page"]
    {
        assert_eq!(check(&diagnosis, name).0, "ok", "{name}: {diagnosis:#}");
    }
    let (_, elsewhere) = doctor(khor(), Path::new("/nonexistent/collector.sock"), &config);
    assert_eq!(
        check(&elsewhere, "collector").0,
        "ok",
        "the doctor did not find the collector of the running engine: {elsewhere:#}"
    );
    let by_engine = engine.get("/api/doctor");
    assert_eq!(by_engine["ok"], true, "{by_engine:#}");
    assert_eq!(check(&by_engine, "collector").0, "ok");
}

#[test]
fn doctor_names_fixes_and_changes_nothing() {
    let dir = TempDir::new().expect("creating a temporary directory");
    let taken = TcpListener::bind("127.0.0.1:0").expect("binding a port");
    let port = taken.local_addr().expect("the listener's address").port();
    let path = config(
        &dir,
        &format!("{{\"listen\": {{\"port\": {port}}}, \"music\": {{\"preset\": \"lost\"}}, \"typo\": 1}}"),
    );
    let khor = || Command::new(program("khor"));
    let (ok, diagnosis) = doctor(khor(), Path::new("/nonexistent/collector.sock"), &path);
    assert!(!ok);
    for (name, fix) in [
        ("collector", "sudo khor-collector"),
        ("config", "fix the spelling"),
        ("presets", "khor presets"),
        ("page", "listen.port"),
    ] {
        let found = check(&diagnosis, name);
        assert!(found.0 == "problem" && found.1.contains(fix), "{name}: {found:?}");
    }

    let broken = "{\"music\": ";
    let path = config(&dir, broken);
    let (_, diagnosis) = doctor(khor(), Path::new("/nonexistent/collector.sock"), &path);
    assert!(check(&diagnosis, "config").1.contains(".old"), "{diagnosis:#}");
    assert_eq!(std::fs::read_to_string(&path).expect("reading the configuration"), broken);
}

#[test]
fn user_outside_group_gets_the_reason() {
    const GAMES: u32 = 60;
    if !root_or_skip() {
        return;
    }
    let collector = Collector::start(&program("khor-collector"), &["--no-dbus"]);
    let folder = collector.socket().ancestors().skip(1).take_while(|folder| *folder != Path::new("/tmp"));
    for folder in folder.take(2) {
        std::fs::set_permissions(folder, PermissionsExt::from_mode(0o755)).expect("the folder's mode");
    }
    let (id, group) = (format!("--reuid={NOBODY}"), format!("--regid={NOBODY}"));
    for (owner, advice) in [
        (GAMES, "sudo usermod --append --groups games nobody"),
        (0, "install khor's package, or start khor-collector with --group"),
    ] {
        chown(collector.socket(), None, Some(owner)).expect("changing the socket's group");
        let mut khor = Command::new("setpriv");
        khor.args([&id, &group, "--clear-groups"]).arg(program("khor")).env("HOME", "/nonexistent");
        let (ok, diagnosis) = doctor(khor, collector.socket(), Path::new("/nonexistent/config.json"));
        let (state, fix) = check(&diagnosis, "collector");
        assert!(!ok && state == "problem", "{diagnosis:#}");
        assert!(fix.starts_with(advice), "{fix}");
    }
}
