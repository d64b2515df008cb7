//! Tests sites within a site: two relays aggregate a rack each, and an engine plays both racks as
//! one site.

use std::{
    net::Ipv4Addr,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use khor_e2e::{
    Engine, free_port,
    hosts::Hosts,
    site::{NatsServer, Relay},
    skip::skip,
    wait_until,
};
use khor_fleet::{
    Cue, Message, Name,
    subject::{self, Kind},
};
use serde_json::{Value, json};

/// Number of hosts in each rack.
const HOSTS: u32 = 6;

/// Number of cue notes among the newest notes.
fn notes_of_cues(engine: &Engine) -> usize {
    engine.notes(|note| note["layer"] == "cues")
}

#[test]
fn hosts_of_racks_play_like_direct_hosts() {
    if !NatsServer::is_installed() {
        return skip("needs nats-server");
    }
    let server = NatsServer::start();
    let engine = Engine::of_site(&server.options(Ipv4Addr::LOCALHOST, "engine"));
    let relays = ["a", "b"]
        .map(|rack| Relay::aggregate(None, (rack, "home"), &server.options(Ipv4Addr::LOCALHOST, rack)));
    let hosts = ["a", "b"].map(|site| Hosts::start(&server, site, site, HOSTS as usize));
    wait_until("all hosts to be counted", || engine.fleet().live == 2 * HOSTS);
    engine.wait_for_source("site");

    assert!(engine.fleet().soloists.is_empty());
    hosts[1].stand_out(Some(4));
    let took = wait_until("b-4 to take the solo", || {
        let solo = engine.get("/api/metrics")["soloists"][0].clone();
        solo["host"] == "b-4" && solo["signal"] == "rx"
    });
    println!("the deviating host took the solo after {took:?}");
    wait_until("a voice note of the solo", || {
        engine.notes(|note| note["layer"] == "voices" && note["signal"] == "rx") > 0
    });
    let named = engine.get("/api/fleet")["hosts"][0].clone();
    assert_eq!((&named["name"], &named["via"]), (&Value::from("b-4"), &Value::from("b")), "{named:#}");
    assert!(engine.explain().text.contains("b-4"));
    sections_span_both_racks(&engine);
    hosts[1].stand_out(None);
    wait_until("the solo to end", || engine.fleet().soloists.is_empty());

    cue_of_a_host_is_played(&engine, &server);
    hosts[0].silence(vec![2]);
    let took = wait_until("a-2 to count as lost", || engine.hosts_of_cues("lost") == ["a-2"]);
    println!("the engine reported a silent host after {took:?}");
    wait_until("a-2 to be counted as silent", || {
        let fleet = engine.get("/api/fleet");
        fleet["silent"] == 1 && fleet["live"] == 2 * HOSTS - 1
    });
    hosts[0].silence(Vec::new());
    wait_until("a-2 to count as found", || {
        engine.hosts_of_cues("found") == ["a-2"] && engine.fleet().live == 2 * HOSTS
    });
    assert_eq!(engine.hosts_of_cues("lost"), ["a-2"]);
    for relay in relays {
        assert!(relay.stop().success());
    }
    assert!(engine.stop().0.success());
}

/// A relay aggregates only hosts. It rejects sites that another relay has aggregated.
#[test]
fn relay_rejects_sites_within_its_site() {
    if !NatsServer::is_installed() {
        return skip("needs nats-server");
    }
    let server = NatsServer::start();
    let port = free_port();
    let mut options = server.options(Ipv4Addr::LOCALHOST, "hall");
    options.extend(["--metrics".to_owned(), port.to_string()]);
    let hall = Relay::aggregate(None, ("hall", "home"), &options);
    let nested = Relay::aggregate(None, ("a", "hall"), &server.options(Ipv4Addr::LOCALHOST, "nested"));
    let _hosts = Hosts::start(&server, "a", "a", HOSTS as usize);
    let metrics = || {
        let answer = ureq::get(format!("http://127.0.0.1:{port}/metrics")).call();
        answer.and_then(|mut answer| answer.body_mut().read_to_string()).unwrap_or_default()
    };
    wait_until("the rejected frames to be counted", || {
        let rejected = "khor_relay_refused_total{reason=\"nested\"}";
        metrics().lines().any(|line| line.starts_with(rejected) && !line.ends_with(" 0"))
    });
    assert!(metrics().contains("khor_relay_hosts{state=\"live\"} 0"));
    assert!(hall.log().contains("a relay cannot aggregate a site"), "{}", hall.log());
    for relay in [nested, hall] {
        assert!(relay.stop().success());
    }
}

/// Each of four sections has hosts in both racks. The host that stands out is in the first section,
/// which plays the first part.
fn sections_span_both_racks(engine: &Engine) {
    let since_ms = engine.play_site("sections");
    let places = [("bass", 4), ("percussion", 4), ("melody", 2), ("chords", 2)];
    let expected = places.iter().enumerate();
    let expected: Vec<_> =
        expected.map(|(i, (timbre, hosts))| (format!("section-{i}"), (*timbre).to_owned(), *hosts)).collect();
    assert_eq!((engine.sections(), engine.get("/api/fleet")["remark"].clone()), (expected, Value::Null));
    let pulses = || {
        let of = |timbre, low, high| engine.pulse_notes(since_ms, timbre, low..=high);
        [of("bass", 38, 50), of("percussion", 76, 92), of("melody", 60, 74), of("chords", 52, 66)]
    };
    wait_until("pulse notes of all four sections", || {
        let pulses = pulses();
        pulses[0] >= 16 && pulses.iter().all(|notes| *notes > 0)
    });
    let pulses = pulses();
    println!("pulse notes of the sections, first that of the deviating host: {pulses:?}");
    assert!(pulses[1..].iter().all(|calm| *calm < pulses[0]), "the first section does not lead: {pulses:?}");
    engine.play_site("roll_call");
    let fleet = engine.get("/api/fleet");
    assert_eq!((&fleet["turns"], &fleet["sections"]), (&json!(4), &json!([])), "{fleet:#}");
    assert!(fleet["remark"].as_str().expect("a remark").ends_with("each section has a turn"), "{fleet:#}");
    engine.play_site("ensemble");
}

/// The server hangs for longer than a host may be silent, and no connection ends. Tests hosts that
/// the engine receives directly, and hosts of an aggregating relay.
#[test]
fn hanging_server_loses_no_hosts() {
    const HANGS: Duration = Duration::from_secs(5);
    if !NatsServer::is_installed() {
        return skip("needs nats-server");
    }
    let server = NatsServer::start();
    let engine = Engine::of_site(&server.options(Ipv4Addr::LOCALHOST, "engine"));
    let relay = Relay::aggregate(None, ("hall", "home"), &server.options(Ipv4Addr::LOCALHOST, "hall"));
    let _hosts = ["home", "hall"].map(|site| Hosts::start(&server, site, site, HOSTS as usize));
    wait_until("all hosts to be counted", || engine.fleet().live == 2 * HOSTS);
    engine.wait_for_source("site");

    server.hang(true);
    let begun = Instant::now();
    let took = wait_until("the engine to report the loss with a fix", || {
        let source = engine.get("/api/health")["source"].clone();
        source["ok"] == false && source["fix"].is_string()
    });
    println!("the engine reported a hanging server after {took:?}");
    std::thread::sleep(HANGS.saturating_sub(begun.elapsed()));
    server.hang(false);
    engine.wait_for_source("site");
    // Wait longer than a host may be silent, so that a lost host would be reported.
    std::thread::sleep(HANGS);
    let fleet = engine.get("/api/fleet");
    assert_eq!((&fleet["live"], &fleet["silent"]), (&json!(2 * HOSTS), &json!(0)), "{fleet:#}");
    assert_eq!(
        (engine.hosts_of_cues("lost"), engine.hosts_of_cues("found")),
        (vec![], vec![]),
        "{}",
        relay.log()
    );
    assert!(relay.stop().success());
    assert!(engine.stop().0.success());
}

/// A host reports that the kernel has killed a process for lack of memory. The relay passes this
/// cue on unchanged.
fn cue_of_a_host_is_played(engine: &Engine, server: &NatsServer) {
    let name = |text| Name::new(text).expect("a valid name");
    let since = SystemTime::now().duration_since(UNIX_EPOCH).expect("a clock after 1970");
    let cue = Cue {
        host: name("a-1"),
        instance: 1,
        monotonic_ms: 1_000_000,
        wall_ms: since.as_millis() as u64,
        kind: "oom".into(),
        pid: Some(4711),
        comm: Some("postgres".into()),
        detail: None,
    };
    assert_eq!((engine.hosts_of_cues("oom").len(), notes_of_cues(engine)), (0, 0));
    let subject = subject::of_host(&name("a"), &cue.host, Kind::Cue);
    server.send(&[(&subject, cue.write().expect("encoding a cue"))]);
    let took = wait_until("the cue of a-1", || engine.hosts_of_cues("oom") == ["a-1"]);
    println!("the cue arrived after {took:?}");
    wait_until("a note of the cue", || notes_of_cues(engine) > 0);
    let metrics = engine.get("/api/metrics");
    let found =
        metrics["cues"].as_array().expect("a list of cues").iter().find(|cue| cue["kind"] == "oom").cloned();
    assert_eq!(found.expect("the cue in the metrics")["comm"], "postgres");
}
