//! Maps the collector's list of counters, which may differ between versions, to the engine's fixed
//! counters.

use khor_proto::{Availability, CounterInfo, Sample, Welcome};
use khor_signal::{Counter, Frame, PerCounter};

use super::edge::{is_local, stand_in};

/// The reason why a counter is missing, if the collector's welcome message does not list the
/// counter.
pub(super) const UNKNOWN_TO_COLLECTOR: &str = "this collector does not have this counter";
/// Why the counters of local traffic are missing: an older collector counts local traffic together
/// with other traffic.
const COUNTS_ALL_DEVICES: &str =
    "this collector counts local traffic as received and sent traffic; update khor-collector";

/// The positions of the engine's counters in the samples of one connection.
#[derive(Clone, Debug)]
pub(super) struct Catalogue {
    positions: PerCounter<Option<usize>>,
    availability: PerCounter<Availability>,
}

impl Catalogue {
    /// Creates the map from the collector's welcome message. Ignores counters that this engine does
    /// not know. If an older collector lists no edge counters, its counters for all network devices
    /// replace the edge counters.
    pub(super) fn new(counters: &[CounterInfo]) -> Self {
        let position = |counter: Counter| counters.iter().position(|info| info.name == counter.name());
        let positions =
            Counter::ALL.map(|counter| position(counter).or_else(|| position(stand_in(counter)?)));
        let availability = Counter::ALL.map(|counter| match positions[counter.index()] {
            Some(position) => counters[position].availability.clone(),
            None => Availability::Absent { reason: missing(counter).into() },
        });
        Self { positions, availability }
    }

    /// Which counters are available.
    pub(super) fn availability(&self) -> &PerCounter<Availability> {
        &self.availability
    }

    /// Updates the availability of the counters from the collector's answer to a subscription.
    /// `updates` is in the order of the welcome message.
    pub(super) fn set_availability(&mut self, updates: &[Availability]) {
        for (availability, position) in self.availability.iter_mut().zip(self.positions) {
            if let Some(updates) = position.and_then(|position| updates.get(position)) {
                availability.clone_from(updates);
            }
        }
    }

    /// Converts a sample to a frame.
    pub(super) fn frame(&self, sample: &Sample) -> Frame {
        let counters = self.positions.map(|position| sample.counters.get(position?).copied().flatten());
        Frame::new(sample.t_ns, counters)
    }
}

/// Returns the reason why a counter is missing if the collector does not list the counter.
fn missing(counter: Counter) -> &'static str {
    if is_local(counter) { COUNTS_ALL_DEVICES } else { UNKNOWN_TO_COLLECTOR }
}

/// Whether `reason`, which explains why a counter is missing, is that the collector is too old to
/// have the counter.
pub(super) fn is_of_old_collector(reason: &str) -> bool {
    [UNKNOWN_TO_COLLECTOR, COUNTS_ALL_DEVICES].contains(&reason)
}

/// Describes a collector in one line.
pub(super) fn describe(welcome: &Welcome, socket: &std::path::Path) -> String {
    format!("collector {} at {}", welcome.collector_version, socket.display())
}

#[cfg(test)]
mod tests {
    use khor_proto::Unit;

    use super::*;

    fn info(name: &str) -> CounterInfo {
        CounterInfo { name: name.into(), unit: Unit::Count, availability: Availability::Available }
    }

    #[test]
    fn older_collectors_totals_replace_edge_counts() {
        let older = Catalogue::new(&[info(Counter::TxBytes.name()), info(Counter::RxBytes.name())]);
        let frame = older.frame(&Sample { seq: 0, t_ns: 9, counters: vec![Some(1), Some(2)] });
        let of = |frame: &Frame, counter: Counter| frame.counters[counter.index()];
        assert_eq!([Counter::EdgeRxBytes, Counter::EdgeTxBytes].map(|c| of(&frame, c)), [Some(2), Some(1)]);
        assert_eq!([Counter::EdgeRxPackets, Counter::LocalBytes].map(|c| of(&frame, c)), [None; 2]);
        match &older.availability()[Counter::LocalBytes.index()] {
            Availability::Absent { reason } => assert!(reason.contains("update khor-collector"), "{reason}"),
            Availability::Available => panic!("local traffic must be missing"),
        }
        let absent = Availability::Absent { reason: "no probe".into() };
        let edge = CounterInfo { availability: absent.clone(), ..info(Counter::EdgeRxBytes.name()) };
        let newer = Catalogue::new(&[info(Counter::RxBytes.name()), edge]);
        let frame = newer.frame(&Sample { seq: 0, t_ns: 9, counters: vec![Some(1), None] });
        assert_eq!(
            of(&frame, Counter::EdgeRxBytes),
            None,
            "a missing edge counter of a newer collector stays missing"
        );
        assert_eq!(newer.availability()[Counter::EdgeRxBytes.index()], absent);
    }

    #[test]
    fn counters_are_found_at_any_position() {
        let catalogue = Catalogue::new(&[info("from_the_future"), info(Counter::Irqs.name())]);
        let frame = catalogue.frame(&Sample { seq: 0, t_ns: 9, counters: vec![Some(1), Some(2)] });
        assert_eq!(frame.counters[Counter::Irqs.index()], Some(2));
        assert_eq!(frame.counters[Counter::Execs.index()], None);
        assert!(matches!(catalogue.availability()[Counter::Execs.index()], Availability::Absent { .. }));
        let mut catalogue = catalogue;
        let gone = Availability::Absent { reason: "gone".into() };
        catalogue.set_availability(&[Availability::Available, gone.clone()]);
        assert_eq!(catalogue.availability()[Counter::Irqs.index()], gone);
        let short = catalogue.frame(&Sample { seq: 0, t_ns: 9, counters: vec![] });
        assert_eq!(
            short.counters[Counter::Irqs.index()],
            None,
            "a counter beyond the end of the sample is missing"
        );
    }
}
