//! Builds the web page if its sources have changed since the last build.

use std::{
    fs,
    path::{Path, PathBuf},
    time::SystemTime,
};

use anyhow::{Context, Result};

use crate::{
    packages,
    process::{command, root, succeed},
};

/// Installs Node.js and the page's dependencies.
pub(crate) fn prepare() -> Result<()> {
    packages::install(&[packages::PAGE])?;
    let (lock, installed) = (ui("package-lock.json"), ui("node_modules/.package-lock.json"));
    if modified(&installed) < modified(&lock) {
        npm(&["ci", "--no-audit", "--no-fund"])?;
    }
    Ok(())
}

/// Builds the page into `ui/dist`.
pub(crate) fn build() -> Result<()> {
    npm(&["run", "build"])
}

/// Builds the page if its sources have changed since the last build. The programs embed the page.
pub(crate) fn build_if_stale() -> Result<()> {
    if is_stale() {
        prepare()?;
        build()?;
    }
    Ok(())
}

/// Whether a source of the page has changed since the last build.
pub(crate) fn is_stale() -> bool {
    let built = modified(&ui("dist/index.html"));
    let sources = ["src", "public", "index.html", "vite.config.ts", "package-lock.json"];
    let newest = sources.iter().filter_map(|source| newest_below(&ui(source))).max();
    built.is_none() || newest > built
}

/// Runs an npm command in the folder of the page.
pub(crate) fn npm(args: &[&str]) -> Result<()> {
    succeed(command("npm", args).current_dir(root().join("ui"))).context("cannot build the page")
}

fn ui(path: &str) -> PathBuf {
    root().join("ui").join(path)
}

fn modified(path: &Path) -> Option<SystemTime> {
    fs::metadata(path).and_then(|meta| meta.modified()).ok()
}

fn newest_below(path: &Path) -> Option<SystemTime> {
    let below = fs::read_dir(path).into_iter().flatten().flatten();
    below.filter_map(|entry| newest_below(&entry.path())).chain(modified(path)).max()
}
