//! Detects changed network interfaces with the kernel's link notifications (`rtnetlink(7)`).

use std::{
    collections::BTreeSet,
    os::fd::{AsRawFd, OwnedFd},
};

use nix::{
    errno::Errno,
    libc::RTMGRP_LINK,
    sys::socket::{
        AddressFamily, MsgFlags, NetlinkAddr, SockFlag, SockProtocol, SockType, bind, recv, socket,
    },
};

/// The interfaces that changed since the last call of [`LinkWatch::changes`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Changes {
    /// Only the interfaces with these indices have changed. The set may be empty.
    Of(BTreeSet<u32>),
    /// Any interface may have changed.
    Unknown,
}

/// Receives a notification when an interface is created, removed, renamed or moved, or gets another
/// master.
#[derive(Debug)]
pub(super) struct LinkWatch {
    /// The netlink socket; `None` if the kernel did not permit it.
    socket: Option<OwnedFd>,
    is_first: bool,
}

impl LinkWatch {
    /// Watches the interfaces of this thread's network namespace.
    pub(super) fn open() -> Self {
        Self { socket: subscribe().ok(), is_first: true }
    }

    /// Creates a watch that receives nothing, and always reports [`Changes::Unknown`].
    pub(super) const fn blind() -> Self {
        Self { socket: None, is_first: true }
    }

    /// The interfaces that changed since the last call.
    pub(super) fn changes(&mut self) -> Changes {
        let Some(socket) = &self.socket else { return Changes::Unknown };
        let mut indices = BTreeSet::new();
        let mut is_known = !std::mem::replace(&mut self.is_first, false);
        let mut message = [0; 256];
        loop {
            // The kernel truncates longer messages to this length. The index is at the beginning of
            // a message.
            match recv(socket.as_raw_fd(), &mut message, MsgFlags::MSG_DONTWAIT) {
                Ok(length) => indices.extend(interface_index(&message[..length])),
                Err(Errno::EINTR) => {}
                Err(Errno::EAGAIN) => break,
                // After an error, any interface may have changed. For example, ENOBUFS means that
                // the kernel dropped notifications.
                Err(_) if is_known => is_known = false,
                Err(_) => break,
            }
        }
        if is_known { Changes::Of(indices) } else { Changes::Unknown }
    }
}

fn subscribe() -> nix::Result<OwnedFd> {
    let socket = socket(
        AddressFamily::Netlink,
        SockType::Raw,
        SockFlag::SOCK_CLOEXEC,
        Some(SockProtocol::NetlinkRoute),
    )?;
    bind(socket.as_raw_fd(), &NetlinkAddr::new(0, RTMGRP_LINK as u32))?;
    Ok(socket)
}

/// Reads the interface index from a link message. It is the field `ifi_index` of the `ifinfomsg`,
/// which follows an `nlmsghdr` of 16 bytes.
fn interface_index(message: &[u8]) -> Option<u32> {
    const INDEX: std::ops::Range<usize> = 20..24;
    let index = message.get(INDEX)?.try_into().ok()?;
    Some(u32::from_ne_bytes(index))
}
