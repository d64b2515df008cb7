//! Creates the disk image of a minimal Debian with systemd, a bus and user tools. debootstrap
//! creates it once, and later runs reuse it.

use std::{
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::{Context, Result};

use crate::{
    process::{as_root, find_program, output, succeed},
    vm::{apt, folder::home},
};

const SUITE: &str = "bookworm";
/// Packages that debootstrap installs in addition to the essential ones. They provide systemd, the
/// bus, devices, user sessions with their own systemd and bus, and the programs that the tests
/// start. `libasound2` is the only library that khor needs but a minimal system lacks. One test
/// removes it for a while, and reinstalls it from `/var/cache/apt/archives`, where debootstrap
/// leaves all packages.
const PACKAGES: &str = "systemd,systemd-sysv,dbus,udev,kmod,iproute2,procps,libasound2,libpam-systemd,\
                        dbus-user-session,alsa-utils,playerctl,openssh-server,nats-server";
/// Size of the image, a sparse file that takes only 300 MB of the host's disk.
const SIZE: &str = "2G";
/// Options of mke2fs. They switch off the journal, and initialise all tables now. Otherwise the
/// kernel could write the journal or the tables at any time during a test.
const FORMAT: &str = "-q -t ext4 -O ^has_journal -E lazy_itable_init=0";
/// Maximum age of the image. An older image would lack recent fixes of the tested services.
const OLDEST: Duration = Duration::from_hours(24 * 30);

/// The path of the image. Creates the image if it is missing, too old, or made with other settings.
pub(super) fn get(mirror: Option<&str>) -> Result<PathBuf> {
    let folder = home().join("debian");
    let (image, recipe) = (folder.join("disk.img"), folder.join("recipe"));
    if fs::read_to_string(&recipe).is_ok_and(|made_by| made_by == recipe_now()) && is_young(&recipe) {
        return Ok(image);
    }
    let mirror = mirror.map_or_else(apt::own_mirror, |given| Ok(given.to_owned()))?;
    println!("creating a Debian system ({SUITE}), which later runs reuse; this takes minutes");
    // The files of an earlier image belong to root, so only root can remove them.
    output(as_root("rm").arg("-rf").arg(&folder)).context("cannot remove the earlier image")?;
    fs::create_dir_all(&folder)?;
    let tree = folder.join("tree");
    debootstrap(&tree, &mirror)?;
    let mke2fs = find_program("mke2fs").context("mke2fs is missing")?;
    let mut format = as_root(&mke2fs.to_string_lossy());
    output(format.args(FORMAT.split_whitespace()).arg("-d").arg(&tree).arg(&image).arg(SIZE))?;
    output(as_root("rm").arg("-rf").arg(&tree)).context("cannot remove the folder of the image's files")?;
    fs::write(&recipe, recipe_now())?;
    Ok(image)
}

fn debootstrap(tree: &Path, mirror: &str) -> Result<()> {
    let mut debootstrap = as_root("debootstrap");
    debootstrap.args(["--variant=minbase", "--arch=amd64"]);
    debootstrap.arg(format!("--keyring={}", apt::KEYRING)).arg(format!("--include={PACKAGES}"));
    debootstrap.arg(SUITE).arg(tree).arg(mirror);
    succeed(&mut debootstrap)
        .context("debootstrap failed; debootstrap/debootstrap.log in the image's folder has the cause")
}

/// All settings of the image. If one of them changes, the image is created again.
fn recipe_now() -> String {
    format!("{SUITE}\n{PACKAGES}\n{SIZE}\n{FORMAT}\n")
}

fn is_young(recipe: &Path) -> bool {
    let made = fs::metadata(recipe).and_then(|found| found.modified());
    made.is_ok_and(|made| made.elapsed().is_ok_and(|age| age < OLDEST))
}
