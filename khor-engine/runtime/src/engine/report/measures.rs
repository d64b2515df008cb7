//! `GET /metrics`: everything that can be counted.

use std::collections::BTreeMap;

use khor_signal::Counters;

use super::{fleet::FleetReport, health::HealthReport, metrics::MetricsReport};

/// All measurements, for clients that draw graphs.
#[derive(Clone, Debug)]
pub struct Measures {
    /// How every part is.
    pub health: HealthReport,
    /// Signals and controls.
    pub metrics: MetricsReport,
    /// The hosts of a site.
    pub fleet: FleetReport,
    /// Totals of the kernel's counters since the engine started; `None` without a source.
    pub counters: Option<Counters>,
    /// Cues that came, by kind.
    pub cues: BTreeMap<&'static str, u64>,
}
