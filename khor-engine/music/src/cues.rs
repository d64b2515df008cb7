//! Plays the cues: short motifs for kernel events. Cues are in key and never overlap. The severity
//! of a cue determines how soon it starts.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

use super::{
    note::{Instrument, Layer, Note, Role},
    step_context::StepContext,
};

/// Maximum number of waiting cues. When the queue is full, a new cue replaces the least severe
/// waiting cue if the new cue is more severe. Otherwise, the new cue is dropped.
const MAX_WAITING: usize = 6;
/// Length of the silence between two cues, seconds.
const GAP_S: f64 = 0.3;
/// Longest time for which a cue may wait, seconds. A cue that waits longer is dropped.
const STALE_S: f64 = 20.0;

/// The kinds of cues. Each kind has its own motif.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum CueSound {
    /// The kernel killed a process because memory ran out.
    Oom,
    /// A fatal signal ended a process.
    Crash,
    /// A block request failed.
    Blkerr,
    /// Many TCP segments were retransmitted.
    Retx,
    /// The source was lost. Until it is available again, a calm sound does not mean a calm host.
    Lost,
    /// The source is available again.
    Found,
}

impl CueSound {
    /// All kinds of cues.
    pub const ALL: [Self; 6] = [Self::Oom, Self::Crash, Self::Blkerr, Self::Retx, Self::Lost, Self::Found];

    /// Name of the cue in the API and in explanations.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Oom => "oom",
            Self::Crash => "crash",
            Self::Blkerr => "blkerr",
            Self::Retx => "retx",
            Self::Lost => "lost",
            Self::Found => "found",
        }
    }

    /// The cue for an event that the collector reports; `None` for a program start, which has no
    /// cue.
    pub const fn for_event(cue: khor_proto::CueKind) -> Option<Self> {
        match cue {
            khor_proto::CueKind::Oom => Some(Self::Oom),
            khor_proto::CueKind::Crash => Some(Self::Crash),
            khor_proto::CueKind::BlockError => Some(Self::Blkerr),
            khor_proto::CueKind::RetransmitBurst => Some(Self::Retx),
            khor_proto::CueKind::Exec => None,
        }
    }

    /// How severe the cue's event is.
    pub const fn severity(self) -> Severity {
        match self {
            Self::Oom => Severity::Grave,
            Self::Crash | Self::Blkerr => Severity::Serious,
            Self::Retx | Self::Lost | Self::Found => Severity::Notable,
        }
    }

    /// The notes of the cue. Each kind has a different rhythm, contour and register, because
    /// listeners confuse alarms that share these properties.
    const fn motif(self) -> &'static [Tone] {
        const fn tone(at_steps: f32, octave: i32, degree: i32, length_steps: f32, brightness: f32) -> Tone {
            Tone { at_steps, octave, degree, length_steps, brightness }
        }
        match self {
            // The motif has four notes, which fall through three octaves.
            Self::Oom => {
                const {
                    &[
                        tone(0.0, 2, 0, 1.5, 1.5),
                        tone(1.0, 1, 0, 1.5, 1.0),
                        tone(2.0, 0, 0, 2.0, 0.5),
                        tone(3.0, -1, 0, 8.0, 0.0),
                    ]
                }
            }
            // The motif has three quick high notes, and then one low note.
            Self::Crash => {
                const {
                    &[
                        tone(0.0, 3, 4, 0.5, 2.0),
                        tone(0.5, 3, 2, 0.5, 2.0),
                        tone(1.0, 3, 0, 0.5, 2.0),
                        tone(2.0, 1, 0, 4.0, 1.0),
                    ]
                }
            }
            // The motif has two notes of equal pitch, a pause, and the same two notes again.
            Self::Blkerr => {
                const {
                    &[
                        tone(0.0, 1, 0, 0.7, 1.8),
                        tone(1.0, 1, 0, 0.7, 1.8),
                        tone(4.0, 1, 0, 0.7, 1.8),
                        tone(5.0, 1, 0, 2.0, 1.8),
                    ]
                }
            }
            // The motif is a trill that does not resolve to the tonic.
            Self::Retx => {
                const {
                    &[
                        tone(0.0, 2, 1, 0.5, 1.0),
                        tone(0.5, 2, 0, 0.5, 1.0),
                        tone(1.0, 2, 1, 0.5, 1.0),
                        tone(1.5, 2, 0, 0.5, 1.0),
                        tone(2.0, 2, 1, 2.0, 1.0),
                    ]
                }
            }
            // The motif has two long falling notes. The last note is not the tonic.
            Self::Lost => const { &[tone(0.0, 1, 2, 4.0, -0.5), tone(4.0, 1, 1, 8.0, -1.0)] },
            // The motif has four rising notes. The last note is the tonic.
            Self::Found => {
                const {
                    &[
                        tone(0.0, 1, 1, 2.0, 0.3),
                        tone(2.0, 1, 2, 2.0, 0.3),
                        tone(4.0, 1, 4, 2.0, 0.5),
                        tone(6.0, 2, 0, 6.0, 0.6),
                    ]
                }
            }
        }
    }
}

/// The severity of a cue. It determines when the cue starts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// The cue starts on the next beat.
    Notable,
    /// The cue starts on the next step.
    Serious,
    /// The cue starts immediately, without waiting for a step. If another cue is sounding, it
    /// starts after that cue.
    Grave,
}

/// One note of a cue.
#[derive(Clone, Copy, Debug)]
struct Tone {
    /// Onset after the start of the cue, in steps of [`STEP_S`]. These steps do not depend on the
    /// tempo, so the rhythm remains recognisable.
    at_steps: f32,
    /// Number of octaves above a reference tonic. The MIDI note number of the reference tonic is in
    /// 48..=59.
    octave: i32,
    /// Number of scale steps above the tonic of the octave that `octave` selects.
    degree: i32,
    length_steps: f32,
    /// Shift of this note's filter cutoff, octaves.
    brightness: f32,
}

/// Length of a cue's step, seconds. It is a sixteenth at 110 bpm.
const STEP_S: f32 = 0.136;

/// The other layers pause during a cue. They continue at the end of its last tone, but at most this
/// number of cue steps after that tone's onset.
const FOREGROUND_STEPS: f32 = 2.0;

/// The state of the cues: the queue of waiting cues, the time at which the other layers may
/// continue, and the time at which the sounding cue ends.
#[derive(Clone, Debug, Default)]
pub(super) struct Cues {
    waiting: VecDeque<(CueSound, f64)>,
    foreground_until_s: f64,
    sounds_until_s: Option<f64>,
}

impl Cues {
    /// Adds a cue to the queue. `now_s` is the current musical time.
    pub(super) fn push(&mut self, kind: CueSound, now_s: f64) {
        if self.waiting.iter().any(|(waiting, _)| *waiting == kind) {
            return;
        }
        if self.waiting.len() == MAX_WAITING {
            let least = (0..MAX_WAITING).min_by_key(|&i| self.waiting[i].0.severity());
            if let Some(least) = least.filter(|&i| self.waiting[i].0.severity() < kind.severity()) {
                self.waiting.remove(least);
            } else {
                return;
            }
        }
        self.waiting.push_back((kind, now_s));
    }

    /// Starts a waiting cue of severity [`Severity::Grave`] without waiting for a step. If a cue is
    /// sounding, this call does nothing. `now_s` is the musical time up to which music has been
    /// composed.
    pub(super) fn play_urgent(&mut self, context: &StepContext<'_>, now_s: f64, out: &mut Vec<Note>) {
        self.play(context, now_s, Severity::Grave, out);
    }

    /// Plays one step. Must be called for every step, before the layers that pause for cues.
    pub(super) fn step(&mut self, context: &StepContext<'_>, out: &mut Vec<Note>) {
        let least = if context.step.is_multiple_of(4) { Severity::Notable } else { Severity::Serious };
        self.waiting.retain(|(_, since_s)| context.onset_s - since_s < STALE_S);
        self.play(context, context.onset_s, least, out);
    }

    /// Whether a cue makes the other layers pause at this time.
    pub(super) fn is_foreground_at(&self, onset_s: f64) -> bool {
        onset_s < self.foreground_until_s
    }

    fn play(&mut self, context: &StepContext<'_>, onset_s: f64, least: Severity, out: &mut Vec<Note>) {
        if self.sounds_until_s.is_some_and(|until_s| onset_s < until_s + GAP_S) {
            return;
        }
        let severe = |&(i, (kind, _)): &(usize, &(CueSound, f64))| (kind.severity(), std::cmp::Reverse(i));
        let next = self.waiting.iter().enumerate().filter(|(_, (kind, _))| kind.severity() >= least);
        let Some((index, &(kind, _))) = next.max_by_key(severe) else { return };
        self.waiting.remove(index);
        for tone in kind.motif() {
            let begins_s = onset_s + f64::from(tone.at_steps * STEP_S);
            out.push(Note {
                onset_s: begins_s,
                duration_s: tone.length_steps * STEP_S,
                midi: pitch(context, tone),
                velocity: 0.95,
                pan: 0.0,
                brightness: tone.brightness,
                role: Role::Melody,
                instrument: Instrument::Cue,
                layer: Layer::Cues,
                signal: None,
            });
            self.foreground_until_s = begins_s + f64::from(tone.length_steps.min(FOREGROUND_STEPS) * STEP_S);
            let ends_s = begins_s + f64::from(tone.length_steps * STEP_S);
            self.sounds_until_s = Some(self.sounds_until_s.map_or(ends_s, |until_s| until_s.max(ends_s)));
        }
    }
}

fn pitch(context: &StepContext<'_>, tone: &Tone) -> u8 {
    let degree = tone.degree.min(context.key.len() - 1) + tone.octave * context.key.len();
    let midi = context.key.midi(degree);
    // The tonic of octave 0 is in 48..=59. Cues use pitches from one octave below this tonic to
    // three octaves above it, so their MIDI note numbers are in 36..=96.
    midi.clamp(36, 96) as u8
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cue_motifs_differ_in_rhythm_or_pitch() {
        for (i, kind) in CueSound::ALL.into_iter().enumerate() {
            let rhythm =
                |kind: CueSound| kind.motif().iter().map(|t| (t.at_steps * 2.0) as i32).collect::<Vec<_>>();
            for other in &CueSound::ALL[i + 1..] {
                let place = |kind: CueSound| kind.motif()[0].octave * 7 + kind.motif()[0].degree;
                assert!(rhythm(kind) != rhythm(*other) || place(kind) != place(*other), "{kind:?} {other:?}");
            }
        }
    }

    #[test]
    fn repeated_cues_merge_in_the_queue() {
        let mut cues = Cues::default();
        for kind in [
            CueSound::Retx,
            CueSound::Lost,
            CueSound::Found,
            CueSound::Crash,
            CueSound::Blkerr,
            CueSound::Oom,
        ] {
            for _ in 0..10 {
                cues.push(kind, 0.0);
            }
        }
        assert_eq!(cues.waiting.len(), CueSound::ALL.len());
    }
}
