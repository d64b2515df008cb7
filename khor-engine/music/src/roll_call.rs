//! Plays the roll call: the hosts of a site play in turn, half a bar each. Each host first answers
//! with one soft note, and then plays its own work. The turn of a missing host is silent.

use super::{
    cast::{HostPlacement, MAX_TURNS, RollCallTurn},
    feature::Feature,
    harmony::Chord,
    note::{Instrument, Layer, Note, Role},
    rhythm::accent,
    scale::Register,
    step_context::StepContext,
};

/// Number of steps in one turn.
const TURN_STEPS: u8 = 8;
/// The answer's pitch is this MIDI note number plus the host's pitch offset, moved to the nearest
/// note of the chord.
const ANSWER_MIDI: i32 = 67;
/// Register of the notes that represent work. The register is shifted by twice the host's pitch
/// offset.
const WORK_REGISTER: Register = Register { low: 60, high: 74 };
/// Register of the bass note that opens a round.
const OPENING_REGISTER: Register = Register { low: 38, high: 49 };

/// The state of the roll call: the hosts of this round, and the notes of the current turn.
#[derive(Clone, Debug, Default)]
pub(super) struct RollCall {
    /// The ids of the hosts that play in this round. A new host waits for the next round.
    round: Vec<u64>,
    /// The half bar in which the round began. Half bars are counted from the first bar.
    round_start: u64,
    answer: Option<Answer>,
    /// Buffer for the chord's notes, kept between steps so that its memory is reused.
    notes: Vec<u8>,
}

/// The notes of one turn.
#[derive(Clone, Copy, Debug)]
struct Answer {
    placement: HostPlacement,
    /// Number of notes after the answer, 0..=7. They represent the host's work.
    onsets: u8,
    /// Work of the host, 0..=1.
    work: f32,
    /// Shift of the notes' filter cutoff, octaves.
    brightness: f32,
}

impl RollCall {
    /// Plays one step of the roll call. While the cast has this kind of pulse, the composer calls
    /// this function on every step.
    pub(super) fn step(
        &mut self,
        context: &StepContext<'_>,
        chord: Chord,
        turns: &[RollCallTurn],
        out: &mut Vec<Note>,
    ) {
        let step = context.step % TURN_STEPS;
        if step == 0 {
            self.start_turn(context, chord, turns, out);
        } else if let Some(answer) = self.answer
            && has_onset(step, answer.onsets)
        {
            let low = WORK_REGISTER.low.saturating_add_signed(2 * answer.placement.lean as i8);
            let register = Register { low, high: low + WORK_REGISTER.high - WORK_REGISTER.low };
            chord.notes_in(context.key, register, &mut self.notes);
            let before = (1..step).filter(|&step| has_onset(step, answer.onsets)).count();
            if let Some(&midi) = self.notes.get(before % self.notes.len().max(1)) {
                out.push(answer.note(context, midi));
            }
        }
    }

    /// Starts the next turn, and plays the host's answer. After the last turn, it starts a new
    /// round with the current hosts.
    fn start_turn(
        &mut self,
        context: &StepContext<'_>,
        chord: Chord,
        turns: &[RollCallTurn],
        out: &mut Vec<Note>,
    ) {
        let half = 2 * context.bar + u64::from(context.step / TURN_STEPS);
        let is_over = half >= self.round_start + self.round.len().next_multiple_of(2) as u64;
        if is_over && context.step == 0 {
            self.round_start = half;
            self.round.clear();
            self.round.extend(turns.iter().take(MAX_TURNS).map(|turn| turn.id));
            if !self.round.is_empty() {
                out.push(opening_note(context, chord));
            }
        }
        let id = self.round.get((half - self.round_start) as usize);
        let turn = id.and_then(|id| turns.iter().find(|turn| turn.id == *id));
        self.answer = turn.and_then(|turn| Answer::for_turn(context, turn));
        out.extend(self.answer.map(|answer| {
            let midi = chord.nearest(context.key, ANSWER_MIDI + answer.placement.lean);
            Note {
                velocity: 0.4 * context.preset.voices.velocity,
                role: Role::Melody,
                instrument: Instrument::Melody,
                ..answer.note(context, midi.clamp(36, 96) as u8)
            }
        }));
    }
}

impl Answer {
    /// Computes the notes of a turn when the turn starts. Returns `None` if the host is missing.
    fn for_turn(context: &StepContext<'_>, turn: &RollCallTurn) -> Option<Self> {
        let lanes = turn.lanes.as_ref()?;
        let sample = |feature| context.reading.sample(feature, lanes);
        let (_, work) = sample(Feature::PulseDensity).unwrap_or((0.0, 0.0));
        let (brightness, _) = sample(Feature::PulseBrightness).unwrap_or((0.0, 0.0));
        let onsets = (work * f32::from(TURN_STEPS - 1)).ceil() as u8;
        Some(Self { placement: turn.placement, onsets, work, brightness })
    }

    fn note(self, context: &StepContext<'_>, midi: u8) -> Note {
        // The notes of a turn use the timbre of the preset's percussion stream. If the preset has
        // none, they use the timbre of its first pulse stream.
        let stream = context.preset.pulse.iter().find(|stream| stream.role == Role::Percussion);
        let stream = stream.or(context.preset.pulse.first());
        let (velocity, gate_steps) = stream.map_or((0.5, 1.0), |stream| (stream.velocity, stream.gate_steps));
        let role = stream.map_or(Role::Percussion, |stream| stream.role);
        Note {
            onset_s: context.onset_s,
            duration_s: gate_steps.min(4.0) * context.step_s as f32,
            midi,
            velocity: (velocity * accent(context.step) * (0.65 + 0.35 * self.work)).clamp(0.0, 1.0),
            pan: self.placement.pan,
            brightness: self.brightness,
            role,
            instrument: role.into(),
            layer: Layer::Pulse,
            signal: None,
        }
    }
}

/// Whether the turn has a note on this step, 1..=7. Its `onsets` notes are spaced as evenly as
/// possible.
fn has_onset(step: u8, onsets: u8) -> bool {
    const WORK_STEPS: u8 = TURN_STEPS - 1;
    ((step - 1) * onsets) % WORK_STEPS < onsets
}

/// The low root note that opens a round.
fn opening_note(context: &StepContext<'_>, chord: Chord) -> Note {
    Note {
        onset_s: context.onset_s,
        duration_s: 4.0 * context.step_s as f32,
        midi: OPENING_REGISTER.fold(context.key.midi(chord.degrees[0])),
        velocity: 0.5 * context.preset.voices.velocity,
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
