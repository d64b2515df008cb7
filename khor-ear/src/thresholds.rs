//! What must hold: a target and what has been reached, per row, in a file that people read.

use std::{collections::BTreeMap, fs, path::Path};

use anyhow::{Context, Result, ensure};
use serde::Deserialize;
use toml_edit::{DocumentMut, Item, Table, value};

/// One row of the table.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Row {
    /// What it is, in a few words.
    pub what: String,
    /// The target of the design.
    pub target: ThresholdTarget,
    /// Digits after the point in the table.
    #[serde(default)]
    pub decimals: usize,
    /// What may be lost without a word, in the row's unit.
    #[serde(default)]
    pub slack: f64,
    /// Whether what is reached beyond the target must be kept too.
    #[serde(default)]
    pub ratchet: bool,
    /// Whether falling below what was reached makes the run fail.
    pub gate: bool,
    /// Per preset, what was reached.
    #[serde(default)]
    pub reached: BTreeMap<String, f64>,
    /// Why it was lowered, last time.
    #[serde(default)]
    pub lowered: Option<String>,
}

/// A target.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ThresholdTarget {
    /// At least this.
    Least(f64),
    /// At most this.
    Most(f64),
    /// From the one to the other.
    Within(f64, f64),
}

impl ThresholdTarget {
    /// How far a value is from the target: 0 and below is met.
    pub fn lacks(self, value: f64) -> f64 {
        match self {
            Self::Least(least) => least - value,
            Self::Most(most) => value - most,
            Self::Within(low, high) => (low - value).max(value - high),
        }
    }
}

impl Row {
    /// How far a figure may be from the target for this preset; `None` if no value is recorded yet.
    pub fn allowed(&self, preset: &str) -> Option<f64> {
        let lacked = self.target.lacks(*self.reached.get(preset)?);
        Some(if self.ratchet { lacked } else { lacked.max(0.0) })
    }

    /// Whether a figure is worse than what was reached.
    pub fn has_fallen(&self, preset: &str, figure: f64) -> bool {
        self.allowed(preset).is_some_and(|allowed| self.target.lacks(figure) > allowed + self.slack + 1e-9)
    }

    /// Whether a figure meets the design's target.
    pub fn is_kept(&self, figure: f64) -> bool {
        self.target.lacks(figure) <= 1e-9
    }
}

/// All rows by their names.
#[derive(Clone, Debug)]
pub struct Thresholds {
    rows: BTreeMap<String, Row>,
    document: DocumentMut,
}

impl Thresholds {
    /// Reads them.
    pub fn load(path: &Path) -> Result<Self> {
        let text = fs::read_to_string(path).with_context(|| format!("reading {}", path.display()))?;
        Self::parse(&text).with_context(|| format!("reading {}", path.display()))
    }

    /// Reads them from text.
    pub fn parse(text: &str) -> Result<Self> {
        Ok(Self { rows: toml_edit::de::from_str(text)?, document: text.parse()? })
    }

    /// A row; figures without one are a mistake in the file.
    pub fn row(&self, name: &str) -> Result<&Row> {
        self.rows.get(name).with_context(|| format!("there is no threshold for {name}"))
    }

    /// Records a figure: upward, or downward if there is a reason. Returns whether anything
    /// changed.
    pub fn record(&mut self, name: &str, preset: &str, figure: f64, reason: Option<&str>) -> Result<bool> {
        ensure!(figure.is_finite(), "{name} of {preset} is {figure}");
        let row = self.rows.get_mut(name).with_context(|| format!("there is no threshold for {name}"))?;
        let figure = (figure * 1000.0).round() / 1000.0;
        let before = row.reached.get(preset).map(|reached| row.target.lacks(*reached));
        let better = before.is_none_or(|before| row.target.lacks(figure) < before);
        let worse = row.has_fallen(preset, figure);
        let lowered = worse && reason.is_some();
        if !(better || lowered) {
            return Ok(false);
        }
        row.reached.insert(preset.to_owned(), figure);
        let table = self.document[name].as_table_mut().context("a row is a table")?;
        if !better && let Some(reason) = reason {
            table["lowered"] = value(format!("{preset}: {reason}"));
        }
        let reached = table.entry("reached").or_insert_with(|| Item::Table(Table::new()));
        reached[preset] = value(figure);
        Ok(true)
    }

    /// The file with what was recorded; comments are kept.
    pub fn text(&self) -> String {
        self.document.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = "# Why.\n[recognised]\nwhat = \"r\"\ntarget = { least = 0.9 }\ngate = true\nslack = 0.02\nratchet = true\n\n[peak]\nwhat = \"p\"\ntarget = { most = -1.0 }\ngate = true\nreached = { arp = -3.0, rain = 0.5 }\n";

    #[test]
    fn lowering_a_gate_needs_a_reason() {
        let mut thresholds = Thresholds::parse(FILE).unwrap();
        assert!(!thresholds.row("recognised").unwrap().has_fallen("arp", 0.1), "nothing reached yet");
        assert!(thresholds.record("recognised", "arp", 0.8, None).unwrap());
        assert!(!thresholds.record("recognised", "arp", 0.7, None).unwrap());
        let row = thresholds.row("recognised").unwrap();
        assert!(row.has_fallen("arp", 0.77) && !row.has_fallen("arp", 0.79) && !row.is_kept(0.8));
        assert!(thresholds.record("recognised", "arp", 0.7, Some("a new mapping")).unwrap());
        assert!(!thresholds.row("recognised").unwrap().has_fallen("arp", 0.7));
        let text = thresholds.text();
        assert!(text.starts_with("# Why.") && text.contains("lowered = \"arp: a new mapping\""), "{text}");
        let again = Thresholds::parse(&text).unwrap();
        assert_eq!(again.row("recognised").unwrap().reached["arp"], 0.7);
    }

    #[test]
    fn without_a_ratchet_the_target_decides() {
        let thresholds = Thresholds::parse(FILE).unwrap();
        let row = thresholds.row("peak").unwrap();
        assert!(!row.has_fallen("arp", -1.2) && row.has_fallen("arp", -0.9));
        assert!(!row.has_fallen("rain", 0.4) && row.has_fallen("rain", 0.6));
    }

    #[test]
    fn a_range_can_be_missed_both_ways() {
        let target = ThresholdTarget::Within(-25.0, -21.0);
        assert_eq!([target.lacks(-26.0), target.lacks(-20.0), target.lacks(-22.0)], [1.0, 1.0, -1.0]);
    }

    #[test]
    fn the_thresholds_file_is_valid() {
        let text = include_str!("../thresholds.toml");
        let thresholds = Thresholds::parse(text).unwrap();
        assert_eq!(thresholds.text(), text);
        assert!(thresholds.rows.values().all(|row| row.what.len() <= 24));
    }
}
