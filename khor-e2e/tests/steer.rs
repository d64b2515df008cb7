//! Tests control by OSC, as faders and pads of other programs use it.

use std::{
    net::UdpSocket,
    time::{Duration, Instant},
};

use khor_e2e::{Engine, free_port, wait_until};
use rosc::{OscBundle, OscMessage, OscPacket, OscTime, OscType, encoder};
use serde_json::{Value, json};
use tempfile::TempDir;

const NO_SOCKET: &str = "/nonexistent/collector.sock";

struct Fader {
    socket: UdpSocket,
}

impl Fader {
    fn new(port: u16) -> Self {
        let socket = UdpSocket::bind("127.0.0.1:0").expect("a socket");
        socket.connect(("127.0.0.1", port)).expect("loopback");
        Self { socket }
    }

    fn send(&self, packet: &OscPacket) {
        self.socket.send(&encoder::encode(packet).expect("a packet")).expect("sending");
    }

    fn set(&self, address: &str, value: OscType) {
        self.send(&message(address, vec![value]));
    }
}

fn message(address: &str, args: Vec<OscType>) -> OscPacket {
    OscPacket::Message(OscMessage { addr: address.into(), args })
}

/// An engine that listens for OSC, and a fader that steers it.
fn steered() -> (Engine, Fader) {
    let (dir, port) = (TempDir::new().expect("a directory"), free_port());
    let config = json!({ "osc": { "receive": { "port": port } } });
    std::fs::write(dir.path().join("config.json"), config.to_string()).expect("a configuration");
    let engine = Engine::start_in(dir, NO_SOCKET.as_ref(), &["--fake", "--no-audio", "--osc-in"], &[]);
    wait_until("it to listen", || receive(&engine)["ok"] == true);
    (engine, Fader::new(port))
}

fn receive(engine: &Engine) -> Value {
    engine.get("/api/health")["osc"]["receive"].clone()
}

#[test]
fn fader_saves_setting_when_it_rests() {
    let (engine, fader) = steered();
    let on_disk = || {
        let text = std::fs::read_to_string(engine.config_path()).expect("the file");
        serde_json::from_str::<Value>(&text).expect("JSON")["music"]["bpm"].clone()
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
    // Each time this machine stands still for a second, the engine takes the fader to be at rest.
    assert!(writes <= begun.elapsed().as_secs(), "{writes} writes in {:?}", begun.elapsed());
    let shown = || engine.get("/api/config")["music"]["bpm"].clone();
    wait_until("the last value", || shown() == json!(last));
    println!("{} messages in {:?}", receive(&engine)["messages"], begun.elapsed());
    wait_until("the file", || on_disk() == json!(last));
    assert_eq!(receive(&engine)["refused"], 0);

    // A setting of another kind, in a bundle, and what is set as khor stops is kept.
    let content = vec![
        message("/khor/set/music/preset", vec![OscType::String("rain".into())]),
        message("/khor/set/music/key_midi", vec![OscType::Float(53.0)]),
        message("/khor/mute", vec![OscType::Int(1)]),
    ];
    fader.send(&OscPacket::Bundle(OscBundle { timetag: OscTime { seconds: 0, fractional: 1 }, content }));
    wait_until("the preset", || engine.get("/api/config")["music"]["preset"] == "rain");
    assert!(engine.metrics().controls.muted);
    let (status, dir) = engine.stop();
    assert!(status.success());
    let text = std::fs::read_to_string(dir.path().join("config.json")).expect("the file");
    let config: Value = serde_json::from_str(&text).expect("JSON");
    assert_eq!((&config["music"]["preset"], &config["music"]["key_midi"]), (&json!("rain"), &json!(53)));
}

#[test]
fn invalid_osc_is_refused_counted_and_logged() {
    let (engine, fader) = steered();
    let mut refused = 0;
    let mut is_refused = |send: &dyn Fn(), reason: &str| {
        send();
        refused += 1;
        wait_until("the refusal", || receive(&engine)["refused"] == refused);
        let said = receive(&engine)["last_refusal"].as_str().expect("a reason").to_owned();
        assert!(said.contains(reason), "{said}");
    };
    is_refused(&|| fader.set("/khor/set/music/bmp", OscType::Float(90.0)), "there is no such setting");
    is_refused(&|| fader.set("/khor/set/music/bpm", OscType::Float(900.0)), "expected 20 to 300");
    is_refused(&|| fader.set("/khor/set/listen/host", OscType::String("0.0.0.0".into())), "OSC may change");
    is_refused(&|| fader.set("/1/fader1", OscType::Float(0.5)), "khor has no such address");
    is_refused(&|| drop(fader.socket.send(b"hello")), "not an OSC packet");
    assert_eq!(engine.get("/api/config")["music"]["bpm"], 110.0);
    fader.send(&message("/khor/panic", Vec::new()));
    wait_until("it to go on", || receive(&engine)["messages"] == 5);

    // Switched off it is deaf, and the port is free.
    let hear = |enabled: bool| engine.change(&json!({"osc": {"receive": {"enabled": enabled}}})).0;
    assert_eq!(hear(false), 200);
    let port = receive(&engine)["port"].as_u64().expect("a port") as u16;
    wait_until("the port to be free", || UdpSocket::bind(("127.0.0.1", port)).is_ok());
    // A port in use is reported, and used once it is free.
    let taken = UdpSocket::bind(("127.0.0.1", port)).expect("the port");
    assert_eq!(hear(true), 200);
    wait_until("the reason", || receive(&engine)["error"].is_string());
    assert!(receive(&engine)["fix"].as_str().is_some_and(|fix| fix.contains("osc.receive.port")));
    drop(taken);
    wait_until("it to listen", || receive(&engine)["ok"] == true);
}

#[test]
fn osc_changes_only_music_and_loudness() {
    let (engine, fader) = steered();
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
    for ((path, value), refused) in settings.into_iter().zip(1..) {
        fader.set(&format!("/khor/set/{path}"), value);
        wait_until("the refusal", || receive(&engine)["refused"] == refused);
        let reason = receive(&engine)["last_refusal"].as_str().expect("a reason").to_owned();
        let expected = "OSC may change music, audio/master_gain, audio/loudness_lufs only";
        assert!(reason.contains(expected), "{path}: {reason}");
    }
    // Patterns apply to the allowed settings only.
    fader.set("/khor/set/*/*", OscType::Float(0.25));
    wait_until("the volume", || engine.get("/api/config")["audio"]["master_gain"] == 0.25);
    wait_until("the density", || engine.get("/api/config")["music"]["density"] == 0.25);
    fader.set("/khor/set/{listen,osc,bpf}/*", OscType::Int(1));
    let pattern =
        || receive(&engine)["last_refusal"].as_str().is_some_and(|why| why.contains("no address matches"));
    wait_until("the refusal of the pattern", pattern);
    let without_music = |mut config: Value| {
        config["music"] = Value::Null;
        config["audio"]["master_gain"] = Value::Null;
        config
    };
    assert_eq!(without_music(engine.get("/api/config")), without_music(before.clone()));
    let (status, dir) = engine.stop();
    assert!(status.success());
    let text = std::fs::read_to_string(dir.path().join("config.json")).expect("the file");
    let file: Value = serde_json::from_str(&text).expect("JSON");
    for section in ["bpf", "signals", "desktop", "site", "recordings"] {
        assert_eq!(file[section], before[section], "{section}");
    }
}
