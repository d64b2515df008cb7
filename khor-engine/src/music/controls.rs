//! The continuous side of the music: what the synth does between notes.

use serde::Serialize;

use super::reading::{Features, approach};

/// Continuous parameters for the synth.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Controls {
    /// Filter opening of all patches, 0 (dark) ..=1 (bright); 0.5 is the patch as written.
    pub brightness: f32,
    /// Reverb return, 0..=1.
    pub reverb: f32,
    /// Delay return, 0..=1.
    pub delay: f32,
    /// Delay time, seconds, 0.05..=1; three steps of the tempo, halved until it fits.
    pub echo_s: f32,
}

impl Default for Controls {
    fn default() -> Self {
        Self { brightness: 0.5, reverb: 0.5, delay: 0.4, echo_s: 0.4 }
    }
}

/// Time constant of all controls, seconds: slow enough to be a mood, quick enough to belong to its cause.
const CONTROLS_TAU_S: f32 = 1.5;

impl Controls {
    /// Moves towards what the features ask for. Work opens the filters and dries the room (more detail),
    /// pressure closes them.
    pub(super) fn follow(&mut self, features: Features, step_s: f64, elapsed_s: f32) {
        let brightness = 0.5 + 0.3 * features.work - 0.35 * features.pressure;
        let reverb = 0.6 - 0.25 * features.work;
        let delay = 0.4 + 0.2 * features.work;
        approach(&mut self.brightness, brightness.clamp(0.0, 1.0), CONTROLS_TAU_S, elapsed_s);
        approach(&mut self.reverb, reverb.clamp(0.0, 1.0), CONTROLS_TAU_S, elapsed_s);
        approach(&mut self.delay, delay.clamp(0.0, 1.0), CONTROLS_TAU_S, elapsed_s);
        self.echo_s = echo_s(step_s);
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
    use super::*;

    #[test]
    fn controls_stay_in_range_whatever_the_features() {
        let mut controls = Controls::default();
        for (work, pressure) in [(0.0, 0.0), (1.0, 0.0), (0.0, 1.0), (1.0, 1.0)] {
            for _ in 0..1000 {
                controls.follow(Features { work, pressure }, 0.75, 0.1);
                let Controls { brightness, reverb, delay, echo_s } = controls;
                assert!([brightness, reverb, delay].iter().all(|v| (0.0..=1.0).contains(v)));
                assert!((0.05..=1.0).contains(&echo_s));
            }
        }
    }

    #[test]
    fn pressure_darkens() {
        let settle = |pressure| {
            let mut controls = Controls::default();
            for _ in 0..100 {
                controls.follow(Features { work: 0.5, pressure }, 0.136, 0.1);
            }
            controls.brightness
        };
        assert!(settle(0.8) < settle(0.0) - 0.2);
    }
}
