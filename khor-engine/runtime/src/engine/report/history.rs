//! A point of the history in `GET /api/metrics`.

use std::{borrow::Cow, sync::Arc};

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::{Serialize, Serializer};
use serde_json::value::{RawValue, to_raw_value};

use super::table::Table;

#[derive(Clone, Debug, Serialize, JsonSchema)]
pub(super) struct HistoryReport {
    pub(super) ts_ms: u64,
    #[serde(flatten)]
    pub(super) original: Table<Option<f64>>,
    pub(super) levels: Table<Option<f32>>,
    pub(super) rates: Table<Option<f64>>,
}

/// A point of history as JSON, serialised once. A report may contain 600 points, which are most of
/// its text.
#[derive(Clone, Debug)]
pub struct WrittenPoint(Arc<RawValue>);

impl WrittenPoint {
    pub(super) fn of(report: &HistoryReport) -> Option<Self> {
        to_raw_value(report).ok().map(|json| Self(json.into()))
    }
}

impl Serialize for WrittenPoint {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

impl JsonSchema for WrittenPoint {
    fn schema_name() -> Cow<'static, str> {
        HistoryReport::schema_name()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        HistoryReport::json_schema(generator)
    }
}
