//! The notes that each player plays.

/// Sample rate of all players, Hz.
pub(super) const RATE_HZ: u32 = 48_000;
/// Voices of one of khor's synths; of more there are several.
pub(super) const VOICES_OF_A_BANK: usize = 24;

/// MIDI's number of a voice's note: whole tones from E2 on, the same in each player.
pub(super) fn key(voice: usize) -> u8 {
    40 + 2 * (voice % VOICES_OF_A_BANK) as u8
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn notes_are_midis() {
        assert_eq!((key(0), key(23), key(24)), (40, 86, 40));
    }
}
