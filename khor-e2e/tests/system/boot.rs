//! Tests the state after booting: the user, the group, the directory, both units, and a collector
//! without privileges.

use std::{collections::BTreeMap, fs, os::unix::fs::MetadataExt};

use khor_e2e::procfs;

use crate::unit::{
    PATH, SERVICE, SOCKET, journal_warnings, main_pid, output_of, property, require_test_machine,
};

/// The capabilities `CAP_PERFMON` and `CAP_BPF`, as bits.
const TWO_CAPABILITIES: u64 = 1 << 38 | 1 << 39;
/// Highest exposure of the collector's unit that the test accepts from `systemd-analyze security`,
/// in tenths: 15 means an exposure of 1.5.
const EXPOSURE: u32 = 15;

#[test]
#[ignore = "only in the virtual machine of `cargo xtask vm debian`"]
fn user_group_and_directory_are_created() {
    require_test_machine();
    let user = output_of("getent passwd khor");
    assert!(user.ends_with("nologin"), "{user}");
    let id = |name: &str| -> u32 { output_of(&format!("id {name} khor")).parse().expect("a numeric ID") };
    let (uid, gid) = (id("-u"), id("-g"));
    assert!(uid < 1000 && output_of(&format!("getent group {gid}")).starts_with("khor:"), "{user}");
    let found = |path: &str| {
        let found = fs::metadata(path).unwrap_or_else(|error| panic!("{path}: {error}"));
        (found.mode() & 0o7777, found.uid(), found.gid())
    };
    assert_eq!(found("/run/khor"), (0o755, 0, 0));
    assert_eq!(found(PATH), (0o660, 0, gid));
}

#[test]
#[ignore = "only in the virtual machine of `cargo xtask vm debian`"]
fn both_units_run_without_warnings() {
    require_test_machine();
    for unit in [SERVICE, SOCKET] {
        let state = |query: &str| output_of(&format!("systemctl {query} {unit}"));
        assert_eq!((state("is-active").as_str(), state("is-enabled").as_str()), ("active", "enabled"));
    }
    let names = ["Type", "SubState", "NRestarts", "WatchdogUSec", "Result", "User"];
    let values = names.map(property);
    assert_eq!(values, ["notify", "running", "0", "30s", "success", "khor"]);
    assert_ne!(property("WatchdogTimestampMonotonic"), "0", "the collector sends no watchdog notifications");
    assert_eq!(journal_warnings(""), "");
    println!(
        "{}",
        output_of(&format!("journalctl --boot --no-pager --unit={SERVICE} --output=short-monotonic"))
    );
}

#[test]
#[ignore = "only in the virtual machine of `cargo xtask vm debian`"]
fn no_thread_has_privileges() {
    require_test_machine();
    let pid = main_pid().expect("a running collector");
    let uid = output_of("id -u khor");
    let mut threads = 0;
    for thread in fs::read_dir(format!("/proc/{pid}/task")).expect("the collector's threads").flatten() {
        threads += 1;
        let status = fs::read_to_string(thread.path().join("status")).expect("the thread's status");
        let fields: BTreeMap<_, _> = status.lines().filter_map(|line| line.split_once(":\t")).collect();
        let bits = |name: &str| u64::from_str_radix(fields[name], 16).expect("a hexadecimal mask");
        assert_eq!(["CapInh", "CapPrm", "CapEff", "CapAmb"].map(bits), [0; 4], "{status}");
        assert_eq!(bits("CapBnd"), TWO_CAPABILITIES, "{status}");
        assert_eq!((fields["NoNewPrivs"], fields["Seccomp"]), ("1", "2"), "{status}");
        assert!(fields["Uid"].split_whitespace().all(|id| id == uid), "{status}");
    }
    let filters = |pid: u32| procfs::status(pid, "Seccomp_filters");
    println!(
        "{threads} threads; filters of system calls: {}; RSS {}",
        filters(pid),
        procfs::status(pid, "VmRSS")
    );
    let network =
        |pid: &str| fs::read_link(format!("/proc/{pid}/ns/net")).expect("the process's network namespace");
    assert_ne!(
        network(&pid.to_string()),
        network("self"),
        "the collector shares the machine's network namespace"
    );
}

#[test]
#[ignore = "only in the virtual machine of `cargo xtask vm debian`"]
fn unit_exposure_is_as_documented() {
    require_test_machine();
    let judged = output_of(&format!("systemd-analyze security --no-pager --threshold={EXPOSURE} {SERVICE}"));
    println!("{}", judged.lines().last().unwrap_or_default());
}
