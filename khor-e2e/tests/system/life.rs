//! Tests the collector's unit when it is started by a connection, killed, hung and stopped, and
//! what its clients notice.

use std::{
    fs,
    path::Path,
    time::{Duration, Instant},
};

use khor_e2e::{Engine, load};
use khor_proto::Counter;

use crate::unit::{
    PATH, SERVICE, SOCKET, complaints, journal_now, listen, main_pid, outcome_of, output_of, property,
    require_a_machine_of_our_own, wait_for_another,
};

/// Where settings for this boot go.
const DROP_IN: &str = "/run/systemd/system/khor-collector.service.d/hangs.conf";

#[test]
#[ignore = "only in the machine of `cargo xtask vm debian`"]
fn first_connection_starts_collector() {
    require_a_machine_of_our_own();
    let since = journal_now();
    output_of(&format!("systemctl stop {SERVICE}"));
    assert_eq!((property("ActiveState").as_str(), main_pid()), ("inactive", None));
    let begun = Instant::now();
    let mut listener = listen();
    let first = listener.sample();
    println!("from the first connection to the first sample: {:?}", begun.elapsed());
    assert_eq!(output_of(&format!("systemctl is-active {SERVICE}")), "active");
    load::execs(20);
    load::loopback(1 << 20, 0);
    load::direct_io(Path::new("/root"), 1).expect("writing");
    let last = listener.sample();
    for (counter, at_least) in [
        (Counter::Execs, 20),
        (Counter::Switches, 20),
        (Counter::LocalBytes, 1 << 20),
        (Counter::WriteBytes, 1 << 20),
    ] {
        let moved = last.growth_since(&first, counter);
        println!("{counter}: {moved}");
        assert!(moved >= at_least, "{counter}: {moved}, not {at_least}");
    }
    assert_eq!(complaints(&since), "");
}

#[test]
#[ignore = "only in the machine of `cargo xtask vm debian`"]
fn killed_collector_and_its_clients_recover() {
    require_a_machine_of_our_own();
    let engine = Engine::start(Path::new(PATH), &["--no-audio"], &[]);
    engine.wait_for_source("collector");
    let restarts = || -> u32 { property("NRestarts").parse().expect("a number") };
    let before = restarts();
    for round in 1..=3 {
        let pid = main_pid().expect("it runs");
        output_of(&format!("kill -9 {pid}"));
        let begun = Instant::now();
        wait_for_another(pid);
        let up = begun.elapsed();
        let _ = listen().sample();
        let sampled = begun.elapsed();
        engine.wait_for_source("collector");
        println!(
            "killed: active after {up:?}, sampled after {sampled:?}, engine back after {:?}",
            begun.elapsed()
        );
        assert_eq!(restarts(), before + round);
    }
}

/// A suspended process sends no watchdog notifications, like one that hangs.
#[test]
#[ignore = "only in the machine of `cargo xtask vm debian`"]
fn watchdog_restarts_hung_collector() {
    require_a_machine_of_our_own();
    fs::create_dir_all(Path::new(DROP_IN).parent().expect("a folder")).expect("a folder");
    fs::write(DROP_IN, "[Service]\nWatchdogSec=3s\n").expect("a file");
    output_of("systemctl daemon-reload");
    output_of(&format!("systemctl restart {SERVICE}"));
    let pid = main_pid().expect("it runs");
    std::thread::sleep(Duration::from_secs(7));
    assert_eq!(main_pid(), Some(pid), "twice the limit, and it lives");
    output_of(&format!("kill -STOP {pid}"));
    let begun = Instant::now();
    wait_for_another(pid);
    println!("hung: another one after {:?}", begun.elapsed());
    fs::remove_dir_all(Path::new(DROP_IN).parent().expect("a folder")).expect("ours");
    output_of("systemctl daemon-reload");
    output_of(&format!("systemctl restart {SERVICE}"));
    let _ = listen().sample();
}

#[test]
#[ignore = "only in the machine of `cargo xtask vm debian`"]
fn stopped_collector_ends_cleanly() {
    require_a_machine_of_our_own();
    let since = journal_now();
    let _ = listen().sample();
    let begun = Instant::now();
    output_of(&format!("systemctl stop {SERVICE}"));
    println!("stopped after {:?}", begun.elapsed());
    assert_eq!(["Result", "ExecMainStatus", "ExecMainCode"].map(property), ["success", "0", "1"]);
    assert!(Path::new(PATH).exists(), "it is the socket unit's");
    output_of(&format!("systemctl stop {SOCKET}"));
    assert!(!Path::new(PATH).exists() && Path::new("/run/khor").exists());
    output_of(&format!("systemctl start {SOCKET} {SERVICE}"));
    let _ = listen().sample();
    assert_eq!(complaints(&since), "");
}

#[test]
#[ignore = "only in the machine of `cargo xtask vm debian`"]
fn bus_starts_collector_unless_disabled() {
    const VERSION: &str = "get-property org.khor.Collector /org/khor/Collector org.khor.Collector1 Version";
    require_a_machine_of_our_own();
    let stop = || output_of(&format!("systemctl stop {SOCKET} {SERVICE}"));
    stop();
    println!("{}", output_of(&format!("busctl --system {VERSION}")));
    assert!(main_pid().is_some(), "the bus started it");
    output_of(&format!("systemctl disable {SERVICE}"));
    stop();
    let (success, text) = outcome_of(&format!("busctl --system {VERSION}"));
    assert!(!success && main_pid().is_none(), "disabled, and the bus started it: {text}");
    output_of(&format!("systemctl enable {SERVICE}"));
    println!("{}", output_of(&format!("busctl --system {VERSION}")));
    output_of(&format!("systemctl start {SOCKET} {SERVICE}"));
    let _ = listen().sample();
}
