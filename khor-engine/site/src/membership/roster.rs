//! The hosts that send their own frames to this site, with their state, and the rejected messages.
//! No I/O.

use std::{collections::BTreeMap, time::Duration};

use khor_fleet::{Cue, Frame, Message, Name, ReadError, subject};
use khor_signal::Catalogue;
use tokio::time::Instant;

use super::{
    cue_limits::{Admission, CueLimits},
    host::{Host, Outcome, TrackedHost},
    refused::Refused,
};

/// A silent host is removed after this long.
const FORGOTTEN: Duration = Duration::from_hours(24);
/// Maximum number of tracked hosts. Frames of further hosts are rejected and counted.
const MOST_HOSTS: usize = 10_000;

/// A frame that was accepted.
pub(crate) struct Arrival<'a> {
    /// The host that sent the frame.
    pub(crate) host: &'a Host,
    /// Whether the host was silent before this frame.
    pub(crate) is_back: bool,
}

/// All hosts that send their own frames to this site.
pub(crate) struct HostRoster {
    tracked: BTreeMap<Name, TrackedHost>,
    cue_limits: CueLimits,
    refused: Refused,
    /// The lanes of all hosts. Lanes are only added, never removed.
    catalogue: Catalogue,
    /// When the connection was last established.
    connected: Instant,
    /// Number of receivers that share the frames. NATS sends each frame to a random one of them.
    shares: u32,
}

impl HostRoster {
    pub(crate) fn new(now: Instant) -> Self {
        Self {
            tracked: BTreeMap::new(),
            cue_limits: CueLimits::new(now),
            refused: Refused::default(),
            catalogue: Catalogue::kernel(),
            connected: now,
            shares: 1,
        }
    }

    /// Call this after a reconnect, so that no host is reported as silent only because the
    /// connection was lost.
    pub(crate) fn reconnected(&mut self, now: Instant) {
        self.connected = now;
    }

    /// The catalogue of all hosts' lanes. It grows when a host sends a lane with a new name.
    pub(crate) fn catalogue(&mut self) -> &mut Catalogue {
        &mut self.catalogue
    }

    /// Sets the number of receivers that share the frames.
    pub(crate) fn set_shares(&mut self, shares: u32) {
        self.shares = shares.max(1);
    }

    /// Handles a host's frame. If the frame is rejected, counts the reason and returns `None`.
    pub(crate) fn host_frame(
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
                let why = format!("the site already has the maximum of {MOST_HOSTS} hosts");
                self.refuse(|refused| &mut refused.crowded, subject, &why);
                return None;
            }
            let name = frame.host.clone();
            let tracked = TrackedHost::new(frame, now, behind_ms, &mut self.catalogue);
            let tracked = self.tracked.entry(name).or_insert(tracked);
            return Some(Arrival { host: &tracked.host, is_back: false });
        }
        let (shares, refused) = (self.shares, &mut self.refused);
        let tracked = self.tracked.get_mut(&frame.host)?;
        match tracked.update(frame, now, behind_ms, shares, &mut self.catalogue) {
            Outcome::Accepted => {
                let is_back = std::mem::take(&mut tracked.host.silent);
                Some(Arrival { host: &tracked.host, is_back })
            }
            Outcome::Late => {
                refused.late += 1;
                None
            }
            Outcome::Rival => {
                let why = "another relay uses this host's name";
                refused.note(|refused| &mut refused.duplicate, subject, why);
                tracked.count_refusal(why);
                None
            }
        }
    }

    /// Reads a cue. Rejects the cue if its host has sent too many.
    pub(crate) fn cue(&mut self, subject: &str, bytes: &[u8], now: Instant) -> Option<(Cue, Admission)> {
        let cue = self.read(subject, bytes, |cue: &Cue| &cue.host)?;
        let sends_frames = self.tracked.contains_key(&cue.host);
        match self.cue_limits.admit(&cue.host, sends_frames, now) {
            Ok(admission) => Some((cue, admission)),
            Err(refusal) => {
                self.refuse(|refused| &mut refused.flooded, subject, refusal);
                None
            }
        }
    }

    /// Reads a message. If it is rejected, counts the reason and returns `None`.
    pub(crate) fn read<M: Message>(
        &mut self,
        subject: &str,
        bytes: &[u8],
        sender: fn(&M) -> &Name,
    ) -> Option<M> {
        match M::read(bytes) {
            Ok(message) if subject::host(subject).as_ref() == Ok(sender(&message)) => return Some(message),
            Ok(message) => {
                let why =
                    format!("the message names a different host than its subject: {}", sender(&message));
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

    /// Counts a rejected message. If the host in its subject is known, also counts the message for
    /// that host.
    pub(crate) fn refuse(&mut self, count: fn(&mut Refused) -> &mut u64, subject: &str, why: &str) {
        self.refused.note(count, subject, why);
        if let Some(tracked) = subject::host(subject).ok().and_then(|host| self.tracked.get_mut(&host)) {
            tracked.count_refusal(why);
        }
    }

    /// Counts a message that arrived after a newer one.
    pub(crate) fn count_late(&mut self) {
        self.refused.late += 1;
    }

    /// The counts of rejected messages.
    pub(crate) fn refused(&self) -> &Refused {
        &self.refused
    }

    /// Returns the hosts that fell silent since the last call. Removes hosts that have been silent
    /// for a day.
    pub(crate) fn fallen_silent(&mut self, now: Instant) -> Vec<Name> {
        self.tracked.retain(|_, host| now.duration_since(host.seen()) < FORGOTTEN);
        let (connected, shares) = (self.connected, self.shares);
        let fallen = self.tracked.values_mut().filter(|tracked| {
            let without_frame = now.duration_since(tracked.seen().max(connected));
            !tracked.host.silent && without_frame >= tracked.silence_timeout(shares)
        });
        fallen
            .map(|tracked| {
                tracked.host.silent = true;
                tracked.host.name.clone()
            })
            .collect()
    }

    /// All hosts, by name.
    pub(crate) fn tracked(&self) -> impl Iterator<Item = &TrackedHost> {
        self.tracked.values()
    }

    /// Returns the number of hosts that send, and the number of silent hosts.
    pub(crate) fn count(&self) -> (u32, u32) {
        let silent = self.tracked.values().filter(|tracked| tracked.host.silent).count();
        ((self.tracked.len() - silent) as u32, silent as u32)
    }

    /// The number of hosts in each section, including silent ones. `None` stands for the hosts
    /// without a section.
    pub(crate) fn sections(&self) -> BTreeMap<Option<Name>, u32> {
        let mut sections: BTreeMap<Option<Name>, u32> = BTreeMap::new();
        for TrackedHost { host, .. } in self.tracked.values() {
            match sections.get_mut(&host.section) {
                Some(hosts) => *hosts += 1,
                None => {
                    sections.insert(host.section.clone(), 1);
                }
            }
        }
        sections
    }
}

/// Returns the number of hosts in each section, sorted by the name of the section. The hosts
/// without a section come last. If there are more than `most` entries, the hosts of the last
/// sections by name count as hosts without a section.
pub(crate) fn pool_sections(
    mut sections: BTreeMap<Option<Name>, u32>,
    most: usize,
) -> Vec<(Option<Name>, u32)> {
    let named = if sections.len() > most { most - 1 } else { most };
    let without = sections.remove(&None);
    let mut pooled: Vec<_> = sections.into_iter().collect();
    let beyond = pooled.split_off(named.min(pooled.len()));
    let others = beyond.into_iter().map(|(_, hosts)| hosts).chain(without).reduce(|a, b| a + b);
    pooled.extend(others.map(|hosts| (None, hosts)));
    pooled
}

#[cfg(test)]
mod tests {
    use khor_proto::inert;

    use super::*;
    use crate::testing::plain_frame;

    const SUBJECT: &str = "khor.v1.home.web-1.frame";

    fn frame(instance: u32, seq: u64) -> Frame {
        let plain = plain_frame("web-1", seq);
        Frame { instance, monotonic_ms: 1, wall_ms: 1_000, signals: vec![None], ..plain }
    }

    /// A roster that receives frames at given times.
    struct Site(HostRoster, Instant);

    impl Site {
        fn new() -> Self {
            let now = Instant::now();
            Self(HostRoster::new(now), now)
        }

        fn at(&mut self, ms: u64, instance: u32, seq: u64) -> Option<Name> {
            let bytes = frame(instance, seq).write().unwrap();
            let arrival = self.0.host_frame(SUBJECT, &bytes, self.1 + Duration::from_millis(ms), 1_250);
            arrival.filter(|arrival| arrival.is_back).map(|arrival| arrival.host.name.clone())
        }

        fn fallen(&mut self, ms: u64) -> usize {
            self.0.fallen_silent(self.1 + Duration::from_millis(ms)).len()
        }

        fn host(&self, ms: u64) -> Host {
            self.0.tracked().next().unwrap().snapshot(self.1 + Duration::from_millis(ms))
        }
    }

    #[test]
    fn silent_and_returning_hosts_are_reported() {
        let mut site = Site::new();
        assert_eq!(site.at(0, 1, 0), None, "a new host is not a returning host");
        assert_eq!((site.fallen(3_900), site.fallen(4_100), site.fallen(4_200)), (0, 1, 0));
        assert!(site.host(4_200).silent);
        assert_eq!(site.at(9_000, 2, 0).unwrap().as_str(), "web-1");
        assert!(!site.host(9_000).silent);
    }

    #[test]
    fn a_lost_connection_makes_no_host_silent() {
        let mut site = Site::new();
        site.at(0, 1, 0);
        let back = site.1 + Duration::from_mins(1);
        site.0.reconnected(back);
        assert_eq!((site.fallen(61_000), site.fallen(64_500)), (0, 1));
    }

    /// If two receivers share the frames, one of them may receive no frame of a host for a while.
    #[test]
    fn shared_frames_lengthen_the_silence_timeout() {
        let mut site = Site::new();
        site.0.set_shares(2);
        site.at(0, 1, 0);
        site.at(400, 1, 2);
        assert_eq!(site.host(400).missed, 0, "the other receiver received the missing frame");
        assert_eq!((site.fallen(8_300), site.fallen(8_500)), (0, 1));
        site.0.set_shares(1);
        site.at(9_000, 1, 40);
        assert_eq!((site.fallen(12_900), site.fallen(13_100)), (0, 1), "the other receiver has ended");
    }

    #[test]
    fn late_and_missing_frames_are_counted() {
        let mut site = Site::new();
        for seq in [0, 1, 4, 3, 4, 5] {
            site.at(seq * 200, 1, seq);
        }
        let host = site.host(1_000);
        assert_eq!((host.missed, host.late, host.behind_ms), (2, 2, 250));
        assert_eq!(site.0.refused.late, 2);
    }

    #[test]
    fn two_relays_with_one_name_are_reported() {
        let mut site = Site::new();
        site.at(0, 1, 900);
        site.at(1_500, 2, 0);
        assert!(!site.host(1_500).used_twice && site.0.refused.duplicate == 0, "the relay was restarted");
        for i in 1..10 {
            site.at(1_500 + i * 200, 2, i);
            site.at(1_600 + i * 200, 3, i);
        }
        let host = site.host(3_500);
        assert!(host.used_twice);
        assert_eq!((site.0.refused.duplicate, host.refused), (9, 9));
        assert_eq!(host.refusal.unwrap(), "another relay uses this host's name");
    }

    #[test]
    fn rejected_messages_are_counted_by_reason() {
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
            assert!(site.0.host_frame(subject, bytes, now, 0).is_none());
        }
        let Refused { oversized, foreign, version, malformed, misdirected, last, .. } =
            site.0.refused.clone();
        assert_eq!([oversized, foreign, version, malformed, misdirected], [1; 5]);
        assert_eq!(
            last.unwrap(),
            "khor.v1.home.web-2.frame: the message names a different host than its subject: web-1"
        );
        assert!(site.0.tracked.is_empty());
        let hostile = "khor.v1.home.\x1b]52;c;cm0=\x07\u{202e}.frame";
        assert!(site.0.host_frame(hostile, b"hello", now, 0).is_none());
        let last = site.0.refused.last.clone().unwrap();
        assert!(inert::is_inert(&last) && last.contains("\\u{1b}]52"), "{last}");
    }
}
