//! Samples as whole numbers, and why they cannot be written.

use std::io;

/// Why samples can't be written.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    /// The block would not fit; what was written before is a good file once finished.
    #[error("a WAV file holds at most 4 GiB")]
    Full,
    /// The file could not be written.
    #[error(transparent)]
    Io(#[from] io::Error),
}

/// A sample of -1..=1 as 16 bits; beyond is clipped.
pub fn to_16_bit(sample: f32) -> i16 {
    (sample.clamp(-1.0, 1.0) * f32::from(i16::MAX)).round() as i16
}

/// A sample of -1..=1 as 24 bits; beyond is clipped.
pub(super) fn to_24_bit(sample: f32) -> i32 {
    const FULL_SCALE: f32 = 8_388_607.0;
    (sample.clamp(-1.0, 1.0) * FULL_SCALE).round() as i32
}
