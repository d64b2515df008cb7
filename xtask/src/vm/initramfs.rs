//! Packs the initramfs: a shell, the tools that the tests start, libraries, modules, and the script
//! that runs the tests.

use std::{
    collections::BTreeSet,
    fs::{self, File},
    io::Write,
    os::unix::fs::{PermissionsExt, symlink},
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use anyhow::{Context, Result, ensure};

use super::{
    machine,
    modules::Module,
    report,
    tests::{Built, SKIPPED},
};
use crate::process::{find_program, output};

/// The script that runs as the machine's first process.
const INIT: &str = include_str!("init.sh");
/// Programs of this machine that the tests or [`INIT`] start.
const PROGRAMS: [&str; 8] = ["busybox", "ip", "tc", "setpriv", "chrt", "wg", "dmsetup", "ethtool"];
/// Paths that are links to busybox, because the tests or [`INIT`] start these programs.
const BUSYBOX_NAMES: [&str; 2] = ["bin/sh", "bin/true"];
/// The files with the users and groups that the collector looks up.
const ETC: [(&str, &str); 2] = [
    ("etc/passwd", "root:x:0:0::/:/bin/sh\nkhor:x:900:900::/:/bin/sh\nnobody:x:65534:65534::/:/bin/sh\n"),
    ("etc/group", "root:x:0:\nkhor:x:900:\nnogroup:x:65534:\n"),
];

/// Creates the archive in `folder`.
pub(super) fn pack(folder: &Path, modules: &[Module], built: &Built, only: Option<&str>) -> Result<PathBuf> {
    let root = folder.join("initramfs");
    if root.exists() {
        fs::remove_dir_all(&root)?;
    }
    programs(&root, built)?;
    add_modules(&root, modules)?;
    for (name, content) in ETC {
        write(&root, name, content.as_bytes())?;
    }
    write(&root, "etc/khor-vm", settings(built, only).as_bytes())?;
    write(&root, "init", INIT.as_bytes())?;
    fs::set_permissions(root.join("init"), fs::Permissions::from_mode(0o755))?;
    archive(&root, &folder.join("initramfs.cpio"))
}

/// Adds the kernel modules. The file names begin with numbers, which give the order in which the
/// modules must be loaded.
pub(super) fn add_modules(root: &Path, modules: &[Module]) -> Result<()> {
    for (number, module) in modules.iter().enumerate() {
        write(root, &format!("modules/{number:03}-{}.ko", module.name), &module.content)?;
    }
    Ok(())
}

/// Copies [`PROGRAMS`], and the libraries of all programs that will run in the machine.
fn programs(root: &Path, built: &Built) -> Result<()> {
    let mut libraries = BTreeSet::new();
    for name in PROGRAMS {
        let program = find_program(name).with_context(|| format!("{name} is missing"))?;
        copy(&program, &root.join("bin").join(name))?;
        libraries.extend(libraries_of(&program));
    }
    for program in built.programs.iter().chain(&built.tests) {
        libraries.extend(libraries_of(program));
    }
    for name in BUSYBOX_NAMES {
        symlink("/bin/busybox", root.join(name))?;
    }
    libraries.iter().try_for_each(|library| copy(library, &root.join(library.strip_prefix("/")?)))
}

/// The shared libraries and the loader that a program needs. A static program needs none, and `ldd`
/// fails for it.
fn libraries_of(program: &Path) -> Vec<PathBuf> {
    let printed = output(Command::new("ldd").arg(program)).unwrap_or_default();
    printed.split_whitespace().filter(|word| word.starts_with('/')).map(PathBuf::from).collect()
}

pub(super) fn copy(from: &Path, to: &Path) -> Result<()> {
    fs::create_dir_all(to.parent().context("the path has no parent folder")?)?;
    fs::copy(from, to).with_context(|| format!("cannot copy {}", from.display())).map(drop)
}

pub(super) fn write(root: &Path, name: &str, content: &[u8]) -> Result<()> {
    let path = root.join(name);
    fs::create_dir_all(path.parent().context("the path has no parent folder")?)?;
    fs::write(&path, content).with_context(|| format!("cannot write {}", path.display()))
}

/// Shell commands that set the environment variables for the tests. [`INIT`] runs them.
fn settings(built: &Built, only: Option<&str>) -> String {
    let quoted = |text: &str| format!("'{}'", text.replace('\'', r"'\''"));
    let tests: Vec<_> = built.tests.iter().map(|test| test.display().to_string()).collect();
    let skip: Vec<_> = SKIPPED.iter().map(|name| format!("--skip {name}")).collect();
    let scale = std::env::var(machine::LOAD_SCALE).unwrap_or_else(|_| machine::DEFAULT_LOAD_SCALE.into());
    [
        ("PROFILE", quoted(&built.profile.to_string_lossy())),
        ("TESTS", quoted(&tests.join("\n"))),
        ("ONLY", quoted(only.unwrap_or_default())),
        ("SKIP", quoted(&skip.join(" "))),
        ("MARK", quoted(report::END_MARK)),
        ("KHOR_REQUIRE_ALL", "1".into()),
        ("KHOR_VM", "1".into()),
        (machine::LOAD_SCALE, quoted(&scale)),
        ("RUST_BACKTRACE", "1".into()),
    ]
    .map(|(name, value)| format!("export {name}={value}\n"))
    .concat()
}

/// Packs the folder `root` into a cpio archive, which a kernel unpacks when it boots. All files in
/// the archive belong to root.
pub(super) fn archive(root: &Path, to: &Path) -> Result<PathBuf> {
    let names = output(Command::new("find").args([".", "-print0"]).current_dir(root))?;
    let mut cpio = Command::new("cpio")
        .args(["--create", "--format=newc", "--owner=0:0", "--null", "--quiet"])
        .current_dir(root)
        .stdin(Stdio::piped())
        .stdout(File::create(to)?)
        .spawn()
        .context("cannot start cpio")?;
    cpio.stdin.take().context("cpio's input")?.write_all(names.as_bytes())?;
    ensure!(cpio.wait()?.success(), "cpio failed");
    Ok(to.to_owned())
}
