//! Converts the state of a lane to the numbers of a frame, and back.

use khor_fleet::Signal;
use khor_signal::Lane;

/// A lane with its rate and its baseline, which are in the lane's own unit.
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

/// The lane of a signal.
pub(crate) fn decode(signal: Signal) -> Lane {
    Lane {
        level: from_255(signal.level),
        deviation: f32::from(signal.deviation) / Signal::PARTS_OF_OCTAVE,
        surprise: from_255(signal.surprise),
    }
}

/// A share as 0..=255.
pub(crate) fn to_255(share: f32) -> u8 {
    (share * 255.0).round() as u8
}

/// A share of 255, 0..=1.
pub(crate) fn from_255(part: u8) -> f32 {
    f32::from(part) / 255.0
}
