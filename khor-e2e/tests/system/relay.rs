//! Tests the relay's service: only root can read its keys, and systemd passes them to no program
//! but the relay.

use std::{fs, os::unix::fs::PermissionsExt};

use nkeys::KeyPair;

use crate::unit::{of, outcome_of, output_of, require_test_machine, wait_for};

const UNIT: &str = "khor-relay.service";
const ENV: &str = "/etc/khor/relay.env";
const SEED: &str = "/etc/khor/relay.nk";

#[test]
#[ignore = "only in the virtual machine of `cargo xtask vm debian`"]
fn relay_uses_root_only_seed() {
    require_test_machine();
    assert_eq!(output_of("stat --format=%a:%U:%G /etc/khor"), "700:root:root");
    let seed = KeyPair::new_user().seed().expect("a seed of a new user");
    // No server listens on port 1, so the relay keeps trying to connect.
    fs::write(ENV, "KHOR_SITE=vm\nKHOR_NATS=nats://127.0.0.1:1\n").expect("writing the variables");
    fs::write(SEED, &seed).expect("writing the seed");
    for file in [ENV, SEED] {
        fs::set_permissions(file, fs::Permissions::from_mode(0o600)).expect("the file's mode");
    }
    output_of(&format!("systemctl start {UNIT}"));
    let journal = || output_of(&format!("journalctl --boot --quiet --no-pager --output=cat --unit={UNIT}"));
    wait_for("the relay to log its source", || journal().contains("relaying from collector").then_some(()));
    assert_eq!(output_of(&format!("systemctl is-active {UNIT}")), "active");
    let log = journal();
    assert!(!log.contains("can read it") && !log.contains("is not trusted"), "{log}");
    for member in ["listener", "stranger"] {
        for file in [SEED, "/run/credentials/khor-relay.service/nats-nkey"] {
            assert!(!outcome_of(&of(member, &format!("cat {file}"))).0, "{member} can read {file}");
        }
    }

    // The error about a wrong seed shows that the relay reads this file.
    fs::write(SEED, "not a seed").expect("writing an invalid seed");
    output_of(&format!("systemctl stop {UNIT}"));
    let _ = outcome_of(&format!("systemctl start {UNIT}"));
    wait_for("the relay to report the invalid seed", || {
        journal().contains("nats-nkey: expected the seed of a user").then_some(())
    });
    let _ = outcome_of(&format!("systemctl stop {UNIT}"));
    for file in [ENV, SEED] {
        fs::remove_file(file).expect("removing the file");
    }
}
