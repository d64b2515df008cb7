//! Tests the loudness, peaks and spectrum of every built-in preset in offline renders
//! (docs/specification.md).

mod offline;

use ebur128::{EbuR128, Mode};
use khor_music::{Preset, Settings};
use khor_synth::Volume;

use self::offline::{RATE_HZ, Rendered, levels, render, render_at, scenarios};

/// Returns the integrated loudness (LUFS) and the true peak (dBTP).
fn loudness(rendered: &Rendered) -> (f64, f64) {
    let mut meter = EbuR128::new(2, RATE_HZ, Mode::I | Mode::TRUE_PEAK).unwrap();
    meter.add_frames_f32(&rendered.samples).unwrap();
    let peak = meter.true_peak(0).unwrap().max(meter.true_peak(1).unwrap());
    (meter.loudness_global().unwrap(), 20.0 * peak.log10())
}

#[test]
fn loudness_stays_within_8_lu_of_idle() {
    for preset in Preset::builtin() {
        let mut idle = None;
        for (name, levels) in scenarios() {
            let rendered = render(preset, Settings::default(), 20.0, |_| levels);
            let (lufs, dbtp) = loudness(&rendered);
            assert_eq!(rendered.meter.dropped, 0);
            assert!(dbtp <= -1.0, "{} {name}: {dbtp:.1} dBTP", preset.name);
            let Some((idle_lufs, idle_onsets)) = idle else {
                assert!((-25.0..=-21.0).contains(&lufs), "{}: {lufs:.1} LUFS", preset.name);
                idle = Some((lufs, rendered.onsets_per_s()));
                continue;
            };
            assert!((0.0..=8.0).contains(&(lufs - idle_lufs)), "{} {name}: {lufs:.1} LUFS", preset.name);
            assert!(rendered.onsets_per_s() >= idle_onsets + 2.0, "{} {name}", preset.name);
        }
    }
}

#[test]
fn louder_settings_reach_their_target_unclipped() {
    for preset in Preset::builtin() {
        for lufs in [-18.0, -16.0] {
            let volume = Volume { loudness_lufs: lufs as f32, ..Volume::default() };
            for (name, levels) in [scenarios()[0], scenarios()[6]] {
                let rendered = render_at(volume, preset, Settings::default(), 20.0, |_| levels);
                let (measured, dbtp) = loudness(&rendered);
                println!("{} {name} at {lufs}: {measured:.1} LUFS, {dbtp:.1} dBTP", preset.name);
                assert!(dbtp <= -1.0, "{} {name}: {dbtp:.1} dBTP", preset.name);
                let most = if name == "idle" { 2.0 } else { 8.0 };
                assert!(
                    (-2.0..=most).contains(&(measured - lufs)),
                    "{} {name}: {measured:.1} LUFS",
                    preset.name
                );
            }
        }
    }
}

#[test]
fn the_bed_has_little_above_6_khz() {
    for preset in Preset::builtin() {
        let rendered = render(preset, Settings::default(), 20.0, |_| levels(&[]));
        // The filter consists of three one-pole high-passes at 6 kHz.
        let pole = (-std::f32::consts::TAU * 6000.0 / RATE_HZ as f32).exp();
        let (mut low, mut above, mut all) = ([0.0_f32; 3], 0.0_f64, 0.0_f64);
        for &sample in rendered.samples.iter().step_by(2) {
            let mut x = sample;
            for state in &mut low {
                *state = x + pole * (*state - x);
                x -= *state;
            }
            above += f64::from(x * x);
            all += f64::from(sample * sample);
        }
        assert!(above / all < 0.05, "{}: {}", preset.name, above / all);
    }
}

#[test]
fn the_same_levels_give_the_same_samples() {
    let run = || render(&Preset::builtin()[2], Settings::default(), 5.0, |_| levels(&[]));
    assert!(run().samples == run().samples);
}
