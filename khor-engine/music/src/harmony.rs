//! Chooses the roots and notes of chords, and moves each voice as little as possible from chord to
//! chord.

use super::{
    scale::{Key, Register},
    seeded::{Dice, Stream},
};

/// Number of voices of a chord.
pub(super) const CHORD_VOICES: usize = 4;

/// A chord as scale degrees. The root comes first, followed by the notes above it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Chord {
    pub(super) degrees: [i32; CHORD_VOICES],
}

impl Chord {
    /// Creates a chord on a scale degree. The chord gets denser with `tension`, 0..=8: wide triad,
    /// seventh, open seventh, suspended fourth, suspended second, added second, and three clusters.
    /// All notes are in the scale.
    pub(super) fn new(key: Key, root: i32, tension: u8) -> Self {
        // Each interval is computed as a share of the octave, so that scales of five or twelve
        // notes also give chords.
        let stack = |seventh_degrees: i32| (seventh_degrees * key.len() + 3) / 7;
        let (second, third, fourth) = (stack(1).max(1), stack(2), stack(3));
        let fifth = stack(4).max(fourth + 1);
        let (sixth, seventh) = (stack(5).max(fifth + 1), stack(6).max(fifth + 1));
        let third_above_second = third.max(second + 1);
        let rest = |next: i32| next.max(third_above_second + 1);
        let above = match tension {
            0 => [third, fifth, key.len() + fifth],
            1 => [third, fifth, seventh],
            2 => [fifth, seventh, key.len() + third],
            3 => [fourth, fifth, seventh],
            4 => [second, fifth, seventh],
            5 => [second, third_above_second, rest(fifth)],
            6 => [second, third_above_second, rest(seventh)],
            7 => [second, third_above_second, rest(sixth)],
            _ => [second, third_above_second, rest(fourth)],
        };
        Self { degrees: [root, root + above[0], root + above[1], root + above[2]] }
    }

    /// Whether the chord has a perfect fifth above its root.
    fn is_stable(&self, key: Key) -> bool {
        const PERFECT_FIFTH: i32 = 7;
        let [root, _, fifth, _] = self.degrees;
        key.midi(fifth) - key.midi(root) == PERFECT_FIFTH
    }

    /// The note nearest to `midi` that belongs to the chord, in any octave.
    pub(super) fn nearest(&self, key: Key, midi: i32) -> i32 {
        let near = |degree: i32| {
            let note = key.midi(degree);
            note + 12 * ((midi - note) as f32 / 12.0).round() as i32
        };
        self.degrees.map(near).into_iter().min_by_key(|note| (note - midi).abs()).unwrap_or(midi)
    }

    /// Fills `out` with the chord's notes in a register, in ascending order.
    pub(super) fn notes_in(&self, key: Key, register: Register, out: &mut Vec<u8>) {
        out.clear();
        out.extend((register.low..=register.high).filter(|&midi| {
            self.degrees.iter().any(|&degree| (key.midi(degree) - i32::from(midi)).rem_euclid(12) == 0)
        }));
    }

    /// Assigns the chord's notes to voices, so that the voices move as little as possible from
    /// `previous`. All permutations are tried. The cost is the sum of the squared distances, so a
    /// single large leap is unlikely. If `rootless` is set, the last voice gets the root. The
    /// caller then omits this voice, because the bass plays the root.
    pub(super) fn lead(
        &self,
        key: Key,
        register: Register,
        previous: [u8; CHORD_VOICES],
        rootless: bool,
    ) -> [u8; CHORD_VOICES] {
        let mut best = (i32::MAX, previous);
        for order in PERMUTATIONS.into_iter().filter(|order| !rootless || order[CHORD_VOICES - 1] == 0) {
            let mut voices = [0; CHORD_VOICES];
            let mut cost = 0;
            for (voice, &from) in previous.iter().enumerate() {
                let note = key.midi(self.degrees[order[voice]]);
                voices[voice] = nearest_octave(note, from, register);
                let moved = i32::from(voices[voice]) - i32::from(from);
                cost += moved * moved;
            }
            if cost < best.0 {
                best = (cost, voices);
            }
        }
        best.1
    }
}

fn nearest_octave(note: i32, from: u8, register: Register) -> u8 {
    let near = note + 12 * ((i32::from(from) - note) as f32 / 12.0).round() as i32;
    register.fold(near)
}

/// The root of the chord in a bar, as a scale degree. Every fourth chord has the first of `roots`.
/// The other roots are random, but no entry of `roots` is used twice in a row. A root without a
/// perfect fifth in the scale is skipped if any other root has one, because tritones are reserved
/// for tension.
pub(super) fn root_at(key: Key, seed: u64, bar: u64, chord_bars: u8, roots: &[i32], turn: usize) -> i32 {
    let chord = bar / u64::from(chord_bars.max(1));
    let Some((&home, away)) = roots.split_first() else { return 0 };
    let is_stable = |root: &i32| Chord::new(key, *root, 0).is_stable(key);
    let all = !away.iter().any(is_stable);
    let away = || away.iter().copied().filter(|root| all || is_stable(root));
    let (place, count) = ((chord % 4) as usize, away().count());
    if place == 0 || count == 0 {
        return home;
    }
    // One random number is drawn for each group of four chords. The number selects an entry of
    // `roots`. Each further chord of the group uses the next entry, so no entry is used twice in a
    // row.
    let start = Dice::new(seed, chord / 4, Stream::Harmony).below(count);
    let next = away().nth((start + turn + place) % count).unwrap_or(home);
    if count == 1 && place == 2 { home } else { next }
}

/// All 24 permutations of four items.
const PERMUTATIONS: [[usize; CHORD_VOICES]; 24] = {
    let mut all = [[0; CHORD_VOICES]; 24];
    let mut n = 0;
    let mut i = 0;
    while i < 256 {
        let p = [i % 4, i / 4 % 4, i / 16 % 4, i / 64];
        if p[0] != p[1] && p[0] != p[2] && p[0] != p[3] && p[1] != p[2] && p[1] != p[3] && p[2] != p[3] {
            all[n] = p;
            n += 1;
        }
        i += 1;
    }
    all
};

#[cfg(test)]
mod tests {
    use super::{super::scale::Scale, *};

    #[test]
    fn chords_have_four_different_degrees() {
        for scale in Scale::ALL {
            let key = Key::new(50, scale);
            for tension in 0..=8 {
                let chord = Chord::new(key, 0, tension);
                let mut degrees = chord.degrees.to_vec();
                degrees.sort_unstable();
                degrees.dedup();
                assert_eq!(degrees.len(), 4, "{scale:?} {tension} {:?}", chord.degrees);
            }
        }
    }

    #[test]
    fn voices_move_little_and_stay_in_register() {
        let key = Key::new(50, Scale::Dorian);
        let register = Register { low: 50, high: 69 };
        let mut voices = Chord::new(key, 0, 0).lead(key, register, [55, 58, 62, 65], false);
        for root in [3, 6, 4, 0, 5, 2, 0] {
            let next = Chord::new(key, root, 1).lead(key, register, voices, false);
            for (a, b) in voices.iter().zip(next) {
                assert!((50..=69).contains(&b));
                assert!(a.abs_diff(b) <= 7, "{voices:?} -> {next:?}");
            }
            voices = next;
        }
    }

    #[test]
    fn a_chord_without_root_keeps_its_colour() {
        let key = Key::new(50, Scale::Dorian);
        for tension in 0..=8 {
            let chord = Chord::new(key, 3, tension);
            let voices = chord.lead(key, Register { low: 50, high: 69 }, [55, 58, 62, 65], true);
            let class = |degree: i32| (key.midi(degree) % 12) as u8;
            assert_eq!(voices[3] % 12, class(chord.degrees[0]));
            assert!(chord.degrees[1..].iter().all(|d| voices[..3].iter().any(|v| v % 12 == class(*d))));
        }
    }

    #[test]
    fn roots_return_home_and_never_repeat() {
        for scale in Scale::ALL {
            let key = Key::new(50, scale);
            for (seed, chord) in (0..50).flat_map(|seed| (0..40).map(move |chord| (seed, chord))) {
                let root = |c: u64| root_at(key, seed, c * 4, 4, &[0, 3, 4, 5], 0);
                assert_ne!(root(chord), root(chord + 1), "{scale:?}");
                assert_eq!(root(chord * 4), 0);
                assert!(scale != Scale::Dorian || root(chord) != 5, "degree 5 has a diminished chord");
            }
        }
    }
}
