//! Reads the engine's stream of changes, and converts its state to the metrics on the screen.

use std::io;

use anyhow::{Context, bail};
use khor_api::{
    LaneReport, LaneValues, MetricsReport, MusicReport, OriginalRates, OriginalTotals, SignalReport,
    StreamState,
};

/// Returns the data of each event named `change`. An event without a name is an error, because it
/// comes from an older engine that does not have this stream.
pub(super) fn changes(
    lines: impl Iterator<Item = io::Result<String>>,
) -> impl Iterator<Item = anyhow::Result<String>> {
    let mut name = String::new();
    lines.filter_map(move |line| match line.context("the connection to the event stream broke") {
        Ok(line) => {
            if line.is_empty() {
                name.clear();
            } else if let Some(new) = line.strip_prefix("event:") {
                new.trim().clone_into(&mut name);
            }
            line.strip_prefix("data:").and_then(|data| change_data(&name, data).transpose())
        }
        Err(problem) => Some(Err(problem)),
    })
}

/// Returns the data if the event is named `change`, or `None` for an event with another name.
fn change_data(name: &str, data: &str) -> anyhow::Result<Option<String>> {
    match name {
        "change" => Ok(Some(data.to_owned())),
        "" => bail!("the engine is older than this khor top; restart the engine"),
        _ => Ok(None),
    }
}

/// Returns the current metrics, or `None` until the first values and controls have arrived.
pub(super) fn metrics(state: &StreamState) -> Option<MetricsReport> {
    let (values, controls) = (state.values.as_ref()?, state.controls.clone()?);
    let signals = state.lanes.iter().enumerate();
    Some(MetricsReport {
        ts_ms: values.ts_ms,
        totals: OriginalTotals::default(),
        rates: OriginalRates::default(),
        controls,
        signals: signals.map(|(i, lane)| (lane.name.clone(), signal(lane, values, i))).collect(),
        notes: state.notes.iter().cloned().collect(),
        cues: state.cues.iter().cloned().collect(),
        music: state.bar.map(|bar| MusicReport {
            bar: bar.bar,
            step: 0,
            step_ms: bar.step_ms,
            bar_ts_ms: bar.bar_ts_ms,
        }),
        soloists: state.soloists.clone(),
        history: None,
    })
}

fn signal(lane: &LaneReport, values: &LaneValues, index: usize) -> SignalReport {
    let LaneReport { name: _, label, family, unit, grain: _, available, reason } = lane.clone();
    SignalReport {
        level: values.level[index],
        deviation: values.deviation[index],
        surprise: values.surprise[index],
        rate: values.rate[index],
        baseline: values.baseline[index],
        unit,
        label,
        family,
        available,
        reason,
    }
}

#[cfg(test)]
mod tests {
    use khor_api::StreamEvent;
    use serde_json::{Value, json};

    use super::*;

    fn data(stream: &str) -> Vec<anyhow::Result<String>> {
        changes(stream.lines().map(|line| Ok(line.to_owned()))).collect()
    }

    #[test]
    fn only_changes_are_read() {
        let stream = ":\n\nevent:change\ndata:1\n\nevent:other\ndata:2\n\nevent: change\nid:a\ndata:3\n\n";
        let read: Vec<String> = data(stream).into_iter().map(Result::unwrap).collect();
        assert_eq!(read, ["1", "3"]);
    }

    #[test]
    fn an_older_engine_is_reported() {
        let read = data("data:{}\nid:a.1\n\n");
        assert!(read[0].as_ref().is_err_and(|error| error.to_string().contains("restart the engine")));
    }

    #[test]
    fn metrics_have_the_values_of_each_lane() {
        let lane = |name: &str| {
            json!({ "name": name, "label": name, "family": "network", "unit": "B/s", "grain": 1.0,
                    "available": true, "reason": null })
        };
        let numbers = |first: f64| json!([first, null]);
        let events = [
            json!({ "type": "controls", "bpm": 110.0, "key_midi": 50, "density": 0.5, "smoothing": 0.5,
                    "preset": "ambient", "scale": "dorian", "master_gain": 0.5, "muted": true,
                    "silence": null, "snoozed_until_ts_ms": null, "quiet_until_ts_ms": null }),
            json!({ "type": "lanes", "lanes": [lane("rx"), lane("tx")] }),
            json!({ "type": "values", "ts_ms": 7, "level": numbers(0.5), "deviation": numbers(1.0),
                    "surprise": numbers(0.0), "rate": numbers(9.0), "baseline": numbers(3.0),
                    "disk_read_bytes_s": null, "disk_written_bytes_s": null }),
        ];
        let mut state = StreamState::default();
        assert_eq!(metrics(&state), None);
        for event in events {
            assert!(state.apply(serde_json::from_value::<StreamEvent>(event).unwrap()));
        }
        let metrics = serde_json::to_value(metrics(&state)).unwrap();
        assert_eq!((&metrics["ts_ms"], &metrics["controls"]["muted"]), (&json!(7), &json!(true)));
        assert_eq!(
            (&metrics["signals"]["rx"]["rate"], &metrics["signals"]["tx"]["rate"]),
            (&json!(9.0), &Value::Null)
        );
    }
}
