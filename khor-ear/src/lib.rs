//! The judge of what can be heard: how well machines at work are told apart by khor's music, and how it sounds.
//!
//! [`scenario`] makes machines, [`adapter`] lets the engine play them, [`features`] and [`classify`] ask what can be
//! told from the sound, the other rooms each measure one thing; [`judge`] puts it together for one preset, and
//! [`thresholds`] says what must hold. The whole is a guard against regressions, not a claim about people.

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
