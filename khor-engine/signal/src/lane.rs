//! Computes a lane's level, deviation and surprise from its rate.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    Catalogue, LaneId, LaneInfo, LearntBaseline, PerLane, PerSignal,
    baseline::{Band, Baseline},
};

/// Time constant of a rising level at `smoothing` 0.5, seconds.
const ATTACK_TAU_S: f64 = 0.010;
/// Time constant of a falling level at `smoothing` 0.5, seconds.
const RELEASE_TAU_S: f64 = 0.300;
/// The time constants are divided by this factor at `smoothing` 0, and multiplied by it at 1.
const SMOOTHING_SPAN: f64 = 4.0;
/// The level rises above 0 when the rate exceeds the usual band by this number of octaves.
const AUDIBLE_MARGIN_OCTAVES: f64 = 0.6;
/// Minimum distance in octaves between the rate with level 0 and the rate with level 1. Without
/// this minimum, the level of a host that is always near the ceiling would jump from 0 to 1.
const MIN_SPAN_OCTAVES: f64 = 2.5;
/// Surprise compares a rate with the rate's moving average. This is the time constant of that
/// average, seconds.
const SURPRISE_TAU_S: f64 = 45.0;
/// Levels below this value are set to zero. Otherwise, a decaying level would never reach zero.
const INAUDIBLE: f64 = 1e-6;
/// Minimum of a lane's usual spread, octaves. To compute the surprise, a change of the rate is
/// divided by the usual spread.
const MIN_SPREAD_OCTAVES: f64 = 0.5;
/// A change of the rate is a surprise only if it is larger than this number of usual spreads.
const EXPECTED_SPREADS: f64 = 1.0;
/// Number of standard deviations from the mean of a normal distribution to its 99th percentile.
const SPREADS_TO_HIGH: f64 = 2.326;

/// The current state of one lane.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Lane {
    /// Level of the rate, 0..=1, relative to this host's baseline or to the ceiling (see
    /// [`RangeMode`]).
    pub level: f32,
    /// Rate relative to the baseline, octaves: 0 is the usual rate, 1 is twice the usual rate.
    pub deviation: f32,
    /// Surprise, 0..=1: how much the rate differs from its average in the last minute. A change of
    /// about three times the usual spread has the surprise 0.63.
    pub surprise: f32,
}

/// All lanes at one instant. `None` means that the lane is missing, not that it is zero.
pub type Lanes = PerLane<Option<Lane>>;

/// What levels are relative to: the host's own baseline or a fixed ceiling.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum RangeMode {
    /// Levels are relative to the host's own baseline, so an idle host of any size has level 0.
    #[default]
    Adaptive,
    /// Levels are relative to a fixed ceiling, so the same rate gives the same level on any host.
    Absolute,
}

/// The settings that convert rates into levels.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Scaling {
    /// Whether levels are relative to the baseline or to a fixed ceiling.
    pub range: RangeMode,
    /// For each kernel signal, the rate whose level is 1; above 0, in the signal's unit. An added
    /// lane uses the ceiling of its own scale.
    pub ceilings: PerSignal<f64>,
    /// Smoothing of levels, 0..=1. The higher the value, the more slowly levels change. The default
    /// is 0.5.
    pub smoothing: f32,
}

impl Default for Scaling {
    fn default() -> Self {
        Self { range: RangeMode::default(), ceilings: super::default_ceilings(), smoothing: 0.5 }
    }
}

/// Computes lanes from smoothed rates. Each source has its own interpreter.
#[derive(Clone, Debug)]
pub(super) struct Interpreter {
    catalogue: Catalogue,
    scaling: Scaling,
    baseline: Baseline,
    /// Average of each lane's rate over [`SURPRISE_TAU_S`], octaves.
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

    /// Replaces the catalogue. Keeps the state of added lanes if the new catalogue extends the
    /// previous one. Always keeps the baselines, by lane name.
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

    /// Discards everything except the baselines. Called after a gap in the source.
    pub(super) fn reset(&mut self) {
        self.recent.values_mut().for_each(|recent| *recent = None);
        self.lanes.values_mut().for_each(|lane| *lane = None);
    }

    /// Updates all lanes from their smoothed rates, each in its lane's unit.
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

    /// The baselines of the available lanes as rates, each in its lane's unit.
    pub(super) fn baselines(&self) -> PerLane<Option<f64>> {
        let of = |id: LaneId| self.lanes.value(id).and_then(|_| self.baseline.rate(id));
        PerLane::from_fn(self.lanes.added.len(), of)
    }

    /// Progress of learning, 0..=1, as an average over the available lanes. It is the share of a
    /// baseline that comes from the host's own values. The remainder comes from the prior.
    pub(super) fn progress(&self) -> f32 {
        self.baseline.progress(self.lanes.values().map(Option::is_some))
    }

    pub(super) fn is_frozen(&self) -> bool {
        self.baseline.is_frozen()
    }
}

/// Computes a lane from its rate. `band` is the lane's usual range, and `held` is its previous
/// level. `recent` is the rate's average over [`SURPRISE_TAU_S`], which this function also updates.
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
