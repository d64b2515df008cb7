//! Attack: process names that contain terminal commands or misleading characters.

use std::{
    process::{Command, Output},
    sync::Arc,
};

use khor_e2e::{
    Collector, Engine, crash::crash_named, engine::program, hostile_text::active, skip::root_or_skip,
    wait_until,
};
use khor_patience::progress;
use tempfile::TempDir;

/// Hostile process names: a clipboard write (OSC 52), a window title, a bidi override and a
/// zero-width space. Each has at most 15 bytes.
pub(crate) const NAMES: [&str; 4] =
    ["\x1b]52;c;aGk=\x07", "\x1b]0;owned\x07", "a\u{202e}gnp.exe", "su\u{200b}do"];

/// Fails if `bytes`, the output of the command `what`, contains a control or invisible character.
pub(crate) fn assert_inert(what: &str, bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    assert_eq!(active(&text), "", "{what} printed a control or invisible character: {text:?}");
}

/// Runs a `khor` command against this engine, and returns its output.
pub(crate) fn khor(engine: &Engine, command: &[&str]) -> Output {
    progress(format!("running khor {command:?}"));
    let mut khor = Command::new(program("khor"));
    khor.arg(command[0]).args(["--listen", engine.url().trim_start_matches("http://")]);
    khor.arg("--config").arg(engine.config_path()).args(&command[1..]);
    khor.output().expect("starting khor")
}

#[test]
fn process_names_are_printed_without_control_characters() {
    if !root_or_skip() {
        return;
    }
    let dir = Arc::new(TempDir::new().expect("creating a temporary directory"));
    let debug = [("RUST_LOG", "debug")];
    let collector = Collector::start_with(&dir, &program("khor-collector"), &["--no-dbus"], &debug);
    let engine = Engine::start(collector.socket(), &["--no-audio"], &debug);
    engine.wait_for_source("collector");
    let crashed = TempDir::new().expect("creating a temporary directory");
    let print = |command: &[&str]| {
        let output = khor(&engine, command);
        assert_inert(command[0], &output.stdout);
        assert_inert(command[0], &output.stderr);
    };
    for name in NAMES {
        let pid = crash_named(crashed.path(), name, "");
        wait_until("a cue of the crash", || {
            let metrics = engine.get("/api/metrics");
            metrics["cues"].as_array().expect("a list of cues").iter().any(|cue| cue["pid"] == pid)
        });
        // These commands print the last cue with its process name.
        print(&["explain"]);
        print(&["status"]);
    }
    print(&["config"]);
    print(&["doctor"]);
    assert_inert("the engine's log", engine.log().as_bytes());
    assert_inert("the collector's log", collector.log().as_bytes());
}
