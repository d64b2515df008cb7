//! Sends HTTP requests to engines as other users. bash sends the requests, because the system has
//! no HTTP client.

use std::fs;

use serde_json::Value;

use crate::unit::{of, run};

/// A bash script that sends a GET request and prints the response.
const SCRIPT: &str = r#"#!/bin/bash
exec 3<>"/dev/tcp/127.0.0.1/$1" || exit 1
printf 'GET %s HTTP/1.1\r\nHost: 127.0.0.1:%s\r\nConnection: close\r\n%b\r\n' "$2" "$1" "${3:+Authorization: Bearer $3\r\n}" >&3
cat <&3
"#;
/// Path of the file to which the tests write [`SCRIPT`].
const PATH: &str = "/tmp/khor-get";

/// The status and the JSON of the API's response when `user` sends a request to `port`; `None`
/// without a response.
pub(crate) fn get(user: &str, port: u16, path: &str) -> Option<(u16, Value)> {
    let (status, body) = text(user, port, path, "")?;
    Some((status, serde_json::from_str(&body).ok()?))
}

/// The status and the body of the response when `user` sends a request; `None` without a response.
/// The request contains the token `token`, unless this text is empty.
pub(crate) fn text(user: &str, port: u16, path: &str, token: &str) -> Option<(u16, String)> {
    fs::write(PATH, SCRIPT).expect("writing the script");
    let output = run(&of(user, &format!("bash {PATH} {port} {path} {token}")));
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let (head, body) = text.split_once("\r\n\r\n")?;
    Some((head.split_whitespace().nth(1)?.parse().ok()?, body.to_owned()))
}
