//! Determines whether the kernel or the network device splits large packets into segments.
//!
//! A device counts the packets that the kernel passes to it. If the device splits the packets
//! itself (TSO), several segments count as one packet with one header.

use std::io;

use nix::libc;

/// `SIOCETHTOOL` of `linux/sockios.h`.
const SIOCETHTOOL: libc::c_ulong = 0x8946;
/// `ETHTOOL_GTSO` of `linux/ethtool.h`.
const GET_TSO: u32 = 0x1e;

/// `struct ethtool_value` of `linux/ethtool.h`.
#[repr(C)]
struct Value {
    command: u32,
    data: u32,
}

/// Whether the device with this name splits TCP packets itself.
///
/// # Errors
///
/// Fails if the device does not exist, or does not report this setting.
pub(super) fn splits(device: &str) -> io::Result<bool> {
    // SAFETY: the structure consists of integers, raw pointers and unions of these types. Zero is a
    // valid value of each.
    let mut request: libc::ifreq = unsafe { std::mem::zeroed() };
    if device.len() >= request.ifr_name.len() {
        return Err(io::ErrorKind::InvalidInput.into());
    }
    for (to, byte) in request.ifr_name.iter_mut().zip(device.bytes()) {
        *to = byte as libc::c_char;
    }
    let mut value = Value { command: GET_TSO, data: 0 };
    request.ifr_ifru.ifru_data = (&raw mut value).cast();
    let socket = std::net::UdpSocket::bind("127.0.0.1:0")?;
    // SAFETY: the kernel reads `request` and writes `value`. Both live until the call returns.
    let result =
        unsafe { libc::ioctl(std::os::fd::AsRawFd::as_raw_fd(&socket), SIOCETHTOOL as _, &raw mut request) };
    if result == 0 { Ok(value.data != 0) } else { Err(io::Error::last_os_error()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn loopback_splits_and_unknown_device_fails() {
        assert!(splits("lo").unwrap());
        assert!(splits("no-such-device").is_err());
        assert!(splits("a-name-that-no-device-can-have").is_err());
    }
}
