//! A figure: a name, a unit, and what each repetition gave, or why there is nothing.

use serde_json::{Value, json};

/// One line of the table that `cargo xtask bench` shows.
#[derive(Clone, Debug)]
pub(crate) struct Figure {
    name: String,
    unit: &'static str,
    outcome: Result<Vec<f64>, String>,
}

impl Figure {
    /// Measured once or several times.
    pub(crate) fn new(name: impl Into<String>, unit: &'static str, values: Vec<f64>) -> Self {
        let outcome = if values.is_empty() { Err("no event".to_owned()) } else { Ok(values) };
        Self { name: name.into(), unit, outcome }
    }

    /// Not measured.
    pub(crate) fn missing(name: impl Into<String>, unit: &'static str, reason: impl Into<String>) -> Self {
        Self { name: name.into(), unit, outcome: Err(reason.into()) }
    }

    /// As `xtask` reads it: with `values`, or with `reason`.
    pub(crate) fn into_json(self) -> Value {
        match self.outcome {
            Ok(values) => json!({ "name": self.name, "unit": self.unit, "values": values }),
            Err(reason) => json!({ "name": self.name, "unit": self.unit, "reason": reason }),
        }
    }
}
