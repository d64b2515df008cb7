//! The values from which `GET /metrics` is written.

use std::collections::BTreeMap;

use khor_api::{FleetReport, HealthReport, MetricsReport};
use khor_signal::Counters;
use khor_site::Refused;

use super::history::WrittenPoint;

/// All measurements of the engine.
#[derive(Clone, Debug)]
pub struct Measures {
    /// The health of every part.
    pub health: HealthReport,
    /// The report of `GET /api/metrics`, without the history.
    pub metrics: MetricsReport<WrittenPoint>,
    /// The hosts of a site.
    pub fleet: FleetReport,
    /// Number of the site's rejected messages, by reason.
    pub refused: Refused,
    /// Totals of the kernel's counters since the engine started. `None` while no source provides
    /// frames.
    pub counters: Option<Counters>,
    /// Number of cues since the engine started, by kind.
    pub cues: BTreeMap<&'static str, u64>,
}
