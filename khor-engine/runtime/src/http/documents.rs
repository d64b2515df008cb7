//! Tests that the documentation of the API agrees with the table of operations.

use std::collections::BTreeSet;

use khor_config::Config;
use khor_e2e::documents::{Document, documents};
use khor_signal::SIGNALS;
use serde_json::Value;

use super::openapi_document;

/// The generated page that describes every operation.
const REFERENCE: &str = "docs/api-reference.md";

/// The HTTP methods that operations may have.
const METHODS: [&str; 5] = ["GET", "POST", "PUT", "PATCH", "DELETE"];

/// Lists all operations except `HEAD`, in the form `GET /api/presets/{name}`.
fn operations(openapi: &Value) -> BTreeSet<String> {
    let paths = openapi["paths"].as_object().unwrap().iter();
    let of = |(path, methods): (&String, &Value)| {
        let methods = methods.as_object().unwrap().keys().map(|method| method.to_uppercase());
        let methods = methods.filter(|method| METHODS.contains(&method.as_str()));
        methods.map(|method| format!("{method} {path}")).collect::<Vec<_>>()
    };
    paths.flat_map(of).collect()
}

/// Converts a path in the documentation to the form in the table of operations. Removes the query,
/// and replaces each placeholder by `{name}`.
fn normal(path: &str) -> String {
    let path = path.split(['?', '#']).next().unwrap_or_default();
    let piece = |piece: &str| {
        let stands_for_anything =
            piece.starts_with('<') || piece.starts_with(|sign: char| sign.is_ascii_uppercase());
        if stands_for_anything || piece == "download.wav" { "{name}".to_owned() } else { piece.to_owned() }
    };
    path.split('/').map(piece).collect::<Vec<_>>().join("/")
}

/// Lists the operations that a document mentions as code, such as `GET /api/health`.
fn named(document: &Document) -> Vec<String> {
    let code = document.code().into_iter();
    code.filter_map(|code| {
        let (method, path) = code.split_once(' ')?;
        let is_one = METHODS.contains(&method) && path.starts_with('/');
        is_one.then(|| format!("{method} {}", normal(path.split(' ').next().unwrap_or_default())))
    })
    .collect()
}

#[test]
fn documented_operations_match_the_api() {
    let operations = operations(&openapi_document());
    let mut documented = BTreeSet::new();
    for document in documents() {
        for operation in named(&document) {
            assert!(
                operations.contains(&operation),
                "{}: the API has no operation {operation}",
                document.name
            );
            if document.name == REFERENCE {
                documented.insert(operation);
            }
        }
    }
    let missing: Vec<_> = operations.difference(&documented).collect();
    assert!(missing.is_empty(), "{REFERENCE} does not describe {missing:?}");
}

#[test]
fn documented_addresses_answer() {
    let operations = operations(&openapi_document());
    let paths: BTreeSet<&str> = operations.iter().filter_map(|it| Some(it.split_once(' ')?.1)).collect();
    let listen = Config::default().listen;
    let engine = format!("{}:{}", listen.host, listen.port);
    let mut count = 0;
    for document in documents() {
        let urls =
            document.text().split("http://").skip(1).filter_map(|url| url.strip_prefix(engine.as_str()));
        let until = |url: &str| {
            url.split([' ', '\n', '>', ')', '`', '"', ',', ';']).next().unwrap_or_default().to_owned()
        };
        let code = document.code().into_iter().filter(|code| code.starts_with("/api/") || code == "/metrics");
        for path in urls.map(until).chain(code.map(|code| until(&code))) {
            count += 1;
            let path = normal(path.trim_end_matches(['.', ':']));
            let is_page = path.is_empty() || path == "/";
            assert!(
                is_page || paths.contains(path.as_str()),
                "{}: the API has no path {path}",
                document.name
            );
        }
    }
    assert!(count >= 15, "{count}");
}

/// Returns a schema and all its alternatives (`anyOf`, `oneOf`, `allOf`). Replaces references by
/// the schemas that they refer to.
fn variants<'a>(openapi: &'a Value, schema: &'a Value) -> Vec<&'a Value> {
    if let Some(reference) = schema["$ref"].as_str() {
        return variants(
            openapi,
            openapi.pointer(reference.trim_start_matches('#')).expect("the schema of the reference"),
        );
    }
    let nested = ["anyOf", "oneOf", "allOf"].iter().filter_map(|key| schema[*key].as_array()).flatten();
    std::iter::once(schema).chain(nested.flat_map(|schema| variants(openapi, schema))).collect()
}

/// Returns the schema of the field `key`, or `None` if the object may not have this field.
fn field<'a>(variants: &[&'a Value], key: &str) -> Option<&'a Value> {
    let named = variants.iter().map(|it| &it["properties"][key]).find(|it| !it.is_null());
    let any = variants.iter().map(|it| &it["additionalProperties"]).find(|it| !it.is_null() && **it != false);
    named.or(any)
}

/// Returns the paths of all keys in an example that the schema does not define.
fn unknown(openapi: &Value, schema: &Value, example: &Value, path: &str) -> Vec<String> {
    let variants = variants(openapi, schema);
    let of_field = |(key, value): (&String, &Value)| {
        let path = format!("{path}/{key}");
        match field(&variants, key) {
            Some(schema) => unknown(openapi, schema, value, &path),
            None => vec![path],
        }
    };
    let items = variants.iter().map(|it| &it["items"]).find(|it| !it.is_null());
    let of_item = |item| items.map_or_else(Vec::new, |schema| unknown(openapi, schema, item, path));
    match example {
        Value::Object(fields) => fields.iter().flat_map(of_field).collect(),
        Value::Array(values) => values.iter().flat_map(of_item).collect(),
        _ => Vec::new(),
    }
}

/// Returns the paths of fields without a description. A field with a constant value, which only
/// marks the variant, needs no description, because the variant has one.
fn undescribed(schema: &Value, place: &str) -> Vec<String> {
    let below = |(key, value): (&String, &Value)| undescribed(value, &format!("{place}/{key}"));
    match schema {
        Value::Object(fields) => {
            let own = fields.get("properties").and_then(Value::as_object).into_iter().flatten();
            let is_without = |field: &Value| {
                field["description"].as_str().is_none_or(str::is_empty) && field.get("const").is_none()
            };
            let without = own.filter(|(_, field)| is_without(field));
            let without = without.map(|(name, _)| format!("{place}/{name}"));
            without.chain(fields.iter().flat_map(below)).collect()
        }
        Value::Array(values) => values.iter().flat_map(|value| undescribed(value, place)).collect(),
        _ => Vec::new(),
    }
}

#[test]
fn every_schema_and_field_is_described() {
    let openapi = openapi_document();
    let schemas = openapi["components"]["schemas"].as_object().unwrap();
    let without =
        schemas.iter().filter(|(_, schema)| schema["description"].as_str().is_none_or(str::is_empty));
    let without: Vec<&String> = without.map(|(name, _)| name).collect();
    assert!(schemas.len() > 50 && without.is_empty(), "no description: {without:?}");
    assert_eq!(undescribed(&openapi, ""), Vec::<String>::new());
    let wrong = serde_json::json!({ "items": { "properties": { "a": { "type": "string" } } } });
    assert_eq!(undescribed(&wrong, ""), ["/items/a"], "a missing description is reported");
}

#[test]
fn every_parameter_is_described() {
    let openapi = openapi_document();
    let paths = openapi["paths"].as_object().unwrap().values().filter_map(Value::as_object);
    let parameters: Vec<&Value> = paths
        .flat_map(|path| path.values().filter_map(|operation| operation["parameters"].as_array()))
        .flatten()
        .collect();
    let is_described =
        |parameter: &Value| parameter["description"].as_str().is_some_and(|text| text.len() > 5);
    assert!(parameters.len() > 10 && parameters.iter().all(|it| is_described(it)), "{parameters:?}");
}

#[test]
fn documented_answers_have_real_fields() {
    let openapi = openapi_document();
    let api = documents().into_iter().find(|document| document.name == "docs/api.md").expect("docs/api.md");
    let mut count = 0;
    for snippet in api.snippets().into_iter().filter(|snippet| snippet.language == "json") {
        let path = snippet.heading.split('`').nth(1).and_then(|code| code.strip_prefix("GET "));
        let path = path.unwrap_or_else(|| {
            panic!("the heading {} of a snippet contains no GET operation", snippet.heading)
        });
        let schema =
            &openapi["paths"][path]["get"]["responses"]["200"]["content"]["application/json"]["schema"];
        assert!(!schema.is_null(), "{path}");
        let example: Value = serde_json::from_str(&snippet.text).unwrap();
        assert_eq!(unknown(&openapi, schema, &example, ""), Vec::<String>::new(), "{path}");
        let mut wrong = example;
        wrong["nonsense"] = Value::Null;
        assert_eq!(
            unknown(&openapi, schema, &wrong, ""),
            ["/nonsense"],
            "{path}: an unknown key is reported"
        );
        count += 1;
    }
    assert!(count >= 4, "{count}");
}

#[test]
fn every_signal_is_described() {
    for text in [include_str!("../../../../docs/api.md"), include_str!("../../../../docs/guide.md")] {
        let (_, table) = text.split_once("| signal | counts |\n|---|---|\n").expect("a table of signals");
        let rows = table.lines().map_while(|line| line.strip_prefix("| `")?.split_once("` | "));
        let names: Vec<&str> = rows.map(|(name, _)| name).collect();
        assert_eq!(names, SIGNALS.map(|signal| signal.name));
    }
}
