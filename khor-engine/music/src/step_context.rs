//! Defines the context of a step. The composer passes this context to each layer.

use super::{
    form::FormSection, preset::Preset, reading::Reading, rhythm::STEPS_PER_BAR, scale::Key,
    settings::Settings,
};

/// The position of the next step.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Position {
    /// Number of the bar, starting at 0.
    pub bar: u64,
    /// Step within the bar, 0..=15.
    pub step: u8,
    /// Onset of the step before swing is applied, seconds of musical time.
    pub step_s: f64,
}

/// The context of one step.
pub(super) struct StepContext<'a> {
    pub(super) seed: u64,
    pub(super) bar: u64,
    pub(super) step: u8,
    /// Onset of the step after swing is applied, seconds of musical time.
    pub(super) onset_s: f64,
    /// Length of a step, seconds.
    pub(super) step_s: f64,
    pub(super) key: Key,
    pub(super) section: FormSection,
    /// Density setting, 0..=1.
    pub(super) density: f32,
    pub(super) preset: &'a Preset,
    pub(super) reading: &'a Reading,
}

impl<'a> StepContext<'a> {
    /// Creates the context of the step at `position`.
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
            section: FormSection::at(settings.seed, position.bar),
            density: settings.density,
            preset,
            reading,
        }
    }

    pub(super) fn bar_s(&self) -> f64 {
        self.step_s * f64::from(STEPS_PER_BAR)
    }

    /// Returns the same context with another reading.
    pub(super) fn with_reading<'b>(&'b self, reading: &'b Reading) -> StepContext<'b> {
        StepContext { reading, ..*self }
    }
}
