//! Tests the synth as a whole.

use ebur128::{EbuR128, Mode};
use khor_music::{Controls, FilterMode, Instrument, Patch, Preset, Role, Wave};

use super::{Samples, Synth, SynthNote, Volume, avx2::Avx2};

const RATE_HZ: u32 = 48_000;

fn note(onset_frame: u64, duration_frames: u64, midi: u8) -> SynthNote {
    SynthNote {
        onset_frame,
        duration_frames,
        midi,
        velocity: 0.8,
        pan: 0.0,
        brightness: 0.0,
        instrument: Instrument::Melody,
        role: Role::Melody,
    }
}

/// Creates a synth without delay and reverb that plays one patch.
fn dry(patch: Patch) -> Synth {
    let mut synth = Synth::new(RATE_HZ, 1);
    synth.set_patches([Patch { delay_send: 0.0, reverb_send: 0.0, ..patch }; Instrument::ALL.len()]);
    synth
}

fn render(synth: &mut Synth, frames: usize) -> Vec<f32> {
    let (mut left, mut right) = (vec![0.0; frames], vec![0.0; frames]);
    synth.render(&mut left, &mut right);
    left.into_iter().zip(right).flat_map(|(l, r)| [l, r]).collect()
}

fn peak(samples: &[f32]) -> f32 {
    samples.iter().fold(0.0, |a, b| a.max(b.abs()))
}

#[test]
fn samples_do_not_depend_on_buffer_lengths() {
    let run = |lengths: &[usize]| {
        let mut synth = Synth::new(RATE_HZ, 1);
        for i in 0..40 {
            synth.schedule(note(i * 777, 5000, 40 + i as u8));
        }
        let mut out = Vec::new();
        for &length in lengths.iter().cycle() {
            out.extend(render(&mut synth, length.min(40_000 - out.len() / 2)));
            assert_eq!(synth.frame() as usize, out.len() / 2);
            if out.len() == 80_000 {
                return out;
            }
        }
        out
    };
    let whole = run(&[40_000]);
    assert_eq!(whole, run(&[1, 31, 33, 64, 7, 1000]));
    assert_eq!(whole, run(&[512]));
    assert!(peak(&whole) > 0.05);
}

#[test]
fn onsets_fall_on_their_frame() {
    for onset in [0, 1, 31, 32, 33, 1000, 4801] {
        let mut synth = dry(Patch { attack_ms: 1.0, cutoff_hz: 12_000.0, ..Patch::default() });
        synth.schedule(note(onset, 4800, 72));
        let out = render(&mut synth, 9600);
        let first = out.chunks(2).position(|frame| frame[0] != 0.0).unwrap() as u64;
        let due = onset + Synth::LATENCY_FRAMES;
        assert!((due..due + 2).contains(&first), "{first}, due {due}");
    }
}

#[test]
fn mute_fades_to_silence_and_back() {
    let mut synth = dry(Patch { sustain: 1.0, ..Patch::default() });
    synth.schedule(note(0, 480_000, 50));
    render(&mut synth, 24_000);
    synth.set_muted(true);
    let fading = render(&mut synth, 2400);
    assert!(fading.chunks(2).zip(fading.chunks(2).skip(1)).all(|(a, b)| (a[0] - b[0]).abs() < 0.01));
    assert!(render(&mut synth, 4800).iter().all(|&x| x == 0.0));
    synth.set_muted(false);
    assert!(peak(&render(&mut synth, 4800)) > 0.05);
}

#[test]
fn all_notes_off_ends_within_20_ms() {
    let mut synth = dry(Patch { release_ms: 20_000.0, ..Patch::default() });
    (0..30).for_each(|i| synth.schedule(note(i * 100, 480_000, 50)));
    render(&mut synth, 4800);
    synth.schedule(note(6000, 480_000, 50));
    synth.all_notes_off();
    render(&mut synth, 960);
    assert_eq!(synth.meter().active_voices, 0);
    // All voices have ended, so the remaining output comes from the DC block, which still decays.
    render(&mut synth, 9600);
    assert!(peak(&render(&mut synth, 9600)) < 1e-6);
}

/// Largest second difference of the samples. A click makes this value high, but low notes do not.
fn sharpest_bend(samples: &[f32]) -> f32 {
    let left: Vec<f32> = samples.iter().copied().step_by(2).collect();
    left.windows(3).fold(0.0, |a, w| a.max((w[0] - 2.0 * w[1] + w[2]).abs()))
}

#[test]
fn stealing_a_voice_does_not_click() {
    let patch = Patch {
        wave: Wave::Sine,
        attack_ms: 10.0,
        sustain: 1.0,
        release_ms: 4000.0,
        cutoff_hz: 400.0,
        gain_db: -24.0,
        ..Patch::default()
    };
    let bend = |notes: u64| {
        let mut synth = dry(patch);
        (0..notes).for_each(|i| synth.schedule(note(i * 1201, 96_000, 36 + (i % 12) as u8)));
        let out = render(&mut synth, 96_000);
        (sharpest_bend(&out), synth.meter())
    };
    let (free, _) = bend(24);
    let (stolen, meter) = bend(75);
    assert!(meter.stolen >= 40 && meter.dropped == 0, "{meter:?}");
    // If a stolen voice were cut off abruptly, the second difference would be as large as the
    // voice's amplitude, about 0.04.
    assert!(stolen < 2.0 * free + 1e-3 && stolen < 2e-3, "{stolen} against {free}");
}

#[test]
fn the_true_peak_stays_below_the_limit() {
    let mut synth = Synth::new(RATE_HZ, 1);
    let patch = Patch {
        wave: Wave::Saw,
        sustain: 1.0,
        cutoff_hz: 16_000.0,
        resonance: 0.5,
        delay_send: 1.0,
        reverb_send: 1.0,
        gain_db: 12.0,
        ..Patch::default()
    };
    synth.set_patches([patch; Instrument::ALL.len()]);
    synth.set_volume(Volume { master_gain: 1.0, ..Volume::default() });
    for i in 0..96 {
        synth.schedule(SynthNote { velocity: 1.0, ..note(i * 997, 24_000, 36 + (i % 60) as u8) });
    }
    let out = render(&mut synth, 144_000);
    let mut meter = EbuR128::new(2, RATE_HZ, Mode::TRUE_PEAK).unwrap();
    meter.add_frames_f32(&out).unwrap();
    let true_peak_db = 20.0 * meter.true_peak(0).unwrap().max(meter.true_peak(1).unwrap()).log10();
    assert!((-2.0..=-1.0).contains(&true_peak_db), "{true_peak_db}");
}

#[test]
fn the_synth_recovers_from_non_finite_input() {
    let mut synth = Synth::new(RATE_HZ, 1);
    let bad = Patch { cutoff_hz: f32::NAN, gain_db: f32::INFINITY, sustain: f32::NAN, ..Patch::default() };
    synth.set_patches([bad; Instrument::ALL.len()]);
    synth.set_volume(Volume { master_gain: f32::NAN, loudness_lufs: f32::NAN });
    synth.set_controls(Controls {
        brightness: f32::NAN,
        reverb: f32::NAN,
        delay: f32::NAN,
        echo_s: f32::NAN,
        vowel: f32::NAN,
    });
    for i in 0..30 {
        synth.schedule(SynthNote { velocity: f32::NAN, pan: f32::INFINITY, ..note(i * 50, 500, 60) });
        synth.schedule(note(i * 50, 500, 60));
    }
    assert!(render(&mut synth, 48_000).iter().all(|x| x.is_finite()));
    synth.set_patches([Patch::default(); Instrument::ALL.len()]);
    synth.schedule(note(synth.frame(), 4800, 60));
    let out = render(&mut synth, 9600);
    assert!(peak(&out) > 0.05 && out.iter().all(|x| x.is_finite()), "{}", peak(&out));
}

#[test]
fn an_idle_synth_is_silent() {
    let mut synth = Synth::new(RATE_HZ, 1);
    assert_eq!(peak(&render(&mut synth, 4800)), 0.0);
    (0..600).for_each(|_| synth.schedule(note(1_000_000, 1, 60)));
    assert_eq!(synth.meter().dropped, 600 - 512);
}

/// Loudness of a saw-wave chord whose sung share is `send`, LUFS.
fn sung_lufs(chord: [u8; 4], send: f32, vowel: f32) -> f64 {
    let mut synth = dry(Patch {
        wave: Wave::Saw,
        detune_cents: 10.0,
        vibrato_cents: 20.0,
        attack_ms: 200.0,
        sustain: 1.0,
        cutoff_hz: 4000.0,
        key_follow: 0.4,
        vowel_send: send,
        gain_db: -24.0,
        ..Patch::default()
    });
    synth.set_controls(Controls { vowel, ..Controls::default() });
    for midi in chord {
        synth.schedule(note(0, 480_000, midi));
    }
    render(&mut synth, 24_000);
    let mut meter = EbuR128::new(2, RATE_HZ, Mode::I).unwrap();
    meter.add_frames_f32(&render(&mut synth, 144_000)).unwrap();
    meter.loudness_global().unwrap()
}

#[test]
fn vowels_keep_loudness_within_3_db() {
    for chord in [[45, 52, 57, 61], [50, 57, 62, 65], [48, 55, 64, 67], [53, 60, 65, 69], [55, 62, 67, 71]] {
        let straight = sung_lufs(chord, 0.0, 0.5);
        for send in [0.5, 1.0] {
            for step in 0..=9 {
                let vowel = step as f32 / 9.0;
                let change = sung_lufs(chord, send, vowel) - straight;
                assert!(change.abs() <= 3.0, "{chord:?}, send {send}, vowel {vowel:.2}: {change:.1} dB");
            }
        }
    }
}

#[test]
fn vowel_changes_do_not_click() {
    let patch = Patch {
        attack_ms: 100.0,
        sustain: 1.0,
        cutoff_hz: 4000.0,
        vowel_send: 1.0,
        gain_db: -18.0,
        ..Patch::default()
    };
    let bend = |moves: bool| {
        let mut synth = dry(patch);
        synth.set_controls(Controls { vowel: 0.0, ..Controls::default() });
        synth.schedule(note(0, 480_000, 50));
        render(&mut synth, 24_000);
        let mut out = Vec::new();
        for turn in 0..8 {
            let vowel = if moves { (turn % 2) as f32 } else { 0.0 };
            synth.set_controls(Controls { vowel, ..Controls::default() });
            out.extend(render(&mut synth, 12_000));
        }
        (sharpest_bend(&out), peak(&out))
    };
    let ((still, _), (moving, loud)) = (bend(false), bend(true));
    // An abrupt change of the vowel would cause a second difference of several hundredths of the
    // peak.
    assert!(moving < still + 0.01 * loud, "{moving} against {still}, peak {loud}");
}

#[test]
fn noise_differs_per_note_and_is_repeatable() {
    let patch = Patch { wave: Wave::Noise, filter: FilterMode::Band, resonance: 0.6, ..Patch::default() };
    let run = || {
        let mut synth = dry(patch);
        synth.schedule(note(0, 4800, 60));
        synth.schedule(note(48_000, 4800, 60));
        render(&mut synth, 96_000)
    };
    let out = run();
    assert!(peak(&out) > 0.01 && out == run());
    assert!(out[..96_000] != out[96_000..]);
}

#[test]
fn effects_receive_the_sung_sound() {
    // The note is a sine whose frequency is far from every formant. If the whole sound passes
    // through the vowel filter, it must become inaudible, even in the reverb.
    let level = |vowel_send| {
        let patch =
            Patch { sustain: 1.0, cutoff_hz: 16_000.0, reverb_send: 1.0, vowel_send, ..Patch::default() };
        let mut synth = Synth::new(RATE_HZ, 1);
        synth.set_patches([patch; Instrument::ALL.len()]);
        synth.schedule(note(0, 480_000, 120));
        render(&mut synth, 24_000);
        peak(&render(&mut synth, 24_000))
    };
    assert!(level(1.0) < 0.05 * level(0.0), "{} of {}", level(1.0), level(0.0));
}

#[test]
fn every_processor_renders_the_same_samples() {
    let waves = [Wave::Sine, Wave::Triangle, Wave::Saw, Wave::Pulse, Wave::Noise, Wave::Fm];
    let run = |avx2: Avx2| {
        let mut synth = Synth::new(RATE_HZ, 1);
        synth.avx2 = avx2;
        synth.set_patches(Instrument::ALL.map(|instrument| Patch {
            wave: waves[instrument.index() % waves.len()],
            detune_cents: 7.0,
            vibrato_cents: 30.0,
            vowel_send: 0.4,
            delay_send: 0.3,
            ..Patch::default()
        }));
        for i in 0..36 {
            let instrument = Instrument::ALL[i as usize % Instrument::ALL.len()];
            synth.schedule(SynthNote { instrument, ..note(i * 800, 12_000, 40 + i as u8) });
        }
        render(&mut synth, 96_000)
    };
    assert!(run(Avx2::disabled()) == run(Avx2::detect()));
}

/// Schedules notes that together use every feature of the synth: all waveforms, straight and sung
/// shares, delay and reverb. There are more notes than voices, and the volume is far too high.
fn crowd(synth: &mut Synth) {
    let patches: Vec<_> = Preset::builtin().iter().map(Preset::patches).collect();
    synth.set_patches(std::array::from_fn(|i| Patch { vowel_send: 0.4, ..patches[i % patches.len()][i] }));
    synth.set_volume(Volume { master_gain: 1.0, loudness_lufs: -11.0 });
    synth.set_controls(Controls { reverb: 1.0, delay: 1.0, echo_s: 0.21, ..Controls::default() });
    for i in 0..200 {
        let (instrument, role) = (Instrument::ALL[i % Instrument::ALL.len()], Role::ALL[i % 4]);
        let note = note(i as u64 * 1500, 40_000, 36 + (7 * i % 50) as u8);
        synth.schedule(SynthNote {
            velocity: 1.0,
            pan: (i % 5) as f32 / 2.0 - 1.0,
            instrument,
            role,
            ..note
        });
    }
}

#[test]
fn stems_add_up_to_the_mix() {
    let frames = 8 * RATE_HZ as usize;
    let (mut synth, mut alone) = (Synth::with_stems(RATE_HZ, 1), Synth::new(RATE_HZ, 1));
    crowd(&mut synth);
    crowd(&mut alone);
    let mut samples = Samples::silence(frames, Role::ALL.len());
    // Render in pieces of 480 frames, as a caller would do.
    let mut piece = Samples::silence(480, Role::ALL.len());
    for at in (0..frames).step_by(480) {
        synth.render_stems(&mut piece);
        samples.left[at..at + 480].copy_from_slice(&piece.left);
        samples.right[at..at + 480].copy_from_slice(&piece.right);
        for (all, [left, right]) in samples.stems.iter_mut().zip(&piece.stems) {
            all[0][at..at + 480].copy_from_slice(left);
            all[1][at..at + 480].copy_from_slice(right);
        }
    }
    let mix: Vec<f32> = samples.interleaved().collect();
    assert!(mix == render(&mut alone, frames), "stems must not change the mix");
    assert!(peak(&mix) > 0.8 && synth.meter().stolen > 50, "the limiter and voice stealing must be active");
    assert!(samples.stems.iter().flatten().all(|side| peak(side) > 0.05), "every stem must be audible");
    // Mix and stems may differ by rounding errors only. Here, the errors are larger than usual,
    // because the sound is several times too loud before the limiter.
    let rounding = furthest(&samples);
    assert!(rounding > 0.0 && rounding < 4e-6, "{rounding}");
    samples.correct_stems();
    assert!(furthest(&samples) < 2e-7, "{}", furthest(&samples));
}

/// Largest difference between a sample of the mix and the sum of the stems.
fn furthest(samples: &Samples) -> f32 {
    let sum = |side: usize, i: usize| samples.stems.iter().map(|stem| stem[side][i]).sum::<f32>();
    let off =
        (0..samples.left.len()).flat_map(|i| [samples.left[i] - sum(0, i), samples.right[i] - sum(1, i)]);
    off.fold(0.0, |worst, off| worst.max(off.abs()))
}
