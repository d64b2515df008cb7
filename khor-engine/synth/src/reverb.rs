//! Computes the reverb. Four all-pass diffusers are followed by a feedback delay network of eight
//! damped lines (Jot & Chaigne 1991; Hadamard feedback; diffusers as in Dattorro 1997).

use super::{
    lanes::{BLOCK, LANES, Lanes, flush, sanitize},
    ring,
};

/// Lengths of the delay lines in frames at 48 kHz. They are mutually prime and correspond to 30 to
/// 60 ms.
const LINES_48K: [usize; LANES] = [1433, 1601, 1867, 2053, 2251, 2399, 2617, 2797];
/// Lengths of the diffusers, frames at 48 kHz.
const DIFFUSERS_48K: [usize; 4] = [229, 173, 613, 449];
/// Gain of the diffusers, which are all-pass filters.
const DIFFUSION: f32 = 0.65;
/// Time in which low frequencies decay by 60 dB, seconds.
const DECAY_S: f32 = 2.6;
/// Cutoff of the low-pass in each line, Hz. It makes high frequencies decay faster, as in a room
/// with people in it.
const DAMP_HZ: f32 = 3200.0;
/// Scale factor of the orthonormal Hadamard transform of eight lines, 1/sqrt(8).
const NORM: f32 = 0.353_553_4;
/// Sign with which the input is added to each line. Lines with even indices feed the left channel,
/// and lines with odd indices the right channel. So the two channels hardly correlate.
const INPUT_SIGNS: Lanes = [1.0, -1.0, 1.0, 1.0, -1.0, 1.0, -1.0, -1.0];

/// A delay line. Its oldest block is read and then replaced.
#[derive(Debug)]
struct Line {
    ring: Vec<f32>,
    at: usize,
}

impl Line {
    fn new(frames: usize) -> Self {
        Self { ring: vec![0.0; frames.max(BLOCK)], at: 0 }
    }

    /// Reads the oldest block. Real-time safe.
    #[inline(always)]
    fn read(&self) -> [f32; BLOCK] {
        ring::read(&self.ring, self.at)
    }

    /// Replaces the oldest block with `block`. Real-time safe.
    #[inline(always)]
    fn write(&mut self, block: &[f32; BLOCK]) {
        ring::write(&mut self.ring, self.at, block);
        self.at += BLOCK;
        if self.at >= self.ring.len() {
            self.at -= self.ring.len();
        }
    }
}

/// The state of the reverb. Memory is allocated once.
#[derive(Debug)]
pub(super) struct Reverb {
    diffusers: [Line; 4],
    lines: [Line; LANES],
    /// Gain of each line. It depends on the length of the line and on the decay time.
    gain: Lanes,
    /// State of each line's low-pass. The line's gain has already been applied to it.
    low: Lanes,
    damp: f32,
}

impl Reverb {
    pub(super) fn new(sample_rate_hz: f32) -> Self {
        let scale = |frames: usize| (frames as f32 * sample_rate_hz / 48_000.0).round() as usize | 1;
        let lines = LINES_48K.map(|frames| Line::new(scale(frames)));
        let gain = std::array::from_fn(|l| {
            10_f32.powf(-3.0 * lines[l].ring.len() as f32 / (sample_rate_hz * DECAY_S))
        });
        Self {
            diffusers: DIFFUSERS_48K.map(|frames| Line::new(scale(frames))),
            lines,
            gain,
            low: [0.0; LANES],
            damp: 1.0 - (-std::f32::consts::TAU * DAMP_HZ / sample_rate_hz).exp(),
        }
    }

    /// Writes the reverb of `input` to `left` and `right`. Real-time safe.
    #[inline(always)]
    pub(super) fn render(&mut self, input: &[f32; BLOCK], left: &mut [f32; BLOCK], right: &mut [f32; BLOCK]) {
        let mut diffuse = *input;
        for line in &mut self.diffusers {
            all_pass(line, &mut diffuse);
        }
        let mut taps: [_; LANES] = std::array::from_fn(|n| self.lines[n].read());
        self.damp(&mut taps);
        feed_back(&mut taps, &diffuse, left, right);
        for (line, tap) in self.lines.iter_mut().zip(&taps) {
            line.write(tap);
        }
    }

    /// Applies the low-pass and the gain of each line.
    #[inline(always)]
    fn damp(&mut self, taps: &mut [[f32; BLOCK]; LANES]) {
        let (gain, keep) = (self.gain.map(|gain| self.damp * gain), 1.0 - self.damp);
        let mut low = self.low;
        // The outer loop runs over frames, so that the recursions of the eight lines run in
        // parallel.
        for i in 0..BLOCK {
            for (n, tap) in taps.iter_mut().enumerate() {
                low[n] = keep * low[n] + gain[n] * tap[i];
                tap[i] = low[n];
            }
        }
        self.low = low.map(|state| flush(sanitize(state)));
    }
}

/// Computes the left and right output from the lines' outputs. Also computes the next input of each
/// line from all outputs and from `fed`.
#[inline(always)]
fn feed_back(
    taps: &mut [[f32; BLOCK]; LANES],
    fed: &[f32; BLOCK],
    left: &mut [f32; BLOCK],
    right: &mut [f32; BLOCK],
) {
    let [t0, t1, t2, t3, t4, t5, t6, t7] = taps;
    // A single pass over the block is enough, because the registers can hold one vector for each of
    // the eight lines.
    for i in 0..BLOCK {
        let outputs = [t0[i], t1[i], t2[i], t3[i], t4[i], t5[i], t6[i], t7[i]];
        left[i] = outputs[0] - outputs[2] + outputs[4] - outputs[6];
        right[i] = outputs[1] - outputs[3] + outputs[5] - outputs[7];
        let mixed = hadamard(outputs);
        let next = |n: usize| flush(sanitize(mixed[n] + INPUT_SIGNS[n] * fed[i]));
        (t0[i], t1[i], t2[i], t3[i]) = (next(0), next(1), next(2), next(3));
        (t4[i], t5[i], t6[i], t7[i]) = (next(4), next(5), next(6), next(7));
    }
}

/// Applies a Schroeder all-pass to a block. The delay line must be at least as long as a block.
#[inline(always)]
fn all_pass(line: &mut Line, block: &mut [f32; BLOCK]) {
    let mut delayed = line.read();
    for (x, d) in block.iter_mut().zip(&mut delayed) {
        let fed = flush(sanitize(*x + DIFFUSION * *d));
        *x = *d - DIFFUSION * fed;
        *d = fed;
    }
    line.write(&delayed);
}

/// Orthonormal Hadamard transform of eight lines. Every output depends on every input, and the
/// total energy is preserved.
#[inline(always)]
fn hadamard(lines: Lanes) -> Lanes {
    // The code is unrolled, because the compiler would not vectorise loops over the lines.
    let x = lines;
    let y = [
        x[0] + x[1],
        x[0] - x[1],
        x[2] + x[3],
        x[2] - x[3],
        x[4] + x[5],
        x[4] - x[5],
        x[6] + x[7],
        x[6] - x[7],
    ];
    let z = [
        y[0] + y[2],
        y[1] + y[3],
        y[0] - y[2],
        y[1] - y[3],
        y[4] + y[6],
        y[5] + y[7],
        y[4] - y[6],
        y[5] - y[7],
    ];
    let w = [
        z[0] + z[4],
        z[1] + z[5],
        z[2] + z[6],
        z[3] + z[7],
        z[0] - z[4],
        z[1] - z[5],
        z[2] - z[6],
        z[3] - z[7],
    ];
    w.map(|x| x * NORM)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn impulse_response(seconds: usize) -> Vec<[f32; 2]> {
        let mut reverb = Reverb::new(48_000.0);
        let mut out = Vec::new();
        for block in 0..seconds * 48_000 / BLOCK {
            let mut input = [0.0; BLOCK];
            input[0] = f32::from(u8::from(block == 0));
            let (mut l, mut r) = ([0.0; BLOCK], [0.0; BLOCK]);
            reverb.render(&input, &mut l, &mut r);
            out.extend(l.iter().zip(r).map(|(&l, r)| [l, r]));
        }
        out
    }

    fn energy_db(frames: &[[f32; 2]]) -> f32 {
        10.0 * frames.iter().flatten().map(|x| x * x).sum::<f32>().log10()
    }

    #[test]
    fn the_reverb_decays_to_exact_zeros() {
        let response = impulse_response(20);
        let early = energy_db(&response[4800..9600]);
        let late = energy_db(&response[52_800..57_600]); // one second later
        let decay_s = 60.0 / (early - late);
        // At high frequencies, the damping shortens the decay, so the whole sound decays faster
        // than the low frequencies do.
        assert!((1.0..2.7).contains(&decay_s), "{decay_s}");
        assert!(response[19 * 48_000..].iter().flatten().all(|&x| x == 0.0));
    }

    #[test]
    fn reverb_sides_are_uncorrelated() {
        let response = impulse_response(2);
        let (mut both, mut one, mut other) = (0.0, 0.0, 0.0);
        for [l, r] in &response[4800..] {
            both += l * r;
            one += l * l;
            other += r * r;
        }
        assert!((both / (one * other).sqrt()).abs() < 0.2);
    }

    #[test]
    fn the_feedback_matrix_preserves_energy() {
        let lines = [0.3, -0.2, 0.9, 0.1, -0.7, 0.4, 0.05, -0.6];
        let energy = |lines: &Lanes| lines.iter().map(|x| x * x).sum::<f32>();
        assert!((energy(&lines) - energy(&hadamard(lines))).abs() < 1e-5);
    }
}
