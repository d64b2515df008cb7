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
    /// A note and the instant at which it begins.
    Note(Note, Instant),
    /// A step of the composer, without swing. Each step arrives once, ahead of time, and begins
    /// where the previous one ended. Otherwise the clock's followers are stopped until the next
    /// bar.
    Step {
        /// When it begins.
        at: Instant,
        /// How long it lasts.
        length: Duration,
        /// It is the first of a bar.
        bar_start: bool,
    },
    /// Levels and brightness (0..=1). Unchanged values are not sent.
    Levels(Levels, f32),
    /// Ends every note, and sends controller 123 on the used channels.
    AllNotesOff,
    /// Ends every note, and every sound on all channels (controller 120).
    Panic,
    /// Ends every note, the clock and the thread.
    Stop,
}
