//! Sites within a site: who tells of them, what they count, which of their hosts they name. No I/O.

use std::{collections::BTreeMap, time::Duration};

use khor_fleet::{
    Frame, Message, Name, SiteFrame,
    sketch::{self, MAX_PARTS},
};
use tokio::time::Instant;

use super::{host::Tracked, members::Presence};

/// Without a frame for this long, times those who share what comes, who tells of a site has ended.
const TELLER_ENDED: Duration = Duration::from_secs(3);
/// Likewise a site of which nobody tells is silent.
const SILENT: Duration = Duration::from_secs(4);
/// A silent site is forgotten after this long.
const FORGOTTEN: Duration = Duration::from_hours(24);
/// A host that a site named and names no more is as the others are, after this long.
const NAMED: Duration = Duration::from_millis(1_500);
/// Who came and went is kept in mind for this long: all who tell of a site notice it by then.
const NOTICED: Duration = Duration::from_mins(2);
/// Sites that are kept track of, and who tells of one.
const MOST_SITES: usize = 1_000;
const MOST_TELLERS: usize = 32;
/// Hosts that are named at once, and hosts that came or went that are kept in mind; what there is more is passed over.
const MOST_NAMED: usize = 2_000;
const MOST_NOTICED: usize = 10_000;

/// A site within the site, as it is known now.
#[derive(Clone, Debug, PartialEq)]
pub struct SubSite {
    /// Its name.
    pub name: Name,
    /// Nobody tells of it any more.
    pub silent: bool,
    /// Hosts that send to it.
    pub hosts: u32,
    /// Hosts that have stopped.
    pub silent_hosts: u32,
    /// What was refused there.
    pub refused: u64,
    /// How many levels of sites it is: 1 has hosts alone.
    pub levels: u8,
    /// Relays that tell of it.
    pub aggregators: u32,
    /// Furthest that a value of it may be from the truth, as a share of that.
    pub relative_error: f64,
    /// Likewise of a section; `None` where none is told of.
    pub section_relative_error: Option<f64>,
    /// Since the last frame.
    pub seen_ago: Duration,
}

struct Known {
    tellers: Vec<Teller>,
    /// Hosts of each section, as those who tell of it know; kept while nobody does, as are a silent host's.
    sections: BTreeMap<Option<Name>, u32>,
    seen: Instant,
    silent: bool,
    levels: u8,
    parts: u8,
    section_parts: Option<u8>,
}

/// A relay that tells of a site.
struct Teller {
    instance: u32,
    seq: u64,
    seen: Instant,
    hosts: u32,
    silent: u32,
    refused: u64,
    /// Since when it tells.
    since: Instant,
    /// Hosts of each section; none where it does not tell of any.
    sections: Vec<(Option<Name>, u32)>,
}

/// Whether a frame was taken.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Taken {
    /// It was, and this has changed.
    Newer(Vec<Presence>),
    /// A newer one came before.
    Late,
    /// There are too many sites, or too many tell of this one.
    Crowded,
}

/// All sites within the site.
pub(super) struct Sites {
    known: BTreeMap<Name, Known>,
    named: BTreeMap<Name, Tracked>,
    /// Who fell silent or came back: whether it is silent, when that was noticed by the clock of who did, and when told.
    noticed: BTreeMap<Name, (bool, u64, Instant)>,
    shares: u32,
    listening: Instant,
}

impl Sites {
    pub(super) fn new(now: Instant) -> Self {
        Self {
            known: BTreeMap::new(),
            named: BTreeMap::new(),
            noticed: BTreeMap::new(),
            shares: 1,
            listening: now,
        }
    }

    pub(super) fn listening_again(&mut self, now: Instant) {
        self.listening = now;
    }

    pub(super) fn shared_by(&mut self, shares: u32) {
        self.shares = shares.max(1);
    }

    pub(super) fn is_empty(&self) -> bool {
        self.known.is_empty()
    }

    /// Takes a frame.
    pub(super) fn take(&mut self, frame: &SiteFrame, now: Instant, wall_ms: u64) -> Taken {
        if !self.known.contains_key(&frame.site) && self.known.len() >= MOST_SITES {
            return Taken::Crowded;
        }
        let known = self.known.entry(frame.site.clone()).or_insert_with(|| Known::new(now));
        let mut changes = Vec::new();
        let is_full = known.tellers.len() >= MOST_TELLERS;
        match known.tellers.iter_mut().find(|teller| teller.instance == frame.instance) {
            Some(teller) if frame.seq <= teller.seq => return Taken::Late,
            Some(teller) => *teller = Teller::new(frame, now, teller.since),
            None if is_full => return Taken::Crowded,
            None => known.tellers.push(Teller::new(frame, now, now)),
        }
        (known.seen, known.levels, known.parts) = (now, frame.levels, frame.parts);
        known.section_parts = frame.sections.as_ref().map(|told| told.parts);
        known.count_sections(SILENT * self.shares, now);
        if std::mem::take(&mut known.silent) {
            changes.push(Presence::Back(frame.site.clone()));
        }
        self.name_hosts(frame, now, wall_ms);
        changes.extend(self.notice(frame, now));
        Taken::Newer(changes)
    }

    /// The hosts whose own frames it holds. What can't be read is of a newer version, or nobody's.
    fn name_hosts(&mut self, frame: &SiteFrame, now: Instant, wall_ms: u64) {
        for host in frame.deviant.iter().filter_map(|bytes| Frame::read(bytes).ok()) {
            let behind_ms = wall_ms.cast_signed().wrapping_sub(host.wall_ms.cast_signed());
            if let Some(held) = self.named.get_mut(&host.host) {
                // Of several who hear shares, each names the newest that it heard itself.
                held.take(host, now, behind_ms, self.shares.max(2));
            } else if self.named.len() < MOST_NAMED {
                let name = host.host.clone();
                self.named.insert(name, Tracked::told(host, now, behind_ms, &frame.site));
            }
        }
    }

    /// Who came and went. All who tell of a site say so, at times of their own: only what is news counts.
    fn notice(&mut self, frame: &SiteFrame, now: Instant) -> Vec<Presence> {
        let mut news = Vec::new();
        for change in &frame.changes {
            let silent = !change.is_back;
            let held = self.noticed.get(&change.name).copied();
            let is_full = held.is_none() && self.noticed.len() >= MOST_NOTICED;
            if is_full || held.is_some_and(|(_, wall_ms, _)| change.wall_ms <= wall_ms) {
                continue;
            }
            self.noticed.insert(change.name.clone(), (silent, change.wall_ms, now));
            let was_silent = held.is_some_and(|(was_silent, ..)| was_silent);
            if silent != was_silent {
                let name = change.name.clone();
                news.push(if silent { Presence::Lost(name) } else { Presence::Back(name) });
            }
        }
        news
    }

    /// Which sites nobody tells of any more, since this was asked last.
    pub(super) fn fallen_silent(&mut self, now: Instant) -> Vec<Name> {
        let (listening, shares) = (self.listening, self.shares);
        self.known.retain(|_, known| now.duration_since(known.seen) < FORGOTTEN);
        self.named.retain(|_, named| now.duration_since(named.seen()) < NAMED * shares);
        self.noticed.retain(|_, (silent, _, told)| {
            let ago = now.duration_since(*told);
            ago < if *silent { FORGOTTEN } else { NOTICED }
        });
        let mut fallen = Vec::new();
        for (name, known) in &mut self.known {
            known.tellers.retain(|teller| now.duration_since(teller.seen) < TELLER_ENDED * shares);
            if !known.silent && now.duration_since(known.seen.max(listening)) >= SILENT * shares {
                known.silent = true;
                fallen.push(name.clone());
            }
        }
        fallen
    }

    /// Hosts that are named now.
    pub(super) fn named(&self) -> impl Iterator<Item = &Tracked> {
        self.named.values()
    }

    /// All of them now.
    pub(super) fn look(&self, now: Instant) -> Vec<SubSite> {
        self.known.iter().map(|(name, known)| known.look(name, now)).collect()
    }

    /// Hosts that send, and those that have stopped; the sites that are heard count theirs.
    pub(super) fn count(&self) -> (u32, u32) {
        let counts = self.known.values().map(Known::count);
        counts.fold((0, 0), |sum, count| (sum.0 + count.0, sum.1 + count.1))
    }

    /// Hosts of each section of each site.
    pub(super) fn sections(&self) -> impl Iterator<Item = (&Option<Name>, &u32)> {
        self.known.values().flat_map(|known| &known.sections)
    }

    /// What they refused.
    pub(super) fn refused(&self) -> u64 {
        self.known.values().map(Known::refused).sum()
    }

    /// The most levels of one.
    pub(super) fn levels(&self) -> u8 {
        self.known.values().map(|known| known.levels).max().unwrap_or(0)
    }
}

impl Teller {
    fn new(frame: &SiteFrame, seen: Instant, since: Instant) -> Self {
        let SiteFrame { instance, seq, hosts, silent, refused, .. } = *frame;
        let groups = frame.sections.iter().flat_map(|told| &told.groups);
        let sections = groups.map(|group| (group.name.clone(), group.hosts)).collect();
        Self { instance, seq, seen, hosts, silent, refused, since, sections }
    }
}

impl Known {
    fn new(seen: Instant) -> Self {
        Self {
            tellers: Vec::new(),
            sections: BTreeMap::new(),
            seen,
            silent: false,
            levels: 1,
            parts: 1,
            section_parts: None,
        }
    }

    /// Each who tells knows the whole site, one that has only just started less of it.
    fn count(&self) -> (u32, u32) {
        let most = |of: fn(&Teller) -> u32| self.tellers.iter().map(of).max().unwrap_or(0);
        (most(|teller| teller.hosts), most(|teller| teller.silent))
    }

    /// Likewise of each section. While all who tell have only just started, what was known before holds as well. Where nobody
    /// tells of sections, all hosts are without one.
    fn count_sections(&mut self, settled: Duration, now: Instant) {
        let is_settled = self.tellers.iter().any(|teller| now.duration_since(teller.since) >= settled);
        if is_settled || self.sections.keys().all(Option::is_none) {
            self.sections.clear();
        }
        let told = self.tellers.iter().flat_map(|teller| &teller.sections);
        for (name, hosts) in told {
            let most = self.sections.entry(name.clone()).or_default();
            *most = (*most).max(*hosts);
        }
        if self.sections.is_empty() {
            let (hosts, silent) = self.count();
            self.sections.insert(None, hosts.saturating_add(silent));
        }
    }

    /// Each refuses what came to it.
    fn refused(&self) -> u64 {
        self.tellers.iter().map(|teller| teller.refused).sum()
    }

    fn look(&self, name: &Name, now: Instant) -> SubSite {
        let (hosts, silent_hosts) = self.count();
        SubSite {
            name: name.clone(),
            silent: self.silent,
            hosts,
            silent_hosts,
            refused: self.refused(),
            levels: self.levels,
            aggregators: self.tellers.len() as u32,
            relative_error: relative_error(self.parts),
            section_relative_error: self.section_parts.map(relative_error),
            seen_ago: now.duration_since(self.seen),
        }
    }
}

/// How far what is heard may be from the truth: a bin that is wider than those it is added to is taken for the one that its middle
/// is in.
fn relative_error(parts: u8) -> f64 {
    let of_sum = if parts < MAX_PARTS { sketch::relative_error(MAX_PARTS) } else { 0.0 };
    sketch::relative_error(parts) + of_sum
}

#[cfg(test)]
mod tests {
    use khor_fleet::{Change, Section, Sections, sketch::Sketch};

    use super::{super::testing::plain_frame, *};

    fn name(text: &str) -> Name {
        Name::new(text).unwrap()
    }

    fn frame(instance: u32, seq: u64) -> SiteFrame {
        SiteFrame {
            site: name("rack-1"),
            instance,
            seq,
            wall_ms: 1_000,
            window_ms: 200,
            version: "0.1.0".into(),
            levels: 1,
            hosts: 40,
            silent: 2,
            refused: 3,
            parts: 16,
            learnt: Sketch::default(),
            signals: Vec::new(),
            deviant: Vec::new(),
            changes: Vec::new(),
            sections: None,
        }
    }

    struct Heard(Sites, Instant);

    impl Heard {
        fn new() -> Self {
            let now = Instant::now();
            Self(Sites::new(now), now)
        }

        fn at(&mut self, ms: u64, frame: &SiteFrame) -> Taken {
            self.0.take(frame, self.1 + Duration::from_millis(ms), 1_000)
        }

        fn fallen(&mut self, ms: u64) -> Vec<Name> {
            self.0.fallen_silent(self.1 + Duration::from_millis(ms))
        }
    }

    #[test]
    fn two_tell_of_one_site_and_one_of_them_may_go() {
        let mut heard = Heard::new();
        heard.at(0, &frame(1, 0));
        heard.at(0, &SiteFrame { hosts: 39, ..frame(2, 0) });
        assert_eq!(heard.at(1, &frame(1, 0)), Taken::Late);
        assert_eq!(
            (heard.0.count(), heard.0.refused()),
            ((40, 2), 6),
            "each knows all, each refuses its own"
        );
        for ms in (200..6_000).step_by(200) {
            heard.at(ms, &SiteFrame { hosts: 39, ..frame(2, ms) });
            assert!(heard.fallen(ms).is_empty(), "one goes on");
        }
        let site = heard.0.look(heard.1 + Duration::from_secs(6)).remove(0);
        assert_eq!((site.aggregators, site.hosts, site.silent), (1, 39, false));
        assert_eq!(
            (heard.fallen(9_700).len(), heard.fallen(9_900).len(), heard.fallen(10_000).len()),
            (0, 1, 0)
        );
        assert_eq!(heard.at(11_000, &frame(3, 0)), Taken::Newer(vec![Presence::Back(name("rack-1"))]));
    }

    /// Its hosts of each section, and how long before.
    fn sections(heard: &Heard) -> Vec<(Option<&str>, u32)> {
        heard.0.sections().map(|(name, hosts)| (name.as_ref().map(Name::as_str), *hosts)).collect()
    }

    fn with(groups: &[(Option<&str>, u32)], frame: SiteFrame) -> SiteFrame {
        let group = |(told, hosts): &(Option<&str>, u32)| Section {
            name: told.map(name),
            hosts: *hosts,
            signals: Vec::new(),
        };
        let groups = groups.iter().map(group).collect();
        SiteFrame { sections: Some(Sections { parts: 8, groups }), ..frame }
    }

    /// Each who tells knows all, one that has only just started less; one of an older version none of the sections.
    #[test]
    fn sections_are_those_that_anybody_tells_of() {
        let mut heard = Heard::new();
        heard.at(0, &frame(1, 0));
        assert_eq!(sections(&heard), [(None, 42)], "nobody tells of any");
        heard.at(0, &with(&[(Some("db"), 10), (None, 32)], frame(2, 0)));
        heard.at(200, &with(&[(Some("db"), 3), (Some("web"), 1)], frame(3, 0)));
        assert_eq!(sections(&heard), [(None, 32), (Some("db"), 10), (Some("web"), 1)]);
        for ms in (400..6_000).step_by(200) {
            heard.at(ms, &with(&[(Some("db"), 12)], frame(3, ms)));
            heard.fallen(ms);
        }
        assert_eq!(sections(&heard), [(Some("db"), 12)], "the others have ended, and what they told");
    }

    /// A section has its place as long as it is known, so it must not be gone for a moment.
    #[test]
    fn a_new_teller_is_believed_once_it_can_know() {
        let mut heard = Heard::new();
        let both = [(Some("db"), 10), (Some("web"), 32)];
        heard.at(0, &with(&both, frame(1, 0)));
        heard.fallen(5_000);
        assert_eq!(sections(&heard), both, "while nobody tells");
        heard.at(6_000, &with(&both[1..], frame(2, 0)));
        assert_eq!(sections(&heard), both, "it has only just started");
        heard.at(10_100, &with(&both[1..], frame(2, 50)));
        assert_eq!(sections(&heard), both[1..]);
        let error = heard.0.look(heard.1)[0].section_relative_error.unwrap();
        assert!((error - (0.0625 + 0.03125)).abs() < 1e-9, "{error}");
    }

    /// Both who tell of a site notice each host's going and coming, each a little later or earlier.
    #[test]
    fn who_goes_and_comes_is_news_once() {
        let mut heard = Heard::new();
        let mut tell = |instance, seq, changes: &[(bool, u64)]| {
            let change = |&(is_back, wall_ms)| Change { name: name("web-1"), is_back, wall_ms };
            let changes = changes.iter().map(change).collect();
            match heard.at(seq, &SiteFrame { changes, ..frame(instance, seq) }) {
                Taken::Newer(news) => news,
                other => panic!("{other:?}"),
            }
        };
        assert_eq!(tell(1, 1, &[(false, 100)]), [Presence::Lost(name("web-1"))]);
        assert_eq!(tell(2, 2, &[(false, 300)]), []);
        assert_eq!(tell(1, 3, &[(false, 100)]), [], "it is told for some seconds");
        assert_eq!(tell(1, 4, &[(false, 100), (true, 900)]), [Presence::Back(name("web-1"))]);
        assert_eq!(tell(2, 5, &[(false, 300)]), [], "the other does not know yet");
        assert_eq!(tell(2, 6, &[(true, 1_200)]), []);
        assert_eq!(tell(2, 7, &[(false, 9_000)]), [Presence::Lost(name("web-1"))]);
    }

    #[test]
    fn a_host_that_is_named_no_more_is_as_the_others() {
        let mut heard = Heard::new();
        let host = |seq| Frame { instance: 9, ..plain_frame("web-1", seq) };
        let named = |heard: &Heard| {
            let at = heard.1 + Duration::from_millis(300);
            heard.0.named().map(|host| host.look(at)).next()
        };
        let with = |frame: SiteFrame, seq| SiteFrame {
            deviant: vec![host(seq).write().unwrap(), b"nonsense".to_vec()],
            ..frame
        };
        heard.at(0, &with(frame(1, 0), 5));
        heard.at(100, &with(frame(2, 0), 4));
        let host = named(&heard).unwrap();
        assert_eq!(
            (host.via, host.seen_ago.as_millis()),
            (Some(name("rack-1")), 300),
            "the newer one counts"
        );
        heard.fallen(1_600);
        assert!(named(&heard).is_none());
    }

    #[test]
    fn there_is_an_end_to_how_many_tell() {
        let mut heard = Heard::new();
        for instance in 0..MOST_TELLERS as u32 {
            assert!(matches!(heard.at(0, &frame(instance, 0)), Taken::Newer(_)));
        }
        assert_eq!(heard.at(0, &frame(1_000, 0)), Taken::Crowded);
        heard.fallen(3_100);
        assert!(matches!(heard.at(3_100, &frame(1_000, 0)), Taken::Newer(_)));
    }
}
