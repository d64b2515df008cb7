//! Asks the kernel for one TCP socket, through netlink (`sock_diag(7)`).

use std::{io, net::SocketAddr};

use netlink_packet_core::{NLM_F_REQUEST, NetlinkHeader, NetlinkMessage, NetlinkPayload};
use netlink_packet_sock_diag::{
    SockDiagMessage,
    constants::{AF_INET, AF_INET6, IPPROTO_TCP},
    inet::{ExtensionFlags, InetRequest, SocketId, StateFlags},
};
use netlink_sys::{Socket as Netlink, SocketAddr as NetlinkAddress, protocols::NETLINK_SOCK_DIAG};

use super::{Socket, check_families};

/// Size of the buffer for an answer, bytes. An answer is always shorter.
const ANSWER_BYTES: usize = 4096;
/// The cookie that matches any socket (`INET_DIAG_NOCOOKIE`).
const ANY_COOKIE: [u8; 8] = [0xFF; 8];

/// Finds the socket at `source` that is connected to `destination`. If `destination` is
/// unspecified, finds the socket that listens at `source`.
///
/// # Errors
///
/// Fails if the kernel does not support `sock_diag`, or rejects the request.
pub(super) fn find(source: SocketAddr, destination: SocketAddr) -> io::Result<Option<Socket>> {
    check_families(source, destination)?;
    let mut netlink = Netlink::new(NETLINK_SOCK_DIAG)?;
    netlink.bind_auto()?;
    netlink.connect(&NetlinkAddress::new(0, 0))?;
    // The kernel answers before `send` returns.
    netlink.set_non_blocking(true)?;
    netlink.send(&request(source, destination), 0)?;
    let mut answer = Vec::with_capacity(ANSWER_BYTES);
    netlink.recv(&mut answer, 0)?;
    let message = NetlinkMessage::<SockDiagMessage>::deserialize(&answer)
        .map_err(|problem| io::Error::new(io::ErrorKind::InvalidData, problem.to_string()))?;
    match message.payload {
        NetlinkPayload::InnerMessage(SockDiagMessage::InetResponse(response)) => {
            let header = response.header;
            let is_wanted = header.socket_id.source_port == source.port()
                && header.socket_id.destination_port == destination.port();
            Ok(is_wanted.then_some(Socket { uid: header.uid, inode: header.inode, state: header.state }))
        }
        NetlinkPayload::Error(error) => {
            let error = error.to_io();
            if error.kind() == io::ErrorKind::NotFound { Ok(None) } else { Err(error) }
        }
        _ => Err(io::Error::from(io::ErrorKind::InvalidData)),
    }
}

fn request(source: SocketAddr, destination: SocketAddr) -> Vec<u8> {
    let request = InetRequest {
        family: if source.is_ipv4() { AF_INET } else { AF_INET6 },
        protocol: IPPROTO_TCP,
        extensions: ExtensionFlags::empty(),
        states: StateFlags::all(),
        socket_id: SocketId {
            source_port: source.port(),
            destination_port: destination.port(),
            source_address: source.ip(),
            destination_address: destination.ip(),
            interface_id: 0,
            cookie: ANY_COOKIE,
        },
    };
    let mut header = NetlinkHeader::default();
    header.flags = NLM_F_REQUEST;
    let mut message = NetlinkMessage::new(header, SockDiagMessage::InetRequest(request).into());
    message.finalize();
    let mut bytes = vec![0; message.buffer_len()];
    message.serialize(&mut bytes);
    bytes
}
