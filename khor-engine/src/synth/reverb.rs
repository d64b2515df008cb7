//! Reverb: four all-pass diffusers into a feedback delay network of eight damped lines
//! (Jot & Chaigne 1991; Hadamard feedback; diffusers as in Dattorro 1997).

use super::lanes::{BLOCK, LANES, Lanes, contain, flush};

/// Line lengths, frames at 48 kHz: mutually prime, 30 to 60 ms.
const LINES_48K: [usize; LANES] = [1433, 1601, 1867, 2053, 2251, 2399, 2617, 2797];
/// Diffuser lengths, frames at 48 kHz.
const DIFFUSERS_48K: [usize; 4] = [229, 173, 613, 449];
/// All-pass gain of the diffusers.
const DIFFUSION: f32 = 0.65;
/// Time to fall by 60 dB at low frequencies, seconds.
const DECAY_S: f32 = 2.6;
/// Low-pass in each line, Hz: highs fall faster, as in a room with people.
const DAMP_HZ: f32 = 3200.0;
/// Signs with which the lines are fed; even lines are heard left and odd ones right, so they share little.
const IN: Lanes = [1.0, -1.0, 1.0, 1.0, -1.0, 1.0, -1.0, -1.0];

/// A ring read and written a block at a time; its length is at least a block.
#[derive(Debug)]
struct Line {
    ring: Vec<f32>,
    at: usize,
}

impl Line {
    fn new(frames: usize) -> Self {
        Self { ring: vec![0.0; frames.max(BLOCK)], at: 0 }
    }

    /// The block written one length ago. Audio thread; no allocation.
    #[inline(always)]
    fn read(&self, out: &mut [f32; BLOCK]) {
        let first = (self.ring.len() - self.at).min(BLOCK);
        out[..first].copy_from_slice(&self.ring[self.at..][..first]);
        out[first..].copy_from_slice(&self.ring[..BLOCK - first]);
    }

    /// Replaces the block just read. Audio thread; no allocation.
    #[inline(always)]
    fn write(&mut self, block: &[f32; BLOCK]) {
        let first = (self.ring.len() - self.at).min(BLOCK);
        self.ring[self.at..][..first].copy_from_slice(&block[..first]);
        self.ring[..BLOCK - first].copy_from_slice(&block[first..]);
        self.at = (self.at + BLOCK) % self.ring.len();
    }
}

/// The room. Memory is allocated once.
#[derive(Debug)]
pub(super) struct Reverb {
    diffusers: [Line; 4],
    lines: [Line; LANES],
    /// Gain per pass of each line, from its length and the decay time.
    gain: Lanes,
    /// Low-pass state of each line.
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

    /// The room's answer to `input`, left and right. Audio thread; no allocation.
    #[inline(always)]
    pub(super) fn render(&mut self, input: &[f32; BLOCK], left: &mut [f32; BLOCK], right: &mut [f32; BLOCK]) {
        let mut diffuse = *input;
        for line in &mut self.diffusers {
            all_pass(line, &mut diffuse);
        }
        let mut taps = [[0.0; BLOCK]; LANES];
        for (line, tap) in self.lines.iter().zip(&mut taps) {
            line.read(tap);
        }
        self.damp(&mut taps);
        for i in 0..BLOCK {
            left[i] = taps[0][i] - taps[2][i] + taps[4][i] - taps[6][i];
            right[i] = taps[1][i] - taps[3][i] + taps[5][i] - taps[7][i];
        }
        hadamard(&mut taps);
        for (tap, sign) in taps.iter_mut().zip(IN) {
            for (x, fed) in tap.iter_mut().zip(&diffuse) {
                *x = flush(contain(*x + sign * fed));
            }
        }
        for (line, tap) in self.lines.iter_mut().zip(&taps) {
            line.write(tap);
        }
        for state in &mut self.low {
            *state = flush(contain(*state));
        }
    }

    /// Low-pass and decay of each line.
    #[inline(always)]
    fn damp(&mut self, taps: &mut [[f32; BLOCK]; LANES]) {
        // Frame by frame, so that the eight recursions run side by side.
        for i in 0..BLOCK {
            for (n, tap) in taps.iter_mut().enumerate() {
                self.low[n] += self.damp * (tap[i] - self.low[n]);
                tap[i] = self.low[n] * self.gain[n];
            }
        }
    }
}

/// Schroeder all-pass over a block no longer than the line.
#[inline(always)]
fn all_pass(line: &mut Line, block: &mut [f32; BLOCK]) {
    let mut delayed = [0.0; BLOCK];
    line.read(&mut delayed);
    for (x, d) in block.iter_mut().zip(&mut delayed) {
        let fed = flush(contain(*x + DIFFUSION * *d));
        *x = *d - DIFFUSION * fed;
        *d = fed;
    }
    line.write(&delayed);
}

/// Orthonormal Hadamard transform across the lines: mixes every line into every other without loss.
#[inline(always)]
fn hadamard(lines: &mut [[f32; BLOCK]; LANES]) {
    for half in [1, 2, 4] {
        for n in (0..LANES).filter(|n| n & half == 0) {
            let (a, b) = (lines[n], lines[n + half]);
            lines[n] = std::array::from_fn(|i| a[i] + b[i]);
            lines[n + half] = std::array::from_fn(|i| a[i] - b[i]);
        }
    }
    for x in lines.iter_mut().flatten() {
        *x *= 0.353_553_4; // 1/sqrt(8)
    }
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
    fn it_decays_at_about_its_time_and_ends_in_true_silence() {
        let response = impulse_response(20);
        let early = energy_db(&response[4800..9600]);
        let late = energy_db(&response[52_800..57_600]); // one second later
        let decay_s = 60.0 / (early - late);
        // The damping makes the whole fall faster than the low end.
        assert!((1.0..2.7).contains(&decay_s), "{decay_s}");
        assert!(response[19 * 48_000..].iter().flatten().all(|&x| x == 0.0));
    }

    #[test]
    fn left_and_right_differ() {
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
    fn the_feedback_neither_gains_nor_loses() {
        let mut lines = [0.3, -0.2, 0.9, 0.1, -0.7, 0.4, 0.05, -0.6].map(|x| [x; BLOCK]);
        let energy = |lines: &[[f32; BLOCK]; LANES]| lines.iter().map(|line| line[5] * line[5]).sum::<f32>();
        let before = energy(&lines);
        hadamard(&mut lines);
        assert!((before - energy(&lines)).abs() < 1e-5);
    }
}
