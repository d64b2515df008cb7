//! Chooses which hosts and sections of a site play: one combined reading for the bed, the soloists
//! for the voices, and the hosts or sections for the pulse. Does no I/O.

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
    /// Name of the host.
    pub name: &'a str,
    /// Section of the host.
    pub section: Option<&'a str>,
    /// Whether the host has stopped sending. A silent host keeps its part and its turn, but does
    /// not play.
    pub silent: bool,
    /// Last reading of the host, reduced to the enabled signals.
    pub reading: &'a Reading,
}

/// Whether the engine knows each host of a site, or only sums over hosts.
#[derive(Clone, Debug)]
pub enum SiteDetail<'a> {
    /// The engine has the reading of every host.
    Each,
    /// The site contains other sites. The engine therefore has only the sums over all hosts and
    /// over each section, and the names of the hosts that stand out.
    Together {
        /// The sum over all hosts. `None` if no host sends.
        reading: Option<Reading>,
        /// The sections, sorted by name. Hosts without a section, if there are any, come last.
        sections: &'a [StageSection<'a>],
    },
}

/// A section whose hosts are not known individually. The engine has only their combined lanes.
#[derive(Clone, Debug)]
pub struct StageSection<'a> {
    /// Name of the section; `None` for the hosts without a section.
    pub section: Option<&'a str>,
    /// Number of hosts, including silent hosts.
    pub hosts: usize,
    /// Combined lanes of the hosts: each lane is the 90th percentile over these hosts. Only enabled
    /// signals have a lane. `None` if no host sends.
    pub lanes: Option<Lanes>,
}

/// Chooses the hosts and sections that play. Each choice depends on the previous one, so that
/// soloists and parts change rarely.
#[derive(Debug, Default)]
pub struct Stage {
    soloists: Soloists<String>,
    section_slots: SectionSlots<String, SECTIONS>,
}

/// The result of [`Stage`]: which hosts and sections of a site play.
#[derive(Clone, Debug, Default)]
pub struct StagePlan {
    /// The combined reading of all hosts. `None` if no host sends.
    pub reading: Option<Reading>,
    /// The soloists, in the same order as in `cast`.
    pub soloists: [Option<Solo>; SOLOISTS],
    /// The soloists and the pulse, in the form that the composer needs.
    pub cast: Arc<Cast>,
    /// The mode in which the site plays.
    pub mode: SiteMode,
    /// The sections that play their own pulse, in the order of their parts. Empty in all modes
    /// except [`SiteMode::Sections`].
    pub section_pulses: Vec<SectionPulse>,
    /// Number of turns in the roll call; 0 in all other modes.
    pub turns: usize,
    /// Why the site does not play exactly in the selected mode. `None` if it does.
    pub remark: Option<String>,
}

/// A soloist: a host that the voices play.
#[derive(Clone, Debug)]
pub struct Solo {
    /// Name of the host.
    pub host: String,
    /// Section of the host.
    pub section: Option<String>,
    /// The lane with the largest deviation on this host.
    pub signal: LaneId,
    /// Deviation of the lane `signal` from its baseline, in octaves.
    pub deviation: f32,
    /// Last reading of the host.
    pub reading: Reading,
}

/// A section that plays its own pulse.
#[derive(Clone, Debug, PartialEq)]
pub struct SectionPulse {
    /// Name of the section. `None` for the last part, which several sections may share.
    pub section: Option<String>,
    /// Number of hosts, including silent hosts.
    pub hosts: usize,
    /// Timbre, register and stereo position of the pulse.
    pub part: SectionPart,
}

impl StagePlan {
    /// Returns the soloists, sorted by deviation. The soloist with the largest deviation is first.
    pub fn soloists_by_deviation(&self) -> Vec<&Solo> {
        let mut soloists: Vec<&Solo> = self.soloists.iter().flatten().collect();
        soloists.sort_by(|a, b| b.deviation.total_cmp(&a.deviation));
        soloists
    }
}

impl Stage {
    /// Chooses again which hosts and sections play. `hosts` contains the hosts that are known by
    /// name.
    pub fn update(&mut self, mode: SiteMode, hosts: &[StageHost<'_>], detail: &SiteDetail<'_>) -> StagePlan {
        let sending = || hosts.iter().filter(|host| !host.silent);
        let chosen = self.soloists.choose(sending().map(|host| (host.name, &host.reading.lanes)));
        let soloists = chosen.each_ref().map(|name| {
            let name = name.as_deref()?;
            sending().find(|host| host.name == name).and_then(Solo::of)
        });
        let reading = match detail {
            SiteDetail::Each => ensemble(sending().map(|host| host.reading)),
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

    /// Computes the pulse of each section. Each lane of a pulse is the 90th percentile over the
    /// section's hosts. If the same lane of a soloist in this section is louder, it is used
    /// instead.
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
            plan.remark = Some("there are fewer than two sections, so all hosts play together".into());
            return PulseCast::Together;
        }
        if !self.section_slots.rest().is_empty() {
            let rest = name_list(self.section_slots.rest());
            plan.remark = Some(format!(
                "there are more than {SECTIONS} sections, so these share the last part: {rest}"
            ));
        }
        let mut pulses = [const { None::<Lanes> }; SECTIONS];
        for (index, pulse) in pulses.iter_mut().enumerate() {
            let (count, lanes) = self.part_lanes(index, hosts, detail);
            if count == 0 {
                continue;
            }
            let section = self.section_slots.named().get(index).cloned();
            plan.section_pulses.push(SectionPulse { section, hosts: count, part: SectionPart::ALL[index] });
            let solos = plan.soloists.iter().flatten();
            let solos = solos.filter(|solo| self.section_slots.slot(solo.section.as_deref()) == index);
            *pulse = Some(solos.fold(lanes, |lanes, solo| louder(&lanes, &solo.reading.lanes)));
        }
        if let Some(reading) = &mut plan.reading {
            reading.lanes = most_saturated(&reading.lanes, pulses.iter().flatten());
        }
        PulseCast::Sections(pulses)
    }

    /// Returns the number of hosts that share the part `index`, and their combined lanes. Each lane
    /// is the 90th percentile over these hosts. If only the sums of sections are known, each lane
    /// comes from the section where its level is highest.
    fn part_lanes(&self, index: usize, hosts: &[StageHost<'_>], detail: &SiteDetail<'_>) -> (usize, Lanes) {
        match detail {
            SiteDetail::Each => {
                let members = || hosts.iter().filter(|host| self.section_slots.slot(host.section) == index);
                let sending = members().filter(|host| !host.silent).map(|host| &host.reading.lanes);
                (members().count(), busiest(sending))
            }
            SiteDetail::Together { sections, .. } => {
                let members = sections.iter().filter(|group| self.section_slots.slot(group.section) == index);
                members.fold((0, Lanes::NONE), |(hosts, lanes), group| {
                    let lanes = group.lanes.as_ref().map_or(lanes.clone(), |more| louder(&lanes, more));
                    (hosts + group.hosts, lanes)
                })
            }
        }
    }
}

/// Lists the first four names, and the number of further names. There may be thousands of names.
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

/// Gives each host a turn, in alphabetical order. If there are more hosts than turns, each section
/// gets a turn instead, and the hosts without a section share the last turn.
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
        plan.remark =
            Some(format!("{count} hosts need more than {MAX_TURNS} turns, so each section has a turn"));
        let of = |(_, section): &(bool, Option<&str>)| {
            let sending = hosts.iter().filter(|host| !host.silent && host.section == *section);
            let lanes: Vec<&Lanes> = sending.map(|host| &host.reading.lanes).collect();
            turn(section.unwrap_or_default(), (!lanes.is_empty()).then(|| busiest(lanes.iter().copied())))
        };
        (groups.len(), groups.iter().take(MAX_TURNS).map(of).collect())
    };
    roll_call_turns(count, turns, plan)
}

/// Gives each section a turn, in alphabetical order. Used if the engine knows only the sums of
/// sections, not their hosts.
fn roll_call_of_sections(sections: &[StageSection<'_>], plan: &mut StagePlan) -> PulseCast {
    if sections.iter().all(|group| group.section.is_none()) {
        let remark = "this site contains other sites, which report only sums, and no host has a section, so all hosts play together";
        plan.remark = Some(remark.into());
        return PulseCast::Together;
    }
    plan.remark =
        Some("this site contains other sites, which report only sums, so each section has a turn".into());
    let turns = sections.iter().take(MAX_TURNS);
    let turns = turns.map(|group| turn(group.section.unwrap_or_default(), group.lanes.clone())).collect();
    roll_call_turns(sections.len(), turns, plan)
}

/// Completes the plan of a roll call. `count` is the number of all hosts or sections; `turns`
/// contains at most [`MAX_TURNS`] of them.
fn roll_call_turns(count: usize, turns: Vec<RollCallTurn>, plan: &mut StagePlan) -> PulseCast {
    if count > MAX_TURNS {
        let beyond = count - MAX_TURNS;
        plan.remark = Some(format!(
            "{count} hosts or sections need more than {MAX_TURNS} turns, so the last {beyond} have no turn"
        ));
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
            PulseCast::Sections(pulses) => pulses.each_ref().map(|pulse| {
                pulse.as_ref().is_some_and(|lanes| lanes[SignalId::Io].is_some_and(|lane| lane.level > 0.5))
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
        let pulses: Vec<_> =
            plan.section_pulses.iter().map(|one| (one.section.as_deref(), one.hosts)).collect();
        assert_eq!(pulses, [(Some("app"), 1), (Some("db"), 1), (Some("web"), 40)]);
        assert_eq!(plan.soloists_by_deviation()[0].host, "web-07");
        let placement = plan.cast.soloists[0].as_ref().unwrap().placement;
        assert_eq!(placement, HostPlacement::of_host("web-07").within(&SectionPart::ALL[2]));
        assert_eq!(plan.remark, None);
    }

    #[test]
    fn excess_sections_share_the_last_part() {
        let calm = reading(SignalId::Io, 0.0);
        let mut stage = Stage::default();
        for one in [host("a", "", &calm), host("a", "web", &calm)] {
            let plan =
                stage.update(SiteMode::Sections, &[one, StageHost { name: "b", ..one }], &SiteDetail::Each);
            assert_eq!(plan.cast.pulse, PulseCast::Together);
            assert_eq!(
                plan.remark.as_deref(),
                Some("there are fewer than two sections, so all hosts play together")
            );
        }
        let names = ["a", "b", "c", "d", "e"];
        let hosts: Vec<StageHost<'_>> = names.iter().map(|name| host(name, name, &calm)).collect();
        let plan = stage.update(SiteMode::Sections, &hosts, &SiteDetail::Each);
        assert_eq!(
            plan.remark.as_deref(),
            Some("there are more than 4 sections, so these share the last part: d, e")
        );
        assert_eq!(
            plan.section_pulses.last().map(|rest| (rest.section.clone(), rest.hosts)),
            Some((None, 2))
        );
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
            (2, Some("40 hosts need more than 32 turns, so each section has a turn"))
        );
        let (count, remark) = turns(&of(|_| ""));
        assert_eq!(
            (count, remark.as_deref()),
            (32, Some("40 hosts or sections need more than 32 turns, so the last 8 have no turn"))
        );
        assert_eq!(turns(&of(|_| "")[..32]), (32, None));
    }

    #[test]
    fn an_empty_site_is_silent() {
        for mode in [SiteMode::Ensemble, SiteMode::Sections, SiteMode::RollCall] {
            let plan = Stage::default().update(mode, &[], &SiteDetail::Each);
            assert!(
                plan.reading.is_none()
                    && plan.soloists_by_deviation().is_empty()
                    && plan.section_pulses.is_empty()
            );
        }
    }

    /// The sums of three sections: `db` is busy, `web` is silent, and the hosts without a section
    /// are calm.
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
        let pulses: Vec<_> =
            plan.section_pulses.iter().map(|one| (one.section.as_deref(), one.hosts)).collect();
        assert_eq!(pulses, [(Some("db"), 30), (Some("web"), 5), (None, 10)]);
        let level = plan.reading.unwrap().lanes[SignalId::Io].unwrap().level;
        assert!(level < 0.1, "the bed follows all hosts, not only the named ones: {level}");
        let plan = stage.update(SiteMode::Sections, &named, &detail);
        assert_eq!(sections(&plan), [true, true, false, false], "the section plays its soloist");
        assert_eq!(
            plan.cast.soloists[0].as_ref().unwrap().placement,
            HostPlacement::of_host("web-1").within(&SectionPart::ALL[1]),
            "the soloist plays from the direction of its section"
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
        assert!(plan.remark.unwrap().ends_with("the last 8 have no turn"));
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
            assert_eq!(plan.soloists_by_deviation().len(), 2);
        }
    }
}
