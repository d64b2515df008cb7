//! A measured figure: a name, a unit, and one value for each repetition, or the reason why there is
//! no value.

use serde_json::{Value, json};

/// One line of the table that `cargo xtask bench` shows.
#[derive(Clone, Debug)]
pub(crate) struct Figure {
    name: String,
    unit: &'static str,
    outcome: Result<Vec<f64>, String>,
}

impl Figure {
    /// A figure with the values of all repetitions.
    pub(crate) fn new(name: impl Into<String>, unit: &'static str, values: Vec<f64>) -> Self {
        let outcome = if values.is_empty() { Err("no event".to_owned()) } else { Ok(values) };
        Self { name: name.into(), unit, outcome }
    }

    /// A figure that was not measured, with the reason.
    pub(crate) fn missing(name: impl Into<String>, unit: &'static str, reason: impl Into<String>) -> Self {
        Self { name: name.into(), unit, outcome: Err(reason.into()) }
    }

    /// The JSON that `xtask` reads: an object with `values` or with `reason`.
    pub(crate) fn into_json(self) -> Value {
        match self.outcome {
            Ok(values) => json!({ "name": self.name, "unit": self.unit, "values": values }),
            Err(reason) => json!({ "name": self.name, "unit": self.unit, "reason": reason }),
        }
    }
}
