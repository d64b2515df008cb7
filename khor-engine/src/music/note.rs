//! What the music hands to synth, MIDI, OSC and page.

use serde::{Deserialize, Serialize};

use crate::signal::SignalId;

/// A musical job; decides timbre and MIDI channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// The line one follows.
    Melody,
    /// The lowest line.
    Bass,
    /// Pads and chords.
    Chords,
    /// Unpitched or short.
    Percussion,
}

impl Role {
    /// All roles, in MIDI-channel order.
    pub const ALL: [Self; 4] = [Self::Melody, Self::Bass, Self::Chords, Self::Percussion];

    /// MIDI channel, 1..=16.
    pub const fn midi_channel(self) -> u8 {
        match self {
            Self::Melody => 1,
            Self::Bass => 2,
            Self::Chords => 3,
            Self::Percussion => 10,
        }
    }
}

/// Which of the layers a note belongs to; each has one job in telling what the machine does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Layer {
    /// Quiet pad: slow saturation.
    Bed,
    /// Onset density: total work.
    Pulse,
    /// Lines for the signals that stand out.
    Voices,
}

/// One note, placed in musical time.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Note {
    /// Start, seconds of musical time since the composer began.
    pub onset_s: f64,
    /// Time from onset to release, seconds, > 0.
    pub duration_s: f32,
    /// MIDI note number, 0..=127.
    pub midi: u8,
    /// 0..=1.
    pub velocity: f32,
    /// -1 (left) ..= 1 (right).
    pub pan: f32,
    /// Its job.
    pub role: Role,
    /// Its layer.
    pub layer: Layer,
    /// The signal it speaks for, where it is one.
    pub signal: Option<SignalId>,
}
