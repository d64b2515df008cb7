//! Turns counters into signals. The crate computes rates from a source's frames, and lanes (level,
//! deviation, surprise) from the rates. It has no I/O and no clock.
//!
//! A `catalogue` lists the lanes: first the kernel's `signals`, then the lanes that a source adds.
//! `rate` computes rates from counters. `scale` converts a rate into octaves or a level, and
//! `baseline` learns the usual rates of this host. `lane` combines scale and baseline. `pipeline`
//! runs these steps. `ensemble` combines the readings of several hosts into one reading.

mod accumulator;
mod baseline;
mod catalogue;
mod counters;
mod ensemble;
mod lane;
mod lane_id;
mod per_lane;
mod pipeline;
mod rate;
mod scale;
mod signals;
mod source_kind;

pub use self::{
    accumulator::Accumulator,
    baseline::LearntBaseline,
    catalogue::{Catalogue, CatalogueError, LaneDefinition, LaneInfo, is_lane_name},
    counters::{Counters, Frame, PerCounter},
    ensemble::{
        SATURATION_QUANTILE, SectionSlots, Soloists, busiest, ensemble, ensemble_quantile, keep_enabled,
        largest_deviation, louder, most_saturated,
    },
    lane::{Lane, Lanes, RangeMode, Scaling},
    lane_id::LaneId,
    per_lane::{PerAdded, PerLane},
    pipeline::{Pipeline, Reading},
    rate::{CounterRates, counter_rates},
    scale::{LevelCurve, Prior, Scale, default_ceilings, level},
    signals::{Family, SIGNALS, SignalId, SignalInfo, VoiceHint},
    source_kind::SourceKind,
};
#[cfg(any(test, feature = "testing"))]
pub use self::{catalogue::test_lane, ensemble::deviating_reading};

pub use khor_proto::Counter;

/// One value for each kernel signal, in catalogue order.
pub type PerSignal<T> = [T; SignalId::COUNT];

/// Levels of the kernel signals at one instant, each 0..=1. `None` means that the level is missing,
/// not that it is zero.
pub type Levels = PerSignal<Option<f32>>;
