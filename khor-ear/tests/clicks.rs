//! Tests the click detector on khor's sound. A clean render has no clicks, and an inserted jump is
//! found.

use khor_ear::{
    adapter::{Render, presets},
    clicks::clicks,
    scenario::{LoadClass, LoadClip, perform},
};

fn busy(preset: &str) -> Render {
    perform(preset, LoadClip { what: LoadClass::Compile, size: 1.0, intensity: 1.0, seed: 1 }).unwrap()
}

#[test]
fn a_clean_render_has_no_clicks() {
    for preset in presets() {
        assert_eq!(clicks(&busy(&preset).samples), [], "{preset}");
    }
}

/// The jump is 1/64 of full scale. A quiet note that is cut off causes a jump of this size.
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
