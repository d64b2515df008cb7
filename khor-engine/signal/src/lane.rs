//! Turns rates into the three numbers of a signal: level, deviation and surprise.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    LearntBaseline, PerSignal, SIGNALS, SignalId,
    baseline::Baseline,
    scale::{level, octaves},
};

/// Time constants of the level, at `smoothing` 0.5, seconds.
const ATTACK_TAU_S: f64 = 0.010;
const RELEASE_TAU_S: f64 = 0.300;
/// `smoothing` 0 and 1 divide and multiply the time constants by this.
const SMOOTHING_SPAN: f64 = 4.0;
/// How far above its band's upper edge a signal must be before it is audible, octaves.
const AUDIBLE_MARGIN_OCTAVES: f64 = 0.6;
/// Lowest distance between that point and the level's upper end, octaves. Without it, a machine
/// that is always near the ceiling would jump from silence to full level.
const MIN_SPAN_OCTAVES: f64 = 2.5;
/// Time after which a change is no longer a surprise, seconds.
const SURPRISE_TAU_S: f64 = 45.0;
/// A decaying level never reaches zero, so a level below this is set to zero.
const INAUDIBLE: f64 = 1e-6;
/// Lowest spread that a change is compared with, octaves.
const MIN_SPREAD_OCTAVES: f64 = 0.5;
/// Changes up to this many spreads are no surprise.
const EXPECTED_SPREADS: f64 = 1.0;
/// The 99th percentile of a normal distribution, in its own spread.
const SPREADS_TO_HIGH: f64 = 2.326;

/// The current state of one signal.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Lane {
    /// Amount, 0..=1: above this machine's baseline, or relative to the ceiling (see
    /// [`RangeMode`]).
    pub level: f32,
    /// Rate over its own baseline, octaves: 0 is usual, 1 is twice as much.
    pub deviation: f32,
    /// How unexpected the rate is against the last minute, 0..=1. 0.63 at about three times the
    /// usual spread.
    pub surprise: f32,
}

/// The lanes of all signals at one instant. `None` is a missing signal, never zero.
pub type Lanes = PerSignal<Option<Lane>>;

/// What levels are relative to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum RangeMode {
    /// This machine's own baseline: idle is 0 on any machine.
    #[default]
    Adaptive,
    /// The ceilings alone.
    Absolute,
}

/// How rates become levels.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Scaling {
    /// What levels are relative to.
    pub range: RangeMode,
    /// Rates whose level is 1, > 0, each in its signal's own unit.
    pub ceilings: PerSignal<f64>,
    /// 0..=1: how slowly levels follow; 0.5 is as designed.
    pub smoothing: f32,
}

impl Default for Scaling {
    fn default() -> Self {
        Self { range: RangeMode::default(), ceilings: super::default_ceilings(), smoothing: 0.5 }
    }
}

/// Turns smoothed rates into lanes; one per source.
#[derive(Clone, Debug)]
pub(super) struct Interpreter {
    scaling: Scaling,
    baseline: Baseline,
    /// Averages over [`SURPRISE_TAU_S`], octaves.
    recent: PerSignal<Option<f64>>,
    lanes: Lanes,
}

impl Interpreter {
    pub(super) fn new(scaling: Scaling) -> Self {
        Self {
            scaling,
            baseline: Baseline::new(),
            recent: [None; SignalId::COUNT],
            lanes: [None; SignalId::COUNT],
        }
    }

    pub(super) fn configure(&mut self, scaling: Scaling) {
        self.scaling = scaling;
    }

    pub(super) fn baseline(&mut self) -> &mut Baseline {
        &mut self.baseline
    }

    /// Forgets everything but the baselines, after a gap in the source.
    pub(super) fn reset(&mut self) {
        self.recent = [None; SignalId::COUNT];
        self.lanes = [None; SignalId::COUNT];
    }

    /// Takes smoothed rates, each in its own unit.
    pub(super) fn push(&mut self, rates: &PerSignal<Option<f64>>, interval_s: f64) -> &Lanes {
        self.baseline.push(rates, interval_s);
        for info in &SIGNALS {
            let i = info.id.index();
            self.lanes[i] = rates[i].map(|rate| self.lane(info.id, rate, interval_s));
            if rates[i].is_none() {
                self.recent[i] = None;
            }
        }
        &self.lanes
    }

    fn lane(&mut self, signal: SignalId, rate: f64, interval_s: f64) -> Lane {
        let i = signal.index();
        let x = octaves(signal, rate);
        let band = self.baseline.band(signal);
        let ceiling = self.scaling.ceilings[i];
        let target = match self.scaling.range {
            RangeMode::Absolute => f64::from(level(signal, rate, ceiling)),
            RangeMode::Adaptive => {
                let from = band.high + AUDIBLE_MARGIN_OCTAVES;
                let to = octaves(signal, ceiling).max(from + MIN_SPAN_OCTAVES);
                ((x - from) / (to - from)).clamp(0.0, 1.0)
            }
        };
        let held = self.lanes[i].map_or(0.0, |lane| f64::from(lane.level));
        let time_scale = SMOOTHING_SPAN.powf(2.0 * f64::from(self.scaling.smoothing) - 1.0);
        let tau_s = if target > held { ATTACK_TAU_S } else { RELEASE_TAU_S } * time_scale;
        let recent = self.recent[i].get_or_insert(x.min(band.high));
        let spread = ((band.high - band.middle) / SPREADS_TO_HIGH).max(MIN_SPREAD_OCTAVES);
        let news = ((x - *recent).abs() / spread - EXPECTED_SPREADS).max(0.0);
        *recent += (x - *recent) * (1.0 - (-interval_s / SURPRISE_TAU_S).exp());
        let level = target + (held - target) * (-interval_s / tau_s).exp();
        Lane {
            level: if level < INAUDIBLE { 0.0 } else { level as f32 },
            deviation: (x - band.middle) as f32,
            surprise: (1.0 - (-news / 2.0).exp()) as f32,
        }
    }

    pub(super) fn learnt(&self) -> BTreeMap<String, LearntBaseline> {
        self.baseline.learnt()
    }

    /// Baselines as rates, each in its own unit, of the available signals.
    pub(super) fn baselines(&self) -> PerSignal<Option<f64>> {
        SIGNALS.map(|info| self.lanes[info.id.index()].map(|_| self.baseline.rate(info.id)))
    }

    /// How much of the baselines of the available signals is this machine's own, 0..=1.
    pub(super) fn progress(&self) -> f32 {
        self.baseline.progress(&self.lanes.map(|lane| lane.is_some()))
    }

    pub(super) fn is_frozen(&self) -> bool {
        self.baseline.is_frozen()
    }
}
