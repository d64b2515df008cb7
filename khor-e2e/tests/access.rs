//! Tests which programs a NATS server admits: by a certificate, by creds, or by an nkey. khor
//! reports a refusal with the reason and the fix.

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

/// Waits for words in its log, in any case.
fn wait_for_log(relay: &Relay, words: &[&str]) {
    let said = |word: &str| relay.log().to_lowercase().contains(word);
    let mut wait = Wait::new(&format!("{words:?} in the relay's log"));
    while !words.iter().all(|word| said(word)) {
        wait.pause(|| relay.log());
    }
}

/// Each program retries, and reports the problem and the fix. None ends because of it.
fn assert_refusals_are_explained(refused: Vec<(Vec<String>, [&str; 2])>) {
    let relays: Vec<_> = refused.iter().map(|(options, words)| (relay(options), words)).collect();
    for (relay, words) in relays {
        wait_for_log(&relay, words);
        assert!(!relay.log().contains("sending to"), "{}", relay.log());
        assert!(relay.stop().success(), "a refusal is a state");
    }
}

fn source(engine: &Engine) -> serde_json::Value {
    engine.get("/api/health")["source"].clone()
}

#[test]
fn client_certificate_opens_tls_server() {
    if !NatsServer::is_installed() {
        return skip("needs nats-server");
    }
    let server = by_certificate();
    let options = server.options_by_certificate(Some("known"), "ca");
    let (relay, engine) = (relay(&options), Engine::of_site(&options));
    wait_for_log(&relay, &["sending to"]);
    wait_until("the host's frames", || engine.fleet().live == 1);
    assert_refusals_are_explained(vec![
        (server.options_by_certificate(None, "ca"), ["fatal alert", "tls_cert"]),
        (server.options_by_certificate(Some("strange"), "ca"), ["fatal alert", "tls_cert"]),
        (server.options_by_certificate(Some("known"), "other-ca"), ["unknownissuer", "tls_ca"]),
    ]);
    let deaf = Engine::of_site(&server.options_by_certificate(Some("strange"), "ca"));
    wait_until("the deaf engine to say so", || {
        let source = source(&deaf);
        source["ok"] == false && source["fix"].as_str().is_some_and(|fix| fix.contains("tls_cert"))
    });
    assert!(relay.stop().success());
}

#[test]
fn creds_open_a_server_of_an_operator() {
    if !NatsServer::is_installed() {
        return skip("needs nats-server");
    }
    let server = by_creds();
    let options = server.options_by_creds("user");
    let (relay, engine) = (relay(&options), Engine::of_site(&options));
    wait_for_log(&relay, &["sending to"]);
    wait_until("the host's frames", || engine.fleet().live == 1);
    assert_refusals_are_explained(vec![
        (server.options_by_creds("former"), ["authorization violation", "creds file"]),
        (server.options_by_creds("foreign"), ["authorization violation", "creds file"]),
        (server.options_by_certificate(None, "ca"), ["authorization violation", "creds file"]),
    ]);
    // A client that may connect but not publish.
    let narrow = relay_of(&server, "narrow");
    wait_for_log(&narrow, &["permissions violation", "permit"]);
    let deaf = Engine::of_site(&server.options_by_creds("foreign"));
    wait_until("the deaf engine to say so", || {
        let source = source(&deaf);
        source["ok"] == false && source["fix"].as_str().is_some_and(|fix| fix.contains("creds"))
    });
    assert!(relay.stop().success());
}

fn relay_of(server: &NatsServer, who: &str) -> Relay {
    relay(&server.options_by_creds(who))
}
