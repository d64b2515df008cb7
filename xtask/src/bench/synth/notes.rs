//! Defines the notes that every player in the benchmark plays.

/// Sample rate of all players, Hz.
pub(super) const RATE_HZ: u32 = 48_000;
/// Number of voices in one of khor's synths. More voices need several synths.
pub(super) const VOICES_OF_A_BANK: usize = 24;

/// The MIDI note number of a voice, which is the same for each player. The keys of 24 voices rise
/// in whole tones from E2, and the next voices use the same keys again.
pub(super) fn key(voice: usize) -> u8 {
    40 + 2 * (voice % VOICES_OF_A_BANK) as u8
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_repeat_after_24_voices() {
        assert_eq!((key(0), key(23), key(24)), (40, 86, 40));
    }
}
