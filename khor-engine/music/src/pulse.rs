//! Plays the pulse. The load does not change its tempo. Instead, the density of its onsets
//! represents the work of the host.

use super::{
    feature::Feature,
    harmony::Chord,
    note::{Layer, Note, Role},
    preset::{MAX_PULSE_STREAMS, Motion, PulseSettings},
    rhythm::{STEPS_PER_BAR, accent, is_onset, onsets_before},
    seeded::{Dice, Stream},
    step_context::StepContext,
};

/// Number of bars in a phrase. The rhythm is rotated differently in each phrase.
const PHRASE_BARS: u64 = 4;

/// Highest amount of work. Work is measured in sixteenths of the pulse's full density, like the
/// feature `pulse.density`.
const WORK_STEPS: u8 = 16;

/// The state of the pulse: the current number of onsets per bar of each stream.
#[derive(Clone, Debug, Default)]
pub(super) struct Pulse {
    onsets: [u8; MAX_PULSE_STREAMS],
    /// Buffer for the chord's notes, kept between steps so that its memory is reused.
    notes: Vec<u8>,
}

impl Pulse {
    /// Plays one step of the pulse that all hosts share. While the cast has this kind of pulse, the
    /// composer calls this function on every step.
    pub(super) fn step(&mut self, context: &StepContext<'_>, chord: Chord, out: &mut Vec<Note>) {
        let work = work(context);
        for (index, settings) in context.preset.pulse.iter().enumerate().take(MAX_PULSE_STREAMS) {
            let line = PulseLine { index: index as u8, settings, onsets: &mut self.onsets[index] };
            // The bass is not transposed. Listeners need it as a reference for the height of the
            // other notes.
            let height = if settings.role == Role::Bass { 0 } else { height(context) };
            out.extend(line.step(context, chord, work, height, &mut self.notes));
        }
    }
}

/// Computes the amount of work, in sixteenths of the pulse's full density.
pub(super) fn work(context: &StepContext<'_>) -> u8 {
    let density = context.reading.value(Feature::PulseDensity).unwrap_or(0.0);
    (density.ceil() as u8).min(WORK_STEPS)
}

/// Number of scale steps by which the mapping raises the pulse.
fn height(context: &StepContext<'_>) -> i32 {
    context.reading.value(Feature::PulseHeight).unwrap_or(0.0).round() as i32
}

/// One stream of the pulse during one step.
pub(super) struct PulseLine<'a> {
    /// Index that selects the stream's random numbers.
    pub(super) index: u8,
    pub(super) settings: &'a PulseSettings,
    /// Number of onsets per bar, updated on every beat.
    pub(super) onsets: &'a mut u8,
}

impl PulseLine<'_> {
    /// Returns the note that the stream plays on this step, or `None` if it plays none. `notes` is
    /// a buffer for the chord's notes.
    pub(super) fn step(
        self,
        context: &StepContext<'_>,
        chord: Chord,
        work: u8,
        height: i32,
        notes: &mut Vec<u8>,
    ) -> Option<Note> {
        if context.step.is_multiple_of(4) {
            *self.onsets = onsets_per_bar(self.settings, work, context.density);
        }
        let (stream, onsets) = (Stream::Pulse(self.index), *self.onsets);
        let rotation = Dice::new(context.seed, context.bar / PHRASE_BARS, stream).below(4) as u8 * 4;
        if !is_onset(context.step, onsets, rotation) {
            return None;
        }
        let before = onsets_before(context.step, onsets, rotation);
        chord.notes_in(context.key, self.settings.register, notes);
        let pitch = self.pitch(context, notes, chord, before);
        Some(note(context, self.settings, stream, raised(context, pitch, height), work))
    }

    /// The pitch of a note. `before` is the number of notes that this stream has already played in
    /// this bar.
    fn pitch(&self, context: &StepContext<'_>, notes: &[u8], chord: Chord, before: usize) -> u8 {
        let settings = self.settings;
        let len = notes.len();
        if settings.motion == Motion::Root || len == 0 {
            return settings.register.fold(context.key.midi(chord.degrees[0]));
        }
        // An arpeggio continues in the next bar. If it restarted in each bar, a stream with few
        // onsets would only play the lowest notes.
        let along = before + (context.bar % PHRASE_BARS) as usize * usize::from(*self.onsets);
        match settings.motion {
            Motion::Up | Motion::Root => notes[along % len],
            Motion::UpDown => {
                let turn = (2 * len - 2).max(1);
                let place = along % turn;
                notes[if place < len { place } else { turn - place }]
            }
            Motion::Walk => {
                // All notes of the chord sound before any of them repeats, and their order stays
                // the same throughout the phrase. So listeners recognise a motif rather than a
                // random sequence.
                let phrase = context.bar / PHRASE_BARS;
                let mut dice = Dice::new(context.seed, phrase, Stream::Motif(self.index));
                let strides = || (2..len).filter(|stride| is_coprime(*stride, len));
                let stride = strides().nth(dice.below(strides().count().max(1))).unwrap_or(1);
                notes[(dice.below(len) + along * stride) % len]
            }
        }
    }
}

fn note(context: &StepContext<'_>, settings: &PulseSettings, stream: Stream, midi: u8, work: u8) -> Note {
    let place = context.bar * u64::from(STEPS_PER_BAR) + u64::from(context.step);
    let nuance = 1.0 + 0.08 * Dice::new(!context.seed, place, stream).bipolar();
    let push = 0.65 + 0.35 * f32::from(work) / f32::from(WORK_STEPS);
    Note {
        onset_s: context.onset_s,
        duration_s: settings.gate_steps * context.step_s as f32,
        midi,
        velocity: (settings.velocity * accent(context.step) * push * nuance).clamp(0.0, 1.0),
        pan: settings.pan,
        brightness: context.reading.value(Feature::PulseBrightness).unwrap_or(0.0),
        role: settings.role,
        instrument: settings.role.into(),
        layer: Layer::Pulse,
        signal: None,
    }
}

fn is_coprime(a: usize, b: usize) -> bool {
    let (mut a, mut b) = (a, b);
    while b != 0 {
        (a, b) = (b, a % b);
    }
    a == 1
}

/// Transposes a pitch up by `height` scale steps, but at most to the highest pitch of the pulse.
fn raised(context: &StepContext<'_>, midi: u8, height: i32) -> u8 {
    const HIGHEST: i32 = 95;
    let degree = context.key.degree_below(midi.into());
    let raised = (degree + height).min(context.key.degree_below(HIGHEST));
    if height == 0 { midi } else { context.key.midi(raised).clamp(0, HIGHEST) as u8 }
}

/// Number of onsets per bar. It increases with work and density, and it is 0 without work.
fn onsets_per_bar(settings: &PulseSettings, work: u8, density: f32) -> u8 {
    if work == 0 {
        return 0;
    }
    let work = f32::from(work) / f32::from(WORK_STEPS);
    let beyond = ((work - settings.from) / (1.0 - settings.from)).clamp(0.0, 1.0);
    let onsets = f32::from(settings.max_onsets) * beyond * density_factor(density);
    (onsets.ceil() as u8).min(STEPS_PER_BAR)
}

/// Converts a density, 0..=1, into a factor: 0.25 at 0, 1 at 0.5, and 2 at 1.
pub(super) fn density_factor(density: f32) -> f32 {
    if density <= 0.5 { 0.25 + 1.5 * density } else { 2.0 * density }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn onsets_rise_with_work_and_density() {
        for preset in super::super::Preset::builtin() {
            for stream in &preset.pulse {
                for density in [0.0, 0.3, 0.5, 1.0] {
                    let onsets = |work| onsets_per_bar(stream, work, density);
                    assert_eq!(onsets(0), 0);
                    assert!((0..WORK_STEPS).all(|w| onsets(w) <= onsets(w + 1)));
                }
                let full = |density| onsets_per_bar(stream, WORK_STEPS, density);
                assert!(full(0.0) < full(0.5) && full(0.5) <= full(1.0));
            }
        }
    }
}
