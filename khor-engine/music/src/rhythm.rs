//! Computes Euclidean rhythms: the onsets are spread over the bar as evenly as possible, and then
//! rotated.

/// Number of steps in a bar. A step is one sixteenth.
pub(super) const STEPS_PER_BAR: u8 = 16;

/// Whether the Euclidean pattern has an onset at `step`. The patterns are Bjorklund's (Toussaint
/// 2005), and are computed like Bresenham's line. More than 16 `onsets` count as 16.
pub(super) fn is_onset(step: u8, onsets: u8, rotation: u8) -> bool {
    let onsets = u32::from(onsets.min(STEPS_PER_BAR));
    let position = (u32::from(step) + u32::from(rotation)) % u32::from(STEPS_PER_BAR);
    (position * onsets) % u32::from(STEPS_PER_BAR) < onsets
}

/// Number of onsets in the bar before this step.
pub(super) fn onsets_before(step: u8, onsets: u8, rotation: u8) -> usize {
    (0..step).filter(|&s| is_onset(s, onsets, rotation)).count()
}

/// Accent of a step, 0..=1. The downbeat has the strongest accent, followed by the half bar, the
/// other beats, eighths and sixteenths.
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
        for onsets in 0..=STEPS_PER_BAR {
            for rotation in 0..STEPS_PER_BAR {
                assert_eq!(onsets_before(STEPS_PER_BAR, onsets, rotation), usize::from(onsets));
            }
        }
    }

    #[test]
    fn gaps_differ_by_at_most_one_step() {
        for onsets in 1..=STEPS_PER_BAR {
            let at: Vec<u8> = (0..STEPS_PER_BAR).filter(|&s| is_onset(s, onsets, 0)).collect();
            let gaps: Vec<u8> = (0..at.len())
                .map(|i| (at[(i + 1) % at.len()] + STEPS_PER_BAR - at[i] - 1) % STEPS_PER_BAR + 1)
                .collect();
            let (min, max) = (gaps.iter().min().unwrap(), gaps.iter().max().unwrap());
            assert!(max - min <= 1, "{onsets}: {gaps:?}");
        }
    }
}
