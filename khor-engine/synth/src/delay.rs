//! Computes a stereo ping-pong delay. The echoes alternate between left and right, and gradually
//! lose high and low frequencies.

use super::{
    lanes::{BLOCK, flush, sanitize},
    ring,
};

/// Longest delay time, seconds.
const MAX_S: f32 = 1.0;
/// Gain of each echo relative to the previous one.
const FEEDBACK: f32 = 0.42;
/// Cutoff of the low-pass in the feedback loop, Hz.
const DAMP_HZ: f32 = 2400.0;
/// Cutoff of the high-pass in the feedback loop, Hz. It prevents low frequencies from accumulating.
const LOW_CUT_HZ: f32 = 180.0;
/// Time constant of a change of the delay time, seconds. During the change, the pitch of the echoes
/// glides.
const GLIDE_S: f32 = 0.25;
/// Time constant with which the glide starts, seconds. An abrupt change of pitch would sound like a
/// click.
const START_S: f32 = 0.03;

/// The delay lines of both channels. Memory is allocated once.
#[derive(Debug)]
pub(super) struct Delay {
    lines: [Vec<f32>; 2],
    write: usize,
    /// Current and target delay, frames. Both are f64, because f32 would lose the last small steps
    /// of a glide.
    frames: f64,
    target_frames: f64,
    /// Smoothed target delay, frames. It glides to `target_frames`, and `frames` in turn glides to
    /// it.
    aim_frames: f64,
    glide: f64,
    start: f64,
    damp: f32,
    low_cut: f32,
    /// States of the filters in the feedback loops of the two channels.
    low: [f32; 2],
    bass: [f32; 2],
    sample_rate_hz: f32,
}

impl Delay {
    pub(super) fn new(sample_rate_hz: f32) -> Self {
        let len = ((MAX_S * sample_rate_hz) as usize + 8).next_power_of_two();
        let pole = |hz: f32| 1.0 - (-std::f32::consts::TAU * hz / sample_rate_hz).exp();
        let rate = |tau_s: f32| 1.0 - (-1.0 / f64::from(tau_s * sample_rate_hz)).exp();
        Self {
            lines: [vec![0.0; len], vec![0.0; len]],
            write: 0,
            frames: f64::from(0.4 * sample_rate_hz),
            target_frames: f64::from(0.4 * sample_rate_hz),
            aim_frames: f64::from(0.4 * sample_rate_hz),
            glide: rate(GLIDE_S),
            start: rate(START_S),
            damp: pole(DAMP_HZ),
            low_cut: pole(LOW_CUT_HZ),
            low: [0.0; 2],
            bass: [0.0; 2],
            sample_rate_hz,
        }
    }

    /// Sets the delay time, 0.05..=1 seconds. Real-time safe.
    pub(super) fn set_time(&mut self, seconds: f32) {
        let seconds = if seconds.is_finite() { seconds.clamp(0.05, MAX_S) } else { 0.4 };
        self.target_frames = f64::from((seconds * self.sample_rate_hz).round());
    }

    /// Writes the echoes of `input` to `left` and `right`. Real-time safe.
    #[inline(always)]
    pub(super) fn render(&mut self, input: &[f32; BLOCK], left: &mut [f32; BLOCK], right: &mut [f32; BLOCK]) {
        // The shortest delay is longer than a block. So a whole block can be read before it is
        // written.
        [*left, *right] = self.read();
        // The left output feeds the right line, and the right output feeds the left line. So the
        // echoes change sides.
        let [mut to_right, mut to_left] = [*left, *right];
        self.tone(&mut to_right, &mut to_left);
        for i in 0..BLOCK {
            to_left[i] = flush(sanitize(input[i] + FEEDBACK * to_left[i]));
            to_right[i] = flush(sanitize(to_right[i]));
        }
        ring::write(&mut self.lines[0], self.write, &to_left);
        ring::write(&mut self.lines[1], self.write, &to_right);
        self.write = (self.write + BLOCK) & (self.lines[0].len() - 1);
    }

    /// Reads one block from both delay lines. Interpolates while the delay changes.
    #[inline(always)]
    fn read(&mut self) -> [[f32; BLOCK]; 2] {
        let mask = self.lines[0].len() - 1;
        let off = |frames: f64| (frames - self.target_frames).abs();
        if off(self.frames) < 0.02 && off(self.aim_frames) < 0.02 {
            (self.frames, self.aim_frames) = (self.target_frames, self.target_frames);
            // The delay no longer glides, so it is a whole number of frames.
            let at = self.write.wrapping_sub(self.target_frames as usize) & mask;
            return [ring::read(&self.lines[0], at), ring::read(&self.lines[1], at)];
        }
        self.read_gliding(mask)
    }

    /// Reads one block from both lines while the delay changes. Values between frames are
    /// interpolated.
    #[cold]
    fn read_gliding(&mut self, mask: usize) -> [[f32; BLOCK]; 2] {
        let mut out = [[0.0; BLOCK]; 2];
        for i in 0..BLOCK {
            self.aim_frames += self.glide * (self.target_frames - self.aim_frames);
            self.frames += self.start * (self.aim_frames - self.frames);
            let whole = self.frames as usize;
            let fraction = (self.frames - whole as f64) as f32;
            let newer = (self.write + i).wrapping_sub(whole) & mask;
            let older = newer.wrapping_sub(1) & mask;
            for (out, line) in out.iter_mut().zip(&self.lines) {
                out[i] = line[newer] + fraction * (line[older] - line[newer]);
            }
        }
        out
    }

    /// Attenuates high and low frequencies in both channels.
    #[inline(always)]
    fn tone(&mut self, left: &mut [f32; BLOCK], right: &mut [f32; BLOCK]) {
        let (damp, low_cut) = (self.damp, self.low_cut);
        let (damp_keep, low_cut_keep) = (1.0 - damp, 1.0 - low_cut);
        let (mut low, mut bass) = (self.low, self.bass);
        for (l, r) in left.iter_mut().zip(right) {
            // Both channels are processed in one loop, so that their dependency chains run in
            // parallel.
            for (side, x) in [l, r].into_iter().enumerate() {
                low[side] = damp_keep * low[side] + damp * *x;
                bass[side] = low_cut_keep * bass[side] + low_cut * low[side];
                *x = low[side] - bass[side];
            }
        }
        (self.low, self.bass) = (low, bass);
        for state in self.low.iter_mut().chain(&mut self.bass) {
            *state = flush(sanitize(*state));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn impulse_response(seconds: f32, frames: usize) -> (Vec<f32>, Vec<f32>) {
        let mut delay = Delay::new(48_000.0);
        delay.set_time(seconds);
        let (mut left, mut right) = (Vec::new(), Vec::new());
        // Waits until the delay time is constant, then sends one impulse.
        for block in 0..(240_000 + frames) / BLOCK {
            let mut input = [0.0; BLOCK];
            input[0] = f32::from(u8::from(block == 240_000 / BLOCK));
            let (mut l, mut r) = ([0.0; BLOCK], [0.0; BLOCK]);
            delay.render(&input, &mut l, &mut r);
            if block >= 240_000 / BLOCK {
                left.extend(l);
                right.extend(r);
            }
        }
        (left, right)
    }

    fn peak_at(samples: &[f32]) -> usize {
        (0..samples.len()).max_by(|&a, &b| samples[a].abs().total_cmp(&samples[b].abs())).unwrap()
    }

    #[test]
    fn repeats_alternate_left_and_right_on_time() {
        let (left, right) = impulse_response(0.25, 48_000);
        assert_eq!(peak_at(&left), 12_000);
        assert!((24_000..24_020).contains(&peak_at(&right)), "{}", peak_at(&right));
        assert!(right[..23_999].iter().all(|x| x.abs() < 1e-6));
    }

    #[test]
    fn repeats_decay_to_zero() {
        let (left, _) = impulse_response(0.06, 48_000 * 8);
        assert!(left[48_000 * 7..].iter().all(|&x| x == 0.0));
    }
}
