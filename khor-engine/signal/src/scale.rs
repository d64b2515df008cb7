//! Converts rates into octaves above a lane's grain, and into levels relative to a ceiling.

use serde::{Deserialize, Serialize};

use super::{PerSignal, SIGNALS, SignalId};

/// A ceiling or a prior must not exceed the grain by more than this factor, which corresponds to 40
/// octaves.
const MAX_SPAN: f64 = 1_099_511_627_776.0;

/// The scale that converts a lane's values into octaves and levels. All amounts are in the lane's
/// unit.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Scale {
    /// The rate that counts as one octave above a rate of 0. It must be greater than 0. Differences
    /// below the grain are mostly noise.
    pub grain: f64,
    /// The rate that has level 1; greater than 0.
    pub ceiling: f64,
    /// The baseline that applies until khor has learned the host's own baseline.
    pub prior: Prior,
    /// How the level depends on the rate, up to the ceiling.
    pub curve: LevelCurve,
}

/// The usual values of a lane on a typical idle host, in the lane's unit.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Prior {
    /// Median of the usual values, at least 0.
    pub median: f64,
    /// 99th percentile of the usual values, at least the median.
    pub p99: f64,
}

/// How the level depends on the rate, from zero to the ceiling.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LevelCurve {
    /// The level is `rate / ceiling`. This curve suits shares of time.
    Linear,
    /// The level is `log1p(rate / unit) / log1p(ceiling / unit)`. Suitable values of `unit` are one
    /// event, one kilobyte, or a tenth of a millisecond.
    Log {
        /// The rate below which the level is about proportional to the rate; above 0, in the lane's
        /// unit.
        unit: f64,
    },
}

/// The scale of a kernel signal. Grains and priors are round numbers for an idle desktop or small
/// server. Each number lies within the range of values that were measured on the development
/// machines. A host's own baseline replaces the priors within ten minutes.
const fn scale(signal: SignalId) -> Scale {
    let (grain, ceiling, (median, p99)) = match signal {
        SignalId::Exec => (0.5, 250.0, (0.3, 5.0)),
        SignalId::Fork => (2.0, 500.0, (1.0, 10.0)),
        SignalId::Rx | SignalId::Tx | SignalId::Local => (20e3, 50e6, (5e3, 60e3)),
        SignalId::Retx => (0.3, 50.0, (0.0, 0.3)),
        SignalId::Io => (100e3, 80e6, (20e3, 1e6)),
        SignalId::Lat => (0.001, 0.5, (0.0005, 0.005)),
        SignalId::Stall => (0.02, 1.0, (0.0, 0.02)),
        SignalId::Mem => (0.02, 1.0, (0.0, 0.01)),
        SignalId::Fault => (500.0, 500e3, (300.0, 5e3)),
        SignalId::Cpu => (0.02, 1.0, (0.01, 0.08)),
        SignalId::Csw => (500.0, 120e3, (2e3, 12e3)),
        SignalId::Irq => (200.0, 200e3, (500.0, 4e3)),
        SignalId::Softirq => (500.0, 200e3, (800.0, 6e3)),
    };
    let curve = match signal {
        SignalId::Stall | SignalId::Mem | SignalId::Cpu => LevelCurve::Linear,
        SignalId::Rx | SignalId::Tx | SignalId::Local | SignalId::Io => LevelCurve::Log { unit: 1000.0 },
        SignalId::Lat => LevelCurve::Log { unit: 1e-4 },
        _ => LevelCurve::Log { unit: 1.0 },
    };
    Scale { grain, ceiling, prior: Prior { median, p99 }, curve }
}

impl SignalId {
    /// The signal's scale.
    pub const fn scale(self) -> Scale {
        scale(self)
    }
}

impl Scale {
    /// Converts a rate into octaves above the grain, `log2(1 + rate / grain)`. Below the grain, the
    /// result is about proportional to the rate. Above the grain, each doubling of the rate adds
    /// one octave.
    pub(super) fn octaves(&self, rate: f64) -> f64 {
        (rate.max(0.0) / self.grain).ln_1p() / std::f64::consts::LN_2
    }

    /// The rate that is `octaves` above the grain; the inverse of [`Self::octaves`].
    pub(super) fn rate_at(&self, octaves: f64) -> f64 {
        (octaves.exp2() - 1.0) * self.grain
    }

    /// Median and 99th percentile of the prior, octaves.
    pub(super) fn prior_octaves(&self) -> (f64, f64) {
        (self.octaves(self.prior.median), self.octaves(self.prior.p99))
    }

    /// Level of a rate relative to a ceiling, 0..=1, without a baseline. The rate and the ceiling
    /// are in the lane's unit.
    pub fn level(&self, rate: f64, ceiling: f64) -> f32 {
        let level = match self.curve {
            LevelCurve::Linear => rate / ceiling,
            LevelCurve::Log { unit } => (rate / unit).ln_1p() / (ceiling / unit).ln_1p(),
        };
        level.clamp(0.0, 1.0) as f32
    }

    /// Clamps an added lane's value to 0..=40 octaves above the grain. `None` if the value is not
    /// finite.
    pub(super) fn measurable(&self, value: f64) -> Option<f64> {
        value.is_finite().then(|| value.clamp(0.0, MAX_SPAN * self.grain))
    }

    /// Returns the first rule that the scale breaks, or `None` if the scale is valid.
    pub(super) fn problem(&self) -> Option<&'static str> {
        let Self { grain, ceiling, prior: Prior { median, p99 }, curve } = *self;
        let is_positive = |x: f64| x.is_finite() && x > 0.0;
        let is_in_span = |x: f64| (0.0..=MAX_SPAN).contains(&(x / grain));
        if !is_positive(grain) || !is_positive(MAX_SPAN * grain) {
            return Some("the grain must be a number above 0");
        }
        if !is_positive(ceiling) || !is_in_span(ceiling) {
            return Some("the ceiling must be a number above 0, and at most 40 octaves above the grain");
        }
        if !is_in_span(median) || !is_in_span(p99) || p99 < median {
            return Some(
                "the prior must be two numbers from 0 to 40 octaves above the grain, with the lower number first",
            );
        }
        match curve {
            LevelCurve::Log { unit } if !is_positive(unit) => {
                Some("the unit of the level's logarithm must be a number above 0")
            }
            LevelCurve::Linear | LevelCurve::Log { .. } => None,
        }
    }
}

/// Level of a signal's rate relative to a ceiling, 0..=1, without a baseline. The rate and the
/// ceiling are in the signal's unit.
pub fn level(signal: SignalId, rate: f64, ceiling: f64) -> f32 {
    signal.scale().level(rate, ceiling)
}

/// Default ceilings of all signals: the rates whose level is 1, each in its signal's unit.
pub fn default_ceilings() -> PerSignal<f64> {
    SIGNALS.map(|info| info.id.scale().ceiling)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn absolute_levels_span_zero_to_the_ceiling() {
        assert_eq!(level(SignalId::Exec, 0.0, 250.0), 0.0);
        assert_eq!(level(SignalId::Exec, 250.0, 250.0), 1.0);
        assert_eq!(level(SignalId::Exec, 1e9, 250.0), 1.0);
        assert_eq!(level(SignalId::Mem, 0.25, 1.0), 0.25, "shares of time are proportions already");
    }

    #[test]
    fn more_bytes_give_a_higher_level() {
        let rx = |bytes_per_s| level(SignalId::Rx, bytes_per_s, 50e6);
        assert!(rx(2e3) < 0.15 && rx(5e6) > 0.7 && rx(25e6) - rx(5e6) > 0.1);
    }

    #[test]
    fn octaves_and_rates_round_trip() {
        for info in SIGNALS {
            let scale = info.id.scale();
            assert_eq!(scale.problem(), None);
            for rate in [0.0, 0.01, 3.0, 4e6] {
                let back = scale.rate_at(scale.octaves(rate));
                assert!((back - rate).abs() <= 1e-9 * rate.max(1.0), "{}: {back}", info.name);
            }
            let (middle, high) = scale.prior_octaves();
            let ceiling = scale.octaves(default_ceilings()[info.id.index()]);
            assert!(middle < high && high + 2.0 < ceiling, "{}", info.name);
        }
    }

    #[test]
    fn errors_name_the_invalid_part() {
        let valid = SignalId::Exec.scale();
        let has = |scale: Scale, word: &str| scale.problem().is_some_and(|problem| problem.contains(word));
        for bad in [0.0, -1.0, f64::NAN, f64::INFINITY, f64::MAX] {
            assert!(has(Scale { grain: bad, ..valid }, "grain"), "{bad}");
            assert!(has(Scale { ceiling: bad, ..valid }, "ceiling"), "{bad}");
        }
        for unit in [0.0, -1.0, f64::NAN, f64::INFINITY] {
            assert!(has(Scale { curve: LevelCurve::Log { unit }, ..valid }, "logarithm"), "{unit}");
        }
        assert!(has(Scale { ceiling: 1e300, ..valid }, "ceiling"));
        for (median, p99) in [(2.0, 1.0), (-1.0, 1.0), (0.0, f64::NAN), (f64::INFINITY, f64::INFINITY)] {
            assert!(has(Scale { prior: Prior { median, p99 }, ..valid }, "prior"), "{median} {p99}");
        }
    }
}
