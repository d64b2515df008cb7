//! Tests that khor subtracts its own traffic to listeners and pages from the machine's traffic.
//! Each test runs in a new network namespace, in which no other program sends.

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

/// Bytes that the loopback device of this thread's namespace has received.
fn device_bytes() -> u64 {
    let text = kernel_text::read("/proc/thread-self/net/dev").expect("reading the list of devices");
    let line = text
        .lines()
        .find_map(|line| line.trim().strip_prefix("lo:"))
        .expect("the line of the loopback device");
    line.split_whitespace().next().and_then(|bytes| bytes.parse().ok()).expect("a number of bytes")
}

/// Number of bytes of local traffic that the engine has counted so far.
fn counted_bytes(engine: &Engine) -> u64 {
    Scrape::of(engine).total(Counter::LocalBytes)
}

/// Reads an endless response until `stop` is true.
fn read_stream(engine: &Engine, path: &str, stop: &AtomicBool) {
    let mut answer = ureq::get(format!("{}{path}", engine.url())).call().expect("a response");
    let mut reader = answer.body_mut().as_reader();
    let mut buffer = [0; 16 * 1024];
    while !stop.load(Relaxed) {
        progress(format!("reading {path}"));
        assert!(reader.read(&mut buffer).expect("reading the response") > 0, "{path} ended");
    }
}

/// Stops the readers when dropped, even if the test fails.
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
        scope.spawn(|| read_stream(engine, "/api/listen.wav", &stop));
        scope.spawn(|| read_stream(engine, "/api/stream", &stop));
        let _stop = Stop(&stop);
        inside()
    })
}

/// Runs `load`. Returns the bytes of local traffic, as the engine counts them and as the device
/// counts them.
fn counted_during(engine: &Engine, load: impl FnOnce()) -> (u64, u64) {
    let (counted, device) = (counted_bytes(engine), device_bytes());
    load();
    // Wait until the engine has read the counters twice more. It has then counted the whole load.
    thread::sleep(std::time::Duration::from_millis(500));
    (counted_bytes(engine) - counted, device_bytes() - device)
}

/// Starts an engine that counts only this network namespace.
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
                wait_until("ten seconds of the stream", || {
                    let signal = engine.get("/api/metrics")["signals"]["local"].clone();
                    highest =
                        highest.max(signal["deviation"].as_f64().expect("a deviation of local traffic"));
                    device_bytes() - begun >= STREAM_BYTES
                });
                println!("local traffic is at most {highest} octaves above the baseline");
                assert!(highest < 1.0, "local traffic is {highest} octaves above the baseline");
            });
            println!("the engine counted {counted} of {device} bytes");
            assert!(
                counted <= device * 3 / 100,
                "the engine counted {counted} of {device} bytes of its own traffic"
            );
            let notes = engine.notes(|note| note["layer"] == "voices" && note["signal"] == "local");
            assert_eq!(notes, 0, "a voice plays khor's own traffic");
        });
    });
}

#[test]
fn other_traffic_counts_beside_listener() {
    /// Payload that the other program sends, in bytes. The counts also include headers.
    const OTHER_BYTES: u64 = 4 << 20;
    if !root_or_skip() {
        return;
    }
    load::in_namespace(|| {
        let engine = start_engine();
        with_listeners(&engine, || {
            let (counted, device) = counted_during(&engine, || load::loopback(OTHER_BYTES, 0));
            println!("the engine counted {counted} of {device} bytes; another program sent {OTHER_BYTES}");
            assert!(
                counted >= OTHER_BYTES - OTHER_BYTES * 3 / 100,
                "the engine counted only {counted} of the other program's {OTHER_BYTES} bytes"
            );
            assert!(
                counted < device,
                "the engine counted {counted} of {device} bytes, including its own traffic"
            );
        });
    });
}
