//! Waiting until a descriptor can be read; one of the few modules with `unsafe`.

use std::{
    io,
    os::{
        fd::{AsRawFd, OwnedFd},
        unix::net::UnixStream,
    },
};

use aya::maps::{MapData, RingBuf};
use tokio::io::{Interest, unix::AsyncFd};

/// What has one descriptor from its beginning to its end.
///
/// # Safety
/// `as_raw_fd` must always return the same descriptor, which stays open for as long as the value lives.
pub(crate) unsafe trait OwnsDescriptor: AsRawFd {}

// SAFETY: owns it, by its very definition.
unsafe impl OwnsDescriptor for OwnedFd {}
// SAFETY: a wrapper of `OwnedFd`.
unsafe impl OwnsDescriptor for UnixStream {}
// SAFETY: owns the map's data, and with it the map's descriptor.
unsafe impl OwnsDescriptor for RingBuf<MapData> {}

/// Watches `owner` for something to read, and for nothing else. Must be called within a runtime.
pub(crate) fn watch<T: OwnsDescriptor>(owner: T) -> io::Result<AsyncFd<T>> {
    // SAFETY: the `AsyncFd` keeps the owner, and the owner its descriptor (see above).
    Ok(unsafe { AsyncFd::register_with_interest(owner, Interest::READABLE) }?)
}
