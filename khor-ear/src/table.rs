//! Formats the results as a table of 80 columns for people, and as JSON for programs.

use std::fmt::Write;

use anyhow::Result;
use serde_json::{Value, json};

use crate::{
    judge::{Figure, Verdict},
    thresholds::{Row, ThresholdTarget, Thresholds},
};

/// Maximum length of a line, columns.
const COLUMNS: usize = 80;
/// Maximum width of the note in a row, columns. Longer notes are cut off.
const NOTE_COLUMNS: usize = 17;

/// Formats the results of one preset as a table.
pub fn table(verdict: &Verdict, thresholds: &Thresholds) -> Result<String> {
    let mut text = String::new();
    let heading = ["figure", "target", "gate"];
    writeln!(text, "{:<42}{:>8}{:>13}{:>8}", verdict.preset, heading[0], heading[1], heading[2])?;
    for figure in &verdict.figures {
        let row = thresholds.row(figure.row)?;
        let note = figure.note.chars().take(NOTE_COLUMNS).collect::<String>();
        writeln!(
            text,
            "  {:<23}{note:<17}{:>8}{:>13}{:>8} {}",
            row.what,
            number(figure.value, row),
            target(row),
            gate(row, &verdict.preset),
            verdict_of(figure, row, &verdict.preset),
        )?;
    }
    for remark in &verdict.remarks {
        for line in wrapped(remark) {
            writeln!(text, "{line}")?;
        }
    }
    Ok(text)
}

/// Formats the results of one preset as JSON.
pub fn to_json(verdict: &Verdict, thresholds: &Thresholds) -> Result<Value> {
    let rows = verdict.figures.iter().map(|figure| {
        let row = thresholds.row(figure.row)?;
        Ok(json!({
            "row": figure.row,
            "what": row.what,
            "value": figure.value,
            "note": figure.note,
            "target": target(row),
            "reached": row.reached.get(&verdict.preset),
            "gate": row.gate,
            "kept": row.meets_target(figure.value),
            "fallen": row.has_fallen(&verdict.preset, figure.value),
        }))
    });
    Ok(json!({
        "preset": verdict.preset,
        "rows": rows.collect::<Result<Vec<_>>>()?,
        "remarks": verdict.remarks,
        "details": verdict.details,
    }))
}

/// The figures that fail their gates.
pub fn failed_gates<'a>(verdict: &'a Verdict, thresholds: &Thresholds) -> Result<Vec<&'a Figure>> {
    let mut failed_gates = Vec::new();
    for figure in &verdict.figures {
        let row = thresholds.row(figure.row)?;
        if row.gate && row.has_fallen(&verdict.preset, figure.value) {
            failed_gates.push(figure);
        }
    }
    Ok(failed_gates)
}

fn number(value: f64, row: &Row) -> String {
    format!("{value:.*}", row.decimals)
}

fn target(row: &Row) -> String {
    match row.target {
        ThresholdTarget::Least(least) => format!(">= {}", number(least, row)),
        ThresholdTarget::Most(most) => format!("<= {}", number(most, row)),
        ThresholdTarget::Within(low, high) => format!("{}..{}", number(low, row), number(high, row)),
    }
}

fn gate(row: &Row, preset: &str) -> String {
    match (row.gate, row.reached.get(preset)) {
        (false, _) => "-".into(),
        (true, None) => "new".into(),
        (true, Some(reached)) => number(*reached, row),
    }
}

fn verdict_of(figure: &Figure, row: &Row, preset: &str) -> &'static str {
    if row.gate && row.has_fallen(preset, figure.value) {
        "FELL"
    } else if row.meets_target(figure.value) {
        "met"
    } else {
        "MISSED"
    }
}

/// Wraps a remark into lines of at most [`COLUMNS`].
fn wrapped(remark: &str) -> Vec<String> {
    let mut lines = vec![String::from(" ")];
    for word in remark.split(' ') {
        let last = lines.last_mut().expect("the list starts with one line");
        if last.chars().count() + 1 + word.chars().count() > COLUMNS {
            lines.push(format!("     {word}"));
        } else {
            last.push(' ');
            last.push_str(word);
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verdict(value: f64) -> Verdict {
        Verdict {
            preset: "ambient".into(),
            figures: vec![
                Figure::new("recognised", value, "160 clips"),
                Figure::new("bed_lufs", -25.3, "a note that is much too long for its column"),
                Figure::new("same_pcm", 1.0, ""),
            ],
            remarks: vec!["confused: ".to_owned() + &"upload as download 38 %, ".repeat(9)],
            details: Value::Null,
        }
    }

    #[test]
    fn no_line_exceeds_eighty_columns() {
        let thresholds = Thresholds::parse(include_str!("../thresholds.toml")).unwrap();
        let text = table(&verdict(0.81), &thresholds).unwrap();
        assert!(text.lines().all(|line| line.chars().count() <= COLUMNS), "{text}");
        assert!(text.contains("FELL") && table(&verdict(1.0), &thresholds).unwrap().contains("met"));
    }

    #[test]
    fn only_gates_fail() {
        let mut thresholds = Thresholds::parse(include_str!("../thresholds.toml")).unwrap();
        thresholds.record("same_pcm", "ambient", 0.0, None).unwrap();
        thresholds.record("recognised", "ambient", 0.99, None).unwrap();
        let rows = |value, thresholds: &Thresholds| -> Vec<&str> {
            failed_gates(&verdict(value), thresholds).unwrap().iter().map(|figure| figure.row).collect()
        };
        assert_eq!(rows(0.5, &thresholds), ["recognised", "bed_lufs", "same_pcm"]);
        assert_eq!(rows(1.0, &thresholds), ["bed_lufs", "same_pcm"]);
        let text = include_str!("../thresholds.toml").replacen("gate = true", "gate = false", 1);
        let mut reported = Thresholds::parse(&text).unwrap();
        reported.record("recognised", "ambient", 0.99, None).unwrap();
        assert_eq!(rows(0.5, &reported), ["bed_lufs", "same_pcm"], "the first row has no gate");
    }
}
