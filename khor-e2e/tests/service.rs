//! Tests the engine's notifications to systemd: READY, WATCHDOG and STOPPING.

use std::{
    os::unix::net::UnixDatagram,
    path::Path,
    time::{Duration, Instant},
};

use khor_e2e::Engine;
use khor_patience::{hang_timeout, slowness};
use tempfile::TempDir;

#[test]
fn systemd_gets_ready_watchdog_and_stopping() {
    /// The watchdog's limit.
    const LIMIT: Duration = Duration::from_millis(600);
    const REPORTS: u32 = 5;
    let dir = TempDir::new().expect("creating a temporary directory");
    let path = dir.path().join("notify");
    let socket = UnixDatagram::bind(&path).expect("binding a socket");
    socket.set_read_timeout(Some(hang_timeout())).expect("setting the read timeout");
    let limit_us = LIMIT.as_micros().to_string();
    let environment =
        [("NOTIFY_SOCKET", path.to_str().expect("a UTF-8 path")), ("WATCHDOG_USEC", limit_us.as_str())];
    let engine = Engine::start(Path::new("/nonexistent"), &["--fake", "--no-audio"], &environment);
    let notification = || {
        let mut text = [0; 256];
        let length = socket.recv(&mut text).expect("a notification");
        String::from_utf8_lossy(&text[..length]).trim().to_owned()
    };
    assert_eq!(notification(), "READY=1");
    let (begun, slowness_before) = (Instant::now(), slowness());
    for _ in 0..REPORTS {
        assert_eq!(notification(), "WATCHDOG=1");
    }
    let machine_time = begun.elapsed().div_f64(slowness_before.max(slowness()));
    println!("{REPORTS} watchdog notifications in {:?}, {machine_time:?} of machine time", begun.elapsed());
    // The engine must notify systemd at intervals of half the watchdog's limit. At intervals of the
    // whole limit, notifications would be too late.
    assert!(machine_time < REPORTS * LIMIT, "{REPORTS} notifications took {machine_time:?} of machine time");
    assert!(engine.stop().0.success());
    while notification() != "STOPPING=1" {}
}
