//! Speed of the synth alone, and of a render from signals to a WAV file.

use std::fs;

use anyhow::{Context, Result};
use serde_json::Value;

use super::row::{Promise, Row, numbers};
use crate::{
    process::{command, output, target},
    release,
};

pub(super) const TITLE: &str = "synth and render, 48 kHz stereo";
/// Times the hour is rendered.
const RENDERS: usize = 3;
const HOUR_S: f64 = 3600.0;

pub(super) fn measure() -> Result<Vec<Row>> {
    let mut rows = synth()?;
    rows.push(
        render().unwrap_or_else(|error| Row::missing("an hour of the demo to WAV", &format!("{error:#}"))),
    );
    Ok(rows)
}

fn synth() -> Result<Vec<Row>> {
    let printed = output(&mut command(&release::program("examples/synth_speed"), ["--json"]))?;
    let runs: Vec<Value> =
        serde_json::from_str(printed.trim()).context("reading what synth_speed printed")?;
    runs.iter()
        .map(|run| {
            let name = run["name"].as_str().context("a run without a name")?;
            let promise = (name == "24 voices and effects").then_some(Promise::AtLeast(300.0));
            Ok(Row::new(name, "x", numbers(&run["times_real_time"])?, promise))
        })
        .collect()
}

/// Seconds for an hour of the demo, which takes the same way as a capture but for reading the file.
fn render() -> Result<Row> {
    let wav = target().join("bench.wav");
    let seconds: Result<Vec<f64>> = (0..RENDERS).map(|_| render_once(&wav)).collect();
    let removed = fs::remove_file(&wav);
    let seconds = seconds?;
    removed.context("removing the WAV file")?;
    Ok(Row::new("an hour of the demo to WAV", "s", seconds, Some(Promise::AtMost(20.0))))
}

fn render_once(wav: &std::path::Path) -> Result<f64> {
    let hour = HOUR_S.to_string();
    let args = ["render", "--demo", "--json", "--seconds", &hour, "--output", &wav.to_string_lossy()];
    let printed = output(&mut command(&release::program("khor"), args))?;
    let report: Value = serde_json::from_str(printed.trim()).context("reading what khor render printed")?;
    let speed = report["times_real_time"].as_f64().context("no speed")?;
    Ok(report["seconds"].as_f64().context("no length")? / speed)
}
