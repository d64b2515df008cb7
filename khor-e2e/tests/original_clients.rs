//! Tests each HTTP call of clients that were written for the original khor.

use std::fs;

use khor_e2e::{
    Engine,
    raw_http::{self, Answer},
    wait_until,
};
use serde_json::{Map, Number, Value, json};
use tempfile::TempDir;

const NO_SOCKET: &str = "/nonexistent/collector.sock";
/// Names of the rates in the API of the original khor.
const RATES: [&str; 9] =
    ["exec_s", "rx_kbs", "tx_kbs", "csw_s", "blk_r_kbs", "blk_w_kbs", "retx_s", "irq_s", "mem_pct"];

fn demo() -> Engine {
    let engine = Engine::start(NO_SOCKET.as_ref(), &["--fake", "--no-audio"], &[]);
    engine.wait_for_source("demo");
    engine
}

fn ask(engine: &Engine, method: &str, path: &str, enough: Option<usize>) -> Answer {
    raw_http::ask(&engine.url().replace("http://", ""), method, path, &[], enough)
}

/// Sends settings by PUT. Returns the status and the response.
fn put(engine: &Engine, config: &Value) -> (u16, Value) {
    engine.send("PUT", "/api/config", config.to_string().as_bytes(), &[])
}

fn assert_numbers(object: &Value, names: &[&str]) {
    for name in names {
        assert!(object[*name].is_number(), "{name} in {object:#}");
    }
}

#[test]
fn metrics_have_the_fields_of_the_original() {
    let engine = demo();
    wait_until("a point of history", || engine.get("/api/metrics")["history"][0].is_object());
    wait_until("values of all rates", || {
        let rates = engine.get("/api/metrics")["rates"].clone();
        RATES.iter().all(|name| rates[*name].is_number())
    });
    let metrics = engine.get("/api/metrics");
    assert_numbers(&metrics, &["ts_ms"]);
    assert_numbers(&metrics["rates"], &RATES);
    assert_numbers(&metrics["controls"], &["bpm", "key_midi", "density", "smoothing"]);
    let totals = [
        "events_total",
        "events_dropped",
        "exec_total",
        "net_rx_bytes_total",
        "net_tx_bytes_total",
        "sched_switch_total",
        "blk_read_bytes_total",
        "blk_write_bytes_total",
        "tcp_retransmit_total",
        "irq_total",
    ];
    assert_numbers(&metrics["totals"], &totals);
    let history = metrics["history"].as_array().expect("a list of points");
    let last = history.last().expect("a point of history");
    assert_numbers(last, &["ts_ms"]);
    assert_numbers(last, &RATES);
    let health = engine.get("/api/health");
    for (part, fields) in [
        ("audio", &["enabled", "ok", "backend", "device"][..]),
        ("bpf", &["enabled", "ok", "err_code"]),
        ("midi", &["enabled", "ok", "port", "channel"]),
        ("osc", &["enabled", "ok", "host", "port"]),
        ("features", &["fake"]),
    ] {
        let object = health[part].as_object().unwrap_or_else(|| panic!("{part} in {health:#}"));
        assert!(fields.iter().all(|field| object.contains_key(*field)), "{part} in {health:#}");
    }
    assert!(health["config_path"].is_string() && health["ts_ms"].is_number(), "{health:#}");
}

#[test]
fn event_stream_is_unnamed_and_resumable() {
    let engine = demo();
    let stream = ask(&engine, "GET", "/api/stream", Some(64 * 1024));
    assert_eq!(stream.header("content-type").as_deref(), Some("text/event-stream"));
    let text = String::from_utf8_lossy(&stream.body).into_owned();
    assert!(!text.lines().any(|line| line.starts_with("event:")), "{text:.2000}");
    let data: Vec<Value> =
        text.lines().filter_map(|line| serde_json::from_str(line.strip_prefix("data:")?).ok()).collect();
    assert!(data.len() >= 2, "{text:.2000}");
    for event in &data {
        assert!(event["rates"].is_object() && event["history"].is_null(), "{event:#}");
    }
    let ids: Vec<&str> = text.lines().filter_map(|line| line.strip_prefix("id:")).map(str::trim).collect();
    let address = engine.url().replace("http://", "");
    let resumed = raw_http::ask(&address, "GET", "/api/stream", &[("last-event-id", ids[0])], Some(4096));
    assert_eq!(resumed.status, 200);
}

#[test]
fn original_calls_select_and_play() {
    let engine = demo();
    let status = |path: &str| engine.post(path).0;
    let presets = engine.get("/api/presets");
    assert!(presets["presets"][0]["name"].is_string() && presets["presets"][0]["hint"].is_string());
    assert_eq!(engine.post("/api/preset/select?name=drone").1["ok"], true);
    assert_eq!(engine.get("/api/metrics")["controls"]["preset"], "drone");
    assert_eq!((status("/api/preset/select"), status("/api/preset/select?name=nonsense")), (400, 400));

    assert!(engine.get("/api/audio/devices")["devices"].is_array());
    for path in ["/api/audio/device?device=default", "/api/audio/device?device="] {
        let (status, answer) = engine.post(path);
        assert_eq!((status, &answer["ok"]), (200, &json!(true)), "{path}: {answer}");
    }
    let by_body = |body: &str| engine.send("POST", "/api/audio/device", body.as_bytes(), &[]);
    for body in [r#"{"device": "default"}"#, r#"{"device": ""}"#] {
        assert_eq!(by_body(body).0, 200, "{body}");
    }
    for body in ["", "{}", r#"{"device": null}"#, "{"] {
        let (status, answer) = by_body(body);
        assert!(status == 400 && answer["error"].is_string(), "{body}: {status} {answer}");
    }
    assert_eq!(status("/api/audio/device?device=nonsense"), 400);

    let note = "/api/actions/test_note?midi=62.0&vel=1&dur=0.25";
    let (status, answer) = engine.post(note);
    assert!(status == 409 && answer["error"].is_string(), "a test note without an output: {status} {answer}");
    let sound = std::thread::scope(|scope| {
        let listening = scope.spawn(|| engine.listen(std::time::Duration::from_secs(2)));
        wait_until("the listener to connect", || engine.get("/api/health")["listen"]["listeners"] == 1);
        for path in [note, "/api/actions/test_note"] {
            assert_eq!(engine.post(path), (200, json!({ "ok": true })), "{path}");
        }
        listening.join().expect("the listener's thread")
    });
    assert!(!sound.is_silent(), "the test notes are not in the sound");
    let (status, _) = engine.change(&json!({ "features": { "osc": true } }));
    assert_eq!(status, 200);
    wait_until("a test note with OSC as the output", || engine.post(note).0 == 200);
}

/// Applies `form` to every number in a value.
fn with_numbers(value: &Value, form: &impl Fn(&Number) -> Number) -> Value {
    match value {
        Value::Object(fields) => {
            let fields = fields.iter().map(|(key, value)| (key.clone(), with_numbers(value, form)));
            Value::Object(fields.collect::<Map<_, _>>())
        }
        Value::Array(list) => list.iter().map(|value| with_numbers(value, form)).collect(),
        Value::Number(number) => Value::Number(form(number)),
        other => other.clone(),
    }
}

#[test]
fn settings_accept_floats_and_integers() {
    let engine = demo();
    let before = engine.get("/api/config");
    let mut config = json!({});
    for part in ["music", "audio", "midi", "osc", "features"] {
        config[part] = before[part].clone();
    }
    config["music"]["bpm"] = json!(97);
    config["music"]["key_midi"] = json!(57);
    config["audio"]["device"] = json!("default");
    config["midi"]["channel"] = json!(2);
    let float =
        |number: &Number| Number::from_f64(number.as_f64().expect("a number")).expect("a finite number");
    let integer = |number: &Number| match number.as_f64() {
        Some(value) if value.fract() == 0.0 => Number::from(value as i64),
        _ => number.clone(),
    };
    for (form, sent) in
        [("floats", with_numbers(&config, &float)), ("integers", with_numbers(&config, &integer))]
    {
        let (status, answer) = put(&engine, &sent);
        assert_eq!((status, &answer["ok"]), (200, &json!(true)), "{form}: {answer:#}");
        assert!(answer["restart_required"].is_boolean(), "{form}");
        let returned = (&answer["music"]["bpm"], &answer["music"]["key_midi"], &answer["midi"]["channel"]);
        assert_eq!(returned, (&json!(97.0), &json!(57), &json!(2)), "{form}");
        assert_eq!(answer["audio"]["device"], "", "{form}");
    }
    let file = fs::read_to_string(engine.config_path()).expect("reading the configuration");
    let file: Value = serde_json::from_str(&file).expect("a configuration in JSON");
    assert!(file["music"]["key_midi"].is_u64(), "key_midi in the file is not an integer: {file:#}");
    for (change, field) in [
        (json!({ "music": { "key_midi": 57.5 } }), "music.key_midi"),
        (json!({ "music": { "key_midi": 200.0 } }), "music.key_midi"),
        (json!({ "midi": { "channel": 0.0 } }), "midi.channel"),
        (json!({ "features": { "osc": 1.0 } }), "features.osc"),
        (json!({ "theirs": { "card_order": [3, 1.5] } }), "theirs"),
        (json!({ "music": { "mapping_of_theirs": { "exec": 0.5 } } }), "music.mapping_of_theirs"),
    ] {
        let (status, answer) = put(&engine, &change);
        let error = answer["error"].as_str().unwrap_or_default();
        assert!(status == 400 && error.starts_with(field), "{change}: {status} {answer}");
    }
    let (_, answer) = put(&engine, &json!({ "music": { "bpm": 96 } }));
    assert_eq!(put(&engine, &answer).0, 200, "sending back a response");
    let (status, answer) = engine.send("PUT", "/api/presets/theirs", theirs(&engine).as_bytes(), &[]);
    assert_eq!(status, 200, "a preset with floats: {answer}");
}

/// A preset in which every number is a float.
fn theirs(engine: &Engine) -> String {
    let mut preset = engine.get("/api/presets/ambient")["preset"].clone();
    preset["name"] = json!("theirs");
    let float =
        |number: &Number| Number::from_f64(number.as_f64().expect("a number")).expect("a finite number");
    with_numbers(&preset, &float).to_string()
}

#[test]
fn unknown_paths_return_the_page() {
    let dir = TempDir::new().expect("creating a temporary directory");
    fs::write(dir.path().join("index.html"), "<title>theirs</title>").expect("writing the page");
    fs::write(dir.path().join("app.js"), "// theirs").expect("writing the script");
    let flags = ["--fake", "--no-audio", "--ui-dir", dir.path().to_str().expect("a UTF-8 path")];
    let engine = Engine::start(NO_SOCKET.as_ref(), &flags, &[]);
    for path in ["/", "/view", "/deep/view/", "/missing.js", "/favicon.ico", "/v1.2/view.html"] {
        let page = ask(&engine, "GET", path, None);
        assert_eq!((page.status, page.header("content-type").as_deref()), (200, Some("text/html")), "{path}");
        assert_eq!(page.body, b"<title>theirs</title>", "{path}");
    }
    assert_eq!(ask(&engine, "GET", "/app.js", None).body, b"// theirs");
    assert_eq!(engine.send("GET", "/api/nothing", b"", &[]).0, 404);
}
