//! Adds up the values of the hosts in each section. No I/O.

use std::collections::BTreeMap;

use khor_fleet::{LaneSketches, Name, Section};
use khor_signal::{Lanes, PerSignal, SATURATION_QUANTILE};

use super::histogram::LaneHistograms;
use crate::codec::WIRE_ORDER;

/// The histograms of each section, and of the hosts without a section.
#[derive(Clone, Debug, Default)]
pub(crate) struct Sections {
    named: BTreeMap<Name, SectionHistograms>,
    without: SectionHistograms,
}

impl Sections {
    /// Maximum number of named sections. It exceeds the number of turns in a roll call, and the
    /// number of sections in a frame. If there are more named sections, the hosts of the sections
    /// that come last by name count as hosts without a section.
    pub(crate) const MOST: usize = 40;

    /// Returns the histograms of a section. Without a name, returns the histograms of the hosts
    /// without a section.
    pub(super) fn of(&mut self, name: Option<&Name>) -> &mut SectionHistograms {
        let Some(name) = name else { return &mut self.without };
        if !self.named.contains_key(name) {
            if self.named.len() >= Self::MOST {
                // There are too many sections. The hosts of the last section by name, which may be
                // the new one, count as hosts without a section.
                match self.named.last_entry() {
                    Some(last) if last.key() > name => self.without.add(&last.remove()),
                    _ => return &mut self.without,
                }
            }
            self.named.insert(name.clone(), SectionHistograms::default());
        }
        self.named.get_mut(name).expect("inserted above if it was missing")
    }

    pub(super) fn add(&mut self, other: &Self) {
        self.without.add(&other.without);
        for (name, more) in &other.named {
            self.of(Some(name)).add(more);
        }
    }

    /// Resets the histograms but keeps their memory. Removes sections that are already empty.
    pub(super) fn clear(&mut self) {
        self.without.clear();
        self.named.retain(|_, section| !section.is_empty());
        self.named.values_mut().for_each(SectionHistograms::clear);
    }

    /// Writes the histograms into the sections of a frame (`groups`). The histograms of sections
    /// that the frame does not list are added to the group without a name.
    pub(super) fn write(&self, groups: &mut [Section], parts: u8) {
        let is_named = |name: &Name| groups.iter().any(|group| group.name.as_ref() == Some(name));
        let mut others = self.without.clone();
        self.named.iter().filter(|(name, _)| !is_named(name)).for_each(|(_, section)| others.add(section));
        for group in groups {
            let section = match &group.name {
                Some(name) => self.named.get(name),
                None => Some(&others),
            };
            group.signals = section.map(|section| section.sketches(parts)).unwrap_or_default();
        }
    }

    /// Computes the lanes of each section as [`busiest`](khor_signal::busiest) does. Each lane is
    /// the 90th percentile over the section's hosts.
    pub(super) fn busiest(&self) -> BTreeMap<Option<Name>, Lanes> {
        let named = self.named.iter().map(|(name, section)| (Some(name.clone()), section));
        let active = named.chain([(None, &self.without)]).filter(|(_, section)| !section.is_empty());
        active.map(|(name, section)| (name, section.busiest())).collect()
    }
}

/// The histograms of one section. `None` for each signal that no host of the section has sent.
#[derive(Clone, Debug, Default)]
pub(super) struct SectionHistograms(PerSignal<Option<Box<LaneHistograms>>>);

impl SectionHistograms {
    pub(super) fn record(&mut self, lanes: &Lanes) {
        for (held, lane) in self.0.iter_mut().zip(&lanes.kernel) {
            if let Some(lane) = lane {
                held.get_or_insert_default().record(lane);
            }
        }
    }

    pub(super) fn add_sketches(&mut self, sketches: PerSignal<Option<&LaneSketches>>, parts: u8) {
        for (held, sketches) in self.0.iter_mut().zip(sketches) {
            if let Some(sketches) = sketches {
                held.get_or_insert_default().add_sketches(sketches, parts);
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
        let sketches = |lane: &Option<Box<LaneHistograms>>| {
            let lane = lane.as_deref().filter(|lane| !lane.is_empty())?;
            Some(lane.sketches(parts))
        };
        WIRE_ORDER.iter().map(|id| sketches(&self.0[id.index()])).collect()
    }

    fn busiest(&self) -> Lanes {
        self.0.each_ref().map(|lane| lane.as_deref()?.quantile(SATURATION_QUANTILE)).into()
    }
}

#[cfg(test)]
mod tests {
    use khor_signal::{SignalId, deviating_reading};

    use super::*;

    fn name(i: usize) -> Name {
        Name::new(format!("s{i:03}")).unwrap()
    }

    /// The first sections by name are kept. The hosts of all other sections count as hosts without
    /// a section.
    #[test]
    fn the_number_of_sections_is_limited() {
        let (mut sections, lanes) = (Sections::default(), deviating_reading(SignalId::Io, 5.0).lanes);
        for i in (0..100).rev() {
            sections.of(Some(&name(i))).record(&lanes);
        }
        sections.of(None).record(&lanes);
        let (first, last) = (sections.named.first_key_value(), sections.named.last_key_value());
        assert_eq!((first.unwrap().0, last.unwrap().0), (&name(0), &name(Sections::MOST - 1)));
        let group = |name| Section { name, hosts: 0, signals: Vec::new() };
        let mut groups = [group(Some(name(5))), group(None)];
        sections.write(&mut groups, 8);
        let written = groups.map(|group| group.signals[0].clone().unwrap());
        let counts = written.map(|lane| lane.level.values(8).map(|(_, count)| count).sum::<u32>());
        assert_eq!(counts, [1, 100]);
        sections.clear();
        sections.of(Some(&name(5))).record(&lanes);
        sections.clear();
        assert_eq!(sections.named.keys().collect::<Vec<_>>(), [&name(5)]);
    }
}
