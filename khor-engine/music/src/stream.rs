//! Defines the voice streams, and the pan, register and gesture of each stream. These are the same
//! in every preset, so that listeners only have to learn them once.

use schemars::JsonSchema;
use serde::Serialize;

use khor_signal::VoiceHint;

use super::{note::Instrument, scale::Register};

/// A voice stream. It represents one kind of activity, and has its own timbre, register and pan.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum VoiceStream {
    /// New processes: high, dry notes, on the right.
    Process,
    /// Received traffic: falling lines in the middle register, on the left.
    Receive,
    /// Sent traffic: rising lines in a higher register, on the right.
    Send,
    /// Retransmitted traffic: the highest register, each note played twice.
    Loss,
    /// Disks: low register.
    Disk,
    /// Memory: long notes in the lower middle register.
    Memory,
    /// The kernel: short notes in the middle register.
    Kernel,
    /// Local traffic: notes around the tonic in the middle register, in the centre.
    Local,
}

/// The timbre, register, pan and gesture of a stream.
pub(super) struct VoiceProfile {
    pub(super) instrument: Instrument,
    pub(super) register: Register,
    /// Pan, from -1 (left) to 1 (right).
    pub(super) pan: f32,
    /// Shift of the notes' filter cutoff, octaves. The shift from the mapping is added to it.
    pub(super) brightness: f32,
    /// Rotation of the rhythm, steps. Streams have different rotations, so that their notes
    /// alternate.
    pub(super) rotation: u8,
    /// Minimum number of onsets per bar of a playing voice, at density 0.5. With fewer onsets,
    /// listeners would not notice the voice's other features.
    pub(super) least_onsets: f32,
    /// Default length of the notes, steps. The mapping may set another length.
    pub(super) length_steps: f32,
    /// Whether every note is played twice.
    pub(super) stutter: bool,
    /// The gesture: six pitches, in scale steps relative to a note of the chord. The last pitch is
    /// 0.
    pub(super) contour: [i32; 6],
}

impl VoiceStream {
    /// All streams. If several streams have the same rank, the earlier one in this list has
    /// priority.
    pub const ALL: [Self; 8] = [
        Self::Loss,
        Self::Memory,
        Self::Disk,
        Self::Receive,
        Self::Send,
        Self::Process,
        Self::Kernel,
        Self::Local,
    ];

    /// Index of the stream in [`Self::ALL`].
    pub const fn index(self) -> usize {
        match self {
            Self::Loss => 0,
            Self::Memory => 1,
            Self::Disk => 2,
            Self::Receive => 3,
            Self::Send => 4,
            Self::Process => 5,
            Self::Kernel => 6,
            Self::Local => 7,
        }
    }

    /// The stream that plays added lanes with this voice hint.
    pub const fn of_hint(hint: VoiceHint) -> Self {
        match hint {
            VoiceHint::Process => Self::Process,
            VoiceHint::Receive => Self::Receive,
            VoiceHint::Send => Self::Send,
            VoiceHint::Loss => Self::Loss,
            VoiceHint::Disk => Self::Disk,
            VoiceHint::Memory => Self::Memory,
            VoiceHint::Kernel => Self::Kernel,
            VoiceHint::Local => Self::Local,
        }
    }

    /// Name of the stream in mappings, in the API and in explanations.
    pub const fn name(self) -> &'static str {
        self.profile().instrument.name()
    }

    pub(super) const fn profile(self) -> VoiceProfile {
        let (instrument, low, high, pan, brightness, rotation, length_steps, contour) = match self {
            Self::Process => (Instrument::Process, 72, 93, 0.3, 0.4, 2, 0.9, [0, 1, 2, 1, 0, 0]),
            Self::Receive => (Instrument::Receive, 58, 74, -0.6, -0.2, 0, 2.0, [4, 3, 2, 1, 2, 0]),
            Self::Send => (Instrument::Send, 67, 84, 0.6, 0.6, 0, 1.6, [0, 1, 2, 3, 4, 0]),
            Self::Loss => (Instrument::Loss, 80, 96, -0.25, 0.8, 4, 0.5, [1, 0, 1, 1, 0, 0]),
            Self::Disk => (Instrument::Disk, 36, 50, 0.35, 0.0, 0, 1.6, [0, 0, 2, 0, -1, 0]),
            Self::Memory => (Instrument::Memory, 48, 62, -0.3, -0.3, 4, 4.0, [0, -1, -2, -1, 1, 0]),
            Self::Kernel => (Instrument::Kernel, 55, 69, 0.5, 0.2, 6, 0.7, [0, 2, 1, 2, 1, 0]),
            Self::Local => (Instrument::Local, 62, 79, 0.0, 0.0, 2, 1.0, [0, 2, 0, -2, 0, 0]),
        };
        let stutter = matches!(self, Self::Loss);
        // The notes of new processes are high and dry, so even a few of them stand out. With few
        // notes, listeners notice the pitch of each note and not only that notes are playing.
        let least_onsets = if matches!(self, Self::Process) { 1.0 } else { 2.0 };
        VoiceProfile {
            instrument,
            register: Register { low, high },
            pan,
            brightness,
            rotation,
            least_onsets,
            length_steps,
            stutter,
            contour,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn streams_differ_in_timbre_and_pan() {
        for (index, stream) in VoiceStream::ALL.into_iter().enumerate() {
            assert_eq!(stream.index(), index);
            let profile = stream.profile();
            assert!(profile.register.low >= 36 && profile.register.high <= 96);
            assert!(profile.register.high - profile.register.low >= 11);
            assert_eq!(profile.contour[5], 0, "the gesture ends at 0");
            for other in VoiceStream::ALL.into_iter().filter(|other| *other != stream) {
                assert_ne!(profile.instrument, other.profile().instrument);
                assert!((profile.pan - other.profile().pan).abs() > 0.04, "{stream:?} {other:?}");
            }
        }
    }
}
