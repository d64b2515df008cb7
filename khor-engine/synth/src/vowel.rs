//! Defines the formants of the vowels u, o, a and e, and interpolates between them.

/// Number of formants (resonances) of a vowel.
pub(super) const FORMANTS: usize = 5;

/// The formants of one vowel.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Vowel {
    /// Centre frequency of each formant, Hz.
    pub(super) freq_hz: [f32; FORMANTS],
    /// Level of each formant relative to the first formant, dB.
    pub(super) gain_db: [f32; FORMANTS],
    /// Bandwidth of each formant, Hz, between the points at -3 dB.
    pub(super) width_hz: [f32; FORMANTS],
    /// Gain of the vowel, dB. It makes a saw-wave chord equally loud with and without the vowel
    /// filter (K-weighted, ITU-R BS.1770). A test of the synth checks this.
    pub(super) makeup_db: f32,
}

/// The vowels u, o, a and e of a tenor, from "Formant Values", an appendix of the Canonical Csound
/// Reference Manual. The tenor is in the middle of the four voice types, so these formants suit
/// both a bass line and a soprano line.
const TENOR: [Vowel; 4] = [
    Vowel {
        freq_hz: [350.0, 600.0, 2700.0, 2900.0, 3300.0],
        gain_db: [0.0, -20.0, -17.0, -14.0, -26.0],
        width_hz: [40.0, 60.0, 100.0, 120.0, 120.0],
        makeup_db: 6.8,
    },
    Vowel {
        freq_hz: [400.0, 800.0, 2600.0, 2800.0, 3000.0],
        gain_db: [0.0, -10.0, -12.0, -12.0, -26.0],
        width_hz: [40.0, 80.0, 100.0, 120.0, 120.0],
        makeup_db: 7.8,
    },
    Vowel {
        freq_hz: [650.0, 1080.0, 2650.0, 2900.0, 3250.0],
        gain_db: [0.0, -6.0, -7.0, -8.0, -22.0],
        width_hz: [80.0, 90.0, 120.0, 130.0, 140.0],
        makeup_db: 9.4,
    },
    Vowel {
        freq_hz: [400.0, 1700.0, 2600.0, 3200.0, 3580.0],
        gain_db: [0.0, -14.0, -12.0, -14.0, -20.0],
        width_hz: [70.0, 80.0, 100.0, 120.0, 120.0],
        makeup_db: 5.8,
    },
];

impl Vowel {
    /// The vowel at `position`, from 0 (u) to 1 (e). Frequencies and bandwidths are interpolated
    /// logarithmically, and levels linearly in dB. Real-time safe.
    pub(super) fn at(position: f32) -> Self {
        let place = position.clamp(0.0, 1.0) * (TENOR.len() - 1) as f32;
        let from = (place as usize).min(TENOR.len() - 2);
        let (a, b, share) = (&TENOR[from], &TENOR[from + 1], place - from as f32);
        let even = |a: f32, b: f32| a + share * (b - a);
        let each = |a: &[f32; FORMANTS], b: &[f32; FORMANTS], between: &dyn Fn(f32, f32) -> f32| {
            std::array::from_fn(|f| between(a[f], b[f]))
        };
        let by_log = |a: f32, b: f32| a * (b / a).powf(share);
        Self {
            freq_hz: each(&a.freq_hz, &b.freq_hz, &by_log),
            gain_db: each(&a.gain_db, &b.gain_db, &even),
            width_hz: each(&a.width_hz, &b.width_hz, &by_log),
            makeup_db: even(a.makeup_db, b.makeup_db),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn vowel_positions_interpolate_logarithmically() {
        for (n, vowel) in TENOR.iter().enumerate() {
            let at = Vowel::at(n as f32 / 3.0);
            assert!((at.freq_hz[1] / vowel.freq_hz[1] - 1.0).abs() < 1e-3, "{n}");
            assert!((at.makeup_db - vowel.makeup_db).abs() < 1e-3, "{n}");
        }
        let between = Vowel::at(0.5).freq_hz[1];
        assert!((between - (800.0_f32 * 1080.0).sqrt()).abs() < 0.5, "{between}");
        assert_eq!(Vowel::at(-1.0), TENOR[0]);
        assert_eq!(Vowel::at(2.0).freq_hz, Vowel::at(1.0).freq_hz);
    }

    #[test]
    fn the_vowel_morph_is_continuous() {
        for n in 0..1000 {
            let (a, b) = (Vowel::at(n as f32 / 1000.0), Vowel::at((n + 1) as f32 / 1000.0));
            assert!(a.freq_hz.iter().zip(&b.freq_hz).all(|(a, b)| (b / a).log2().abs() < 0.01), "{n}");
        }
    }
}
