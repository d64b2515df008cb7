//! Measures integrated loudness (EBU R 128) and true peak with the crate `ebur128`.

use anyhow::Result;
use ebur128::{EbuR128, Mode};

use crate::adapter::RATE_HZ;

/// Integrated loudness of interleaved stereo, LUFS; -inf for silence.
pub fn integrated(samples: &[f32]) -> Result<f64> {
    let mut meter = EbuR128::new(2, RATE_HZ, Mode::I)?;
    meter.add_frames_f32(samples)?;
    Ok(meter.loudness_global()?)
}

/// True peak of interleaved stereo, dBTP, measured with four times oversampling.
pub fn true_peak(samples: &[f32]) -> Result<f64> {
    let mut meter = EbuR128::new(2, RATE_HZ, Mode::TRUE_PEAK)?;
    meter.add_frames_f32(samples)?;
    Ok(20.0 * meter.true_peak(0)?.max(meter.true_peak(1)?).max(1e-6).log10())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// EBU Tech 3341: a sine of 1 kHz at -23 dBFS on both channels has a loudness of -23 LUFS.
    #[test]
    fn a_reference_tone_has_its_known_loudness() {
        let amplitude = 10f64.powf(-23.0 / 20.0);
        let sample = |i: usize| (amplitude * (std::f64::consts::TAU * i as f64 / 48.0).sin()) as f32;
        let tone: Vec<f32> = (0..5 * RATE_HZ as usize).flat_map(|i| [sample(i); 2]).collect();
        assert!((integrated(&tone).unwrap() + 23.0).abs() < 0.1);
        assert!((true_peak(&tone).unwrap() + 23.0).abs() < 0.2);
    }
}
