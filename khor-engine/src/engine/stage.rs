//! From the hosts of a site to who plays: one reading for the bed, the soloists, and whose work is the pulse. No I/O.

use std::{collections::BTreeSet, sync::Arc};

use crate::{
    config::SiteMode,
    music::{Bench, Cast, Place, PulseCast, SECTIONS, SOLOISTS, Soloist, TURNS, Turn, name_hash},
    signal::{
        Lanes, Reading, Seating, SignalId, Soloists, busiest, ensemble, louder, standing, waiting_most,
    },
};

/// A host of a site.
#[derive(Clone, Copy, Debug)]
pub struct OnStage<'a> {
    /// Its name.
    pub name: &'a str,
    /// The group it is in.
    pub section: Option<&'a str>,
    /// It has stopped sending: it keeps its bench and its turn, and is not heard.
    pub silent: bool,
    /// What it said last, of the signals that are listened to.
    pub reading: &'a Reading,
}

/// How much of a site is known host by host.
#[derive(Clone, Copy, Debug)]
pub enum Known {
    /// All of it.
    Each,
    /// Sites within the site are told of as one: what all hosts are together, and by name only those that stand out.
    /// They are played together, whatever the mode.
    Together(Option<Reading>),
}

/// Remembers who had which place.
#[derive(Debug, Default)]
pub struct Stage {
    soloists: Soloists<String>,
    seating: Seating<String, SECTIONS>,
}

/// Who plays, and what is to be said of it.
#[derive(Clone, Debug, Default)]
pub struct Staged {
    /// All hosts as one; `None` where nobody is heard.
    pub reading: Option<Reading>,
    /// Who has the voices, each in the place it has in the cast.
    pub soloists: [Option<Solo>; SOLOISTS],
    /// What the composer is told.
    pub cast: Arc<Cast>,
    /// How the site is played.
    pub mode: SiteMode,
    /// The sections that play by themselves, by their benches; none where all are played together.
    pub benches: Vec<Seated>,
    /// Turns of the roll call.
    pub turns: usize,
    /// Why it isn't quite what the mode asks for.
    pub remark: Option<String>,
}

/// A host that has the voices.
#[derive(Clone, Debug)]
pub struct Solo {
    /// Its name.
    pub host: String,
    /// The group it is in.
    pub section: Option<String>,
    /// By which signal it stands out most.
    pub signal: SignalId,
    /// How far, octaves.
    pub deviation: f32,
    /// What it says.
    pub reading: Reading,
}

/// A bench that is taken.
#[derive(Clone, Debug, PartialEq)]
pub struct Seated {
    /// Which section's; `None` is the rest's.
    pub section: Option<String>,
    /// Hosts that sit there.
    pub hosts: usize,
    /// What they are played with.
    pub bench: Bench,
}

impl Staged {
    /// Who has the voices, the furthest first.
    pub fn furthest(&self) -> Vec<&Solo> {
        let mut soloists: Vec<&Solo> = self.soloists.iter().flatten().collect();
        soloists.sort_by(|a, b| b.deviation.total_cmp(&a.deviation));
        soloists
    }
}

impl Stage {
    /// Looks at the hosts that are known by name.
    pub fn look(&mut self, mode: SiteMode, hosts: &[OnStage<'_>], known: &Known) -> Staged {
        let heard = || hosts.iter().filter(|host| !host.silent);
        let chosen = self.soloists.choose(heard().map(|host| (host.name, &host.reading.lanes)));
        let soloists = chosen.each_ref().map(|name| {
            let name = name.as_deref()?;
            heard().find(|host| host.name == name).and_then(Solo::of)
        });
        let reading = match known {
            Known::Each => ensemble(heard().map(|host| host.reading)),
            Known::Together(reading) => *reading,
        };
        let mut staged = Staged { reading, soloists, mode, ..Staged::default() };
        let pulse = match mode {
            SiteMode::Ensemble => PulseCast::Together,
            _ if matches!(known, Known::Together(_)) => {
                staged.remark = Some("sites within the site are told of as one: all play together".into());
                PulseCast::Together
            }
            SiteMode::Sections => self.sections(hosts, &mut staged),
            SiteMode::RollCall => roll_call(hosts, &mut staged),
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

    /// A pulse for each section: as its busiest tenth is, or as its soloist.
    fn sections(&mut self, hosts: &[OnStage<'_>], staged: &mut Staged) -> PulseCast {
        self.seating.seat(hosts.iter().map(|host| host.section));
        if self.seating.count() < 2 {
            staged.remark = Some("fewer than two sections: all play together".into());
            return PulseCast::Together;
        }
        if !self.seating.rest().is_empty() {
            let rest = in_few_words(self.seating.rest());
            staged.remark = Some(format!("more than {SECTIONS} groups: the last place is shared by {rest}"));
        }
        let bench_of = |section: Option<&str>| self.seating.bench(section);
        let mut benches: [Option<Lanes>; SECTIONS] = [None; SECTIONS];
        for (index, bench) in benches.iter_mut().enumerate() {
            let sitting = || hosts.iter().filter(|host| bench_of(host.section) == index);
            let count = sitting().count();
            if count == 0 {
                continue;
            }
            let section = self.seating.named().get(index).cloned();
            staged.benches.push(Seated { section, hosts: count, bench: Bench::ALL[index] });
            let heard = sitting().filter(|host| !host.silent).map(|host| &host.reading.lanes);
            let solos = staged.soloists.iter().flatten();
            let solos = solos.filter(|solo| bench_of(solo.section.as_deref()) == index);
            *bench = Some(solos.fold(busiest(heard), |lanes, solo| louder(&lanes, &solo.reading.lanes)));
        }
        if let Some(reading) = &mut staged.reading {
            reading.lanes = waiting_most(&reading.lanes, benches.iter().flatten());
        }
        PulseCast::Sections(benches)
    }
}

/// Names, of which there may be thousands.
fn in_few_words(names: &[String]) -> String {
    const NAMED: usize = 4;
    let named = names.iter().take(NAMED).map(String::as_str).collect::<Vec<_>>().join(", ");
    match names.len().saturating_sub(NAMED) {
        0 => named,
        more => format!("{named} and {more} more"),
    }
}

impl Solo {
    fn of(host: &OnStage<'_>) -> Option<Self> {
        let (signal, deviation) = standing(&host.reading.lanes)?;
        let section = host.section.map(ToOwned::to_owned);
        Some(Self { host: host.name.to_owned(), section, signal, deviation, reading: *host.reading })
    }
}

/// Everyone in turn, by name; where there are more hosts than turns, the sections, and last those without one.
fn roll_call(hosts: &[OnStage<'_>], staged: &mut Staged) -> PulseCast {
    let (count, turns): (usize, Vec<Turn>) = if hosts.len() <= TURNS
        || hosts.iter().all(|h| h.section.is_none())
    {
        let mut hosts: Vec<&OnStage<'_>> = hosts.iter().collect();
        hosts.sort_by_key(|host| host.name);
        let lanes = |host: &OnStage<'_>| (!host.silent).then_some(host.reading.lanes);
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
    use super::*;
    use crate::signal::standing_out as reading;

    fn host<'a>(name: &'a str, section: &'a str, reading: &'a Reading) -> OnStage<'a> {
        OnStage { name, section: Some(section).filter(|name| !name.is_empty()), silent: false, reading }
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
    fn a_section_is_as_busy_as_its_soloist_and_he_plays_from_its_bench() {
        let (calm, busy) = (reading(SignalId::Io, 0.0), reading(SignalId::Io, 7.0));
        let names: Vec<String> = (0..40).map(|n| format!("web-{n:02}")).collect();
        let mut hosts: Vec<OnStage<'_>> = names.iter().map(|name| host(name, "web", &calm)).collect();
        hosts.extend([host("db-1", "db", &calm), host("app-1", "app", &calm)]);
        hosts[7].reading = &busy;
        let staged = Stage::default().look(SiteMode::Sections, &hosts, &Known::Each);
        assert_eq!(sections(&staged), [false, false, true, false]);
        let benches: Vec<_> = staged.benches.iter().map(|one| (one.section.as_deref(), one.hosts)).collect();
        assert_eq!(benches, [(Some("app"), 1), (Some("db"), 1), (Some("web"), 40)]);
        assert_eq!(staged.furthest()[0].host, "web-07");
        let place = staged.cast.soloists[0].unwrap().place;
        assert_eq!(place, Place::of_host("web-07").within(&Bench::ALL[2]));
        assert_eq!(staged.remark, None);
    }

    #[test]
    fn without_sections_all_play_together_and_too_many_share_a_place() {
        let calm = reading(SignalId::Io, 0.0);
        let mut stage = Stage::default();
        for one in [host("a", "", &calm), host("a", "web", &calm)] {
            let staged = stage.look(SiteMode::Sections, &[one, OnStage { name: "b", ..one }], &Known::Each);
            assert_eq!(staged.cast.pulse, PulseCast::Together);
            assert_eq!(staged.remark.as_deref(), Some("fewer than two sections: all play together"));
        }
        let names = ["a", "b", "c", "d", "e"];
        let hosts: Vec<OnStage<'_>> = names.iter().map(|name| host(name, name, &calm)).collect();
        let staged = stage.look(SiteMode::Sections, &hosts, &Known::Each);
        assert_eq!(staged.remark.as_deref(), Some("more than 4 groups: the last place is shared by d, e"));
        assert_eq!(staged.benches.last().map(|rest| (rest.section.clone(), rest.hosts)), Some((None, 2)));
    }

    #[test]
    fn a_silent_host_keeps_its_turn_and_is_a_hole_in_it() {
        let calm = reading(SignalId::Io, 0.0);
        let gone = OnStage { silent: true, ..host("b", "", &calm) };
        let staged = Stage::default().look(
            SiteMode::RollCall,
            &[host("c", "", &calm), gone, host("a", "", &calm)],
            &Known::Each,
        );
        let PulseCast::RollCall(turns) = &staged.cast.pulse else { panic!("{staged:?}") };
        let answers: Vec<_> = turns.iter().map(|turn| (turn.id, turn.lanes.is_some())).collect();
        assert_eq!(answers, [("a", true), ("b", false), ("c", true)].map(|(name, is)| (name_hash(name), is)));
    }

    #[test]
    fn more_hosts_than_turns_are_called_by_section_and_never_more_than_fit() {
        let calm = reading(SignalId::Io, 0.0);
        let names: Vec<String> = (0..40).map(|n| format!("h{n:02}")).collect();
        let of = |section: fn(usize) -> &'static str| -> Vec<OnStage<'_>> {
            names.iter().enumerate().map(|(n, name)| host(name, section(n), &calm)).collect()
        };
        let turns = |hosts: &[OnStage<'_>]| {
            let staged = Stage::default().look(SiteMode::RollCall, hosts, &Known::Each);
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
    fn nobody_is_heard_where_nobody_is() {
        for mode in [SiteMode::Ensemble, SiteMode::Sections, SiteMode::RollCall] {
            let staged = Stage::default().look(mode, &[], &Known::Each);
            assert!(staged.reading.is_none() && staged.furthest().is_empty() && staged.benches.is_empty());
        }
    }

    #[test]
    fn sites_within_the_site_are_played_together_in_every_mode() {
        let (calm, loud) = (reading(SignalId::Io, 0.0), reading(SignalId::Io, 6.0));
        let named = [host("db-1", "db", &loud), host("web-1", "web", &loud)];
        for mode in [SiteMode::Ensemble, SiteMode::Sections, SiteMode::RollCall] {
            let staged = Stage::default().look(mode, &named, &Known::Together(Some(calm)));
            assert_eq!(staged.cast.pulse, PulseCast::Together, "{mode:?}");
            assert_eq!(staged.remark.is_some(), mode != SiteMode::Ensemble);
            let deviation =
                |reading: &Reading| reading.lanes[SignalId::Io.index()].map(|lane| lane.deviation);
            assert_eq!(
                staged.reading.as_ref().map(deviation),
                Some(deviation(&calm)),
                "of all, not of the named"
            );
            assert_eq!(staged.furthest().len(), 2);
        }
    }
}
