//! Tests two users who log in with the same configuration. Each user reaches their own engine, and
//! cannot read the other user's engine.

use std::fs;

use serde_json::{Value, json};

use crate::{
    http::get,
    unit::{of, outcome_of, output_of, require_test_machine, wait_for},
};

const USERS: [&str; 2] = ["listener", "second"];
const PORT: u16 = 17321;

fn uid(user: &str) -> String {
    output_of(&format!("id -u {user}"))
}

/// A command that `user` runs in their session.
fn in_session(user: &str, command: &str) -> String {
    of(user, &format!("env HOME=/home/{user} XDG_RUNTIME_DIR=/run/user/{} {command}", uid(user)))
}

/// The contents of `engine.json`, which the user's engine publishes while it runs.
fn published(user: &str) -> Option<Value> {
    let text = fs::read_to_string(format!("/run/user/{}/khor/engine.json", uid(user))).ok()?;
    serde_json::from_str(&text).ok()
}

fn port(user: &str) -> u16 {
    let published = published(user).expect("the engine.json of the user");
    let address = published["address"].as_str().expect("an address in engine.json").to_owned();
    address.rsplit(':').next().and_then(|port| port.parse().ok()).expect("an address with a port")
}

/// The status of the response to a user's request to the engine at `port`.
fn status(user: &str, port: u16) -> Option<u16> {
    Some(get(user, port, "/api/health")?.0)
}

fn log_in(user: &str) {
    let folder = format!("/home/{user}/.config/khor");
    fs::create_dir_all(&folder).expect("creating the configuration folder");
    let config = json!({ "listen": { "port": PORT }, "features": { "audio": false } });
    fs::write(format!("{folder}/config.json"), config.to_string()).expect("writing the configuration");
    output_of(&format!("chown --recursive {user}:{user} /home/{user}"));
    output_of(&format!("loginctl enable-linger {user}"));
    wait_for(&format!("the engine of {user}"), || published(user));
}

fn log_out(user: &str) {
    output_of(&format!("loginctl disable-linger {user}"));
    output_of(&format!("systemctl stop user@{}.service", uid(user)));
}

#[test]
#[ignore = "only in the virtual machine of `cargo xtask vm debian`"]
fn two_users_reach_only_own_engines() {
    require_test_machine();
    USERS.into_iter().for_each(log_in);
    let ports = USERS.map(port);
    println!("{USERS:?} have the ports {ports:?}");
    assert_eq!(ports[0], PORT, "the first engine does not have the configured port");
    assert_ne!(ports[1], PORT, "the second engine has the configured port too");
    for (user, own) in USERS.into_iter().zip(ports) {
        let unit = in_session(user, "systemctl --user is-active khor-engine.service");
        assert_eq!(output_of(&unit), "active", "{user}");
        let url = output_of(&in_session(user, "khor open --print"));
        assert!(url.contains(&format!(":{own}")), "{user}: {url}");
        let text = wait_for(&format!("a successful khor status of {user}"), || {
            let (is_success, text) = outcome_of(&in_session(user, "khor status"));
            is_success.then_some(text)
        });
        assert!(text.contains("collector"), "{user}: {text}");
        // Each user changes a setting, and only that user's engine has the change.
        let bpm = (90 + own % 7).to_string();
        output_of(&in_session(user, &format!("khor config music.bpm {bpm}")));
        let held = fs::read_to_string(format!("/home/{user}/.config/khor/config.json"))
            .expect("reading the user's configuration");
        let held: Value = serde_json::from_str(&held).expect("a configuration in JSON");
        assert_eq!(held["music"]["bpm"].as_f64().map(|bpm| bpm.to_string()), Some(bpm), "{user}");
        assert_eq!(status(user, own), Some(200), "{user}");
        // Root has no access, because in the unit's user namespace root looks like any other user.
        assert_eq!(status("root", own), Some(401));
    }
    for (user, other) in USERS.into_iter().zip([ports[1], ports[0]]) {
        assert_eq!(status(user, other), Some(401), "{user} can read the engine of the other user");
        let listen = in_session(user, &format!("khor status --listen 127.0.0.1:{other}"));
        assert!(!outcome_of(&listen).0, "khor status of {user} accepted the engine of the other user");
    }
    for port in ports {
        assert_eq!(status("stranger", port), Some(401));
    }
    for user in USERS {
        log_out(user);
        assert_eq!(published(user), None, "engine.json still exists after the session of {user}");
    }
}
