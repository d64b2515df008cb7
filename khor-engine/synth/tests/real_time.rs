//! Tests that the methods of the synth that run on the audio thread neither allocate nor free
//! memory.

use assert_no_alloc::{AllocDisabler, assert_no_alloc, violation_count};
use khor_music::{Controls, FilterMode, Instrument, Patch, Preset, Role, Wave};
use khor_synth::{Synth, SynthNote, Volume};

#[global_allocator]
static ALLOCATOR: AllocDisabler = AllocDisabler;

/// Patches that together use every part of the synth.
fn every_part() -> [Patch; Instrument::ALL.len()] {
    let waves = [Wave::Sine, Wave::Triangle, Wave::Saw, Wave::Pulse, Wave::Noise, Wave::Fm];
    let filters = [FilterMode::Low, FilterMode::Band, FilterMode::High];
    Instrument::ALL.map(|instrument| Patch {
        wave: waves[instrument.index() % waves.len()],
        filter: filters[instrument.index() % filters.len()],
        detune_cents: 8.0,
        vibrato_cents: 30.0,
        vowel_send: 0.6,
        delay_send: 0.3,
        ..Patch::default()
    })
}

#[test]
fn the_audio_thread_never_allocates() {
    let mut synth = Synth::new(48_000, 1);
    let presets = Preset::builtin().iter().map(Preset::patches);
    let patches: Vec<_> = presets.chain([every_part()]).collect();
    let (mut left, mut right) = (vec![0.0; 8192], vec![0.0; 8192]);
    let before = violation_count();
    assert_no_alloc(|| {
        for turn in 0..200_u64 {
            synth.set_patches(patches[turn as usize % patches.len()]);
            let vowel = (turn % 7) as f32 / 6.0;
            synth.set_controls(Controls { brightness: 0.3, reverb: 0.5, delay: 0.5, echo_s: 0.3, vowel });
            synth.set_volume(Volume { master_gain: 0.4, loudness_lufs: -18.0 });
            synth.set_muted(turn % 50 == 49);
            for i in 0..40 {
                synth.schedule(SynthNote {
                    onset_frame: synth.frame() + 13 * i,
                    duration_frames: 20_000,
                    midi: 40 + i as u8,
                    velocity: 0.5,
                    pan: 0.0,
                    brightness: 0.0,
                    instrument: Instrument::ALL[i as usize % 12],
                    role: Role::Melody,
                });
            }
            if turn % 60 == 59 {
                synth.all_notes_off();
            }
            let frames = [64, 512, 1, 8192, 480][turn as usize % 5];
            synth.render(&mut left[..frames], &mut right[..frames]);
            std::hint::black_box(synth.meter());
        }
    });
    assert!(synth.meter().stolen > 0);
    assert_eq!(violation_count(), before);
    // Checks that the test can detect an allocation.
    assert_no_alloc(|| drop(std::hint::black_box(vec![1_u8; 100])));
    assert!(violation_count() > before);
}
