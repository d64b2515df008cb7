//! What the MIDI thread receives.

use std::time::{Duration, Instant};

use khor_music::Note;
use khor_signal::Levels;

/// Settings of the MIDI output.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MidiSettings {
    /// Name of client and port.
    pub port: String,
    /// Channel of the melody, 1..=16.
    pub melody_channel: u8,
    /// Whether to send MIDI clock, start and stop.
    pub clock: bool,
}

/// What the MIDI thread receives.
#[derive(Clone, Debug)]
pub enum MidiEvent {
    /// The settings of the port, or none to close it.
    Settings(Option<MidiSettings>),
    /// A note and when it begins.
    Note(Note, Instant),
    /// A step of the composer's, swing left out. Each comes once, ahead of time, and begins where the one before it ended;
    /// else the clock's followers are stopped until the next bar.
    Step {
        /// When it begins.
        at: Instant,
        /// How long it lasts.
        length: Duration,
        /// It is the first of a bar.
        bar_start: bool,
    },
    /// Levels and brightness (0..=1); what did not change is not sent.
    Levels(Levels, f32),
    /// Ends every note, and tells the channels in use so (controller 123).
    AllNotesOff,
    /// Likewise, and ends every sound on all channels (controller 120).
    Panic,
    /// As [`Self::AllNotesOff`], and ends the clock and the thread.
    Stop,
}
