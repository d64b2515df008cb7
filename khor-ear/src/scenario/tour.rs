//! One machine goes through all loads, one after the other: something to look at.

use anyhow::Result;

use super::{Load, LoadClass, STEP_NS, SimulatedMachine, learnt};
use crate::adapter::{Options, Render};

/// Each load lasts this long, seconds.
pub const STOP_S: f64 = 12.0;

/// Renders it; loads come in the order of [`LoadClass::ALL`].
pub fn tour(preset: &str, seed: u64) -> Result<Render> {
    let mut machine = SimulatedMachine::new(1.0, seed);
    let mut player = learnt(preset, Options { seed, density: None }, &mut machine)?;
    for class in LoadClass::ALL {
        for _ in 0..(STOP_S * 1e9) as u64 / STEP_NS {
            player.play(machine.advance(STEP_NS, class.parts(), 1.0));
        }
    }
    Ok(player.heard(0.0))
}
