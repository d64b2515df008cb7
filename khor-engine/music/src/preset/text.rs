//! Reads and writes presets as text: TOML for files, and JSON for the API. Both formats have the
//! same keys and the same rules.

use std::{fmt::Write, sync::LazyLock};

use khor_proto::inert;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use toml::Table;

use super::{BedSettings, Patches, Preset, PulseSettings, VoiceSettings, check, parse_error::translate};
use crate::{
    mapping::{MAX_ROUTES, Mapping, RouteText},
    problem::Problem,
};

/// A preset as written in files and in the API.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Preset")]
pub struct PresetText {
    /// Name of the preset, 1 to 64 characters. The characters a-z, 0-9, - and _ are allowed.
    #[schemars(regex(pattern = r"^[a-z0-9_-]{1,64}$"))]
    name: String,
    /// One sentence that describes the preset's sound.
    #[schemars(length(max = check::MAX_HINT_CHARS))]
    hint: String,
    /// Gain of all notes, dB. With this gain, the beds of all presets have the same loudness.
    #[schemars(range(min = -24, max = 24))]
    trim_db: f32,
    /// Swing: the delay of every second step, as a share of a step.
    #[serde(default)]
    #[schemars(range(min = 0, max = 0.5))]
    swing: f32,
    /// Settings of the bed.
    bed: BedSettings,
    /// Settings of the pulse, with one entry for each stream. At most 4 streams are allowed.
    #[serde(default)]
    #[schemars(length(max = 4))]
    pulse: Vec<PulseSettings>,
    /// Settings of the voices.
    voices: VoiceSettings,
    /// The timbres of all roles. Voices and cues may have timbres of their own.
    patches: Patches,
    /// The preset's own mapping. Without this list, the standard mapping applies.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = MAX_ROUTES))]
    map: Option<Vec<RouteText>>,
}

/// The standard mapping as written in its file.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct MappingText {
    map: Vec<RouteText>,
}

/// The reason why a preset file cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {problem}")]
pub struct PresetError {
    /// Number of the line in the file, starting at 1.
    pub line: usize,
    /// The field, what is wrong with it, and which values are valid.
    pub problem: String,
}

static STANDARD: LazyLock<Mapping> = LazyLock::new(|| {
    let text = include_str!("../../presets/mapping.toml");
    let lines: MappingText = toml::from_str(text).expect("a test parses the standard mapping");
    Mapping::check(&lines.map).expect("a test checks the standard mapping")
});

impl Preset {
    /// Reads a preset file and checks it. An error names one problem and its line.
    pub fn parse(text: &str) -> Result<Self, PresetError> {
        let at = |offset: usize| text.get(..offset).map_or(1, |before| 1 + before.matches('\n').count());
        let preset: PresetText = toml::from_str(text).map_err(|error: toml::de::Error| PresetError {
            line: at(error.span().map_or(0, |span| span.start)),
            problem: inert::line(&translate(error.message())).into_owned(),
        })?;
        Self::from_text(preset).map_err(|problems| match problems.first() {
            Some(first) => PresetError { line: line_of(text, &first.path), problem: first.to_string() },
            None => PresetError { line: 1, problem: "the preset is invalid".into() },
        })
    }

    /// Reads a preset in JSON and checks it. The keys are the same as in a file. If values are
    /// invalid, the error lists all problems.
    pub fn from_json(json: &Value) -> Result<Self, Vec<Problem>> {
        if !json.is_object() {
            // Reject lists explicitly. Serde would accept a list of the field values in place of an
            // object.
            return Err(vec![Problem::new("", "a preset must be a JSON object")]);
        }
        let preset: PresetText = serde_path_to_error::deserialize(json).map_err(|error| {
            let path = error.path().to_string();
            let path = if path == "." { String::new() } else { path };
            vec![Problem::new(path, translate(&error.into_inner().to_string()))]
        })?;
        Self::from_text(preset)
    }

    fn from_text(text: PresetText) -> Result<Self, Vec<Problem>> {
        let PresetText { name, hint, trim_db, swing, bed, pulse, voices, patches, map } = text;
        let hint = inert::owned_line(hint);
        let read = map.map_or_else(|| Ok(STANDARD.clone()), |lines| Mapping::check(&lines));
        let (mapping, mut problems) = match read {
            Ok(mapping) => (mapping, Vec::new()),
            Err(problems) => (STANDARD.clone(), problems),
        };
        let preset = Self { name, hint, trim_db, swing, bed, pulse, voices, patches, mapping }.checked();
        match preset {
            Ok(preset) if problems.is_empty() => Ok(preset),
            Ok(_) => Err(problems),
            Err(more) => {
                problems.splice(0..0, more);
                Err(problems)
            }
        }
    }

    /// The preset as written in the API, including its mapping.
    pub fn to_text(&self) -> PresetText {
        let Self { name, hint, trim_db, swing, bed, pulse, voices, patches, mapping } = self.clone();
        PresetText {
            name,
            hint,
            trim_db,
            swing,
            bed,
            pulse,
            voices,
            patches,
            map: Some(mapping.routes().iter().map(RouteText::from).collect()),
        }
    }

    /// The preset as the text of a file. A preset with the standard mapping is written without
    /// `map`, so that it follows later changes of the standard mapping.
    pub fn to_toml(&self) -> Result<String, toml::ser::Error> {
        let mut preset = self.to_text();
        if self.mapping == *STANDARD {
            preset.map = None;
        }
        let mut text = String::new();
        put_table(&mut text, "", &Table::try_from(preset)?);
        Ok(text)
    }
}

/// Appends a table. Its plain values come first and the tables inside it follow, as a person would
/// write them. Each register is written on one line.
fn put_table(text: &mut String, name: &str, table: &Table) {
    let below = |key: &str| if name.is_empty() { key.to_owned() } else { format!("{name}.{key}") };
    let is_table = |key: &str, value: &toml::Value| match value {
        toml::Value::Table(_) => key != "register",
        toml::Value::Array(items) => items.first().is_some_and(toml::Value::is_table),
        _ => false,
    };
    for (key, value) in table.iter().filter(|(key, value)| !is_table(key, value)) {
        // Writing to a string never fails.
        let _ = writeln!(text, "{key} = {}", inline(value));
    }
    for (key, value) in table.iter().filter(|(key, value)| is_table(key, value)) {
        let name = below(key);
        match value {
            toml::Value::Table(table) => {
                // A table that contains only tables does not need a header.
                if table.values().any(|value| !value.is_table()) {
                    let _ = writeln!(text, "\n[{name}]");
                }
                put_table(text, &name, table);
            }
            toml::Value::Array(tables) => {
                for table in tables.iter().filter_map(toml::Value::as_table) {
                    let _ = writeln!(text, "\n[[{name}]]");
                    put_table(text, &name, table);
                }
            }
            _ => {}
        }
    }
}

/// Formats a value on one line. Fractions are written with the digits of an `f32`, because all
/// fractions in a preset are of type `f32`.
fn inline(value: &toml::Value) -> String {
    let list = |values: Vec<String>| values.join(", ");
    match value {
        toml::Value::Float(number) => format!("{:?}", *number as f32),
        toml::Value::Array(values) => format!("[{}]", list(values.iter().map(inline).collect())),
        toml::Value::Table(table) => {
            let pairs = table.iter().map(|(key, value)| format!("{key} = {}", inline(value)));
            format!("{{ {} }}", list(pairs.collect()))
        }
        other => other.to_string(),
    }
}

/// The line number of a field in the file, starting at 1. If the field is not found, the result is
/// the line of its table, or 1.
fn line_of(text: &str, path: &str) -> usize {
    let (table, key) = path.rsplit_once('.').unwrap_or(("", path));
    let (mut here, mut of_table) = (String::new(), 1);
    let mut counts = std::collections::BTreeMap::<String, usize>::new();
    for (index, line) in text.lines().enumerate() {
        let line = line.split('#').next().unwrap_or_default().trim();
        if let Some(name) = line.strip_prefix("[[").and_then(|rest| rest.split(']').next()) {
            let count = counts.entry(name.to_owned()).or_default();
            here = format!("{name}[{count}]");
            *count += 1;
        } else if let Some(name) = line.strip_prefix('[').and_then(|rest| rest.split(']').next()) {
            name.clone_into(&mut here);
        }
        if line.starts_with('[') && here == path {
            return index + 1;
        }
        if here == table {
            of_table = if line.starts_with('[') { index + 1 } else { of_table };
            if line.split('=').next().is_some_and(|name| name.trim() == key) {
                return index + 1;
            }
        }
    }
    of_table
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const GOOD: &str = include_str!("../../presets/ambient.toml");

    #[test]
    fn hostile_presets_print_inert_text() {
        let hostile = r"a\u001b]52;c;cm0=\u0007\u202e";
        let hint = GOOD.replacen("hint = \"", &format!("hint = \"{hostile}"), 1);
        let preset = Preset::parse(&hint).unwrap();
        assert!(preset.hint.starts_with("a\u{fffd}]52;c;cm0=\u{fffd}\u{fffd}"), "{}", preset.hint);
        for broken in [
            format!("\"{hostile}\" = 1\n{GOOD}"),
            GOOD.replacen("name = \"", &format!("name = \"{hostile}"), 1),
            GOOD.replacen("trim_db = ", &format!("trim_db = \"{hostile}\" #"), 1),
            format!("\u{1b}]52;c;\u{7}{GOOD}"),
        ] {
            let error = Preset::parse(&broken).unwrap_err().to_string();
            assert!(inert::is_inert(&error), "{error:?}");
        }
    }

    #[test]
    fn deep_nesting_is_an_error() {
        for (open, key) in [("[", "a = "), ("{a=", "a = "), ("a.", ""), ("[", ""), ("[[", "")] {
            let text = format!("{key}{}", open.repeat(100_000));
            assert!(Preset::parse(&text).is_err(), "{open}");
        }
    }

    /// Makes one change to a built-in preset. Returns the resulting error, and how far the reported
    /// line is from the changed line.
    fn error(from: &str, to: &str) -> (String, usize) {
        let at = GOOD.find(from).unwrap_or_else(|| panic!("{from}"));
        let error = Preset::parse(&GOOD.replacen(from, to, 1)).unwrap_err();
        assert_eq!(error.to_string(), format!("line {}: {}", error.line, error.problem));
        (error.problem, error.line.abs_diff(GOOD[..at].lines().count().max(1)))
    }

    #[test]
    fn errors_name_line_field_and_range() {
        let (problem, off) = error("\nchord_bars = ", "\nchord_bars = 1");
        assert_eq!((problem.as_str(), off), ("bed.chord_bars: must be from 4 to 8", 1));
        let (problem, off) = error("hint = ", "hnit = ");
        assert!(problem.contains("hnit") && off == 1, "{problem} {off}");
        let (problem, off) = error("\nsustain = ", "\nsustain = 7");
        assert!(
            problem.contains("patches.melody.sustain: must be from 0 to 1") && off == 1,
            "{problem} {off}"
        );
        let (problem, off) = error("register = { low = 62", "register = { low = 20");
        assert!(problem.contains("pulse[0].register: must be from 36 to 96") && off == 1, "{problem} {off}");
    }

    #[test]
    fn a_truncated_file_error_names_a_line() {
        for cut in 1..GOOD.len() {
            if let Err(error) = Preset::parse(&GOOD[..cut]) {
                assert!(error.line >= 1 && error.line <= GOOD.lines().count() + 1);
                assert!(!error.problem.is_empty());
            }
        }
    }

    #[test]
    fn invalid_mapping_rows_are_rejected() {
        let problem_of = |rows: &str| {
            let text = format!("{GOOD}\n{rows}");
            let error = Preset::parse(&text).expect_err(rows);
            assert!(error.line > GOOD.lines().count(), "{error}");
            error.problem
        };
        let row = |signal: &str, to: &str, more: &str| {
            format!("[[map]]\nsignal = \"{signal}\"\nto = \"{to}\"\n{more}\n")
        };
        let good = row("rx", "voices.receive.density", "range = [0, 9]");
        assert!(Preset::parse(&format!("{GOOD}\n{good}")).is_ok());
        for (rows, expected) in [
            (row("xr", "pulse.density", "range = [0, 16]"), "unknown signal xr"),
            (
                row("rx", "pulse.density", "range = [0, 4]"),
                "4.0 audible steps of size 1; it must have at least 8",
            ),
            (row("rx", "pulse.density", "range = [0, 99]"), "from 0 to 16"),
            (
                row("rx", "voices.receive.loudness", "range = [0, 9]"),
                "unknown feature voices.receive.loudness",
            ),
            (row("csw", "pulse.height", "range = [0, 9]"), "use its deviation"),
            (row("rx", "room.reverb", "range = [0, 1]"), "controls only room.reverb"),
            (
                format!("{good}{}", row("tx", "voices.receive.density", "range = [0, 9]")),
                "a feature can have only one signal",
            ),
            (row("rx", "pulse.density", "range = [0, 16]\ncurve = \"wavy\""), "wavy"),
        ] {
            let problem = problem_of(&rows);
            assert!(problem.contains(expected), "{problem}");
        }
    }

    #[test]
    fn built_in_presets_share_the_standard_mapping() {
        for preset in Preset::builtin() {
            assert_eq!(preset.mapping, *STANDARD, "{}", preset.name);
        }
    }

    #[test]
    fn presets_round_trip_through_toml_and_json() {
        for preset in Preset::builtin() {
            let file = preset.to_toml().unwrap();
            assert_eq!(Preset::parse(&file).as_ref(), Ok(preset), "{file}");
            assert!(!file.contains("[[map]]"), "the standard mapping is not written");
            let json = serde_json::to_value(preset.to_text()).unwrap();
            assert!(json["map"].as_array().is_some_and(|map| !map.is_empty()), "{json}");
            assert_eq!(Preset::from_json(&json).as_ref(), Ok(preset));
        }
        let mut own = Preset::builtin()[0].clone();
        let mut json = serde_json::to_value(own.to_text()).unwrap();
        json["map"].as_array_mut().unwrap().truncate(2);
        own = Preset::from_json(&json).unwrap();
        let file = own.to_toml().unwrap();
        assert_eq!((file.matches("[[map]]").count(), Preset::parse(&file).as_ref()), (2, Ok(&own)), "{file}");
    }

    #[test]
    fn json_errors_list_every_problem() {
        let mut json = serde_json::to_value(Preset::builtin()[0].to_text()).unwrap();
        json["bed"]["velocity"] = json!(2);
        json["pulse"][1]["from"] = json!(-1);
        json["map"][3]["range"] = json!([0, 99]);
        json["map"][0]["signal"] = json!("xr");
        json["patches"]["melody"]["sustain"] = json!(3);
        let problems = Preset::from_json(&json).unwrap_err();
        let paths: Vec<&str> = problems.iter().map(|problem| problem.path.as_str()).collect();
        assert_eq!(
            paths,
            ["bed.velocity", "pulse[1].from", "patches.melody.sustain", "map[0].signal", "map[3].range"]
        );
        json["map"][4]["curve"] = json!("wavy");
        let problems = Preset::from_json(&json).unwrap_err();
        assert!(problems[0].path == "map[4].curve" && problems[0].message.contains("wavy"), "{problems:?}");
        let problems = Preset::from_json(&json!([null])).unwrap_err();
        assert_eq!(problems[0].to_string(), "a preset must be a JSON object");
        let problems = Preset::from_json(&json!({ "name": "x" })).unwrap_err();
        assert!(problems[0].path.is_empty() && problems[0].message.contains("hint"), "{problems:?}");
    }

    /// The JSON pointers of all numbers inside a value.
    fn numbers(value: &Value, path: &str) -> Vec<String> {
        match value {
            Value::Number(_) => vec![path.to_owned()],
            Value::Object(map) => map.iter().flat_map(|(k, v)| numbers(v, &format!("{path}/{k}"))).collect(),
            Value::Array(list) => {
                list.iter().enumerate().flat_map(|(i, v)| numbers(v, &format!("{path}/{i}"))).collect()
            }
            _ => Vec::new(),
        }
    }

    #[test]
    fn the_schema_has_every_checked_range() {
        let schema = schemars::generate::SchemaSettings::draft2020_12().for_deserialize().into_generator();
        let schema = serde_json::to_value(schema.into_root_schema_for::<PresetText>()).unwrap();
        let validator = jsonschema::draft202012::new(&schema).unwrap();
        for preset in Preset::builtin() {
            let mut json = serde_json::to_value(preset.to_text()).unwrap();
            assert!(validator.is_valid(&json), "{}", preset.name);
            json.as_object_mut().unwrap().remove("map"); // its ranges depend on the feature
            for path in numbers(&json, "") {
                for wild in [json!(-1_000_000), json!(1_000_000)] {
                    let mut changed = json.clone();
                    *changed.pointer_mut(&path).unwrap() = wild;
                    assert!(Preset::from_json(&changed).is_err(), "{path} has no range");
                    assert!(!validator.is_valid(&changed), "the schema has no range for {path}");
                }
            }
        }
    }
}
