//! Tests that the JSON Schema of the configuration agrees with the checks.

use schemars::generate::SchemaSettings;
use serde_json::{Value, json};

use crate::Config;

fn schema() -> Value {
    let generator = SchemaSettings::draft2020_12().for_deserialize().into_generator();
    generator.into_root_schema_for::<Config>().to_value()
}

/// The JSON pointer and the schema of every part of the configuration.
fn parts(schema: &Value) -> Vec<(String, &Value)> {
    let mut found = Vec::new();
    let mut open = vec![(String::new(), schema)];
    while let Some((pointer, part)) = open.pop() {
        let name = part["$ref"].as_str().and_then(|name| name.strip_prefix("#/$defs/"));
        let part = name.map_or(part, |name| &schema["$defs"][name]);
        let properties = part["properties"].as_object().into_iter().flatten();
        open.extend(properties.map(|(key, below)| (format!("{pointer}/{key}"), below)));
        // If a part of the configuration may be null, its schema is in `anyOf`.
        let variants = part["anyOf"].as_array().into_iter().flatten();
        open.extend(variants.map(|variant| (pointer.clone(), variant)));
        found.push((pointer, part));
    }
    found
}

fn has_type(part: &Value, kind: &str) -> bool {
    match &part["type"] {
        Value::Array(kinds) => kinds.iter().any(|other| other == kind),
        one => one == kind,
    }
}

/// Whether the schema bounds a text, or each text of a list.
fn is_bounded(part: &Value) -> bool {
    let is_text = has_type(part, "string");
    !is_text || part["maxLength"].is_u64() || part["enum"].is_array() || part["const"].is_string()
}

#[test]
fn the_schema_bounds_texts_and_lists() {
    let schema = schema();
    let parts = parts(&schema);
    assert!(parts.len() >= 40, "{}", parts.len());
    for (pointer, part) in parts {
        assert!(is_bounded(part) && is_bounded(&part["items"]), "{pointer}: {part}");
        assert!(!has_type(part, "array") || part["maxItems"].is_u64(), "{pointer}: {part}");
    }
}

#[test]
fn validation_enforces_the_schemas_limits() {
    let schema = schema();
    let whole = serde_json::to_value(Config::default()).unwrap();
    let refused = |pointer: &str, value: Value| {
        let mut document = whole.clone();
        *document.pointer_mut(pointer).unwrap() = value;
        let config = serde_json::from_value::<Config>(document);
        let problem = match config.map(|config| config.validate()) {
            Ok(checked) => checked.err().map(|error| error.to_string()),
            Err(error) => Some(error.to_string()),
        };
        problem.unwrap_or_default()
    };
    let mut lists = 0;
    for (pointer, part) in parts(&schema) {
        let field = pointer.trim_start_matches('/').replace('/', ".");
        if let Some(most) = part["maxItems"].as_u64() {
            lists += 1;
            let item = if has_type(&part["items"], "string") { json!("a:1") } else { json!(1) };
            let problem = refused(&pointer, json!(vec![item; most as usize + 1]));
            assert!(problem.starts_with(&format!("{field}: ")), "{pointer}: {problem}");
        }
    }
    assert!(lists >= 4, "{lists}");
    let mut texts = 0;
    for (pointer, part) in parts(&schema) {
        let most = [&part["maxLength"], &part["items"]["maxLength"]].into_iter().find_map(Value::as_u64);
        let Some(most) = most.map(|most| most as usize) else { continue };
        texts += 1;
        let text = json!("x".repeat(most + 1));
        let is_list = whole.pointer(&pointer).is_some_and(Value::is_array);
        let problem = refused(&pointer, if is_list { json!([text]) } else { text });
        let expected = format!("{} characters are too many, expected at most {most}", most + 1);
        // For a time of day, the error names the form HH:MM instead of the maximum length.
        assert!(problem.contains(&expected) || problem.contains("HH:MM"), "{pointer}: {problem}");
        assert!(problem.chars().count() < 550, "{pointer}: {problem}");
    }
    assert!(texts >= 15, "{texts}");
}

#[test]
fn schema_ranges_match_validation() {
    let schema = schema();
    let whole = serde_json::to_value(Config::default()).unwrap();
    let holds = |path: &str, value: f64, is_whole: bool| {
        let mut changed = whole.clone();
        let number = if is_whole { json!(value as i64) } else { json!(value) };
        *changed.pointer_mut(path).unwrap() = number;
        serde_json::from_value::<Config>(changed).is_ok_and(|config| config.validate().is_ok())
    };
    let mut ranges = parts(&schema);
    ranges.retain(|(_, property)| property["maximum"].is_number() && property["enum"].is_null());
    assert!(ranges.len() >= 12, "{ranges:?}");
    for (path, property) in ranges {
        let (low, high) = (property["minimum"].as_f64().unwrap(), property["maximum"].as_f64().unwrap());
        // If a setting may be null, `type` is a list of types.
        let is_whole = property["type"].to_string().contains("integer");
        assert!(holds(&path, low, is_whole) && holds(&path, high, is_whole), "{path}: {property}");
        assert!(
            !holds(&path, low - 1.0, is_whole) && !holds(&path, high + 1.0, is_whole),
            "{path}: {property}"
        );
    }
}
