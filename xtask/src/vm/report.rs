//! Reads results from a machine's console, and shows the results of all machines in a table.

use std::{collections::VecDeque, time::Duration};

use anyhow::{Result, bail};

/// Text with which the console's last line begins. The exit code of the tests follows it.
pub(super) const END_MARK: &str = "khor-vm: the tests ended with";

/// Number of console lines to print if the tests do not end.
const TAIL: usize = 30;

/// How the run of a virtual machine ended.
#[derive(Debug, PartialEq)]
pub(super) enum End {
    /// All tests passed.
    Passed,
    /// The tests ended, and some failed or none ran.
    Failed,
    /// The machine powered off before the tests ended, or did not start.
    Vanished(String),
    /// The console was silent for too long.
    Hung,
    /// The user stopped the run.
    Stopped,
}

/// The results of the tests in one virtual machine.
pub(super) struct Outcome {
    pub(super) series: &'static str,
    release: String,
    passed: u32,
    failed: u32,
    /// Names of the failed tests.
    failures: Vec<String>,
    /// Whether the console's current lines are in the list of failed tests.
    lists_failures: bool,
    /// Name of the test that is running; `None` between two tests.
    pub(super) test: Option<String>,
    /// Exit code of the last test program that failed, or 0.
    code: Option<i32>,
    pub(super) end: End,
    pub(super) took: Duration,
    /// The last lines that the console has printed.
    tail: VecDeque<String>,
}

impl Outcome {
    /// Creates the results of a virtual machine that has not run yet.
    pub(super) fn new(series: &'static str, release: &str) -> Self {
        Self {
            series,
            release: release.to_owned(),
            passed: 0,
            failed: 0,
            failures: Vec::new(),
            lists_failures: false,
            test: None,
            code: None,
            end: End::Stopped,
            took: Duration::ZERO,
            tail: VecDeque::with_capacity(TAIL),
        }
    }

    /// Reads test names and results from the next line of the console.
    pub(super) fn take(&mut self, line: String) {
        if let Some((test, _)) = line.strip_prefix("test ").and_then(|rest| rest.split_once(" ...")) {
            self.test = Some(test.to_owned());
        }
        // The result is on the same line as the test's name, unless the test prints something. Then
        // the result is at the end of the test's own output.
        if ["ok", "FAILED"].iter().any(|end| line == *end || line.ends_with(&format!("... {end}"))) {
            self.test = None;
        }
        if let Some(code) = line.strip_prefix(END_MARK) {
            self.code = code.trim().parse().ok();
        } else if line.starts_with("test result: ") {
            self.passed += number_before(&line, " passed");
            self.failed += number_before(&line, " failed");
            self.lists_failures = false;
        } else if line == "failures:" {
            self.lists_failures = true;
        } else if let Some(name) = line.strip_prefix("    ").filter(|_| self.lists_failures) {
            self.failures.push(name.to_owned());
        }
        if self.tail.len() == TAIL {
            self.tail.pop_front();
        }
        self.tail.push_back(line);
    }

    /// How the tests ended, according to all lines that the console has printed. If no test ran,
    /// the result is a failure.
    pub(super) fn end_by_console(&self) -> End {
        match self.code {
            None => End::Vanished("the machine powered off before the tests ended".into()),
            Some(0) if self.passed > 0 && self.failed == 0 => End::Passed,
            Some(_) => End::Failed,
        }
    }

    fn row(&self) -> String {
        let word = match &self.end {
            End::Passed => "ok",
            End::Failed if self.passed + self.failed == 0 => "NO TESTS",
            End::Failed => "FAILED",
            End::Vanished(_) => "NO END",
            End::Hung => "HUNG",
            End::Stopped => "stopped",
        };
        let seconds = self.took.as_secs();
        format!("{:<36}{:>8}{:>8}{seconds:>9}  {word}", self.release, self.passed, self.failed)
    }

    /// If the tests did not end, prints the reason and the last lines of the console.
    fn explain(&self) {
        let reason = match &self.end {
            End::Passed | End::Failed | End::Stopped => return,
            End::Vanished(reason) => reason.clone(),
            End::Hung => format!("hung; the running test was {}", self.test.as_deref().unwrap_or("none")),
        };
        println!("\n{}: {reason}; the last lines of its console:", self.release);
        for line in &self.tail {
            println!("  {line}");
        }
    }
}

/// Prints why machines did not end normally, and then a table of all machines. Fails unless all
/// machines passed.
pub(super) fn conclude(outcomes: &[Outcome]) -> Result<()> {
    for outcome in outcomes {
        outcome.explain();
    }
    println!("\n{:<36}{:>8}{:>8}{:>9}\n{}", "kernel", "passed", "failed", "seconds", "-".repeat(72));
    for outcome in outcomes {
        println!("{}", outcome.row());
        for name in &outcome.failures {
            println!("  failed: {name}");
        }
    }
    let bad = outcomes.iter().filter(|outcome| outcome.end != End::Passed).count();
    if bad > 0 {
        bail!("{bad} of {} machines did not pass", outcomes.len());
    }
    Ok(())
}

/// The number before `word`. For example, the number before ` passed` in `ok. 8 passed; 0 failed`
/// is 8.
fn number_before(line: &str, word: &str) -> u32 {
    let before = line.split(word).next().filter(|before| before.len() < line.len()).unwrap_or_default();
    before.rsplit(' ').next().and_then(|number| number.parse().ok()).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(lines: &[String]) -> Outcome {
        let mut outcome = Outcome::new("6.1", "6.1.0-50-cloud-amd64");
        for line in lines {
            outcome.take(line.clone());
        }
        outcome.end = outcome.end_by_console();
        outcome
    }

    fn result(word: &str, passed: u32, failed: u32) -> String {
        format!("test result: {word}. {passed} passed; {failed} failed; 0 ignored; finished in 1.00s")
    }

    #[test]
    fn only_tests_that_ran_and_passed_count() {
        let mark = |code: i32| format!("{END_MARK} {code}");
        assert_eq!(after(&[result("ok", 8, 0), mark(0)]).end, End::Passed);
        assert_eq!(after(&[result("FAILED", 7, 1), result("ok", 1, 0), mark(101)]).end, End::Failed);
        assert_eq!(after(&[result("ok", 0, 0), mark(0)]).end, End::Failed);
        assert!(matches!(after(&[result("ok", 8, 0)]).end, End::Vanished(_)));
    }

    #[test]
    fn failed_tests_are_named() {
        let lines = [
            "    not yet",
            "failures:",
            "",
            "failures:",
            "    forks_agree",
            "",
            &result("FAILED", 7, 1),
            "    no",
        ];
        assert_eq!(after(&lines.map(str::to_owned)).failures, ["forks_agree"]);
    }

    #[test]
    fn row_sums_all_programs_in_80_columns() {
        let row = after(&[result("FAILED", 7, 1), result("ok", 4, 0)]).row();
        let words: Vec<_> = row.split_whitespace().collect();
        assert_eq!(words[..4], ["6.1.0-50-cloud-amd64", "11", "1", "0"]);
        assert!(row.len() <= 80, "{row}");
    }
}
