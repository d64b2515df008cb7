//! What is heard of each section of many machines, added up. No I/O.

use std::collections::BTreeMap;

use khor_fleet::{LaneSketches, Name, Section};

use super::{order::ORDER, spread::LaneSpreads};
use khor_signal::{Lanes, PerSignal, SATURATION_QUANTILE};

/// Of each section, and of the machines without one.
#[derive(Clone, Debug, Default)]
pub(super) struct Sections {
    named: BTreeMap<Name, SectionSpreads>,
    without: SectionSpreads,
}

impl Sections {
    /// Sections that are kept apart: more than there are turns in a roll call, and than a frame tells of. Of more, the
    /// last by name are with the machines without one.
    pub(super) const MOST: usize = 40;

    /// Where a section is added up.
    pub(super) fn of(&mut self, name: Option<&Name>) -> &mut SectionSpreads {
        let Some(name) = name else { return &mut self.without };
        if !self.named.contains_key(name) {
            if self.named.len() >= Self::MOST {
                // The last by name makes room, be it this one.
                match self.named.last_entry() {
                    Some(last) if last.key() > name => self.without.add(&last.remove()),
                    _ => return &mut self.without,
                }
            }
            self.named.insert(name.clone(), SectionSpreads::default());
        }
        self.named.get_mut(name).expect("it is there")
    }

    pub(super) fn add(&mut self, other: &Self) {
        self.without.add(&other.without);
        for (name, more) in &other.named {
            self.of(Some(name)).add(more);
        }
    }

    /// Begins anew, in the same place. Sections of which nothing was heard since this was done last are let go.
    pub(super) fn clear(&mut self) {
        self.without.clear();
        self.named.retain(|_, section| !section.is_empty());
        self.named.values_mut().for_each(SectionSpreads::clear);
    }

    /// Says of each group what was heard of it; of the one without a name, what was heard of all that aren't named.
    pub(super) fn tell(&self, groups: &mut [Section], parts: u8) {
        let is_told = |name: &Name| groups.iter().any(|group| group.name.as_ref() == Some(name));
        let mut others = self.without.clone();
        self.named.iter().filter(|(name, _)| !is_told(name)).for_each(|(_, section)| others.add(section));
        for group in groups {
            let heard = match &group.name {
                Some(name) => self.named.get(name),
                None => Some(&others),
            };
            group.signals = heard.map(|section| section.sketches(parts)).unwrap_or_default();
        }
    }

    /// What is heard of each, as [`busiest`](khor_signal::busiest) makes it.
    pub(super) fn heard(&self) -> BTreeMap<Option<Name>, Lanes> {
        let named = self.named.iter().map(|(name, section)| (Some(name.clone()), section));
        let heard = named.chain([(None, &self.without)]).filter(|(_, section)| !section.is_empty());
        heard.map(|(name, section)| (name, section.busiest())).collect()
    }
}

/// Of the machines of one; `None` until a machine has a signal.
#[derive(Clone, Debug, Default)]
pub(super) struct SectionSpreads(PerSignal<Option<Box<LaneSpreads>>>);

impl SectionSpreads {
    pub(super) fn record(&mut self, lanes: &Lanes) {
        for (held, lane) in self.0.iter_mut().zip(lanes) {
            if let Some(lane) = lane {
                held.get_or_insert_default().record(lane);
            }
        }
    }

    pub(super) fn add_sketches(&mut self, told: PerSignal<Option<&LaneSketches>>, parts: u8) {
        for (held, told) in self.0.iter_mut().zip(told) {
            if let Some(told) = told {
                held.get_or_insert_default().add_sketches(told, parts);
            }
        }
    }

    fn add(&mut self, other: &Self) {
        for (held, more) in self.0.iter_mut().zip(&other.0) {
            if let Some(more) = more {
                held.get_or_insert_default().add(more);
            }
        }
    }

    fn clear(&mut self) {
        self.0.iter_mut().flatten().for_each(|lane| lane.clear());
    }

    fn is_empty(&self) -> bool {
        self.0.iter().flatten().all(|lane| lane.is_empty())
    }

    fn sketches(&self, parts: u8) -> Vec<Option<LaneSketches>> {
        let heard = |lane: &Option<Box<LaneSpreads>>| {
            let lane = lane.as_deref().filter(|lane| !lane.is_empty())?;
            Some(lane.sketches(parts))
        };
        ORDER.iter().map(|id| heard(&self.0[id.index()])).collect()
    }

    fn busiest(&self) -> Lanes {
        self.0.each_ref().map(|lane| lane.as_deref()?.quantile(SATURATION_QUANTILE))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use khor_signal::{SignalId, deviating_reading};

    fn name(i: usize) -> Name {
        Name::new(format!("s{i:03}")).unwrap()
    }

    /// However many there are, so many are kept, the first by name; nothing is lost of the others, and none is kept of
    /// which nothing is heard any more.
    #[test]
    fn there_is_an_end_to_how_many_are_kept() {
        let (mut sections, lanes) = (Sections::default(), deviating_reading(SignalId::Io, 5.0).lanes);
        for i in (0..100).rev() {
            sections.of(Some(&name(i))).record(&lanes);
        }
        sections.of(None).record(&lanes);
        let (first, last) = (sections.named.first_key_value(), sections.named.last_key_value());
        assert_eq!((first.unwrap().0, last.unwrap().0), (&name(0), &name(Sections::MOST - 1)));
        let group = |name| Section { name, hosts: 0, signals: Vec::new() };
        let mut groups = [group(Some(name(5))), group(None)];
        sections.tell(&mut groups, 8);
        let told = groups.map(|group| group.signals[0].clone().unwrap());
        let counts = told.map(|lane| lane.level.values(8).map(|(_, count)| count).sum::<u32>());
        assert_eq!(counts, [1, 100]);
        sections.clear();
        sections.of(Some(&name(5))).record(&lanes);
        sections.clear();
        assert_eq!(sections.named.keys().collect::<Vec<_>>(), [&name(5)]);
    }
}
