//! Tests that the watchdog prints the step that hangs, and ignores threads that have ended.

use std::{process::Command, thread, time::Duration};

#[test]
#[ignore = "hangs; the test below runs it"]
fn hangs() {
    khor_patience::progress("the first step");
    khor_patience::progress("waiting for nothing");
    thread::sleep(Duration::from_hours(1));
}

#[test]
fn watchdog_names_and_ends_hang() {
    let mut harness = Command::new(std::env::current_exe().unwrap());
    harness.args(["--exact", "hangs", "--ignored"]).env(khor_patience::FACTOR, "0.03");
    let output = harness.output().unwrap();
    let text = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success());
    assert!(text.contains("HUNG: hangs: no progress since: waiting for nothing"), "{text}");
}

#[test]
#[ignore = "takes longer than the limit for a hang; the test below runs it"]
fn works_after_other_thread_ended() {
    let other = thread::Builder::new().name("another test".into());
    other.spawn(|| khor_patience::progress("the last step of another test")).unwrap().join().unwrap();
    thread::sleep(Duration::from_secs(4));
}

#[test]
fn watchdog_ignores_ended_threads() {
    let mut harness = Command::new(std::env::current_exe().unwrap());
    harness
        .args(["--exact", "works_after_other_thread_ended", "--ignored"])
        .env(khor_patience::FACTOR, "0.01");
    assert!(harness.output().unwrap().status.success());
}
