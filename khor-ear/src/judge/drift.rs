//! Plays the music of an idle machine for hours, to check that the music does not drift. The last
//! ten minutes must sound like the first ten minutes, and no cue may play.

use anyhow::{Context, Result};

use super::Figure;
use crate::{
    adapter::{Layer, Options},
    features::SoundFeatures,
    plan::Plan,
    scenario::{self, STEP_NS, SimulatedMachine},
};

/// Length of a window, seconds. It exceeds the longest section of the musical form, so each window
/// contains at least one complete section.
const WINDOW_S: u64 = 600;
/// Smallest audible change of the onset rate. The smallest audible change of the level is 1 dB, and
/// that of the centroid is 1 semitone (docs/ear.md).
const ONSETS_STEP_PER_S: f64 = 0.3;

/// Plays the music of an idle machine for `hours`. Compares the first window with the last window.
pub(super) fn listen(preset: &str, plan: &Plan, hours: f64, figures: &mut Vec<Figure>) -> Result<()> {
    let seed = plan.seed(30);
    let mut machine = SimulatedMachine::new(1.0, seed);
    let mut player = scenario::player_with_baseline(preset, Options { seed, density: None }, &mut machine)?;
    let windows = ((hours * 3600.0) as u64 / WINDOW_S).max(2);
    let (mut first, mut last) = (None, None);
    for window in 0..windows {
        khor_patience::progress(format!("{preset}: ten-minute window {} of {windows}", window + 1));
        for _ in 0..WINDOW_S * 1_000_000_000 / STEP_NS {
            player.play(machine.advance(STEP_NS, &[], 0.0));
        }
        let samples = player.take_samples();
        match window {
            0 => first = Some(SoundFeatures::measure(&samples)?),
            _ if window + 1 == windows => last = Some(SoundFeatures::measure(&samples)?),
            _ => {}
        }
    }
    let (first, last) = first.zip(last).context("there are fewer than two windows")?;
    let cues = player.into_render(0.0).begun().filter(|note| note.layer == Layer::Cues).count();
    let steps = [
        ("dB", last.level_lufs - first.level_lufs),
        ("semitones", last.centroid_semitones - first.centroid_semitones),
        ("onsets", (last.onsets_per_s - first.onsets_per_s) / ONSETS_STEP_PER_S),
    ];
    let (what, most) = steps
        .into_iter()
        .max_by(|a, b| a.1.abs().total_cmp(&b.1.abs()))
        .context("no feature was compared")?;
    figures.push(Figure::new("drift", most.abs(), what));
    figures.push(Figure::new("false_cues", cues as f64, format!("{hours} h")));
    Ok(())
}
