//! Reads a configuration with invalid settings: only these settings fall back, the others keep
//! their values.

use std::collections::BTreeSet;

use serde_json::Value;

use super::{
    Config, ConfigError,
    merge::{check_shape, empty},
    numbers::fit_numbers,
    unknown_keys::UnknownKeys,
};

/// Invalid settings that are removed one by one. Beyond that, whole sections are removed.
const MAX_SINGLE_PROBLEMS: usize = 32;

/// The valid part of a document.
#[derive(Debug)]
pub(super) struct Recovered {
    /// The settings.
    pub config: Config,
    /// The document without the invalid settings.
    pub document: Value,
    /// The invalid settings.
    pub problems: Vec<ConfigError>,
    /// Keys that this version does not know. The document keeps them.
    pub unknown_keys: UnknownKeys,
}

/// Checks types, then ranges. Also returns the keys that this version does not know.
pub(super) fn parse(document: &Value) -> Result<(Config, UnknownKeys), ConfigError> {
    let mut unknown = UnknownKeys::default();
    let mut track = serde_path_to_error::Track::new();
    let deserializer = serde_path_to_error::Deserializer::new(document, &mut track);
    let parsed =
        serde_ignored::deserialize::<_, _, Config>(deserializer, |path| unknown.add(&path.to_string()));
    let config = parsed
        .map_err(|error| ConfigError { field: track.path().to_string(), problem: error.to_string() })?;
    config.validate()?;
    Ok((config, unknown))
}

/// Reads a document and replaces each invalid setting by its value in `previous`, or else by the
/// default.
pub(super) fn recover(mut document: Value, previous: &Value) -> Recovered {
    fit_numbers(&mut document, &default_shape());
    let mut problems = Vec::new();
    let mut restored = BTreeSet::new();
    loop {
        let parsed = check_shape(&default_shape(), &document, "").and_then(|()| parse(&document));
        let problem = match parsed {
            Ok((config, unknown_keys)) => return Recovered { config, document, problems, unknown_keys },
            Err(problem) => problem,
        };
        let mut steps = steps(&document, &problem.field);
        if problems.len() > MAX_SINGLE_PROBLEMS {
            steps.truncate(1);
        }
        let pointer = pointer(&steps);
        // Restore a setting once only: the previous value may conflict with the rest of the
        // document.
        let previous = previous.pointer(&pointer).filter(|_| restored.insert(pointer.clone()));
        replace_or_remove(&mut document, &steps, previous);
        problems.push(problem);
    }
}

/// The document of the default configuration, which has every known key.
pub(super) fn default_shape() -> Value {
    serde_json::to_value(Config::default()).unwrap_or_else(|_| empty())
}

/// Splits `path` into keys and indices, as far as the document has them. A key may contain dots and
/// brackets.
fn steps(document: &Value, path: &str) -> Vec<String> {
    let (mut value, mut rest) = (document, path);
    let mut steps = Vec::new();
    while let Some((step, inner, left)) = step(value, rest) {
        steps.push(step);
        (value, rest) = (inner, left);
    }
    steps
}

fn step<'a>(value: &'a Value, path: &'a str) -> Option<(String, &'a Value, &'a str)> {
    let path = path.strip_prefix('.').unwrap_or(path);
    match value {
        Value::Object(fields) => {
            let after = |key: &str| {
                path.strip_prefix(key).filter(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
            };
            let fitting = fields.iter().filter_map(|(key, inner)| Some((key, inner, after(key)?)));
            fitting.max_by_key(|(key, ..)| key.len()).map(|(key, inner, rest)| (key.clone(), inner, rest))
        }
        Value::Array(items) => {
            let (number, rest) = path.strip_prefix('[')?.split_once(']')?;
            Some((number.to_owned(), items.get(number.parse::<usize>().ok()?)?, rest))
        }
        _ => None,
    }
}

/// A JSON pointer (RFC 6901).
fn pointer(steps: &[String]) -> String {
    let escape = |step: &String| step.replace('~', "~0").replace('/', "~1");
    steps.iter().flat_map(|step| ["/".to_owned(), escape(step)]).collect()
}

/// Replaces the value at `steps` by `value`, or removes it.
fn replace_or_remove(document: &mut Value, steps: &[String], value: Option<&Value>) {
    let Some((last, outer)) = steps.split_last() else {
        *document = value.cloned().unwrap_or_else(empty);
        return;
    };
    match (document.pointer_mut(&pointer(outer)), value) {
        (Some(Value::Object(fields)), Some(value)) => drop(fields.insert(last.clone(), value.clone())),
        (Some(Value::Object(fields)), None) => drop(fields.remove(last)),
        (Some(Value::Array(items)), value) => {
            let Ok(index) = last.parse::<usize>() else { return };
            match value {
                Some(value) => items[index] = value.clone(),
                None => drop(items.remove(index)),
            }
        }
        _ => *document = empty(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn fields(recovered: &Recovered) -> Vec<&str> {
        recovered.problems.iter().map(|problem| problem.field.as_str()).collect()
    }

    #[test]
    fn only_invalid_settings_fall_back() {
        let recovered = recover(
            json!({
                "listen": { "token_file": "/t", "port": 17000.0 },
                "music": { "bpm": "96", "density": 0.25, "key_midi": 1e9 },
                "audio": { "master_gain": 7 },
                "osc": { "targets": ["a:1", 5, "b:2"] },
                "signals": { "ceilings": { "rx": 1000, "r.x": 5 } },
                "quiet": { "from": "07:00" },
                "theirs": 1,
            }),
            &empty(),
        );
        let mut found = fields(&recovered);
        found.sort_unstable();
        let expected = [
            "audio.master_gain",
            "music.bpm",
            "music.key_midi",
            "osc.targets[1]",
            "quiet.to",
            "signals.ceilings.r.x",
        ];
        assert_eq!(found, expected);
        let Recovered { config, document, unknown_keys, .. } = recovered;
        assert_eq!(config.listen.token_file, Some("/t".into()));
        assert_eq!((config.listen.port, config.music.density), (17000, 0.25));
        assert_eq!((config.music.bpm, config.osc.targets), (110.0, vec!["a:1".into(), "b:2".into()]));
        assert_eq!(config.signals.ceilings["rx"], 1000.0);
        assert!(unknown_keys.warning().is_some_and(|warning| warning.contains("theirs")), "{unknown_keys:?}");
        assert_eq!(document["theirs"], 1);
        assert!(document["quiet"].is_null(), "a conflict with a default removes the section");
    }

    #[test]
    fn an_invalid_setting_keeps_its_previous_value() {
        let previous =
            json!({ "music": { "bpm": 90.0, "density": 0.5 }, "quiet": { "from": "20:00", "to": "06:00" } });
        let document =
            json!({ "music": { "bpm": [], "density": 0.75 }, "quiet": { "from": "22:00", "to": "22:00" } });
        let recovered = recover(document, &previous);
        let Config { music, quiet, .. } = &recovered.config;
        assert_eq!((music.bpm, music.density), (90.0, 0.75));
        assert_eq!((quiet.from.to_string(), quiet.to.to_string()), ("22:00".into(), "06:00".into()));
        assert_eq!(fields(&recovered), ["music.bpm", "quiet.to"]);
    }

    #[test]
    fn any_document_yields_a_valid_configuration() {
        let list = json!([1, 2]);
        for document in
            [json!(null), json!(5), json!("x"), list.clone(), json!({ "listen": list, "music": null })]
        {
            let recovered = recover(document.clone(), &empty());
            assert!(!recovered.problems.is_empty(), "{document}");
            assert_eq!(recovered.config, Config::default(), "{document}");
        }
        let many: Vec<u32> = (0..5_000).collect();
        let recovered =
            recover(json!({ "osc": { "targets": many, "port": 9100 }, "music": { "bpm": 90 } }), &empty());
        assert!(recovered.problems.len() < 100, "{}", recovered.problems.len());
        assert_eq!((recovered.config.osc, recovered.config.music.bpm), (crate::Osc::default(), 90.0));
    }
}
