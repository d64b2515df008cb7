//! `GET /api/openapi.json`: the `OpenAPI` 3.1 document, generated from the table of operations.

use khor_api::Refusal;
use schemars::{Schema, SchemaGenerator, generate::SchemaSettings, transform::RecursiveTransform};
use serde_json::{Map, Value, json};
use warp::http::Method;

use super::{
    call::Call,
    table::{AnyJson, Content, Operation, get},
};

/// The path of the only operation that uses a WebSocket.
const WEB_SOCKET: &str = "/api/listen";
/// JSON pointer to the schemas in the document.
const SCHEMAS: &str = "/components/schemas";
/// Suffix in the name of a request's schema. It distinguishes this schema from an answer's schema
/// with the same name.
const REQUEST: &str = "Request";

pub(super) fn operation() -> Operation {
    get("/api/openapi.json", "The description of this API (OpenAPI 3.1)").at_once(document)
}

fn document(_: Call) -> AnyJson {
    AnyJson(openapi_document())
}

/// Returns the `OpenAPI` 3.1 document of the API, which is the answer to `GET /api/openapi.json`.
pub fn openapi_document() -> Value {
    write(super::table().iter().map(AsRef::as_ref))
}

/// Writes the `OpenAPI` document of these operations.
fn write<'a>(table: impl Iterator<Item = &'a Operation>) -> Value {
    let (mut answers, mut bodies) = (answer_generator(), body_generator());
    let refusal = content("application/json", answers.subschema_for::<Refusal>().to_value());
    let mut paths = Map::new();
    for operation in table {
        let described = describe(operation, &mut answers, &mut bodies, &refusal);
        let path = paths.entry(operation.path).or_insert_with(|| json!({}));
        if operation.method == Method::GET {
            path["head"] = head(&described, operation);
        }
        path[operation.method.as_str().to_ascii_lowercase()] = described;
    }
    let mut schemas = answers.take_definitions(true);
    add_requests(&mut schemas, &mut paths, bodies.take_definitions(true));
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "khor",
            "version": env!("CARGO_PKG_VERSION"),
            "summary": "Hear what a Linux machine is doing",
            "license": { "name": "MIT OR Apache-2.0", "identifier": "MIT OR Apache-2.0" },
        },
        "servers": [{ "url": "/" }],
        // The engine's own user needs a token only if the setting `listen.token_file` is set.
        "security": [{}, { "token": [] }, { "cookie": [] }],
        "paths": paths,
        "components": { "schemas": schemas, "securitySchemes": security_schemes() },
    })
}

fn security_schemes() -> Value {
    json!({
        "token": { "type": "http", "scheme": "bearer" },
        "cookie": {
            "type": "apiKey",
            "in": "cookie",
            "name": "khor_session_17321",
            "description": "A session from POST /api/login. The name ends with the engine's port.",
        },
    })
}

/// Creates the schema generator for answers. Answers always have every field. The defaults in the
/// types are only for reading answers of older engines, so the document omits these defaults.
fn answer_generator() -> SchemaGenerator {
    let mut settings = SchemaSettings::draft2020_12().for_serialize();
    settings.definitions_path = SCHEMAS.into();
    settings.transforms.push(Box::new(RecursiveTransform(|schema: &mut Schema| {
        schema.remove("default");
    })));
    settings.into_generator()
}

/// Creates the schema generator for request bodies. In a body, a field with a default is optional.
fn body_generator() -> SchemaGenerator {
    let mut settings = SchemaSettings::draft2020_12().for_deserialize();
    settings.definitions_path = SCHEMAS.into();
    settings.into_generator()
}

/// Adds the schemas of request bodies. A schema that is identical to the answers' schema with the
/// same name, and refers to no other schema, is not added again. The names of all other schemas get
/// the suffix [`REQUEST`].
fn add_requests(
    schemas: &mut Map<String, Value>,
    paths: &mut Map<String, Value>,
    bodies: Map<String, Value>,
) {
    let is_shared = |name: &str| {
        bodies
            .get(name)
            .is_some_and(|body| schemas.get(name) == Some(body) && !body.to_string().contains("$ref"))
    };
    let renamed: Vec<String> = bodies.keys().filter(|name| !is_shared(name)).cloned().collect();
    for (name, mut body) in bodies {
        rename_references(&mut body, &renamed);
        if renamed.contains(&name) {
            schemas.insert(format!("{name}{REQUEST}"), body);
        }
    }
    let operations = paths.values_mut().filter_map(Value::as_object_mut).flat_map(Map::values_mut);
    for body in operations.filter_map(|operation| operation.get_mut("requestBody")) {
        rename_references(body, &renamed);
    }
}

/// Adds the suffix [`REQUEST`] to all references to the schemas in `renamed`.
fn rename_references(schema: &mut Value, renamed: &[String]) {
    match schema {
        Value::Object(fields) => {
            for (key, value) in fields {
                match value {
                    Value::String(target) if key == "$ref" => {
                        let name = target.rsplit('/').next().unwrap_or_default();
                        if renamed.iter().any(|other| other == name) {
                            target.push_str(REQUEST);
                        }
                    }
                    value => rename_references(value, renamed),
                }
            }
        }
        Value::Array(values) => values.iter_mut().for_each(|value| rename_references(value, renamed)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

fn content(kind: &str, schema: Value) -> Value {
    json!({ "content": { kind: { "schema": schema } } })
}

fn describe(
    operation: &Operation,
    answers: &mut SchemaGenerator,
    bodies: &mut SchemaGenerator,
    refusal: &Value,
) -> Value {
    let Operation { method, path, summary, body, needs_body, .. } = operation;
    let mut described = json!({
        "operationId": id(method.as_str(), path),
        "summary": summary,
        "parameters": parameters(operation),
        "responses": responses(operation, &answer_content(&operation.answer, answers), refusal),
    });
    if let Some(body) = body {
        let mut content = content("application/json", body(bodies).to_value());
        content["required"] = json!(needs_body);
        described["requestBody"] = content;
    }
    described
}

/// Lists the media types of an answer, each with its schema.
fn answer_content(answer: &Content, answers: &mut SchemaGenerator) -> Value {
    let schema = match (answer.schema, answer.kind) {
        (Some(schema), _) => schema(answers).to_value(),
        (None, "application/json") => json!({ "type": "object" }),
        (None, _) => json!({ "type": "string" }),
    };
    let kinds = std::iter::once(&answer.kind).chain(answer.also);
    let contents: Map<String, Value> =
        kinds.map(|kind| ((*kind).to_owned(), json!({ "schema": schema }))).collect();
    json!({ "content": contents })
}

/// Lists the parameters in the query and in the path.
fn parameters(operation: &Operation) -> Vec<Value> {
    let query = operation.query.iter().map(|parameter| {
        json!({
            "name": parameter.name, "in": "query", "description": parameter.about,
            "required": parameter.required, "schema": parameter.schema,
        })
    });
    query.chain(path_parameter(operation.path)).collect()
}

/// Describes the parameter in the braces of a path.
fn path_parameter(path: &str) -> Option<Value> {
    let (before, rest) = path.split_once('{')?;
    let (name, _) = rest.split_once('}')?;
    let list = before.trim_end_matches('/');
    Some(json!({
        "name": name, "in": "path", "required": true, "schema": { "type": "string" },
        "description": format!("A name from GET {list}"),
    }))
}

/// Returns the id of an operation, such as `getApiHealth`.
fn id(method: &str, path: &str) -> String {
    let pieces = path.split(|c: char| !c.is_ascii_alphanumeric()).filter(|piece| !piece.is_empty());
    let capital = |piece: &str| piece[..1].to_ascii_uppercase() + &piece[1..];
    method.to_ascii_lowercase() + &pieces.map(capital).collect::<String>()
}

/// Lists the answers of an operation, by HTTP status.
fn responses(operation: &Operation, answer: &Value, refusal: &Value) -> Value {
    let message = |message: &str, of: &Value| {
        let mut described = of.clone();
        described["description"] = json!(message);
        described
    };
    let mut responses = json!({
        "4XX": message("The request was rejected", refusal),
        "5XX": message("khor failed to carry out the request", refusal),
    });
    if operation.path == WEB_SOCKET {
        responses["101"] = json!({ "description": "A WebSocket that sends formats as text messages and samples as binary messages" });
        return responses;
    }
    responses["200"] = message("The requested content", answer);
    if operation.answer.in_parts {
        responses["206"] = message("The requested range", answer);
    }
    if operation.answer.tagged && operation.method == Method::GET {
        responses["304"] =
            json!({ "description": "The content has not changed since the version in If-None-Match" });
    }
    responses
}

/// Creates the `HEAD` operation, which is `GET` without a body in the answer.
fn head(get: &Value, operation: &Operation) -> Value {
    let mut described = get.clone();
    described["operationId"] = json!(id("HEAD", operation.path));
    for response in described["responses"].as_object_mut().into_iter().flat_map(Map::values_mut) {
        if let Some(response) = response.as_object_mut() {
            response.remove("content");
        }
    }
    described
}
