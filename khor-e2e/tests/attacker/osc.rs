//! Attack: another user sends OSC datagrams, which carry no token.

use std::net::UdpSocket;

use khor_e2e::{
    SecondUser, UserEngine, free_port,
    osc::message,
    second_user::{NOBODY, OWNER},
    skip::root_or_skip,
    wait_until,
};
use rosc::OscType;
use serde_json::{Value, json};

use crate::attempt::{Row, Target, try_all};

/// An escape sequence (OSC 52) that writes to a terminal's clipboard.
const CLIPBOARD: &str = "\x1b]52;c;aGFoYQ==\x07";
/// Beginnings of the paths of settings that OSC may change. The attack does not try these settings
/// one by one.
const ALLOWED: [&str; 3] = ["/music/", "/audio/master_gain", "/audio/loudness_lufs"];

/// Rows with messages that must not have an effect. They try to change every setting that OSC may
/// not change, some by address patterns. One message sets the preset to an escape sequence.
pub(crate) fn datagrams(target: &Target) -> Vec<Row> {
    let mut sets: Vec<(String, OscType)> = Vec::new();
    leaves("", &target.0["config"], &mut sets);
    sets.retain(|(path, _)| !ALLOWED.iter().any(|allowed| path.starts_with(allowed)));
    let text = |text: &str| OscType::String(text.into());
    for (path, value) in [
        ("/listen/host", text("0.0.0.0")),
        ("/listen/token_file", text("/etc/hostname")),
        ("/listen/local_users", OscType::Bool(true)),
        ("/listen/*", text("0.0.0.0")),
        ("/*/host", text("192.0.2.1")),
        ("/{listen,osc}/host", text("0.0.0.0")),
        ("/osc/host", text("192.0.2.1")),
        ("/osc/targets", text("192.0.2.1:9")),
        ("/bpf/cgroup", text(CLIPBOARD)),
        ("/b?f/cgroup", text("/system.slice")),
        ("/bpf/sample_interval_ms", OscType::Int(5)),
        ("/features/midi", OscType::Int(1)),
        ("/audio/device", text(CLIPBOARD)),
        ("/music/preset", text(CLIPBOARD)),
    ] {
        sets.push((path.into(), value));
    }
    let row = |(path, value): (String, OscType)| {
        let address = format!("/khor/set{path}");
        Row::new(format!("{address} {value:?}"), "the setting", move |target| {
            let socket = UdpSocket::bind("127.0.0.1:0").map_err(|error| error.to_string())?;
            let datagram = message(&address, vec![value.clone()]);
            let sent = socket.send_to(&datagram, ("127.0.0.1", target.number("osc") as u16));
            sent.map(|_| "sent".into()).map_err(|error| error.to_string())
        })
    };
    sets.into_iter().map(row).collect()
}

/// Adds every setting in `value` to `sets`, with a new value that differs from the current value.
fn leaves(path: &str, value: &Value, sets: &mut Vec<(String, OscType)>) {
    let other = match value {
        Value::Object(inner) => {
            return inner.iter().for_each(|(key, value)| leaves(&format!("{path}/{key}"), value, sets));
        }
        Value::Bool(value) => OscType::Bool(!value),
        Value::Number(number) if number.as_f64() == Some(4.0) => OscType::Int(5),
        Value::Number(_) => OscType::Int(4),
        _ => OscType::String("other".into()),
    };
    sets.push((path.to_owned(), other));
}

#[test]
fn osc_of_other_user_changes_only_music() {
    if !root_or_skip() {
        return;
    }
    let (owner, osc) = (SecondUser::new(OWNER), free_port());
    owner.configure(&json!({ "listen": { "port": free_port() }, "osc": { "receive": { "port": osc } } }));
    let engine = UserEngine::start(&owner, &["--fake", "--no-audio", "--osc-in"]);
    let receive = || engine.get("/api/health")["osc"]["receive"].clone();
    wait_until("the engine to receive OSC", || receive()["ok"] == true);
    let before = engine.get("/api/config");
    let target = json!({ "config": before, "osc": osc });
    let sent = try_all(&SecondUser::new(NOBODY), "osc", &target).len();
    // Datagrams arrive in order. So when the last datagram has an effect, the engine has read all
    // datagrams.
    let fader = UdpSocket::bind("127.0.0.1:0").expect("binding a socket");
    let set = |path: &str, value| {
        fader.send_to(&message(path, vec![value]), ("127.0.0.1", osc)).expect("sending a datagram");
    };
    set("/khor/set/music/bpm", OscType::Int(96));
    wait_until("the allowed setting to change", || engine.get("/api/config")["music"]["bpm"] == 96.0);
    let mut expected = before;
    expected["music"]["bpm"] = json!(96.0);
    let (held, expected) = (engine.get("/api/config"), expected);
    let (held, expected) = (flat(&held), flat(&expected));
    let changed: Vec<_> = held.iter().filter(|setting| !expected.contains(setting)).collect();
    assert!(changed.is_empty(), "datagrams of another user changed {changed:?}");
    // If several values for one setting arrive within a period, the engine checks only the newest.
    let rejected = receive()["refused"].as_u64();
    assert!(rejected > Some(sent as u64 / 2), "the engine rejected only {rejected:?} of {sent} datagrams");
    // OSC may also change volume and mute.
    set("/khor/set/audio/master_gain", OscType::Float(0.25));
    set("/khor/mute", OscType::Int(1));
    wait_until("the volume to change", || engine.get("/api/config")["audio"]["master_gain"] == 0.25);
    wait_until("the mute to take effect", || engine.get("/api/metrics")["controls"]["muted"] == true);
}

/// All settings as `path = value`.
fn flat(config: &Value) -> Vec<String> {
    fn visit(path: &str, value: &Value, settings: &mut Vec<String>) {
        match value {
            Value::Object(inner) => {
                inner.iter().for_each(|(key, value)| visit(&format!("{path}/{key}"), value, settings));
            }
            value => settings.push(format!("{path} = {value}")),
        }
    }
    let mut settings = Vec::new();
    visit("", config, &mut settings);
    settings
}
