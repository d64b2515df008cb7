//! The page in a real browser, against the real engine, while the real kernel works.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;
use std::time::Duration;

use khor_e2e::engine::program;
use khor_e2e::skip::{root_or_skip, skip};
use khor_e2e::{Collector, Engine, Pulse, load};
use serde_json::json;
use tempfile::TempDir;

/// The script loads the page and looks at it at rest before it expects anything to rise.
const LOAD_AFTER: Duration = Duration::from_secs(5);

fn checkout() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").canonicalize().expect("the checkout")
}

fn exists(program: &str) -> bool {
    Command::new(program).arg("--version").output().is_ok_and(|output| output.status.success())
}

/// What a browser test lacks here, if anything.
fn lacking(ui: &Path) -> Option<&'static str> {
    if !ui.join("node_modules/playwright-core").exists() || !ui.join("dist/index.html").exists() {
        return Some("needs the built page: cargo xtask ui");
    }
    (!exists("chromium") || !exists("node")).then_some("needs chromium and node")
}

#[test]
fn the_page_asks_for_the_token_of_an_engine_that_others_can_reach() {
    const TOKEN: &str = "a token that only this test of the page knows";
    let ui = checkout().join("ui");
    if let Some(reason) = lacking(&ui) {
        return skip(reason);
    }
    let dir = TempDir::new().expect("a directory");
    let (token, dist) = (dir.path().join("token"), ui.join("dist"));
    fs::write(&token, TOKEN.replace(' ', "-")).expect("a token");
    fs::set_permissions(&token, fs::Permissions::from_mode(0o600)).expect("its owner's alone");
    let config = json!({ "listen": { "token_file": token }, "ui": { "dir": dist } });
    fs::write(dir.path().join("config.json"), config.to_string()).expect("a configuration");
    let engine = Engine::start_for_others(dir, &["--fake", "--no-audio"]);
    let status = Command::new("node")
        .arg(ui.join("e2e/main.mjs"))
        .arg(engine.url())
        .arg(ui.join("shots"))
        .args(["--token", &TOKEN.replace(' ', "-")])
        .status()
        .expect("node");
    assert!(status.success(), "the browser test failed ({status}), see above\n{}", engine.log());
}

#[test]
fn the_page_shows_and_steers_the_engine() {
    if !root_or_skip() {
        return;
    }
    let ui = checkout().join("ui");
    if let Some(reason) = lacking(&ui) {
        return skip(reason);
    }
    let Some(pulse) = Pulse::start() else { return skip("needs pulseaudio") };
    let collector = Collector::start(&program("khor-collector"), &["--no-dbus"]);
    let dist = ui.join("dist");
    let flags = ["--ui-dir", dist.to_str().expect("a plain path")];
    let engine = Engine::start(collector.socket(), &flags, &pulse.environment());
    engine.wait_for_source("collector", Duration::from_secs(10));
    let mut browser = Command::new("node")
        .arg(ui.join("e2e/main.mjs"))
        .arg(engine.url())
        .arg(ui.join("shots"))
        .args(["--expect-rise", "rx"])
        .spawn()
        .expect("node");
    thread::sleep(LOAD_AFTER);
    let status = loop {
        match browser.try_wait().expect("its state") {
            Some(status) => break status,
            None => load::loopback(8 << 20, 200),
        }
    };
    assert!(status.success(), "the browser test failed ({status}), see above\n{}", engine.log());
}
