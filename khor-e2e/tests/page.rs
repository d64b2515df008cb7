//! The page in a real browser, against the real engine, while the real kernel works.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;
use std::time::Duration;

use khor_e2e::engine::program;
use khor_e2e::skip::{root_or_skip, skip};
use khor_e2e::{Collector, Engine, Pulse, load};

/// The script loads the page and looks at it at rest before it expects anything to rise.
const LOAD_AFTER: Duration = Duration::from_secs(5);

fn checkout() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").canonicalize().expect("the checkout")
}

fn exists(program: &str) -> bool {
    Command::new(program).arg("--version").output().is_ok_and(|output| output.status.success())
}

#[test]
fn the_page_shows_and_steers_the_engine() {
    if !root_or_skip() {
        return;
    }
    let ui = checkout().join("ui");
    if !ui.join("node_modules/playwright-core").exists() || !ui.join("dist/index.html").exists() {
        return skip("needs the built page: cargo xtask ui");
    }
    if !exists("chromium") || !exists("node") {
        return skip("needs chromium and node");
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
