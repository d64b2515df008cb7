//! `cargo xtask ebpf [--check]`: builds the in-kernel programs, or checks that the committed
//! objects match their source.
//!
//! The objects are committed, so that a normal build needs neither nightly Rust nor LLVM. They
//! contain no paths of the build machine. So every build with the toolchain that
//! `khor.bpf.toolchain` records produces the same bytes.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail, ensure};

use crate::tools;

/// The in-kernel programs, each with its committed object. `yardstick` consists of minimal programs
/// with which benchmarks compare khor's programs.
const OBJECTS: [(&str, &str); 2] =
    [("khor", "khor-ebpf/khor.bpf.o"), ("yardstick", "khor-ebpf/yardstick.bpf.o")];
const TOOLCHAIN: &str = "khor-ebpf/khor.bpf.toolchain";
const TARGET: &str = "bpfel-unknown-none";
/// Possible names of objcopy, which removes the debug information from the objects. Only the type
/// information (BTF) remains.
const OBJCOPY_NAMES: [&str; 4] = ["llvm-objcopy-22", "llvm-objcopy", "rust-objcopy", "llvm-objcopy-21"];

/// Builds the objects and replaces the committed ones. With `check`, compares them instead, and
/// fails if they differ.
pub(crate) fn build(check: bool) -> Result<()> {
    let root = workspace_root();
    let tools = Tools::find()?;
    let versions = tools.versions()?;
    let package = root.join("khor-ebpf");
    tools.build(&package)?;
    for (program, object) in OBJECTS {
        let built = tools.strip(&package.join("target").join(TARGET).join("release").join(program))?;
        if check {
            compare(&root, object, &built, &versions)?;
        } else {
            fs::write(root.join(object), &built).with_context(|| format!("cannot write {object}"))?;
            println!("{object}: {} bytes", built.len());
        }
    }
    if !check {
        fs::write(root.join(TOOLCHAIN), &versions).context("cannot write the toolchain's versions")?;
    }
    Ok(())
}

/// Fails if the committed `object` differs from the `built` one.
fn compare(root: &Path, object: &str, built: &[u8], versions: &str) -> Result<()> {
    let recorded =
        fs::read_to_string(root.join(TOOLCHAIN)).with_context(|| format!("cannot read {TOOLCHAIN}"))?;
    let committed = fs::read(root.join(object)).with_context(|| format!("cannot read {object}"))?;
    if built == committed {
        println!("{object} matches its source");
        return Ok(());
    }
    let difference = describe_difference(&committed, built);
    if versions != recorded {
        bail!(
            "{object} differs from a build of its source ({difference}), but the toolchain differs too; use the \
             recorded one to compare\nrecorded:\n{recorded}here:\n{versions}"
        );
    }
    bail!(
        "{object} differs from a build of its source ({difference}); run `cargo xtask ebpf` and commit the object"
    )
}

/// The programs that build the objects.
struct Tools {
    cargo: Program,
    rustc: Program,
    sysroot: PathBuf,
    linker: PathBuf,
    objcopy: PathBuf,
}

/// A program, with the arguments that come first in every call.
struct Program(Vec<String>);

impl Program {
    fn new(words: &[&str]) -> Self {
        Self(words.iter().map(ToString::to_string).collect())
    }

    fn command(&self) -> Command {
        let mut command = Command::new(&self.0[0]);
        command.args(&self.0[1..]);
        // Cargo and rustup set these variables for xtask. They must not affect the build, which
        // uses another toolchain.
        for name in
            ["RUSTUP_TOOLCHAIN", "RUSTC", "CARGO", "CARGO_TARGET_DIR", "RUSTFLAGS", "CARGO_ENCODED_RUSTFLAGS"]
        {
            command.env_remove(name);
        }
        command
    }

    fn output(&self, arguments: &[&str]) -> Result<String> {
        let output =
            self.command().args(arguments).output().with_context(|| format!("cannot run {}", self.0[0]))?;
        ensure!(output.status.success(), "{} {}: {}", self.0[0], arguments.join(" "), output.status);
        Ok(String::from_utf8(output.stdout)?.trim().to_owned())
    }
}

impl Tools {
    fn find() -> Result<Self> {
        let debian = (Program::new(&["/usr/bin/cargo"]), Program::new(&["/usr/bin/rustc"]));
        let rustup = ["cargo", "rustc"].map(|program| Program::new(&["rustup", "run", "nightly", program]));
        let [nightly_cargo, nightly_rustc] = rustup;
        let (cargo, rustc, sysroot) = [debian, (nightly_cargo, nightly_rustc)]
            .into_iter()
            .find_map(|(cargo, rustc)| {
                let sysroot = PathBuf::from(rustc.output(&["--print", "sysroot"]).ok()?);
                cargo.output(&["--version"]).ok()?;
                let has_source = sysroot.join("lib/rustlib/src/rust/library/core/Cargo.toml").exists();
                has_source.then_some((cargo, rustc, sysroot))
            })
            .context(
                "no Rust compiler with the source of its library was found; install one of\n  \
                 Debian: apt-get install --no-install-recommends rustc-web cargo-web rust-web-src llvm-22\n  \
                 rustup: rustup toolchain install nightly --component rust-src",
            )?;
        let linker = find_program(&["bpf-linker"]).context(
            "bpf-linker was not found; install it with\n  cargo install bpf-linker --locked\nor, if no prebuilt \
             LLVM fits, with\n  apt-get install --no-install-recommends llvm-22-dev libpolly-22-dev\n  \
             PATH=/usr/lib/llvm-22/bin:$PATH cargo install bpf-linker --locked --no-default-features --features llvm-22",
        )?;
        let objcopy = find_program(&OBJCOPY_NAMES).context(
            "llvm-objcopy was not found; install it with\n  Debian: apt-get install llvm-22\n  others: cargo install \
             cargo-binutils && rustup component add llvm-tools",
        )?;
        Ok(Self { cargo, rustc, sysroot, linker, objcopy })
    }

    /// The versions of the tools, one on each line. Tools of the same versions build objects with
    /// identical bytes.
    fn versions(&self) -> Result<String> {
        let linker = Program::new(&[&self.linker.to_string_lossy()]).output(&["--version"])?;
        let objcopy = Program::new(&[&self.objcopy.to_string_lossy()]).output(&["--version"])?;
        let objcopy =
            objcopy.lines().find(|line| line.contains("version")).unwrap_or("unknown").trim().to_owned();
        Ok(format!("{}\n{linker}\nllvm-objcopy: {objcopy}\n", self.rustc.output(&["--version"])?))
    }

    /// Compiles all in-kernel programs.
    fn build(&self, package: &Path) -> Result<()> {
        let mut command = self.cargo.command();
        if let [rustc] = &self.rustc.0[..] {
            command.env("RUSTC", rustc); // with rustup, cargo finds rustc itself
        }
        let status = command
            .current_dir(package)
            .args(["build", "--release", "--locked", "-Zbuild-std=core", "--target", TARGET])
            .env("RUSTC_BOOTSTRAP", "1")
            .env("CARGO_ENCODED_RUSTFLAGS", self.rust_flags(package).join("\x1f"))
            .status()
            .context("cannot run cargo")?;
        ensure!(status.success(), "cannot build the in-kernel programs: {status}");
        Ok(())
    }

    fn rust_flags(&self, package: &Path) -> Vec<String> {
        let home = std::env::var_os("CARGO_HOME").map_or_else(
            || PathBuf::from(std::env::var_os("HOME").unwrap_or_default()).join(".cargo"),
            PathBuf::from,
        );
        let source = self.sysroot.join("lib/rustlib/src/rust");
        // In Debian, `source` is a symbolic link to a folder outside the sysroot. The compiler
        // resolves the link and writes the real path into the object, so the real path must be
        // replaced too.
        let real_source = source.canonicalize().unwrap_or_else(|_| source.clone());
        let remap = |from: &Path, to: &str| format!("--remap-path-prefix={}={to}", from.display());
        vec![
            format!("-Clinker={}", self.linker.display()),
            "-Cdebuginfo=2".into(),
            "-Clink-arg=--btf".into(),
            "-Ctarget-cpu=v3".into(), // has 32-bit arithmetic, which kernels since 5.1 accept
            remap(package, "/khor-ebpf"),
            remap(&home.join("registry/src"), "/registry"),
            remap(&source, "/rust"),
            remap(&real_source, "/rust"),
        ]
    }

    /// Strips the debug information from an object and returns the object's bytes. Fails if the
    /// bytes contain a path of this machine.
    fn strip(&self, object: &Path) -> Result<Vec<u8>> {
        let stripped = object.with_extension("stripped.o");
        let status = Command::new(&self.objcopy).arg("--strip-debug").args([object, &stripped]).status()?;
        ensure!(status.success(), "cannot strip the object: {status}");
        let bytes = fs::read(&stripped)?;
        for path in [env!("CARGO_MANIFEST_DIR").trim_end_matches("/xtask"), "/.cargo/registry"] {
            let leaks = bytes.windows(path.len()).any(|window| window == path.as_bytes());
            ensure!(!leaks, "the object contains the path {path}, so its bytes depend on this machine");
        }
        Ok(bytes)
    }
}

fn workspace_root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("xtask is in the workspace").to_owned()
}

/// The path of the first of `names` that exists in `PATH`, in cargo's folder or among khor's tools.
/// Some `PATH`s lack cargo's folder.
fn find_program(names: &[&str]) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let cargo_bin = PathBuf::from(std::env::var_os("HOME").unwrap_or_default()).join(".cargo/bin");
    let directories: Vec<_> =
        std::env::split_paths(&path).chain([cargo_bin, tools::cargo_folder()]).collect();
    names.iter().find_map(|name| directories.iter().map(|dir| dir.join(name)).find(|file| file.is_file()))
}

fn describe_difference(committed: &[u8], built: &[u8]) -> String {
    let at = committed.iter().zip(built).position(|(a, b)| a != b);
    match at {
        Some(offset) => {
            format!(
                "first difference at byte {offset}; {} bytes committed, {} built",
                committed.len(),
                built.len()
            )
        }
        None => format!("{} bytes committed, {} built", committed.len(), built.len()),
    }
}
