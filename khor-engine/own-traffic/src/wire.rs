//! Computes how many bytes and packets the network devices count for a connection. Uses the
//! kernel's statistics of the connection.

use std::{net::IpAddr, os::fd::RawFd};

use nix::libc;

use super::{amounts::Amounts, counted_at::CountedAt};

const ETHERNET_HEADER: u64 = 14;
const IPV4_HEADER: u64 = 20;
const IPV6_HEADER: u64 = 40;
const UDP_HEADER: u64 = 8;
const TCP_HEADER: u64 = 20;
const TCP_TIMESTAMPS: u64 = 12;
/// `TCPI_OPT_TIMESTAMPS` of `linux/tcp.h`.
const HAS_TIMESTAMPS: u8 = 1;
/// Length of all options of a SYN packet except the timestamps ([`TCP_TIMESTAMPS`]), bytes.
const SYN_OPTIONS: u64 = 8;
/// Maximum length of a packet that the kernel passes to a network device, bytes. The length
/// includes the headers.
const LARGEST_PACKET: u64 = 65_536;
/// Number of bytes that SSH adds to each piece of forwarded data: lengths, channel number, padding
/// and MAC. The value was measured with OpenSSH 9.2 and its default cipher, for pieces of 1, 4 and
/// 16 KiB.
const SSH_OVERHEAD: u64 = 36;

/// The traffic of a connection in one direction: the payload and the number of packets.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Direction {
    /// Number of bytes, without headers.
    pub(super) payload: u64,
    pub(super) packets: u64,
    /// Number of packets that have a payload.
    pub(super) data_packets: u64,
}

/// The traffic of one connection so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Flow {
    pub(super) sent: Direction,
    pub(super) received: Direction,
    /// Length of the headers of each packet, bytes. It does not include the Ethernet header.
    header: u64,
}

impl Direction {
    fn bytes(&self, header: u64) -> u64 {
        self.payload + self.packets * header
    }

    fn since(&self, before: &Self) -> Self {
        Self {
            payload: self.payload.saturating_sub(before.payload),
            packets: self.packets.saturating_sub(before.packets),
            data_packets: self.data_packets.saturating_sub(before.data_packets),
        }
    }
}

impl Flow {
    /// The traffic of one UDP datagram. `direction` selects whether khor has sent or received the
    /// datagram.
    pub(super) fn datagram(
        payload: usize,
        remote: IpAddr,
        direction: impl FnOnce(&mut Self) -> &mut Direction,
    ) -> Self {
        let mut flow = Self { header: ip_header(remote) + UDP_HEADER, ..Self::default() };
        *direction(&mut flow) = Direction { payload: payload as u64, packets: 1, data_packets: 1 };
        flow
    }

    /// The traffic of one TCP segment and its acknowledgement.
    pub(super) fn message(payload: usize, local: Option<IpAddr>) -> Self {
        let ip = local.map_or(IPV4_HEADER, ip_header);
        Self {
            sent: Direction { payload: payload as u64, packets: 1, data_packets: 1 },
            received: Direction { payload: 0, packets: 1, data_packets: 0 },
            header: ip + TCP_HEADER + TCP_TIMESTAMPS,
        }
    }

    /// The traffic since `before`, which is an earlier reading of the same connection.
    pub(super) fn since(&self, before: &Self) -> Self {
        let (sent, received) = (self.sent.since(&before.sent), self.received.since(&before.received));
        Self { sent, received, header: self.header }
    }

    /// Estimates the traffic that sshd causes at the machine's edge when it forwards this traffic.
    /// sshd encrypts and sends data as soon as it has read them, so each data packet becomes one
    /// packet. The estimate assumes IPv4 and one acknowledgement per packet. It is a low estimate,
    /// so that the subtraction hides less of other programs' traffic.
    pub(super) fn through_ssh(&self) -> Self {
        let through = |direction: &Direction, answered: &Direction| Direction {
            payload: direction.payload + direction.data_packets * SSH_OVERHEAD,
            packets: direction.data_packets + answered.data_packets,
            data_packets: direction.data_packets,
        };
        Self {
            sent: through(&self.sent, &self.received),
            received: through(&self.received, &self.sent),
            header: IPV4_HEADER + TCP_HEADER + TCP_TIMESTAMPS,
        }
    }

    /// The counts that the devices at `place` show for this traffic. A device counts a sent packet
    /// with the Ethernet header, and a received packet without it.
    pub(super) fn amounts(&self, place: CountedAt) -> Amounts {
        let Self { sent, received, header } = self;
        match place {
            CountedAt::Edge => [
                received.bytes(*header),
                received.packets,
                sent.bytes(*header + ETHERNET_HEADER),
                sent.packets,
                0,
                0,
            ],
            CountedAt::Local => {
                let bytes = sent.bytes(*header) + received.bytes(*header);
                [0, 0, 0, 0, bytes, sent.packets + received.packets]
            }
        }
    }
}

fn ip_header(address: IpAddr) -> u64 {
    if address.to_canonical().is_ipv4() { IPV4_HEADER } else { IPV6_HEADER }
}

/// Reads the traffic of the TCP connection with the descriptor `fd`. `writes` is the number of
/// writes to the connection if the network device splits large packets itself; otherwise it is
/// `None`. If `is_closing`, the result includes the bytes that the kernel will send after the
/// connection is closed.
pub(super) fn read(fd: RawFd, local: IpAddr, writes: Option<u64>, is_closing: bool) -> Option<Flow> {
    let mut info = tcp_info(fd)?;
    if is_closing {
        add_unsent(&mut info);
    }
    let data_segments = u64::from(info.tcpi_data_segs_out);
    // On a fast connection, the kernel passes each write to the device as one packet.
    let pieces = writes.map(|writes| writes.max(info.tcpi_bytes_sent.div_ceil(LARGEST_PACKET)));
    let data_packets = pieces.map_or(data_segments, |pieces| pieces.min(data_segments));
    let others = u64::from(info.tcpi_segs_out).saturating_sub(data_segments);
    let timestamps = if info.tcpi_options & HAS_TIMESTAMPS == 0 { 0 } else { TCP_TIMESTAMPS };
    // Add one SYN packet in each direction for the handshake, which the kernel's statistics do not
    // include.
    Some(Flow {
        sent: Direction {
            payload: info.tcpi_bytes_sent + SYN_OPTIONS,
            packets: data_packets + others + 1,
            data_packets,
        },
        received: Direction {
            payload: info.tcpi_bytes_received + SYN_OPTIONS,
            packets: u64::from(info.tcpi_segs_in) + 1,
            data_packets: u64::from(info.tcpi_data_segs_in),
        },
        header: ip_header(local) + TCP_HEADER + timestamps,
    })
}

/// Adds the bytes that are still queued, as if the kernel had sent them in full segments.
fn add_unsent(info: &mut libc::tcp_info) {
    let segments = info.tcpi_notsent_bytes.div_ceil(info.tcpi_snd_mss.max(1));
    info.tcpi_bytes_sent += u64::from(info.tcpi_notsent_bytes);
    info.tcpi_segs_out = info.tcpi_segs_out.saturating_add(segments);
    info.tcpi_data_segs_out = info.tcpi_data_segs_out.saturating_add(segments);
}

fn tcp_info(fd: RawFd) -> Option<libc::tcp_info> {
    // SAFETY: the structure consists of integers, for which zero is a valid value.
    let mut info: libc::tcp_info = unsafe { std::mem::zeroed() };
    let mut length = size_of::<libc::tcp_info>() as libc::socklen_t;
    // SAFETY: the kernel writes at most `length` bytes to `info`. A closed descriptor causes an
    // error, not undefined behaviour.
    let result = unsafe {
        libc::getsockopt(fd, libc::IPPROTO_TCP, libc::TCP_INFO, (&raw mut info).cast(), &raw mut length)
    };
    (result == 0).then_some(info)
}
