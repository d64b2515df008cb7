//! Tests hostile or unusual input: OSC datagrams, numbers on the command line, and concatenated
//! captures.

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
    Command::new(program("khor")).args(arguments).current_dir(dir).output().expect("starting khor")
}

/// Everything that a command printed.
fn text(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

/// Encodes an OSC message that has these type tags, but no values.
fn tagged(tags: &[u8]) -> Vec<u8> {
    let mut bytes = [b"/khor/panic\0,", tags].concat();
    bytes.resize((bytes.len() / 4 + 1) * 4, 0);
    bytes
}

/// Starts an engine that receives OSC, and a socket that sends to it.
fn start() -> (Engine, UdpSocket) {
    let (dir, port) = (TempDir::new().expect("creating a temporary directory"), free_port());
    let config = json!({ "osc": { "receive": { "port": port } } });
    fs::write(dir.path().join("config.json"), config.to_string()).expect("writing the configuration");
    let engine = Engine::start_in(dir, NO_SOCKET.as_ref(), &["--fake", "--no-audio", "--osc-in"], &[]);
    wait_until("the engine to receive OSC", || receive(&engine)["ok"] == true);
    let socket = UdpSocket::bind("127.0.0.1:0").expect("binding a socket");
    socket.connect(("127.0.0.1", port)).expect("connecting the socket");
    (engine, socket)
}

/// The state of OSC reception in `/api/health`.
fn receive(engine: &Engine) -> Value {
    engine.get("/api/health")["osc"]["receive"].clone()
}

#[test]
fn osc_packets_cannot_end_the_engine() {
    let (engine, socket) = start();
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
        socket.send(datagram).expect("sending a datagram");
        // For each datagram, the engine counts either the messages inside or one rejected datagram.
        wait_until(&format!("datagram {number} to be counted"), || receive(&engine) != before);
    }
    let bpm = |bpm| vec![OscType::Int(bpm)];
    socket
        .send(&bundle(&[b"junk".to_vec(), message("/khor/set/music/bpm", bpm(96))]))
        .expect("sending a datagram");
    wait_until("the message after an invalid element", || engine.get("/api/config")["music"]["bpm"] == 96.0);
}

#[test]
fn osc_patterns_symbols_and_untagged_messages_work() {
    let (engine, socket) = start();
    let config = || engine.get("/api/config");
    let value = vec![OscType::Float(0.25)];
    socket.send(&message("/khor/set/music/[ds][em]?[os]*", value)).expect("sending a datagram");
    wait_until("both settings to change", || {
        let music = &config()["music"];
        (&music["density"], &music["smoothing"]) == (&json!(0.25), &json!(0.25))
    });
    socket.send(b"/khor/set/music/preset\0\0,S\0\0rain\0\0\0\0").expect("sending a datagram");
    wait_until("the preset to change", || config()["music"]["preset"] == "rain");
    // A message without type tags toggles the mute, as a message without values does.
    socket.send(b"/khor/mute\0\0").expect("sending a datagram");
    wait_until("the engine to be muted", || engine.metrics().controls.muted);
    assert_eq!(receive(&engine)["refused"], 0);
    socket.send(&message("/khor/set/music/x*", vec![OscType::Int(1)])).expect("sending a datagram");
    wait_until("the rejected message to be counted", || receive(&engine)["refused"] == 1);
    let reason =
        receive(&engine)["last_refusal"].as_str().expect("a reason of the last rejection").to_owned();
    assert!(reason.contains("no address matches this pattern"), "{reason}");
}

#[test]
fn error_names_allowed_number_range() {
    let dir = TempDir::new().expect("creating a temporary directory");
    for (words, range) in [
        (&["record", "x.khor", "--demo", "--seconds", "-1"][..], "from 0.001 to 31536000"),
        (&["record", "x.khor", "--demo", "--seconds", "nan"], "from 0.001 to 31536000"),
        (&["render", "--demo", "-o", "x.wav", "--seconds", "1e300"], "from 0.001 to 31536000"),
        (&["render", "--demo", "-o", "x.wav", "--seconds", "inf"], "from 0.001 to 31536000"),
        (&["snooze", "-5"], "from 0 to 1440"),
        (&["record", "x.khor", "--pid", "0"], "from 1 to 4194304"),
        (&["status", "--listen", "99999"], "port from 1 to 65535"),
    ] {
        let rejected = khor(words, dir.path());
        let printed = text(&rejected);
        assert_eq!(rejected.status.code(), Some(2), "exit code of khor {words:?}: {printed}");
        assert!(printed.contains(range) && !printed.contains("panicked"), "khor {words:?}: {printed}");
    }
    assert_eq!(
        fs::read_dir(dir.path()).expect("reading the folder").count(),
        0,
        "a rejected command wrote a file"
    );
}

#[test]
fn concatenated_captures_play_in_sequence() {
    let dir = TempDir::new().expect("creating a temporary directory");
    let at = |name: &str| dir.path().join(name);
    let read = |name: &str| fs::read(at(name)).expect(name);
    for name in ["a.khor", "b.khor"] {
        let recorded = khor(&["record", name, "--demo", "--seconds", "1"], dir.path());
        assert!(recorded.status.success(), "{}", text(&recorded));
    }
    let samples = |name: &str| {
        let played = khor(&["play", name, "--no-http", "--no-audio", "--config", "none.json"], dir.path());
        let printed = text(&played);
        let words: Vec<&str> = printed.split_whitespace().collect();
        let at = words.iter().position(|word| *word == "samples,").unwrap_or_else(|| panic!("{printed}"));
        (words[at - 1].parse::<u64>().expect("a number of samples"), played.status.success(), printed)
    };
    let (a, b) = (read("a.khor"), read("b.khor"));
    fs::write(at("c.khor"), [a.as_slice(), &b].concat()).expect("writing the capture");
    let (whole, ok, printed) = samples("c.khor");
    assert_eq!(whole, samples("a.khor").0 + samples("b.khor").0, "{printed}");
    assert!(ok && printed.contains("the synthetic demo, then the synthetic demo"), "{printed}");

    fs::write(at("d.khor"), [a.as_slice(), b"and more"].concat()).expect("writing the capture");
    let (_, ok, printed) = samples("d.khor");
    assert!(!ok && printed.contains("the data after the end of the capture is not a capture"), "{printed}");
}
