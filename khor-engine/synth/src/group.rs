//! Renders eight voices at once, with their oscillators, envelopes and filters, and adds the voices
//! to the buses.

use khor_music::{FilterMode, Patch, Role};

use super::{
    envelope::{Envelopes, Fades},
    filter_note_cutoff,
    lanes::{BLOCK, LANES, LaneBlock, Lanes},
    oscillator::Oscillators,
    svf::Filters,
};

/// Number of buses that a voice feeds: left, right, delay and reverb.
pub(super) const BUSES: usize = 4;

/// One block of every bus. The eight lanes (voices of a group) are still separate.
pub(super) type BusBlock = [LaneBlock; BUSES];

/// The sound of all voices, or of all voices of one role.
#[derive(Clone, Debug)]
pub(super) struct Buses {
    /// The straight share of the sound. It bypasses the vowel filter.
    pub(super) straight: BusBlock,
    /// The sung share of the sound. It passes through the vowel filter, and is valid only if
    /// `sings` is true.
    pub(super) sung: BusBlock,
    /// Whether a voice with a sung share has sounded in this block.
    pub(super) sings: bool,
}

impl Buses {
    pub(super) const SILENT: Self =
        Self { straight: [[[0.0; LANES]; BLOCK]; BUSES], sung: [[[0.0; LANES]; BLOCK]; BUSES], sings: false };

    /// Clears the buses for a new block. Real-time safe.
    pub(super) fn clear(&mut self) {
        self.straight = Self::SILENT.straight;
        self.sings = false;
    }

    /// The sung share. It is cleared first if no voice has sung in this block yet. Real-time safe.
    fn sung(&mut self) -> &mut BusBlock {
        if !self.sings {
            self.sung = Self::SILENT.sung;
            self.sings = true;
        }
        &mut self.sung
    }
}

/// The parameters of a note that starts in one lane of a group.
#[derive(Clone, Copy, Debug)]
pub(super) struct NoteStart {
    /// Timbre of the note.
    pub(super) patch: Patch,
    /// Pitch, MIDI note number, 0..=127.
    pub(super) midi: u8,
    /// Velocity, 0..=1.
    pub(super) velocity: f32,
    /// Pan, from -1 (left) to 1 (right).
    pub(super) pan: f32,
    /// Shift of this note's filter cutoff, octaves, -3..=3.
    pub(super) brightness: f32,
    /// Frame at which the note is released.
    pub(super) release_frame: u64,
    /// Initial phase of the oscillator, 0..1 periods.
    pub(super) phase: f32,
    /// Role of the note. It selects the stem.
    pub(super) role: Role,
}

/// A group of eight voices. Each voice is one lane.
#[derive(Debug)]
pub(super) struct VoiceGroup {
    pub(super) oscillators: Oscillators,
    pub(super) envelopes: Envelopes,
    pub(super) fades: Fades,
    filters: Filters,
    /// Gains of the straight and the sung share in each bus. They are at least 0.
    gains: [Lanes; BUSES],
    sung_gains: [Lanes; BUSES],
    /// Whether any voice of the group mixes in the vowel sound (its sung share).
    sings: bool,
    /// Role of each voice, which selects its stem.
    role: [Role; LANES],
    sample_rate_hz: f32,
    /// Samples of the voices in the current block. The buffer is a field, so that it need not be
    /// cleared for each block.
    block: LaneBlock,
}

impl VoiceGroup {
    pub(super) const fn new(sample_rate_hz: f32) -> Self {
        Self {
            oscillators: Oscillators::new(sample_rate_hz),
            envelopes: Envelopes::new(sample_rate_hz),
            fades: Fades::new(),
            filters: Filters::new(),
            gains: [[0.0; LANES]; BUSES],
            sung_gains: [[0.0; LANES]; BUSES],
            sings: false,
            role: [Role::Melody; LANES],
            sample_rate_hz,
            block: [[0.0; LANES]; BLOCK],
        }
    }

    /// Starts a note in a silent lane. Real-time safe.
    pub(super) fn start(&mut self, lane: usize, start: &NoteStart) {
        let patch = &start.patch;
        let freq_hz = 440.0 * ((f32::from(start.midi) - 69.0) / 12.0).exp2();
        self.oscillators.start(lane, patch, freq_hz / self.sample_rate_hz, start.phase);
        self.envelopes.start(lane, patch);
        self.fades.reset(lane);
        self.role[lane] = start.role;
        let cutoff_hz = filter_note_cutoff(patch, start.midi, start.velocity) * start.brightness.exp2();
        let cutoff = cutoff_hz / self.sample_rate_hz;
        self.filters.start(lane, patch.filter, cutoff, patch.resonance, patch.env_octaves);
        // The exponent is between 1 and 2, so that equal steps of velocity are about equal steps of
        // loudness.
        let gain = start.velocity.powf(1.5) * 10_f32.powf(patch.gain_db / 20.0);
        // Equal-power panning. The sum left² + right² is the same for every pan.
        let angle = (start.pan + 1.0) * std::f32::consts::FRAC_PI_4;
        let gains =
            [angle.cos() * gain, angle.sin() * gain, patch.delay_send * gain, patch.reverb_send * gain];
        let (straight, sung) = shares(patch.vowel_send);
        for (bus, value) in gains.into_iter().enumerate() {
            self.gains[bus][lane] = value * straight;
            self.sung_gains[bus][lane] = value * sung;
        }
        self.sings = self.sung_gains != [[0.0; LANES]; BUSES];
    }

    /// Silences a lane immediately. Real-time safe.
    pub(super) fn stop(&mut self, lane: usize) {
        self.oscillators.stop(lane);
        self.envelopes.stop(lane);
        self.fades.reset(lane);
        self.filters.start(lane, FilterMode::Low, 0.1, 0.0, 0.0);
        for bus in self.gains.iter_mut().chain(&mut self.sung_gains) {
            bus[lane] = 0.0;
        }
        self.sings = self.sung_gains != [[0.0; LANES]; BUSES];
    }

    /// Adds `frames` frames to the buses, beginning at index `at`. The first bus is the mix and
    /// receives all voices. Each other bus is a stem and receives the voices of its role. Real-time
    /// safe.
    #[inline(always)]
    pub(super) fn render(&mut self, frames: usize, shift_octaves: f32, buses: &mut [Buses], at: usize) {
        let block = &mut self.block;
        self.envelopes.update();
        self.oscillators.render(frames, self.envelopes.level(), block);
        self.envelopes.apply(frames, block);
        self.filters.apply(frames, self.envelopes.level(), shift_octaves, block);
        self.fades.apply(frames, block);
        let Some((mix, stems)) = buses.split_first_mut() else { return };
        add(&block[..frames], &self.gains, &mut mix.straight, at);
        if self.sings {
            add(&block[..frames], &self.sung_gains, mix.sung(), at);
        }
        for (stem, role) in stems.iter_mut().zip(Role::ALL) {
            self.add_role(frames, role, stem, at);
        }
    }

    /// Adds the voices of one role to its stem.
    fn add_role(&self, frames: usize, role: Role, stem: &mut Buses, at: usize) {
        let own = |gains: &[Lanes; BUSES]| -> [Lanes; BUSES] {
            gains.map(|bus| std::array::from_fn(|l| if self.role[l] == role { bus[l] } else { 0.0 }))
        };
        add(&self.block[..frames], &own(&self.gains), &mut stem.straight, at);
        let sung = own(&self.sung_gains);
        if sung != [[0.0; LANES]; BUSES] {
            add(&self.block[..frames], &sung, stem.sung(), at);
        }
    }

    /// Whether the state of one voice is finite and within normal limits. Real-time safe.
    pub(super) fn is_valid(&self, lane: usize) -> bool {
        self.filters.is_valid(lane) && self.envelopes.level()[lane].is_finite()
    }
}

/// Correlation between a straight and a sung saw-wave chord. It was derived from a measurement at a
/// send of 0.5: the sum of both chords was 1.7 dB quieter than either chord alone.
const SUNG_CORRELATION: f32 = 0.35;

/// Gains of the straight and the sung share. The gains are chosen so that the loudness of the sum
/// is the same for every `send`.
fn shares(send: f32) -> (f32, f32) {
    let rest = 1.0 - send;
    let level = (rest * rest + send * send + 2.0 * SUNG_CORRELATION * rest * send).sqrt();
    (rest / level, send / level)
}

/// Adds the voices to each bus, multiplied by their gains for this bus.
#[inline(always)]
fn add(block: &[Lanes], gains: &[Lanes; BUSES], buses: &mut BusBlock, at: usize) {
    let [left, right, delay, reverb] = buses;
    for (i, frame) in block.iter().enumerate() {
        for l in 0..LANES {
            let x = frame[l];
            left[at + i][l] += x * gains[0][l];
            right[at + i][l] += x * gains[1][l];
            delay[at + i][l] += x * gains[2][l];
            reverb[at + i][l] += x * gains[3][l];
        }
    }
}
