//! Provides seeded random numbers. Each draw depends only on seed, bar and stream, so a capture
//! always produces the same music.

/// The streams of random numbers. There is one for each kind of decision, and an additional draw in
/// one stream does not affect the others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stream {
    Harmony,
    Bed,
    Rare,
    Form,
    /// The rhythm of a pulse stream. The number is the stream's position in the preset.
    Pulse(u8),
    /// The order of the notes in a pulse stream.
    Motif(u8),
    /// A voice. The number is its position in [`VoiceStream::ALL`](super::VoiceStream::ALL).
    Voice(u8),
}

impl Stream {
    const fn salt(self) -> u64 {
        match self {
            Self::Harmony => 1,
            Self::Bed => 2,
            Self::Rare => 3,
            Self::Form => 4,
            Self::Pulse(n) => 0x100 + n as u64,
            Self::Voice(n) => 0x200 + n as u64,
            Self::Motif(n) => 0x300 + n as u64,
        }
    }
}

/// A pseudo-random number generator (`SplitMix64`, Steele, Lea & Flood 2014).
#[derive(Clone, Debug)]
pub(super) struct Dice {
    state: u64,
}

impl Dice {
    /// Creates a generator for one stream. `bar` is the number of the bar, phrase or section for
    /// which it draws.
    pub(super) fn new(seed: u64, bar: u64, stream: Stream) -> Self {
        let state = mix(seed ^ mix(bar.wrapping_add(mix(stream.salt()))));
        Self { state }
    }

    fn next(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        mix(self.state)
    }

    /// A uniformly distributed integer in 0..n; 0 if n is 0.
    pub(super) fn below(&mut self, n: usize) -> usize {
        ((u128::from(self.next()) * n as u128) >> 64) as usize
    }

    /// A uniformly distributed number in 0.0..1.0.
    pub(super) fn unit(&mut self) -> f32 {
        (self.next() >> 40) as f32 / (1_u32 << 24) as f32
    }

    /// A uniformly distributed number in -1.0..1.0.
    pub(super) fn bipolar(&mut self) -> f32 {
        self.unit() * 2.0 - 1.0
    }

    /// Returns true with probability `p`.
    pub(super) fn chance(&mut self, p: f32) -> bool {
        self.unit() < p
    }
}

/// The finaliser of `SplitMix64`. When one input bit changes, about half of the output bits change.
const fn mix(mut z: u64) -> u64 {
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn streams_and_bars_are_independent_and_repeatable() {
        let draw = |seed, bar, stream| Dice::new(seed, bar, stream).next();
        assert_eq!(draw(1, 2, Stream::Bed), draw(1, 2, Stream::Bed));
        let all = [
            draw(1, 2, Stream::Bed),
            draw(2, 2, Stream::Bed),
            draw(1, 3, Stream::Bed),
            draw(1, 2, Stream::Rare),
            draw(1, 2, Stream::Pulse(0)),
            draw(1, 2, Stream::Voice(0)),
        ];
        for (i, a) in all.iter().enumerate() {
            assert!(all[i + 1..].iter().all(|b| a != b));
        }
    }

    #[test]
    fn draws_stay_in_range_and_spread_evenly() {
        let mut dice = Dice::new(7, 0, Stream::Bed);
        let mut counts = [0_u32; 5];
        for _ in 0..5000 {
            counts[dice.below(5)] += 1;
            assert!((0.0..1.0).contains(&dice.unit()));
        }
        assert!(counts.iter().all(|&c| (850..1150).contains(&c)), "{counts:?}");
        assert_eq!(dice.below(0), 0);
    }
}
