//! Chooses the hosts and sections that play: one reading for the bed, the soloists, and the hosts
//! or sections of the pulse. No I/O.

use std::{collections::BTreeSet, sync::Arc};

use khor_music::{
    Cast, HostPlacement, MAX_TURNS, PulseCast, RollCallTurn, SECTIONS, SOLOISTS, SectionPart, SiteMode,
    Soloist, name_hash,
};
use khor_signal::{
    LaneId, Lanes, Reading, SectionSlots, Soloists, busiest, ensemble, largest_deviation, louder,
    most_saturated,
};

/// A host of a site.
#[derive(Clone, Copy, Debug)]
pub struct StageHost<'a> {
    /// Its name.
    pub name: &'a str,
    /// Its section.
    pub section: Option<&'a str>,
    /// It has stopped sending. It keeps its part and its turn, but does not play.
    pub silent: bool,
    /// Its last reading, with the selected signals only.
    pub reading: &'a Reading,
}

/// How much the engine knows of the hosts of a site.
#[derive(Clone, Debug)]
pub enum SiteDetail<'a> {
    /// Every host is known.
    Each,
    /// The sum over all hosts and over each section, because the site contains sites. Only the most
    /// deviant hosts are known by name.
    Together {
        /// All hosts; `None` if none sends.
        reading: Option<Reading>,
        /// By name, hosts without a section last.
        sections: &'a [StageSection<'a>],
    },
}

/// The sum over the hosts of a section.
#[derive(Clone, Debug)]
pub struct StageSection<'a> {
    /// Its name; `None` are hosts without one.
    pub section: Option<&'a str>,
    /// Hosts in it, silent ones included.
    pub hosts: usize,
    /// Its busiest tenth of hosts, with the selected signals only; `None` if none sends.
    pub lanes: Option<Lanes>,
}

/// Chooses the hosts and sections that play. It remembers the choice, so that the choice rarely
/// changes.
#[derive(Debug, Default)]
pub struct Stage {
    soloists: Soloists<String>,
    section_slots: SectionSlots<String, SECTIONS>,
}

/// Who plays, and why.
#[derive(Clone, Debug, Default)]
pub struct StagePlan {
    /// All hosts as one; `None` if none sends.
    pub reading: Option<Reading>,
    /// The soloists, in the order of the cast.
    pub soloists: [Option<Solo>; SOLOISTS],
    /// The input of the composer.
    pub cast: Arc<Cast>,
    /// How the site is played.
    pub mode: SiteMode,
    /// The sections that play their own pulse, in the order of their parts. Empty if all hosts play
    /// together.
    pub benches: Vec<SeatedSection>,
    /// Turns of the roll call.
    pub turns: usize,
    /// Why this plan differs from the mode, if it does.
    pub remark: Option<String>,
}

/// A soloist.
#[derive(Clone, Debug)]
pub struct Solo {
    /// Its name.
    pub host: String,
    /// Its section.
    pub section: Option<String>,
    /// The lane by which it stands out most.
    pub signal: LaneId,
    /// Its deviation, octaves.
    pub deviation: f32,
    /// Its reading.
    pub reading: Reading,
}

/// A section that plays its own pulse, with its part.
#[derive(Clone, Debug, PartialEq)]
pub struct SeatedSection {
    /// The section; `None` for all sections that share the last part.
    pub section: Option<String>,
    /// Its hosts.
    pub hosts: usize,
    /// Its timbre, register and direction.
    pub bench: SectionPart,
}

impl StagePlan {
    /// The soloists, the largest deviation first.
    pub fn furthest(&self) -> Vec<&Solo> {
        let mut soloists: Vec<&Solo> = self.soloists.iter().flatten().collect();
        soloists.sort_by(|a, b| b.deviation.total_cmp(&a.deviation));
        soloists
    }
}

impl Stage {
    /// Chooses from the hosts that are known by name, and from the sums over all hosts.
    pub fn update(&mut self, mode: SiteMode, hosts: &[StageHost<'_>], detail: &SiteDetail<'_>) -> StagePlan {
        let heard = || hosts.iter().filter(|host| !host.silent);
        let chosen = self.soloists.choose(heard().map(|host| (host.name, &host.reading.lanes)));
        let soloists = chosen.each_ref().map(|name| {
            let name = name.as_deref()?;
            heard().find(|host| host.name == name).and_then(Solo::of)
        });
        let reading = match detail {
            SiteDetail::Each => ensemble(heard().map(|host| host.reading)),
            SiteDetail::Together { reading, .. } => reading.clone(),
        };
        let mut plan = StagePlan { reading, soloists, mode, ..StagePlan::default() };
        let pulse = match mode {
            SiteMode::Ensemble => PulseCast::Together,
            SiteMode::Sections => self.sections(hosts, detail, &mut plan),
            SiteMode::RollCall => match detail {
                SiteDetail::Each => roll_call(hosts, &mut plan),
                SiteDetail::Together { sections, .. } => roll_call_of_sections(sections, &mut plan),
            },
        };
        let placement = |solo: &Solo| {
            let placement = HostPlacement::of_host(&solo.host);
            match pulse {
                PulseCast::Sections(_) => {
                    placement.within(&SectionPart::ALL[self.section_slots.slot(solo.section.as_deref())])
                }
                _ => placement,
            }
        };
        let soloist = |solo: &Solo| Soloist { lanes: solo.reading.lanes.clone(), placement: placement(solo) };
        let soloists = plan.soloists.each_ref().map(|solo| solo.as_ref().map(soloist));
        plan.cast = Arc::new(Cast { soloists, pulse });
        plan
    }

    /// A pulse for each section, from its busiest tenth of hosts or from its soloist.
    fn sections(
        &mut self,
        hosts: &[StageHost<'_>],
        detail: &SiteDetail<'_>,
        plan: &mut StagePlan,
    ) -> PulseCast {
        match detail {
            SiteDetail::Each => self.section_slots.assign(hosts.iter().map(|host| host.section)),
            SiteDetail::Together { sections, .. } => {
                self.section_slots.assign(sections.iter().map(|group| group.section));
            }
        }
        if self.section_slots.count() < 2 {
            plan.remark = Some("fewer than two sections: all play together".into());
            return PulseCast::Together;
        }
        if !self.section_slots.rest().is_empty() {
            let rest = name_list(self.section_slots.rest());
            plan.remark = Some(format!("more than {SECTIONS} groups: the last place is shared by {rest}"));
        }
        let mut benches = [const { None::<Lanes> }; SECTIONS];
        for (index, bench) in benches.iter_mut().enumerate() {
            let (count, lanes) = self.bench_lanes(index, hosts, detail);
            if count == 0 {
                continue;
            }
            let section = self.section_slots.named().get(index).cloned();
            plan.benches.push(SeatedSection { section, hosts: count, bench: SectionPart::ALL[index] });
            let solos = plan.soloists.iter().flatten();
            let solos = solos.filter(|solo| self.section_slots.slot(solo.section.as_deref()) == index);
            *bench = Some(solos.fold(lanes, |lanes, solo| louder(&lanes, &solo.reading.lanes)));
        }
        if let Some(reading) = &mut plan.reading {
            reading.lanes = most_saturated(&reading.lanes, benches.iter().flatten());
        }
        PulseCast::Sections(benches)
    }

    /// The number of hosts with a part, and their busiest tenth. If summarized sections share the
    /// part, the busiest one counts.
    fn bench_lanes(&self, index: usize, hosts: &[StageHost<'_>], detail: &SiteDetail<'_>) -> (usize, Lanes) {
        match detail {
            SiteDetail::Each => {
                let sitting = || hosts.iter().filter(|host| self.section_slots.slot(host.section) == index);
                let heard = sitting().filter(|host| !host.silent).map(|host| &host.reading.lanes);
                (sitting().count(), busiest(heard))
            }
            SiteDetail::Together { sections, .. } => {
                let sitting = sections.iter().filter(|group| self.section_slots.slot(group.section) == index);
                sitting.fold((0, Lanes::NONE), |(hosts, lanes), group| {
                    let lanes = group.lanes.as_ref().map_or(lanes.clone(), |more| louder(&lanes, more));
                    (hosts + group.hosts, lanes)
                })
            }
        }
    }
}

/// A short list of names. There may be thousands.
fn name_list(names: &[String]) -> String {
    const NAMED: usize = 4;
    let named = names.iter().take(NAMED).map(String::as_str).collect::<Vec<_>>().join(", ");
    match names.len().saturating_sub(NAMED) {
        0 => named,
        more => format!("{named} and {more} more"),
    }
}

impl Solo {
    fn of(host: &StageHost<'_>) -> Option<Self> {
        let (signal, deviation) = largest_deviation(&host.reading.lanes)?;
        let section = host.section.map(ToOwned::to_owned);
        Some(Self { host: host.name.to_owned(), section, signal, deviation, reading: host.reading.clone() })
    }
}

/// Calls the hosts in turn, by name. If there are more hosts than turns, calls the sections, and
/// last the hosts without one.
fn roll_call(hosts: &[StageHost<'_>], plan: &mut StagePlan) -> PulseCast {
    let (count, turns): (usize, Vec<RollCallTurn>) = if hosts.len() <= MAX_TURNS
        || hosts.iter().all(|h| h.section.is_none())
    {
        let mut hosts: Vec<&StageHost<'_>> = hosts.iter().collect();
        hosts.sort_by_key(|host| host.name);
        let lanes = |host: &StageHost<'_>| (!host.silent).then(|| host.reading.lanes.clone());
        (hosts.len(), hosts.iter().take(MAX_TURNS).map(|host| turn(host.name, lanes(host))).collect())
    } else {
        let groups: BTreeSet<_> = hosts.iter().map(|host| (host.section.is_none(), host.section)).collect();
        let count = hosts.len();
        plan.remark = Some(format!("{count} hosts are more than {MAX_TURNS} turns: each section has one"));
        let of = |(_, section): &(bool, Option<&str>)| {
            let heard = hosts.iter().filter(|host| !host.silent && host.section == *section);
            let lanes: Vec<&Lanes> = heard.map(|host| &host.reading.lanes).collect();
            turn(section.unwrap_or_default(), (!lanes.is_empty()).then(|| busiest(lanes.iter().copied())))
        };
        (groups.len(), groups.iter().take(MAX_TURNS).map(of).collect())
    };
    roll_call_turns(count, turns, plan)
}

/// Calls the sections in turn, by name, because most hosts are not known one by one.
fn roll_call_of_sections(sections: &[StageSection<'_>], plan: &mut StagePlan) -> PulseCast {
    if sections.iter().all(|group| group.section.is_none()) {
        let remark =
            "sites within the site do not report every host, and no host has a section: all play together";
        plan.remark = Some(remark.into());
        return PulseCast::Together;
    }
    plan.remark = Some("sites within the site do not report every host: each section has a turn".into());
    let turns = sections.iter().take(MAX_TURNS);
    let turns = turns.map(|group| turn(group.section.unwrap_or_default(), group.lanes.clone())).collect();
    roll_call_turns(sections.len(), turns, plan)
}

/// The roll call. `count` may exceed the number of turns.
fn roll_call_turns(count: usize, turns: Vec<RollCallTurn>, plan: &mut StagePlan) -> PulseCast {
    if count > MAX_TURNS {
        let beyond = count - MAX_TURNS;
        plan.remark =
            Some(format!("{count} are more than {MAX_TURNS} turns: the last {beyond} are not called"));
    }
    plan.turns = turns.len();
    PulseCast::RollCall(turns)
}

fn turn(name: &str, lanes: Option<Lanes>) -> RollCallTurn {
    RollCallTurn { id: name_hash(name), lanes, placement: HostPlacement::of_host(name) }
}

#[cfg(test)]
mod tests {
    use khor_signal::{SignalId, deviating_reading as reading};

    use super::*;

    fn host<'a>(name: &'a str, section: &'a str, reading: &'a Reading) -> StageHost<'a> {
        StageHost { name, section: Some(section).filter(|name| !name.is_empty()), silent: false, reading }
    }

    fn sections(plan: &StagePlan) -> [bool; SECTIONS] {
        match &plan.cast.pulse {
            PulseCast::Sections(benches) => benches.each_ref().map(|bench| {
                bench.as_ref().is_some_and(|lanes| lanes[SignalId::Io].is_some_and(|lane| lane.level > 0.5))
            }),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn sections_follow_their_soloists() {
        let (calm, busy) = (reading(SignalId::Io, 0.0), reading(SignalId::Io, 7.0));
        let names: Vec<String> = (0..40).map(|n| format!("web-{n:02}")).collect();
        let mut hosts: Vec<StageHost<'_>> = names.iter().map(|name| host(name, "web", &calm)).collect();
        hosts.extend([host("db-1", "db", &calm), host("app-1", "app", &calm)]);
        hosts[7].reading = &busy;
        let plan = Stage::default().update(SiteMode::Sections, &hosts, &SiteDetail::Each);
        assert_eq!(sections(&plan), [false, false, true, false]);
        let benches: Vec<_> = plan.benches.iter().map(|one| (one.section.as_deref(), one.hosts)).collect();
        assert_eq!(benches, [(Some("app"), 1), (Some("db"), 1), (Some("web"), 40)]);
        assert_eq!(plan.furthest()[0].host, "web-07");
        let placement = plan.cast.soloists[0].as_ref().unwrap().placement;
        assert_eq!(placement, HostPlacement::of_host("web-07").within(&SectionPart::ALL[2]));
        assert_eq!(plan.remark, None);
    }

    #[test]
    fn excess_sections_share_a_bench() {
        let calm = reading(SignalId::Io, 0.0);
        let mut stage = Stage::default();
        for one in [host("a", "", &calm), host("a", "web", &calm)] {
            let plan =
                stage.update(SiteMode::Sections, &[one, StageHost { name: "b", ..one }], &SiteDetail::Each);
            assert_eq!(plan.cast.pulse, PulseCast::Together);
            assert_eq!(plan.remark.as_deref(), Some("fewer than two sections: all play together"));
        }
        let names = ["a", "b", "c", "d", "e"];
        let hosts: Vec<StageHost<'_>> = names.iter().map(|name| host(name, name, &calm)).collect();
        let plan = stage.update(SiteMode::Sections, &hosts, &SiteDetail::Each);
        assert_eq!(plan.remark.as_deref(), Some("more than 4 groups: the last place is shared by d, e"));
        assert_eq!(plan.benches.last().map(|rest| (rest.section.clone(), rest.hosts)), Some((None, 2)));
    }

    #[test]
    fn silent_hosts_keep_their_turn() {
        let calm = reading(SignalId::Io, 0.0);
        let gone = StageHost { silent: true, ..host("b", "", &calm) };
        let plan = Stage::default().update(
            SiteMode::RollCall,
            &[host("c", "", &calm), gone, host("a", "", &calm)],
            &SiteDetail::Each,
        );
        let PulseCast::RollCall(turns) = &plan.cast.pulse else { panic!("{plan:?}") };
        let answers: Vec<_> = turns.iter().map(|turn| (turn.id, turn.lanes.is_some())).collect();
        assert_eq!(answers, [("a", true), ("b", false), ("c", true)].map(|(name, is)| (name_hash(name), is)));
    }

    #[test]
    fn large_sites_roll_call_by_section() {
        let calm = reading(SignalId::Io, 0.0);
        let names: Vec<String> = (0..40).map(|n| format!("h{n:02}")).collect();
        let of = |section: fn(usize) -> &'static str| -> Vec<StageHost<'_>> {
            names.iter().enumerate().map(|(n, name)| host(name, section(n), &calm)).collect()
        };
        let turns = |hosts: &[StageHost<'_>]| {
            let plan = Stage::default().update(SiteMode::RollCall, hosts, &SiteDetail::Each);
            (plan.turns, plan.remark)
        };
        let (count, remark) = turns(&of(|n| ["web", "db"][n % 2]));
        assert_eq!(
            (count, remark.as_deref()),
            (2, Some("40 hosts are more than 32 turns: each section has one"))
        );
        let (count, remark) = turns(&of(|_| ""));
        assert_eq!(
            (count, remark.as_deref()),
            (32, Some("40 are more than 32 turns: the last 8 are not called"))
        );
        assert_eq!(turns(&of(|_| "")[..32]), (32, None));
    }

    #[test]
    fn an_empty_site_is_silent() {
        for mode in [SiteMode::Ensemble, SiteMode::Sections, SiteMode::RollCall] {
            let plan = Stage::default().update(mode, &[], &SiteDetail::Each);
            assert!(plan.reading.is_none() && plan.furthest().is_empty() && plan.benches.is_empty());
        }
    }

    /// Summaries of sections: `db` is busy, hosts without a section are calm, `web` is silent.
    fn groups<'a>(busy: &Reading, calm: &Reading) -> [StageSection<'a>; 3] {
        let group = |section, hosts, lanes| StageSection { section, hosts, lanes };
        [
            group(Some("db"), 30, Some(busy.lanes.clone())),
            group(Some("web"), 5, None),
            group(None, 10, Some(calm.lanes.clone())),
        ]
    }

    #[test]
    fn sub_site_sections_play_their_own_lanes() {
        let (calm, busy) = (reading(SignalId::Io, 0.0), reading(SignalId::Io, 7.0));
        let named = [host("web-1", "web", &busy)];
        let groups = groups(&busy, &calm);
        let detail = SiteDetail::Together { reading: Some(calm), sections: &groups };
        let mut stage = Stage::default();
        let plan = stage.update(SiteMode::Sections, &named[..0], &detail);
        assert_eq!((sections(&plan), plan.remark), ([true, false, false, false], None));
        let benches: Vec<_> = plan.benches.iter().map(|one| (one.section.as_deref(), one.hosts)).collect();
        assert_eq!(benches, [(Some("db"), 30), (Some("web"), 5), (None, 10)]);
        let level = plan.reading.unwrap().lanes[SignalId::Io].unwrap().level;
        assert!(level < 0.1, "of all, and not of the named: {level}");
        let plan = stage.update(SiteMode::Sections, &named, &detail);
        assert_eq!(sections(&plan), [true, true, false, false], "a soloist is heard of his section");
        assert_eq!(
            plan.cast.soloists[0].as_ref().unwrap().placement,
            HostPlacement::of_host("web-1").within(&SectionPart::ALL[1]),
            "and plays from there"
        );
    }

    #[test]
    fn sub_site_sections_take_turns() {
        let (calm, busy) = (reading(SignalId::Io, 0.0), reading(SignalId::Io, 7.0));
        let groups = groups(&busy, &calm);
        let detail = SiteDetail::Together { reading: Some(calm.clone()), sections: &groups };
        let plan = Stage::default().update(SiteMode::RollCall, &[], &detail);
        let PulseCast::RollCall(turns) = &plan.cast.pulse else { panic!("{plan:?}") };
        let answers: Vec<_> = turns.iter().map(|turn| (turn.id, turn.lanes.is_some())).collect();
        assert_eq!(
            answers,
            [("db", true), ("web", false), ("", true)].map(|(name, is)| (name_hash(name), is))
        );
        assert!(plan.remark.unwrap().ends_with("each section has a turn"));
        let many = vec![groups[0].clone(); 40];
        let detail = SiteDetail::Together { reading: Some(calm), sections: &many };
        let plan = Stage::default().update(SiteMode::RollCall, &[], &detail);
        assert_eq!(plan.turns, 32);
        assert!(plan.remark.unwrap().ends_with("the last 8 are not called"));
    }

    #[test]
    fn sub_sites_without_sections_play_together() {
        let (calm, loud) = (reading(SignalId::Io, 0.0), reading(SignalId::Io, 6.0));
        let named = [host("db-1", "", &loud), host("web-1", "", &loud)];
        let without = [StageSection { section: None, hosts: 9, lanes: Some(calm.lanes.clone()) }];
        let detail = SiteDetail::Together { reading: Some(calm), sections: &without };
        for mode in [SiteMode::Ensemble, SiteMode::Sections, SiteMode::RollCall] {
            let plan = Stage::default().update(mode, &named, &detail);
            assert_eq!(plan.cast.pulse, PulseCast::Together, "{mode:?}");
            assert_eq!(plan.remark.is_some(), mode != SiteMode::Ensemble);
            assert_eq!(plan.furthest().len(), 2);
        }
    }
}
