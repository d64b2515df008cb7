//! Generates the documents of the HTTP API, each with its path and its text.

use std::path::{Path, PathBuf};

use khor_engine::http::openapi_document;

use super::{lanes, reference};

/// The path and the text of each document.
pub(super) fn documents() -> serde_json::Result<[(PathBuf, String); 4]> {
    let docs = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs");
    let mut document = openapi_document();
    // The order of the JSON keys must not depend on the features of serde_json that a build
    // enables.
    document.sort_all_objects();
    let json = format!("{}\n", serde_json::to_string_pretty(&document)?);
    let reference = reference::text(&document);
    let page = docs.join("../ui/src/api");
    Ok([
        (docs.join("openapi.json"), json),
        (docs.join("api-reference.md"), reference),
        (page.join("ranges.ts"), khor_config::page_ranges()),
        (page.join("lanes.ts"), lanes::text()?),
    ])
}
