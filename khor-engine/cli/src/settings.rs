//! `khor config`: lists, shows and changes the settings of the running engine.

use anyhow::bail;
use clap::{
    Arg, Args, Command,
    builder::{PossibleValue, TypedValueParser},
};
use khor_api::ConfigChanged;
use khor_command_line::print::{print, print_json, print_line, print_stderr};
use khor_config::{Access, Config, Field, Kind, nested};
use serde_json::{Value, json};

use super::{client::EngineAddress, table::indented};

#[derive(Args, Debug)]
pub(super) struct ConfigArgs {
    #[command(flatten)]
    engine: EngineAddress,
    /// A setting, such as music.bpm, or a section, such as music [default: list all settings]
    #[arg(value_parser = SettingPath, hide_possible_values = true)]
    path: Option<String>,
    /// The new value: plain text for a text setting, JSON for any other setting, null to clear a
    /// setting that allows it
    #[arg(requires = "path")]
    value: Option<String>,
    /// Print as JSON: the value at PATH, or all settings with value, range and meaning
    #[arg(long)]
    json: bool,
}

/// The argument for the path of a setting. It accepts every path, because a newer engine may have
/// more settings. Shells complete the known paths.
#[derive(Clone, Debug)]
struct SettingPath;

impl TypedValueParser for SettingPath {
    type Value = String;

    fn parse_ref(
        &self,
        command: &Command,
        arg: Option<&Arg>,
        value: &std::ffi::OsStr,
    ) -> Result<String, clap::Error> {
        clap::builder::StringValueParser::new().parse_ref(command, arg, value)
    }

    fn possible_values(&self) -> Option<Box<dyn Iterator<Item = PossibleValue> + '_>> {
        Some(Box::new(Config::fields().iter().map(|field| PossibleValue::new(field.path.as_str()))))
    }
}

pub(super) fn config(args: &ConfigArgs) -> anyhow::Result<()> {
    let client = args.engine.client()?;
    let before: Value = client.get("config")?;
    let Some(path) = &args.path else {
        return list(&before, args.json);
    };
    // Look for the path in the answer of the engine, because a newer engine may have more settings.
    let Some(held) = at(&before, path) else {
        bail!("'{path}' is not a setting; {}khor config lists all settings", suggestion(path));
    };
    let change = args.value.as_ref().map(|value| nested(path, parsed(path, held, value)));
    let changed = change.map(|change| client.patch_config(&change)).transpose()?;
    let config = changed.as_ref().map_or(&before, |changed| &changed.config);
    let value = at(config, path).unwrap_or(&Value::Null);
    match value.as_str().filter(|_| !args.json) {
        Some(text) => print_line(text)?,
        None => print_json(value)?,
    }
    if let Some(changed) = &changed {
        print_remarks(path, changed);
    }
    Ok(())
}

/// Prints why a change has no effect yet, or why it will be lost.
fn print_remarks(path: &str, changed: &ConfigChanged<Value>) {
    if let Some(switch) = switch_of(path, &changed.config) {
        print_stderr(format_args!(
            "this setting has no effect until {switch} is on: khor config {switch} true\n"
        ));
    }
    if changed.restart_required {
        print_stderr("the change takes effect after a restart of the engine\n");
    }
    if let Some(why) = &changed.not_saved {
        print_stderr(format_args!("the change is lost when the engine ends: {why}\n"));
    }
}

/// Prints all settings. `whole` is the complete configuration.
fn list(whole: &Value, as_json: bool) -> anyhow::Result<()> {
    let rows = rows(whole);
    if as_json {
        let json = |(path, value, field): &(String, &Value, Option<&Field>)| {
            let mut row = field.map_or_else(|| json!({ "path": path }), Field::to_json);
            row["value"] = (*value).clone();
            row
        };
        return print_json(&rows.iter().map(json).collect::<Vec<_>>());
    }
    print(rows.iter().map(|(path, value, field)| row(path, value, *field)).collect::<String>())
}

/// Lists the path, value and definition of each setting. The settings that this version of khor
/// knows come first, in the order of the file. Unknown settings of a newer engine are at the end,
/// and have no definition.
fn rows(whole: &Value) -> Vec<(String, &Value, Option<&'static Field>)> {
    let known = Config::fields().iter();
    let mut rows: Vec<_> =
        known.filter_map(|field| Some((field.path.clone(), at(whole, &field.path)?, Some(field)))).collect();
    let mut open = vec![(String::new(), whole)];
    while let Some((path, value)) = open.pop() {
        if let Value::Object(below) = value {
            let join = |key: &str| if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") };
            open.extend(below.iter().map(|(key, value)| (join(key), value)));
        } else if Config::field(&path).is_none() {
            rows.push((path, value, None));
        }
    }
    rows
}

/// Writes the lines that show a setting in the list.
fn row(path: &str, value: &Value, field: Option<&Field>) -> String {
    let shown =
        value.as_str().filter(|text| !text.is_empty()).map_or_else(|| value.to_string(), str::to_owned);
    let mut text = format!("{path} = {shown}\n");
    if let Some(field) = field {
        text.push_str(&indented(&about(field)));
    }
    text
}

/// Describes a setting: its meaning, its range, and who may change it.
fn about(field: &Field) -> String {
    let or_null = if field.is_nullable { ", or null" } else { "" };
    let mut about = format!("{} Allowed: {}{or_null}.", field.meaning, field.range());
    if field.access > Access::Api {
        about = format!("{about} Only {} may set this.", field.access.words());
    }
    if field.needs_restart {
        about.push_str(" A change takes effect after a restart.");
    }
    about
}

/// Returns the value at a path whose parts are separated by dots.
fn at<'a>(whole: &'a Value, path: &str) -> Option<&'a Value> {
    whole.pointer(&format!("/{}", path.replace('.', "/")))
}

/// Asks whether the user meant the setting with the most similar path. Returns an empty text if no
/// path is similar.
fn suggestion(path: &str) -> String {
    Config::closest_field(path).map(|field| format!("did you mean {}? ", field.path)).unwrap_or_default()
}

/// Converts a value from the command line to JSON, for the setting at `path` whose current value is
/// `held`. A text setting takes plain text, because a preset may have the name `808`, `true` or
/// `null`. Any other setting takes JSON. An unknown setting has the type of its current value.
pub(super) fn parsed(path: &str, held: &Value, value: &str) -> Value {
    let json = serde_json::from_str::<Value>(value).ok();
    let field = Config::field(path);
    if field.is_some_and(|field| field.is_nullable) && value == "null" {
        return Value::Null;
    }
    if field.map_or(held.is_string(), |field| field.kind == Kind::Text) {
        // Also accept a text in JSON quotes, as in the configuration file.
        return json.filter(Value::is_string).unwrap_or_else(|| Value::String(value.to_owned()));
    }
    json.unwrap_or_else(|| Value::String(value.to_owned()))
}

/// Returns the switch that must be on before the setting has an effect. Returns `None` if that
/// switch is already on.
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_get_the_type_of_their_setting() {
        let is = |path: &str, value: &str, expected: Value| {
            assert_eq!(parsed(path, &Value::Null, value), expected, "{path}");
        };
        is("music.bpm", "90", json!(90));
        is("music.preset", "rain", json!("rain"));
        is("music.scale", "minor", json!("minor"));
        is("osc.targets", "[\"a:1\"]", json!(["a:1"]));
        is("features.midi", "true", json!(true));
        is("signals.ceilings.rx", "1e6", json!(1e6));
        is("recordings.min_free_mib", "null", Value::Null);
        assert_eq!(nested("music.bpm", json!(90)), json!({ "music": { "bpm": 90 } }));
        assert_eq!(parsed("new.text", &json!("x"), "808"), json!("808"), "a newer engine's text");
        assert_eq!(parsed("new.number", &json!(1), "808"), json!(808));
    }

    /// Checks that every text setting accepts texts that look like other types of JSON.
    #[test]
    fn text_settings_accept_values_like_numbers() {
        let texts: Vec<&Field> = Config::fields().iter().filter(|field| field.kind == Kind::Text).collect();
        assert!(texts.len() >= 20, "{}", texts.len());
        for Field { path, is_nullable, .. } in texts {
            for value in ["808", "true", "1e3", "[1]", "{}", "-0", "rain", ""] {
                assert_eq!(parsed(path, &Value::Null, value), json!(value), "{path}");
            }
            assert_eq!(parsed(path, &Value::Null, "\"808\""), json!("808"), "{path}");
            let null = if *is_nullable { Value::Null } else { json!("null") };
            assert_eq!(parsed(path, &Value::Null, "null"), null, "{path}");
        }
    }

    #[test]
    fn the_list_fits_a_terminal() {
        let mut whole = serde_json::to_value(Config::default()).unwrap();
        whole["music"]["new"] = json!([1]);
        let rows = rows(&whole);
        assert_eq!(rows.len(), Config::fields().len() + 1);
        let text: String = rows.iter().map(|(path, value, field)| row(path, value, *field)).collect();
        assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
        let bpm = "music.bpm = 110.0\n    Tempo, beats per minute. Allowed: 20 to 300.\n";
        assert!(text.contains(bpm) && text.contains("audio.device = \"\"\n"), "{text}");
        assert!(text.ends_with("music.new = [1]\n"), "{text}");
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

    #[test]
    fn misspelt_path_gets_a_suggestion() {
        assert_eq!(suggestion("music.bmp"), "did you mean music.bpm? ");
        assert_eq!(suggestion("zzz"), "");
    }
}
