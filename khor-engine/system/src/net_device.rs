//! The properties of a network device, from sysfs.

use std::{
    fs,
    path::{Path, PathBuf},
};

use khor_proto::kernel_text;

/// `ARPHRD_ETHER` of `linux/if_arp.h`.
const ETHERNET: u32 = 1;

/// A network device, identified by its folder below `/sys/class/net`. The device may disappear at
/// any time.
#[derive(Clone, Debug)]
pub struct NetDevice(PathBuf);

impl NetDevice {
    /// The device whose sysfs folder is `folder`.
    pub fn at(folder: impl Into<PathBuf>) -> Self {
        Self(folder.into())
    }

    /// Index of the device. A rename does not change the index. `None` if there is no such device.
    pub fn index(&self) -> Option<u32> {
        self.number("ifindex")
    }

    /// Index of the device that this device is linked to: the other end of a `veth` pair, or the
    /// device that carries a VLAN. For a device without a link, this is its own index.
    pub fn link(&self) -> Option<u32> {
        self.number("iflink")
    }

    /// Whether the link layer of the device is Ethernet.
    pub fn is_ethernet(&self) -> bool {
        self.number("type") == Some(ETHERNET)
    }

    /// Whether the device has hardware, or is a guest's virtual network card.
    pub fn has_hardware(&self) -> bool {
        self.has("device")
    }

    /// Whether the device is a bridge.
    pub fn is_bridge(&self) -> bool {
        self.has("bridge")
    }

    /// Whether the device is a port of a bridge.
    pub fn is_bridge_port(&self) -> bool {
        self.has("brport")
    }

    /// The bridge, bond or VRF that the device belongs to.
    pub fn master(&self) -> Option<Self> {
        self.has("master").then(|| Self(self.0.join("master")))
    }

    /// The device's `DEVTYPE`; empty if the device has none. `None` if there is no such device.
    pub fn kind(&self) -> Option<String> {
        let uevent = kernel_text::read(self.0.join("uevent")).ok()?;
        Some(uevent.lines().find_map(|line| line.strip_prefix("DEVTYPE=")).unwrap_or_default().to_owned())
    }

    /// Names of the devices directly below this device, such as the ports of a bridge. Only devices
    /// of this network namespace are known.
    pub fn lower(&self) -> Vec<String> {
        let entries = fs::read_dir(&self.0).into_iter().flatten().flatten();
        let names = entries.map(|entry| entry.file_name().to_string_lossy().into_owned());
        names.filter_map(|name| name.strip_prefix("lower_").map(str::to_owned)).collect()
    }

    fn has(&self, name: &str) -> bool {
        fs::symlink_metadata(self.0.join(name)).is_ok()
    }

    fn number(&self, file: &str) -> Option<u32> {
        kernel_text::read(Path::join(&self.0, file)).ok()?.trim().parse().ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_device_is_read_from_its_folder() {
        let dir = tempfile::tempdir().unwrap();
        let folder = dir.path().join("br0");
        fs::create_dir_all(folder.join("lower_veth1")).unwrap();
        fs::create_dir(folder.join("bridge")).unwrap();
        for (file, text) in [
            ("ifindex", "7\n"),
            ("iflink", "7\n"),
            ("type", "1\n"),
            ("uevent", "DEVTYPE=bridge\nIFINDEX=7\n"),
        ] {
            fs::write(folder.join(file), text).unwrap();
        }
        let device = NetDevice::at(&folder);
        assert_eq!((device.index(), device.link()), (Some(7), Some(7)));
        assert!(device.is_ethernet() && device.is_bridge());
        assert!(!device.has_hardware() && !device.is_bridge_port() && device.master().is_none());
        assert_eq!((device.kind().as_deref(), device.lower()), (Some("bridge"), vec!["veth1".to_owned()]));
    }

    #[test]
    fn a_missing_device_has_no_properties() {
        let device = NetDevice::at("/nonexistent");
        assert_eq!((device.index(), device.link(), device.kind()), (None, None, None));
        assert!(!device.is_ethernet() && device.lower().is_empty());
    }
}
