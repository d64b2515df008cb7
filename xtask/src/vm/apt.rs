//! Downloads packages from any of Debian's suites with apt, in a separate state directory.
//!
//! apt verifies its downloads with Debian's own keys, and uses this machine's proxy settings. It
//! neither reads nor changes the machine's own package lists.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result, ensure};

use crate::process::output;

/// File with Debian's keys, including those of older releases.
pub(super) const KEYRING: &str = "/usr/share/keyrings/debian-archive-keyring.gpg";

/// Runs apt for one suite of one Debian mirror.
pub(super) struct Apt {
    folder: PathBuf,
}

impl Apt {
    /// Creates apt's state below `folder`, and downloads the suite's list of packages.
    pub(super) fn new(folder: PathBuf, mirror: Option<&str>, suite: &str) -> Result<Self> {
        for part in ["state/lists/partial", "cache/archives/partial"] {
            fs::create_dir_all(folder.join(part))?;
        }
        let mirror = mirror.map_or_else(own_mirror, |given| Ok(given.to_owned()))?;
        let options = format!("arch=amd64 target=Packages lang=none signed-by={KEYRING}");
        fs::write(folder.join("sources.list"), format!("deb [{options}] {mirror} {suite} main\n"))?;
        fs::write(folder.join("status"), "")?;
        let apt = Self { folder };
        output(apt.command("apt-get").args(["update", "--error-on=any"]))
            .context("cannot list the suite's packages")?;
        Ok(apt)
    }

    /// The first package whose name starts with `prefix` among the dependencies of package `meta`.
    pub(super) fn dependency(&self, meta: &str, prefix: &str) -> Result<String> {
        let printed = output(self.command("apt-cache").args(["depends", meta]).env("LC_ALL", "C"))?;
        let mut found = printed.lines().filter_map(|line| line.trim().strip_prefix("Depends: "));
        let found = found.find(|package| package.starts_with(prefix));
        found
            .map(str::to_owned)
            .with_context(|| format!("{meta} depends on no package {prefix}…:\n{printed}"))
    }

    /// The package `image` and the other packages of the same kernel. Newer kernels have the image
    /// and the modules in separate packages.
    pub(super) fn parts_of(&self, image: &str) -> Result<Vec<String>> {
        let release = image
            .strip_prefix("linux-image-")
            .context("the name of the kernel's package does not start with linux-image-")?;
        let printed = output(self.command("apt-cache").args(["depends", image]).env("LC_ALL", "C"))?;
        let needed = printed.lines().filter_map(|line| line.trim().strip_prefix("Depends: "));
        let parts = needed.filter(|package| package.ends_with(release)).map(str::to_owned);
        Ok(std::iter::once(image.to_owned()).chain(parts).collect())
    }

    /// Downloads `packages` into `folder`.
    pub(super) fn download(&self, packages: &[String], folder: &Path) -> Result<()> {
        println!("downloading {}", packages.join(" "));
        output(self.command("apt-get").arg("download").args(packages).current_dir(folder)).map(drop)
    }

    fn command(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        let path = |name: &str| self.folder.join(name).display().to_string();
        for (option, value) in [
            ("Dir::Etc::sourcelist", path("sources.list")),
            ("Dir::Etc::sourceparts", "/dev/null".into()),
            ("Dir::State", path("state")),
            ("Dir::State::status", path("status")),
            ("Dir::Cache", path("cache")),
            // By default, apt downloads as its own user, which may not be allowed to read the
            // checkout. Downloading as root is safe, because apt verifies packages before it
            // unpacks them.
            ("APT::Sandbox::User", "root".into()),
        ] {
            command.arg("-o").arg(format!("{option}={value}"));
        }
        command
    }
}

/// The mirror in this machine's apt configuration.
pub(super) fn own_mirror() -> Result<String> {
    let filters = ["--format", "$(REPO_URI)", "Origin: Debian", "Label: Debian", "Created-By: Packages"];
    let printed = output(Command::new("apt-get").arg("indextargets").args(filters))?;
    let mirror = printed.lines().next().unwrap_or_default().trim();
    ensure!(!mirror.is_empty(), "apt on this machine has no Debian mirror; name one with --mirror");
    Ok(mirror.to_owned())
}
