//! The whole way from frames to levels, for one source.

use super::{
    Counter, CounterRates, Frame, Leveller, Levels, PerCounter, PerSignal, counter_rates, level::follow,
};

/// Time constant of the rates that are shown as numbers, seconds; independent of `smoothing`.
const SHOWN_TAU_S: f64 = 1.0;

/// Turns the frames of one source into rates and levels.
#[derive(Clone, Debug)]
pub struct Pipeline {
    leveller: Leveller,
    last: Option<Frame>,
    counter_rates: PerCounter<Option<f64>>,
}

/// What is known after a frame.
#[derive(Clone, Copy, Debug)]
pub struct Reading {
    /// The frame's time, `CLOCK_BOOTTIME` nanoseconds.
    pub t_ns: u64,
    /// Levels, 0..=1.
    pub levels: Levels,
    /// Rates as shown to people, in each signal's own unit.
    pub rates: PerSignal<Option<f64>>,
    /// Rates of the counters behind them, counts per second.
    pub counter_rates: PerCounter<Option<f64>>,
}

impl Pipeline {
    /// `ceilings` > 0 in each signal's own unit, `smoothing` 0..=1.
    pub fn new(ceilings: PerSignal<f64>, smoothing: f32) -> Self {
        Self {
            leveller: Leveller::new(ceilings, smoothing),
            last: None,
            counter_rates: [None; Counter::ALL.len()],
        }
    }

    /// Changes the settings without forgetting what was heard.
    pub fn configure(&mut self, ceilings: PerSignal<f64>, smoothing: f32) {
        self.leveller.configure(ceilings, smoothing);
    }

    /// Starts anew: the source was lost or changed, and its counters do not continue.
    pub fn reset(&mut self) {
        self.last = None;
        self.leveller.reset();
        self.counter_rates = [None; Counter::ALL.len()];
    }

    /// Takes one frame; `None` until there are two to compare, or when no time has passed.
    pub fn push(&mut self, frame: Frame) -> Option<Reading> {
        let last = self.last.replace(frame)?;
        let rates = counter_rates(&last, &frame)?;
        for (shown, rate) in self.counter_rates.iter_mut().zip(rates.per_s) {
            *shown = follow(*shown, rate, rates.interval_s, SHOWN_TAU_S);
        }
        self.leveller.push(&rates.signals(), rates.interval_s);
        let shown = CounterRates { interval_s: SHOWN_TAU_S, per_s: self.counter_rates };
        Some(Reading {
            t_ns: frame.t_ns,
            levels: *self.leveller.levels(),
            rates: shown.signals(),
            counter_rates: self.counter_rates,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::signal::default_ceilings;

    fn frame(t_ms: u64, execs: u64) -> Frame {
        let mut counters = [None; Counter::ALL.len()];
        counters[Counter::Execs.index()] = Some(execs);
        Frame { t_ns: t_ms * 1_000_000, counters }
    }

    #[test]
    fn a_restart_of_the_counters_is_a_gap_and_not_a_spike() {
        let mut pipeline = Pipeline::new(default_ceilings(), 0.5);
        pipeline.push(frame(0, 1_000_000));
        assert_eq!(pipeline.push(frame(20, 1_000_000)).unwrap().levels[0], Some(0.0));
        assert_eq!(pipeline.push(frame(40, 3)).unwrap().levels[0], None, "backward: unknown");
        assert_eq!(pipeline.push(frame(60, 3)).unwrap().levels[0], Some(0.0));
        pipeline.reset();
        assert!(pipeline.push(frame(80, 5_000_000)).is_none(), "nothing to compare with");
    }

    /// `CLOCK_BOOTTIME` goes on during suspend: what little happened is spread over all of it.
    #[test]
    fn a_machine_that_was_suspended_wakes_quietly() {
        const HOUR_MS: u64 = 3_600_000;
        let mut pipeline = Pipeline::new(default_ceilings(), 0.5);
        pipeline.push(frame(0, 0));
        let before = pipeline.push(frame(20, 0)).unwrap().levels[0];
        let after = pipeline.push(frame(20 + HOUR_MS, 500)).unwrap().levels[0];
        assert_eq!(before, Some(0.0));
        assert!(after.unwrap() < 0.1, "500 program starts as it wakes are 0.14 a second: {after:?}");
    }
}
