//! Tests the synth with random sequences of operations. Its samples must be valid, and it must end
//! in silence.

use khor_music::{Controls, Instrument, Preset, Role};
use khor_synth::{Synth, SynthNote, Volume};
use proptest::{
    collection::vec,
    num::f32::ANY,
    prelude::*,
    sample::{Index, select},
};

const RATE_HZ: u32 = 8_000;
/// Time after which delay and reverb must be silent, seconds.
const TAIL_S: u32 = 30;
/// Samples whose magnitude is below this value count as silent.
const SILENT: f32 = 1e-4;

/// An operation on the synth.
#[derive(Clone, Debug)]
enum Op {
    /// Plays a note. The onset is relative to the current frame.
    Note(SynthNote),
    Preset(Index),
    Controls(Controls),
    Volume(Volume),
    Mute(bool),
    VoiceLimit(u32),
    AllNotesOff,
    /// Renders this many frames.
    Render(usize),
}

/// Generates random numbers. Most of them are within 0..=1, which is the valid range of most
/// parameters.
fn share() -> impl Strategy<Value = f32> {
    prop_oneof![4 => 0.0f32..=1.0, 1 => ANY]
}

fn notes() -> impl Strategy<Value = SynthNote> {
    let when = (0u64..4_000, prop_oneof![0u64..8_000, Just(u64::MAX)]);
    let whose = (select(&Instrument::ALL[..]), select(&Role::ALL[..]));
    (when, any::<u8>(), (share(), share(), share()), whose).prop_map(
        |((onset_frame, duration_frames), midi, (velocity, pan, brightness), (instrument, role))| SynthNote {
            onset_frame,
            duration_frames,
            midi,
            velocity,
            pan,
            brightness,
            instrument,
            role,
        },
    )
}

fn ops() -> impl Strategy<Value = Vec<Op>> {
    let controls = (share(), share(), share(), 0.05f32..=1.0, share()).prop_map(
        |(brightness, reverb, delay, echo_s, vowel)| Controls { brightness, reverb, delay, echo_s, vowel },
    );
    let volume = (share(), -30.0f32..=0.0)
        .prop_map(|(master_gain, loudness_lufs)| Volume { master_gain, loudness_lufs });
    let op = prop_oneof![
        12 => notes().prop_map(Op::Note),
        1 => any::<Index>().prop_map(Op::Preset),
        1 => controls.prop_map(Op::Controls),
        1 => volume.prop_map(Op::Volume),
        1 => any::<bool>().prop_map(Op::Mute),
        1 => (0u32..=40).prop_map(Op::VoiceLimit),
        1 => Just(Op::AllNotesOff),
        4 => (1usize..3_000).prop_map(Op::Render),
    ];
    vec(op, 1..120)
}

/// Renders frames, and checks their samples and the meter. Returns the peak of the frames.
fn render(synth: &mut Synth, frames: usize) -> f32 {
    let (mut left, mut right) = (vec![0.0; frames], vec![0.0; frames]);
    synth.render(&mut left, &mut right);
    let peak = left.iter().chain(&right).fold(0.0, |peak: f32, sample| {
        assert!(sample.abs() <= 1.0, "a sample of {sample}");
        peak.max(sample.abs())
    });
    let meter = synth.meter();
    assert!(meter.active_voices <= Synth::VOICES && meter.peak <= 1.0, "{meter:?}");
    peak
}

fn apply(synth: &mut Synth, op: &Op) {
    match op {
        Op::Note(note) => {
            let onset_frame = synth.frame() + note.onset_frame;
            synth.schedule(SynthNote { onset_frame, ..*note });
        }
        Op::Preset(index) => synth.set_patches(index.get(Preset::builtin()).patches()),
        Op::Controls(controls) => synth.set_controls(*controls),
        Op::Volume(volume) => synth.set_volume(*volume),
        Op::Mute(muted) => synth.set_muted(*muted),
        Op::VoiceLimit(voices) => synth.set_voice_limit(*voices),
        Op::AllNotesOff => synth.all_notes_off(),
        Op::Render(frames) => {
            render(synth, *frames);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn random_operations_end_in_silence(ops in ops()) {
        let mut synth = Synth::new(RATE_HZ, 1);
        for op in &ops {
            apply(&mut synth, op);
        }
        synth.all_notes_off();
        synth.set_muted(false);
        for _ in 0..TAIL_S {
            render(&mut synth, RATE_HZ as usize);
        }
        prop_assert_eq!(synth.meter().active_voices, 0);
        let peak = render(&mut synth, 1_000);
        prop_assert!(peak < SILENT, "{peak}");
    }

    #[test]
    fn same_operations_give_same_samples(ops in ops()) {
        let [one, another] = [(); 2].map(|()| {
            let mut synth = Synth::new(RATE_HZ, 1);
            for op in &ops {
                apply(&mut synth, op);
            }
            let (mut left, mut right) = (vec![0.0; 2_000], vec![0.0; 2_000]);
            synth.render(&mut left, &mut right);
            (left, right, synth.meter())
        });
        prop_assert_eq!(one, another);
    }
}
