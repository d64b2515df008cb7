//! Adds the rules of the settings to the JSON Schema that schemars derives from the types.

use schemars::Schema;
use serde_json::{Map, Number, Value, json};

use super::{FieldSpec, Rule};

/// Adds the rules to the schema of a section.
pub(crate) fn add_rules(schema: &mut Schema, specs: &[&FieldSpec]) {
    let Some(Value::Object(properties)) = schema.get_mut("properties") else { return };
    for spec in specs {
        if let Some(Value::Object(property)) = properties.get_mut(spec.name) {
            add_rule(property, &spec.rule);
        }
    }
}

fn add_rule(property: &mut Map<String, Value>, rule: &Rule) {
    let mut set = |key: &str, value: Value| drop(property.insert(key.to_owned(), value));
    match rule {
        Rule::Any => {}
        Rule::Range(low, high) => {
            set("minimum", number(*low));
            set("maximum", number(*high));
        }
        Rule::Above(low) => set("exclusiveMinimum", number(*low)),
        Rule::Numbers(all) => set("enum", json!(all)),
        Rule::Text(rule) => {
            set("maxLength", json!(rule.max_chars));
            if rule.min_chars > 0 {
                set("minLength", json!(rule.min_chars));
            }
            if let Some(pattern) = rule.pattern {
                set("pattern", json!(pattern));
            }
            if !rule.choices.is_empty() {
                set("enum", json!(rule.choices));
            }
        }
        Rule::List(rule) => {
            set("maxItems", json!(rule.max_items));
            add_inner(property, "items", &rule.item);
        }
        Rule::Map(rule) => add_inner(property, "additionalProperties", &rule.value),
    }
}

fn add_inner(property: &mut Map<String, Value>, key: &str, rule: &Rule) {
    if let Some(Value::Object(inner)) = property.get_mut(key) {
        add_rule(inner, rule);
    }
}

/// Returns a whole number as a JSON integer, and any other number as a float.
fn number(value: f64) -> Value {
    if value.fract() == 0.0 { Value::Number(Number::from(value as i64)) } else { json!(value) }
}
