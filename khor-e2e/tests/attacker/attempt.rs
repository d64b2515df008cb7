//! Runs the rows of an attack table in a process of another user. The process runs this same test
//! program, which `--exact` restricts to one test.

use std::{
    io::{BufRead, BufReader},
    process::{Child, ChildStdout, Command, Stdio},
    sync::mpsc,
    thread,
    time::Duration,
};

use khor_e2e::{SecondUser, Wait};
use khor_patience::progress;
use serde_json::{Value, json};

use crate::tables;

/// Environment variable that passes the name of the attack table to the attacker's process.
const TABLE: &str = "KHOR_ATTACK_TABLE";
/// Environment variable that passes the [`Target`], as JSON, to the attacker's process.
const TARGET: &str = "KHOR_ATTACK_TARGET";
/// Prefix of each line that the attacker's process prints for the test.
const MARK: &str = "@@ ";

/// The result of an attempt: a text on success, or the reason why it was rejected.
pub(crate) type Outcome = Result<String, String>;

/// The target of the attempts, for example `{"engine": "127.0.0.1:17321"}`.
#[derive(Clone, Debug)]
pub(crate) struct Target(pub(crate) Value);

impl Target {
    /// A text field of the target. Panics if it is missing.
    pub(crate) fn text(&self, key: &str) -> &str {
        self.0[key].as_str().unwrap_or_else(|| panic!("the target has no {key}: {}", self.0))
    }

    /// A number field of the target. Panics if it is missing.
    pub(crate) fn number(&self, key: &str) -> u64 {
        self.0[key].as_u64().unwrap_or_else(|| panic!("the target has no {key}: {}", self.0))
    }

    /// The engine's port.
    pub(crate) fn port(&self) -> u16 {
        self.text("engine")
            .rsplit(':')
            .next()
            .and_then(|port| port.parse().ok())
            .expect("an engine address with a port")
    }
}

/// An attempt in an attack table.
pub(crate) struct Row {
    pub(crate) name: String,
    /// What the attacker gains if the attempt succeeds.
    pub(crate) success: &'static str,
    pub(crate) attempt: Box<dyn Fn(&Target) -> Outcome>,
}

impl Row {
    pub(crate) fn new(
        name: impl Into<String>,
        success: &'static str,
        attempt: impl Fn(&Target) -> Outcome + 'static,
    ) -> Self {
        Self { name: name.into(), success, attempt: Box::new(attempt) }
    }
}

/// The result of a row, as the attacker's process printed it.
#[derive(Debug)]
pub(crate) struct RowResult {
    name: String,
    success: String,
    pub(crate) outcome: Outcome,
}

/// Prints a line for the test that started this process.
pub(crate) fn report(line: &str) {
    println!("{MARK}{line}");
}

/// Runs the rows of an attack table as the current user. Other tests start this test in a process
/// of another user.
#[test]
#[ignore = "the process of another user, started by the tests of this program"]
fn one_user() {
    let variable = |name| std::env::var(name).unwrap_or_else(|_| panic!("{name} is not set"));
    let target = Target(serde_json::from_str(&variable(TARGET)).expect("a target in JSON"));
    for row in tables::rows(&variable(TABLE), &target) {
        progress(row.name.clone());
        let outcome = (row.attempt)(&target);
        let (is_success, text) = match &outcome {
            Ok(text) => (true, text),
            Err(text) => (false, text),
        };
        report(&json!([row.name, row.success, is_success, text]).to_string());
    }
}

fn start(user: &SecondUser, table: &str, target: &Value) -> (Child, ChildStdout) {
    progress(format!("user {}: {table}", user.uid()));
    let this = std::env::current_exe().expect("this program's path");
    let mut command: Command = user.command(&this);
    command.args(["--exact", "attempt::one_user", "--ignored", "--nocapture"]);
    command.env(TABLE, table).env(TARGET, target.to_string()).stdin(Stdio::null()).stdout(Stdio::piped());
    let mut child = command.spawn().expect("starting the other user's process");
    let output = child.stdout.take().expect("the other process's output");
    (child, output)
}

/// Runs all rows of a table as `user`.
pub(crate) fn try_all(user: &SecondUser, table: &str, target: &Value) -> Vec<RowResult> {
    let (mut child, output) = start(user, table, target);
    let mut tried = Vec::new();
    for line in BufReader::new(output).lines().map_while(Result::ok) {
        progress(format!("{table}: {line}"));
        let Some(line) = line.strip_prefix(MARK) else { continue };
        let (name, success, is_success, text): (String, String, bool, String) =
            serde_json::from_str(line).unwrap_or_else(|error| panic!("{line}: {error}"));
        println!(
            "user {}: {name}: {}: {text}",
            user.uid(),
            if is_success { "succeeded" } else { "rejected" }
        );
        tried.push(RowResult { name, success, outcome: if is_success { Ok(text) } else { Err(text) } });
    }
    assert!(
        child.wait().expect("waiting for the other process").success(),
        "{table}: the other process failed"
    );
    assert!(!tried.is_empty(), "{table} has no rows");
    tried
}

/// Runs a table as `user`. Fails with the list of successful rows, because all rows must be
/// rejected.
pub(crate) fn assert_rejected(user: &SecondUser, table: &str, target: &Value) {
    let tried = try_all(user, table, target);
    let succeeded: Vec<String> = tried
        .iter()
        .filter_map(|row| Some(format!("{}: {} ({})", row.name, row.success, row.outcome.as_ref().ok()?)))
        .collect();
    assert!(
        succeeded.is_empty(),
        "{} of {} attempts of user {} succeeded:\n{}",
        succeeded.len(),
        tried.len(),
        user.uid(),
        succeeded.join("\n")
    );
}

/// Runs a table as `user`. Fails with the list of rejected rows, because all rows must succeed.
pub(crate) fn assert_granted(user: &SecondUser, table: &str, target: &Value) {
    let tried = try_all(user, table, target);
    let rejected: Vec<String> = tried
        .iter()
        .filter_map(|row| Some(format!("{}: {}", row.name, row.outcome.as_ref().err()?)))
        .collect();
    assert!(
        rejected.is_empty(),
        "user {}, who has access: {} of {} attempts were rejected:\n{}",
        user.uid(),
        rejected.len(),
        tried.len(),
        rejected.join("\n")
    );
}

/// A process of another user that runs the rows of a table; killed when dropped.
pub(crate) struct Service {
    child: Child,
    lines: mpsc::Receiver<String>,
}

impl Service {
    /// Starts a process that runs the rows of `table`, and does not wait for it. The process
    /// reports lines until it is killed.
    pub(crate) fn start(user: &SecondUser, table: &str, target: &Value) -> Self {
        let (child, output) = start(user, table, target);
        let (sender, lines) = mpsc::channel();
        thread::spawn(move || {
            let lines = BufReader::new(output).lines().map_while(Result::ok);
            lines
                .filter_map(|line| Some(line.strip_prefix(MARK)?.to_owned()))
                .try_for_each(|line| sender.send(line))
        });
        Self { child, lines }
    }

    /// Waits for a line that begins with `start`, and returns the rest of the line.
    pub(crate) fn wait_for(&self, start: &str) -> String {
        let mut wait = Wait::new(&format!("the other process to report {start:?}"));
        loop {
            match self.lines.recv_timeout(Duration::from_millis(100)) {
                Ok(line) if line.starts_with(start) => return line[start.len()..].trim().to_owned(),
                Err(mpsc::RecvTimeoutError::Disconnected) => {
                    panic!("the other process ended before it reported {start:?}")
                }
                _ => wait.check(String::new),
            }
        }
    }

    /// All reported lines that the test has not read yet.
    pub(crate) fn lines(&self) -> Vec<String> {
        self.lines.try_iter().collect()
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
