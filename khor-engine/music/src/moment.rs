//! One step of the composer as its layers see it.

use super::form::Section;
use super::preset::Preset;
use super::reading::Reading;
use super::rhythm::STEPS;
use super::scale::Key;
use super::settings::Settings;

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
    pub(super) section: Section,
    /// Density setting, 0..=1.
    pub(super) density: f32,
    pub(super) preset: &'a Preset,
    pub(super) reading: &'a Reading,
}

impl<'a> Moment<'a> {
    /// The next step at this position.
    pub(super) fn new(
        settings: &Settings,
        preset: &'a Preset,
        reading: &'a Reading,
        position: Position,
    ) -> Self {
        let step_s = settings.step_s();
        let swing_s = if position.step.is_multiple_of(2) { 0.0 } else { f64::from(preset.swing) * step_s };
        Self {
            seed: settings.seed,
            bar: position.bar,
            step: position.step,
            onset_s: position.step_s + swing_s,
            step_s,
            key: Key::new(settings.key_midi, settings.scale),
            section: Section::at(settings.seed, position.bar),
            density: settings.density,
            preset,
            reading,
        }
    }

    pub(super) fn bar_s(&self) -> f64 {
        self.step_s * f64::from(STEPS)
    }

    /// The same as somebody else sees it.
    pub(super) fn reading_of<'b>(&'b self, reading: &'b Reading) -> Moment<'b> {
        Moment { reading, ..*self }
    }
}
