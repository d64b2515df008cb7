//! The roll call: everyone of a site in turn, half a bar each, answers with one soft note and then plays its own work;
//! who doesn't answer leaves a hole.

use super::cast::{Place, TURNS, Turn};
use super::feature::Feature;
use super::harmony::Chord;
use super::moment::Moment;
use super::note::{Instrument, Layer, Note, Role};
use super::rhythm::accent;
use super::scale::Register;

/// Steps of a turn.
const TURN_STEPS: u8 = 8;
/// Where answers lie, before the place's lean.
const ANSWER_MIDI: i32 = 67;
/// Where work lies, before twice the lean.
const WORK: Register = Register { low: 60, high: 74 };
/// The bass that opens a round.
const OPENING: Register = Register { low: 38, high: 49 };

/// State of the roll call: who is called in this round, and how the one whose turn it is answered.
#[derive(Clone, Debug, Default)]
pub(super) struct RollCall {
    /// The turns of this round by their ids: who comes meanwhile waits for the next.
    round: Vec<u64>,
    /// The half bar at which it began.
    began: u64,
    answer: Option<Answer>,
    /// Notes of the chord; kept only to reuse its memory.
    notes: Vec<u8>,
}

/// How a machine answers in its turn.
#[derive(Clone, Copy, Debug)]
struct Answer {
    place: Place,
    /// Onsets of its work, 0..=7 beside the answer itself.
    onsets: u8,
    /// How much work that is, 0..=1.
    work: f32,
    /// Filter opening of its notes, octaves.
    brightness: f32,
}

impl RollCall {
    /// Called on every step.
    pub(super) fn step(&mut self, moment: &Moment<'_>, chord: Chord, turns: &[Turn], out: &mut Vec<Note>) {
        let step = moment.step % TURN_STEPS;
        if step == 0 {
            self.call(moment, chord, turns, out);
        } else if let Some(answer) = self.answer
            && has_onset(step, answer.onsets)
        {
            let low = WORK.low.saturating_add_signed(2 * answer.place.lean as i8);
            let register = Register { low, high: low + WORK.high - WORK.low };
            chord.notes_in(moment.key, register, &mut self.notes);
            let before = (1..step).filter(|&step| has_onset(step, answer.onsets)).count();
            if let Some(&midi) = self.notes.get(before % self.notes.len().max(1)) {
                out.push(answer.note(moment, midi));
            }
        }
    }

    /// Whose turn it is answers; a round that is over begins anew with those who are there then.
    fn call(&mut self, moment: &Moment<'_>, chord: Chord, turns: &[Turn], out: &mut Vec<Note>) {
        let half = 2 * moment.bar + u64::from(moment.step / TURN_STEPS);
        let is_over = half >= self.began + self.round.len().next_multiple_of(2) as u64;
        if is_over && moment.step == 0 {
            self.began = half;
            self.round.clear();
            self.round.extend(turns.iter().take(TURNS).map(|turn| turn.id));
            if !self.round.is_empty() {
                out.push(opening(moment, chord));
            }
        }
        let id = self.round.get((half - self.began) as usize);
        let turn = id.and_then(|id| turns.iter().find(|turn| turn.id == *id));
        self.answer = turn.and_then(|turn| Answer::of(moment, turn));
        out.extend(self.answer.map(|answer| {
            let midi = chord.nearest(moment.key, ANSWER_MIDI + answer.place.lean);
            Note {
                velocity: 0.4 * moment.preset.voices.velocity,
                role: Role::Melody,
                instrument: Instrument::Melody,
                ..answer.note(moment, midi.clamp(36, 96) as u8)
            }
        }));
    }
}

impl Answer {
    /// What is to be heard of a turn, once for all of it; `None` where there is no answer.
    fn of(moment: &Moment<'_>, turn: &Turn) -> Option<Self> {
        let lanes = turn.lanes?;
        let sample = |feature| moment.reading.sample(feature, &lanes);
        let (_, work) = sample(Feature::PulseDensity).unwrap_or((0.0, 0.0));
        let (brightness, _) = sample(Feature::PulseBrightness).unwrap_or((0.0, 0.0));
        let onsets = (work * f32::from(TURN_STEPS - 1)).ceil() as u8;
        Some(Self { place: turn.place, onsets, work, brightness })
    }

    fn note(self, moment: &Moment<'_>, midi: u8) -> Note {
        // A preset without a pulse has none to be like.
        let stream = moment.preset.pulse.iter().find(|stream| stream.role == Role::Percussion);
        let stream = stream.or(moment.preset.pulse.first());
        let (velocity, gate_steps) = stream.map_or((0.5, 1.0), |stream| (stream.velocity, stream.gate_steps));
        let role = stream.map_or(Role::Percussion, |stream| stream.role);
        Note {
            onset_s: moment.onset_s,
            duration_s: gate_steps.min(4.0) * moment.step_s as f32,
            midi,
            velocity: (velocity * accent(moment.step) * (0.65 + 0.35 * self.work)).clamp(0.0, 1.0),
            pan: self.place.pan,
            brightness: self.brightness,
            role,
            instrument: role.into(),
            layer: Layer::Pulse,
            signal: None,
        }
    }
}

/// Whether one of `onsets` notes of work, 0..=7, falls on a step of a turn, 1..=7: as evenly as possible.
fn has_onset(step: u8, onsets: u8) -> bool {
    const PLACES: u8 = TURN_STEPS - 1;
    ((step - 1) * onsets) % PLACES < onsets
}

/// The root, low: a round begins.
fn opening(moment: &Moment<'_>, chord: Chord) -> Note {
    Note {
        onset_s: moment.onset_s,
        duration_s: 4.0 * moment.step_s as f32,
        midi: OPENING.fold(moment.key.midi(chord.degrees[0])),
        velocity: 0.5 * moment.preset.voices.velocity,
        pan: 0.0,
        brightness: 0.0,
        role: Role::Bass,
        instrument: Instrument::Bass,
        layer: Layer::Pulse,
        signal: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_turn_has_the_requested_onsets() {
        for onsets in 0..TURN_STEPS {
            assert_eq!((1..TURN_STEPS).filter(|&step| has_onset(step, onsets)).count(), usize::from(onsets));
        }
    }
}
