//! Tests the package khor in a running system: upgrade, removal, purge and a new installation.

use std::path::Path;

use crate::unit::{
    SERVICE, SOCKET, main_pid, outcome_of, output_of, require_test_machine, subscribe, wait_for,
    wait_for_another,
};

/// Path of the package file.
const PACKAGE: &str = "/usr/lib/khor-e2e/khor.deb";
/// Folders that could contain remaining files of khor.
const PLACES: &str = "/etc /usr /var/lib /run/khor /run/systemd/system";

/// All files of khor in these folders, except those of the tests.
fn remaining_files() -> String {
    let found = outcome_of(&format!("find {PLACES} -xdev -iname *khor*")).1;
    let ours = |line: &&str| !line.contains("khor-e2e") && line.starts_with('/');
    found.lines().filter(ours).collect::<Vec<_>>().join("\n")
}

#[test]
#[ignore = "only in the virtual machine of `cargo xtask vm debian`"]
fn package_upgrades_removes_and_purges_cleanly() {
    require_test_machine();
    let before = main_pid().expect("a running collector");
    let output = output_of(&format!("dpkg --install {PACKAGE}"));
    wait_for_another(before);
    let _ = subscribe().sample();
    assert!(!output.contains("usermod"), "the upgrade repeats the advice of the installation: {output}");

    output_of("dpkg --remove khor");
    assert!(main_pid().is_none() && !Path::new("/usr/bin/khor").exists());
    output_of("dpkg --purge khor");
    assert_eq!(remaining_files(), "");
    for database in ["passwd", "group"] {
        assert!(!outcome_of(&format!("getent {database} khor")).0, "the purge left khor in {database}");
    }

    let output = output_of(&format!("dpkg --install {PACKAGE}"));
    assert!(output.contains("usermod --append --groups khor USER"), "{output}");
    wait_for("the collector to run", main_pid);
    for unit in [SERVICE, SOCKET] {
        assert_eq!(output_of(&format!("systemctl is-enabled {unit}")), "enabled");
    }
    assert_eq!(
        output_of("systemctl is-enabled dbus-org.khor.Collector.service"),
        "alias",
        "the alias that the bus starts"
    );
    let _ = subscribe().sample();
    // The purge removed the group, so these users must become members again.
    for user in ["listener", "second"] {
        output_of(&format!("usermod --append --groups khor {user}"));
    }
}
