//! Debian's kernels: downloaded and unpacked once, then found.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result, bail};

use super::{apt::Apt, home};
use crate::process::{find_program, output};

/// Depends on the newest kernel of Debian's suite for virtual machines, the smallest there is.
const CLOUD: &str = "linux-image-cloud-amd64";
/// Depends on the newest generic kernel, which has drivers for sound.
const GENERIC: &str = "linux-image-amd64";

/// A series of kernels that khor is tested on.
#[derive(Debug)]
pub(super) struct Kernel {
    /// The first two numbers of the version. [`DEBIAN`] has a name instead.
    pub(super) series: &'static str,
    /// Debian's release that has it.
    release: &'static str,
    meta_package: &'static str,
}

/// The kernels that the counts are tested on, from the oldest that khor supports.
const KERNELS: [Kernel; 3] = [
    Kernel { series: "5.10", release: "bullseye", meta_package: CLOUD },
    Kernel { series: "6.1", release: "bookworm", meta_package: CLOUD },
    Kernel { series: "6.12", release: "bookworm-backports", meta_package: CLOUD },
];

/// The kernel that boots the whole Debian.
pub(super) const DEBIAN: Kernel = Kernel { series: "debian", release: "bookworm", meta_package: GENERIC };

/// The kernels that are tested by default: the oldest, and the one of Debian 12.
pub(super) const BY_DEFAULT: [&str; 2] = ["5.10", "6.1"];

/// An unpacked kernel.
pub(super) struct Files {
    /// As `uname -r` prints it.
    pub(super) release: String,
    /// The root of what the package holds.
    pub(super) tree: PathBuf,
}

impl Files {
    pub(super) fn image(&self) -> PathBuf {
        self.tree.join("boot").join(format!("vmlinuz-{}", self.release))
    }

    pub(super) fn modules(&self) -> PathBuf {
        self.tree.join("lib/modules").join(&self.release)
    }
}

/// The kernel that a word of the command line means.
pub(super) fn find(series: &str) -> Result<&'static Kernel> {
    let known = || KERNELS.map(|kernel| kernel.series).join(", ");
    KERNELS.iter().find(|kernel| kernel.series == series).with_context(|| format!("known are {}", known()))
}

impl Kernel {
    /// Its files, from the nearest place that has them.
    pub(super) fn get(&self, mirror: Option<&str>) -> Result<Files> {
        let packages = home().join("packages").join(self.series);
        let package = match only_entry(&packages) {
            Ok(package) => package,
            Err(_) => self.download(mirror, &packages)?,
        };
        let tree = home().join("trees").join(self.series);
        if !tree.join("complete").exists() {
            unpack(&package, &tree)?;
        }
        let modules = only_entry(&tree.join("lib/modules"))?;
        let release = modules.file_name().context("a release")?.to_string_lossy().into_owned();
        Ok(Files { release, tree })
    }

    fn download(&self, mirror: Option<&str>, packages: &Path) -> Result<PathBuf> {
        if find_program("apt-get").is_none() {
            bail!("Debian's kernels are downloaded with apt-get, which is not here");
        }
        let apt = Apt::new(home().join("apt").join(self.series), mirror, self.release)?;
        let package = apt.dependency(self.meta_package, "linux-image-")?;
        remove(packages)?;
        fs::create_dir_all(packages)?;
        apt.download(&package, packages)?;
        only_entry(packages)
    }
}

/// Unpacks a package and lists which module needs which; marks the tree as complete at the end.
fn unpack(package: &Path, tree: &Path) -> Result<()> {
    remove(tree)?;
    fs::create_dir_all(tree)?;
    output(Command::new("dpkg-deb").arg("-x").arg(package).arg(tree))?;
    let newer = tree.join("usr/lib");
    if newer.exists() {
        fs::rename(newer, tree.join("lib")).context("moving modules to where depmod looks")?;
    }
    let modules = only_entry(&tree.join("lib/modules"))?;
    let depmod = find_program("depmod").context("depmod is missing")?;
    output(Command::new(depmod).arg("-b").arg(tree).arg(modules.file_name().context("a release")?))?;
    fs::write(tree.join("complete"), "")?;
    Ok(())
}

fn remove(folder: &Path) -> Result<()> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(error).with_context(|| format!("removing {}", folder.display()))
        }
        _ => Ok(()),
    }
}

/// The one entry that a folder is to have.
fn only_entry(folder: &Path) -> Result<PathBuf> {
    let listing = fs::read_dir(folder).with_context(|| format!("opening {}", folder.display()))?;
    let entries: Vec<_> = listing.collect::<Result<_, _>>()?;
    match &entries[..] {
        [entry] => Ok(entry.path()),
        _ => bail!("{} has {} entries, not one", folder.display(), entries.len()),
    }
}
