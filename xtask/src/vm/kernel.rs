//! Gets Debian's kernels: downloads and unpacks each one once, and then reuses it.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result, anyhow, bail};

use super::{apt::Apt, folder::home};
use crate::process::{find_program, output};

/// Debian package that always depends on the newest kernel for virtual machines. This is Debian's
/// smallest kernel.
const CLOUD: &str = "linux-image-cloud-amd64";
/// Debian package that always depends on the newest generic kernel, which has drivers for sound.
const GENERIC: &str = "linux-image-amd64";

/// Debian package that always depends on the newest generic kernel with `PREEMPT_RT`.
const REAL_TIME: &str = "linux-image-rt-amd64";
/// Debian's suites in which the newest kernel may be. A suite may be missing at times. Of all
/// kernels found, the one with the highest version is used.
const NEWEST: &[&str] = &["trixie-backports", "stable-backports", "unstable"];

/// A kernel that khor is tested on, together with its command line.
#[derive(Debug)]
pub(super) struct Kernel {
    /// The name that selects the kernel in `--kernels`.
    pub(super) name: &'static str,
    /// Name of the folders with the kernel's files. Kernels that differ only in their command lines
    /// share these folders.
    series: &'static str,
    /// Debian's suites in which this kernel may be.
    suites: &'static [&'static str],
    meta_package: &'static str,
    /// Options that are added to the kernel's command line.
    pub(super) command_line: &'static str,
}

/// The kernels on which the counts are tested, starting with the oldest that khor supports. Some
/// kernels appear again with another command line.
const KERNELS: [Kernel; 9] = [
    OLDEST,
    DEBIAN_12,
    Kernel::new("6.12", &["bookworm-backports"], CLOUD),
    NEWEST_CLOUD,
    Kernel::new("newest-rt", NEWEST, REAL_TIME),
    OLDEST.booted("5.10-confidentiality", "lockdown=confidentiality"),
    DEBIAN_12.booted("6.1-integrity", "lockdown=integrity"),
    NEWEST_CLOUD.booted("newest-integrity", "lockdown=integrity"),
    NEWEST_CLOUD.booted("newest-confidentiality", "lockdown=confidentiality"),
];
const OLDEST: Kernel = Kernel::new("5.10", &["bullseye"], CLOUD);
const DEBIAN_12: Kernel = Kernel::new("6.1", &["bookworm"], CLOUD);
const NEWEST_CLOUD: Kernel = Kernel::new("newest", NEWEST, CLOUD);

/// The kernel of the complete Debian system.
pub(super) const DEBIAN: Kernel = Kernel::new("debian", &["bookworm"], GENERIC);

/// Names of the kernels that are tested by default: the oldest kernel, the kernel of Debian 12, and
/// the newest kernel.
pub(super) const BY_DEFAULT: [&str; 3] = ["5.10", "6.1", "newest"];

/// An unpacked kernel.
pub(super) struct Files {
    /// The release, as `uname -r` prints it.
    pub(super) release: String,
    /// The folder into which the packages were unpacked.
    pub(super) tree: PathBuf,
}

impl Files {
    /// The path of the kernel image. Newer Debian packages put the image into the folder of the
    /// modules instead of `/boot`.
    pub(super) fn image(&self) -> PathBuf {
        let beside_modules = self.modules().join("vmlinuz");
        if beside_modules.exists() {
            return beside_modules;
        }
        self.tree.join("boot").join(format!("vmlinuz-{}", self.release))
    }

    pub(super) fn modules(&self) -> PathBuf {
        self.tree.join("lib/modules").join(&self.release)
    }
}

/// The kernel with this name.
pub(super) fn find(name: &str) -> Result<&'static Kernel> {
    KERNELS
        .iter()
        .find(|kernel| kernel.name == name)
        .with_context(|| format!("no such kernel; use one of {}", names()))
}

/// The names of all kernels.
pub(super) fn names() -> String {
    KERNELS.iter().map(|kernel| kernel.name).collect::<Vec<_>>().join(", ")
}

impl Kernel {
    const fn new(name: &'static str, suites: &'static [&'static str], meta_package: &'static str) -> Self {
        Self { name, series: name, suites, meta_package, command_line: "" }
    }

    /// The same kernel under another name, booted with another command line.
    const fn booted(&self, name: &'static str, command_line: &'static str) -> Self {
        Self { name, command_line, ..*self }
    }

    /// The kernel's files. Downloads and unpacks them if they are missing.
    pub(super) fn get(&self, mirror: Option<&str>) -> Result<Files> {
        let packages = home().join("packages").join(self.series);
        if !packages.exists() {
            self.download(mirror, &packages)?;
        }
        let tree = home().join("trees").join(self.series);
        if !tree.join("complete").exists() {
            unpack(&packages, &tree)?;
        }
        let modules = only_entry(&tree.join("lib/modules"))?;
        let release = modules
            .file_name()
            .context("the folder of the modules has no name")?
            .to_string_lossy()
            .into_owned();
        Ok(Files { release, tree })
    }

    /// Downloads the kernel's packages into the folder `packages`. The folder is created only after
    /// the download is complete.
    fn download(&self, mirror: Option<&str>, packages: &Path) -> Result<()> {
        if find_program("apt-get").is_none() {
            bail!("this machine lacks apt-get, which downloads Debian's kernels");
        }
        let (apt, image) = self.newest_image(mirror)?;
        let parts = apt.parts_of(&image)?;
        let partial = packages.with_extension("partial");
        remove(&partial)?;
        fs::create_dir_all(&partial)?;
        apt.download(&parts, &partial)?;
        fs::rename(&partial, packages).context("cannot rename the folder of the packages")?;
        // Delete apt's package lists, which take more space than the downloaded packages.
        remove(&home().join("apt").join(self.series))
    }

    /// The newest kernel package that any of the suites has, and the [`Apt`] of that suite. Fails
    /// only if no suite has a kernel.
    fn newest_image(&self, mirror: Option<&str>) -> Result<(Apt, String)> {
        let look = |suite: &&str| {
            let apt = Apt::new(home().join("apt").join(self.series).join(suite), mirror, suite)?;
            let image = apt.dependency(self.meta_package, "linux-image-")?;
            anyhow::Ok((apt, image))
        };
        let (found, errors): (Vec<_>, Vec<_>) = self.suites.iter().map(look).partition(Result::is_ok);
        let newest = found.into_iter().flatten().max_by_key(|(_, image)| version_in(image));
        newest.ok_or_else(|| {
            let reasons: Vec<_> = errors.into_iter().filter_map(Result::err).collect();
            anyhow!("no suite has the package {}: {reasons:?}", self.meta_package)
        })
    }
}

/// The version numbers in a package's name: 7, 3, 4 for `linux-image-7.3.4+deb13-cloud-amd64`.
fn version_in(image: &str) -> Vec<u32> {
    let version = image.trim_start_matches(|c: char| !c.is_ascii_digit());
    let end = version.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(version.len());
    version[..end].split('.').map_while(|number| number.parse().ok()).collect()
}

/// Unpacks the packages and lists the dependencies of the modules. When this is done, marks the
/// folder as complete.
fn unpack(packages: &Path, tree: &Path) -> Result<()> {
    remove(tree)?;
    fs::create_dir_all(tree)?;
    for package in fs::read_dir(packages).context("cannot open the folder of the packages")? {
        output(Command::new("dpkg-deb").arg("-x").arg(package?.path()).arg(tree))?;
    }
    let newer = tree.join("usr/lib");
    if newer.exists() {
        fs::rename(newer, tree.join("lib")).context("cannot move the modules to depmod's folder")?;
    }
    let modules = only_entry(&tree.join("lib/modules"))?;
    let depmod = find_program("depmod").context("depmod is missing")?;
    output(
        Command::new(depmod)
            .arg("-b")
            .arg(tree)
            .arg(modules.file_name().context("the folder of the modules has no name")?),
    )?;
    fs::write(tree.join("complete"), "")?;
    Ok(())
}

fn remove(folder: &Path) -> Result<()> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(error).with_context(|| format!("cannot remove {}", folder.display()))
        }
        _ => Ok(()),
    }
}

/// The only entry of a folder. Fails if the folder is empty or has several entries.
fn only_entry(folder: &Path) -> Result<PathBuf> {
    let listing = fs::read_dir(folder).with_context(|| format!("cannot open {}", folder.display()))?;
    let entries: Vec<_> = listing.collect::<Result<_, _>>()?;
    match &entries[..] {
        [entry] => Ok(entry.path()),
        _ => bail!("{} has {} entries instead of one", folder.display(), entries.len()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_compare_as_numbers_not_as_text() {
        let newer = version_in("linux-image-7.10.1+deb14-rt-amd64");
        assert_eq!(newer, [7, 10, 1]);
        assert!(newer > version_in("linux-image-7.3.4+deb13-rt-amd64"));
        assert!(version_in("linux-image-6.1.0-50-cloud-amd64") > version_in("linux-image-6.0.1-1-amd64"));
    }

    #[test]
    fn names_are_unique_and_defaults_exist() {
        let names: std::collections::BTreeSet<_> = KERNELS.iter().map(|kernel| kernel.name).collect();
        assert_eq!(names.len(), KERNELS.len());
        assert!(BY_DEFAULT.iter().all(|name| find(name).is_ok()));
    }
}
