//! Attack: a peer on a NATS server sends hostile texts, or a flood of cues.

use std::{
    net::Ipv4Addr,
    time::{SystemTime, UNIX_EPOCH},
};

use khor_e2e::{Engine, site::NatsServer, skip::skip, wait_until};
use khor_fleet::{Cue, Frame, Message, Name, SIGNALS, Signal, Source, subject, subject::Kind};

use crate::names::{NAMES, assert_inert, khor};

/// Number of cues in the flood. In the security review, this many cues of one peer displaced the
/// cues of all other peers.
const FLOOD: u64 = 20_000;

fn name(text: &str) -> Name {
    Name::new(text).expect("a valid name")
}

fn now_ms() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).expect("a clock after 1970").as_millis() as u64
}

/// A frame with the version text `version`, from a host that stands out. Returns its subject and
/// its bytes.
fn frame(host: &str, version: &str, seq: u64) -> (String, Vec<u8>) {
    let signal = |i: usize| {
        let octaves: f32 = if i == 0 { 8.0 } else { 0.1 };
        Some(Signal {
            rate: 1_000.0 * octaves.exp2(),
            baseline: 1_000.0,
            deviation: (octaves * Signal::PARTS_OF_OCTAVE) as i16,
            level: 200,
            surprise: 0,
        })
    };
    let frame = Frame {
        host: name(host),
        section: None,
        boot_id: None,
        instance: 1,
        seq,
        monotonic_ms: 1_000_000 + seq * 200,
        wall_ms: now_ms(),
        version: version.into(),
        source: Source::Proc,
        learnt: 255,
        signals: (0..SIGNALS.len()).map(signal).collect(),
        added: Vec::new(),
    };
    let subject = subject::of_host(&name("home"), &name(host), Kind::Frame);
    (subject, frame.write().expect("encoding a frame"))
}

/// A cue of a host. Returns its subject and its bytes.
fn cue(host: &str, kind: &str, comm: &str, at: u64) -> (String, Vec<u8>) {
    let cue = Cue {
        host: name(host),
        instance: 1,
        monotonic_ms: 1_000_000 + at,
        wall_ms: now_ms(),
        kind: kind.into(),
        pid: Some(4711),
        comm: Some(comm.into()),
        detail: None,
    };
    (subject::of_host(&name("home"), &name(host), Kind::Cue), cue.write().expect("encoding a cue"))
}

fn send(server: &NatsServer, messages: &[(String, Vec<u8>)]) {
    let messages: Vec<(&str, Vec<u8>)> =
        messages.iter().map(|(to, bytes)| (to.as_str(), bytes.clone())).collect();
    server.send(&messages);
}

fn site() -> Option<(NatsServer, Engine)> {
    if !NatsServer::is_installed() {
        skip("needs nats-server");
        return None;
    }
    let server = NatsServer::start();
    let engine = Engine::of_site(&server.options(Ipv4Addr::LOCALHOST, "engine"));
    Some((server, engine))
}

#[test]
fn peer_texts_are_printed_without_control_characters() {
    let Some((server, engine)) = site() else { return };
    let mut seq = 0;
    for text in NAMES {
        wait_until("a cue of the peer", || {
            seq += 1;
            send(&server, &[frame("web-1", text, seq), cue("web-1", "crash", text, seq)]);
            let metrics = engine.get("/api/metrics");
            metrics["cues"].as_array().expect("a list of cues").iter().any(|cue| cue["host"] == "web-1")
        });
        for command in [&["explain"][..], &["status"]] {
            let output = khor(&engine, command);
            assert_inert(command[0], &output.stdout);
            assert_inert(command[0], &output.stderr);
        }
    }
    // If a message names another host or kind, the engine rejects it and quotes it in the error.
    let (_, other) = frame("web-2", NAMES[0], 1);
    send(&server, &[("khor.v1.home.web-1.frame".into(), other), cue("web-1", NAMES[0], NAMES[1], 9)]);
    wait_until("the engine to reject a message", || engine.fleet().refused.misdirected != 0);
    for command in [&["explain"][..], &["status"]] {
        assert_inert(command[0], &khor(&engine, command).stdout);
    }
    assert_inert("the engine's log", engine.log().as_bytes());
}

#[test]
fn flood_keeps_cues_of_other_hosts() {
    let Some((server, engine)) = site() else { return };
    let mut seq = 0;
    wait_until("the cue of the host calm", || {
        seq += 1;
        send(
            &server,
            &[frame("calm", "0.1.0", seq), frame("loud", "0.1.0", seq), cue("calm", "oom", "postgres", seq)],
        );
        engine.hosts_of_cues("oom").contains(&"calm".to_owned())
    });
    let flood: Vec<_> = (0..FLOOD).map(|i| cue("loud", "crash", "flood", 10_000 + i)).collect();
    send(&server, &flood);
    wait_until("cues of the flood", || !engine.hosts_of_cues("crash").is_empty());
    // The engine reads messages in order. So when a frame after the flood has an effect, the engine
    // has read the whole flood.
    let late = frame("late", "0.1.0", 1);
    wait_until("the frame after the flood", || {
        send(&server, std::slice::from_ref(&late));
        engine.fleet().hosts.iter().any(|host| host.name == "late")
    });
    assert!(
        engine.hosts_of_cues("oom").contains(&"calm".to_owned()),
        "the flood displaced another host's cue"
    );
    assert!(
        engine.hosts_of_cues("crash").len() < 64,
        "{} cues of the flood are kept",
        engine.hosts_of_cues("crash").len()
    );
}
