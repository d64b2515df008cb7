//! Writes bills of materials in the format `CycloneDX`: the crates that each program contains.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};
use serde_json::Value;

use crate::{
    process::{command, output, succeed},
    tools,
};

/// Name of the files that cargo-cyclonedx writes. It appends `.json`.
const NAME: &str = "khor.cdx";

/// The names of all crates in the workspace, each with the path of its manifest.
pub(super) fn manifests() -> Result<Vec<(String, PathBuf)>> {
    let printed = output(&mut command("cargo", ["metadata", "--no-deps", "--format-version", "1"]))?;
    let metadata: Value = serde_json::from_str(&printed).context("cannot read cargo's metadata")?;
    let packages = metadata["packages"].as_array().context("cargo's metadata has no packages")?;
    let manifest = |package: &Value| {
        Some((package["name"].as_str()?.to_owned(), package["manifest_path"].as_str()?.into()))
    };
    packages.iter().map(|package| manifest(package).context("a package without a name or a path")).collect()
}

/// The folder of a crate.
pub(super) fn folder<'a>(manifests: &'a [(String, PathBuf)], package: &str) -> Result<&'a Path> {
    let found = manifests.iter().find(|(name, _)| name == package);
    found.and_then(|(_, manifest)| manifest.parent()).with_context(|| format!("no crate {package}"))
}

/// Writes the bills of materials of `programs` into `dist`.
pub(super) fn make(
    manifests: &[(String, PathBuf)],
    programs: &[&str],
    dist: &Path,
    time: &str,
) -> Result<()> {
    let cyclonedx = ["cyclonedx", "--format", "json", "--override-filename", NAME];
    let mut cargo = tools::with_path(command("cargo", cyclonedx));
    succeed(cargo.args(["--manifest-path", "Cargo.toml"]).env("SOURCE_DATE_EPOCH", time))?;
    collect(manifests, programs, dist)
}

/// Copies the bills of `programs` to `dist`. Removes all bills from the checkout, because
/// cargo-cyclonedx writes one beside the manifest of each crate.
fn collect(manifests: &[(String, PathBuf)], programs: &[&str], dist: &Path) -> Result<()> {
    let beside = |folder: &Path| folder.join(format!("{NAME}.json"));
    for program in programs {
        let bill = beside(folder(manifests, program)?);
        let to = dist.join(format!("{program}.cdx.json"));
        fs::copy(&bill, to).with_context(|| format!("cannot copy {}", bill.display()))?;
    }
    let bills = manifests.iter().filter_map(|(_, manifest)| manifest.parent()).map(beside);
    for bill in bills.filter(|bill| bill.exists()) {
        fs::remove_file(&bill).with_context(|| format!("cannot remove {}", bill.display()))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packages_and_programs_are_crates() {
        let manifests = manifests().unwrap();
        for name in super::super::PACKAGES.iter().chain(&super::super::PROGRAMS) {
            assert!(folder(&manifests, name).unwrap().join("Cargo.toml").is_file(), "{name}");
        }
        assert!(folder(&manifests, "khor-drum").is_err());
    }

    #[test]
    fn no_bill_stays_in_the_checkout() {
        let dir = std::env::temp_dir().join(format!("khor-bills-{}", std::process::id()));
        let dist = dir.join("dist");
        fs::create_dir_all(&dist).unwrap();
        let manifests = ["inner/cli", "inner/other", "third"].map(|folder| {
            fs::create_dir_all(dir.join(folder)).unwrap();
            fs::write(dir.join(folder).join("khor.cdx.json"), folder).unwrap();
            (folder.replace("inner/", ""), dir.join(folder).join("Cargo.toml"))
        });
        collect(&manifests, &["cli", "third"], &dist).unwrap();
        assert_eq!(fs::read_to_string(dist.join("cli.cdx.json")).unwrap(), "inner/cli");
        assert_eq!(fs::read_to_string(dist.join("third.cdx.json")).unwrap(), "third");
        assert!(!dist.join("other.cdx.json").exists());
        for (name, manifest) in &manifests {
            assert!(!manifest.with_file_name("khor.cdx.json").exists(), "{name}");
        }
        fs::remove_dir_all(dir).unwrap();
    }
}
