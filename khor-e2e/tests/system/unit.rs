//! Tests the collector's unit in the reports of systemd and its journal, and programs that other
//! users run.

use std::{
    path::Path,
    process::{Command, Output},
    thread::sleep,
    time::Duration,
};

use khor_e2e::{Subscriber, Wait};
use khor_proto::Scope;

pub(crate) const SERVICE: &str = "khor-collector.service";
pub(crate) const SOCKET: &str = "khor-collector.socket";
pub(crate) const PATH: &str = "/run/khor/collector.sock";
/// Time between two queries. Each keeps an emulated machine busy for a while.
const LOOK: Duration = Duration::from_millis(250);
/// Set by the service that runs the tests where they may do as they like.
const OURS: &str = "KHOR_MACHINE_IS_OURS";

/// Fails on a machine that is anybody's: these tests would stop its services and suspend it.
pub(crate) fn require_a_machine_of_our_own() {
    assert!(std::env::var_os(OURS).is_some(), "only in the machine of `cargo xtask vm debian`");
}

/// Runs a command of words without spaces.
pub(crate) fn run(command: &str) -> Output {
    khor_patience::progress(format!("running {command}"));
    // The host counts each line on the console as progress.
    println!("$ {command}");
    let words: Vec<_> = command.split_whitespace().collect();
    Command::new(words[0]).args(&words[1..]).output().unwrap_or_else(|error| panic!("{command}: {error}"))
}

/// What the command printed, both ways, and whether it succeeded.
pub(crate) fn outcome_of(command: &str) -> (bool, String) {
    let output = run(command);
    let text = [&output.stdout[..], &output.stderr].concat();
    (output.status.success(), String::from_utf8_lossy(&text).trim().to_owned())
}

/// What a command printed that must succeed.
pub(crate) fn output_of(command: &str) -> String {
    let (success, text) = outcome_of(command);
    assert!(success, "{command}: {text}");
    text
}

/// The command as another user runs it, with that user's groups.
pub(crate) fn of(user: &str, command: &str) -> String {
    format!("setpriv --reuid={user} --regid={user} --init-groups --reset-env -- {command}")
}

/// A property of the service, as `systemctl show` names it.
pub(crate) fn property(name: &str) -> String {
    output_of(&format!("systemctl show --property={name} --value {SERVICE}"))
}

/// The service's main process, if it runs.
pub(crate) fn main_pid() -> Option<u32> {
    property("MainPID").parse().ok().filter(|pid| *pid != 0)
}

/// Waits until `found` finds something, looking now and then; panics with `what` after a while.
pub(crate) fn wait_for<T>(what: &str, mut found: impl FnMut() -> Option<T>) -> T {
    let mut wait = Wait::new(what);
    loop {
        if let Some(it) = found() {
            return it;
        }
        wait.pause(String::new);
        sleep(LOOK);
    }
}

/// Waits until the service runs as another process than `before`, and returns that one.
pub(crate) fn wait_for_another(before: u32) -> u32 {
    wait_for("another collector", || {
        main_pid().filter(|pid| *pid != before && property("ActiveState") == "active")
    })
}

/// Subscribes to the whole machine through the installed socket. Retries while the collector
/// starts.
pub(crate) fn listen() -> Subscriber {
    wait_for("an answer", || Subscriber::new(Path::new(PATH), Scope::Machine, &[]).ok())
}

/// The relevant part of the journal: the collector's own warnings and errors, and systemd's about
/// its units.
pub(crate) fn complaints(since: &str) -> String {
    let journal = format!("journalctl --boot --quiet --no-pager --output=cat --priority=warning {since}");
    let own = output_of(&format!("{journal} _SYSTEMD_UNIT={SERVICE}"));
    let systemd = output_of(&format!("{journal} UNIT={SERVICE} + UNIT={SOCKET}"));
    format!("{own}{systemd}")
}

/// Where the journal ends now, for [`complaints`].
pub(crate) fn journal_now() -> String {
    let shown = output_of("journalctl --boot --quiet --no-pager --lines=1 --show-cursor --output=cat");
    let cursor = shown.lines().find_map(|line| line.strip_prefix("-- cursor: ")).expect("a cursor");
    format!("--after-cursor={cursor}")
}
