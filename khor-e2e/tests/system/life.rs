//! Tests the collector's unit: a client's connection starts the collector. Also tests that clients
//! recover when the collector is killed, hangs or is stopped.

use std::{
    fs,
    path::Path,
    time::{Duration, Instant},
};

use khor_e2e::{Engine, load};
use khor_proto::Counter;

use crate::unit::{
    PATH, SERVICE, SOCKET, journal_now, journal_warnings, main_pid, outcome_of, output_of, property,
    require_test_machine, subscribe, wait_for_another,
};

/// Path of a drop-in file with settings for this boot.
const DROP_IN: &str = "/run/systemd/system/khor-collector.service.d/hangs.conf";

#[test]
#[ignore = "only in the virtual machine of `cargo xtask vm debian`"]
fn first_connection_starts_collector() {
    require_test_machine();
    let since = journal_now();
    output_of(&format!("systemctl stop {SERVICE}"));
    assert_eq!((property("ActiveState").as_str(), main_pid()), ("inactive", None));
    let begun = Instant::now();
    let mut subscriber = subscribe();
    let first = subscriber.sample();
    println!("from the first connection to the first sample: {:?}", begun.elapsed());
    assert_eq!(output_of(&format!("systemctl is-active {SERVICE}")), "active");
    load::execs(20);
    load::loopback(1 << 20, 0);
    load::direct_io(Path::new("/root"), 1).expect("writing and reading a file");
    let last = subscriber.sample();
    for (counter, at_least) in [
        (Counter::Execs, 20),
        (Counter::Switches, 20),
        (Counter::LocalBytes, 1 << 20),
        (Counter::WriteBytes, 1 << 20),
    ] {
        let growth = last.growth_since(&first, counter);
        println!("{counter}: {growth}");
        assert!(growth >= at_least, "{counter} grew by {growth}, expected at least {at_least}");
    }
    assert_eq!(journal_warnings(&since), "");
}

#[test]
#[ignore = "only in the virtual machine of `cargo xtask vm debian`"]
fn killed_collector_and_clients_recover() {
    require_test_machine();
    let engine = Engine::start(Path::new(PATH), &["--no-audio"], &[]);
    engine.wait_for_source("collector");
    let restarts = || -> u32 { property("NRestarts").parse().expect("a number of restarts") };
    let before = restarts();
    for round in 1..=3 {
        let pid = main_pid().expect("a running collector");
        output_of(&format!("kill -9 {pid}"));
        let begun = Instant::now();
        wait_for_another(pid);
        let up = begun.elapsed();
        let _ = subscribe().sample();
        let sampled = begun.elapsed();
        engine.wait_for_source("collector");
        println!(
            "after the kill: unit active within {up:?}, first sample within {sampled:?}, engine recovered within {:?}",
            begun.elapsed()
        );
        assert_eq!(restarts(), before + round);
    }
}

/// A suspended process stands for a hung one: neither sends watchdog notifications.
#[test]
#[ignore = "only in the virtual machine of `cargo xtask vm debian`"]
fn watchdog_restarts_hung_collector() {
    require_test_machine();
    fs::create_dir_all(Path::new(DROP_IN).parent().expect("a path with a folder"))
        .expect("creating the folder");
    fs::write(DROP_IN, "[Service]\nWatchdogSec=3s\n").expect("writing the drop-in file");
    output_of("systemctl daemon-reload");
    output_of(&format!("systemctl restart {SERVICE}"));
    let pid = main_pid().expect("a running collector");
    std::thread::sleep(Duration::from_secs(7));
    assert_eq!(main_pid(), Some(pid), "the watchdog restarted a working collector");
    output_of(&format!("kill -STOP {pid}"));
    let begun = Instant::now();
    wait_for_another(pid);
    println!("systemd restarted the hung collector after {:?}", begun.elapsed());
    fs::remove_dir_all(Path::new(DROP_IN).parent().expect("a path with a folder"))
        .expect("removing the folder");
    output_of("systemctl daemon-reload");
    output_of(&format!("systemctl restart {SERVICE}"));
    let _ = subscribe().sample();
}

#[test]
#[ignore = "only in the virtual machine of `cargo xtask vm debian`"]
fn stopped_collector_ends_cleanly() {
    require_test_machine();
    let since = journal_now();
    let _ = subscribe().sample();
    let begun = Instant::now();
    output_of(&format!("systemctl stop {SERVICE}"));
    println!("stopped after {:?}", begun.elapsed());
    assert_eq!(["Result", "ExecMainStatus", "ExecMainCode"].map(property), ["success", "0", "1"]);
    assert!(Path::new(PATH).exists(), "the socket disappeared with the service");
    output_of(&format!("systemctl stop {SOCKET}"));
    assert!(!Path::new(PATH).exists() && Path::new("/run/khor").exists());
    output_of(&format!("systemctl start {SOCKET} {SERVICE}"));
    let _ = subscribe().sample();
    assert_eq!(journal_warnings(&since), "");
}

#[test]
#[ignore = "only in the virtual machine of `cargo xtask vm debian`"]
fn bus_starts_collector_unless_disabled() {
    const VERSION: &str = "get-property org.khor.Collector /org/khor/Collector org.khor.Collector1 Version";
    require_test_machine();
    let stop = || output_of(&format!("systemctl stop {SOCKET} {SERVICE}"));
    stop();
    println!("{}", output_of(&format!("busctl --system {VERSION}")));
    assert!(main_pid().is_some(), "the bus did not start the collector");
    output_of(&format!("systemctl disable {SERVICE}"));
    stop();
    let (success, text) = outcome_of(&format!("busctl --system {VERSION}"));
    assert!(!success && main_pid().is_none(), "the bus started a disabled collector: {text}");
    output_of(&format!("systemctl enable {SERVICE}"));
    println!("{}", output_of(&format!("busctl --system {VERSION}")));
    output_of(&format!("systemctl start {SOCKET} {SERVICE}"));
    let _ = subscribe().sample();
}
