//! The messages as they are on the wire.
//!
//! Bodies are bincode 1 with `DefaultOptions` (little-endian, variable-length integers, no trailing bytes).
//! Enums are append-only: a variant's position is its number on the wire, so variants are never reordered or
//! removed within a major version. A field can only be added with a new major version.
//!
//! A receiver skips a message whose outermost number it does not know. Nested enums ([`Unit`], [`Availability`],
//! [`Scope`], [`Selector`](crate::Selector), [`CueKind`]) cannot be skipped, so a peer sends only those of their
//! variants that exist in the minor version agreed on in [`Welcome`].

use serde::{Deserialize, Serialize};

use crate::{
    availability::Availability,
    cue::{Cue, CueInfo, CueKind},
    scope::Scope,
};

/// First field of [`Hello`]: the bytes `khor` read as a little-endian `u32`. It distinguishes
/// clients from other programs.
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
    /// The version of this crate.
    pub const CURRENT: Self = Self { major: 1, minor: 0 };
}

impl ProtocolVersion {
    /// The version that two peers use: the newest major that both know, with the older of their
    /// minors.
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

/// A message from a client.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ClientMessage {
    /// Must be the first message, within two seconds of connecting.
    Hello(Hello),
    /// Starts the samples, or changes how they are sent; may be repeated at any time.
    Subscribe(Subscribe),
}

/// The first message of a client.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hello {
    /// Always [`MAGIC`].
    pub magic: u32,
    /// All versions that the client knows, in any order. The collector picks the highest common
    /// major.
    pub versions: Vec<ProtocolVersion>,
    /// Name and version of the client for the collector's log, at most 64 bytes of printable text.
    pub client: String,
}

/// A client's request for samples and cues.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Subscribe {
    /// Milliseconds between samples, 5..=5000. The collector answers other values
    /// with [`ServerMessage::Bye`]. It may grant a longer interval: see
    /// [`Subscribed::interval_ms`].
    pub interval_ms: u16,
    /// Whose activity is counted. If the scope names another user's process and the client is not
    /// trusted, every counter is absent with the reason.
    pub scope: Scope,
    /// Kinds of cues to send, of this scope; none if empty. The collector does not send kinds that
    /// are absent in [`Welcome::cues`].
    pub cues: Vec<CueKind>,
}

impl Subscribe {
    /// Shortest interval a client may ask for.
    pub const MIN_INTERVAL_MS: u16 = 5;
    /// Longest interval a client may ask for.
    pub const MAX_INTERVAL_MS: u16 = 5000;
    /// The default interval: 50 samples a second.
    pub const DEFAULT_INTERVAL_MS: u16 = 20;
}

impl Default for Subscribe {
    fn default() -> Self {
        Self { interval_ms: Self::DEFAULT_INTERVAL_MS, scope: Scope::Machine, cues: Vec::new() }
    }
}

/// A message from the collector.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ServerMessage {
    /// Answer to a valid [`Hello`].
    Welcome(Welcome),
    /// Answer to an invalid first message. The collector then closes the connection.
    Refused {
        /// The problem and the expected message.
        reason: String,
    },
    /// All counters at one instant.
    Sample(Sample),
    /// The collector closes the connection after this message.
    Bye {
        /// Why: the collector stops, or the client broke the protocol.
        reason: String,
    },
    /// Answer to [`Subscribe`]. Sent again when the availability changes.
    Subscribed(Subscribed),
    /// An event in the kernel.
    Cue(Cue),
    /// Cues were dropped: in the kernel, because there were too many, or for this client, because
    /// it did not read.
    Lost {
        /// Number of dropped cues since the last `Lost`, of the kinds that this client requested.
        /// The kernel does not count them by scope, so a scope gets the number for the whole
        /// machine.
        cues: u64,
    },
}

/// The contents of a subscription. Its samples cannot be compared with earlier ones.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Subscribed {
    /// Milliseconds between the samples that follow. Root, trusted users, and clients whose scope
    /// belongs to their own user get the requested interval. Other clients get a multiple of
    /// 100 ms.
    pub interval_ms: u16,
    /// One for every counter, in catalogue order: a scope has fewer than the machine.
    pub availability: Vec<Availability>,
}

/// The collector's first message: its identity and its counters.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Welcome {
    /// The version of all following messages.
    pub version: ProtocolVersion,
    /// Package version of the collector.
    pub collector_version: String,
    /// `uname -r` of the running kernel.
    pub kernel_release: String,
    /// `/proc/sys/kernel/random/boot_id`. Counters and times can be compared only within one boot.
    /// Empty if /proc has no such file (`subset=pid`).
    pub boot_id: String,
    /// CPUs the kernel may ever bring online.
    pub cpus: u32,
    /// The counters in the order of every [`Sample`], with their availability for the whole
    /// machine.
    pub counters: Vec<CounterInfo>,
    /// The kinds of cues, as available to this client: program starts are absent for users who are
    /// not trusted.
    pub cues: Vec<CueInfo>,
}

/// One counter of the catalogue.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CounterInfo {
    /// Name of a [`Counter`](crate::Counter), or of a counter that a newer collector knows.
    pub name: String,
    /// What is counted.
    pub unit: Unit,
    /// Whether it can be counted.
    pub availability: Availability,
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
    /// Nanoseconds of time taken.
    Nanoseconds,
}

/// All counters at one instant.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sample {
    /// Increases by one with every sample sent to this client, across all its subscriptions.
    pub seq: u64,
    /// `CLOCK_BOOTTIME` in nanoseconds. It continues during suspend.
    pub t_ns: u64,
    /// Cumulative counts from an arbitrary start, in catalogue order; `None` is an unknown count,
    /// never zero. Differences between any two samples of one collector run are exact, so a skipped
    /// sample loses nothing.
    pub counters: Vec<Option<u64>>,
}
