//! Sites within a site: who tells of them, what they count, which of their hosts they name. No I/O.

use std::{collections::BTreeMap, time::Duration};

use khor_fleet::{
    Frame, Message, Name, SiteFrame,
    sketch::{self, MAX_PARTS},
};
use tokio::time::Instant;

use super::{
    cue_limits::{Bucket, CHANGES},
    host::Tracked,
    members::Presence,
};
use khor_signal::Accumulator;

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
/// Most sections of a site that are counted: as many as its tellers can name at once. Hosts of
/// further sections count as hosts without a section.
const MOST_SECTIONS: usize = MOST_TELLERS * SiteFrame::MAX_SECTIONS;
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
    /// Messages that its relays refused while this engine received those relays. Never falls.
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
    /// Messages that the relays of the site refused, by relay instance. A restarted relay counts
    /// from 0.
    refused: Accumulator<u32, 1>,
    /// Hosts of each section, as those who tell of it know; kept while nobody does, as are a silent host's.
    sections: BTreeMap<Option<Name>, u32>,
    seen: Instant,
    silent: bool,
    levels: u8,
    parts: u8,
    section_parts: Option<u8>,
    /// Limits the lost and found hosts of the site that are reported.
    changes: Bucket,
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
    /// Messages that relays of forgotten sites refused.
    refused_before: u64,
}

impl Sites {
    pub(super) fn new(now: Instant) -> Self {
        Self {
            known: BTreeMap::new(),
            named: BTreeMap::new(),
            noticed: BTreeMap::new(),
            shares: 1,
            listening: now,
            refused_before: 0,
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
        known.refused.take(known.tellers.iter().map(|teller| (teller.instance, [teller.refused])));
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
            let may_report = |known: &mut Known| known.changes.take(now);
            if silent != was_silent && self.known.get_mut(&frame.site).is_some_and(may_report) {
                let name = change.name.clone();
                news.push(if silent { Presence::Lost(name) } else { Presence::Back(name) });
            }
        }
        news
    }

    /// Which sites nobody tells of any more, since this was asked last.
    pub(super) fn fallen_silent(&mut self, now: Instant) -> Vec<Name> {
        let (listening, shares) = (self.listening, self.shares);
        for (_, forgotten) in
            self.known.extract_if(.., |_, known| now.duration_since(known.seen) >= FORGOTTEN)
        {
            self.refused_before += forgotten.refused();
        }
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

    /// Messages that the relays of all sites refused while they were received. Never falls.
    pub(super) fn refused(&self) -> u64 {
        self.refused_before + self.known.values().map(Known::refused).sum::<u64>()
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
            refused: Accumulator::default(),
            sections: BTreeMap::new(),
            seen,
            silent: false,
            levels: 1,
            parts: 1,
            section_parts: None,
            changes: Bucket::new(CHANGES, seen),
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
            let is_full = self.sections.len() >= MOST_SECTIONS && !self.sections.contains_key(name);
            let name = name.clone().filter(|_| !is_full);
            let most = self.sections.entry(name).or_default();
            *most = (*most).max(*hosts);
        }
        if self.sections.is_empty() {
            let (hosts, silent) = self.count();
            self.sections.insert(None, hosts.saturating_add(silent));
        }
    }

    /// Each refuses what came to it.
    fn refused(&self) -> u64 {
        self.refused.totals()[0]
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
mod tests;
