//! Eight voices side by side: the shape the compiler turns into vector instructions, and cheap functions for it.

use std::f32::consts::LN_2;

/// Voices computed together.
pub(super) const LANES: usize = 8;
/// Frames computed together; control-rate values change once per block and are ramped in between.
pub(super) const BLOCK: usize = 32;
/// One value per voice of a group.
pub(super) type Lanes = [f32; LANES];
/// One block of a group's voices.
pub(super) type LaneBlock = [Lanes; BLOCK];

/// Adding this to a float of sane size leaves its nearest whole number in the lowest bits (1.5 * 2^23).
pub(super) const ROUNDER: f32 = 12_582_912.0;

/// 2^x for x in -60..=60, relative error < 1e-4 (degree-4 Taylor polynomial around the nearest whole number,
/// which is added to the exponent). Anything else gives a wrong number, never undefined behaviour.
/// Audio thread; no allocation.
#[inline]
pub(super) fn exp2(x: f32) -> f32 {
    let rounded = x + ROUNDER;
    let f = (x - (rounded - ROUNDER)) * LN_2;
    let mantissa = 1.0 + f * (1.0 + f * (0.5 + f * (1.0 / 6.0 + f * (1.0 / 24.0))));
    let whole = rounded.to_bits().wrapping_sub(ROUNDER.to_bits());
    f32::from_bits(mantissa.to_bits().wrapping_add(whole << 23))
}

/// Marks a frame of a loop over frames that writes it. Otherwise the compiler puts several frames
/// into one vector and pays for shuffles, although the eight lanes of a frame fill a vector. It
/// also keeps a frame in memory, so it helps only for frames that are in memory anyway. Audio
/// thread; no allocation.
#[inline(always)]
pub(super) fn one_by_one(frame: &mut Lanes) -> &mut Lanes {
    std::hint::black_box(frame)
}

/// The larger of x and 0; not-a-number gives 0. Unlike `f32::max` it is a single instruction.
/// Audio thread; no allocation.
#[inline]
pub(super) fn positive(x: f32) -> f32 {
    if x > 0.0 { x } else { 0.0 }
}

/// tan(pi x) for x in 0..=0.3, relative error < 2e-3 (Padé approximant of order 3/2).
/// Audio thread; no allocation.
#[inline]
pub(super) fn tan_pi(x: f32) -> f32 {
    let y = std::f32::consts::PI * x;
    let y2 = y * y;
    y * (15.0 - y2) / (15.0 - 6.0 * y2)
}

/// Sets inaudible values to zero, so that tails never decay into slow denormal numbers.
/// Audio thread; no allocation.
#[inline]
pub(super) fn flush(x: f32) -> f32 {
    if x.abs() < 1e-15 { 0.0 } else { x }
}

/// Zero for what is not a finite number of sane size: nothing poisoned enters a feedback path.
/// Audio thread; no allocation.
#[inline]
pub(super) fn sanitize(x: f32) -> f32 {
    if x.abs() < 64.0 { x } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn approximations_stay_within_their_error_bounds() {
        for i in -1100..=300 {
            let x = i as f32 / 100.0;
            assert!((exp2(x) / x.exp2() - 1.0).abs() < 1e-4, "{x}");
        }
        for i in 1..=300 {
            let x = i as f32 / 1000.0;
            assert!((tan_pi(x) / (std::f32::consts::PI * x).tan() - 1.0).abs() < 2e-3, "{x}");
        }
    }

    #[test]
    fn non_finite_values_become_zero() {
        assert!([f32::NAN, f32::INFINITY, 1e30].iter().all(|&x| sanitize(x) == 0.0));
        assert_eq!(sanitize(-0.5), -0.5);
        assert_eq!(flush(1e-20), 0.0);
    }
}
