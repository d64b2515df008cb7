//! What a relay that aggregates knows, without the connection: what was heard since the last frame, who stands out, who went and
//! came, and who else tells of the same site.

use std::{
    collections::{BTreeMap, VecDeque},
    time::Duration,
};

use bytes::Bytes;
use khor_fleet::{
    Change, Frame, Message, Name, Section, Sections, SiteFrame,
    sketch::{MAX_PARTS, Sketch},
};
use tokio::time::Instant;
use tracing::warn;

use crate::{Blend, Members, Presence, lanes};
use khor_signal::{Lanes, largest_deviation};
use khor_system::clock::now_unix_ms;

/// Who shares the load and is heard no more for this long has ended.
const PEER_ENDED: Duration = Duration::from_secs(3);
/// Most other relays that share the load. A peer may invent more, and each one would delay the
/// report that a host is silent.
const MOST_PEERS: usize = 31;
/// Who went and who came is told for this long, so that a frame that is lost loses nothing.
const TOLD_FOR: Duration = Duration::from_secs(5);

/// How fine sketches may be, those of all hosts and those of sections: the finest first. Rates are of all hosts, so
/// the sections' become coarser before; and if nothing else helps there are none.
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

/// A frame as bytes, with the finest sketches that fit into `most` bytes. The shortest frame if
/// none fits.
pub fn fitting(mut frame: SiteFrame, blend: &Blend, most: usize) -> Option<Vec<u8>> {
    let mut shortest: Option<Vec<u8>> = None;
    let sections = frame.sections.take();
    for (parts, section_parts) in FINENESS {
        frame.parts = parts;
        frame.sections = match (&sections, section_parts) {
            (Some(sections), Some(parts)) => Some(Sections { parts, ..sections.clone() }),
            (_, None) => None,
            (None, Some(_)) => continue,
        };
        blend.tell(&mut frame);
        match frame.write() {
            Ok(bytes) if bytes.len() <= most => return Some(bytes),
            Ok(bytes) if shortest.as_ref().is_none_or(|shortest| bytes.len() < shortest.len()) => {
                shortest = Some(bytes);
            }
            Ok(_) | Err(_) => {}
        }
    }
    if shortest.is_none() {
        warn!("a frame of {} is too long even at its coarsest", frame.site);
    }
    shortest
}

/// What is known, without the connection.
pub struct Room {
    pub(super) members: Members,
    instance: u32,
    seq: u64,
    since: Instant,

    /// The sum over the hosts since the last frame.
    pub blend: Blend,
    deviant: Deviant,
    changes: VecDeque<(Instant, Change)>,
    /// Who else tells of this site, and when that was heard.
    peers: BTreeMap<u32, Instant>,
    frames: u64,
    sites: u64,
}

impl Room {
    /// A relay that has not heard anything yet.
    pub fn new(heard: Name, instance: u32, now: Instant) -> Self {
        Self {
            members: Members::new(heard, now),
            instance,
            seq: 0,
            since: now,
            blend: Blend::new(),
            deviant: Deviant::default(),
            changes: VecDeque::new(),
            peers: BTreeMap::new(),
            frames: 0,
            sites: 0,
        }
    }

    /// Takes the frame of a host.
    pub fn host(&mut self, subject: &str, bytes: &Bytes, now: Instant) {
        let Some(arrival) = self.members.frame(subject, bytes, now, now_unix_ms()) else { return };
        self.blend.record(arrival.host.section.as_ref(), &arrival.host.reading);
        self.deviant.offer(&arrival.host.name, &arrival.host.reading.lanes, bytes);
        self.frames += 1;
        if arrival.is_back {
            let back = Presence::Back(arrival.host.name.clone());
            self.notice([back], now);
        }
    }

    /// Takes the frame of a site within the site.
    pub fn site(&mut self, subject: &str, bytes: &[u8], now: Instant) {
        let heard = self.members.site_frame(subject, bytes, now, now_unix_ms());
        let Some((frame, changes)) = heard else { return };
        self.blend.add_frame(&frame);
        for bytes in &frame.deviant {
            if let Ok(host) = Frame::read(bytes) {
                self.deviant.offer(&host.host, &lanes(&host), &Bytes::copy_from_slice(bytes));
            }
        }
        self.sites += 1;
        self.notice(changes, now);
    }

    /// Somebody tells of this site; it may be this one.
    pub fn peer(&mut self, bytes: &[u8], now: Instant) {
        if let Ok(frame) = SiteFrame::read(bytes)
            && frame.instance != self.instance
            && frame.site == *self.members.site()
        {
            self.share(now);
            if self.peers.len() < MOST_PEERS || self.peers.contains_key(&frame.instance) {
                self.peers.insert(frame.instance, now);
            }
            self.share(now);
        }
    }

    fn share(&mut self, now: Instant) {
        self.peers.retain(|_, heard| now.duration_since(*heard) < PEER_ENDED);
        self.members.shared_by(1 + self.peers.len() as u32);
    }

    fn notice(&mut self, changes: impl IntoIterator<Item = Presence>, now: Instant) {
        for change in changes {
            let (name, is_back) = match change {
                Presence::Lost(name) => (name, false),
                Presence::Back(name) => (name, true),
            };
            if self.changes.len() == SiteFrame::MAX_CHANGES {
                self.changes.pop_front();
            }
            self.changes.push_back((now, Change { name, is_back, wall_ms: now_unix_ms() }));
        }
    }

    /// What is to be said now, but for the sketches ([`fitting`] adds them).
    pub fn frame(&mut self, now: Instant, wall_ms: u64) -> SiteFrame {
        self.share(now);
        let fallen = self.members.fallen_silent(now);
        self.notice(fallen, now);
        self.changes.retain(|(noticed, _)| now.duration_since(*noticed) < TOLD_FOR);
        let (hosts, silent) = self.members.count();
        let (signals, learnt) = (Vec::new(), Sketch::default());
        let mut version = env!("CARGO_PKG_VERSION").to_owned();
        version.truncate(SiteFrame::MAX_VERSION_LEN);
        let refused: u64 = self.members.refused().by_reason().iter().map(|(_, count)| count).sum();
        let frame = SiteFrame {
            site: self.members.site().clone(),
            instance: self.instance,
            seq: self.seq,
            wall_ms,
            window_ms: now.duration_since(self.since).as_millis() as u32,
            version,
            levels: self.members.levels().saturating_add(1),
            hosts,
            silent,
            refused: refused + self.members.refused_below(),
            parts: MAX_PARTS,
            learnt,
            signals,
            deviant: self.deviant.frames(),
            changes: self.changes.iter().map(|(_, change)| change.clone()).collect(),
            sections: sections(self.members.sections(SiteFrame::MAX_SECTIONS)),
        };
        self.seq += 1;
        frame
    }

    /// Forgets what was said, or could not be.
    pub fn begin_anew(&mut self, now: Instant) {
        self.since = now;
        self.blend.clear();
        self.deviant = Deviant::default();
    }

    pub(super) fn report(&self, heard: &mut super::Heard) {
        (heard.frames, heard.sites) = (self.frames, self.sites);
        (heard.hosts, heard.silent) = self.members.count();
        heard.sharers = 1 + self.peers.len() as u32;
        heard.refused = self.members.refused().by_reason();
    }
}

/// The sections that are told of; `None` where there are none.
fn sections(known: Vec<(Option<Name>, u32)>) -> Option<Sections> {
    if known.iter().all(|(name, _)| name.is_none()) {
        return None;
    }
    let section = |(name, hosts)| Section { name, hosts, signals: Vec::new() };
    Some(Sections { parts: 1, groups: known.into_iter().map(section).collect() })
}

/// The hosts that are furthest above their ordinary, with their newest frames.
#[derive(Default)]
struct Deviant(Vec<(Name, f32, Bytes)>);

impl Deviant {
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
        Signal,
        subject::{self, Kind},
    };

    use super::*;
    use crate::testing::plain_frame;

    /// A host's message.
    struct Said {
        subject: String,
        bytes: Bytes,
    }

    impl Room {
        fn hears(&mut self, said: &Said, now: Instant) {
            self.host(&said.subject, &said.bytes, now);
        }
    }

    fn name(text: &str) -> Name {
        Name::new(text).unwrap()
    }

    /// Of `db` if its name ends in an even digit, of `web` if in another.
    fn host(name: &str, seq: u64, octaves: f32) -> Said {
        let is_even = name.bytes().last().unwrap().is_multiple_of(2);
        in_section(if is_even { "db" } else { "web" }, name, seq, octaves)
    }

    fn in_section(section: &str, name: &str, seq: u64, octaves: f32) -> Said {
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
        Said { subject, bytes: frame.write().unwrap().into() }
    }

    /// Hosts of each section.
    fn counts(frame: &SiteFrame) -> Vec<(Option<String>, u32)> {
        let groups = frame.sections.iter().flat_map(|told| &told.groups);
        groups.map(|group| (group.name.as_ref().map(ToString::to_string), group.hosts)).collect()
    }

    fn told(room: &mut Room, now: Instant) -> SiteFrame {
        let frame = room.frame(now, now_unix_ms());
        let bytes = fitting(frame, &room.blend, usize::MAX).unwrap();
        room.begin_anew(now);
        SiteFrame::read(&bytes).unwrap()
    }

    #[test]
    fn a_server_with_a_small_limit_gets_coarser_frames() {
        let begun = Instant::now();
        let mut room = Room::new(name("rack"), 1, begun);
        for i in 0..200_u8 {
            room.hears(&host(&format!("h{i}"), 0, f32::from(i) / 40.0), begun);
        }
        let mut length = |most| {
            let frame = room.frame(begun, 0);
            fitting(frame, &room.blend, most).unwrap().len()
        };
        let whole = length(usize::MAX);
        let half = length(whole / 2);
        assert!(half <= whole / 2, "{half} of {whole} bytes");
        assert!(length(0) <= half, "if no frame fits, the result is the shortest");
    }

    /// Two share a site, frame by frame at random: together they say what one alone would.
    #[test]
    fn two_that_share_a_site_say_together_what_one_would() {
        let begun = Instant::now();
        let mut alone = Room::new(name("rack"), 1, begun);
        let mut shared = [2, 3].map(|instance| Room::new(name("rack"), instance, begun));
        let mut random = fastrand::Rng::with_seed(7);
        let (mut whole, mut sum) = (Blend::new(), Blend::new());
        for seq in 0..20 {
            let now = begun + Duration::from_millis(seq * 200);
            for i in 0..50 {
                let message = host(&format!("h{i}"), seq, if i == 30 { 5.0 } else { random.f32() });
                alone.hears(&message, now);
                shared[random.usize(..2)].hears(&message, now);
            }
            whole.add_frame(&told(&mut alone, now));
            for room in &mut shared {
                sum.add_frame(&told(room, now));
            }
        }
        let mut said = |blend: &Blend| {
            let bytes = fitting(alone.frame(begun, 0), blend, usize::MAX).unwrap();
            let SiteFrame { learnt, signals, sections, .. } = SiteFrame::read(&bytes).unwrap();
            (learnt, signals, sections.unwrap())
        };
        assert_eq!(said(&sum), said(&whole));
        let (_, signals, sections) = said(&whole);
        assert!(signals.len() == khor_fleet::SIGNALS.len() && signals.iter().all(Option::is_some));
        let heard = |section: &Section| section.signals.iter().flatten().count();
        assert!(sections.groups.iter().all(|section| heard(section) == khor_fleet::SIGNALS.len()));
        let end = begun + Duration::from_secs(4);
        for mut room in shared {
            let frame = room.frame(end, 0);
            assert_eq!((frame.hosts, frame.silent), (50, 0), "each knows all");
            assert_eq!(counts(&frame), [(Some("db".into()), 25), (Some("web".into()), 25)]);
        }
    }

    #[test]
    fn the_furthest_are_named_with_their_own_words() {
        let begun = Instant::now();
        let mut room = Room::new(name("rack"), 1, begun);
        for i in 0..100u8 {
            room.hears(&host(&format!("h{i}"), 0, f32::from(i) / 20.0), begun);
        }
        let calm = host("h99", 1, 0.0);
        room.hears(&calm, begun);
        let frame = told(&mut room, begun);
        let named: Vec<String> =
            frame.deviant.iter().map(|bytes| Frame::read(bytes).unwrap().host.to_string()).collect();
        assert_eq!(named[..3], ["h98", "h97", "h96"], "{named:?}");
        assert_eq!((named.len(), named.contains(&"h99".to_owned())), (8, true), "its newest frame is calm");
        assert!(told(&mut room, begun).deviant.is_empty(), "nothing was heard since");
    }

    #[test]
    fn who_falls_silent_is_told_for_a_while_and_later_when_the_load_is_shared() {
        let begun = Instant::now();
        let at = |ms| begun + Duration::from_millis(ms);
        let mut room = Room::new(name("rack"), 1, begun);
        room.hears(&host("a", 0, 0.0), begun);
        let mut other = Room::new(name("rack"), 2, begun);
        let peer = fitting(other.frame(begun, 0), &other.blend, usize::MAX).unwrap();
        room.peer(&peer, at(3_900));
        assert_eq!(told(&mut room, at(5_000)).silent, 0, "the other may have heard it");
        let frame = told(&mut room, at(8_100));
        assert_eq!((frame.hosts, frame.silent, frame.changes.len()), (0, 1, 1), "the other is gone");
        assert_eq!(told(&mut room, at(13_000)).changes.len(), 1);
        assert_eq!(told(&mut room, at(13_200)).changes.len(), 0);
        room.hears(&host("a", 90, 0.0), at(14_000));
        assert!(told(&mut room, at(14_000)).changes[0].is_back);
    }

    /// A site of sites: counts add up, levels count, hosts are handed through.
    #[test]
    fn sites_compose_into_sites() {
        let begun = Instant::now();
        let mut above = Room::new(name("hall"), 9, begun);
        for rack in ["rack-1", "rack-2"] {
            let mut room = Room::new(name(rack), 1, begun);
            for i in 0..10 {
                let mut heard = host(&format!("{rack}-{i}"), 0, if i == 3 { 4.0 } else { 0.0 });
                heard.subject = format!("khor.v1.{rack}.{rack}-{i}.frame");
                room.hears(&heard, begun);
            }
            let bytes = told(&mut room, begun).write().unwrap();
            above.site(&format!("khor.v1.hall.{rack}.site"), &bytes, begun);
        }
        let frame = told(&mut above, begun);
        assert_eq!((frame.hosts, frame.levels, frame.deviant.len()), (20, 2, 8));
        assert_eq!(counts(&frame), [(Some("db".into()), 10), (Some("web".into()), 10)], "those of both");
        let furthest = frame.deviant[..2].iter().map(|bytes| Frame::read(bytes).unwrap().host.to_string());
        assert!(furthest.into_iter().all(|name| name.ends_with("-3")));
        let values: u32 = frame.learnt.values(frame.parts).map(|(_, count)| count).sum();
        assert_eq!(values, 20);
    }

    /// The first by name are told of, all others as one; so a frame fits however many there are.
    #[test]
    fn of_many_sections_the_first_are_told_of() {
        let begun = Instant::now();
        let mut room = Room::new(name("rack"), 1, begun);
        for i in 0..40 {
            room.hears(&in_section(&format!("s{i:02}"), &format!("h{i}"), 0, i as f32 / 10.0), begun);
        }
        let frame = told(&mut room, begun);
        let counts = counts(&frame);
        let names: Vec<_> = counts.iter().map(|(name, hosts)| (name.as_deref(), *hosts)).collect();
        assert_eq!(
            (names.len(), names[0], names[10], names[11]),
            (12, (Some("s00"), 1), (Some("s10"), 1), (None, 29))
        );
        let told = frame.sections.unwrap();
        let heard = told.groups[11].signals[0].as_ref().unwrap().level.values(told.parts);
        assert_eq!(heard.map(|(_, hosts)| hosts).sum::<u32>(), 29);
    }

    /// However unlike the hosts are, a frame fits, and says how coarse it had to be.
    #[test]
    fn a_frame_of_very_unlike_hosts_is_coarser_and_fits() {
        let finest = |sections: usize| {
            let blend = unlike(sections);
            let known = (0..sections).map(|i| (Some(name(&format!("s{i}"))), 5)).collect();
            let mut room = Room::new(name("rack"), 1, Instant::now());
            let frame = SiteFrame { sections: super::sections(known), ..room.frame(Instant::now(), 0) };
            let bytes = fitting(frame, &blend, usize::MAX).unwrap();
            assert!(bytes.len() <= SiteFrame::MAX_BYTES);
            let read = SiteFrame::read(&bytes).unwrap();
            let parts = (read.parts, read.sections.map(|told| told.parts));
            println!("{sections} sections: {} bytes, parts of a doubling: {parts:?}", bytes.len());
            parts
        };
        assert_eq!([finest(0), finest(4), finest(12)], [(4, None), (4, Some(2)), (4, None)]);
    }

    /// 20,000 hosts that are as unlike as hosts can be, in so many sections.
    fn unlike(sections: usize) -> Blend {
        let mut blend = Blend::new();
        let mut random = fastrand::Rng::with_seed(1);
        for _ in 0..20_000 {
            let lane = std::array::from_fn(|_| {
                Some(khor_signal::Lane {
                    level: random.f32(),
                    deviation: random.f32() * 32.0 - 16.0,
                    surprise: random.f32(),
                })
            });
            let rate = std::array::from_fn(|_| Some((random.f64() * 60.0 - 20.0).exp2()));
            let counter_rates = [None; khor_signal::Counter::ALL.len()];
            let reading = khor_signal::Reading {
                t_ns: 0,
                lanes: lane,
                rates: rate,
                baselines: rate,
                learnt: random.f32(),
                counter_rates,
            };
            let section = (sections > 0).then(|| name(&format!("s{}", random.usize(..sections))));
            blend.record(section.as_ref(), &reading);
        }
        blend
    }
}
