//! Lists the documented effect of each signal on the music, as measurable features.
//!
//! The author of the music maintains this table. It describes
//! `khor-engine/music/presets/mapping.toml`, the mapping that all built-in presets share. A signal
//! may have several rows, but a feature has at most one row. Total work has no row; it controls the
//! density of the pulse, and includes every signal except switches and interrupts.

use crate::adapter::{
    Instrument::{self, Disk, Kernel, Local, Loss, Memory, Process, Receive, Send},
    SignalId,
};

/// A feature that can be measured in one window of a render.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum MeasuredFeature {
    /// Loudness of the mix, LU.
    Level,
    /// Spectral centroid of the mix, semitones.
    Brightness,
    /// Onsets of the mix per second, detected in the sound rather than in the list of notes.
    Onsets,
    /// Onsets of a voice per second.
    VoiceOnsets(Instrument),
    /// Loudness of a voice, dB: the mean velocity of its notes. It is at least -40 dB.
    VoiceLoudness(Instrument),
    /// Mean pitch of a voice, semitones.
    VoicePitch(Instrument),
    /// Mean length of a voice's notes, log2 of seconds.
    VoiceLength(Instrument),
    /// Dissonance of the bed's chord, computed from its seconds, sevenths and tritones.
    BedTension,
    /// Filter offset of the bed's notes, octaves.
    BedBrightness,
    /// Loudness of the bed's bass, dB: the mean velocity of its notes.
    BedWeight,
    /// Mean pitch of the pulse's notes, semitones. If several instruments play the pulse, only the
    /// highest is measured, because the lower ones join only when the machine does enough work.
    PulsePitch,
    /// Filter offset of the pulse's notes, octaves.
    PulseBrightness,
}

impl MeasuredFeature {
    /// The smallest difference that listeners notice, in the feature's unit (docs/ear.md). It is 1
    /// dB, 1 semitone of the centroid, 0.3 onsets/s, or one scale step of pitch (2 semitones). For
    /// the other features, it is a fifth of a note length, half a point of tension, or an eighth of
    /// an octave of filter offset.
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

/// One row of the mapping: the signal, its feature, and the direction. The direction is 1 if the
/// feature grows with the signal, or -1 if it shrinks.
pub type MappingRow = (SignalId, MeasuredFeature, f64);

/// All rows of the mapping.
pub const MAPPING: &[MappingRow] = &[
    (SignalId::Exec, MeasuredFeature::VoiceOnsets(Process), 1.0),
    (SignalId::Fork, MeasuredFeature::VoicePitch(Process), 1.0),
    (SignalId::Rx, MeasuredFeature::VoiceOnsets(Receive), 1.0),
    (SignalId::Tx, MeasuredFeature::VoiceOnsets(Send), 1.0),
    (SignalId::Local, MeasuredFeature::VoiceOnsets(Local), 1.0),
    (SignalId::Retx, MeasuredFeature::VoiceOnsets(Loss), 1.0),
    (SignalId::Io, MeasuredFeature::VoiceOnsets(Disk), 1.0),
    (SignalId::Lat, MeasuredFeature::VoiceLength(Disk), 1.0),
    (SignalId::Stall, MeasuredFeature::BedWeight, 1.0),
    (SignalId::Mem, MeasuredFeature::BedTension, 1.0),
    (SignalId::Mem, MeasuredFeature::VoiceOnsets(Memory), 1.0),
    (SignalId::Fault, MeasuredFeature::VoiceLength(Memory), 1.0),
    (SignalId::Cpu, MeasuredFeature::BedBrightness, -1.0),
    (SignalId::Csw, MeasuredFeature::PulsePitch, 1.0),
    (SignalId::Irq, MeasuredFeature::PulseBrightness, 1.0),
    (SignalId::Softirq, MeasuredFeature::VoiceOnsets(Kernel), 1.0),
];

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn no_two_signals_share_a_feature() {
        let features: HashSet<MeasuredFeature> = MAPPING.iter().map(|row| row.1).collect();
        let signals: HashSet<SignalId> = MAPPING.iter().map(|row| row.0).collect();
        assert_eq!((features.len(), signals.len()), (MAPPING.len(), SignalId::COUNT));
    }
}
