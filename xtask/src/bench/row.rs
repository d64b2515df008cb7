//! Defines a row of the results table: a measured value, its spread, and its promised limit.

use std::fmt::Write;

use anyhow::{Context, Result};
use serde_json::{Value, json};

/// The limit that the specification promises for the median of a row's values.
#[derive(Clone, Copy)]
pub(super) enum Promise {
    AtMost(f64),
    AtLeast(f64),
}

impl Promise {
    fn holds(self, value: f64) -> bool {
        match self {
            Self::AtMost(limit) => value <= limit,
            Self::AtLeast(limit) => value >= limit,
        }
    }

    fn show(self) -> String {
        match self {
            Self::AtMost(limit) => format!("<= {limit}"),
            Self::AtLeast(limit) => format!(">= {limit}"),
        }
    }
}

pub(super) struct Row {
    name: String,
    unit: String,
    /// The sorted values of all repetitions, or the reason why nothing was measured.
    outcome: Result<Vec<f64>, String>,
    promise: Option<Promise>,
}

impl Row {
    pub(super) fn new(name: &str, unit: &str, mut values: Vec<f64>, promise: Option<Promise>) -> Self {
        values.sort_by(f64::total_cmp);
        let outcome = if values.is_empty() { Err("no value".to_owned()) } else { Ok(values) };
        Self { name: name.into(), unit: unit.into(), outcome, promise }
    }

    pub(super) fn missing(name: &str, reason: &str) -> Self {
        Self { name: name.into(), unit: String::new(), outcome: Err(reason.into()), promise: None }
    }

    /// Reads a row from the JSON that `khor-bench` prints.
    pub(super) fn from_json(figure: &Value, promise: fn(&str) -> Option<Promise>) -> Result<Self> {
        let name = figure["name"].as_str().context("a figure has no name")?;
        if let Some(reason) = figure["reason"].as_str() {
            return Ok(Self::missing(name, reason));
        }
        let unit = figure["unit"].as_str().unwrap_or_default();
        Ok(Self::new(name, unit, numbers(&figure["values"])?, promise(name)))
    }

    pub(super) fn to_json(&self, title: &str) -> Value {
        let mut row = json!({ "part": title, "name": self.name, "unit": self.unit });
        match &self.outcome {
            Ok(values) => {
                let (low, high) = (values[0], values[values.len() - 1]);
                row["median"] = json!(median(values));
                row["min"] = json!(low);
                row["max"] = json!(high);
                row["n"] = json!(values.len());
            }
            Err(reason) => row["not_measured"] = json!(reason),
        }
        if let (Some(promise), Ok(values)) = (self.promise, &self.outcome) {
            row["promise"] = json!(promise.show());
            row["kept"] = json!(promise.holds(median(values)));
        }
        row
    }

    fn show(&self) -> String {
        let Ok(values) = &self.outcome else {
            let reason = self.outcome.as_ref().err().map_or("", String::as_str);
            return format!("{:<34}  not measured: {}", self.name, reason.trim());
        };
        let middle = median(values);
        let (low, high) = (values[0], values[values.len() - 1]);
        let spread =
            if values.len() > 1 { format!("({} - {})", digits(low), digits(high)) } else { String::new() };
        let verdict = self.promise.map_or(String::new(), |promise| {
            format!("{} {}", promise.show(), if promise.holds(middle) { "kept" } else { "MISSED" })
        });
        let line = format!("{:<34}{:>8} {:<4}{spread:<19} {verdict}", self.name, digits(middle), self.unit);
        line.trim_end().to_owned()
    }
}

/// Formats the table. Its lines have at most 80 columns, unless the reason for a missing value is
/// long.
pub(super) fn table(title: &str, rows: &[Row]) -> String {
    let mut text = format!("\n{title:<37}median     (min - max)         promise\n{}\n", "-".repeat(80));
    for row in rows {
        let _ = writeln!(text, "{}", row.show());
    }
    text
}

/// Reads an array of numbers from a JSON value.
pub(super) fn numbers(values: &Value) -> Result<Vec<f64>> {
    let values = values.as_array().context("the figure's values are not an array")?;
    values.iter().map(|value| value.as_f64().context("a value of the figure is not a number")).collect()
}

/// The median of sorted values. There must be at least one value.
fn median(values: &[f64]) -> f64 {
    let (lower, upper) = ((values.len() - 1) / 2, values.len() / 2);
    f64::midpoint(values[lower], values[upper])
}

/// Formats a value with about three significant digits.
fn digits(value: f64) -> String {
    match value.abs() {
        magnitude if magnitude >= 100.0 => format!("{value:.0}"),
        magnitude if magnitude >= 10.0 => format!("{value:.1}"),
        magnitude if magnitude >= 1.0 || magnitude == 0.0 => format!("{value:.2}"),
        _ => format!("{value:.3}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn row_fits_80_columns_with_verdict() {
        let long = "collector + engine, sound, RSS";
        let row = Row::new(long, "MiB", vec![41.0, 39.0, 44.25, 140.0], Some(Promise::AtMost(40.0)));
        assert_eq!(
            row.show(),
            "collector + engine, sound, RSS        42.6 MiB (39.0 - 140)        <= 40 MISSED"
        );
        assert!(row.show().len() <= 80);
        assert_eq!(row.to_json("idle")["median"], 42.625);
    }

    #[test]
    fn missing_value_has_a_reason() {
        let figure = json!({ "name": "a", "unit": "x", "reason": "no pulseaudio" });
        let row = Row::from_json(&figure, |_| None).unwrap();
        assert!(row.show().ends_with("not measured: no pulseaudio"));
        assert_eq!(row.to_json("idle")["not_measured"], "no pulseaudio");
    }
}
