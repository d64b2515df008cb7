//! Detects onsets in the sound. An onset is a time at which the spectrum grows suddenly (spectral
//! flux).

use super::spectrum::in_octaves;
use crate::adapter::RATE_HZ;

const WINDOW_SAMPLES: usize = 2048;
/// Time between the starts of two windows: 10 ms.
const HOP_SAMPLES: usize = RATE_HZ as usize / 100;
/// Number of bands in which the flux is measured: third octaves from 60 Hz to about 12 kHz.
const BANDS: usize = 23;
const LOWEST_HZ: f64 = 60.0;
/// Power that is added to each band, relative to the strongest band of the clip. It prevents onsets
/// in sound that is much quieter.
const FLOOR: f32 = 1e-4;
/// To measure growth, each level is compared with the level this many windows earlier (30 ms).
const GROWTH_WINDOWS: usize = 3;
/// At an onset, the flux must exceed the flux around it by this many dB, averaged over the bands.
const THRESHOLD_DB: f32 = 0.7;
/// Number of windows before and after an onset that count as its surroundings: 150 ms.
const CONTEXT_WINDOWS: usize = 15;
/// Shortest time between two onsets, in windows: 60 ms.
const MIN_GAP_WINDOWS: usize = 6;

/// Number of onsets per second in one channel.
pub fn onset_rate(mono: &[f32]) -> f64 {
    let seconds = mono.len() as f64 / f64::from(RATE_HZ);
    if seconds > 0.0 { onset_times(mono).len() as f64 / seconds } else { 0.0 }
}

/// Times of the onsets in one channel, seconds.
pub fn onset_times(mono: &[f32]) -> Vec<f64> {
    let flux = flux(mono);
    let mut times: Vec<usize> = Vec::new();
    for (at, &now) in flux.iter().enumerate() {
        let around = &flux[at.saturating_sub(CONTEXT_WINDOWS)..(at + CONTEXT_WINDOWS + 1).min(flux.len())];
        let near =
            &flux[at.saturating_sub(MIN_GAP_WINDOWS / 2)..(at + MIN_GAP_WINDOWS / 2 + 1).min(flux.len())];
        let stands_out = now > THRESHOLD_DB + 1.5 * median(around);
        let is_peak = near.iter().all(|other| *other <= now);
        if stands_out && is_peak && times.last().is_none_or(|last| at - last >= MIN_GAP_WINDOWS) {
            times.push(at);
        }
    }
    times.into_iter().map(|at| at as f64 * HOP_SAMPLES as f64 / f64::from(RATE_HZ)).collect()
}

/// Growth of the level in each window, dB, averaged over the bands.
fn flux(mono: &[f32]) -> Vec<f32> {
    let mut levels: Vec<[f32; BANDS]> = in_octaves(mono, WINDOW_SAMPLES, HOP_SAMPLES, LOWEST_HZ, 3.0);
    let strongest = levels.iter().flatten().copied().fold(1e-9, f32::max);
    for level in levels.iter_mut().flatten() {
        *level = 10.0 * (*level / strongest + FLOOR).log10();
    }
    let growth = |at: usize| {
        let before = &levels[at.saturating_sub(GROWTH_WINDOWS)];
        let rise = levels[at].iter().zip(before).map(|(now, before)| (now - before).max(0.0));
        rise.sum::<f32>() / BANDS as f32
    };
    (0..levels.len()).map(growth).collect()
}

fn median(values: &[f32]) -> f32 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f32::total_cmp);
    sorted[sorted.len() / 2]
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Creates a sound of plucked notes over a steady chord. The notes start at the given times.
    fn plucked(times: &[f64], seconds: f64) -> Vec<f32> {
        let rate = f64::from(RATE_HZ);
        let tone = |hz: f64, t: f64| (std::f64::consts::TAU * hz * t).sin();
        let sample = |i: usize| {
            let t = i as f64 / rate;
            let pad = 0.03 * (tone(220.0, t) + tone(277.2, t) + tone(329.6, t));
            let pluck = |&at: &f64| {
                let since = t - at;
                let voice = tone(660.0, since) + 0.4 * tone(1320.0, since);
                if since < 0.0 { 0.0 } else { 0.1 * (-since / 0.15).exp() * (since / 0.004).min(1.0) * voice }
            };
            (pad + times.iter().map(pluck).sum::<f64>()) as f32
        };
        (0..(seconds * rate) as usize).map(sample).collect()
    }

    #[test]
    fn plucked_notes_over_a_pad_are_counted() {
        for per_s in [1.0, 4.0, 8.0] {
            let times: Vec<f64> = (1..(10.0 * per_s) as usize).map(|i| i as f64 / per_s).collect();
            let found = onset_rate(&plucked(&times, 10.0));
            assert!((found - per_s).abs() <= 0.3, "{per_s} notes a second were counted as {found}");
        }
    }

    #[test]
    fn onsets_are_found_at_their_times() {
        let found = onset_times(&plucked(&[1.0, 2.5, 2.75], 5.0));
        assert_eq!(found.len(), 3, "{found:?}");
        for (found, at) in found.iter().zip([1.0, 2.5, 2.75]) {
            assert!((found - at).abs() < 0.06, "{found} {at}");
        }
    }

    #[test]
    fn a_swelling_pad_has_no_onsets() {
        let mut pad = plucked(&[], 10.0);
        let length = pad.len() as f32;
        for (i, sample) in pad.iter_mut().enumerate() {
            *sample *= 0.2 + 0.8 * (0.5 - 0.5 * (4.0 * std::f32::consts::TAU * i as f32 / length).cos());
        }
        assert_eq!(onset_times(&pad), [0.0; 0]);
    }
}
