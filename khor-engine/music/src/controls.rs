//! Computes the continuous sound parameters. Unlike notes, they can change at any time.

use serde::Serialize;

use super::{
    feature::Feature,
    reading::{Reading, approach},
};

/// The continuous parameters of the synth.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Controls {
    /// Brightness of all patches, from 0 (dark) to 1 (bright). It shifts the filter cutoffs. At
    /// 0.5, the patches are unchanged.
    pub brightness: f32,
    /// Level of the reverb, 0..=1.
    pub reverb: f32,
    /// Level of the delay, 0..=1.
    pub delay: f32,
    /// Delay time, seconds, 0.05..=1. It is the length of three steps, halved until it is at most
    /// 0.7 s.
    pub echo_s: f32,
    /// Vowel of the singing timbres, 0..=1. It moves from u (0) through o and a to e (1).
    pub vowel: f32,
}

/// Vowel while the pad has neutral brightness; it is close to o. The vowel moves towards u when the
/// pad gets darker.
const VOWEL: f32 = 0.35;

impl Default for Controls {
    fn default() -> Self {
        Self { brightness: 0.5, reverb: 0.5, delay: 0.4, echo_s: 0.4, vowel: VOWEL }
    }
}

/// Time constant of all controls, seconds. It is slow enough to sound like a change of mood, and
/// fast enough for listeners to connect the change with its cause.
const CONTROLS_TAU_S: f32 = 1.5;

impl Controls {
    /// Moves the controls towards the values of the reading. The brightness of the pad also affects
    /// all other sounds slightly.
    pub(super) fn follow(&mut self, reading: &Reading, step_s: f64, elapsed_s: f32) {
        let brightness = 0.5 + 0.1 * reading.smooth_value(Feature::BedBrightness).unwrap_or(0.0);
        let reverb = 0.65 * reading.smooth_value(Feature::RoomReverb).unwrap_or(0.8);
        let delay = 0.45_f32;
        approach(&mut self.brightness, brightness.clamp(0.0, 1.0), CONTROLS_TAU_S, elapsed_s);
        approach(&mut self.reverb, reverb.clamp(0.0, 1.0), CONTROLS_TAU_S, elapsed_s);
        approach(&mut self.delay, delay.clamp(0.0, 1.0), CONTROLS_TAU_S, elapsed_s);
        self.echo_s = echo_s(step_s);
        let vowel = VOWEL + 0.2 * reading.smooth_value(Feature::BedBrightness).unwrap_or(0.0);
        approach(&mut self.vowel, vowel.clamp(0.0, 1.0), CONTROLS_TAU_S, elapsed_s);
    }
}

fn echo_s(step_s: f64) -> f32 {
    let mut echo = step_s * 3.0;
    while echo > 0.7 {
        echo *= 0.5;
    }
    echo as f32
}

#[cfg(test)]
mod tests {
    use khor_signal::{Lane, SignalId};

    use super::*;
    use crate::Preset;

    #[test]
    fn work_lowers_the_reverb_within_range() {
        let settle = |level| {
            let mut reading = Reading::new(&Preset::builtin()[0].mapping);
            let mut controls = Controls::default();
            for _ in 0..1000 {
                let lane = Lane { level, deviation: 8.0 * level, surprise: 0.0 };
                reading.update(&[Some(lane); SignalId::COUNT].into(), None, 0.5, 0.1);
                controls.follow(&reading, 0.75, 0.1);
                let Controls { brightness, reverb, delay, echo_s, vowel } = controls;
                assert!([brightness, reverb, delay, vowel].iter().all(|v| (0.0..=1.0).contains(v)));
                assert!((0.05..=1.0).contains(&echo_s));
            }
            controls
        };
        assert!(settle(1.0).reverb < settle(0.0).reverb - 0.2);
    }
}
