//! Synthetic machines with the behaviour of real ones: the clips that the judge measures.
//!
//! The [`loads`] and the behaviour of a [`machine`] were written from real Linux machines, before
//! the music was tuned. They must not be changed to suit it (docs/ear.md). Everything is seeded.

mod clip;
mod loads;
mod machine;
mod site;
mod tour;

pub use self::{
    clip::{
        LEAD_IN_S, LEARNING_S, LENGTH_S, LoadClip, RAMP_S, Ramp, STEP_NS, WINDOW_S, learnt, perform, ramp,
    },
    loads::{IDLE, Load, LoadClass, Part, Shape, UntrainedLoad, everything},
    machine::SimulatedMachine,
    site::{HOSTS_PER_SECTION, MESSAGE_INTERVAL_NS, SECTIONS, SectionLoad, SimulatedSite},
    tour::{STOP_S, tour},
};
