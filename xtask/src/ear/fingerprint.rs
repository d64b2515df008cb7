//! Computes a hash of all files that affect the sound or the judge's verdict. If the hash has not
//! changed since the last run, the verdict has not changed either.

use std::{
    collections::hash_map::DefaultHasher,
    fs,
    hash::{Hash, Hasher},
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};

use crate::process::{command, output, root};

/// Files and folders that the hash includes: the engine, the judge, and the versions of their
/// dependencies.
const ROOTS: [&str; 16] = [
    "Cargo.lock",
    "Cargo.toml",
    "khor-ear",
    "khor-engine/api",
    "khor-engine/captures",
    "khor-engine/config",
    "khor-engine/music",
    "khor-engine/own-traffic",
    "khor-engine/runtime",
    "khor-engine/signal",
    "khor-engine/site",
    "khor-engine/source",
    "khor-engine/synth",
    "khor-engine/system",
    "khor-fleet",
    "khor-proto/src",
];
/// Folders of the engine that the hash does not include, because no sample depends on them.
const OUTSIDE: [&str; 4] = ["control", "dbus", "doctor", "http"];

/// Returns the hash in hexadecimal. Another compiler version may hash in another way. This does no
/// harm, because the hash includes the compiler's version and so changes with each version anyway.
pub(super) fn of_the_music() -> Result<String> {
    let mut hasher = DefaultHasher::new();
    output(&mut command("rustc", ["--version", "--verbose"]))?.hash(&mut hasher);
    for start in ROOTS {
        for file in files(&root().join(start))? {
            file.strip_prefix(root())?.hash(&mut hasher);
            fs::read(&file).with_context(|| format!("cannot read {}", file.display()))?.hash(&mut hasher);
        }
    }
    Ok(format!("{:016x}", hasher.finish()))
}

/// All files below a path, sorted, except those in [`OUTSIDE`].
fn files(path: &Path) -> Result<Vec<PathBuf>> {
    let is_outside =
        OUTSIDE.iter().any(|folder| path.ends_with(Path::new("khor-engine/runtime/src").join(folder)));
    if is_outside {
        return Ok(Vec::new());
    }
    if path.is_file() {
        return Ok(vec![path.to_owned()]);
    }
    let listing = fs::read_dir(path).with_context(|| format!("cannot open {}", path.display()))?;
    let mut entries: Vec<PathBuf> = listing.map(|entry| Ok(entry?.path())).collect::<Result<_>>()?;
    entries.sort();
    let nested = entries.iter().map(|entry| files(entry)).collect::<Result<Vec<_>>>()?;
    Ok(nested.concat())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hash_covers_synth_but_not_page() {
        let all: Vec<PathBuf> = ROOTS.iter().flat_map(|start| files(&root().join(start)).unwrap()).collect();
        let has = |part: &str| all.iter().any(|file| file.to_string_lossy().contains(part));
        assert!(
            has("khor-engine/synth/src/") && has("khor-ear/src/classify.rs") && has("presets/choir.toml")
        );
        assert!(!has("khor-engine/runtime/src/http/") && !has("khor-engine/cli/"));
        assert_eq!(of_the_music().unwrap(), of_the_music().unwrap());
    }
}
