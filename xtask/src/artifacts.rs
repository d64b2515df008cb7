//! Reads cargo's JSON messages about the artifacts that it built.

use std::{
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use anyhow::Result;
use serde_json::Value;

use crate::process::output;

/// Runs a cargo command that prints JSON messages, and returns these messages.
pub(crate) fn of(cargo: &mut Command) -> Result<Vec<Value>> {
    let messages = output(cargo.stderr(Stdio::inherit()))?;
    Ok(messages.lines().filter_map(|line| serde_json::from_str(line).ok()).collect())
}

/// The path of the executable, if the artifact is an executable of this kind and name.
pub(crate) fn executable(artifact: &Value, kind: &str, name: &str) -> Option<PathBuf> {
    let target = &artifact["target"];
    // cargo also builds the program's unit tests, as another executable with the same kind and
    // name.
    let tests_itself = kind == "bin" && artifact["profile"]["test"] == true;
    let is_it = target["kind"][0] == kind && !tests_itself && target["name"] == name;
    let path = artifact["executable"].as_str().filter(|_| is_it)?;
    Some(Path::new(path).to_owned())
}

/// The path of a test program and the folder of its package, if the artifact is a test program.
pub(crate) fn test_program(artifact: &Value) -> Option<(PathBuf, PathBuf)> {
    let path = artifact["executable"].as_str().filter(|_| artifact["profile"]["test"] == true)?;
    let manifest = Path::new(artifact["manifest_path"].as_str()?);
    Some((path.into(), manifest.parent()?.to_owned()))
}

/// Whether the artifact belongs to the package with this name.
pub(crate) fn is_of(artifact: &Value, package: &str) -> bool {
    artifact["package_id"].as_str().is_some_and(|id| name_in(id) == package)
}

/// The package's name in an ID such as `path+file:///folder#name@version`. If the folder has the
/// same name as the package, cargo omits the name: `path+file:///folder#version`.
fn name_in(package_id: &str) -> &str {
    let (place, version) = package_id.rsplit_once('#').unwrap_or((package_id, ""));
    match version.split_once('@') {
        Some((name, _)) => name,
        None => place.rsplit('/').next().unwrap_or_default(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_package_id_has_a_name() {
        assert_eq!(name_in("path+file:///khor/khor-engine/output#khor-output@0.1.0"), "khor-output");
        assert_eq!(name_in("path+file:///khor/khor-e2e#0.1.0"), "khor-e2e");
    }
}
