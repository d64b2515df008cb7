//! Writes docs/api-reference.md: every operation and every type of the `OpenAPI` document.

use std::fmt::Write;

use serde_json::{Map, Value};

use super::types::{cell, fields, link, type_text, values};

const INTRODUCTION: &str = "\
# HTTP API: reference

`cargo xtask api` generates this page and [openapi.json](openapi.json) from the server. [api.md](api.md) describes
behaviour, access and streams. khor answers a rejected request with a 4xx or 5xx status and a [Refusal](#refusal).
Every path with `GET` also answers `HEAD`.

Later versions may add fields, but do not remove any. A missing value is `null`, never 0. A body may omit every field
that has a default.

";

/// Suffix in the name of a request's schema. It distinguishes the schema from the schema of a
/// response with the same name.
const REQUEST: &str = "Request";
/// The HTTP methods, in the order in which the reference lists them.
const METHODS: [&str; 5] = ["get", "put", "patch", "post", "delete"];

/// Writes the whole page in Markdown.
pub(super) fn text(openapi: &Value) -> String {
    let mut text = INTRODUCTION.to_owned();
    text.push_str("## Operations\n\n");
    let schemas = &openapi["components"]["schemas"];
    for (path, methods) in object(&openapi["paths"]) {
        for method in METHODS {
            if let Some(operation) = methods.get(method) {
                push_operation(&mut text, &format!("{} {path}", method.to_uppercase()), operation);
            }
        }
    }
    text.push_str("## Types\n\n");
    // If a request and a response use the same type, the page documents the type once, under the
    // response's name.
    let is_body = |name: &str| name.strip_suffix(REQUEST).is_some_and(|name| schemas.get(name).is_some());
    for (name, schema) in object(schemas).filter(|(name, _)| !is_body(name)) {
        push_type(&mut text, name, schema);
    }
    let text = object(schemas).filter(|(name, _)| is_body(name)).fold(text, |text, (name, _)| {
        let answer = name.trim_end_matches(REQUEST);
        text.replace(&link(name), &link(answer))
    });
    format!("{}\n", text.trim_end())
}

/// Returns the fields of a JSON object, or an empty list if `value` is not an object.
pub(super) fn object(value: &Value) -> impl Iterator<Item = (&String, &Value)> {
    value.as_object().into_iter().flat_map(Map::iter)
}

fn push(text: &mut String, line: std::fmt::Arguments<'_>) {
    text.write_fmt(line).expect("writing to a string cannot fail");
    text.push('\n');
}

fn push_operation(text: &mut String, name: &str, operation: &Value) {
    push(text, format_args!("### `{name}`\n\n{}.\n", sentence(&operation["summary"])));
    let parameters = operation["parameters"].as_array().map_or(&[][..], Vec::as_slice);
    if !parameters.is_empty() {
        push(text, format_args!("| parameter | type | description |\n|---|---|---|"));
        for parameter in parameters {
            let required = if parameter["required"] == true { ", required" } else { "" };
            let (kind, about) = (type_text(&parameter["schema"]), sentence(&parameter["description"]));
            push(text, format_args!("| `{}` | {kind}{required} | {about} |", str(&parameter["name"])));
        }
        text.push('\n');
    }
    if let Some(schema) = operation.pointer("/requestBody/content/application~1json/schema") {
        let optional = if operation["requestBody"]["required"] == true { "" } else { ", optional" };
        push(text, format_args!("Body: {}{optional}.\n", type_text(schema)));
    }
    let answers: Vec<String> = object(&operation["responses"]["200"]["content"])
        .map(|(kind, content)| answer(kind, &content["schema"]))
        .collect();
    if !answers.is_empty() {
        push(text, format_args!("Answer: {}.\n", answers.join(", or ")));
    }
}

fn answer(kind: &str, schema: &Value) -> String {
    match schema["$ref"].is_string() {
        true if kind == "application/json" => type_text(schema),
        true => format!("`{kind}` of {}", type_text(schema)),
        false => format!("`{kind}`"),
    }
}

fn push_type(text: &mut String, name: &str, schema: &Value) {
    push(text, format_args!("### {name}\n\n{}\n", cell(&schema["description"])));
    let fields = fields(schema);
    if !fields.is_empty() {
        push(text, format_args!("| field | type | description |\n|---|---|---|"));
        for (name, field) in fields {
            let (kind, about) = (type_text(field), cell(&field["description"]));
            push(text, format_args!("| `{name}` | {kind} | {about} |"));
        }
        text.push('\n');
    }
    let values = values(schema);
    if !values.is_empty() {
        push(text, format_args!("| value | description |\n|---|---|"));
        for (value, about) in values {
            push(text, format_args!("| {value} | {about} |"));
        }
        text.push('\n');
    }
}

fn str(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

/// Converts a summary to one line without a full stop at the end.
fn sentence(value: &Value) -> String {
    cell(value).trim_end_matches('.').to_owned()
}
