//! Attack: a foreign web page, or a page on another port, in the browser of the engine's own user.

use khor_e2e::{SecondUser, UserEngine, free_port, second_user::OWNER, skip::root_or_skip};
use serde_json::{Value, json};

use crate::{
    attempt::{Row, Target, assert_granted, assert_rejected},
    requests::{ask, judge, send},
};

/// Paths whose responses never end. The tests read only one byte of the body.
const ENDLESS: [&str; 2] = ["/api/stream", "/api/listen.wav"];

/// Headers that a browser adds to requests of a foreign page. Each attempt uses one of these
/// headers. `PORT` stands for the engine's port.
const FOREIGN: [(&str, &str); 10] = [
    ("origin", "http://evil.example"),
    ("origin", "https://evil.example"),
    ("origin", "null"),
    ("origin", "http://127.0.0.1:8000"),
    ("origin", "https://127.0.0.1:PORT"),
    // Another name of the same engine is a different origin.
    ("origin", "http://localhost:PORT"),
    ("sec-fetch-site", "cross-site"),
    ("sec-fetch-site", "same-site"),
    // DNS rebinding: the page's name resolves to this machine.
    ("host", "evil.example:PORT"),
    ("host", "evil.example"),
];

/// Headers of requests by khor's own page, by a browser after the user has typed the address, and
/// by curl.
const OWN: [&[(&str, &str)]; 4] = [
    &[("origin", "http://127.0.0.1:PORT"), ("sec-fetch-site", "same-origin")],
    &[("sec-fetch-site", "none")],
    &[("sec-fetch-site", "same-origin")],
    &[],
];

fn with_port(text: &str, target: &Target) -> String {
    text.replace("PORT", &target.port().to_string())
}

/// Every path that answers GET.
fn paths(target: &Target) -> Vec<String> {
    let paths = target.0["paths"].as_array().expect("a list of paths in the target").iter();
    paths.map(|path| path.as_str().expect("a path in text").to_owned()).collect()
}

fn enough(path: &str) -> Option<usize> {
    ENDLESS.contains(&path).then_some(1)
}

/// Rows with every GET request and some changes, each with a header of a foreign page.
pub(crate) fn foreign(target: &Target) -> Vec<Row> {
    let mut rows = Vec::new();
    for (name, value) in FOREIGN {
        let value = with_port(value, target);
        for path in paths(target) {
            let value = value.clone();
            rows.push(Row::new(format!("GET {path}, {name}: {value}"), "its content", move |target| {
                judge(ask(target.text("engine"), "GET", &path, &[(name, &value)], enough(&path)))
            }));
        }
        for method in ["PATCH", "PUT"] {
            let value = value.clone();
            rows.push(Row::new(
                format!("{method} /api/config, {name}: {value}"),
                "a change",
                move |target| {
                    let body = json!({ "music": { "bpm": 71 } });
                    judge(send(target.text("engine"), method, "/api/config", &[(name, &value)], &body))
                },
            ));
        }
        rows.push(Row::new(format!("POST mute, {name}: {value}"), "silence", move |target| {
            let headers = [(name, value.as_str()), ("content-length", "0")];
            judge(ask(target.text("engine"), "POST", "/api/actions/mute?on=true", &headers, None))
        }));
    }
    rows
}

/// Rows with every GET request and each set of headers in [`OWN`], and a row with a request by
/// khor's own page that changes a setting.
pub(crate) fn own(target: &Target) -> Vec<Row> {
    let mut rows = Vec::new();
    for (i, headers) in OWN.into_iter().enumerate() {
        // The doctor is slow, so it is requested only once.
        for path in paths(target).into_iter().filter(|path| i == 0 || path != "/api/doctor") {
            rows.push(Row::new(format!("GET {path}, {headers:?}"), "its content", move |target| {
                let headers: Vec<_> =
                    { headers.iter() }.map(|(name, value)| (*name, with_port(value, target))).collect();
                let headers: Vec<_> = headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
                judge(ask(target.text("engine"), "GET", &path, &headers, enough(&path)))
            }));
        }
    }
    rows.push(Row::new("PATCH /api/config by the own page", "a change", |target| {
        let origin = format!("http://{}", target.text("engine"));
        let body = json!({ "music": { "bpm": 72 } });
        judge(send(target.text("engine"), "PATCH", "/api/config", &[("origin", &origin)], &body))
    }));
    rows
}

/// The paths that answer GET according to `/api/openapi.json`, and `/metrics`.
fn readable(document: &Value) -> Vec<String> {
    let paths = document["paths"].as_object().expect("paths in the OpenAPI document").iter();
    let mut paths: Vec<String> = paths
        .filter(|(path, methods)| methods["get"].is_object() && !path.starts_with("/api/recordings/"))
        .map(|(path, _)| path.replace("/clips/{name}", "/clips/idle.wav").replace("{name}", "ambient"))
        // Exclude `/api/listen`, which is a WebSocket, and the preview of an unsaved preset.
        .filter(|path| path != "/api/listen" && path != "/api/presets/preview")
        .collect();
    if !paths.iter().any(|path| path == "/metrics") {
        paths.push("/metrics".into());
    }
    paths
}

#[test]
fn foreign_page_cannot_read_or_control() {
    if !root_or_skip() {
        return;
    }
    let owner = SecondUser::new(OWNER);
    owner.configure(&json!({ "listen": { "port": free_port() } }));
    let engine = UserEngine::start(&owner, &["--fake", "--no-audio"]);
    let paths = readable(&engine.get("/api/openapi.json"));
    assert!(paths.len() >= 15, "too few paths in the OpenAPI document: {paths:?}");
    let target = json!({ "engine": engine.address(), "paths": paths });
    let before = engine.get("/api/config");
    assert_rejected(&owner, "web page", &target);
    assert_eq!(engine.get("/api/config"), before, "a foreign page changed the configuration");
    assert_granted(&owner, "own page", &target);
    assert_ne!(engine.get("/api/config"), before);
}
