//! Attack: a client that may change the configuration tries to make it grow without a limit.

use std::fs;

use khor_e2e::{SecondUser, UserEngine, free_port, second_user::OWNER, skip::root_or_skip};
use serde_json::{Value, json};

use crate::{
    attempt::{Row, assert_granted, assert_rejected},
    requests::{judge, send},
};

/// A length that no normal configuration file reaches.
const LARGEST_FILE_BYTES: u64 = 64 * 1024;
/// Number of requests with large unknown keys. In the security review, this many requests created a
/// configuration of 3 MB.
const REQUESTS: usize = 50;

fn patch(name: impl Into<String>, body: Value) -> Row {
    Row::new(name, "the change", move |target| {
        judge(send(target.text("engine"), "PATCH", "/api/config", &[], &body))
    })
}

/// Rows with changes that must be rejected: unknown keys, long texts and lists, texts with terminal
/// commands, and settings that the API may not change.
pub(crate) fn oversized() -> Vec<Row> {
    let long = "x".repeat(10_000);
    let many: Vec<String> = (0..2000).map(|i| format!("127.0.0.1:{}", 1000 + i)).collect();
    let escape = "\x1b]52;c;aGFoYQ==\x07";
    let mut rows: Vec<Row> = [
        ("an unknown key", json!({ "junk": 1 })),
        ("an unknown key in a section", json!({ "music": { "junk": 1 } })),
        ("an unknown signal", json!({ "signals": { "ceilings": { "junk": 1.0 } } })),
        ("an unknown key beside a known one", json!({ "music": { "bpm": 71, "junk": { "a": [1, 2, 3] } } })),
        ("a long preset", json!({ "music": { "preset": long } })),
        ("a long scope", json!({ "bpf": { "cgroup": format!("/{long}") } })),
        ("a long device", json!({ "audio": { "device": long } })),
        ("a long backend", json!({ "audio": { "backend": long } })),
        ("a long MIDI port", json!({ "midi": { "port": long } })),
        ("a long OSC host", json!({ "osc": { "host": long } })),
        ("a long allowed host name", json!({ "listen": { "allowed_hosts": [long] } })),
        ("many OSC targets", json!({ "osc": { "targets": many } })),
        ("many processes", json!({ "bpf": { "tgid_allow": (1..5000).collect::<Vec<u32>>() } })),
        ("a scope with an escape sequence", json!({ "bpf": { "cgroup": escape } })),
        ("a scope with a bidi override", json!({ "bpf": { "cgroup": "/a\u{202e}b" } })),
        ("a scope with a zero-width space", json!({ "bpf": { "cgroup": "/a\u{200b}b" } })),
        ("a sample rate too large for memory", json!({ "audio": { "sample_rate": 4_000_000_000_u32 } })),
        ("local users by the API", json!({ "listen": { "local_users": true } })),
        ("a token file by the API", json!({ "listen": { "token_file": "/etc/hostname" } })),
        ("all addresses without a token", json!({ "listen": { "host": "0.0.0.0" } })),
    ]
    .map(|(name, body)| patch(name, body))
    .into();
    rows.extend((0..REQUESTS).map(|i| {
        let key = format!("junk{i}");
        patch(format!("60 kB under an unknown key, {i}"), json!({ key: "x".repeat(60_000) }))
    }));
    rows
}

/// Rows with changes of a usual size, which must succeed.
pub(crate) fn moderate() -> Vec<Row> {
    [
        ("a preset", json!({ "music": { "preset": "rain" } })),
        ("a unit", json!({ "bpf": { "cgroup": "nginx.service" } })),
        ("a cgroup", json!({ "bpf": { "cgroup": "/system.slice/caf\u{e9}.service" } })),
        ("the whole machine", json!({ "bpf": { "cgroup": "" } })),
        ("a MIDI port", json!({ "midi": { "port": "B\u{fc}hne links" } })),
        ("OSC targets", json!({ "osc": { "targets": ["127.0.0.1:9100", "[::1]:9101"] } })),
        ("an allowed host name", json!({ "listen": { "allowed_hosts": ["khor.example"] } })),
        ("a sample rate", json!({ "audio": { "sample_rate": 96_000 } })),
        ("a ceiling", json!({ "signals": { "ceilings": { "rx": 2e6 } } })),
    ]
    .map(|(name, body)| patch(name, body))
    .into()
}

#[test]
fn api_cannot_grow_configuration_file() {
    if !root_or_skip() {
        return;
    }
    let owner = SecondUser::new(OWNER);
    owner.configure(&json!({ "listen": { "port": free_port() }, "future": { "key": 1 } }));
    let engine = UserEngine::start(&owner, &["--fake", "--no-audio"]);
    let target = json!({ "engine": engine.address() });
    assert_rejected(&owner, "bounds", &target);
    assert_granted(&owner, "moderate", &target);
    let (text, length) = (
        fs::read_to_string(owner.config_path()).expect("reading the configuration"),
        fs::metadata(owner.config_path()).expect("the configuration's length").len(),
    );
    assert!(
        length < LARGEST_FILE_BYTES && !text.contains("junk"),
        "the configuration grew to {length} bytes or contains an unknown key"
    );
    let held: Value = serde_json::from_str(&text).expect("a configuration in JSON");
    assert_eq!(held["future"], json!({ "key": 1 }), "the file lost its unknown key");
    let warnings = engine.log().lines().filter(|line| line.contains("future")).count();
    assert!(warnings <= 1, "{warnings} warnings about one unknown key");
}
