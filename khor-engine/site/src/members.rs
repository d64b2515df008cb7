//! All who are heard in a site: hosts by their own relays, sites within it by those that aggregate. No I/O.

use std::{collections::BTreeMap, sync::Arc};

use khor_fleet::{Cue, Name, SiteFrame};
use khor_proto::CueKind;
use tokio::time::Instant;

use super::{
    cue_limits::{self, Admission, CueLimits},
    host::{Host, Tracked},
    hosts::{Arrival, Hosts, Refused},
    sections::Sections,
    sites::{Sites, SubSite, Taken},
    window::Summed,
};
use khor_signal::{Lanes, Reading, louder};

/// A site at one instant.
#[derive(Clone, Debug)]
pub struct Site {
    /// The site.
    pub name: Name,
    /// Its hosts by name: those that are heard, then those that the sites within it name as standing out.
    pub hosts: Vec<Host>,
    /// Sites within it, by name.
    pub sites: Vec<SubSite>,
    /// What is heard of all hosts, where sites within it are; else the hosts say it themselves.
    pub together: Option<Together>,
    /// Hosts that send, those of sites within it included.
    pub live: u32,
    /// Hosts that have stopped, likewise.
    pub silent: u32,
    /// What was not taken.
    pub refused: Refused,
}

/// All hosts of a site that are not all heard one by one, of the last second.
#[derive(Clone, Debug)]
pub struct Together {
    /// As one machine; `None` where nothing is heard.
    pub reading: Option<Reading>,
    /// The groups that they are in, by name, hosts without one last.
    pub sections: Vec<Group>,
}

/// A section of them.
#[derive(Clone, Debug)]
pub struct Group {
    /// Its name; `None` are hosts without one, or whose section is not told of by itself.
    pub name: Option<Name>,
    /// Hosts in it, those that have stopped included.
    pub hosts: u32,
    /// As its busiest tenth is; `None` where nothing is heard of it.
    pub lanes: Option<Lanes>,
}

/// Who fell silent or came back: a host or a site.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Presence {
    /// It is silent.
    Lost(Name),
    /// It is back.
    Back(Name),
}

/// Everybody.
pub struct Members {
    site: Name,
    hosts: Hosts,
    sites: Sites,
    cue_limits: CueLimits,
    /// What was looked at before, to be written over once nobody looks at it any more.
    looks: Vec<Arc<Site>>,
}

impl Members {
    /// Looks that may be held elsewhere at once: by the state, and on the way there.
    const LOOKS: usize = 4;

    /// Listens to this site from now on.
    pub fn new(site: Name, now: Instant) -> Self {
        let (hosts, sites, cue_limits) = (Hosts::new(now), Sites::new(now), CueLimits::new(now));
        Self { site, hosts, sites, cue_limits, looks: Vec::new() }
    }

    /// The name of the site.
    pub fn site(&self) -> &Name {
        &self.site
    }

    /// The server was away: nobody could be heard.
    pub fn listening_again(&mut self, now: Instant) {
        self.hosts.listening_again(now);
        self.sites.listening_again(now);
    }

    /// So many share what comes.
    pub fn shared_by(&mut self, shares: u32) {
        self.hosts.shared_by(shares);
        self.sites.shared_by(shares);
    }

    /// Takes a host's frame.
    pub fn frame(&mut self, subject: &str, bytes: &[u8], now: Instant, wall_ms: u64) -> Option<Arrival<'_>> {
        self.hosts.frame(subject, bytes, now, wall_ms)
    }

    /// Takes a frame of a site within the site; with it comes who went and came there.
    pub fn site_frame(
        &mut self,
        subject: &str,
        bytes: &[u8],
        now: Instant,
        wall_ms: u64,
    ) -> Option<(SiteFrame, Vec<Presence>)> {
        let frame = self.hosts.read(subject, bytes, |frame: &SiteFrame| &frame.site)?;
        match self.sites.take(&frame, now, wall_ms) {
            Taken::Newer(changes) => return Some((frame, changes)),
            Taken::Late => self.hosts.refused.late += 1,
            Taken::Crowded => self.hosts.refuse(
                |refused| &mut refused.crowded,
                subject,
                "too many sites, or too many that tell of this one",
            ),
        }
        None
    }

    /// Takes a cue, in khor-proto's shape. Kinds that a newer version may know are passed over.
    pub(super) fn cue(
        &mut self,
        subject: &str,
        bytes: &[u8],
        now: Instant,
    ) -> Option<(Name, khor_proto::Cue, Admission)> {
        let (cue, admission) = self.plain_cue(subject, bytes, now)?;
        let kind = CueKind::ALL.into_iter().find(|kind| kind.name() == cue.kind)?;
        let Cue { host, monotonic_ms, pid, comm, detail, .. } = cue;
        let t_ns = monotonic_ms.saturating_mul(1_000_000);
        Some((host, khor_proto::Cue { kind, t_ns, pid, comm, cgroup_id: None, detail }, admission))
    }

    /// Takes a cue as it is, unless its host sends too many.
    pub fn plain_cue(&mut self, subject: &str, bytes: &[u8], now: Instant) -> Option<(Cue, Admission)> {
        let cue = self.hosts.read(subject, bytes, |cue: &Cue| &cue.host)?;
        let admission = self.cue_limits.admit(&cue.host, self.hosts.knows(&cue.host), now);
        if admission.is_none() {
            self.hosts.refuse(|refused| &mut refused.flooded, subject, cue_limits::REFUSAL);
        }
        Some((cue, admission?))
    }

    /// Who has stopped sending since this was asked last.
    pub fn fallen_silent(&mut self, now: Instant) -> Vec<Presence> {
        let mut fallen = self.hosts.fallen_silent(now);
        fallen.extend(self.sites.fallen_silent(now));
        fallen.into_iter().map(Presence::Lost).collect()
    }

    /// Whether sites are heard, and not hosts alone.
    pub(super) fn have_sites(&self) -> bool {
        !self.sites.is_empty()
    }

    /// Hosts that send, and those that have stopped, at all levels.
    pub fn count(&self) -> (u32, u32) {
        let (hosts, sites) = (self.hosts.count(), self.sites.count());
        (hosts.0 + sites.0, hosts.1 + sites.1)
    }

    /// How many hosts are in each section, those that have stopped included, by name, those without one last; of more
    /// than `most` the last are all others. None is of nobody.
    pub fn sections(&self, most: usize) -> Vec<(Option<Name>, u32)> {
        let mut sections: BTreeMap<Option<Name>, u32> = BTreeMap::new();
        for host in self.hosts.tracked() {
            match sections.get_mut(&host.host.section) {
                Some(hosts) => *hosts += 1,
                None => {
                    sections.insert(host.host.section.clone(), 1);
                }
            }
        }
        for (name, hosts) in self.sites.sections().filter(|(_, hosts)| **hosts > 0) {
            *sections.entry(name.clone()).or_default() += hosts;
        }
        pooled(sections, most)
    }

    /// What was refused here.
    pub fn refused(&self) -> &Refused {
        &self.hosts.refused
    }

    /// What was refused by the sites within it.
    pub fn refused_below(&self) -> u64 {
        self.sites.refused()
    }

    /// The most levels of a site within it; 0 without one.
    pub fn levels(&self) -> u8 {
        self.sites.levels()
    }

    /// What was heard of each section, and how many are in it. What was heard of more than are kept apart is of the last.
    fn together(&self, Summed { reading, mut sections }: Summed) -> Together {
        let group = |(name, hosts): (Option<Name>, u32)| {
            let lanes = match &name {
                Some(_) => sections.remove(&name),
                None => std::mem::take(&mut sections).into_values().reduce(|a, b| louder(&a, &b)),
            };
            Group { name, hosts, lanes }
        };
        Together { reading, sections: self.sections(Sections::MOST).into_iter().map(group).collect() }
    }

    /// Everybody now. Ten times a second, so it is written where an earlier look was and nobody sees it any more.
    pub(super) fn look(&mut self, now: Instant, summed: Option<Summed>) -> Arc<Site> {
        let (live, silent) = self.count();
        let together = summed.map(|summed| self.together(summed));
        let sites = self.sites.look(now);
        let free = self.looks.iter_mut().position(|look| Arc::get_mut(look).is_some());
        let mut look = match free {
            Some(free) => self.looks.swap_remove(free),
            None => Arc::new(Site {
                name: self.site.clone(),
                hosts: Vec::new(),
                sites: Vec::new(),
                together: None,
                live: 0,
                silent: 0,
                refused: Refused::default(),
            }),
        };
        if let Some(site) = Arc::get_mut(&mut look) {
            rewrite(&mut site.hosts, self.hosts.tracked().chain(self.sites.named()), now);
            (site.sites, site.together, site.live, site.silent) = (sites, together, live, silent);
            site.refused.clone_from(&self.hosts.refused);
        }
        if self.looks.len() < Self::LOOKS {
            self.looks.push(Arc::clone(&look));
        }
        look
    }
}

/// Hosts by section, those without one last; of more than `most` the last are all others.
fn pooled(mut sections: BTreeMap<Option<Name>, u32>, most: usize) -> Vec<(Option<Name>, u32)> {
    let named = if sections.len() > most { most - 1 } else { most };
    let without = sections.remove(&None);
    let mut pooled: Vec<_> = sections.into_iter().collect();
    let beyond = pooled.split_off(named.min(pooled.len()));
    let others = beyond.into_iter().map(|(_, hosts)| hosts).chain(without).reduce(|a, b| a + b);
    pooled.extend(others.map(|hosts| (None, hosts)));
    pooled
}

/// Makes a list of hosts that of now; whoever stays in his place costs no memory anew.
fn rewrite<'a>(hosts: &mut Vec<Host>, tracked: impl Iterator<Item = &'a Tracked>, now: Instant) {
    let mut at = 0;
    for tracked in tracked {
        match hosts.get_mut(at) {
            Some(host) => tracked.look_again(host, now),
            None => hosts.push(tracked.look(now)),
        }
        at += 1;
    }
    hosts.truncate(at);
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use khor_fleet::Message;

    use super::{super::testing::plain_frame, *};

    fn hear(members: &mut Members, host: &str, seq: u64, now: Instant) {
        let frame = plain_frame(host, seq);
        let subject = format!("khor.v1.home.{host}.frame");
        assert!(members.frame(&subject, &frame.write().unwrap(), now, 0).is_some());
    }

    /// A look that nobody sees any more is written over; one that somebody still sees stays as it is.
    #[test]
    fn looks_are_used_again_and_never_change_under_who_looks() {
        let begun = Instant::now();
        let mut members = Members::new(Name::new("home").unwrap(), begun);
        let names = |site: &Site| site.hosts.iter().map(|host| host.name.to_string()).collect::<Vec<_>>();
        hear(&mut members, "b", 0, begun);
        let first = members.look(begun, None);
        hear(&mut members, "a", 0, begun);
        let second = members.look(begun, None);
        assert_eq!((names(&first), names(&second)), (vec!["b".to_owned()], vec!["a".into(), "b".into()]));
        let mut places = std::collections::BTreeSet::new();
        drop((first, second));
        let mut held = None;
        for seq in 1..100 {
            let now = begun + Duration::from_millis(seq * 200);
            hear(&mut members, "a", seq, now);
            let look = members.look(now, None);
            assert_eq!((look.hosts[0].seen_ago, look.live), (Duration::ZERO, 2));
            places.insert(look.hosts.as_ptr());
            held = Some(look);
        }
        assert!(held.is_some() && places.len() <= 3, "{places:?}");
    }
}
