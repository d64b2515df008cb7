//! Checks installed files and documents: access to relays' keys, activation by the bus, and advice
//! about `setcap`.

use std::{fs, path::Path};

fn text(path: &str) -> String {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    fs::read_to_string(root.join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// The `Name=value` settings of a systemd unit or a D-Bus service file.
fn settings(path: &str) -> Vec<(String, String)> {
    let text = text(path);
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    lines
        .filter_map(|line| line.split_once('=').map(|(name, value)| (name.to_owned(), value.to_owned())))
        .collect()
}

fn value(settings: &[(String, String)], name: &str) -> Option<String> {
    settings.iter().find(|(held, _)| held == name).map(|(_, value)| value.clone())
}

/// Anyone who can read a relay's key can send frames in the name of the relay's host. So members of
/// the group `khor` must not be able to read the key.
#[test]
fn relay_keys_are_unit_credentials() {
    let unit = settings("systemd/khor-relay.service");
    let loaded = unit.iter().filter(|(name, _)| name == "LoadCredential");
    let (ids, paths): (Vec<_>, Vec<_>) = loaded.filter_map(|(_, value)| value.split_once(':')).unzip();
    assert_eq!(ids, ["nats-nkey", "nats-creds", "nats-ca", "nats-cert", "nats-key"]);
    let guide = text("docs/fleet.md");
    for path in paths {
        let name = path.rsplit('/').next().unwrap_or(path);
        assert!(guide.contains(name), "docs/fleet.md does not name {path}");
    }
    for advice in ["root:khor", "chgrp khor", "--group khor", "-g khor"] {
        let gives_away = guide.lines().any(|line| line.contains(advice) && line.contains("/etc/khor"));
        assert!(!gives_away, "docs/fleet.md gives a key to the group: {advice}");
    }
}

/// The bus starts the unit by an alias, which `systemctl disable` removes.
#[test]
fn bus_starts_only_enabled_collector() {
    let activated = value(&settings("packaging/dbus/org.khor.Collector.service"), "SystemdService");
    let activated = activated.expect("SystemdService in the service file");
    let unit = settings("systemd/khor-collector.service");
    assert_eq!(
        value(&unit, "Alias"),
        Some(activated.clone()),
        "the unit's alias differs from SystemdService"
    );
    assert_ne!(activated, "khor-collector.service");
}

/// Every user who may run a program with capabilities gets these capabilities. So the advice must
/// restrict the program's file mode.
#[test]
fn capability_advice_restricts_program_to_group() {
    for path in ["docs/collector.md", "khor-collector/src/privilege/mod.rs"] {
        let text = text(path);
        assert!(text.contains("setcap"), "{path} does not mention setcap");
        assert!(text.contains("0750") || text.contains("750"), "{path} does not name the mode 0750");
        assert!(
            text.contains("root:khor") || text.contains("-g khor"),
            "{path} does not give the program to the group khor"
        );
    }
}
