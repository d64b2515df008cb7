//! `GET /api/openapi.json`: the document (`OpenAPI` 3.1), written from the table that requests are dispatched by.

use schemars::{SchemaGenerator, generate::SchemaSettings};
use serde_json::{Map, Value, json};

use super::{
    call::Call,
    reply::Refusal,
    table::{Answer, Content, Json, Operation, get},
};

/// Where answers' shapes are in the document.
const SHAPES: &str = "/components/schemas";

pub(super) fn operation() -> Operation {
    get("/api/openapi.json", "This document").at_once(document)
}

/// The document.
struct Document(Value);

impl Answer for Document {
    const CONTENT: Content = Content { kind: "application/json", schema: None };

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
        path[operation.method.as_str().to_ascii_lowercase()] = described;
    }
    for (path, described) in by_hand(&refusal) {
        paths.insert(path.into(), described);
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
        // Nothing, or the token where listen.token_file names one.
        "security": [{}, { "token": [] }, { "cookie": [] }],
        "paths": paths,
        "components": {
            "schemas": answers.take_definitions(true),
            "securitySchemes": {
                "token": { "type": "http", "scheme": "bearer" },
                "cookie": { "type": "apiKey", "in": "cookie", "name": "khor_token" },
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
    let Operation { method, path, summary, query, body, answer, handler: _ } = operation;
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
    let mut described = json!({
        "operationId": id(method.as_str(), path),
        "summary": summary,
        "parameters": parameters,
        "responses": with_refusals(content(answer.kind, shape), refusal),
    });
    if let Some(body) = body {
        let mut content = content("application/json", body(bodies).to_value());
        content["required"] = json!(true);
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

fn with_refusals(mut answer: Value, refusal: &Value) -> Value {
    answer["description"] = json!("What was asked for");
    let refused = |said: &str| {
        let mut refusal = refusal.clone();
        refusal["description"] = json!(said);
        refusal
    };
    json!({ "200": answer, "4XX": refused("The request was refused"), "5XX": refused("khor could not do it") })
}

/// What is no operation of the table: a file, and a WebSocket.
fn by_hand(refusal: &Value) -> [(&'static str, Value); 2] {
    let bytes = json!({ "content": { "audio/flac": {}, "audio/wav": {} } });
    let recording = json!({ "get": {
        "operationId": "getApiRecordingsName", "summary": "A recording",
        "parameters": [named("/{name}")], "responses": with_refusals(bytes, refusal),
    } });
    let mut responses = with_refusals(json!({}), refusal);
    responses["101"] = json!({ "description": "A WebSocket: formats as text, samples as binary messages" });
    if let Some(responses) = responses.as_object_mut() {
        responses.remove("200");
    }
    let listen = json!({ "get": {
        "operationId": "getApiListen", "summary": "A WebSocket with what the sound device is given",
        "responses": responses,
    } });
    [("/api/recordings/{name}", recording), ("/api/listen", listen)]
}
