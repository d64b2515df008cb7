//! The messages, exactly as they go over the wire.
//!
//! Bodies are bincode 1 with `DefaultOptions` (little-endian, variable-length integers, no trailing bytes).
//! Enums are append-only: a variant's position is its number on the wire, so variants are never reordered or
//! removed within a major version. A field can only be added with a new major version.
//!
//! A receiver skips a message whose outermost number it does not know. Nested enums ([`Unit`], [`Scope`],
//! [`Availability`]) cannot be skipped, so a peer sends only those of their variants that exist in the minor
//! version agreed on in [`Welcome`].

use serde::{Deserialize, Serialize};

/// First field of [`Hello`]: the bytes `khor` read as a little-endian `u32`. Tells a stranger from a client.
pub const MAGIC: u32 = u32::from_le_bytes(*b"khor");

/// Version of the protocol. Majors are incompatible; a newer minor only appends enum variants and counters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ProtocolVersion {
    /// Incompatible changes.
    pub major: u16,
    /// Appended enum variants; a receiver skips frames it does not know.
    pub minor: u16,
}

impl ProtocolVersion {
    /// The version this crate speaks.
    pub const CURRENT: Self = Self { major: 1, minor: 0 };
}

impl ProtocolVersion {
    /// The version two peers speak: the newest major both know, with the older of their minors.
    pub fn common(theirs: &[Self]) -> Option<Self> {
        let ours = Self::CURRENT;
        let minor = theirs.iter().filter(|v| v.major == ours.major).map(|v| v.minor).max()?;
        Some(Self { major: ours.major, minor: minor.min(ours.minor) })
    }
}

impl std::fmt::Display for ProtocolVersion {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}.{}", self.major, self.minor)
    }
}

/// What a client may say.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ClientMessage {
    /// Must be the first message, within two seconds of connecting.
    Hello(Hello),
    /// Starts the samples, or changes how they are sent; may be repeated at any time.
    Subscribe(Subscribe),
}

/// A client's greeting.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hello {
    /// Always [`MAGIC`].
    pub magic: u32,
    /// Every version the client speaks, in any order; the collector picks the highest common major.
    pub versions: Vec<ProtocolVersion>,
    /// Name and version of the client for the collector's log, at most 64 bytes of printable text.
    pub client: String,
}

/// How a client wants to be told.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Subscribe {
    /// Milliseconds between samples, 5..=5000. Out of range is answered with [`ServerMessage::Bye`].
    pub interval_ms: u16,
    /// Whose activity is counted.
    pub scope: Scope,
}

impl Subscribe {
    /// Shortest interval a client may ask for.
    pub const MIN_INTERVAL_MS: u16 = 5;
    /// Longest interval a client may ask for.
    pub const MAX_INTERVAL_MS: u16 = 5000;
    /// What a client without a wish asks for: 50 samples a second.
    pub const DEFAULT_INTERVAL_MS: u16 = 20;
}

impl Default for Subscribe {
    fn default() -> Self {
        Self { interval_ms: Self::DEFAULT_INTERVAL_MS, scope: Scope::Machine }
    }
}

/// Whose activity is counted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Scope {
    /// The whole machine.
    Machine,
}

/// What the collector may say.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ServerMessage {
    /// Answer to a good [`Hello`].
    Welcome(Welcome),
    /// Answer to a bad first message; the connection is closed after it.
    Refused {
        /// What was wrong and what would be right.
        reason: String,
    },
    /// All counters at one instant.
    Sample(Sample),
    /// The connection is closed after it.
    Bye {
        /// Why: the collector stops, or the client said something it must not.
        reason: String,
    },
}

/// The collector's greeting: who it is and what it counts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Welcome {
    /// The version spoken from here on.
    pub version: ProtocolVersion,
    /// Package version of the collector.
    pub collector_version: String,
    /// `uname -r` of the running kernel.
    pub kernel_release: String,
    /// `/proc/sys/kernel/random/boot_id`: counters and times compare only within one boot.
    pub boot_id: String,
    /// CPUs the kernel may ever bring online.
    pub cpus: u32,
    /// The counters, in the order in which every [`Sample`] carries them.
    pub counters: Vec<CounterInfo>,
}

/// One counter of the catalogue.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CounterInfo {
    /// One of the names in [`counter`], or one a newer collector knows.
    pub name: String,
    /// What is counted.
    pub unit: Unit,
    /// Whether the counter moves.
    pub availability: Availability,
}

/// Whether a counter can be read on this machine.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Availability {
    /// It is being counted.
    Available,
    /// It is not, and every sample carries `None` in its place.
    Absent {
        /// Why, in words for the machine's owner, with the fix where there is one.
        reason: String,
    },
}

/// Unit of a counter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Unit {
    /// Events.
    Count,
    /// Bytes.
    Bytes,
    /// Microseconds of stalled time.
    Microseconds,
}

/// All counters at one instant.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sample {
    /// Increases by one with every sample sent to this client, across all its subscriptions.
    pub seq: u64,
    /// `CLOCK_BOOTTIME` in nanoseconds: goes on during suspend.
    pub t_ns: u64,
    /// Cumulative counts from an arbitrary start, in catalogue order; `None` is "not known", never zero.
    /// Differences between any two samples of one collector run are exact, so a skipped sample loses nothing.
    pub counters: Vec<Option<u64>>,
}

/// Names of the counters, `CounterInfo::name`.
pub mod counter {
    /// Successful `execve` calls (`sched_process_exec`).
    pub const EXECS: &str = "execs";
    /// New tasks, processes and threads (`task_newtask`).
    pub const FORKS: &str = "forks";
    /// Bytes handed to the network stack by devices, without link-layer header (`netif_receive_skb`).
    pub const RX_BYTES: &str = "rx_bytes";
    /// Packets handed to the network stack (after GRO, so one may stand for several on the wire).
    pub const RX_PACKETS: &str = "rx_packets";
    /// Bytes handed to devices, with link-layer header (`net_dev_xmit`).
    pub const TX_BYTES: &str = "tx_bytes";
    /// Packets handed to devices (one may be cut into several by the device).
    pub const TX_PACKETS: &str = "tx_packets";
    /// Context switches (`sched_switch`).
    pub const SWITCHES: &str = "switches";
    /// Bytes read from block devices, at completion (`block_rq_complete`).
    pub const READ_BYTES: &str = "read_bytes";
    /// Bytes written to block devices, at completion.
    pub const WRITE_BYTES: &str = "write_bytes";
    /// Read requests issued to block devices (`block_rq_issue`).
    pub const READ_REQUESTS: &str = "read_requests";
    /// Write requests issued to block devices.
    pub const WRITE_REQUESTS: &str = "write_requests";
    /// Block requests of any kind that completed with an error.
    pub const IO_ERRORS: &str = "io_errors";
    /// TCP segments sent again (`tcp_retransmit_skb`, `tcp_retransmit_synack`).
    pub const RETRANSMITS: &str = "retransmits";
    /// Device interrupts handled (`irq_handler_entry`); not the CPU-local timer.
    pub const IRQS: &str = "irqs";
    /// Time some task waited for a CPU, µs (`/proc/pressure/cpu`, some).
    pub const CPU_STALL_US: &str = "cpu_stall_us";
    /// Time some task waited for I/O, µs (`/proc/pressure/io`, some).
    pub const IO_STALL_US: &str = "io_stall_us";
    /// Time some task waited for memory, µs (`/proc/pressure/memory`, some).
    pub const MEM_STALL_US: &str = "mem_stall_us";
}
