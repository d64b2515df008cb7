//! Learns the baseline of each signal: slow robust quantiles, learnt while nothing is wrong.
//!
//! Each signal's median and 99th percentile are estimated by stochastic approximation (Robbins &
//! Monro 1951): a step up when the value lies above, a step down when it lies below, weighted by
//! the quantile. This needs two numbers and no history, and a spike of any size moves them no
//! further than a small one. The steps shrink to two octaves an hour. A signal clearly above its
//! band is an incident, and its baseline is not learnt. After half an hour the incident becomes
//! part of the baseline.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{
    PerSignal, SIGNALS, SignalId,
    scale::{octaves, prior, rate_at},
};

/// Time until the machine's own values have replaced the priors, seconds.
const LEARNING_S: f64 = 600.0;
/// Quantile of the upper edge of the band. Timers and agents of an idle machine work in short
/// bursts, which belong to the band.
const HIGH_QUANTILE: f64 = 0.99;
/// Lowest height of the band, octaves. Without it, every small event would stand out on a machine
/// that is always idle.
const MIN_BAND_OCTAVES: f64 = 0.5;
/// Slowest adaptation, octaves per second: two octaves an hour.
const SLOWEST_OCTAVES_PER_S: f64 = 2.0 / 3600.0;
/// Adaptation begins at about this many octaves over the time learnt, in seconds.
const INITIAL_OCTAVES: f64 = 6.0;
/// How far above its band a signal must be, on average over [`INCIDENT_TAU_S`], to be an incident, octaves.
const INCIDENT_OCTAVES: f64 = 1.0;
/// The same limit while the band is mostly the prior: a big machine is no incident.
const INCIDENT_LEARNING_OCTAVES: f64 = 3.0;
const INCIDENT_TAU_S: f64 = 5.0;
/// An incident that lasts longer than this becomes part of the baseline, seconds.
const MAX_INCIDENT_S: f64 = 1800.0;
/// Longest step that is learnt, seconds. The values in a longer gap are unknown.
const MAX_STEP_S: f64 = 1.0;

/// The usual range of one signal, octaves above its grain.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Band {
    /// Median.
    pub(super) middle: f64,
    /// 99th percentile, at least half an octave above.
    pub(super) high: f64,
}

/// The learnt baseline of one signal, which is kept over restarts.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct LearntBaseline {
    /// Median, octaves above the signal's grain.
    pub middle_octaves: f64,
    /// 99th percentile, octaves above the signal's grain.
    pub high_octaves: f64,
    /// Learning time so far, seconds.
    pub learnt_s: f64,
}

/// One signal's learner.
#[derive(Clone, Copy, Debug)]
struct Learner {
    signal: SignalId,
    learnt: Option<LearntBaseline>,
    /// The value averaged over [`INCIDENT_TAU_S`], octaves.
    average: f64,
    /// How long this incident has lasted, seconds.
    incident_s: f64,
}

impl Learner {
    const fn new(signal: SignalId) -> Self {
        Self { signal, learnt: None, average: 0.0, incident_s: 0.0 }
    }

    /// The machine's own band, blended with the prior while little is learnt.
    fn band(&self) -> Band {
        let (prior_middle, prior_high) = prior(self.signal);
        let own = self.progress();
        let learnt = self.learnt.unwrap_or(LearntBaseline {
            middle_octaves: prior_middle,
            high_octaves: prior_high,
            learnt_s: 0.0,
        });
        let middle = prior_middle + own * (learnt.middle_octaves - prior_middle);
        let high = prior_high + own * (learnt.high_octaves - prior_high);
        Band { middle, high: high.max(middle + MIN_BAND_OCTAVES) }
    }

    /// How much of the band is the machine's own, 0..=1.
    fn progress(&self) -> f64 {
        self.learnt.map_or(0.0, |learnt| (learnt.learnt_s / LEARNING_S).min(1.0))
    }

    fn push(&mut self, x: f64, dt_s: f64, frozen: bool) {
        self.average += (x - self.average) * (1.0 - (-dt_s / INCIDENT_TAU_S).exp());
        let margin =
            INCIDENT_LEARNING_OCTAVES + self.progress() * (INCIDENT_OCTAVES - INCIDENT_LEARNING_OCTAVES);
        let incident = self.average > self.band().high + margin;
        self.incident_s = if incident { self.incident_s + dt_s } else { 0.0 };
        if frozen || (incident && self.incident_s < MAX_INCIDENT_S) {
            return;
        }
        let learnt =
            self.learnt.get_or_insert(LearntBaseline { middle_octaves: x, high_octaves: x, learnt_s: 0.0 });
        let step = (INITIAL_OCTAVES / (learnt.learnt_s + 10.0)).max(SLOWEST_OCTAVES_PER_S) * dt_s;
        let towards = |held: f64, quantile: f64| {
            let step = step * if x > held { quantile } else { quantile - 1.0 };
            // The step ends at the value: a quantile of a constant is that constant.
            if step > 0.0 { (held + step).min(x) } else { (held + step).max(x) }
        };
        learnt.middle_octaves = towards(learnt.middle_octaves, 0.5);
        learnt.high_octaves = towards(learnt.high_octaves, HIGH_QUANTILE).max(learnt.middle_octaves);
        learnt.learnt_s += dt_s;
    }
}

/// The baselines of all signals.
#[derive(Clone, Debug)]
pub(super) struct Baseline {
    learners: PerSignal<Learner>,
    frozen: bool,
}

impl Baseline {
    pub(super) fn new() -> Self {
        Self { learners: SIGNALS.map(|info| Learner::new(info.id)), frozen: false }
    }

    /// Takes the rates of one interval, smoothed, each in its own unit.
    pub(super) fn push(&mut self, rates: &PerSignal<Option<f64>>, interval_s: f64) {
        let dt_s = interval_s.min(MAX_STEP_S);
        for (learner, rate) in self.learners.iter_mut().zip(rates) {
            if let Some(rate) = rate.filter(|rate| rate.is_finite()) {
                learner.push(octaves(learner.signal, rate), dt_s, self.frozen);
            }
        }
    }

    pub(super) fn band(&self, signal: SignalId) -> Band {
        self.learners[signal.index()].band()
    }

    /// The median as a rate in the signal's own unit.
    pub(super) fn rate(&self, signal: SignalId) -> f64 {
        rate_at(signal, self.band(signal).middle)
    }

    /// How much of the baselines of the selected signals is the machine's own, 0..=1.
    pub(super) fn progress(&self, heard: &PerSignal<bool>) -> f32 {
        let of_heard = || self.learners.iter().zip(heard).filter(|(_, heard)| **heard);
        let count = of_heard().count().max(1) as f64;
        (of_heard().fold(0.0, |sum, (learner, _)| sum + learner.progress()) / count) as f32
    }

    /// Nothing is learnt while frozen.
    pub(super) fn freeze(&mut self, frozen: bool) {
        self.frozen = frozen;
    }

    pub(super) fn is_frozen(&self) -> bool {
        self.frozen
    }

    /// The learnt baselines, by signal name.
    pub(super) fn learnt(&self) -> BTreeMap<String, LearntBaseline> {
        let known = self
            .learners
            .iter()
            .filter_map(|learner| Some((learner.signal.info().name.to_owned(), learner.learnt?)));
        known.collect()
    }

    /// Replaces all baselines. Invalid ones are ignored. An empty map resets everything.
    pub(super) fn restore(&mut self, known: &BTreeMap<String, LearntBaseline>) {
        let is_valid = |x: f64| x.is_finite() && (0.0..64.0).contains(&x);
        for learner in &mut self.learners {
            let learnt = known.get(learner.signal.info().name).copied();
            *learner = Learner {
                learnt: learnt.filter(|l| {
                    is_valid(l.middle_octaves)
                        && is_valid(l.high_octaves)
                        && l.learnt_s.is_finite()
                        && l.learnt_s >= 0.0
                }),
                ..Learner::new(learner.signal)
            };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RX: usize = SignalId::Rx.index();

    fn rx(rate: f64) -> PerSignal<Option<f64>> {
        let mut rates = [None; SignalId::COUNT];
        rates[RX] = Some(rate);
        rates
    }

    /// Pushes `rate(t)` ten times a second.
    fn live(baseline: &mut Baseline, seconds: u32, rate: impl Fn(u32) -> f64) {
        for i in 0..seconds * 10 {
            baseline.push(&rx(rate(i)), 0.1);
        }
    }

    /// Between 0.5 and 1.5, the same for the same `i`.
    fn jitter(i: u32) -> f64 {
        0.5 + f64::from(i.wrapping_mul(2_654_435_761) >> 8) / f64::from(1_u32 << 24)
    }

    #[test]
    fn the_baseline_is_learnt_within_ten_minutes() {
        let mut baseline = Baseline::new();
        live(&mut baseline, 600, |i| 150e3 * jitter(i));
        let (band, own) = (baseline.band(SignalId::Rx), baseline.rate(SignalId::Rx));
        assert!((own / 150e3).log2().abs() < 0.25, "{own}");
        assert!((band.high - octaves(SignalId::Rx, 218e3)).abs() < 0.3, "{band:?}");
        assert!(baseline.learners[RX].progress() > 0.99);
    }

    #[test]
    fn only_a_lasting_incident_moves_the_baseline() {
        let mut baseline = Baseline::new();
        live(&mut baseline, 900, |i| 30e3 * jitter(i));
        let before = baseline.rate(SignalId::Rx);
        live(&mut baseline, 1700, |_| 20e6);
        assert!((baseline.rate(SignalId::Rx) / before).log2().abs() < 0.1);
        live(&mut baseline, 8 * 3600, |_| 20e6);
        assert!((baseline.rate(SignalId::Rx) / 20e6).log2().abs() < 0.5, "{}", baseline.rate(SignalId::Rx));
    }

    #[test]
    fn freeze_and_reset_control_the_baseline() {
        let mut baseline = Baseline::new();
        live(&mut baseline, 600, |i| 100e3 * jitter(i));
        let learnt = baseline.learnt();
        baseline.freeze(true);
        live(&mut baseline, 600, |i| 20e3 * jitter(i));
        assert_eq!(baseline.learnt(), learnt);
        baseline.restore(&BTreeMap::new());
        assert_eq!(baseline.band(SignalId::Rx).middle, prior(SignalId::Rx).0);
        baseline.restore(&learnt);
        assert_eq!(baseline.learnt(), learnt);
    }

    #[test]
    fn invalid_saved_baselines_are_not_restored() {
        let mut baseline = Baseline::new();
        let mad = LearntBaseline { middle_octaves: f64::NAN, high_octaves: 3.0, learnt_s: 9.0 };
        baseline.restore(&BTreeMap::from([("rx".to_owned(), mad), ("no such signal".to_owned(), mad)]));
        assert!(baseline.learnt().is_empty());
    }

    #[test]
    fn the_baseline_ignores_the_sample_interval() {
        let run = |interval_s: f64| {
            let mut baseline = Baseline::new();
            for i in 0..(700.0 / interval_s) as u32 {
                baseline.push(&rx(60e3 * jitter(i)), interval_s);
            }
            baseline.rate(SignalId::Rx)
        };
        assert!((run(0.02) / run(0.2)).log2().abs() < 0.2, "{} and {}", run(0.02), run(0.2));
    }
}
