//! Prints how many times faster than real time the synth runs on one core with 0, 8 and 24 voices.
//!
//! `cargo run --release -p khor-engine --example synth_speed [-- --json]`; the numbers of voices are played with
//! the first preset's patches, and JSON has every run.

use std::time::Instant;

use khor_engine::music::{FilterMode, Instrument, Patch, Preset, Role, Wave};
use khor_engine::synth::{Synth, SynthNote};
use serde_json::{Value, json};

const RATE_HZ: u32 = 48_000;
const SECONDS: usize = 30;

fn main() {
    let json = std::env::args().any(|argument| argument == "--json");
    let runs: Vec<_> = cases().map(|(name, voices, patches)| (name, speeds(voices, patches))).collect();
    if json {
        let runs = runs.into_iter().map(|(name, speeds)| json!({ "name": name, "times_real_time": speeds }));
        println!("{}", runs.collect::<Value>());
        return;
    }
    for (name, speeds) in runs {
        // The best run, so that another program on the same core does not count.
        println!("{name}: {:5.0} x real time", speeds.into_iter().fold(0.0, f64::max));
    }
}

/// Names, numbers of voices, and patches.
fn cases() -> impl Iterator<Item = (String, usize, [Patch; Instrument::ALL.len()])> {
    let patches = Preset::builtin()[0].patches();
    let numbers = [(0, "effects alone"), (8, "8 voices and effects"), (24, "24 voices and effects")];
    let preset = numbers.into_iter().map(move |(voices, name)| (name.to_owned(), voices, patches));
    let with = |patch| Patch { reverb_send: 0.3, delay_send: 0.3, ..patch };
    let wave = |wave| with(Patch { wave, ..Patch::default() });
    let saws = Patch { detune_cents: 8.0, ..wave(Wave::Saw) };
    let waves = [
        ("sine", wave(Wave::Sine)),
        ("triangle", wave(Wave::Triangle)),
        ("saw", wave(Wave::Saw)),
        ("pulse", wave(Wave::Pulse)),
        ("two saws", saws),
        ("noise, band", Patch { filter: FilterMode::Band, ..wave(Wave::Noise) }),
        ("fm", wave(Wave::Fm)),
        ("two saws, sung with vibrato", Patch { vowel_send: 0.9, vibrato_cents: 20.0, ..saws }),
    ];
    preset.chain(
        waves
            .into_iter()
            .map(|(name, patch)| (format!("24 voices, {name}"), 24, [patch; Instrument::ALL.len()])),
    )
}

fn speeds(voices: usize, patches: [Patch; Instrument::ALL.len()]) -> Vec<f64> {
    (0..5).map(|_| run(voices, patches)).collect()
}

fn run(voices: usize, patches: [Patch; Instrument::ALL.len()]) -> f64 {
    let mut synth = Synth::new(RATE_HZ, 1);
    synth.set_patches(patches.map(|patch| Patch { sustain: 0.5, ..patch }));
    for voice in 0..voices {
        synth.schedule(SynthNote {
            onset_frame: 0,
            duration_frames: u64::MAX / 2,
            midi: 40 + 2 * voice as u8,
            velocity: 0.5,
            pan: 0.0,
            brightness: 0.0,
            instrument: Instrument::ALL[voice * 4 / voices.max(1)],
            role: Role::Melody,
        });
    }
    let (mut left, mut right) = ([0.0; 480], [0.0; 480]);
    let begin = Instant::now();
    for _ in 0..SECONDS * 100 {
        synth.render(&mut left, &mut right);
    }
    let elapsed_s = begin.elapsed().as_secs_f64();
    assert_eq!(synth.meter().active_voices as usize, voices);
    SECONDS as f64 / elapsed_s
}
