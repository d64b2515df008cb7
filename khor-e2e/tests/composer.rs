//! Tests user presets, the baseline, cues and explanations, with the real engine.

use std::{fs, process::Command, thread, time::Duration};

use khor_e2e::{Collector, Engine, crash, engine::program, skip::root_or_skip, wait_until};
use serde_json::Value;

const NO_SOCKET: &str = "/nonexistent/khor.sock";
const DRONE: &str = include_str!("../../khor-engine/music/presets/drone.toml");

fn quiet_engine() -> Engine {
    Engine::start(NO_SOCKET.as_ref(), &["--no-audio", "--fake"], &[])
}

fn notes(engine: &Engine) -> Vec<Value> {
    engine.get("/api/metrics")["notes"].as_array().expect("a list of notes").clone()
}

fn newest_note(engine: &Engine) -> u64 {
    notes(engine).last().and_then(|note| note["seq"].as_u64()).unwrap_or(0)
}

#[test]
fn broken_user_preset_keeps_last_version() {
    let engine = quiet_engine();
    engine.wait_for_source("demo");
    let folder = engine.config_path().with_file_name("presets");
    fs::create_dir(&folder).expect("creating the folder");
    let file = folder.join("mine.toml");
    let mine = DRONE.replacen("\"drone\"", "\"mine\"", 1);
    assert_eq!(
        engine.post("/api/preset/select?name=mine").0,
        400,
        "khor selected a preset that does not exist yet"
    );
    fs::write(&file, &mine).expect("writing the preset");
    wait_until("the preset to be found", || engine.post("/api/preset/select?name=mine").0 == 200);

    let halved = &mine[..mine.len() / 2];
    fs::write(&file, halved).expect("writing the preset");
    let mut problem = String::new();
    wait_until("the problem to be reported", || {
        let presets = engine.get("/api/health")["presets"].clone();
        problem = presets["problems"][0].as_str().unwrap_or_default().to_owned();
        presets["ok"] == false
    });
    assert!(problem.contains("mine.toml: line "), "{problem}");
    let before = newest_note(&engine);
    wait_until("new notes", || newest_note(&engine) > before);
    assert_eq!(engine.get("/api/presets")["current"], "mine");

    fs::write(&file, mine.replacen("pace = ", "pace = 9", 1)).expect("writing the preset");
    wait_until("the value out of range to be reported", || {
        let problems = engine.get("/api/presets")["problems"].to_string();
        problems.contains("voices.pace: must be from 0.25 to 2")
    });
    fs::write(&file, &mine).expect("writing the preset");
    wait_until("all presets to be valid", || engine.health().presets.ok);
}

#[test]
fn baseline_is_kept_frozen_and_reset() {
    let engine = Engine::start(NO_SOCKET.as_ref(), &["--no-audio"], &[]);
    engine.wait_for_source("proc");
    let learned = |engine: &Engine| engine.health().baseline.learnt.unwrap_or_default();
    wait_until("a part of the baseline to be learned", || learned(&engine) > 0.003);
    assert_eq!(engine.post("/api/actions/baseline?do=freeze").0, 200);
    let frozen = learned(&engine);
    assert!(engine.health().baseline.frozen);
    // A frame in transit may still change the baseline.
    wait_until("learning to stop", || {
        let before = learned(&engine);
        thread::sleep(Duration::from_secs(1));
        learned(&engine) == before
    });
    assert_eq!(engine.post("/api/actions/baseline?do=melt").0, 400);
    let (_, dir) = engine.stop();
    let kept = fs::read_to_string(dir.path().join("baseline.json")).expect("reading the saved baseline");
    assert!(kept.contains("\"csw\""), "{kept}");

    let again = Engine::start_in(dir, NO_SOCKET.as_ref(), &["--no-audio"], &[]);
    again.wait_for_source("proc");
    assert!(learned(&again) >= frozen * 0.9, "{} after {frozen}", learned(&again));
    assert_eq!(again.post("/api/actions/baseline?do=forget").0, 200);
    wait_until("the baseline to be reset", || learned(&again) < frozen);
}

#[test]
fn explanation_fits_one_screen() {
    let engine = quiet_engine();
    engine.wait_for_source("demo");
    let khor = |address: &str, more: &[&str]| {
        let output = Command::new(program("khor")).args(["explain", "--listen", address]).args(more).output();
        output.expect("starting khor explain")
    };
    let address = engine.url().replace("http://", "");
    let output = khor(&address, &[]);
    let text = String::from_utf8(output.stdout).expect("UTF-8 text");
    assert!(output.status.success() && text.contains("What you hear"), "{text}");
    assert!(text.lines().count() <= 24 && text.lines().all(|line| line.chars().count() <= 80), "{text}");
    let json: Value =
        serde_json::from_slice(&khor(&address, &["--json"]).stdout).expect("JSON of khor explain");
    assert!(json["sentence"].as_str().is_some_and(|sentence| sentence.starts_with("The demo")));
    let without_engine = khor("127.0.0.1:9", &[]);
    let error = String::from_utf8_lossy(&without_engine.stderr).into_owned();
    assert!(!without_engine.status.success() && error.contains("start khor engine"), "{error}");
}

#[test]
fn crash_plays_cue() {
    if !root_or_skip() {
        return;
    }
    let collector = Collector::start(&program("khor-collector"), &["--no-dbus"]);
    let engine = Engine::start(collector.socket(), &["--no-audio"], &[]);
    engine.wait_for_source("collector");
    crash();
    wait_until("a note of the cue", || notes(&engine).iter().any(|note| note["layer"] == "cues"));
    let metrics = engine.get("/api/metrics");
    let cues = metrics["cues"].as_array().expect("a list of cues");
    let cue = cues.iter().find(|cue| cue["kind"] == "crash").expect("a cue of the crash");
    assert_eq!((cue["comm"].as_str(), cue["detail"].as_u64()), (Some("sh"), Some(11)), "{cue}");
    let cue_ms = cue["ts_ms"].as_u64().expect("a time in ts_ms");
    let note = notes(&engine).into_iter().find(|note| note["layer"] == "cues").expect("a note of the cue");
    let after_ms = note["ts_ms"].as_u64().expect("a time in ts_ms").saturating_sub(cue_ms);
    println!("the note began {after_ms} ms after the cue; a beat at 110 bpm takes 545 ms");
}
