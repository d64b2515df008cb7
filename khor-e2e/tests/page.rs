//! Tests the page in a real browser, with the real engine and real kernel activity.

use std::{
    fs,
    net::Ipv4Addr,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::Command,
    thread,
};

use khor_e2e::{
    Collector, Engine, Pulse, Streamed,
    engine::program,
    load::{Background, loopback},
    simulated::{Fault, SimulatedHost, Simulation},
    site::{CabledHost, NatsServer, Relay},
    skip::{root_or_skip, skip},
    wait_until,
};
use khor_patience::{hang_timeout, slowness};
use parking_lot::{Mutex, MutexGuard};
use serde_json::json;
use tempfile::TempDir;

/// Line that the script prints when it has checked the idle page. The test starts the load after
/// this line.
const LOAD_AFTER: &str = "ok: there are charts";

fn checkout() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").canonicalize().expect("the repository's root")
}

fn exists(program: &str) -> bool {
    Command::new(program).arg("--version").output().is_ok_and(|output| output.status.success())
}

/// Why this machine cannot run browser tests; `None` if it can.
fn missing_requirement(ui: &Path) -> Option<&'static str> {
    if !ui.join("node_modules/playwright-core").exists() || !ui.join("dist/index.html").exists() {
        return Some("needs the built page: cargo xtask ui");
    }
    (!exists("chromium") || !exists("node")).then_some("needs chromium and node")
}

/// Starts the script that opens the engine's page in a browser and tests the page.
fn browser(engine: &Engine, options: &[&str]) -> Streamed {
    let ui = checkout().join("ui");
    let mut node = Command::new("node");
    node.arg(ui.join("e2e/main.mjs")).arg(engine.url()).arg(ui.join("shots")).args(options);
    // The script's own waits end before this test's wait, because the script can name the missing
    // event.
    node.env("KHOR_HANG_MS", (hang_timeout() / 2).as_millis().to_string());
    node.env("KHOR_SLOWNESS", slowness().to_string());
    Streamed::start("the browser test", &mut node)
}

/// Waits for the browser test. Panics with its failed checks.
fn assert_success(browser: Streamed, engine: &Engine) {
    let (status, lines) = browser.wait();
    let failed: Vec<&str> = lines.lines().filter(|line| line.starts_with("FAILED")).collect();
    let failed = failed.join("\n");
    assert!(status.success(), "the browser test failed ({status}):\n{failed}\n{}", engine.log());
}

/// A lock that a test holds while its browser runs. Only one browser runs at a time, because the
/// tests measure times.
static BROWSER: Mutex<()> = Mutex::new(());

fn one_browser() -> MutexGuard<'static, ()> {
    BROWSER.lock()
}

#[test]
fn page_of_reachable_engine_asks_for_token() {
    const TOKEN: &str = "a token that only this test of the page knows";
    let _one = one_browser();
    let ui = checkout().join("ui");
    if let Some(reason) = missing_requirement(&ui) {
        return skip(reason);
    }
    let dir = TempDir::new().expect("creating a temporary directory");
    let (token, dist) = (dir.path().join("token"), ui.join("dist"));
    fs::write(&token, TOKEN.replace(' ', "-")).expect("writing the token");
    fs::set_permissions(&token, fs::Permissions::from_mode(0o600)).expect("the token's mode");
    let config = json!({ "listen": { "token_file": token }, "ui": { "dir": dist } });
    fs::write(dir.path().join("config.json"), config.to_string()).expect("writing the configuration");
    let engine = Engine::start_for_others(dir, &["--fake", "--no-audio"]);
    assert_success(browser(&engine, &["--token", &TOKEN.replace(' ', "-")]), &engine);
}

#[test]
fn page_works_below_proxy_path() {
    const TOKEN: &str = "a-token-that-only-this-test-of-the-page-knows";
    let _one = one_browser();
    let ui = checkout().join("ui");
    if let Some(reason) = missing_requirement(&ui) {
        return skip(reason);
    }
    let dir = TempDir::new().expect("creating a temporary directory");
    let token = dir.path().join("token");
    fs::write(&token, TOKEN).expect("writing the token");
    fs::set_permissions(&token, fs::Permissions::from_mode(0o600)).expect("the token's mode");
    let config = json!({ "listen": { "token_file": token }, "ui": { "dir": ui.join("dist") } });
    fs::write(dir.path().join("config.json"), config.to_string()).expect("writing the configuration");
    let engine = Engine::start_for_others(dir, &["--fake", "--no-audio"]);
    assert_success(browser(&engine, &["--token", TOKEN, "--prefix"]), &engine);
}

#[test]
fn page_of_the_original_receives_metrics() {
    let _one = one_browser();
    if let Some(reason) = missing_requirement(&checkout().join("ui")) {
        return skip(reason);
    }
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/original");
    let flags = ["--fake", "--no-audio", "--ui-dir", page.to_str().expect("a UTF-8 path")];
    let engine = Engine::start("/nonexistent/collector.sock".as_ref(), &flags, &[]);
    assert_success(browser(&engine, &["--original"]), &engine);
}

#[test]
fn page_shows_and_controls_the_engine() {
    let _one = one_browser();
    if !root_or_skip() {
        return;
    }
    let ui = checkout().join("ui");
    if let Some(reason) = missing_requirement(&ui) {
        return skip(reason);
    }
    let Some(pulse) = Pulse::start() else { return skip("needs pulseaudio") };
    let collector = Collector::start(&program("khor-collector"), &["--no-dbus"]);
    let dist = ui.join("dist");
    let flags = ["--ui-dir", dist.to_str().expect("a UTF-8 path")];
    let engine = Engine::start(collector.socket(), &flags, &pulse.environment());
    engine.wait_for_source("collector");
    let browser = browser(&engine, &["--expect-rise", "local"]);
    browser.wait_for_line(LOAD_AFTER);
    let _load = Background::with_pauses(|| loopback(8 << 20, 200));
    assert_success(browser, &engine);
}

/// Starts an engine that plays the site `home` and serves the built page.
fn site_engine(server: &NatsServer) -> Engine {
    let dist = checkout().join("ui/dist");
    let mut options = server.options(Ipv4Addr::LOCALHOST, "engine");
    let page = ["--site", "home", "--no-audio", "--ui-dir", dist.to_str().expect("a UTF-8 path")];
    options.extend(page.map(str::to_owned));
    let options: Vec<&str> = options.iter().map(String::as_str).collect();
    Engine::start("/nonexistent/collector.sock".as_ref(), &options, &[])
}

fn relay(server: &NatsServer, on: &CabledHost, section: &str, host: &str) -> Relay {
    let mut options = server.options(on.gateway(), "relay");
    let label = format!("section={section}");
    options.extend(["--site", "home", "--host", host, "--label", &label].map(str::to_owned));
    Relay::start(Some(on), &options)
}

/// Tests the page of an engine that plays a site. `part` selects a part of ui/e2e/fleet.mjs.
fn check_site_page(engine: &Engine, part: &str) {
    assert_success(browser(engine, &["--site", part]), engine);
}

/// Number of the site's hosts for which `holds` returns true.
fn hosts(engine: &Engine, holds: impl Fn(&serde_json::Value) -> bool) -> usize {
    let fleet = engine.get("/api/fleet");
    fleet["hosts"].as_array().expect("a list of hosts").iter().filter(|host| holds(host)).count()
}

#[test]
fn page_shows_hosts_and_selects_one() {
    let _one = one_browser();
    if !root_or_skip() {
        return;
    }
    if let Some(reason) = missing_requirement(&checkout().join("ui")) {
        return skip(reason);
    }
    if !NatsServer::is_installed() {
        return skip("needs nats-server");
    }
    let server = NatsServer::start();
    let engine = site_engine(&server);
    let on = [1, 2, 3].map(CabledHost::new);
    let _web = [relay(&server, &on[0], "web", "web-1"), relay(&server, &on[1], "web", "web-2")];
    let db = relay(&server, &on[2], "db", "db");
    wait_until("three live hosts", || hosts(&engine, |host| host["state"] == "live") == 3);
    // Threads that this thread starts are in the host's network namespace too.
    let _load = thread::scope(|scope| {
        let there = scope.spawn(|| {
            on[1].enter();
            Background::with_pauses(|| loopback(8 << 20, 10))
        });
        there.join().expect("the thread of the host")
    });
    wait_until("web-2 to take the solo", || {
        engine.fleet().soloists.first().is_some_and(|host| host == "web-2")
    });
    drop(db);
    wait_until("a silent host", || hosts(&engine, |host| host["state"] == "silent") == 1);
    check_site_page(&engine, "few");
}

/// Hosts in three sections, and hosts without a section. Six hosts stand out, five fall silent, and
/// three have other faults.
fn simulated_hosts(count: usize) -> Vec<SimulatedHost> {
    let section =
        |i: usize| [Some("web"), Some("db"), Some("batch"), None][if i % 20 == 19 { 3 } else { i % 3 }];
    let mut hosts: Vec<SimulatedHost> = (0..count)
        .map(|i| SimulatedHost {
            name: format!("{}-{:03}", section(i).unwrap_or("edge"), i),
            section: section(i),
            signal: ["csw", "rx", "io", "fault", "exec"][i % 5],
            octaves: [0.0, 0.0, 0.3, 0.0, 0.5, 0.0, 0.2][i % 7],
            fault: None,
        })
        .collect();
    for (nth, (signal, octaves)) in
        [("rx", 7.0), ("mem", 5.0), ("stall", 4.0), ("exec", 3.0), ("cpu", 2.5), ("retx", 2.0)]
            .into_iter()
            .enumerate()
    {
        (hosts[nth * 30 + 4].signal, hosts[nth * 30 + 4].octaves) = (signal, octaves);
    }
    for silent in 0..5 {
        hosts[silent * 35 + 11].fault = Some(Fault::FallsSilent);
    }
    for (at, fault) in [(20, Fault::ClockBehind), (50, Fault::UsedTwice), (80, Fault::Broken)] {
        hosts[at].fault = Some(fault);
    }
    hosts
}

#[test]
fn page_shows_hundreds_of_hosts() {
    let _one = one_browser();
    if let Some(reason) = missing_requirement(&checkout().join("ui")) {
        return skip(reason);
    }
    if !NatsServer::is_installed() {
        return skip("needs nats-server");
    }
    let server = NatsServer::start();
    for (count, part) in [(60, "dozens"), (1000, "most")] {
        let engine = site_engine(&server);
        let _hosts =
            Simulation::start(&server, simulated_hosts(count.max(200)).into_iter().take(count).collect());
        wait_until("frames of all hosts", || hosts(&engine, |_| true) == count);
        wait_until("silent hosts", || hosts(&engine, |host| host["state"] == "silent") > 0);
        wait_until("a host whose name is used twice", || {
            hosts(&engine, |host| host["used_twice"] == true) > 0
        });
        check_site_page(&engine, part);
    }
}
