//! Tests authentication at a NATS server by a certificate or a creds file. If the server rejects a
//! connection, khor reports the reason and a fix.

use khor_e2e::{
    Engine, Wait,
    access::{by_certificate, by_creds},
    site::{NatsServer, Relay},
    skip::skip,
    wait_until,
};

fn relay(options: &[String]) -> Relay {
    let mut all = ["--site", "home", "--host", "web-1"].map(str::to_owned).to_vec();
    all.extend_from_slice(options);
    Relay::start(None, &all)
}

/// Waits until the relay's log contains all `words`. Ignores upper and lower case.
fn wait_for_log(relay: &Relay, words: &[&str]) {
    let has_logged = |word: &str| relay.log().to_lowercase().contains(word);
    let mut wait = Wait::new(&format!("{words:?} in the relay's log"));
    while !words.iter().all(|word| has_logged(word)) {
        wait.pause(|| relay.log());
    }
}

/// Starts a relay with each set of options, all of which are wrong. Each relay must log the two
/// words that are given with its options, and must keep running.
fn assert_rejections_are_reported(rejected: Vec<(Vec<String>, [&str; 2])>) {
    let relays: Vec<_> = rejected.iter().map(|(options, words)| (relay(options), words)).collect();
    for (relay, words) in relays {
        wait_for_log(&relay, words);
        assert!(!relay.log().contains("sending to"), "{}", relay.log());
        assert!(relay.stop().success(), "the relay did not exit with status 0 after a rejection");
    }
}

fn source(engine: &Engine) -> serde_json::Value {
    engine.get("/api/health")["source"].clone()
}

#[test]
fn client_certificate_grants_nats_access() {
    if !NatsServer::is_installed() {
        return skip("needs nats-server");
    }
    let server = by_certificate();
    let options = server.options_by_certificate(Some("known"), "ca");
    let (relay, engine) = (relay(&options), Engine::of_site(&options));
    wait_for_log(&relay, &["sending to"]);
    wait_until("the host's frames", || engine.fleet().live == 1);
    assert_rejections_are_reported(vec![
        (server.options_by_certificate(None, "ca"), ["fatal alert", "tls_cert"]),
        (server.options_by_certificate(Some("strange"), "ca"), ["fatal alert", "tls_cert"]),
        (server.options_by_certificate(Some("known"), "other-ca"), ["unknownissuer", "tls_ca"]),
    ]);
    let rejected_engine = Engine::of_site(&server.options_by_certificate(Some("strange"), "ca"));
    wait_until("the engine to report the rejection with a fix", || {
        let source = source(&rejected_engine);
        source["ok"] == false && source["fix"].as_str().is_some_and(|fix| fix.contains("tls_cert"))
    });
    assert!(relay.stop().success());
}

#[test]
fn creds_file_grants_nats_access() {
    if !NatsServer::is_installed() {
        return skip("needs nats-server");
    }
    let server = by_creds();
    let options = server.options_by_creds("user");
    let (relay, engine) = (relay(&options), Engine::of_site(&options));
    wait_for_log(&relay, &["sending to"]);
    wait_until("the host's frames", || engine.fleet().live == 1);
    assert_rejections_are_reported(vec![
        (server.options_by_creds("former"), ["authorization violation", "creds file"]),
        (server.options_by_creds("foreign"), ["authorization violation", "creds file"]),
        (server.options_by_certificate(None, "ca"), ["authorization violation", "creds file"]),
    ]);
    // This client may connect, but not publish.
    let narrow = relay_of(&server, "narrow");
    wait_for_log(&narrow, &["permissions violation", "give this user permission"]);
    let rejected_engine = Engine::of_site(&server.options_by_creds("foreign"));
    wait_until("the engine to report the rejection with a fix", || {
        let source = source(&rejected_engine);
        source["ok"] == false && source["fix"].as_str().is_some_and(|fix| fix.contains("creds"))
    });
    assert!(relay.stop().success());
}

fn relay_of(server: &NatsServer, user: &str) -> Relay {
    relay(&server.options_by_creds(user))
}
