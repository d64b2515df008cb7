//! Tests unusual uses of the commands: presets whose names look like numbers, presets with the same
//! name, settings without effect, time zones, and a mute during a snooze.

use std::{
    fs,
    path::PathBuf,
    process::{Command, Output},
};

use khor_e2e::{Engine, engine::program, wait_until};
use khor_patience::progress;
use serde_json::{Value, json};

const NO_SOCKET: &str = "/nonexistent/collector.sock";

fn engine(environment: &[(&str, &str)]) -> Engine {
    Engine::start(NO_SOCKET.as_ref(), &["--no-audio", "--fake"], environment)
}

/// Runs a `khor` command against this engine, and returns its output.
fn khor(engine: &Engine, arguments: &[&str]) -> Output {
    progress(format!("running khor {arguments:?}"));
    let mut khor = Command::new(program("khor"));
    khor.arg(arguments[0]).arg("--config").arg(engine.config_path());
    khor.args(["--listen", engine.url().trim_start_matches("http://")]).args(&arguments[1..]);
    khor.output().expect("running khor")
}

/// Everything that a command printed.
fn text_of(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

/// Saves a copy of the preset `drone` under another name. Returns the path of its file.
fn save(engine: &Engine, name: &str) -> PathBuf {
    let mut preset = engine.get("/api/presets/drone")["preset"].clone();
    preset["name"] = json!(name);
    let (status, answer) =
        engine.send("PUT", &format!("/api/presets/{name}"), preset.to_string().as_bytes(), &[]);
    assert_eq!(status, 200, "{answer:#}");
    answer["file"].as_str().expect("the preset's file").into()
}

#[test]
fn preset_name_may_look_like_number() {
    let engine = engine(&[]);
    for name in ["808", "true", "null", "1e3", "-0"] {
        save(&engine, name);
        let selected = khor(&engine, &["config", "music.preset", "--", name]);
        assert!(selected.status.success(), "{name}: {}", text_of(&selected));
        assert_eq!(engine.get("/api/config")["music"]["preset"], *name);
    }
    let number = khor(&engine, &["config", "music.bpm", "96"]);
    assert!(number.status.success(), "{}", text_of(&number));
    assert_eq!(engine.get("/api/config")["music"]["bpm"], 96.0);
}

#[test]
fn setting_without_effect_names_requirement() {
    let engine = engine(&[]);
    let rejected = khor(&engine, &["config", "site.host", "web-1"]);
    assert!(
        !rejected.status.success() && text_of(&rejected).contains("--site NAME"),
        "{}",
        text_of(&rejected)
    );
    assert_eq!(engine.get("/api/config")["site"]["host"], Value::Null);
    let idle = khor(&engine, &["config", "quiet.from", "23:00"]);
    assert!(
        idle.status.success() && text_of(&idle).contains("khor config quiet.enabled true"),
        "{}",
        text_of(&idle)
    );
    let mut host = Command::new(program("khor"));
    host.args(["engine", "--host", "web-1", "--config"]).arg(engine.config_path());
    let started = host.output().expect("running khor");
    assert!(
        !started.status.success() && text_of(&started).contains("add --site NAME"),
        "{}",
        text_of(&started)
    );
}

#[test]
fn two_presets_with_one_name_are_reported() {
    let engine = engine(&[]);
    let file = save(&engine, "mine");
    fs::copy(&file, file.with_file_name("another.toml")).expect("copying the preset");
    let problems = || engine.get("/api/health")["presets"]["problems"].clone();
    wait_until("the shared name to be reported", || problems() != json!([]));
    let reported = problems().to_string();
    assert!(
        reported.contains("the preset name mine is already used by another.toml, whose preset plays"),
        "{reported}"
    );
    let presets = engine.get("/api/presets");
    let named = presets["presets"]
        .as_array()
        .expect("a list of presets")
        .iter()
        .filter(|preset| preset["name"] == "mine");
    assert_eq!(named.count(), 1, "{presets:#}");
    assert_eq!(presets["problems"], problems());
    let doctor = khor(&engine, &["doctor"]);
    assert!(text_of(&doctor).contains("another.toml"), "{}", text_of(&doctor));
    fs::remove_file(file).expect("removing a preset");
    wait_until("the problem to disappear", || problems() == json!([]));
}

/// The time `minutes` from now in a time zone, as HH:MM, computed by the C library.
fn clock(zone: &str, minutes: i32) -> String {
    let then = format!("{minutes:+} minutes");
    let output =
        Command::new("date").args(["-d", &then, "+%H:%M"]).env("TZ", zone).output().expect("starting date");
    String::from_utf8(output.stdout).expect("a time in UTF-8").trim().to_owned()
}

#[test]
fn quiet_hours_follow_tz_or_report_it() {
    // The first zone has summer time, but no rule for when it begins. All zones are far east of a
    // usual test machine's zone.
    for zone in ["XST-13XDT", ":XST-13", "posix/Pacific/Auckland", "/usr/share/zoneinfo/Pacific/Auckland"] {
        let name = zone.trim_start_matches("posix/").trim_start_matches("/usr/share/zoneinfo/");
        if name.contains('/') && !std::path::Path::new("/usr/share/zoneinfo").join(name).exists() {
            continue;
        }
        let engine = engine(&[("TZ", zone)]);
        assert!(engine.health().time.ok, "TZ={zone}");
        let quiet = json!({ "enabled": true, "from": clock(name, -30), "to": clock(name, 30) });
        assert_eq!(engine.change(&json!({ "quiet": quiet })).0, 200);
        let silence = engine.get("/api/metrics")["controls"]["silence"].clone();
        assert_eq!(silence["reason"], "quiet_hours", "TZ={zone}: {quiet}");
    }
    let engine = engine(&[("TZ", "Mars/Olympus")]);
    let time = engine.get("/api/health")["time"].clone();
    assert_eq!(time["ok"], false, "{time}");
    assert!(time["error"].as_str().is_some_and(|error| error.contains("Mars/Olympus")), "{time}");
    for command in ["status", "doctor"] {
        let output = khor(&engine, &[command]);
        assert!(
            text_of(&output).contains("Mars/Olympus") && !output.status.success(),
            "khor {command}: {}",
            text_of(&output)
        );
    }
}

/// A mute during a snooze must keep the sound off. In an earlier version, `khor mute` ended the
/// snooze, so the sound returned.
#[test]
fn mute_during_snooze_mutes() {
    let engine = engine(&[]);
    let silence = || engine.get("/api/metrics")["controls"]["silence"]["reason"].clone();
    assert!(khor(&engine, &["snooze", "30"]).status.success());
    assert_eq!(silence(), "snoozed");
    assert_eq!(text_of(&khor(&engine, &["mute"])), "muted\n");
    assert_eq!(silence(), "muted");
    assert_eq!(text_of(&khor(&engine, &["mute"])), "unmuted\n");
    assert_eq!(silence(), Value::Null);
}
