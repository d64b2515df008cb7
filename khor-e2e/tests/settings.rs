//! Tests every setting: a change by the API takes effect at once, and remains after a restart.
//!
//! The settings come from the engine's JSON Schema, so a new setting is tested automatically. Only
//! a setting with an unusual type needs an entry in [`guesses`].

use std::path::Path;

use khor_e2e::{Engine, Pulse};
use serde_json::{Map, Value, json};

/// Settings that only the file may contain. The API rejects them.
const ONLY_IN_FILE: [&str; 5] =
    ["/ui/dir", "/listen/token_file", "/listen/local_users", "/site/name", "/site/nats/"];
/// Settings that the tests' flags override. A change is only visible in the file.
const BELOW_FLAGS: [&str; 2] = ["/listen/host", "/listen/port"];
const NO_SOCKET: &str = "/nonexistent/collector.sock";

/// A setting: its JSON pointer and its schema.
struct Setting {
    path: String,
    schema: Value,
}

/// All settings of a schema.
fn settings(schema: &Value) -> Vec<Setting> {
    let mut found = Vec::new();
    let mut waiting = vec![(String::new(), schema.clone())];
    while let Some((path, part)) = waiting.pop() {
        let part = resolved(schema, &part);
        match part["properties"].as_object() {
            Some(properties) => {
                waiting.extend(properties.iter().map(|(key, part)| (format!("{path}/{key}"), part.clone())));
            }
            None => found.push(Setting { path, schema: part }),
        }
    }
    found
}

/// The schema that `part` refers to, or `part` itself.
fn resolved(schema: &Value, part: &Value) -> Value {
    match part["$ref"].as_str().and_then(|name| name.strip_prefix("#/$defs/")) {
        Some(name) => schema["$defs"][name].clone(),
        None => part.clone(),
    }
}

/// Values of a setting that may be valid and that differ from its current value `now`. The values
/// that are most likely valid come first.
fn guesses(schema: &Value, now: &Value) -> Vec<Value> {
    let choices = |list: &Value| list.as_array().cloned().unwrap_or_default();
    let mut guesses = choices(&schema["enum"]);
    for choice in choices(&schema["oneOf"]) {
        guesses.push(choice["const"].clone());
        guesses.extend(choices(&choice["enum"]));
    }
    match now {
        Value::Bool(now) => guesses.push(json!(!now)),
        Value::Number(now) if now.is_f64() => {
            let bound = |key: &str| schema[key].as_f64();
            let (low, high) = (bound("minimum").unwrap_or(0.0), bound("maximum").unwrap_or(1e6));
            guesses.extend([0.25, 0.75].map(|at| json!(low + at * (high - low))));
        }
        Value::Number(now) => {
            let now = now.as_i64().unwrap_or_default();
            guesses.extend([json!(now + 1), json!(now - 1)]);
        }
        Value::Array(_) => {
            let of_items = |now: Value| guesses_of_items(&schema["items"], &now);
            guesses.extend(of_items(json!("")).into_iter().chain(of_items(json!(1))));
        }
        Value::Object(now) => {
            let other = |value: &Value| value.as_f64().map_or(Value::Null, |number| json!(2.0 * number));
            let all: Map<_, _> = now.iter().map(|(key, value)| (key.clone(), other(value))).collect();
            guesses.push(Value::Object(all));
        }
        Value::String(_) | Value::Null => {
            if schema["type"].as_array().is_some_and(|kinds| kinds.contains(&json!("integer"))) {
                guesses.push(json!(7));
            }
            guesses.extend(
                ["rain", "05:01", "23:58", "khor-test.service", "127.0.0.2", "127.0.0.1:9124"]
                    .map(Value::from),
            );
        }
    }
    guesses.retain(|guess| guess != now && !guess.is_null());
    guesses
}

fn guesses_of_items(items: &Value, now: &Value) -> Vec<Value> {
    guesses(items, now).into_iter().map(|item| json!([item])).collect()
}

/// The JSON object with a single value at this JSON pointer: `/osc/port` and 9002 give `{"osc":
/// {"port": 9002}}`.
fn nested(path: &str, value: &Value) -> Value {
    path.split('/').skip(1).collect::<Vec<_>>().into_iter().rev().fold(value.clone(), |inner, key| {
        let mut object = Map::new();
        object.insert(key.to_owned(), inner);
        Value::Object(object)
    })
}

fn patch(engine: &Engine, path: &str, value: &Value) -> (u16, Value) {
    engine.send("PATCH", "/api/config", nested(path, value).to_string().as_bytes(), &[])
}

/// Whether two values are equal. Numbers may differ by the precision of an `f32`.
fn same(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::Number(one), Value::Number(other)) => {
            let (one, other) = (one.as_f64().unwrap_or(f64::NAN), other.as_f64().unwrap_or(f64::NAN));
            (one - other).abs() <= 1e-6 * one.abs().max(1.0)
        }
        (Value::Object(one), Value::Object(other)) => {
            one.len() == other.len() && one.iter().all(|(key, value)| same(value, &other[key]))
        }
        _ => one == other,
    }
}

fn config_file(dir: &Path) -> Value {
    let text = std::fs::read_to_string(dir.join("config.json")).expect("reading the configuration");
    serde_json::from_str(&text).expect("a configuration in JSON")
}

#[test]
fn settings_take_effect_and_survive_restart() {
    // Start a sound server, because the test can select a sound device only if one exists.
    let pulse = Pulse::start();
    let environment = pulse.as_ref().map(|pulse| pulse.environment().to_vec()).unwrap_or_default();
    // Settings that select a part of a site are rejected if there is no site.
    let site = ["--site", "home"];
    let engine = Engine::start(NO_SOCKET.as_ref(), &site, &environment);
    let schema = engine.get("/api/config/schema");
    let devices = engine.get("/api/audio/devices")["devices"].as_array().cloned().unwrap_or_default();
    let mut changed = Vec::new();
    for Setting { path, schema } in settings(&schema) {
        let now = engine.get("/api/config").pointer(&path).cloned();
        let now = now.unwrap_or_else(|| panic!("{path} is in the schema, but not in the configuration"));
        if ONLY_IN_FILE.iter().any(|start| path.starts_with(start)) {
            let other = match path.as_str() {
                "/site/name" => json!("elsewhere"),
                "/listen/local_users" => json!(true),
                _ => json!("/tmp"),
            };
            let (status, answer) = patch(&engine, &path, &other);
            assert!(
                status == 400 && answer["error"].as_str().is_some_and(|error| error.contains("file")),
                "{answer}"
            );
            continue;
        }
        let mut tried = guesses(&schema, &now);
        if path == "/audio/device" {
            tried = devices.iter().map(|device| device["id"].clone()).collect();
            if tried.is_empty() {
                println!("audio.device is not tested, because there is no sound device");
                continue;
            }
        }
        let mut errors = Vec::new();
        let accepted = tried.into_iter().find(|value| {
            let (status, answer) = patch(&engine, &path, value);
            errors.push(answer["error"].clone());
            status == 200
        });
        let value = accepted.unwrap_or_else(|| panic!("the engine accepted no value of {path}: {errors:?}"));
        let shown = engine.get("/api/config").pointer(&path).cloned().unwrap_or_default();
        assert!(same(&shown, &value), "{path} is {shown} after the change, not {value}");
        changed.push((path, value));
    }
    println!("{} settings changed", changed.len());
    assert!(changed.len() >= 35, "only {} settings were changed", changed.len());

    let (status, dir) = engine.stop();
    assert!(status.success());
    let file = config_file(dir.path());
    let again = Engine::start_in(dir, NO_SOCKET.as_ref(), &site, &environment);
    let config = again.get("/api/config");
    for (path, value) in changed {
        let kept = file.pointer(&path).unwrap_or_else(|| panic!("{path} is not in the file"));
        assert!(same(kept, &value), "{path} is {kept} in the file, not {value}");
        if !BELOW_FLAGS.contains(&&*path) {
            let shown = config.pointer(&path).cloned().unwrap_or_default();
            assert!(same(&shown, &value), "{path} is {shown} after the restart, not {value}");
        }
    }
}

/// Some state lasts only until the engine ends, as docs/api.md describes.
#[test]
fn temporary_state_ends_with_engine() {
    let engine = Engine::start(NO_SOCKET.as_ref(), &["--fake", "--no-audio"], &[]);
    assert_eq!(engine.post("/api/actions/snooze?minutes=30").0, 200);
    assert_eq!(engine.post("/api/actions/baseline?do=freeze").0, 200);
    let preset = engine.get("/api/presets/rain")["preset"].to_string();
    assert_eq!(engine.send("POST", "/api/presets/preview", preset.as_bytes(), &[]).0, 200);
    let momentary = |engine: &Engine| {
        let controls = engine.get("/api/metrics")["controls"].clone();
        let (presets, health) = (engine.get("/api/presets"), engine.get("/api/health"));
        (
            controls["muted"] == true,
            controls["snoozed_until_ts_ms"].is_number(),
            health["baseline"]["frozen"] == true,
            presets["previewing"].is_string(),
        )
    };
    assert_eq!(momentary(&engine), (true, true, true, true));
    let (_, dir) = engine.stop();
    let again = Engine::start_in(dir, NO_SOCKET.as_ref(), &["--fake", "--no-audio"], &[]);
    assert_eq!(momentary(&again), (false, false, false, false));
}
