//! Defines scales, keys and registers, and converts scale degrees into MIDI notes.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A musical scale. Configuration files use the serialised names.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "these are the usual names of scales")]
pub enum Scale {
    #[default]
    PentatonicMinor,
    PentatonicMajor,
    NaturalMinor,
    HarmonicMinor,
    Major,
    Dorian,
    Phrygian,
    Lydian,
    Mixolydian,
    WholeTone,
    Chromatic,
}

impl Scale {
    /// All scales, in the order in which menus show them.
    pub const ALL: [Self; 11] = [
        Self::PentatonicMinor,
        Self::PentatonicMajor,
        Self::NaturalMinor,
        Self::HarmonicMinor,
        Self::Major,
        Self::Dorian,
        Self::Phrygian,
        Self::Lydian,
        Self::Mixolydian,
        Self::WholeTone,
        Self::Chromatic,
    ];

    /// The notes of one octave, as semitones above the tonic. The first is 0, and the list is
    /// ascending.
    pub const fn intervals(self) -> &'static [u8] {
        match self {
            Self::PentatonicMinor => &[0, 3, 5, 7, 10],
            Self::PentatonicMajor => &[0, 2, 4, 7, 9],
            Self::NaturalMinor => &[0, 2, 3, 5, 7, 8, 10],
            Self::HarmonicMinor => &[0, 2, 3, 5, 7, 8, 11],
            Self::Major => &[0, 2, 4, 5, 7, 9, 11],
            Self::Dorian => &[0, 2, 3, 5, 7, 9, 10],
            Self::Phrygian => &[0, 1, 3, 5, 7, 8, 10],
            Self::Lydian => &[0, 2, 4, 6, 7, 9, 11],
            Self::Mixolydian => &[0, 2, 4, 5, 7, 9, 10],
            Self::WholeTone => &[0, 2, 4, 6, 8, 10],
            Self::Chromatic => &[0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11],
        }
    }
}

/// A key, which is a scale and its tonic. Only the pitch class of the tonic matters, because each
/// layer has its own register.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Key {
    /// Pitch class of the tonic, 0..=11.
    tonic: i32,
    scale: Scale,
}

impl Key {
    pub(super) fn new(key_midi: u8, scale: Scale) -> Self {
        Self { tonic: i32::from(key_midi % 12), scale }
    }

    /// Number of degrees in an octave.
    pub(super) fn len(self) -> i32 {
        self.scale.intervals().len() as i32
    }

    /// The MIDI note of a degree. Degree 0 is in 48..=59. Negative degrees are below it.
    pub(super) fn midi(self, degree: i32) -> i32 {
        let intervals = self.scale.intervals();
        let within = degree.rem_euclid(self.len()) as usize;
        48 + self.tonic + 12 * degree.div_euclid(self.len()) + i32::from(intervals[within])
    }

    /// The highest degree whose MIDI note is at most `midi`.
    pub(super) fn degree_below(self, midi: i32) -> i32 {
        let offset = midi - 48 - self.tonic;
        let within = offset.rem_euclid(12);
        let index = self.scale.intervals().iter().filter(|&&i| i32::from(i) <= within).count() as i32 - 1;
        offset.div_euclid(12) * self.len() + index
    }
}

/// A range of MIDI notes. It includes both ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Register {
    /// Lowest note, 36..=85.
    #[schemars(range(min = 36, max = 85))]
    pub low: u8,
    /// Highest note, at most 96 and at least 11 semitones above the lowest note.
    #[schemars(range(min = 47, max = 96))]
    pub high: u8,
}

impl Register {
    /// Transposes a note by octaves into the register, as little as possible.
    pub(super) fn fold(self, midi: i32) -> u8 {
        let (low, high) = (i32::from(self.low), i32::from(self.high));
        let folded = if midi < low {
            low + (midi - low).rem_euclid(12)
        } else if midi > high {
            high - (high - midi).rem_euclid(12)
        } else {
            midi
        };
        folded.clamp(low, high) as u8
    }

    /// The note in the middle of the register.
    pub(super) fn middle(self) -> i32 {
        i32::midpoint(self.low.into(), self.high.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn degrees_and_notes_round_trip() {
        for scale in Scale::ALL {
            for key_midi in 0..128 {
                let key = Key::new(key_midi, scale);
                for degree in -20..30 {
                    let midi = key.midi(degree);
                    assert_eq!(key.degree_below(midi), degree);
                    let class = (midi - i32::from(key_midi)).rem_euclid(12) as u8;
                    assert!(scale.intervals().contains(&class));
                    assert!(key.midi(degree + 1) > midi);
                }
            }
        }
    }

    #[test]
    fn folding_keeps_pitch_class_and_bounds() {
        let register = Register { low: 43, high: 55 };
        for midi in -30..160 {
            let folded = register.fold(midi);
            assert!((43..=55).contains(&folded));
            assert_eq!((i32::from(folded) - midi).rem_euclid(12), 0);
        }
    }

    #[test]
    fn scale_names_match_the_configuration() {
        let names: Vec<String> =
            Scale::ALL.iter().map(|s| serde_json::to_string(s).unwrap().replace('"', "")).collect();
        assert_eq!(
            names.join(" "),
            "pentatonic_minor pentatonic_major natural_minor harmonic_minor major dorian phrygian lydian mixolydian whole_tone chromatic"
        );
    }
}
