//! Tests the engine on a session bus, where scripts and the desktop's media keys control it.

use std::{fs, path::Path, process::Command};

use khor_e2e::{Bus, Engine, engine::program, skip::skip, wait_until};
use serde_json::{Value, json};

const NO_SOCKET: &str = "/nonexistent/collector.sock";
const ENGINE1: [&str; 3] = ["org.khor.Engine", "/org/khor/Engine", "org.khor.Engine1"];

/// Starts a bus. Skips the test and returns `None` if `dbus-daemon` or the program `client` is
/// missing.
fn bus_and(client: &str) -> Option<Bus> {
    if Command::new(client).arg("--version").output().is_err() {
        skip(&format!("needs {client}"));
        return None;
    }
    let bus = Bus::start(false);
    if bus.is_none() {
        skip("needs dbus-daemon");
    }
    bus
}

fn engine_on(bus: &Bus, flags: &[&str]) -> Engine {
    let arguments = [&["--fake", "--no-audio"], flags].concat();
    let address = bus.address();
    Engine::start(NO_SOCKET.as_ref(), &arguments, &[("DBUS_SESSION_BUS_ADDRESS", &address)])
}

fn property(bus: &Bus, name: &str) -> Option<String> {
    let output = bus.busctl(&[&["get-property"], &ENGINE1[..], &[name]].concat())?;
    Some(output.trim().to_owned())
}

fn call(bus: &Bus, method: &[&str]) -> Option<String> {
    bus.busctl(&[&["call"], &ENGINE1[..], method].concat()).map(|output| output.trim().to_owned())
}

fn controls(engine: &Engine) -> Value {
    engine.get("/api/metrics")["controls"].clone()
}

fn desktop(engine: &Engine) -> Value {
    engine.get("/api/health")["desktop"].clone()
}

#[test]
fn session_bus_has_properties_methods_and_signals() {
    let Some(bus) = bus_and("busctl") else { return };
    let engine = engine_on(&bus, &["--dbus"]);
    wait_until("the engine's bus name", || property(&bus, "Version").is_some());
    let introspected =
        bus.busctl(&[&["introspect"], &ENGINE1[..]].concat()).expect("introspecting the engine");
    for (name, signature) in [
        (".Muted", "b"),
        (".SnoozedUntil", "t"),
        (".Preset", "s"),
        (".Presets", "as"),
        (".Summary", "s"),
        (".Signals", "a{s(ddd)}"),
        (".AbsentSignals", "a{ss}"),
        (".Cue", "ssut"),
        (".SelectPreset", "s"),
        (".Snooze", "u"),
    ] {
        let line = introspected.lines().find(|line| line.split_whitespace().next() == Some(name));
        let found = line.and_then(|line| line.split_whitespace().nth(2));
        assert_eq!(found, Some(signature), "signature of {name} in {introspected}");
    }
    assert!(
        property(&bus, "Summary").expect("the property Summary").contains("demo"),
        "the Summary does not name the demo"
    );

    let monitor = bus.monitor(ENGINE1[0]);
    let wait_for = |name: &str, value: Value| {
        monitor.wait_for_property(ENGINE1[2], name, |property| *property == value);
    };
    assert!(call(&bus, &["Mute"]).is_some());
    assert_eq!(controls(&engine)["muted"], true);
    wait_for("Muted", json!(true));
    assert_eq!(engine.post("/api/actions/mute?on=false").0, 200);
    wait_for("Muted", json!(false));
    let until = call(&bus, &["Snooze", "u", "5"]).expect("the end of the snooze");
    assert_eq!(format!("t {}", controls(&engine)["snoozed_until_ts_ms"]), until);
    assert!(
        call(&bus, &["Snooze", "u", "1441"]).is_none(),
        "the engine accepted a snooze of more than a day"
    );
    assert!(call(&bus, &["Unmute"]).is_some());
    assert_eq!(property(&bus, "SnoozedUntil").as_deref(), Some("t 0"));
    assert!(call(&bus, &["SelectPreset", "s", "rain"]).is_some());
    wait_for("Preset", json!("rain"));
    assert!(
        call(&bus, &["SelectPreset", "s", "polka"]).is_none(),
        "the engine selected a preset that does not exist"
    );
    assert_eq!(controls(&engine)["preset"], "rain");
    let signals = monitor.wait_for_property(ENGINE1[2], "Signals", |property| property["csw"][0].is_number());
    assert!((0.0..=1.0).contains(&signals["csw"][0].as_f64().expect("a level of csw")), "{signals}");
}

#[test]
fn missing_bus_is_reported_and_music_continues() {
    let Some(mut bus) = bus_and("busctl") else { return };
    let engine = engine_on(&bus, &["--dbus", "--mpris"]);
    wait_until("both bus names", || desktop(&engine)["ok"] == true);
    bus.kill();
    wait_until("the loss of the bus to be reported", || desktop(&engine)["ok"] == false);
    let lost = desktop(&engine);
    assert!(lost["bus"]["error"].as_str().is_some_and(|error| error.contains("session bus")), "{lost}");
    assert!(lost["fix"].as_str().is_some_and(|fix| fix.contains("systemctl --user")), "{lost}");
    let bar = |engine: &Engine| engine.metrics().music.map(|music| music.bar);
    let before = bar(&engine);
    wait_until("the next bar of the music", || bar(&engine) > before);
    let doctor = |engine: &Engine| {
        let config = engine.config_path();
        let output = Command::new(program("khor"))
            .args(["doctor", "--json", "--config"])
            .arg(config)
            .env("DBUS_SESSION_BUS_ADDRESS", bus.address())
            .output();
        let diagnosis: Value = serde_json::from_slice(&output.expect("starting khor doctor").stdout)
            .expect("JSON of khor doctor");
        let checks = diagnosis["checks"].as_array().expect("a list of checks").clone();
        checks.into_iter().find(|check| check["name"] == "desktop").expect("the check of the desktop")
    };
    assert_eq!(
        doctor(&engine)["state"],
        "off",
        "the doctor reports a bus that the configuration file does not enable"
    );
    let (status, _) = engine.send("PATCH", "/api/config", br#"{"desktop": {"bus": false}}"#, &[]);
    assert_eq!(status, 200);
    let (status, _) = engine.send("PATCH", "/api/config", br#"{"desktop": {"bus": true}}"#, &[]);
    assert_eq!(status, 200);
    let check = doctor(&engine);
    assert!(check["state"] == "problem" && check["fix"].is_string(), "{check}");

    assert!(bus.restart());
    wait_until("the names on the new bus", || desktop(&engine)["ok"] == true);
    assert!(property(&bus, "Version").is_some());
    engine.send("PATCH", "/api/config", br#"{"desktop": {"bus": false}}"#, &[]);
    wait_until("the engine to release its bus name", || property(&bus, "Version").is_none());
    let after = desktop(&engine);
    assert!(
        after["ok"] == true && after["bus"]["enabled"] == false && after["mpris"]["ok"] == true,
        "{after}"
    );
}

#[test]
fn taken_bus_name_is_reported_then_acquired() {
    let Some(bus) = bus_and("busctl") else { return };
    let first = engine_on(&bus, &["--dbus"]);
    wait_until("the first engine to own the name", || desktop(&first)["ok"] == true);
    let second = engine_on(&bus, &["--dbus"]);
    wait_until("the second engine to report the taken name", || desktop(&second)["error"].is_string());
    let reported = desktop(&second);
    assert_eq!(reported["bus"]["error"], "another program owns org.khor.Engine on the session bus");
    assert!(reported["fix"].as_str().is_some_and(|fix| fix.contains("desktop.bus")), "{reported}");
    first.stop();
    wait_until("the second engine to own the name", || desktop(&second)["ok"] == true);
}

/// Runs `playerctl` for khor, which must succeed, and returns its output.
fn playerctl(bus: &Bus, arguments: &[&str]) -> String {
    khor_patience::progress(format!("running playerctl {arguments:?}"));
    let output = Command::new("playerctl")
        .arg("--player=khor")
        .args(arguments)
        .env("DBUS_SESSION_BUS_ADDRESS", bus.address())
        .output()
        .expect("starting playerctl");
    let text = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "playerctl {arguments:?}: {text}{errors}");
    text
}

/// Whether the configuration file contains this volume.
fn gain_on_disk(config: &Path, expected: f64) -> bool {
    let text = fs::read_to_string(config).unwrap_or_default();
    let config: Value = serde_json::from_str(&text).unwrap_or_default();
    config["audio"]["master_gain"].as_f64().is_some_and(|gain| (gain - expected).abs() < 1e-6)
}

/// MPRIS requires that a negative volume becomes 0. khor limits a volume above 1 to 1, and rejects
/// NaN.
fn every_volume_is_set_or_rejected(bus: &Bus, engine: &Engine) {
    const PLAYER: [&str; 4] =
        ["org.mpris.MediaPlayer2.khor", "/org/mpris/MediaPlayer2", "org.mpris.MediaPlayer2.Player", "Volume"];
    let set = |volume: &str| bus.busctl(&[&["--", "set-property"], &PLAYER[..], &["d", volume]].concat());
    let gain = || controls(engine)["master_gain"].clone();
    for (volume, expected) in [("1.5", 1.0), ("-0.5", 0.0), ("inf", 1.0), ("0.25", 0.25)] {
        assert!(set(volume).is_some(), "{volume}");
        assert_eq!(gain(), expected, "{volume}");
    }
    assert!(set("nan").is_none(), "the engine accepted the volume NaN");
    assert_eq!(gain(), 0.25);
}

#[test]
fn media_keys_control_the_engine() {
    let Some(bus) = bus_and("playerctl") else { return };
    let engine = engine_on(&bus, &["--mpris"]);
    wait_until("the MPRIS player", || desktop(&engine)["mpris"]["ok"] == true);
    assert_eq!(playerctl(&bus, &["status"]), "Playing");
    let monitor = bus.monitor("org.mpris.MediaPlayer2.khor");
    let status = |expected: &str| {
        monitor.wait_for_property("org.mpris.MediaPlayer2.Player", "PlaybackStatus", |property| {
            property == expected
        });
    };
    for (key, muted) in [("pause", true), ("play", false), ("play-pause", true), ("play-pause", false)] {
        playerctl(&bus, &[key]);
        assert_eq!(controls(&engine)["muted"], muted, "{key}");
        status(if muted { "Paused" } else { "Playing" });
    }

    playerctl(&bus, &["volume", "0.3"]);
    let gain = controls(&engine)["master_gain"].as_f64().expect("master_gain");
    assert!((gain - 0.3).abs() < 1e-6, "{gain}");
    wait_until("the volume in the configuration file", || gain_on_disk(&engine.config_path(), 0.3));
    assert!(playerctl(&bus, &["volume"]).starts_with("0.3"));
    every_volume_is_set_or_rejected(&bus, &engine);

    let before = controls(&engine)["preset"].clone();
    playerctl(&bus, &["next"]);
    let after = controls(&engine)["preset"].clone();
    assert_ne!(after, before);
    let track =
        playerctl(&bus, &["metadata", "--format", "{{mpris:trackid}}|{{album}}|{{artist}}|{{title}}"]);
    let words: Vec<&str> = track.split('|').collect();
    assert!(words[0].contains("/org/khor/track/") && words[1] == after && words[2] == "khor", "{track}");
    assert!(words[3].contains("demo"), "{track}");
    playerctl(&bus, &["previous"]);
    assert_eq!(controls(&engine)["preset"], before);
    playerctl(&bus, &["volume", "0.7"]);
    let (_, dir) = engine.stop();
    assert!(gain_on_disk(&dir.path().join("config.json"), 0.7), "the engine ended without saving the volume");
}
