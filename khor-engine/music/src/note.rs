//! Defines notes, roles, instruments and layers. They are the output of the music for the synth,
//! MIDI, OSC and the page.

use khor_signal::LaneId;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The musical role of a note. It selects the MIDI channel and the default timbre.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// The main melodic line.
    Melody,
    /// The lowest line.
    Bass,
    /// Pads and chords.
    Chords,
    /// Unpitched notes or short notes.
    Percussion,
}

impl Role {
    /// All roles, in the order of their MIDI channels.
    pub const ALL: [Self; 4] = [Self::Melody, Self::Bass, Self::Chords, Self::Percussion];

    /// Name of the role, in lower case.
    pub fn name(self) -> &'static str {
        Instrument::from(self).name()
    }

    /// MIDI channel of the role, 1..=16.
    pub const fn midi_channel(self) -> u8 {
        match self {
            Self::Melody => 1,
            Self::Bass => 2,
            Self::Chords => 3,
            Self::Percussion => 10,
        }
    }
}

/// The timbre of a note. It belongs to a role, to a voice stream, or to the cues.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[expect(
    missing_docs,
    reason = "the first four are roles, and the others are voice streams, which the mapping describes"
)]
pub enum Instrument {
    Melody,
    Bass,
    Chords,
    Percussion,
    Process,
    Receive,
    Send,
    Loss,
    Disk,
    Memory,
    Kernel,
    Local,
    Cue,
}

impl Instrument {
    /// All instruments, in the order of a preset's patches.
    pub const ALL: [Self; 13] = [
        Self::Melody,
        Self::Bass,
        Self::Chords,
        Self::Percussion,
        Self::Process,
        Self::Receive,
        Self::Send,
        Self::Loss,
        Self::Disk,
        Self::Memory,
        Self::Kernel,
        Self::Local,
        Self::Cue,
    ];

    /// Index of the instrument in [`Self::ALL`].
    pub const fn index(self) -> usize {
        self as usize
    }

    /// Name of the instrument in preset files.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Melody => "melody",
            Self::Bass => "bass",
            Self::Chords => "chords",
            Self::Percussion => "percussion",
            Self::Process => "process",
            Self::Receive => "receive",
            Self::Send => "send",
            Self::Loss => "loss",
            Self::Disk => "disk",
            Self::Memory => "memory",
            Self::Kernel => "kernel",
            Self::Local => "local",
            Self::Cue => "cue",
        }
    }

    /// The default role of the instrument's notes. If a preset has no patch for the instrument, it
    /// uses the patch of this role.
    pub const fn role(self) -> Role {
        match self {
            Self::Melody
            | Self::Receive
            | Self::Send
            | Self::Loss
            | Self::Kernel
            | Self::Local
            | Self::Cue => Role::Melody,
            Self::Bass | Self::Disk => Role::Bass,
            Self::Chords | Self::Memory => Role::Chords,
            Self::Percussion | Self::Process => Role::Percussion,
        }
    }
}

impl From<Role> for Instrument {
    fn from(role: Role) -> Self {
        match role {
            Role::Melody => Self::Melody,
            Role::Bass => Self::Bass,
            Role::Chords => Self::Chords,
            Role::Percussion => Self::Percussion,
        }
    }
}

/// The layer of a note. Each layer represents one aspect of the host.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Layer {
    /// A quiet pad that represents saturation.
    Bed,
    /// A rhythm whose onset density represents total work.
    Pulse,
    /// Melodic lines for the signals that stand out.
    Voices,
    /// Motifs for events that the kernel reports.
    Cues,
}

/// One note in musical time.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Note {
    /// Onset of the note, in seconds of musical time since the composer started.
    pub onset_s: f64,
    /// Time from onset to release, seconds. It is above 0.
    pub duration_s: f32,
    /// Pitch, MIDI note number, 0..=127.
    pub midi: u8,
    /// Velocity, 0..=1.
    pub velocity: f32,
    /// Pan, from -1 (left) to 1 (right).
    pub pan: f32,
    /// Shift of this note's filter cutoff, octaves, -3..=3. At 0, the patch is unchanged.
    pub brightness: f32,
    /// Musical role, which selects the MIDI channel.
    pub role: Role,
    /// Instrument, which selects the timbre.
    pub instrument: Instrument,
    /// The layer that plays the note.
    pub layer: Layer,
    /// The lane that the note represents; `None` if the note represents no lane.
    pub signal: Option<LaneId>,
}
