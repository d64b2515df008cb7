//! One quantity over many machines: exact in what it adds up, near in what it says (`khor_fleet::sketch`). No I/O.

use hdrhistogram::Histogram;
use khor_fleet::{
    LaneSketches, SignalSketches,
    sketch::{MAX_PARTS, Quantity, Sketch},
};

use khor_signal::Lane;

/// Of an HDR histogram whose bins are those of [`MAX_PARTS`].
const SIGNIFICANT_DIGITS: u8 = 1;
const _: () = assert!(MAX_PARTS == 16);

/// One quantity.
#[derive(Clone, Debug)]
pub(super) struct Spread {
    quantity: Quantity,
    histogram: Histogram<u32>,
}

impl Spread {
    pub(super) fn new(quantity: Quantity) -> Self {
        let histogram = Histogram::new_with_max(quantity.max_steps(), SIGNIFICANT_DIGITS);
        Self { quantity, histogram: histogram.expect("bounds that a histogram can have") }
    }

    pub(super) fn record(&mut self, value: f64) {
        self.histogram.saturating_record(self.quantity.steps(value));
    }

    pub(super) fn add_sketch(&mut self, sketch: &Sketch, parts: u8) {
        for (steps, count) in sketch.values(parts) {
            self.histogram.saturating_record_n(steps, count);
        }
    }

    pub(super) fn add(&mut self, other: &Self) {
        self.histogram.add(&other.histogram).expect("the same bounds");
    }

    pub(super) fn clear(&mut self) {
        self.histogram.clear();
    }

    pub(super) fn is_empty(&self) -> bool {
        self.histogram.is_empty()
    }

    pub(super) fn sketch(&self, parts: u8) -> Sketch {
        let values = self.histogram.iter_recorded();
        Sketch::of(values.map(|value| (value.value_iterated_to(), value.count_at_value())), parts)
    }

    /// The value with that share of the others below it.
    pub(super) fn quantile(&self, share: f64) -> Option<f64> {
        (!self.histogram.is_empty()).then(|| {
            let steps = self.histogram.value_at_quantile(share);
            self.quantity.value(self.histogram.median_equivalent(steps))
        })
    }
}

/// What is heard of a signal.
#[derive(Clone, Debug)]
pub(super) struct LaneSpreads {
    deviation: Spread,
    level: Spread,
    surprise: Spread,
}

impl Default for LaneSpreads {
    fn default() -> Self {
        Self {
            deviation: Spread::new(Quantity::Deviation),
            level: Spread::new(Quantity::Share),
            surprise: Spread::new(Quantity::Share),
        }
    }
}

impl LaneSpreads {
    pub(super) fn record(&mut self, lane: &Lane) {
        self.deviation.record(lane.deviation.into());
        self.level.record(lane.level.into());
        self.surprise.record(lane.surprise.into());
    }

    pub(super) fn add_sketches(&mut self, told: &LaneSketches, parts: u8) {
        self.deviation.add_sketch(&told.deviation, parts);
        self.level.add_sketch(&told.level, parts);
        self.surprise.add_sketch(&told.surprise, parts);
    }

    pub(super) fn add(&mut self, other: &Self) {
        self.deviation.add(&other.deviation);
        self.level.add(&other.level);
        self.surprise.add(&other.surprise);
    }

    pub(super) fn clear(&mut self) {
        for spread in [&mut self.deviation, &mut self.level, &mut self.surprise] {
            spread.clear();
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.level.is_empty()
    }

    pub(super) fn sketches(&self, parts: u8) -> LaneSketches {
        LaneSketches {
            deviation: self.deviation.sketch(parts),
            level: self.level.sketch(parts),
            surprise: self.surprise.sketch(parts),
        }
    }

    /// The lane of which each number has that share of the others below it.
    pub(super) fn quantile(&self, share: f64) -> Option<Lane> {
        Some(Lane {
            level: self.level.quantile(share)? as f32,
            deviation: self.deviation.quantile(share)? as f32,
            surprise: self.surprise.quantile(share)? as f32,
        })
    }
}

/// All of a signal.
#[derive(Clone, Debug)]
pub(super) struct SignalSpreads {
    pub(super) rate: Spread,
    pub(super) baseline: Spread,
    pub(super) lane: LaneSpreads,
}

impl Default for SignalSpreads {
    fn default() -> Self {
        let rate = || Spread::new(Quantity::Rate);
        Self { rate: rate(), baseline: rate(), lane: LaneSpreads::default() }
    }
}

impl SignalSpreads {
    pub(super) fn add_sketches(&mut self, told: &SignalSketches, parts: u8) {
        self.rate.add_sketch(&told.rate, parts);
        self.baseline.add_sketch(&told.baseline, parts);
        self.lane.add_sketches(&told.lane, parts);
    }

    pub(super) fn add(&mut self, other: &Self) {
        self.rate.add(&other.rate);
        self.baseline.add(&other.baseline);
        self.lane.add(&other.lane);
    }

    pub(super) fn clear(&mut self) {
        self.rate.clear();
        self.baseline.clear();
        self.lane.clear();
    }

    pub(super) fn sketches(&self, parts: u8) -> SignalSketches {
        SignalSketches {
            rate: self.rate.sketch(parts),
            baseline: self.baseline.sketch(parts),
            lane: self.lane.sketches(parts),
        }
    }
}
