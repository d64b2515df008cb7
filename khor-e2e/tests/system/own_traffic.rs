//! Tests that khor subtracts the traffic of clients on another machine.
//!
//! `cargo xtask vm debian` runs three clients on the host: a listener, a page, and a listener
//! through an SSH tunnel (`xtask/src/vm/debian/outside.rs`). They try to connect until the engine
//! accepts. qemu forwards their connections into this virtual machine.

use std::{
    collections::BTreeSet, fs, os::unix::fs::PermissionsExt, path::Path, thread::sleep, time::Duration,
};

use khor_e2e::Scrape;
use serde_json::{Value, json};

use crate::{
    http::text,
    unit::{output_of, require_test_machine, wait_for},
};

const USER: &str = "listener";
const PORT: u16 = 17321;
/// The engine's token. It must equal the token in `xtask/src/vm/debian/outside.rs`.
const TOKEN: &str = "a-token-that-only-this-test-uses-0123456789";
/// The address of this machine to which qemu forwards connections.
const ADDRESS: &str = "10.0.2.15/24";
/// Number of samples that the test takes without clients, and again with clients. It takes one
/// sample per second.
const SAMPLES: usize = 20;
/// The clients must receive more than this many bytes while the samples are taken. If the emulated
/// machine is fast enough, a single listener receives twice as much.
const MIN_SENT_BYTES: u64 = 2_000_000;
/// Signals that could rise when the engine sends sound to its clients.
const SIGNALS: [&str; 7] = ["rx", "tx", "local", "csw", "irq", "softirq", "cpu"];

#[test]
#[ignore = "only in the virtual machine of `cargo xtask vm debian`"]
fn traffic_to_remote_clients_is_subtracted() {
    require_test_machine();
    let card = output_of("ls /sys/class/net");
    let card = card.split_whitespace().find(|name| name.starts_with("en") || name.starts_with("eth"));
    let card = card.expect("a network card in the list").to_owned();
    output_of(&format!("ip address replace {ADDRESS} dev {card}"));
    start_engine();
    wait_for("the engine's network counts", || {
        metrics().filter(|metrics| metrics["signals"]["tx"]["available"] == true)
    });

    // The clients reach the engine only while the card is up.
    let idle = watch();
    println!("without clients: {idle}");
    output_of(&format!("ip link set {card} up"));
    output_of("systemctl start ssh.service");
    wait_for("two listeners and a page", || {
        let (status, metrics) = text(USER, PORT, "/metrics", TOKEN)?;
        let gauges = (status == 200).then(|| Scrape::parse(&metrics))?;
        let gauge = |name: &str| gauges.get(name).unwrap_or(0.0);
        (gauge("khor_listeners") >= 2.0 && gauge("khor_event_streams") >= 1.0).then_some(())
    });
    let before = sent(&card);
    let busy = watch();
    let sent_bytes = sent(&card) - before;
    println!("with clients, which received {sent_bytes} bytes: {busy}");
    assert!(sent_bytes > MIN_SENT_BYTES, "the clients received only {sent_bytes} bytes");
    for signal in ["rx", "tx", "local"] {
        assert!(!busy.voices.contains(signal), "{signal} has a voice: {busy}");
        let level = busy.level(signal);
        assert!(level < 0.02, "khor counts its own traffic: {signal} has the level {level}");
    }
    output_of(&format!("ip link set {card} down"));
    output_of("systemctl stop ssh.service");
    end_sessions();
}

/// The highest level of each signal in [`SIGNALS`], and the signals that a voice played.
struct Watched {
    levels: Vec<(&'static str, f64)>,
    voices: BTreeSet<String>,
}

impl Watched {
    fn level(&self, signal: &str) -> f64 {
        self.levels.iter().find(|(name, _)| *name == signal).expect("a signal in SIGNALS").1
    }
}

impl std::fmt::Display for Watched {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for (name, level) in &self.levels {
            write!(f, "{name} {level:.3} ")?;
        }
        write!(f, "voices {:?}", self.voices)
    }
}

/// Takes [`SAMPLES`] samples of the engine's metrics.
fn watch() -> Watched {
    let mut watched = Watched { levels: SIGNALS.map(|name| (name, 0.0)).to_vec(), voices: BTreeSet::new() };
    for _ in 0..SAMPLES {
        sleep(Duration::from_secs(1));
        let metrics = wait_for("metrics of the engine", metrics);
        for (name, highest) in &mut watched.levels {
            let signal = &metrics["signals"][*name];
            let level = signal["level"].as_f64().unwrap_or_else(|| panic!("{name} is missing: {signal}"));
            *highest = highest.max(level);
        }
        let notes = metrics["notes"].as_array().expect("a list of notes");
        let voices = notes.iter().filter(|note| note["layer"] == "voices");
        watched.voices.extend(voices.filter_map(|note| note["signal"].as_str().map(str::to_owned)));
    }
    watched
}

/// Number of bytes that the card has sent.
fn sent(card: &str) -> u64 {
    let text = fs::read_to_string(format!("/sys/class/net/{card}/statistics/tx_bytes"))
        .expect("reading the card's statistics");
    text.trim().parse().expect("a number of bytes")
}

fn start_engine() {
    let folder = format!("/home/{USER}/.config/khor");
    fs::create_dir_all(&folder).expect("creating the configuration folder");
    let token = format!("{folder}/token");
    fs::write(&token, TOKEN).expect("writing the token");
    fs::set_permissions(&token, fs::Permissions::from_mode(0o600)).expect("the token's mode");
    let config = json!({
        "listen": { "host": "0.0.0.0", "port": PORT, "token_file": token },
        "features": { "audio": false },
    });
    fs::write(format!("{folder}/config.json"), config.to_string()).expect("writing the configuration");
    output_of(&format!("chown --recursive {USER}:{USER} /home/{USER}"));
    output_of(&format!("loginctl enable-linger {USER}"));
}

/// Ends the engine and the SSH session of the tunnel. Otherwise systemd would not restart the
/// user's manager for the next test.
fn end_sessions() {
    let uid = output_of(&format!("id -u {USER}"));
    output_of(&format!("loginctl disable-linger {USER}"));
    output_of(&format!("loginctl terminate-user {USER}"));
    let user = format!("/run/systemd/users/{uid}");
    wait_for("the end of the user's sessions", || (!Path::new(&user).exists()).then_some(()));
    fs::remove_dir_all(format!("/home/{USER}/.config/khor")).expect("removing the configuration folder");
}

fn metrics() -> Option<Value> {
    let (status, body) = text(USER, PORT, "/api/metrics", TOKEN)?;
    (status == 200).then(|| serde_json::from_str(&body).ok())?
}
