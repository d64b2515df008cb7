//! Describes why a part of khor does not work, and how to fix this. In JSON, these are the fields
//! `error` and `fix`.

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Why a part of khor does not work, and how to fix it.
///
/// In JSON, an `Option<Trouble>` becomes two fields of the surrounding object, `error` and `fix`.
/// Both are `null` if the part works.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trouble {
    /// What does not work and why, one line.
    pub error: String,
    /// How to fix the error, one line. `None` if khor knows no fix.
    pub fix: Option<String>,
}

impl Trouble {
    /// Creates a `Trouble` with a known fix.
    pub fn new(error: impl Into<String>, fix: impl Into<String>) -> Self {
        Self { error: error.into(), fix: Some(fix.into()) }
    }

    /// Creates a `Trouble` without a known fix.
    pub fn without_fix(error: impl Into<String>) -> Self {
        Self { error: error.into(), fix: None }
    }
}

/// The two fields of an optional [`Trouble`] in JSON.
#[derive(Deserialize, Serialize, JsonSchema)]
pub(crate) struct TroubleFields {
    /// What does not work and why; `null` if everything works.
    error: Option<String>,
    /// How to fix the error; `null` if there is no error, or if khor knows no fix.
    fix: Option<String>,
}

/// Serializes the fields `error` and `fix`, for `#[serde(flatten, with)]`.
#[expect(clippy::ref_option, reason = "serde passes a reference to the field")]
pub(crate) fn serialize<S: Serializer>(trouble: &Option<Trouble>, serializer: S) -> Result<S::Ok, S::Error> {
    let (error, fix) = match trouble {
        Some(Trouble { error, fix }) => (Some(error.clone()), fix.clone()),
        None => (None, None),
    };
    TroubleFields { error, fix }.serialize(serializer)
}

/// Deserializes the fields `error` and `fix`, for `#[serde(flatten, with)]`. The fields may be
/// missing.
pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Trouble>, D::Error> {
    let TroubleFields { error, fix } = TroubleFields::deserialize(deserializer)?;
    Ok(error.map(|error| Trouble { error, fix }))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::Health;

    #[test]
    fn trouble_is_two_flat_fields() {
        let fine = json!({ "enabled": true, "ok": true, "error": null, "fix": null });
        assert_eq!(serde_json::to_value(Health::working()).unwrap(), fine);
        let bad = json!({ "enabled": true, "ok": false, "error": "taken", "fix": "end the other" });
        assert_eq!(serde_json::to_value(Health::failing("taken", "end the other")).unwrap(), bad);
        for (json, health) in [(fine, Health::working()), (bad, Health::failing("taken", "end the other"))] {
            assert_eq!(serde_json::from_value::<Health>(json).unwrap(), health);
        }
        let without: Health = serde_json::from_value(json!({ "enabled": false, "ok": false })).unwrap();
        assert_eq!(without, Health::off(), "older engines may omit both fields");
    }

    #[test]
    fn the_schema_describes_both_fields() {
        let schema = schemars::schema_for!(Health).to_value();
        for field in ["error", "fix"] {
            assert!(schema["properties"][field]["description"].is_string(), "{schema}");
        }
    }
}
