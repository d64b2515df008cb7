//! Creates the disk image that contains the programs and tests. The tests also write to this disk.
//!
//! The machine mounts the disk at the path that the programs have on the host, because the tests
//! contain that path.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result};

use super::tests::Built;
use crate::process::{find_program, output};

/// Size of the image, which is a sparse file. The programs and tests take a fifth of it, and the
/// files that the tests create take a third.
const SIZE: &str = "256M";

/// Creates the disk's image in `folder`.
pub(super) fn make(folder: &Path, built: &Built) -> Result<PathBuf> {
    let (content, image) = (folder.join("disk"), folder.join("disk.img"));
    for file in built.programs.iter().chain(&built.tests) {
        let inside =
            file.strip_prefix(&built.profile).context("the programs and tests are not in one folder")?;
        let copy = content.join(inside);
        fs::create_dir_all(copy.parent().context("the path has no parent folder")?)?;
        output(Command::new("strip").arg("-o").arg(&copy).arg(file))?;
    }
    let _ = fs::remove_file(&image);
    let mke2fs = find_program("mke2fs").context("mke2fs is missing")?;
    // Without these options, the kernel could write a journal or initialise tables at any time, and
    // the tests would count these writes.
    let quiet = ["-q", "-t", "ext4", "-O", "^has_journal", "-E", "lazy_itable_init=0,root_owner=0:0", "-d"];
    output(Command::new(mke2fs).args(quiet).arg(&content).arg(&image).arg(SIZE))?;
    Ok(image)
}
