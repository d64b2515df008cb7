//! The composer: walks the steps, reads the lanes, lets each layer play, and applies changes on musical boundaries.

use std::{mem::discriminant, sync::Arc};

use khor_signal::{Lanes, SignalId};

use super::bed::Bed;
use super::cast::{Cast, PulseCast, SOLOISTS, VoicesOf};
use super::controls::Controls;
use super::cues::{CueKind, Cues};
use super::mapping::Route;
use super::moment::{Moment, Position};
use super::note::Note;
use super::preset::Preset;
use super::pulse::Pulse;
use super::reading::Reading;
use super::rhythm::STEPS;
use super::roll_call::RollCall;
use super::sections::Sections;
use super::settings::Settings;
use super::stream::VoiceStream;
use super::voices::Voices;

/// Steps one call may catch up with; a clock that jumped further loses the rest instead of a flood of notes.
const MAX_STEPS_PER_CALL: usize = 4096;

/// What is heard and why, for explanations.
#[derive(Clone, Debug)]
pub struct Sounding {
    /// Every feature that is mapped, and how far it is from rest, 0..=1.
    pub moved: Vec<(Route, f32)>,
    /// Who speaks.
    pub voices: Vec<Speaking>,
    /// The source is lost.
    pub lost: bool,
}

/// A voice that speaks.
#[derive(Clone, Copy, Debug)]
pub struct Speaking {
    /// Which.
    pub stream: VoiceStream,
    /// The signal it speaks for.
    pub signal: SignalId,
    /// Onsets per bar.
    pub onsets: u8,
    /// The place in the cast of the soloist it belongs to, where there is one.
    pub soloist: Option<usize>,
}

/// Turns lanes into notes, step by step. Pure: the same calls give the same notes.
#[derive(Debug)]
pub struct Composer {
    /// As they are in force; key, scale and seed wait in `next_settings` for the bar line.
    settings: Settings,
    next_settings: Settings,
    preset: Preset,
    next_preset: Option<Preset>,
    preset_changes: u64,
    position: Position,
    reading: Reading,
    controls: Controls,
    /// Musical time up to which `controls` have followed, seconds.
    controls_s: f64,
    bed: Bed,
    pulse: Pulse,
    sections: Sections,
    roll_call: RollCall,
    /// Of the first soloist, or of all; and of the second.
    voices: [Voices; SOLOISTS],
    /// What is read for the second soloist's voices; those of the first are in `reading`.
    second: Reading,
    cues: Cues,
    /// Who plays; whose work is the pulse waits in `next_cast` for the bar line when that becomes another question.
    cast: Arc<Cast>,
    next_cast: Arc<Cast>,
    lost: bool,
}

impl Composer {
    /// Begins at bar 0, second 0. Settings outside their ranges are brought to the nearest allowed value.
    pub fn new(settings: Settings, preset: Preset) -> Self {
        let settings = settings.clamped();
        let reading = Reading::new(&preset.mapping);
        let position = Position { bar: 0, step: 0, step_s: 0.0 };
        let bed = Bed::new(&Moment::new(&settings, &preset, &reading, position));
        let (sections, second) = (Sections::new(&preset.mapping), Reading::new(&preset.mapping));
        Self {
            settings,
            next_settings: settings,
            preset,
            next_preset: None,
            preset_changes: 0,
            position,
            reading,
            controls: Controls::default(),
            controls_s: 0.0,
            bed,
            pulse: Pulse::default(),
            sections,
            roll_call: RollCall::default(),
            voices: Default::default(),
            second,
            cues: Cues::default(),
            cast: Arc::default(),
            next_cast: Arc::default(),
            lost: false,
        }
    }

    /// Takes new settings: tempo, density and smoothing from the next step on; key, scale and seed, with which
    /// the notes that sound would clash, from the next bar on. Out-of-range values are brought to the nearest
    /// allowed one.
    pub fn set_settings(&mut self, settings: Settings) {
        self.next_settings = settings.clamped();
        let Settings { key_midi, scale, seed, .. } = self.settings;
        self.settings = Settings { key_midi, scale, seed, ..self.next_settings };
    }

    /// Something happened that is worth a sound of its own. It is heard in its turn: at once, on the next step
    /// or on the next beat, by severity; more of a kind that waits already melt into it.
    pub fn cue(&mut self, kind: CueKind) {
        self.cues.push(kind, self.controls_s.max(self.position.step_s));
    }

    /// Says who of several machines plays, from the next step on. Whether the pulse is everybody's together, the
    /// sections' or a roll call changes on the next bar line.
    pub fn set_cast(&mut self, cast: Arc<Cast>) {
        if discriminant(&cast.pulse) == discriminant(&self.cast.pulse) {
            self.cast = Arc::clone(&cast);
        }
        self.next_cast = cast;
    }

    /// What is heard and why.
    pub fn sounding(&self) -> Sounding {
        Sounding {
            moved: self.reading.moved().collect(),
            voices: self.speaking().collect(),
            lost: self.reading.is_lost(),
        }
    }

    fn speaking(&self) -> impl Iterator<Item = Speaking> {
        let of = |(place, voices): (usize, &Voices)| {
            let soloist = self.cast.soloists[place].map(|_| place);
            let told = voices.speaking().collect::<Vec<_>>();
            told.into_iter().map(move |s| Speaking {
                stream: s.stream,
                signal: s.signal,
                onsets: s.onsets,
                soloist,
            })
        };
        self.voices.iter().enumerate().flat_map(of)
    }

    /// The settings in force; key, scale and seed may still wait for the bar line.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Changes the preset at the next bar line. The last one set before it wins.
    pub fn set_preset(&mut self, preset: Preset) {
        self.next_preset = Some(preset);
    }

    /// How often the preset in force has changed: the synth's patches are to be taken anew when this has.
    pub fn preset_changes(&self) -> u64 {
        self.preset_changes
    }

    /// The preset in force.
    pub fn preset(&self) -> &Preset {
        &self.preset
    }

    /// The next step to be composed.
    pub fn position(&self) -> Position {
        self.position
    }

    /// Continuous parameters as of the last [`Self::advance`].
    pub fn controls(&self) -> Controls {
        self.controls
    }

    /// Moves the clock without playing: the next step is the first of a new bar at `now_s`.
    /// For a source that stood still, or a clock that jumped.
    pub fn skip_to(&mut self, now_s: f64) {
        if now_s.is_finite() && now_s > self.position.step_s {
            self.position = Position { bar: self.position.bar + 1, step: 0, step_s: now_s };
            self.controls_s = now_s;
        }
    }

    /// Composes all steps that begin before `until_s`, reading `lanes` as they are now, and appends their notes.
    ///
    /// Notes of one step are in order of onset; with swing or a strum a note may begin a little after `until_s`.
    pub fn advance(&mut self, until_s: f64, lanes: &Lanes, out: &mut Vec<Note>) {
        let moment = Moment::new(&self.settings, &self.preset, &self.reading, self.position);
        self.cues.at_once(&moment, self.controls_s, out);
        for _ in 0..MAX_STEPS_PER_CALL {
            if self.position.step_s >= until_s || !until_s.is_finite() {
                return self.follow_controls(until_s);
            }
            self.step(lanes, out);
        }
        self.skip_to(until_s);
    }

    fn follow_controls(&mut self, until_s: f64) {
        let elapsed_s = (until_s - self.controls_s).clamp(0.0, 60.0) as f32;
        if elapsed_s > 0.0 {
            self.controls_s = until_s;
            self.controls.follow(&self.reading, self.settings.step_s(), elapsed_s);
        }
    }

    fn step(&mut self, lanes: &Lanes, out: &mut Vec<Note>) {
        if self.position.step == 0 {
            self.bar_line();
        }
        let step_s = self.settings.step_s();
        self.read(lanes, step_s as f32);
        self.announce_source();
        let first = out.len();
        let moment = Moment::new(&self.settings, &self.preset, &self.reading, self.position);
        self.bed.step(&moment, out);
        let chord = self.bed.chord();
        self.cues.step(&moment, out);
        let foreground = out.len();
        match &self.cast.pulse {
            PulseCast::Together => self.pulse.step(&moment, chord, out),
            PulseCast::Sections(_) => self.sections.step(&moment, chord, out),
            PulseCast::RollCall(turns) => self.roll_call.step(&moment, chord, turns, out),
        }
        let [first_voices, second_voices] = &mut self.voices;
        let [of_first, of_second] = self.cast.voices();
        let of_first = VoicesOf { taken: second_voices.streams(), ..of_first };
        first_voices.step(&moment, of_first, chord, out);
        let of_second = VoicesOf { taken: first_voices.streams(), ..of_second };
        second_voices.step(&moment.reading_of(&self.second), of_second, chord, out);
        first_voices.rare(&moment, self.cast.is_one(), chord, out);
        if self.cues.speaks_at(moment.onset_s) {
            out.truncate(foreground);
        }
        out[first..].sort_by(|a, b| a.onset_s.total_cmp(&b.onset_s));
        self.position = self.position.next(step_s);
    }

    /// Takes the lanes of a step for everybody who plays.
    fn read(&mut self, lanes: &Lanes, step_s: f32) {
        let smoothing = self.settings.smoothing;
        let [first, second] = self.cast.voices().map(|voices| voices.lanes);
        self.reading.update(lanes, first, smoothing, step_s);
        self.second.update(lanes, second, smoothing, step_s);
        if let PulseCast::Sections(sections) = &self.cast.pulse {
            self.sections.update(sections, smoothing, step_s);
        }
    }

    /// What waited for the bar line begins.
    fn bar_line(&mut self) {
        self.settings = self.next_settings;
        if discriminant(&self.cast.pulse) != discriminant(&self.next_cast.pulse) {
            self.pulse = Pulse::default();
            self.sections = Sections::new(&self.preset.mapping);
            self.roll_call = RollCall::default();
        }
        self.cast = Arc::clone(&self.next_cast);
        let Some(preset) = self.next_preset.take() else { return };
        let renamed = preset.name != self.preset.name;
        self.preset = preset;
        self.preset_changes += 1;
        self.reading.remap(&self.preset.mapping);
        self.second.remap(&self.preset.mapping);
        self.sections.remap(&self.preset.mapping);
        if renamed {
            self.bed = Bed::new(&Moment::new(&self.settings, &self.preset, &self.reading, self.position));
            self.pulse = Pulse::default();
        }
    }

    fn announce_source(&mut self) {
        let lost = self.reading.is_lost();
        if lost != self.lost {
            self.lost = lost;
            self.cue(if lost { CueKind::Lost } else { CueKind::Found });
        }
    }
}

impl Position {
    fn next(self, step_s: f64) -> Self {
        let last = self.step + 1 == STEPS;
        Self {
            bar: self.bar + u64::from(last),
            step: if last { 0 } else { self.step + 1 },
            step_s: self.step_s + step_s,
        }
    }
}
