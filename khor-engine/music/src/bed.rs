//! The bed: a quiet pad that breathes, so that silence always means silence, and darkens and tightens under
//! saturation.

use super::feature::Feature;
use super::harmony::{CHORD_VOICES, Chord, root_at};
use super::moment::Moment;
use super::note::{Instrument, Layer, Note, Role};
use super::scale::{Key, Register};
use super::seeded::{Dice, Stream};

/// Where the bass note under the chord lies.
const BASS: Register = Register { low: 36, high: 47 };
/// Where the chord's four voices stand, -1..=1.
const PANS: [f32; CHORD_VOICES] = [-0.15, 0.2, -0.4, 0.45];
/// Filter and loudness of the pad while the source is lost: dull, and half as loud.
const LOST_OCTAVES: f32 = -1.5;
const LOST_LOUDNESS: f32 = 0.6;
/// Decibels per factor of ten of velocity: the synth's gain is velocity^1.5.
const DB_PER_DECADE: f32 = 30.0;
/// What a closing filter takes from the pad's loudness, dB per octave: given back, for more must not sound like less.
const DB_PER_DARK_OCTAVE: f32 = 2.0;

/// State of the bed: its chord, and where in its breath it is.
#[derive(Clone, Debug)]
pub(super) struct Bed {
    chord: Chord,
    key: Key,
    voices: Option<[u8; CHORD_VOICES]>,
    /// Bar at which the next breath begins.
    next_bar: u64,
}

impl Bed {
    pub(super) fn new(moment: &Moment<'_>) -> Self {
        Self { chord: Chord::new(moment.key, 0, 0), key: moment.key, voices: None, next_bar: moment.bar }
    }

    /// The chord the other layers play with.
    pub(super) fn chord(&self) -> Chord {
        self.chord
    }

    /// Called on every step before the other layers.
    pub(super) fn step(&mut self, moment: &Moment<'_>, out: &mut Vec<Note>) {
        let settings = &moment.preset.bed;
        let new_chord = moment.bar.is_multiple_of(u64::from(settings.chord_bars)) || moment.key != self.key;
        if moment.step != 0 || (moment.bar < self.next_bar && !new_chord) {
            return;
        }
        self.key = moment.key;
        let (chord_bars, turn) = (settings.chord_bars, moment.section.turn);
        let root = root_at(moment.key, moment.seed, moment.bar, chord_bars, &settings.roots, turn);
        let tension = moment.reading.value(Feature::BedTension).unwrap_or(0.0);
        self.chord = Chord::new(moment.key, root, tension.round() as u8);
        let bars = Self::breath_bars(moment);
        self.next_bar = moment.bar + bars;
        let middle = (i32::from(settings.register.middle() as u8) + moment.section.lean) as u8;
        let from = self.voices.unwrap_or([middle - 5, middle - 2, middle + 2, middle + 5]);
        let rootless = usize::from(settings.notes) < CHORD_VOICES;
        let voices = self.chord.lead(moment.key, settings.register, from, rootless);
        self.voices = Some(voices);
        self.play(moment, voices, bars, out);
    }

    /// Bars of one breath: the preset's length, rounded, and never across a harmony change.
    fn breath_bars(moment: &Moment<'_>) -> u64 {
        let settings = &moment.preset.bed;
        let wanted = (f64::from(settings.breath_s) / moment.bar_s()).round().max(1.0) as u64;
        let chord_bars = u64::from(settings.chord_bars);
        wanted.min(chord_bars - moment.bar % chord_bars)
    }

    fn play(&self, moment: &Moment<'_>, voices: [u8; CHORD_VOICES], bars: u64, out: &mut Vec<Note>) {
        let settings = &moment.preset.bed;
        let lost = moment.reading.is_lost();
        let mut dice = Dice::new(moment.seed, moment.bar, Stream::Bed);
        let length_s = (bars as f64 * moment.bar_s()) as f32;
        let brightness = moment.reading.value(Feature::BedBrightness).unwrap_or(0.0);
        let brightness = if lost { LOST_OCTAVES } else { brightness };
        let given_back_db = DB_PER_DARK_OCTAVE * -brightness.min(0.0);
        let loudness = if lost { LOST_LOUDNESS } else { 10_f32.powf(given_back_db / DB_PER_DECADE) };
        let mut play = |midi, velocity: f32, late_steps: f32, pan, role: Role, instrument| {
            let late_s = late_steps * moment.step_s as f32;
            out.push(Note {
                onset_s: moment.onset_s + f64::from(late_s),
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
        let weight_db = moment.reading.value(Feature::BedWeight).unwrap_or(0.0);
        let bass = settings.bass_velocity * 10_f32.powf(weight_db / DB_PER_DECADE);
        if bass > 0.0 {
            let root = BASS.fold(moment.key.midi(self.chord.degrees[0]));
            play(root, bass, 0.0, 0.0, Role::Bass, Instrument::Bass);
        }
        // Without a source the chord is hollow: two notes, no colour.
        let count = if lost { 2 } else { usize::from(settings.notes) };
        let mut sounding = [0_u8; CHORD_VOICES];
        for (i, &midi) in voices.iter().enumerate().take(count) {
            if !sounding[..i].contains(&midi) {
                let late_steps = i as f32 * settings.strum_steps;
                // De-correlated so that the pad never sits perfectly still; the bass says something by its loudness.
                let velocity = settings.velocity * (1.0 + 0.06 * dice.bipolar());
                play(midi, velocity, late_steps, PANS[i], Role::Chords, Instrument::Chords);
            }
            sounding[i] = midi;
        }
    }
}
