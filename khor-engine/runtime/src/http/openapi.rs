//! `GET /api/openapi.json`: the document (`OpenAPI` 3.1), generated from the table that dispatches
//! requests.

use khor_api::Refusal;
use schemars::{SchemaGenerator, generate::SchemaSettings};
use serde_json::{Map, Value, json};
use warp::http::Method;

use super::{
    call::Call,
    table::{Answer, Content, Json, Operation, get},
};

/// The only operation that is a WebSocket.
const WEB_SOCKET: &str = "/api/listen";
/// Where answers' shapes are in the document.
const SHAPES: &str = "/components/schemas";

pub(super) fn operation() -> Operation {
    get("/api/openapi.json", "This document").at_once(document)
}

/// The document.
struct Document(Value);

impl Answer for Document {
    const CONTENT: Content = Content::of("application/json");

    fn into_response(self) -> warp::reply::Response {
        Json(self.0).into_response()
    }
}

fn document(_: Call) -> Document {
    Document(write(super::table().iter().map(AsRef::as_ref)))
}

/// The document of these operations.
pub(super) fn write<'a>(table: impl Iterator<Item = &'a Operation>) -> Value {
    let mut answers = generator(|settings| settings.definitions_path = SHAPES.into(), false);
    // A body may leave out what an answer always has, so its shapes are others.
    let mut bodies = generator(|settings| settings.inline_subschemas = true, true);
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
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "khor",
            "version": env!("CARGO_PKG_VERSION"),
            "summary": "Hear what a Linux machine is doing",
            "license": { "name": "MIT OR Apache-2.0", "identifier": "MIT OR Apache-2.0" },
        },
        "servers": [{ "url": "/" }],
        // The engine's own user needs nothing. With listen.token_file every client needs the token.
        "security": [{}, { "token": [] }, { "cookie": [] }],
        "paths": paths,
        "components": {
            "schemas": answers.take_definitions(true),
            "securitySchemes": {
                "token": { "type": "http", "scheme": "bearer" },
                "cookie": {
                    "type": "apiKey",
                    "in": "cookie",
                    "name": "khor_session_17321",
                    "description": "A session from POST /api/login. The name ends with the engine's port.",
                },
            },
        },
    })
}

fn generator(change: impl FnOnce(&mut SchemaSettings), is_body: bool) -> SchemaGenerator {
    let settings = SchemaSettings::draft2020_12().with(change);
    let settings = if is_body { settings.for_deserialize() } else { settings.for_serialize() };
    settings.into_generator()
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
    let Operation { method, path, summary, query, body, needs_body, answer, handler: _ } = operation;
    let shape = answer.schema.map_or_else(
        || {
            if answer.kind == "application/json" {
                json!({ "type": "object" })
            } else {
                json!({ "type": "string" })
            }
        },
        |schema| schema(answers).to_value(),
    );
    let mut parameters: Vec<Value> = query
        .iter()
        .map(|parameter| {
            json!({
                "name": parameter.name, "in": "query", "description": parameter.about,
                "required": parameter.required, "schema": parameter.schema,
            })
        })
        .collect();
    parameters.extend(named(path));
    let kinds = std::iter::once(&answer.kind).chain(answer.also);
    let contents: Map<String, Value> =
        kinds.map(|kind| ((*kind).to_owned(), json!({ "schema": shape }))).collect();
    let mut described = json!({
        "operationId": id(method.as_str(), path),
        "summary": summary,
        "parameters": parameters,
        "responses": responses(operation, &json!({ "content": contents }), refusal),
    });
    if let Some(body) = body {
        let mut content = content("application/json", body(bodies).to_value());
        content["required"] = json!(needs_body);
        described["requestBody"] = content;
    }
    described
}

/// What is in braces in a path.
fn named(path: &str) -> Option<Value> {
    let name = path.split_once('{')?.1.split_once('}')?.0;
    Some(json!({ "name": name, "in": "path", "required": true, "schema": { "type": "string" } }))
}

/// `getApiHealth`.
fn id(method: &str, path: &str) -> String {
    let pieces = path.split(|c: char| !c.is_ascii_alphanumeric()).filter(|piece| !piece.is_empty());
    let capital = |piece: &str| piece[..1].to_ascii_uppercase() + &piece[1..];
    method.to_ascii_lowercase() + &pieces.map(capital).collect::<String>()
}

/// The answers of an operation, by status.
fn responses(operation: &Operation, answer: &Value, refusal: &Value) -> Value {
    let message = |message: &str, of: &Value| {
        let mut described = of.clone();
        described["description"] = json!(message);
        described
    };
    let mut responses = json!({
        "4XX": message("The request was rejected", refusal),
        "5XX": message("khor could not carry out the request", refusal),
    });
    if operation.path == WEB_SOCKET {
        responses["101"] =
            json!({ "description": "A WebSocket: formats as text, samples as binary messages" });
        return responses;
    }
    responses["200"] = message("The requested content", answer);
    if operation.answer.in_parts {
        responses["206"] = message("The requested range", answer);
    }
    if operation.answer.tagged && operation.method == Method::GET {
        responses["304"] = json!({ "description": "Unchanged since the version in If-None-Match" });
    }
    responses
}

/// The `HEAD` operation: `GET` without a body.
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
