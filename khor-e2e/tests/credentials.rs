//! Tests that `khor relay` reads the NATS keys that systemd passes to it. Also tests the doctor's
//! check of the keys.

use std::{fs, os::unix::fs::PermissionsExt, path::Path, process::Command};

use khor_e2e::engine::program;
use tempfile::TempDir;

/// Runs a relay with these credentials, which must fail. Returns its error output.
fn relay(credentials: &Path, options: &[&str]) -> String {
    let output = Command::new(program("khor"))
        .args(["relay", "--site", "home", "--host", "web-1", "--no-bpf", "--nats", "nats://127.0.0.1:1"])
        .arg("--baseline")
        .arg(credentials.join("baseline.json"))
        .args(options)
        .env("CREDENTIALS_DIRECTORY", credentials)
        .output()
        .expect("starting khor");
    assert!(!output.status.success(), "{output:?}");
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn relay_option_overrides_found_credentials() {
    let dir = TempDir::new().expect("creating a temporary directory");
    let write =
        |name: &str, content: &str| fs::write(dir.path().join(name), content).expect("writing a credential");
    write("nats-creds", "\n");
    write("nats-nkey", "no seed");
    let found = relay(dir.path(), &[]);
    assert!(found.contains("nats-nkey: expected the seed of a user"), "{found}");
    let named = relay(dir.path(), &["--nkey", "/nonexistent/other.nk"]);
    assert!(named.contains("/nonexistent/other.nk") && !named.contains("nats-nkey"), "{named}");
    write("nats-creds", "no credentials");
    let both = relay(dir.path(), &[]);
    assert!(both.contains("relay.creds") && both.contains("relay.nk"), "{both}");
}

#[test]
fn doctor_warns_of_readable_key() {
    let dir = TempDir::new().expect("creating a temporary directory");
    let seed = dir.path().join("relay.nk");
    fs::write(&seed, "no seed").expect("writing the seed");
    let check = |mode| {
        fs::set_permissions(&seed, fs::Permissions::from_mode(mode)).expect("the seed's mode");
        let mut khor = Command::new(program("khor"));
        khor.args(["doctor", "--json", "--socket", "/nonexistent/collector.sock", "--config"]);
        let output = khor.arg(dir.path().join("config.json")).output().expect("starting khor");
        let diagnosis: serde_json::Value =
            serde_json::from_slice(&output.stdout).expect("JSON of khor doctor");
        let checks = diagnosis["checks"].as_array().expect("a list of checks").clone();
        checks.into_iter().find(|check| check["name"] == "keys").expect("the check of keys")
    };
    assert_eq!(check(0o600)["state"], "ok");
    let open = check(0o640);
    assert_eq!(open["state"], "problem", "{open}");
    let fix = open["fix"].as_str().expect("a fix of the problem");
    assert!(fix.contains("chmod 600") && fix.contains("relay.nk"), "{open}");
}
