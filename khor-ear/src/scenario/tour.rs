//! One machine goes through all loads, one after the other: something to look at.

use anyhow::Result;

use super::{Class, Machine, STEP_NS, Undertaking, learnt};
use crate::adapter::{Heard, Options};

/// Each load lasts this long, seconds.
pub const STOP_S: f64 = 12.0;

/// Renders it; loads come in the order of [`Class::ALL`].
pub fn tour(preset: &str, seed: u64) -> Result<Heard> {
    let mut machine = Machine::new(1.0, seed);
    let mut player = learnt(preset, Options { seed, density: None }, &mut machine)?;
    for class in Class::ALL {
        for _ in 0..(STOP_S * 1e9) as u64 / STEP_NS {
            player.play(machine.advance(STEP_NS, class.parts(), 1.0));
        }
    }
    Ok(player.heard(0.0))
}
