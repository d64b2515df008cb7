//! Computes state-variable filters for eight voices. Trapezoidal integration keeps them stable
//! under fast modulation (Zavalishin, "The Art of VA Filter Design", ch. 4; coefficients after
//! Simper, Cytomic 2013).

use khor_music::FilterMode;

use super::lanes::{LANES, LaneBlock, Lanes, exp2, flush, positive, tan_pi};

/// Highest cutoff, as a share of the sample rate.
const MAX_CUTOFF: f32 = 0.27;
/// Lowest cutoff, as a share of the sample rate.
const MIN_CUTOFF: f32 = 0.0004;

/// Eight filters. Their coefficients are interpolated within each block.
#[derive(Clone, Debug)]
pub(super) struct Filters {
    /// States of the two integrators in each filter.
    ic1: Lanes,
    ic2: Lanes,
    /// Coefficients at the end of the last block.
    b: [Lanes; 3],
    /// Damping of each filter, 1/Q, 0.125..=2.
    k: Lanes,
    /// Cutoff before modulation, stored as log2(cutoff / sample rate).
    log2_cutoff: Lanes,
    /// Shift of the filter cutoff when the envelope is 1, octaves.
    env_octaves: Lanes,
    /// Gains with which the input, the band-pass and the low-pass are added to the output.
    mix: [Lanes; 3],
    /// Whether all filters are low-pass filters. If so, the output is the low-pass alone and needs
    /// no mixing.
    plain: bool,
    /// Filters of notes that just started. Their first coefficients are set without interpolation.
    fresh: [bool; LANES],
}

impl Filters {
    pub(super) const fn new() -> Self {
        Self {
            ic1: [0.0; LANES],
            ic2: [0.0; LANES],
            b: [[0.0; LANES]; 3],
            k: [2.0; LANES],
            log2_cutoff: [-4.0; LANES],
            env_octaves: [0.0; LANES],
            mix: [[0.0; LANES], [0.0; LANES], [1.0; LANES]],
            plain: true,
            fresh: [true; LANES],
        }
    }

    /// Resets one filter. The cutoff is a share of the sample rate, and the resonance is 0..=1.
    /// Real-time safe.
    pub(super) fn start(
        &mut self,
        lane: usize,
        mode: FilterMode,
        cutoff: f32,
        resonance: f32,
        env_octaves: f32,
    ) {
        self.ic1[lane] = 0.0;
        self.ic2[lane] = 0.0;
        self.log2_cutoff[lane] = cutoff.clamp(1e-5, 1.0).log2();
        // A resonance of 0 to 1 corresponds to a Q of 0.5 to 8.
        self.k[lane] = 2.0 * (-4.0 * resonance.clamp(0.0, 1.0)).exp2();
        self.env_octaves[lane] = env_octaves;
        let damping = self.k[lane];
        // These outputs are Simper's, except that the band-pass is multiplied by the damping k.
        // Otherwise, its gain at the peak would be 1/k.
        let mix = match mode {
            FilterMode::Low => [0.0, 0.0, 1.0],
            FilterMode::Band => [0.0, damping, 0.0],
            FilterMode::High => [1.0, -damping, -1.0],
        };
        for (lanes, share) in self.mix.iter_mut().zip(mix) {
            lanes[lane] = share;
        }
        self.plain = self.mix[2] == [1.0; LANES];
        self.fresh[lane] = true;
    }

    /// Filters a block in place. `envelope`, 0..=1, and `shift_octaves` shift the cutoff. Real-time
    /// safe.
    #[inline(always)]
    pub(super) fn apply(
        &mut self,
        frames: usize,
        envelope: &Lanes,
        shift_octaves: f32,
        block: &mut LaneBlock,
    ) {
        if self.plain {
            self.run::<true>(frames, envelope, shift_octaves, block);
        } else {
            self.run::<false>(frames, envelope, shift_octaves, block);
        }
    }

    #[inline(always)]
    fn run<const PLAIN: bool>(
        &mut self,
        frames: usize,
        envelope: &Lanes,
        shift_octaves: f32,
        block: &mut LaneBlock,
    ) {
        let next = self.coefficients(envelope, shift_octaves);
        if self.fresh != [false; LANES] {
            self.jump(&next);
        }
        let share = 1.0 / frames.max(1) as f32;
        let mut slope = [[0.0; LANES]; 3];
        for (c, slope) in slope.iter_mut().enumerate() {
            for l in 0..LANES {
                slope[l] = (next[c][l] - self.b[c][l]) * share;
            }
        }
        let [mut b1, mut b2, mut b3] = self.b;
        let (mut ic1, mut ic2) = (self.ic1, self.ic2);
        let mix = self.mix;
        for frame in &mut block[..frames] {
            for l in 0..LANES {
                b1[l] += slope[0][l];
                b2[l] += slope[1][l];
                b3[l] += slope[2][l];
                let x = frame[l];
                // This form of Simper's update avoids his intermediate values v1 and v2. So the
                // dependency chain from one state to the next is half as long.
                let next1 = b1[l] * ic1[l] + (b2[l] * x - b2[l] * ic2[l]);
                let next2 = (ic2[l] - b3[l] * ic2[l]) + (b2[l] * ic1[l] + b3[l] * x);
                let low = 0.5 * (next2 + ic2[l]);
                frame[l] = if PLAIN {
                    low
                } else {
                    let band = 0.5 * (next1 + ic1[l]);
                    mix[0][l] * x + mix[1][l] * band + mix[2][l] * low
                };
                ic1[l] = next1;
                ic2[l] = next2;
            }
        }
        self.b = next;
        self.ic1 = ic1.map(flush);
        self.ic2 = ic2.map(flush);
    }

    /// Sets the coefficients of filters whose notes just started.
    #[cold]
    fn jump(&mut self, next: &[Lanes; 3]) {
        for (lane, fresh) in self.fresh.iter_mut().enumerate() {
            if std::mem::take(fresh) {
                (0..3).for_each(|c| self.b[c][lane] = next[c][lane]);
            }
        }
    }

    /// Computes the coefficients for the current envelope and shift. In Simper's notation, they are
    /// 2 a1 - 1, 2 a2 and 2 a3.
    #[inline(always)]
    fn coefficients(&self, envelope: &Lanes, shift_octaves: f32) -> [Lanes; 3] {
        let mut b = [[0.0; LANES]; 3];
        for l in 0..LANES {
            let octaves = self.log2_cutoff[l] + self.env_octaves[l] * envelope[l] + shift_octaves;
            let above = positive(exp2(octaves) - MIN_CUTOFF) + MIN_CUTOFF;
            let g = tan_pi(if above < MAX_CUTOFF { above } else { MAX_CUTOFF });
            let a1 = 1.0 / (1.0 + g * (g + self.k[l]));
            b[0][l] = 2.0 * a1 - 1.0;
            b[1][l] = 2.0 * g * a1;
            b[2][l] = g * b[1][l];
        }
        b
    }

    /// Whether the state of one filter is finite and within normal limits. Real-time safe.
    pub(super) fn is_valid(&self, lane: usize) -> bool {
        self.ic1[lane].abs() < 64.0 && self.ic2[lane].abs() < 64.0
    }
}

#[cfg(test)]
mod tests {
    use super::{super::lanes::BLOCK, *};

    const RATE_HZ: f32 = 48_000.0;

    /// Amplitude that a sine has after the filter.
    fn response(mode: FilterMode, cutoff_hz: f32, resonance: f32, freq_hz: f32) -> f32 {
        let mut filters = Filters::new();
        filters.start(0, mode, cutoff_hz / RATE_HZ, resonance, 0.0);
        let mut peak = 0.0_f32;
        for block in 0..1500 {
            let mut lanes = [[0.0; LANES]; BLOCK];
            for (i, frame) in lanes.iter_mut().enumerate() {
                let t = (block * BLOCK + i) as f64 / f64::from(RATE_HZ);
                frame[0] = (std::f64::consts::TAU * f64::from(freq_hz) * t).sin() as f32;
            }
            filters.apply(BLOCK, &[0.0; LANES], 0.0, &mut lanes);
            if block > 750 {
                peak = lanes.iter().fold(peak, |p, frame| p.max(frame[0].abs()));
            }
        }
        peak
    }

    fn db(x: f32) -> f32 {
        20.0 * x.log10()
    }

    #[test]
    fn low_pass_falls_12_db_per_octave() {
        let resonance = 0.125; // Q = 0.5 * 16^0.125 = 0.7071
        for cutoff_hz in [200.0, 1000.0, 5000.0] {
            assert!(
                (db(response(FilterMode::Low, cutoff_hz, resonance, cutoff_hz)) + 3.0).abs() < 0.15,
                "{cutoff_hz}"
            );
            assert!(db(response(FilterMode::Low, cutoff_hz, resonance, cutoff_hz / 10.0)).abs() < 0.1);
        }
        let octaves = db(response(FilterMode::Low, 500.0, resonance, 2000.0))
            - db(response(FilterMode::Low, 500.0, resonance, 4000.0));
        assert!((octaves - 12.0).abs() < 0.7, "{octaves}");
    }

    #[test]
    fn band_pass_falls_6_db_per_octave() {
        for resonance in [0.0, 0.125, 0.5, 1.0] {
            for centre_hz in [200.0, 1000.0, 5000.0] {
                let peak = db(response(FilterMode::Band, centre_hz, resonance, centre_hz));
                assert!(peak.abs() < 0.15, "{centre_hz} Hz, resonance {resonance}: {peak}");
            }
        }
        let below = |hz| db(response(FilterMode::Band, 4000.0, 0.5, hz));
        assert!((below(500.0) - below(250.0) - 6.0).abs() < 0.2);
    }

    #[test]
    fn the_high_pass_mirrors_the_low_pass() {
        let high = |hz| db(response(FilterMode::High, 2000.0, 0.125, hz));
        assert!((high(2000.0) + 3.0).abs() < 0.15 && high(11_000.0).abs() < 0.1);
        assert!((high(250.0) - high(125.0) - 12.0).abs() < 0.3);
    }

    #[test]
    fn filter_lanes_have_independent_modes() {
        let run = |others: FilterMode| {
            let mut filters = Filters::new();
            (1..LANES).for_each(|lane| filters.start(lane, others, 0.1, 0.2, 0.0));
            filters.start(0, FilterMode::Low, 0.05, 0.3, 0.0);
            let mut lanes = [[0.5; LANES]; BLOCK];
            filters.apply(BLOCK, &[0.0; LANES], 0.0, &mut lanes);
            lanes.map(|frame| frame[0])
        };
        assert_eq!(run(FilterMode::Low), run(FilterMode::High));
    }

    #[test]
    fn extreme_modulation_stays_bounded() {
        let mut filters = Filters::new();
        let modes = [FilterMode::Low, FilterMode::Band, FilterMode::High];
        for lane in 0..LANES {
            filters.start(lane, modes[lane % 3], 0.05, 0.6, 4.0);
        }
        let mut state = 1_u32;
        for _ in 0..20_000 {
            let mut noise = || {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                (state >> 8) as f32 / (1 << 24) as f32
            };
            let mut lanes = [[0.0; LANES]; BLOCK];
            for value in lanes.iter_mut().flatten() {
                *value = 2.0 * noise() - 1.0;
            }
            let envelope = [0; LANES].map(|_| noise());
            let shift = 6.0 * noise() - 3.0;
            filters.apply(BLOCK, &envelope, shift, &mut lanes);
            assert!(lanes.iter().flatten().all(|x| x.abs() < 16.0));
        }
    }
}
