//! Plays the voices. They are gestures for the one or two streams that stand out most. Each stream
//! has its own register and pan.

use khor_signal::LaneId;

use super::{
    cast::{HostPlacement, SOLOISTS, VoiceSource},
    feature::Feature,
    harmony::Chord,
    note::{Instrument, Layer, Note, Role},
    pulse::density_factor,
    rhythm::{STEPS_PER_BAR, accent, is_onset, onsets_before},
    scale::Register,
    seeded::{Dice, Stream},
    step_context::StepContext,
    stream::{VoiceProfile, VoiceStream},
};

/// Maximum number of simultaneous voices. Listeners can follow three to four streams, including bed
/// and pulse (docs/ear.md). If there are two soloists, each has one voice.
const MAX_VOICES: usize = SOLOISTS;
/// The pan of a soloist's voice is the soloist's pan plus this share of the stream's pan.
const STREAM_PAN_SHARE: f32 = 0.3;
/// A stream may start to play if its rank is at least [`ENTER_RANK`], and stops if its rank falls
/// below [`LEAVE_RANK`]. A rank is the number of half octaves above the baseline.
const ENTER_RANK: u8 = 3;
const LEAVE_RANK: u8 = 2;
/// A silent stream replaces a playing one if the silent stream's rank exceeds the playing stream's
/// rank by at least this number.
const REPLACE_RANKS: u8 = 2;
/// Shortest time for which a voice plays, in half bars.
const MIN_HALF_BARS: u16 = 4;
/// A voice that does not change for [`FAMILIAR_HALF_BARS`] (1 minute) begins to recede. It recedes
/// for [`RECEDING_HALF_BARS`] (2 minutes).
const FAMILIAR_HALF_BARS: u16 = 55;
const RECEDING_HALF_BARS: u16 = 110;
/// A voice that has receded fully keeps these shares of its onsets and of its velocity.
const RECEDED_ONSETS: f32 = 0.6;
const RECEDED_VELOCITY: f32 = 0.75;
/// The mapping raises a gesture from a base pitch, which is this many semitones above the lowest
/// note of the register.
const LIFT_BASE_SEMITONES: i32 = 1;
/// Register of the single notes that an idle host plays.
const IDLE_NOTE_REGISTER: Register = Register { low: 62, high: 76 };

/// A voice is a stream that is playing.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Voice {
    pub(super) stream: VoiceStream,
    /// The lane that the voice represents.
    pub(super) signal: LaneId,
    /// Number of the voice's onsets per bar.
    pub(super) onsets: u8,
    /// Number of half bars since the voice started.
    age: u16,
    /// Number of half bars since the voice last changed.
    familiar: u16,
    /// The placement of the soloist's host. With `None`, the voice uses the stream's pan.
    placement: Option<HostPlacement>,
}

/// The state of the voices, including which streams play.
#[derive(Clone, Debug, Default)]
pub(super) struct Voices {
    active: [Option<Voice>; MAX_VOICES],
    /// Step of the single note that an idle host plays in this bar.
    idle_note_step: Option<u8>,
}

impl Voices {
    /// Plays one step of the voices. The composer calls this function on every step.
    pub(super) fn step(
        &mut self,
        context: &StepContext<'_>,
        of: VoiceSource<'_>,
        chord: Chord,
        out: &mut Vec<Note>,
    ) {
        if context.step.is_multiple_of(8) {
            self.choose(context, of, chord, out);
        }
        for voice in self.active.into_iter().flatten() {
            play_voice(voice, of.loudness, context, chord, out);
        }
    }

    /// The playing voices.
    pub(super) fn active(&self) -> impl Iterator<Item = Voice> {
        self.active.into_iter().flatten()
    }

    /// Ends the voices that represent added lanes.
    pub(super) fn end_added(&mut self) {
        for slot in &mut self.active {
            *slot = slot.filter(|voice| voice.signal.signal().is_some());
        }
    }

    /// Returns one value for each stream: whether the stream is playing.
    pub(super) fn streams(&self) -> [bool; VoiceStream::ALL.len()] {
        let mut streams = [false; VoiceStream::ALL.len()];
        self.active().for_each(|voice| streams[voice.stream.index()] = true);
        streams
    }

    /// Selects the streams that play. First, voices end if there are too many of them. A voice also
    /// ends if its stream has a low rank or no active feature. Then streams with a high rank start,
    /// or replace a playing voice.
    fn choose(&mut self, context: &StepContext<'_>, of: VoiceSource<'_>, chord: Chord, out: &mut Vec<Note>) {
        let mut too_many = self.active().count().saturating_sub(of.max_voices);
        while too_many > 0
            && let Some(voice) = self.weakest(context).and_then(Option::take)
        {
            out.extend(cadence(voice, context, chord));
            too_many -= 1;
        }
        for slot in &mut self.active {
            let Some(voice) = slot else { continue };
            if voice.age >= MIN_HALF_BARS && !may_play(context, voice.stream, LEAVE_RANK) {
                out.extend(cadence(*voice, context, chord));
                *slot = None;
            } else {
                voice.follow(context, of.placement);
            }
        }
        let mut candidates = VoiceStream::ALL;
        candidates.sort_by_key(|stream| std::cmp::Reverse(context.reading.rank(*stream)));
        for stream in candidates {
            let is_free = !of.taken_streams[stream.index()];
            if is_free
                && may_play(context, stream, ENTER_RANK)
                && !self.active().any(|voice| voice.stream == stream)
            {
                self.enter(context, of, stream);
            }
        }
    }

    fn enter(&mut self, context: &StepContext<'_>, of: VoiceSource<'_>, stream: VoiceStream) {
        let Some(entry) = Voice::start(context, of.placement, stream) else { return };
        if self.active().count() < of.max_voices {
            if let Some(free) = self.active.iter_mut().find(|slot| slot.is_none()) {
                *free = Some(entry);
            }
            return;
        }
        if let Some(slot) = self.weakest(context)
            && let Some(voice) = slot
            && voice.age >= MIN_HALF_BARS
            && context.reading.rank(voice.stream) + REPLACE_RANKS <= context.reading.rank(stream)
        {
            *slot = Some(entry);
        }
    }

    /// The playing voice with the lowest rank.
    fn weakest(&mut self, context: &StepContext<'_>) -> Option<&mut Option<Voice>> {
        let rank = |voice: &Option<Voice>| voice.map_or(0, |s| context.reading.rank(s.stream));
        self.active.iter_mut().filter(|slot| slot.is_some()).min_by_key(|slot| rank(slot))
    }

    /// Plays a single soft note from time to time, but only if a single host plays and is idle.
    pub(super) fn idle_note(
        &mut self,
        context: &StepContext<'_>,
        is_single_host: bool,
        chord: Chord,
        out: &mut Vec<Note>,
    ) {
        let idle = is_single_host
            && context.reading.position(Feature::PulseDensity) == 0.0
            && self.active.iter().all(Option::is_none)
            && !context.reading.is_lost();
        if context.step == 0 {
            let mut dice = Dice::new(context.seed, context.bar, Stream::Rare);
            let chance = context.bar_s() as f32 / context.preset.voices.rare_s;
            self.idle_note_step = (idle && dice.chance(chance)).then(|| dice.below(8) as u8 * 2);
        }
        if idle && self.idle_note_step == Some(context.step) {
            let mut dice = Dice::new(!context.seed, context.bar, Stream::Rare);
            let target = i32::from(IDLE_NOTE_REGISTER.low) + dice.below(15) as i32;
            out.push(Note {
                onset_s: context.onset_s,
                duration_s: 4.0 * context.step_s as f32,
                midi: IDLE_NOTE_REGISTER.fold(chord.nearest(context.key, target)),
                velocity: context.preset.voices.velocity * 0.45,
                pan: 0.3 * dice.bipolar(),
                brightness: -0.5,
                role: Role::Melody,
                instrument: Instrument::Melody,
                layer: Layer::Voices,
                signal: None,
            });
        }
    }
}

/// Whether a stream may play: it must have an active feature, and its rank must be at least `rank`.
fn may_play(context: &StepContext<'_>, stream: VoiceStream, rank: u8) -> bool {
    context.reading.activity(stream) > 0.0 && context.reading.rank(stream) >= rank
}

impl Voice {
    fn start(
        context: &StepContext<'_>,
        placement: Option<HostPlacement>,
        stream: VoiceStream,
    ) -> Option<Self> {
        let signal = context.reading.leader(stream)?;
        Some(Self { stream, signal, onsets: onsets(context, stream), age: 0, familiar: 0, placement })
    }

    /// Updates the voice from the reading and the placement. Called every half bar.
    fn follow(&mut self, context: &StepContext<'_>, placement: Option<HostPlacement>) {
        let signal = context.reading.leader(self.stream).unwrap_or(self.signal);
        let onsets = onsets(context, self.stream);
        let moved = signal != self.signal || onsets != self.onsets || placement != self.placement;
        let changed = moved || context.reading.is_surprising(self.stream);
        let familiar = if changed { 0 } else { self.familiar.saturating_add(1) };
        *self = Self {
            stream: self.stream,
            signal,
            onsets,
            age: self.age.saturating_add(1),
            familiar,
            placement,
        };
    }

    fn pan(self, profile: &VoiceProfile) -> f32 {
        self.placement.map_or(profile.pan, |placement| {
            (placement.pan + STREAM_PAN_SHARE * profile.pan).clamp(-1.0, 1.0)
        })
    }

    /// How far the voice has receded, 0..=1. A voice that has not changed recedes, so that new
    /// activity stands out.
    fn receded(self) -> f32 {
        (f32::from(self.familiar.saturating_sub(FAMILIAR_HALF_BARS)) / f32::from(RECEDING_HALF_BARS)).min(1.0)
    }
}

/// Number of onsets per bar of a stream. The mapping's number is multiplied by the preset's pace
/// and by a factor for the density setting.
fn onsets(context: &StepContext<'_>, stream: VoiceStream) -> u8 {
    let mapped = context.reading.value(Feature::Density(stream)).unwrap_or(0.0);
    let onsets = (mapped * context.preset.voices.pace).max(stream.profile().least_onsets)
        * density_factor(context.density);
    (onsets.ceil() as u8).clamp(1, STEPS_PER_BAR)
}

fn play_voice(voice: Voice, loudness: f32, context: &StepContext<'_>, chord: Chord, out: &mut Vec<Note>) {
    let settings = &context.preset.voices;
    let profile = voice.stream.profile();
    let receded = voice.receded();
    let onsets = f32::from(voice.onsets) * (1.0 - (1.0 - RECEDED_ONSETS) * receded);
    let onsets = (onsets.ceil() as u8).clamp(1, STEPS_PER_BAR);
    if !is_onset(context.step, onsets, profile.rotation) {
        return;
    }
    // In every second bar, the gesture continues where the previous bar stopped.
    let earlier = if context.bar.is_multiple_of(2) { 0 } else { usize::from(onsets) };
    let count = onsets_before(context.step, onsets, profile.rotation) + earlier;
    let length = context.reading.value(Feature::Length(voice.stream)).unwrap_or(profile.length_steps);
    let standing = context.reading.activity(voice.stream);
    let entry = if voice.age < 2 { 1.15 } else { 1.0 };
    let receded = 1.0 - (1.0 - RECEDED_VELOCITY) * receded;
    let velocity =
        loudness * settings.velocity * accent(context.step) * (0.65 + 0.35 * standing) * entry * receded;
    let brightness = context.reading.value(Feature::Brightness(voice.stream)).unwrap_or(0.0);
    let note = Note {
        onset_s: context.onset_s,
        duration_s: length * settings.gate * context.step_s as f32,
        midi: pitch(voice, &profile, context, chord, count),
        velocity: velocity.clamp(0.0, 1.0),
        pan: voice.pan(&profile),
        brightness: profile.brightness + brightness,
        role: profile.instrument.role(),
        instrument: profile.instrument,
        layer: Layer::Voices,
        signal: Some(voice.signal),
    };
    out.push(note);
    if profile.stutter {
        let later = 0.5 * context.step_s;
        out.push(Note { onset_s: note.onset_s + later, velocity: 0.7 * note.velocity, ..note });
    }
}

/// The pitch of a voice's next note. The gesture varies over eight bars (A A' A B). Its variation
/// depends on the current section of the form.
fn pitch(voice: Voice, profile: &VoiceProfile, context: &StepContext<'_>, chord: Chord, count: usize) -> u8 {
    let last = profile.contour.len() - 1;
    let index = count % profile.contour.len();
    let backwards = if index == last { profile.contour[last] } else { profile.contour[last - 1 - index] };
    let step = match ((context.bar / 2) % 4, context.section.variant) {
        (3, _) | (1, 1) => backwards,
        (1, 2) => -profile.contour[index],
        _ => profile.contour[index],
    };
    let stream = Stream::Voice(voice.stream.index() as u8);
    let lean = voice.placement.map_or_else(
        || 2 * (Dice::new(context.seed, context.section.index, stream).below(3) as i32 - 1),
        |p| p.lean,
    );
    let lift = context.reading.value(Feature::Height(voice.stream));
    let middle = match lift {
        Some(_) => i32::from(profile.register.low) + LIFT_BASE_SEMITONES,
        None => profile.register.middle() + lean,
    };
    let home = context.key.degree_below(chord.nearest(context.key, middle));
    let highest = context.key.degree_below(profile.register.high.into());
    let lifted = (home + step + lift.unwrap_or(0.0).round() as i32).min(highest);
    let mut midi = context.key.midi(lifted);
    if context.step.is_multiple_of(8) {
        midi = chord.nearest(context.key, midi);
    }
    profile.register.fold(midi)
}

/// The last note of a voice. It is a long note on the root of the chord, so that listeners notice
/// that the voice ends.
fn cadence(voice: Voice, context: &StepContext<'_>, chord: Chord) -> Option<Note> {
    let profile = voice.stream.profile();
    (!context.reading.is_lost()).then(|| Note {
        onset_s: context.onset_s,
        duration_s: 6.0 * context.step_s as f32,
        midi: profile.register.fold(context.key.midi(chord.degrees[0])),
        velocity: 0.6 * context.preset.voices.velocity,
        pan: voice.pan(&profile),
        brightness: profile.brightness - 0.5,
        role: profile.instrument.role(),
        instrument: profile.instrument,
        layer: Layer::Voices,
        signal: Some(voice.signal),
    })
}
