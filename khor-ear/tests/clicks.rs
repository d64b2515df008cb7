//! The detector of clicks on khor's own sound: none in a clean render, and one where one was put.

use khor_ear::{
    adapter::{Heard, presets},
    clicks::clicks,
    scenario::{Class, Clip, perform},
};

fn busy(preset: &str) -> Heard {
    perform(preset, Clip { what: Class::Compile, size: 1.0, intensity: 1.0, seed: 1 }).unwrap()
}

#[test]
fn a_clean_render_has_no_clicks() {
    for preset in presets() {
        assert_eq!(clicks(&busy(&preset).samples), [], "{preset}");
    }
}

/// A sixty-fourth of full scale: what is left of a quiet note that is cut.
#[test]
fn a_jump_is_found_in_every_preset() {
    for preset in presets() {
        let mut samples = busy(&preset).samples;
        let at = 2 * 7 * 48_000;
        samples[at..].iter_mut().for_each(|sample| *sample += 1.0 / 64.0);
        let found = clicks(&samples);
        assert_eq!(found.len(), 1, "{preset}: {found:?}");
        assert!((found[0].at_s - 7.0).abs() < 0.001, "{preset}: {found:?}");
    }
}
