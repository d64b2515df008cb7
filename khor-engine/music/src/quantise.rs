//! A quantiser with hysteresis: values that hover around a threshold change nothing.

/// How far, in steps, a value must pass the midpoint between two steps before the output moves. An
/// irrational number, so that no threshold is a round number, which people and tests often use.
const MARGIN: f32 = 0.271_828;

/// Turns 0..=1 into one of `steps + 1` values, and stays there until the input clearly leaves.
#[derive(Clone, Debug)]
pub(super) struct Quantiser {
    steps: u8,
    now: u8,
}

impl Quantiser {
    /// Starts at 0. `steps` > 0.
    pub(super) const fn new(steps: u8) -> Self {
        Self { steps, now: 0 }
    }

    /// The present step, 0..=steps.
    pub(super) const fn get(&self) -> u8 {
        self.now
    }

    /// Feeds a value 0..=1 (anything else is clamped) and gives the step.
    pub(super) fn update(&mut self, value: f32) -> u8 {
        let position = value.clamp(0.0, 1.0) * f32::from(self.steps);
        let distance = position - f32::from(self.now);
        if distance.abs() > 0.5 + MARGIN {
            // Land on the nearest step, but keep the margin on the side we came from.
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
