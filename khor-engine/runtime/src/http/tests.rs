//! Tests the API of an engine that runs in the test's process. Compares the answers with the
//! `OpenAPI` document.

use std::sync::Arc;

use khor_http::ConnectionSlot;
use khor_music::Preset;
use khor_system::peer::Peer;
use serde_json::{Value, json};
use tokio::sync::watch;
use warp::http::{HeaderMap, StatusCode};

use super::{access::tests::loopback, call::ApiContext, openapi_document, routes, table};
use crate::engine::{
    Engine,
    tests::{quiet_engine, quiet_engine_of},
};

/// A running engine and its API.
struct Api {
    context: ApiContext,
    _stop: watch::Sender<bool>,
    _dir: tempfile::TempDir,
}

struct TestResponse {
    status: StatusCode,
    headers: HeaderMap,
    text: String,
}

impl TestResponse {
    fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|_| panic!("{}", self.text))
    }
}

impl Api {
    fn new() -> Self {
        Self::of(quiet_engine())
    }

    fn of((engine, dir): (Arc<Engine>, tempfile::TempDir)) -> Self {
        let (stop, stopped) = watch::channel(false);
        Self { context: ApiContext::new(engine, stopped, loopback(17321)), _stop: stop, _dir: dir }
    }

    fn engine(&self) -> &Engine {
        &self.context.engine
    }

    async fn request_with(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) -> TestResponse {
        let mut request = warp::test::request()
            .method(method)
            .path(path)
            .header("host", "127.0.0.1:17321")
            .extension(ConnectionSlot::of(Peer::User(0)))
            .body(body);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let response = request.reply(&routes(&self.context)).await;
        let text = String::from_utf8_lossy(response.body()).into_owned();
        TestResponse { status: response.status(), headers: response.headers().clone(), text }
    }

    async fn request(&self, method: &str, path: &str, body: &Value) -> TestResponse {
        let body = if body.is_null() { String::new() } else { body.to_string() };
        self.request_with(method, path, &[], &body).await
    }
}

fn ambient() -> Value {
    let mut preset = serde_json::to_value(Preset::builtin()[0].to_text()).unwrap();
    preset.as_object_mut().unwrap().remove("name");
    preset
}

#[tokio::test]
async fn the_api_changes_site_modes_only() {
    let api = Api::of(quiet_engine_of("home"));
    let mode = api.request("PATCH", "/api/config", &json!({ "site": { "mode": "roll_call" } })).await;
    assert_eq!((mode.status, &mode.json()["site"]["mode"]), (StatusCode::OK, &json!("roll_call")));
    for site in [
        json!({ "name": "elsewhere" }),
        json!({ "mode": "sections", "nats": { "url": "nats://evil:4222" } }),
        json!({ "mode": "solo" }),
        Value::Null,
    ] {
        let refused = api.request("PATCH", "/api/config", &json!({ "site": site })).await;
        assert!(
            refused.status.is_client_error() && refused.text.contains("site"),
            "{site}: {}",
            refused.text
        );
    }
}

#[tokio::test]
async fn presets_are_saved_changed_and_removed() {
    let api = Api::new();
    let saved = api.request("PUT", "/api/presets/mine", &ambient()).await;
    assert_eq!(
        (saved.status, saved.json()["builtin"].clone()),
        (StatusCode::OK, json!(false)),
        "{}",
        saved.text
    );
    let loaded = api.request("GET", "/api/presets/mine", &Value::Null).await;
    assert_eq!(loaded.json(), saved.json());
    assert!(loaded.text.contains("\"pan\":0.1}"), "numbers have no rounding errors: {}", loaded.text);
    let file = std::path::PathBuf::from(loaded.json()["file"].as_str().unwrap());
    assert!(std::fs::read_to_string(&file).unwrap().contains("\n[[pulse]]\n"));

    let selected = api.request("POST", "/api/preset/select?name=mine", &Value::Null).await;
    assert_eq!(selected.json(), json!({ "ok": true, "preset": "mine" }));
    let list = api.request("GET", "/api/presets", &Value::Null).await.json();
    let mine = list["presets"].as_array().unwrap().iter().find(|preset| preset["name"] == "mine").unwrap();
    assert_eq!(
        (&mine["editable"], &list["current"], &list["previewing"]),
        (&json!(true), &json!("mine"), &Value::Null)
    );

    let mut wrong = ambient();
    wrong["map"][3]["range"] = json!([0, 99]);
    wrong["bed"]["velocity"] = json!(7);
    let refused = api.request("PUT", "/api/presets/mine", &wrong).await;
    let problems = refused.json()["problems"].clone();
    assert_eq!(
        (refused.status, problems.as_array().unwrap().len()),
        (StatusCode::BAD_REQUEST, 2),
        "{problems}"
    );
    assert_eq!(problems[1]["path"], "map[3].range");
    let checked = api.request("POST", "/api/presets/check", &wrong).await;
    assert_eq!(
        (checked.status, checked.json()),
        (StatusCode::OK, json!({ "ok": false, "problems": problems }))
    );
    assert_eq!(
        api.request("POST", "/api/presets/check", &ambient()).await.json(),
        json!({ "ok": true, "problems": [] })
    );

    let removed = api.request("DELETE", "/api/presets/mine", &Value::Null).await;
    assert_eq!((removed.json(), file.exists()), (json!({ "ok": true }), false));
    assert_eq!(api.engine().config().music.preset, "ambient");
    let status = async |method: &str, path: &str| api.request(method, path, &ambient()).await.status;
    assert_eq!(status("DELETE", "/api/presets/mine").await, StatusCode::NOT_FOUND);
    assert_eq!(status("GET", "/api/presets/mine").await, StatusCode::NOT_FOUND);
    assert_eq!(status("DELETE", "/api/presets/arp").await, StatusCode::CONFLICT);
    assert_eq!(status("PUT", "/api/presets/arp").await, StatusCode::CONFLICT);
    assert_eq!(status("PUT", "/api/presets/..%2Fmine").await, StatusCode::BAD_REQUEST);
    assert_eq!(status("PUT", "/api/presets/Mine").await, StatusCode::BAD_REQUEST);
    assert_eq!(status("PUT", "/api/presets/preview").await, StatusCode::METHOD_NOT_ALLOWED);
    assert_eq!(
        api.request_with("POST", "/api/presets/check", &[], "{").await.status,
        StatusCode::BAD_REQUEST
    );
}

#[tokio::test]
async fn previews_play_until_a_selection() {
    let api = Api::new();
    let previewing =
        async || api.request("GET", "/api/presets", &Value::Null).await.json()["previewing"].clone();
    let mut preset = ambient();
    preset["name"] = json!("draft");
    for end in [("DELETE", "/api/presets/preview"), ("POST", "/api/preset/select?name=ambient")] {
        assert_eq!(api.request("POST", "/api/presets/preview", &preset).await.json(), json!({ "ok": true }));
        assert_eq!(previewing().await, "draft");
        let held = api.request("GET", "/api/presets/preview", &Value::Null).await.json();
        let notes = |preset: &Value| preset["bed"]["notes"].clone();
        assert_eq!((&held["name"], notes(&held["preset"])), (&json!("draft"), notes(&preset)));
        assert_eq!(api.request(end.0, end.1, &Value::Null).await.status, StatusCode::OK);
        assert_eq!(previewing().await, Value::Null);
        let gone = api.request("GET", "/api/presets/preview", &Value::Null).await;
        assert_eq!(gone.status, StatusCode::NOT_FOUND);
    }
    preset["bed"]["notes"] = json!(9);
    let refused = api.request("POST", "/api/presets/preview", &preset).await;
    assert_eq!(
        (refused.status, refused.json()["problems"][0]["path"].clone()),
        (StatusCode::BAD_REQUEST, json!("bed.notes"))
    );
    assert_eq!(previewing().await, Value::Null);
}

#[tokio::test]
async fn toggling_a_snooze_mutes_by_hand() {
    let api = Api::new();
    let post = async |path: &str| api.request("POST", path, &Value::Null).await.json();
    let silence = async || {
        let metrics = api.request("GET", "/api/metrics", &Value::Null).await.json();
        metrics["controls"]["silence"].clone()
    };
    assert_eq!(silence().await, Value::Null);
    let until = post("/api/actions/snooze?minutes=5").await["snoozed_until_ts_ms"].clone();
    assert_eq!(silence().await, json!({ "reason": "snoozed", "until": until }));
    assert_eq!(post("/api/actions/mute").await["muted"], true);
    assert_eq!(silence().await, json!({ "reason": "muted", "until": null }));
    assert_eq!(post("/api/actions/mute").await["muted"], false);
    assert_eq!(silence().await, Value::Null);
}

#[tokio::test]
async fn site_settings_need_a_site() {
    let api = Api::new();
    for (change, key) in [
        (json!({ "site": { "host": "web-1" } }), "site.host"),
        (json!({ "site": { "mode": "roll_call" } }), "site.mode"),
    ] {
        let refused = api.request("PATCH", "/api/config", &change).await;
        let error = refused.json()["error"].as_str().unwrap_or_default().to_owned();
        assert_eq!(refused.status, StatusCode::BAD_REQUEST, "{error}");
        assert!(error.starts_with(key) && error.contains("--site NAME"), "{error}");
    }
    let whole = api.request("GET", "/api/config", &Value::Null).await.json();
    assert_eq!(
        api.request("PUT", "/api/config", &whole).await.status,
        StatusCode::OK,
        "unchanged settings are accepted"
    );
}

#[tokio::test]
async fn conflicting_changes_answer_412() {
    let api = Api::new();
    let tag = |loaded: &TestResponse| loaded.headers["etag"].to_str().unwrap().to_owned();
    let read = tag(&api.request("GET", "/api/config", &Value::Null).await);
    let change = async |tag: &str, bpm: u32| {
        let body = json!({ "music": { "bpm": bpm } }).to_string();
        api.request_with("PATCH", "/api/config", &[("if-match", tag)], &body).await
    };
    let first = change(&read, 90).await;
    assert_eq!(
        (first.status, first.json()["music"]["bpm"].clone()),
        (StatusCode::OK, json!(90.0)),
        "{}",
        first.text
    );
    let second = change(&read, 100).await;
    assert_eq!((second.status, second.json()["ok"].clone()), (StatusCode::PRECONDITION_FAILED, json!(false)));
    assert_eq!(api.engine().config().music.bpm, 90.0);
    assert_eq!(change(&tag(&first), 95).await.status, StatusCode::OK);
    assert_eq!(change("\"x\", W/\"y\"", 96).await.status, StatusCode::PRECONDITION_FAILED);
    assert_eq!(change("*", 97).await.status, StatusCode::OK);
    assert_eq!(
        tag(&api.request("GET", "/api/config", &Value::Null).await),
        format!("\"{}\"", api.engine().config().tag())
    );
}

#[tokio::test]
async fn metrics_report_a_snooze() {
    let api = Api::new();
    let snoozed = api.request("POST", "/api/actions/snooze?minutes=15", &Value::Null).await.json();
    let until = snoozed["snoozed_until_ts_ms"].as_u64().unwrap();
    let metrics = api.request("GET", "/api/metrics", &Value::Null).await.json();
    assert_eq!(
        (&metrics["controls"]["snoozed_until_ts_ms"], &metrics["controls"]["muted"]),
        (&json!(until), &json!(true))
    );
    let minutes = (until - metrics["ts_ms"].as_u64().unwrap()) as f64 / 60e3;
    assert!((14.5..=15.0).contains(&minutes), "{minutes}");
    let ended = api.request("POST", "/api/actions/snooze?minutes=0", &Value::Null).await.json();
    assert_eq!(ended, json!({ "ok": true, "snoozed_until_ts_ms": null }));
    assert!(!api.engine().is_muted());
    assert_eq!(
        api.request("POST", "/api/actions/snooze?minutes=-1", &Value::Null).await.status,
        StatusCode::BAD_REQUEST
    );
}

/// Returns a path and a body for which the operation can answer 200.
fn example_request(method: &str, path: &str) -> (String, Value) {
    let name = if path.starts_with("/api/clips/") { "idle.wav" } else { "mine" };
    let (path, query) = (
        path.replace("{name}", name),
        match path {
            "/api/preset/select" => "?name=mine",
            "/api/actions/baseline" => "?do=unfreeze",
            _ => "",
        },
    );
    let body = match (method, path.as_str()) {
        ("put" | "patch", "/api/config") => json!({ "music": { "bpm": 100 } }),
        ("post", "/api/audio/device") => json!({ "device": "" }),
        ("post", "/api/login") => json!({ "token": "none is needed on loopback" }),
        ("put" | "post", _) if path.starts_with("/api/presets/") => ambient(),
        _ => Value::Null,
    };
    (path + query, body)
}

#[tokio::test]
async fn answers_match_the_openapi_document() {
    let api = Api::new();
    let document = api.request("GET", "/api/openapi.json", &Value::Null).await;
    oas3::from_json(&document.text).expect("an OpenAPI document");
    let document = document.json();
    let mut operations: Vec<(String, String)> = Vec::new();
    for (path, methods) in document["paths"].as_object().unwrap() {
        operations.extend(methods.as_object().unwrap().keys().map(|method| (method.clone(), path.clone())));
    }
    // Order matters: a recording must start before it stops, a preset must be saved before it is
    // removed, and a preview must be read before it ends.
    let place = |(method, path): &(String, String)| match (method.as_str(), path.as_str()) {
        ("put", "/api/presets/{name}") | ("post", "/api/recording/start" | "/api/presets/preview") => 0,
        ("delete", _) | ("post", "/api/recording/stop" | "/api/preset/select") => 2,
        _ => 1,
    };
    operations.sort_by_key(place);
    // Listen to the sound, because the engine rejects a test note that no output plays.
    let _listening = api.engine().listen().unwrap();
    let mut answered_count = 0;
    for (method, path) in &operations {
        let described = &document["paths"][path][method];
        if matches!(
            path.as_str(),
            "/api/stream" | "/api/listen.wav" | "/api/listen" | "/api/recordings/{name}"
        ) {
            continue; // khor-e2e tests these answers, which are endless or not JSON
        }
        if method == "head" {
            continue; // hyper omits the body of HEAD, so khor-e2e tests it over the network
        }
        if path == "/api/recording/stop" {
            until_recorded(&api).await;
        }
        let (url, body) = example_request(method, path);
        let loaded = api.request(&method.to_uppercase(), &url, &body).await;
        assert_eq!(loaded.status, StatusCode::OK, "{method} {path}: {}", loaded.text);
        let kind = loaded.headers["content-type"].to_str().unwrap();
        let message = &described["responses"]["200"]["content"][kind];
        assert!(message.is_object(), "{method} {path}: {kind} in {described:#}");
        if kind == "application/json" {
            assert_eq!(
                schema_errors(&document, &message["schema"], &loaded.json()),
                Vec::<String>::new(),
                "{method} {path}"
            );
        }
        answered_count += 1;
    }
    assert!(answered_count >= 30, "{answered_count} of {}", operations.len());
    let heads = operations.iter().filter(|(method, _)| method == "head").count();
    assert_eq!(operations.len() - heads, table().len());
    let refused = api.request("GET", "/api/presets/none", &Value::Null).await;
    let schema =
        &document["paths"]["/api/presets/{name}"]["get"]["responses"]["4XX"]["content"]["application/json"];
    assert_eq!(schema_errors(&document, &schema["schema"], &refused.json()), Vec::<String>::new());
    assert_ne!(schema_errors(&document, &schema["schema"], &json!({ "ok": false })), Vec::<String>::new());
}

/// Waits until the recording contains some sound.
async fn until_recorded(api: &Api) {
    khor_e2e::wait_until_async("recorded sound", || api.engine().recorder().status().seconds > 0.0).await;
}

/// Lists the places where an answer does not match its schema in the `OpenAPI` document.
fn schema_errors(document: &Value, schema: &Value, answer: &Value) -> Vec<String> {
    let mut schema = schema.clone();
    schema["components"] = document["components"].clone();
    let validator = jsonschema::draft202012::new(&schema).expect("a schema");
    validator.iter_errors(answer).map(|error| format!("{}: {error}", error.instance_path())).collect()
}

#[tokio::test]
async fn the_schema_accepts_valid_configurations() {
    let api = Api::new();
    let schema = api.request("GET", "/api/config/schema", &Value::Null).await.json();
    let validator = jsonschema::draft202012::new(&schema).expect("a schema");
    assert!(validator.is_valid(&api.request("GET", "/api/config", &Value::Null).await.json()));
    assert!(validator.is_valid(&json!({ "music": { "bpm": 100 } })), "a part of the configuration is valid");
    for wrong in [
        json!({ "music": { "bpm": 10 } }),
        json!({ "audio": { "loudness_lufs": -20 } }),
        json!({ "osc": [] }),
    ] {
        assert!(!validator.is_valid(&wrong), "{wrong}");
        assert_eq!(
            api.request("PATCH", "/api/config", &wrong).await.status,
            StatusCode::BAD_REQUEST,
            "{wrong}"
        );
    }
}

/// Errors must name the value and the allowed values in khor's own words. They must not contain a
/// parser's message.
#[tokio::test]
async fn rejected_values_get_plain_errors() {
    let api = Api::new();
    for (method, path, body, expected) in [
        (
            "PATCH",
            "/api/config",
            "{\"music\": ",
            "the body is not valid JSON: it ends too early, at line 1, column 10",
        ),
        (
            "PATCH",
            "/api/config",
            "{\"music\": {\"bpm\": \"fast\"}}",
            "music.bpm: \"fast\" is not allowed, expected a number from 20 to 300",
        ),
        ("PATCH", "/api/config", "[]", "body: [] is not allowed, expected a JSON object with settings"),
        (
            "POST",
            "/api/actions/snooze?minutes=long",
            "",
            "minutes: long is not allowed, expected a whole number from 0 to 1440",
        ),
        (
            "POST",
            "/api/actions/test_note?midi=300",
            "",
            "midi: 300 is not allowed, expected a whole number from 0 to 127",
        ),
        ("POST", "/api/actions/mute?on=yes", "", "on: yes is not allowed, expected true or false"),
        ("POST", "/api/actions/baseline", "", "do: missing, expected freeze, unfreeze or forget"),
        (
            "POST",
            "/api/actions/baseline?do=stop",
            "",
            "do: stop is not allowed, expected freeze, unfreeze or forget",
        ),
        (
            "POST",
            "/api/audio/device",
            "{\"device\": 5}",
            "device: 5 is not allowed, expected an id that GET /api/audio/devices lists (id:…), or default",
        ),
        ("POST", "/api/preset/select", "", "name: missing, expected the name of a preset"),
        (
            "POST",
            "/api/login",
            "{\"token\": 5}",
            "body: expected {\"token\": \"TOKEN\"}, with an optional \"path\"",
        ),
        ("GET", "/api/stream?events=all", "", "events: all is not allowed, expected metrics or changes"),
        (
            "GET",
            "/api/history?since_ts_ms=now",
            "",
            "since_ts_ms: now is not allowed, expected a whole number of milliseconds since 1970",
        ),
    ] {
        let refused = api.request_with(method, path, &[], body).await;
        assert_eq!(refused.status, StatusCode::BAD_REQUEST, "{method} {path}: {}", refused.text);
        assert_eq!(refused.json()["error"], expected, "{method} {path}");
    }
    let mut preset = ambient();
    preset["bed"]["velocity"] = json!("loud");
    let problems = api.request("POST", "/api/presets/check", &preset).await.json()["problems"].clone();
    assert_eq!(problems[0]["path"], "bed.velocity");
    assert_eq!(problems[0]["message"], "\"loud\" is not allowed, expected a number");
}

#[tokio::test]
async fn unknown_paths_answer_with_json_errors() {
    let api = Api::new();
    let wrong = api.request("DELETE", "/api/health", &Value::Null).await;
    assert_eq!(
        (wrong.status, wrong.headers["allow"].to_str().unwrap()),
        (StatusCode::METHOD_NOT_ALLOWED, "GET, HEAD")
    );
    let huge = "x".repeat(65 * 1024);
    let huge = api.request_with("PATCH", "/api/config", &[], &huge).await;
    assert_eq!((huge.status, huge.json()["ok"].clone()), (StatusCode::PAYLOAD_TOO_LARGE, json!(false)));
    for path in ["/api/nothing", "/api/presets/", "/api//health", "/metrics/x"] {
        let loaded = api.request("GET", path, &Value::Null).await;
        assert!(loaded.status == StatusCode::NOT_FOUND || path == "/metrics/x", "{path}: {}", loaded.status);
    }
    let document = openapi_document();
    assert_eq!(document["openapi"], "3.1.0");
}
