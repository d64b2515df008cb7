//! Tests that the crates depend on each other only as docs/architecture.md shows.

use std::path::PathBuf;

use serde_json::Value;

use crate::process::{command, output, root};

/// Crates for tests and development, which may depend on every other crate.
const OUTSIDE: [&str; 4] = ["khor-e2e", "khor-patience", "khor-ear", "xtask"];

fn packages() -> Vec<Value> {
    let mut metadata = command("cargo", ["metadata", "--no-deps", "--format-version", "1", "--locked"]);
    let metadata = output(&mut metadata).expect("cargo metadata");
    let metadata: Value = serde_json::from_str(&metadata).expect("JSON");
    metadata["packages"].as_array().expect("packages").clone()
}

fn name(package: &Value) -> &str {
    package["name"].as_str().unwrap_or_default()
}

/// The folders of all crates of the workspace.
pub(super) fn folders() -> Vec<PathBuf> {
    let manifests = packages();
    let manifests = manifests.iter().filter_map(|package| package["manifest_path"].as_str());
    manifests.filter_map(|manifest| Some(PathBuf::from(manifest).parent()?.to_owned())).collect()
}

/// The folder of a crate.
pub(crate) fn folder(of: &str) -> Option<PathBuf> {
    let package = packages().into_iter().find(|package| name(package) == of)?;
    Some(PathBuf::from(package["manifest_path"].as_str()?).parent()?.to_owned())
}

/// The dependency graph as text, one line for each crate: the crate's name, an arrow, and the names
/// of the crates that it depends on.
fn graph() -> Vec<String> {
    let packages = packages();
    let names: Vec<&str> = packages.iter().map(name).collect();
    let inside = packages.iter().filter(|package| !OUTSIDE.contains(&name(package)));
    let mut lines: Vec<String> = inside
        .map(|package| {
            let all = package["dependencies"].as_array().expect("dependencies");
            let own = all.iter().filter(|it| it["kind"].is_null() && names.contains(&name(it)));
            let mut own: Vec<&str> = own.map(name).collect();
            own.sort_unstable();
            format!("{} → {}", name(package), own.join(", ")).trim_end().to_owned()
        })
        .collect();
    lines.sort();
    lines
}

#[test]
fn the_document_has_the_crate_graph() {
    let document = std::fs::read_to_string(root().join("docs/architecture.md")).expect("the document");
    let drawn = document.lines().filter(|line| line.starts_with("khor") && line.contains(" →"));
    let mut drawn: Vec<String> =
        drawn.map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")).collect();
    drawn.sort();
    assert_eq!(drawn, graph(), "the dependencies in docs/architecture.md differ from cargo's");
}

#[test]
fn the_music_needs_no_runtime() {
    for package in ["khor-signal", "khor-music", "khor-synth"] {
        let mut tree =
            command("cargo", ["tree", "--edges", "normal", "--prefix", "none", "--locked", "-p", package]);
        let tree = output(&mut tree).expect("cargo tree");
        let forbidden = ["tokio ", "nix ", "alsa ", "libc ", "tracing "];
        let used: Vec<&str> =
            tree.lines().filter(|line| forbidden.iter().any(|name| line.starts_with(name))).collect();
        assert!(used.is_empty(), "{package} depends on {used:?}");
    }
}
