//! The watchdog names what hangs.

use std::{process::Command, thread, time::Duration};

#[test]
#[ignore = "hangs; run by the test below"]
fn hangs() {
    khor_patience::progress("the first step");
    khor_patience::progress("waiting for nothing");
    thread::sleep(Duration::from_hours(1));
}

#[test]
fn hang_is_named_and_ended() {
    let mut harness = Command::new(std::env::current_exe().unwrap());
    harness.args(["--exact", "hangs", "--ignored"]).env(khor_patience::FACTOR, "0.03");
    let output = harness.output().unwrap();
    let text = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success());
    assert!(text.contains("HUNG: hangs: no progress since: waiting for nothing"), "{text}");
}
