//! Measures the direction of a sound coarsely: the level of the right channel relative to the left,
//! in three broad bands.
//!
//! The balance is the only feature that compares the channels, and only the judge of sites measures
//! it. In a site's music, the direction identifies the section. In a single machine's music, the
//! direction gives no information that timbre and register do not give.

use super::{decibel, spectrum::Spectrum};

/// Number of bands in which the balance is measured.
pub const BALANCES: usize = 3;
/// Lower and upper limit of each band, Hz.
const BANDS_HZ: [(f64, f64); BALANCES] = [(60.0, 300.0), (300.0, 900.0), (900.0, 6000.0)];
/// Size of one step of balance, dB: three times the smallest audible difference.
const STEP_DB: f64 = 3.0;
/// The largest level difference between the channels that is reported, dB.
const MOST_DB: f64 = 12.0;
/// A band is considered to have no direction if its share of the total power is below this value,
/// dB.
const EMPTY_DB: f64 = -30.0;

/// Level of the right channel relative to the left in each band, in whole steps of 3 dB.
pub fn rough_balance(samples: &[f32]) -> [f64; BALANCES] {
    let channel = |at: usize| -> Vec<f32> { samples.iter().copied().skip(at).step_by(2).collect() };
    let [left, right] = [0, 1].map(|at| Spectrum::measure(&channel(at)));
    let all = left.within((0.0, f64::MAX)) + right.within((0.0, f64::MAX));
    BANDS_HZ.map(|band| {
        let (left, right) = (left.within(band), right.within(band));
        if all <= 0.0 || decibel((left + right) / all) < EMPTY_DB {
            return 0.0;
        }
        let trace = 1e-6 * all;
        let balance_db = decibel((right + trace) / (left + trace));
        (balance_db.clamp(-MOST_DB, MOST_DB) / STEP_DB).round()
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::adapter::RATE_HZ;

    fn tones(left: f64, right: f64) -> Vec<f32> {
        let tone = |hz: f64, i: u32| (std::f64::consts::TAU * hz * f64::from(i) / f64::from(RATE_HZ)).sin();
        let sample = |i: u32| {
            let (low, high) = (0.1 * tone(150.0, i), 0.1 * tone(1500.0, i));
            [(low + left * high) as f32, (low + right * high) as f32]
        };
        (0..3 * RATE_HZ).flat_map(sample).collect()
    }

    #[test]
    fn balance_is_measured_in_each_band() {
        assert_eq!(rough_balance(&tones(0.5, 1.0)), [0.0, 0.0, 2.0]);
        assert_eq!(rough_balance(&tones(1.0, 0.1)), [0.0, 0.0, -4.0]);
        assert_eq!(rough_balance(&tones(1.0, 1.0)), [0.0; BALANCES]);
        assert_eq!(rough_balance(&vec![0.0; 48_000]), [0.0; BALANCES], "silence has no direction");
    }
}
