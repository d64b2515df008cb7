//! Readings of many machines as spreads, from which come the one reading that is heard, and that of each section of
//! them. No I/O.

use std::collections::BTreeMap;

use khor_fleet::{Name, SiteFrame, sketch::Quantity};

use super::{
    order::{ORDER, PLACES},
    sections::Sections,
    spread::{SignalSpreads, Spread},
};
use khor_signal::{Counter, Lanes, PerSignal, Reading, SIGNALS, ensemble_quantile};

/// Readings of many machines, added up.
#[derive(Clone, Debug)]
pub struct Blend {
    learnt: Spread,
    /// `None` until a machine has it.
    signals: PerSignal<Option<Box<SignalSpreads>>>,
    /// What is heard of each section, and of the machines without one.
    sections: Sections,
}

impl Blend {
    /// A sum over no hosts.
    pub fn new() -> Self {
        Self {
            learnt: Spread::new(Quantity::Share),
            signals: std::array::from_fn(|_| None),
            sections: Sections::default(),
        }
    }

    /// Adds a machine's reading.
    pub fn record(&mut self, section: Option<&Name>, reading: &Reading) {
        self.learnt.record(reading.learnt.into());
        for (i, held) in self.signals.iter_mut().enumerate() {
            let (Some(lane), Some(rate), Some(baseline)) =
                (&reading.lanes[i], reading.rates[i], reading.baselines[i])
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

    /// Adds what a site's frame says.
    pub fn add_frame(&mut self, frame: &SiteFrame) {
        let parts = frame.parts;
        self.learnt.add_sketch(&frame.learnt, parts);
        for (held, place) in self.signals.iter_mut().zip(PLACES) {
            if let Some(Some(told)) = frame.signals.get(place) {
                held.get_or_insert_default().add_sketches(told, parts);
            }
        }
        let Some(told) = &frame.sections else {
            let lanes = PLACES.map(|place| Some(&frame.signals.get(place)?.as_ref()?.lane));
            return self.sections.of(None).add_sketches(lanes, parts);
        };
        for group in &told.groups {
            let lanes = PLACES.map(|place| group.signals.get(place)?.as_ref());
            self.sections.of(group.name.as_ref()).add_sketches(lanes, told.parts);
        }
    }

    /// Adds another.
    pub(super) fn add(&mut self, other: &Self) {
        self.learnt.add(&other.learnt);
        for (held, more) in self.signals.iter_mut().zip(&other.signals) {
            if let Some(more) = more {
                held.get_or_insert_default().add(more);
            }
        }
        self.sections.add(&other.sections);
    }

    /// Begins anew, in the same place.
    pub fn clear(&mut self) {
        self.learnt.clear();
        for signal in self.signals.iter_mut().flatten() {
            signal.clear();
        }
        self.sections.clear();
    }

    /// Says it in a site's frame, as fine as the frame's parts are, of the sections that it has.
    pub fn tell(&self, frame: &mut SiteFrame) {
        let parts = frame.parts;
        frame.learnt = self.learnt.sketch(parts);
        let told = ORDER.iter().map(|id| {
            let signal = self.signals[id.index()].as_deref().filter(|signal| !signal.lane.is_empty())?;
            Some(signal.sketches(parts))
        });
        frame.signals = told.collect();
        if let Some(told) = &mut frame.sections {
            self.sections.tell(&mut told.groups, told.parts);
        }
    }

    /// The reading of a machine that is like them, as [`ensemble`](khor_signal::ensemble) makes it; `None` of none.
    pub(super) fn reading(&self, t_ns: u64) -> Option<Reading> {
        let learnt = self.learnt.quantile(0.5)?;
        let of = |i: usize, spread: fn(&SignalSpreads) -> &Spread| {
            spread(self.signals[i].as_deref()?).quantile(ensemble_quantile(SIGNALS[i].id))
        };
        let lane = |i: usize| self.signals[i].as_deref()?.lane.quantile(ensemble_quantile(SIGNALS[i].id));
        Some(Reading {
            t_ns,
            lanes: std::array::from_fn(lane),
            rates: std::array::from_fn(|i| of(i, |signal| &signal.rate)),
            baselines: std::array::from_fn(|i| of(i, |signal| &signal.baseline)),
            learnt: learnt as f32,
            counter_rates: [None; Counter::ALL.len()],
        })
    }

    /// What is heard of each section, as [`busiest`](khor_signal::busiest) makes it.
    pub(super) fn sections(&self) -> BTreeMap<Option<Name>, Lanes> {
        self.sections.heard()
    }
}

#[cfg(test)]
mod tests {
    use khor_fleet::{
        Section, Sections,
        sketch::{MAX_PARTS, Sketch, relative_error},
    };

    use super::*;
    use khor_signal::{Lane, SignalId, busiest, ensemble};

    /// Machines that are unlike each other: sizes over ten octaves, one in five in trouble, one in five without `exec`.
    fn machines(seed: u64, count: usize) -> Vec<Reading> {
        let mut random = fastrand::Rng::with_seed(seed);
        let machine = |_| {
            let in_trouble = random.u8(..5) == 0;
            let lane = std::array::from_fn(|i| {
                let deviation = random.f32() * 2.0 - 1.0 + if in_trouble { 5.0 } else { 0.0 };
                let level = (deviation / 6.0).clamp(0.0, 1.0);
                let has_it = i != SignalId::Exec.index() || random.u8(..5) > 0;
                has_it.then_some(Lane { level, deviation, surprise: random.f32() })
            });
            let baselines: PerSignal<Option<f64>> =
                std::array::from_fn(|i: usize| lane[i].map(|_| (random.f64() * 10.0).exp2()));
            let rates =
                std::array::from_fn(|i: usize| Some(baselines[i]? * f64::from(lane[i]?.deviation).exp2()));
            let counter_rates = [None; Counter::ALL.len()];
            Reading { t_ns: 1, lanes: lane, rates, baselines, learnt: random.f32(), counter_rates }
        };
        (0..count).map(machine).collect()
    }

    /// Of three, or none, by the first digit of its size.
    fn section(machine: &Reading) -> Option<Name> {
        let digit = machine.baselines[SignalId::Rx.index()].unwrap() as u64 % 4;
        ["app", "db", "web"].get(digit as usize).map(|name| Name::new(*name).unwrap())
    }

    fn blend(machines: &[Reading]) -> Blend {
        let mut blend = Blend::new();
        for reading in machines {
            blend.record(section(reading).as_ref(), reading);
        }
        blend
    }

    fn frame(blend: &Blend, parts: u8) -> SiteFrame {
        let told = |name: Option<Name>| Section { name, hosts: 0, signals: Vec::new() };
        let named = blend.sections().into_keys().flatten().map(Some);
        let mut frame = SiteFrame {
            site: Name::new("rack").unwrap(),
            instance: 1,
            seq: 0,
            wall_ms: 0,
            window_ms: 200,
            version: String::new(),
            levels: 1,
            hosts: 0,
            silent: 0,
            refused: 0,
            parts,
            learnt: Sketch::default(),
            signals: Vec::new(),
            deviant: Vec::new(),
            changes: Vec::new(),
            sections: Some(Sections { parts: parts.min(8), groups: named.chain([None]).map(told).collect() }),
        };
        blend.tell(&mut frame);
        frame
    }

    /// However the machines are shared among those who hear them, and over two levels: the same as by one.
    #[test]
    fn shares_on_the_wire_add_up_to_the_whole() {
        for seed in 0..40 {
            let mut random = fastrand::Rng::with_seed(seed);
            let machines = machines(seed, 1 + random.usize(..300));
            let count = 1 + random.usize(..5);
            let mut shares = vec![Vec::new(); count];
            for reading in &machines {
                shares[random.usize(..count)].push(*reading);
            }
            let (mut parent, mut above) = (Blend::new(), Blend::new());
            for share in &shares {
                parent.add_frame(&frame(&blend(share), MAX_PARTS));
            }
            above.add_frame(&frame(&parent, MAX_PARTS));
            let whole = frame(&blend(&machines), MAX_PARTS);
            assert_eq!(frame(&parent, MAX_PARTS), whole);
            assert_eq!(frame(&above, MAX_PARTS), whole);
        }
    }

    fn is_near(rough: Lane, exact: Lane, error: f64) {
        let octaves = f64::from((rough.deviation - exact.deviation).abs());
        let level = f64::from((rough.level - exact.level).abs());
        assert!(octaves.exp2() - 1.0 <= error && level <= error, "{rough:?}, expected {exact:?}");
    }

    /// What is heard through sketches is what is heard directly, as near as the wire says.
    #[test]
    fn a_blend_reads_as_the_ensemble_does() {
        for (seed, parts) in [(1, 16), (2, 16), (3, 8), (4, 4)] {
            let machines = machines(seed, 8_000);
            let exact = ensemble(machines.iter()).unwrap();
            let mut far = Blend::new();
            far.add_frame(&frame(&blend(&machines), parts));
            let near = far.reading(1).unwrap();
            // Its own bins, those of the sum, and between two machines the one below is taken.
            let error = relative_error(parts) + relative_error(MAX_PARTS) + 0.02;
            for i in 0..SignalId::COUNT {
                let (rate, rough) = (exact.rates[i].unwrap(), near.rates[i].unwrap());
                assert!((rough / rate - 1.0).abs() <= error, "{rough}, expected {rate}");
                is_near(near.lanes[i].unwrap(), exact.lanes[i].unwrap(), error);
            }
            let error = relative_error(parts.min(8)) + relative_error(MAX_PARTS) + 0.03;
            assert_eq!(far.sections().len(), 4);
            for (name, near) in far.sections() {
                let sitting = machines.iter().filter(|machine| section(machine) == name);
                let exact = busiest(sitting.map(|machine| &machine.lanes));
                for (lane, rough) in exact.iter().zip(near) {
                    is_near(rough.unwrap(), lane.unwrap(), error);
                }
            }
        }
    }

    /// A frame of 1.0 says nothing of sections: its hosts are without one.
    #[test]
    fn a_frame_without_sections_is_of_hosts_without_one() {
        let whole = blend(&machines(1, 100));
        let older = SiteFrame { sections: None, ..frame(&whole, MAX_PARTS) };
        let mut far = Blend::new();
        far.add_frame(&older);
        let sections: Vec<_> =
            far.sections().into_iter().map(|(name, lanes)| (name, lanes[0].is_some())).collect();
        assert_eq!(sections, [(None, true)]);
    }
}
