//! Lists the packages that each subcommand needs, and installs them. On Debian it uses package
//! names; on other systems it prints descriptions.

use std::{
    collections::BTreeSet,
    process::{Command, Stdio},
};

use anyhow::{Result, bail};

use crate::process::{as_root, is_there, output, succeed};

/// A program, library or file that a subcommand needs.
#[derive(Clone, Copy)]
pub(crate) struct Need {
    /// What to look for to find out whether the need is met: a program in `PATH`, a pkg-config
    /// module, or a file.
    sign: Sign,
    /// Debian packages that meet the need.
    debian: &'static [&'static str],
    /// Description of the need, for users of systems without Debian packages.
    words: &'static str,
}

#[derive(Clone, Copy)]
enum Sign {
    Program(&'static str),
    /// A version of Node.js that Vite 8 supports (see [`fits`]).
    Node,
    Module(&'static str),
    /// pip, Python's package installer, which is a separate package in Debian.
    Pip,
    File(&'static str),
}

const CC: Need = Need { sign: Sign::Program("cc"), debian: &["gcc", "libc6-dev"], words: "a C compiler" };
const PKG_CONFIG: Need =
    Need { sign: Sign::Program("pkg-config"), debian: &["pkg-config"], words: "pkg-config" };
const ALSA: Need = Need {
    sign: Sign::Module("alsa"),
    debian: &["libasound2-dev"],
    words: "the ALSA headers (alsa-lib-devel, alsa-lib)",
};
const NODE: Need = Need {
    sign: Sign::Node,
    debian: &["nodejs"],
    words: "Node.js 20.19, 22.12 or newer (from its own site, with nvm, or from NodeSource's packages)",
};
const NPM: Need = Need { sign: Sign::Program("npm"), debian: &["npm"], words: "npm" };
const PULSEAUDIO: Need =
    Need { sign: Sign::Program("pulseaudio"), debian: &["pulseaudio"], words: "PulseAudio" };
const PAREC: Need =
    Need { sign: Sign::Program("parec"), debian: &["pulseaudio-utils"], words: "parec and pactl" };

const IP: Need = Need { sign: Sign::Program("ip"), debian: &["iproute2"], words: "ip and tc (iproute2)" };

const ZSTD: Need = Need { sign: Sign::Program("zstd"), debian: &["zstd"], words: "zstd" };

/// System packages that are needed to build the programs.
pub(crate) const BUILD: &[Need] = &[CC, PKG_CONFIG, ALSA];

/// System packages that are needed to build the page.
pub(crate) const PAGE: &[Need] = &[NODE, NPM];

/// System packages that are needed to test khor on the running kernel.
pub(crate) const TEST: &[Need] = &[
    PULSEAUDIO,
    PAREC,
    Need { sign: Sign::Program("pipewire"), debian: &["pipewire"], words: "PipeWire" },
    Need { sign: Sign::Program("wireplumber"), debian: &["wireplumber"], words: "WirePlumber" },
    Need { sign: Sign::Program("pipewire-pulse"), debian: &["pipewire-pulse"], words: "pipewire-pulse" },
    Need { sign: Sign::Program("dbus-daemon"), debian: &["dbus"], words: "dbus-daemon" },
    Need { sign: Sign::Program("dbus-monitor"), debian: &["dbus-bin"], words: "dbus-monitor" },
    Need { sign: Sign::Program("busctl"), debian: &["systemd"], words: "busctl (systemd)" },
    Need { sign: Sign::Program("gdbus"), debian: &["libglib2.0-bin"], words: "gdbus (GLib)" },
    Need { sign: Sign::Program("playerctl"), debian: &["playerctl"], words: "playerctl" },
    Need { sign: Sign::Program("oscdump"), debian: &["liblo-tools"], words: "oscdump (liblo)" },
    Need { sign: Sign::File("/usr/libexec/rtkit-daemon"), debian: &["rtkit"], words: "rtkit" },
    Need { sign: Sign::File("/usr/lib/polkit-1/polkitd"), debian: &["polkitd"], words: "polkitd" },
    Need {
        sign: Sign::Program("desktop-file-validate"),
        debian: &["desktop-file-utils"],
        words: "desktop-file-utils",
    },
    Need { sign: Sign::Program("appstreamcli"), debian: &["appstream"], words: "appstreamcli (AppStream)" },
    Need { sign: Sign::Program("ruby"), debian: &["ruby"], words: "Ruby, for a snippet of the guide" },
    IP,
    Need { sign: Sign::Program("curl"), debian: &["curl"], words: "curl" },
    Need { sign: Sign::Program("ssh"), debian: &["openssh-client"], words: "ssh (OpenSSH)" },
    Need { sign: Sign::File("/usr/sbin/sshd"), debian: &["openssh-server"], words: "sshd (OpenSSH)" },
    Need { sign: Sign::File("/usr/sbin/nginx"), debian: &["nginx-light"], words: "nginx" },
    Need { sign: Sign::Program("openssl"), debian: &["openssl"], words: "openssl" },
    Need { sign: Sign::File("/usr/sbin/nats-server"), debian: &["nats-server"], words: "nats-server" },
    Need { sign: Sign::Program("chromium"), debian: &["chromium"], words: "Chromium" },
];

/// System packages that are needed to install the tests' Python packages.
pub(crate) const PYTHON: &[Need] = &[
    Need { sign: Sign::Program("python3"), debian: &["python3"], words: "Python 3" },
    Need { sign: Sign::Pip, debian: &["python3-venv"], words: "Python's venv and pip (python3-venv)" },
];

/// System packages that are needed to run tests on other kernels, in virtual machines.
pub(crate) const VM: &[Need] = &[
    Need {
        sign: Sign::Program("qemu-system-x86_64"),
        debian: &["qemu-system-x86"],
        words: "qemu for x86-64",
    },
    Need { sign: Sign::Program("busybox"), debian: &["busybox-static"], words: "busybox" },
    Need { sign: Sign::Program("cpio"), debian: &["cpio"], words: "cpio" },
    Need { sign: Sign::Program("depmod"), debian: &["kmod"], words: "depmod (kmod)" },
    Need { sign: Sign::Program("mke2fs"), debian: &["e2fsprogs"], words: "mke2fs (e2fsprogs)" },
    Need { sign: Sign::Program("xz"), debian: &["xz-utils"], words: "xz" },
    ZSTD,
    IP,
    Need { sign: Sign::Program("wg"), debian: &["wireguard-tools"], words: "wg (wireguard-tools)" },
    Need { sign: Sign::Program("dmsetup"), debian: &["dmsetup"], words: "dmsetup" },
    Need { sign: Sign::Program("ethtool"), debian: &["ethtool"], words: "ethtool" },
    Need {
        sign: Sign::File("/usr/share/keyrings/debian-archive-keyring.gpg"),
        debian: &["debian-archive-keyring"],
        words: "Debian's keys",
    },
];

/// System packages that are needed to install a complete Debian system in a virtual machine, in
/// addition to [`VM`].
pub(crate) const DEBIAN: &[Need] = &[
    Need { sign: Sign::Program("debootstrap"), debian: &["debootstrap"], words: "debootstrap" },
    Need { sign: Sign::Program("ssh"), debian: &["openssh-client"], words: "an SSH client (OpenSSH)" },
];

/// System packages that are needed to build the in-kernel programs with the recorded toolchain.
pub(crate) const EBPF: &[Need] = &[
    Need {
        sign: Sign::File("/usr/lib/rustlib/src/rust/library/core/src/lib.rs"),
        debian: &["rustc-web", "cargo-web", "rust-web-src"],
        words: "a Rust toolchain with the source of its standard library",
    },
    Need {
        sign: Sign::File("/usr/lib/llvm-22/bin/llvm-config"),
        debian: &["llvm-22", "llvm-22-dev", "libpolly-22-dev"],
        words: "LLVM 22",
    },
];

/// System packages that are needed for `cargo xtask fuzz`, which builds libFuzzer from its C++
/// source.
pub(crate) const FUZZ: &[Need] =
    &[Need { sign: Sign::Program("c++"), debian: &["g++"], words: "a C++ compiler" }];

/// System packages that are needed by the benchmarks that use sound, compare with other
/// synthesisers, or count instructions. The other benchmarks need only the checkout.
pub(crate) const BENCH: &[Need] = &[
    PULSEAUDIO,
    PAREC,
    Need {
        sign: Sign::Program("scsynth"),
        debian: &["supercollider-server"],
        words: "scsynth (SuperCollider's server)",
    },
    Need { sign: Sign::Program("fluidsynth"), debian: &["fluidsynth"], words: "FluidSynth" },
    Need {
        sign: Sign::File("/usr/share/sounds/sf2/TimGM6mb.sf2"),
        debian: &["timgm6mb-soundfont"],
        words: "the soundfont TimGM6mb",
    },
    Need { sign: Sign::Program("valgrind"), debian: &["valgrind"], words: "valgrind" },
];

/// System packages that are needed to build the package for Arch.
pub(crate) const ARCH: &[Need] = &[
    Need { sign: Sign::Program("makepkg"), debian: &["makepkg", "pacman-package-manager"], words: "makepkg" },
    ZSTD,
];

/// System packages that are needed to encode the sound samples.
pub(crate) const SAMPLES: &[Need] =
    &[Need { sign: Sign::Program("opusenc"), debian: &["opus-tools"], words: "opusenc (opus-tools)" }];

/// Installs missing packages if apt-get has them. Otherwise fails with a list of what to install.
pub(crate) fn install(needs: &[&[Need]]) -> Result<()> {
    let missing = missing(needs);
    if missing.is_empty() {
        return Ok(());
    }
    if !is_there("apt-get") {
        bail!("please install: {}", words(&missing));
    }
    refresh()?;
    let not_in_apt: Vec<Need> = missing.iter().copied().filter(|need| !need.apt_has_it()).collect();
    if !not_in_apt.is_empty() {
        bail!(
            "apt-get has no package, or only a package that is too old; please install: {}",
            words(&not_in_apt)
        );
    }
    // A set removes duplicates, because one package may meet several needs.
    let packages: BTreeSet<&str> = missing.iter().flat_map(|need| need.debian).copied().collect();
    let packages: Vec<&str> = packages.into_iter().collect();
    println!("installing {}", packages.join(" "));
    succeed(
        as_root("apt-get")
            .args(["install", "-y", "-q", "--no-install-recommends"])
            .args(&packages)
            .env("DEBIAN_FRONTEND", "noninteractive")
            .stdout(Stdio::null()),
    )?;
    if missing.iter().any(|need| matches!(need.sign, Sign::Node) && !need.is_met()) {
        bail!("the first Node.js in PATH is too old; please install: {}", NODE.words);
    }
    Ok(())
}

/// Describes the missing needs for which apt-get has no package.
pub(crate) fn out_of_reach(needs: &[&[Need]]) -> Result<Option<String>> {
    let mut missing = missing(needs);
    if !missing.is_empty() {
        refresh()?;
        missing.retain(|need| !need.apt_has_it());
    }
    Ok((!missing.is_empty()).then(|| words(&missing)))
}

/// Updates apt-get's list of packages. An old or empty list is the usual reason why apt-get fails.
fn refresh() -> Result<()> {
    succeed(as_root("apt-get").args(["update", "-q"]).stdout(Stdio::null()))
}

fn missing(needs: &[&[Need]]) -> Vec<Need> {
    needs.iter().copied().flatten().copied().filter(|need| !need.is_met()).collect()
}

fn words(needs: &[Need]) -> String {
    needs.iter().map(|need| need.words).collect::<Vec<_>>().join("; ")
}

/// The version that apt-get would install; `None` if apt-get does not have the package.
fn candidate(package: &str) -> Option<String> {
    let policy = output(Command::new("apt-cache").args(["policy", package]).env("LC_ALL", "C")).ok()?;
    let version = policy.lines().find_map(|line| line.trim().strip_prefix("Candidate:"))?.trim();
    (version != "(none)").then(|| version.to_owned())
}

/// Whether Vite 8 runs on this version of Node.js. `version` is either what Node.js prints, such as
/// `v20.19.0`, or the version of a Debian package.
fn fits(version: &str) -> bool {
    let upstream = version.split_once(':').map_or(version, |(_epoch, rest)| rest);
    let mut numbers =
        upstream.trim_start_matches('v').split(|c: char| !c.is_ascii_digit()).map(str::parse::<u32>);
    let (Some(Ok(major)), Some(Ok(minor))) = (numbers.next(), numbers.next()) else { return false };
    match major {
        20 => minor >= 19,
        22 => minor >= 12,
        _ => major > 22,
    }
}

impl Need {
    fn is_met(&self) -> bool {
        match self.sign {
            Sign::Program(name) => is_there(name),
            Sign::Node => output(Command::new("node").arg("--version")).is_ok_and(|it| fits(it.trim())),
            Sign::Pip => output(Command::new("python3").args(["-c", "import ensurepip, venv"])).is_ok(),
            Sign::File(path) => std::path::Path::new(path).exists(),
            Sign::Module(name) => {
                let found = Command::new("pkg-config").args(["--exists", name]).status();
                found.is_ok_and(|status| status.success())
            }
        }
    }

    fn apt_has_it(&self) -> bool {
        self.debian.iter().all(|package| {
            candidate(package).is_some_and(|version| !matches!(self.sign, Sign::Node) || fits(&version))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_supported_node_versions_fit() {
        for version in ["v20.19.0", "v22.12.1", "v23.0.0", "v24.1.0", "20.20.2-1nodesource1", "1:26.0~dfsg-1"]
        {
            assert!(fits(version), "{version}");
        }
        for version in
            ["v18.20.4", "18.19.1+dfsg-6ubuntu5", "v20.18.3", "v21.7.0", "v22.11.0", "", "v", "(none)"]
        {
            assert!(!fits(version), "{version}");
        }
    }
}
