//! Tests a site: several hosts with relays, a real NATS server with TLS and accounts, and one
//! engine that plays the hosts.

use std::{net::Ipv4Addr, thread, time::Duration};

use khor_e2e::{
    Engine,
    load::{Background, loopback},
    site::{CabledHost, NatsServer, Relay},
    skip::{root_or_skip, skip},
    wait_until,
};
use serde_json::{Value, json};

/// Allowed growth of a relay's memory, KiB.
const NOISE_KIB: u64 = 4 * 1024;

fn site_engine(server: &NatsServer, user: &str) -> Engine {
    Engine::of_site(&server.options(Ipv4Addr::LOCALHOST, user))
}

/// Starts a relay of `host` that connects as `user`. Its section is the host's name up to the
/// hyphen.
fn relay(server: &NatsServer, on: Option<&CabledHost>, user: &str, site: &str, host: &str) -> Relay {
    let section = format!("section={}", host.split('-').next().unwrap_or(host));
    let this = on.map_or(Ipv4Addr::LOCALHOST, CabledHost::gateway);
    let mut options = server.options(this, user);
    options.extend(["--site", site, "--host", host, "--label", &section].map(str::to_owned));
    Relay::start(on, &options)
}

/// The state of a host in `/api/fleet`; `None` if the engine does not know the host.
fn state(engine: &Engine, host: &str) -> Option<String> {
    let fleet = engine.get("/api/fleet");
    let hosts = fleet["hosts"].as_array().expect("a list of hosts");
    hosts
        .iter()
        .find(|entry| entry["name"] == host)
        .and_then(|entry| Some(entry["state"].as_str()?.to_owned()))
}

fn wait_for(engine: &Engine, host: &str, expected: &str) -> Duration {
    wait_until(&format!("{host} to be {expected}"), || state(engine, host).as_deref() == Some(expected))
}

fn cues(engine: &Engine, kind: &str, host: &str) -> usize {
    let metrics = engine.get("/api/metrics");
    let cues = metrics["cues"].as_array().expect("a list of cues");
    cues.iter().filter(|cue| cue["kind"] == kind && cue["host"] == host).count()
}

#[test]
fn site_plays_solos_sections_and_losses() {
    if !root_or_skip() {
        return;
    }
    if !NatsServer::is_installed() {
        return skip("needs nats-server");
    }
    let mut server = NatsServer::start();
    let engine = site_engine(&server, "engine");
    let hosts = [1, 2, 3].map(CabledHost::new);
    let names = ["web-1", "web-2", "db"];
    let mut relays: Vec<Relay> = std::iter::zip(&hosts, names)
        .map(|(on, name)| relay(&server, Some(on), "relay", "home", name))
        .collect();
    for name in names {
        wait_for(&engine, name, "live");
    }
    engine.wait_for_source("site");

    let load = busiest_host_takes_the_solo(&engine, &hosts[1], "web-2");
    section_plays_its_part(&engine);
    drop(load);

    // Kill a relay.
    drop(relays.pop());
    let took = wait_for(&engine, "db", "silent");
    println!("the engine reported a killed relay after {took:?}");
    assert_eq!(cues(&engine, "lost", "db"), 1);
    wait_until("a note of the cue", || engine.notes(|note| note["layer"] == "cues") > 0);
    assert!(engine.explain().text.contains("Stopped sending: db"));
    music_continues_with_only_a_silent_host(&engine, "db");
    relays.push(relay(&server, Some(&hosts[2]), "relay", "home", "db"));
    wait_for(&engine, "db", "live");
    assert_eq!(cues(&engine, "found", "db"), 1);

    // Cut a cable, and connect it again.
    hosts[0].plug(false);
    let took = wait_for(&engine, "web-1", "silent");
    println!("the engine reported a cut cable after {took:?}");
    assert_eq!(cues(&engine, "lost", "web-1"), 1);
    hosts[0].plug(true);
    wait_for(&engine, "web-1", "live");

    server_restarts(&engine, &mut server, &relays, names);
    for relay in relays {
        assert!(relay.stop().success());
    }
    assert!(engine.stop().0.success());
}

fn busiest_host_takes_the_solo(engine: &Engine, host: &CabledHost, name: &str) -> Background {
    let is_local = |signal: &Value| signal == "local";
    let soloists = || engine.get("/api/metrics")["soloists"].as_array().expect("a list of soloists").clone();
    assert!(
        !soloists().iter().any(|solo| is_local(&solo["signal"])),
        "a host has the solo for local traffic without a load"
    );
    // Threads that this thread starts are in the host's network namespace too.
    let load = thread::scope(|scope| {
        let there = scope.spawn(|| {
            host.enter();
            Background::with_pauses(|| loopback(8 << 20, 10))
        });
        there.join().expect("the thread of the host")
    });
    let took = wait_until(&format!("{name} to take the solo"), || {
        soloists().first().is_some_and(|solo| solo["host"] == name && is_local(&solo["signal"]))
    });
    println!("the loaded host took the solo after {took:?}");
    wait_until("a voice note of the solo", || {
        engine.notes(|note| note["layer"] == "voices" && is_local(&note["signal"])) > 0
    });
    let explained = engine.get("/api/explain");
    assert!(explained["text"].as_str().expect("a text in the explanation").contains(name), "{explained:#}");
    assert_eq!(engine.get("/api/fleet")["soloists"][0], name);
    one_host_plays_alone(engine, "web-1", name);
    load
}

/// Only one host has a load, and this host is in the section `web`. This section plays the second
/// part, the high percussion.
fn section_plays_its_part(engine: &Engine) {
    let changed_ms = engine.play_site("sections");
    let places = [("db", "bass", 1), ("web", "percussion", 2)];
    assert_eq!(engine.sections(), places.map(|(name, timbre, hosts)| (name.into(), timbre.into(), hosts)));
    let pulse = |timbre: &str, low, high| engine.pulse_notes(changed_ms, timbre, low..=high);
    wait_until("8 pulse notes of the section web", || pulse("percussion", 76, 92) >= 8);
    let after = |note: &Value| note["ts_ms"].as_u64() > Some(changed_ms) && note["layer"] == "pulse";
    let (web, db) = (pulse("percussion", 76, 92), pulse("bass", 38, 50));
    println!("{} pulse notes: {web} of web, {db} of db", engine.notes(after));
    assert_eq!(engine.notes(after), web + db, "a pulse note belongs to neither section");
    assert!(web > db, "the loaded section played {web} pulse notes, the other {db}");
    let explained = engine.get("/api/explain");
    assert!(
        explained["text"].as_str().expect("a text in the explanation").contains("web (2 hosts)"),
        "{explained:#}"
    );

    let changed_ms = engine.play_site("roll_call");
    assert_eq!(engine.fleet().turns, 3);
    let answers = |note: &Value| {
        note["ts_ms"].as_u64() > Some(changed_ms) && note["layer"] == "pulse" && note["role"] == "melody"
    };
    wait_until("pulse notes of all three turns", || engine.notes(answers) >= 3);
    engine.play_site("ensemble");
}

fn solo_host(engine: &Engine, host: &Value) {
    let (status, answer) = engine.change(&json!({ "site": { "host": host } }));
    assert_eq!((status, &answer["site"]["host"]), (200, host), "{answer}");
    let is_applied = || engine.fleet().alone.map(|alone| alone.host).as_deref() == host.as_str();
    wait_until("the host to be selected", is_applied);
}

fn deviation(engine: &Engine, signal: &str) -> f64 {
    engine.get("/api/metrics")["signals"][signal]["deviation"].as_f64().unwrap_or(f64::NAN)
}

/// If `site.host` is set, the engine plays only that host. The other settings of the site can be
/// changed only in the configuration file.
fn one_host_plays_alone(engine: &Engine, calm: &str, loud: &str) {
    solo_host(engine, &json!(loud));
    wait_until("the values of the loaded host", || deviation(engine, "local") > 3.0);
    assert!(engine.fleet().soloists.is_empty(), "another host has a solo");
    assert_eq!(engine.health().scope.whose, loud);
    let explained = engine.get("/api/explain");
    assert!(
        explained["sentence"].as_str().expect("a sentence in the explanation").starts_with(loud),
        "{explained:#}"
    );
    assert!(
        explained["text"]
            .as_str()
            .expect("a text in the explanation")
            .contains(&format!("Host: only {loud}"))
    );
    solo_host(engine, &json!(calm));
    wait_until("the values of the calm host", || deviation(engine, "local") < 1.0);
    let there = engine.get("/api/fleet");
    let there = there["hosts"].as_array().expect("a list of hosts");
    assert!(there.iter().any(|host| host["name"] == loud && host["deviation"].as_f64() > Some(3.0)));

    solo_host(engine, &json!("nowhere"));
    let alone = engine.get("/api/fleet")["alone"].clone();
    assert_eq!(alone["ok"], false);
    assert!(
        alone["error"].as_str().expect("an error").contains("has received no message from host nowhere"),
        "{alone}"
    );
    assert!(alone["fix"].as_str().expect("a fix of the problem").contains("site.host"), "{alone}");
    for (change, word) in [
        (json!({ "site": { "host": "no host" } }), "site.host"),
        (json!({ "site": { "host": calm, "name": "office" } }), "site"),
        (json!({ "site": { "nats": { "url": "nats://127.0.0.1:1" } } }), "site"),
        (json!({ "site": calm }), "site"),
    ] {
        let (status, answer) = engine.change(&change);
        assert_eq!(status, 400, "{change}");
        assert!(answer["error"].as_str().expect("an error").contains(word), "{answer}");
    }
    solo_host(engine, &Value::Null);
}

fn music_continues_with_only_a_silent_host(engine: &Engine, host: &str) {
    solo_host(engine, &json!(host));
    let metrics = || engine.get("/api/metrics");
    wait_until("all signals to be missing", || metrics()["signals"]["csw"]["level"].is_null());
    let alone = engine.get("/api/fleet")["alone"].clone();
    assert!(alone["error"].as_str().expect("an error").contains("has stopped sending"), "{alone}");
    assert!(alone["fix"].as_str().expect("a fix of the problem").contains("khor-relay"), "{alone}");
    let scope = engine.get("/api/health")["scope"].clone();
    assert_eq!((&scope["ok"], &scope["error"]), (&json!(false), &alone["error"]), "{scope}");
    assert_eq!(metrics()["signals"]["csw"]["reason"], alone["error"]);
    let (bar, newest) = (metrics()["music"]["bar"].as_u64(), engine.notes(|_| true));
    wait_until("the next bar of the music", || metrics()["music"]["bar"].as_u64() > bar);
    assert!(engine.notes(|_| true) > newest, "no new note was played");
    solo_host(engine, &Value::Null);
}

/// After a restart of the server, all programs recover by themselves. No host counts as lost, and
/// no relay keeps unsent messages in memory.
fn server_restarts(engine: &Engine, server: &mut NatsServer, relays: &[Relay], names: [&str; 3]) {
    let before: Vec<u64> = relays.iter().map(Relay::memory_kib).collect();
    let lost: usize = names.iter().map(|name| cues(engine, "lost", name)).sum();
    server.kill();
    wait_until("the engine to report the loss", || {
        let health = engine.get("/api/health");
        health["source"]["ok"] == false && health["source"]["fix"].is_string()
    });
    thread::sleep(Duration::from_secs(6));
    server.restart();
    engine.wait_for_source("site");
    wait_until("new frames of all hosts", || {
        let fleet = engine.get("/api/fleet");
        let hosts = fleet["hosts"].as_array().expect("a list of hosts").clone();
        hosts.len() == 3 && hosts.iter().all(|host| host["seen_ms_ago"].as_u64().is_some_and(|ms| ms < 2_000))
    });
    assert_eq!(names.iter().map(|name| cues(engine, "lost", name)).sum::<usize>(), lost);
    for (relay, before) in std::iter::zip(relays, before) {
        let after = relay.memory_kib();
        println!("a relay's memory: {before} KiB before the restart, {after} KiB after it");
        assert!(
            after < before + NOISE_KIB,
            "a relay's memory grew from {before} KiB to {after} KiB: {}",
            relay.log()
        );
    }
    for host in engine.get("/api/fleet")["hosts"].as_array().expect("a list of hosts") {
        assert!(
            host["missed_frames"].as_u64().expect("a number of missed frames") > 0,
            "no frame was missed while the server was down: {host:#}"
        );
    }
}

/// The NATS client rejects messages that are longer than the server's `max_payload`. A relay then
/// stays connected, but sends nothing.
#[test]
fn relay_reports_long_frames_and_recovers() {
    if !NatsServer::is_installed() {
        return skip("needs nats-server");
    }
    let mut server = NatsServer::start();
    server.set_max_payload(20);
    let engine = site_engine(&server, "engine");
    let relay = relay(&server, None, "relay", "home", "web-1");
    wait_until("the relay to report the limit", || relay.log().contains("max_payload to"));
    let log = relay.log();
    assert!(log.contains("the server's limit is 20") && !log.contains("sending to"), "{log}");
    assert_eq!(state(&engine, "web-1"), None);
    server.set_max_payload(1 << 20);
    wait_for(&engine, "web-1", "live");
    wait_until("the relay to report that it sends", || relay.log().contains("sending to"));
}

#[test]
fn invalid_peers_are_rejected_and_counted() {
    if !NatsServer::is_installed() {
        return skip("needs nats-server");
    }
    let server = NatsServer::start();
    let engine = site_engine(&server, "engine");
    let _honest = relay(&server, None, "relay", "home", "good");
    let wait_for_log = |relay: &Relay, words: &str| {
        wait_until(words, || relay.log().to_lowercase().contains(words));
    };
    // The first of these relays has a key that the server does not know. The second has a key of
    // another account. The third has a key that may not publish to the relay's site.
    let unknown = relay(&server, None, "nobody", "home", "nobody");
    let elsewhere = relay(&server, None, "elsewhere", "home", "elsewhere");
    let forbidden = relay(&server, None, "relay", "office", "forbidden");
    wait_for(&engine, "good", "live");
    wait_for_log(&unknown, "authorization violation");
    wait_for_log(&forbidden, "permissions violation");
    wait_for_log(&elsewhere, "sending to");

    let frame = b"kF\x01\x00\x04good".to_vec();
    server.send(&[
        ("khor.v1.home.evil.frame", b"hello".to_vec()),
        ("khor.v1.home.evil.frame", vec![b'k'; 5_000]),
        ("khor.v1.home.evil.frame", b"kF\x09\x00".to_vec()),
        ("khor.v1.home.evil.frame", frame),
        ("khor.v1.home.evil.cue", b"kC\x01\x00".to_vec()),
    ]);
    wait_until("all invalid messages to be counted", || {
        let refused = engine.get("/api/fleet")["refused"].clone();
        ["oversized", "foreign", "version"].iter().all(|why| refused[*why] == 1) && refused["malformed"] == 2
    });
    let fleet = engine.get("/api/fleet");
    assert_eq!(fleet["hosts"].as_array().map(Vec::len), Some(1), "{fleet:#}");
    assert!(fleet["refused"]["last"].as_str().expect("an error").contains("evil"), "{fleet:#}");
    for relay in [unknown, elsewhere, forbidden] {
        assert!(relay.stop().success(), "the relay did not exit with status 0 after a rejection");
    }

    // If the server rejects the engine's connection, the engine reports the rejection.
    let rejected = site_engine(&server, "nobody");
    wait_until("the engine to report the rejection", || {
        let source = rejected.get("/api/health")["source"].clone();
        source["ok"] == false && source["error"].as_str().is_some_and(|error| error.contains("authorization"))
    });
}
