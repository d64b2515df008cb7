//! Computes the phases of oscillators. They are integers that wrap around when they overflow.

use std::f32::consts::TAU;

use super::lanes::{LANES, Lanes, one_by_one};

/// Number of phase units in one period, 2^32.
pub(super) const PERIOD: f32 = 4_294_967_296.0;

/// Writes the phase of each frame, 0..1. `phase` is updated to the phase of the last frame.
#[inline(always)]
pub(super) fn advance(phase: &mut [u32; LANES], step: &[u32; LANES], phases: &mut [Lanes]) {
    let mut now = *phase;
    for frame in phases {
        let frame = one_by_one(frame);
        for l in 0..LANES {
            now[l] = now[l].wrapping_add(step[l]);
            // The upper 23 bits of the phase become the fraction of a float in 1..2.
            frame[l] = f32::from_bits((now[l] >> 9) | 0x3F80_0000) - 1.0;
        }
    }
    *phase = now;
}

/// cos(2 pi p) for p in -0.5..1, with an absolute error below 1e-5. It uses a Taylor series for a
/// quarter period.
#[inline]
pub(super) fn cosine(p: f32) -> f32 {
    let u = (p.abs() - 0.5).abs() - 0.25;
    let u2 = u * u;
    u * (TAU + u2 * (-41.341_7 + u2 * (81.605_2 + u2 * (-76.705_9 + u2 * 42.058_7))))
}
