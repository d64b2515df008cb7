//! Defines the features of the music. Signals control features through the mapping.

use super::stream::VoiceStream;

/// An audible property of the music that one signal may control.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Feature {
    /// Shift of the pad's filter cutoff, octaves.
    BedBrightness,
    /// Dissonance of the pad's chord, in grades from 0 (open triad) to 8 (cluster).
    BedTension,
    /// Loudness of the bass under the pad, dB.
    BedWeight,
    /// Density of the pulse, in sixteenths of its full density.
    PulseDensity,
    /// Upward transposition of the pulse, scale steps.
    PulseHeight,
    /// Shift of the pulse's filter cutoff, octaves.
    PulseBrightness,
    /// Amount of reverb, 0..=1.
    RoomReverb,
    /// Number of onsets of a voice per bar, before the preset's pace applies.
    Density(VoiceStream),
    /// Upward transposition of a voice's gesture, scale steps.
    Height(VoiceStream),
    /// Length of a voice's notes, steps.
    Length(VoiceStream),
    /// Shift of a voice's filter cutoff, octaves.
    Brightness(VoiceStream),
}

/// How fast a feature follows its input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Pace {
    /// The time constant is several seconds. This pace suits features that represent a mood.
    Slow,
    /// The time constant is tenths of a second while the feature rises, and about a second while it
    /// falls. This pace suits features that represent work.
    Quick,
}

impl Feature {
    /// Number of features.
    pub const COUNT: usize = 7 + 4 * VoiceStream::ALL.len();

    /// All features, in the order of [`Self::index`].
    pub fn all() -> impl Iterator<Item = Self> {
        let fixed = [
            Self::BedBrightness,
            Self::BedTension,
            Self::BedWeight,
            Self::PulseDensity,
            Self::PulseHeight,
            Self::PulseBrightness,
            Self::RoomReverb,
        ];
        let of_voices = VoiceStream::ALL.into_iter().flat_map(|stream| {
            [Self::Density(stream), Self::Height(stream), Self::Length(stream), Self::Brightness(stream)]
        });
        fixed.into_iter().chain(of_voices)
    }

    /// Index of the feature in [`Self::all`].
    pub const fn index(self) -> usize {
        match self {
            Self::BedBrightness => 0,
            Self::BedTension => 1,
            Self::BedWeight => 2,
            Self::PulseDensity => 3,
            Self::PulseHeight => 4,
            Self::PulseBrightness => 5,
            Self::RoomReverb => 6,
            Self::Density(stream) => 7 + 4 * stream.index(),
            Self::Height(stream) => 8 + 4 * stream.index(),
            Self::Length(stream) => 9 + 4 * stream.index(),
            Self::Brightness(stream) => 10 + 4 * stream.index(),
        }
    }

    /// Name of the feature in mappings and explanations: `layer.feature` or
    /// `voices.stream.feature`.
    pub fn name(self) -> String {
        let fixed = match self {
            Self::BedBrightness => "bed.brightness",
            Self::BedTension => "bed.tension",
            Self::BedWeight => "bed.weight",
            Self::PulseDensity => "pulse.density",
            Self::PulseHeight => "pulse.height",
            Self::PulseBrightness => "pulse.brightness",
            Self::RoomReverb => "room.reverb",
            Self::Density(stream) => return format!("voices.{}.density", stream.name()),
            Self::Height(stream) => return format!("voices.{}.height", stream.name()),
            Self::Length(stream) => return format!("voices.{}.length", stream.name()),
            Self::Brightness(stream) => return format!("voices.{}.brightness", stream.name()),
        };
        fixed.to_owned()
    }

    /// Finds the feature with this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::all().find(|feature| feature.name() == name)
    }

    /// Unit of the feature's value.
    pub const fn unit(self) -> &'static str {
        match self {
            Self::BedBrightness | Self::PulseBrightness | Self::Brightness(_) => "octaves",
            Self::BedTension => "grades",
            Self::BedWeight => "dB",
            Self::PulseDensity => "sixteenths",
            Self::PulseHeight | Self::Height(_) => "scale steps",
            Self::RoomReverb => "of full",
            Self::Density(_) => "onsets per bar",
            Self::Length(_) => "steps",
        }
    }

    /// Name of the feature's layer. Reverb affects all layers, so its layer is called `room`.
    pub const fn layer(self) -> &'static str {
        match self {
            Self::BedBrightness | Self::BedTension | Self::BedWeight => "bed",
            Self::PulseDensity | Self::PulseHeight | Self::PulseBrightness => "pulse",
            Self::RoomReverb => "room",
            Self::Density(_) | Self::Height(_) | Self::Length(_) | Self::Brightness(_) => "voices",
        }
    }

    /// Describes to users what they hear when the feature grows.
    pub const fn meaning(self) -> &'static str {
        match self {
            Self::BedBrightness => "the pad becomes brighter",
            Self::BedTension => "the pad's chord becomes more dissonant",
            Self::BedWeight => "the bass under the pad becomes louder",
            Self::PulseDensity => "the pulse plays more notes",
            Self::PulseHeight => "the pulse plays higher notes",
            Self::PulseBrightness => "the pulse becomes brighter",
            Self::RoomReverb => "all sounds have more reverb, as in a larger room",
            Self::Density(_) => "this voice plays more notes",
            Self::Height(_) => "this voice plays higher notes",
            Self::Length(_) => "this voice's notes become longer",
            Self::Brightness(_) => "this voice becomes brighter",
        }
    }

    /// Lowest and highest value that a mapping may give to this feature.
    pub const fn bounds(self) -> (f32, f32) {
        match self {
            Self::BedBrightness | Self::PulseBrightness | Self::Brightness(_) => (-2.0, 2.0),
            Self::BedTension => (0.0, 8.0),
            Self::Height(_) => (0.0, 10.0),
            Self::BedWeight => (-24.0, 6.0),
            Self::PulseDensity | Self::Density(_) => (0.0, 16.0),
            Self::PulseHeight => (0.0, 12.0),
            Self::RoomReverb => (0.0, 1.0),
            Self::Length(_) => (0.5, 8.0),
        }
    }

    /// The smallest audible change, in the feature's unit (docs/ear.md). Examples are 1 dB of
    /// level, an eighth of an octave of brightness (9 %), and one onset.
    pub const fn audible_step(self) -> f32 {
        match self {
            Self::BedBrightness | Self::PulseBrightness | Self::Brightness(_) => 0.125,
            Self::RoomReverb => 0.1,
            Self::Length(_) => 0.5,
            _ => 1.0,
        }
    }

    /// Whether this feature alone can represent a signal, because listeners notice it well.
    pub const fn carries_alone(self) -> bool {
        !matches!(self, Self::RoomReverb)
    }

    pub(super) const fn pace(self) -> Pace {
        match self {
            Self::BedBrightness | Self::BedTension | Self::BedWeight | Self::RoomReverb => Pace::Slow,
            _ => Pace::Quick,
        }
    }

    /// The voice that has this feature; `None` for features of other layers.
    pub const fn stream(self) -> Option<VoiceStream> {
        match self {
            Self::Density(stream)
            | Self::Height(stream)
            | Self::Length(stream)
            | Self::Brightness(stream) => Some(stream),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn feature_names_and_indices_round_trip() {
        assert_eq!(Feature::all().count(), Feature::COUNT);
        for (index, feature) in Feature::all().enumerate() {
            assert_eq!((feature.index(), Feature::from_name(&feature.name())), (index, Some(feature)));
            let ((low, high), step) = (feature.bounds(), feature.audible_step());
            assert!((high - low) / step >= 8.0, "{feature:?} has at least eight audible steps");
        }
    }
}
