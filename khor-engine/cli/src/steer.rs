//! `khor mute`, `khor snooze` and `khor config`: steer the running engine.

use anyhow::bail;
use clap::{Args, ValueEnum};
use khor_api::{Muted, Snoozed};
use khor_command_line::{
    number,
    print::{print_json, print_line, print_stderr},
};
use khor_engine::config::Config;
use schemars::generate::SchemaSettings;
use serde_json::{Map, Value};

use super::client::EngineAddress;

#[derive(Args, Debug)]
pub(super) struct MuteArgs {
    #[command(flatten)]
    engine: EngineAddress,
    /// Without it the mute by hand toggles; a snooze becomes a mute by hand
    state: Option<Switch>,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Switch {
    On,
    Off,
}

#[derive(Args, Debug)]
pub(super) struct SnoozeArgs {
    #[command(flatten)]
    engine: EngineAddress,
    /// For how long, 1 to 1440; 0 ends it
    #[arg(default_value_t = 15, value_parser = number::within(0, 1440_u32), allow_negative_numbers = true)]
    minutes: u32,
}

#[derive(Args, Debug)]
pub(super) struct ConfigArgs {
    #[command(flatten)]
    engine: EngineAddress,
    /// A setting, such as music.bpm; without it all of them are printed
    path: Option<String>,
    /// New value: text for a text setting, null for a setting that may be empty, JSON for all
    /// others
    #[arg(requires = "path")]
    value: Option<String>,
}

pub(super) fn mute(args: &MuteArgs) -> anyhow::Result<()> {
    let query = match args.state {
        Some(Switch::On) => "?on=true",
        Some(Switch::Off) => "?on=false",
        None => "",
    };
    let Muted { muted, .. } = args.engine.client()?.post(&format!("actions/mute{query}"))?;
    print_line(if muted { "muted" } else { "unmuted" })
}

pub(super) fn snooze(args: &SnoozeArgs) -> anyhow::Result<()> {
    args.engine.client()?.post::<Snoozed>(&format!("actions/snooze?minutes={}", args.minutes))?;
    match args.minutes {
        0 => print_line("awake"),
        minutes => print_line(format_args!("silent for {minutes} min; khor snooze 0 ends it")),
    }
}

pub(super) fn config(args: &ConfigArgs) -> anyhow::Result<()> {
    let client = args.engine.client()?;
    let Some(path) = &args.path else {
        return print_json(&client.get::<Value>("config")?);
    };
    let pointer = format!("/{}", path.replace('.', "/"));
    let mut whole: Value = client.get("config")?;
    // The configuration keeps unknown keys for a newer khor, but a typing error must not become
    // one.
    let Some(held) = whole.pointer(&pointer) else {
        bail!("'{path}' is no setting: khor config lists them");
    };
    if let Some(value) = &args.value {
        whole = client.patch_config(&nested(path, parsed(path, held, value)))?;
        if let Some(switch) = switch_of(path, &whole) {
            print_stderr(format_args!(
                "this setting has no effect until {switch} is on: khor config {switch} true\n"
            ));
        }
    }
    let value = whole.pointer(&pointer).unwrap_or(&Value::Null);
    match value.as_str() {
        Some(text) => print_line(text)?,
        None => print_json(value)?,
    }
    if whole["restart_required"] == true {
        print_stderr("the change takes effect after a restart of the engine\n");
    }
    if let Some(why) = whole["not_saved"].as_str() {
        print_stderr(format_args!("the change lasts until the engine ends: {why}\n"));
    }
    Ok(())
}

/// Converts a value for the setting at `path`, whose current value is `held`. A text setting takes
/// the value as text, because a preset may be named `808`, `true` or `null`. Any other setting
/// takes JSON.
pub(super) fn parsed(path: &str, held: &Value, value: &str) -> Value {
    let json = serde_json::from_str::<Value>(value).ok();
    match text_setting(path).or_else(|| held.is_string().then_some(Text::Required)) {
        Some(Text::Nullable) if value == "null" => Value::Null,
        // A value in JSON quotes, as in the file, is accepted too.
        Some(_) => json.filter(Value::is_string).unwrap_or_else(|| Value::String(value.to_owned())),
        None => json.unwrap_or_else(|| Value::String(value.to_owned())),
    }
}

/// A kind of text setting.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Text {
    Required,
    /// The setting may be `null`.
    Nullable,
}

/// The kind of a text setting, from the configuration's schema. `None` for other settings, and for
/// settings of a newer engine.
fn text_setting(path: &str) -> Option<Text> {
    let generator = SchemaSettings::draft2020_12().for_deserialize().into_generator();
    let schema = generator.into_root_schema_for::<Config>().to_value();
    let mut object = &schema;
    for key in path.split('.') {
        let reference = object["$ref"].as_str().and_then(|name| name.strip_prefix('#'));
        let resolved = reference.map_or(Some(object), |pointer| schema.pointer(pointer))?;
        object = resolved["properties"].get(key)?;
    }
    let reference = object["$ref"].as_str().and_then(|name| name.strip_prefix('#'));
    let resolved = reference.map_or(Some(object), |pointer| schema.pointer(pointer))?;
    let is = |kind: &str| match &resolved["type"] {
        Value::Array(kinds) => kinds.iter().any(|other| other == kind),
        one => one == kind,
    };
    is("string").then(|| if is("null") { Text::Nullable } else { Text::Required })
}

/// The switch that a setting needs, if that switch is off.
fn switch_of(path: &str, config: &Value) -> Option<&'static str> {
    const SWITCHES: [(&str, &str); 9] = [
        ("midi.", "features.midi"),
        ("osc.receive.port", "osc.receive.enabled"),
        ("osc.host", "features.osc"),
        ("osc.port", "features.osc"),
        ("osc.targets", "features.osc"),
        ("quiet.from", "quiet.enabled"),
        ("quiet.to", "quiet.enabled"),
        ("audio.", "features.audio"),
        ("bpf.", "features.bpf"),
    ];
    let (_, switch) = SWITCHES.iter().find(|(start, _)| path.starts_with(start))?;
    let is_off = config.pointer(&format!("/{}", switch.replace('.', "/"))) == Some(&Value::Bool(false));
    is_off.then_some(*switch)
}

/// `music.bpm` and 90 as `{"music": {"bpm": 90}}`.
pub(super) fn nested(path: &str, value: Value) -> Value {
    path.rsplit('.').fold(value, |inner, key| Value::Object(Map::from_iter([(key.to_owned(), inner)])))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn paths_and_values_become_changes() {
        let config = serde_json::to_value(Config::default()).unwrap();
        let change = |path: &str, value: &str| {
            let held = config.pointer(&format!("/{}", path.replace('.', "/"))).unwrap();
            nested(path, parsed(path, held, value))
        };
        assert_eq!(change("music.bpm", "90"), json!({ "music": { "bpm": 90 } }));
        assert_eq!(change("music.preset", "rain"), json!({ "music": { "preset": "rain" } }));
        assert_eq!(change("music.scale", "minor"), json!({ "music": { "scale": "minor" } }));
        assert_eq!(change("osc.targets", "[\"a:1\"]"), json!({ "osc": { "targets": ["a:1"] } }));
        assert_eq!(change("features.midi", "true"), json!({ "features": { "midi": true } }));
        assert_eq!(change("quiet.from", "22:00"), json!({ "quiet": { "from": "22:00" } }));
        assert_eq!(change("signals.ceilings.rx", "1e6"), json!({ "signals": { "ceilings": { "rx": 1e6 } } }));
    }

    /// Checks every text setting with values that look like other types of JSON.
    #[test]
    fn text_settings_accept_values_like_numbers() {
        let config = serde_json::to_value(Config::default()).unwrap();
        let mut texts = 0;
        let mut visit = vec![(String::new(), &config)];
        while let Some((path, held)) = visit.pop() {
            if let Value::Object(inner) = held {
                let below =
                    |key: &str| if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") };
                visit.extend(inner.iter().map(|(key, held)| (below(key), held)));
                continue;
            }
            let is_nullable = text_setting(&path) == Some(Text::Nullable);
            match held {
                Value::String(_) => {}
                Value::Null if is_nullable => {}
                // Any other type, such as null for a number.
                _ => continue,
            }
            texts += 1;
            for value in ["808", "true", "1e3", "[1]", "{}", "-0", "rain", ""] {
                assert_eq!(parsed(&path, held, value), json!(value), "{path}");
            }
            assert_eq!(parsed(&path, held, "\"808\""), json!("808"), "{path}");
            let null = if is_nullable { Value::Null } else { json!("null") };
            assert_eq!(parsed(&path, held, "null"), null, "{path}");
        }
        assert!(texts >= 20, "{texts}");
    }

    #[test]
    fn a_setting_without_effect_names_its_switch() {
        let mut config = serde_json::to_value(Config::default()).unwrap();
        assert_eq!(switch_of("osc.port", &config), Some("features.osc"));
        assert_eq!(switch_of("quiet.from", &config), Some("quiet.enabled"));
        assert_eq!(switch_of("osc.receive.enabled", &config), None);
        assert_eq!(switch_of("audio.master_gain", &config), None);
        config["features"]["osc"] = json!(true);
        assert_eq!(switch_of("osc.port", &config), None);
    }
}
