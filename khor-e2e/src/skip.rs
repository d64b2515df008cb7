//! Skips tests that cannot run on this machine.

use std::{
    fs::File,
    io::{Write, stderr},
    path::Path,
};

/// Environment variable. If it is 1, every test must run, so a skipped test fails.
const REQUIRE_ALL: &str = "KHOR_REQUIRE_ALL";
/// Environment variable that is set to 1 in the virtual machines of `cargo xtask vm`.
const VM: &str = "KHOR_VM";
/// Environment variable: path of a file to which each skipped test appends a line, "test name:
/// reason".
const SKIPPED_FILE: &str = "KHOR_SKIPPED_FILE";

/// Prints why the test is skipped. The caller must then return. If the environment contains
/// `KHOR_REQUIRE_ALL=1`, all tests must run, so this function panics instead.
pub fn skip(reason: &str) {
    skip_or_fail(reason, REQUIRE_ALL);
}

/// Like [`skip`], for tests that run only in a virtual machine of `cargo xtask vm`. Such a machine
/// sets `KHOR_VM=1`. If this variable is set, the test must not be skipped, so this function
/// panics.
pub fn skip_outside_vm(reason: &str) {
    skip_or_fail(&format!("{reason}; run `cargo xtask vm` for this test"), VM);
}

/// Whether the test runs in a virtual machine of `cargo xtask vm`.
pub fn in_vm() -> bool {
    is_set(VM)
}

fn is_set(variable: &str) -> bool {
    std::env::var_os(variable).is_some_and(|value| value == "1")
}

fn skip_or_fail(reason: &str, requirement: &str) {
    let required = is_set(requirement);
    assert!(!required, "this test must run here because {requirement} is 1, but it cannot: {reason}");
    // Write to `stderr()` directly. The test harness would hide the output of `eprintln!` when the
    // test passes.
    let _ = writeln!(stderr(), "SKIPPED: {reason}");
    if let Some(path) = std::env::var_os(SKIPPED_FILE) {
        append(path.as_ref(), &format!("{}: {reason}\n", test_name()));
    }
}

/// Appends with one write, because several test processes share the file.
fn append(path: &Path, line: &str) {
    let file = File::options().create(true).append(true).open(path);
    let written = file.and_then(|mut file| file.write_all(line.as_bytes()));
    written.unwrap_or_else(|error| panic!("{SKIPPED_FILE}={}: {error}", path.display()));
}

/// The name of the running test. The harness gives the test's thread this name. A test that runs in
/// the main thread has its name on the command line, if `--exact` selected it.
fn test_name() -> String {
    let thread = std::thread::current().name().filter(|name| *name != "main").map(str::to_owned);
    let asked = || {
        let mut arguments = std::env::args().skip(1);
        let exact = std::env::args().any(|argument| argument == "--exact");
        arguments.find(|argument| exact && !argument.starts_with('-'))
    };
    thread.or_else(asked).unwrap_or_else(|| "a test".into())
}

/// Returns whether the test runs as root. If not, prints that the test is skipped. The caller must
/// then return.
pub fn root_or_skip() -> bool {
    let root = nix::unistd::geteuid().is_root();
    if !root {
        skip("needs root");
    }
    root
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;

    #[test]
    #[ignore = "skips itself; another test runs it"]
    fn skips() {
        skip("an example");
    }

    #[test]
    #[ignore = "skips itself; another test runs it"]
    fn skips_outside_vm() {
        skip_outside_vm("an example");
    }

    #[test]
    fn skipped_tests_are_listed_in_the_file() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("skipped");
        for threads in ["1", "2"] {
            let mut harness = Command::new(std::env::current_exe().unwrap());
            harness.args(["--exact", "skip::tests::skips", "--ignored", "--test-threads", threads]);
            harness.env_remove(REQUIRE_ALL).env(SKIPPED_FILE, &file);
            assert!(harness.output().unwrap().status.success());
        }
        let listed = std::fs::read_to_string(file).unwrap();
        assert_eq!(listed, "skip::tests::skips: an example\n".repeat(2));
    }

    #[test]
    fn skip_fails_where_tests_must_run() {
        let set = [(REQUIRE_ALL, "1"), (REQUIRE_ALL, "0"), (VM, "1")];
        for (test, failing) in [("skips", (REQUIRE_ALL, "1")), ("skips_outside_vm", (VM, "1"))] {
            for variable in set.into_iter().map(Some).chain([None]) {
                let mut harness = Command::new(std::env::current_exe().unwrap());
                harness.args(["--exact", &format!("skip::tests::{test}"), "--ignored"]);
                let output = harness
                    .env_remove(REQUIRE_ALL)
                    .env_remove(VM)
                    .env_remove(SKIPPED_FILE)
                    .envs(variable)
                    .output()
                    .unwrap();
                let passes = variable != Some(failing);
                let text = String::from_utf8_lossy(&output.stderr);
                assert_eq!(output.status.success(), passes, "{test} {variable:?}");
                assert_eq!(text.contains("SKIPPED: an example"), passes, "{test} {variable:?}: {text}");
            }
        }
    }
}
