//! Eight voices as one unit: oscillators, envelopes, filters, and their share of each bus.

use crate::music::Patch;

use super::envelope::{Envelopes, Fades};
use super::filter_note_cutoff;
use super::lanes::{BLOCK, LANES, LaneBlock, Lanes};
use super::oscillator::Oscillators;
use super::svf::Filters;

/// Buses a voice feeds: left, right, delay, reverb.
pub(super) const BUSES: usize = 4;

/// What the voices of all groups add up to, before the lanes are summed.
pub(super) type BusBlock = [LaneBlock; BUSES];

/// A note made ready for a lane.
#[derive(Clone, Copy, Debug)]
pub(super) struct Start {
    /// Its timbre, copied when the note was due.
    pub(super) patch: Patch,
    /// MIDI note number, 0..=127.
    pub(super) midi: u8,
    /// 0..=1.
    pub(super) velocity: f32,
    /// -1 ..=1.
    pub(super) pan: f32,
    /// Filter opening of this note alone, octaves, -3..=3.
    pub(super) brightness: f32,
    /// Frame of its release.
    pub(super) release_frame: u64,
    /// Phase of its oscillator, 0..1.
    pub(super) phase: f32,
}

/// Eight voices.
#[derive(Debug)]
pub(super) struct Group {
    pub(super) oscillators: Oscillators,
    pub(super) envelopes: Envelopes,
    pub(super) fades: Fades,
    filters: Filters,
    /// Gain to each bus, >= 0.
    gains: [Lanes; BUSES],
    sample_rate_hz: f32,
}

impl Group {
    pub(super) const fn new(sample_rate_hz: f32) -> Self {
        Self {
            oscillators: Oscillators::new(),
            envelopes: Envelopes::new(sample_rate_hz),
            fades: Fades::new(),
            filters: Filters::new(),
            gains: [[0.0; LANES]; BUSES],
            sample_rate_hz,
        }
    }

    /// Begins a note in a silent lane. Audio thread; no allocation.
    pub(super) fn start(&mut self, lane: usize, start: &Start) {
        let patch = &start.patch;
        let freq_hz = 440.0 * ((f32::from(start.midi) - 69.0) / 12.0).exp2();
        self.oscillators.start(lane, patch, freq_hz / self.sample_rate_hz, start.phase);
        self.envelopes.start(lane, patch);
        self.fades.reset(lane);
        let cutoff_hz = filter_note_cutoff(patch, start.midi, start.velocity) * start.brightness.exp2();
        self.filters.start(lane, cutoff_hz / self.sample_rate_hz, patch.resonance, patch.env_octaves);
        // Between linear and square: even steps of velocity are about even steps of loudness.
        let gain = start.velocity.powf(1.5) * 10_f32.powf(patch.gain_db / 20.0);
        // Equal power: left² + right² is the same at every pan.
        let angle = (start.pan + 1.0) * std::f32::consts::FRAC_PI_4;
        let gains =
            [angle.cos() * gain, angle.sin() * gain, patch.delay_send * gain, patch.reverb_send * gain];
        for (bus, value) in self.gains.iter_mut().zip(gains) {
            bus[lane] = value;
        }
    }

    /// Silences a lane at once. Audio thread; no allocation.
    pub(super) fn stop(&mut self, lane: usize) {
        self.oscillators.stop(lane);
        self.envelopes.stop(lane);
        self.fades.reset(lane);
        self.filters.start(lane, 0.1, 0.0, 0.0);
        for bus in &mut self.gains {
            bus[lane] = 0.0;
        }
    }

    /// Adds `frames` frames to the buses. Audio thread; no allocation.
    pub(super) fn render(&mut self, frames: usize, shift_octaves: f32, buses: &mut BusBlock, at: usize) {
        let mut block = [[0.0; LANES]; BLOCK];
        self.envelopes.update();
        self.oscillators.render(frames, &mut block);
        self.envelopes.apply(frames, &mut block);
        self.filters.apply(frames, self.envelopes.level(), shift_octaves, &mut block);
        self.fades.apply(frames, &mut block);
        let [left, right, delay, reverb] = buses;
        for (i, frame) in block[..frames].iter().enumerate() {
            for l in 0..LANES {
                let x = frame[l];
                left[at + i][l] += x * self.gains[0][l];
                right[at + i][l] += x * self.gains[1][l];
                delay[at + i][l] += x * self.gains[2][l];
                reverb[at + i][l] += x * self.gains[3][l];
            }
        }
    }

    /// Whether a lane's state is a number of sane size. Audio thread; no allocation.
    pub(super) fn sane(&self, lane: usize) -> bool {
        self.filters.sane(lane) && self.envelopes.level()[lane].is_finite()
    }
}
