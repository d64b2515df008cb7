//! The state in the shapes of the API (docs/api.md), a room for each. Pure: reads, computes nothing.

mod health;
mod metrics;

use khor_proto::Availability;
use serde::{Serialize, Serializer, ser::SerializeMap};

pub use self::{health::HealthReport, metrics::MetricsReport};
pub(super) use self::{health::health, metrics::metrics};

/// A JSON object whose keys keep their order.
#[derive(Clone, Debug)]
pub struct Table<V>(Vec<(&'static str, V)>);

impl<V: Serialize> Serialize for Table<V> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for (key, value) in &self.0 {
            map.serialize_entry(key, value)?;
        }
        map.end()
    }
}

/// Why a counter is absent; `None` when it isn't.
fn reason(availability: &Availability) -> Option<String> {
    match availability {
        Availability::Available => None,
        Availability::Absent { reason } => Some(reason.clone()),
    }
}
