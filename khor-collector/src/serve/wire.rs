//! A client's socket. Reading waits until the client sends something. Writing never waits.
//!
//! tokio's own `UnixStream` also waits for the socket to become writable. It therefore wakes the
//! process whenever a client has read its sample. At 50 samples a second, this took a third of the
//! collector's CPU time.

use std::{
    io,
    net::Shutdown,
    os::{fd::AsRawFd, unix::net::UnixStream as StdStream},
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};

use nix::sys::socket::{MsgFlags, recv, send};
use tokio::{
    io::{AsyncRead, ReadBuf, unix::AsyncFd},
    net::UnixStream,
};

use crate::readable;

/// A client's socket. It closes when its last user drops it.
#[derive(Debug)]
pub(super) struct Socket(AsyncFd<StdStream>);

impl Socket {
    /// Creates the socket of an accepted connection.
    pub(super) fn new(stream: UnixStream) -> io::Result<Arc<Self>> {
        let stream = stream.into_std()?;
        readable::watch(stream).map(|watched| Arc::new(Self(watched)))
    }

    /// Writes as many of `bytes` as the socket has room for. Returns the number of bytes written,
    /// which is 0 if the socket is full.
    pub(super) fn send(&self, bytes: &[u8]) -> io::Result<usize> {
        let flags = MsgFlags::MSG_DONTWAIT | MsgFlags::MSG_NOSIGNAL;
        match send(self.0.as_raw_fd(), bytes, flags) {
            Ok(sent) => Ok(sent),
            Err(nix::errno::Errno::EAGAIN | nix::errno::Errno::EINTR) => Ok(0),
            Err(error) => Err(error.into()),
        }
    }

    /// Ends the connection. Both ends then read the end of the stream.
    pub(super) fn shut_down(&self) {
        let _ = self.0.get_ref().shutdown(Shutdown::Both);
    }
}

/// The receiving side of a client's socket.
#[derive(Debug)]
pub(super) struct Reader(pub(super) Arc<Socket>);

impl AsyncRead for Reader {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        loop {
            let mut guard = ready!(self.0.0.poll_read_ready(cx))?;
            let unfilled = buffer.initialize_unfilled();
            let read = |stream: &AsyncFd<StdStream>| {
                recv(stream.as_raw_fd(), unfilled, MsgFlags::MSG_DONTWAIT).map_err(io::Error::from)
            };
            if let Ok(outcome) = guard.try_io(read) {
                return Poll::Ready(outcome.map(|length| buffer.advance(length)));
            }
        }
    }
}
