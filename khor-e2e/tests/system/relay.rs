//! Tests the relay's service: only root can read its keys, and systemd passes them only to the
//! relay.

use std::{fs, os::unix::fs::PermissionsExt};

use nkeys::KeyPair;

use crate::unit::{of, outcome_of, output_of, require_a_machine_of_our_own, wait_for};

const UNIT: &str = "khor-relay.service";
const ENV: &str = "/etc/khor/relay.env";
const SEED: &str = "/etc/khor/relay.nk";

#[test]
#[ignore = "only in the machine of `cargo xtask vm debian`"]
fn relay_uses_root_only_seed() {
    require_a_machine_of_our_own();
    assert_eq!(output_of("stat --format=%a:%U:%G /etc/khor"), "700:root:root");
    let seed = KeyPair::new_user().seed().expect("a seed");
    // Port 1: no server answers, and the relay keeps trying.
    fs::write(ENV, "KHOR_SITE=vm\nKHOR_NATS=nats://127.0.0.1:1\n").expect("variables");
    fs::write(SEED, &seed).expect("a seed");
    for file in [ENV, SEED] {
        fs::set_permissions(file, fs::Permissions::from_mode(0o600)).expect("its mode");
    }
    output_of(&format!("systemctl start {UNIT}"));
    let journal = || output_of(&format!("journalctl --boot --quiet --no-pager --output=cat --unit={UNIT}"));
    wait_for("the relay", || journal().contains("relaying from collector").then_some(()));
    assert_eq!(output_of(&format!("systemctl is-active {UNIT}")), "active");
    let log = journal();
    assert!(!log.contains("can read it") && !log.contains("is not trusted"), "{log}");
    for member in ["listener", "stranger"] {
        for file in [SEED, "/run/credentials/khor-relay.service/nats-nkey"] {
            assert!(!outcome_of(&of(member, &format!("cat {file}"))).0, "{member} reads {file}");
        }
    }

    // The error about a wrong seed shows that the relay reads this file.
    fs::write(SEED, "not a seed").expect("a file");
    output_of(&format!("systemctl stop {UNIT}"));
    let _ = outcome_of(&format!("systemctl start {UNIT}"));
    wait_for("the complaint", || journal().contains("nats-nkey: expected the seed of a user").then_some(()));
    let _ = outcome_of(&format!("systemctl stop {UNIT}"));
    for file in [ENV, SEED] {
        fs::remove_file(file).expect("the test's own file");
    }
}
