//! Tests the package: installed again in the running system, upgraded, removed, purged.

use std::path::Path;

use crate::unit::{
    SERVICE, SOCKET, listen, main_pid, outcome_of, output_of, require_a_machine_of_our_own, wait_for,
    wait_for_another,
};

const PACKAGE: &str = "/usr/lib/khor-e2e/khor.deb";
/// Folders in which files of khor could be left behind.
const PLACES: &str = "/etc /usr /var/lib /run/khor /run/systemd/system";

/// Everything of khor's that is there; the tests' own, and what dpkg logs, aside.
fn left() -> String {
    let found = outcome_of(&format!("find {PLACES} -xdev -iname *khor*")).1;
    let ours = |line: &&str| !line.contains("khor-e2e") && line.starts_with('/');
    found.lines().filter(ours).collect::<Vec<_>>().join("\n")
}

#[test]
#[ignore = "only in the machine of `cargo xtask vm debian`"]
fn package_upgrades_removes_and_purges_cleanly() {
    require_a_machine_of_our_own();
    let before = main_pid().expect("it runs");
    let output = output_of(&format!("dpkg --install {PACKAGE}"));
    wait_for_another(before);
    let _ = listen().sample();
    assert!(!output.contains("usermod"), "who upgrades has read that: {output}");

    output_of("dpkg --remove khor");
    assert!(main_pid().is_none() && !Path::new("/usr/bin/khor").exists());
    output_of("dpkg --purge khor");
    assert_eq!(left(), "");
    for database in ["passwd", "group"] {
        assert!(!outcome_of(&format!("getent {database} khor")).0, "{database}");
    }

    let output = output_of(&format!("dpkg --install {PACKAGE}"));
    assert!(output.contains("usermod --append --groups khor USER"), "{output}");
    wait_for("the collector", main_pid);
    for unit in [SERVICE, SOCKET] {
        assert_eq!(output_of(&format!("systemctl is-enabled {unit}")), "enabled");
    }
    assert_eq!(
        output_of("systemctl is-enabled dbus-org.khor.Collector.service"),
        "alias",
        "the bus starts this name"
    );
    let _ = listen().sample();
    // Their membership went with the group.
    for user in ["listener", "second"] {
        output_of(&format!("usermod --append --groups khor {user}"));
    }
}
