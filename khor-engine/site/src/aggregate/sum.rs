//! Adds up the frames of many hosts and sites. The sum gives one reading for the whole site, and
//! lanes for each section. No I/O.

use std::{array, collections::BTreeMap};

use khor_fleet::{Name, SiteFrame, sketch::Quantity};
use khor_signal::{Counter, Lanes, PerSignal, Reading, SIGNALS, ensemble_quantile};

use super::{
    histogram::{SignalHistograms, ValueHistogram},
    sections::Sections,
};
use crate::codec::{WIRE_ORDER, WIRE_POSITIONS};

/// Histograms of all signals over many hosts.
#[derive(Clone, Debug)]
pub(crate) struct Aggregate {
    learnt: ValueHistogram,
    /// The histograms of each signal. `None` for a signal that no host has sent.
    signals: PerSignal<Option<Box<SignalHistograms>>>,
    sections: Sections,
}

impl Aggregate {
    /// An empty sum.
    pub(crate) fn new() -> Self {
        Self {
            learnt: ValueHistogram::new(Quantity::Share),
            signals: array::from_fn(|_| None),
            sections: Sections::default(),
        }
    }

    /// Adds a host's reading to the histograms.
    pub(crate) fn add_host(&mut self, section: Option<&Name>, reading: &Reading) {
        self.learnt.record(reading.learnt.into());
        for (i, held) in self.signals.iter_mut().enumerate() {
            let (Some(lane), Some(rate), Some(baseline)) =
                (&reading.lanes.kernel[i], reading.rates.kernel[i], reading.baselines.kernel[i])
            else {
                continue;
            };
            let signal = held.get_or_insert_default();
            signal.rate.record(rate);
            signal.baseline.record(baseline);
            signal.lane.record(lane);
        }
        self.sections.of(section).record(&reading.lanes);
    }

    /// Adds a site frame. If the frame has no sections, all its hosts count as hosts without a
    /// section.
    pub(crate) fn add_site(&mut self, frame: &SiteFrame) {
        let parts = frame.parts;
        self.learnt.add_sketch(&frame.learnt, parts);
        for (held, place) in self.signals.iter_mut().zip(WIRE_POSITIONS) {
            if let Some(Some(sketches)) = frame.signals.get(place) {
                held.get_or_insert_default().add_sketches(sketches, parts);
            }
        }
        let Some(sections) = &frame.sections else {
            let lanes = WIRE_POSITIONS.map(|place| Some(&frame.signals.get(place)?.as_ref()?.lane));
            return self.sections.of(None).add_sketches(lanes, parts);
        };
        for group in &sections.groups {
            let lanes = WIRE_POSITIONS.map(|place| group.signals.get(place)?.as_ref());
            self.sections.of(group.name.as_ref()).add_sketches(lanes, sections.parts);
        }
    }

    /// Adds another sum.
    pub(crate) fn add(&mut self, other: &Self) {
        self.learnt.add(&other.learnt);
        for (held, more) in self.signals.iter_mut().zip(&other.signals) {
            if let Some(more) = more {
                held.get_or_insert_default().add(more);
            }
        }
        self.sections.add(&other.sections);
    }

    /// Resets the histograms but keeps their memory.
    pub(crate) fn clear(&mut self) {
        self.learnt.clear();
        for signal in self.signals.iter_mut().flatten() {
            signal.clear();
        }
        self.sections.clear();
    }

    /// Writes the sum into a site frame. The frame's `parts` determines the bins, and its section
    /// names determine the sections.
    pub(crate) fn write(&self, frame: &mut SiteFrame) {
        let parts = frame.parts;
        frame.learnt = self.learnt.sketch(parts);
        let signals = WIRE_ORDER.iter().map(|id| {
            let signal = self.signals[id.index()].as_deref().filter(|signal| !signal.lane.is_empty())?;
            Some(signal.sketches(parts))
        });
        frame.signals = signals.collect();
        if let Some(sections) = &mut frame.sections {
            self.sections.write(&mut sections.groups, sections.parts);
        }
    }

    /// Computes the reading of a typical host, as [`ensemble`](khor_signal::ensemble) does. Returns
    /// `None` without hosts.
    pub(crate) fn reading(&self, t_ns: u64) -> Option<Reading> {
        let learnt = self.learnt.quantile(0.5)?;
        let of = |i: usize, histogram: fn(&SignalHistograms) -> &ValueHistogram| {
            histogram(self.signals[i].as_deref()?).quantile(ensemble_quantile(SIGNALS[i].id))
        };
        let lane = |i: usize| self.signals[i].as_deref()?.lane.quantile(ensemble_quantile(SIGNALS[i].id));
        Some(Reading {
            t_ns,
            lanes: array::from_fn(lane).into(),
            rates: array::from_fn(|i| of(i, |signal| &signal.rate)).into(),
            baselines: array::from_fn(|i| of(i, |signal| &signal.baseline)).into(),
            learnt: learnt as f32,
            counter_rates: [None; Counter::ALL.len()],
        })
    }

    /// Computes the lanes of each section as [`busiest`](khor_signal::busiest) does. Each lane is
    /// the 90th percentile over the section's hosts.
    pub(crate) fn sections(&self) -> BTreeMap<Option<Name>, Lanes> {
        self.sections.busiest()
    }
}

#[cfg(test)]
mod tests {
    use khor_fleet::{
        Section, Sections,
        sketch::{MAX_PARTS, relative_error},
    };
    use khor_signal::{Lane, SignalId, busiest, ensemble};

    use super::*;
    use crate::testing::plain_site_frame;

    /// Creates machines that differ: their baselines span ten octaves, one in five is overloaded,
    /// and one in five has no signal `exec`.
    fn machines(seed: u64, count: usize) -> Vec<Reading> {
        let mut random = fastrand::Rng::with_seed(seed);
        let machine = |_| {
            let is_overloaded = random.u8(..5) == 0;
            let lane: PerSignal<Option<Lane>> = array::from_fn(|i| {
                let deviation = random.f32() * 2.0 - 1.0 + if is_overloaded { 5.0 } else { 0.0 };
                let level = (deviation / 6.0).clamp(0.0, 1.0);
                let has_it = i != SignalId::Exec.index() || random.u8(..5) > 0;
                has_it.then_some(Lane { level, deviation, surprise: random.f32() })
            });
            let baselines: PerSignal<Option<f64>> =
                array::from_fn(|i: usize| lane[i].map(|_| (random.f64() * 10.0).exp2()));
            let rates: PerSignal<Option<f64>> =
                array::from_fn(|i: usize| Some(baselines[i]? * f64::from(lane[i]?.deviation).exp2()));
            let counter_rates = [None; Counter::ALL.len()];
            Reading {
                t_ns: 1,
                lanes: lane.into(),
                rates: rates.into(),
                baselines: baselines.into(),
                learnt: random.f32(),
                counter_rates,
            }
        };
        (0..count).map(machine).collect()
    }

    /// Assigns a machine to one of three sections or to none, depending on its baseline of `rx`.
    fn section(machine: &Reading) -> Option<Name> {
        let digit = machine.baselines[SignalId::Rx].unwrap() as u64 % 4;
        ["app", "db", "web"].get(digit as usize).map(|name| Name::new(*name).unwrap())
    }

    fn aggregate(machines: &[Reading]) -> Aggregate {
        let mut aggregate = Aggregate::new();
        for reading in machines {
            aggregate.add_host(section(reading).as_ref(), reading);
        }
        aggregate
    }

    fn frame(aggregate: &Aggregate, parts: u8) -> SiteFrame {
        let section = |name: Option<Name>| Section { name, hosts: 0, signals: Vec::new() };
        let named = aggregate.sections().into_keys().flatten().map(Some);
        let groups = named.chain([None]).map(section).collect();
        let sections = Some(Sections { parts: parts.min(8), groups });
        let mut frame = SiteFrame { parts, sections, ..plain_site_frame("rack", 1, 0) };
        aggregate.write(&mut frame);
        frame
    }

    /// The sum does not depend on the number of relays that share the hosts.
    #[test]
    fn the_frames_of_several_relays_add_up() {
        for seed in 0..40 {
            let mut random = fastrand::Rng::with_seed(seed);
            let machines = machines(seed, 1 + random.usize(..300));
            let count = 1 + random.usize(..5);
            let mut shares = vec![Vec::new(); count];
            for reading in &machines {
                shares[random.usize(..count)].push(reading.clone());
            }
            let mut sum = Aggregate::new();
            for share in &shares {
                sum.add_site(&frame(&aggregate(share), MAX_PARTS));
            }
            assert_eq!(frame(&sum, MAX_PARTS), frame(&aggregate(&machines), MAX_PARTS));
        }
    }

    fn assert_near(rough: Lane, exact: Lane, error: f64) {
        let octaves = f64::from((rough.deviation - exact.deviation).abs());
        let level = f64::from((rough.level - exact.level).abs());
        assert!(octaves.exp2() - 1.0 <= error && level <= error, "{rough:?}, expected {exact:?}");
    }

    /// Values from sketches differ from the exact values by at most the error that the wire format
    /// states.
    #[test]
    fn an_aggregate_is_close_to_the_ensemble() {
        for (seed, parts) in [(1, 16), (2, 16), (3, 8), (4, 4)] {
            let machines = machines(seed, 8_000);
            let exact = ensemble(machines.iter()).unwrap();
            let mut far = Aggregate::new();
            far.add_site(&frame(&aggregate(&machines), parts));
            let near = far.reading(1).unwrap();
            // Three errors add up: the error of the frame's bins, the error of the sum's bins, and
            // 0.02 for the quantile. If the quantile lies between the values of two machines, the
            // aggregate takes the lower value.
            let error = relative_error(parts) + relative_error(MAX_PARTS) + 0.02;
            for i in 0..SignalId::COUNT {
                let (rate, rough) = (exact.rates.kernel[i].unwrap(), near.rates.kernel[i].unwrap());
                assert!((rough / rate - 1.0).abs() <= error, "{rough}, expected {rate}");
                assert_near(near.lanes.kernel[i].unwrap(), exact.lanes.kernel[i].unwrap(), error);
            }
            let error = relative_error(parts.min(8)) + relative_error(MAX_PARTS) + 0.03;
            assert_eq!(far.sections().len(), 4);
            for (name, near) in far.sections() {
                let members = machines.iter().filter(|machine| section(machine) == name);
                let exact = busiest(members.map(|machine| &machine.lanes));
                for (lane, rough) in exact.values().zip(near.values()) {
                    assert_near(rough.unwrap(), lane.unwrap(), error);
                }
            }
        }
    }

    /// Frames of version 1.0 do not contain sections.
    #[test]
    fn hosts_of_old_frames_lack_sections() {
        let whole = aggregate(&machines(1, 100));
        let older = SiteFrame { sections: None, ..frame(&whole, MAX_PARTS) };
        let mut far = Aggregate::new();
        far.add_site(&older);
        let sections: Vec<_> =
            far.sections().into_iter().map(|(name, lanes)| (name, lanes[SignalId::Exec].is_some())).collect();
        assert_eq!(sections, [(None, true)]);
    }
}
