//! Tests limits on growth: of the configuration, its warnings, presets, recordings and renders.

use std::{
    fs,
    path::Path,
    process::{Command, Output},
};

use khor_e2e::{Engine, Mount, engine::program, skip, wait_until};
use khor_patience::progress;
use nix::unistd::Uid;
use serde_json::{Map, Value, json};
use tempfile::TempDir;

const NO_SOCKET: &str = "/nonexistent/collector.sock";
/// Arguments with which the engine starts fast and makes no sound.
const QUIET: [&str; 2] = ["--no-audio", "--fake"];

fn with_config(text: &str) -> TempDir {
    let dir = TempDir::new().unwrap();
    fs::write(dir.path().join("config.json"), text).unwrap();
    dir
}

fn khor(arguments: &[&str], dir: &Path) -> Output {
    progress(format!("running khor {arguments:?}"));
    Command::new(program("khor")).args(arguments).current_dir(dir).output().expect("starting khor")
}

/// Everything that a command printed.
fn printed(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

/// A configuration with `count` unknown keys, numbered from `first`.
fn unknown(first: usize, count: usize) -> Value {
    let keys = (first..first + count).map(|i| (format!("unknown-{i}"), json!("x".repeat(16))));
    Value::Object(keys.collect::<Map<_, _>>())
}

#[test]
fn unknown_keys_and_long_texts_change_nothing() {
    let engine = Engine::start_in(with_config("{\"theirs\": {\"x\": 1}}"), NO_SOCKET.as_ref(), &QUIET, &[]);
    assert_eq!(engine.change(&json!({ "music": { "bpm": 90 } })).0, 200);
    let before = fs::read(engine.config_path()).unwrap();
    for round in 0..50 {
        let (status, answer) = engine.change(&unknown(1000 * round, 1000));
        let error = answer["error"].as_str().unwrap_or_default();
        assert!(status == 400 && error.contains("khor does not know this key"), "{status}: {error}");
    }
    let long = "x".repeat(50_000);
    for (change, field) in [
        (json!({ "music": { "bmp": 90 } }), "music.bmp"),
        (json!({ "osc": { "receive": { "host": "0.0.0.0" } } }), "osc.receive.host"),
        (json!({ "theirs": { "x": 2 } }), "theirs"),
        (json!({ "music": { "preset": long } }), "music.preset"),
        (json!({ "midi": { "port": long } }), "midi.port"),
        (json!({ "osc": { "host": long } }), "osc.host"),
        (json!({ "osc": { "targets": [long] } }), "osc.targets[0]"),
        (json!({ "audio": { "device": format!("id:{long}") } }), "audio.device"),
        (json!({ "bpf": { "cgroup": format!("/{long}") } }), "bpf.cgroup"),
        (json!({ "listen": { "allowed_hosts": [long] } }), "listen.allowed_hosts[0]"),
        (json!({ "signals": { "ceilings": { long.clone(): 1 } } }), "signals.ceilings."),
    ] {
        let (status, answer) = engine.change(&change);
        let error = answer["error"].as_str().unwrap_or_default();
        assert!(status == 400 && error.starts_with(field) && error.chars().count() < 700, "{field}: {error}");
    }
    assert_eq!(fs::read(engine.config_path()).unwrap(), before);
    // The engine accepts its own response to GET as the body of a PUT request.
    let whole = engine.get("/api/config");
    let (status, answer) = engine.send("PUT", "/api/config", whole.to_string().as_bytes(), &[]);
    assert_eq!(status, 200, "{answer}");
    let (_, dir) = engine.stop();
    let file: Value = serde_json::from_slice(&fs::read(dir.path().join("config.json")).unwrap()).unwrap();
    assert_eq!(
        (&file["theirs"]["x"], &file["music"]["bpm"]),
        (&json!(1), &json!(90.0)),
        "the file lost its unknown key or the changed bpm"
    );
}

#[test]
fn thousands_of_unknown_keys_log_one_line() {
    let dir = with_config(&unknown(0, 5000).to_string());
    let engine = Engine::start_in(dir, NO_SOCKET.as_ref(), &QUIET, &[]);
    let about_keys = || engine.log().lines().filter(|line| line.contains("unknown-")).count();
    assert_eq!(about_keys(), 1, "{}", engine.log());
    let warnings = engine.get("/api/health")["config"]["warnings"].clone();
    let warning = warnings[0].as_str().expect("a warning");
    assert!(warning.contains(" 5000 keys") && warning.ends_with("and 4995 more"), "{warning}");
    // Another change of the file does not repeat the warning.
    let mut edited = unknown(0, 5000);
    edited["music"] = json!({ "bpm": 77 });
    fs::write(engine.config_path(), edited.to_string()).unwrap();
    wait_until("the edit to take effect", || engine.get("/api/config")["music"]["bpm"] == 77.0);
    assert_eq!(about_keys(), 1, "{}", engine.log());
}

#[test]
fn thousands_of_broken_presets_log_few_lines() {
    let dir = with_config("{}");
    fs::create_dir(dir.path().join("presets")).unwrap();
    for number in 0..1000 {
        fs::write(dir.path().join(format!("presets/{number:04}.toml")), "name = ").unwrap();
    }
    let engine = Engine::start_in(dir, NO_SOCKET.as_ref(), &QUIET, &[]);
    let problems = engine.get("/api/health")["presets"]["problems"].clone();
    let problems = problems.as_array().expect("a list of problems");
    assert!(problems.len() < 20, "{problems:?}");
    assert!(
        problems[0].as_str().is_some_and(|problem| problem.contains("only the first 256 preset files")),
        "{problems:?}"
    );
    let lines = engine.log().lines().filter(|line| line.contains(".toml")).count();
    assert!(lines < 20, "{lines} log lines about presets");
    let mut preset = engine.get("/api/presets/ambient")["preset"].clone();
    preset["name"] = json!("mine");
    let (status, answer) = engine.send("PUT", "/api/presets/mine", preset.to_string().as_bytes(), &[]);
    let error = answer["error"].as_str().unwrap_or_default();
    assert!(status == 409 && error.contains("khor reads no more"), "{status}: {error}");
}

#[test]
fn recordings_stop_at_quota_and_full_disk() {
    let dir = with_config("{\"recordings\": {\"quota_mib\": 1}}");
    let engine = Engine::start_in(dir, NO_SOCKET.as_ref(), &QUIET, &[]);
    let (status, started) = engine.post("/api/recording/start?format=wav");
    assert_eq!(status, 200, "{started}");
    wait_until("the recording to end", || !engine.health().recording.recording);
    let recording = engine.get("/api/health")["recording"].clone();
    let text = |key: &str| recording[key].as_str().unwrap_or_default().to_owned();
    assert!(text("error").contains("their quota is 1.0 MB"), "{recording}");
    assert!(text("fix").contains("recordings.quota_mib"), "{recording}");
    let file = fs::read(text("file")).expect("reading the recording");
    // The WAV header must contain the final length.
    let data = file.windows(4).position(|chunk| chunk == b"data").expect("a data chunk in the recording");
    let length = u32::from_le_bytes(file[data + 4..data + 8].try_into().expect("a length of four bytes"));
    assert_eq!(length as usize, file.len() - data - 8);
    let assert_rejected = |reason: &str| {
        let (status, answer) = engine.post("/api/recording/start?format=wav");
        let error = answer["error"].as_str().unwrap_or_default();
        assert!(status == 507 && error.contains(reason), "{status}: {error}");
    };
    assert_rejected("recordings.quota_mib");
    let limits = json!({ "recordings": { "quota_mib": 1000, "min_free_mib": 16_777_216 } });
    assert_eq!(engine.change(&limits).0, 200);
    assert_rejected("recordings.min_free_mib");
    assert_eq!(engine.change(&json!({ "recordings": { "min_free_mib": 0 } })).0, 200);
    assert_eq!(engine.post("/api/recording/start?format=wav").0, 200);
}

#[test]
fn long_render_needs_force() {
    let dir = TempDir::new().unwrap();
    let render = |seconds: &str, more: &[&str]| {
        khor(&[&["render", "--demo", "--seconds", seconds], more].concat(), dir.path())
    };
    let rendered = render("2", &["-o", "x.wav"]);
    let text = String::from_utf8_lossy(&rendered.stderr).into_owned();
    assert!(rendered.status.success() && text.contains("rendering x.wav: 2.0 s long, 576.0 kB"), "{text}");
    for output in ["y.wav", "y.flac", "y.mid"] {
        let rejected = render("90000", &["-o", output]);
        let text = printed(&rejected);
        assert!(
            rejected.status.code() == Some(1) && text.contains("25 h long, and the limit is 24 h"),
            "{text}"
        );
        assert!(!dir.path().join(output).exists());
    }
}

#[test]
fn files_fill_small_disk_only_when_forced() {
    if !Uid::effective().is_root() {
        return skip("mounting needs root");
    }
    let disk = TempDir::new().unwrap();
    let _mount = Mount::in_memory(disk.path(), 8 << 20).unwrap();
    let render = |seconds: &str, more: &[&str]| {
        khor(&[&["render", "--demo", "-o", "x.wav", "--seconds", seconds], more].concat(), disk.path())
    };
    // A render of 60 s takes 17 MB, which is more than the disk has.
    let rejected = render("60", &[]);
    let text = printed(&rejected);
    assert!(
        rejected.status.code() == Some(1) && text.contains("x.wav would be 60.0 s long, 17.3 MB"),
        "{text}"
    );
    assert!(text.contains("khor leaves 419.4 kB free") && text.contains("--force"), "{text}");
    assert!(render("1", &[]).status.success());
    fs::remove_file(disk.path().join("x.wav")).unwrap();
    // Leave 200 kB free, less than a twentieth of the disk.
    fs::write(disk.path().join("filler"), vec![0; (8 << 20) - 200_000]).unwrap();
    let record = |more: &[&str]| {
        khor(&[&["record", "x.khor", "--demo", "--seconds", "0.5"], more].concat(), disk.path())
    };
    let rejected = record(&[]);
    assert!(
        rejected.status.code() == Some(1) && printed(&rejected).contains("--force"),
        "{}",
        printed(&rejected)
    );
    assert!(!disk.path().join("x.khor").exists());
    let forced = record(&["--force"]);
    assert!(forced.status.success(), "{}", printed(&forced));
    assert!(render("0.5", &["--force"]).status.success());
}
