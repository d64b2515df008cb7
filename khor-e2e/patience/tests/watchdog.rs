//! The watchdog names the step that hangs and ignores threads that have ended.

use std::{process::Command, thread, time::Duration};

#[test]
#[ignore = "hangs; the test below runs it"]
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

#[test]
#[ignore = "takes longer than the limit for a hang; the test below runs it"]
fn works_after_another_has_ended() {
    let other = thread::Builder::new().name("another test".into());
    other.spawn(|| khor_patience::progress("the last step of another test")).unwrap().join().unwrap();
    thread::sleep(Duration::from_secs(4));
}

#[test]
fn ended_thread_is_not_waited_for() {
    let mut harness = Command::new(std::env::current_exe().unwrap());
    harness
        .args(["--exact", "works_after_another_has_ended", "--ignored"])
        .env(khor_patience::FACTOR, "0.01");
    assert!(harness.output().unwrap().status.success());
}
