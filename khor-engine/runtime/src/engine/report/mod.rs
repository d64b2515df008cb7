//! The state in the shapes of the API (docs/api.md), with one module for each. Reads the state and
//! computes nothing.

mod fleet;
mod health;
mod history;
mod measures;
mod metrics;
mod table;

pub(super) use self::{
    fleet::fleet,
    health::health,
    history::WrittenPoint,
    metrics::{controls, metrics, signals},
};
pub use self::{
    fleet::{FleetReport, HostReport, HostState, SectionReport, SubSiteReport},
    health::HealthReport,
    measures::Measures,
    metrics::{ControlsReport, MetricsReport, SignalReport},
    table::Table,
};
