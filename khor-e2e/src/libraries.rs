//! Finds the shared libraries that a program needs.

use std::path::Path;
use std::process::Command;

/// Prefixes of the file names of the libraries that every glibc system has: the C library, its
/// parts before glibc 2.34, the loader of each architecture, the kernel's vDSO, and the compiler's
/// support library.
const EVERYWHERE: [&str; 9] = [
    "linux-vdso.so",
    "ld-linux",
    "libc.so",
    "libm.so",
    "libgcc_s.so",
    "libdl.so",
    "libpthread.so",
    "librt.so",
    "libresolv.so",
];

/// Libraries that `program` needs and that some glibc systems lack. `None` if `ldd` is not
/// installed.
pub fn beyond_the_c_library(program: &Path) -> Option<Vec<String>> {
    let output = Command::new("ldd").arg(program).output().ok()?;
    let printed = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success() && printed.contains("libc.so"), "ldd {}: {output:?}", program.display());
    let names = printed.lines().filter_map(|line| line.split_whitespace().next()?.rsplit('/').next());
    let is_everywhere = |name: &&str| EVERYWHERE.iter().any(|start| name.starts_with(start));
    Some(names.filter(|name| !is_everywhere(name)).map(str::to_owned).collect())
}
