//! Defines the messages of the protocol.
//!
//! Bodies are bincode 1 with `DefaultOptions`: little-endian, integers of variable length, no
//! trailing bytes. The position of an enum variant is its number on the wire. So within a major
//! version, variants are only appended, never reordered or removed. A new field needs a new major
//! version.
//!
//! A receiver skips a message whose number it does not know. It cannot skip a variant of a nested
//! enum ([`Unit`], [`Availability`], [`Scope`], [`Selector`](crate::Selector), [`CueKind`]). So a
//! peer sends only the variants that exist in the minor version of [`Welcome::version`].

use serde::{Deserialize, Serialize};

use crate::{
    availability::Availability,
    cue::{Cue, CueInfo, CueKind},
    scope::Scope,
};

/// First field of [`Hello`]: the bytes `khor` read as a little-endian `u32`. It distinguishes
/// clients from other programs.
pub const MAGIC: u32 = u32::from_le_bytes(*b"khor");

/// Version of the protocol. Two majors are incompatible. A newer minor only appends enum variants
/// and counters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ProtocolVersion {
    /// Increases with each incompatible change.
    pub major: u16,
    /// Increases with appended variants. A receiver skips messages that it does not know.
    pub minor: u16,
}

impl ProtocolVersion {
    /// The version that this crate implements.
    pub const CURRENT: Self = Self { major: 1, minor: 0 };
}

impl ProtocolVersion {
    /// The version that two peers use, `None` if they know no common major. The major is the newest
    /// that both know. The minor is the lower one of the two.
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
    /// Must be the first message. The collector waits for it for two seconds.
    Hello(Hello),
    /// Starts the samples or changes the subscription. May be repeated at any time.
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
    /// Milliseconds between samples, 5..=5000. The collector answers other values with
    /// [`ServerMessage::Bye`]. It may grant a longer interval: see [`Subscribed::interval_ms`].
    pub interval_ms: u16,
    /// The cgroups and processes whose activity is counted. If the scope names another user's
    /// process and the client is not trusted, every counter is absent with the reason.
    pub scope: Scope,
    /// Kinds of cues to send, from this scope only; an empty list requests none. The collector does
    /// not send kinds that are absent in [`Welcome::cues`].
    pub cues: Vec<CueKind>,
}

impl Subscribe {
    /// Shortest interval that a client may request.
    pub const MIN_INTERVAL_MS: u16 = 5;
    /// Longest interval that a client may request.
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
        /// The problem, and the message that the collector expects.
        reason: String,
    },
    /// All counters at one instant.
    Sample(Sample),
    /// The collector closes the connection after this message.
    Bye {
        /// The reason: the collector stops, or the client broke the protocol.
        reason: String,
    },
    /// Answer to [`Subscribe`]. Sent again when the interval or the availability changes.
    Subscribed(Subscribed),
    /// An event in the kernel.
    Cue(Cue),
    /// Cues were dropped. The kernel drops cues when there are too many. The collector drops cues
    /// for a client that does not read.
    Lost {
        /// Number of cues dropped since the last `Lost`, of the kinds that this client requested.
        /// The kernel does not count dropped cues by scope, so their number is for the whole
        /// machine.
        cues: u64,
    },
}

/// The granted subscription. Its samples cannot be compared with samples before this message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Subscribed {
    /// Milliseconds between the samples that follow. Root, trusted users, and clients whose scope
    /// belongs to their own user get the requested interval. Other clients get a multiple of
    /// 100 ms.
    pub interval_ms: u16,
    /// The availability of each counter, in the order of [`Welcome::counters`]. A scope has fewer
    /// available counters than the machine.
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
    /// Number of CPUs that the kernel may ever bring online.
    pub cpus: u32,
    /// The counters, in the order of every [`Sample`]. Their availability is for the whole machine.
    pub counters: Vec<CounterInfo>,
    /// The kinds of cues and their availability to this client. Program starts are absent for users
    /// who are not trusted.
    pub cues: Vec<CueInfo>,
}

/// One counter of the catalogue.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CounterInfo {
    /// Name of a [`Counter`](crate::Counter), or of a counter that a newer collector knows.
    pub name: String,
    /// The unit of its count.
    pub unit: Unit,
    /// Whether the kernel provides it.
    pub availability: Availability,
}

/// Unit of a counter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Unit {
    /// A number of events.
    Count,
    /// Bytes.
    Bytes,
    /// Microseconds of stalled time.
    Microseconds,
    /// Nanoseconds of elapsed time.
    Nanoseconds,
}

/// All counters at one instant.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sample {
    /// Increases by one with every sample sent to this client, also when it subscribes again.
    pub seq: u64,
    /// Time of the sample: `CLOCK_BOOTTIME` in nanoseconds, which also runs during suspend.
    pub t_ns: u64,
    /// Cumulative counts in the order of [`Welcome::counters`], from an arbitrary start. `None`
    /// means that the count is unknown, not that it is zero. The difference of any two samples of
    /// one subscription is exact, so a skipped sample loses no events.
    pub counters: Vec<Option<u64>>,
}
