//! Turns lanes into notes. Seeded, stepped and free of I/O, so it works the same offline and live.
//!
//! The [`Composer`] walks a grid of sixteenths. On each step it takes a `reading` of the lanes. The
//! `mapping` is applied to them, then they are smoothed and quantised with hysteresis. Four layers
//! play from the reading: the `bed` (saturation), the `pulse` (total work), the `voices` (the
//! streams that stand out) and the `cues` (events from the kernel). The `form` varies what no
//! signal controls. If several machines play, the `cast` chooses those that get the voices. It also
//! chooses whether the pulse is one for all, one for each of the `sections`, or a `roll_call`.
//! Randomness depends only on (seed, bar, stream), see `seeded`.
//!
//! Presets and patches are data. They live here, so that the synth can read them and music does not
//! depend on the synth.

mod bed;
mod cast;
mod composer;
mod controls;
mod cues;
mod feature;
mod form;
mod harmony;
mod lane_rank;
mod mapping;
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
mod site_mode;
mod step_context;
mod stream;
mod voices;

#[cfg(test)]
mod tests;

pub use self::{
    cast::{
        Cast, HostPlacement, MAX_TURNS, PulseCast, RollCallTurn, SECTIONS, SOLOISTS, SectionPart, Soloist,
        name_hash,
    },
    composer::{ActiveVoice, Composer, MusicSnapshot},
    controls::Controls,
    cues::{CueSound, Severity},
    feature::Feature,
    mapping::{Curve, Input, LaneValue, Mapping, Polarity, Route},
    note::{Instrument, Layer, Note, Role},
    patch::{FilterMode, Patch, PatchError, Wave},
    preset::{
        BedSettings, MAX_PULSE_STREAMS, Motion, Patches, Preset, PresetError, PresetText, PulseSettings,
        VoiceSettings,
    },
    problem::Problem,
    scale::{Register, Scale},
    settings::Settings,
    site_mode::SiteMode,
    step_context::Position,
    stream::VoiceStream,
};
