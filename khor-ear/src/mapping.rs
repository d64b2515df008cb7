//! What each signal is said to do to the music: the one place that the mapping's author fills in for the judge.
//!
//! It says in what can be measured what `khor-engine/music/presets/mapping.toml`, the contract of all built-in presets, says
//! in what can be played; a signal may have several rows, a feature only one. Total work moves the pulse's density on top of it: every signal but switches and interrupts
//! is work, so that is no row of its own.

use crate::adapter::{
    Instrument::{self, Disk, Kernel, Local, Loss, Memory, Process, Receive, Send},
    SignalId,
};

/// Something that can be measured in a window of a render.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Feature {
    /// Loudness of the whole, LU.
    Level,
    /// Centroid of the whole, semitones.
    Brightness,
    /// Onsets of the whole per second, by the sound.
    Onsets,
    /// Onsets of a voice per second.
    VoiceOnsets(Instrument),
    /// Loudness of a voice: mean velocity, dB; nothing is quieter than -40 dB.
    VoiceLoudness(Instrument),
    /// Mean pitch of a voice, semitones.
    VoicePitch(Instrument),
    /// Mean length of the notes of a voice, octaves of seconds.
    VoiceLength(Instrument),
    /// Seconds and tritones within the bed's chord.
    BedTension,
    /// Filter opening of the bed's notes, octaves.
    BedBrightness,
    /// Loudness of the bass under the bed: mean velocity, dB.
    BedWeight,
    /// Mean pitch of the pulse's highest instrument, semitones: its lower ones come and go with the work.
    PulsePitch,
    /// Filter opening of the pulse's notes, octaves.
    PulseBrightness,
}

impl Feature {
    /// What can just be told apart, in the feature's unit (ear.md: 1 dB, 1 semitone, 0.3 onsets/s; a scale step for
    /// pitch; a fifth more or less for lengths; half a second's worth of tension).
    pub const fn step(self) -> f64 {
        match self {
            Self::Level | Self::Brightness | Self::VoiceLoudness(_) | Self::BedWeight => 1.0,
            Self::BedBrightness | Self::PulseBrightness => 0.125,
            Self::Onsets | Self::VoiceOnsets(_) => 0.3,
            Self::VoicePitch(_) | Self::PulsePitch => 2.0,
            Self::VoiceLength(_) => 0.26,
            Self::BedTension => 0.5,
        }
    }
}

/// One row of the mapping: the signal, its feature, and whether that grows (1) or shrinks (-1) with it.
pub type Declared = (SignalId, Feature, f64);

/// The mapping.
pub const MAPPING: &[Declared] = &[
    (SignalId::Exec, Feature::VoiceOnsets(Process), 1.0),
    (SignalId::Fork, Feature::VoicePitch(Process), 1.0),
    (SignalId::Rx, Feature::VoiceOnsets(Receive), 1.0),
    (SignalId::Tx, Feature::VoiceOnsets(Send), 1.0),
    (SignalId::Local, Feature::VoiceOnsets(Local), 1.0),
    (SignalId::Retx, Feature::VoiceOnsets(Loss), 1.0),
    (SignalId::Io, Feature::VoiceOnsets(Disk), 1.0),
    (SignalId::Lat, Feature::VoiceLength(Disk), 1.0),
    (SignalId::Stall, Feature::BedWeight, 1.0),
    (SignalId::Mem, Feature::BedTension, 1.0),
    (SignalId::Mem, Feature::VoiceOnsets(Memory), 1.0),
    (SignalId::Fault, Feature::VoiceLength(Memory), 1.0),
    (SignalId::Cpu, Feature::BedBrightness, -1.0),
    (SignalId::Csw, Feature::PulsePitch, 1.0),
    (SignalId::Irq, Feature::PulseBrightness, 1.0),
    (SignalId::Softirq, Feature::VoiceOnsets(Kernel), 1.0),
];

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn no_two_signals_share_a_feature() {
        let features: HashSet<Feature> = MAPPING.iter().map(|row| row.1).collect();
        let signals: HashSet<SignalId> = MAPPING.iter().map(|row| row.0).collect();
        assert_eq!((features.len(), signals.len()), (MAPPING.len(), SignalId::COUNT));
    }
}
