//! Waits until a descriptor is readable. One of the few modules with `unsafe`.

use std::{
    io,
    os::{
        fd::{AsRawFd, OwnedFd},
        unix::net::UnixStream,
    },
};

use aya::maps::{MapData, RingBuf};
use tokio::io::{Interest, unix::AsyncFd};

/// A value that has one descriptor for its whole life.
///
/// # Safety
/// `as_raw_fd` must always return the same descriptor, which stays open for as long as the value lives.
pub(crate) unsafe trait OwnsDescriptor: AsRawFd {}

// SAFETY: it owns its descriptor by definition.
unsafe impl OwnsDescriptor for OwnedFd {}
// SAFETY: it wraps an `OwnedFd`.
unsafe impl OwnsDescriptor for UnixStream {}
// SAFETY: it owns the map's data, and so the map's descriptor.
unsafe impl OwnsDescriptor for RingBuf<MapData> {}

/// Waits for `owner` to become readable, and for nothing else. Must be called within a runtime.
pub(crate) fn watch<T: OwnsDescriptor>(owner: T) -> io::Result<AsyncFd<T>> {
    // SAFETY: the `AsyncFd` keeps the owner, and the owner its descriptor (see above).
    Ok(unsafe { AsyncFd::register_with_interest(owner, Interest::READABLE) }?)
}
