//! Tests missing and broken parts of the machine. khor reports each part with a reason and a fix,
//! and the other parts work.

use std::{ffi::OsStr, fs, net::TcpListener, os::unix::ffi::OsStrExt, path::Path, process::Command};

use khor_e2e::{Engine, engine::program, free_port, skip::root_or_skip, wait_until};
use khor_patience::progress;
use nix::sched::{CloneFlags, unshare};
use serde_json::{Value, json};
use tempfile::TempDir;

const NO_SOCKET: &str = "/nonexistent/collector.sock";
/// An environment with neither a sound server nor an ALSA device, as on most servers.
const NO_SOUND: [(&str, &str); 3] = [
    ("XDG_RUNTIME_DIR", "/nonexistent"),
    ("PULSE_SERVER", "unix:/nonexistent/pulse"),
    ("ALSA_CONFIG_PATH", "/dev/null"),
];

/// Asserts that a part of `/api/health` is not ok, and has an error and a fix.
fn assert_reported_with_fix(part: &Value) {
    assert_eq!(part["ok"], false, "{part:#}");
    assert!(part["error"].as_str().is_some_and(|error| !error.is_empty()), "{part:#}");
    assert!(part["fix"].as_str().is_some_and(|fix| !fix.is_empty()), "{part:#}");
}

#[test]
fn engine_runs_without_sound_or_collector() {
    let engine = Engine::start(NO_SOCKET.as_ref(), &["--midi"], &NO_SOUND);
    wait_until("the missing device to be reported", || engine.health().audio.health.trouble.is_some());
    let health = engine.get("/api/health");
    assert_reported_with_fix(&health["audio"]);
    if !Path::new("/dev/snd/seq").exists() {
        assert_reported_with_fix(&health["midi"]);
    }
    engine.wait_for_source("proc");
    let health = engine.get("/api/health");
    assert_reported_with_fix(&health["bpf"]);
    assert!(health["source"]["error"].as_str().expect("an error").contains(NO_SOCKET), "{health:#}");
    wait_until("music", || !engine.metrics().notes.is_empty());
    let exec = engine.get("/api/metrics")["signals"]["exec"].clone();
    assert_eq!((exec["available"].as_bool(), exec["level"].as_f64()), (Some(false), None), "{exec:#}");
    assert!(exec["reason"].as_str().expect("a reason").contains("khor-collector"), "{exec:#}");
}

/// khor must report a `/proc` that contains only processes and no counters, as in some containers.
#[test]
fn proc_without_counters_is_reported() {
    if !root_or_skip() {
        return;
    }
    let mount = "mount -t proc -o subset=pid proc /proc && exec \"$@\"";
    let starter = ["unshare", "--mount", "sh", "-c", mount, "sh"];
    let engine = Engine::start_through(&starter, NO_SOCKET.as_ref(), &["--no-audio"], &[]);
    wait_until("the loss to be reported", || engine.health().source.trouble.is_some());
    let source = engine.get("/api/health")["source"].clone();
    assert_reported_with_fix(&source);
    assert!(source["error"].as_str().expect("an error").contains("no counter is available"), "{source:#}");
    assert!(source["fix"].as_str().expect("a fix of the problem").contains("subset=pid"), "{source:#}");
    let sentence = engine.get("/api/explain")["sentence"].clone();
    assert!(!sentence.as_str().expect("a sentence in the explanation").contains("quiet"), "{sentence}");
    let signals = engine.get("/api/metrics")["signals"].clone();
    let known = signals
        .as_object()
        .expect("the signals of the metrics")
        .values()
        .filter(|signal| signal["level"].is_number());
    assert_eq!(known.count(), 0, "{signals:#}");
    wait_until("the cue of the lost source", || {
        let notes = engine.get("/api/metrics")["notes"].clone();
        notes.as_array().is_some_and(|notes| notes.iter().any(|note| note["layer"] == "cues"))
    });
    let status = Command::new(program("khor"))
        .args(["status", "--listen", engine.url().trim_start_matches("http://")])
        .output()
        .expect("starting khor");
    let text = String::from_utf8_lossy(&status.stdout).into_owned();
    assert!(!text.contains("ok       source"), "{text}");
}

/// The kernel accepts nearly any bytes as an interface name, and /proc/net/dev shows these bytes.
#[test]
fn non_utf8_interface_hides_no_traffic() {
    if !root_or_skip() {
        return;
    }
    // The namespace applies to this thread and to the engine that it starts.
    unshare(CloneFlags::CLONE_NEWNET).expect("creating a network namespace");
    let name = OsStr::from_bytes(b"\xff\xfe");
    let (set, lo) = (OsStr::new("set"), OsStr::new("lo"));
    for words in [[set, lo, OsStr::new("name"), name].as_slice(), &[set, name, OsStr::new("up")]] {
        let status = Command::new("ip").arg("link").args(words).status();
        assert!(status.expect("starting ip").success(), "ip link {words:?}");
    }
    let table = fs::read("/proc/thread-self/net/dev").expect("reading the list of interfaces");
    assert!(table.windows(3).any(|bytes| bytes == b"\xff\xfe:"), "{}", String::from_utf8_lossy(&table));
    let engine = Engine::start(NO_SOCKET.as_ref(), &["--no-audio"], &NO_SOUND);
    engine.wait_for_source("proc");
    // The engine must count the traffic of these requests and responses.
    let metrics = engine.get("/api/metrics");
    let reason = metrics["signals"]["local"]["reason"].as_str().expect("a reason").to_owned();
    assert!(reason.contains("shows another network namespace"), "{reason}");
    let received = || engine.metrics().totals.net_rx_bytes_total;
    wait_until("received bytes to be counted", || received() > Some(0));
}

#[test]
fn port_in_use_disables_only_the_page() {
    let address = format!("127.0.0.1:{}", free_port());
    let blocker = TcpListener::bind(&address).expect("binding the port");
    let dir = TempDir::new().expect("creating a temporary directory");
    let log = dir.path().join("log");
    let mut child = Command::new(program("khor"))
        .args(["engine", "--no-audio", "--listen", &address, "--socket", NO_SOCKET, "--config"])
        .arg(dir.path().join("config.json"))
        .stderr(fs::File::create(&log).expect("creating the log file"))
        .spawn()
        .expect("starting khor engine");
    let logged = || fs::read_to_string(&log).unwrap_or_default();
    wait_until("a log line that names --listen", || logged().contains("--listen"));
    assert!(
        child.try_wait().expect("the engine's process state").is_none(),
        "the engine ended: {}",
        logged()
    );
    drop(blocker);
    wait_until("the page to be served", || logged().contains("the page and the API are at"));
    child.kill().expect("killing the engine");
    child.wait().expect("waiting for the engine");
}

#[test]
fn invalid_setting_is_reported_and_backed_up() {
    const INVALID: &str = "{\"music\": {\"bpm\": 9}}";
    let dir = TempDir::new().expect("creating a temporary directory");
    fs::write(dir.path().join("config.json"), INVALID).expect("writing the configuration");
    let engine = Engine::start_in(dir, NO_SOCKET.as_ref(), &["--no-audio"], &[]);
    let config = engine.get("/api/health")["config"].clone();
    assert_eq!(config["ok"], false);
    assert!(config["warnings"][0].as_str().expect("a warning").contains("music.bpm: 9"), "{config:#}");
    assert_eq!(engine.get("/api/config")["music"]["bpm"], 110.0);
    assert_eq!(fs::read_to_string(engine.config_path()).expect("reading the configuration"), INVALID);
    assert_eq!(engine.change(&json!({"music": {"density": 0.5}})).0, 200);
    let backup = engine.config_path().with_file_name("config.json.bad");
    assert_eq!(fs::read_to_string(backup).expect("reading the backup"), INVALID);
    assert!(engine.health().config.ok);
}

#[test]
fn valid_change_survives_restart() {
    let engine = Engine::start(NO_SOCKET.as_ref(), &["--no-audio"], &[]);
    let (status, answer) = engine.change(&json!({"music": {"bpm": 72, "preset": "drone"}}));
    assert_eq!((status, answer["restart_required"].as_bool()), (200, Some(false)), "{answer:#}");
    for (wrong, named) in [
        (json!({"music": {"bpm": 1000}}), "music.bpm"),
        (json!({"music": {"density": "much"}}), "music.density"),
        (json!({"music": {"preset": "polka"}}), "ambient"),
        (json!({"listen": {"host": "0.0.0.0"}}), "listen.token_file"),
        (json!({"audio": {"device": "hw:0"}}), "audio.device"),
        (json!({"audio": {"device": "id:alsa:nowhere"}}), "the current device stays"),
        (json!({"ui": {"dir": "/etc"}}), "an option of khor engine"),
        (json!([1]), "body"),
    ] {
        let (status, answer) = engine.change(&wrong);
        assert_eq!((status, answer["ok"].as_bool()), (400, Some(false)), "{answer:#}");
        assert!(answer["error"].as_str().expect("an error").contains(named), "{answer:#}");
    }
    assert_eq!(engine.post("/api/preset/select?name=arp").0, 200);
    let (status, dir) = engine.stop();
    assert!(status.success());
    let again = Engine::start_in(dir, NO_SOCKET.as_ref(), &["--no-audio"], &[]);
    let music = again.get("/api/config")["music"].clone();
    assert_eq!((music["bpm"].as_f64(), music["preset"].as_str()), (Some(72.0), Some("arp")));
}

/// Commands do not move a broken configuration file. Only an engine may rename it, because an
/// engine can report this.
#[test]
fn commands_do_not_move_broken_configuration() {
    let dir = TempDir::new().expect("creating a temporary directory");
    let path = dir.path().join("config.json");
    let broken = r#"{"music": {"bpm": 500}, "listen": {"port": 1}}"#;
    fs::write(&path, broken).expect("writing the configuration");
    for command in [&["status"][..], &["explain"], &["mute", "on"], &["config", "music.bpm"]] {
        progress(format!("running khor {command:?}"));
        let output = Command::new(program("khor")).args(command).arg("--config").arg(&path).output();
        let errors = String::from_utf8_lossy(&output.expect("running khor").stderr).into_owned();
        assert!(errors.contains("music.bpm"), "{command:?}: {errors}");
        assert_eq!(fs::read_to_string(&path).expect("reading the configuration"), broken, "{command:?}");
        assert_eq!(fs::read_dir(dir.path()).expect("reading the folder").count(), 1, "{command:?}");
    }
}

#[test]
fn closed_pipe_ends_quietly() {
    let engine = Engine::start(NO_SOCKET.as_ref(), &["--no-audio"], &[]);
    let listen = engine.url().trim_start_matches("http://").to_owned();
    let khor = program("khor");
    for command in ["status", "config", "explain"] {
        let line = format!("'{}' {command} --listen {listen} | true", khor.display());
        for _ in 0..10 {
            progress(format!("running khor {command}"));
            let output = Command::new("sh").args(["-c", &line]).output().expect("starting a shell");
            assert_eq!(String::from_utf8_lossy(&output.stderr), "", "{command}");
        }
    }
}

/// `khor config` rejects an unknown key, because it is probably a spelling error, and suggests a
/// known key.
#[test]
fn misspelt_setting_is_rejected_with_suggestion() {
    let engine = Engine::start(NO_SOCKET.as_ref(), &["--no-audio"], &[]);
    let khor = |setting: &[&str]| {
        let path = engine.config_path();
        let mut khor = Command::new(program("khor"));
        khor.arg("config")
            .arg("--config")
            .arg(&path)
            .args(["--listen", engine.url().trim_start_matches("http://")]);
        khor.args(setting).output().expect("running khor")
    };
    assert!(khor(&["music.bpm", "96"]).status.success());
    let rejected = khor(&["music.bmp", "90"]);
    let errors = String::from_utf8_lossy(&rejected.stderr);
    assert!(
        !rejected.status.success()
            && errors.contains("'music.bmp' is not a setting; did you mean music.bpm?"),
        "{errors}"
    );
    let kept = fs::read_to_string(engine.config_path()).expect("reading the configuration");
    assert!(kept.contains("96") && !kept.contains("bmp"), "{kept}");
}

#[test]
fn foreign_and_invalid_requests_are_rejected() {
    let engine = Engine::start(NO_SOCKET.as_ref(), &["--no-audio"], &[]);
    let status =
        |method, path, body: &[u8], headers: &[(&str, &str)]| engine.send(method, path, body, headers).0;
    assert_eq!(status("GET", "/api/health", b"", &[("host", "evil.example")]), 421);
    assert_eq!(status("PUT", "/api/config", b"{}", &[("origin", "http://evil.example")]), 403);
    assert_eq!(status("POST", "/api/actions/mute", b"", &[("origin", "null")]), 403);
    assert_eq!(status("PUT", "/api/config", &vec![b' '; 70_000], &[]), 413);
    assert_eq!(status("PUT", "/api/config", b"{", &[]), 400);
    assert_eq!(status("POST", "/api/config", b"{}", &[]), 405);
    assert_eq!(status("GET", "/api/nothing", b"", &[]), 404);
    assert_eq!(status("POST", "/api/actions/test_note?midi=200", b"", &[]), 400);
    assert_eq!(status("POST", "/api/audio/device", b"{\"device\": \"id:alsa:nowhere\"}", &[]), 400);
    assert_eq!(status("POST", "/api/actions/panic", b"", &[]), 200);
    assert_eq!(status("POST", "/api/actions/test_note?midi=60&vel=0.5&dur=0.2", b"", &[]), 409);
}

#[test]
fn demo_is_labelled_and_never_saved() {
    let engine = Engine::start(NO_SOCKET.as_ref(), &["--no-audio", "--fake"], &[]);
    engine.wait_for_source("demo");
    assert!(engine.health().features.fake);
    engine.change(&json!({"music": {"bpm": 90}}));
    let written = fs::read_to_string(engine.config_path()).expect("reading the configuration");
    let written: Value = serde_json::from_str(&written).expect("a configuration in JSON");
    assert_eq!(
        (written["features"]["fake"].as_bool(), written["music"]["bpm"].as_f64()),
        (Some(false), Some(90.0))
    );
}
