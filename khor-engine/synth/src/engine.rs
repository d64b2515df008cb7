//! The synth, which schedules notes, sets parameters and renders frames.

use std::ops::Range;

use khor_music::{Controls, Instrument, Patch, Role};

use super::{
    avx2::Avx2,
    bank::{VOICES, VoiceBank},
    effects::{Effects, Sides},
    group::{Buses, NoteStart},
    lanes::BLOCK,
    limiter::{LATENCY_FRAMES, Limiter, highest},
    master::{Glide, Mute},
    queue::{NoteQueue, SynthNote},
    stem::{Samples, Stem},
};

/// Shift of the filter cutoffs at brightness 1, octaves. At brightness 0, the shift has the
/// opposite sign.
const BRIGHTNESS_OCTAVES: f32 = 1.5;
/// Integrated loudness of the built-in presets' beds at default volume, LUFS.
const PRESETS_LUFS: f32 = -23.0;

/// The settings that determine the loudness of the synth's output.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Volume {
    /// Linear gain, 0..=1. At 0.5, the music of an idle machine has the loudness `loudness_lufs`.
    pub master_gain: f32,
    /// Loudness of an idle machine's music, LUFS, -23..=-11. The value -23 suits background music
    /// (EBU R 128). Music players and streaming services use -18 and -16. The limiter reduces
    /// louder sounds.
    pub loudness_lufs: f32,
}

impl Default for Volume {
    fn default() -> Self {
        Self { master_gain: 0.5, loudness_lufs: PRESETS_LUFS }
    }
}

/// Measurements of the synth's activity.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Meter {
    /// Highest absolute sample value since the last call of [`Synth::meter`], linear, 0..=1.
    pub peak: f32,
    /// Number of sounding voices, 0..=24.
    pub active_voices: u32,
    /// Number of voices stolen since the start.
    pub stolen: u64,
    /// Number of notes dropped since the start. Notes are dropped if the queue is full or if no
    /// voice can be stolen.
    pub dropped: u64,
}

/// 24 voices and their effects. [`Synth::new`] allocates all memory. All other methods are made for
/// the audio thread. They do not allocate, lock, log or call the kernel.
#[derive(Debug)]
pub struct Synth {
    queue: NoteQueue,
    bank: VoiceBank,
    patches: [Patch; Instrument::ALL.len()],
    effects: Effects,
    /// Shift of all voices' filter cutoffs, octaves.
    brightness: Glide,
    limiter: Limiter,
    mute: Mute,
    /// The buses of the mix, followed by the buses of each stem.
    buses: Box<[Buses]>,
    /// One stem for each role. Empty if stems are disabled.
    stems: Box<[Stem]>,
    /// The last computed block, and how many of its frames have been returned.
    ready: Sides,
    given: usize,
    /// Number of the first frame in the next block.
    next_block: u64,
    /// State of the random generator that chooses the initial phases of notes.
    phase: u32,
    peak: f32,
    pub(super) avx2: Avx2,
}

impl Synth {
    /// Creates a synth with default patches and controls and a master gain of 0.5. It is not muted.
    /// `sample_rate_hz` is clamped to 8000..=192000. Not real-time safe.
    pub fn new(sample_rate_hz: u32, seed: u64) -> Self {
        Self::with_stem_count(sample_rate_hz, seed, 0)
    }

    /// Creates a synth like [`Self::new`] that also renders a stem for each role. Use
    /// [`Self::render_stems`] with it. Rendering takes about four times as long. Not real-time
    /// safe.
    pub fn with_stems(sample_rate_hz: u32, seed: u64) -> Self {
        Self::with_stem_count(sample_rate_hz, seed, Role::ALL.len())
    }

    fn with_stem_count(sample_rate_hz: u32, seed: u64, stems: usize) -> Self {
        let rate = sample_rate_hz.clamp(8000, 192_000) as f32;
        let mut synth = Self {
            queue: NoteQueue::new(),
            bank: VoiceBank::new(rate),
            patches: [Patch::default(); Instrument::ALL.len()],
            effects: Effects::new(rate),
            brightness: Glide::new(0.0, rate),
            limiter: Limiter::new(rate),
            mute: Mute::new(rate),
            buses: vec![Buses::SILENT; 1 + stems].into_boxed_slice(),
            stems: (0..stems).map(|_| Stem::new(rate)).collect(),
            ready: [[0.0; BLOCK]; 2],
            given: BLOCK,
            next_block: 0,
            phase: (seed ^ (seed >> 32)) as u32,
            peak: 0.0,
            avx2: Avx2::detect(),
        };
        synth.set_controls(Controls::default());
        synth
    }

    /// Sets all patches, in the order of [`Instrument::ALL`]. Notes that are already sounding keep
    /// their patches. Real-time safe.
    pub fn set_patches(&mut self, patches: [Patch; Instrument::ALL.len()]) {
        self.patches = patches;
    }

    /// Sets the patch of one instrument. Notes that are already sounding keep their patches.
    /// Real-time safe.
    pub fn set_patch(&mut self, instrument: Instrument, patch: Patch) {
        self.patches[instrument.index()] = patch;
    }

    /// Queues a note. If 512 notes are already waiting, the note is dropped and counted. Real-time
    /// safe.
    pub fn schedule(&mut self, note: SynthNote) {
        self.queue.push(note);
    }

    /// Sets the continuous parameters. They glide to the new values. Real-time safe.
    pub fn set_controls(&mut self, controls: Controls) {
        self.brightness.set((controls.brightness.clamp(0.0, 1.0) - 0.5) * 2.0 * BRIGHTNESS_OCTAVES);
        self.effects.set_controls(&controls);
        self.stems.iter_mut().for_each(|stem| stem.effects.set_controls(&controls));
    }

    /// Sets the volume. The gain glides to the new value. NaN is ignored. Real-time safe.
    pub fn set_volume(&mut self, volume: Volume) {
        let Volume { master_gain, loudness_lufs } = volume;
        let louder_db = (loudness_lufs - PRESETS_LUFS).clamp(0.0, 12.0);
        let louder = 10_f32.powf(louder_db / 20.0);
        self.effects.set_gain(master_gain, louder);
        self.stems.iter_mut().for_each(|stem| stem.effects.set_gain(master_gain, louder));
    }

    /// Mutes or unmutes the output with a fade of 20 ms. While muted, the music continues silently.
    /// Real-time safe.
    pub fn set_muted(&mut self, muted: bool) {
        self.mute.set(muted);
        self.stems.iter_mut().for_each(|stem| stem.mute.set(muted));
    }

    /// Sets the maximum number of sounding voices, 1..=24. A lower number helps slow processors. If
    /// more voices sound, the least important ones fade out within 5 ms. Real-time safe.
    pub fn set_voice_limit(&mut self, voices: u32) {
        self.bank.set_limit(voices as usize);
    }

    /// Number of voices of the synth.
    pub const VOICES: u32 = VOICES as u32;

    /// Drops all waiting notes, and fades out the sounding notes within 12 ms. Delay and reverb
    /// decay normally. Real-time safe.
    pub fn all_notes_off(&mut self) {
        self.queue.clear();
        self.bank.all_off();
    }

    /// Number of the next frame to render. A note with this onset becomes audible
    /// [`Self::LATENCY_FRAMES`] later.
    pub fn frame(&self) -> u64 {
        self.next_block - (BLOCK - self.given) as u64
    }

    /// Number of frames between the onset of a note and its sound. The limiter's look-ahead causes
    /// this latency.
    pub const LATENCY_FRAMES: u64 = LATENCY_FRAMES as u64;

    /// Returns the current measurements, and resets the peak. Real-time safe.
    pub fn meter(&mut self) -> Meter {
        Meter {
            peak: std::mem::take(&mut self.peak),
            active_voices: self.bank.active() as u32,
            stolen: self.bank.stolen(),
            dropped: self.queue.dropped() + self.bank.dropped(),
        }
    }

    /// Renders the next frames into `left` and `right`. If the slices differ in length, only the
    /// length of the shorter one is rendered. Real-time safe.
    pub fn render(&mut self, left: &mut [f32], right: &mut [f32]) {
        let frames = left.len().min(right.len());
        let mut done = 0;
        while done < frames {
            let ready = self.advance(frames - done);
            let until = done + ready.len();
            left[done..until].copy_from_slice(&self.ready[0][ready.clone()]);
            right[done..until].copy_from_slice(&self.ready[1][ready]);
            done = until;
        }
    }

    /// Renders the next frames of the mix and the stems. All buffers must have the same length,
    /// which is the number of frames. Real-time safe.
    pub fn render_stems(&mut self, samples: &mut Samples) {
        let frames = samples.left.len();
        let mut done = 0;
        while done < frames {
            let ready = self.advance(frames - done);
            let until = done + ready.len();
            samples.left[done..until].copy_from_slice(&self.ready[0][ready.clone()]);
            samples.right[done..until].copy_from_slice(&self.ready[1][ready.clone()]);
            for (out, stem) in samples.stems.iter_mut().zip(&self.stems) {
                for (out, side) in out.iter_mut().zip(&stem.ready) {
                    out[done..until].copy_from_slice(&side[ready.clone()]);
                }
            }
            done = until;
        }
    }

    /// Returns the range of the next frames in the current block, at most `most` frames. If all
    /// frames of the current block have been returned, computes the next block first.
    #[inline(always)]
    fn advance(&mut self, most: usize) -> Range<usize> {
        if self.given == BLOCK {
            self.avx2.run(
                #[inline(always)]
                || self.block(),
            );
            self.given = 0;
        }
        let from = self.given;
        self.given += most.min(BLOCK - from);
        from..self.given
    }

    /// Renders voices and effects of one block.
    #[inline(always)]
    fn block(&mut self) {
        let sounds = self.voices();
        let [mut left, mut right] = self.effects.render(sounds.then_some(&self.buses[0]));
        let gains = self.limiter.render(&mut left, &mut right);
        for (stem, buses) in self.stems.iter_mut().zip(&self.buses[1..]) {
            stem.render(sounds.then_some(buses), &gains);
        }
        self.mute.render(&mut left, &mut right);
        self.peak = self.peak.max(highest(&left)).max(highest(&right));
        self.ready = [left, right];
        self.next_block += BLOCK as u64;
    }

    /// Renders the voices of one block, in pieces that end at note onsets. Returns false if no
    /// voice sounds. In that case the contents of the buses are invalid.
    #[inline(always)]
    fn voices(&mut self) -> bool {
        let shift_octaves = self.brightness.block()[BLOCK - 1];
        let end = self.next_block + BLOCK as u64;
        if self.bank.active() == 0 && self.queue.next_frame().is_none_or(|frame| frame >= end) {
            return false;
        }
        self.buses.iter_mut().for_each(Buses::clear);
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

    fn prepare(&mut self, note: &SynthNote, frame: u64) -> NoteStart {
        let finite = |x: f32| if x.is_finite() { x } else { 0.0 };
        // This is the linear congruential generator from "Numerical Recipes". It is random enough
        // for phases.
        self.phase = self.phase.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        NoteStart {
            patch: self.patches[note.instrument.index()],
            midi: note.midi.min(127),
            velocity: finite(note.velocity).clamp(0.0, 1.0),
            pan: finite(note.pan).clamp(-1.0, 1.0),
            brightness: finite(note.brightness).clamp(-3.0, 3.0),
            release_frame: frame.saturating_add(note.duration_frames.max(1)),
            phase: (self.phase >> 8) as f32 / (1_u32 << 24) as f32,
            role: note.role,
        }
    }
}
