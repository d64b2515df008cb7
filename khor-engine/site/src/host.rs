//! One host of a site: what it said last, and whether its next frame is one. No I/O.

use std::time::Duration;

use khor_fleet::{Frame, Name, Source};
use tokio::time::Instant;

use super::order::PLACES;
use khor_signal::{Counter, Lane, Lanes, Reading};

/// Without a frame for this long a host is silent: 20 frames at the usual rate, 4 at the lowest.
const SILENT: Duration = Duration::from_secs(4);
/// However seldom a host sends, silence is told after this long, times those who share what comes.
const SLOWEST: Duration = Duration::from_secs(20);
/// A relay that is heard no more for this long has ended, and another may take its host's name.
const ENDED: Duration = Duration::from_secs(1);
/// How long a name counts as used twice after that was seen.
const TWICE: Duration = Duration::from_secs(10);

/// A host as it is known now.
#[derive(Clone, Debug)]
pub struct Host {
    /// Its name.
    pub name: Name,
    /// The site within the site that told of it, if it isn't heard itself.
    pub via: Option<Name>,
    /// The group it is in.
    pub section: Option<Name>,
    /// It has stopped sending.
    pub silent: bool,
    /// What it said last.
    pub reading: Reading,
    /// What counts there.
    pub source: Source,
    /// Version of its relay.
    pub version: String,
    /// Since its last frame.
    pub seen_ago: Duration,
    /// Its wall clock against this machine's, milliseconds: above 0 it is behind, by as much as the way takes or more.
    pub behind_ms: i64,
    /// Frames that did not come.
    pub missed: u64,
    /// Frames that came after newer ones.
    pub late: u64,
    /// Messages under its name that were not taken, those that came late aside.
    pub refused: u64,
    /// Why the last of them was not.
    pub refusal: Option<String>,
    /// Another relay uses its name.
    pub used_twice: bool,
}

/// What became of a frame.
#[derive(PartialEq, Eq)]
pub(super) enum Taken {
    Newer,
    Late,
    Rival,
}

/// A host, and what is needed to know whether its next frame is one.
pub(super) struct Tracked {
    pub(super) host: Host,
    instance: u32,
    seq: u64,
    monotonic_ms: u64,
    /// Between two of its frames; `None` until two came.
    interval: Option<Duration>,
    seen: Instant,
    /// Another relay of that name, and when it was heard.
    rival: Option<Instant>,
    twice: Option<Instant>,
}

impl Tracked {
    pub(super) fn new(frame: Frame, seen: Instant, behind_ms: i64) -> Self {
        let reading = reading(&frame);
        let Frame { host: name, section, instance, seq, monotonic_ms, version, source, .. } = frame;
        let host = Host {
            name,
            via: None,
            section,
            silent: false,
            reading,
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

    /// Likewise of a host that a site told of.
    pub(super) fn told(frame: Frame, seen: Instant, behind_ms: i64, via: &Name) -> Self {
        let mut tracked = Self::new(frame, seen, behind_ms);
        tracked.host.via = Some(via.clone());
        tracked
    }

    /// A relay that starts anew counts anew; one that begins while the other still speaks is a rival.
    pub(super) fn take(&mut self, frame: Frame, now: Instant, behind_ms: i64, shares: u32) -> Taken {
        if frame.instance != self.instance {
            if now.duration_since(self.seen) < ENDED * shares {
                self.rival = Some(now);
                return Taken::Rival;
            }
            self.rival = None;
            self.interval = None;
        } else if frame.seq <= self.seq {
            self.host.late += 1;
            return Taken::Late;
        } else {
            let made = frame.seq - self.seq;
            // What others heard was not missed.
            self.host.missed += if shares == 1 { made - 1 } else { 0 };
            let took_ms = frame.monotonic_ms.saturating_sub(self.monotonic_ms);
            self.interval = Some(Duration::from_millis(took_ms / made));
            if self.rival.is_some_and(|heard| now.duration_since(heard) < TWICE * shares) {
                self.twice = Some(now);
            }
        }
        self.seen = now;
        (self.instance, self.seq, self.monotonic_ms) = (frame.instance, frame.seq, frame.monotonic_ms);
        self.host.reading = reading(&frame);
        let Frame { section, version, source, .. } = frame;
        (self.host.section, self.host.version, self.host.source) = (section, version, source);
        self.host.behind_ms = behind_ms;
        Taken::Newer
    }

    /// A message under its name was not taken.
    pub(super) fn refused(&mut self, why: &str) {
        self.host.refused += 1;
        self.host.refusal = Some(why.to_owned());
    }

    /// How long it may be unheard and not be silent. Of frames that are shared, one in so many is heard, at random:
    /// after twenty of each share, that none of them was is less likely than one in 10⁸.
    pub(super) fn patience(&self, shares: u32) -> Duration {
        let slow = self.interval.unwrap_or_default() * 20;
        if shares == 1 { SILENT } else { SILENT.max(slow.min(SLOWEST)) * shares }
    }

    /// When it was heard last.
    pub(super) fn seen(&self) -> Instant {
        self.seen
    }

    /// As it is known now.
    pub(super) fn look(&self, now: Instant) -> Host {
        let mut host = self.host.clone();
        self.times(&mut host, now);
        host
    }

    /// The same into what was looked at before, which has room for it.
    pub(super) fn look_again(&self, host: &mut Host, now: Instant) {
        let Host {
            name,
            via,
            section,
            silent,
            reading,
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
        same(&mut host.name, name);
        same(&mut host.via, via);
        same(&mut host.section, section);
        same(&mut host.version, version);
        (host.silent, host.reading, host.source) = (*silent, *reading, *source);
        same(&mut host.refusal, refusal);
        (host.behind_ms, host.missed, host.late, host.refused) = (*behind_ms, *missed, *late, *refused);
        self.times(host, now);
    }

    fn times(&self, host: &mut Host, now: Instant) {
        host.seen_ago = now.duration_since(self.seen);
        host.used_twice = self.twice.is_some_and(|at| now.duration_since(at) < TWICE);
    }
}

/// Makes one the same as another; what is the same already isn't copied.
fn same<T: Clone + PartialEq>(held: &mut T, now: &T) {
    if held != now {
        held.clone_from(now);
    }
}

/// A frame as what this engine's own pipeline would have made of that machine.
fn reading(frame: &Frame) -> Reading {
    let signal = |i: usize| frame.signals.get(PLACES[i]).copied().flatten();
    Reading {
        t_ns: frame.monotonic_ms.saturating_mul(1_000_000),
        lanes: lanes(frame),
        rates: std::array::from_fn(|i| Some(signal(i)?.rate.into())),
        baselines: std::array::from_fn(|i| Some(signal(i)?.baseline.into())),
        learnt: of_255(frame.learnt),
        counter_rates: [None; Counter::ALL.len()],
    }
}

/// Its lanes alone.
pub fn lanes(frame: &Frame) -> Lanes {
    std::array::from_fn(|i| {
        let signal = frame.signals.get(PLACES[i]).copied().flatten()?;
        let deviation = f32::from(signal.deviation) / khor_fleet::Signal::PARTS_OF_OCTAVE;
        Some(Lane { level: of_255(signal.level), deviation, surprise: of_255(signal.surprise) })
    })
}

fn of_255(part: u8) -> f32 {
    f32::from(part) / 255.0
}
