//! A JSON object whose keys keep their order, and other shapes that reports share.

use std::borrow::Cow;

use khor_proto::Availability;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Serialize, Serializer, ser::SerializeMap};

/// A JSON object whose keys keep their order.
#[derive(Clone, Debug)]
pub struct Table<V>(pub(super) Vec<(&'static str, V)>);

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

/// Why a counter is missing; `None` if it is available.
pub(super) fn reason(availability: &Availability) -> Option<String> {
    match availability {
        Availability::Available => None,
        Availability::Absent { reason } => Some(reason.clone()),
    }
}
