//! Tests `khor top` in a pseudo-terminal, with an engine that is stopped and restarted.

use std::{
    net::Ipv4Addr,
    process::{Command, Stdio},
    time::Duration,
};

use khor_e2e::{
    Engine, Terminal,
    engine::program,
    free_port,
    simulated::{Fault, SimulatedHost, Simulation},
    site::NatsServer,
    skip, wait_until,
};
use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};

const NO_SOCKET: &str = "/nonexistent/collector.sock";
const DEMO: [&str; 2] = ["--fake", "--no-audio"];

fn engine(port: u16) -> Engine {
    Engine::start_at(port, NO_SOCKET.as_ref(), &DEMO)
}

fn top(port: u16, size: (u16, u16), environment: &[(&str, &str)]) -> Terminal {
    let address = format!("127.0.0.1:{port}");
    let arguments = ["top", "--config", "/nonexistent/config.json", "--listen", &address];
    Terminal::run(&program("khor"), &arguments, size, environment)
}

/// Result of a program that exited with status 0 and restored the terminal's mode.
const CLEAN: (i32, bool) = (0, true);

#[test]
fn top_survives_engine_restart() {
    let port = free_port();
    let running = engine(port);
    let mut top = top(port, (80, 24), &[]);
    top.wait_for(&["synthetic demo", "ambient", "exec", "softirq", "B/s", "voices", "The demo", "q quit"]);
    assert!(top.is_coloured(), "khor top shows no colours");
    println!("{}", top.text());

    let controls = |engine: &Engine| engine.get("/api/metrics")["controls"].clone();
    top.press("m");
    top.wait_for(&["MUTED"]);
    assert_eq!(controls(&running)["muted"], true);
    top.press("m");
    top.wait_without("MUTED");
    assert_eq!(controls(&running)["muted"], false);
    top.press("s");
    top.wait_for(&["SILENT for 15 min"]);
    assert!(controls(&running)["snoozed_until_ts_ms"].is_u64());
    top.press("s");
    top.wait_without("SILENT");
    top.press("n");
    wait_until("another preset", || controls(&running)["preset"] != "ambient");
    top.wait_for(&[controls(&running)["preset"].as_str().expect("a name of a preset")]);
    top.press("p");
    wait_until("the previous preset", || controls(&running)["preset"] == "ambient");
    top.press("?");
    top.wait_for(&["select the next preset"]);
    top.press("\x1b");
    top.wait_without("the next preset");

    drop(running);
    top.wait_for(&["Trying again", "start khor engine"]);
    let _running = engine(port);
    top.wait_without("Trying again");
    top.wait_for(&["The demo"]);

    top.press("q");
    assert_eq!(top.wait(), CLEAN, "after q:\n{}", top.text());
}

#[test]
fn top_waits_and_restores_terminal() {
    let top = top(free_port(), (60, 12), &[]);
    top.wait_for(&["Trying again", "no engine answers"]);
    kill(Pid::from_raw(top.pid()), Signal::SIGTERM).expect("sending SIGTERM to khor top");
    assert_eq!(top.wait(), CLEAN, "after SIGTERM:\n{}", top.text());
}

#[test]
fn top_fits_any_terminal() {
    let port = free_port();
    let _engine = engine(port);
    for (size, environment) in [
        ((140, 45), vec![("NO_COLOR", "1")]),
        ((30, 9), vec![("LC_ALL", "C"), ("NO_COLOR", "1")]),
        ((20, 3), vec![("NO_COLOR", "1")]),
    ] {
        let mut top = top(port, size, &environment);
        if size.0 >= 30 {
            top.wait_for(&["signals", "rx"]);
        }
        wait_until("khor top to draw on the screen", || !top.text().trim().is_empty());
        std::thread::sleep(Duration::from_secs(1)); // Wait, so that colours could appear.
        let text = top.text();
        println!("{text}");
        assert!(!top.is_coloured(), "khor top shows colours, although NO_COLOR is set");
        assert!(environment.len() == 1 || text.is_ascii(), "characters that the C locale lacks: {text}");
        top.press("\x03");
        assert_eq!(top.wait(), CLEAN, "after Ctrl-C at {size:?}");
    }
}

fn simulated(name: &str, octaves: f32, fault: Option<Fault>) -> SimulatedHost {
    SimulatedHost { name: name.to_owned(), section: Some("web"), signal: "rx", octaves, fault }
}

#[test]
fn top_shows_site_hosts() {
    if !NatsServer::is_installed() {
        return skip("needs nats-server");
    }
    let (server, port) = (NatsServer::start(), free_port());
    let mut options = server.options(Ipv4Addr::LOCALHOST, "engine");
    options.extend(["--site", "home", "--no-audio"].map(str::to_owned));
    let options: Vec<&str> = options.iter().map(String::as_str).collect();
    let running = Engine::start_at(port, NO_SOCKET.as_ref(), &options);
    let mut hosts: Vec<_> = (0..40).map(|i| simulated(&format!("calm-{i:02}"), 0.0, None)).collect();
    hosts.push(simulated("loud", 6.0, None));
    hosts.push(simulated("gone", 0.0, Some(Fault::FallsSilent)));
    hosts.push(simulated("late", 4.0, Some(Fault::ClockBehind)));
    let _hosts = Simulation::start(&server, hosts);
    let mut top = top(port, (80, 24), &[]);
    top.wait_for(&[
        "site home",
        "hosts, the largest deviation first",
        "loud",
        "usual received",
        "voices",
        "silent: gone",
        "clock 5 min behind",
    ]);
    println!("{}", top.text());
    let text = top.text();
    assert!(text.find("loud") < text.find("calm-") && text.contains("of 42 hosts"), "{text}");

    top.press("f");
    top.wait_for(&["signals", "softirq"]);
    top.press("f");
    top.wait_for(&["silent: gone"]);
    let change = br#"{"site": {"host": "late"}}"#;
    assert_eq!(running.send("PATCH", "/api/config", change, &[]).0, 200);
    top.wait_for(&["late is doing more than usual", "plays alone"]);
    println!("{}", top.text());
    top.press("q");
    assert_eq!(top.wait(), CLEAN);
}

#[test]
fn top_without_site_names_the_option() {
    let port = free_port();
    let _engine = engine(port);
    let address = format!("127.0.0.1:{port}");
    let arguments = ["top", "--site", "--config", "/nonexistent/config.json", "--listen", &address];
    let mut top = Terminal::run(&program("khor"), &arguments, (80, 24), &[]);
    top.wait_for(&["no site is selected", "start khor engine --site"]);
    top.press("f");
    top.wait_for(&["softirq"]);
    top.press("q");
    assert_eq!(top.wait(), CLEAN);
}

#[test]
fn top_ends_when_terminal_closes() {
    let (khor, address) = (program("khor"), format!("127.0.0.1:{}", free_port()));
    let khor = khor.to_str().expect("a UTF-8 path");
    let arguments =
        ["--ignore-signal=HUP", khor, "top", "--config", "/nonexistent/config.json", "--listen", &address];
    let top = Terminal::run("env".as_ref(), &arguments, (80, 24), &[]);
    top.wait_for(&["Trying again"]);
    let command_line = format!("/proc/{}/cmdline", top.pid());
    let runs = || std::fs::read(&command_line).is_ok_and(|words| !words.is_empty());
    assert!(runs(), "khor top ended before its terminal was closed");
    drop(top);
    wait_until("khor top to end", || !runs());
}

#[test]
fn piped_top_suggests_khor_status() {
    khor_patience::progress("running khor top");
    let output =
        Command::new(program("khor")).arg("top").stdin(Stdio::null()).output().expect("starting khor top");
    let error = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1));
    assert!(output.stdout.is_empty() && error.contains("khor status --json"), "{error}");
}
