//! Plays the bed: a quiet, slow pad. The pad always sounds, so that a calm host sounds different
//! from a stopped engine. Saturation makes the pad darker and denser.

use super::{
    feature::Feature,
    harmony::{CHORD_VOICES, Chord, root_at},
    note::{Instrument, Layer, Note, Role},
    scale::{Key, Register},
    seeded::{Dice, Stream},
    step_context::StepContext,
};

/// Register of the bass note, which lies below the chord.
const BASS: Register = Register { low: 36, high: 47 };
/// Pan of each of the chord's four voices, -1..=1.
const PANS: [f32; CHORD_VOICES] = [-0.15, 0.2, -0.4, 0.45];
/// While the source is lost, the pad is dull and soft. Its filter cutoff is shifted by
/// [`LOST_OCTAVES`], and its velocity is multiplied by [`LOST_LOUDNESS`].
const LOST_OCTAVES: f32 = -1.5;
const LOST_LOUDNESS: f32 = 0.6;
/// When the velocity changes by a factor of ten, the loudness changes by this value, dB. The value
/// follows from the gain of the synth, velocity^1.5.
const DB_PER_DECADE: f32 = 30.0;
/// Loudness that the pad loses for each octave by which its filter closes, dB. A higher velocity
/// compensates for the loss. Otherwise, saturation would make the pad quieter.
const DB_PER_DARK_OCTAVE: f32 = 2.0;

/// The state of the bed: its chord, and the bar of the next breath. A breath is one swell of the
/// pad.
#[derive(Clone, Debug)]
pub(super) struct Bed {
    chord: Chord,
    key: Key,
    voices: Option<[u8; CHORD_VOICES]>,
    /// Bar in which the next breath begins.
    next_bar: u64,
}

impl Bed {
    pub(super) fn new(context: &StepContext<'_>) -> Self {
        Self { chord: Chord::new(context.key, 0, 0), key: context.key, voices: None, next_bar: context.bar }
    }

    /// The current chord. The other layers also use it.
    pub(super) fn chord(&self) -> Chord {
        self.chord
    }

    /// Plays one step of the bed. The composer calls this function on every step, before the other
    /// layers.
    pub(super) fn step(&mut self, context: &StepContext<'_>, out: &mut Vec<Note>) {
        let settings = &context.preset.bed;
        let new_chord = context.bar.is_multiple_of(u64::from(settings.chord_bars)) || context.key != self.key;
        if context.step != 0 || (context.bar < self.next_bar && !new_chord) {
            return;
        }
        self.key = context.key;
        let (chord_bars, turn) = (settings.chord_bars, context.section.turn);
        let root = root_at(context.key, context.seed, context.bar, chord_bars, &settings.roots, turn);
        let tension = context.reading.value(Feature::BedTension).unwrap_or(0.0);
        self.chord = Chord::new(context.key, root, tension.round() as u8);
        let bars = Self::breath_bars(context);
        self.next_bar = context.bar + bars;
        let middle = (i32::from(settings.register.middle() as u8) + context.section.lean) as u8;
        let from = self.voices.unwrap_or([middle - 5, middle - 2, middle + 2, middle + 5]);
        let rootless = usize::from(settings.notes) < CHORD_VOICES;
        let voices = self.chord.lead(context.key, settings.register, from, rootless);
        self.voices = Some(voices);
        self.play(context, voices, bars, out);
    }

    /// Length of a breath, bars. It is the preset's length, rounded to bars, but a breath never
    /// continues into the next chord.
    fn breath_bars(context: &StepContext<'_>) -> u64 {
        let settings = &context.preset.bed;
        let wanted = (f64::from(settings.breath_s) / context.bar_s()).round().max(1.0) as u64;
        let chord_bars = u64::from(settings.chord_bars);
        wanted.min(chord_bars - context.bar % chord_bars)
    }

    fn play(&self, context: &StepContext<'_>, voices: [u8; CHORD_VOICES], bars: u64, out: &mut Vec<Note>) {
        let settings = &context.preset.bed;
        let lost = context.reading.is_lost();
        let mut dice = Dice::new(context.seed, context.bar, Stream::Bed);
        let length_s = (bars as f64 * context.bar_s()) as f32;
        let brightness = context.reading.value(Feature::BedBrightness).unwrap_or(0.0);
        let brightness = if lost { LOST_OCTAVES } else { brightness };
        let compensation_db = DB_PER_DARK_OCTAVE * -brightness.min(0.0);
        let loudness = if lost { LOST_LOUDNESS } else { 10_f32.powf(compensation_db / DB_PER_DECADE) };
        let mut play = |midi, velocity: f32, late_steps: f32, pan, role: Role, instrument| {
            let late_s = late_steps * context.step_s as f32;
            out.push(Note {
                onset_s: context.onset_s + f64::from(late_s),
                duration_s: (length_s - late_s).max(0.05),
                midi,
                velocity: (velocity * loudness).clamp(0.0, 1.0),
                pan,
                brightness,
                role,
                instrument,
                layer: Layer::Bed,
                signal: None,
            });
        };
        let weight_db = context.reading.value(Feature::BedWeight).unwrap_or(0.0);
        let bass = settings.bass_velocity * 10_f32.powf(weight_db / DB_PER_DECADE);
        if bass > 0.0 {
            let root = BASS.fold(context.key.midi(self.chord.degrees[0]));
            play(root, bass, 0.0, 0.0, Role::Bass, Instrument::Bass);
        }
        // While the source is lost, the chord has only two notes.
        let count = if lost { 2 } else { usize::from(settings.notes) };
        let mut sounding = [0_u8; CHORD_VOICES];
        for (i, &midi) in voices.iter().enumerate().take(count) {
            if !sounding[..i].contains(&midi) {
                let late_steps = i as f32 * settings.strum_steps;
                // The velocity of the chord varies randomly, so that the pad never sounds static.
                // The bass does not vary, because its loudness represents a signal.
                let velocity = settings.velocity * (1.0 + 0.06 * dice.bipolar());
                play(midi, velocity, late_steps, PANS[i], Role::Chords, Instrument::Chords);
            }
            sounding[i] = midi;
        }
    }
}
