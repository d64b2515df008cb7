//! Who is heard in a site: what each host said last, who is silent, and what was refused and why. No I/O.

use std::{collections::BTreeMap, time::Duration};

use khor_fleet::{Frame, Message, Name, ReadError, Source, subject};
use schemars::JsonSchema;
use serde::Serialize;
use tokio::time::Instant;

use crate::signal::{Counter, Lane, Lanes, Reading, SignalId};

/// Without a frame for this long a host is silent: 20 frames at the usual rate, 4 at the lowest.
const SILENT: Duration = Duration::from_secs(4);
/// However seldom a host sends, silence is told after this long, times those who share what comes.
const SLOWEST: Duration = Duration::from_secs(20);
/// A silent host is forgotten after this long.
const FORGOTTEN: Duration = Duration::from_hours(24);
/// A relay that is heard no more for this long has ended, and another may take its host's name.
const ENDED: Duration = Duration::from_secs(1);
/// How long a name counts as used twice after that was seen.
const TWICE: Duration = Duration::from_secs(10);
/// Hosts that are kept track of; what more there are is refused and counted.
const MOST_HOSTS: usize = 10_000;

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

/// What was not taken, since the engine started.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Refused {
    /// Longer than anything khor sends.
    pub oversized: u64,
    /// No messages of khor's.
    pub foreign: u64,
    /// Of a version this engine does not know.
    pub version: u64,
    /// Broken, or with values that mean nothing.
    pub malformed: u64,
    /// Sent under another host's subject.
    pub misdirected: u64,
    /// Late ones: newer ones came before.
    pub late: u64,
    /// Of a relay that uses another's name.
    pub duplicate: u64,
    /// Of more hosts than are kept track of.
    pub crowded: u64,
    /// Why the last of them was refused.
    pub last: Option<String>,
}

impl Refused {
    /// One more.
    fn note(&mut self, count: fn(&mut Self) -> &mut u64, subject: &str, why: &str) {
        *count(self) += 1;
        self.last = Some(format!("{subject}: {why}"));
    }

    /// Each reason with its count.
    pub fn by_reason(&self) -> [(&'static str, u64); 8] {
        let Self { oversized, foreign, version, malformed, misdirected, late, duplicate, crowded, last: _ } =
            *self;
        [
            ("oversized", oversized),
            ("foreign", foreign),
            ("version", version),
            ("malformed", malformed),
            ("misdirected", misdirected),
            ("late", late),
            ("duplicate", duplicate),
            ("crowded", crowded),
        ]
    }
}

/// A frame that was taken.
pub(crate) struct Arrival<'a> {
    /// Whose it is, and what it says.
    pub(crate) host: &'a Host,
    /// The host had been silent.
    pub(crate) is_back: bool,
}

/// Everybody who was heard.
pub(super) struct Hosts {
    tracked: BTreeMap<Name, Tracked>,
    pub(super) refused: Refused,
    /// Since when it can be known that somebody is silent.
    listening: Instant,
    /// Listeners that share what comes: each hears one frame in so many.
    shares: u32,
}

impl Hosts {
    pub(super) fn new(now: Instant) -> Self {
        Self { tracked: BTreeMap::new(), refused: Refused::default(), listening: now, shares: 1 }
    }

    /// The server was away: nobody could be heard.
    pub(super) fn listening_again(&mut self, now: Instant) {
        self.listening = now;
    }

    /// So many share what comes, at random: to have heard nothing means the less.
    pub(super) fn shared_by(&mut self, shares: u32) {
        self.shares = shares.max(1);
    }

    /// Takes a frame.
    pub(super) fn frame(
        &mut self,
        subject: &str,
        bytes: &[u8],
        now: Instant,
        wall_ms: u64,
    ) -> Option<Arrival<'_>> {
        let frame: Frame = self.read(subject, bytes, |frame: &Frame| &frame.host)?;
        let behind_ms = wall_ms.cast_signed().wrapping_sub(frame.wall_ms.cast_signed());
        if !self.tracked.contains_key(&frame.host) {
            if self.tracked.len() >= MOST_HOSTS {
                self.refuse(
                    |refused| &mut refused.crowded,
                    subject,
                    &format!("more than {MOST_HOSTS} hosts"),
                );
                return None;
            }
            let name = frame.host.clone();
            let tracked = self.tracked.entry(name).or_insert(Tracked::new(frame, now, behind_ms));
            return Some(Arrival { host: &tracked.host, is_back: false });
        }
        let (shares, refused) = (self.shares, &mut self.refused);
        let tracked = self.tracked.get_mut(&frame.host)?;
        match tracked.take(frame, now, behind_ms, shares) {
            Taken::Newer => {
                let is_back = std::mem::take(&mut tracked.host.silent);
                Some(Arrival { host: &tracked.host, is_back })
            }
            Taken::Late => {
                refused.late += 1;
                None
            }
            Taken::Rival => {
                let why = "another relay uses that name";
                refused.note(|refused| &mut refused.duplicate, subject, why);
                tracked.refused(why);
                None
            }
        }
    }

    /// Reads a message, or counts why not.
    pub(super) fn read<M: Message>(
        &mut self,
        subject: &str,
        bytes: &[u8],
        whose: fn(&M) -> &Name,
    ) -> Option<M> {
        match M::read(bytes) {
            Ok(message) if subject::host(subject).as_ref() == Ok(whose(&message)) => return Some(message),
            Ok(message) => {
                let why = format!("it says it comes from {}", whose(&message));
                self.refuse(|refused| &mut refused.misdirected, subject, &why);
            }
            Err(error) => {
                let count: fn(&mut Refused) -> &mut u64 = match error {
                    ReadError::Oversized { .. } => |refused| &mut refused.oversized,
                    ReadError::Foreign => |refused| &mut refused.foreign,
                    ReadError::Version(_) => |refused| &mut refused.version,
                    ReadError::Malformed(_) => |refused| &mut refused.malformed,
                };
                self.refuse(count, subject, &error.to_string());
            }
        }
        None
    }

    /// Counts what is not taken, also of the host whose name it came under.
    pub(super) fn refuse(&mut self, count: fn(&mut Refused) -> &mut u64, subject: &str, why: &str) {
        self.refused.note(count, subject, why);
        if let Some(tracked) = subject::host(subject).ok().and_then(|host| self.tracked.get_mut(&host)) {
            tracked.refused(why);
        }
    }

    /// Who has stopped sending since this was asked last; who has been silent for a day is forgotten.
    pub(super) fn fallen_silent(&mut self, now: Instant) -> Vec<Name> {
        self.tracked.retain(|_, host| now.duration_since(host.seen) < FORGOTTEN);
        let (listening, shares) = (self.listening, self.shares);
        let fallen = self.tracked.values_mut().filter(|tracked| {
            let unheard = now.duration_since(tracked.seen.max(listening));
            !tracked.host.silent && unheard >= tracked.patience(shares)
        });
        fallen
            .map(|tracked| {
                tracked.host.silent = true;
                tracked.host.name.clone()
            })
            .collect()
    }

    /// Everybody, by name.
    pub(super) fn tracked(&self) -> impl Iterator<Item = &Tracked> {
        self.tracked.values()
    }

    /// How many send, and how many have stopped.
    pub(super) fn count(&self) -> (u32, u32) {
        let silent = self.tracked.values().filter(|tracked| tracked.host.silent).count();
        ((self.tracked.len() - silent) as u32, silent as u32)
    }
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
    host: Host,
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
    fn refused(&mut self, why: &str) {
        self.host.refused += 1;
        self.host.refusal = Some(why.to_owned());
    }

    /// How long it may be unheard and not be silent. Of frames that are shared, one in so many is heard, at random:
    /// after twenty of each share, that none of them was is less likely than one in 10⁸.
    fn patience(&self, shares: u32) -> Duration {
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
    let signal = |i: usize| frame.signals.get(i).copied().flatten();
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
pub(crate) fn lanes(frame: &Frame) -> Lanes {
    const { assert!(khor_fleet::SIGNALS.len() == SignalId::COUNT) };
    std::array::from_fn(|i| {
        let signal = frame.signals.get(i).copied().flatten()?;
        let deviation = f32::from(signal.deviation) / khor_fleet::Signal::PARTS_OF_OCTAVE;
        Some(Lane { level: of_255(signal.level), deviation, surprise: of_255(signal.surprise) })
    })
}

fn of_255(part: u8) -> f32 {
    f32::from(part) / 255.0
}

#[cfg(test)]
mod tests {
    use super::{super::testing::plain_frame, *};

    const SUBJECT: &str = "khor.v1.home.web-1.frame";

    fn frame(instance: u32, seq: u64) -> Frame {
        let said = plain_frame("web-1", seq);
        Frame { instance, monotonic_ms: 1, wall_ms: 1_000, signals: vec![None], ..said }
    }

    /// Hosts that are told frames at given times.
    struct Site(Hosts, Instant);

    impl Site {
        fn new() -> Self {
            let now = Instant::now();
            Self(Hosts::new(now), now)
        }

        fn at(&mut self, ms: u64, instance: u32, seq: u64) -> Option<Name> {
            let bytes = frame(instance, seq).write().unwrap();
            let arrival = self.0.frame(SUBJECT, &bytes, self.1 + Duration::from_millis(ms), 1_250);
            arrival.filter(|arrival| arrival.is_back).map(|arrival| arrival.host.name.clone())
        }

        fn fallen(&mut self, ms: u64) -> usize {
            self.0.fallen_silent(self.1 + Duration::from_millis(ms)).len()
        }

        fn host(&self, ms: u64) -> Host {
            self.0.tracked().next().unwrap().look(self.1 + Duration::from_millis(ms))
        }
    }

    #[test]
    fn who_stops_is_silent_once_and_who_returns_is_named() {
        let mut site = Site::new();
        assert_eq!(site.at(0, 1, 0), None, "a stranger is no one who returns");
        assert_eq!((site.fallen(3_900), site.fallen(4_100), site.fallen(4_200)), (0, 1, 0));
        assert!(site.host(4_200).silent);
        assert_eq!(site.at(9_000, 2, 0).unwrap().as_str(), "web-1");
        assert!(!site.host(9_000).silent);
    }

    #[test]
    fn while_the_server_is_away_nobody_is_silent() {
        let mut site = Site::new();
        site.at(0, 1, 0);
        let back = site.1 + Duration::from_mins(1);
        site.0.listening_again(back);
        assert_eq!((site.fallen(61_000), site.fallen(64_500)), (0, 1));
    }

    /// Of two that share what comes, one may hear nothing for a while.
    #[test]
    fn who_hears_a_share_waits_longer() {
        let mut site = Site::new();
        site.0.shared_by(2);
        site.at(0, 1, 0);
        site.at(400, 1, 2);
        assert_eq!(site.host(400).missed, 0, "the other heard it");
        assert_eq!((site.fallen(8_300), site.fallen(8_500)), (0, 1));
        site.0.shared_by(1);
        site.at(9_000, 1, 40);
        assert_eq!((site.fallen(12_900), site.fallen(13_100)), (0, 1), "alone again");
    }

    #[test]
    fn late_and_missing_frames_are_counted_and_clocks_compared() {
        let mut site = Site::new();
        for seq in [0, 1, 4, 3, 4, 5] {
            site.at(seq * 200, 1, seq);
        }
        let host = site.host(1_000);
        assert_eq!((host.missed, host.late, host.behind_ms), (2, 2, 250));
        assert_eq!(site.0.refused.late, 2);
    }

    #[test]
    fn a_restart_is_none_and_two_of_a_name_are_told() {
        let mut site = Site::new();
        site.at(0, 1, 900);
        site.at(1_500, 2, 0);
        assert!(!site.host(1_500).used_twice && site.0.refused.duplicate == 0, "it was started again");
        for i in 1..10 {
            site.at(1_500 + i * 200, 2, i);
            site.at(1_600 + i * 200, 3, i);
        }
        let host = site.host(3_500);
        assert!(host.used_twice);
        assert_eq!((site.0.refused.duplicate, host.refused), (9, 9));
        assert_eq!(host.refusal.unwrap(), "another relay uses that name");
    }

    #[test]
    fn what_is_refused_is_counted_with_its_reason() {
        let mut site = Site::new();
        let now = site.1;
        let good = frame(1, 0).write().unwrap();
        let mut newer = good.clone();
        newer[2] = 9;
        for (subject, bytes) in [
            (SUBJECT, &b"hello"[..]),
            (SUBJECT, &vec![b'k'; 5_000]),
            (SUBJECT, &good[..20]),
            (SUBJECT, &newer),
            ("khor.v1.home.web-2.frame", &good),
        ] {
            assert!(site.0.frame(subject, bytes, now, 0).is_none());
        }
        let Refused { oversized, foreign, version, malformed, misdirected, last, .. } =
            site.0.refused.clone();
        assert_eq!([oversized, foreign, version, malformed, misdirected], [1; 5]);
        assert_eq!(last.unwrap(), "khor.v1.home.web-2.frame: it says it comes from web-1");
        assert!(site.0.tracked.is_empty());
    }
}
