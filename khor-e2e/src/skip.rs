//! The one door through which a test that cannot run here leaves.

use std::io::{Write, stderr};

/// Set to 1 where all must run: a skip is a failure then.
const REQUIRE_ALL: &str = "KHOR_REQUIRE_ALL";
/// Set to 1 in the machines of `cargo xtask vm`.
const VM: &str = "KHOR_VM";

/// Says why a test is skipped; the caller returns next. With `KHOR_REQUIRE_ALL=1` in the environment, as on a
/// machine where all must run, it panics instead.
pub fn skip(reason: &str) {
    leave(reason, REQUIRE_ALL);
}

/// Likewise, for what no machine need have, since one of `cargo xtask vm` has it: a test must run there, where
/// `KHOR_VM=1` is in the environment.
pub fn skip_outside_vm(reason: &str) {
    leave(&format!("{reason}; `cargo xtask vm` has it"), VM);
}

/// Whether this is a machine of `cargo xtask vm`.
pub fn in_vm() -> bool {
    is_set(VM)
}

fn is_set(variable: &str) -> bool {
    std::env::var_os(variable).is_some_and(|value| value == "1")
}

fn leave(reason: &str, requirement: &str) {
    let required = is_set(requirement);
    assert!(!required, "this test must run here ({requirement}), but: {reason}");
    // Not `eprintln!`: the test harness keeps to itself what a test that passes prints.
    let _ = writeln!(stderr(), "SKIPPED: {reason}");
}

/// Whether the test has root's powers; skips it if not.
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
    #[ignore = "skips itself; run by the test below"]
    fn leaves() {
        skip("an example");
    }

    #[test]
    #[ignore = "skips itself; run by the test below"]
    fn leaves_outside_vm() {
        skip_outside_vm("an example");
    }

    #[test]
    fn a_skip_is_seen_and_fails_only_where_all_must_run() {
        let set = [(REQUIRE_ALL, "1"), (REQUIRE_ALL, "0"), (VM, "1")];
        for (test, failing) in [("leaves", (REQUIRE_ALL, "1")), ("leaves_outside_vm", (VM, "1"))] {
            for variable in set.into_iter().map(Some).chain([None]) {
                let mut harness = Command::new(std::env::current_exe().unwrap());
                harness.args(["--exact", &format!("skip::tests::{test}"), "--ignored"]);
                let output = harness.env_remove(REQUIRE_ALL).env_remove(VM).envs(variable).output().unwrap();
                let passes = variable != Some(failing);
                let text = String::from_utf8_lossy(&output.stderr);
                assert_eq!(output.status.success(), passes, "{test} {variable:?}");
                assert_eq!(text.contains("SKIPPED: an example"), passes, "{test} {variable:?}: {text}");
            }
        }
    }
}
