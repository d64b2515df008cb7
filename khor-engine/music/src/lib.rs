//! From lanes to notes: seeded, stepped, free of I/O; the same offline and live.
//!
//! The [`Composer`] walks a grid of sixteenths. On each step it takes a `reading` of the lanes (through the
//! `mapping`, smoothed, then quantised with hysteresis), and four layers play from it: the `bed` (saturation), the
//! `pulse` (total work), the `voices` (the streams that stand out) and the `cues` (what the kernel reports). The
//! `form` changes what no signal moves. Where several machines are heard, the `cast` says who has the voices, and whether
//! the pulse is everybody's, the `sections`' or a `roll_call`. Chance comes only from (seed, bar, stream), see `seeded`.
//! Presets and patches are data and live here, so that the synth reads them and music knows nothing of the synth.

mod bed;
mod cast;
mod composer;
mod controls;
mod cues;
mod feature;
mod form;
mod harmony;
mod mapping;
mod moment;
mod note;
mod patch;
mod preset;
mod problem;
mod pulse;
mod quantise;
mod reading;
mod rhythm;
mod roll_call;
mod scale;
mod sections;
mod seeded;
mod settings;
mod stream;
mod voices;

#[cfg(test)]
mod tests;

pub use cast::{Bench, Cast, Place, PulseCast, SECTIONS, SOLOISTS, Soloist, TURNS, Turn, name_hash};
pub use composer::{Composer, Sounding, Speaking};
pub use controls::Controls;
pub use cues::{CueKind, Severity};
pub use feature::Feature;
pub use mapping::{Curve, Input, Mapping, Of, Polarity, Route};
pub use moment::Position;
pub use note::{Instrument, Layer, Note, Role};
pub use patch::{FilterMode, Patch, PatchError, Wave};
pub use preset::{
    BedSettings, MAX_PULSE_STREAMS, Motion, Patches, Preset, PresetError, PresetText, PulseSettings,
    VoiceSettings,
};
pub use problem::Problem;
pub use scale::{Register, Scale};
pub use settings::{Settings, SettingsError};
pub use stream::VoiceStream;
