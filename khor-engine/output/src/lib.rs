//! Sends notes and samples to the sound device, OSC, MIDI and files. Each output reports its own
//! health.

pub mod audio;
pub mod file;
pub mod midi;
pub mod osc;
pub mod recorder;
