//! Converts the frames of one source into readings: rates, lanes and baselines.

use std::collections::BTreeMap;

use super::{
    Catalogue, Counter, CounterRates, Frame, LaneInfo, Lanes, LearntBaseline, PerAdded, PerCounter, PerLane,
    counter_rates,
    lane::{Interpreter, Scaling},
};

/// Time constant of the rates' moving average, seconds. It is long enough that a single event in a
/// 20 ms interval does not appear as fifty events per second. It is short enough that a burst is
/// audible immediately.
const RATE_TAU_S: f64 = 0.25;
/// Time constant of the rates that the page shows as numbers, seconds.
const SHOWN_TAU_S: f64 = 1.0;

/// Computes a reading from each frame of one source.
#[derive(Clone, Debug)]
pub struct Pipeline {
    interpreter: Interpreter,
    last: Option<Frame>,
    averages: Averages,
    shown: Averages,
}

/// Moving averages of all rates. They share one time constant.
#[derive(Clone, Debug)]
struct Averages {
    tau_s: f64,
    counters: PerCounter<Option<f64>>,
    /// One average for each added lane, in the order of the catalogue.
    added: PerAdded<Option<f64>>,
}

/// The lanes, rates and baselines that result from one frame.
#[derive(Clone, Debug)]
pub struct Reading {
    /// The frame's time, `CLOCK_BOOTTIME` nanoseconds.
    pub t_ns: u64,
    /// Level, deviation and surprise of every lane.
    pub lanes: Lanes,
    /// Rates for display, each in its lane's unit. They are averaged over a longer time than the
    /// rates from which `lanes` is computed.
    pub rates: PerLane<Option<f64>>,
    /// The baselines, each in its lane's unit.
    pub baselines: PerLane<Option<f64>>,
    /// Progress of learning, 0..=1: the share of the baselines that comes from the host's own
    /// values. The remainder comes from the priors.
    pub learnt: f32,
    /// Rates of the counters, counts per second.
    pub counter_rates: PerCounter<Option<f64>>,
}

impl Reading {
    /// Deviation of a lane's displayed rate from its baseline, octaves.
    /// [`Lane::deviation`](super::Lane::deviation) uses a rate with a shorter time constant. `None`
    /// if the lane is missing.
    pub fn shown_deviation(&self, lane: &LaneInfo) -> Option<f32> {
        self.lanes.value(lane.id)?;
        let octaves = |rate| lane.scale.octaves(rate);
        Some((octaves(self.rates.value(lane.id)?) - octaves(self.baselines.value(lane.id)?)) as f32)
    }

    /// The levels of all lanes, 0..=1.
    pub fn levels(&self) -> PerLane<Option<f32>> {
        self.lanes.map(|lane| lane.map(|lane| lane.level))
    }
}

impl Averages {
    const fn new(tau_s: f64) -> Self {
        Self { tau_s, counters: [None; Counter::ALL.len()], added: PerAdded::EMPTY }
    }

    fn reset(&mut self) {
        self.counters = [None; Counter::ALL.len()];
        self.added.values_mut().for_each(|held| *held = None);
    }

    /// Updates the averages with the rates of one interval, and with the values of the added lanes
    /// at the end of the interval. Returns the averages of all lanes, each in its lane's unit.
    fn push(&mut self, rates: &CounterRates, frame: &Frame, added: &[LaneInfo]) -> PerLane<Option<f64>> {
        let (interval_s, tau_s) = (rates.interval_s, self.tau_s);
        for (held, rate) in self.counters.iter_mut().zip(rates.per_s) {
            *held = low_pass(*held, rate, interval_s, tau_s);
        }
        for (held, lane) in self.added.values_mut().zip(added) {
            let value = frame.added.get(lane.id).copied().flatten();
            let value = value.and_then(|value| lane.scale.measurable(value));
            *held = low_pass(*held, value, interval_s, tau_s);
        }
        let kernel = CounterRates { interval_s: tau_s, per_s: self.counters }.signals();
        PerLane { kernel, added: self.added.clone() }
    }
}

impl Pipeline {
    /// A pipeline that starts with the priors and without added lanes.
    pub fn new(scaling: Scaling) -> Self {
        Self {
            interpreter: Interpreter::new(scaling),
            last: None,
            averages: Averages::new(RATE_TAU_S),
            shown: Averages::new(SHOWN_TAU_S),
        }
    }

    /// Changes the scaling, but keeps the baselines and the averages.
    pub fn configure(&mut self, scaling: Scaling) {
        self.interpreter.configure(scaling);
    }

    /// Sets the catalogue of the next frames. Keeps the baselines by lane name. Keeps the averages
    /// of added lanes if the catalogue extends the previous one. Kernel signals are not affected.
    pub fn set_catalogue(&mut self, catalogue: Catalogue) {
        let (is_extended, added) = (catalogue.extends(self.catalogue()), catalogue.added().len());
        for averages in [&mut self.averages, &mut self.shown] {
            if !is_extended {
                averages.added.clear();
            }
            averages.added.resize(added);
        }
        self.interpreter.set_catalogue(catalogue);
    }

    /// The catalogue of the lanes in the readings.
    pub fn catalogue(&self) -> &Catalogue {
        self.interpreter.catalogue()
    }

    /// Discards the averages, but keeps the baselines and the catalogue. Call this function before
    /// switching to another source, because the counters of the two sources are unrelated.
    pub fn reset(&mut self) {
        self.last = None;
        self.interpreter.reset();
        self.averages.reset();
        self.shown.reset();
    }

    /// Computes a reading from a frame and the previous frame. Returns `None` for the first frame,
    /// and if no time has passed. Ignores added lanes that are not in the catalogue. A value of an
    /// added lane counts as missing if it is not finite, and as zero if it is negative.
    pub fn push(&mut self, frame: Frame) -> Option<Reading> {
        let last = self.last.replace(frame)?;
        let frame = self.last.as_ref()?;
        let rates = counter_rates(&last, frame)?;
        let added = self.interpreter.catalogue().added();
        let averages = self.averages.push(&rates, frame, added);
        let shown = self.shown.push(&rates, frame, added);
        Some(Reading {
            t_ns: frame.t_ns,
            lanes: self.interpreter.push(&averages, rates.interval_s).clone(),
            rates: cap_time_shares(shown, self.interpreter.catalogue()),
            baselines: self.interpreter.baselines(),
            learnt: self.interpreter.progress(),
            counter_rates: self.shown.counters,
        })
    }

    /// The learned baselines by lane name. The caller saves them for the next start.
    pub fn learnt(&self) -> BTreeMap<String, LearntBaseline> {
        self.interpreter.learnt()
    }

    /// Replaces all baselines. Invalid ones are ignored. An empty map resets all baselines.
    pub fn restore(&mut self, learnt: &BTreeMap<String, LearntBaseline>) {
        self.interpreter.baseline().restore(learnt);
    }

    /// Freezes or resumes learning.
    pub fn freeze(&mut self, frozen: bool) {
        self.interpreter.baseline().freeze(frozen);
    }

    /// Whether learning is frozen.
    pub fn is_frozen(&self) -> bool {
        self.interpreter.is_frozen()
    }
}

/// Limits shares of time to 1. khor reads the kernel's pressure counters only ten times per second,
/// so some frames contain the increase of a whole tenth of a second. An average over several frames
/// can therefore exceed 1.
fn cap_time_shares(mut rates: PerLane<Option<f64>>, catalogue: &Catalogue) -> PerLane<Option<f64>> {
    for (rate, _) in rates.values_mut().zip(catalogue.iter()).filter(|(_, lane)| lane.is_time_share()) {
        *rate = rate.map(|share| share.min(1.0));
    }
    rates
}

/// Rates below this value, in counts per second, are set to zero, because a decaying average would
/// never reach zero.
const ZERO_RATE: f64 = 1e-9;

/// Computes one step of a one-pole low-pass filter over `dt_s` seconds, with the time constant
/// `tau_s`. The result is exact for any step length. An unknown value resets the filter. The filter
/// then restarts at zero, so that the first, short interval after a gap does not cause a spike.
fn low_pass(held: Option<f64>, target: Option<f64>, dt_s: f64, tau_s: f64) -> Option<f64> {
    let (held, target) = (held.unwrap_or(0.0), target?);
    let followed = target + (held - target) * (-dt_s / tau_s).exp();
    Some(if followed < ZERO_RATE { 0.0 } else { followed })
}

#[cfg(test)]
mod tests;
