//! Turns the frames of one source into lanes.

use std::collections::BTreeMap;

use super::{
    Counter, CounterRates, Frame, Lanes, LearntBaseline, Levels, PerCounter, PerSignal, SIGNALS, SignalId,
    counter_rates,
    lane::{Interpreter, Scaling},
    scale::octaves,
};

/// Time constant of the rates' moving average, seconds. It is so long that one event in a 20 ms
/// interval does not count as fifty a second. It is so short that a burst sounds at once.
const RATE_TAU_S: f64 = 0.25;
/// Time constant of the rates that are shown as numbers, seconds.
const SHOWN_TAU_S: f64 = 1.0;

/// Turns the frames of one source into rates and lanes.
#[derive(Clone, Debug)]
pub struct Pipeline {
    interpreter: Interpreter,
    last: Option<Frame>,
    averages: PerCounter<Option<f64>>,
    shown: PerCounter<Option<f64>>,
}

/// The result of a frame.
#[derive(Clone, Copy, Debug)]
pub struct Reading {
    /// The frame's time, `CLOCK_BOOTTIME` nanoseconds.
    pub t_ns: u64,
    /// Level, deviation and surprise of every signal.
    pub lanes: Lanes,
    /// Rates as shown to people, in each signal's own unit.
    pub rates: PerSignal<Option<f64>>,
    /// The baselines, in the same units.
    pub baselines: PerSignal<Option<f64>>,
    /// How much of the baselines is learnt from this machine, 0..=1. Below 1 it is still learning.
    pub learnt: f32,
    /// Rates of the counters, counts per second.
    pub counter_rates: PerCounter<Option<f64>>,
}

impl Reading {
    /// How far a signal's shown rate is above its baseline, octaves.
    /// [`Lane::deviation`](super::Lane::deviation) uses a rate that follows faster. `None` if the
    /// signal is missing.
    pub fn shown_deviation(&self, signal: SignalId) -> Option<f32> {
        let i = signal.index();
        self.lanes[i]?;
        Some((octaves(signal, self.rates[i]?) - octaves(signal, self.baselines[i]?)) as f32)
    }

    /// The levels of all signals, 0..=1.
    pub fn levels(&self) -> Levels {
        self.lanes.map(|lane| lane.map(|lane| lane.level))
    }
}

impl Pipeline {
    /// Starts with the priors.
    pub fn new(scaling: Scaling) -> Self {
        Self {
            interpreter: Interpreter::new(scaling),
            last: None,
            averages: [None; Counter::ALL.len()],
            shown: [None; Counter::ALL.len()],
        }
    }

    /// Changes the settings and keeps the state.
    pub fn configure(&mut self, scaling: Scaling) {
        self.interpreter.configure(scaling);
    }

    /// Starts again after a lost or changed source, whose counters do not continue. Keeps the
    /// baselines.
    pub fn reset(&mut self) {
        self.last = None;
        self.interpreter.reset();
        self.averages = [None; Counter::ALL.len()];
        self.shown = [None; Counter::ALL.len()];
    }

    /// Takes one frame; `None` until there are two to compare, or when no time has passed.
    pub fn push(&mut self, frame: Frame) -> Option<Reading> {
        let last = self.last.replace(frame)?;
        let rates = counter_rates(&last, &frame)?;
        let smooth = |held: &mut PerCounter<Option<f64>>, tau_s| {
            for (held, rate) in held.iter_mut().zip(rates.per_s) {
                *held = low_pass(*held, rate, rates.interval_s, tau_s);
            }
            CounterRates { interval_s: tau_s, per_s: *held }.signals()
        };
        let averages = smooth(&mut self.averages, RATE_TAU_S);
        let shown = smooth(&mut self.shown, SHOWN_TAU_S);
        Some(Reading {
            t_ns: frame.t_ns,
            lanes: *self.interpreter.push(&averages, rates.interval_s),
            rates: cap_time_shares(shown),
            baselines: self.interpreter.baselines(),
            learnt: self.interpreter.progress(),
            counter_rates: self.shown,
        })
    }

    /// The learnt baselines, by signal name, to be kept over restarts.
    pub fn learnt(&self) -> BTreeMap<String, LearntBaseline> {
        self.interpreter.learnt()
    }

    /// Replaces all baselines. Invalid ones are ignored. An empty map resets everything.
    pub fn restore(&mut self, learnt: &BTreeMap<String, LearntBaseline>) {
        self.interpreter.baseline().restore(learnt);
    }

    /// Nothing is learnt while frozen.
    pub fn freeze(&mut self, frozen: bool) {
        self.interpreter.baseline().freeze(frozen);
    }

    /// Whether learning is frozen.
    pub fn is_frozen(&self) -> bool {
        self.interpreter.is_frozen()
    }
}

/// Limits shares of time to 1. Averages may exceed it: the kernel's pressure is read ten times a
/// second, so one of several frames contains the growth of a whole tenth of a second.
fn cap_time_shares(mut rates: PerSignal<Option<f64>>) -> PerSignal<Option<f64>> {
    for (rate, _) in rates.iter_mut().zip(SIGNALS).filter(|(_, signal)| signal.unit == "ratio") {
        *rate = rate.map(|share| share.min(1.0));
    }
    rates
}

/// A decaying average never reaches zero, so a rate below this is set to zero, counts per second.
const ZERO_RATE: f64 = 1e-9;

/// One step of a one-pole low-pass with time constant `tau_s` over `dt_s`, exact for any step
/// length. An unknown value resets the filter. A value that becomes known starts at zero, so that
/// the first, short interval after a gap does not sound as a spike.
fn low_pass(held: Option<f64>, target: Option<f64>, dt_s: f64, tau_s: f64) -> Option<f64> {
    let (held, target) = (held.unwrap_or(0.0), target?);
    let followed = target + (held - target) * (-dt_s / tau_s).exp();
    Some(if followed < ZERO_RATE { 0.0 } else { followed })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::RangeMode;

    fn frame(t_ms: u64, execs: u64) -> Frame {
        let mut counters = [None; Counter::ALL.len()];
        counters[Counter::Execs.index()] = Some(execs);
        Frame { t_ns: t_ms * 1_000_000, counters }
    }

    /// Feeds program starts at `rate_per_s(t_s)` and returns the last reading.
    fn live(pipeline: &mut Pipeline, from_s: f64, to_s: f64, step_s: f64, rate_per_s: f64) -> Reading {
        let mut last = None;
        for i in 0..((to_s - from_s) / step_s).round() as u64 {
            let t_s = from_s + i as f64 * step_s;
            let frame = frame((t_s * 1e3).round() as u64, 1_000_000 + (t_s * rate_per_s) as u64);
            last = pipeline.push(frame).or(last);
        }
        last.unwrap()
    }

    fn exec(reading: Reading) -> crate::Lane {
        reading.lanes[SignalId::Exec.index()].unwrap()
    }

    #[test]
    fn restarted_counters_cause_no_spike() {
        let mut pipeline = Pipeline::new(Scaling::default());
        pipeline.push(frame(0, 1_000_000));
        let level = |reading: Option<Reading>| reading.unwrap().levels()[0];
        assert_eq!(level(pipeline.push(frame(20, 1_000_000))), Some(0.0));
        assert_eq!(level(pipeline.push(frame(40, 3))), None, "backward: unknown");
        assert_eq!(level(pipeline.push(frame(60, 3))), Some(0.0));
        pipeline.reset();
        assert!(pipeline.push(frame(80, 5_000_000)).is_none(), "nothing to compare with");
    }

    /// `CLOCK_BOOTTIME` goes on during suspend: what little happened is spread over all of it.
    #[test]
    fn resuming_from_suspend_causes_no_spike() {
        const HOUR_MS: u64 = 3_600_000;
        let mut pipeline = Pipeline::new(Scaling::default());
        pipeline.push(frame(0, 0));
        pipeline.push(frame(20, 0));
        let after = exec(pipeline.push(frame(20 + HOUR_MS, 500)).unwrap());
        assert_eq!(after.level, 0.0, "500 program starts as it wakes are 0.14 a second");
    }

    #[test]
    fn smoothing_ignores_the_sample_interval() {
        let run = |interval_s| {
            let mut pipeline = Pipeline::new(Scaling::default());
            exec(live(&mut pipeline, 0.0, 0.5, interval_s, 200.0)).level
        };
        let (fine, coarse) = (run(0.005), run(0.05));
        assert!((fine - coarse).abs() < 0.02, "{fine} against {coarse}");
    }

    #[test]
    fn a_burst_shows_within_two_samples() {
        let mut pipeline = Pipeline::new(Scaling::default());
        pipeline.push(frame(0, 0));
        pipeline.push(frame(20, 40));
        assert!(exec(pipeline.push(frame(40, 80)).unwrap()).level > 0.4);
        let mut last = None;
        for i in 3..500 {
            last = pipeline.push(frame(20 * i, 80));
        }
        assert!(exec(last.unwrap()).level < 0.01);
    }

    /// The same trouble on a machine that does eight times as much when nothing is wrong.
    #[test]
    fn levels_compare_across_machine_sizes() {
        let measure = |idle_per_s: f64| {
            let mut pipeline = Pipeline::new(Scaling::default());
            let idle = exec(live(&mut pipeline, 0.0, 900.0, 0.1, idle_per_s));
            pipeline.reset();
            let trouble = exec(live(&mut pipeline, 901.0, 911.0, 0.02, idle_per_s + 150.0));
            (idle, trouble)
        };
        let ((small_idle, small), (big_idle, big)) = (measure(2.0), measure(16.0));
        assert!(small_idle.level < 0.02 && big_idle.level < 0.02, "{small_idle:?} {big_idle:?}");
        assert!(small.level > 0.6 && (small.level - big.level).abs() < 0.2, "{small:?} {big:?}");
        assert!(small.deviation > big.deviation && big.deviation > 2.0);
        // Two a second come one by one: the average of a quarter of a second swings by that much.
        assert!(small_idle.deviation.abs() < 1.5);
    }

    #[test]
    fn a_rate_that_ended_reaches_zero() {
        let mut pipeline = Pipeline::new(Scaling::default());
        live(&mut pipeline, 0.0, 5.0, 0.02, 100.0);
        let (mut frame, mut reading) = (pipeline.last.expect("a frame"), None);
        for _ in 0..6_000 {
            frame.t_ns += 20_000_000;
            reading = pipeline.push(frame);
        }
        let (reading, i) = (reading.expect("a reading"), SignalId::Exec.index());
        assert_eq!((reading.rates[i], reading.lanes[i].map(|lane| lane.level)), (Some(0.0), Some(0.0)));
    }

    #[test]
    fn absolute_levels_ignore_the_baseline() {
        let scaling = Scaling { range: RangeMode::Absolute, ..Scaling::default() };
        let mut pipeline = Pipeline::new(scaling);
        let reading = live(&mut pipeline, 0.0, 900.0, 0.1, 16.0);
        assert!((exec(reading).level - crate::level(SignalId::Exec, 16.0, 250.0)).abs() < 0.05);
    }

    #[test]
    fn only_a_change_raises_surprise() {
        let mut pipeline = Pipeline::new(Scaling::default());
        let before = exec(live(&mut pipeline, 0.0, 300.0, 0.1, 2.0));
        pipeline.reset();
        let news = exec(live(&mut pipeline, 300.0, 302.0, 0.1, 60.0));
        let later = exec(live(&mut pipeline, 302.0, 600.0, 0.1, 60.0));
        assert!(
            before.surprise < 0.2 && news.surprise > 0.6 && later.surprise < 0.2,
            "{before:?} {news:?} {later:?}"
        );
    }

    #[test]
    fn latency_is_averaged_over_requests() {
        let mut pipeline = Pipeline::new(Scaling::default());
        let frame = |t_ms: u64, ns, requests| {
            let mut counters = [None; Counter::ALL.len()];
            counters[Counter::LatencyNs.index()] = Some(ns);
            counters[Counter::TimedRequests.index()] = Some(requests);
            Frame { t_ns: t_ms * 1_000_000, counters }
        };
        pipeline.push(frame(0, 0, 0));
        let lat = |reading: Option<Reading>| reading.unwrap().rates[SignalId::Lat.index()];
        assert_eq!(lat(pipeline.push(frame(20, 0, 0))), Some(0.0));
        let mean_s = lat(pipeline.push(frame(40, 30_000_000, 10))).unwrap();
        assert!((mean_s - 0.003).abs() < 1e-9, "{mean_s}");
    }

    #[test]
    fn time_shares_never_exceed_one() {
        let mut pipeline = Pipeline::new(Scaling::default());
        let mut shown = Vec::new();
        for i in 0..500_u64 {
            let mut counters = [None; Counter::ALL.len()];
            // Always stalled, and read with every fifth frame.
            counters[Counter::CpuStallUs.index()] = Some(i / 5 * 5 * 20_000);
            let reading = pipeline.push(Frame { t_ns: i * 20_000_000, counters });
            shown.extend(reading.and_then(|reading| reading.rates[SignalId::Cpu.index()]));
        }
        assert!(shown.iter().all(|share| *share <= 1.0));
        assert!(shown.last().is_some_and(|share| *share > 0.9), "{:?}", shown.last());
    }
}
