//! The synth as a whole: schedule notes, set parameters, render frames.

use crate::music::{Controls, Instrument, Patch};

use super::bank::{Bank, VOICES};
use super::choir::{Choir, Sums};
use super::delay::Delay;
use super::group::{BUSES, BusBlock, Buses, Start};
use super::lanes::{BLOCK, LANES, contain};
use super::limiter::{LATENCY_FRAMES, Limiter, highest};
use super::master::{DcBlock, Glide, Mute};
use super::queue::{NoteQueue, SynthNote};
use super::reverb::Reverb;
use super::wide::Wide;

/// Reverb and delay returns at full control, linear.
const REVERB_RETURN: f32 = 0.9;
const DELAY_RETURN: f32 = 0.9;
/// Octaves between neutral and full brightness.
const BRIGHTNESS_OCTAVES: f32 = 1.5;
/// Gain of the master at setting 1: with the default setting 0.5 the built-in presets' beds are at -23 LUFS.
const MASTER_AT_FULL: f32 = 2.0;

/// Integrated loudness of the built-in presets' beds as they are written, LUFS.
const PRESETS_LUFS: f32 = -23.0;

/// How loud all of it is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Volume {
    /// Linear amplitude, 0..=1; 0.5 is as loud as `loudness_lufs` says.
    pub master_gain: f32,
    /// Loudness of an idle machine's music, LUFS, -23..=-11: quiet enough to be forgotten at -23 (EBU R 128), as loud
    /// as music players and streams are at -18 and -16. The limiter holds what stands out.
    pub loudness_lufs: f32,
}

impl Default for Volume {
    fn default() -> Self {
        Self { master_gain: 0.5, loudness_lufs: PRESETS_LUFS }
    }
}

/// What the synth tells about itself.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Meter {
    /// Highest output magnitude since the last call, linear, 0..=1.
    pub peak: f32,
    /// Voices that sound, 0..=24.
    pub active_voices: u32,
    /// Voices stolen since the start.
    pub stolen: u64,
    /// Notes dropped since the start because the queue was full or no voice could be stolen.
    pub dropped: u64,
}

/// 24 voices and their effects. All memory is allocated by [`Synth::new`]; every other method may be called on
/// the audio thread and neither allocates, locks, logs nor enters the kernel.
#[derive(Debug)]
pub struct Synth {
    queue: NoteQueue,
    bank: Bank,
    patches: [Patch; Instrument::ALL.len()],
    choir: Choir,
    delay: Delay,
    reverb: Reverb,
    /// Cutoff shift, octaves.
    brightness: Glide,
    delay_return: Glide,
    reverb_return: Glide,
    master: Glide,
    dc: DcBlock,
    limiter: Limiter,
    mute: Mute,
    buses: Box<Buses>,
    /// The last computed block and how much of it has been given out.
    ready: [[f32; BLOCK]; 2],
    given: usize,
    /// First frame of the next block to be computed.
    next_block: u64,
    /// State of the phase generator.
    phase: u32,
    peak: f32,
    pub(super) wide: Wide,
}

impl Synth {
    /// Allocates a synth at default patches, controls and master gain (0.5), unmuted.
    /// `sample_rate_hz` is brought within 8000..=192000. Not for the audio thread.
    pub fn new(sample_rate_hz: u32, seed: u64) -> Self {
        let rate = sample_rate_hz.clamp(8000, 192_000) as f32;
        let controls = Controls::default();
        let mut synth = Self {
            queue: NoteQueue::new(),
            bank: Bank::new(rate),
            patches: [Patch::default(); Instrument::ALL.len()],
            choir: Choir::new(controls.vowel, rate),
            delay: Delay::new(rate),
            reverb: Reverb::new(rate),
            brightness: Glide::new(0.0, rate),
            delay_return: Glide::new(controls.delay * DELAY_RETURN, rate),
            reverb_return: Glide::new(controls.reverb * REVERB_RETURN, rate),
            master: Glide::new(0.5 * MASTER_AT_FULL, rate),
            dc: DcBlock::new(rate),
            limiter: Limiter::new(rate),
            mute: Mute::new(rate),
            buses: Box::new(Buses::SILENT),
            ready: [[0.0; BLOCK]; 2],
            given: BLOCK,
            next_block: 0,
            phase: (seed ^ (seed >> 32)) as u32,
            peak: 0.0,
            wide: Wide::detect(),
        };
        synth.set_controls(controls);
        synth
    }

    /// Sets the timbres, in the order of [`Instrument::ALL`]. Sounding notes keep theirs. Audio thread; no allocation.
    pub fn set_patches(&mut self, patches: [Patch; Instrument::ALL.len()]) {
        self.patches = patches;
    }

    /// Sets one timbre. Sounding notes keep theirs. Audio thread; no allocation.
    pub fn set_patch(&mut self, instrument: Instrument, patch: Patch) {
        self.patches[instrument.index()] = patch;
    }

    /// Queues a note; dropped and counted when 512 wait already. Audio thread; no allocation.
    pub fn schedule(&mut self, note: SynthNote) {
        self.queue.push(note);
    }

    /// Sets the continuous parameters; they glide. Audio thread; no allocation.
    pub fn set_controls(&mut self, controls: Controls) {
        let Controls { brightness, reverb, delay, echo_s, vowel } = controls;
        self.brightness.set((brightness.clamp(0.0, 1.0) - 0.5) * 2.0 * BRIGHTNESS_OCTAVES);
        self.reverb_return.set(reverb.clamp(0.0, 1.0) * REVERB_RETURN);
        self.delay_return.set(delay.clamp(0.0, 1.0) * DELAY_RETURN);
        self.delay.set_time(echo_s);
        self.choir.set_vowel(vowel);
    }

    /// Sets how loud all of it is; it glides. Not-a-number is ignored. Audio thread; no allocation.
    pub fn set_volume(&mut self, volume: Volume) {
        let Volume { master_gain, loudness_lufs } = volume;
        let louder_db = (loudness_lufs - PRESETS_LUFS).clamp(0.0, 12.0);
        self.master.set(master_gain.clamp(0.0, 1.0) * MASTER_AT_FULL * 10_f32.powf(louder_db / 20.0));
    }

    /// Mutes or unmutes with a fade of 20 ms. The music goes on underneath. Audio thread; no allocation.
    pub fn set_muted(&mut self, muted: bool) {
        self.mute.set(muted);
    }

    /// Lets at most so many voices sound, 1..=24; of more that sound the least missed fade within 5 ms. For a
    /// processor that is too slow for all. Audio thread; no allocation.
    pub fn set_voice_limit(&mut self, voices: u32) {
        self.bank.set_limit(voices as usize);
    }

    /// Voices there are.
    pub const VOICES: u32 = VOICES as u32;

    /// Forgets waiting notes and fades sounding ones within 12 ms; delay and reverb ring out.
    /// Audio thread; no allocation.
    pub fn all_notes_off(&mut self) {
        self.queue.clear();
        self.bank.all_off();
    }

    /// The next frame to be rendered; a note scheduled here sounds [`Self::LATENCY_FRAMES`] later.
    pub fn frame(&self) -> u64 {
        self.next_block - (BLOCK - self.given) as u64
    }

    /// Frames between a note's onset and its sound (the limiter's look-ahead).
    pub const LATENCY_FRAMES: u64 = LATENCY_FRAMES as u64;

    /// Levels and counts; resets the peak. Audio thread; no allocation.
    pub fn meter(&mut self) -> Meter {
        Meter {
            peak: std::mem::take(&mut self.peak),
            active_voices: self.bank.active() as u32,
            stolen: self.bank.stolen(),
            dropped: self.queue.dropped() + self.bank.dropped(),
        }
    }

    /// Writes the next frames, as many as the shorter slice holds. Audio thread; no allocation.
    pub fn render(&mut self, left: &mut [f32], right: &mut [f32]) {
        let frames = left.len().min(right.len());
        let mut done = 0;
        while done < frames {
            if self.given == BLOCK {
                self.wide.run(
                    #[inline(always)]
                    || self.block(),
                );
                self.given = 0;
            }
            let count = (BLOCK - self.given).min(frames - done);
            left[done..][..count].copy_from_slice(&self.ready[0][self.given..][..count]);
            right[done..][..count].copy_from_slice(&self.ready[1][self.given..][..count]);
            self.given += count;
            done += count;
        }
    }

    /// Computes one block.
    #[inline(always)]
    fn block(&mut self) {
        let sounding = self.voices();
        let mut sums = if sounding { sum(&self.buses.straight) } else { [[0.0; BLOCK]; BUSES] };
        let sung = (sounding && self.buses.sings).then(|| sum(&self.buses.sung));
        self.choir.render(sung.as_ref(), &mut sums);
        let [mut left, mut right, to_delay, to_reverb] = sums;
        self.effects(&to_delay, &to_reverb, &mut left, &mut right);
        self.dc.render(&mut left, &mut right);
        self.limiter.render(&mut left, &mut right);
        self.mute.render(&mut left, &mut right);
        self.peak = self.peak.max(highest(&left)).max(highest(&right));
        self.ready = [left, right];
        self.next_block += BLOCK as u64;
    }

    /// Renders the voices of a block, split where notes begin. False: nothing sounds, the buses are stale.
    #[inline(always)]
    fn voices(&mut self) -> bool {
        let shift_octaves = self.brightness.block()[BLOCK - 1];
        let end = self.next_block + BLOCK as u64;
        if self.bank.active() == 0 && self.queue.next_frame().is_none_or(|frame| frame >= end) {
            return false;
        }
        self.buses.clear();
        let mut at = 0;
        while at < BLOCK {
            let frame = self.next_block + at as u64;
            while let Some(note) = self.queue.pop_before(frame + 1) {
                let start = self.prepare(&note, frame);
                self.bank.play(start);
            }
            let until = self.queue.next_frame().unwrap_or(end).min(end);
            let frames = (until - frame) as usize;
            self.bank.render(frame, frames, shift_octaves, &mut self.buses, at);
            at += frames;
        }
        true
    }

    fn prepare(&mut self, note: &SynthNote, frame: u64) -> Start {
        let finite = |x: f32| if x.is_finite() { x } else { 0.0 };
        // Numerical Recipes' linear congruential generator: phases need no more.
        self.phase = self.phase.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        Start {
            patch: self.patches[note.instrument.index()],
            midi: note.midi.min(127),
            velocity: finite(note.velocity).clamp(0.0, 1.0),
            pan: finite(note.pan).clamp(-1.0, 1.0),
            brightness: finite(note.brightness).clamp(-3.0, 3.0),
            release_frame: frame.saturating_add(note.duration_frames.max(1)),
            phase: (self.phase >> 8) as f32 / (1_u32 << 24) as f32,
        }
    }

    /// Adds delay and reverb, then applies the master gain.
    #[inline(always)]
    fn effects(
        &mut self,
        to_delay: &[f32; BLOCK],
        to_reverb: &[f32; BLOCK],
        left: &mut [f32; BLOCK],
        right: &mut [f32; BLOCK],
    ) {
        let mut delay = [[0.0; BLOCK]; 2];
        let mut reverb = [[0.0; BLOCK]; 2];
        let [delay_left, delay_right] = &mut delay;
        self.delay.render(to_delay, delay_left, delay_right);
        let [reverb_left, reverb_right] = &mut reverb;
        self.reverb.render(to_reverb, reverb_left, reverb_right);
        let (delay_gain, reverb_gain) = (self.delay_return.block(), self.reverb_return.block());
        let master = self.master.block();
        for i in 0..BLOCK {
            left[i] = (left[i] + delay_gain[i] * delay[0][i] + reverb_gain[i] * reverb[0][i]) * master[i];
            right[i] = (right[i] + delay_gain[i] * delay[1][i] + reverb_gain[i] * reverb[1][i]) * master[i];
        }
    }
}

/// Sums the lanes of each bus.
#[inline(always)]
fn sum(buses: &BusBlock) -> Sums {
    let mut out = [[0.0; BLOCK]; BUSES];
    for (bus, sums) in buses.iter().zip(&mut out) {
        for (lanes, sum) in bus.iter().zip(sums) {
            // Pairwise, as vectors can; a running sum would be one long chain.
            let half: [f32; LANES / 2] = std::array::from_fn(|l| lanes[l] + lanes[l + LANES / 2]);
            *sum = contain((half[0] + half[2]) + (half[1] + half[3]));
        }
    }
    out
}
