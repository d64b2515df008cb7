//! Converts samples to integers, and defines the errors of writing samples.

use std::io;

/// Why samples cannot be written to a file.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    /// The file would exceed the limit of its format. The samples up to the limit are kept.
    #[error("the WAV file has reached the format's limit of 4 GiB")]
    Full,
    /// The system cannot write the file.
    #[error(transparent)]
    Io(#[from] io::Error),
}

/// Converts a sample from -1..=1 to 16 bits. Clips samples outside of this range.
pub fn to_16_bit(sample: f32) -> i16 {
    (sample.clamp(-1.0, 1.0) * f32::from(i16::MAX)).round() as i16
}

/// Converts a sample from -1..=1 to 24 bits. Clips samples outside of this range.
pub(super) fn to_24_bit(sample: f32) -> i32 {
    const FULL_SCALE: f32 = 8_388_607.0;
    (sample.clamp(-1.0, 1.0) * FULL_SCALE).round() as i32
}
