//! Turns counters into signals: frames → rates → lanes (level, deviation, surprise). No I/O and no
//! clock of its own.
//!
//! Only `rate` subtracts counters. `scale` maps a rate to a size, `baseline` learns what is usual
//! on this machine, and `lane` combines both. `pipeline` runs these steps. `ensemble` combines
//! several machines into one.

mod accumulator;
mod baseline;
mod catalogue;
mod counters;
mod ensemble;
mod lane;
mod pipeline;
mod rate;
mod scale;
mod source_kind;

#[cfg(any(test, feature = "testing"))]
pub use self::ensemble::deviating_reading;
pub use self::{
    accumulator::Accumulator,
    baseline::LearntBaseline,
    catalogue::{Family, SIGNALS, SignalId, SignalInfo},
    counters::{Counters, Frame, PerCounter},
    ensemble::{
        SATURATION_QUANTILE, SectionSlots, Soloists, busiest, ensemble, ensemble_quantile, keep_enabled,
        largest_deviation, louder, most_saturated,
    },
    lane::{Lane, Lanes, RangeMode, Scaling},
    pipeline::{Pipeline, Reading},
    rate::{CounterRates, counter_rates},
    scale::{default_ceilings, level},
    source_kind::SourceKind,
};

pub use khor_proto::Counter;

/// One value for every signal, in catalogue order.
pub type PerSignal<T> = [T; SignalId::COUNT];

/// Levels of all signals at one instant, each 0..=1. `None` is a missing level, never zero.
pub type Levels = PerSignal<Option<f32>>;
