//! The voices: gestures for the one or two streams that stand out most, each in its own place.

use khor_signal::SignalId;

use super::cast::{Place, SOLOISTS, VoicesOf};
use super::feature::Feature;
use super::harmony::Chord;
use super::moment::Moment;
use super::note::{Instrument, Layer, Note, Role};
use super::pulse::density_factor;
use super::rhythm::{STEPS, accent, hit, hits_before};
use super::scale::Register;
use super::seeded::{Dice, Stream};
use super::stream::{Seat, VoiceStream};

/// Voices at once; more melt into each other (ear.md: three to four streams, bed and pulse included). Two soloists have
/// one each.
const AT_ONCE: usize = SOLOISTS;
/// How much of a stream's own place is left where a soloist has another: a nuance.
const OWN_PAN: f32 = 0.3;
/// Rank (half octaves) at which a stream may speak, and below which it stops.
const ENTER: u8 = 3;
const LEAVE: u8 = 2;
/// How much higher a silent stream must rank to replace a speaking one.
const REPLACE: u8 = 2;
/// Half bars a voice speaks at least.
const HOLD: u16 = 4;
/// Half bars of the same after which a voice begins to recede, and how many more until it has: 1 and 3 minutes.
const FAMILIAR: u16 = 55;
const RECEDING: u16 = 110;
/// What is left of its onsets and of its loudness then.
const RECEDED_ONSETS: f32 = 0.6;
const RECEDED_VELOCITY: f32 = 0.75;
/// Where a gesture that the mapping lifts begins, semitones above the register's lowest note.
const UNLIFTED: i32 = 1;
/// Where single notes of an idle machine lie.
const RARE: Register = Register { low: 62, high: 76 };

/// A stream that speaks.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Speaker {
    pub(super) stream: VoiceStream,
    /// The signal it speaks for.
    pub(super) signal: SignalId,
    /// Onsets per bar.
    pub(super) onsets: u8,
    /// Half bars since its entry.
    age: u16,
    /// Half bars since something about it changed.
    familiar: u16,
    /// Where it comes from, if not from its stream's own place.
    place: Option<Place>,
}

/// State of the voices: who speaks.
#[derive(Clone, Debug, Default)]
pub(super) struct Voices {
    speaking: [Option<Speaker>; AT_ONCE],
    /// The single note of this bar on an idle machine.
    rare_step: Option<u8>,
}

impl Voices {
    /// Called on every step.
    pub(super) fn step(&mut self, moment: &Moment<'_>, of: VoicesOf<'_>, chord: Chord, out: &mut Vec<Note>) {
        if moment.step.is_multiple_of(8) {
            self.choose(moment, of, chord, out);
        }
        for speaker in self.speaking.into_iter().flatten() {
            speak(speaker, of.loudness, moment, chord, out);
        }
    }

    /// Who speaks now.
    pub(super) fn speaking(&self) -> impl Iterator<Item = Speaker> {
        self.speaking.into_iter().flatten()
    }

    /// The streams that are spoken with.
    pub(super) fn streams(&self) -> [bool; VoiceStream::ALL.len()] {
        let mut streams = [false; VoiceStream::ALL.len()];
        self.speaking().for_each(|speaker| streams[speaker.stream.index()] = true);
        streams
    }

    /// Decides who speaks: leavers first, then entries and replacements by rank.
    fn choose(&mut self, moment: &Moment<'_>, of: VoicesOf<'_>, chord: Chord, out: &mut Vec<Note>) {
        let mut too_many = self.speaking().count().saturating_sub(of.at_once);
        while too_many > 0
            && let Some(speaker) = self.weakest(moment).and_then(Option::take)
        {
            out.extend(cadence(speaker, moment, chord));
            too_many -= 1;
        }
        for slot in &mut self.speaking {
            let Some(speaker) = slot else { continue };
            if speaker.age >= HOLD && !may_speak(moment, speaker.stream, LEAVE) {
                out.extend(cadence(*speaker, moment, chord));
                *slot = None;
            } else {
                speaker.follow(moment, of.place);
            }
        }
        let mut candidates = VoiceStream::ALL;
        candidates.sort_by_key(|stream| std::cmp::Reverse(moment.reading.rank(*stream)));
        for stream in candidates {
            let is_free = !of.taken[stream.index()];
            if is_free
                && may_speak(moment, stream, ENTER)
                && !self.speaking().any(|speaker| speaker.stream == stream)
            {
                self.enter(moment, of, stream);
            }
        }
    }

    fn enter(&mut self, moment: &Moment<'_>, of: VoicesOf<'_>, stream: VoiceStream) {
        let Some(entry) = Speaker::entering(moment, of.place, stream) else { return };
        if self.speaking().count() < of.at_once {
            if let Some(free) = self.speaking.iter_mut().find(|slot| slot.is_none()) {
                *free = Some(entry);
            }
            return;
        }
        if let Some(slot) = self.weakest(moment)
            && let Some(speaker) = slot
            && speaker.age >= HOLD
            && moment.reading.rank(speaker.stream) + REPLACE <= moment.reading.rank(stream)
        {
            *slot = Some(entry);
        }
    }

    /// The one of those who speak that stands out least.
    fn weakest(&mut self, moment: &Moment<'_>) -> Option<&mut Option<Speaker>> {
        let rank = |speaker: &Option<Speaker>| speaker.map_or(0, |s| moment.reading.rank(s.stream));
        self.speaking.iter_mut().filter(|slot| slot.is_some()).min_by_key(|slot| rank(slot))
    }

    /// Now and then a single soft note while nothing works: the machine, which is `one`, is there, and idle.
    pub(super) fn rare(&mut self, moment: &Moment<'_>, one: bool, chord: Chord, out: &mut Vec<Note>) {
        let idle = one
            && moment.reading.position(Feature::PulseDensity) == 0.0
            && self.speaking.iter().all(Option::is_none)
            && !moment.reading.is_lost();
        if moment.step == 0 {
            let mut dice = Dice::new(moment.seed, moment.bar, Stream::Rare);
            let chance = moment.bar_s() as f32 / moment.preset.voices.rare_s;
            self.rare_step = (idle && dice.chance(chance)).then(|| dice.below(8) as u8 * 2);
        }
        if idle && self.rare_step == Some(moment.step) {
            let mut dice = Dice::new(!moment.seed, moment.bar, Stream::Rare);
            let target = i32::from(RARE.low) + dice.below(15) as i32;
            out.push(Note {
                onset_s: moment.onset_s,
                duration_s: 4.0 * moment.step_s as f32,
                midi: RARE.fold(chord.nearest(moment.key, target)),
                velocity: moment.preset.voices.velocity * 0.45,
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

/// Whether a stream has something to say, whatever it says it with, and stands out enough.
fn may_speak(moment: &Moment<'_>, stream: VoiceStream, rank: u8) -> bool {
    moment.reading.activity(stream) > 0.0 && moment.reading.rank(stream) >= rank
}

impl Speaker {
    fn entering(moment: &Moment<'_>, place: Option<Place>, stream: VoiceStream) -> Option<Self> {
        let signal = moment.reading.leader(stream)?;
        Some(Self { stream, signal, onsets: onsets(moment, stream), age: 0, familiar: 0, place })
    }

    /// Takes what the reading says and where it is said from, twice a bar.
    fn follow(&mut self, moment: &Moment<'_>, place: Option<Place>) {
        let signal = moment.reading.leader(self.stream).unwrap_or(self.signal);
        let onsets = onsets(moment, self.stream);
        let moved = signal != self.signal || onsets != self.onsets || place != self.place;
        let changed = moved || moment.reading.is_news(self.stream);
        let familiar = if changed { 0 } else { self.familiar.saturating_add(1) };
        *self =
            Self { stream: self.stream, signal, onsets, age: self.age.saturating_add(1), familiar, place };
    }

    fn pan(self, seat: &Seat) -> f32 {
        self.place.map_or(seat.pan, |place| (place.pan + OWN_PAN * seat.pan).clamp(-1.0, 1.0))
    }

    /// How far it has receded, 0..=1: what is expected makes room for what is not.
    fn receded(self) -> f32 {
        (f32::from(self.familiar.saturating_sub(FAMILIAR)) / f32::from(RECEDING)).min(1.0)
    }
}

/// Onsets per bar of a stream: the mapping's, at the preset's pace and the listener's density.
fn onsets(moment: &Moment<'_>, stream: VoiceStream) -> u8 {
    let mapped = moment.reading.value(Feature::Density(stream)).unwrap_or(0.0);
    let onsets =
        (mapped * moment.preset.voices.pace).max(stream.seat().least_onsets) * density_factor(moment.density);
    (onsets.ceil() as u8).clamp(1, STEPS)
}

fn speak(speaker: Speaker, loudness: f32, moment: &Moment<'_>, chord: Chord, out: &mut Vec<Note>) {
    let settings = &moment.preset.voices;
    let seat = speaker.stream.seat();
    let receded = speaker.receded();
    let onsets = f32::from(speaker.onsets) * (1.0 - (1.0 - RECEDED_ONSETS) * receded);
    let onsets = (onsets.ceil() as u8).clamp(1, STEPS);
    if !hit(moment.step, onsets, seat.rotation) {
        return;
    }
    // The gesture goes on over the bar line of each pair of bars, then comes home and begins again.
    let earlier = if moment.bar.is_multiple_of(2) { 0 } else { usize::from(onsets) };
    let count = hits_before(moment.step, onsets, seat.rotation) + earlier;
    let length = moment.reading.value(Feature::Length(speaker.stream)).unwrap_or(seat.length_steps);
    let standing = moment.reading.activity(speaker.stream);
    let entry = if speaker.age < 2 { 1.15 } else { 1.0 };
    let receded = 1.0 - (1.0 - RECEDED_VELOCITY) * receded;
    let velocity =
        loudness * settings.velocity * accent(moment.step) * (0.65 + 0.35 * standing) * entry * receded;
    let brightness = moment.reading.value(Feature::Brightness(speaker.stream)).unwrap_or(0.0);
    let note = Note {
        onset_s: moment.onset_s,
        duration_s: length * settings.gate * moment.step_s as f32,
        midi: pitch(speaker, &seat, moment, chord, count),
        velocity: velocity.clamp(0.0, 1.0),
        pan: speaker.pan(&seat),
        brightness: seat.brightness + brightness,
        role: seat.instrument.role(),
        instrument: seat.instrument,
        layer: Layer::Voices,
        signal: Some(speaker.signal),
    };
    out.push(note);
    if seat.stutter {
        let later = 0.5 * moment.step_s;
        out.push(Note { onset_s: note.onset_s + later, velocity: 0.7 * note.velocity, ..note });
    }
}

/// The gesture's place, in the variant of this phrase: A A' A B over eight bars, turned by the section.
fn pitch(speaker: Speaker, seat: &Seat, moment: &Moment<'_>, chord: Chord, count: usize) -> u8 {
    let last = seat.contour.len() - 1;
    let place = count % seat.contour.len();
    let backwards = if place == last { seat.contour[last] } else { seat.contour[last - 1 - place] };
    let step = match ((moment.bar / 2) % 4, moment.section.variant) {
        (3, _) | (1, 1) => backwards,
        (1, 2) => -seat.contour[place],
        _ => seat.contour[place],
    };
    let stream = Stream::Voice(speaker.stream.index() as u8);
    let lean = speaker.place.map_or_else(
        || 2 * (Dice::new(moment.seed, moment.section.index, stream).below(3) as i32 - 1),
        |p| p.lean,
    );
    let lift = moment.reading.value(Feature::Height(speaker.stream));
    let middle = match lift {
        Some(_) => i32::from(seat.register.low) + UNLIFTED,
        None => seat.register.middle() + lean,
    };
    let home = moment.key.degree_below(chord.nearest(moment.key, middle));
    let highest = moment.key.degree_below(seat.register.high.into());
    let lifted = (home + step + lift.unwrap_or(0.0).round() as i32).min(highest);
    let mut midi = moment.key.midi(lifted);
    if moment.step.is_multiple_of(8) {
        midi = chord.nearest(moment.key, midi);
    }
    seat.register.fold(midi)
}

/// A voice's last note: long, and home. Exits are missed unless they are told.
fn cadence(speaker: Speaker, moment: &Moment<'_>, chord: Chord) -> Option<Note> {
    let seat = speaker.stream.seat();
    (!moment.reading.is_lost()).then(|| Note {
        onset_s: moment.onset_s,
        duration_s: 6.0 * moment.step_s as f32,
        midi: seat.register.fold(moment.key.midi(chord.degrees[0])),
        velocity: 0.6 * moment.preset.voices.velocity,
        pan: speaker.pan(&seat),
        brightness: seat.brightness - 0.5,
        role: seat.instrument.role(),
        instrument: seat.instrument,
        layer: Layer::Voices,
        signal: Some(speaker.signal),
    })
}
