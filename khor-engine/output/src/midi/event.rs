//! The events that the MIDI thread receives.

use std::time::{Duration, Instant};

use khor_music::Note;
use khor_signal::Levels;

/// Settings of the MIDI output.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MidiSettings {
    /// Name of the sequencer client. Its port has the same name.
    pub port: String,
    /// Channel of the melody, 1..=16.
    pub melody_channel: u8,
    /// Whether to send the MIDI messages clock, start and stop.
    pub clock: bool,
}

/// An event for the MIDI thread.
#[derive(Clone, Debug)]
pub enum MidiEvent {
    /// New settings. `None` closes the port.
    Settings(Option<MidiSettings>),
    /// A note and the time of its onset.
    Note(Note, Instant),
    /// A step of the music, without swing. Send each step once, before it begins. A step must begin
    /// where the previous one ends. Otherwise the clock's followers stop until the next bar.
    Step {
        /// When the step begins.
        at: Instant,
        /// Length of the step.
        length: Duration,
        /// Whether the step is the first one of a bar.
        bar_start: bool,
    },
    /// Levels of the signals and brightness of the music, 0..=1. Only changed values are sent.
    Levels(Levels, f32),
    /// Ends all notes, and sends controller 123 (all notes off) on the used channels.
    AllNotesOff,
    /// Ends all notes, and sends controller 120 (all sound off) on all channels.
    Panic,
    /// Ends all notes, the clock and the thread.
    Stop,
}
