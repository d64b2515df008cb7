//! Defines arrays of eight voices and fast functions for them. The compiler turns these arrays into
//! vector instructions.

use std::f32::consts::LN_2;

/// Number of voices that are computed together. In this crate, each of these voices is called a
/// lane.
pub(super) const LANES: usize = 8;
/// Number of frames in a block. All frames of a block are computed together. Control values change
/// once per block, and are interpolated within the block.
pub(super) const BLOCK: usize = 32;
/// One value for each of a group's eight voices.
pub(super) type Lanes = [f32; LANES];
/// One block of frames for each of a group's eight voices.
pub(super) type LaneBlock = [Lanes; BLOCK];

/// Adding this number (1.5 * 2^23) to a float of moderate size rounds the float. The nearest
/// integer is then in the lowest bits of the sum.
pub(super) const ROUNDER: f32 = 12_582_912.0;

/// 2^x for x in -60..=60, with a relative error below 1e-4. The nearest integer to x is added to
/// the exponent, and the remaining fraction is computed with a Taylor polynomial of degree 4. For
/// any other x, the result is wrong, but the behaviour is defined. Real-time safe.
#[inline]
pub(super) fn exp2(x: f32) -> f32 {
    let rounded = x + ROUNDER;
    let f = (x - (rounded - ROUNDER)) * LN_2;
    let mantissa = 1.0 + f * (1.0 + f * (0.5 + f * (1.0 / 6.0 + f * (1.0 / 24.0))));
    let whole = rounded.to_bits().wrapping_sub(ROUNDER.to_bits());
    f32::from_bits(mantissa.to_bits().wrapping_add(whole << 23))
}

/// Makes the compiler process one frame at a time in a loop over frames, so that the eight lanes of
/// a frame fill one vector. Without this function, the compiler puts several frames into one
/// vector, which needs shuffles. This function forces each frame into memory. The cost is low,
/// because the loop writes the frame to memory anyway. Real-time safe.
#[inline(always)]
pub(super) fn one_by_one(frame: &mut Lanes) -> &mut Lanes {
    std::hint::black_box(frame)
}

/// The larger of x and 0. NaN gives 0. Unlike `f32::max`, this is a single instruction. Real-time
/// safe.
#[inline]
pub(super) fn positive(x: f32) -> f32 {
    if x > 0.0 { x } else { 0.0 }
}

/// tan(pi x) for x in 0..=0.3, with a relative error below 2e-3 (Padé approximant of order 3/2).
/// Real-time safe.
#[inline]
pub(super) fn tan_pi(x: f32) -> f32 {
    let y = std::f32::consts::PI * x;
    let y2 = y * y;
    y * (15.0 - y2) / (15.0 - 6.0 * y2)
}

/// Replaces inaudible values with zero. Otherwise, decaying sounds would become denormal numbers,
/// which are slow. Real-time safe.
#[inline]
pub(super) fn flush(x: f32) -> f32 {
    if x.abs() < 1e-15 { 0.0 } else { x }
}

/// Replaces NaN and magnitudes of 64 or more with zero. Otherwise, such a value would stay in a
/// feedback path forever. Real-time safe.
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
