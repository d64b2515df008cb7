//! Manages the 24 voices: assigns notes to voices, and ends voices. If all voices are in use, a new
//! note replaces the least important one.

#[cfg(test)]
mod operations;

use super::{
    group::{Buses, NoteStart, VoiceGroup},
    lanes::LANES,
};

/// Number of voices of the synth.
pub(super) const VOICES: usize = 24;
const GROUPS: usize = VOICES / LANES;
/// Length of the fade-out of a stolen voice, seconds. The next note in this voice begins after the
/// fade-out.
const STEAL_FADE_S: f32 = 0.005;
/// Length of the fade-out in [`VoiceBank::all_off`], seconds.
const OFF_FADE_S: f32 = 0.012;

/// The state of one voice.
#[derive(Clone, Copy, Debug, Default)]
struct Voice {
    active: bool,
    /// Frame at which the note is released.
    release_frame: u64,
    /// Serial number of the note. An older note has a lower number.
    serial: u64,
    /// The note that starts when this voice has faded out; `None` if no note is waiting.
    successor: Option<NoteStart>,
}

/// All voices of the synth.
#[derive(Debug)]
pub(super) struct VoiceBank {
    groups: [VoiceGroup; GROUPS],
    voices: [Voice; VOICES],
    /// Maximum number of sounding voices, 1..=24.
    limit: usize,
    serial: u64,
    stolen: u64,
    dropped: u64,
    sample_rate_hz: f32,
}

impl VoiceBank {
    pub(super) fn new(sample_rate_hz: f32) -> Self {
        Self {
            groups: std::array::from_fn(|_| VoiceGroup::new(sample_rate_hz)),
            voices: [Voice::default(); VOICES],
            limit: VOICES,
            serial: 0,
            stolen: 0,
            dropped: 0,
            sample_rate_hz,
        }
    }

    /// Sets the maximum number of sounding voices, 1..=24. If more voices sound, the least
    /// important ones fade out within 5 ms. If every voice is already fading, notes that wait for
    /// the end of a fade-out are dropped. Real-time safe.
    pub(super) fn set_limit(&mut self, limit: usize) {
        self.limit = limit.clamp(1, VOICES);
        for _ in self.limit..self.lasting_voices() {
            if let Some(victim) = self.victim() {
                self.stolen += 1;
                self.fade(victim);
            } else {
                self.drop_successor();
            }
        }
    }

    /// Drops the note that waits for the oldest fading voice.
    fn drop_successor(&mut self) {
        let waiting = self.voices.iter_mut().filter(|voice| voice.active && voice.successor.is_some());
        if let Some(oldest) = waiting.min_by_key(|voice| voice.serial) {
            oldest.successor = None;
            self.dropped += 1;
        }
    }

    /// Starts a note in a free voice. If no voice is free, the note replaces the least important
    /// voice. Real-time safe.
    pub(super) fn play(&mut self, start: NoteStart) {
        let free = if self.lasting_voices() < self.limit { self.free(&start) } else { None };
        if let Some(free) = free {
            self.begin(free, &start);
        } else if let Some(victim) = self.victim() {
            self.stolen += 1;
            self.voices[victim].successor = Some(start);
            self.fade(victim);
        } else {
            self.dropped += 1;
        }
    }

    fn fade(&mut self, voice: usize) {
        let frames = STEAL_FADE_S * self.sample_rate_hz;
        self.groups[voice / LANES].fades.begin(voice % LANES, frames);
    }

    /// Number of voices that will continue to sound. Voices that are fading out count only if a
    /// note waits for them.
    fn lasting_voices(&self) -> usize {
        (0..VOICES).filter(|&v| self.voices[v].active && !self.is_leaving(v)).count()
    }

    /// Whether a voice is fading out and no note waits for it.
    fn is_leaving(&self, voice: usize) -> bool {
        let fades = &self.groups[voice / LANES].fades;
        fades.fading(voice % LANES) && self.voices[voice].successor.is_none()
    }

    fn begin(&mut self, voice: usize, start: &NoteStart) {
        self.serial += 1;
        self.voices[voice] =
            Voice { active: true, release_frame: start.release_frame, serial: self.serial, successor: None };
        self.groups[voice / LANES].start(voice % LANES, start);
    }

    /// Chooses the free voice that needs the least computing time. A voice in a group that already
    /// sounds is better than one in a silent group, and a group with the same waveform is best.
    fn free(&self, start: &NoteStart) -> Option<usize> {
        let cost = |voice: usize| {
            let group = voice / LANES;
            let sounds = self.voices[group * LANES..][..LANES].iter().any(|v| v.active);
            let same_wave = self.groups[group].oscillators.has(start.patch.wave);
            if sounds { i32::from(!same_wave) } else { 2 }
        };
        (0..VOICES).filter(|&v| !self.voices[v].active).min_by_key(|&v| cost(v))
    }

    /// The least important voice. A released voice is less important than a held voice. Among
    /// released voices, the quietest is the least important, and if two are equally loud, the older
    /// one is. The same applies among held voices. Voices that are already fading out are excluded.
    fn victim(&self) -> Option<usize> {
        let importance = |voice: usize| {
            let (group, lane) = (&self.groups[voice / LANES], voice % LANES);
            let held = if group.envelopes.released(lane) { 0.0 } else { 1.0 };
            held + group.envelopes.level()[lane]
        };
        let stays =
            |v: usize| self.voices[v].active && self.voices[v].successor.is_none() && !self.is_leaving(v);
        (0..VOICES).filter(|&v| stays(v)).min_by(|&a, &b| {
            importance(a).total_cmp(&importance(b)).then(self.voices[a].serial.cmp(&self.voices[b].serial))
        })
    }

    /// Fades out all voices and drops the notes that wait for them. Real-time safe.
    pub(super) fn all_off(&mut self) {
        for (v, voice) in self.voices.iter_mut().enumerate().filter(|(_, voice)| voice.active) {
            voice.successor = None;
            self.groups[v / LANES].fades.begin(v % LANES, OFF_FADE_S * self.sample_rate_hz);
        }
    }

    /// Renders `frames` frames, beginning with the frame number `frame`. Adds them to the buses of
    /// the mix and the stems, beginning at index `at` of the block. Real-time safe.
    #[inline(always)]
    pub(super) fn render(
        &mut self,
        frame: u64,
        frames: usize,
        shift_octaves: f32,
        buses: &mut [Buses],
        at: usize,
    ) {
        for g in 0..GROUPS {
            self.release(g, frame);
            if self.voices[g * LANES..][..LANES].iter().any(|v| v.active) {
                self.groups[g].render(frames, shift_octaves, buses, at);
                self.retire(g);
            }
        }
    }

    fn release(&mut self, g: usize, frame: u64) {
        for lane in 0..LANES {
            let voice = &self.voices[g * LANES + lane];
            let envelopes = &mut self.groups[g].envelopes;
            if voice.active && voice.release_frame <= frame && !envelopes.released(lane) {
                envelopes.release(lane);
            }
        }
    }

    /// Frees the voices that have ended, and starts the notes that wait for them.
    fn retire(&mut self, g: usize) {
        for lane in 0..LANES {
            let v = g * LANES + lane;
            if !self.voices[v].active {
                continue;
            }
            let group = &mut self.groups[g];
            let faded = group.fades.fading(lane) && group.fades.ended(lane);
            if faded || group.envelopes.ended(lane) || !group.is_valid(lane) {
                group.stop(lane);
                self.voices[v].active = false;
                if let Some(start) = self.voices[v].successor.take() {
                    self.begin(v, &start);
                }
            }
        }
    }

    /// Number of sounding voices. Real-time safe.
    pub(super) fn active(&self) -> usize {
        self.voices.iter().filter(|voice| voice.active).count()
    }

    /// Number of voices stolen since the start.
    pub(super) fn stolen(&self) -> u64 {
        self.stolen
    }

    /// Number of notes dropped since the start because no voice could be stolen.
    pub(super) fn dropped(&self) -> u64 {
        self.dropped
    }
}
