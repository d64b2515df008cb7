//! Tests with missing parts: the other parts work, and each missing one has a reason.

use std::process::Command;

use khor_e2e::skip;

use crate::{program, turn};

/// Runs `--check` with an empty directory over `hidden`. Returns its exit code and its output.
fn check_without(hidden: &str) -> Option<(i32, String)> {
    let script = format!("mount -t tmpfs none {hidden} && exec {} --check", program().display());
    let output = Command::new("unshare").args(["--mount", "sh", "-c", &script]).output().ok()?;
    let said = [&output.stdout[..], &output.stderr].concat();
    Some((output.status.code()?, String::from_utf8_lossy(&said).into_owned()))
}

#[test]
fn missing_btf_exits_with_3_and_fix() {
    let Some(_turn) = turn() else { return };
    let Some((code, said)) = check_without("/sys/kernel/btf") else { return skip("needs unshare") };
    assert!(code == 3 && said.contains("CONFIG_DEBUG_INFO_BTF=y"), "{code} {said}");
}

#[test]
fn without_pressure_files_only_pressure_is_absent() {
    let Some(_turn) = turn() else { return };
    let Some((code, said)) = check_without("/proc/pressure") else { return skip("needs unshare") };
    assert_eq!(code, 0, "{said}");
    let state = |counter: &str| {
        let line = said.lines().find(|line| line.starts_with(counter)).unwrap_or_else(|| panic!("{said}"));
        line.split_whitespace().nth(1).expect("a state").to_owned()
    };
    for counter in ["cpu_stall_us", "io_stall_us", "mem_stall_us"] {
        assert_eq!(state(counter), "absent:", "{said}");
    }
    assert!(said.contains("psi=1"), "{said}");
    for counter in ["switches", "faults", "write_bytes"] {
        assert_eq!(state(counter), "available", "{said}");
    }
}
