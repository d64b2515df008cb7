//! Chooses who plays: one reading for the bed, the soloists, and the hosts or sections of the
//! pulse. No I/O.

use std::{collections::BTreeSet, sync::Arc};

use khor_music::{Bench, Cast, Place, PulseCast, SECTIONS, SOLOISTS, Soloist, TURNS, Turn, name_hash};
use khor_signal::{
    Lanes, Reading, Seating, SignalId, Soloists, busiest, ensemble, louder, standing, waiting_most,
};

use crate::config::SiteMode;

/// A host of a site.
#[derive(Clone, Copy, Debug)]
pub(super) struct StageHost<'a> {
    /// Its name.
    pub name: &'a str,
    /// Its section.
    pub section: Option<&'a str>,
    /// It has stopped sending: it keeps its place and its turn, and does not play.
    pub silent: bool,
    /// Its last reading, with the selected signals only.
    pub reading: &'a Reading,
}

/// How much the engine knows of the hosts of a site.
#[derive(Clone, Copy, Debug)]
pub(super) enum Detail<'a> {
    /// Each host by itself.
    EachHost,
    /// The sum over all hosts and over each section, because the site contains sites. Only the most
    /// deviant hosts are known by name.
    Summary {
        /// All hosts; `None` if none sends.
        reading: Option<Reading>,
        /// By name, hosts without a section last.
        sections: &'a [StageSection<'a>],
    },
}

/// The sum over the hosts of a section.
#[derive(Clone, Copy, Debug)]
pub(super) struct StageSection<'a> {
    /// Its name; `None` are hosts without one.
    pub section: Option<&'a str>,
    /// Hosts in it, silent ones included.
    pub hosts: usize,
    /// Its busiest tenth of hosts, with the selected signals only; `None` if none sends.
    pub lanes: Option<Lanes>,
}

/// Chooses who plays, and remembers the choice so that it changes seldom.
#[derive(Debug, Default)]
pub struct Stage {
    soloists: Soloists<String>,
    seating: Seating<String, SECTIONS>,
}

/// Who plays, and why.
#[derive(Clone, Debug, Default)]
pub struct Staged {
    /// All hosts as one; `None` if none sends.
    pub reading: Option<Reading>,
    /// The soloists, in the order of the cast.
    pub soloists: [Option<Solo>; SOLOISTS],
    /// The input of the composer.
    pub cast: Arc<Cast>,
    /// How the site is played.
    pub mode: SiteMode,
    /// The sections that play by themselves, by their places; empty if all play together.
    pub benches: Vec<Seated>,
    /// Turns of the roll call.
    pub turns: usize,
    /// Why this differs from the mode, if it does.
    pub remark: Option<String>,
}

/// A soloist.
#[derive(Clone, Debug)]
pub struct Solo {
    /// Its name.
    pub host: String,
    /// Its section.
    pub section: Option<String>,
    /// The signal by which it stands out most.
    pub signal: SignalId,
    /// How far, octaves.
    pub deviation: f32,
    /// Its reading.
    pub reading: Reading,
}

/// A section that plays by itself, with its place.
#[derive(Clone, Debug, PartialEq)]
pub struct Seated {
    /// The section; `None` for all sections that share the last place.
    pub section: Option<String>,
    /// Its hosts.
    pub hosts: usize,
    /// Its place: timbre, register and direction.
    pub bench: Bench,
}

impl Staged {
    /// The soloists, the furthest first.
    pub fn furthest(&self) -> Vec<&Solo> {
        let mut soloists: Vec<&Solo> = self.soloists.iter().flatten().collect();
        soloists.sort_by(|a, b| b.deviation.total_cmp(&a.deviation));
        soloists
    }
}

impl Stage {
    /// Chooses from the hosts that are known by name, and from the sum over all hosts.
    pub(super) fn choose_from(
        &mut self,
        mode: SiteMode,
        hosts: &[StageHost<'_>],
        detail: &Detail<'_>,
    ) -> Staged {
        let heard = || hosts.iter().filter(|host| !host.silent);
        let chosen = self.soloists.choose(heard().map(|host| (host.name, &host.reading.lanes)));
        let soloists = chosen.each_ref().map(|name| {
            let name = name.as_deref()?;
            heard().find(|host| host.name == name).and_then(Solo::of)
        });
        let reading = match detail {
            Detail::EachHost => ensemble(heard().map(|host| host.reading)),
            Detail::Summary { reading, .. } => *reading,
        };
        let mut staged = Staged { reading, soloists, mode, ..Staged::default() };
        let pulse = match mode {
            SiteMode::Ensemble => PulseCast::Together,
            SiteMode::Sections => self.sections(hosts, detail, &mut staged),
            SiteMode::RollCall => match detail {
                Detail::EachHost => roll_call(hosts, &mut staged),
                Detail::Summary { sections, .. } => roll_call_of_sections(sections, &mut staged),
            },
        };
        let place = |solo: &Solo| {
            let place = Place::of_host(&solo.host);
            match pulse {
                PulseCast::Sections(_) => {
                    place.within(&Bench::ALL[self.seating.bench(solo.section.as_deref())])
                }
                _ => place,
            }
        };
        let soloist = |solo: &Solo| Soloist { lanes: solo.reading.lanes, place: place(solo) };
        let soloists = staged.soloists.each_ref().map(|solo| solo.as_ref().map(soloist));
        staged.cast = Arc::new(Cast { soloists, pulse });
        staged
    }

    /// A pulse for each section, from its busiest tenth of hosts or from its soloist.
    fn sections(&mut self, hosts: &[StageHost<'_>], detail: &Detail<'_>, staged: &mut Staged) -> PulseCast {
        match detail {
            Detail::EachHost => self.seating.seat(hosts.iter().map(|host| host.section)),
            Detail::Summary { sections, .. } => self.seating.seat(sections.iter().map(|group| group.section)),
        }
        if self.seating.count() < 2 {
            staged.remark = Some("fewer than two sections: all play together".into());
            return PulseCast::Together;
        }
        if !self.seating.rest().is_empty() {
            let rest = in_few_words(self.seating.rest());
            staged.remark = Some(format!("more than {SECTIONS} groups: the last place is shared by {rest}"));
        }
        let mut benches: [Option<Lanes>; SECTIONS] = [None; SECTIONS];
        for (index, bench) in benches.iter_mut().enumerate() {
            let (count, lanes) = self.hosts_at(index, hosts, detail);
            if count == 0 {
                continue;
            }
            let section = self.seating.named().get(index).cloned();
            staged.benches.push(Seated { section, hosts: count, bench: Bench::ALL[index] });
            let solos = staged.soloists.iter().flatten();
            let solos = solos.filter(|solo| self.seating.bench(solo.section.as_deref()) == index);
            *bench = Some(solos.fold(lanes, |lanes, solo| louder(&lanes, &solo.reading.lanes)));
        }
        if let Some(reading) = &mut staged.reading {
            reading.lanes = waiting_most(&reading.lanes, benches.iter().flatten());
        }
        PulseCast::Sections(benches)
    }

    /// The number of hosts at a place, and their busiest tenth. If summarized sections share the
    /// place, the busiest one counts.
    fn hosts_at(&self, index: usize, hosts: &[StageHost<'_>], detail: &Detail<'_>) -> (usize, Lanes) {
        match detail {
            Detail::EachHost => {
                let sitting = || hosts.iter().filter(|host| self.seating.bench(host.section) == index);
                let heard = sitting().filter(|host| !host.silent).map(|host| &host.reading.lanes);
                (sitting().count(), busiest(heard))
            }
            Detail::Summary { sections, .. } => {
                let sitting = sections.iter().filter(|group| self.seating.bench(group.section) == index);
                sitting.fold((0, [None; SignalId::COUNT]), |(hosts, lanes), group| {
                    (hosts + group.hosts, group.lanes.map_or(lanes, |more| louder(&lanes, &more)))
                })
            }
        }
    }
}

/// A short list of names. There may be thousands.
fn in_few_words(names: &[String]) -> String {
    const NAMED: usize = 4;
    let named = names.iter().take(NAMED).map(String::as_str).collect::<Vec<_>>().join(", ");
    match names.len().saturating_sub(NAMED) {
        0 => named,
        more => format!("{named} and {more} more"),
    }
}

impl Solo {
    fn of(host: &StageHost<'_>) -> Option<Self> {
        let (signal, deviation) = standing(&host.reading.lanes)?;
        let section = host.section.map(ToOwned::to_owned);
        Some(Self { host: host.name.to_owned(), section, signal, deviation, reading: *host.reading })
    }
}

/// Calls the hosts in turn, by name. If there are more hosts than turns, calls the sections, and
/// last the hosts without one.
fn roll_call(hosts: &[StageHost<'_>], staged: &mut Staged) -> PulseCast {
    let (count, turns): (usize, Vec<Turn>) = if hosts.len() <= TURNS
        || hosts.iter().all(|h| h.section.is_none())
    {
        let mut hosts: Vec<&StageHost<'_>> = hosts.iter().collect();
        hosts.sort_by_key(|host| host.name);
        let lanes = |host: &StageHost<'_>| (!host.silent).then_some(host.reading.lanes);
        (hosts.len(), hosts.iter().take(TURNS).map(|host| turn(host.name, lanes(host))).collect())
    } else {
        let groups: BTreeSet<_> = hosts.iter().map(|host| (host.section.is_none(), host.section)).collect();
        let count = hosts.len();
        staged.remark = Some(format!("{count} hosts are more than {TURNS} turns: each section has one"));
        let of = |(_, section): &(bool, Option<&str>)| {
            let heard = hosts.iter().filter(|host| !host.silent && host.section == *section);
            let lanes: Vec<&Lanes> = heard.map(|host| &host.reading.lanes).collect();
            turn(section.unwrap_or_default(), (!lanes.is_empty()).then(|| busiest(lanes.iter().copied())))
        };
        (groups.len(), groups.iter().take(TURNS).map(of).collect())
    };
    call(count, turns, staged)
}

/// Calls the sections in turn, by name, because most hosts are not known one by one.
fn roll_call_of_sections(sections: &[StageSection<'_>], staged: &mut Staged) -> PulseCast {
    if sections.iter().all(|group| group.section.is_none()) {
        let remark = "sites within the site are told of as one, and no host has a section: all play together";
        staged.remark = Some(remark.into());
        return PulseCast::Together;
    }
    staged.remark = Some("sites within the site are told of as one: each section has a turn".into());
    let turns = sections.iter().take(TURNS);
    let turns = turns.map(|group| turn(group.section.unwrap_or_default(), group.lanes)).collect();
    call(sections.len(), turns, staged)
}

/// The roll call. `count` may exceed the number of turns.
fn call(count: usize, turns: Vec<Turn>, staged: &mut Staged) -> PulseCast {
    if count > TURNS {
        let beyond = count - TURNS;
        staged.remark =
            Some(format!("{count} are more than {TURNS} turns: the last {beyond} are not called"));
    }
    staged.turns = turns.len();
    PulseCast::RollCall(turns)
}

fn turn(name: &str, lanes: Option<Lanes>) -> Turn {
    Turn { id: name_hash(name), lanes, place: Place::of_host(name) }
}

#[cfg(test)]
mod tests {
    use khor_signal::standing_out as reading;

    use super::*;

    fn host<'a>(name: &'a str, section: &'a str, reading: &'a Reading) -> StageHost<'a> {
        StageHost { name, section: Some(section).filter(|name| !name.is_empty()), silent: false, reading }
    }

    fn sections(staged: &Staged) -> [bool; SECTIONS] {
        match &staged.cast.pulse {
            PulseCast::Sections(benches) => benches.each_ref().map(|bench| {
                bench.is_some_and(|lanes| lanes[SignalId::Io.index()].is_some_and(|lane| lane.level > 0.5))
            }),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_soloist_plays_from_its_section() {
        let (calm, busy) = (reading(SignalId::Io, 0.0), reading(SignalId::Io, 7.0));
        let names: Vec<String> = (0..40).map(|n| format!("web-{n:02}")).collect();
        let mut hosts: Vec<StageHost<'_>> = names.iter().map(|name| host(name, "web", &calm)).collect();
        hosts.extend([host("db-1", "db", &calm), host("app-1", "app", &calm)]);
        hosts[7].reading = &busy;
        let staged = Stage::default().choose_from(SiteMode::Sections, &hosts, &Detail::EachHost);
        assert_eq!(sections(&staged), [false, false, true, false]);
        let benches: Vec<_> = staged.benches.iter().map(|one| (one.section.as_deref(), one.hosts)).collect();
        assert_eq!(benches, [(Some("app"), 1), (Some("db"), 1), (Some("web"), 40)]);
        assert_eq!(staged.furthest()[0].host, "web-07");
        let place = staged.cast.soloists[0].unwrap().place;
        assert_eq!(place, Place::of_host("web-07").within(&Bench::ALL[2]));
        assert_eq!(staged.remark, None);
    }

    #[test]
    fn too_few_or_many_sections_are_remarked() {
        let calm = reading(SignalId::Io, 0.0);
        let mut stage = Stage::default();
        for one in [host("a", "", &calm), host("a", "web", &calm)] {
            let staged = stage.choose_from(
                SiteMode::Sections,
                &[one, StageHost { name: "b", ..one }],
                &Detail::EachHost,
            );
            assert_eq!(staged.cast.pulse, PulseCast::Together);
            assert_eq!(staged.remark.as_deref(), Some("fewer than two sections: all play together"));
        }
        let names = ["a", "b", "c", "d", "e"];
        let hosts: Vec<StageHost<'_>> = names.iter().map(|name| host(name, name, &calm)).collect();
        let staged = stage.choose_from(SiteMode::Sections, &hosts, &Detail::EachHost);
        assert_eq!(staged.remark.as_deref(), Some("more than 4 groups: the last place is shared by d, e"));
        assert_eq!(staged.benches.last().map(|rest| (rest.section.clone(), rest.hosts)), Some((None, 2)));
    }

    #[test]
    fn a_silent_host_keeps_its_turn() {
        let calm = reading(SignalId::Io, 0.0);
        let gone = StageHost { silent: true, ..host("b", "", &calm) };
        let staged = Stage::default().choose_from(
            SiteMode::RollCall,
            &[host("c", "", &calm), gone, host("a", "", &calm)],
            &Detail::EachHost,
        );
        let PulseCast::RollCall(turns) = &staged.cast.pulse else { panic!("{staged:?}") };
        let answers: Vec<_> = turns.iter().map(|turn| (turn.id, turn.lanes.is_some())).collect();
        assert_eq!(answers, [("a", true), ("b", false), ("c", true)].map(|(name, is)| (name_hash(name), is)));
    }

    #[test]
    fn too_many_hosts_are_called_by_section() {
        let calm = reading(SignalId::Io, 0.0);
        let names: Vec<String> = (0..40).map(|n| format!("h{n:02}")).collect();
        let of = |section: fn(usize) -> &'static str| -> Vec<StageHost<'_>> {
            names.iter().enumerate().map(|(n, name)| host(name, section(n), &calm)).collect()
        };
        let turns = |hosts: &[StageHost<'_>]| {
            let staged = Stage::default().choose_from(SiteMode::RollCall, hosts, &Detail::EachHost);
            (staged.turns, staged.remark)
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
    fn a_silent_site_has_no_soloists() {
        for mode in [SiteMode::Ensemble, SiteMode::Sections, SiteMode::RollCall] {
            let staged = Stage::default().choose_from(mode, &[], &Detail::EachHost);
            assert!(staged.reading.is_none() && staged.furthest().is_empty() && staged.benches.is_empty());
        }
    }

    /// Summaries of sections: `db` is busy, hosts without a section are calm, `web` is silent.
    fn groups<'a>(busy: &Reading, calm: &Reading) -> [StageSection<'a>; 3] {
        let group = |section, hosts, lanes| StageSection { section, hosts, lanes };
        [
            group(Some("db"), 30, Some(busy.lanes)),
            group(Some("web"), 5, None),
            group(None, 10, Some(calm.lanes)),
        ]
    }

    #[test]
    fn summarized_sections_play_from_their_places() {
        let (calm, busy) = (reading(SignalId::Io, 0.0), reading(SignalId::Io, 7.0));
        let named = [host("web-1", "web", &busy)];
        let groups = groups(&busy, &calm);
        let detail = Detail::Summary { reading: Some(calm), sections: &groups };
        let mut stage = Stage::default();
        let staged = stage.choose_from(SiteMode::Sections, &named[..0], &detail);
        assert_eq!((sections(&staged), staged.remark), ([true, false, false, false], None));
        let benches: Vec<_> = staged.benches.iter().map(|one| (one.section.as_deref(), one.hosts)).collect();
        assert_eq!(benches, [(Some("db"), 30), (Some("web"), 5), (None, 10)]);
        let level = staged.reading.unwrap().lanes[SignalId::Io.index()].unwrap().level;
        assert!(level < 0.1, "of all, and not of the named: {level}");
        let staged = stage.choose_from(SiteMode::Sections, &named, &detail);
        assert_eq!(sections(&staged), [true, true, false, false], "a soloist is heard of his section");
        assert_eq!(
            staged.cast.soloists[0].unwrap().place,
            Place::of_host("web-1").within(&Bench::ALL[1]),
            "and plays from there"
        );
    }

    #[test]
    fn summarized_sections_are_called_in_turn() {
        let (calm, busy) = (reading(SignalId::Io, 0.0), reading(SignalId::Io, 7.0));
        let groups = groups(&busy, &calm);
        let detail = Detail::Summary { reading: Some(calm), sections: &groups };
        let staged = Stage::default().choose_from(SiteMode::RollCall, &[], &detail);
        let PulseCast::RollCall(turns) = &staged.cast.pulse else { panic!("{staged:?}") };
        let answers: Vec<_> = turns.iter().map(|turn| (turn.id, turn.lanes.is_some())).collect();
        assert_eq!(
            answers,
            [("db", true), ("web", false), ("", true)].map(|(name, is)| (name_hash(name), is))
        );
        assert!(staged.remark.unwrap().ends_with("each section has a turn"));
        let many = vec![groups[0]; 40];
        let detail = Detail::Summary { reading: Some(calm), sections: &many };
        let staged = Stage::default().choose_from(SiteMode::RollCall, &[], &detail);
        assert_eq!(staged.turns, 32);
        assert!(staged.remark.unwrap().ends_with("the last 8 are not called"));
    }

    #[test]
    fn summaries_without_sections_play_together() {
        let (calm, loud) = (reading(SignalId::Io, 0.0), reading(SignalId::Io, 6.0));
        let named = [host("db-1", "", &loud), host("web-1", "", &loud)];
        let without = [StageSection { section: None, hosts: 9, lanes: Some(calm.lanes) }];
        let detail = Detail::Summary { reading: Some(calm), sections: &without };
        for mode in [SiteMode::Ensemble, SiteMode::Sections, SiteMode::RollCall] {
            let staged = Stage::default().choose_from(mode, &named, &detail);
            assert_eq!(staged.cast.pulse, PulseCast::Together, "{mode:?}");
            assert_eq!(staged.remark.is_some(), mode != SiteMode::Ensemble);
            assert_eq!(staged.furthest().len(), 2);
        }
    }
}
