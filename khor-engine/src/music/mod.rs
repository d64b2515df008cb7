//! From levels to notes: seeded, stepped, free of I/O; the same offline and live.
//!
//! The [`Composer`] walks a grid of sixteenths. On each step it takes a `reading` of the levels (smoothed, then
//! quantised with hysteresis), and three layers play from it: the `bed` (pressure), the `pulse` (total work)
//! and the `voices` (the families that stand out). Chance comes only from (seed, bar, stream), see `seeded`.
//! Presets and patches are data and live here, so that the synth reads them and music knows nothing of the synth.

mod bed;
mod composer;
mod controls;
mod harmony;
mod note;
mod patch;
mod preset;
mod pulse;
mod quantise;
mod reading;
mod rhythm;
mod scale;
mod seeded;
mod settings;
mod voices;

#[cfg(test)]
mod tests;

pub use composer::{Composer, Position};
pub use controls::Controls;
pub use note::{Instrument, Layer, Note, Role};
pub use patch::{Patch, PatchError, Wave};
pub use preset::{
    BedSettings, MAX_PULSE_STREAMS, Motion, Patches, Preset, PresetError, PulseSettings, VoiceSettings,
};
pub use scale::{Register, Scale};
pub use settings::{Settings, SettingsError};
