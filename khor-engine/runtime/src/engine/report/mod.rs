//! The state in the shapes of the API (docs/api.md), a room for each. Pure: reads, computes nothing.

mod fleet;
mod health;
mod measures;
mod metrics;

pub(super) use self::{
    fleet::fleet,
    health::health,
    metrics::{WrittenPoint, controls, metrics, signals},
};
pub use self::{
    fleet::{FleetReport, HostReport, HostState, SectionReport, SubSiteReport},
    health::HealthReport,
    measures::Measures,
    metrics::{ControlsReport, MetricsReport, SignalReport},
};

use std::borrow::Cow;

use khor_proto::Availability;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Serialize, Serializer, ser::SerializeMap};

use super::Engine;

impl Engine {
    /// The current signals.
    pub fn signals(&self) -> Table<SignalReport> {
        signals(&self.state.lock())
    }

    /// The hosts of the current site.
    pub fn fleet(&self) -> FleetReport {
        fleet(&self.state.lock())
    }

    /// All measurements, for clients that draw graphs.
    pub fn measures(&self) -> Measures {
        let (health, metrics) = (self.health(), self.metrics(None, false));
        let state = self.state.lock();
        let fleet = fleet(&state);
        Measures { health, metrics, fleet, counters: state.counters, cues: state.cue_counts.clone() }
    }
}

/// A JSON object whose keys keep their order.
#[derive(Clone, Debug)]
pub struct Table<V>(Vec<(&'static str, V)>);

impl<V> Table<V> {
    /// The keys and what they stand for.
    pub fn iter(&self) -> impl Iterator<Item = (&'static str, &V)> {
        self.0.iter().map(|(key, value)| (*key, value))
    }
}

impl<V: Serialize> Serialize for Table<V> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for (key, value) in &self.0 {
            map.serialize_entry(key, value)?;
        }
        map.end()
    }
}

impl<V: JsonSchema> JsonSchema for Table<V> {
    fn schema_name() -> Cow<'static, str> {
        format!("TableOf{}", V::schema_name()).into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "object", "additionalProperties": generator.subschema_for::<V>() })
    }

    fn inline_schema() -> bool {
        true
    }
}

/// Why a counter is absent; `None` when it isn't.
fn reason(availability: &Availability) -> Option<String> {
    match availability {
        Availability::Available => None,
        Availability::Absent { reason } => Some(reason.clone()),
    }
}
