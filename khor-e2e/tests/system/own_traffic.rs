//! Tests that khor subtracts the traffic of clients on another machine.
//!
//! qemu forwards connections from the host into this machine. On the host, `cargo xtask vm debian`
//! keeps connecting until the engine accepts: one listener, one page, and one listener through an
//! SSH tunnel (`xtask/src/vm/debian/outside.rs`).

use std::{
    collections::BTreeSet, fs, os::unix::fs::PermissionsExt, path::Path, thread::sleep, time::Duration,
};

use khor_e2e::Scrape;
use serde_json::{Value, json};

use crate::{
    http::text,
    unit::{output_of, require_a_machine_of_our_own, wait_for},
};

const USER: &str = "listener";
const PORT: u16 = 17321;
/// Must equal the token in `xtask/src/vm/debian/outside.rs`.
const TOKEN: &str = "a-token-that-only-this-test-uses-0123456789";
/// The address that qemu forwards to.
const ADDRESS: &str = "10.0.2.15/24";
/// Samples without clients, and samples with clients. One per second.
const SAMPLES: usize = 20;
/// One listener gets twice as much in that time, if the emulated machine is fast enough.
const MIN_SENT_BYTES: u64 = 2_000_000;
/// Signals that a stream of sound could raise.
const SIGNALS: [&str; 7] = ["rx", "tx", "local", "csw", "irq", "softirq", "cpu"];

#[test]
#[ignore = "only in the machine of `cargo xtask vm debian`"]
fn traffic_to_remote_clients_is_subtracted() {
    require_a_machine_of_our_own();
    let card = output_of("ls /sys/class/net");
    let card = card.split_whitespace().find(|name| name.starts_with("en") || name.starts_with("eth"));
    let card = card.expect("a network card").to_owned();
    output_of(&format!("ip address replace {ADDRESS} dev {card}"));
    start_engine();
    wait_for("the engine", || metrics().filter(|metrics| metrics["signals"]["tx"]["available"] == true));

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
    assert!(sent_bytes > MIN_SENT_BYTES, "the clients received {sent_bytes} bytes");
    for signal in ["rx", "tx", "local"] {
        assert!(!busy.voices.contains(signal), "{signal} has a voice: {busy}");
        let level = busy.level(signal);
        assert!(level < 0.02, "khor hears its own traffic as {signal}: level {level}");
    }
    output_of(&format!("ip link set {card} down"));
    output_of("systemctl stop ssh.service");
    end_sessions();
}

/// The highest level of each of [`SIGNALS`], and the signals that had a voice.
struct Watched {
    levels: Vec<(&'static str, f64)>,
    voices: BTreeSet<String>,
}

impl Watched {
    fn level(&self, signal: &str) -> f64 {
        self.levels.iter().find(|(name, _)| *name == signal).expect("a signal").1
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

fn watch() -> Watched {
    let mut watched = Watched { levels: SIGNALS.map(|name| (name, 0.0)).to_vec(), voices: BTreeSet::new() };
    for _ in 0..SAMPLES {
        sleep(Duration::from_secs(1));
        let metrics = wait_for("metrics", metrics);
        for (name, highest) in &mut watched.levels {
            let signal = &metrics["signals"][*name];
            let level = signal["level"].as_f64().unwrap_or_else(|| panic!("{name} is missing: {signal}"));
            *highest = highest.max(level);
        }
        let notes = metrics["notes"].as_array().expect("notes");
        let voices = notes.iter().filter(|note| note["layer"] == "voices");
        watched.voices.extend(voices.filter_map(|note| note["signal"].as_str().map(str::to_owned)));
    }
    watched
}

/// Bytes that the card sent.
fn sent(card: &str) -> u64 {
    let text = fs::read_to_string(format!("/sys/class/net/{card}/statistics/tx_bytes")).expect("a card");
    text.trim().parse().expect("a number")
}

fn start_engine() {
    let folder = format!("/home/{USER}/.config/khor");
    fs::create_dir_all(&folder).expect("a home");
    let token = format!("{folder}/token");
    fs::write(&token, TOKEN).expect("a token");
    fs::set_permissions(&token, fs::Permissions::from_mode(0o600)).expect("its mode");
    let config = json!({
        "listen": { "host": "0.0.0.0", "port": PORT, "token_file": token },
        "features": { "audio": false },
    });
    fs::write(format!("{folder}/config.json"), config.to_string()).expect("a configuration");
    output_of(&format!("chown --recursive {USER}:{USER} /home/{USER}"));
    output_of(&format!("loginctl enable-linger {USER}"));
}

/// Ends the engine and the SSH session of the tunnel. Otherwise systemd would not start the user's
/// manager again for the next test.
fn end_sessions() {
    let uid = output_of(&format!("id -u {USER}"));
    output_of(&format!("loginctl disable-linger {USER}"));
    output_of(&format!("loginctl terminate-user {USER}"));
    let user = format!("/run/systemd/users/{uid}");
    wait_for("the end of the user's sessions", || (!Path::new(&user).exists()).then_some(()));
    fs::remove_dir_all(format!("/home/{USER}/.config/khor")).expect("the test's own folder");
}

fn metrics() -> Option<Value> {
    let (status, body) = text(USER, PORT, "/api/metrics", TOKEN)?;
    (status == 200).then(|| serde_json::from_str(&body).ok())?
}
