//! Describes JSON schemas in words, for the tables of docs/api-reference.md.

use serde_json::Value;

use super::reference::object;

/// Writes a text as a table cell: in one line, with `|` escaped.
pub(super) fn cell(value: &Value) -> String {
    let words = value.as_str().unwrap_or_default().split_whitespace();
    words.collect::<Vec<_>>().join(" ").replace('|', "\\|")
}

/// Lists the fields of an object in the order of their definition. Optional fields are at the end.
pub(super) fn fields(schema: &Value) -> Vec<(&str, &Value)> {
    let required = schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str);
    let required: Vec<&str> = required.collect();
    let place = |name: &str| required.iter().position(|other| *other == name).unwrap_or(required.len());
    let mut fields: Vec<(&str, &Value)> =
        object(&schema["properties"]).map(|(name, field)| (name.as_str(), field)).collect();
    fields.sort_by_key(|(name, _)| place(name));
    fields
}

/// Lists the values of an enumeration, each with its description. If a variant is an object, the
/// list contains the object's type instead of a value.
pub(super) fn values(schema: &Value) -> Vec<(String, String)> {
    let variants = ["oneOf", "anyOf"].iter().filter_map(|key| schema[*key].as_array()).flatten();
    let described = variants.map(|variant| (type_text(variant), cell(&variant["description"])));
    let plain = schema["enum"].as_array().into_iter().flatten();
    described.chain(plain.map(|value| (format!("`{}`", written(value)), String::new()))).collect()
}

/// Writes a Markdown link to the heading of a type on the same page.
pub(super) fn link(name: &str) -> String {
    format!("[{name}](#{})", name.to_lowercase())
}

/// Describes the type of a schema in words, such as `integer, 0 to 127`.
pub(super) fn type_text(schema: &Value) -> String {
    if let Some(target) = schema["$ref"].as_str() {
        let link = link(target.rsplit('/').next().unwrap_or_default());
        return with_fields(schema).map_or_else(|| link.clone(), |fields| format!("{link} {fields}"));
    }
    if let Some(value) = schema.get("const") {
        return format!("`{}`", written(value));
    }
    if let Some(values) = schema["enum"].as_array() {
        return alternatives(values.iter().map(|value| format!("`{}`", written(value))));
    }
    if let Some(variants) = schema["anyOf"].as_array().or(schema["oneOf"].as_array()) {
        return alternatives(variants.iter().map(type_text));
    }
    match &schema["type"] {
        Value::Array(kinds) => alternatives(kinds.iter().map(|kind| simple(kind, schema))),
        kind => simple(kind, schema),
    }
}

fn alternatives(texts: impl Iterator<Item = String>) -> String {
    texts.collect::<Vec<_>>().join(" or ")
}

fn simple(kind: &Value, schema: &Value) -> String {
    match kind.as_str() {
        Some("integer") => format!("integer{}", range(schema)),
        Some("number") => format!("number{}", range(schema)),
        Some("string") => format!("text{}", length(schema)),
        Some("boolean") => "boolean".to_owned(),
        Some("array") => array(schema),
        Some("object") => structure(schema),
        Some(other) => other.to_owned(),
        None => "any".to_owned(),
    }
}

fn array(schema: &Value) -> String {
    match (schema["prefixItems"].as_array(), schema.get("items")) {
        (Some(items), _) => {
            let items: Vec<String> = items.iter().map(type_text).collect();
            format!("list of {}", items.join(" and "))
        }
        (None, Some(items)) => format!("list of {}", type_text(items)),
        (None, None) => "list".to_owned(),
    }
}

/// Describes the type of an object in words. If the schema defines fields, lists them. If an object
/// may have any key, names the type of the values.
fn structure(schema: &Value) -> String {
    if let Some(fields) = with_fields(schema) {
        return format!("object {fields}");
    }
    match schema.get("additionalProperties").filter(|values| values.is_object()) {
        Some(values) => format!("{} by name", type_text(values)),
        None => "object".to_owned(),
    }
}

/// Lists the fields of a schema in words. Returns `None` if it has no fields.
fn with_fields(schema: &Value) -> Option<String> {
    let fields = fields(schema);
    let texts = fields.iter().map(|(name, field)| format!("`{name}`: {}", type_text(field)));
    (!fields.is_empty()).then(|| format!("with {}", texts.collect::<Vec<_>>().join(", ")))
}

fn range(schema: &Value) -> String {
    // Omit a maximum of 1e9 or more, because it only reflects the range of Rust's integer type.
    let is_meant = |limit: &f64| limit.abs() < 1e9;
    let (low, high) = (schema["minimum"].as_f64(), schema["maximum"].as_f64().filter(is_meant));
    match (low, high) {
        (Some(low), Some(high)) => format!(", {low} to {high}"),
        (None, Some(high)) => format!(", at most {high}"),
        (Some(low), None) if low != 0.0 => format!(", at least {low}"),
        _ => String::new(),
    }
}

fn length(schema: &Value) -> String {
    schema["maxLength"].as_u64().map_or_else(String::new, |most| format!(", at most {most} characters"))
}

/// Writes a value for a table cell. Only an empty text is quoted.
fn written(value: &Value) -> String {
    value.as_str().filter(|text| !text.is_empty()).map_or_else(|| value.to_string(), str::to_owned)
}
