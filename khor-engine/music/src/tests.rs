//! Tests the properties of the music as a whole.

use khor_signal::{Lane, Lanes, Levels, SignalId};

mod added_lanes;
mod site;

use super::{
    Composer, CueSound, Instrument, Layer, Note, Preset, Role, Scale, Settings, VoiceStream,
    seeded::{Dice, Stream},
};

const TURN_S: f64 = 0.01;

/// Lanes with the given levels. The deviation of each lane is proportional to its level.
fn lanes(levels: Levels) -> Lanes {
    levels.map(|level| level.map(|level| Lane { level, deviation: 10.0 * level, surprise: 0.0 })).into()
}

fn play(preset: &Preset, settings: Settings, seconds: f64, levels: impl Fn(f64) -> Levels) -> Vec<Note> {
    let mut composer = Composer::new(settings, preset.clone());
    let mut notes = Vec::new();
    for turn in 0..(seconds / TURN_S) as u32 {
        let now_s = f64::from(turn) * TURN_S;
        composer.advance(now_s, &lanes(levels(now_s)), &mut notes);
    }
    notes
}

fn idle() -> Levels {
    all(0.0)
}

/// Levels at which every signal has the value `level`.
fn all(level: f32) -> Levels {
    [Some(level); SignalId::COUNT]
}

/// Levels that vary slowly. Each signal varies with its own period.
fn wandering(now_s: f64) -> Levels {
    std::array::from_fn(|i| {
        let wave = (now_s * (0.05 + 0.013 * i as f64) + i as f64).sin();
        Some((0.5 + 0.5 * wave) as f32)
    })
}

fn onsets_per_s(notes: &[Note], seconds: f64) -> f64 {
    notes.iter().filter(|note| note.layer != Layer::Bed).count() as f64 / seconds
}

#[test]
fn notes_depend_only_on_levels_and_seed() {
    for preset in Preset::builtin() {
        let settings = Settings::default();
        let notes = play(preset, settings, 60.0, wandering);
        assert_eq!(notes, play(preset, settings, 60.0, wandering));
        assert_ne!(notes, play(preset, Settings { seed: 2, ..settings }, 60.0, wandering));
    }
}

#[test]
fn notes_ignore_the_call_size() {
    for preset in Preset::builtin() {
        let mut composer = Composer::new(Settings::default(), preset.clone());
        let mut notes = Vec::new();
        composer.advance(30.0 - TURN_S, &lanes(all(0.6)), &mut notes);
        assert_eq!(notes, play(preset, Settings::default(), 30.0, |_| all(0.6)));
    }
}

#[test]
fn jitter_of_a_millionth_changes_no_note() {
    for preset in Preset::builtin() {
        for seed in 1..5 {
            let settings = Settings { seed, ..Settings::default() };
            let jitter = |now_s: f64| {
                let mut dice = Dice::new(seed, (now_s * 1000.0) as u64, Stream::Rare);
                wandering(now_s).map(|level| level.map(|l| l + 1e-6 * dice.bipolar()))
            };
            assert_eq!(play(preset, settings, 60.0, wandering), play(preset, settings, 60.0, jitter));
        }
    }
}

#[test]
fn levels_of_switches_and_interrupts_are_ignored() {
    for preset in Preset::builtin() {
        let with = |level| {
            let mut composer = Composer::new(Settings::default(), preset.clone());
            let mut notes = Vec::new();
            let mut lanes = lanes(all(0.5));
            for id in [SignalId::Csw, SignalId::Irq] {
                lanes[id] = Some(Lane { level, ..Lane::default() });
            }
            composer.advance(20.0, &lanes, &mut notes);
            notes
        };
        assert_eq!(with(0.0), with(1.0));
    }
}

#[test]
fn the_bed_stays_in_key_and_scale() {
    for preset in Preset::builtin() {
        for (i, scale) in Scale::ALL.into_iter().enumerate() {
            let key_midi = 40 + 5 * i as u8;
            let notes = play(preset, Settings { key_midi, scale, ..Settings::default() }, 60.0, wandering);
            let bed: Vec<&Note> = notes.iter().filter(|note| note.layer == Layer::Bed).collect();
            assert!(bed.len() > 10);
            for note in bed {
                let class = (i32::from(note.midi) - i32::from(key_midi)).rem_euclid(12) as u8;
                assert!(scale.intervals().contains(&class), "{} {scale:?} {}", preset.name, note.midi);
            }
        }
    }
}

#[test]
fn onsets_rise_with_work() {
    for preset in Preset::builtin() {
        let mut last = -1.0;
        for level in [0.05, 0.2, 0.3, 0.45, 0.6, 1.0] {
            let onsets = onsets_per_s(&play(preset, Settings::default(), 120.0, |_| all(level)), 120.0);
            assert!(onsets >= last, "{} at {level}: {onsets} after {last}", preset.name);
            last = onsets;
        }
    }
}

#[test]
fn only_switches_raise_the_pulse_pitch() {
    for preset in Preset::builtin() {
        // Returns the mean pitch of the pulse's bass notes, and the mean pitch of all other notes
        // of the pulse.
        let pitches = |work: f32, switches: f32| {
            let mut levels = idle();
            levels[SignalId::Rx.index()] = Some(work);
            levels[SignalId::Csw.index()] = Some(switches);
            let notes = play(preset, Settings::default(), 60.0, |_| levels);
            let mean = |bass: bool| {
                let its = |note: &&Note| note.layer == Layer::Pulse && (note.role == Role::Bass) == bass;
                let pitches: Vec<f32> = notes.iter().filter(its).map(|note| note.midi.into()).collect();
                pitches.iter().sum::<f32>() / pitches.len() as f32
            };
            (mean(true), mean(false))
        };
        let (work, switches) = (pitches(0.6, 0.0), pitches(0.6, 0.6));
        assert!(switches.1 >= work.1 + 12.0, "{}: {work:?} {switches:?}", preset.name);
        assert!(work.0.is_nan() || work.0 == switches.0, "{}: {work:?} {switches:?}", preset.name);
        let more = pitches(0.9, 0.0);
        assert!((more.1 - work.1).abs() <= 6.0, "{}: {work:?} {more:?}", preset.name);
    }
}

#[test]
fn memory_pressure_sounds_in_every_preset() {
    for preset in Preset::builtin() {
        let mut levels = idle();
        levels[SignalId::Mem.index()] = Some(0.7);
        let notes = play(preset, Settings::default(), 20.0, |_| levels);
        let memory = notes.iter().filter(|note| note.instrument == Instrument::Memory).count();
        assert!(memory >= 20, "{}: {memory}", preset.name);
        let patch = preset.patches.get(Instrument::Memory);
        // With an attack of one second, as in a pad, these notes would be inaudible.
        assert!(patch.attack_ms <= 200.0, "{}: {} ms", preset.name, patch.attack_ms);
    }
}

#[test]
fn busy_is_eight_times_denser_than_idle() {
    for preset in Preset::builtin() {
        for bpm in [60.0, 110.0, 240.0] {
            let settings = Settings { bpm, ..Settings::default() };
            let at = |levels: Levels| onsets_per_s(&play(preset, settings, 300.0, |_| levels), 300.0);
            let (still, busy) = (at(idle()), at(all(1.0)));
            assert!(still > 0.0 && still <= 0.3, "{} at {bpm}: {still}", preset.name);
            assert!(busy >= 8.0 * still, "{} at {bpm}: {busy} to {still}", preset.name);
        }
    }
}

#[test]
fn at_most_two_voices_per_half_bar() {
    for preset in Preset::builtin() {
        let settings = Settings::default();
        let notes = play(preset, settings, 120.0, wandering);
        let half_bar_s = settings.step_s() * 8.0;
        let halves = (120.0 / half_bar_s) as usize;
        let mut streams = vec![Vec::new(); halves + 1];
        // The last note of an ending voice starts on the half bar. It is not counted, because it
        // may overlap the next voice.
        for note in notes.iter().filter(|n| n.layer == Layer::Voices && n.velocity > 0.0) {
            let half = ((note.onset_s + 1e-6) / half_bar_s) as usize;
            let stream = note.signal.map(|_| note.instrument);
            let first = (note.onset_s - half as f64 * half_bar_s).abs() < 1e-3;
            if !first && !streams[half].contains(&stream) {
                streams[half].push(stream);
            }
        }
        assert!(streams.iter().all(|s| s.len() <= 2), "{}", preset.name);
        assert!(streams.iter().any(|s| s.len() == 2), "{}", preset.name);
    }
}

#[test]
fn tempo_applies_before_the_preset_does() {
    let [ambient, drone] = ["ambient", "drone"].map(|name| Preset::find(name).unwrap().clone());
    let mut composer = Composer::new(Settings::default(), ambient);
    let mut notes = Vec::new();
    composer.advance(0.3, &lanes(idle()), &mut notes);
    composer.set_preset(drone);
    composer.set_settings(Settings { bpm: 220.0, ..Settings::default() });
    let before = composer.position();
    composer.advance(before.step_s + 1e-6, &lanes(idle()), &mut notes);
    let after = composer.position();
    assert!((after.step_s - before.step_s - 15.0 / 220.0).abs() < 1e-9);
    while composer.position().bar == 0 {
        assert_eq!(composer.preset().name, "ambient");
        composer.advance(composer.position().step_s + 1e-6, &lanes(idle()), &mut notes);
    }
    composer.advance(composer.position().step_s + 1e-6, &lanes(idle()), &mut notes);
    assert_eq!(composer.preset().name, "drone");
}

/// Plays 15 s of music with every signal at `level`, and a cue after 7.3 s. Returns all notes.
fn with_cue(preset: &Preset, kind: CueSound, level: f32) -> Vec<Note> {
    let mut composer = Composer::new(Settings::default(), preset.clone());
    let mut notes = Vec::new();
    for turn in 0..1500 {
        let now_s = f64::from(turn) * TURN_S;
        if turn == 730 {
            composer.cue(kind);
        }
        composer.advance(now_s, &lanes(all(level)), &mut notes);
    }
    notes
}

#[test]
fn cues_sound_promptly_and_alone() {
    let step_s = Settings::default().step_s();
    for preset in Preset::builtin() {
        for kind in CueSound::ALL {
            let notes = with_cue(preset, kind, 0.9);
            let cue: Vec<&Note> = notes.iter().filter(|note| note.layer == Layer::Cues).collect();
            let (first, last) = (cue[0].onset_s, cue[cue.len() - 1].onset_s);
            let most_s = if kind == CueSound::Oom { TURN_S } else { 4.0 * step_s } + 1e-6;
            assert!((0.0..=most_s).contains(&(first - 7.3 + TURN_S)), "{kind:?} after {}", first - 7.3);
            let among = |note: &&Note| note.onset_s > first + step_s && note.onset_s < last;
            let others = notes.iter().filter(|n| !matches!(n.layer, Layer::Cues | Layer::Bed));
            assert_eq!(others.filter(among).count(), 0, "{} {kind:?}", preset.name);
        }
    }
}

#[test]
fn cues_are_300_ms_apart() {
    let preset = &Preset::builtin()[0];
    for (a, b) in
        CueSound::ALL.into_iter().flat_map(|a| CueSound::ALL.map(|b| (a, b))).filter(|(a, b)| a != b)
    {
        let mut composer = Composer::new(Settings::default(), preset.clone());
        let mut notes = Vec::new();
        for turn in 0..1500 {
            if turn == 730 {
                composer.cue(a);
                composer.cue(b);
            }
            composer.advance(f64::from(turn) * TURN_S, &lanes(all(0.5)), &mut notes);
        }
        notes.retain(|note| note.layer == Layer::Cues);
        let alone = |kind| with_cue(preset, kind, 0.5).iter().filter(|n| n.layer == Layer::Cues).count();
        assert_eq!(notes.len(), alone(a) + alone(b), "{a:?} {b:?}");
        let (first, second) = notes.split_at(alone(if b.severity() > a.severity() { b } else { a }));
        let ends_s = first.iter().map(|n| n.onset_s + f64::from(n.duration_s)).fold(0.0, f64::max);
        assert!(
            (0.3..2.0).contains(&(second[0].onset_s - ends_s)),
            "{a:?} {b:?}: {}",
            second[0].onset_s - ends_s
        );
    }
}

#[test]
fn lost_and_found_sources_play_cues() {
    let mut composer = Composer::new(Settings::default(), Preset::builtin()[0].clone());
    let none = Lanes::NONE;
    let mut cues = |from_s: u32, to_s: u32, lanes: &Lanes| {
        let mut notes = Vec::new();
        for turn in from_s * 10..to_s * 10 {
            composer.advance(f64::from(turn) * 0.1, lanes, &mut notes);
        }
        notes.retain(|note| note.layer == Layer::Cues);
        notes.first().map(|note| note.onset_s)
    };
    assert_eq!(cues(0, 10, &none), None, "a source that never delivered a lane is not lost");
    assert_eq!(cues(10, 20, &lanes(idle())), None);
    let lost_s = cues(20, 30, &none).unwrap();
    assert!(lost_s < 25.0, "{lost_s}");
    assert!(cues(30, 40, &lanes(idle())).is_some());
}

#[test]
fn the_most_deviant_stream_takes_the_voice() {
    for preset in Preset::builtin() {
        for (signal, stream) in [
            (SignalId::Exec, VoiceStream::Process),
            (SignalId::Rx, VoiceStream::Receive),
            (SignalId::Tx, VoiceStream::Send),
            (SignalId::Retx, VoiceStream::Loss),
            (SignalId::Io, VoiceStream::Disk),
            (SignalId::Fault, VoiceStream::Memory),
            (SignalId::Softirq, VoiceStream::Kernel),
            (SignalId::Local, VoiceStream::Local),
        ] {
            let mut levels = all(0.35);
            levels[signal.index()] = Some(0.9);
            let mut composer = Composer::new(Settings::default(), preset.clone());
            composer.advance(30.0, &lanes(levels), &mut Vec::new());
            let snapshot = composer.snapshot();
            assert!(snapshot.voices.iter().any(|voice| voice.stream == stream), "{signal:?}: {snapshot:?}");
        }
    }
}

#[test]
fn a_familiar_voice_recedes_until_it_changes() {
    let preset = &Preset::builtin()[0];
    let per_minute = |notes: &[Note], minute: f64| {
        let within = |n: &&Note| n.layer == Layer::Voices && (n.onset_s / 60.0).floor() == minute;
        notes.iter().filter(within).count()
    };
    let mut levels = idle();
    levels[SignalId::Exec.index()] = Some(0.7);
    let notes = play(preset, Settings::default(), 600.0, |_| levels);
    assert!(per_minute(&notes, 5.0) < per_minute(&notes, 0.0) * 4 / 5);
    let notes = play(preset, Settings::default(), 600.0, |now_s| {
        let mut levels = levels;
        levels[SignalId::Exec.index()] = Some(if now_s > 300.0 { 0.9 } else { 0.7 });
        levels
    });
    assert!(per_minute(&notes, 5.0) > per_minute(&notes, 4.0));
}
