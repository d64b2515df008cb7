//! The bed: a quiet pad that breathes, so that silence always means silence, and darkens under pressure.

use super::composer::Moment;
use super::harmony::{CHORD_VOICES, Chord, root_at};
use super::note::{Layer, Note, Role};
use super::scale::Register;
use super::seeded::{Dice, Stream};

/// Where the bass note under the chord lies.
const BASS: Register = Register { low: 36, high: 47 };
/// Where the chord's four voices stand, -1..=1.
const PANS: [f32; CHORD_VOICES] = [-0.15, 0.2, -0.4, 0.45];

/// State of the bed: its chord, and where in its breath it is.
#[derive(Clone, Debug)]
pub(super) struct Bed {
    chord: Chord,
    voices: Option<[u8; CHORD_VOICES]>,
    /// Bar at which the next breath begins.
    next_bar: u64,
}

impl Bed {
    pub(super) fn new(moment: &Moment<'_>) -> Self {
        Self { chord: Chord::new(moment.key, 0, 0), voices: None, next_bar: moment.bar }
    }

    /// The chord the other layers play with.
    pub(super) fn chord(&self) -> Chord {
        self.chord
    }

    /// Called on every step before the other layers.
    pub(super) fn step(&mut self, moment: &Moment<'_>, out: &mut Vec<Note>) {
        let settings = &moment.preset.bed;
        let new_chord = moment.bar.is_multiple_of(u64::from(settings.chord_bars));
        if moment.step != 0 || (moment.bar < self.next_bar && !new_chord) {
            return;
        }
        let root = root_at(moment.seed, moment.bar, settings.chord_bars, &settings.roots);
        self.chord = Chord::new(moment.key, root, moment.reading.pressure());
        let bars = Self::breath_bars(moment);
        self.next_bar = moment.bar + bars;
        let middle = settings.register.middle() as u8;
        let from = self.voices.unwrap_or([middle - 5, middle - 2, middle + 2, middle + 5]);
        let voices = self.chord.lead(moment.key, settings.register, from);
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
        let mut dice = Dice::new(moment.seed, moment.bar, Stream::Bed);
        let length_s = (bars as f64 * moment.bar_s()) as f32;
        let mut play = |midi, velocity: f32, late_steps: f32, pan, role| {
            let late_s = late_steps * moment.step_s as f32;
            out.push(Note {
                onset_s: moment.onset_s + f64::from(late_s),
                duration_s: (length_s - late_s).max(0.05),
                midi,
                // De-correlated so that the pad never sits perfectly still.
                velocity: velocity * (1.0 + 0.06 * dice.bipolar()),
                pan,
                brightness: 0.0,
                role,
                instrument: role.into(),
                layer: Layer::Bed,
                signal: None,
            });
        };
        if settings.bass_velocity > 0.0 {
            let root = BASS.fold(moment.key.midi(self.chord.degrees[0]));
            play(root, settings.bass_velocity, 0.0, 0.0, Role::Bass);
        }
        let mut sounding = [0_u8; CHORD_VOICES];
        for (i, &midi) in voices.iter().enumerate().take(settings.notes.into()) {
            if !sounding[..i].contains(&midi) {
                play(midi, settings.velocity, i as f32 * settings.strum_steps, PANS[i], Role::Chords);
            }
            sounding[i] = midi;
        }
    }
}
