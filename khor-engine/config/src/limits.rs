//! Limits the length of the configuration's texts. Each limit is written once, as an attribute of
//! its field. The JSON Schema takes the limits from there, and this module enforces the schema.

use std::sync::LazyLock;

use schemars::generate::SchemaSettings;
use serde_json::Value;

use super::{Config, ConfigError, error::require};

/// The longest text at one place of the configuration.
struct Limit {
    /// JSON pointer of the text, or of the list of texts.
    pointer: String,
    chars: usize,
}

static LIMITS: LazyLock<Vec<Limit>> = LazyLock::new(|| {
    let schema = schema();
    let limit = |(pointer, part): (String, &Value)| {
        let most = [&part["maxLength"], &part["items"]["maxLength"]].into_iter().find_map(Value::as_u64)?;
        Some(Limit { pointer, chars: most as usize })
    };
    parts(&schema).into_iter().filter_map(limit).collect()
});

/// Checks the length of every text.
pub(super) fn check(config: &Config) -> Result<(), ConfigError> {
    // This cannot fail, because a configuration is a tree of plain values.
    let document = serde_json::to_value(config).unwrap_or_default();
    LIMITS.iter().try_for_each(|Limit { pointer, chars }| {
        let field = pointer.trim_start_matches('/').replace('/', ".");
        match document.pointer(pointer) {
            Some(Value::String(text)) => check_text(&field, text, *chars),
            Some(Value::Array(texts)) => texts.iter().enumerate().try_for_each(|(i, text)| {
                check_text(&format!("{field}[{i}]"), text.as_str().unwrap_or_default(), *chars)
            }),
            _ => Ok(()),
        }
    })
}

fn check_text(field: &str, text: &str, most: usize) -> Result<(), ConfigError> {
    let count = text.chars().count();
    require(count <= most, field, format_args!("{count} characters"), &format!("at most {most}"))
}

/// The schema of the configuration.
fn schema() -> Value {
    let generator = SchemaSettings::draft2020_12().for_deserialize().into_generator();
    generator.into_root_schema_for::<Config>().to_value()
}

/// Every part of the configuration with its schema, and its JSON pointer.
fn parts(schema: &Value) -> Vec<(String, &Value)> {
    let mut found = Vec::new();
    let mut open = vec![(String::new(), schema)];
    while let Some((pointer, part)) = open.pop() {
        let name = part["$ref"].as_str().and_then(|name| name.strip_prefix("#/$defs/"));
        let part = name.map_or(part, |name| &schema["$defs"][name]);
        let properties = part["properties"].as_object().into_iter().flatten();
        open.extend(properties.map(|(key, below)| (format!("{pointer}/{key}"), below)));
        // A part that may be null.
        let variants = part["anyOf"].as_array().into_iter().flatten();
        open.extend(variants.map(|variant| (pointer.clone(), variant)));
        found.push((pointer, part));
    }
    found
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

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
        for Limit { pointer, chars } in LIMITS.iter() {
            let text = json!("x".repeat(chars + 1));
            let is_list = whole.pointer(pointer).is_some_and(Value::is_array);
            let problem = refused(pointer, if is_list { json!([text]) } else { text });
            let expected = format!("{} characters is not allowed, expected at most {chars}", chars + 1);
            // A time of day is rejected because of its form.
            assert!(problem.contains(&expected) || problem.contains("HH:MM"), "{pointer}: {problem}");
            assert!(problem.chars().count() < 550, "{pointer}: {problem}");
        }
        assert!(LIMITS.len() >= 15, "{}", LIMITS.len());
    }
}
