//! `cargo xtask api`: writes the files that are generated from the HTTP API. These are
//! docs/openapi.json, docs/api-reference.md, and the types, limits and lanes of the page.

use anyhow::Result;

use crate::{
    packages,
    process::{command, succeed, target},
    ui,
};

pub(crate) fn run() -> Result<()> {
    packages::install(&[packages::BUILD])?;
    documents()?;
    typescript()
}

/// Runs an example program of khor-engine, which writes the documents and the page's limits. xtask
/// starts it as a separate program, so that xtask need not link the server.
fn documents() -> Result<()> {
    // Builds the whole workspace. For a single crate, cargo would select other features of the
    // dependencies and build them again.
    let build = ["build", "--workspace", "--example", "api"];
    succeed(&mut command("cargo", build))?;
    let program = target().join("debug/examples/api");
    succeed(&mut command::<&str>(&program.to_string_lossy(), []))
}

/// Writes the page's types from docs/openapi.json.
fn typescript() -> Result<()> {
    ui::prepare()?;
    ui::npm(&["run", "schema"])
}
