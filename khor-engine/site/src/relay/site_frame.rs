//! Builds site frames: adds up the frames that hosts have sent since the last site frame. Also
//! tracks the other relays that share the site. No I/O.

use std::{
    collections::{BTreeMap, VecDeque},
    time::Duration,
};

use bytes::Bytes;
use khor_fleet::{
    Change, Cue, Message, Name, Section, Sections, SiteFrame,
    sketch::{MAX_PARTS, Sketch},
};
use khor_signal::{Lanes, largest_deviation};
use khor_system::clock::now_unix_ms;
use tokio::time::Instant;
use tracing::warn;

use super::progress::Received;
use crate::{
    aggregate::Aggregate,
    membership::{Admission, HostRoster, pool_sections},
};

/// Another relay that shares the site counts as ended if it sends nothing for this long.
const PEER_ENDED: Duration = Duration::from_secs(3);
/// Maximum number of other relays that share the site. Each additional relay delays the report of a
/// silent host, and a hostile peer could invent any number of relays.
const MOST_PEERS: usize = 31;
/// The site frames repeat each change of a host for this long, so that a lost frame does not lose
/// the change.
const REPEATED_FOR: Duration = Duration::from_secs(5);
/// The reason that a relay that aggregates gives for rejecting the frame of a sub-site.
const NESTED: &str =
    "a relay cannot aggregate a site: publish the sum of this site in the site that the engine plays";

/// The choices for the number of bins in each doubling of a value, the finest choice first. The
/// first number of a choice is for the sketches of all hosts, and the second one for the sketches
/// of sections. Sections become coarser first, because only the sketches of all hosts contain
/// rates. The last choices are for frames without sections.
const FINENESS: [(u8, Option<u8>); 12] = [
    (16, Some(8)),
    (16, Some(4)),
    (16, Some(2)),
    (8, Some(2)),
    (4, Some(2)),
    (2, Some(2)),
    (1, Some(2)),
    (16, None),
    (8, None),
    (4, None),
    (2, None),
    (1, None),
];

/// Builds the site frames of one relay.
pub struct SiteFrameBuilder {
    site: Name,
    roster: HostRoster,
    instance: u32,
    seq: u64,
    /// When the last site frame was built.
    since: Instant,
    /// The sum over the frames of hosts since [`Self::since`].
    aggregate: Aggregate,
    most_deviant: MostDeviant,
    changes: VecDeque<(Instant, Change)>,
    /// Other relays that report this site, and when their last frames arrived.
    peers: BTreeMap<u32, Instant>,
    frames: u64,
}

impl SiteFrameBuilder {
    /// Creates a builder that has not received a frame yet. `instance` is the random number of its
    /// relay.
    pub fn new(site: Name, instance: u32, now: Instant) -> Self {
        Self {
            site,
            roster: HostRoster::new(now),
            instance,
            seq: 0,
            since: now,
            aggregate: Aggregate::new(),
            most_deviant: MostDeviant::default(),
            changes: VecDeque::new(),
            peers: BTreeMap::new(),
            frames: 0,
        }
    }

    /// The name of the site.
    pub(super) fn site(&self) -> &Name {
        &self.site
    }

    /// Call this after a reconnect, so that no host is reported as silent only because the
    /// connection was lost.
    pub(super) fn reconnected(&mut self, now: Instant) {
        self.roster.reconnected(now);
    }

    /// Adds the frame of a host to the sum.
    pub fn host_frame(&mut self, subject: &str, bytes: &Bytes, now: Instant) {
        let Some(arrival) = self.roster.host_frame(subject, bytes, now, now_unix_ms()) else { return };
        self.aggregate.add_host(arrival.host.section.as_ref(), &arrival.host.reading);
        self.most_deviant.offer(&arrival.host.name, &arrival.host.reading.lanes, bytes);
        self.frames += 1;
        if arrival.is_back {
            let back = arrival.host.name.clone();
            self.note_change(back, true, now);
        }
    }

    /// Reads a cue. Rejects the cue if its host has sent too many.
    pub(super) fn cue(&mut self, subject: &str, bytes: &[u8], now: Instant) -> Option<(Cue, Admission)> {
        self.roster.cue(subject, bytes, now)
    }

    /// Rejects the frame of a sub-site.
    pub(super) fn refuse_site_frame(&mut self, subject: &str) {
        self.roster.refuse(|refused| &mut refused.nested, subject, NESTED);
        if self.roster.refused().nested == 1 {
            warn!("{}: {NESTED}", self.site);
        }
    }

    /// Handles a site frame of this site, which another relay or this one has published.
    pub(super) fn peer_frame(&mut self, bytes: &[u8], now: Instant) {
        if let Ok(frame) = SiteFrame::read(bytes)
            && frame.instance != self.instance
            && frame.site == self.site
        {
            self.update_shares(now);
            if self.peers.len() < MOST_PEERS || self.peers.contains_key(&frame.instance) {
                self.peers.insert(frame.instance, now);
            }
            self.update_shares(now);
        }
    }

    fn update_shares(&mut self, now: Instant) {
        self.peers.retain(|_, seen| now.duration_since(*seen) < PEER_ENDED);
        self.roster.set_shares(1 + self.peers.len() as u32);
    }

    fn note_change(&mut self, name: Name, is_back: bool, now: Instant) {
        if self.changes.len() == SiteFrame::MAX_CHANGES {
            self.changes.pop_front();
        }
        self.changes.push_back((now, Change { name, is_back, wall_ms: now_unix_ms() }));
    }

    /// Encodes the next site frame with the finest sketches that fit into `most` bytes. If none
    /// fit, returns the shortest frame.
    pub fn encode(&mut self, now: Instant, wall_ms: u64, most: usize) -> Option<Vec<u8>> {
        let frame = self.frame(now, wall_ms);
        encode_within(frame, &self.aggregate, most)
    }

    /// Creates the next site frame, without the sketches.
    fn frame(&mut self, now: Instant, wall_ms: u64) -> SiteFrame {
        self.update_shares(now);
        for fallen in self.roster.fallen_silent(now) {
            self.note_change(fallen, false, now);
        }
        self.changes.retain(|(noticed, _)| now.duration_since(*noticed) < REPEATED_FOR);
        let (hosts, silent) = self.roster.count();
        let mut version = env!("CARGO_PKG_VERSION").to_owned();
        version.truncate(SiteFrame::MAX_VERSION_LEN);
        let frame = SiteFrame {
            site: self.site.clone(),
            instance: self.instance,
            seq: self.seq,
            wall_ms,
            window_ms: now.duration_since(self.since).as_millis() as u32,
            version,
            levels: SiteFrame::LEVELS,
            hosts,
            silent,
            refused: self.roster.refused().by_reason().iter().map(|(_, count)| count).sum(),
            parts: MAX_PARTS,
            learnt: Sketch::default(),
            signals: Vec::new(),
            deviant: self.most_deviant.frames(),
            changes: self.changes.iter().map(|(_, change)| change.clone()).collect(),
            sections: sections(pool_sections(self.roster.sections(), SiteFrame::MAX_SECTIONS)),
        };
        self.seq += 1;
        frame
    }

    /// Begins the next site frame. Drops the previous sum, even if it could not be sent.
    pub fn reset(&mut self, now: Instant) {
        self.since = now;
        self.aggregate.clear();
        self.most_deviant = MostDeviant::default();
    }

    pub(super) fn report(&self, received: &mut Received) {
        received.frames = self.frames;
        (received.hosts, received.silent) = self.roster.count();
        received.sharers = 1 + self.peers.len() as u32;
        received.refused = self.roster.refused().by_reason();
    }
}

/// Creates the sections of a site frame. Returns `None` if no host has a section.
fn sections(counts: Vec<(Option<Name>, u32)>) -> Option<Sections> {
    if counts.iter().all(|(name, _)| name.is_none()) {
        return None;
    }
    let section = |(name, hosts)| Section { name, hosts, signals: Vec::new() };
    Some(Sections { parts: 1, groups: counts.into_iter().map(section).collect() })
}

/// Adds the sketches to a frame and encodes it, see [`SiteFrameBuilder::encode`].
fn encode_within(mut frame: SiteFrame, aggregate: &Aggregate, most: usize) -> Option<Vec<u8>> {
    let mut shortest: Option<Vec<u8>> = None;
    let sections = frame.sections.take();
    for (parts, section_parts) in FINENESS {
        frame.parts = parts;
        frame.sections = match (&sections, section_parts) {
            (Some(sections), Some(parts)) => Some(Sections { parts, ..sections.clone() }),
            (_, None) => None,
            (None, Some(_)) => continue,
        };
        aggregate.write(&mut frame);
        match frame.write() {
            Ok(bytes) if bytes.len() <= most => return Some(bytes),
            Ok(bytes) if shortest.as_ref().is_none_or(|shortest| bytes.len() < shortest.len()) => {
                shortest = Some(bytes);
            }
            Ok(_) | Err(_) => {}
        }
    }
    if shortest.is_none() {
        warn!("cannot send a frame of the site {}: it is too long even with the widest bins", frame.site);
    }
    shortest
}

/// The hosts that are furthest above their baselines. Each entry has the host's name, its largest
/// deviation in octaves, and its newest frame.
#[derive(Default)]
struct MostDeviant(Vec<(Name, f32, Bytes)>);

impl MostDeviant {
    fn offer(&mut self, host: &Name, lanes: &Lanes, frame: &Bytes) {
        let octaves = largest_deviation(lanes).map_or(f32::MIN, |(_, octaves)| octaves);
        if let Some(held) = self.0.iter_mut().find(|(name, ..)| name == host) {
            (held.1, held.2) = (octaves, frame.clone());
        } else if self.0.len() < SiteFrame::MAX_DEVIANT {
            self.0.push((host.clone(), octaves, frame.clone()));
        } else if let Some(least) = self.0.iter_mut().min_by(|a, b| a.1.total_cmp(&b.1))
            && least.1 < octaves
        {
            *least = (host.clone(), octaves, frame.clone());
        }
    }

    fn frames(&mut self) -> Vec<Vec<u8>> {
        self.0.sort_by(|a, b| b.1.total_cmp(&a.1));
        self.0.iter().map(|(.., frame)| frame.to_vec()).collect()
    }
}

#[cfg(test)]
mod tests {
    use khor_fleet::{
        Frame, Signal,
        subject::{self, Kind},
    };

    use super::*;
    use crate::testing::plain_frame;

    /// A frame of a host, as NATS delivers it.
    struct HostMessage {
        subject: String,
        bytes: Bytes,
    }

    impl SiteFrameBuilder {
        fn receive(&mut self, message: &HostMessage, now: Instant) {
            self.host_frame(&message.subject, &message.bytes, now);
        }
    }

    fn name(text: &str) -> Name {
        Name::new(text).unwrap()
    }

    /// Creates a frame of a host. The host is in the section `db` if its name ends in an even
    /// digit, else in `web`.
    fn host(name: &str, seq: u64, octaves: f32) -> HostMessage {
        let is_even = name.bytes().last().unwrap().is_multiple_of(2);
        in_section(if is_even { "db" } else { "web" }, name, seq, octaves)
    }

    fn in_section(section: &str, name: &str, seq: u64, octaves: f32) -> HostMessage {
        let signal = Signal {
            rate: 100.0 * octaves.exp2(),
            baseline: 100.0,
            deviation: (octaves * Signal::PARTS_OF_OCTAVE) as i16,
            level: 100,
            surprise: 0,
        };
        let signals = vec![Some(signal); khor_fleet::SIGNALS.len()];
        let frame = Frame { signals, section: Some(self::name(section)), ..plain_frame(name, seq) };
        let subject = subject::of_host(&self::name("rack"), &self::name(name), Kind::Frame);
        HostMessage { subject, bytes: frame.write().unwrap().into() }
    }

    /// The number of hosts in each section.
    fn counts(frame: &SiteFrame) -> Vec<(Option<String>, u32)> {
        let groups = frame.sections.iter().flat_map(|sections| &sections.groups);
        groups.map(|group| (group.name.as_ref().map(ToString::to_string), group.hosts)).collect()
    }

    fn next_frame(builder: &mut SiteFrameBuilder, now: Instant) -> SiteFrame {
        let bytes = builder.encode(now, now_unix_ms(), usize::MAX).unwrap();
        builder.reset(now);
        SiteFrame::read(&bytes).unwrap()
    }

    #[test]
    fn a_small_message_limit_makes_frames_coarser() {
        let begun = Instant::now();
        let mut builder = SiteFrameBuilder::new(name("rack"), 1, begun);
        for i in 0..200_u8 {
            builder.receive(&host(&format!("h{i}"), 0, f32::from(i) / 40.0), begun);
        }
        let mut length = |most| builder.encode(begun, 0, most).unwrap().len();
        let whole = length(usize::MAX);
        let half = length(whole / 2);
        assert!(half <= whole / 2, "{half} of {whole} bytes");
        assert!(length(0) <= half, "if no frame fits, the result is the shortest");
    }

    /// Each frame arrives at one of two relays, chosen at random.
    #[test]
    fn two_relays_report_the_same_sum() {
        let begun = Instant::now();
        let mut alone = SiteFrameBuilder::new(name("rack"), 1, begun);
        let mut shared = [2, 3].map(|instance| SiteFrameBuilder::new(name("rack"), instance, begun));
        let mut random = fastrand::Rng::with_seed(7);
        let (mut whole, mut sum) = (Aggregate::new(), Aggregate::new());
        for seq in 0..20 {
            let now = begun + Duration::from_millis(seq * 200);
            for i in 0..50 {
                let message = host(&format!("h{i}"), seq, if i == 30 { 5.0 } else { random.f32() });
                alone.receive(&message, now);
                shared[random.usize(..2)].receive(&message, now);
            }
            whole.add_site(&next_frame(&mut alone, now));
            for builder in &mut shared {
                sum.add_site(&next_frame(builder, now));
            }
        }
        let mut encoded = |aggregate: &Aggregate| {
            let bytes = encode_within(alone.frame(begun, 0), aggregate, usize::MAX).unwrap();
            let SiteFrame { learnt, signals, sections, .. } = SiteFrame::read(&bytes).unwrap();
            (learnt, signals, sections.unwrap())
        };
        assert_eq!(encoded(&sum), encoded(&whole));
        let (_, signals, sections) = encoded(&whole);
        assert!(signals.len() == khor_fleet::SIGNALS.len() && signals.iter().all(Option::is_some));
        let present = |section: &Section| section.signals.iter().flatten().count();
        assert!(sections.groups.iter().all(|section| present(section) == khor_fleet::SIGNALS.len()));
        let end = begun + Duration::from_secs(4);
        for mut builder in shared {
            let frame = builder.frame(end, 0);
            assert_eq!((frame.hosts, frame.silent), (50, 0), "each relay counts all hosts");
            assert_eq!(counts(&frame), [(Some("db".into()), 25), (Some("web".into()), 25)]);
        }
    }

    #[test]
    fn the_most_deviant_hosts_keep_their_frames() {
        let begun = Instant::now();
        let mut builder = SiteFrameBuilder::new(name("rack"), 1, begun);
        for i in 0..100u8 {
            builder.receive(&host(&format!("h{i}"), 0, f32::from(i) / 20.0), begun);
        }
        let calm = host("h99", 1, 0.0);
        builder.receive(&calm, begun);
        let frame = next_frame(&mut builder, begun);
        let named: Vec<String> =
            frame.deviant.iter().map(|bytes| Frame::read(bytes).unwrap().host.to_string()).collect();
        assert_eq!(named[..3], ["h98", "h97", "h96"], "{named:?}");
        assert_eq!(
            (named.len(), named.contains(&"h99".to_owned())),
            (8, true),
            "the newest frame of h99 has no deviation"
        );
        assert!(next_frame(&mut builder, begun).deviant.is_empty(), "no frame arrived since");
    }

    #[test]
    fn relays_that_share_report_silence_later() {
        let begun = Instant::now();
        let at = |ms| begun + Duration::from_millis(ms);
        let mut builder = SiteFrameBuilder::new(name("rack"), 1, begun);
        builder.receive(&host("a", 0, 0.0), begun);
        let mut other = SiteFrameBuilder::new(name("rack"), 2, begun);
        let peer = other.encode(begun, 0, usize::MAX).unwrap();
        builder.peer_frame(&peer, at(3_900));
        assert_eq!(next_frame(&mut builder, at(5_000)).silent, 0, "the other relay may have its frame");
        let frame = next_frame(&mut builder, at(8_100));
        assert_eq!((frame.hosts, frame.silent, frame.changes.len()), (0, 1, 1), "the other relay has ended");
        assert_eq!(next_frame(&mut builder, at(13_000)).changes.len(), 1);
        assert_eq!(next_frame(&mut builder, at(13_200)).changes.len(), 0);
        builder.receive(&host("a", 90, 0.0), at(14_000));
        assert!(next_frame(&mut builder, at(14_000)).changes[0].is_back);
    }

    #[test]
    fn a_relay_rejects_sites_within_its_site() {
        let begun = Instant::now();
        let mut builder = SiteFrameBuilder::new(name("hall"), 1, begun);
        builder.refuse_site_frame("khor.v1.hall.rack-1.site");
        let mut received = Received::default();
        builder.report(&mut received);
        assert!(received.refused.contains(&("nested", 1)));
        assert_eq!(next_frame(&mut builder, begun).refused, 1);
    }

    /// The hosts of all other sections are counted together, so that the frame is not too long.
    #[test]
    fn the_first_of_many_sections_are_reported() {
        let begun = Instant::now();
        let mut builder = SiteFrameBuilder::new(name("rack"), 1, begun);
        for i in 0..40 {
            builder.receive(&in_section(&format!("s{i:02}"), &format!("h{i}"), 0, i as f32 / 10.0), begun);
        }
        let frame = next_frame(&mut builder, begun);
        let counts = counts(&frame);
        let names: Vec<_> = counts.iter().map(|(name, hosts)| (name.as_deref(), *hosts)).collect();
        assert_eq!(
            (names.len(), names[0], names[10], names[11]),
            (12, (Some("s00"), 1), (Some("s10"), 1), (None, 29))
        );
        let sections = frame.sections.unwrap();
        let values = sections.groups[11].signals[0].as_ref().unwrap().level.values(sections.parts);
        assert_eq!(values.map(|(_, hosts)| hosts).sum::<u32>(), 29);
    }

    /// The bins become wider until the frame fits. The frame states how many bins there are in each
    /// doubling.
    #[test]
    fn frames_of_very_different_hosts_are_coarser() {
        let finest = |sections: usize| {
            let aggregate = different_hosts(sections);
            let known = (0..sections).map(|i| (Some(name(&format!("s{i}"))), 5)).collect();
            let mut builder = SiteFrameBuilder::new(name("rack"), 1, Instant::now());
            let frame = SiteFrame { sections: super::sections(known), ..builder.frame(Instant::now(), 0) };
            let bytes = encode_within(frame, &aggregate, usize::MAX).unwrap();
            assert!(bytes.len() <= SiteFrame::MAX_BYTES);
            let read = SiteFrame::read(&bytes).unwrap();
            let parts = (read.parts, read.sections.map(|sections| sections.parts));
            println!("{sections} sections: {} bytes, bins in each doubling: {parts:?}", bytes.len());
            parts
        };
        assert_eq!([finest(0), finest(4), finest(12)], [(4, None), (4, Some(2)), (4, None)]);
    }

    /// Creates 20,000 hosts that are as different as possible, in this number of sections.
    fn different_hosts(sections: usize) -> Aggregate {
        let mut aggregate = Aggregate::new();
        let mut random = fastrand::Rng::with_seed(1);
        for _ in 0..20_000 {
            let lanes = khor_signal::PerLane::from_fn(0, |_| {
                Some(khor_signal::Lane {
                    level: random.f32(),
                    deviation: random.f32() * 32.0 - 16.0,
                    surprise: random.f32(),
                })
            });
            let rates = khor_signal::PerLane::from_fn(0, |_| Some((random.f64() * 60.0 - 20.0).exp2()));
            let counter_rates = [None; khor_signal::Counter::ALL.len()];
            let reading = khor_signal::Reading {
                t_ns: 0,
                lanes,
                baselines: rates.clone(),
                rates,
                learnt: random.f32(),
                counter_rates,
            };
            let section = (sections > 0).then(|| name(&format!("s{}", random.usize(..sections))));
            aggregate.add_host(section.as_ref(), &reading);
        }
        aggregate
    }
}
