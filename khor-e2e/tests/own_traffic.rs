//! Tests that khor subtracts what it sends to listeners and pages from the machine's traffic. Each
//! test runs in a separate network namespace, where no other program sends.

use std::{
    io::Read,
    sync::atomic::{AtomicBool, Ordering::Relaxed},
    thread,
};

use khor_e2e::{Engine, Scrape, load, skip::root_or_skip, wait_until};
use khor_patience::progress;
use khor_proto::{Counter, kernel_text};

const NO_SOCKET: &str = "/nonexistent/collector.sock";
/// Bytes that a listener receives in ten seconds.
const STREAM_BYTES: u64 = 1_920_000;

/// Bytes through the loopback device of this thread's namespace.
fn device_bytes() -> u64 {
    let text = kernel_text::read("/proc/thread-self/net/dev").expect("the devices");
    let line = text.lines().find_map(|line| line.trim().strip_prefix("lo:")).expect("loopback");
    line.split_whitespace().next().and_then(|bytes| bytes.parse().ok()).expect("a number")
}

/// The engine's total of local bytes.
fn counted_bytes(engine: &Engine) -> u64 {
    Scrape::of(engine).total(Counter::LocalBytes)
}

/// Reads an endless response until `stop` is true.
fn read_on(engine: &Engine, path: &str, stop: &AtomicBool) {
    let mut answer = ureq::get(format!("{}{path}", engine.url())).call().expect("an answer");
    let mut reader = answer.body_mut().as_reader();
    let mut buffer = [0; 16 * 1024];
    while !stop.load(Relaxed) {
        progress(format!("reading {path}"));
        assert!(reader.read(&mut buffer).expect("reading on") > 0, "{path} ended");
    }
}

/// Stops the readers, even if the test fails.
struct Stop<'a>(&'a AtomicBool);

impl Drop for Stop<'_> {
    fn drop(&mut self) {
        self.0.store(true, Relaxed);
    }
}

/// Runs `inside` while one client receives the sound and another has a page open.
fn with_listeners<R>(engine: &Engine, inside: impl FnOnce() -> R) -> R {
    let stop = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| read_on(engine, "/api/listen.wav", &stop));
        scope.spawn(|| read_on(engine, "/api/stream", &stop));
        let _stop = Stop(&stop);
        inside()
    })
}

/// Bytes of local traffic while `load` runs: the engine's count and the device's count.
fn counted_during(engine: &Engine, load: impl FnOnce()) -> (u64, u64) {
    let (counted, device) = (counted_bytes(engine), device_bytes());
    load();
    // The engine has counted everything after two more readings.
    thread::sleep(std::time::Duration::from_millis(500));
    (counted_bytes(engine) - counted, device_bytes() - device)
}

/// Starts an engine that sees this namespace only.
fn start_engine() -> Engine {
    load::mount_sysfs();
    let engine = Engine::start(NO_SOCKET.as_ref(), &["--no-audio"], &[]);
    engine.wait_for_source("proc");
    wait_until("a level of local traffic", || engine.level("local").is_some());
    engine
}

#[test]
fn listener_and_page_traffic_is_subtracted() {
    if !root_or_skip() {
        return;
    }
    load::in_namespace(|| {
        let engine = start_engine();
        with_listeners(&engine, || {
            let begun = device_bytes();
            let (counted, device) = counted_during(&engine, || {
                let mut highest: f64 = 0.0;
                wait_until("the stream", || {
                    let signal = engine.get("/api/metrics")["signals"]["local"].clone();
                    highest = highest.max(signal["deviation"].as_f64().expect("a deviation"));
                    device_bytes() - begun >= STREAM_BYTES
                });
                println!("local traffic is at most {highest} octaves above its usual");
                assert!(highest < 1.0, "local traffic is {highest} octaves above its usual");
            });
            println!("{counted} bytes counted of {device}");
            assert!(counted <= device * 3 / 100, "{counted} bytes counted of {device}");
            let notes = engine.notes(|note| note["layer"] == "voices" && note["signal"] == "local");
            assert_eq!(notes, 0, "no voice plays local traffic");
        });
    });
}

#[test]
fn other_traffic_counts_beside_listener() {
    /// Payload only. The counts also include headers.
    const OTHER_BYTES: u64 = 4 << 20;
    if !root_or_skip() {
        return;
    }
    load::in_namespace(|| {
        let engine = start_engine();
        with_listeners(&engine, || {
            let (counted, device) = counted_during(&engine, || load::loopback(OTHER_BYTES, 0));
            println!("{counted} bytes counted of {device}, {OTHER_BYTES} of another program");
            assert!(counted >= OTHER_BYTES - OTHER_BYTES * 3 / 100, "{counted} of {OTHER_BYTES}");
            assert!(counted < device, "{counted} of {device}");
        });
    });
}
