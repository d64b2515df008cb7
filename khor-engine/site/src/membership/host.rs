//! One host of a site: its last reading, and whether its next frame is accepted. No I/O.

use std::time::Duration;

use khor_fleet::{Frame, Name, Source};
use khor_signal::{Catalogue, Reading};
use tokio::time::Instant;

use crate::codec;

/// A host that sends no frame for this long is silent: 20 frames at the usual rate, 4 at the
/// lowest.
const SILENT: Duration = Duration::from_secs(4);
/// Upper limit of the time after which a slow host is silent, for each relay that shares the site.
const SLOWEST: Duration = Duration::from_secs(20);
/// A relay that sends nothing for this long has ended. Another relay may then use its host's name.
const ENDED: Duration = Duration::from_secs(1);
/// How long a name counts as used twice after a rival was seen.
const TWICE: Duration = Duration::from_secs(10);

/// A host at one instant.
#[derive(Clone, Debug)]
pub struct Host {
    /// Its name.
    pub name: Name,
    /// The site within the site that named the host, if its own frames do not come here.
    pub via: Option<Name>,
    /// Its section.
    pub section: Option<Name>,
    /// The host has stopped sending.
    pub silent: bool,
    /// Its last reading.
    pub reading: Reading,
    /// Why a lane of its last frame was dropped, if one was.
    pub left_out: Option<String>,
    /// The source of its counters.
    pub source: Source,
    /// Version of its relay.
    pub version: String,
    /// Time since its last frame.
    pub seen_ago: Duration,
    /// This machine's wall clock less the host's, milliseconds. Includes the time on the network.
    pub behind_ms: i64,
    /// Frames that did not arrive.
    pub missed: u64,
    /// Frames that arrived after newer ones.
    pub late: u64,
    /// Messages under its name that were refused, without the late ones.
    pub refused: u64,
    /// Why the last of them was refused.
    pub refusal: Option<String>,
    /// Another relay uses its name.
    pub used_twice: bool,
}

/// A host or a site within the site that fell silent or came back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MembershipChange {
    /// It is silent.
    Lost(Name),
    /// It is back.
    Back(Name),
}

/// The result for a frame.
#[derive(PartialEq, Eq)]
pub(super) enum Outcome {
    Accepted,
    Late,
    Rival,
}

/// A host, and the state that decides whether its next frame is accepted.
pub(crate) struct TrackedHost {
    pub(super) host: Host,
    instance: u32,
    seq: u64,
    monotonic_ms: u64,
    /// Time between two of its frames; `None` until two arrived.
    interval: Option<Duration>,
    seen: Instant,
    /// When another relay with this name last sent a frame.
    rival: Option<Instant>,
    twice: Option<Instant>,
}

impl TrackedHost {
    /// A host from its first frame. `catalogue` assigns the ids of its lanes.
    pub(super) fn new(frame: Frame, seen: Instant, behind_ms: i64, catalogue: &mut Catalogue) -> Self {
        let (reading, left_out) = codec::reading(&frame, catalogue);
        let Frame { host: name, section, instance, seq, monotonic_ms, version, source, .. } = frame;
        let host = Host {
            name,
            via: None,
            section,
            silent: false,
            reading,
            left_out: left_out.map(|why| why.to_string()),
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

    /// A host whose frame came inside the frame of the site `via`.
    #[must_use]
    pub(super) fn named_by(mut self, via: &Name) -> Self {
        self.host.via = Some(via.clone());
        self
    }

    /// Takes the host's next frame. A restarted relay counts from 0. A relay that appears while
    /// another one with the same name still sends is a rival. `shares` receivers share the frames.
    /// `catalogue` assigns the ids of its lanes.
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
            // Frames that other receivers got are not missing.
            self.host.missed += if shares == 1 { sent - 1 } else { 0 };
            let took_ms = frame.monotonic_ms.saturating_sub(self.monotonic_ms);
            self.interval = Some(Duration::from_millis(took_ms / sent));
            if self.rival.is_some_and(|heard| now.duration_since(heard) < TWICE * shares) {
                self.twice = Some(now);
            }
        }
        self.seen = now;
        (self.instance, self.seq, self.monotonic_ms) = (frame.instance, frame.seq, frame.monotonic_ms);
        let (reading, left_out) = codec::reading(&frame, catalogue);
        (self.host.reading, self.host.left_out) = (reading, left_out.map(|why| why.to_string()));
        let Frame { section, version, source, .. } = frame;
        (self.host.section, self.host.version, self.host.source) = (section, version, source);
        self.host.behind_ms = behind_ms;
        Outcome::Accepted
    }

    /// Counts a refused message under its name.
    pub(super) fn count_refusal(&mut self, why: &str) {
        self.host.refused += 1;
        self.host.refusal = Some(why.to_owned());
    }

    /// After how long without a frame the host is silent. If receivers share the frames, each gets
    /// a random one of `shares`. After 20 frames for each receiver, the chance that one receiver
    /// got none is below 10⁻⁸.
    pub(super) fn silence_timeout(&self, shares: u32) -> Duration {
        let slow = self.interval.unwrap_or_default() * 20;
        if shares == 1 { SILENT } else { SILENT.max(slow.min(SLOWEST)) * shares }
    }

    /// When its last frame arrived.
    pub(super) fn seen(&self) -> Instant {
        self.seen
    }

    /// The host now.
    pub(crate) fn snapshot(&self, now: Instant) -> Host {
        let mut host = self.host.clone();
        self.update_times(&mut host, now);
        host
    }

    /// Writes the host into an earlier snapshot, whose memory is reused.
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

/// Copies a value, unless it is equal already.
fn assign<T: Clone + PartialEq>(held: &mut T, now: &T) {
    if held != now {
        held.clone_from(now);
    }
}
