//! The composer: walks the steps, reads the levels, lets each layer play, and applies changes on musical boundaries.

use crate::signal::Levels;

use super::bed::Bed;
use super::controls::Controls;
use super::note::Note;
use super::preset::Preset;
use super::pulse::Pulse;
use super::reading::{Features, Reading};
use super::rhythm::STEPS;
use super::scale::Key;
use super::settings::Settings;
use super::voices::Voices;

/// Steps one call may catch up with; a clock that jumped further loses the rest instead of a flood of notes.
const MAX_STEPS_PER_CALL: usize = 4096;

/// Where the music is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Position {
    /// Bar of the next step to be composed, from 0.
    pub bar: u64,
    /// That step within the bar, 0..=15.
    pub step: u8,
    /// Its onset without swing, seconds of musical time.
    pub step_s: f64,
}

/// One step as the layers see it.
pub(super) struct Moment<'a> {
    pub(super) seed: u64,
    pub(super) bar: u64,
    pub(super) step: u8,
    /// Onset of the step, swing included, seconds.
    pub(super) onset_s: f64,
    /// Length of a step, seconds.
    pub(super) step_s: f64,
    pub(super) key: Key,
    /// Density setting, 0..=1.
    pub(super) density: f32,
    pub(super) preset: &'a Preset,
    pub(super) reading: &'a Reading,
}

impl Moment<'_> {
    pub(super) fn bar_s(&self) -> f64 {
        self.step_s * f64::from(STEPS)
    }
}

/// Turns levels into notes, step by step. Pure: the same calls give the same notes.
#[derive(Debug)]
pub struct Composer {
    settings: Settings,
    preset: Preset,
    next_preset: Option<Preset>,
    position: Position,
    reading: Reading,
    controls: Controls,
    /// Musical time up to which `controls` have followed, seconds.
    controls_s: f64,
    bed: Bed,
    pulse: Pulse,
    voices: Voices,
}

impl Composer {
    /// Begins at bar 0, second 0. Settings outside their ranges are brought to the nearest allowed value.
    pub fn new(settings: Settings, preset: Preset) -> Self {
        let settings = settings.clamped();
        let reading = Reading::new();
        let position = Position { bar: 0, step: 0, step_s: 0.0 };
        let bed = Bed::new(&moment(&settings, &preset, &reading, position));
        Self {
            settings,
            preset,
            next_preset: None,
            position,
            reading,
            controls: Controls::default(),
            controls_s: 0.0,
            bed,
            pulse: Pulse::default(),
            voices: Voices::default(),
        }
    }

    /// Takes new settings from the next step on. Out-of-range values are brought to the nearest allowed one.
    pub fn set_settings(&mut self, settings: Settings) {
        self.settings = settings.clamped();
    }

    /// The settings in force.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Changes the preset at the next bar line. The last one set before it wins.
    pub fn set_preset(&mut self, preset: Preset) {
        self.next_preset = Some(preset);
    }

    /// The preset in force. The synth's patches are to be taken from here after every [`Self::advance`]
    /// that crossed a bar line.
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

    /// Composes all steps that begin before `until_s`, reading `levels` as they are now, and appends their notes.
    ///
    /// Notes of one step are in order of onset; with swing or a strum a note may begin a little after `until_s`.
    pub fn advance(&mut self, until_s: f64, levels: &Levels, out: &mut Vec<Note>) {
        self.follow_controls(until_s, levels);
        for _ in 0..MAX_STEPS_PER_CALL {
            if self.position.step_s >= until_s || !until_s.is_finite() {
                return;
            }
            self.step(levels, out);
        }
        self.skip_to(until_s);
    }

    fn follow_controls(&mut self, until_s: f64, levels: &Levels) {
        let elapsed_s = (until_s - self.controls_s).clamp(0.0, 60.0) as f32;
        if elapsed_s > 0.0 {
            self.controls_s = until_s;
            self.controls.follow(Features::of(levels), self.settings.step_s(), elapsed_s);
        }
    }

    fn step(&mut self, levels: &Levels, out: &mut Vec<Note>) {
        if self.position.step == 0
            && let Some(preset) = self.next_preset.take()
        {
            self.preset = preset;
            self.bed = Bed::new(&moment(&self.settings, &self.preset, &self.reading, self.position));
            self.pulse = Pulse::default();
        }
        let step_s = self.settings.step_s();
        self.reading.update(levels, self.settings.smoothing, step_s as f32);
        let first = out.len();
        let moment = moment(&self.settings, &self.preset, &self.reading, self.position);
        self.bed.step(&moment, out);
        let chord = self.bed.chord();
        self.pulse.step(&moment, chord, out);
        self.voices.step(&moment, chord, out);
        out[first..].sort_by(|a, b| a.onset_s.total_cmp(&b.onset_s));
        self.position = self.position.next(step_s);
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

fn moment<'a>(
    settings: &Settings,
    preset: &'a Preset,
    reading: &'a Reading,
    position: Position,
) -> Moment<'a> {
    let step_s = settings.step_s();
    let swing_s = if position.step.is_multiple_of(2) { 0.0 } else { f64::from(preset.swing) * step_s };
    Moment {
        seed: settings.seed,
        bar: position.bar,
        step: position.step,
        onset_s: position.step_s + swing_s,
        step_s,
        key: Key::new(settings.key_midi, settings.scale),
        density: settings.density,
        preset,
        reading,
    }
}
