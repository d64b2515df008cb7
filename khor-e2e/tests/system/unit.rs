//! Tools of the system tests: run commands, also as other users, and read the state and the journal
//! of the collector's unit.

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
/// Path of the collector's socket.
pub(crate) const PATH: &str = "/run/khor/collector.sock";
/// Time between two queries. Each query uses much CPU time of an emulated machine.
const LOOK: Duration = Duration::from_millis(250);
/// Environment variable that is set only in the virtual machine of the tests.
const IN_TEST_MACHINE: &str = "KHOR_MACHINE_IS_OURS";

/// Panics outside the virtual machine of these tests, because they stop services and suspend the
/// machine.
pub(crate) fn require_test_machine() {
    assert!(
        std::env::var_os(IN_TEST_MACHINE).is_some(),
        "this test runs only in the virtual machine of `cargo xtask vm debian`"
    );
}

/// Runs a command line, split at whitespace.
pub(crate) fn run(command: &str) -> Output {
    khor_patience::progress(format!("running {command}"));
    // The host counts each line on this machine's console as progress.
    println!("$ {command}");
    let words: Vec<_> = command.split_whitespace().collect();
    Command::new(words[0]).args(&words[1..]).output().unwrap_or_else(|error| panic!("{command}: {error}"))
}

/// Runs a command. Returns whether it succeeded, and everything that it printed.
pub(crate) fn outcome_of(command: &str) -> (bool, String) {
    let output = run(command);
    let text = [&output.stdout[..], &output.stderr].concat();
    (output.status.success(), String::from_utf8_lossy(&text).trim().to_owned())
}

/// Runs a command that must succeed. Returns everything that it printed.
pub(crate) fn output_of(command: &str) -> String {
    let (success, text) = outcome_of(command);
    assert!(success, "{command}: {text}");
    text
}

/// A command line that runs `command` as another user, with the user's groups.
pub(crate) fn of(user: &str, command: &str) -> String {
    format!("setpriv --reuid={user} --regid={user} --init-groups --reset-env -- {command}")
}

/// A property of the collector's service, by its name in `systemctl show`.
pub(crate) fn property(name: &str) -> String {
    output_of(&format!("systemctl show --property={name} --value {SERVICE}"))
}

/// The process ID of the collector's service; `None` if it does not run.
pub(crate) fn main_pid() -> Option<u32> {
    property("MainPID").parse().ok().filter(|pid| *pid != 0)
}

/// Waits until `find` returns a value, with long pauses between calls. Panics after a minute of
/// machine time; the message contains `what`.
pub(crate) fn wait_for<T>(what: &str, mut find: impl FnMut() -> Option<T>) -> T {
    let mut wait = Wait::new(what);
    loop {
        if let Some(found) = find() {
            return found;
        }
        wait.pause(String::new);
        sleep(LOOK);
    }
}

/// Waits until the service runs in a process other than `before`. Returns the new process ID.
pub(crate) fn wait_for_another(before: u32) -> u32 {
    wait_for("a new collector process", || {
        main_pid().filter(|pid| *pid != before && property("ActiveState") == "active")
    })
}

/// Subscribes to the whole machine through the installed socket. Retries while the collector
/// starts.
pub(crate) fn subscribe() -> Subscriber {
    wait_for("a subscription at the collector", || Subscriber::new(Path::new(PATH), Scope::Machine, &[]).ok())
}

/// Warnings and errors in the journal after `since`: those of the collector, and those of systemd
/// about its units.
pub(crate) fn journal_warnings(since: &str) -> String {
    let journal = format!("journalctl --boot --quiet --no-pager --output=cat --priority=warning {since}");
    let own = output_of(&format!("{journal} _SYSTEMD_UNIT={SERVICE}"));
    let systemd = output_of(&format!("{journal} UNIT={SERVICE} + UNIT={SOCKET}"));
    format!("{own}{systemd}")
}

/// The current end of the journal, for [`journal_warnings`].
pub(crate) fn journal_now() -> String {
    let shown = output_of("journalctl --boot --quiet --no-pager --lines=1 --show-cursor --output=cat");
    let cursor =
        shown.lines().find_map(|line| line.strip_prefix("-- cursor: ")).expect("a cursor of the journal");
    format!("--after-cursor={cursor}")
}
