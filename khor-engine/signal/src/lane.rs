//! Turns rates into the three numbers of a lane: level, deviation and surprise.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    Catalogue, LaneId, LaneInfo, LearntBaseline, PerLane, PerSignal,
    baseline::{Band, Baseline},
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

/// The current state of one lane.
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

/// All lanes at one instant. `None` is a missing lane, never zero.
pub type Lanes = PerLane<Option<Lane>>;

/// The reference of levels: the baseline or a fixed ceiling.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum RangeMode {
    /// This machine's own baseline: idle is 0 on any machine.
    #[default]
    Adaptive,
    /// The ceiling.
    Absolute,
}

/// How rates become levels.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Scaling {
    /// The reference of levels.
    pub range: RangeMode,
    /// For each signal of the kernel, the rate whose level is 1; > 0, in the signal's own unit. An
    /// added lane uses the ceiling of its own scale instead.
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
    catalogue: Catalogue,
    scaling: Scaling,
    baseline: Baseline,
    /// Averages over [`SURPRISE_TAU_S`], octaves.
    recent: PerLane<Option<f64>>,
    lanes: Lanes,
}

impl Interpreter {
    pub(super) fn new(scaling: Scaling) -> Self {
        let catalogue = Catalogue::kernel();
        Self {
            baseline: Baseline::new(&catalogue),
            catalogue,
            scaling,
            recent: PerLane::NONE,
            lanes: Lanes::NONE,
        }
    }

    pub(super) fn configure(&mut self, scaling: Scaling) {
        self.scaling = scaling;
    }

    /// Replaces the catalogue. If it extends the previous one, the values of added lanes are kept.
    /// Baselines are always kept, by lane name.
    pub(super) fn set_catalogue(&mut self, catalogue: Catalogue) {
        if !catalogue.extends(&self.catalogue) {
            self.recent.added.clear();
            self.lanes.added.clear();
        }
        self.recent.added.resize(catalogue.added().len());
        self.lanes.added.resize(catalogue.added().len());
        self.baseline.set_catalogue(&catalogue);
        self.catalogue = catalogue;
    }

    pub(super) fn catalogue(&self) -> &Catalogue {
        &self.catalogue
    }

    pub(super) fn baseline(&mut self) -> &mut Baseline {
        &mut self.baseline
    }

    /// Forgets everything but the baselines, after a gap in the source.
    pub(super) fn reset(&mut self) {
        self.recent.values_mut().for_each(|recent| *recent = None);
        self.lanes.values_mut().for_each(|lane| *lane = None);
    }

    /// Updates all lanes from their smoothed rates, each in its lane's own unit.
    pub(super) fn push(&mut self, rates: &PerLane<Option<f64>>, interval_s: f64) -> &Lanes {
        self.baseline.push(rates, interval_s);
        let Self { catalogue, scaling, baseline, recent, lanes } = self;
        let states = recent.values_mut().zip(lanes.values_mut());
        for ((info, rate), (recent, lane)) in catalogue.iter().zip(rates.values()).zip(states) {
            let (Some(rate), Some(band)) = (*rate, baseline.band(info.id)) else {
                (*recent, *lane) = (None, None);
                continue;
            };
            let held = lane.map_or(0.0, |lane| f64::from(lane.level));
            *lane = Some(interpret(info, scaling, band, rate, held, recent, interval_s));
        }
        &self.lanes
    }

    pub(super) fn learnt(&self) -> BTreeMap<String, LearntBaseline> {
        self.baseline.learnt()
    }

    /// Baselines as rates, each in its own unit, of the available lanes.
    pub(super) fn baselines(&self) -> PerLane<Option<f64>> {
        let of = |id: LaneId| self.lanes.value(id).and_then(|_| self.baseline.rate(id));
        PerLane::from_fn(self.lanes.added.len(), of)
    }

    /// How far the baselines of the available lanes are learnt, 0..=1. The rest comes from the
    /// priors.
    pub(super) fn progress(&self) -> f32 {
        self.baseline.progress(self.lanes.values().map(Option::is_some))
    }

    pub(super) fn is_frozen(&self) -> bool {
        self.baseline.is_frozen()
    }
}

/// Computes a lane from its rate. `band` is its usual range and `held` its last level. `recent` is
/// its average over [`SURPRISE_TAU_S`], which this updates.
fn interpret(
    info: &LaneInfo,
    scaling: &Scaling,
    band: Band,
    rate: f64,
    held: f64,
    recent: &mut Option<f64>,
    interval_s: f64,
) -> Lane {
    let scale = &info.scale;
    let x = scale.octaves(rate);
    let ceiling = info.id.signal().map_or(scale.ceiling, |signal| scaling.ceilings[signal.index()]);
    let target = match scaling.range {
        RangeMode::Absolute => f64::from(scale.level(rate, ceiling)),
        RangeMode::Adaptive => {
            let from = band.high + AUDIBLE_MARGIN_OCTAVES;
            let to = scale.octaves(ceiling).max(from + MIN_SPAN_OCTAVES);
            ((x - from) / (to - from)).clamp(0.0, 1.0)
        }
    };
    let time_scale = SMOOTHING_SPAN.powf(2.0 * f64::from(scaling.smoothing) - 1.0);
    let tau_s = if target > held { ATTACK_TAU_S } else { RELEASE_TAU_S } * time_scale;
    let recent = recent.get_or_insert(x.min(band.high));
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
