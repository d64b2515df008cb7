//! Readings of many machines as spreads, from which the one reading that is heard comes: exact in what they add up, near in
//! what they say (`khor_fleet::sketch`). No I/O.

use std::{collections::VecDeque, time::Duration};

use hdrhistogram::Histogram;
use khor_fleet::{
    SignalSketches, SiteFrame,
    sketch::{MAX_PARTS, Quantity, Sketch},
};
use tokio::time::Instant;

use crate::signal::{Counter, Lane, PerSignal, Reading, SIGNALS, SignalId, typical};

/// Of an HDR histogram whose bins are those of [`MAX_PARTS`].
const SIGNIFICANT_DIGITS: u8 = 1;

/// One quantity over many machines.
#[derive(Clone, Debug)]
struct Spread {
    quantity: Quantity,
    histogram: Histogram<u32>,
}

impl Spread {
    fn new(quantity: Quantity) -> Self {
        let histogram = Histogram::new_with_max(quantity.max_steps(), SIGNIFICANT_DIGITS);
        Self { quantity, histogram: histogram.expect("bounds that a histogram can have") }
    }

    fn record(&mut self, value: f64) {
        self.histogram.saturating_record(self.quantity.steps(value));
    }

    fn add_sketch(&mut self, sketch: &Sketch, parts: u8) {
        for (steps, count) in sketch.values(parts) {
            self.histogram.saturating_record_n(steps, count);
        }
    }

    fn add(&mut self, other: &Self) {
        self.histogram.add(&other.histogram).expect("the same bounds");
    }

    fn sketch(&self, parts: u8) -> Sketch {
        let values = self.histogram.iter_recorded();
        Sketch::of(values.map(|value| (value.value_iterated_to(), value.count_at_value())), parts)
    }

    /// The value with that share of the others below it.
    fn quantile(&self, share: f64) -> Option<f64> {
        (!self.histogram.is_empty()).then(|| {
            let steps = self.histogram.value_at_quantile(share);
            self.quantity.value(self.histogram.median_equivalent(steps))
        })
    }
}

/// The spreads of a signal.
#[derive(Clone, Debug)]
struct Signal {
    rate: Spread,
    baseline: Spread,
    deviation: Spread,
    level: Spread,
    surprise: Spread,
}

impl Signal {
    fn new() -> Box<Self> {
        let of = Spread::new;
        Box::new(Self {
            rate: of(Quantity::Rate),
            baseline: of(Quantity::Rate),
            deviation: of(Quantity::Deviation),
            level: of(Quantity::Share),
            surprise: of(Quantity::Share),
        })
    }

    fn each(&mut self) -> [&mut Spread; 5] {
        let Self { rate, baseline, deviation, level, surprise } = self;
        [rate, baseline, deviation, level, surprise]
    }
}

/// Readings of many machines, added up.
#[derive(Clone, Debug)]
pub(crate) struct Blend {
    learnt: Spread,
    /// `None` until a machine has it.
    signals: PerSignal<Option<Box<Signal>>>,
}

impl Blend {
    pub(crate) fn new() -> Self {
        Self { learnt: Spread::new(Quantity::Share), signals: std::array::from_fn(|_| None) }
    }

    /// Adds a machine's reading.
    pub(crate) fn record(&mut self, reading: &Reading) {
        self.learnt.record(reading.learnt.into());
        for (i, held) in self.signals.iter_mut().enumerate() {
            let (Some(lane), Some(rate), Some(baseline)) =
                (reading.lanes[i], reading.rates[i], reading.baselines[i])
            else {
                continue;
            };
            let signal = held.get_or_insert_with(Signal::new);
            signal.rate.record(rate);
            signal.baseline.record(baseline);
            signal.deviation.record(lane.deviation.into());
            signal.level.record(lane.level.into());
            signal.surprise.record(lane.surprise.into());
        }
    }

    /// Adds what a site's frame says.
    pub(crate) fn add_frame(&mut self, frame: &SiteFrame) {
        let parts = frame.parts;
        self.learnt.add_sketch(&frame.learnt, parts);
        for (held, told) in self.signals.iter_mut().zip(&frame.signals) {
            let Some(SignalSketches { rate, baseline, deviation, level, surprise }) = told else { continue };
            let signal = held.get_or_insert_with(Signal::new);
            for (spread, sketch) in
                signal.each().into_iter().zip([rate, baseline, deviation, level, surprise])
            {
                spread.add_sketch(sketch, parts);
            }
        }
    }

    /// Adds another.
    fn add(&mut self, other: &mut Self) {
        self.learnt.add(&other.learnt);
        for (held, more) in self.signals.iter_mut().zip(&mut other.signals) {
            let Some(more) = more else { continue };
            let signal = held.get_or_insert_with(Signal::new);
            for (spread, more) in signal.each().into_iter().zip(more.each()) {
                spread.add(more);
            }
        }
    }

    /// Begins anew, in the same place.
    pub(crate) fn clear(&mut self) {
        self.learnt.histogram.clear();
        for signal in self.signals.iter_mut().flatten() {
            for spread in signal.each() {
                spread.histogram.clear();
            }
        }
    }

    /// As a site's frame has it: what is learnt, and the signals.
    pub(crate) fn sketches(&self, parts: u8) -> (Sketch, Vec<Option<SignalSketches>>) {
        let signals = self.signals.iter().map(|signal| {
            let Signal { rate, baseline, deviation, level, surprise } = signal.as_deref()?;
            (!rate.histogram.is_empty()).then(|| SignalSketches {
                rate: rate.sketch(parts),
                baseline: baseline.sketch(parts),
                deviation: deviation.sketch(parts),
                level: level.sketch(parts),
                surprise: surprise.sketch(parts),
            })
        });
        (self.learnt.sketch(parts), signals.collect())
    }

    /// The reading of a machine that is like them, as [`ensemble`](crate::signal::ensemble) makes it; `None` of none.
    pub(crate) fn reading(&self, t_ns: u64) -> Option<Reading> {
        let learnt = self.learnt.quantile(0.5)?;
        let of = |i: usize, spread: fn(&Signal) -> &Spread| {
            spread(self.signals[i].as_deref()?).quantile(typical(SIGNALS[i].id))
        };
        let lane = |i| {
            Some(Lane {
                level: of(i, |signal| &signal.level)? as f32,
                deviation: of(i, |signal| &signal.deviation)? as f32,
                surprise: of(i, |signal| &signal.surprise)? as f32,
            })
        };
        const { assert!(khor_fleet::SIGNALS.len() == SignalId::COUNT && MAX_PARTS == 16) };
        Some(Reading {
            t_ns,
            lanes: std::array::from_fn(lane),
            rates: std::array::from_fn(|i| of(i, |signal| &signal.rate)),
            baselines: std::array::from_fn(|i| of(i, |signal| &signal.baseline)),
            learnt: learnt as f32,
            counter_rates: [None; Counter::ALL.len()],
        })
    }
}

/// What came in the last second, in slots of a fifth: frames of all that send five times a second, once each or nearly.
pub(super) struct Window {
    slots: VecDeque<(Instant, Blend)>,
    spare: Vec<Blend>,
    sum: Blend,
}

impl Window {
    const SLOT: Duration = Duration::from_millis(200);
    const SLOTS: usize = 6;

    pub(super) fn new() -> Self {
        Self { slots: VecDeque::new(), spare: Vec::new(), sum: Blend::new() }
    }

    /// What comes now is added to this.
    pub(super) fn now(&mut self, now: Instant) -> &mut Blend {
        let is_due = self.slots.back().is_none_or(|(begun, _)| now.duration_since(*begun) >= Self::SLOT);
        if is_due {
            self.forget(now);
            let blend = self.spare.pop().unwrap_or_else(Blend::new);
            self.slots.push_back((now, blend));
        }
        &mut self.slots.back_mut().expect("there is one").1
    }

    fn forget(&mut self, now: Instant) {
        let kept = Self::SLOT * Self::SLOTS as u32;
        while self.slots.front().is_some_and(|(begun, _)| now.duration_since(*begun) >= kept) {
            if let Some((_, mut blend)) = self.slots.pop_front() {
                blend.clear();
                self.spare.push(blend);
            }
        }
    }

    /// All of it as one machine.
    pub(super) fn reading(&mut self, now: Instant, t_ns: u64) -> Option<Reading> {
        self.forget(now);
        self.sum.clear();
        for (_, blend) in &mut self.slots {
            self.sum.add(blend);
        }
        self.sum.reading(t_ns)
    }
}

#[cfg(test)]
mod tests {
    use khor_fleet::sketch::relative_error;

    use super::*;
    use crate::signal::ensemble;

    /// Machines that are unlike each other: sizes over ten octaves, one in eight in trouble, one in five without `exec`.
    fn machines(seed: u64, count: usize) -> Vec<Reading> {
        let mut random = fastrand::Rng::with_seed(seed);
        let machine = |_| {
            let in_trouble = random.u8(..8) == 0;
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

    fn blend(machines: &[Reading]) -> Blend {
        let mut blend = Blend::new();
        for reading in machines {
            blend.record(reading);
        }
        blend
    }

    fn frame(blend: &Blend, parts: u8) -> SiteFrame {
        let (learnt, signals) = blend.sketches(parts);
        SiteFrame {
            site: khor_fleet::Name::new("rack").unwrap(),
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
            learnt,
            signals,
            deviant: Vec::new(),
            changes: Vec::new(),
        }
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
            let whole = blend(&machines).sketches(MAX_PARTS);
            assert_eq!(parent.sketches(MAX_PARTS), whole);
            assert_eq!(above.sketches(MAX_PARTS), whole);
        }
    }

    /// What is heard through sketches is what is heard directly, as near as the wire says.
    #[test]
    fn a_blend_reads_as_the_ensemble_does() {
        for (seed, parts) in [(1, 16), (2, 16), (3, 8), (4, 4)] {
            let machines = machines(seed, 2_000);
            let exact = ensemble(machines.iter()).unwrap();
            let mut far = Blend::new();
            far.add_frame(&frame(&blend(&machines), parts));
            let near = far.reading(1).unwrap();
            // Its own bins, those of the sum, and between two machines the one below is taken.
            let error = relative_error(parts) + relative_error(MAX_PARTS) + 0.02;
            for i in 0..SignalId::COUNT {
                let (rate, rough) = (exact.rates[i].unwrap(), near.rates[i].unwrap());
                assert!((rough / rate - 1.0).abs() <= error, "{rough}, expected {rate}");
                let (lane, rough) = (exact.lanes[i].unwrap(), near.lanes[i].unwrap());
                let octaves = f64::from((rough.deviation - lane.deviation).abs());
                assert!(octaves.exp2() - 1.0 <= error, "{rough:?}, expected {lane:?}");
                assert!(f64::from((rough.level - lane.level).abs()) <= error, "{rough:?}, expected {lane:?}");
            }
        }
    }

    #[test]
    fn what_is_a_second_old_is_heard_no_more() {
        let (mut window, begun) = (Window::new(), Instant::now());
        let machines = machines(1, 10);
        window.now(begun).record(&machines[0]);
        let at = |ms| begun + Duration::from_millis(ms);
        assert!(window.reading(at(1_100), 1).is_some());
        assert!(window.reading(at(1_300), 1).is_none());
        for ms in (2_000..20_000).step_by(50) {
            window.now(at(ms)).record(&machines[1]);
            assert!(window.slots.len() <= Window::SLOTS + 1 && window.spare.len() <= Window::SLOTS + 1);
        }
    }
}
