//! Tests that the generated documents of the API match the server.

#[path = "../examples/api/documents.rs"]
mod documents;
#[path = "../examples/api/lanes.rs"]
mod lanes;
#[path = "../examples/api/reference.rs"]
mod reference;
#[path = "../examples/api/types.rs"]
mod types;

use std::fs;

#[test]
fn generated_documents_match_the_server() {
    for (path, text) in documents::documents().unwrap() {
        let is_current = fs::read_to_string(&path).is_ok_and(|held| held == text);
        assert!(is_current, "{} is stale: run `cargo xtask api`", path.display());
    }
}
