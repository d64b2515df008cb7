//! Connects to an engine. Before a request is sent, checks which user owns the server.

use std::{
    io::{Read, Write},
    net::{SocketAddr, TcpStream},
    thread::sleep,
    time::{Duration, Instant},
};

use khor_system::peer::Peer;
use ureq::{
    Error, Timeout,
    unversioned::transport::{Buffers, ConnectionDetails, Connector, LazyBuffers, NextTimeout, Transport},
};

/// Maximum time to wait until the server accepts the connection.
const ACCEPT_TIMEOUT: Duration = Duration::from_secs(5);
/// Time between two checks whether the server has accepted the connection.
const ACCEPT_POLL: Duration = Duration::from_millis(2);

/// Which servers may receive a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Trust {
    /// Only servers on this machine that run as this user or as root.
    Owner,
    /// Any server, because the user gave its address or its token.
    Named,
}

/// The server at the engine's address does not belong to this user or to root.
#[derive(Debug, thiserror::Error)]
#[error(
    "{address} belongs to {peer}, not to your engine: start khor engine, or name the other engine with --listen \
     {address} (and --token-file FILE if it needs a token)"
)]
pub(super) struct ForeignServer {
    address: SocketAddr,
    peer: Peer,
}

/// Connects and checks which user owns the server.
#[derive(Debug)]
pub(super) struct CheckedConnector(pub(super) Trust);

impl Connector for CheckedConnector {
    type Out = PlainTransport;

    fn connect(&self, details: &ConnectionDetails, _: Option<()>) -> Result<Option<PlainTransport>, Error> {
        let stream = connect(details)?;
        let (peer, address) = (server(&stream)?, stream.peer_addr()?);
        if self.0 == Trust::Owner && !peer.is_owner() {
            return Err(Error::Other(Box::new(ForeignServer { address, peer })));
        }
        stream.set_nodelay(true)?;
        let config = details.config;
        let buffers = LazyBuffers::new(config.input_buffer_size(), config.output_buffer_size());
        Ok(Some(PlainTransport { stream, buffers }))
    }
}

/// Finds the user who owns the server. Waits until the server accepts the connection, because the
/// kernel does not know the owner earlier.
fn server(stream: &TcpStream) -> Result<Peer, Error> {
    let (local, address, begun) = (stream.local_addr()?, stream.peer_addr()?, Instant::now());
    loop {
        let peer = Peer::of(local, address);
        if peer != Peer::Unknown || begun.elapsed() > ACCEPT_TIMEOUT {
            return Ok(peer);
        }
        sleep(ACCEPT_POLL);
    }
}

/// Connects to the first address at which a server accepts the connection.
fn connect(details: &ConnectionDetails) -> Result<TcpStream, Error> {
    let timeout = details.timeout.not_zero().map(|timeout| *timeout);
    let mut failed = None;
    for address in &details.addrs {
        let connected = match timeout {
            Some(timeout) => TcpStream::connect_timeout(address, timeout),
            None => TcpStream::connect(address),
        };
        match connected {
            Ok(stream) => return Ok(stream),
            Err(problem) => failed = Some(problem),
        }
    }
    Err(failed.map_or(Error::HostNotFound, Error::Io))
}

/// A connection without TLS.
#[derive(Debug)]
pub(super) struct PlainTransport {
    stream: TcpStream,
    buffers: LazyBuffers,
}

impl Transport for PlainTransport {
    fn buffers(&mut self) -> &mut dyn Buffers {
        &mut self.buffers
    }

    fn transmit_output(&mut self, amount: usize, timeout: NextTimeout) -> Result<(), Error> {
        let (timeout, reason) = limit(timeout.for_write())?;
        self.stream.set_write_timeout(timeout)?;
        let output = &self.buffers.output()[..amount];
        self.stream.write_all(output).map_err(|problem| transport_error(problem, reason))
    }

    fn await_input(&mut self, timeout: NextTimeout) -> Result<bool, Error> {
        let (timeout, reason) = limit(timeout.for_read())?;
        self.stream.set_read_timeout(timeout)?;
        let input = self.buffers.input_append_buf();
        let amount = loop {
            match self.stream.read(input) {
                Err(problem) if problem.kind() == std::io::ErrorKind::Interrupted => {}
                read => break read.map_err(|problem| transport_error(problem, reason))?,
            }
        };
        self.buffers.input_appended(amount);
        Ok(amount > 0)
    }

    fn is_open(&mut self) -> bool {
        // Never reuse a connection: each request opens a new one.
        false
    }
}

/// Returns the remaining time and the name of the time limit that ends first. The remaining time
/// is `None` if there is no limit.
fn limit(timeout: NextTimeout) -> Result<(Option<Duration>, Timeout), Error> {
    let left = timeout.not_zero().map(|left| *left);
    if left.is_some_and(|left| left.is_zero()) {
        return Err(Error::Timeout(timeout.reason));
    }
    Ok((left, timeout.reason))
}

/// Converts an I/O error to an error of the HTTP client. If a time limit was exceeded, the error
/// names this limit.
fn transport_error(problem: std::io::Error, reason: Timeout) -> Error {
    match problem.kind() {
        std::io::ErrorKind::TimedOut | std::io::ErrorKind::WouldBlock => Error::Timeout(reason),
        _ => Error::Io(problem),
    }
}
