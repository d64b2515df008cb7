//! Simulates machines and sites that behave like real ones, and renders clips of their music.
//!
//! The [`loads`] and the [`machine`] were modelled on real Linux machines before the music was
//! tuned. They must not be changed to suit the music (docs/ear.md). All random numbers come from
//! seeded generators.

mod clip;
mod loads;
mod machine;
mod site;
mod tour;

pub use self::{
    clip::{
        LEAD_IN_S, LEARNING_S, LENGTH_S, LoadClip, RAMP_S, Ramp, STEP_NS, WINDOW_S, perform,
        player_with_baseline, ramp,
    },
    loads::{IDLE, Load, LoadClass, Part, Shape, UntrainedLoad, everything},
    machine::SimulatedMachine,
    site::{HOSTS_PER_SECTION, MESSAGE_INTERVAL_NS, SECTIONS, SectionLoad, SimulatedSite},
    tour::{STOP_S, tour},
};
