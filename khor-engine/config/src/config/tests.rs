//! Tests the definitions of the settings: defaults, allowed values, access and the field table.

mod recover;
mod schema;

use khor_proto::inert;
use serde_json::{Number, json};

use super::*;
use crate::Kind;

#[test]
fn the_defaults_are_valid() {
    assert_eq!(Config::default().validate(), Ok(()));
}

#[test]
fn an_error_names_field_value_and_range() {
    let mut config = Config::default();
    config.music.bpm = 10.0;
    let error = config.validate().unwrap_err().to_string();
    assert_eq!(error, "music.bpm: 10 is not allowed, expected 20 to 300");
    config.music.bpm = f32::NAN;
    assert!(config.validate().is_err(), "NaN is in no range");
}

/// No setting allows control, bidirectional or invisible characters, which could send escape
/// sequences to a terminal or change a page.
#[test]
fn active_text_is_rejected_and_escaped() {
    let set = |pointer: &str, text: &str| {
        let mut config = serde_json::to_value(Config::default()).unwrap();
        *config.pointer_mut(pointer).unwrap() =
            if pointer.ends_with('s') { json!([text]) } else { json!(text) };
        serde_json::from_value::<Config>(config).unwrap().validate()
    };
    let hostile = ["\x1b]52;c;cm0=\x07", "\u{9b}2J", "\u{202e}", "\u{200b}", "\u{e0041}", "\n"];
    for (pointer, text) in [
        ("/bpf/cgroup", "/a{}.service"),
        ("/music/preset", "ra{}in"),
        ("/audio/backend", "a{}"),
        ("/audio/device", "id:a{}"),
        ("/midi/port", "k{}hor"),
        ("/osc/host", "a{}"),
        ("/osc/targets", "a{}:1"),
        ("/listen/host", "1{}"),
        ("/listen/allowed_hosts", "a{}.local"),
        ("/site/name", "a{}"),
        ("/site/host", "a{}"),
        ("/site/nats/url", "nats://a{}"),
    ] {
        for hostile in hostile {
            let error = set(pointer, &text.replace("{}", hostile)).unwrap_err().to_string();
            let escaped = inert::escaped(hostile, 200);
            assert!(inert::is_inert(&error) && error.contains(&escaped), "{pointer}: {error:?}");
        }
        let long = set(pointer, &text.replace("{}", &"\x1b".repeat(10_000))).unwrap_err().to_string();
        assert!(long.len() < 2000, "{pointer}: {} bytes", long.len());
    }
}

#[test]
fn changes_may_echo_unknown_keys() {
    let config = Config::default();
    let known = serde_json::to_value(&config).unwrap();
    let held = json!({ "theirs": { "x": 1 }, "music": { "of_theirs": [1] } });
    let refused = |change: Value| config.read_change(&change, &held).err().map(|error| error.field);
    assert_eq!(refused(known.clone()), None);
    assert_eq!(refused(json!({ "theirs": { "x": 1 }, "music": { "of_theirs": [1] } })), None);
    for (change, field) in [
        (json!({ "theirs": { "x": 2 } }), "theirs"),
        (json!({ "theirs": null }), "theirs"),
        (json!({ "new": null }), "new"),
        (json!({ "music": { "bmp": 1 } }), "music.bmp"),
        (json!({ "music.bpm": 90 }), "music.bpm"),
        (json!({ "osc": { "receive": { "x\x1b": 1 } } }), "osc.receive.x\\u{1b}"),
        (json!({ "site": { "nats": { "password": "x" } } }), "site.nats.password"),
        (json!({ "signals": { "ceilings": { "r": 1 } } }), "signals.ceilings.r"),
        (json!({ "listen": { "tokenfile": "/t" } }), "listen.tokenfile"),
    ] {
        assert_eq!(refused(change.clone()).as_deref(), Some(field), "{change}");
    }
}

#[test]
fn changes_accept_integers_and_floats() {
    let whole = serde_json::to_value(Config::default()).unwrap();
    let as_float = |number: &Number| Number::from_f64(number.as_f64().unwrap()).unwrap();
    let as_integer = |number: &Number| Number::from(number.as_f64().unwrap() as i64);
    for convert in [&as_float as &dyn Fn(&Number) -> Number, &as_integer] {
        let mut change = whole.clone();
        convert_numbers(&mut change, convert);
        // Remove the ceilings from the change. As an integer, a ceiling below 1 would become 0,
        // which is not allowed.
        change["signals"]["ceilings"] = json!({});
        let patch = Config::default().read_change(&change, &Value::Null).unwrap();
        assert_eq!(patch.music.key_midi, Some(50));
    }
    let error = Config::change_of("midi.channel", json!(2.5)).unwrap_err().to_string();
    assert_eq!(error, "midi.channel: 2.5 is not allowed, expected a whole number from 1 to 16");
}

fn convert_numbers(value: &mut Value, convert: &dyn Fn(&Number) -> Number) {
    match value {
        Value::Object(fields) => fields.values_mut().for_each(|value| convert_numbers(value, convert)),
        Value::Array(list) => list.iter_mut().for_each(|value| convert_numbers(value, convert)),
        Value::Number(number) => *number = convert(number),
        _ => {}
    }
}

#[test]
fn sections_accept_only_objects() {
    for change in [json!({ "music": [] }), json!({ "music": null }), json!({ "osc": { "receive": 5 } })] {
        let error = Config::default().read_change(&change, &Value::Null).unwrap_err().to_string();
        assert!(error.ends_with(" is not allowed, expected a JSON object"), "{change}: {error}");
    }
}

/// The errors are khor's own texts, not the JSON parser's.
#[test]
fn wrong_types_name_value_and_expectation() {
    for (path, value, expected) in [
        ("music.bpm", Value::Null, "null is not allowed, expected a number from 20 to 300"),
        ("music.seed", json!(-1), "-1 is not allowed, expected a whole number from 0"),
        ("midi.clock", json!("yes"), "\"yes\" is not allowed, expected true or false"),
        ("midi.port", json!(5), "5 is not allowed, expected a name of visible characters"),
        ("signals.range", json!("both"), "\"both\" is not allowed, expected adaptive or absolute"),
        ("osc.targets", json!("a:1"), "\"a:1\" is not allowed, expected a list of at most 8 targets"),
        ("bpf.tgid_deny", json!([{}]), "{} is not allowed, expected a whole number from 1 to 4194304"),
        ("quiet.to", json!(7), "7 is not allowed, expected HH:MM, 00:00 to 23:59"),
        (
            "recordings.min_free_mib",
            json!([]),
            "[] is not allowed, expected a whole number from 0 to 16777216, or null",
        ),
        ("ui.dir", json!(true), "true is not allowed, expected a text of at most 4096 characters, or null"),
        ("signals.ceilings.rx", json!("1"), "\"1\" is not allowed, expected a number above 0"),
    ] {
        let problem = Config::change_of(path, value).unwrap_err().problem;
        assert_eq!(problem, expected, "{path}");
    }
    let long = Config::change_of("music.bpm", json!("x".repeat(10_000))).unwrap_err().to_string();
    assert!(long.chars().count() < 200, "{long}");
    let body = Config::default().read_change(&json!([1]), &Value::Null).unwrap_err().to_string();
    assert_eq!(body, "body: [1] is not allowed, expected a JSON object with settings");
}

#[test]
fn callers_change_only_their_settings() {
    let config = Config::default();
    let refused = |path: &str, value: Value, caller: Access| {
        let patch = Config::change_of(path, value).unwrap();
        config.check_caller(&patch, caller).err().map(|error| error.to_string())
    };
    for (path, value) in [("listen.token_file", json!("/t")), ("listen.local_users", json!(true))] {
        let error = refused(path, value.clone(), Access::CommandLine);
        assert_eq!(error, Some(format!("{path}: only the configuration file may set this")));
    }
    for (path, value) in
        [("ui.dir", json!("/d")), ("site.name", json!("home")), ("site.nats.url", json!("nats://a"))]
    {
        assert_eq!(refused(path, value.clone(), Access::CommandLine), None, "{path}");
        let error = refused(path, value, Access::Api).unwrap();
        assert!(error.contains("or an option of khor engine"), "{error}");
    }
    for (path, value) in [("site.host", json!("a")), ("site.mode", json!("sections"))] {
        assert_eq!(refused(path, value, Access::Api), None, "{path}");
    }
    assert_eq!(
        refused("listen.token_file", Value::Null, Access::Anyone),
        None,
        "an equal value is not a change"
    );
}

#[test]
fn osc_may_change_music_and_loudness_only() {
    let open = Config::fields().iter().filter(|field| field.access == Access::Anyone);
    let open: Vec<&str> = open.map(|field| field.path.as_str()).collect();
    let (music, other): (Vec<&str>, Vec<&str>) = open.iter().partition(|path| path.starts_with("music."));
    assert_eq!(other, ["audio.master_gain", "audio.loudness_lufs"]);
    assert_eq!(music.len(), Config::fields().iter().filter(|field| field.path.starts_with("music.")).count());
}

#[test]
fn the_table_has_every_setting() {
    let mut open = vec![(String::new(), serde_json::to_value(Config::default()).unwrap())];
    let mut paths = Vec::new();
    while let Some((path, value)) = open.pop() {
        let Value::Object(fields) = value else {
            paths.push(path);
            continue;
        };
        let below = |key: String| if path.is_empty() { key } else { format!("{path}.{key}") };
        open.extend(fields.into_iter().map(|(key, value)| (below(key), value)));
    }
    paths.sort();
    let mut listed: Vec<&str> = Config::fields().iter().map(|field| field.path.as_str()).collect();
    listed.sort_unstable();
    assert_eq!(listed, paths);
    for field in Config::fields() {
        let Field { path, meaning, .. } = field;
        assert!(meaning.len() > 8 && meaning.ends_with('.') && !meaning.contains("  "), "{path}: {meaning}");
        assert!(!field.range().is_empty(), "{path}");
        assert!(Config::change_of(path, field.default.clone()).is_ok(), "{path}");
    }
}

#[test]
fn a_row_has_range_and_default() {
    let row = Config::field("music.bpm").unwrap().to_json();
    let expected = json!({
        "path": "music.bpm", "kind": "number", "range": "20 to 300", "default": 110.0, "minimum": 20.0,
        "maximum": 300.0, "meaning": "Tempo, beats per minute.", "set_by": "anyone", "needs_restart": false,
    });
    assert_eq!(row, expected);
    let field = |path: &str| Config::field(path).unwrap();
    assert_eq!(field("audio.loudness_lufs").range(), "-23, -18 or -16");
    assert_eq!(field("signals.range").range(), "adaptive, absolute");
    assert_eq!(field("osc.targets").range(), "at most 8 targets");
    assert!(field("site.host").is_nullable && field("recordings.min_free_mib").kind == Kind::Whole);
    assert!(field("listen.port").needs_restart && !field("osc.port").needs_restart);
}

#[test]
fn a_misspelt_path_finds_its_setting() {
    let closest = |path| Config::closest_field(path).map(|field| field.path.as_str());
    assert_eq!(closest("music.bmp"), Some("music.bpm"));
    assert_eq!(closest("audio.gain"), Some("audio.master_gain"));
    assert_eq!(closest("zzz"), None);
    let error = Config::change_of("music.bmp", json!(90)).unwrap_err().to_string();
    assert_eq!(
        error,
        "music.bmp: khor does not know this key; did you mean music.bpm? GET /api/config has all keys"
    );
    let error = Config::change_of("zzz", json!(90)).unwrap_err().to_string();
    assert_eq!(error, "zzz: khor does not know this key; GET /api/config has all keys");
}
