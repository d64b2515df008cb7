//! Who is heard in a site: the newest frame of each host, who is silent, and what was refused and why. No I/O.

use std::{collections::BTreeMap, time::Duration};

use khor_fleet::{Cue, Frame, Message, Name, ReadError, Source, subject};
use khor_proto::CueKind;
use schemars::JsonSchema;
use serde::Serialize;
use tokio::time::Instant;

use crate::signal::{Counter, Lane, Reading, SignalId};

/// Without a frame for this long a host is silent: 20 frames at the usual rate, 4 at the lowest.
const SILENT: Duration = Duration::from_secs(4);
/// A silent host is forgotten after this long.
const FORGOTTEN: Duration = Duration::from_hours(24);
/// A relay that is heard no more for this long has ended, and another may take its host's name.
const ENDED: Duration = Duration::from_secs(1);
/// How long a name counts as used twice after that was seen.
const TWICE: Duration = Duration::from_secs(10);
/// Hosts that are kept track of; what more there are is refused and counted.
const MOST_HOSTS: usize = 10_000;

/// All hosts of a site at one instant.
#[derive(Clone, Debug)]
pub struct Site {
    /// The site.
    pub name: Name,
    /// Its hosts, by name.
    pub hosts: Vec<Host>,
    /// What was not taken.
    pub refused: Refused,
}

/// A host as it is known now.
#[derive(Clone, Debug)]
pub struct Host {
    /// Its name.
    pub name: Name,
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

struct Tracked {
    frame: Frame,
    seen: Instant,
    /// Whether it was said that it is silent.
    silent: bool,
    behind_ms: i64,
    missed: u64,
    late: u64,
    /// Another relay of that name, and when it was heard.
    rival: Option<Instant>,
    twice: Option<Instant>,
}

/// Everybody who was heard.
pub(super) struct Hosts {
    site: Name,
    tracked: BTreeMap<Name, Tracked>,
    refused: Refused,
    /// Since when it can be known that somebody is silent.
    listening: Instant,
}

impl Hosts {
    pub(super) fn new(site: Name, now: Instant) -> Self {
        Self { site, tracked: BTreeMap::new(), refused: Refused::default(), listening: now }
    }

    pub(super) fn site(&self) -> &Name {
        &self.site
    }

    /// The server was away: nobody could be heard.
    pub(super) fn listening_again(&mut self, now: Instant) {
        self.listening = now;
    }

    /// Takes a frame, and names its host if that had been silent.
    pub(super) fn frame(&mut self, subject: &str, bytes: &[u8], now: Instant, wall_ms: u64) -> Option<Name> {
        let frame: Frame = self.read(subject, bytes, |frame: &Frame| &frame.host)?;
        let behind_ms = wall_ms.cast_signed().wrapping_sub(frame.wall_ms.cast_signed());
        let Some(tracked) = self.tracked.get_mut(&frame.host) else {
            if self.tracked.len() >= MOST_HOSTS {
                self.refused.crowded += 1;
                self.refused.last = Some(format!("{subject}: more than {MOST_HOSTS} hosts"));
                return None;
            }
            self.tracked.insert(frame.host.clone(), Tracked::new(frame, now, behind_ms));
            return None;
        };
        match tracked.take(frame, now, behind_ms) {
            Taken::Newer => std::mem::take(&mut tracked.silent).then(|| tracked.frame.host.clone()),
            Taken::Late => {
                self.refused.late += 1;
                None
            }
            Taken::Rival => {
                self.refused.duplicate += 1;
                self.refused.last = Some(format!("{subject}: another relay uses that name"));
                None
            }
        }
    }

    /// Takes a cue, in khor-proto's shape. Kinds that a newer version may know are passed over.
    pub(super) fn cue(&mut self, subject: &str, bytes: &[u8]) -> Option<(Name, khor_proto::Cue)> {
        let cue: Cue = self.read(subject, bytes, |cue: &Cue| &cue.host)?;
        let kind = CueKind::ALL.into_iter().find(|kind| kind.name() == cue.kind)?;
        let Cue { host, monotonic_ms, pid, comm, detail, .. } = cue;
        let t_ns = monotonic_ms.saturating_mul(1_000_000);
        Some((host, khor_proto::Cue { kind, t_ns, pid, comm, cgroup_id: None, detail }))
    }

    /// Reads a message, or counts why not.
    fn read<M: Message>(&mut self, subject: &str, bytes: &[u8], host: fn(&M) -> &Name) -> Option<M> {
        let refused = &mut self.refused;
        let (count, why) = match M::read(bytes) {
            Ok(message) if subject::host(subject).as_ref() == Ok(host(&message)) => return Some(message),
            Ok(message) => (&mut refused.misdirected, format!("it says it comes from {}", host(&message))),
            Err(error) => {
                let count = match error {
                    ReadError::Oversized { .. } => &mut refused.oversized,
                    ReadError::Foreign => &mut refused.foreign,
                    ReadError::Version(_) => &mut refused.version,
                    ReadError::Malformed(_) => &mut refused.malformed,
                };
                (count, error.to_string())
            }
        };
        *count += 1;
        refused.last = Some(format!("{subject}: {why}"));
        None
    }

    /// Who has stopped sending since this was asked last; who has been silent for a day is forgotten.
    pub(super) fn fallen_silent(&mut self, now: Instant) -> Vec<Name> {
        self.tracked.retain(|_, host| now.duration_since(host.seen) < FORGOTTEN);
        let listening = self.listening;
        let fallen = self
            .tracked
            .values_mut()
            .filter(|host| !host.silent && now.duration_since(host.seen.max(listening)) >= SILENT);
        fallen
            .map(|host| {
                host.silent = true;
                host.frame.host.clone()
            })
            .collect()
    }

    /// Everybody now.
    pub(super) fn look(&self, now: Instant) -> Site {
        let hosts = self.tracked.values().map(|host| host.look(now)).collect();
        Site { name: self.site.clone(), hosts, refused: self.refused.clone() }
    }
}

/// What became of a frame.
enum Taken {
    Newer,
    Late,
    Rival,
}

impl Tracked {
    fn new(frame: Frame, seen: Instant, behind_ms: i64) -> Self {
        Self { frame, seen, silent: false, behind_ms, missed: 0, late: 0, rival: None, twice: None }
    }

    /// A relay that starts anew counts anew; one that begins while the other still speaks is a rival.
    fn take(&mut self, frame: Frame, now: Instant, behind_ms: i64) -> Taken {
        if frame.instance != self.frame.instance {
            if now.duration_since(self.seen) < ENDED {
                self.rival = Some(now);
                return Taken::Rival;
            }
            self.rival = None;
        } else if frame.seq <= self.frame.seq {
            self.late += 1;
            return Taken::Late;
        } else {
            self.missed += frame.seq - self.frame.seq - 1;
            if self.rival.is_some_and(|heard| now.duration_since(heard) < TWICE) {
                self.twice = Some(now);
            }
        }
        (self.frame, self.seen) = (frame, now);
        self.behind_ms = behind_ms;
        Taken::Newer
    }

    fn look(&self, now: Instant) -> Host {
        let Frame { host, section, version, source, .. } = &self.frame;
        Host {
            name: host.clone(),
            section: section.clone(),
            silent: self.silent,
            reading: reading(&self.frame),
            source: *source,
            version: version.clone(),
            seen_ago: now.duration_since(self.seen),
            behind_ms: self.behind_ms,
            missed: self.missed,
            late: self.late,
            used_twice: self.twice.is_some_and(|at| now.duration_since(at) < TWICE),
        }
    }
}

/// A frame as what this engine's own pipeline would have made of that machine.
fn reading(frame: &Frame) -> Reading {
    let signal = |i: usize| frame.signals.get(i).copied().flatten();
    let of_255 = |part: u8| f32::from(part) / 255.0;
    let lane = |i| {
        let signal = signal(i)?;
        let deviation = f32::from(signal.deviation) / khor_fleet::Signal::PARTS_OF_OCTAVE;
        Some(Lane { level: of_255(signal.level), deviation, surprise: of_255(signal.surprise) })
    };
    const { assert!(khor_fleet::SIGNALS.len() == SignalId::COUNT) };
    Reading {
        t_ns: frame.monotonic_ms.saturating_mul(1_000_000),
        lanes: std::array::from_fn(lane),
        rates: std::array::from_fn(|i| Some(signal(i)?.rate.into())),
        baselines: std::array::from_fn(|i| Some(signal(i)?.baseline.into())),
        learnt: of_255(frame.learnt),
        counter_rates: [None; Counter::ALL.len()],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SUBJECT: &str = "khor.v1.home.web-1.frame";

    fn frame(instance: u32, seq: u64) -> Frame {
        Frame {
            host: Name::new("web-1").unwrap(),
            section: None,
            boot_id: None,
            instance,
            seq,
            monotonic_ms: 1,
            wall_ms: 1_000,
            version: "0.1.0".into(),
            source: Source::Proc,
            learnt: 255,
            signals: vec![None],
        }
    }

    /// Hosts that are told frames at given times.
    struct Site(Hosts, Instant);

    impl Site {
        fn new() -> Self {
            let now = Instant::now();
            Self(Hosts::new(Name::new("home").unwrap(), now), now)
        }

        fn at(&mut self, ms: u64, instance: u32, seq: u64) -> Option<Name> {
            let bytes = frame(instance, seq).write().unwrap();
            self.0.frame(SUBJECT, &bytes, self.1 + Duration::from_millis(ms), 1_250)
        }

        fn fallen(&mut self, ms: u64) -> usize {
            self.0.fallen_silent(self.1 + Duration::from_millis(ms)).len()
        }

        fn host(&self, ms: u64) -> Host {
            self.0.look(self.1 + Duration::from_millis(ms)).hosts.remove(0)
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
        assert!(site.host(3_500).used_twice);
        assert_eq!(site.0.refused.duplicate, 9);
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
            assert_eq!(site.0.frame(subject, bytes, now, 0), None);
        }
        let Refused { oversized, foreign, version, malformed, misdirected, last, .. } =
            site.0.refused.clone();
        assert_eq!([oversized, foreign, version, malformed, misdirected], [1; 5]);
        assert_eq!(last.unwrap(), "khor.v1.home.web-2.frame: it says it comes from web-1");
        assert!(site.0.tracked.is_empty());
    }
}
