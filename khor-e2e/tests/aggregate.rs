//! Tests a site that aggregating relays publish. Two relays share its hosts, and one engine plays
//! it.

use std::{
    net::Ipv4Addr,
    time::{Duration, Instant},
};

use khor_e2e::{
    Engine, free_port,
    hosts::Hosts,
    site::{CabledHost, NatsServer, Relay},
    skip::{root_or_skip, skip},
    wait_until,
};
use serde_json::Value;

/// Number of simulated hosts.
const HOSTS: usize = 60;

fn metrics(port: u16) -> String {
    let answer = ureq::get(format!("http://127.0.0.1:{port}/metrics")).call();
    answer.and_then(|mut answer| answer.body_mut().read_to_string()).unwrap_or_default()
}

/// The value of a metric of a relay.
fn count(port: u16, name: &str) -> f64 {
    let text = metrics(port);
    let line = text.lines().find_map(|line| line.strip_prefix(name)?.trim().parse().ok());
    line.unwrap_or_else(|| panic!("the relay's metrics lack {name}: {text}"))
}

#[test]
fn one_of_two_aggregators_can_fail() {
    if !NatsServer::is_installed() {
        return skip("needs nats-server");
    }
    let server = NatsServer::start();
    let engine = Engine::of_site(&server.options(Ipv4Addr::LOCALHOST, "engine"));
    let ports = [free_port(), free_port()];
    let mut aggregators: Vec<Relay> = ports
        .iter()
        .map(|port| {
            let mut options = server.options(Ipv4Addr::LOCALHOST, "aggregator");
            options.extend(["--metrics".to_owned(), port.to_string()]);
            Relay::aggregate(None, ("rack", "home"), &options)
        })
        .collect();
    wait_until("both relays to report the rack", || engine.first_site()["aggregators"] == 2);
    let hosts = Hosts::start(&server, "rack", "h", HOSTS);
    wait_until("all hosts to be counted", || engine.first_site()["live"] == HOSTS);
    engine.wait_for_source("site");

    both_relays_receive_frames(ports, &hosts);
    deviating_host_takes_the_solo(&engine, &hosts);
    lost_host_is_reported_once(&engine, &hosts);

    // Kill one of the two relays. The other relay receives all hosts, and no host counts as lost.
    let lost = engine.hosts_of_cues("lost").len();
    drop(aggregators.pop());
    wait_until("one relay to remain", || engine.first_site()["aggregators"] == 1);
    assert_eq!(engine.first_site()["state"], "live");
    wait_until("the remaining relay to receive all frames", || {
        let ([received], sent) = received_and_sent([ports[0]], &hosts);
        println!("the remaining relay received {received} of {sent} frames");
        received > sent * 0.9
    });
    assert_eq!(count(ports[0], "khor_relay_sharers"), 1.0);
    assert_eq!(
        (engine.first_site()["live"].as_u64(), engine.first_site()["silent"].as_u64()),
        (Some(HOSTS as u64), Some(0))
    );
    assert_eq!(engine.hosts_of_cues("lost").len(), lost, "a host counts as lost");
    hosts.stand_out(Some(5));
    wait_until("h-5 to take the solo", || engine.fleet().soloists.first().is_some_and(|host| host == "h-5"));

    // Kill the other relay too. This counts as one loss, the loss of the site.
    drop(aggregators.pop());
    let took = wait_until("the rack to be silent", || engine.first_site()["state"] == "silent");
    println!("a rack without relays was reported as silent after {took:?}");
    assert_eq!(engine.hosts_of_cues("lost").last().map(String::as_str), Some("rack"));
    assert_eq!(engine.hosts_of_cues("lost").len(), lost + 1);
    assert!(engine.stop().0.success());
}

/// Measures how many frames each relay receives, and how many frames the hosts send meanwhile.
/// Frames in transit make both numbers inexact, above all on a slow machine. So callers retry.
fn received_and_sent<const N: usize>(ports: [u16; N], hosts: &Hosts) -> ([f64; N], f64) {
    const FRAMES: u64 = 20 * HOSTS as u64;
    let received = || ports.map(|port| count(port, "khor_relay_heard_total{kind=\"host\"}"));
    let (before, sent_before) = (received(), hosts.sent());
    wait_until("frames to be sent", || hosts.sent() >= sent_before + FRAMES);
    let (after, sent_after) = (received(), hosts.sent());
    (std::array::from_fn(|i| after[i] - before[i]), (sent_after - sent_before) as f64)
}

/// The relays share the frames, and do not reject any.
fn both_relays_receive_frames(ports: [u16; 2], hosts: &Hosts) {
    wait_until("each frame to reach one of the two relays", || {
        let (shares, sent) = received_and_sent(ports, hosts);
        println!("the hosts sent {sent} frames; the two relays received {shares:?}");
        shares.iter().all(|share| *share > sent * 0.3) && (shares[0] + shares[1] - sent).abs() < sent * 0.15
    });
    for port in ports {
        assert_eq!(count(port, "khor_relay_sharers"), 2.0);
        assert_eq!(count(port, "khor_relay_connected"), 1.0);
        assert_eq!(count(port, "khor_relay_refused_total{reason=\"malformed\"}"), 0.0);
    }
}

fn deviating_host_takes_the_solo(engine: &Engine, hosts: &Hosts) {
    assert!(engine.fleet().soloists.is_empty());
    hosts.stand_out(Some(17));
    let took = wait_until("h-17 to take the solo", || {
        let solo = engine.get("/api/metrics")["soloists"][0].clone();
        solo["host"] == "h-17" && solo["signal"] == "rx"
    });
    println!("the deviating host took the solo after {took:?}");
    let fleet = engine.get("/api/fleet");
    let named = fleet["hosts"].as_array().expect("a list of hosts");
    assert_eq!((&named[0]["name"], &named[0]["via"]), (&Value::from("h-17"), &Value::from("rack")));
    wait_until("a voice note of the solo", || {
        engine.notes(|note| note["layer"] == "voices" && note["signal"] == "rx") > 0
    });
    // The level of the site is the median of all hosts, so one host hardly changes it.
    let level = engine.level("rx").expect("a level of rx");
    assert!(level < 0.1, "one host raised the site's level to {level}");
    hosts.stand_out(None);
    wait_until("the solo to end", || engine.fleet().soloists.is_empty());
}

fn lost_host_is_reported_once(engine: &Engine, hosts: &Hosts) {
    hosts.silence(vec![3]);
    let took = wait_until("h-3 to count as lost", || engine.hosts_of_cues("lost") == ["h-3"]);
    println!("two relays reported a lost host after {took:?}");
    wait_until("both relays to count h-3 as silent", || {
        let rack = engine.first_site();
        rack["silent"] == 1 && rack["live"] == HOSTS - 1
    });
    hosts.silence(Vec::new());
    wait_until("h-3 to count as found", || {
        engine.hosts_of_cues("found") == ["h-3"] && engine.first_site()["silent"] == 0
    });
    assert_eq!(engine.hosts_of_cues("lost"), ["h-3"]);
}

/// Returns the highest level and the highest deviation that any signal has within the next
/// `seconds`.
fn highest(engine: &Engine, seconds: u64) -> [f64; 2] {
    let begun = Instant::now();
    let mut highest = [0.0_f64; 2];
    while begun.elapsed() < Duration::from_secs(seconds) {
        let metrics = engine.get("/api/metrics");
        for signal in metrics["signals"].as_object().expect("the signals of the metrics").values() {
            for (highest, part) in highest.iter_mut().zip(["level", "deviation"]) {
                *highest = highest.max(signal[part].as_f64().unwrap_or_default());
            }
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    highest
}

#[test]
fn cut_aggregator_cable_causes_no_spike() {
    if !root_or_skip() {
        return;
    }
    if !NatsServer::is_installed() {
        return skip("needs nats-server");
    }
    let server = NatsServer::start();
    let engine = Engine::of_site(&server.options(Ipv4Addr::LOCALHOST, "engine"));
    let machine = CabledHost::new(4);
    let options = server.options(machine.gateway(), "aggregator");
    let relay = Relay::aggregate(Some(&machine), ("rack", "home"), &options);
    let hosts = Hosts::start(&server, "rack", "h", HOSTS);
    wait_until("all hosts to be counted", || engine.first_site()["live"] == HOSTS);
    engine.wait_for_source("site");
    let (before, memory_kib) = (highest(&engine, 3), relay.memory_kib());

    machine.plug(false);
    let took = wait_until("the rack to be silent", || engine.first_site()["state"] == "silent");
    println!("the engine reported the cut cable of an aggregating relay after {took:?}");
    assert_eq!(engine.hosts_of_cues("lost"), ["rack"]);
    wait_until("the relay to log the loss", || relay.log().contains("the server is unavailable"));
    // For a while, the relay cannot reconnect.
    std::thread::sleep(Duration::from_secs(2));
    machine.plug(true);
    let took = wait_until("the rack to be live again", || engine.first_site()["state"] == "live");
    println!("the rack was live {took:?} after the cable was plugged in");
    let after = highest(&engine, 4);
    println!("highest level and deviation: {before:?} before the cut, {after:?} after it");
    assert!(
        after[0] < before[0] + 0.1 && after[1] < before[1] + 0.5,
        "a level or deviation rose from {before:?} to {after:?}"
    );
    assert!(engine.fleet().soloists.is_empty());
    assert_eq!(
        (engine.hosts_of_cues("lost"), engine.hosts_of_cues("found")),
        (vec!["rack".into()], vec!["rack".into()])
    );
    let now = engine.first_site();
    assert_eq!((now["live"].as_u64(), now["silent"].as_u64()), (Some(HOSTS as u64), Some(0)), "{now:#}");
    let grown_kib = relay.memory_kib().saturating_sub(memory_kib);
    println!("the relay's memory grew by {grown_kib} KiB");
    assert!(grown_kib < 4 * 1024, "the relay's memory grew by {grown_kib} KiB");
    // The relay still receives all hosts.
    hosts.stand_out(Some(9));
    wait_until("h-9 to take the solo", || engine.fleet().soloists.first().is_some_and(|host| host == "h-9"));
    assert!(relay.stop().success());
    assert!(engine.stop().0.success());
}
