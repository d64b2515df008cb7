//! `khor relay`: publishes one host, or the sum over all hosts of a site.

mod aggregator;
mod metrics;
mod progress;
mod publisher;
mod site_frame;

pub use self::{
    aggregator::{AggregateSettings, aggregate},
    metrics::RelayMetrics,
    progress::{Progress, Received, RelayError},
    publisher::{RelaySettings, publish},
    site_frame::SiteFrameBuilder,
};
