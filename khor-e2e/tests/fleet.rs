//! Tests a site: hosts with relays, a real NATS server with TLS and accounts, and one engine that
//! plays them.

use std::{net::Ipv4Addr, thread, time::Duration};

use khor_e2e::{
    Engine,
    load::{Background, loopback},
    site::{CabledHost, NatsServer, Relay},
    skip::{root_or_skip, skip},
    wait_until,
};
use serde_json::{Value, json};

/// What a relay's memory may differ by, KiB.
const NOISE_KIB: u64 = 4 * 1024;

fn site_engine(server: &NatsServer, who: &str) -> Engine {
    Engine::of_site(&server.options(Ipv4Addr::LOCALHOST, who))
}

/// A relay; its section is its host's name up to the hyphen.
fn relay(server: &NatsServer, on: Option<&CabledHost>, who: &str, site: &str, host: &str) -> Relay {
    let section = format!("section={}", host.split('-').next().unwrap_or(host));
    let this = on.map_or(Ipv4Addr::LOCALHOST, CabledHost::gateway);
    let mut options = server.options(this, who);
    options.extend(["--site", site, "--host", host, "--label", &section].map(str::to_owned));
    Relay::start(on, &options)
}

fn state(engine: &Engine, host: &str) -> Option<String> {
    let fleet = engine.get("/api/fleet");
    let hosts = fleet["hosts"].as_array().expect("hosts");
    hosts
        .iter()
        .find(|entry| entry["name"] == host)
        .and_then(|entry| Some(entry["state"].as_str()?.to_owned()))
}

fn wait_for(engine: &Engine, host: &str, wanted: &str) -> Duration {
    wait_until(&format!("{host} to be {wanted}"), || state(engine, host).as_deref() == Some(wanted))
}

fn cues(engine: &Engine, kind: &str, host: &str) -> usize {
    let metrics = engine.get("/api/metrics");
    let cues = metrics["cues"].as_array().expect("cues");
    cues.iter().filter(|cue| cue["kind"] == kind && cue["host"] == host).count()
}

#[test]
fn hosts_play_together_with_solo_and_loss() {
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

    let load = the_busiest_takes_the_solo(&engine, &hosts[1], "web-2");
    section_plays_its_part(&engine);
    drop(load);

    // A relay that is killed.
    drop(relays.pop());
    let took = wait_for(&engine, "db", "silent");
    println!("a killed relay was reported after {took:?}");
    assert_eq!(cues(&engine, "lost", "db"), 1);
    wait_until("its cue to be played", || engine.notes(|note| note["layer"] == "cues") > 0);
    assert!(engine.explain().text.contains("Stopped sending: db"));
    music_continues_with_only_a_silent_host(&engine, "db");
    relays.push(relay(&server, Some(&hosts[2]), "relay", "home", "db"));
    wait_for(&engine, "db", "live");
    assert_eq!(cues(&engine, "found", "db"), 1);

    // A cable that is cut.
    hosts[0].plug(false);
    let took = wait_for(&engine, "web-1", "silent");
    println!("a cut cable was reported after {took:?}");
    assert_eq!(cues(&engine, "lost", "web-1"), 1);
    hosts[0].plug(true);
    wait_for(&engine, "web-1", "live");

    server_restarts(&engine, &mut server, &relays, names);
    for relay in relays {
        assert!(relay.stop().success());
    }
    assert!(engine.stop().0.success());
}

fn the_busiest_takes_the_solo(engine: &Engine, host: &CabledHost, name: &str) -> Background {
    let is_local = |signal: &Value| signal == "local";
    let soloists = || engine.get("/api/metrics")["soloists"].as_array().expect("soloists").clone();
    assert!(!soloists().iter().any(|solo| is_local(&solo["signal"])), "nothing moves there yet");
    // What a thread of that host starts is of that host too.
    let load = thread::scope(|scope| {
        let there = scope.spawn(|| {
            host.enter();
            Background::with_pauses(|| loopback(8 << 20, 10))
        });
        there.join().expect("a thread of that host")
    });
    let took = wait_until(&format!("{name} to take the solo"), || {
        soloists().first().is_some_and(|solo| solo["host"] == name && is_local(&solo["signal"]))
    });
    println!("the loaded host took the solo after {took:?}");
    wait_until("its voice", || {
        engine.notes(|note| note["layer"] == "voices" && is_local(&note["signal"])) > 0
    });
    let explained = engine.get("/api/explain");
    assert!(explained["text"].as_str().expect("text").contains(name), "{explained:#}");
    assert_eq!(engine.get("/api/fleet")["soloists"][0], name);
    one_host_plays_alone(engine, "web-1", name);
    load
}

/// One host of the section `web` has the load. The section has the second part: high percussion.
fn section_plays_its_part(engine: &Engine) {
    let changed_ms = engine.play_site("sections");
    let places = [("db", "bass", 1), ("web", "percussion", 2)];
    assert_eq!(engine.sections(), places.map(|(name, timbre, hosts)| (name.into(), timbre.into(), hosts)));
    let pulse = |timbre: &str, low, high| engine.pulse_notes(changed_ms, timbre, low..=high);
    wait_until("the pulse of web", || pulse("percussion", 76, 92) >= 8);
    let after = |note: &Value| note["ts_ms"].as_u64() > Some(changed_ms) && note["layer"] == "pulse";
    let (web, db) = (pulse("percussion", 76, 92), pulse("bass", 38, 50));
    println!("of {} notes of pulses {web} are web's and {db} db's", engine.notes(after));
    assert_eq!(engine.notes(after), web + db, "nobody else has a pulse");
    assert!(web > db, "{web} of web, {db} of db");
    let explained = engine.get("/api/explain");
    assert!(explained["text"].as_str().expect("text").contains("web (2)"), "{explained:#}");

    let changed_ms = engine.play_site("roll_call");
    assert_eq!(engine.fleet().turns, 3);
    let answers = |note: &Value| {
        note["ts_ms"].as_u64() > Some(changed_ms) && note["layer"] == "pulse" && note["role"] == "melody"
    };
    wait_until("all to answer", || engine.notes(answers) >= 3);
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

/// The reading is then that host's. The site can still be changed only in the file.
fn one_host_plays_alone(engine: &Engine, calm: &str, loud: &str) {
    solo_host(engine, &json!(loud));
    wait_until("the loud one's reading", || deviation(engine, "local") > 3.0);
    assert!(engine.fleet().soloists.is_empty(), "the selected host has all the voices");
    assert_eq!(engine.health().scope.whose, loud);
    let explained = engine.get("/api/explain");
    assert!(explained["sentence"].as_str().expect("words").starts_with(loud), "{explained:#}");
    assert!(explained["text"].as_str().expect("text").contains(&format!("Host: only {loud}")));
    solo_host(engine, &json!(calm));
    wait_until("the calm one's reading", || deviation(engine, "local") < 1.0);
    let there = engine.get("/api/fleet");
    let there = there["hosts"].as_array().expect("hosts");
    assert!(there.iter().any(|host| host["name"] == loud && host["deviation"].as_f64() > Some(3.0)));

    solo_host(engine, &json!("nowhere"));
    let alone = engine.get("/api/fleet")["alone"].clone();
    assert_eq!(alone["ok"], false);
    assert!(
        alone["error"].as_str().expect("why").contains("no message of host nowhere has arrived"),
        "{alone}"
    );
    assert!(alone["fix"].as_str().expect("a fix").contains("site.host"), "{alone}");
    for (change, word) in [
        (json!({ "site": { "host": "no host" } }), "site.host"),
        (json!({ "site": { "host": calm, "name": "office" } }), "site"),
        (json!({ "site": { "nats": { "url": "nats://127.0.0.1:1" } } }), "site"),
        (json!({ "site": calm }), "site"),
    ] {
        let (status, answer) = engine.change(&change);
        assert_eq!(status, 400, "{change}");
        assert!(answer["error"].as_str().expect("why").contains(word), "{answer}");
    }
    solo_host(engine, &Value::Null);
}

fn music_continues_with_only_a_silent_host(engine: &Engine, host: &str) {
    solo_host(engine, &json!(host));
    let metrics = || engine.get("/api/metrics");
    wait_until("all signals to be missing", || metrics()["signals"]["csw"]["level"].is_null());
    let alone = engine.get("/api/fleet")["alone"].clone();
    assert!(alone["error"].as_str().expect("why").contains("has stopped sending"), "{alone}");
    assert!(alone["fix"].as_str().expect("a fix").contains("khor-relay"), "{alone}");
    let scope = engine.get("/api/health")["scope"].clone();
    assert_eq!((&scope["ok"], &scope["error"]), (&json!(false), &alone["error"]), "{scope}");
    assert_eq!(metrics()["signals"]["csw"]["reason"], alone["error"]);
    let (bar, newest) = (metrics()["music"]["bar"].as_u64(), engine.notes(|_| true));
    wait_until("the music to go on", || metrics()["music"]["bar"].as_u64() > bar);
    assert!(engine.notes(|_| true) > newest, "the bed continues");
    solo_host(engine, &Value::Null);
}

/// All programs recover by themselves: no host counts as lost, no rate jumps, and no messages pile
/// up in memory.
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
        let hosts = fleet["hosts"].as_array().expect("hosts").clone();
        hosts.len() == 3 && hosts.iter().all(|host| host["seen_ms_ago"].as_u64().is_some_and(|ms| ms < 2_000))
    });
    assert_eq!(names.iter().map(|name| cues(engine, "lost", name)).sum::<usize>(), lost);
    for (relay, before) in std::iter::zip(relays, before) {
        let after = relay.memory_kib();
        println!("a relay's memory: {before} KiB, then {after} KiB");
        assert!(after < before + NOISE_KIB, "{before} KiB, then {after} KiB: {}", relay.log());
    }
    for host in engine.get("/api/fleet")["hosts"].as_array().expect("hosts") {
        assert!(host["missed_frames"].as_u64().expect("a count") > 0, "the relay dropped frames: {host:#}");
    }
}

/// The NATS client rejects messages that are longer than the server's `max_payload`. The relay
/// stayed connected, but sent nothing.
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
    assert!(log.contains("its limit is 20") && !log.contains("sending to"), "{log}");
    assert_eq!(state(&engine, "web-1"), None);
    server.set_max_payload(1 << 20);
    wait_for(&engine, "web-1", "live");
    wait_until("the relay to report that it sends", || relay.log().contains("sending to"));
}

#[test]
fn strangers_are_refused_counted_and_shown() {
    if !NatsServer::is_installed() {
        return skip("needs nats-server");
    }
    let server = NatsServer::start();
    let engine = site_engine(&server, "engine");
    let _good = relay(&server, None, "relay", "home", "good");
    let says = |relay: &Relay, words: &str| {
        wait_until(words, || relay.log().to_lowercase().contains(words));
    };
    // A key unknown to the server, a key of another account, and a key that may not publish there.
    let nobody = relay(&server, None, "nobody", "home", "nobody");
    let elsewhere = relay(&server, None, "elsewhere", "home", "elsewhere");
    let astray = relay(&server, None, "relay", "office", "astray");
    wait_for(&engine, "good", "live");
    says(&nobody, "authorization violation");
    says(&astray, "permissions violation");
    says(&elsewhere, "sending to");

    let frame = b"kF\x01\x00\x04good".to_vec();
    server.send(&[
        ("khor.v1.home.evil.frame", b"hello".to_vec()),
        ("khor.v1.home.evil.frame", vec![b'k'; 5_000]),
        ("khor.v1.home.evil.frame", b"kF\x09\x00".to_vec()),
        ("khor.v1.home.evil.frame", frame),
        ("khor.v1.home.evil.cue", b"kC\x01\x00".to_vec()),
    ]);
    wait_until("what was refused", || {
        let refused = engine.get("/api/fleet")["refused"].clone();
        ["oversized", "foreign", "version"].iter().all(|why| refused[*why] == 1) && refused["malformed"] == 2
    });
    let fleet = engine.get("/api/fleet");
    assert_eq!(fleet["hosts"].as_array().map(Vec::len), Some(1), "{fleet:#}");
    assert!(fleet["refused"]["last"].as_str().expect("why").contains("evil"), "{fleet:#}");
    for relay in [nobody, elsewhere, astray] {
        assert!(relay.stop().success(), "a refusal is a state");
    }

    // An engine that may not subscribe reports it.
    let deaf = site_engine(&server, "nobody");
    wait_until("the deaf engine to say so", || {
        let source = deaf.get("/api/health")["source"].clone();
        source["ok"] == false && source["error"].as_str().is_some_and(|error| error.contains("authorization"))
    });
}
