//! Machines that do not exist, doing what real ones do: the clips that the judge listens to.
//!
//! The [`loads`] and the behaviour of a [`machine`] were written down from what Linux machines do, before the
//! music they are judged by was tuned, and are not to be changed to suit it (docs/ear.md). Everything is seeded.

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
