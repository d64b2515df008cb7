//! From rates to levels: a logarithmic scale against a ceiling, smoothed by time constants.

use super::{Levels, PerSignal, SIGNALS, SignalId};

/// Time constant of the rate's moving average at `smoothing` 0.5, seconds: long enough that one event in a
/// 20 ms interval isn't heard as fifty a second, short enough that a burst is heard at once.
const RATE_TAU_S: f64 = 0.25;
/// Time constants of the level after the scale, at `smoothing` 0.5, seconds.
const ATTACK_TAU_S: f64 = 0.010;
const RELEASE_TAU_S: f64 = 0.300;
/// `smoothing` 0 and 1 divide and multiply the time constants by this.
const SMOOTHING_SPAN: f64 = 4.0;

/// Default ceiling of a signal: the rate whose level is 1, in the signal's own unit.
const fn default_ceiling(signal: SignalId) -> f64 {
    match signal {
        SignalId::Exec => 250.0,
        SignalId::Fork => 500.0,
        SignalId::Rx | SignalId::Tx => 50e6,
        SignalId::Retx => 50.0,
        SignalId::Io => 80e6,
        SignalId::Stall | SignalId::Mem | SignalId::Cpu => 1.0,
        SignalId::Csw => 120_000.0,
        SignalId::Irq => 200_000.0,
    }
}

/// Rate up to which a signal's scale is about linear: one event a second, or a kilobyte. In single bytes the
/// logarithm would spend half of its range below what anybody would call traffic.
const fn grain(signal: SignalId) -> f64 {
    match signal {
        SignalId::Rx | SignalId::Tx | SignalId::Io => 1000.0,
        _ => 1.0,
    }
}

/// Level of a signal's rate against its ceiling, both in its own unit, 0..=1:
/// `log1p(rate / grain) / log1p(ceiling / grain)`, and for shares of time, which are proportions already,
/// `rate / ceiling`.
pub fn level(signal: SignalId, rate: f64, ceiling: f64) -> f32 {
    let ratio = match signal {
        SignalId::Stall | SignalId::Mem | SignalId::Cpu => rate / ceiling,
        _ => (rate / grain(signal)).ln_1p() / (ceiling / grain(signal)).ln_1p(),
    };
    ratio.clamp(0.0, 1.0) as f32
}

/// Smooths rates and turns them into levels; one per engine.
#[derive(Clone, Debug)]
pub struct Leveller {
    ceilings: PerSignal<f64>,
    time_scale: f64,
    averages: PerSignal<Option<f64>>,
    levels: Levels,
}

impl Leveller {
    /// `ceilings` > 0 in each signal's own unit, `smoothing` 0..=1.
    pub fn new(ceilings: PerSignal<f64>, smoothing: f32) -> Self {
        let mut leveller = Self {
            ceilings,
            time_scale: 1.0,
            averages: [None; SignalId::COUNT],
            levels: [None; SignalId::COUNT],
        };
        leveller.configure(ceilings, smoothing);
        leveller
    }

    /// Changes ceilings and smoothing without forgetting what was heard.
    pub fn configure(&mut self, ceilings: PerSignal<f64>, smoothing: f32) {
        self.ceilings = ceilings;
        self.time_scale = SMOOTHING_SPAN.powf(2.0 * f64::from(smoothing) - 1.0);
    }

    /// Takes the rates of one interval of `interval_s` seconds.
    pub fn push(&mut self, rates: &PerSignal<Option<f64>>, interval_s: f64) {
        for (i, rate) in rates.iter().enumerate() {
            self.averages[i] = follow(self.averages[i], *rate, interval_s, RATE_TAU_S * self.time_scale);
            let target = self.averages[i].map(|rate| f64::from(level(SIGNALS[i].id, rate, self.ceilings[i])));
            let held = self.levels[i].map(f64::from);
            let tau_s = if target > held { ATTACK_TAU_S } else { RELEASE_TAU_S } * self.time_scale;
            self.levels[i] = follow(held, target, interval_s, tau_s).map(|level| level as f32);
        }
    }

    /// Forgets everything: after a gap in the source nothing is known.
    pub fn reset(&mut self) {
        self.averages = [None; SignalId::COUNT];
        self.levels = [None; SignalId::COUNT];
    }

    /// The levels now.
    pub fn levels(&self) -> &Levels {
        &self.levels
    }
}

/// Default ceilings of all signals.
pub fn default_ceilings() -> PerSignal<f64> {
    SIGNALS.map(|info| default_ceiling(info.id))
}

/// One step of a one-pole low-pass with time constant `tau_s` over `dt_s`, exact for any step length. What
/// is not known any more is forgotten; what becomes known starts at zero, so that the first, short interval
/// after a gap can't be heard as a spike.
pub(super) fn follow(held: Option<f64>, target: Option<f64>, dt_s: f64, tau_s: f64) -> Option<f64> {
    let (held, target) = (held.unwrap_or(0.0), target?);
    Some(target + (held - target) * (-dt_s / tau_s).exp())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rates(exec: Option<f64>) -> PerSignal<Option<f64>> {
        let mut rates = [None; SignalId::COUNT];
        rates[SignalId::Exec.index()] = exec;
        rates
    }

    fn exec_level(leveller: &Leveller) -> Option<f32> {
        leveller.levels()[SignalId::Exec.index()]
    }

    #[test]
    fn the_scale_runs_from_nothing_to_the_ceiling() {
        assert_eq!(level(SignalId::Exec, 0.0, 250.0), 0.0);
        assert_eq!(level(SignalId::Exec, 250.0, 250.0), 1.0);
        assert_eq!(level(SignalId::Exec, 1e9, 250.0), 1.0);
        assert_eq!(level(SignalId::Mem, 0.25, 1.0), 0.25, "shares of time are proportions already");
    }

    #[test]
    fn a_trickle_of_bytes_is_low_and_a_flood_is_high() {
        let rx = |bytes_per_s| level(SignalId::Rx, bytes_per_s, 50e6);
        assert!(rx(2e3) < 0.15 && rx(5e6) > 0.7 && rx(25e6) - rx(5e6) > 0.1);
    }

    #[test]
    fn smoothing_does_not_depend_on_how_often_samples_come() {
        let run = |interval_s: f64| {
            let mut leveller = Leveller::new(default_ceilings(), 0.5);
            leveller.push(&rates(Some(0.0)), interval_s);
            for _ in 0..(0.5 / interval_s).round() as usize {
                leveller.push(&rates(Some(100.0)), interval_s);
            }
            exec_level(&leveller).unwrap()
        };
        let (fine, coarse) = (run(0.005), run(0.1));
        assert!((fine - coarse).abs() < 0.02, "{fine} against {coarse}");
    }

    #[test]
    fn a_burst_is_heard_within_two_samples_and_fades() {
        let mut leveller = Leveller::new(default_ceilings(), 0.5);
        leveller.push(&rates(Some(0.0)), 0.02);
        leveller.push(&rates(Some(2000.0)), 0.02);
        leveller.push(&rates(Some(2000.0)), 0.02);
        assert!(exec_level(&leveller).unwrap() > 0.5);
        for _ in 0..500 {
            leveller.push(&rates(Some(0.0)), 0.02);
        }
        assert!(exec_level(&leveller).unwrap() < 0.01);
    }

    #[test]
    fn a_signal_that_is_lost_is_absent_and_not_silent() {
        let mut leveller = Leveller::new(default_ceilings(), 0.5);
        leveller.push(&rates(Some(10.0)), 0.02);
        leveller.push(&rates(None), 0.02);
        assert_eq!(exec_level(&leveller), None);
        leveller.push(&rates(Some(10.0)), 0.02);
        assert!(exec_level(&leveller).is_some());
    }
}
