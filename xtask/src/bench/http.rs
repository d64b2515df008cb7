//! Measures the API's response times with fifty event streams and twenty listeners.

use super::row::Promise;

pub(super) const TITLE: &str = "HTTP with 50 event streams and 20 listeners, ten minutes";

pub(super) fn promise(name: &str) -> Option<Promise> {
    match name {
        "/api/metrics with 50 streams and 20 listeners, p99" => Some(Promise::AtMost(2.0)),
        "memory gained in the second half" => Some(Promise::AtMost(1.0)),
        _ => None,
    }
}
