//! The table of the API's operations. An operation has a path, parameters, a body, an answer and a
//! function. The server uses this table to dispatch requests, and generates the `OpenAPI` document
//! from it. So the server and the document always agree.

use std::{future::Future, pin::Pin, sync::Arc, time::Duration};

use khor_api::Done;
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::Serialize;
use warp::{
    http::{HeaderValue, Method, header},
    reply::Response,
};

use super::{call::Call, inert_json, reply::Failure, shared_answer::SharedAnswer, work};

/// The function that carries out an operation.
type Handler = Arc<dyn Fn(Call) -> Pin<Box<dyn Future<Output = Response> + Send>> + Send + Sync>;
/// A function that returns the schema of a type.
pub(super) type SchemaOf = fn(&mut SchemaGenerator) -> Schema;

/// An operation of the API.
#[derive(Clone)]
pub(super) struct Operation {
    pub(super) method: Method,
    /// The path. A part in braces, such as `{name}`, matches any text.
    pub(super) path: &'static str,
    pub(super) summary: &'static str,
    pub(super) query: Vec<Parameter>,
    pub(super) body: Option<SchemaOf>,
    /// Whether khor rejects a request without a body.
    pub(super) needs_body: bool,
    pub(super) answer: Content,
    pub(super) handler: Handler,
}

/// A parameter in the query of a request.
#[derive(Clone)]
pub(super) struct Parameter {
    pub(super) name: &'static str,
    pub(super) about: &'static str,
    pub(super) required: bool,
    pub(super) schema: serde_json::Value,
}

/// Describes a successful answer for the `OpenAPI` document.
#[derive(Clone, Copy)]
pub(super) struct Content {
    /// The media type.
    pub(super) kind: &'static str,
    /// Other media types that the answer may have.
    pub(super) also: &'static [&'static str],
    /// Whether clients may request a part of the answer with `Range` (206).
    pub(super) in_parts: bool,
    /// Whether the answer has a tag that clients may send back with `If-None-Match` (304).
    pub(super) tagged: bool,
    /// The schema of the JSON. `None` for text, bytes, and JSON without a known schema.
    pub(super) schema: Option<SchemaOf>,
}

/// A type of answer, with its description for the `OpenAPI` document.
pub(super) trait Answer: Send + 'static {
    /// Media type and schema of the answer, for the `OpenAPI` document.
    const CONTENT: Content;

    fn into_response(self) -> Response;
}

/// An answer that contains a value as JSON.
#[derive(Clone)]
pub(super) struct Json<T>(pub(super) T);

/// An answer with JSON whose schema the API does not describe, such as a JSON Schema.
pub(super) struct AnyJson(pub(super) serde_json::Value);

/// An answer with JSON and a tag that identifies the version of the content.
pub(super) struct Tagged<T> {
    pub(super) json: T,
    pub(super) tag: String,
}

/// The answer of an operation that has no result to report.
pub(super) const DONE: Json<Done> = Json(Done { ok: true });

impl Content {
    /// Describes an answer of text or bytes with this media type.
    pub(super) const fn of(kind: &'static str) -> Self {
        Self { kind, also: &[], in_parts: false, tagged: false, schema: None }
    }
}

const fn json<T: JsonSchema>() -> Content {
    Content { schema: Some(SchemaGenerator::subschema_for::<T>), ..Content::of("application/json") }
}

impl<T: Serialize + JsonSchema + Send + 'static> Answer for Json<T> {
    const CONTENT: Content = json::<T>();

    fn into_response(self) -> Response {
        inert_json::reply(&self.0)
    }
}

impl Answer for AnyJson {
    const CONTENT: Content = Content::of("application/json");

    fn into_response(self) -> Response {
        inert_json::reply(&self.0)
    }
}

/// An answer, or the reason why khor rejects the request. `CONTENT` describes only the answer,
/// because the `OpenAPI` document describes all rejections in the same way.
impl<A: Answer> Answer for Result<A, Failure> {
    const CONTENT: Content = A::CONTENT;

    fn into_response(self) -> Response {
        self.map_or_else(Failure::into_response, A::into_response)
    }
}

impl<T: Serialize + JsonSchema + Send + 'static> Answer for Tagged<T> {
    const CONTENT: Content = Content { tagged: true, ..json::<T>() };

    fn into_response(self) -> Response {
        let mut response = inert_json::reply(&self.json);
        if let Ok(tag) = HeaderValue::from_str(&format!("\"{}\"", self.tag)) {
            response.headers_mut().insert(header::ETAG, tag);
        }
        response
    }
}

/// An operation under construction: the function that answers its requests is still missing.
pub(super) struct Draft {
    method: Method,
    path: &'static str,
    summary: &'static str,
    query: Vec<Parameter>,
    body: Option<SchemaOf>,
    needs_body: bool,
}

pub(super) fn get(path: &'static str, summary: &'static str) -> Draft {
    Draft { method: Method::GET, path, summary, query: Vec::new(), body: None, needs_body: false }
}

pub(super) fn post(path: &'static str, summary: &'static str) -> Draft {
    Draft { method: Method::POST, ..get(path, summary) }
}

pub(super) fn put(path: &'static str, summary: &'static str) -> Draft {
    Draft { method: Method::PUT, ..get(path, summary) }
}

pub(super) fn patch(path: &'static str, summary: &'static str) -> Draft {
    Draft { method: Method::PATCH, ..get(path, summary) }
}

pub(super) fn delete(path: &'static str, summary: &'static str) -> Draft {
    Draft { method: Method::DELETE, ..get(path, summary) }
}

impl Draft {
    /// Adds an optional parameter that has this JSON Schema.
    pub(super) fn takes(
        mut self,
        name: &'static str,
        about: &'static str,
        schema: serde_json::Value,
    ) -> Self {
        self.query.push(Parameter { name, about, required: false, schema });
        self
    }

    /// Adds a required parameter that has this JSON Schema.
    pub(super) fn needs(
        mut self,
        name: &'static str,
        about: &'static str,
        schema: serde_json::Value,
    ) -> Self {
        self.query.push(Parameter { name, about, required: true, schema });
        self
    }

    /// Declares that every request must have a body of type `T`.
    pub(super) fn reads<T: JsonSchema>(mut self) -> Self {
        self.body = Some(SchemaGenerator::subschema_for::<T>);
        self.needs_body = true;
        self
    }

    /// Declares that a request may have a body of type `T`.
    pub(super) fn may_read<T: JsonSchema>(self) -> Self {
        Self { needs_body: false, ..self.reads::<T>() }
    }

    /// Completes the draft with the function that answers requests. The function must not wait.
    pub(super) fn at_once<A: Answer>(self, work: fn(Call) -> A) -> Operation {
        self.by(A::CONTENT, Arc::new(move |call| Box::pin(std::future::ready(work(call).into_response()))))
    }

    /// Completes the draft with a function that may wait for the disk or the sound server. The
    /// function runs in a blocking thread. A bounded queue limits how many such functions run at
    /// once.
    pub(super) fn blocking<A: Answer>(self, work: fn(Call) -> A) -> Operation {
        let handler = move |call| -> Pin<Box<dyn Future<Output = Response> + Send>> {
            Box::pin(async move {
                let response = work::operate(move || work(call).into_response()).await;
                response.unwrap_or_else(Failure::into_response)
            })
        };
        self.by(A::CONTENT, Arc::new(handler))
    }

    /// Completes the draft with a slow async function. Its answer is reused for `life`, and
    /// requests that arrive while the function runs share the answer.
    pub(super) fn shared<A: Answer + Clone, F>(self, life: Duration, work: fn(Call) -> F) -> Operation
    where
        F: Future<Output = A> + Send + 'static,
    {
        let shared = SharedAnswer::new(life);
        let handler = move |call| -> Pin<Box<dyn Future<Output = Response> + Send>> {
            let shared = shared.clone();
            Box::pin(async move {
                match shared.get(work(call)).await {
                    Ok(answer) => answer.into_response(),
                    Err(problem) => work::failed(&problem).into_response(),
                }
            })
        };
        self.by(A::CONTENT, Arc::new(handler))
    }

    /// Completes the draft with an async function, which may wait for other tasks.
    pub(super) fn later<A: Answer, F>(self, work: fn(Call) -> F) -> Operation
    where
        F: Future<Output = A> + Send + 'static,
    {
        self.by(A::CONTENT, Arc::new(move |call| Box::pin(async move { work(call).await.into_response() })))
    }

    fn by(self, answer: Content, handler: Handler) -> Operation {
        let Self { method, path, summary, query, body, needs_body } = self;
        Operation { method, path, summary, query, body, needs_body, answer, handler }
    }
}

/// The result of searching the table for the path and the method of a request.
#[derive(Clone)]
pub(super) enum Found {
    /// The operation that matches, and the text in the place of the braces in its path.
    Operation(Arc<Operation>, String),
    /// The path exists, but does not support the requested method. Contains the methods that it
    /// supports.
    Others(Vec<Method>),
}

/// Finds the operation for a request. Returns `None` if there is no such path. A `HEAD` request
/// finds the `GET` operation, because hyper omits the body of the answer.
pub(super) fn find(table: &[Arc<Operation>], method: &Method, path: &str) -> Option<Found> {
    let mut fitting: Vec<_> =
        table.iter().filter_map(|operation| Some((operation, fits(operation.path, path)?))).collect();
    // A path without braces takes precedence over paths with braces.
    if fitting.iter().any(|(_, named)| named.is_empty()) {
        fitting.retain(|(_, named)| named.is_empty());
    }
    let method = if *method == Method::HEAD { &Method::GET } else { method };
    let found = fitting.iter().find(|(operation, _)| operation.method == *method);
    match found {
        Some((operation, named)) => Some(Found::Operation(Arc::clone(operation), named.clone())),
        None if fitting.is_empty() => None,
        None => Some(Found::Others(
            fitting.iter().flat_map(|(operation, _)| allowed(operation.method.clone())).collect(),
        )),
    }
}

/// Returns the HTTP methods that clients may use for an operation with this method.
fn allowed(method: Method) -> impl Iterator<Item = Method> {
    let head = (method == Method::GET).then_some(Method::HEAD);
    std::iter::once(method).chain(head)
}

/// Matches a path against a pattern. Returns the text that the braces match, or an empty text if
/// the pattern has no braces. Returns `None` if the path does not match.
fn fits(pattern: &str, path: &str) -> Option<String> {
    let (mut pieces, mut named) = (path.split('/'), String::new());
    for wanted in pattern.split('/') {
        let piece = pieces.next()?;
        if wanted.starts_with('{') && !piece.is_empty() {
            piece.clone_into(&mut named);
        } else if wanted != piece {
            return None;
        }
    }
    pieces.next().is_none().then_some(named)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_match_their_own_pattern_only() {
        assert_eq!(fits("/api/presets", "/api/presets"), Some(String::new()));
        assert_eq!(fits("/api/presets/{name}", "/api/presets/arp"), Some("arp".into()));
        for path in
            ["/api/presets/", "/api/presets", "/api/presets/arp/more", "/api/preset/arp", "api/presets/arp"]
        {
            assert_eq!(fits("/api/presets/{name}", path), None, "{path}");
        }
    }

    #[test]
    fn literal_paths_come_first() {
        let table: Vec<_> = [
            delete("/x/{name}", "any").at_once(|_| DONE),
            delete("/x/one", "one").at_once(|_| DONE),
            get("/x/one", "one").at_once(|_| DONE),
        ]
        .map(Arc::new)
        .to_vec();
        let found = |method, path| match find(&table, &method, path) {
            Some(Found::Operation(operation, name)) => format!("{} {name}", operation.path),
            Some(Found::Others(methods)) => format!("{methods:?}"),
            None => "nothing".into(),
        };
        assert_eq!(found(Method::DELETE, "/x/one"), "/x/one ");
        assert_eq!(found(Method::DELETE, "/x/two"), "/x/{name} two");
        assert_eq!(found(Method::POST, "/x/two"), "[DELETE]");
        assert_eq!(found(Method::POST, "/x/one"), "[DELETE, GET, HEAD]");
        assert_eq!(found(Method::HEAD, "/x/one"), "/x/one ", "as GET");
        assert_eq!(found(Method::HEAD, "/x/two"), "[DELETE]");
        assert_eq!(found(Method::GET, "/y"), "nothing");
    }
}
