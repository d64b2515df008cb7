//! `cargo xtask api`: writes the descriptions of the HTTP API: docs/openapi.json,
//! docs/api-reference.md, and the types, limits and lanes of the page.

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

/// Writes the documents. The example of khor-engine links the server, so that xtask need not.
fn documents() -> Result<()> {
    // Building for the whole workspace selects the features that all other builds have.
    let build = ["build", "--workspace", "--example", "api"];
    succeed(&mut command("cargo", build))?;
    let program = target().join("debug/examples/api");
    succeed(&mut command::<&str>(&program.to_string_lossy(), []))
}

/// Writes the page's types, which are generated from docs/openapi.json.
fn typescript() -> Result<()> {
    ui::prepare()?;
    ui::npm(&["run", "schema"])
}
