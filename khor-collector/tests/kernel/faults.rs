//! Tests `--check` with missing kernel files: the other parts work, and each missing part has a
//! reason.

use std::process::Command;

use khor_e2e::skip;

use crate::{program, turn};

/// Runs `--check` with an empty directory mounted over `hidden`. Returns its exit code and output.
fn check_without(hidden: &str) -> Option<(i32, String)> {
    let script = format!("mount -t tmpfs none {hidden} && exec {} --check", program().display());
    let ended = Command::new("unshare").args(["--mount", "sh", "-c", &script]).output().ok()?;
    let output = [&ended.stdout[..], &ended.stderr].concat();
    Some((ended.status.code()?, String::from_utf8_lossy(&output).into_owned()))
}

#[test]
fn missing_btf_exits_with_3_and_fix() {
    let Some(_turn) = turn() else { return };
    let Some((code, output)) = check_without("/sys/kernel/btf") else { return skip("needs unshare") };
    assert!(code == 3 && output.contains("CONFIG_DEBUG_INFO_BTF=y"), "{code} {output}");
}

#[test]
fn without_pressure_files_only_pressure_is_absent() {
    let Some(_turn) = turn() else { return };
    let Some((code, output)) = check_without("/proc/pressure") else { return skip("needs unshare") };
    assert_eq!(code, 0, "{output}");
    let state = |counter: &str| {
        let line =
            output.lines().find(|line| line.starts_with(counter)).unwrap_or_else(|| panic!("{output}"));
        line.split_whitespace().nth(1).expect("the line has a state").to_owned()
    };
    for counter in ["cpu_stall_us", "io_stall_us", "mem_stall_us"] {
        assert_eq!(state(counter), "absent:", "{output}");
    }
    assert!(output.contains("psi=1"), "{output}");
    for counter in ["switches", "faults", "write_bytes"] {
        assert_eq!(state(counter), "available", "{output}");
    }
}
