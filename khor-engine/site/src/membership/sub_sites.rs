//! The sub-sites of a site (the sites within it): their relays, their counts, and the hosts whose
//! frames they pass on. No I/O.

use std::{collections::BTreeMap, time::Duration};

use khor_fleet::{
    Frame, Message, Name, SiteFrame,
    sketch::{self, MAX_PARTS},
};
use khor_signal::{Accumulator, Catalogue};
use tokio::time::Instant;

use super::{
    cue_limits::{Bucket, CHANGES},
    host::{MembershipChange, TrackedHost},
};

/// A relay that reports a sub-site counts as ended if it sends nothing for this long.
const AGGREGATOR_ENDED: Duration = Duration::from_secs(3);
/// A sub-site is silent if none of its frames arrives for this long.
const SILENT: Duration = Duration::from_secs(4);
/// A silent sub-site is removed after this long.
const FORGOTTEN: Duration = Duration::from_hours(24);
/// A named host (see [`MOST_NAMED`]) is removed if its site passes on none of the host's frames for
/// this long.
const NAMED: Duration = Duration::from_millis(1_500);
/// How long the last change of a host is remembered. All relays of the host's site report the
/// change within this time, and the change must count only once.
const NOTICED: Duration = Duration::from_mins(2);
/// Maximum number of tracked sub-sites.
const MOST_SITES: usize = 1_000;
/// Maximum number of relays that report the same sub-site.
const MOST_AGGREGATORS: usize = 32;
/// Maximum number of sections whose hosts are counted for a site. All relays of the site together
/// can name this many sections at the same time. Hosts of further sections count as hosts without a
/// section.
const MOST_SECTIONS: usize = MOST_AGGREGATORS * SiteFrame::MAX_SECTIONS;
/// Maximum number of named hosts, which are the hosts whose own frames arrive inside site frames.
/// Further hosts are ignored.
const MOST_NAMED: usize = 2_000;
/// Maximum number of hosts whose last change is remembered. Changes of further hosts are ignored.
const MOST_NOTICED: usize = 10_000;
/// The number of receivers that are assumed to share the frames of a named host. Several relays may
/// report one site, and each passes on only the frames that it has received. So a gap in the frame
/// numbers does not mean that a frame was lost.
const SHARES_OF_NAMED: u32 = 2;

/// The state of a sub-site at one instant.
#[derive(Clone, Debug, PartialEq)]
pub struct SubSite {
    /// The site's name.
    pub name: Name,
    /// Whether the site is silent, which means that no relay reports it now.
    pub silent: bool,
    /// Number of hosts of the site that send.
    pub hosts: u32,
    /// Number of hosts of the site that have stopped sending.
    pub silent_hosts: u32,
    /// Number of messages that the site's relays have rejected since this engine began to receive
    /// their frames. It never decreases.
    pub refused: u64,
    /// Number of relays that report the site.
    pub aggregators: u32,
    /// Largest relative error of the site's values.
    pub relative_error: f64,
    /// Largest relative error of the values of the site's sections. `None` if its relays report no
    /// sections.
    pub section_relative_error: Option<f64>,
    /// Time since the last frame of the site.
    pub seen_ago: Duration,
}

struct TrackedSite {
    aggregators: Vec<Aggregator>,
    /// Number of messages that each relay of the site has rejected. The key is the relay's
    /// instance. A restarted relay counts from 0.
    refused: Accumulator<u32, 1>,
    /// Number of hosts in each section. The numbers are kept while no relay reports the site.
    sections: BTreeMap<Option<Name>, u32>,
    seen: Instant,
    silent: bool,
    parts: u8,
    section_parts: Option<u8>,
    /// Limits how many changes of the site's hosts are reported.
    changes: Bucket,
}

/// A relay that reports a sub-site.
struct Aggregator {
    instance: u32,
    seq: u64,
    seen: Instant,
    hosts: u32,
    silent: u32,
    refused: u64,
    /// When the relay's first frame arrived.
    since: Instant,
    /// Number of hosts in each section. Empty if the relay reports no sections.
    sections: Vec<(Option<Name>, u32)>,
}

/// The last change of a host, as its site reported it.
#[derive(Clone, Copy)]
struct Noticed {
    silent: bool,
    /// When the relay detected the change, by its wall clock, milliseconds since 1970.
    wall_ms: u64,
    reported: Instant,
}

/// How the frame of a sub-site was handled.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum SiteOutcome {
    /// The frame was accepted. It changed these hosts and sub-sites.
    Accepted(Vec<MembershipChange>),
    /// A newer frame has already arrived.
    Late,
    /// There are too many sub-sites, or too many relays that report the same sub-site.
    Crowded,
}

/// All sub-sites of the engine's site.
pub(crate) struct SubSites {
    sites: BTreeMap<Name, TrackedSite>,
    named: BTreeMap<Name, TrackedHost>,
    noticed: BTreeMap<Name, Noticed>,
    /// When the connection was last established.
    connected: Instant,
}

impl SubSites {
    pub(crate) fn new(now: Instant) -> Self {
        Self { sites: BTreeMap::new(), named: BTreeMap::new(), noticed: BTreeMap::new(), connected: now }
    }

    /// Call this after a reconnect, so that no sub-site is reported as silent only because the
    /// connection was lost.
    pub(crate) fn reconnected(&mut self, now: Instant) {
        self.connected = now;
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.sites.is_empty()
    }

    /// Handles the frame of a sub-site. `catalogue` assigns the ids of the hosts' lanes.
    pub(crate) fn site_frame(
        &mut self,
        frame: &SiteFrame,
        now: Instant,
        wall_ms: u64,
        catalogue: &mut Catalogue,
    ) -> SiteOutcome {
        if !self.sites.contains_key(&frame.site) && self.sites.len() >= MOST_SITES {
            return SiteOutcome::Crowded;
        }
        let site = self.sites.entry(frame.site.clone()).or_insert_with(|| TrackedSite::new(now));
        let mut changes = Vec::new();
        let is_full = site.aggregators.len() >= MOST_AGGREGATORS;
        match site.aggregators.iter_mut().find(|aggregator| aggregator.instance == frame.instance) {
            Some(aggregator) if frame.seq <= aggregator.seq => return SiteOutcome::Late,
            Some(aggregator) => *aggregator = Aggregator::new(frame, now, aggregator.since),
            None if is_full => return SiteOutcome::Crowded,
            None => site.aggregators.push(Aggregator::new(frame, now, now)),
        }
        let refused = site.aggregators.iter().map(|aggregator| (aggregator.instance, [aggregator.refused]));
        site.refused.take(refused);
        (site.seen, site.parts) = (now, frame.parts);
        site.section_parts = frame.sections.as_ref().map(|sections| sections.parts);
        site.count_sections(now);
        if std::mem::take(&mut site.silent) {
            changes.push(MembershipChange::Back(frame.site.clone()));
        }
        self.name_hosts(frame, now, wall_ms, catalogue);
        changes.extend(self.notice_changes(frame, now));
        SiteOutcome::Accepted(changes)
    }

    /// Updates the hosts whose own frames are contained in the site frame. Ignores unreadable
    /// frames.
    fn name_hosts(&mut self, frame: &SiteFrame, now: Instant, wall_ms: u64, catalogue: &mut Catalogue) {
        for host in frame.deviant.iter().filter_map(|bytes| Frame::read(bytes).ok()) {
            let behind_ms = wall_ms.cast_signed().wrapping_sub(host.wall_ms.cast_signed());
            if let Some(held) = self.named.get_mut(&host.host) {
                held.update(host, now, behind_ms, SHARES_OF_NAMED, catalogue);
            } else if self.named.len() < MOST_NAMED {
                let name = host.host.clone();
                let tracked = TrackedHost::new(host, now, behind_ms, catalogue);
                self.named.insert(name, tracked.named_by(&frame.site));
            }
        }
    }

    /// Returns the new changes of hosts. All relays of a site report the same change at different
    /// times, so each change counts only once.
    fn notice_changes(&mut self, frame: &SiteFrame, now: Instant) -> Vec<MembershipChange> {
        let mut news = Vec::new();
        for change in &frame.changes {
            let silent = !change.is_back;
            let held = self.noticed.get(&change.name).copied();
            let is_full = held.is_none() && self.noticed.len() >= MOST_NOTICED;
            if is_full || held.is_some_and(|held| change.wall_ms <= held.wall_ms) {
                continue;
            }
            let noticed = Noticed { silent, wall_ms: change.wall_ms, reported: now };
            self.noticed.insert(change.name.clone(), noticed);
            let was_silent = held.is_some_and(|held| held.silent);
            let may_report = |site: &mut TrackedSite| site.changes.take(now);
            if silent != was_silent && self.sites.get_mut(&frame.site).is_some_and(may_report) {
                let name = change.name.clone();
                news.push(if silent { MembershipChange::Lost(name) } else { MembershipChange::Back(name) });
            }
        }
        news
    }

    /// Returns the sub-sites that fell silent since the last call. Removes sub-sites and hosts
    /// whose last frames are too old.
    pub(crate) fn fallen_silent(&mut self, now: Instant) -> Vec<Name> {
        self.sites.retain(|_, site| now.duration_since(site.seen) < FORGOTTEN);
        self.named.retain(|_, named| now.duration_since(named.seen()) < NAMED);
        self.noticed.retain(|_, noticed| {
            let kept = if noticed.silent { FORGOTTEN } else { NOTICED };
            now.duration_since(noticed.reported) < kept
        });
        let mut fallen = Vec::new();
        for (name, site) in &mut self.sites {
            site.aggregators.retain(|aggregator| now.duration_since(aggregator.seen) < AGGREGATOR_ENDED);
            if !site.silent && now.duration_since(site.seen.max(self.connected)) >= SILENT {
                site.silent = true;
                fallen.push(name.clone());
            }
        }
        fallen
    }

    /// The hosts whose own frames the sub-sites currently pass on.
    pub(crate) fn named(&self) -> impl Iterator<Item = &TrackedHost> {
        self.named.values()
    }

    /// The current state of all sub-sites.
    pub(crate) fn snapshot(&self, now: Instant) -> Vec<SubSite> {
        self.sites.iter().map(|(name, site)| site.snapshot(name, now)).collect()
    }

    /// Returns the number of hosts that send and the number of silent hosts in all sites.
    pub(crate) fn count(&self) -> (u32, u32) {
        let counts = self.sites.values().map(TrackedSite::count);
        counts.fold((0, 0), |sum, count| (sum.0 + count.0, sum.1 + count.1))
    }

    /// The number of hosts in each section of each sub-site.
    pub(crate) fn sections(&self) -> impl Iterator<Item = (&Option<Name>, &u32)> {
        self.sites.values().flat_map(|site| &site.sections)
    }
}

impl Aggregator {
    fn new(frame: &SiteFrame, seen: Instant, since: Instant) -> Self {
        let SiteFrame { instance, seq, hosts, silent, refused, .. } = *frame;
        let groups = frame.sections.iter().flat_map(|sections| &sections.groups);
        let sections = groups.map(|group| (group.name.clone(), group.hosts)).collect();
        Self { instance, seq, seen, hosts, silent, refused, since, sections }
    }
}

impl TrackedSite {
    fn new(seen: Instant) -> Self {
        Self {
            aggregators: Vec::new(),
            refused: Accumulator::default(),
            sections: BTreeMap::new(),
            seen,
            silent: false,
            parts: 1,
            section_parts: None,
            changes: Bucket::new(CHANGES, seen),
        }
    }

    /// Returns the number of hosts that send and the number of silent hosts. Each number is the
    /// largest one that any relay reports, because a relay that has just started knows fewer hosts.
    fn count(&self) -> (u32, u32) {
        let most = |of: fn(&Aggregator) -> u32| self.aggregators.iter().map(of).max().unwrap_or(0);
        (most(|aggregator| aggregator.hosts), most(|aggregator| aggregator.silent))
    }

    /// Updates [`Self::sections`]. The number of hosts in a section is the largest number that any
    /// relay reports. While every relay has been reporting for less than [`SILENT`], the previous
    /// numbers count as well, because a new relay does not know all hosts yet. If no relay reports
    /// sections, all hosts count as hosts without a section.
    fn count_sections(&mut self, now: Instant) {
        let has_settled = |aggregator: &Aggregator| now.duration_since(aggregator.since) >= SILENT;
        if self.aggregators.iter().any(has_settled) || self.sections.keys().all(Option::is_none) {
            self.sections.clear();
        }
        let reported = self.aggregators.iter().flat_map(|aggregator| &aggregator.sections);
        for (name, hosts) in reported {
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

    fn snapshot(&self, name: &Name, now: Instant) -> SubSite {
        let (hosts, silent_hosts) = self.count();
        SubSite {
            name: name.clone(),
            silent: self.silent,
            hosts,
            silent_hosts,
            refused: self.refused.totals()[0],
            aggregators: self.aggregators.len() as u32,
            relative_error: relative_error(self.parts),
            section_relative_error: self.section_parts.map(relative_error),
            seen_ago: now.duration_since(self.seen),
        }
    }
}

/// The relative error of the values in a sub-site's state. The sketches in the site's frames have
/// `parts` bins in each doubling of a value. The engine adds the middles of these bins to a
/// histogram with the finest bins. If the bins of the frames are wider than those of the histogram,
/// the histogram's own error is added.
fn relative_error(parts: u8) -> f64 {
    let of_sum = if parts < MAX_PARTS { sketch::relative_error(MAX_PARTS) } else { 0.0 };
    sketch::relative_error(parts) + of_sum
}

#[cfg(test)]
mod tests;
