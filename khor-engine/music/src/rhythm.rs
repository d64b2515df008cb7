//! Rhythms: `k` onsets spread as evenly as possible over the bar, and rotated.

/// Steps in a bar; a step is one sixteenth.
pub(super) const STEPS: u8 = 16;

/// Whether a Euclidean pattern has an onset at `step`
/// (Bjorklund's patterns in Bresenham form, Toussaint 2005; `onsets` 0..=16, anything above counts as 16).
pub(super) fn hit(step: u8, onsets: u8, rotation: u8) -> bool {
    let onsets = u32::from(onsets.min(STEPS));
    let position = (u32::from(step) + u32::from(rotation)) % u32::from(STEPS);
    (position * onsets) % u32::from(STEPS) < onsets
}

/// How many onsets the pattern had in this bar before `step`.
pub(super) fn hits_before(step: u8, onsets: u8, rotation: u8) -> usize {
    (0..step).filter(|&s| hit(s, onsets, rotation)).count()
}

/// How strong a step is in the bar, 0..=1: downbeat, half, beats, eighths, sixteenths.
pub(super) fn accent(step: u8) -> f32 {
    match step {
        0 => 1.0,
        8 => 0.94,
        4 | 12 => 0.9,
        s if s.is_multiple_of(2) => 0.8,
        _ => 0.7,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rotation_keeps_the_number_of_onsets() {
        for onsets in 0..=STEPS {
            for rotation in 0..STEPS {
                assert_eq!(hits_before(STEPS, onsets, rotation), usize::from(onsets));
            }
        }
    }

    #[test]
    fn gaps_differ_by_at_most_one_step() {
        for onsets in 1..=STEPS {
            let at: Vec<u8> = (0..STEPS).filter(|&s| hit(s, onsets, 0)).collect();
            let gaps: Vec<u8> =
                (0..at.len()).map(|i| (at[(i + 1) % at.len()] + STEPS - at[i] - 1) % STEPS + 1).collect();
            let (min, max) = (gaps.iter().min().unwrap(), gaps.iter().max().unwrap());
            assert!(max - min <= 1, "{onsets}: {gaps:?}");
        }
    }
}
