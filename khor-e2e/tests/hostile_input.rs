//! Tests hostile input: OSC datagrams, numbers on the command line, and concatenated captures.

use std::{
    fs,
    net::UdpSocket,
    path::Path,
    process::{Command, Output},
};

use khor_e2e::{
    Engine,
    engine::program,
    free_port,
    osc::{MAX_DATAGRAM, bundle, deepest_bundle, message},
    wait_until,
};
use khor_patience::progress;
use rosc::OscType;
use serde_json::{Value, json};
use tempfile::TempDir;

const NO_SOCKET: &str = "/nonexistent/collector.sock";

fn khor(arguments: &[&str], dir: &Path) -> Output {
    progress(format!("running khor {arguments:?}"));
    Command::new(program("khor")).args(arguments).current_dir(dir).output().expect("khor")
}

fn text(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

/// Encodes a message with type tags and no values.
fn tagged(tags: &[u8]) -> Vec<u8> {
    let mut bytes = [b"/khor/panic\0,", tags].concat();
    bytes.resize((bytes.len() / 4 + 1) * 4, 0);
    bytes
}

/// Starts an engine that receives OSC, and a socket that sends to it.
fn steered() -> (Engine, UdpSocket) {
    let (dir, port) = (TempDir::new().expect("a directory"), free_port());
    let config = json!({ "osc": { "receive": { "port": port } } });
    fs::write(dir.path().join("config.json"), config.to_string()).expect("a configuration");
    let engine = Engine::start_in(dir, NO_SOCKET.as_ref(), &["--fake", "--no-audio", "--osc-in"], &[]);
    wait_until("the engine to receive OSC", || receive(&engine)["ok"] == true);
    let socket = UdpSocket::bind("127.0.0.1:0").expect("a socket");
    socket.connect(("127.0.0.1", port)).expect("loopback");
    (engine, socket)
}

fn receive(engine: &Engine) -> Value {
    engine.get("/api/health")["osc"]["receive"].clone()
}

#[test]
fn no_osc_packet_ends_the_engine() {
    let (engine, socket) = steered();
    let hostile = [
        deepest_bundle(&message("/khor/panic", Vec::new())),
        deepest_bundle(b"junk"),
        tagged(&vec![b'['; 60_000]),
        tagged(&[vec![b'['; 30_000], vec![b']'; 30_000]].concat()),
        bundle(&vec![Vec::new(); 16_000]),
        message(&format!("/khor/{}", "*{a,".repeat(15_000)), Vec::new()),
        bundle(&vec![message("/khor/set/*/*?*[!a]*", vec![OscType::Nil]); 1000]),
        vec![0xff; MAX_DATAGRAM],
    ];
    for (number, datagram) in hostile.iter().enumerate() {
        assert!(datagram.len() <= MAX_DATAGRAM, "{number}");
        let before = receive(&engine);
        socket.send(datagram).expect("sending");
        // The engine counts each datagram, as messages or as refused.
        wait_until(&format!("datagram {number} to be counted"), || receive(&engine) != before);
    }
    let bpm = |bpm| vec![OscType::Int(bpm)];
    socket.send(&bundle(&[b"junk".to_vec(), message("/khor/set/music/bpm", bpm(96))])).expect("sending");
    wait_until("the message after a bad element", || engine.get("/api/config")["music"]["bpm"] == 96.0);
}

#[test]
fn osc_patterns_symbols_and_tagless_work() {
    let (engine, socket) = steered();
    let config = || engine.get("/api/config");
    let value = vec![OscType::Float(0.25)];
    socket.send(&message("/khor/set/music/[ds][em]?[os]*", value)).expect("sending");
    wait_until("both settings", || {
        let music = &config()["music"];
        (&music["density"], &music["smoothing"]) == (&json!(0.25), &json!(0.25))
    });
    socket.send(b"/khor/set/music/preset\0\0,S\0\0rain\0\0\0\0").expect("sending");
    wait_until("the preset", || config()["music"]["preset"] == "rain");
    // Without type tags the address toggles, as it does without values.
    socket.send(b"/khor/mute\0\0").expect("sending");
    wait_until("the engine to be muted", || engine.metrics().controls.muted);
    assert_eq!(receive(&engine)["refused"], 0);
    socket.send(&message("/khor/set/music/x*", vec![OscType::Int(1)])).expect("sending");
    wait_until("the refusal", || receive(&engine)["refused"] == 1);
    let reason = receive(&engine)["last_refusal"].as_str().expect("a reason").to_owned();
    assert!(reason.contains("no address matches this pattern"), "{reason}");
}

#[test]
fn number_out_of_range_names_range() {
    let dir = TempDir::new().expect("a directory");
    for (words, range) in [
        (&["record", "x.khor", "--demo", "--seconds", "-1"][..], "from 0.001 to 31536000"),
        (&["record", "x.khor", "--demo", "--seconds", "nan"], "from 0.001 to 31536000"),
        (&["render", "--demo", "-o", "x.wav", "--seconds", "1e300"], "from 0.001 to 31536000"),
        (&["render", "--demo", "-o", "x.wav", "--seconds", "inf"], "from 0.001 to 31536000"),
        (&["snooze", "-5"], "from 0 to 1440"),
        (&["record", "x.khor", "--pid", "0"], "from 1 to 4194304"),
        (&["status", "--listen", "99999"], "port from 1 to 65535"),
    ] {
        let refused = khor(words, dir.path());
        let said = text(&refused);
        assert_eq!(refused.status.code(), Some(2), "{words:?}: {said}");
        assert!(said.contains(range) && !said.contains("panicked"), "{words:?}: {said}");
    }
    assert_eq!(fs::read_dir(dir.path()).expect("the folder").count(), 0, "nothing was written");
}

#[test]
fn concatenated_captures_play_in_sequence() {
    let dir = TempDir::new().expect("a directory");
    let at = |name: &str| dir.path().join(name);
    let read = |name: &str| fs::read(at(name)).expect(name);
    for name in ["a.khor", "b.khor"] {
        let recorded = khor(&["record", name, "--demo", "--seconds", "1"], dir.path());
        assert!(recorded.status.success(), "{}", text(&recorded));
    }
    let samples = |name: &str| {
        let played = khor(&["play", name, "--no-http", "--no-audio", "--config", "none.json"], dir.path());
        let said = text(&played);
        let words: Vec<&str> = said.split_whitespace().collect();
        let at = words.iter().position(|word| *word == "samples,").unwrap_or_else(|| panic!("{said}"));
        (words[at - 1].parse::<u64>().expect("a number"), played.status.success(), said)
    };
    let (a, b) = (read("a.khor"), read("b.khor"));
    fs::write(at("c.khor"), [a.as_slice(), &b].concat()).expect("writing");
    let (whole, fine, said) = samples("c.khor");
    assert_eq!(whole, samples("a.khor").0 + samples("b.khor").0, "{said}");
    assert!(fine && said.contains("the synthetic demo, then the synthetic demo"), "{said}");

    fs::write(at("d.khor"), [a.as_slice(), b"and more"].concat()).expect("writing");
    let (_, fine, said) = samples("d.khor");
    assert!(!fine && said.contains("the data after the end of the capture is not a capture"), "{said}");
}
