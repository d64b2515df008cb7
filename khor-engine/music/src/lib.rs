//! Turns lanes into notes. The crate has no I/O and no clock, and its random choices are seeded. So
//! it works in the same way offline and live.
//!
//! The [`Composer`] advances in steps of a sixteenth. In each step, a `reading` applies the
//! `mapping` to the lanes, and then smooths and quantises the result. Four layers turn the reading
//! into notes:
//!
//! - The `bed` represents saturation.
//!
//! - The `pulse` represents total work.
//!
//! - The `voices` represent the streams whose lanes deviate most from their baselines.
//!
//! - The `cues` represent kernel events.
//!
//! The `form` varies only properties that no signal controls. For a site, the `cast` selects the
//! hosts whose lanes the voices play. The `cast` also selects the kind of pulse: one pulse for all
//! hosts, one for each of the `sections`, or a `roll_call`. Random choices depend only on seed, bar
//! and stream (see `seeded`).
//!
//! This crate defines presets and patches as data, and the synth reads them. So this crate does not
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
