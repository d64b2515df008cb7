//! The judge measures how well khor's sound shows what a machine is doing, and how good the sound
//! is.
//!
//! [`scenario`] simulates machines, and [`adapter`] plays them through the engine. [`features`]
//! measures the sound, and [`classify`] infers the load from the measurements. Each other module
//! measures one property. [`judge`] combines all results of one preset, and [`thresholds`] holds
//! the limits. The judge only guards against regressions. It does not predict what people
//! recognise.

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
