//! Waits until a descriptor is readable. This is one of the few modules with `unsafe`.

use std::{
    io,
    os::{
        fd::{AsRawFd, OwnedFd},
        unix::net::UnixStream,
    },
};

use aya::maps::{MapData, RingBuf};
use tokio::io::{Interest, unix::AsyncFd};

/// A value that owns a descriptor and never replaces it.
///
/// # Safety
/// `as_raw_fd` must always return the same descriptor, which must stay open until the value is
/// dropped.
pub(crate) unsafe trait OwnsDescriptor: AsRawFd {}

// SAFETY: an `OwnedFd` owns its descriptor by definition.
unsafe impl OwnsDescriptor for OwnedFd {}
// SAFETY: a `UnixStream` wraps an `OwnedFd`.
unsafe impl OwnsDescriptor for UnixStream {}
// SAFETY: a `RingBuf<MapData>` owns its `MapData`, which owns the map's descriptor.
unsafe impl OwnsDescriptor for RingBuf<MapData> {}

/// Registers `owner` with the tokio runtime. The returned value can wait until `owner` is readable,
/// but not until it is writable. Must be called within a runtime.
pub(crate) fn watch<T: OwnsDescriptor>(owner: T) -> io::Result<AsyncFd<T>> {
    // SAFETY: the `AsyncFd` holds the owner, which keeps its descriptor open (see
    // `OwnsDescriptor`).
    Ok(unsafe { AsyncFd::register_with_interest(owner, Interest::READABLE) }?)
}
