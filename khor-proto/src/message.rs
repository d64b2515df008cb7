//! Defines the messages of the protocol.
//!
//! Messages are encoded with bincode 1 and `DefaultOptions`: little-endian, integers of variable
//! length, no trailing bytes. An enum variant is encoded as its position. So within a major
//! version, new variants are only appended; none is moved or removed. A new field needs a new major
//! version.
//!
//! A receiver skips a message whose variant it does not know. It cannot skip an unknown variant of
//! a nested enum ([`Unit`], [`Availability`], [`Scope`], [`Selector`](crate::Selector),
//! [`CueKind`]). So a peer sends only variants that exist in [`Welcome::version`].

use serde::{Deserialize, Serialize};

use crate::{
    availability::Availability,
    cue::{Cue, CueInfo, CueKind},
    scope::Scope,
};

/// The value of the first field of [`Hello`]: the bytes `khor`, read as a little-endian `u32`. With
/// it, the collector recognises clients.
pub const MAGIC: u32 = u32::from_le_bytes(*b"khor");

/// Version of the protocol. Peers need the same major version. A newer minor version only appends
/// enum variants and counters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ProtocolVersion {
    /// The major version. It increases with each incompatible change.
    pub major: u16,
    /// The minor version. It increases when enum variants are appended. A receiver skips messages
    /// that it does not know.
    pub minor: u16,
}

impl ProtocolVersion {
    /// The version that this crate implements.
    pub const CURRENT: Self = Self { major: 1, minor: 0 };
}

impl ProtocolVersion {
    /// Selects the version that this crate uses with a peer that knows the versions `theirs`. The
    /// peers use the newest major version that both know, and the lower one of their minor
    /// versions. `None` if they have no common major version.
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
    /// The first message, which the client must send within two seconds.
    Hello(Hello),
    /// Starts or changes the client's subscription. A client may send this message at any time,
    /// also repeatedly.
    Subscribe(Subscribe),
}

/// The first message of a client.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hello {
    /// Always [`MAGIC`].
    pub magic: u32,
    /// All versions that the client knows, in any order. The collector selects the highest common
    /// major version.
    pub versions: Vec<ProtocolVersion>,
    /// Name and version of the client, which appear in the collector's log. At most 64 bytes of
    /// printable text.
    pub client: String,
}

/// A client's request for samples and cues.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Subscribe {
    /// Time between two samples in milliseconds, from 5 to 5000. If the value is outside this
    /// range, the collector answers [`ServerMessage::Bye`]. The collector may grant a longer
    /// interval: see [`Subscribed::interval_ms`].
    pub interval_ms: u16,
    /// The cgroups and processes whose activity is counted. If the scope names another user's
    /// process and the client is not trusted, every counter is absent.
    pub scope: Scope,
    /// Kinds of cues that the collector sends. It sends only cues from this scope. An empty list
    /// requests no cues. The collector never sends kinds that are absent in [`Welcome::cues`].
    pub cues: Vec<CueKind>,
}

impl Subscribe {
    /// Shortest interval that a client may request, in milliseconds.
    pub const MIN_INTERVAL_MS: u16 = 5;
    /// Longest interval that a client may request, in milliseconds.
    pub const MAX_INTERVAL_MS: u16 = 5000;
    /// The default interval in milliseconds. It gives 50 samples a second.
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
        /// What is wrong with the message, and which message the collector expects.
        reason: String,
    },
    /// All counters at one instant.
    Sample(Sample),
    /// The collector closes the connection after this message.
    Bye {
        /// The reason: the collector stops, or the client violated the protocol.
        reason: String,
    },
    /// Answer to [`Subscribe`]. Sent again when the interval or the availability changes.
    Subscribed(Subscribed),
    /// A kernel event of a kind that the client requested.
    Cue(Cue),
    /// Cues were dropped, because there were too many events or because this client did not read
    /// fast enough.
    Lost {
        /// Number of dropped cues since the last `Lost`, for all kinds of cues that this client
        /// requested. Cues that the kernel drops are not counted by scope, so the number may
        /// include cues of other scopes.
        cues: u64,
    },
}

/// The granted subscription. Samples after this message cannot be compared with samples before it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Subscribed {
    /// Time between two of the following samples, in milliseconds. Clients of root and trusted
    /// users get the requested interval, and so do clients whose scope belongs to their own user.
    /// Other clients get a multiple of 100 ms.
    pub interval_ms: u16,
    /// The availability of each counter, in the order of [`Welcome::counters`]. Some counters are
    /// available for the whole machine but not for a scope.
    pub availability: Vec<Availability>,
}

/// The collector's first message: its identity and its counters.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Welcome {
    /// The version that all following messages use.
    pub version: ProtocolVersion,
    /// Package version of the collector.
    pub collector_version: String,
    /// `uname -r` of the running kernel.
    pub kernel_release: String,
    /// Identifies the boot (`/proc/sys/kernel/random/boot_id`). Counts and times can be compared
    /// only if the boot is the same. Empty if /proc has no such file (`subset=pid`).
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
    /// Name of a [`Counter`](crate::Counter), or of a counter that only a newer version of this
    /// crate knows.
    pub name: String,
    /// The unit of the count.
    pub unit: Unit,
    /// Whether the counter is available for the whole machine.
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
    /// Increases by one with every sample sent to this client. It is not reset when the client
    /// subscribes again.
    pub seq: u64,
    /// Time of the sample in nanoseconds. The clock is `CLOCK_BOOTTIME`, which also runs while the
    /// machine is suspended.
    pub t_ns: u64,
    /// Cumulative counts in the order of [`Welcome::counters`]. They start at an arbitrary value.
    /// `None` means that the count is unknown, not that it is zero. The difference of any two
    /// samples of one subscription is exact, so a skipped sample loses no events.
    pub counters: Vec<Option<u64>>,
}
