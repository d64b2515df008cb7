//! A point of the history as JSON text, for `GET /api/metrics`.

use std::{borrow::Cow, sync::Arc};

use khor_api::HistoryPoint;
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::{Serialize, Serializer};
use serde_json::value::{RawValue, to_raw_value};

/// A point of the history as JSON text. khor keeps this text, so that it serialises each point only
/// once. A report contains up to 600 points, which are most of its text.
#[derive(Clone, Debug)]
pub struct WrittenPoint(Arc<RawValue>);

impl WrittenPoint {
    /// Serialises a point of the history to JSON. Returns `None` if that fails.
    pub(super) fn of(point: &HistoryPoint) -> Option<Self> {
        to_raw_value(point).ok().map(|json| Self(json.into()))
    }
}

impl Serialize for WrittenPoint {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

impl JsonSchema for WrittenPoint {
    fn schema_name() -> Cow<'static, str> {
        HistoryPoint::schema_name()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        HistoryPoint::json_schema(generator)
    }
}
