//! Prints how many times faster than real time the synth runs on one core with 0, 8 and 24 voices, and its waveforms.
//!
//! `cargo run --release -p khor-synth --example synth_speed` plays the numbers of voices with the
//! first preset's patches. `-- --waves --json` gives every run of each waveform as JSON. `--
//! --voices 24 --seconds 60` renders that many held voices for that time and prints nothing, for
//! external measurements. More than 24 voices use several synths.

use std::time::Instant;

use clap::Parser;
use khor_music::{FilterMode, Instrument, Patch, Preset, Role, Wave};
use khor_synth::{Synth, SynthNote};
use serde_json::{Value, json};

const RATE_HZ: u32 = 48_000;
const SECONDS: usize = 30;

type Patches = [Patch; Instrument::ALL.len()];

#[derive(Parser)]
struct Args {
    /// Only the waveforms
    #[arg(long)]
    waves: bool,
    /// Every run, as JSON
    #[arg(long)]
    json: bool,
    /// Render so many held voices and print nothing
    #[arg(long, requires = "seconds")]
    voices: Option<usize>,
    /// For so long
    #[arg(long, requires = "voices")]
    seconds: Option<usize>,
}

fn main() {
    let args = Args::parse();
    if let (Some(voices), Some(seconds)) = (args.voices, args.seconds) {
        render(voices, preset(), seconds);
        return;
    }
    let cases: Vec<_> = if args.waves { waves().collect() } else { numbers().chain(waves()).collect() };
    let runs = cases.into_iter().map(|(name, voices, patches)| (name, speeds(voices, patches)));
    if args.json {
        let runs = runs.map(|(name, speeds)| json!({ "name": name, "times_real_time": speeds }));
        println!("{}", runs.collect::<Value>());
        return;
    }
    for (name, speeds) in runs {
        // The best run, so that another program on the same core does not count.
        println!("{name}: {:5.0} x real time", speeds.into_iter().fold(0.0, f64::max));
    }
}

fn preset() -> Patches {
    Preset::builtin()[0].patches()
}

/// Names, numbers of voices, and patches.
fn numbers() -> impl Iterator<Item = (String, usize, Patches)> {
    let numbers = [(0, "effects alone"), (8, "8 voices and effects"), (24, "24 voices and effects")];
    numbers.into_iter().map(|(voices, name)| (name.to_owned(), voices, preset()))
}

/// Names, numbers of voices, and patches with one waveform each.
fn waves() -> impl Iterator<Item = (String, usize, Patches)> {
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
    waves.into_iter().map(|(name, patch)| (format!("24 voices, {name}"), 24, [patch; Instrument::ALL.len()]))
}

fn speeds(voices: usize, patches: Patches) -> Vec<f64> {
    (0..5)
        .map(|_| {
            let begin = Instant::now();
            render(voices, patches, SECONDS);
            SECONDS as f64 / begin.elapsed().as_secs_f64()
        })
        .collect()
}

/// Renders held voices, all that fit into each synth.
fn render(voices: usize, patches: Patches, seconds: usize) {
    let full = Synth::VOICES as usize;
    let synths = voices.div_ceil(full).max(1);
    let mut synths: Vec<_> = (0..synths).map(|n| holding((voices - n * full).min(full), patches)).collect();
    let (mut left, mut right) = ([0.0; 480], [0.0; 480]);
    for _ in 0..seconds * 100 {
        for synth in &mut synths {
            synth.render(&mut left, &mut right);
        }
    }
    let active: usize = synths.iter_mut().map(|synth| synth.meter().active_voices as usize).sum();
    assert_eq!(active, voices);
}

/// A synth with so many voices that never end.
fn holding(voices: usize, patches: Patches) -> Synth {
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
    synth
}
