//! Finds the kernel modules that the tests need, in the order of their dependencies.

use std::{collections::HashMap, fs, path::Path, process::Command};

use anyhow::{Context, Result, bail};

use super::kernel::Files;

/// Drivers of the disk and of its file system. Debian's kernels contain all other drivers that
/// every virtual machine needs.
pub(super) const DISK: [&str; 3] = ["virtio_pci", "virtio_blk", "ext4"];

/// File extensions of compressed modules, each with the program that decompresses it.
const DECOMPRESSORS: [(&str, &str); 3] = [("xz", "xz"), ("zst", "zstd"), ("gz", "gzip")];

/// A module's name and its uncompressed content.
pub(super) struct Module {
    pub(super) name: String,
    pub(super) content: Vec<u8>,
}

/// The `wanted` modules of this kernel and the modules that they need, in the order in which they
/// must be loaded.
pub(super) fn load_all(kernel: &Files, wanted: &[&str]) -> Result<Vec<Module>> {
    let folder = kernel.modules();
    let read = |name: &str| {
        let file = folder.join(name);
        fs::read_to_string(&file).with_context(|| format!("cannot read {}", file.display()))
    };
    let dependencies = read("modules.dep")?;
    let paths = resolve(wanted, &dependencies, &read("modules.builtin")?)?;
    paths.iter().map(|path| load(&folder.join(path), name_of(path))).collect()
}

/// Paths of the `wanted` modules and their dependencies, in the order of loading. Modules that are
/// built into the kernel are left out. A line of `dependencies` has a module's path, a colon, and
/// the paths of its dependencies in reverse order of loading.
fn resolve<'a>(wanted: &[&str], dependencies: &'a str, builtin: &str) -> Result<Vec<&'a str>> {
    let lines = dependencies.lines().filter_map(|line| line.split_once(':'));
    let known: HashMap<String, (&str, &str)> = lines.map(|line| (name_of(line.0), line)).collect();
    let mut ordered = Vec::new();
    for name in wanted {
        if builtin.lines().any(|path| name_of(path) == *name) {
            continue;
        }
        let Some((path, needs)) = known.get(*name) else { bail!("this kernel has no module {name}") };
        for path in needs.split_whitespace().rev().chain([*path]) {
            if !ordered.contains(&path) {
                ordered.push(path);
            }
        }
    }
    Ok(ordered)
}

/// The name of a module: `virtio_rng` for `kernel/drivers/char/hw_random/virtio-rng.ko.xz`.
fn name_of(path: &str) -> String {
    let file = path.rsplit('/').next().unwrap_or(path);
    file.split('.').next().unwrap_or(file).replace('-', "_")
}

fn load(path: &Path, name: String) -> Result<Module> {
    let ending = path.extension().unwrap_or_default();
    let content = match DECOMPRESSORS.iter().find(|(compressed, _)| ending == *compressed) {
        Some((_, program)) => decompress(program, path),
        None => fs::read(path).map_err(Into::into),
    };
    let content = content.with_context(|| format!("cannot read the module {name} ({})", path.display()))?;
    Ok(Module { name, content })
}

fn decompress(program: &str, path: &Path) -> Result<Vec<u8>> {
    let decompressed = Command::new(program).args(["--decompress", "--stdout"]).arg(path).output();
    let decompressed = decompressed.with_context(|| format!("cannot start {program}"))?;
    if !decompressed.status.success() {
        bail!("{program}: {}", String::from_utf8_lossy(&decompressed.stderr));
    }
    Ok(decompressed.stdout)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::process::is_there;

    const DEPENDENCIES: &str = "\
        kernel/a/virtio.ko.xz:\n\
        kernel/a/virtio_ring.ko.xz: kernel/a/virtio.ko.xz\n\
        kernel/b/virtio-blk.ko.xz: kernel/a/virtio_ring.ko.xz kernel/a/virtio.ko.xz\n\
        kernel/c/sch_tbf.ko.xz:\n";

    #[test]
    fn modules_follow_their_dependencies_without_repeats() {
        let paths = resolve(&["virtio_blk", "virtio_ring", "sch_tbf"], DEPENDENCIES, "").unwrap();
        let names: Vec<_> = paths.iter().map(|path| name_of(path)).collect();
        assert_eq!(names, ["virtio", "virtio_ring", "virtio_blk", "sch_tbf"]);
    }

    #[test]
    fn compressed_modules_are_unpacked_errors_name_them() {
        let folder = std::env::temp_dir().join(format!("khor-modules-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        let file = folder.join("loop.ko");
        for (ending, program) in DECOMPRESSORS.into_iter().filter(|(_, name)| is_there(name)) {
            fs::write(&file, "content").unwrap();
            let packed = Command::new(program).arg("--force").arg(&file).status();
            assert!(packed.unwrap().success(), "{program}");
            let packed = folder.join(format!("loop.ko.{ending}"));
            assert_eq!(load(&packed, "loop".into()).unwrap().content, b"content");
            fs::write(&packed, "no archive").unwrap();
            let error = load(&packed, "loop".into()).err().map(|error| format!("{error:#}"));
            assert!(error.is_some_and(|error| error.contains("the module loop")));
        }
        fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn builtin_modules_are_skipped_missing_ones_named() {
        assert!(resolve(&["ext4"], DEPENDENCIES, "kernel/fs/ext4/ext4.ko\n").unwrap().is_empty());
        assert!(resolve(&["ext4"], DEPENDENCIES, "").unwrap_err().to_string().contains("ext4"));
    }
}
