//! Sends the HTTP requests of the attack tables. The functions return errors and do not panic.

use std::{
    io::{self, Write},
    net::TcpStream,
};

use khor_e2e::raw_http::{self, Answer};
use serde_json::Value;

use crate::attempt::{Outcome, Row};

/// Sends a request without a body on a new connection. `enough` is the number of bytes to read of
/// an endless body.
pub(crate) fn ask(
    address: &str,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
    enough: Option<usize>,
) -> io::Result<Answer> {
    raw_http::try_ask(address, &raw_http::head(address, method, path, headers), enough)
}

/// The bytes of a request with a JSON body.
pub(crate) fn with_body(
    address: &str,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: &Value,
) -> Vec<u8> {
    let body = body.to_string();
    let length = body.len().to_string();
    let own = [("content-type", "application/json"), ("content-length", length.as_str())];
    let headers: Vec<(&str, &str)> = headers.iter().copied().chain(own).collect();
    [raw_http::head(address, method, path, &headers), body.into_bytes()].concat()
}

/// Sends a request with a JSON body on a new connection.
pub(crate) fn send(
    address: &str,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: &Value,
) -> io::Result<Answer> {
    raw_http::try_ask(address, &with_body(address, method, path, headers, body), None)
}

/// Converts a response into an outcome. A status below 400 is a success. 404 and 409 are successes
/// too, because they show that the caller has access.
pub(crate) fn judge(answer: io::Result<Answer>) -> Outcome {
    let answer = answer.map_err(|error| error.to_string())?;
    let body = String::from_utf8_lossy(&answer.body);
    let text = format!("{} {}", answer.status, body.chars().take(100).collect::<String>());
    if answer.status < 400 || matches!(answer.status, 404 | 409) { Ok(text) } else { Err(text) }
}

/// A row whose attempt is a GET request to the engine.
pub(crate) fn get(path: &'static str, enough: Option<usize>) -> Row {
    Row::new(format!("GET {path}"), "its content", move |target| {
        judge(ask(target.text("engine"), "GET", path, &[], enough))
    })
}

/// A row whose attempt is a request that changes the engine. If `body` is empty, the request has no
/// body.
pub(crate) fn change(method: &'static str, path: &'static str, body: &'static str) -> Row {
    Row::new(format!("{method} {path} {body}"), "the change", move |target| {
        let engine = target.text("engine");
        match serde_json::from_str(body) {
            Ok(body) => judge(send(engine, method, path, &[], &body)),
            Err(_) => judge(ask(engine, method, path, &[("content-length", "0")], None)),
        }
    })
}

/// Sends a request and returns the connection without waiting for a response.
pub(crate) fn begin(address: &str, request: &[u8]) -> io::Result<TcpStream> {
    let mut socket = TcpStream::connect(address)?;
    socket.write_all(request)?;
    Ok(socket)
}
