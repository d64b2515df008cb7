//! The answer to a rejected request: an HTTP status and the JSON `{"ok": false, "error": "…"}`.

use std::{
    convert::Infallible,
    hash::{DefaultHasher, Hash, Hasher},
};

use khor_api::Refusal;
use khor_config::{ConfigError, UpdateError};
use khor_output::recorder::RecorderError;
use warp::{
    Rejection, Reply,
    http::{HeaderMap, HeaderValue, Method, StatusCode, header},
    reject::{InvalidHeader, InvalidQuery},
    reply::Response,
};

use super::{
    access::Denied,
    guard::{ForeignHost, ForeignOrigin},
    inert_json,
};
use crate::engine::{ActionError, EditError};

/// If khor rejects a request because it is busy, it asks the client to wait this many seconds
/// before the next attempt.
const RETRY_AFTER_S: &str = "2";

/// The rejection of a request: its HTTP status and its reason.
#[derive(Debug)]
pub(super) struct Failure {
    status: StatusCode,
    refusal: Refusal,
    /// Whether the client would be admitted with a token.
    accepts_token: bool,
}

impl Failure {
    pub(super) fn new(status: StatusCode, error: impl std::fmt::Display) -> Self {
        let refusal = Refusal { ok: false, error: error.to_string(), problems: Vec::new() };
        Self { status, refusal, accepts_token: false }
    }

    /// Creates the rejection of an invalid request (status 400).
    pub(super) fn bad(error: impl std::fmt::Display) -> Self {
        Self::new(StatusCode::BAD_REQUEST, error)
    }

    /// Creates the rejection of a value that is not allowed, in a parameter or in a field of the
    /// body (status 400).
    pub(super) fn not_allowed(name: &str, value: &dyn std::fmt::Display, expected: &str) -> Self {
        Self::bad(ConfigError::not_allowed(name, value, expected))
    }

    /// Creates the rejection of a request that lacks a parameter or a field of the body (status
    /// 400).
    pub(super) fn missing(name: &str, expected: &str) -> Self {
        Self::bad(ConfigError::missing(name, expected))
    }

    #[cfg(test)]
    pub(super) fn status(&self) -> StatusCode {
        self.status
    }

    pub(super) fn into_response(self) -> Response {
        let reply = inert_json::reply(&self.refusal);
        let mut response = warp::reply::with_status(reply, self.status).into_response();
        if self.accepts_token {
            response.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        if self.status == StatusCode::REQUEST_TIMEOUT || self.status == StatusCode::PAYLOAD_TOO_LARGE {
            // Close the connection. khor does not read the rest of the body, so the connection
            // cannot serve another request.
            response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
        }
        if self.status == StatusCode::SERVICE_UNAVAILABLE {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static(RETRY_AFTER_S));
        }
        response
    }
}

impl From<Denied> for Failure {
    fn from(denied: Denied) -> Self {
        let accepts_token = matches!(denied, Denied::NoToken);
        Self { accepts_token, ..Self::new(StatusCode::UNAUTHORIZED, denied) }
    }
}

impl From<UpdateError> for Failure {
    fn from(problem: UpdateError) -> Self {
        let status = match problem {
            UpdateError::Invalid(_) => StatusCode::BAD_REQUEST,
            UpdateError::Changed => StatusCode::PRECONDITION_FAILED,
        };
        Self::new(status, problem)
    }
}

impl From<ActionError> for Failure {
    fn from(problem: ActionError) -> Self {
        let status = match problem {
            ActionError::Range(_) => StatusCode::BAD_REQUEST,
            ActionError::NoOutput => StatusCode::CONFLICT,
        };
        Self::new(status, problem)
    }
}

impl From<RecorderError> for Failure {
    fn from(problem: RecorderError) -> Self {
        let status = match problem {
            RecorderError::Busy(_) | RecorderError::Idle => StatusCode::CONFLICT,
            RecorderError::Full(_) => StatusCode::SERVICE_UNAVAILABLE,
            RecorderError::DiskLimit(_) => StatusCode::INSUFFICIENT_STORAGE,
            RecorderError::Write { .. } => StatusCode::INTERNAL_SERVER_ERROR,
            RecorderError::Format(_) => StatusCode::BAD_REQUEST,
        };
        Self::new(status, problem)
    }
}

impl From<EditError> for Failure {
    fn from(problem: EditError) -> Self {
        let status = match problem {
            EditError::Invalid(_) => StatusCode::BAD_REQUEST,
            EditError::BuiltIn(_) | EditError::Taken { .. } | EditError::Full(_) => StatusCode::CONFLICT,
            EditError::Unknown(_) => StatusCode::NOT_FOUND,
            EditError::Disk { .. } => StatusCode::INTERNAL_SERVER_ERROR,
            EditError::Select(problem) => return problem.into(),
        };
        let mut failure = Self::new(status, &problem);
        if let EditError::Invalid(problems) = problem {
            failure.refusal.problems = problems;
        }
        failure
    }
}

/// Returns the entity tag of an answer, which is a hash of its content.
pub(super) fn content_tag(content: &[u8]) -> HeaderValue {
    let mut hasher = DefaultHasher::new();
    content.hash(&mut hasher);
    let tag = format!("\"{:016x}\"", hasher.finish());
    HeaderValue::from_str(&tag).unwrap_or(HeaderValue::from_static("\"\""))
}

/// Sets the headers of an endless answer. They forbid proxies to buffer, store or change the
/// answer.
pub(super) fn live_headers(headers: &mut HeaderMap) {
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store, no-transform"));
    headers.insert("x-accel-buffering", HeaderValue::from_static("no"));
}

/// Creates the answer 405 with the methods that the path supports.
pub(super) fn method_not_allowed(methods: &[Method]) -> Response {
    let methods = methods.iter().map(Method::as_str).collect::<Vec<_>>().join(", ");
    let message = format!("this path does not support this method, expected {methods}");
    let mut response = Failure::new(StatusCode::METHOD_NOT_ALLOWED, message).into_response();
    if let Ok(allowed) = HeaderValue::from_str(&methods) {
        response.headers_mut().insert(header::ALLOW, allowed);
    }
    response
}

/// Creates the answer to a request that no route accepts.
pub(super) async fn recover(rejection: Rejection) -> Result<Response, Infallible> {
    let (status, message) = if rejection.find::<ForeignHost>().is_some() {
        (
            StatusCode::MISDIRECTED_REQUEST,
            "Host: expected the address of this listener, such as 127.0.0.1:17321, or one of listen.allowed_hosts",
        )
    } else if rejection.find::<ForeignOrigin>().is_some() {
        let message = "a page of another site may not use this engine; add the page's host to listen.allowed_hosts to allow it";
        (StatusCode::FORBIDDEN, message)
    } else if let Some(denied) = rejection.find::<Denied>() {
        return Ok(Failure::from(*denied).into_response());
    } else if rejection.find::<InvalidQuery>().is_some() || rejection.find::<InvalidHeader>().is_some() {
        (StatusCode::BAD_REQUEST, "the query or a header of the request is malformed")
    } else {
        (StatusCode::NOT_FOUND, "there is nothing at this path")
    };
    Ok(Failure::new(status, message).into_response())
}
