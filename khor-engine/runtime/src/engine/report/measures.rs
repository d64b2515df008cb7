//! The values of `GET /metrics`.

use std::collections::BTreeMap;

use khor_api::{FleetReport, HealthReport, MetricsReport};
use khor_signal::Counters;
use khor_site::Refused;

use super::history::WrittenPoint;

/// All measurements, for clients that draw graphs.
#[derive(Clone, Debug)]
pub struct Measures {
    /// The state of every part.
    pub health: HealthReport,
    /// Signals and controls.
    pub metrics: MetricsReport<WrittenPoint>,
    /// The hosts of a site.
    pub fleet: FleetReport,
    /// Messages of the site that were rejected.
    pub refused: Refused,
    /// Totals of the kernel's counters since the engine started; `None` without a source.
    pub counters: Option<Counters>,
    /// Number of cues, by kind.
    pub cues: BTreeMap<&'static str, u64>,
}
