//! Converts the state of a lane to the numbers in a frame, and converts such numbers back.

use khor_fleet::Signal;
use khor_signal::Lane;

/// Encodes the state of a lane. `rate` and `baseline` are in the lane's unit.
pub(crate) fn encode(Lane { level, deviation, surprise }: Lane, rate: f64, baseline: f64) -> Signal {
    let finite = |number: f64| (number as f32).min(f32::MAX);
    Signal {
        rate: finite(rate),
        baseline: finite(baseline),
        deviation: (deviation * Signal::PARTS_OF_OCTAVE).round() as i16,
        level: to_255(level),
        surprise: to_255(surprise),
    }
}

/// Decodes a lane.
pub(crate) fn decode(signal: Signal) -> Lane {
    Lane {
        level: from_255(signal.level),
        deviation: f32::from(signal.deviation) / Signal::PARTS_OF_OCTAVE,
        surprise: from_255(signal.surprise),
    }
}

/// Encodes a share from 0..=1 as a number from 0..=255.
pub(crate) fn to_255(share: f32) -> u8 {
    (share * 255.0).round() as u8
}

/// Decodes a share from a number in 0..=255 to 0..=1.
pub(crate) fn from_255(part: u8) -> f32 {
    f32::from(part) / 255.0
}
