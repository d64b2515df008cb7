//! Histograms of one signal over many hosts, with the bins of `khor_fleet::sketch`. Histograms can
//! be added without any loss. A value that is read from a histogram is the middle of a bin. No I/O.

use hdrhistogram::Histogram;
use khor_fleet::{
    LaneSketches, SignalSketches,
    sketch::{MAX_PARTS, Quantity, Sketch},
};
use khor_signal::Lane;

/// With one significant digit, an HDR histogram has the same bins as a sketch with [`MAX_PARTS`].
const SIGNIFICANT_DIGITS: u8 = 1;
const _: () = assert!(MAX_PARTS == 16);

/// The histogram of one quantity.
#[derive(Clone, Debug)]
pub(super) struct ValueHistogram {
    quantity: Quantity,
    histogram: Histogram<u32>,
}

impl ValueHistogram {
    pub(super) fn new(quantity: Quantity) -> Self {
        let histogram = Histogram::new_with_max(quantity.max_steps(), SIGNIFICANT_DIGITS);
        Self { quantity, histogram: histogram.expect("valid bounds") }
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
        self.histogram.add(&other.histogram).expect("equal bounds");
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

    /// The value at the quantile `share`, 0..=1; `None` if the histogram is empty.
    pub(super) fn quantile(&self, share: f64) -> Option<f64> {
        (!self.histogram.is_empty()).then(|| {
            let steps = self.histogram.value_at_quantile(share);
            self.quantity.value(self.histogram.median_equivalent(steps))
        })
    }
}

/// The histograms of one lane over many hosts.
#[derive(Clone, Debug)]
pub(super) struct LaneHistograms {
    deviation: ValueHistogram,
    level: ValueHistogram,
    surprise: ValueHistogram,
}

impl Default for LaneHistograms {
    fn default() -> Self {
        Self {
            deviation: ValueHistogram::new(Quantity::Deviation),
            level: ValueHistogram::new(Quantity::Share),
            surprise: ValueHistogram::new(Quantity::Share),
        }
    }
}

impl LaneHistograms {
    pub(super) fn record(&mut self, lane: &Lane) {
        self.deviation.record(lane.deviation.into());
        self.level.record(lane.level.into());
        self.surprise.record(lane.surprise.into());
    }

    pub(super) fn add_sketches(&mut self, sketches: &LaneSketches, parts: u8) {
        self.deviation.add_sketch(&sketches.deviation, parts);
        self.level.add_sketch(&sketches.level, parts);
        self.surprise.add_sketch(&sketches.surprise, parts);
    }

    pub(super) fn add(&mut self, other: &Self) {
        self.deviation.add(&other.deviation);
        self.level.add(&other.level);
        self.surprise.add(&other.surprise);
    }

    pub(super) fn clear(&mut self) {
        for histogram in [&mut self.deviation, &mut self.level, &mut self.surprise] {
            histogram.clear();
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

    /// A lane with the deviation, the level and the surprise at the quantile `share`, 0..=1; `None`
    /// if the histograms are empty.
    pub(super) fn quantile(&self, share: f64) -> Option<Lane> {
        Some(Lane {
            level: self.level.quantile(share)? as f32,
            deviation: self.deviation.quantile(share)? as f32,
            surprise: self.surprise.quantile(share)? as f32,
        })
    }
}

/// The histograms of one signal over many hosts.
#[derive(Clone, Debug)]
pub(super) struct SignalHistograms {
    pub(super) rate: ValueHistogram,
    pub(super) baseline: ValueHistogram,
    pub(super) lane: LaneHistograms,
}

impl Default for SignalHistograms {
    fn default() -> Self {
        let rate = || ValueHistogram::new(Quantity::Rate);
        Self { rate: rate(), baseline: rate(), lane: LaneHistograms::default() }
    }
}

impl SignalHistograms {
    pub(super) fn add_sketches(&mut self, sketches: &SignalSketches, parts: u8) {
        self.rate.add_sketch(&sketches.rate, parts);
        self.baseline.add_sketch(&sketches.baseline, parts);
        self.lane.add_sketches(&sketches.lane, parts);
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
