//! Reads and updates the thresholds. They consist of a target for each row of the results table,
//! and the best figure of each preset so far.

use std::{collections::BTreeMap, fs, path::Path};

use anyhow::{Context, Result, ensure};
use serde::Deserialize;
use toml_edit::{DocumentMut, Item, Table, value};

/// One row of the results table.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Row {
    /// The row's title, at most 24 characters.
    pub what: String,
    /// The target for the figure, from the design.
    pub target: ThresholdTarget,
    /// Number of decimal places of the figure in the table.
    #[serde(default)]
    pub decimals: usize,
    /// How much worse than the gate a figure may be, in the row's unit.
    #[serde(default)]
    pub slack: f64,
    /// Whether the gate protects figures that are better than the target. If `true`, the gate is
    /// always the best recorded figure. If `false`, the gate is the target once a figure has met
    /// the target.
    #[serde(default)]
    pub ratchet: bool,
    /// Whether the run fails if the figure is worse than the gate allows.
    pub gate: bool,
    /// The best recorded figure of each preset, by the name of the preset.
    #[serde(default)]
    pub reached: BTreeMap<String, f64>,
    /// Why a recorded figure was last replaced by a worse one; `None` if this never happened.
    #[serde(default)]
    pub lowered: Option<String>,
}

/// The target for a figure: a limit or a range.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ThresholdTarget {
    /// The figure must be at least this value.
    Least(f64),
    /// The figure must be at most this value.
    Most(f64),
    /// The figure must be between these two values.
    Within(f64, f64),
}

impl ThresholdTarget {
    /// How far a value is from the target, in the row's unit. It is 0 or negative if the value
    /// meets the target.
    pub fn shortfall(self, value: f64) -> f64 {
        match self {
            Self::Least(least) => least - value,
            Self::Most(most) => value - most,
            Self::Within(low, high) => (low - value).max(value - high),
        }
    }
}

impl Row {
    /// How far a figure of this preset may be from the target, in the row's unit, before the slack
    /// is added. The result is `None` if no figure is recorded for the preset.
    pub fn allowed(&self, preset: &str) -> Option<f64> {
        let allowed = self.target.shortfall(*self.reached.get(preset)?);
        Some(if self.ratchet { allowed } else { allowed.max(0.0) })
    }

    /// Whether a figure is worse than the gate allows.
    pub fn has_fallen(&self, preset: &str, figure: f64) -> bool {
        self.allowed(preset)
            .is_some_and(|allowed| self.target.shortfall(figure) > allowed + self.slack + 1e-9)
    }

    /// Whether a figure meets the design's target.
    pub fn meets_target(&self, figure: f64) -> bool {
        self.target.shortfall(figure) <= 1e-9
    }
}

/// The thresholds file: all rows by name, and the TOML document from which they were read.
#[derive(Clone, Debug)]
pub struct Thresholds {
    rows: BTreeMap<String, Row>,
    document: DocumentMut,
}

impl Thresholds {
    /// Reads the thresholds from a file.
    pub fn load(path: &Path) -> Result<Self> {
        let text = fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
        Self::parse(&text).with_context(|| format!("cannot read {}", path.display()))
    }

    /// Reads the thresholds from TOML text.
    pub fn parse(text: &str) -> Result<Self> {
        Ok(Self { rows: toml_edit::de::from_str(text)?, document: text.parse()? })
    }

    /// Finds the row with this name, or returns an error.
    pub fn row(&self, name: &str) -> Result<&Row> {
        self.rows.get(name).with_context(|| format!("the thresholds file has no row {name}"))
    }

    /// Records a figure if it is better than the recorded one. A worse figure is recorded only with
    /// a reason. Returns whether anything changed.
    pub fn record(&mut self, name: &str, preset: &str, figure: f64, reason: Option<&str>) -> Result<bool> {
        ensure!(figure.is_finite(), "cannot record {name} of {preset}: {figure} is not finite");
        let row =
            self.rows.get_mut(name).with_context(|| format!("the thresholds file has no row {name}"))?;
        let figure = (figure * 1000.0).round() / 1000.0;
        let before = row.reached.get(preset).map(|reached| row.target.shortfall(*reached));
        let better = before.is_none_or(|before| row.target.shortfall(figure) < before);
        let worse = row.has_fallen(preset, figure);
        let lowered = worse && reason.is_some();
        if !(better || lowered) {
            return Ok(false);
        }
        row.reached.insert(preset.to_owned(), figure);
        let table =
            self.document[name].as_table_mut().context("a row of the thresholds file is not a table")?;
        if !better && let Some(reason) = reason {
            table["lowered"] = value(format!("{preset}: {reason}"));
        }
        let reached = table.entry("reached").or_insert_with(|| Item::Table(Table::new()));
        reached[preset] = value(figure);
        Ok(true)
    }

    /// The thresholds file as text, with the newly recorded figures. The file's comments are
    /// preserved.
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
        assert!(!thresholds.row("recognised").unwrap().has_fallen("arp", 0.1), "nothing is recorded yet");
        assert!(thresholds.record("recognised", "arp", 0.8, None).unwrap());
        assert!(!thresholds.record("recognised", "arp", 0.7, None).unwrap());
        let row = thresholds.row("recognised").unwrap();
        assert!(row.has_fallen("arp", 0.77) && !row.has_fallen("arp", 0.79) && !row.meets_target(0.8));
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
        assert_eq!(
            [target.shortfall(-26.0), target.shortfall(-20.0), target.shortfall(-22.0)],
            [1.0, 1.0, -1.0]
        );
    }

    #[test]
    fn the_thresholds_file_is_valid() {
        let text = include_str!("../thresholds.toml");
        let thresholds = Thresholds::parse(text).unwrap();
        assert_eq!(thresholds.text(), text);
        assert!(thresholds.rows.values().all(|row| row.what.len() <= 24));
    }
}
