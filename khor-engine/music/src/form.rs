//! Defines the large-scale form: sections of a minute and a half with small variations. Without
//! these variations, a state that lasts for hours would sound static.

use super::seeded::{Dice, Stream};

/// Number of bars in a section. At 110 bpm, a section takes 87 s.
const SECTION_BARS: u64 = 40;
/// Number of sections in a cycle. The form of a cycle is A B A' C, which takes 5.8 min at 110 bpm.
/// The first section of each cycle has no variation.
const CYCLE: u64 = 4;

/// The variation of one section. It only changes properties that no signal controls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct FormSection {
    /// Number of the section, counted from 0 at the start of the music.
    pub(super) index: u64,
    /// Number of positions by which the list of chord roots is rotated.
    pub(super) turn: usize,
    /// Number of semitones by which the pad's notes are moved from the middle of their register.
    pub(super) lean: i32,
    /// Which variant of the voices' gestures is used, 0..=2.
    pub(super) variant: usize,
}

impl FormSection {
    pub(super) fn at(seed: u64, bar: u64) -> Self {
        let index = bar / SECTION_BARS;
        let mut dice = Dice::new(seed, index, Stream::Form);
        let home = index.is_multiple_of(CYCLE);
        Self {
            index,
            turn: if home { 0 } else { dice.below(3) },
            lean: if home { 0 } else { dice.below(7) as i32 - 3 },
            variant: if home { 0 } else { 1 + dice.below(2) },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_cycle_starts_unvaried_and_then_varies() {
        for seed in 0..20 {
            let cycle = SECTION_BARS * CYCLE;
            let home = FormSection::at(seed, 0);
            assert_eq!((home.turn, home.lean, home.variant), (0, 0, 0));
            let again = FormSection::at(seed, cycle);
            assert_eq!((again.turn, again.lean, again.variant), (0, 0, 0));
            assert!((0..cycle).any(|bar| FormSection::at(seed, bar).variant != 0));
        }
    }
}
