//! Answers: JSON, and errors as `{"ok": false, "error": "…"}` with the status that fits.

use std::convert::Infallible;

use serde::Serialize;
use warp::{
    Rejection, Reply,
    body::BodyDeserializeError,
    http::StatusCode,
    reject::{
        InvalidHeader, InvalidQuery, LengthRequired, MethodNotAllowed, PayloadTooLarge, UnsupportedMediaType,
    },
    reply::Response,
};

use super::guard::{ForeignHost, ForeignOrigin};
use crate::{config::UpdateError, engine::ActionError};

/// A JSON answer.
pub(super) fn json(value: &impl Serialize) -> Response {
    warp::reply::json(value).into_response()
}

/// An error.
pub(super) fn error(status: StatusCode, message: impl std::fmt::Display) -> Response {
    let body = serde_json::json!({ "ok": false, "error": message.to_string() });
    warp::reply::with_status(warp::reply::json(&body), status).into_response()
}

/// The answer to a change that was refused.
pub(super) fn update_error(problem: &UpdateError) -> Response {
    let status = match problem {
        UpdateError::Invalid(_) => StatusCode::BAD_REQUEST,
        UpdateError::Write { .. } => StatusCode::INTERNAL_SERVER_ERROR,
    };
    error(status, problem)
}

/// The answer to an action that was refused.
pub(super) fn action_error(problem: &ActionError) -> Response {
    error(StatusCode::BAD_REQUEST, problem)
}

/// Turns what no route took into an error.
pub(super) async fn recover(rejection: Rejection) -> Result<Response, Infallible> {
    let found = |status, message: String| Ok(error(status, message));
    if rejection.find::<ForeignHost>().is_some() {
        return found(
            StatusCode::MISDIRECTED_REQUEST,
            "Host must be this listener, such as 127.0.0.1 with its port".into(),
        );
    }
    if rejection.find::<ForeignOrigin>().is_some() {
        return found(StatusCode::FORBIDDEN, "pages of another origin may not change anything here".into());
    }
    if rejection.find::<PayloadTooLarge>().is_some() {
        return found(StatusCode::PAYLOAD_TOO_LARGE, "the body is over 64 KiB".into());
    }
    if rejection.find::<LengthRequired>().is_some() {
        return found(StatusCode::LENGTH_REQUIRED, "Content-Length is required".into());
    }
    if rejection.find::<UnsupportedMediaType>().is_some() {
        return found(StatusCode::UNSUPPORTED_MEDIA_TYPE, "expected application/json".into());
    }
    if let Some(problem) = rejection.find::<BodyDeserializeError>() {
        return found(StatusCode::BAD_REQUEST, problem.to_string());
    }
    if rejection.find::<InvalidQuery>().is_some() || rejection.find::<InvalidHeader>().is_some() {
        return found(StatusCode::BAD_REQUEST, "a parameter is missing or of the wrong type".into());
    }
    if rejection.find::<MethodNotAllowed>().is_some() && !rejection.is_not_found() {
        return found(StatusCode::METHOD_NOT_ALLOWED, "this method is not allowed here".into());
    }
    found(StatusCode::NOT_FOUND, "there is nothing here".into())
}
