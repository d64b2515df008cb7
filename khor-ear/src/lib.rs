//! The judge: measures how well listeners can distinguish machines by khor's music, and how the
//! music sounds.
//!
//! [`scenario`] makes machines, and [`adapter`] lets the engine play them. [`features`] and
//! [`classify`] measure what the sound reveals. The other modules each measure one thing. [`judge`]
//! combines them for one preset, and [`thresholds`] has the limits. All of it is a guard against
//! regressions, not a claim about people.

pub mod adapter;
pub mod capture;
pub mod classify;
pub mod clicks;
pub mod cues;
pub mod features;
pub mod judge;
pub mod loudness;
pub mod mapping;
mod offline_site;
pub mod parallel;
pub mod picture;
pub mod plan;
pub mod rank;
pub mod scenario;
pub mod table;
pub mod thresholds;
