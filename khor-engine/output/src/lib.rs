//! The outputs: sound device, OSC, MIDI, files and recordings. Each output reports its own health.

pub mod audio;
pub mod file;
pub mod midi;
pub mod osc;
pub mod recorder;
