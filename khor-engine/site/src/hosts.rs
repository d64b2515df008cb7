//! Who is heard in a site: all its hosts, who is silent, and what was refused and why. No I/O.

use std::{collections::BTreeMap, time::Duration};

use khor_fleet::{Frame, Message, Name, ReadError, subject};
use khor_proto::inert;
use schemars::JsonSchema;
use serde::Serialize;
use tokio::time::Instant;

use super::host::{Host, Taken, Tracked};

/// A silent host is forgotten after this long.
const FORGOTTEN: Duration = Duration::from_hours(24);
/// Hosts that are kept track of; what more there are is refused and counted.
const MOST_HOSTS: usize = 10_000;
/// Most characters of a subject that are shown. A server accepts any text without spaces as a
/// subject.
const SUBJECT_CHARS: usize = 200;

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
    /// Cues beyond the limit of a host.
    pub flooded: u64,
    /// Why the last of them was refused.
    pub last: Option<String>,
}

impl Refused {
    /// Number of reasons.
    pub const REASONS: usize = 9;

    /// One more.
    fn note(&mut self, count: fn(&mut Self) -> &mut u64, subject: &str, why: &str) {
        *count(self) += 1;
        self.last = Some(format!("{}: {why}", inert::escaped(subject, SUBJECT_CHARS)));
    }

    /// Each reason with its count.
    pub fn by_reason(&self) -> [(&'static str, u64); Self::REASONS] {
        let Self {
            oversized,
            foreign,
            version,
            malformed,
            misdirected,
            late,
            duplicate,
            crowded,
            flooded,
            last: _,
        } = *self;
        [
            ("oversized", oversized),
            ("foreign", foreign),
            ("version", version),
            ("malformed", malformed),
            ("misdirected", misdirected),
            ("late", late),
            ("duplicate", duplicate),
            ("crowded", crowded),
            ("flooded", flooded),
        ]
    }
}

/// A frame that was taken.
pub struct Arrival<'a> {
    /// Whose it is, and what it says.
    pub host: &'a Host,
    /// The host had been silent.
    pub is_back: bool,
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
        self.tracked.retain(|_, host| now.duration_since(host.seen()) < FORGOTTEN);
        let (listening, shares) = (self.listening, self.shares);
        let fallen = self.tracked.values_mut().filter(|tracked| {
            let unheard = now.duration_since(tracked.seen().max(listening));
            !tracked.host.silent && unheard >= tracked.patience(shares)
        });
        fallen
            .map(|tracked| {
                tracked.host.silent = true;
                tracked.host.name.clone()
            })
            .collect()
    }

    /// Whether this host sends frames.
    pub(super) fn knows(&self, host: &Name) -> bool {
        self.tracked.contains_key(host)
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
        let hostile = "khor.v1.home.\x1b]52;c;cm0=\x07\u{202e}.frame";
        assert!(site.0.frame(hostile, b"hello", now, 0).is_none());
        let last = site.0.refused.last.clone().unwrap();
        assert!(inert::is_inert(&last) && last.contains("\\u{1b}]52"), "{last}");
    }
}
