//! Keeps the state of an engine's site: its hosts, its sub-sites (the sites within it), and the sum
//! over the last second. No I/O.

use std::{collections::BTreeMap, sync::Arc};

use khor_fleet::{Name, SiteFrame};
use khor_proto::CueKind;
use khor_signal::{Catalogue, Lanes, Reading, louder};
use tokio::time::Instant;

use crate::{
    aggregate::{Sections, Summed, Window},
    membership::{
        Admission, Host, HostRoster, MembershipChange, Refused, SiteOutcome, SubSite, SubSites, TrackedHost,
        pool_sections,
    },
};

/// The state of a site at one instant.
#[derive(Clone, Debug)]
pub struct Site {
    /// The site's name.
    pub name: Name,
    /// Two lists of hosts, each sorted by name. First come the hosts that send to this engine. Then
    /// come the hosts whose frames a sub-site passes on.
    pub hosts: Vec<Host>,
    /// The sub-sites, sorted by name.
    pub sites: Vec<SubSite>,
    /// The sum over all hosts. `None` if there are no sub-sites, because [`Self::hosts`] then
    /// contains every host.
    pub summary: Option<SiteSummary>,
    /// The lanes of all readings: first the signals of the kernel, then the lanes that hosts add.
    pub catalogue: Catalogue,
    /// Number of hosts that send, including the hosts of sub-sites.
    pub live: u32,
    /// Number of hosts that have stopped sending, including the hosts of sub-sites.
    pub silent: u32,
    /// Counts of rejected messages.
    pub refused: Refused,
}

/// The sum over all hosts of a site in the last second.
#[derive(Clone, Debug)]
pub struct SiteSummary {
    /// One reading that combines the frames of all hosts; `None` if no frame arrived.
    pub reading: Option<Reading>,
    /// The sections, sorted by name. The hosts without a section come last.
    pub sections: Vec<SectionSummary>,
}

/// The sum over all hosts of a section in the last second.
#[derive(Clone, Debug)]
pub struct SectionSummary {
    /// The section's name; `None` for hosts without a section, and for sections that relays do not
    /// report by name.
    pub name: Option<Name>,
    /// Number of hosts in the section, including silent ones.
    pub hosts: u32,
    /// Each lane is the 90th percentile over the section's hosts. `None` if no frame arrived.
    pub lanes: Option<Lanes>,
}

/// Tracks the state of a site, which it derives from the messages that arrive.
pub struct SiteTracker {
    site: Name,
    hosts: HostRoster,
    sub_sites: SubSites,
    /// Frames of the last second. Empty if there are no sub-sites.
    window: Window,
    /// Earlier snapshots. Their memory is reused once no other thread holds them.
    snapshots: Vec<Arc<Site>>,
}

impl SiteTracker {
    /// Maximum number of earlier snapshots that are kept for reuse.
    const SNAPSHOTS: usize = 4;

    /// Creates the tracker of a site that has no hosts yet.
    pub fn new(site: Name, now: Instant) -> Self {
        Self {
            site,
            hosts: HostRoster::new(now),
            sub_sites: SubSites::new(now),
            window: Window::new(),
            snapshots: Vec::new(),
        }
    }

    /// The name of the site.
    pub(crate) fn site(&self) -> &Name {
        &self.site
    }

    /// Call this after a reconnect, so that no host or sub-site is reported as silent only because
    /// the connection was lost.
    pub(crate) fn reconnected(&mut self, now: Instant) {
        self.hosts.reconnected(now);
        self.sub_sites.reconnected(now);
    }

    /// Handles a host's frame. If the host was silent before, returns its name.
    pub fn host_frame(&mut self, subject: &str, bytes: &[u8], now: Instant, wall_ms: u64) -> Option<Name> {
        let arrival = self.hosts.host_frame(subject, bytes, now, wall_ms)?;
        if !self.sub_sites.is_empty() {
            self.window.current(now).add_host(arrival.host.section.as_ref(), &arrival.host.reading);
        }
        arrival.is_back.then(|| arrival.host.name.clone())
    }

    /// Handles the frame of a sub-site. Returns the hosts and sub-sites that changed.
    pub fn site_frame(
        &mut self,
        subject: &str,
        bytes: &[u8],
        now: Instant,
        wall_ms: u64,
    ) -> Vec<MembershipChange> {
        let Some(frame) = self.hosts.read(subject, bytes, |frame: &SiteFrame| &frame.site) else {
            return Vec::new();
        };
        if frame.levels != SiteFrame::LEVELS {
            self.hosts.refuse(|refused| &mut refused.nested, subject, NESTED);
            return Vec::new();
        }
        match self.sub_sites.site_frame(&frame, now, wall_ms, self.hosts.catalogue()) {
            SiteOutcome::Accepted(changes) => {
                self.window.current(now).add_site(&frame);
                return changes;
            }
            SiteOutcome::Late => self.hosts.count_late(),
            SiteOutcome::Crowded => {
                let why = "too many sub-sites, or too many relays that report this sub-site";
                self.hosts.refuse(|refused| &mut refused.crowded, subject, why);
            }
        }
        Vec::new()
    }

    /// Converts a cue message to a cue of khor-proto. Ignores kinds of cues that this version does
    /// not know.
    pub(crate) fn cue(
        &mut self,
        subject: &str,
        bytes: &[u8],
        now: Instant,
    ) -> Option<(Name, khor_proto::Cue, Admission)> {
        let (cue, admission) = self.hosts.cue(subject, bytes, now)?;
        let kind = CueKind::ALL.into_iter().find(|kind| kind.name() == cue.kind)?;
        let khor_fleet::Cue { host, monotonic_ms, pid, comm, detail, .. } = cue;
        let t_ns = monotonic_ms.saturating_mul(1_000_000);
        Some((host, khor_proto::Cue { kind, t_ns, pid, comm, cgroup_id: None, detail }, admission))
    }

    /// Returns the hosts and sub-sites that fell silent since the last call.
    pub(crate) fn fallen_silent(&mut self, now: Instant) -> Vec<Name> {
        let mut fallen = self.hosts.fallen_silent(now);
        fallen.extend(self.sub_sites.fallen_silent(now));
        fallen
    }

    /// The counts of rejected messages.
    pub(crate) fn refused(&self) -> &Refused {
        self.hosts.refused()
    }

    /// The current state of the site. Called ten times a second, so it reuses the memory of earlier
    /// snapshots.
    pub fn snapshot(&mut self, now: Instant, wall_ms: u64) -> Arc<Site> {
        let summary = (!self.sub_sites.is_empty()).then(|| {
            let summed = self.window.sum(now, wall_ms * 1_000_000);
            self.summary(summed)
        });
        let (own, below) = (self.hosts.count(), self.sub_sites.count());
        let free = self.snapshots.iter_mut().position(|snapshot| Arc::get_mut(snapshot).is_some());
        let mut snapshot = match free {
            Some(free) => self.snapshots.swap_remove(free),
            None => Arc::new(Site {
                name: self.site.clone(),
                hosts: Vec::new(),
                sites: Vec::new(),
                summary: None,
                catalogue: Catalogue::kernel(),
                live: 0,
                silent: 0,
                refused: Refused::default(),
            }),
        };
        if let Some(site) = Arc::get_mut(&mut snapshot) {
            write_hosts(&mut site.hosts, self.hosts.tracked().chain(self.sub_sites.named()), now);
            (site.sites, site.summary) = (self.sub_sites.snapshot(now), summary);
            (site.live, site.silent) = (own.0 + below.0, own.1 + below.1);
            site.refused.clone_from(self.hosts.refused());
            site.catalogue = self.hosts.catalogue().clone();
        }
        if self.snapshots.len() < Self::SNAPSHOTS {
            self.snapshots.push(Arc::clone(&snapshot));
        }
        snapshot
    }

    /// Combines the sum with the number of hosts in each section. If there are too many sections,
    /// the last entry has no name and contains the remaining sections.
    fn summary(&self, Summed { reading, mut sections }: Summed) -> SiteSummary {
        let section = |(name, hosts): (Option<Name>, u32)| {
            let lanes = match &name {
                Some(_) => sections.remove(&name),
                None => std::mem::take(&mut sections).into_values().reduce(|a, b| louder(&a, &b)),
            };
            SectionSummary { name, hosts, lanes }
        };
        let counts = pool_sections(self.section_counts(), Sections::MOST);
        SiteSummary { reading, sections: counts.into_iter().map(section).collect() }
    }

    fn section_counts(&self) -> BTreeMap<Option<Name>, u32> {
        let mut counts = self.hosts.sections();
        for (name, hosts) in self.sub_sites.sections().filter(|(_, hosts)| **hosts > 0) {
            *counts.entry(name.clone()).or_default() += hosts;
        }
        counts
    }
}

/// The reason that khor gives for rejecting the frame of a sub-site that itself contains sites.
const NESTED: &str = "a sub-site may contain only hosts: aggregate each site directly into the engine's site";

/// Overwrites `hosts`, the list of an earlier snapshot, with the current hosts. This reuses the
/// memory of the list.
fn write_hosts<'a>(hosts: &mut Vec<Host>, tracked: impl Iterator<Item = &'a TrackedHost>, now: Instant) {
    let mut count = 0;
    for tracked in tracked {
        match hosts.get_mut(count) {
            Some(host) => tracked.write_snapshot(host, now),
            None => hosts.push(tracked.snapshot(now)),
        }
        count += 1;
    }
    hosts.truncate(count);
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use khor_fleet::Message;

    use super::*;
    use crate::testing::{plain_frame, plain_site_frame};

    fn receive(tracker: &mut SiteTracker, host: &str, seq: u64, now: Instant) {
        let frame = plain_frame(host, seq);
        let subject = format!("khor.v1.home.{host}.frame");
        tracker.host_frame(&subject, &frame.write().unwrap(), now, 0);
    }

    #[test]
    fn a_snapshot_in_use_never_changes() {
        let begun = Instant::now();
        let mut tracker = SiteTracker::new(Name::new("home").unwrap(), begun);
        let names = |site: &Site| site.hosts.iter().map(|host| host.name.to_string()).collect::<Vec<_>>();
        receive(&mut tracker, "b", 0, begun);
        let first = tracker.snapshot(begun, 0);
        receive(&mut tracker, "a", 0, begun);
        let second = tracker.snapshot(begun, 0);
        assert_eq!((names(&first), names(&second)), (vec!["b".to_owned()], vec!["a".into(), "b".into()]));
        let mut places = std::collections::BTreeSet::new();
        drop((first, second));
        let mut held = None;
        for seq in 1..100 {
            let now = begun + Duration::from_millis(seq * 200);
            receive(&mut tracker, "a", seq, now);
            let snapshot = tracker.snapshot(now, 0);
            assert_eq!((snapshot.hosts[0].seen_ago, snapshot.live), (Duration::ZERO, 2));
            places.insert(snapshot.hosts.as_ptr());
            held = Some(snapshot);
        }
        assert!(held.is_some() && places.len() <= 3, "{places:?}");
    }

    #[test]
    fn a_site_that_contains_sites_is_rejected() {
        let now = Instant::now();
        let mut tracker = SiteTracker::new(Name::new("home").unwrap(), now);
        for (levels, seq) in [(1, 0), (2, 1), (0, 2)] {
            let frame = SiteFrame { levels, ..plain_site_frame("hall", 1, seq) };
            tracker.site_frame("khor.v1.home.hall.site", &frame.write().unwrap(), now, 0);
        }
        let site = tracker.snapshot(now, 0);
        assert_eq!((site.refused.nested, site.sites.len(), site.live), (2, 1, 40));
        assert!(
            site.refused.last.as_ref().unwrap().starts_with("khor.v1.home.hall.site: a sub-site may contain")
        );
    }
}
