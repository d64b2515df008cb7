//! Translates between the wire's catalogue, which is open, and the engine's counters, which are fixed.

use khor_proto::{Availability, CounterInfo, Sample, Welcome};

use crate::signal::{Counter, Frame, PerCounter};

/// Where each of the engine's counters stands in the samples of one connection.
#[derive(Clone, Debug)]
pub(super) struct Catalogue {
    places: PerCounter<Option<usize>>,
    availability: PerCounter<Availability>,
}

impl Catalogue {
    /// From the collector's greeting; counters this engine doesn't know are passed over.
    pub(super) fn new(counters: &[CounterInfo]) -> Self {
        let places = Counter::ALL.map(|counter| counters.iter().position(|info| info.name == counter.name()));
        let availability = places.map(|place| match place {
            Some(place) => counters[place].availability.clone(),
            None => Availability::Absent { reason: "this collector does not count it".into() },
        });
        Self { places, availability }
    }

    /// What can be counted.
    pub(super) fn availability(&self) -> &PerCounter<Availability> {
        &self.availability
    }

    /// Takes what a subscription says of them, in the order of the greeting.
    pub(super) fn set_availability(&mut self, told: &[Availability]) {
        for (availability, place) in self.availability.iter_mut().zip(self.places) {
            if let Some(told) = place.and_then(|place| told.get(place)) {
                availability.clone_from(told);
            }
        }
    }

    /// A sample as a frame.
    pub(super) fn frame(&self, sample: &Sample) -> Frame {
        let counters = self.places.map(|place| sample.counters.get(place?).copied().flatten());
        Frame { t_ns: sample.t_ns, counters }
    }
}

/// One line about a collector.
pub(super) fn describe(welcome: &Welcome, socket: &std::path::Path) -> String {
    format!("collector {} at {}", welcome.collector_version, socket.display())
}

#[cfg(test)]
mod tests {
    use khor_proto::{Unit, counter};

    use super::*;

    #[test]
    fn counters_are_found_wherever_they_stand() {
        let info = |name: &str| CounterInfo {
            name: name.into(),
            unit: Unit::Count,
            availability: Availability::Available,
        };
        let catalogue = Catalogue::new(&[info("from_the_future"), info(counter::IRQS)]);
        let frame = catalogue.frame(&Sample { seq: 0, t_ns: 9, counters: vec![Some(1), Some(2)] });
        assert_eq!(frame.counters[Counter::Irqs.index()], Some(2));
        assert_eq!(frame.counters[Counter::Execs.index()], None);
        assert!(matches!(catalogue.availability()[Counter::Execs.index()], Availability::Absent { .. }));
        let mut catalogue = catalogue;
        let gone = Availability::Absent { reason: "gone".into() };
        catalogue.set_availability(&[Availability::Available, gone.clone()]);
        assert_eq!(catalogue.availability()[Counter::Irqs.index()], gone);
        let short = catalogue.frame(&Sample { seq: 0, t_ns: 9, counters: vec![] });
        assert_eq!(short.counters[Counter::Irqs.index()], None, "a short sample is not a crash");
    }
}
