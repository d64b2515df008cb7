//! The one door through which a test that cannot run here leaves.

use std::io::{Write, stderr};

/// Set to 1 where all must run: a skip is a failure then.
const REQUIRE_ALL: &str = "KHOR_REQUIRE_ALL";

/// Says why a test is skipped; the caller returns next. With `KHOR_REQUIRE_ALL=1` in the environment, as on a
/// machine where all must run, it panics instead.
pub fn skip(reason: &str) {
    let required = std::env::var_os(REQUIRE_ALL).is_some_and(|value| value == "1");
    assert!(!required, "this test must run here ({REQUIRE_ALL}), but: {reason}");
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
    #[ignore = "skips itself; run by the next test"]
    fn leaves() {
        skip("an example");
    }

    #[test]
    fn a_skip_is_seen_and_fails_only_where_all_must_run() {
        for (value, passes) in [(None, true), (Some("0"), true), (Some("1"), false)] {
            let mut harness = Command::new(std::env::current_exe().unwrap());
            harness.args(["--exact", "skip::tests::leaves", "--ignored"]).env_remove(REQUIRE_ALL);
            let output = harness.envs(value.map(|value| (REQUIRE_ALL, value))).output().unwrap();
            let text = String::from_utf8_lossy(&output.stderr);
            assert_eq!(output.status.success(), passes, "{value:?}");
            assert_eq!(text.contains("SKIPPED: an example"), passes, "{value:?}: {text}");
        }
    }
}
