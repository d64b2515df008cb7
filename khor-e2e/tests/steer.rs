//! Tests control by OSC messages, as faders and pads of other programs send them.

use std::{
    net::UdpSocket,
    time::{Duration, Instant},
};

use khor_e2e::{Engine, free_port, wait_until};
use rosc::{OscBundle, OscMessage, OscPacket, OscTime, OscType, encoder};
use serde_json::{Value, json};
use tempfile::TempDir;

const NO_SOCKET: &str = "/nonexistent/collector.sock";

/// A program that sends OSC messages to the engine.
struct Fader {
    socket: UdpSocket,
}

impl Fader {
    fn new(port: u16) -> Self {
        let socket = UdpSocket::bind("127.0.0.1:0").expect("binding a socket");
        socket.connect(("127.0.0.1", port)).expect("connecting the socket");
        Self { socket }
    }

    fn send(&self, packet: &OscPacket) {
        self.socket.send(&encoder::encode(packet).expect("encoding a packet")).expect("sending a packet");
    }

    fn set(&self, address: &str, value: OscType) {
        self.send(&message(address, vec![value]));
    }
}

fn message(address: &str, args: Vec<OscType>) -> OscPacket {
    OscPacket::Message(OscMessage { addr: address.into(), args })
}

/// Starts an engine that receives OSC, and a fader that sends to it.
fn start() -> (Engine, Fader) {
    let (dir, port) = (TempDir::new().expect("creating a temporary directory"), free_port());
    let config = json!({ "osc": { "receive": { "port": port } } });
    std::fs::write(dir.path().join("config.json"), config.to_string()).expect("writing the configuration");
    let engine = Engine::start_in(dir, NO_SOCKET.as_ref(), &["--fake", "--no-audio", "--osc-in"], &[]);
    wait_until("the engine to receive OSC", || receive(&engine)["ok"] == true);
    (engine, Fader::new(port))
}

/// The state of OSC reception in `/api/health`.
fn receive(engine: &Engine) -> Value {
    engine.get("/api/health")["osc"]["receive"].clone()
}

#[test]
fn setting_is_saved_when_fader_rests() {
    let (engine, fader) = start();
    let on_disk = || {
        let text = std::fs::read_to_string(engine.config_path()).expect("reading the configuration");
        serde_json::from_str::<Value>(&text).expect("a configuration in JSON")["music"]["bpm"].clone()
    };
    let begun = Instant::now();
    let (mut last, mut written, mut writes) = (0.0, Value::Null, 0);
    while begun.elapsed() < Duration::from_secs(2) {
        last = (60.0 + 20.0 * begun.elapsed().as_secs_f32()).round();
        fader.set("/khor/set/music/bpm", OscType::Float(last));
        std::thread::sleep(Duration::from_millis(2));
        let now = on_disk();
        writes += u64::from(now != written);
        written = now;
    }
    // If this machine stalls for a second, the engine saves the value as if the fader had stopped
    // moving.
    assert!(
        writes <= begun.elapsed().as_secs(),
        "the moving fader caused {writes} writes in {:?}",
        begun.elapsed()
    );
    let shown = || engine.get("/api/config")["music"]["bpm"].clone();
    wait_until("the fader's last value", || shown() == json!(last));
    println!("the engine received {} messages in {:?}", receive(&engine)["messages"], begun.elapsed());
    wait_until("the last value in the file", || on_disk() == json!(last));
    assert_eq!(receive(&engine)["refused"], 0);

    // Change settings of other types by a bundle, just before khor stops. The configuration file
    // must contain these changes.
    let content = vec![
        message("/khor/set/music/preset", vec![OscType::String("rain".into())]),
        message("/khor/set/music/key_midi", vec![OscType::Float(53.0)]),
        message("/khor/mute", vec![OscType::Int(1)]),
    ];
    fader.send(&OscPacket::Bundle(OscBundle { timetag: OscTime { seconds: 0, fractional: 1 }, content }));
    wait_until("the preset to change", || engine.get("/api/config")["music"]["preset"] == "rain");
    assert!(engine.metrics().controls.muted);
    let (status, dir) = engine.stop();
    assert!(status.success());
    let text = std::fs::read_to_string(dir.path().join("config.json")).expect("reading the configuration");
    let config: Value = serde_json::from_str(&text).expect("a configuration in JSON");
    assert_eq!((&config["music"]["preset"], &config["music"]["key_midi"]), (&json!("rain"), &json!(53)));
}

#[test]
fn invalid_osc_is_rejected_and_counted() {
    let (engine, fader) = start();
    let mut rejected = 0;
    let mut assert_rejected = |send: &dyn Fn(), expected: &str| {
        send();
        rejected += 1;
        wait_until("the rejected message to be counted", || receive(&engine)["refused"] == rejected);
        let reason = receive(&engine)["last_refusal"].as_str().expect("a reason").to_owned();
        assert!(reason.contains(expected), "{reason}");
    };
    assert_rejected(&|| fader.set("/khor/set/music/bmp", OscType::Float(90.0)), "there is no such setting");
    assert_rejected(&|| fader.set("/khor/set/music/bpm", OscType::Float(900.0)), "expected 20 to 300");
    assert_rejected(
        &|| fader.set("/khor/set/listen/host", OscType::String("0.0.0.0".into())),
        "OSC may change",
    );
    assert_rejected(&|| fader.set("/1/fader1", OscType::Float(0.5)), "khor has no such address");
    assert_rejected(&|| drop(fader.socket.send(b"hello")), "not an OSC packet");
    assert_eq!(engine.get("/api/config")["music"]["bpm"], 110.0);
    fader.send(&message("/khor/panic", Vec::new()));
    wait_until("another message to be counted", || receive(&engine)["messages"] == 5);

    // When reception is disabled, the port is free.
    let enable = |enabled: bool| engine.change(&json!({"osc": {"receive": {"enabled": enabled}}})).0;
    assert_eq!(enable(false), 200);
    let port = receive(&engine)["port"].as_u64().expect("the port") as u16;
    wait_until("the port to be free", || UdpSocket::bind(("127.0.0.1", port)).is_ok());
    // If the port is in use, the engine reports this, and uses the port as soon as it is free.
    let taken = UdpSocket::bind(("127.0.0.1", port)).expect("binding the port");
    assert_eq!(enable(true), 200);
    wait_until("the port in use to be reported", || receive(&engine)["error"].is_string());
    assert!(receive(&engine)["fix"].as_str().is_some_and(|fix| fix.contains("osc.receive.port")));
    drop(taken);
    wait_until("the engine to receive OSC", || receive(&engine)["ok"] == true);
}

#[test]
fn osc_changes_only_music_and_loudness() {
    let (engine, fader) = start();
    let before = engine.get("/api/config");
    let text = |text: &str| OscType::String(text.into());
    let settings = [
        ("listen/host", text("0.0.0.0")),
        ("listen/port", OscType::Int(80)),
        ("osc/host", text("192.0.2.1")),
        ("osc/receive/port", OscType::Int(9)),
        ("bpf/cgroup", text("/\x1b]52;c;aGk=\x07")),
        ("bpf/sample_interval_ms", OscType::Int(5)),
        ("features/bpf", OscType::Bool(false)),
        ("signals/ceilings/rx", OscType::Float(1.0)),
        ("recordings/quota_mib", OscType::Int(1)),
        ("desktop/bus", OscType::Bool(true)),
        ("audio/device", text("id:alsa:null")),
        ("site/nats/url", text("nats://192.0.2.1")),
    ];
    for ((path, value), rejected) in settings.into_iter().zip(1..) {
        fader.set(&format!("/khor/set/{path}"), value);
        wait_until("the rejected message to be counted", || receive(&engine)["refused"] == rejected);
        let reason = receive(&engine)["last_refusal"].as_str().expect("a reason").to_owned();
        let expected = "OSC may change music, audio/master_gain, audio/loudness_lufs only";
        assert!(reason.contains(expected), "{path}: {reason}");
    }
    // OSC address patterns change only the settings that OSC may change.
    fader.set("/khor/set/*/*", OscType::Float(0.25));
    wait_until("the volume to change", || engine.get("/api/config")["audio"]["master_gain"] == 0.25);
    wait_until("the density to change", || engine.get("/api/config")["music"]["density"] == 0.25);
    fader.set("/khor/set/{listen,osc,bpf}/*", OscType::Int(1));
    let pattern = || {
        receive(&engine)["last_refusal"].as_str().is_some_and(|reason| reason.contains("no address matches"))
    };
    wait_until("the rejected pattern to be reported", pattern);
    let without_music = |mut config: Value| {
        config["music"] = Value::Null;
        config["audio"]["master_gain"] = Value::Null;
        config
    };
    assert_eq!(without_music(engine.get("/api/config")), without_music(before.clone()));
    let (status, dir) = engine.stop();
    assert!(status.success());
    let text = std::fs::read_to_string(dir.path().join("config.json")).expect("reading the configuration");
    let file: Value = serde_json::from_str(&text).expect("a configuration in JSON");
    for section in ["bpf", "signals", "desktop", "site", "recordings"] {
        assert_eq!(file[section], before[section], "{section}");
    }
}
