//! A quantiser with hysteresis. If the input varies slightly around a threshold, the output does
//! not change.

/// The input must move this far beyond the midpoint between two steps before the output changes.
/// The unit is one step. The value is deliberately not round, because inputs are often round
/// numbers and must not lie on a threshold.
const MARGIN: f32 = 0.271_828;

/// Quantises a value of 0..=1 to one of `steps + 1` values.
#[derive(Clone, Debug)]
pub(super) struct Quantiser {
    steps: u8,
    now: u8,
}

impl Quantiser {
    /// Creates a quantiser whose output is 0. `steps` must be above 0.
    pub(super) const fn new(steps: u8) -> Self {
        Self { steps, now: 0 }
    }

    /// The current output of the quantiser, 0..=steps.
    pub(super) const fn get(&self) -> u8 {
        self.now
    }

    /// Updates the output from `value`, which is clamped to 0..=1. Returns the new output.
    pub(super) fn update(&mut self, value: f32) -> u8 {
        let position = value.clamp(0.0, 1.0) * f32::from(self.steps);
        let distance = position - f32::from(self.now);
        if distance.abs() > 0.5 + MARGIN {
            // Move the value towards the old output by the margin, and then round it to the nearest
            // step.
            let nearest = position - MARGIN * distance.signum();
            self.now = (nearest.round().max(0.0) as u8).min(self.steps);
        }
        self.now
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hysteresis_suppresses_hovering_at_a_threshold() {
        let mut q = Quantiser::new(16);
        let mut moves = 0;
        let mut last = q.get();
        let threshold = (0.5 + MARGIN) / 16.0;
        for i in 0..1000 {
            let wobble = if i % 2 == 0 { 1e-3 } else { -1e-3 };
            let now = q.update(threshold + wobble);
            moves += u32::from(now != last);
            last = now;
        }
        assert_eq!(moves, 1);
    }

    #[test]
    fn quantised_values_reach_both_ends_in_order() {
        let mut q = Quantiser::new(16);
        let mut last = 0;
        for i in 0..=1000 {
            let now = q.update(i as f32 / 1000.0);
            assert!(now >= last);
            last = now;
        }
        assert_eq!(last, 16);
        for i in (0..=1000).rev() {
            let now = q.update(i as f32 / 1000.0);
            assert!(now <= last);
            last = now;
        }
        assert_eq!(last, 0);
    }
}
