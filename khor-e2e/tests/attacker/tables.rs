//! Maps the name of each attack table to its rows.

use crate::{
    attempt::{Row, Target},
    bounds, exhaustion, group, loopback, osc,
    requests::{change, get},
    squatter, tokens, web_page,
};

/// The rows of the attack table with the name `table`.
pub(crate) fn rows(table: &str, target: &Target) -> Vec<Row> {
    match table {
        "read" => loopback::reading(),
        "steer" => loopback::changing(),
        "closed early" => loopback::closed_early(),
        "same port" => vec![loopback::same_port()],
        "listen" => vec![loopback::listening()],
        "web page" => web_page::foreign(target),
        "own page" => web_page::own(target),
        "osc" => osc::datagrams(target),
        "login" => vec![tokens::login()],
        "sessions" => tokens::replays(target),
        "tokenless" => tokens::tokenless(),
        "logout" => vec![tokens::logout()],
        "squat" => vec![squatter::squat()],
        "stall" => vec![exhaustion::stall()],
        "never read" => exhaustion::never_read(),
        "health" => {
            vec![get("/api/health", None), change("PATCH", "/api/config", r#"{"music": {"bpm": 98}}"#)]
        }
        "bounds" => bounds::oversized(),
        "moderate" => bounds::moderate(),
        "group" => group::about_others(),
        "own process" => group::about_itself(),
        "hoard" => vec![group::hoard()],
        "one scope" => vec![group::one_scope()],
        other => panic!("there is no table {other}"),
    }
}
