//! Searches for clicks under stress: all loads run at once, at the highest density, while presets
//! change.

use anyhow::Result;

use super::Figure;
use crate::{
    adapter::Options,
    clicks::clicks,
    parallel,
    plan::Plan,
    scenario::{self, STEP_NS, SimulatedMachine},
};

/// Length of a turn, seconds. The preset changes at the end of each turn.
const TURN_S: u64 = 10;
/// Number of turns per minute. In each turn, one preset plays.
const TURNS: usize = 60 / TURN_S as usize;
/// Factor by which the rates of all loads are multiplied. It is the largest factor of the training
/// clips, whose factors are 0.5 to 2.
const INTENSITY: f64 = 2.0;

/// Searches for clicks. The minutes run in parallel, each with its own machine and its own seed.
pub(super) fn search(preset: &str, others: &[String], plan: &Plan, figures: &mut Vec<Figure>) -> Result<()> {
    let minutes: Vec<usize> = (0..plan.stress_min).collect();
    let found = parallel::map(&format!("{preset}: search for clicks"), &minutes, |minute| {
        minute_of(preset, others, plan.seed(100 + *minute as u64), *minute)
    })?;
    let all: usize = found.iter().map(|minute| minute.0).sum();
    let largest = found.iter().map(|minute| minute.1).fold(0.0, f32::max);
    let note = if all > 0 { format!("largest {largest:.3}") } else { format!("{} min", minutes.len()) };
    figures.push(Figure::new("clicks", all as f64, note));
    Ok(())
}

/// Renders one minute. Returns the number of clicks and the size of the largest click.
fn minute_of(preset: &str, others: &[String], seed: u64, minute: usize) -> Result<(usize, f32)> {
    let everything = scenario::everything();
    let mut machine = SimulatedMachine::new(1.0, seed);
    let mut player =
        scenario::player_with_baseline(preset, Options { seed, density: Some(1.0) }, &mut machine)?;
    for turn in 0..TURNS {
        // The judged preset plays in turns 0, 2 and 4. Another preset plays in each of the other
        // turns.
        let other =
            (turn % 2 == 1 && !others.is_empty()).then(|| &others[(minute + turn / 2) % others.len()]);
        player.switch(other.map_or(preset, String::as_str))?;
        for _ in 0..TURN_S * 1_000_000_000 / STEP_NS {
            player.play(machine.advance(STEP_NS, &everything, INTENSITY));
        }
    }
    let found = clicks(&player.take_samples());
    Ok((found.len(), found.iter().map(|click| click.size).fold(0.0, f32::max)))
}
