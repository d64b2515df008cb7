//! One host of a site: its last reading, and whether its next frame is accepted. No I/O.

use std::time::Duration;

use khor_fleet::{Frame, Name, Source};
use khor_signal::{Catalogue, Reading};
use tokio::time::Instant;

use crate::codec;

/// A host is silent if none of its frames arrives for this long. In this time, its relay sends 20
/// frames at the default rate, and 4 frames at the lowest rate.
const SILENT: Duration = Duration::from_secs(4);
/// Upper limit for the silence timeout of a slow host. If several relays share the site, the limit
/// is multiplied by their number.
const SLOWEST: Duration = Duration::from_secs(20);
/// A relay counts as ended if it sends nothing for this long. Another relay may then use the same
/// host name.
const ENDED: Duration = Duration::from_secs(1);
/// A name counts as used twice if a rival relay (another relay with the host's name) has sent a
/// frame within this time before a frame of the host's relay. It then counts as used twice for this
/// long.
const TWICE: Duration = Duration::from_secs(10);

/// The state of a host at one instant.
#[derive(Clone, Debug)]
pub struct Host {
    /// The host's name.
    pub name: Name,
    /// The sub-site whose frames contain this host. `None` if the host sends its own frames to this
    /// site.
    pub via: Option<Name>,
    /// The host's section.
    pub section: Option<Name>,
    /// Whether the host has stopped sending.
    pub silent: bool,
    /// The reading in the host's last frame.
    pub reading: Reading,
    /// Why a lane of the last frame was dropped; `None` if all lanes were kept.
    pub left_out: Option<String>,
    /// The source from which the host's relay reads its counters.
    pub source: Source,
    /// Version of the host's relay.
    pub version: String,
    /// Time since the host's last frame.
    pub seen_ago: Duration,
    /// How far the host's wall clock is behind this machine's clock, milliseconds. Includes the
    /// network delay.
    pub behind_ms: i64,
    /// Number of frames that did not arrive.
    pub missed: u64,
    /// Number of frames that arrived after a newer frame.
    pub late: u64,
    /// Number of rejected messages that used the host's name, without the late frames.
    pub refused: u64,
    /// Why the last rejected message was rejected.
    pub refusal: Option<String>,
    /// Whether another relay uses the host's name.
    pub used_twice: bool,
}

/// A host or a sub-site that fell silent or returned.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MembershipChange {
    /// This host or sub-site fell silent.
    Lost(Name),
    /// This host or sub-site sends again.
    Back(Name),
}

/// How a frame of a known host was handled.
#[derive(PartialEq, Eq)]
pub(super) enum Outcome {
    Accepted,
    /// A newer frame has already arrived.
    Late,
    /// Another relay still sends under this name.
    Rival,
}

/// A host, and the state that is needed to accept or reject its next frame.
pub(crate) struct TrackedHost {
    pub(super) host: Host,
    instance: u32,
    seq: u64,
    monotonic_ms: u64,
    /// Time between two consecutive frames of the host; `None` until two frames have arrived.
    interval: Option<Duration>,
    seen: Instant,
    /// When another relay with the host's name last sent a frame.
    rival: Option<Instant>,
    twice: Option<Instant>,
}

impl TrackedHost {
    /// Creates a host from its first frame. `catalogue` assigns the ids of its lanes.
    pub(super) fn new(frame: Frame, seen: Instant, behind_ms: i64, catalogue: &mut Catalogue) -> Self {
        let (reading, drop_reason) = codec::reading(&frame, catalogue);
        let Frame { host: name, section, instance, seq, monotonic_ms, version, source, .. } = frame;
        let host = Host {
            name,
            via: None,
            section,
            silent: false,
            reading,
            left_out: drop_reason.map(|reason| reason.to_string()),
            source,
            version,
            seen_ago: Duration::ZERO,
            behind_ms,
            missed: 0,
            late: 0,
            refused: 0,
            refusal: None,
            used_twice: false,
        };
        Self { host, instance, seq, monotonic_ms, interval: None, seen, rival: None, twice: None }
    }

    /// Marks the host as one whose frames arrive inside the frames of the sub-site `via`.
    #[must_use]
    pub(super) fn named_by(mut self, via: &Name) -> Self {
        self.host.via = Some(via.clone());
        self
    }

    /// Handles the host's next frame. A restarted relay numbers its frames from 0 again. A rival is
    /// a relay that appears while another relay with the same name still sends. `shares` is the
    /// number of receivers that share the frames. `catalogue` assigns the ids of the lanes.
    pub(super) fn update(
        &mut self,
        frame: Frame,
        now: Instant,
        behind_ms: i64,
        shares: u32,
        catalogue: &mut Catalogue,
    ) -> Outcome {
        if frame.instance != self.instance {
            if now.duration_since(self.seen) < ENDED * shares {
                self.rival = Some(now);
                return Outcome::Rival;
            }
            self.rival = None;
            self.interval = None;
        } else if frame.seq <= self.seq {
            self.host.late += 1;
            return Outcome::Late;
        } else {
            let sent = frame.seq - self.seq;
            // If several receivers share the frames, another receiver may have received the missing
            // ones.
            self.host.missed += if shares == 1 { sent - 1 } else { 0 };
            let took_ms = frame.monotonic_ms.saturating_sub(self.monotonic_ms);
            self.interval = Some(Duration::from_millis(took_ms / sent));
            if self.rival.is_some_and(|seen| now.duration_since(seen) < TWICE * shares) {
                self.twice = Some(now);
            }
        }
        self.seen = now;
        (self.instance, self.seq, self.monotonic_ms) = (frame.instance, frame.seq, frame.monotonic_ms);
        let (reading, drop_reason) = codec::reading(&frame, catalogue);
        (self.host.reading, self.host.left_out) = (reading, drop_reason.map(|reason| reason.to_string()));
        let Frame { section, version, source, .. } = frame;
        (self.host.section, self.host.version, self.host.source) = (section, version, source);
        self.host.behind_ms = behind_ms;
        Outcome::Accepted
    }

    /// Counts a rejected message under this host's name.
    pub(super) fn count_refusal(&mut self, why: &str) {
        self.host.refused += 1;
        self.host.refusal = Some(why.to_owned());
    }

    /// How long the host may send no frame before it counts as silent. If several receivers share
    /// the frames, NATS sends each frame to a random one of the `shares` receivers. The timeout is
    /// then long enough for 20 frames per receiver. So the probability that a receiver gets none of
    /// these frames is below 10⁻⁸.
    pub(super) fn silence_timeout(&self, shares: u32) -> Duration {
        let slow = self.interval.unwrap_or_default() * 20;
        if shares == 1 { SILENT } else { SILENT.max(slow.min(SLOWEST)) * shares }
    }

    /// When the host's last frame arrived.
    pub(super) fn seen(&self) -> Instant {
        self.seen
    }

    /// The current state of the host.
    pub(crate) fn snapshot(&self, now: Instant) -> Host {
        let mut host = self.host.clone();
        self.update_times(&mut host, now);
        host
    }

    /// Writes the current state into an earlier snapshot, whose memory is reused.
    pub(crate) fn write_snapshot(&self, host: &mut Host, now: Instant) {
        let Host {
            name,
            via,
            section,
            silent,
            reading,
            left_out,
            source,
            version,
            seen_ago: _,
            behind_ms,
            missed,
            late,
            refused,
            refusal,
            used_twice: _,
        } = &self.host;
        assign(&mut host.name, name);
        assign(&mut host.via, via);
        assign(&mut host.section, section);
        assign(&mut host.version, version);
        (host.silent, host.source) = (*silent, *source);
        host.reading.clone_from(reading);
        assign(&mut host.left_out, left_out);
        assign(&mut host.refusal, refusal);
        (host.behind_ms, host.missed, host.late, host.refused) = (*behind_ms, *missed, *late, *refused);
        self.update_times(host, now);
    }

    fn update_times(&self, host: &mut Host, now: Instant) {
        host.seen_ago = now.duration_since(self.seen);
        host.used_twice = self.twice.is_some_and(|at| now.duration_since(at) < TWICE);
    }
}

/// Copies a value, unless it is already equal.
fn assign<T: Clone + PartialEq>(held: &mut T, now: &T) {
    if held != now {
        held.clone_from(now);
    }
}
