//! Computes the vibrato of eight voices. Vibrato is a slow variation of the pitch, and it begins
//! some time after the onset.

use khor_music::Patch;

use super::{
    lanes::{LANES, Lanes, exp2, positive},
    phase::cosine,
};

/// Time from the onset of a note to the start of its vibrato, seconds. Singers need 0.2 to 0.5 s to
/// reach the pitch, and begin the vibrato afterwards.
const DELAY_S: f32 = 0.3;
/// Time in which the vibrato grows to its full depth, seconds.
const GROWTH_S: f32 = 0.5;
/// Largest relative difference between the vibrato rate of a note and the rate of its patch. The
/// vibrato rates of singers range from 5.5 to 7.5 Hz (Sundberg, "The Science of the Singing Voice",
/// 1987).
const RATE_SPREAD: f32 = 0.1;
/// Phase difference between the vibratos of a voice's two oscillators, periods. The vibratos are
/// neither in phase nor in opposition, like those of two singers.
const OSCILLATOR_PHASE: f32 = 0.31;

/// The vibratos of eight voices, updated once per block. At 12 Hz and 100 cents, a single update
/// changes the pitch by 5 cents, which still sounds smooth.
#[derive(Clone, Debug)]
pub(super) struct Vibratos {
    /// Depth of the full vibrato to either side, octaves.
    depth: Lanes,
    /// Phase increment per frame, periods.
    rate: Lanes,
    /// Current phase of the vibrato, 0..1 periods.
    phase: Lanes,
    /// Current depth of the vibrato as a share of its full depth, at most 1. The value is negative
    /// before the vibrato begins.
    onset: Lanes,
    sample_rate_hz: f32,
}

impl Vibratos {
    pub(super) const fn new(sample_rate_hz: f32) -> Self {
        Self {
            depth: [0.0; LANES],
            rate: [0.0; LANES],
            phase: [0.0; LANES],
            onset: [0.0; LANES],
            sample_rate_hz,
        }
    }

    /// Starts the vibrato of a note. `phase`, 0..1, determines the initial phase and how far the
    /// rate differs from the patch. Real-time safe.
    pub(super) fn start(&mut self, lane: usize, patch: &Patch, phase: f32) {
        self.depth[lane] = patch.vibrato_cents / 1200.0;
        // The factor 7 makes the rate practically independent of the initial phase.
        let spread = 1.0 + RATE_SPREAD * (2.0 * (phase * 7.0).fract() - 1.0);
        self.rate[lane] = patch.vibrato_hz * spread / self.sample_rate_hz;
        self.phase[lane] = phase;
        self.onset[lane] = -DELAY_S / GROWTH_S;
    }

    /// Stops the vibrato of one voice. Real-time safe.
    pub(super) fn stop(&mut self, lane: usize) {
        self.depth[lane] = 0.0;
    }

    /// Advances by `frames`. Returns the factors for the frequencies of both oscillators, or `None`
    /// if no voice has vibrato. Real-time safe.
    #[inline(always)]
    pub(super) fn advance(&mut self, frames: usize) -> Option<[Lanes; 2]> {
        if self.depth == [0.0; LANES] {
            return None;
        }
        let frames = frames as f32;
        let growth = frames / (GROWTH_S * self.sample_rate_hz);
        let [mut first, mut second] = [[1.0; LANES]; 2];
        for l in 0..LANES {
            let onset = self.onset[l] + growth;
            self.onset[l] = if onset < 1.0 { onset } else { 1.0 };
            let phase = self.phase[l] + self.rate[l] * frames;
            self.phase[l] = if phase < 1.0 { phase } else { phase - 1.0 };
            let depth = self.depth[l] * positive(self.onset[l]);
            let other = self.phase[l] + OSCILLATOR_PHASE;
            first[l] = exp2(depth * cosine(self.phase[l]));
            second[l] = exp2(depth * cosine(if other < 1.0 { other } else { other - 1.0 }));
        }
        Some([first, second])
    }
}

#[cfg(test)]
mod tests {
    use super::{super::lanes::BLOCK, *};

    const RATE_HZ: f32 = 48_000.0;

    /// Pitch offset of the first oscillator, in cents, for each block within two seconds.
    fn cents(patch: &Patch, phase: f32) -> Vec<f32> {
        let mut vibratos = Vibratos::new(RATE_HZ);
        vibratos.start(4, patch, phase);
        (0..3000).map(|_| 1200.0 * vibratos.advance(BLOCK).unwrap()[0][4].log2()).collect()
    }

    #[test]
    fn vibrato_follows_delay_depth_and_rate() {
        let cents = cents(&Patch { vibrato_cents: 30.0, vibrato_hz: 5.0, ..Patch::default() }, 0.25);
        let block_s = BLOCK as f32 / RATE_HZ;
        let before = (0.29 / block_s) as usize;
        assert!(cents[..before].iter().all(|c| c.abs() < 0.1));
        let full = &cents[(0.81 / block_s) as usize..];
        let (low, high) = full.iter().fold((0.0_f32, 0.0_f32), |(low, high), &c| (low.min(c), high.max(c)));
        assert!((low + 30.0).abs() < 0.5 && (high - 30.0).abs() < 0.5, "{low} {high}");
        let crossings = full.windows(2).filter(|w| w[0] < 0.0 && w[1] >= 0.0).count();
        let hz = crossings as f32 / (full.len() as f32 * block_s);
        assert!((4.0..=6.0).contains(&hz), "{hz}");
    }

    #[test]
    fn two_notes_have_different_vibrato_phases() {
        let patch = Patch { vibrato_cents: 30.0, ..Patch::default() };
        let (a, b) = (cents(&patch, 0.1), cents(&patch, 0.55));
        let apart = a.iter().zip(&b).filter(|(a, b)| (*a - *b).abs() > 5.0).count();
        assert!(apart > a.len() / 4, "{apart}");
        assert_eq!(a, cents(&patch, 0.1));
    }

    #[test]
    fn zero_vibrato_depth_skips_the_work() {
        let mut vibratos = Vibratos::new(RATE_HZ);
        vibratos.start(0, &Patch::default(), 0.5);
        assert!(vibratos.advance(BLOCK).is_none());
    }
}
