//! Renders a tour, in which one machine runs all loads one after the other. The pictures show the
//! tour.

use anyhow::Result;

use super::{Load, LoadClass, STEP_NS, SimulatedMachine, player_with_baseline};
use crate::adapter::{Options, Render};

/// Time for which each load runs, seconds.
pub const STOP_S: f64 = 12.0;

/// Renders the tour. The loads are in the order of [`LoadClass::ALL`].
pub fn tour(preset: &str, seed: u64) -> Result<Render> {
    let mut machine = SimulatedMachine::new(1.0, seed);
    let mut player = player_with_baseline(preset, Options { seed, density: None }, &mut machine)?;
    for class in LoadClass::ALL {
        for _ in 0..(STOP_S * 1e9) as u64 / STEP_NS {
            player.play(machine.advance(STEP_NS, class.parts(), 1.0));
        }
    }
    Ok(player.into_render(0.0))
}
